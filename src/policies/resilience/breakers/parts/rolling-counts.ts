/** gobreaker's counts of one generation: over all of it, or rolling over buckets of a fixed length.
 *
 *  A result is booked to the bucket its request was counted in, so that an old request cannot weigh after its bucket has left. Counts of
 *  results in a row outlive buckets; only where a whole row lies in the window is the leaving part taken off. */
export class RollingCounts {
  readonly #buckets: number;
  /** Six counts per bucket, and the sums over all buckets behind them. */
  readonly #counts: Float64Array;
  readonly #sums: number;
  #age = 0;

  constructor(buckets: number) {
    this.#buckets = buckets;
    this.#counts = new Float64Array(FIELDS * (buckets + 1));
    this.#sums = FIELDS * buckets;
  }

  /** Buckets since the generation began. */
  get age(): number {
    return this.#age;
  }
  get requests(): number {
    return this.#counts[this.#sums + REQUESTS];
  }
  get successes(): number {
    return this.#counts[this.#sums + SUCCESSES];
  }
  get failures(): number {
    return this.#counts[this.#sums + FAILURES];
  }
  get exclusions(): number {
    return this.#counts[this.#sums + EXCLUSIONS];
  }
  get consecutiveSuccesses(): number {
    return this.#counts[this.#sums + CONSECUTIVE_SUCCESSES];
  }
  get consecutiveFailures(): number {
    return this.#counts[this.#sums + CONSECUTIVE_FAILURES];
  }
  /** Those that may say something about the callee. */
  get validRequests(): number {
    return this.requests - this.exclusions;
  }

  onRequest(): void {
    this.#count(this.#age, REQUESTS);
  }

  onSuccess(age: number): void {
    if (!this.#has(age)) return;
    this.#count(age, SUCCESSES);
    this.#count(age, CONSECUTIVE_SUCCESSES);
    this.#end(age, CONSECUTIVE_FAILURES);
  }

  onFailure(age: number): void {
    if (!this.#has(age)) return;
    this.#count(age, FAILURES);
    this.#count(age, CONSECUTIVE_FAILURES);
    this.#end(age, CONSECUTIVE_SUCCESSES);
  }

  onExclusion(age: number): void {
    if (this.#has(age)) this.#count(age, EXCLUSIONS);
  }

  clear(): void {
    this.#counts.fill(0);
    this.#age = 0;
  }

  growTo(age: number): void {
    if (age - this.#age >= this.#buckets) {
      this.clear();
      this.#age = age;
    }
    while (this.#age < age) this.#roll();
  }

  #has(age: number): boolean {
    return age <= this.#age && this.#age - age < this.#buckets;
  }

  #base(age: number): number {
    return FIELDS * (age % this.#buckets);
  }

  #count(age: number, field: number): void {
    this.#counts[this.#base(age) + field]++;
    this.#counts[this.#sums + field]++;
  }

  #end(age: number, field: number): void {
    this.#counts[this.#base(age) + field] = 0;
    this.#counts[this.#sums + field] = 0;
  }

  #roll(): void {
    this.#age++;
    const leaving = this.#base(this.#age);
    this.#shorten(leaving, CONSECUTIVE_SUCCESSES, SUCCESSES);
    this.#shorten(leaving, CONSECUTIVE_FAILURES, FAILURES);
    for (let field = 0; field < TOTALS; field++) this.#counts[this.#sums + field] -= this.#counts[leaving + field];
    this.#counts.fill(0, leaving, leaving + FIELDS);
  }

  /** If everything after the leaving bucket belongs to the row, what it held of the row leaves with it. */
  #shorten(leaving: number, row: number, total: number): void {
    const leavingRow = this.#counts[leaving + row];
    const sums = this.#sums;
    const inWindow = leavingRow + this.#counts[sums + total] - this.#counts[leaving + total];
    if (this.#counts[sums + row] === inWindow) this.#counts[sums + row] -= leavingRow;
  }
}

const REQUESTS = 0;
const SUCCESSES = 1;
const FAILURES = 2;
const EXCLUSIONS = 3;
/** The fields before this one are sums over the buckets. */
const TOTALS = 4;
const CONSECUTIVE_SUCCESSES = 4;
const CONSECUTIVE_FAILURES = 5;
const FIELDS = 6;
