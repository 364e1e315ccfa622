/** A group of members on a network in memory: a list of deliveries and the members' own timers, in order of time. */
import {
  type MemberRecord,
  Membership,
  swim,
  type SwimMessage,
  type SwimParams,
} from '../../../../src/policies/detection/swim/index.ts';
import { defaults } from '../../../../src/core/params.ts';
import { testRng } from '../../fixtures.ts';

interface Delivery {
  readonly atMs: number;
  readonly order: number;
  readonly from: number;
  readonly to: number;
  readonly message: SwimMessage;
}
export interface Belief {
  readonly atMs: number;
  readonly by: number;
  readonly about: number;
  readonly what: 'alive' | 'dead' | 'suspected' | 'cleared';
}

export interface GroupOptions {
  readonly seed: number;
  readonly params?: Partial<SwimParams>;
  readonly latencyMs?: number;
  /** Share of unreliable messages that get lost. */
  readonly loss?: number;
  /** Members know each other from the start; otherwise they join through the first. */
  readonly isFormed?: boolean;
}

export class Group {
  readonly members: Membership[] = [];
  readonly beliefs: Belief[] = [];
  readonly crashed = new Set<number>();
  /** Until when a member neither hears nor acts; what comes meanwhile waits. */
  readonly pausedUntilMs: number[] = [];
  sent = 0;
  nowMs = 0;
  onSend: ((from: number, to: number, message: SwimMessage) => void) | undefined;
  readonly #latencyMs: number;
  readonly #loss: number;
  readonly #rng: ReturnType<typeof testRng>;
  /** A heap by time, then order. */
  readonly #deliveries: Delivery[] = [];
  #orders = 0;

  constructor(count: number, { seed, params = {}, latencyMs = 1, loss = 0, isFormed = true }: GroupOptions) {
    this.#latencyMs = latencyMs;
    this.#loss = loss;
    this.#rng = testRng(seed);
    const everybody = Array.from({ length: count }, (_, i) => i);
    for (const self of everybody) {
      const note = (about: number, what: Belief['what'], atMs: number): void => {
        this.beliefs.push({ atMs, by: self, about, what });
      };
      this.pausedUntilMs.push(-1);
      this.members.push(
        new Membership(
          { ...defaults(swim.params), ...params },
          {
            self,
            rng: testRng(seed * 1000 + self + 1),
            transport: { send: (to, message, isReliable) => this.#send(self, to, message, isReliable) },
            sink: {
              believe: (about, alive, atMs) => note(about, alive ? 'alive' : 'dead', atMs),
              suspect: (about, isSuspected, atMs) => note(about, isSuspected ? 'suspected' : 'cleared', atMs),
            },
          },
        ),
      );
    }
    this.members.forEach((member, self) => {
      member.start(0, isFormed ? everybody : []);
      if (!isFormed && self > 0) member.join(0);
    });
  }

  advanceTo(endMs: number): void {
    for (;;) {
      let atMs = this.#deliveries[0]?.atMs ?? Infinity;
      let waking = -1;
      this.members.forEach((member, i) => {
        if (this.crashed.has(i)) return;
        const nextMs = Math.max(member.nextTimerMs(), this.pausedUntilMs[i]);
        if (nextMs < atMs) {
          atMs = nextMs;
          waking = i;
        }
      });
      if (atMs > endMs) break;
      this.nowMs = Math.max(this.nowMs, atMs);
      if (waking !== -1) this.members[waking].onTimer(this.nowMs);
      else this.#deliver();
    }
    this.nowMs = endMs;
  }

  advanceUntil(isDone: () => boolean, stepMs: number, latestMs: number): void {
    while (!isDone() && this.nowMs < latestMs) this.advanceTo(this.nowMs + stepMs);
  }

  statuses(by: number): ReadonlyMap<number, MemberRecord['status']> {
    return new Map(this.members[by].members().map(({ member, status }) => [member, status]));
  }

  #send(from: number, to: number, message: SwimMessage, isReliable: boolean): void {
    this.sent++;
    this.onSend?.(from, to, message);
    if (!isReliable && this.#loss > 0 && this.#rng.next() < this.#loss) return;
    this.#push({ atMs: this.nowMs + this.#latencyMs, order: this.#orders++, from, to, message });
  }

  #deliver(): void {
    const { from, to, message, order } = this.#pop();
    if (this.crashed.has(to)) return;
    const { pausedUntilMs } = this;
    // A process that comes to itself finds its timers due first, and reads what waits after that.
    if (pausedUntilMs[to] >= this.nowMs) this.#push({ atMs: pausedUntilMs[to] + WAKING_MS, order, from, to, message });
    else this.members[to].receive(from, message, this.nowMs);
  }

  #push(delivery: Delivery): void {
    const heap = this.#deliveries;
    let hole = heap.length;
    heap.push(delivery);
    while (hole > 0 && isBefore(delivery, heap[(hole - 1) >> 1])) {
      heap[hole] = heap[(hole - 1) >> 1];
      hole = (hole - 1) >> 1;
    }
    heap[hole] = delivery;
  }

  #pop(): Delivery {
    const heap = this.#deliveries;
    const first = heap[0];
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
      if (!isBefore(heap[child], last)) break;
      heap[hole] = heap[child];
      hole = child;
    }
    heap[hole] = last;
    return first;
  }
}

const WAKING_MS = 1;

const isBefore = (a: Delivery, b: Delivery): boolean => a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
