/** A ring of the last events: what an error report shows of how the world got there, and a running digest of the whole stream, by
 *  which two runs can be told to be the same event by event. */
export class EventTrace {
  private readonly mask: number;
  private readonly times: Float64Array;
  private readonly kinds: Int32Array;
  private readonly as: Int32Array;
  private readonly bs: Int32Array;
  private count: number;
  private hash: number;
  private readonly floatBits: Float64Array;
  private readonly wordBits: Int32Array;

  /** `capacity` is a power of two. */
  constructor(capacity: number) {
    this.mask = capacity - 1;
    this.times = new Float64Array(capacity);
    this.kinds = new Int32Array(capacity);
    this.as = new Int32Array(capacity);
    this.bs = new Int32Array(capacity);
    this.count = 0;
    this.hash = 0x9747b28c;
    this.floatBits = new Float64Array(1);
    this.wordBits = new Int32Array(this.floatBits.buffer);
  }

  record(time: number, kind: number, a: number, b: number): void {
    const index = this.count & this.mask;
    this.times[index] = time;
    this.kinds[index] = kind;
    this.as[index] = a;
    this.bs[index] = b;
    this.count++;
    // One multiply per event: not a strong hash, but any change of one event's time or kind moves it.
    this.floatBits[0] = time;
    this.hash = Math.imul((this.hash ^ this.wordBits[0] ^ (kind << 24)) + this.wordBits[1], 0x5bd1e995) ^ (this.hash >>> 15);
  }

  /** 32-bit digest over all events so far. */
  digest(): number {
    return this.hash >>> 0;
  }

  /** The last events, oldest first. */
  last(): { readonly time: number; readonly kind: number; readonly a: number; readonly b: number }[] {
    const events = [];
    for (let i = Math.max(0, this.count - this.mask - 1); i < this.count; i++) {
      const index = i & this.mask;
      events.push({ time: this.times[index], kind: this.kinds[index], a: this.as[index], b: this.bs[index] });
    }
    return events;
  }
}
