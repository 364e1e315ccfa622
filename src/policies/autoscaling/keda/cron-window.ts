/** Whether a moment lies between two firings: from a start on, its minute included, to the end, its minute not included.
 *
 *  After kedacore/keda: pkg/scalers/cron_scaler.go. */
import type { Ms } from '../../../core/time.ts';
import { type CronSchedule, nextFiring, parseCron } from '../../shared/cron.ts';
import { type Zone, zoneNamed } from '../../shared/time-zone.ts';

export class CronWindow {
  readonly #start: CronSchedule;
  readonly #end: CronSchedule;
  readonly #zone: Zone;
  // The next of each holds until it has come.
  #nextStartMs: Ms = -Infinity;
  #nextEndMs: Ms = -Infinity;
  #askedAtMs: Ms = Infinity;

  /** Throws InputError for what is no expression or no zone. */
  constructor(start: string, end: string, timezone: string) {
    this.#start = parseCron(start);
    this.#end = parseCron(end);
    this.#zone = zoneNamed(timezone);
  }

  isActive(epochMs: Ms): boolean {
    const isBack = epochMs < this.#askedAtMs;
    this.#askedAtMs = epochMs;
    if (isBack || this.#nextStartMs <= epochMs) this.#nextStartMs = nextFiring(this.#start, this.#zone, epochMs);
    if (isBack || this.#nextEndMs <= epochMs) this.#nextEndMs = nextFiring(this.#end, this.#zone, epochMs);
    return this.#nextEndMs <= this.#nextStartMs && this.#nextEndMs < Infinity;
  }
}
