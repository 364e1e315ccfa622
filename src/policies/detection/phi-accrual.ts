/** The phi accrual detector as Akka builds it: how surprising the silence is, on a logarithmic scale, given the intervals seen so far.
 *
 *  phi(t) = −log10 P(the next heartbeat is still to come after a silence of t), with intervals taken as normal. The mean is that of the
 *  history plus an acceptable pause, the deviation at least `minStdDeviation`. An endpoint is suspected once phi reaches the threshold: at
 *  8 a steady sender is wrongly suspected once in 10⁸ heartbeats, if its intervals were normal.
 *
 *  Use it where delays differ between endpoints or drift, and one timeout would not fit all. It fails where silences are not normal: pauses
 *  and lost heartbeats are far likelier than the model's tail says, so in practice the acceptable pause decides, not phi. And a sender
 *  that becomes irregular earns patience: a large deviation means late detection.
 *
 *  Particulars of Akka: the normal law by a logistic approximation; the first heartbeat puts two intervals into the history, a quarter below
 *  and above the heartbeat interval; an interval counts only if the endpoint was available when it ended; and where no heartbeat came at
 *  all, one is taken to have come `expectedResponseAfter` after watching began.
 *
 *  phi depends on the silence only through y = (t − mean) / deviation and grows with it. So the y at which it reaches the threshold is found
 *  once, and every heartbeat's deadline is mean + y · deviation: nothing polls. */
import { exp, expm1, log } from '../../core/math.ts';
import { duration, int, number, type ParamValues } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import { type BeliefSink, defineDetector, type Detector } from './detector.ts';
import { SampleWindow } from './parts/sample-window.ts';
import { Watchlist } from './parts/watchlist.ts';

const params = {
  heartbeatInterval: duration({
    default: 1000,
    min: 1,
    about: 'How often each endpoint sends a heartbeat; the history begins with a quarter less and a quarter more.',
    official: 'Akka heartbeat-interval',
  }),
  threshold: number({
    default: 8,
    min: 0,
    exclusiveMin: true,
    about: 'phi from which an endpoint is suspected; 8 in steady networks, 12 in clouds.',
    official: 'Akka threshold',
  }),
  maxSampleSize: int({
    default: 1000,
    min: 1,
    about: 'Intervals kept per endpoint, the oldest leaving first.',
    official: 'Akka max-sample-size',
  }),
  minStdDeviation: duration({
    default: 100,
    min: 0.001,
    about: 'The deviation is taken to be at least this, or the first late heartbeat after a calm would be a crash.',
    official: 'Akka min-std-deviation',
  }),
  acceptableHeartbeatPause: duration({
    default: 3000,
    min: 0,
    about: 'Added to the mean of the intervals: pauses and lost heartbeats up to this are forgiven.',
    official: 'Akka acceptable-heartbeat-pause',
  }),
  expectedResponseAfter: duration({
    default: 1000,
    min: 0,
    about: 'After this time of watching without a heartbeat, one is taken to have come.',
    official: 'Akka expected-response-after',
  }),
};
export type PhiAccrualParams = ParamValues<typeof params>;

export const phiAccrual = defineDetector({
  name: 'phi-accrual',
  summary: 'Suspects an endpoint whose silence is improbable under a normal law of its intervals (Akka).',
  useWhen: 'Delays differ between endpoints or drift, so that no single timeout fits.',
  failsWhen: 'Pauses and losses make silences far likelier than a normal law says; irregular senders are detected late.',
  cost: 'O(log n) per heartbeat',
  sources: [
    'Hayashibara, Défago, Yared, Katayama: The φ Accrual Failure Detector (2004)',
    'akka/akka: akka-remote/src/main/scala/akka/remote/PhiAccrualFailureDetector.scala',
    'akka/akka: akka-cluster/src/main/resources/reference.conf, failure-detector',
  ],
  aliases: [
    { system: 'Akka', name: 'PhiAccrualFailureDetector' },
    { system: 'Pekko', name: 'PhiAccrualFailureDetector' },
  ],
  params,
  create: (values, deps) => new PhiAccrualDetector(values, deps.sink),
});

/** phi after a silence, with the normal law approximated as 1 / (1 + e^(−y (1.5976 + 0.070566 y²))). Infinity once the tail is too small for
 *  a double, some 30 deviations late. */
export function akkaPhi(silenceMs: Ms, meanMs: Ms, stdDeviationMs: Ms): number {
  const y = (silenceMs - meanMs) / stdDeviationMs;
  const e = exp(-y * (1.5976 + 0.070566 * y * y));
  return silenceMs > meanMs ? -log10(e / (1 + e)) : 0 - log10(1 - 1 / (1 + e));
}

/** The share of silences that end before phi is reached: 1 − 10^−phi. */
export const shareBelowPhi = (phi: number): number => -expm1(-phi * Math.LN10);

/** The silence after which phi reaches the threshold. `meanMs` is that of the intervals, without the pause. */
export function akkaDetectionMs(
  meanMs: Ms,
  stdDeviationMs: Ms,
  { threshold, acceptableHeartbeatPause }: Pick<PhiAccrualParams, 'threshold' | 'acceptableHeartbeatPause'>,
): Ms {
  return meanMs + acceptableHeartbeatPause + deviationsAt(threshold) * stdDeviationMs;
}

/** The y at which phi is `threshold`: the root of 0.070566 y³ + 1.5976 y = ln(10^threshold − 1), which rises everywhere. By bisection, to
 *  the last bit: it is done once per detector, and Cardano's formula cancels where the right side is small. */
export function deviationsAt(threshold: number): number {
  const scaled = threshold * Math.LN10;
  // Where the tail underflows phi is infinite, above any threshold.
  const target = Math.min(scaled + log(-expm1(-scaled)), LARGEST_EXPONENT);
  let low = -1e6;
  let high = 1e6;
  for (;;) {
    const middle = low + (high - low) / 2;
    if (middle <= low || middle >= high) return high;
    if (middle * (1.5976 + 0.070566 * middle * middle) < target) low = middle;
    else high = middle;
  }
}

export class PhiAccrualDetector implements Detector {
  readonly heartbeatEveryMs: Ms;
  readonly #params: PhiAccrualParams;
  readonly #deviations: number;
  readonly #list: Watchlist;
  /** By slot. */
  readonly #histories: (AkkaHistory | undefined)[] = [];

  constructor(params: PhiAccrualParams, sink: BeliefSink) {
    this.heartbeatEveryMs = params.heartbeatInterval;
    this.#params = params;
    this.#deviations = deviationsAt(params.threshold);
    this.#list = new Watchlist(sink);
  }

  watch(slot: number, nowMs: Ms): void {
    // As if the heartbeat that is taken to have come had come: a true one before that time replaces it.
    const history = new AkkaHistory(this.#params, nowMs + this.#params.expectedResponseAfter);
    this.#histories[slot] = history;
    this.#list.watch(slot, this.#deadlineMs(history));
  }

  unwatch(slot: number): void {
    this.#histories[slot] = undefined;
    this.#list.unwatch(slot);
  }

  onHeartbeat(slot: number, nowMs: Ms): void {
    const history = this.#histories[slot];
    if (history === undefined) return;
    history.hear(nowMs, nowMs < this.#list.deadlineMs(slot));
    this.#list.extend(slot, this.#deadlineMs(history), nowMs);
  }

  nextTimerMs(): Ms {
    return this.#list.nextMs();
  }

  onTimer(nowMs: Ms): void {
    this.#list.suspectDue(nowMs);
  }

  /** phi, as far as reports can hold it. */
  suspicion(slot: number, nowMs: Ms): number {
    return Math.min(this.phi(slot, nowMs), MOST_PHI);
  }

  /** phi by Akka's formula; 0 where no heartbeat has come. */
  phi(slot: number, nowMs: Ms): number {
    const history = this.#histories[slot];
    if (history === undefined || nowMs < history.lastMs) return 0;
    const { acceptableHeartbeatPause } = this.#params;
    return akkaPhi(nowMs - history.lastMs, history.meanMs + acceptableHeartbeatPause, history.stdDeviationMs);
  }

  #deadlineMs({ lastMs, meanMs, stdDeviationMs }: AkkaHistory): Ms {
    return lastMs + meanMs + this.#params.acceptableHeartbeatPause + this.#deviations * stdDeviationMs;
  }
}

/** What is known of one endpoint's intervals. */
class AkkaHistory {
  /** When the last heartbeat came, or will be taken to have come. */
  lastMs = -0;
  readonly #intervals: SampleWindow;
  readonly #minStdDeviationMs: Ms;
  #isHeard = false;

  constructor({ heartbeatInterval, maxSampleSize, minStdDeviation }: PhiAccrualParams, expectedMs: Ms) {
    this.lastMs = expectedMs;
    this.#minStdDeviationMs = minStdDeviation;
    this.#intervals = new SampleWindow(maxSampleSize);
    this.#intervals.add(heartbeatInterval - heartbeatInterval / 4);
    this.#intervals.add(heartbeatInterval + heartbeatInterval / 4);
  }

  get meanMs(): Ms {
    return this.#intervals.mean;
  }

  get stdDeviationMs(): Ms {
    return Math.max(this.#intervals.stdDeviation, this.#minStdDeviationMs);
  }

  hear(nowMs: Ms, isAvailable: boolean): void {
    const isFirst = !this.#isHeard && nowMs <= this.lastMs;
    if (!isFirst && isAvailable) this.#intervals.add(nowMs - this.lastMs);
    this.#isHeard = true;
    this.lastMs = nowMs;
  }
}

const log10 = (x: number): number => log(x) / Math.LN10;
/** e^−x is 0 in a double from here on. */
const LARGEST_EXPONENT = 745.1332191019412;
/** The largest phi that is finite is 323.3, for the smallest tail a double can hold. */
const MOST_PHI = 324;
