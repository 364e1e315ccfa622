/** The oracle for a calendar: an array kept sorted by (time, order), the earliest last so that taking it is cheap. */
export interface Entry {
  readonly time: number;
  readonly order: number;
  readonly id: number;
}

export class SortedList {
  private readonly entries: Entry[] = [];

  get size(): number {
    return this.entries.length;
  }

  get head(): Entry | undefined {
    return this.entries.at(-1);
  }

  add(entry: Entry): void {
    let low = 0;
    let high = this.entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const other = this.entries[middle];
      if (other.time > entry.time || (other.time === entry.time && other.order > entry.order)) low = middle + 1;
      else high = middle;
    }
    this.entries.splice(low, 0, entry);
  }

  /** Takes out the entry of this rank; 0 is the earliest. */
  removeAt(rank: number): Entry | undefined {
    return this.entries.splice(this.entries.length - 1 - rank, 1)[0];
  }
}
