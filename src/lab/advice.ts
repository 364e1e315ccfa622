/** Warnings about what the numbers can bear: overload without a limit, too few samples for a percentile (known before the run), a
 *  warm-up that MSER-5 finds too short (known after it). A warning never changes a number. */
import type { Issue } from '../core/issue.ts';
import { formatDuration } from '../core/quantity.ts';
import type { Scenario } from '../scenario/spec.ts';
import { isPublishing, resolveRole } from '../scenario/resolve-role.ts';
import { mser5 } from '../stats/mser.ts';
import { predictPhases, predictRequests } from './predict.ts';
import { list } from './phrases.ts';
import { type RetryThreshold, retryThresholds } from './retry-thresholds.ts';
import type { Comparison, VariantResult } from './types.ts';

/** A percentile wants this many requests beyond it per seed, or its per-seed value is mostly luck and biased low. */
const TAIL_SAMPLES = 200;
const tails = { p99: 0.01, 'p99.9': 0.001, 'p99.99': 0.0001 } as const;

/** Before the run. */
export function foresee(scenario: Scenario): Issue[] {
  return [
    ...overload(scenario),
    ...vulnerable(scenario),
    ...thinTails(scenario, Math.floor(predictRequests(scenario) * measuredShare(scenario))),
  ];
}

/** After the run; includes what could have been foreseen. */
export function advise(scenario: Scenario, variants: readonly VariantResult[], comparisons: readonly Comparison[]): Issue[] {
  return [...foresee(scenario), ...shortWarmup(scenario, variants), ...undecided(comparisons)];
}

const warning = (code: string, path: Issue['path'], message: string, hint: string): Issue => ({
  severity: 'warning',
  code,
  path,
  message,
  hint,
});

const measuredShare = ({ run }: Scenario): number => 1 - run.warmupMs / run.durationMs;

function overload(scenario: Scenario): Issue[] {
  // What comes through a queue waits there.
  const isFedByQueues = (name: string): boolean => {
    const callers = scenario.edges.filter((edge) => scenario.services[edge.service].name === name && !isPublishing(edge));
    return callers.length > 0 && callers.every(({ queue }) => queue !== -1);
  };
  return (
    predictPhases(scenario)
      // Where instances come when they are needed, those there at first are not all.
      .filter((phase) => phase.utilization > 1 && !isScaled(scenario, phase.service))
      .map((phase) => {
        const service = scenario.services.find(({ name }) => name === phase.service);
        const load = Number.isFinite(phase.utilization) ? phase.utilization.toFixed(2) : 'without any instance up';
        const when = `from ${formatDuration(phase.fromMs)} to ${formatDuration(phase.toMs)}`;
        return warning(
          'overload',
          ['services', phase.service],
          `${phase.service}: offered load ${load} ${when} is more than it can do`,
          isFedByQueues(phase.service)
            ? 'messages will pile up in front of it'
            : service?.queueLimit === Infinity
              ? 'its queue is unlimited and grows without bound: there is no steady state'
              : 'requests will be refused or time out, whatever the policy',
        );
      })
  );
}

/** Whether an autoscaler looks after the service in some variant. */
function isScaled({ services, variants }: Scenario, name: string): boolean {
  const service = services.find((each) => each.name === name);
  return (
    service !== undefined &&
    variants.some(({ policies }) => resolveRole('autoscaler', [service.policies, policies]) !== undefined)
  );
}

/** Healthy, and yet a short trigger could take it down for good. */
function vulnerable(scenario: Scenario): Issue[] {
  const byService = new Map<string, RetryThreshold[]>();
  for (const threshold of retryThresholds(scenario)) {
    if (threshold.state === 'vulnerable')
      byService.set(threshold.service, [...(byService.get(threshold.service) ?? []), threshold]);
  }
  return [...byService].map(([service, thresholds]) => {
    const lowest = thresholds.reduce((least, each) => (each.stableBelow < least.stableBelow ? each : least));
    const variants = scenario.variants.length === 1 ? '' : ` in ${list(thresholds.map(({ variant }) => variant))}`;
    const [load, capacity, stable] = [lowest.load, lowest.capacity, lowest.stableBelow].map(
      (rate) => `${Number(rate.toPrecision(3))}/s`,
    );
    return warning(
      'vulnerable',
      ['services', service],
      `${service}: retries after timeouts can keep it down once a trigger has overloaded it${variants}: stable below ${stable}, load ${load}, capacity ${capacity}`,
      'a retry budget, fewer retries or dropping expired requests would raise that limit',
    );
  });
}

function thinTails(scenario: Scenario, requests: number): Issue[] {
  const wanted = new Set(['p99.9', ...scenario.expect.map(({ metric }) => metric.split('.').slice(1).join('.'))]);
  return Object.entries(tails)
    .filter(([stat, share]) => wanted.has(stat) && requests * share < TAIL_SAMPLES)
    .map(([stat, share]) =>
      warning(
        'thin-tail',
        ['run', 'duration'],
        `${stat} rests on about ${Math.floor(requests * share)} requests per seed beyond it; below ${TAIL_SAMPLES} it is mostly luck`,
        `simulate about ${Math.ceil(TAIL_SAMPLES / Math.max(1, requests * share))} times longer, or read a lower percentile`,
      ),
    );
}

/** Only a run without a plan of its own (no faults, no profile) has a steady state that warm-up could miss. */
function shortWarmup(scenario: Scenario, variants: readonly VariantResult[]): Issue[] {
  const isStationary =
    scenario.faults.length === 0 &&
    scenario.traffic.every(({ profile }) => profile.factors.every((factor) => factor === profile.factors[0]));
  if (!isStationary) return [];
  const { windowMs, warmupMs } = scenario.run;
  return variants.flatMap((variant) => {
    const series = variant.series.columns.inFlight.median.filter((value) => !Number.isNaN(value));
    const { truncateObservations, inSecondHalf } = mser5(series);
    // Whole seconds where that is no loss: a window may be a third of one.
    const suggestedMs = roundUp(truncateObservations * windowMs);
    if (suggestedMs <= warmupMs || !isBias(series, Math.floor(warmupMs / windowMs), truncateObservations)) return [];
    return [
      inSecondHalf
        ? warning(
            'not-stationary',
            ['run', 'duration'],
            `${variant.label}: the number of requests in the system is still drifting at the end`,
            'simulate longer; if load is above capacity there is no steady state to reach',
          )
        : warning(
            'warmup-too-short',
            ['run', 'warmup'],
            `${variant.label}: MSER-5 would leave out the first ${formatDuration(suggestedMs)}, warm-up is ${formatDuration(warmupMs)}`,
            `write warmup: ${formatDuration(suggestedMs)} or more`,
          ),
    ];
  });
}

const roundUp = (ms: number): number => (ms >= 10_000 ? Math.ceil(ms / 1000) * 1000 : Math.ceil(ms));

/** MSER-5 also cuts at chance highs and lows. It is a bias only if what warm-up let through differs from the rest by more than noise. */
function isBias(series: readonly number[], from: number, to: number): boolean {
  const early = series.slice(from, to);
  const late = series.slice(to);
  if (early.length === 0 || late.length < 10) return early.length > 0;
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const lateMean = mean(late);
  const spread = Math.sqrt(mean(late.map((value) => (value - lateMean) * (value - lateMean))));
  const difference = Math.abs(mean(early) - lateMean);
  // Neighbouring windows are correlated, so the early ones together are allowed the scatter of a single late one, twice.
  return difference > 0.05 * Math.abs(lateMean) && difference > 2 * spread;
}

function undecided(comparisons: readonly Comparison[]): Issue[] {
  const open = comparisons.filter(({ verdict }) => verdict === 'inconclusive');
  if (open.length === 0) return [];
  const needed = Math.max(0, ...open.flatMap(({ seedsNeeded }) => (seedsNeeded === null ? [] : [seedsNeeded])));
  const share = `${Math.round((100 * open.length) / comparisons.length)}%`;
  return [
    warning(
      'inconclusive',
      ['run', 'seeds'],
      `${open.length} of ${comparisons.length} comparisons (${share}) cannot be decided with these seeds`,
      needed > 0
        ? `about ${needed} seeds would decide the hardest of them; --until-ci adds seeds until p99 is known well enough`
        : 'simulate longer',
    ),
  ];
}
