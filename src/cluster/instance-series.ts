/** How busy each instance was in each window. Kept for all instances while the table stays small; for larger fleets left out. */
import type { Ms } from '../core/time.ts';
import type { Fleet } from './fleet.ts';

const CELLS_MAX = 60_000;

export class InstanceSeries {
  private readonly fleet: Fleet;
  private readonly windowMs: Ms;
  private readonly isKept: boolean;
  /** By instance, then window: one table each, so that closing a window allocates nothing. */
  private readonly busy: Float64Array;
  private readonly queued: Float64Array;
  private readonly windows: number;
  private closed: number;
  private readonly areaBefore: Float64Array;
  private endMs: Ms;

  constructor(fleet: Fleet, windowMs: Ms, windows: number) {
    this.fleet = fleet;
    this.windowMs = windowMs;
    this.isKept = fleet.count * windows <= CELLS_MAX;
    this.windows = windows;
    this.closed = 0;
    this.busy = new Float64Array(this.isKept ? fleet.count * windows : 0);
    this.queued = new Float64Array(this.isKept ? fleet.count * windows : 0);
    this.areaBefore = new Float64Array(fleet.count);
    this.endMs = 0;
  }

  closeWindow(nowMs: Ms): void {
    if (!this.isKept) return;
    // The last window may be shorter.
    const spanMs = nowMs > this.endMs ? nowMs - this.endMs : this.windowMs;
    this.endMs = nowMs;
    for (let instance = 0; instance < this.fleet.count; instance++) {
      this.fleet.settle(instance);
      const area = this.fleet.busyArea[instance];
      const place = instance * this.windows + this.closed;
      this.busy[place] = (area - this.areaBefore[instance]) / (spanMs * this.fleet.slots(instance));
      this.queued[place] = this.fleet.present[instance];
      this.areaBefore[instance] = area;
    }
    this.closed++;
  }

  busyOf(instance: number): number[] {
    return this.rowOf(this.busy, instance);
  }
  queuedOf(instance: number): number[] {
    return this.rowOf(this.queued, instance);
  }

  private rowOf(table: Float64Array, instance: number): number[] {
    const from = instance * this.windows;
    return Array.from(table.subarray(from, from + this.closed));
  }
}
