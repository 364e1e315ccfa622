/** The quality of a failure detector, from what it said and what was true (Chen, Toueg and Aguilera, 2002): how fast it detects crashes, how
 *  often and for how long it is wrong about the living. Compare detectors only at equal message cost, and with both halves: either alone is
 *  easily made perfect.
 *
 *  Times in the same unit throughout; an hour of a detector with one mistake a month says nothing, so look at the number of mistakes before
 *  their means. */
import { exp } from '../core/math.ts';
import type { Ms } from '../core/time.ts';

/** A change of belief about one endpoint. */
export interface Belief {
  readonly atMs: Ms;
  readonly alive: boolean;
}

/** A time in which the endpoint was down; without an end it never came back. */
export interface Outage {
  readonly fromMs: Ms;
  readonly toMs?: Ms;
}

/** One endpoint as one detector saw it. Both lists in order of time; repeated beliefs count once. */
export interface DetectorHistory {
  readonly startMs: Ms;
  readonly endMs: Ms;
  readonly believedAtStart?: boolean;
  readonly beliefs: readonly Belief[];
  readonly outages: readonly Outage[];
}

/** Means are NaN where there is nothing to average. */
export interface DetectorQos {
  /** T_D for each outage: from the crash to the suspicion that lasted until the end of the outage, 0 if it began before the crash, Infinity
   *  if there was none. */
  readonly detectionTimesMs: readonly Ms[];
  /** Over the outages that were detected. */
  readonly meanDetectionTimeMs: Ms;
  readonly undetected: number;
  /** From the end of each outage to the first belief in the endpoint after it; Infinity if there was none before its next outage. */
  readonly recoveryTimesMs: readonly Ms[];
  /** Times at which a living endpoint came under suspicion. */
  readonly mistakes: number;
  /** λ_M: mistakes per time alive. */
  readonly mistakeRatePerMs: number;
  /** T_M of the mistakes that were corrected while the endpoint lived. */
  readonly mistakeDurationsMs: readonly Ms[];
  readonly meanMistakeDurationMs: Ms;
  /** T_MR: from one mistake to the next in the same life. */
  readonly mistakeRecurrencesMs: readonly Ms[];
  readonly meanMistakeRecurrenceMs: Ms;
  /** T_G: from the correction of a mistake to the next one in the same life. */
  readonly goodPeriodsMs: readonly Ms[];
  readonly meanGoodPeriodMs: Ms;
  /** E(T_FG): how long trust in a trusted endpoint still lasts, seen from a random moment. */
  readonly forwardGoodPeriodMs: Ms;
  /** P_A: share of the time alive in which the endpoint was trusted. */
  readonly queryAccuracyProbability: number;
}

export function detectorQos(history: DetectorHistory): DetectorQos {
  const found = { detection: [] as Ms[], recovery: [] as Ms[], durations: [] as Ms[], recurrences: [] as Ms[], good: [] as Ms[] };
  let mistakes = 0;
  let aliveMs = 0;
  let trustedMs = 0;
  const beliefs = new BeliefLine(history);
  for (const life of livesOf(history)) {
    aliveMs += life.toMs - life.fromMs;
    const isReturn = life.fromMs > history.startMs;
    let trustedSinceMs = beliefs.at(life.fromMs) ? life.fromMs : NaN;
    if (isReturn && !Number.isNaN(trustedSinceMs)) found.recovery.push(0);
    let isRecovered = !isReturn || !Number.isNaN(trustedSinceMs);
    let mistakeMs = NaN;
    let correctedMs = NaN;
    for (const { atMs, alive } of beliefs.within(life.fromMs, life.toMs)) {
      if (alive) {
        trustedSinceMs = atMs;
        if (!isRecovered) found.recovery.push(atMs - life.fromMs);
        isRecovered = true;
        if (!Number.isNaN(mistakeMs)) {
          found.durations.push(atMs - mistakeMs);
          correctedMs = atMs;
        }
      } else {
        trustedMs += atMs - trustedSinceMs;
        trustedSinceMs = NaN;
        mistakes++;
        if (!Number.isNaN(mistakeMs)) found.recurrences.push(atMs - mistakeMs);
        if (!Number.isNaN(correctedMs)) found.good.push(atMs - correctedMs);
        mistakeMs = atMs;
      }
    }
    if (!Number.isNaN(trustedSinceMs)) trustedMs += life.toMs - trustedSinceMs;
    if (!isRecovered) found.recovery.push(Infinity);
  }
  for (const { fromMs, toMs } of history.outages) found.detection.push(beliefs.detectionMs(fromMs, toMs ?? history.endMs));
  const detected = found.detection.filter((ms) => ms < Infinity);
  return {
    detectionTimesMs: found.detection,
    meanDetectionTimeMs: meanOf(detected),
    undetected: found.detection.length - detected.length,
    recoveryTimesMs: found.recovery,
    mistakes,
    mistakeRatePerMs: mistakes / aliveMs,
    mistakeDurationsMs: found.durations,
    meanMistakeDurationMs: meanOf(found.durations),
    mistakeRecurrencesMs: found.recurrences,
    meanMistakeRecurrenceMs: meanOf(found.recurrences),
    goodPeriodsMs: found.good,
    meanGoodPeriodMs: meanOf(found.good),
    forwardGoodPeriodMs: forwardGoodPeriodMs(found.good),
    queryAccuracyProbability: trustedMs / aliveMs,
  };
}

/** What a detector's two means of mistakes say about it in the long run (theorem 1): P_A = 1 − E(T_M) / E(T_MR), E(T_G) = E(T_MR) − E(T_M),
 *  λ_M = 1 / E(T_MR). */
export function qosRelations(meanMistakeRecurrenceMs: Ms, meanMistakeDurationMs: Ms): LongRunQos {
  return {
    mistakeRatePerMs: 1 / meanMistakeRecurrenceMs,
    queryAccuracyProbability: 1 - meanMistakeDurationMs / meanMistakeRecurrenceMs,
    meanGoodPeriodMs: meanMistakeRecurrenceMs - meanMistakeDurationMs,
  };
}

export interface LongRunQos {
  readonly mistakeRatePerMs: number;
  readonly queryAccuracyProbability: number;
  readonly meanGoodPeriodMs: Ms;
}

/** E(T_FG) = E(T_G²) / (2 E(T_G)): a random moment falls into long good periods more often than into short ones. NaN without any. */
export function forwardGoodPeriodMs(goodPeriodsMs: readonly Ms[]): Ms {
  let sum = 0;
  let squares = 0;
  for (const ms of goodPeriodsMs) {
    sum += ms;
    squares += ms * ms;
  }
  return squares / (2 * sum);
}

/** A detector with synchronised clocks (NFD-S): heartbeat i leaves at i·η and must have arrived by i·η + δ. */
export interface NfdsSpec {
  readonly etaMs: Ms;
  readonly deltaMs: Ms;
  readonly lossProbability: number;
  /** P(delay > t) of a heartbeat that is not lost. */
  readonly delayExceeds: (ms: Ms) => number;
}

export interface NfdsQos {
  /** Heartbeats that can save a freshness point beside its own. */
  readonly k: number;
  /** Probability that a freshness point begins a mistake. */
  readonly pS: number;
  readonly meanMistakeRecurrenceMs: Ms;
  readonly meanMistakeDurationMs: Ms;
  readonly queryAccuracyProbability: number;
  /** T_D is at most this. */
  readonly maxDetectionTimeMs: Ms;
}

/** The quality of NFD-S in closed form (theorem 5). With k = ⌈δ/η⌉ and p_j(x) = p_L + (1 − p_L) P(D > δ + x − jη), the probability that the
 *  endpoint is suspected x after a freshness point is u(x) = ∏ p_j(x) over j = 0 … k; a mistake begins there with p_S = q₀ · u(0), where
 *  q₀ = (1 − p_L) P(D < δ + η). Then E(T_MR) = η / p_S, E(T_M) = ∫u / p_S, P_A = 1 − ∫u / η, the integral over one period.
 *
 *  NFD-E with margin α comes close to it with δ = mean delay + α once its window holds some thirty heartbeats. */
export function nfdsQos({ etaMs, deltaMs, lossProbability, delayExceeds }: NfdsSpec): NfdsQos {
  const k = Math.ceil(deltaMs / etaMs);
  const isMissing = (afterMs: Ms): number => lossProbability + (1 - lossProbability) * (afterMs < 0 ? 1 : delayExceeds(afterMs));
  const suspected = (x: Ms): number => {
    let product = 1;
    for (let j = 0; j <= k; j++) product *= isMissing(deltaMs + x - j * etaMs);
    return product;
  };
  const pS = (1 - lossProbability) * (1 - delayExceeds(deltaMs + etaMs)) * suspected(0);
  // Before this moment the last of the heartbeats has not even been sent: u has a kink there.
  const kinkMs = Math.min(etaMs, k * etaMs - deltaMs);
  const suspectedMs = integral(suspected, 0, kinkMs) + integral(suspected, kinkMs, etaMs);
  return {
    k,
    pS,
    meanMistakeRecurrenceMs: etaMs / pS,
    meanMistakeDurationMs: suspectedMs / pS,
    queryAccuracyProbability: 1 - suspectedMs / etaMs,
    maxDetectionTimeMs: deltaMs + etaMs,
  };
}

/** `delayExceeds` of exponential delays. */
export const exponentialDelay =
  (meanMs: Ms) =>
  (ms: Ms): number =>
    ms <= 0 ? 1 : exp(-ms / meanMs);

interface Life {
  readonly fromMs: Ms;
  readonly toMs: Ms;
}

/** The times between outages. */
function livesOf({ startMs, endMs, outages }: DetectorHistory): Life[] {
  const lives: Life[] = [];
  let fromMs = startMs;
  for (const outage of outages) {
    if (outage.fromMs > fromMs) lives.push({ fromMs, toMs: outage.fromMs });
    fromMs = outage.toMs ?? endMs;
  }
  if (endMs > fromMs) lives.push({ fromMs, toMs: endMs });
  return lives;
}

/** The detector's output over time. */
class BeliefLine {
  readonly #atStart: boolean;
  /** True changes only. */
  readonly #changes: readonly Belief[];

  constructor({ startMs, endMs, believedAtStart = true, beliefs }: DetectorHistory) {
    let believed = believedAtStart;
    const changes: Belief[] = [];
    for (const belief of beliefs) {
      if (belief.alive === believed || belief.atMs > endMs) continue;
      believed = belief.alive;
      changes.push(belief);
    }
    const first = changes.findIndex(({ atMs }) => atMs >= startMs);
    const before = first === -1 ? changes.at(-1) : changes[first - 1];
    this.#atStart = before?.alive ?? believedAtStart;
    this.#changes = first === -1 ? [] : changes.slice(first);
  }

  /** What is believed just before a time. */
  at(ms: Ms): boolean {
    return this.#changes.findLast(({ atMs }) => atMs < ms)?.alive ?? this.#atStart;
  }

  /** Changes from a time on and before another. */
  within(fromMs: Ms, toMs: Ms): readonly Belief[] {
    return this.#changes.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  }

  detectionMs(crashMs: Ms, untilMs: Ms): Ms {
    const last = this.#changes.findLast(({ atMs }) => atMs <= untilMs);
    if (last?.alive ?? this.#atStart) return Infinity;
    return Math.max(0, (last?.atMs ?? crashMs) - crashMs);
  }
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Adaptive Simpson quadrature, to about 1e-12 of the largest possible result for a probability. */
function integral(f: (x: number) => number, from: number, to: number): number {
  if (!(to > from)) return 0;
  const refine = (a: number, fa: number, m: number, fm: number, b: number, fb: number, whole: number, depth: number): number => {
    const leftMiddle = (a + m) / 2;
    const rightMiddle = (m + b) / 2;
    const fl = f(leftMiddle);
    const fr = f(rightMiddle);
    const left = ((m - a) / 6) * (fa + 4 * fl + fm);
    const right = ((b - m) / 6) * (fm + 4 * fr + fb);
    const error = left + right - whole;
    if (depth === 0 || Math.abs(error) <= 15e-12 * Math.abs(left + right)) return left + right + error / 15;
    return refine(a, fa, leftMiddle, fl, m, fm, left, depth - 1) + refine(m, fm, rightMiddle, fr, b, fb, right, depth - 1);
  };
  const middle = (from + to) / 2;
  const [fa, fm, fb] = [f(from), f(middle), f(to)];
  return refine(from, fa, middle, fm, to, fb, ((to - from) / 6) * (fa + 4 * fm + fb), 40);
}
