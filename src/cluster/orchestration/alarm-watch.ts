/** Alarms over measured series: each service's alarm is shown one metric at intervals, as the pipeline knows it, and what it says is held
 *  against the truth. An incident is a time in which some fault of the scenario holds; an alarm that begins to fire outside of one is
 *  false. Incidents and alarms count when they begin after warm-up. */
import type { Ms } from '../../core/time.ts';
import type { Alarm } from '../../policies/detection/alarms/alarm.ts';
import { alarmChangesKept, type AlarmChange } from '../../stats/result.ts';
import type { Errands } from './errands.ts';

const MS_PER_HOUR = 3_600_000;

export interface AlarmWatchParts {
  readonly errands: Errands;
  /** By service: its name, and its alarm if it has one. */
  readonly services: readonly { readonly name: string; readonly alarm: Alarm | undefined }[];
  readonly everyMs: Ms;
  readonly warmupMs: Ms;
  /** The metric of a service as it is seen now; NaN when there is none. */
  read(service: number): number;
}

export class AlarmWatch {
  readonly changes: AlarmChange[];
  private readonly parts: AlarmWatchParts;
  /** By service. */
  private readonly isFiring: Uint8Array;
  private faults: number;
  private incidentSinceMs: Ms;
  private isNoticed: boolean;
  // Sums.
  private incidents: number;
  private noticed: number;
  private noticeMs: Ms;
  private falseAlarms: number;
  private calmMs: Ms;
  private calmSinceMs: Ms;

  constructor(parts: AlarmWatchParts) {
    this.parts = parts;
    this.changes = [];
    this.isFiring = new Uint8Array(parts.services.length);
    this.faults = 0;
    this.incidentSinceMs = NaN;
    this.isNoticed = false;
    this.incidents = 0;
    this.noticed = 0;
    this.noticeMs = 0;
    this.falseAlarms = 0;
    this.calmMs = 0;
    this.calmSinceMs = parts.warmupMs;
    parts.errands.every(parts.everyMs, parts.everyMs, () => this.evaluate());
  }

  /** A fault begins, or ends. */
  fault(begins: boolean): void {
    const { nowMs } = this.parts.errands;
    const before = this.faults;
    this.faults += begins ? 1 : -1;
    if (begins && before === 0) {
      this.calmMs += Math.max(0, nowMs - this.calmSinceMs);
      this.incidentSinceMs = nowMs;
      // An alarm that fires already has noticed, if only by chance.
      this.isNoticed = false;
      if (nowMs >= this.parts.warmupMs) this.incidents++;
      if (this.isFiring.includes(1)) this.notice();
    } else if (!begins && this.faults === 0) this.calmSinceMs = Math.max(nowMs, this.parts.warmupMs);
  }

  metrics(): Record<string, number> {
    const { nowMs } = this.parts.errands;
    const calmMs = this.calmMs + (this.faults === 0 ? Math.max(0, nowMs - this.calmSinceMs) : 0);
    return {
      'alarm.time': this.noticed > 0 ? this.noticeMs / this.noticed : NaN,
      'alarm.missed': this.incidents > 0 ? 1 - this.noticed / this.incidents : NaN,
      'alarm.false': calmMs > 0 ? (this.falseAlarms * MS_PER_HOUR) / calmMs : NaN,
    };
  }

  private evaluate(): void {
    const { errands, services, read } = this.parts;
    services.forEach(({ name, alarm }, service) => {
      if (alarm === undefined) return;
      const value = read(service);
      const fires = alarm.update(value, errands.nowMs);
      if (fires === (this.isFiring[service] === 1)) return;
      this.isFiring[service] = fires ? 1 : 0;
      if (this.changes.length < alarmChangesKept) this.changes.push({ atMs: errands.nowMs, service: name, fires, value });
      if (!fires) return;
      if (this.faults > 0) this.notice();
      else if (errands.nowMs >= this.parts.warmupMs) this.falseAlarms++;
    });
  }

  private notice(): void {
    if (this.isNoticed) return;
    this.isNoticed = true;
    if (this.incidentSinceMs < this.parts.warmupMs) return;
    this.noticed++;
    this.noticeMs += this.parts.errands.nowMs - this.incidentSinceMs;
  }
}
