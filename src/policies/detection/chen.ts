/** Chen's detector with estimated arrivals (NFD-E): the next heartbeat should arrive when the last n say, and gets a constant margin on top.
 *
 *  When heartbeat l is the latest to have arrived, the endpoint is trusted until the freshness point of the next, EA(l+1) + alpha, where EA
 *  is the expected arrival (`parts/expected-arrivals.ts`). Averaging over a window takes the sender's phase out of the question: a
 *  fixed timeout counts from the last arrival, and so punishes a heartbeat for its predecessor's having been quick.
 *
 *  Use it where the quality of detection must be computed beforehand: with margin alpha a crash is noticed within about η + alpha + mean
 *  delay, and the rate of mistakes follows from loss and the law of the delays (`stats/detector-qos.ts`). It fails where delays change
 *  for good: the window follows slowly, and the margin does not follow at all; every lost heartbeat is a mistake unless alpha exceeds η.
 *
 *  An endpoint of which nothing was heard yet is given η + alpha, as if a heartbeat had come when watching began. */
import { duration, int } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import { type BeliefSink, defineDetector, type Detector } from './detector.ts';
import { ExpectedArrivals } from './parts/expected-arrivals.ts';
import { Watchlist } from './parts/watchlist.ts';

export const chen = defineDetector({
  name: 'chen',
  summary: 'Suspects an endpoint whose next heartbeat is later than expected by more than a constant margin (NFD-E).',
  useWhen: 'Detection time and rate of mistakes must be computed beforehand, and delays keep their law.',
  failsWhen: 'Delays change for good, or losses come in bursts longer than the margin.',
  cost: 'O(log n) per heartbeat',
  sources: ['Chen, Toueg, Aguilera: On the Quality of Service of Failure Detectors (2002), NFD-E'],
  aliases: [{ system: 'literature', name: 'nfd-e' }],
  params: {
    heartbeatInterval: duration({
      default: 1000,
      min: 1,
      about: 'How often each endpoint sends a heartbeat.',
      official: 'the paper’s η',
    }),
    alpha: duration({
      default: 2000,
      min: 0,
      about: 'Margin after the expected arrival; at the default one lost heartbeat is forgiven.',
      official: 'the paper’s α',
    }),
    windowSize: int({ default: 1000, min: 1, about: 'Arrivals that the estimate is made from.', official: 'the paper’s n' }),
  },
  create: ({ heartbeatInterval, alpha, windowSize }, { sink }) => new ChenDetector(heartbeatInterval, alpha, windowSize, sink),
});

export class ChenDetector implements Detector {
  readonly heartbeatEveryMs: Ms;
  readonly #alphaMs: Ms;
  readonly #windowSize: number;
  readonly #list: Watchlist;
  /** By slot. */
  readonly #arrivals: (ExpectedArrivals | undefined)[] = [];

  constructor(heartbeatIntervalMs: Ms, alphaMs: Ms, windowSize: number, sink: BeliefSink) {
    this.heartbeatEveryMs = heartbeatIntervalMs;
    this.#alphaMs = alphaMs;
    this.#windowSize = windowSize;
    this.#list = new Watchlist(sink);
  }

  watch(slot: number, nowMs: Ms): void {
    this.#arrivals[slot] = new ExpectedArrivals(this.heartbeatEveryMs, this.#windowSize);
    this.#list.watch(slot, nowMs + this.heartbeatEveryMs + this.#alphaMs);
  }

  unwatch(slot: number): void {
    this.#arrivals[slot] = undefined;
    this.#list.unwatch(slot);
  }

  onHeartbeat(slot: number, nowMs: Ms, sequence: number): void {
    const arrivals = this.#arrivals[slot];
    if (arrivals === undefined || !arrivals.isFresh(sequence)) return;
    arrivals.arrive(sequence, nowMs);
    this.#list.extend(slot, this.expectedArrivalMs(slot) + this.#alphaMs, nowMs);
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

  /** When the next heartbeat of a watched endpoint should arrive; NaN before the first. */
  expectedArrivalMs(slot: number): Ms {
    const arrivals = this.#arrivals[slot];
    return arrivals === undefined ? NaN : arrivals.of(arrivals.last + 1);
  }

  /** Until when a watched endpoint is trusted without another heartbeat. */
  freshnessPointMs(slot: number): Ms {
    return this.#list.deadlineMs(slot);
  }
}
