/** A count over the whole run that also knows how much of it came after the warm-up. */
export class Tally {
  private count: number;
  private before: number;

  constructor() {
    this.count = -0; // a double from the start
    this.before = -0;
  }

  add(): void {
    this.count++;
  }

  /** What follows is measured. */
  mark(): void {
    this.before = this.count;
  }

  get total(): number {
    return this.count + 0;
  }

  /** Since the last mark. */
  get measured(): number {
    return this.count - this.before;
  }
}
