/** Bertier's detector: Chen's expected arrivals with a margin that follows the errors of the estimate, as TCP's retransmission timeout
 *  follows round trips (Jacobson).
 *
 *  With every heartbeat: error = arrival − expected − delay; delay += gamma · error; var += gamma · (|error| − var); and the margin
 *  alpha = beta · delay + phi · var is granted on top of the next expected arrival. It thus finds the margin that `chen` must be told.
 *
 *  Use it in quiet networks without loss, where detection shall be as quick as the delays allow. It fails where heartbeats get lost or
 *  delays jump: the margin knows the delays of what arrived, and every loss is a mistake. In a perfectly even network the margin goes to
 *  zero and rounding alone would raise alarms; `minMargin` bounds it from below.
 *
 *  The first heartbeat starts the estimate and counts as no error. Nothing is known of the delays before it, so an endpoint of which nothing
 *  was heard is given two intervals. */
import { duration, int, number, type ParamValues } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import { type BeliefSink, defineDetector, type Detector } from './detector.ts';
import { ExpectedArrivals } from './parts/expected-arrivals.ts';
import { Watchlist } from './parts/watchlist.ts';

const params = {
  heartbeatInterval: duration({
    default: 1000,
    min: 1,
    about: 'How often each endpoint sends a heartbeat.',
    official: 'the paper’s Δi',
  }),
  windowSize: int({
    default: 1000,
    min: 1,
    about: 'Arrivals that the expected arrival is estimated from.',
    official: 'the paper’s n',
  }),
  beta: number({ default: 1, min: 0, about: 'Weight of the mean error in the margin.', official: 'the paper’s β' }),
  phi: number({ default: 4, min: 0, about: 'Weight of the errors’ mean size in the margin.', official: 'the paper’s φ' }),
  gamma: number({
    default: 0.1,
    min: 0,
    exclusiveMin: true,
    max: 1,
    about: 'Weight of the newest error in both averages.',
    official: 'the paper’s γ',
  }),
  minMargin: duration({
    default: 1,
    min: 0,
    about: 'The margin is at least this, for clocks are no finer; 0 is the published rule.',
  }),
};
export type BertierParams = ParamValues<typeof params>;

export const bertier = defineDetector({
  name: 'bertier',
  summary: 'Suspects an endpoint whose next heartbeat is later than expected by more than recent errors explain.',
  useWhen: 'Hardly anything is lost, and detection shall be as quick as the delays allow.',
  failsWhen: 'Heartbeats get lost or delays jump: every loss is a mistake, for the margin knows only what arrived.',
  cost: 'O(log n) per heartbeat',
  sources: ['Bertier, Marin, Sens: Implementation and Performance Evaluation of an Adaptable Failure Detector (2002)'],
  aliases: [],
  params,
  create: (values, deps) => new BertierDetector(values, deps.sink),
});

export class BertierDetector implements Detector {
  readonly heartbeatEveryMs: Ms;
  readonly #params: BertierParams;
  readonly #list: Watchlist;
  /** By slot. */
  readonly #margins: (AdaptiveMargin | undefined)[] = [];

  constructor(params: BertierParams, sink: BeliefSink) {
    this.heartbeatEveryMs = params.heartbeatInterval;
    this.#params = params;
    this.#list = new Watchlist(sink);
  }

  watch(slot: number, nowMs: Ms): void {
    this.#margins[slot] = new AdaptiveMargin(this.#params);
    this.#list.watch(slot, nowMs + 2 * this.heartbeatEveryMs);
  }

  unwatch(slot: number): void {
    this.#margins[slot] = undefined;
    this.#list.unwatch(slot);
  }

  onHeartbeat(slot: number, nowMs: Ms, sequence: number): void {
    const margin = this.#margins[slot];
    if (margin === undefined || !margin.arrivals.isFresh(sequence)) return;
    margin.arrive(sequence, nowMs);
    this.#list.extend(slot, margin.expectedMs + Math.max(margin.alphaMs, this.#params.minMargin), nowMs);
  }

  nextTimerMs(): Ms {
    return this.#list.nextMs();
  }

  onTimer(nowMs: Ms): void {
    this.#list.suspectDue(nowMs);
  }

  /** Milliseconds past the freshness point. */
  suspicion(slot: number, nowMs: Ms): number {
    return this.#list.overdueMs(slot, nowMs);
  }

  /** What the deadline of a watched endpoint is made of. */
  estimate(slot: number): BertierEstimate | undefined {
    return this.#margins[slot];
  }

  /** Until when a watched endpoint is trusted without another heartbeat. */
  freshnessPointMs(slot: number): Ms {
    return this.#list.deadlineMs(slot);
  }
}

export interface BertierEstimate {
  /** When the next heartbeat should arrive. */
  readonly expectedMs: Ms;
  /** Mean error of the estimates, and mean size of the errors. */
  readonly delayMs: Ms;
  readonly varMs: Ms;
  readonly alphaMs: Ms;
}

class AdaptiveMargin implements BertierEstimate {
  delayMs = -0;
  varMs = -0;
  readonly arrivals: ExpectedArrivals;
  readonly #params: BertierParams;

  constructor(params: BertierParams) {
    this.delayMs = 0;
    this.varMs = 0;
    this.arrivals = new ExpectedArrivals(params.heartbeatInterval, params.windowSize);
    this.#params = params;
  }

  get expectedMs(): Ms {
    return this.arrivals.of(this.arrivals.last + 1);
  }

  get alphaMs(): Ms {
    return this.#params.beta * this.delayMs + this.#params.phi * this.varMs;
  }

  arrive(sequence: number, nowMs: Ms): void {
    if (this.arrivals.last !== -1) {
      const { gamma } = this.#params;
      const errorMs = nowMs - this.arrivals.of(sequence) - this.delayMs;
      this.delayMs += gamma * errorMs;
      this.varMs += gamma * (Math.abs(errorMs) - this.varMs);
    }
    this.arrivals.arrive(sequence, nowMs);
  }
}
