/** What an experiment would do, without doing it: cells, load per phase, rough cost, and warnings that need no simulation. */
import type { Issue } from '../core/issue.ts';
import type { Scenario } from '../scenario/spec.ts';
import { foresee } from './advice.ts';
import { type Phase, predictMessages, predictPhases, predictRequests } from './predict.ts';
import { type RetryThreshold, retryThresholds } from './retry-thresholds.ts';

export interface Plan {
  readonly cells: number;
  readonly variants: readonly string[];
  readonly seeds: readonly string[];
  readonly requestsPerCell: number;
  /** Of the scenario as written; variants that change the world may differ. */
  readonly phases: readonly Phase[];
  /** Per variant, where retries after a timeout could keep a service down: the load up to which they cannot. */
  readonly thresholds: readonly RetryThreshold[];
  /** On one core; a guess from the number of messages, good to a factor of two. */
  readonly seconds: number;
  readonly memoryMiB: number;
  readonly warnings: readonly Issue[];
}

const MICROSECONDS_PER_MESSAGE = 0.45;
const MICROSECONDS_PER_HOP = 0.1;
const SECONDS_PER_CELL = 0.02;
const BASE_MIB = 70;
const BYTES_PER_REQUEST_IN_SYSTEM = 120;
const BYTES_PER_WINDOW_AND_INSTANCE = 32;

export function planExperiment(scenario: Scenario): Plan {
  const requestsPerCell = predictRequests(scenario);
  const phases = predictPhases(scenario);
  const cells = scenario.variants.length * scenario.run.seeds.length;
  const hasNetwork = [
    scenario.network.sameZone,
    scenario.network.betweenZones,
    ...scenario.network.pairs.map((pair) => pair.latency),
  ].some((law) => law.type !== 'constant' || law.value > 0);
  const perMessage = MICROSECONDS_PER_MESSAGE + (hasNetwork ? 2 * MICROSECONDS_PER_HOP : 0);
  return {
    cells,
    variants: scenario.variants.map((variant) => variant.label),
    seeds: scenario.run.seeds,
    requestsPerCell,
    phases,
    thresholds: retryThresholds(scenario),
    seconds: cells * (SECONDS_PER_CELL + (predictMessages(scenario) * perMessage) / 1e6),
    memoryMiB: BASE_MIB + bytes(scenario, phases, cells) / 1048576,
    warnings: foresee(scenario),
  };
}

function bytes(scenario: Scenario, phases: readonly Phase[], cells: number): number {
  const windows = scenario.run.durationMs / scenario.run.windowMs;
  const instances = scenario.services.reduce((sum, service) => sum + service.instances.length, 0);
  // In overload the queues fill: to their limit, or with everything that is too much.
  const queued = phases
    .filter((phase) => phase.utilization > 1)
    .reduce((sum, phase) => {
      const service = scenario.services.find(({ name }) => name === phase.service);
      const places = (service?.queueLimit ?? 0) * (service?.instances.length ?? 0);
      const excess = phase.perSecond * (1 - 1 / phase.utilization) * ((phase.toMs - phase.fromMs) / 1000);
      return sum + Math.min(places, excess);
    }, 0);
  return queued * BYTES_PER_REQUEST_IN_SYSTEM + cells * windows * instances * BYTES_PER_WINDOW_AND_INSTANCE;
}
