/** A detector with a clock and a log of its beliefs: heartbeats come when they are told to, timers fire when they are due. */
import type { BeliefSink, Detector, DetectorDeps } from '../../../src/policies/detection/detector.ts';
import { unusedRng } from '../fixtures.ts';

export class Bed {
  readonly detector: Detector;
  /** As in `3000: 0 suspected`. */
  readonly log: string[] = [];
  nowMs = 0;
  /** Called after every change of belief. */
  onBelief: ((slot: number, alive: boolean) => void) | undefined;

  constructor(make: (deps: DetectorDeps) => Detector) {
    const sink: BeliefSink = {
      believe: (slot, alive, nowMs) => {
        this.log.push(`${round(nowMs)}: ${slot} ${alive ? 'alive' : 'suspected'}`);
        this.onBelief?.(slot, alive);
      },
    };
    this.detector = make({ rng: unusedRng, sink });
  }

  /** Fires the timers on the way, those due at the end included unless said otherwise. */
  advanceTo(atMs: number, isInclusive = true): this {
    for (;;) {
      const nextMs = this.detector.nextTimerMs();
      if (nextMs === Infinity || (isInclusive ? nextMs > atMs : nextMs >= atMs)) break;
      this.nowMs = nextMs;
      this.detector.onTimer(nextMs);
    }
    this.nowMs = atMs;
    return this;
  }

  beat(slot: number, atMs: number, sequence = 0): this {
    this.advanceTo(atMs, false);
    this.detector.onHeartbeat(slot, atMs, sequence);
    return this;
  }

  /** Beats `from` to `to`, each at its number times the period, and `delayMs` later. */
  beats(slot: number, from: number, to: number, delayMs = 0): this {
    const everyMs = this.detector.heartbeatEveryMs;
    for (let beat = from; beat <= to; beat++) this.beat(slot, beat * everyMs + delayMs, beat);
    return this;
  }
}

/** Log entries are compared as text, and deadlines that are computed carry rounding errors. */
const round = (ms: number): number => Math.round(ms * 1e3) / 1e3;
