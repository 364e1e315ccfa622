/** A narrower view that a policy shows to a balancer inside it. */
import type { EndpointTable, EndpointView, Slot } from '../balancer.ts';

export class SubView implements EndpointView {
  table: EndpointTable;
  members: Int32Array = new Int32Array(0);
  count = 0;
  everyone: Int32Array = new Int32Array(0);
  everyoneCount = 0;

  constructor(table: EndpointTable) {
    this.table = table;
  }

  /** Empties the view; there will be room for `size` endpoints. */
  reset(table: EndpointTable, size: number): void {
    this.table = table;
    this.count = 0;
    this.everyoneCount = 0;
    if (size <= this.members.length) return;
    this.members = new Int32Array(size);
    this.everyone = new Int32Array(size);
  }

  /** To everyone, and to the members if `isMember`. */
  add(slot: Slot, isMember: boolean): void {
    this.everyone[this.everyoneCount++] = slot;
    if (isMember) this.members[this.count++] = slot;
  }
}
