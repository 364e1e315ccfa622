/** Akka's deadline detector: an endpoint is suspected once the heartbeat interval and an acceptable pause have passed since its last
 *  heartbeat.
 *
 *  The rule of `heartbeat`, with the parameters that Akka users know and Akka's start: an endpoint of which nothing was heard is given a
 *  heartbeat it did not send after `expectedResponseAfter`, and the deadline counts from there. Use it for long links and whenever one
 *  number, stated beforehand, shall bound detection. It fails where delays vary, and the pause that forgives them delays every true
 *  detection alike.
 *
 *  Available while last arrival + interval + pause > now (strict), so suspected at that very instant. */
import { duration } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import { type BeliefSink, defineDetector, type Detector } from './detector.ts';
import { Watchlist } from './parts/watchlist.ts';

export const deadline = defineDetector({
  name: 'deadline',
  summary: 'Suspects an endpoint once interval and acceptable pause have passed since its last heartbeat (Akka).',
  useWhen: 'A cluster’s Akka settings shall be tried out, or a link is so long that only a generous fixed pause fits.',
  failsWhen: 'Delays vary: what forgives pauses delays every true detection as well.',
  cost: 'O(log n) per heartbeat',
  sources: [
    'akka/akka: akka-remote/src/main/scala/akka/remote/DeadlineFailureDetector.scala',
    'akka/akka: akka-cluster/src/main/resources/reference.conf, multi-data-center.failure-detector',
  ],
  aliases: [{ system: 'Akka', name: 'multi-data-center.failure-detector' }],
  params: {
    heartbeatInterval: duration({
      default: 3000,
      min: 1,
      about: 'How often each endpoint sends a heartbeat.',
      official: 'Akka heartbeat-interval',
    }),
    acceptableHeartbeatPause: duration({
      default: 10_000,
      min: 0,
      about: 'Silence beyond the interval that is not suspicious yet.',
      official: 'Akka acceptable-heartbeat-pause',
    }),
    expectedResponseAfter: duration({
      default: 1000,
      min: 0,
      about: 'After this time of watching without a heartbeat, one is taken to have come.',
      official: 'Akka expected-response-after',
    }),
  },
  create: (params, deps) => new DeadlineDetector(params, deps.sink),
});

interface DeadlineParams {
  readonly heartbeatInterval: Ms;
  readonly acceptableHeartbeatPause: Ms;
  readonly expectedResponseAfter: Ms;
}

class DeadlineDetector implements Detector {
  readonly heartbeatEveryMs: Ms;
  readonly #timeoutMs: Ms;
  readonly #expectedResponseAfterMs: Ms;
  readonly #list: Watchlist;

  constructor(params: DeadlineParams, sink: BeliefSink) {
    this.heartbeatEveryMs = params.heartbeatInterval;
    this.#timeoutMs = params.heartbeatInterval + params.acceptableHeartbeatPause;
    this.#expectedResponseAfterMs = params.expectedResponseAfter;
    this.#list = new Watchlist(sink);
  }

  watch(slot: number, nowMs: Ms): void {
    this.#list.watch(slot, nowMs + this.#expectedResponseAfterMs + this.#timeoutMs);
  }

  unwatch(slot: number): void {
    this.#list.unwatch(slot);
  }

  onHeartbeat(slot: number, nowMs: Ms): void {
    if (this.#list.isWatched(slot)) this.#list.extend(slot, nowMs + this.#timeoutMs, nowMs);
  }

  nextTimerMs(): Ms {
    return this.#list.nextMs();
  }

  onTimer(nowMs: Ms): void {
    this.#list.suspectDue(nowMs);
  }

  /** Milliseconds overdue. */
  suspicion(slot: number, nowMs: Ms): number {
    return this.#list.overdueMs(slot, nowMs);
  }
}
