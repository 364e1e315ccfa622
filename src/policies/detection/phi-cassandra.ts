/** The phi accrual detector as Cassandra builds it: silence over mean interval, with intervals taken as exponential.
 *
 *  P(still to come after t) = e^(−t / mean), so phi = t / (mean · ln 10), and an endpoint is convicted once phi exceeds the threshold: at 8
 *  after a silence of 18.4 mean intervals. Only the mean matters: a sender that is irregular but keeps its average is treated like a
 *  steady one.
 *
 *  Use it where heartbeats travel by gossip and arrive at random, and slow detection is affordable. It fails where a crash must be noticed
 *  within a few intervals: the exponential law takes long silences for normal. A threshold low enough for that takes two lost heartbeats
 *  for a crash.
 *
 *  Particulars of Cassandra: an endpoint's history begins with `fdInitialValue`, which is generous on purpose; intervals above
 *  `fdMaxInterval` are not recorded, so that bad times do not teach patience; and who was stalled himself convicts nobody. A stall shows
 *  in calls that come late: between two of them more than `maxLocalPause` has passed though a wake-up was asked for in between. Then nobody
 *  is convicted in this call, nor for another `maxLocalPause`.
 *
 *  Cassandra judges once per gossip round; here the instant of conviction is computed, last arrival + threshold · ln 10 · mean, and wake-ups
 *  in between serve only to notice stalls. Being watched counts as the first arrival: gossip told of the endpoint just then. */
import { duration, int, number, type ParamValues } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import { type BeliefSink, defineDetector, type Detector } from './detector.ts';
import { SampleWindow } from './parts/sample-window.ts';
import { Watchlist } from './parts/watchlist.ts';

const params = {
  gossipInterval: duration({
    default: 1000,
    min: 1,
    about: 'How often each endpoint sends a heartbeat.',
    official: 'Cassandra Gossiper.intervalInMillis',
  }),
  phiConvictThreshold: number({
    default: 8,
    min: 0,
    exclusiveMin: true,
    about: 'phi above which an endpoint is convicted; 10 to 12 in clouds.',
    official: 'Cassandra phi_convict_threshold',
  }),
  sampleSize: int({
    default: 1000,
    min: 1,
    about: 'Intervals kept per endpoint, the oldest leaving first.',
    official: 'Cassandra FailureDetector.SAMPLE_SIZE',
  }),
  fdInitialValue: duration({
    default: 2000,
    min: 1,
    about: 'The interval that an endpoint’s history begins with.',
    official: 'Cassandra cassandra.fd_initial_value_ms',
  }),
  fdMaxInterval: duration({
    default: 2000,
    min: 1,
    about: 'Longer intervals are not recorded.',
    official: 'Cassandra cassandra.fd_max_interval_ms',
  }),
  maxLocalPause: duration({
    default: 5000,
    min: 1,
    about: 'After a stall of our own longer than this, nobody is convicted for as long again.',
    official: 'Cassandra cassandra.max_local_pause_in_ms',
  }),
};
export type PhiCassandraParams = ParamValues<typeof params>;

export const phiCassandra = defineDetector({
  name: 'phi-cassandra',
  summary: 'Suspects an endpoint whose silence exceeds its mean interval 18 times, unless we were stalled ourselves (Cassandra).',
  useWhen: 'Heartbeats arrive irregularly, the observer may pause, and detection may take its time.',
  failsWhen: 'A crash must be noticed within a few intervals: the model takes long silences for normal.',
  cost: 'O(log n) per heartbeat',
  sources: [
    'apache/cassandra: src/java/org/apache/cassandra/gms/FailureDetector.java',
    'CASSANDRA-2597: the exponential law; CASSANDRA-9183: local pauses',
  ],
  aliases: [{ system: 'Cassandra', name: 'FailureDetector' }],
  params,
  create: (values, deps) => new PhiCassandraDetector(values, deps.sink),
});

/** phi on the logarithmic scale to base 10, which is what the threshold is compared with. */
export const cassandraPhi = (silenceMs: Ms, meanMs: Ms): number => PHI_FACTOR * (silenceMs / meanMs);

export const cassandraConvicts = (phi: number, phiConvictThreshold: number): boolean => phi > phiConvictThreshold;

/** The longest silence that does not convict. */
export const cassandraDetectionMs = (meanMs: Ms, phiConvictThreshold: number): Ms => (phiConvictThreshold * meanMs) / PHI_FACTOR;

export class PhiCassandraDetector implements Detector {
  readonly heartbeatEveryMs: Ms;
  readonly #params: PhiCassandraParams;
  /** Mean intervals of silence that convict. */
  readonly #intervals: number;
  readonly #list: Watchlist;
  /** By slot. */
  readonly #windows: (ArrivalWindow | undefined)[] = [];
  #lastCallMs = -0;
  /** Until then nobody is convicted. */
  #resumeMs = -0;

  constructor(params: PhiCassandraParams, sink: BeliefSink) {
    this.heartbeatEveryMs = params.gossipInterval;
    this.#params = params;
    this.#intervals = cassandraDetectionMs(1, params.phiConvictThreshold);
    this.#list = new Watchlist(sink);
  }

  watch(slot: number, nowMs: Ms): void {
    this.#noticeStall(nowMs);
    const window = new ArrivalWindow(this.#params, nowMs);
    this.#windows[slot] = window;
    this.#list.watch(slot, nowMs + window.meanMs * this.#intervals + CLOCK_TICK_MS);
  }

  unwatch(slot: number): void {
    this.#windows[slot] = undefined;
    this.#list.unwatch(slot);
  }

  onHeartbeat(slot: number, nowMs: Ms): void {
    this.#noticeStall(nowMs);
    const window = this.#windows[slot];
    if (window === undefined) return;
    window.add(nowMs);
    this.#list.extend(slot, nowMs + window.meanMs * this.#intervals + CLOCK_TICK_MS, nowMs);
  }

  nextTimerMs(): Ms {
    const dueMs = this.#list.nextMs();
    if (dueMs === Infinity) return Infinity;
    // Twice per tolerated pause, so that an event loop that is merely busy does not look stalled.
    return Math.min(Math.max(dueMs, this.#resumeMs), this.#lastCallMs + this.#params.maxLocalPause / 2);
  }

  onTimer(nowMs: Ms): void {
    this.#noticeStall(nowMs);
    if (nowMs >= this.#resumeMs) this.#list.suspectDue(nowMs);
  }

  /** phi, on the scale of the threshold. */
  suspicion(slot: number, nowMs: Ms): number {
    return PHI_FACTOR * this.rawPhi(slot, nowMs);
  }

  /** Silence over mean interval, which is phi on the natural scale; 0 if the endpoint is not watched. */
  rawPhi(slot: number, nowMs: Ms): number {
    const window = this.#windows[slot];
    return window === undefined ? 0 : (nowMs - window.lastMs) / window.meanMs;
  }

  /** Mean of the recorded intervals of a watched endpoint. */
  meanMs(slot: number): Ms {
    return this.#windows[slot]?.meanMs ?? NaN;
  }

  /** As long as somebody is believed alive we asked to be called; being called so late means that we were stalled. */
  #noticeStall(nowMs: Ms): void {
    const { maxLocalPause } = this.#params;
    if (nowMs - this.#lastCallMs > maxLocalPause && this.#list.nextMs() < Infinity) this.#resumeMs = nowMs + maxLocalPause;
    this.#lastCallMs = nowMs;
  }
}

/** Arrivals of one endpoint. */
class ArrivalWindow {
  lastMs = -0;
  readonly #intervals: SampleWindow;
  readonly #maxIntervalMs: Ms;

  constructor({ sampleSize, fdInitialValue, fdMaxInterval }: PhiCassandraParams, nowMs: Ms) {
    this.lastMs = nowMs;
    this.#maxIntervalMs = fdMaxInterval;
    this.#intervals = new SampleWindow(sampleSize);
    this.#intervals.add(fdInitialValue);
  }

  get meanMs(): Ms {
    return this.#intervals.mean;
  }

  add(nowMs: Ms): void {
    const intervalMs = nowMs - this.lastMs;
    if (intervalMs <= this.#maxIntervalMs) this.#intervals.add(intervalMs);
    this.lastMs = nowMs;
  }
}

/** 1 / ln 10. */
const PHI_FACTOR = Math.LOG10E;
/** phi must exceed the threshold: that is so one tick of Cassandra's clock, a nanosecond, after they are equal. */
const CLOCK_TICK_MS = 1e-6;
