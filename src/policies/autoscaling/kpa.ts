/** Knative's pod autoscaler: replicas for the concurrency, or the rate, of a minute; in panic for that of the last seconds, and then
 *  only up. Scales to zero and keeps requests that find nobody.
 *
 *  Use it for request-driven services whose load comes in bursts or stops altogether, and whose replicas start fast. It fails where a
 *  request's cost does not show in concurrency, and where starting takes long: from zero the first requests wait for all of it. Panic
 *  is entered quickly and left only after a whole stable window, so that one burst costs a minute of its size.
 *
 *  desired = ceil(average / target), between half and a thousand times what is ready; panic begins when the short window asks for
 *  `panicThresholdPercentage` of what is ready. Knative gathers averages from every replica each second; here the host's figure
 *  for the whole service takes their place. What the activator does besides keeping requests, and how many of it there are, is the host's. */
import { InputError } from '../../core/errors.ts';
import { boolean, choice, duration, fraction, int, number, type ParamValues } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import {
  type Autoscaler,
  type AutoscalerDeps,
  defineAutoscaler,
  type ScaleDecision,
  type ScaleObservation,
} from './autoscaler.ts';
import { KpaScaler, type ScalerSpec, TICK_MS } from './kpa/scaler.ts';
import { TimeBuckets } from './kpa/time-buckets.ts';
import { ZeroGate } from './kpa/zero-gate.ts';

const params = {
  min: int({ default: 0, min: 0, about: 'Fewest replicas.', official: 'Knative min-scale' }),
  max: int({
    default: 1000,
    min: 1,
    about: 'Most replicas; Knative has no limit unless one is set.',
    official: 'Knative max-scale',
  }),
  initialScale: int({
    default: 1,
    min: 0,
    about: 'Until so many have been ready once, there are no fewer.',
    official: 'Knative initial-scale',
  }),
  activationScale: int({
    default: 1,
    min: 1,
    about: 'When there is anything to do, no fewer than this.',
    official: 'Knative activation-scale',
  }),
  metric: choice({
    default: 'concurrency',
    choices: ['concurrency', 'rps'],
    about: 'What is averaged: requests present, or requests per second.',
    official: 'Knative autoscaling.knative.dev/metric',
  }),
  target: number({
    default: 0,
    min: 0,
    about: 'What a replica can take of the metric; 0 for the default of the metric, or containerConcurrency.',
    official: 'Knative autoscaling.knative.dev/target',
  }),
  containerConcurrency: int({
    default: 0,
    min: 0,
    max: 1000,
    about: 'Requests that a replica takes at once; the target for concurrency is never above it; 0 for no limit.',
    official: 'Knative containerConcurrency',
  }),
  containerConcurrencyTargetPercentage: fraction({
    default: 0.7,
    about: 'Share of the target that is aimed for; of rates as well.',
    official: 'Knative container-concurrency-target-percentage',
  }),
  containerConcurrencyTargetDefault: number({
    default: 100,
    min: 0.01,
    about: 'Target for concurrency where none is given.',
    official: 'Knative container-concurrency-target-default',
  }),
  requestsPerSecondTargetDefault: number({
    default: 200,
    min: 0.01,
    about: 'Target for rates where none is given.',
    official: 'Knative requests-per-second-target-default',
  }),
  targetBurstCapacity: number({
    default: 211,
    min: -1,
    about: 'Burst to keep capacity for; below it the activator stays in the way, as always with -1 and only at zero with 0.',
    official: 'Knative target-burst-capacity',
  }),
  stableWindow: duration({
    default: 60_000,
    min: 6000,
    max: 3_600_000,
    about: 'The long window; also how long panic lasts at least.',
    official: 'Knative stable-window',
  }),
  panicWindowPercentage: fraction({
    default: 0.1,
    min: 0.01,
    about: 'The short window, as a share of the long one.',
    official: 'Knative panic-window-percentage',
  }),
  panicThresholdPercentage: fraction({
    default: 2,
    min: 1.1,
    max: 10,
    about: 'Panic begins when the short window asks for this share of the ready replicas.',
    official: 'Knative panic-threshold-percentage',
  }),
  maxScaleUpRate: number({
    default: 1000,
    min: 1,
    exclusiveMin: true,
    about: 'Most replicas after a step up, per ready one.',
    official: 'Knative max-scale-up-rate',
  }),
  maxScaleDownRate: number({
    default: 2,
    min: 1,
    exclusiveMin: true,
    about: 'A step down leaves at least the ready ones divided by this.',
    official: 'Knative max-scale-down-rate',
  }),
  scaleDownDelay: duration({
    default: 0,
    max: 3_600_000,
    about: 'Down only as far as the highest count of this time.',
    official: 'Knative scale-down-delay',
  }),
  metricAggregationAlgorithm: choice({
    default: 'linear',
    choices: ['linear', 'weighted-exponential'],
    about: 'How the seconds of a window are averaged.',
    official: 'Knative autoscaling.knative.dev/metric-aggregation-algorithm',
  }),
  enableScaleToZero: boolean({
    default: true,
    about: 'Whether the last replica may go.',
    official: 'Knative enable-scale-to-zero',
  }),
  scaleToZeroGracePeriod: duration({
    default: 30_000,
    min: 6000,
    about: 'How long the activator must be in the way before the last replica goes.',
    official: 'Knative scale-to-zero-grace-period',
  }),
  scaleToZeroPodRetentionPeriod: duration({
    default: 0,
    about: 'How long the last replica stays at least once there is nothing to do.',
    official: 'Knative scale-to-zero-pod-retention-period',
  }),
  progressDeadline: duration({
    default: 600_000,
    min: 1000,
    about: 'How long replicas may take to become ready; 30 s after that the service is given up until there are requests again.',
    official: 'Knative progress-deadline',
  }),
};

export const kpa = defineAutoscaler({
  name: 'kpa',
  summary: 'Replicas for the concurrency of a minute, in panic for that of six seconds; to zero and back (Knative).',
  useWhen: 'Requests come in bursts or not at all, and replicas start within seconds.',
  failsWhen: 'Replicas take long to start: the first requests after a pause wait for it; or requests differ in what they cost.',
  cost: 'O(1) per second, O(window) per decision',
  sources: [
    'knative/serving: pkg/autoscaler/scaling/autoscaler.go and pkg/autoscaler/aggregation',
    'knative/serving: pkg/reconciler/autoscaling/kpa/scaler.go and config/core/configmaps/autoscaler.yaml',
  ],
  aliases: [
    { system: 'Knative', name: 'kpa.autoscaling.knative.dev' },
    { system: 'Google Cloud Run', name: 'autoscaling' },
  ],
  params,
  create: (values, deps) => new Kpa(values, deps),
});

type Values = ParamValues<typeof params>;

const SLICE_MS: Ms = 1000;
/** No target is smaller. */
const LEAST_TARGET = 0.01;
/** What the deadline is exceeded by before the service is given up. */
const ACTIVATION_BUFFER_MS: Ms = 30_000;

class Kpa implements Autoscaler {
  readonly decideEveryMs = TICK_MS;
  readonly sampleEveryMs = SLICE_MS;
  readonly holdsRequests = true;
  readonly #values: Values;
  readonly #spec: ScalerSpec;
  readonly #readyAtStart: number;
  readonly #stable: TimeBuckets;
  readonly #panic: TimeBuckets;
  readonly #gate: ZeroGate;
  #scaler: KpaScaler | undefined;
  #hasReachedInitialScale = false;

  constructor(values: Values, { readyReplicas }: AutoscalerDeps) {
    refuseContradictions(values);
    this.#values = values;
    this.#spec = specOf(values);
    this.#readyAtStart = readyReplicas;
    this.#stable = new TimeBuckets(values.stableWindow, SLICE_MS);
    this.#panic = new TimeBuckets(panicWindowMs(values), SLICE_MS);
    this.#gate = new ZeroGate({
      isEnabled: values.enableScaleToZero,
      stableWindowMs: values.stableWindow,
      gracePeriodMs: values.scaleToZeroGracePeriod,
      podRetentionPeriodMs: values.scaleToZeroPodRetentionPeriod,
      activationTimeoutMs: values.progressDeadline + ACTIVATION_BUFFER_MS,
    });
  }

  sample(observation: ScaleObservation): void {
    const sample = observation.metric(this.#values.metric === 'rps' ? 'requests-per-second' : 'concurrency');
    if (sample === undefined) return;
    this.#stable.record(sample.value, observation.nowMs);
    this.#panic.record(sample.value, observation.nowMs);
  }

  decide({ nowMs, readyReplicas }: ScaleObservation): ScaleDecision {
    const { min, max, initialScale } = this.#values;
    this.#scaler ??= new KpaScaler(this.#spec, this.#readyAtStart, nowMs);
    // In the very second in which the last value leaves the window Knative takes the silence for idleness; here it is silence already.
    if (this.#stable.isEmpty(nowMs + SLICE_MS)) return { replicas: undefined, reason: 'NoData' };
    const averageOf = (buckets: TimeBuckets): number =>
      this.#values.metricAggregationAlgorithm === 'linear' ? buckets.average(nowMs) : buckets.weightedAverage(nowMs);
    const { desired, excessBurstCapacity } = this.#scaler.scale(
      readyReplicas,
      averageOf(this.#stable),
      averageOf(this.#panic),
      nowMs,
    );
    // A first single replica is waited for by the activation.
    this.#hasReachedInitialScale ||= initialScale <= 1 || readyReplicas >= initialScale;
    const fewest = Math.min(max, this.#hasReachedInitialScale ? min : Math.max(min, initialScale));
    const bounded = Math.min(Math.max(desired, fewest), max);
    const isReady = readyReplicas >= Math.max(1, fewest);
    const { replicas, reason } = this.#gate.pass(bounded, isReady, excessBurstCapacity, nowMs);
    const isPanicking = this.#scaler.panic.sinceMs !== undefined;
    return { replicas, reason: reason === '' ? (isPanicking ? 'Panic' : 'Stable') : reason };
  }
}

const panicWindowMs = ({ stableWindow, panicWindowPercentage }: Values): Ms => stableWindow * panicWindowPercentage;

function specOf(values: Values): ScalerSpec {
  const { metric, target, containerConcurrency, containerConcurrencyTargetPercentage } = values;
  const limit = metric === 'concurrency' && containerConcurrency > 0 ? containerConcurrency : Infinity;
  const usual = metric === 'rps' ? values.requestsPerSecondTargetDefault : values.containerConcurrencyTargetDefault;
  const totalValue = target > 0 ? Math.min(target, limit) : limit < Infinity ? limit : usual;
  return {
    targetValue: Math.max(LEAST_TARGET, totalValue * containerConcurrencyTargetPercentage),
    totalValue,
    targetBurstCapacity: values.targetBurstCapacity,
    panicThreshold: values.panicThresholdPercentage,
    maxScaleUpRate: values.maxScaleUpRate,
    maxScaleDownRate: values.maxScaleDownRate,
    stableWindowMs: values.stableWindow,
    isReachable: true,
    activationScale: values.activationScale,
    scaleDownDelayMs: values.scaleDownDelay,
  };
}

function refuseContradictions(values: Values): void {
  const { min, max, stableWindow, scaleDownDelay } = values;
  const complain = (problem: string): never => {
    throw InputError.of('bad-kpa', `kpa: ${problem}`);
  };
  if (min > max) complain(`min is ${min} and max is ${max}`);
  if (stableWindow % 1000 !== 0) complain('stableWindow is not a whole number of seconds');
  if (scaleDownDelay % 1000 !== 0) complain('scaleDownDelay is not a whole number of seconds');
  const panicMs = panicWindowMs(values);
  if (panicMs < SLICE_MS || panicMs > stableWindow)
    complain(
      `panicWindowPercentage of stableWindow is ${panicMs} ms: it must be a second at least, and no longer than stableWindow`,
    );
}
