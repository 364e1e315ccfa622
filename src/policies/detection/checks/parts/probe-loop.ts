/** The usual rhythm of a checker: per endpoint one probe at a time, the next one an interval after the last one ended. Numbers
 *  the probes, so that a result that comes late, or twice, or for an endpoint's former life, is not taken for another. */
import type { Ms } from '../../../../core/time.ts';
import { grownFloats } from '../../../../core/grow.ts';
import { probeKinds, type Prober } from '../health-checker.ts';
import { SlotTimers } from './slot-timers.ts';

export class ProbeLoop {
  readonly #prober: Prober;
  readonly #timeoutMs: Ms;
  readonly #timers = new SlotTimers();
  /** The probe whose result is awaited, by slot; 0 for none. */
  #awaited: Float64Array = new Float64Array(16);
  #sent = 0;

  constructor(prober: Prober, timeoutMs: Ms) {
    this.#prober = prober;
    this.#timeoutMs = timeoutMs;
  }

  /** The next probe is due then; one that is under way is forgotten. */
  schedule(slot: number, atMs: Ms): void {
    if (slot >= this.#awaited.length) {
      this.#awaited = grownFloats(this.#awaited, Math.max(slot + 1, 2 * this.#awaited.length));
    }
    this.#awaited[slot] = 0;
    this.#timers.set(slot, atMs);
  }

  stop(slot: number): void {
    if (slot < this.#awaited.length) this.#awaited[slot] = 0;
    this.#timers.clear(slot);
  }

  /** Whether this result was awaited; it is not any more. */
  accepts(slot: number, probe: number): boolean {
    if (!(slot < this.#awaited.length) || probe === 0 || this.#awaited[slot] !== probe) return false;
    this.#awaited[slot] = 0;
    return true;
  }

  nextTimerMs(): Ms {
    return this.#timers.nextMs();
  }

  onTimer(nowMs: Ms): void {
    while (this.#timers.nextMs() <= nowMs) {
      const slot = this.#timers.first();
      this.#timers.clear(slot);
      const probe = 4 * ++this.#sent + probeKinds.health;
      this.#awaited[slot] = probe;
      this.#prober.probe(slot, probe, this.#timeoutMs);
    }
  }
}
