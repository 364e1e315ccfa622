/** Join idle queue: endpoints that fall idle queue up at the client, which takes the first of them; without one, a random endpoint.
 *
 *  No look at loads when a request comes: the work is done when an endpoint falls idle. Nearly as good as the shortest queue at moderate
 *  load. It fails at high load, where nobody is idle and all picks are random, and with many clients an endpoint that said it was idle
 *  may have been given work by another since.
 *
 *  An endpoint is idle when this client's own last request there ends, or, with `idleFrom: reports`, when it reports nothing in flight. */
import { choice } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, type LoadReport, NO_ENDPOINT, type Slot } from './balancer.ts';
import { Newcomers } from './parts/newcomers.ts';

export const joinIdleQueue = defineBalancer({
  name: 'join-idle-queue',
  summary: 'Picks whoever has been idle longest, or a random endpoint if nobody is idle.',
  useWhen: 'Load is moderate and picks must cost nothing.',
  failsWhen: 'Load is high: nobody is idle, and every pick is random.',
  cost: 'O(1)',
  sources: ['Lu et al.: Join-Idle-Queue (Performance Evaluation, 2011)'],
  aliases: [{ system: 'literature', name: 'jiq' }],
  params: {
    idleFrom: choice({
      default: 'own-requests',
      choices: ['own-requests', 'reports'],
      about: 'Who says that an endpoint is idle: this client’s own count, or the endpoint’s load report (inFlight = 0).',
    }),
  },
  create: ({ idleFrom }, deps) => new JoinIdleQueue(idleFrom === 'own-requests', deps.rng),
});

class JoinIdleQueue implements Balancer {
  readonly #rng: Rng;
  readonly #countsOwn: boolean;
  readonly #newcomers = new Newcomers();
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #active: Uint32Array = new Uint32Array(0);
  #isMember: Uint8Array = new Uint8Array(0);
  /** A ring with room for every slot once. */
  #queue: Int32Array = new Int32Array(0);
  #isQueued: Uint8Array = new Uint8Array(0);
  #head = 0;
  #length = 0;

  constructor(countsOwn: boolean, rng: Rng) {
    this.#countsOwn = countsOwn;
    this.#rng = rng;
  }

  update({ members, count, table }: EndpointView): void {
    this.#members = members;
    this.#count = count;
    this.#active = table.active;
    this.#ensure(table.active.length);
    this.#isMember.fill(0);
    for (let i = 0; i < count; i++) this.#isMember[members[i]] = 1;
    this.#dropAbsent();
    for (let i = 0; i < count; i++) {
      const slot = members[i];
      this.#newcomers.meet(table, slot);
      if (this.#countsOwn && this.#active[slot] === 0) this.#join(slot);
    }
  }

  pick(): Slot {
    if (this.#count === 0) return NO_ENDPOINT;
    while (this.#length > 0) {
      const slot = this.#leave();
      if (!this.#countsOwn || this.#active[slot] === 0) return slot;
    }
    return this.#members[this.#rng.below(this.#count)];
  }

  onEnd(slot: Slot): void {
    if (this.#countsOwn && this.#isMember[slot] === 1 && this.#active[slot] === 0) this.#join(slot);
  }

  onReport(slot: Slot, _nowMs: number, report: LoadReport): void {
    if (!this.#countsOwn && this.#isMember[slot] === 1 && report.inFlight === 0) this.#join(slot);
  }

  #join(slot: Slot): void {
    if (this.#isQueued[slot] === 1) return;
    this.#isQueued[slot] = 1;
    this.#queue[(this.#head + this.#length) % this.#queue.length] = slot;
    this.#length++;
  }

  #leave(): Slot {
    const slot = this.#queue[this.#head];
    this.#head = (this.#head + 1) % this.#queue.length;
    this.#length--;
    this.#isQueued[slot] = 0;
    return slot;
  }

  /** Keeps the order of those who stay. */
  #dropAbsent(): void {
    for (let left = this.#length; left > 0; left--) {
      const slot = this.#leave();
      if (this.#isMember[slot] === 1) this.#join(slot);
    }
  }

  #ensure(size: number): void {
    if (size <= this.#queue.length) return;
    const queue = new Int32Array(size);
    for (let i = 0; i < this.#length; i++) queue[i] = this.#queue[(this.#head + i) % this.#queue.length];
    this.#queue = queue;
    this.#head = 0;
    const isQueued = new Uint8Array(size);
    isQueued.set(this.#isQueued);
    this.#isQueued = isQueued;
    this.#isMember = new Uint8Array(size);
  }
}
