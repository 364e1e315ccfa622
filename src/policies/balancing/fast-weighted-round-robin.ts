/** Fast weighted round robin, HAProxy's `roundrobin`: smooth by weight, O(log n), and weights may change at any time.
 *
 *  Every endpoint has a position on a line and moves on by total/weight, exactly, each time it is picked; who is due is found in a tree.
 *  Endpoints that have not had a turn in the round fill the holes, the heaviest first. A newcomer is placed where its turn would be, so
 *  it gets no burst. It fails as all rotations do where weights are wrong; load plays no part. */
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type Slot } from './balancer.ts';
import { grownFloats } from '../../core/grow.ts';
import { Newcomers } from './parts/newcomers.ts';
import { SlotHeap } from './parts/slot-heap.ts';

export const fastWeightedRoundRobin = defineBalancer({
  name: 'fast-weighted-round-robin',
  summary: 'Picks endpoints in turn by weight, smoothly, with weights that may change (HAProxy roundrobin).',
  useWhen: 'Capacities differ and weights are adjusted while running.',
  failsWhen: 'Weights are wrong or out of date: load plays no part.',
  cost: 'O(log n)',
  sources: ['haproxy/haproxy: src/lb_fwrr.c'],
  aliases: [
    { system: 'HAProxy', name: 'roundrobin' },
    { system: 'HAProxy', name: 'fwrr' },
  ],
  params: {},
  create: () => new FastWeightedRoundRobin(),
});

class FastWeightedRoundRobin implements Balancer {
  readonly #newcomers = new Newcomers();
  /** Waiting for their first turn of this round, and those that wait for the next. */
  #waiting = new SlotHeap();
  #deferred = new SlotHeap();
  /** Placed on this round's line, by position. */
  readonly #placed = new SlotHeap();
  #position = 0;
  #roundWeight = 0;
  #nextWeight = 0;

  #place: Uint8Array = new Uint8Array(0);
  #weight: Float64Array = new Float64Array(0);
  #next: Float64Array = new Float64Array(0);
  #last: Float64Array = new Float64Array(0);
  #remainder: Float64Array = new Float64Array(0);

  update(view: EndpointView): void {
    const { members, count, table } = view;
    this.#ensure(table.weight.length);
    const isFirst = this.#nextWeight === 0;
    this.#removeAbsent(view);
    for (let i = 0; i < count; i++) {
      const slot = members[i];
      const weight = internalWeight(table.weight[slot]);
      if (this.#newcomers.meet(table, slot)) this.#removeIfPresent(slot);
      if (this.#place[slot] !== OUT) this.#changeWeight(slot, weight);
      else if (isFirst) this.#start(slot, weight);
      else this.#enter(slot, weight);
    }
    if (isFirst) this.#position = this.#roundWeight = this.#nextWeight;
  }

  pick(): Slot {
    if (this.#nextWeight === 0) return NO_ENDPOINT;
    if (this.#roundWeight === 0) this.#position = this.#roundWeight = this.#nextWeight;
    let slot = this.#due();
    if (slot === NO_ENDPOINT) {
      this.#startRound();
      slot = this.#due();
    }
    this.#moveOn(slot);
    this.#position++;
    this.#queue(slot);
    return slot;
  }

  /** Takes whoever is due out of its queue. */
  #due(): Slot {
    const placed = this.#placed.first();
    const waiting = this.#waiting.first();
    if (waiting !== NO_ENDPOINT && (placed === NO_ENDPOINT || this.#next[placed] > this.#position)) {
      this.#waiting.removeFirst();
      this.#next[waiting] = this.#remainder[waiting] = 0;
      return waiting;
    }
    if (placed !== NO_ENDPOINT) this.#placed.removeFirst();
    return placed;
  }

  #startRound(): void {
    [this.#waiting, this.#deferred] = [this.#deferred, this.#waiting];
    // Places are named after the queue's role, and the deferred now wait.
    for (let slot = 0; slot < this.#place.length; slot++) if (this.#place[slot] === DEFERRED) this.#place[slot] = WAITING;
    this.#position = this.#roundWeight = this.#nextWeight;
  }

  /** The next position, in whole steps; what is left of the division is carried, so that shares are exact. */
  #moveOn(slot: Slot): void {
    const weight = this.#weight[slot];
    this.#last[slot] = this.#next[slot] === 0 ? this.#position : this.#next[slot];
    this.#next[slot] = this.#last[slot] + Math.floor(this.#nextWeight / weight);
    this.#remainder[slot] += this.#nextWeight % weight;
    if (this.#remainder[slot] >= weight) {
      this.#remainder[slot] -= weight;
      this.#next[slot]++;
    }
  }

  #queue(slot: Slot): void {
    const isBeyondRound = this.#next[slot] >= 2 * this.#roundWeight || this.#next[slot] >= this.#roundWeight + this.#nextWeight;
    if (isBeyondRound) {
      this.#next[slot] -= this.#roundWeight;
      this.#deferred.insert(slot, -this.#weight[slot]);
      this.#place[slot] = DEFERRED;
    } else {
      const key = 256 * this.#next[slot] + Math.floor((MAX_WEIGHT + this.#remainder[slot] - this.#weight[slot]) / SCALE);
      this.#placed.insert(slot, key);
      this.#place[slot] = PLACED;
    }
  }

  #start(slot: Slot, weight: number): void {
    this.#weight[slot] = weight;
    this.#nextWeight += weight;
    this.#waiting.insert(slot, -weight);
    this.#place[slot] = WAITING;
  }

  /** A newcomer's first turn is as far off as its share says. */
  #enter(slot: Slot, weight: number): void {
    this.#weight[slot] = weight;
    this.#nextWeight += weight;
    this.#remainder[slot] = 0;
    const ahead = this.#nextWeight + this.#roundWeight - this.#position;
    this.#next[slot] = this.#position + Math.floor(ahead / weight);
    this.#queue(slot);
  }

  #changeWeight(slot: Slot, weight: number): void {
    if (this.#weight[slot] === weight) return;
    this.#nextWeight += weight - this.#weight[slot];
    const place = this.#place[slot];
    this.#takeOut(slot);
    this.#weight[slot] = weight;
    if (place === WAITING) {
      this.#waiting.insert(slot, -weight);
      return;
    }
    if (place === DEFERRED) this.#next[slot] += this.#roundWeight;
    const step = Math.floor(this.#nextWeight / weight);
    this.#remainder[slot] = 0;
    this.#next[slot] = Math.min(this.#next[slot], this.#last[slot] + step);
    if (this.#next[slot] < this.#position + 2) this.#next[slot] = this.#position + step;
    this.#queue(slot);
  }

  #removeAbsent({ members, count }: EndpointView): void {
    const isMember = new Uint8Array(this.#place.length);
    for (let i = 0; i < count; i++) isMember[members[i]] = 1;
    for (let slot = 0; slot < this.#place.length; slot++) if (isMember[slot] === 0) this.#removeIfPresent(slot);
  }

  #removeIfPresent(slot: Slot): void {
    if (this.#place[slot] === OUT) return;
    this.#nextWeight -= this.#weight[slot];
    this.#takeOut(slot);
    this.#place[slot] = OUT;
  }

  #takeOut(slot: Slot): void {
    const place = this.#place[slot];
    (place === WAITING ? this.#waiting : place === DEFERRED ? this.#deferred : this.#placed).remove(slot);
  }

  #ensure(size: number): void {
    if (size <= this.#place.length) return;
    const place = new Uint8Array(size);
    place.set(this.#place);
    this.#place = place;
    this.#weight = grownFloats(this.#weight, size);
    this.#next = grownFloats(this.#next, size);
    this.#last = grownFloats(this.#last, size);
    this.#remainder = grownFloats(this.#remainder, size);
  }
}

const OUT = 0;
const WAITING = 1;
const PLACED = 2;
const DEFERRED = 3;

/** HAProxy keeps weights 16-fold, up to 256. */
const SCALE = 16;
const MAX_WEIGHT = 256 * SCALE;
const internalWeight = (weight: number): number => Math.min(MAX_WEIGHT, Math.max(1, Math.round(weight * SCALE)));
