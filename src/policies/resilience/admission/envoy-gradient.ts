/** Envoy's gradient controller: compares a percentile of each window's times with one measured while hardly anything was let in.
 *
 *  gradient = clamp(minRTT · (1 + buffer) / sampleRTT, 0.5, 2); limit = ⌊L + √L⌋ with L = limit · gradient.
 *
 *  Use it in front of a service that gets many requests per window, where its explicit measurement keeps the baseline honest: unlike the
 *  baselines of Vegas and Gradient2 it does not drift under lasting overload. It fails at low rates, because a measurement
 *  takes `requestCount` requests at `minConcurrency`, refusing the rest meanwhile, at every `interval`, on all instances at about the same
 *  time but for the jitter; and where the percentile hides the slow requests that matter.
 *
 *  It starts by measuring. After five windows in a row that end at minConcurrency it measures anew, for then minRTT is likely to be wrong;
 *  the first of the five counts here, as Envoy's comment has it, while its code counts from the second. Requests that started before
 *  the measurement are no samples. The percentile is exact, where Envoy's comes from a histogram of two digits. Needs no timers: windows
 *  end when the next request comes or goes, as of the time they were due. */
import { InputError } from '../../../core/errors.ts';
import { duration, fraction, int, type ParamValues } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { type Admission, type AdmissionRequest, type AdmissionResult, admissionResults, defineAdmission } from './admission.ts';
import { SampleBuffer } from './parts/sample-buffer.ts';

export const envoyGradientParams = {
  sampleAggregatePercentile: fraction({ default: 0.5, min: 0, max: 1, about: 'The percentile that stands for a window.' }),
  concurrencyUpdateInterval: duration({
    default: 100,
    min: 1,
    about: 'Length of a window.',
    official: 'Envoy concurrency_update_interval, required there; 0.1 s in its documentation',
  }),
  maxConcurrencyLimit: int({ default: 1000, min: 1, about: 'The greatest limit.' }),
  interval: duration({
    default: 60_000,
    min: 1,
    about: 'From the end of one measurement of minRTT to the start of the next.',
    official: 'Envoy min_rtt_calc_params.interval, 60 s in its documentation',
  }),
  requestCount: int({ default: 50, min: 1, about: 'Samples in a measurement of minRTT.' }),
  jitter: fraction({ default: 0.15, min: 0, max: 1, about: 'The interval is longer by up to this share of it, at random.' }),
  minConcurrency: int({ default: 3, min: 1, about: 'The least limit, and the limit while minRTT is measured.' }),
  buffer: fraction({
    default: 0.25,
    min: 0,
    max: 1,
    about: 'By how much times may exceed minRTT before that counts as queueing.',
  }),
};
export type EnvoyGradientRules = ParamValues<typeof envoyGradientParams>;

export const envoyGradient = defineAdmission({
  name: 'envoy-gradient',
  summary: 'Limits requests in flight by a time measured at low concurrency over the present time (Envoy).',
  useWhen: 'An instance gets hundreds of requests per second and its limit shall not drift under lasting overload.',
  failsWhen: 'Requests are few or slow: each measurement of minRTT refuses nearly everything until it is done.',
  cost: 'O(1); the window’s samples are sorted when it ends',
  sources: [
    'envoyproxy/envoy: source/extensions/filters/http/adaptive_concurrency/controller/gradient_controller.cc',
    'envoyproxy/envoy: api/envoy/extensions/filters/http/adaptive_concurrency/v3/adaptive_concurrency.proto',
  ],
  aliases: [
    { system: 'Envoy', name: 'adaptive_concurrency' },
    { system: 'Envoy', name: 'gradient_controller' },
  ],
  params: envoyGradientParams,
  create: (params, deps) => {
    const { minConcurrency, maxConcurrencyLimit } = params;
    if (minConcurrency > maxConcurrencyLimit) {
      throw InputError.of(
        'limit-bounds',
        `minConcurrency: ${minConcurrency} is above maxConcurrencyLimit, which is ${maxConcurrencyLimit}`,
      );
    }
    return new EnvoyGradient(params, deps.rng);
  },
});

/** How the limit is scaled, before the room for bursts is added. */
export const envoyGradientOf = (minRttMs: Ms, sampleRttMs: Ms, buffer: number): number =>
  Math.max(0.5, Math.min(2, (minRttMs + minRttMs * buffer) / sampleRttMs));

/** The limit after a window. */
export function envoyLimit(limit: number, minRttMs: Ms, sampleRttMs: Ms, rules: EnvoyLimitRules): number {
  const scaled = limit * envoyGradientOf(minRttMs, sampleRttMs, rules.buffer);
  const next = Math.trunc(scaled + Math.sqrt(scaled));
  return Math.max(rules.minConcurrency, Math.min(rules.maxConcurrencyLimit, next));
}
export type EnvoyLimitRules = Pick<EnvoyGradientRules, 'buffer' | 'minConcurrency' | 'maxConcurrencyLimit'>;

/** The time to the next measurement, in whole milliseconds of jitter. */
export function jittered(intervalMs: Ms, jitter: number, rng: Rng): Ms {
  return jitter === 0 ? intervalMs : intervalMs + rng.below(Math.ceil(intervalMs * jitter));
}

/** Counts windows that end at the least limit, to notice that it is stuck there. */
export class PinnedWindows {
  readonly #minConcurrency: number;
  #inARow = 0;

  constructor(minConcurrency: number) {
    this.#minConcurrency = minConcurrency;
  }

  /** Whether this window makes it time to measure minRTT again. */
  isStuck(limit: number): boolean {
    this.#inARow = limit === this.#minConcurrency ? this.#inARow + 1 : 0;
    return this.#inARow >= WINDOWS_UNTIL_STUCK;
  }

  reset(): void {
    this.#inARow = 0;
  }
}

class EnvoyGradient implements Admission {
  readonly #rules: EnvoyGradientRules;
  readonly #rng: Rng;
  readonly #samples = new SampleBuffer();
  readonly #pinned: PinnedWindows;
  #limit: number;
  #minRttMs = 0;
  #isMeasuring = true;
  /** What the limit will be after the measurement. */
  #deferredLimit: number;
  #epochMs = -Infinity;
  #windowEndMs = Infinity;
  #nextMeasurementMs = Infinity;

  constructor(rules: EnvoyGradientRules, rng: Rng) {
    this.#rules = rules;
    this.#rng = rng;
    this.#pinned = new PinnedWindows(rules.minConcurrency);
    this.#limit = rules.minConcurrency;
    this.#deferredLimit = rules.minConcurrency;
  }

  admit(request: AdmissionRequest): boolean {
    this.#advance(request.nowMs);
    return request.inFlight < this.#limit;
  }

  onEnd(result: AdmissionResult, rttMs: Ms, _inFlight: number, nowMs: Ms): void {
    this.#advance(nowMs);
    // As there, every answer is a sample, whatever it says; what took no time was not answered.
    if (result === admissionResults.ignored || rttMs <= 0 || nowMs - rttMs < this.#epochMs) return;
    this.#samples.add(rttMs);
    if (this.#isMeasuring && this.#samples.count >= this.#rules.requestCount) this.#finishMeasurement(nowMs);
  }

  limit(): number {
    return this.#limit;
  }

  /** What the timers would have done until now. */
  #advance(nowMs: Ms): void {
    if (this.#isMeasuring) return;
    if (this.#windowEndMs <= nowMs && this.#windowEndMs <= this.#nextMeasurementMs) this.#endWindow(nowMs);
    if (!this.#isMeasuring && this.#nextMeasurementMs <= nowMs) this.#startMeasurement(this.#nextMeasurementMs);
  }

  #endWindow(nowMs: Ms): void {
    const endedMs = this.#windowEndMs;
    const lengthMs = this.#rules.concurrencyUpdateInterval;
    // All further windows that ended meanwhile were empty, and empty windows change nothing.
    this.#windowEndMs = endedMs + lengthMs * (Math.floor((nowMs - endedMs) / lengthMs) + 1);
    if (this.#samples.count === 0) return;
    const sampleRttMs = this.#samples.takePercentile(this.#rules.sampleAggregatePercentile);
    this.#limit = envoyLimit(this.#limit, this.#minRttMs, sampleRttMs, this.#rules);
    if (this.#pinned.isStuck(this.#limit)) this.#startMeasurement(endedMs);
  }

  #startMeasurement(atMs: Ms): void {
    this.#isMeasuring = true;
    this.#deferredLimit = this.#limit;
    this.#limit = this.#rules.minConcurrency;
    this.#pinned.reset();
    this.#samples.clear();
    this.#epochMs = atMs;
  }

  #finishMeasurement(nowMs: Ms): void {
    this.#isMeasuring = false;
    this.#minRttMs = this.#samples.takePercentile(this.#rules.sampleAggregatePercentile);
    this.#limit = this.#deferredLimit;
    this.#nextMeasurementMs = nowMs + jittered(this.#rules.interval, this.#rules.jitter, this.#rng);
    this.#windowEndMs = nowMs + this.#rules.concurrencyUpdateInterval;
  }
}

const WINDOWS_UNTIL_STUCK = 5;
