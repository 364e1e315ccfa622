/** The pending events, ordered by (time, order): `order` folds priority and insertion number into one double, so that equal times
 *  fire by priority and then first in, first out.
 *
 *  A calendar queue (Brown 1988): an array of buckets, each a span of time and a short sorted list, with an occupancy bitmap to
 *  skip empty ones. It costs the same at ten pending events and at a hundred thousand, where a binary heap slows down by half
 *  with every factor of ten. Two additions make it safe for any mix of times: events beyond the buckets' horizon wait in a binary heap, so
 *  that far-away events never lengthen a bucket's list; and bucket width and number follow the measured gap between
 *  pops. Everything lives in typed arrays, an event in one
 *  row of half a cache line; after growth nothing allocates. Cancelling is O(1) (O(log n) beyond the horizon).
 *
 *  Tried and dropped: a binary heap and a 4-ary heap over typed arrays (see "Speed" in src/README.md). */
import { grownInts } from '../core/grow.ts';

/** Handle of a pending event: valid from `add` until it is popped or cancelled. */
export type EventHandle = number;
export const NO_EVENT: EventHandle = -1;

const NONE = -1;
/** `prev` of a handle that is in no bucket's list: free, or in the overflow heap (then `next` is its place there). */
const FREE = -2;
const IN_HEAP = -3;

// A row: two doubles, then four integers. What the event is about (kind and b) shares one of them.
const ROW_BYTES = 32;
const TIME = 0;
const ORDER = 1;
const NEXT = 4;
const PREV = 5;
const A = 6;
const KIND_AND_B = 7;
const KIND_BITS = 5;
const KIND_MASK = 31;

const MIN_BUCKETS = 64;
const MAX_BUCKETS = 1 << 20;
const MAX_BUCKET_NUMBER = 1e15;
/** Events per bucket on average, seen from the front. Measured best between 1 and 3. */
const TARGET_PER_BUCKET = 1.5;
/** Steps along a bucket's list that are too many, and how often they may be before something is done about it. */
const LONG_WALK = 128;
const LONG_WALKS_MIN = 128;

export class Calendar {
  /** Time and order of the earliest event; Infinity when empty. Read by the run loop on every turn. */
  headTime: number;
  headOrder: number;
  size: number;

  declare private head: EventHandle;
  /** Rows of half a cache line, seen as doubles and as integers. */
  declare private reals: Float64Array;
  declare private ints: Int32Array;
  declare private capacity: number;
  declare private free: number;
  declare private used: number;

  declare private first: Int32Array;
  declare private last: Int32Array;
  declare private bitmap: Int32Array;
  declare private mask: number;
  declare private width: number;
  declare private inverseWidth: number;
  /** Virtual bucket of the last popped event: nothing pending lies before it. */
  declare private current: number;
  declare private inBuckets: number;

  /** Overflow: a binary heap of the handles whose virtual bucket lies beyond current + mask. */
  declare private heap: Int32Array;
  declare private heapSize: number;

  declare private popsUntilTune: number;
  declare private tuneFromTime: number;
  declare private tunePops: number;
  declare private walked: number;
  /** Time of the last popped event. */
  declare private poppedTime: number;
  declare private longWalksLeft: number;
  /** A bucket with too long a list, or NONE. */
  declare private crowded: number;

  constructor(capacity = 1024) {
    this.headTime = Infinity;
    this.headOrder = Infinity;
    this.size = 0;
    this.head = NO_EVENT;
    const buffer = new ArrayBuffer(capacity * ROW_BYTES);
    this.reals = new Float64Array(buffer);
    this.ints = new Int32Array(buffer);
    this.capacity = capacity;
    this.free = NONE;
    this.used = 0;
    this.first = new Int32Array(MIN_BUCKETS).fill(NONE);
    this.last = new Int32Array(MIN_BUCKETS).fill(NONE);
    this.bitmap = new Int32Array(MIN_BUCKETS >>> 5);
    this.mask = MIN_BUCKETS - 1;
    this.width = 1;
    this.inverseWidth = 1;
    this.current = -0; // a double from the start, like all numbers of buckets
    this.inBuckets = 0;
    this.heap = new Int32Array(64);
    this.heapSize = 0;
    this.popsUntilTune = 256;
    this.tuneFromTime = 0;
    this.tunePops = 256;
    this.walked = 0;
    this.poppedTime = -0; // a double from the start
    this.longWalksLeft = LONG_WALKS_MIN;
    this.crowded = NONE;
  }

  /** `time` must not lie before the last popped event; `order` must be unique; `kind` is below 32, `b` below 2^26. */
  add(time: number, order: number, kind: number, a: number, b: number): EventHandle {
    let handle = this.free;
    if (handle !== NONE) this.free = this.ints[(handle << 3) + NEXT];
    else {
      if (this.used === this.capacity) this.grow();
      handle = this.used++;
    }
    this.reals[(handle << 2) + TIME] = time;
    this.reals[(handle << 2) + ORDER] = order;
    this.ints[(handle << 3) + A] = a;
    this.ints[(handle << 3) + KIND_AND_B] = (b << KIND_BITS) | kind;
    this.place(handle);
    this.size++;
    if (time < this.headTime || (time === this.headTime && order < this.headOrder)) {
      this.head = handle;
      this.headTime = time;
      this.headOrder = order;
    }
    if (this.crowded !== NONE) this.relieve();
    return handle;
  }

  /** What the earliest event is about; meaningless when empty. */
  headKind(): number {
    return this.ints[(this.head << 3) + KIND_AND_B] & KIND_MASK;
  }
  headA(): number {
    return this.ints[(this.head << 3) + A];
  }
  headB(): number {
    return this.ints[(this.head << 3) + KIND_AND_B] >> KIND_BITS;
  }

  /** Drops the earliest event and finds the next. Call only when size > 0. */
  pop(): void {
    const handle = this.head;
    const popped = this.headTime;
    const bucket = Math.floor(popped * this.inverseWidth);
    this.remove(handle);
    if (bucket !== this.current) {
      this.current = bucket;
      // Doubles count in ones only so far: widths that have become too narrow for the time reached are renewed at once.
      if (bucket > MAX_BUCKET_NUMBER) this.popsUntilTune = 1;
      if (this.heapSize > 0 && this.bucketOf(this.heap[0]) <= bucket + this.mask) this.pullFromHeap();
    }
    this.poppedTime = popped;
    if (--this.popsUntilTune === 0) this.tune(popped);
    this.findHead();
  }

  /** Drops a pending event. */
  cancel(handle: EventHandle): void {
    this.remove(handle);
    if (handle === this.head) this.findHead();
  }

  /** Virtual bucket: time in units of the width, rounded down. Never before `current`, because both are rounded by one formula. */
  private bucketOf(handle: number): number {
    return Math.floor(this.reals[(handle << 2) + TIME] * this.inverseWidth);
  }

  // The helpers take handles and read times from the rows: a double passed to a function that is not inlined is boxed.
  private place(handle: number): void {
    const virtual = this.bucketOf(handle);
    if (virtual > this.current + this.mask) this.heapPush(handle);
    else this.insert(handle, virtual & this.mask);
  }

  private insert(handle: number, bucket: number): void {
    const { reals, ints } = this;
    this.inBuckets++;
    const last = this.last[bucket];
    if (last === NONE) {
      ints[(handle << 3) + NEXT] = NONE;
      ints[(handle << 3) + PREV] = NONE;
      this.first[bucket] = handle;
      this.last[bucket] = handle;
      this.bitmap[bucket >>> 5] |= 1 << (bucket & 31);
      return;
    }
    const time = reals[(handle << 2) + TIME];
    const order = reals[(handle << 2) + ORDER];
    // From the back: the newest of equal times goes last, which makes a burst of ties cheap.
    let after = last;
    let steps = 0;
    while (
      after !== NONE &&
      (reals[(after << 2) + TIME] > time || (reals[(after << 2) + TIME] === time && reals[(after << 2) + ORDER] > order))
    ) {
      after = ints[(after << 3) + PREV];
      steps++;
    }
    this.walked += steps;
    if (steps > LONG_WALK && --this.longWalksLeft <= 0) this.crowded = bucket;
    ints[(handle << 3) + PREV] = after;
    if (after === NONE) {
      const first = this.first[bucket];
      ints[(handle << 3) + NEXT] = first;
      ints[(first << 3) + PREV] = handle;
      this.first[bucket] = handle;
      return;
    }
    const before = ints[(after << 3) + NEXT];
    ints[(handle << 3) + NEXT] = before;
    ints[(after << 3) + NEXT] = handle;
    if (before === NONE) this.last[bucket] = handle;
    else ints[(before << 3) + PREV] = handle;
  }

  private remove(handle: number): void {
    const { ints } = this;
    this.size--;
    if (ints[(handle << 3) + PREV] === IN_HEAP) this.heapRemove(ints[(handle << 3) + NEXT]);
    else this.unlink(handle);
    ints[(handle << 3) + PREV] = FREE;
    ints[(handle << 3) + NEXT] = this.free;
    this.free = handle;
  }

  private unlink(handle: number): void {
    const { ints } = this;
    const bucket = this.bucketOf(handle) & this.mask;
    const before = ints[(handle << 3) + PREV];
    const after = ints[(handle << 3) + NEXT];
    if (before === NONE) this.first[bucket] = after;
    else ints[(before << 3) + NEXT] = after;
    if (after === NONE) this.last[bucket] = before;
    else ints[(after << 3) + PREV] = before;
    if (before === NONE && after === NONE) this.bitmap[bucket >>> 5] &= ~(1 << (bucket & 31));
    this.inBuckets--;
  }

  private findHead(): void {
    let head = NO_EVENT;
    if (this.inBuckets > 0) {
      // The buckets hold less than one turn of the wheel, so the first occupied one from `current` has the earliest event.
      const start = this.current & this.mask;
      const words = this.bitmap.length;
      let word = start >>> 5;
      let bits = this.bitmap[word] & (-1 << (start & 31));
      while (bits === 0) {
        word = word + 1 === words ? 0 : word + 1;
        bits = this.bitmap[word];
      }
      head = this.first[(word << 5) + (31 - Math.clz32(bits & -bits))];
    } else if (this.heapSize > 0) head = this.heap[0];
    else {
      this.head = NO_EVENT;
      this.headTime = Infinity;
      this.headOrder = Infinity;
      return;
    }
    this.head = head;
    this.headTime = this.reals[(head << 2) + TIME];
    this.headOrder = this.reals[(head << 2) + ORDER];
  }

  /** Moves what has come within the horizon from the heap to the buckets. */
  private pullFromHeap(): void {
    const horizon = this.current + this.mask;
    while (this.heapSize > 0) {
      const handle = this.heap[0];
      const bucket = this.bucketOf(handle);
      if (bucket > horizon) return;
      this.heapRemove(0);
      this.insert(handle, bucket & this.mask);
    }
  }

  /** Compares what the buckets are with what the recent pops asked for, and lays them out anew when it is off by more than half. */
  private tune(now: number): void {
    const pops = this.tunePops;
    const gap = (now - this.tuneFromTime) / pops;
    const crowded = this.walked > 4 * pops;
    let buckets = this.mask + 1;
    let wanted = MIN_BUCKETS;
    while (wanted < this.size * 2 && wanted < MAX_BUCKETS) wanted *= 2;
    let width = this.width;
    const ideal = gap * TARGET_PER_BUCKET;
    // The past may have been quieter than what is coming: a bucket is not made so wide that a crowd would share it.
    const isWider = ideal > width * 2 && this.countBefore(now + ideal) <= LONG_WALK;
    if (ideal > 0 && (isWider || ideal * 2 < width || (crowded && ideal < width))) width = ideal;
    // No bucket narrower than the clock can tell apart, or bucket numbers lose their integers.
    width = Math.max(width, now * 1e-12, 1e-9);
    if (wanted > buckets || wanted * 4 < buckets) buckets = wanted;
    if (width !== this.width || buckets !== this.mask + 1) this.rebuild(width, buckets, now);
    this.walked = 0;
    this.tuneFromTime = now;
    this.tunePops = Math.max(1024, this.size >>> 1);
    this.popsUntilTune = this.tunePops;
  }

  /** Events crowd into one bucket faster than pops can tell: narrows the buckets by the gaps found in that one. */
  private relieve(): void {
    const { reals, ints } = this;
    const first = this.first[this.crowded];
    let count = 0;
    for (let handle = first; handle !== NONE; handle = ints[(handle << 3) + NEXT]) count++;
    const span = count === 0 ? 0 : reals[(this.last[this.crowded] << 2) + TIME] - reals[(first << 2) + TIME];
    const width = Math.max((span / count) * TARGET_PER_BUCKET, this.poppedTime * 1e-12, 1e-9);
    // Ties crowd whatever the width.
    if (span > 0 && width * 2 < this.width) this.rebuild(width, this.mask + 1, this.poppedTime);
    this.crowded = NONE;
    this.longWalksLeft = Math.max(LONG_WALKS_MIN, this.size >>> 3);
  }

  private countBefore(time: number): number {
    let count = 0;
    for (let handle = 0; handle < this.used; handle++) {
      if (this.ints[(handle << 3) + PREV] !== FREE && this.reals[(handle << 2) + TIME] < time) count++;
    }
    return count;
  }

  private rebuild(width: number, buckets: number, now: number): void {
    if (buckets !== this.mask + 1) {
      this.first = new Int32Array(buckets);
      this.last = new Int32Array(buckets);
      this.bitmap = new Int32Array(buckets >>> 5);
      this.mask = buckets - 1;
    }
    this.first.fill(NONE);
    this.last.fill(NONE);
    this.bitmap.fill(0);
    this.width = width;
    this.inverseWidth = 1 / width;
    this.current = Math.floor(now * this.inverseWidth);
    this.inBuckets = 0;
    this.heapSize = 0;
    for (let handle = 0; handle < this.used; handle++) {
      if (this.ints[(handle << 3) + PREV] !== FREE) this.place(handle);
    }
  }

  private before(x: number, y: number): boolean {
    const { reals } = this;
    const tx = reals[(x << 2) + TIME];
    const ty = reals[(y << 2) + TIME];
    return tx < ty || (tx === ty && reals[(x << 2) + ORDER] < reals[(y << 2) + ORDER]);
  }

  private heapPush(handle: number): void {
    if (this.heapSize === this.heap.length) this.heap = grownInts(this.heap, this.heap.length * 2);
    this.heapUp(this.heapSize++, handle);
  }

  private heapRemove(index: number): void {
    const moved = this.heap[--this.heapSize];
    if (index === this.heapSize) return;
    if (index > 0 && this.before(moved, this.heap[(index - 1) >>> 1])) this.heapUp(index, moved);
    else this.heapDown(index, moved);
  }

  private heapUp(from: number, handle: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      const other = this.heap[parent];
      if (!this.before(handle, other)) break;
      this.heap[index] = other;
      this.ints[(other << 3) + NEXT] = index;
      index = parent;
    }
    this.heap[index] = handle;
    this.ints[(handle << 3) + NEXT] = index;
    this.ints[(handle << 3) + PREV] = IN_HEAP;
  }

  private heapDown(from: number, handle: number): void {
    let index = from;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.heapSize) break;
      if (child + 1 < this.heapSize && this.before(this.heap[child + 1], this.heap[child])) child++;
      const other = this.heap[child];
      if (!this.before(other, handle)) break;
      this.heap[index] = other;
      this.ints[(other << 3) + NEXT] = index;
      index = child;
    }
    this.heap[index] = handle;
    this.ints[(handle << 3) + NEXT] = index;
    this.ints[(handle << 3) + PREV] = IN_HEAP;
  }

  private grow(): void {
    this.capacity *= 2;
    const buffer = new ArrayBuffer(this.capacity * ROW_BYTES);
    const ints = new Int32Array(buffer);
    ints.set(this.ints);
    this.reals = new Float64Array(buffer);
    this.ints = ints;
  }
}
