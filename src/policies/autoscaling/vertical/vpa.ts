/** Kubernetes' Vertical Pod Autoscaler, its recommender: percentiles of what was used, from a histogram that forgets.
 *
 *  Use it for services whose need per replica is not known, or drifts. It fails where usage depends on the reservation itself (heaps that
 *  grow to what they are given), on weekly peaks (half of the weight is younger than a day), and together with horizontal scaling on the
 *  same resource: each undoes what the other did.
 *
 *  Processor time counts with every sample, weighted by what was reserved, so that a larger reservation makes the past fade. Memory counts
 *  with each replica's peak of a day, and a replica that died for want of it with more than it had. The target is the 90th percentile and
 *  a margin. The bounds are the 50th and the 95th, widened while little is known: with N days of samples, one a minute, the upper
 *  one by 1 + 1/N, the lower one by (1 + 0.001/N)^−2. */
import { pow } from '../../../core/math.ts';
import { duration, fraction, number, type ParamValues } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { DecayingHistogram } from './decaying-histogram.ts';
import {
  defineVertical,
  type Recommendation,
  type ResourceRange,
  type UsageSample,
  type VerticalRecommender,
} from './vertical-recommender.ts';

const params = {
  targetPercentile: fraction({
    default: 0.9,
    about: 'Share of usage that the target covers.',
    official: 'VPA target-cpu-percentile, target-memory-percentile',
  }),
  lowerPercentile: fraction({
    default: 0.5,
    about: 'The same for the lower bound.',
    official: 'VPA recommendation-lower-bound-cpu-percentile',
  }),
  upperPercentile: fraction({
    default: 0.95,
    about: 'The same for the upper bound.',
    official: 'VPA recommendation-upper-bound-cpu-percentile',
  }),
  safetyMargin: number({
    default: 0.15,
    min: 0,
    about: 'Share of usage that is added to target and bounds.',
    official: 'VPA recommendation-margin-fraction',
  }),
  minCpu: number({
    default: 0.025,
    min: 0,
    about: 'No recommendation is below; in cores.',
    official: 'VPA pod-recommendation-min-cpu-millicores',
  }),
  minMemory: number({
    default: 262_144_000,
    min: 0,
    about: 'No recommendation is below; in bytes.',
    official: 'VPA pod-recommendation-min-memory-mb',
  }),
  cpuHalfLife: duration({
    default: 86_400_000,
    min: 1,
    about: 'Time after which a sample of processor time counts half.',
    official: 'VPA cpu-histogram-decay-half-life',
  }),
  memoryHalfLife: duration({
    default: 86_400_000,
    min: 1,
    about: 'Time after which a peak of memory counts half.',
    official: 'VPA memory-histogram-decay-half-life',
  }),
  memoryInterval: duration({
    default: 86_400_000,
    min: 1,
    about: 'Every replica counts with one peak in this time.',
    official: 'VPA memory-aggregation-interval',
  }),
  oomBumpUpRatio: number({
    default: 1.2,
    min: 1,
    about: 'A replica that ran out of memory is taken to need this many times what it had.',
    official: 'VPA oom-bump-up-ratio',
  }),
  oomMinBumpUp: number({
    default: 104_857_600,
    min: 0,
    about: 'And at least so many bytes more.',
    official: 'VPA oom-min-bump-up-bytes',
  }),
} as const;

export const vpa = defineVertical({
  name: 'vpa',
  summary: 'Reserves the 90th percentile of recent usage and a margin.',
  useWhen: 'Nobody knows what a replica needs, or it drifts over days.',
  failsWhen: 'Usage follows the reservation, peaks come once a week, or the count scales on the same resource.',
  cost: 'O(1) per sample, O(buckets) per recommendation',
  sources: [
    'kubernetes/autoscaler: vertical-pod-autoscaler/pkg/recommender/logic/{recommender,estimator}.go',
    'kubernetes/autoscaler: vertical-pod-autoscaler/pkg/recommender/model/{aggregations_config,aggregate_container_state,container}.go',
  ],
  aliases: [{ system: 'Kubernetes', name: 'VerticalPodAutoscaler' }],
  params,
  create: (values) => new Vpa(values),
});

class Vpa implements VerticalRecommender {
  readonly #params: ParamValues<typeof params>;
  readonly #cpu: DecayingHistogram;
  readonly #memory: DecayingHistogram;
  readonly #replicas = new Map<number, ReplicaUsage>();
  #firstMs: Ms = Infinity;
  #lastMs: Ms = -Infinity;
  #samples = 0;

  constructor(values: ParamValues<typeof params>) {
    this.#params = values;
    this.#cpu = new DecayingHistogram({ ...buckets, maxValue: 1000, firstBucketSize: 0.01, halfLifeMs: values.cpuHalfLife });
    this.#memory = new DecayingHistogram({ ...buckets, maxValue: 1e12, firstBucketSize: 1e7, halfLifeMs: values.memoryHalfLife });
  }

  observe({ replica, startMs, cpu, cpuRequest, memory }: UsageSample): void {
    const usage = this.#usageOf(replica);
    if (cpu !== undefined && cpu >= 0 && startMs > usage.lastCpuMs) {
      usage.lastCpuMs = startMs;
      this.#cpu.add(cpu, Math.max(cpuRequest ?? 0, MIN_SAMPLE_WEIGHT), startMs);
      this.#firstMs = Math.min(this.#firstMs, startMs);
      this.#lastMs = Math.max(this.#lastMs, startMs);
      this.#samples++;
    }
    if (memory !== undefined && memory >= 0 && startMs >= usage.lastMemoryMs) {
      const isPeak = this.#addPeak(usage, memory, startMs);
      if (isPeak) usage.measuredPeak = memory;
    }
  }

  onOutOfMemory(replica: number, memoryRequest: number, nowMs: Ms): void {
    const usage = this.#usageOf(replica);
    // Too old to belong to the running interval.
    if (nowMs < usage.intervalEndMs - this.#params.memoryInterval) return;
    const used = Math.max(memoryRequest, usage.measuredPeak);
    this.#addPeak(usage, Math.max(used + this.#params.oomMinBumpUp, used * this.#params.oomBumpUpRatio), nowMs);
  }

  onGone(replica: number): void {
    this.#replicas.delete(replica);
  }

  recommend(): Recommendation | undefined {
    if (this.#samples === 0) return undefined;
    const { minCpu, minMemory } = this.#params;
    return { cpu: this.#range(this.#cpu, minCpu), memory: this.#range(this.#memory, minMemory) };
  }

  #usageOf(replica: number): ReplicaUsage {
    const known = this.#replicas.get(replica);
    if (known !== undefined) return known;
    const usage: ReplicaUsage = {
      lastCpuMs: -Infinity,
      lastMemoryMs: -Infinity,
      intervalEndMs: -Infinity,
      peak: 0,
      measuredPeak: 0,
    };
    this.#replicas.set(replica, usage);
    return usage;
  }

  /** Whether this is the highest of its interval so far; then it replaces what was. */
  #addPeak(usage: ReplicaUsage, memory: number, atMs: Ms): boolean {
    const { memoryInterval } = this.#params;
    usage.lastMemoryMs = atMs;
    if (atMs < usage.intervalEndMs) {
      if (memory <= usage.peak) return false;
      this.#memory.subtract(usage.peak, 1, usage.intervalEndMs);
    } else {
      const startMs = usage.intervalEndMs === -Infinity ? atMs : usage.intervalEndMs;
      usage.intervalEndMs = startMs + (Math.floor((atMs - startMs) / memoryInterval) + 1) * memoryInterval;
      usage.measuredPeak = 0;
    }
    usage.peak = memory;
    // A peak stands at the end of its interval, so that it weighs the same whenever it came.
    this.#memory.add(memory, 1, usage.intervalEndMs);
    return true;
  }

  #range(histogram: DecayingHistogram, atLeast: number): ResourceRange {
    const { lowerPercentile, targetPercentile, upperPercentile, safetyMargin } = this.#params;
    const confidence = Math.min((this.#lastMs - this.#firstMs) / DAY, this.#samples / SAMPLES_A_DAY);
    const estimate = (percentile: number): number => histogram.percentile(percentile) * (1 + safetyMargin);
    return {
      lower: Math.max(atLeast, estimate(lowerPercentile) * pow(1 + 0.001 / confidence, -2)),
      target: Math.max(atLeast, estimate(targetPercentile)),
      // Nothing times infinity.
      upper: confidence === 0 ? Infinity : Math.max(atLeast, estimate(upperPercentile) * (1 + 1 / confidence)),
    };
  }
}

interface ReplicaUsage {
  lastCpuMs: Ms;
  lastMemoryMs: Ms;
  /** -Infinity before the first measurement. */
  intervalEndMs: Ms;
  /** The highest of the running interval, and the highest that was measured and not concluded from a lack of memory. */
  peak: number;
  measuredPeak: number;
}

const buckets = { ratio: 1.05, epsilon: 0.0001 } as const;
const MIN_SAMPLE_WEIGHT = 0.1;
const DAY: Ms = 86_400_000;
/** One a minute. */
const SAMPLES_A_DAY = 1440;
