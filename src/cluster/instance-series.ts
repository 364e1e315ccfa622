/** How busy each instance was in each window. Kept for all instances while the table stays small; for larger fleets left out. */
import type { Ms } from '../core/time.ts';
import type { Fleet } from './fleet.ts';

const CELLS_MAX = 60_000;

export class InstanceSeries {
  private readonly fleet: Fleet;
  private readonly windowMs: Ms;
  private readonly isKept: boolean;
  private readonly busy: number[][];
  private readonly queued: number[][];
  private readonly areaBefore: Float64Array;
  private endMs: Ms;

  constructor(fleet: Fleet, windowMs: Ms, windows: number) {
    this.fleet = fleet;
    this.windowMs = windowMs;
    this.isKept = fleet.count * windows <= CELLS_MAX;
    this.busy = Array.from({ length: fleet.count }, () => []);
    this.queued = Array.from({ length: fleet.count }, () => []);
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
      this.busy[instance].push((area - this.areaBefore[instance]) / (spanMs * this.fleet.slots(instance)));
      this.queued[instance].push(this.fleet.present[instance]);
      this.areaBefore[instance] = area;
    }
  }

  busyOf(instance: number): readonly number[] {
    return this.busy[instance];
  }
  queuedOf(instance: number): readonly number[] {
    return this.queued[instance];
  }
}
