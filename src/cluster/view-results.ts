/** What the views saw, as numbers of the glossary. */
import { results } from '../policies/pipeline/results.ts';
import type { RunSpec, Scenario, ViewSpec } from '../scenario/spec.ts';
import { failureBuckets, type InstanceData, type Ledger, type ViewResult } from '../stats/result.ts';
import type { Calls } from './calls.ts';
import { histogramMetrics } from './metrics.ts';
import { failuresOf } from './recorder.ts';
import type { Orchestrator } from './orchestration/orchestrator.ts';
import type { Transport } from './transport.ts';
import type { View, Views } from './views.ts';

const MS_PER_SECOND = 1000;

export interface ViewedWorld {
  readonly run: RunSpec;
  readonly scenario: Omit<Scenario, 'variants'>;
  readonly views: Views | undefined;
  readonly calls: Calls | undefined;
  readonly transport: Transport;
  readonly orchestrator: Orchestrator | undefined;
}

/** `instances` are all of them, in order of services. */
export const viewResults = (world: ViewedWorld, instances: readonly InstanceData[]): ViewResult[] =>
  (world.views?.all ?? []).map((view) => viewResult(world, view, instances));

function viewResult(world: ViewedWorld, view: View, instances: readonly InstanceData[]): ViewResult {
  const { spec } = view;
  const ledger = ledgerOf(view);
  const failed = failureBuckets.reduce((sum, bucket) => sum + ledger.failed[bucket], 0);
  const ended = ledger.ok + failed;
  const seconds = (Math.min(spec.toMs, world.run.durationMs) - spec.fromMs) / MS_PER_SECOND;
  const overEnded = (count: number): number => (ended + ledger.cancelled > 0 ? count / (ended + ledger.cancelled) : NaN);
  view.wait.recordMany(0, view.noWaits);
  const { wait } = view;
  return {
    ledger,
    metrics: {
      ...histogramMetrics('latency', view.latency),
      ...histogramMetrics('wait', wait),
      'wait.share': wait.count > 0 ? (wait.count - view.noWaits) / wait.count : NaN,
      availability: ended > 0 ? ledger.ok / ended : NaN,
      goodput: view.okWithin / seconds,
      offered: ledger.offered / seconds,
      ...Object.fromEntries(
        failureBuckets.map((bucket) => [`failures.${bucket}`, ended > 0 ? ledger.failed[bucket] / ended : NaN]),
      ),
      degraded: ledger.ok > 0 ? ledger.degraded / ledger.ok : NaN,
      attempts: overEnded(view.attempts),
      retries: overEnded(view.retries),
      hedges: overEnded(view.hedges),
      ...wholeRunMetrics(world, spec, seconds),
      ...(spec.service < 0 ? {} : instanceMetrics(world.scenario.services[spec.service].name, instances)),
      ...(spec.service < 0 ? {} : world.orchestrator?.serviceMetrics(spec.service, world.run.durationMs)),
    },
    latency: view.latency.toData(),
  };
}

function ledgerOf(view: View): Ledger {
  const cancelled = view.results[results.cancelled];
  let ended = 0;
  for (const count of view.results) ended += count;
  return {
    offered: view.offered,
    ok: view.results[results.ok],
    degraded: view.degraded,
    cancelled,
    failed: failuresOf(view.results),
    inFlight: view.offered - ended,
  };
}

/** What is counted by edge since warm-up; a part of the time or of the classes has no such number. */
function wholeRunMetrics({ calls, transport, run }: ViewedWorld, spec: ViewSpec, seconds: number): Record<string, number> {
  const isWhole = spec.class < 0 && spec.fromMs <= run.warmupMs && spec.toMs >= run.durationMs && spec.edges.length > 0;
  if (!isWhole) return { cacheHits: NaN, connections: NaN };
  let hits = 0;
  let misses = 0;
  let opened = 0;
  for (const edge of spec.edges) {
    const counts = calls?.cacheCounts(edge);
    hits += counts?.hits ?? 0;
    misses += counts?.misses ?? 0;
    opened += transport.openedBy(edge);
  }
  return { cacheHits: hits + misses > 0 ? hits / (hits + misses) : NaN, connections: opened / seconds };
}

function instanceMetrics(service: string, all: readonly InstanceData[]): Record<string, number> {
  const own = all.filter((instance) => instance.service === service && (instance.existedMs ?? Infinity) > 0);
  let weight = 0;
  let utilization = 0;
  let most = 0;
  let served = 0;
  let squares = 0;
  let servedMost = 0;
  for (const instance of own) {
    weight += instance.existedMs ?? 1;
    utilization += instance.utilization * (instance.existedMs ?? 1);
    most = Math.max(most, instance.utilization);
    // Of those that come and go, by the time in which they were there.
    const rate = instance.existedMs === undefined ? instance.served : instance.served / instance.existedMs;
    served += rate;
    squares += rate * rate;
    servedMost = Math.max(servedMost, rate);
  }
  return {
    'utilization.mean': utilization / weight,
    'utilization.max': most,
    'load.maxOverMean': served > 0 ? (servedMost * own.length) / served : NaN,
    'load.jain': served > 0 ? (served * served) / (own.length * squares) : NaN,
  };
}
