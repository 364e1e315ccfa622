/** What every queue discipline owes its driver, as checks that can be run on one: built-in or brought along. Each rule returns the
 *  violations it found, in words; none is good. That nothing allocates is checked by the tests, since it takes a look at the heap. */
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { Xoshiro128 } from '../../../core/xoshiro.ts';
import type { QueuePolicy } from './queue-policy.ts';

export type MakeQueuePolicy = () => QueuePolicy;

export interface QueueRule {
  /** A sentence that the discipline should make true. */
  readonly name: string;
  check(make: MakeQueuePolicy): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkQueuePolicy = (make: MakeQueuePolicy): readonly string[] =>
  queueRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const queueRules: readonly QueueRule[] = [
  {
    name: 'runs every request of a queue that empties at once',
    check: (make) => {
      const trial = new QueueTrial(make(), 1);
      for (let i = 0; i < 500; i++) {
        trial.nowMs += 20;
        trial.join();
        trial.nowMs += 1;
        trial.serve();
      }
      return trial.expectDropped(0, 500);
    },
  },
  {
    name: 'runs every request of a short burst',
    check: (make) => {
      const trial = new QueueTrial(make(), 2);
      for (let i = 0; i < 10; i++) trial.join();
      for (let i = 0; i < 10; i++) {
        trial.nowMs += 0.4;
        trial.serve();
      }
      return trial.expectDropped(0, 10);
    },
  },
  {
    name: 'accounts for every request of a long overload',
    check: (make) => {
      const trial = new QueueTrial(make(), 3);
      trial.overload(5000);
      while (trial.queued > 0) trial.serve();
      const told = trial.run + trial.dropped;
      return trial.violations.concat(told === trial.joined ? [] : [`${told} of ${trial.joined} requests were run or dropped`]);
    },
  },
  {
    name: 'runs something in a long overload',
    check: (make) => {
      const trial = new QueueTrial(make(), 4);
      trial.overload(5000);
      const before = trial.run;
      trial.overload(5000);
      return trial.run > before ? trial.violations : [`ran none of the last ${trial.joined / 2} requests`];
    },
  },
  {
    name: 'goes back to running everything, oldest first or newest first as ever, when the overload is over',
    check: (make) => {
      const trial = new QueueTrial(make(), 5);
      const isNewestFirst = trial.policy.takesNewest(2, 0);
      trial.overload(5000);
      while (trial.queued > 0) trial.serve();
      for (let i = 0; i < 100; i++) trial.lightLoad();
      const droppedBefore = trial.dropped;
      for (let i = 0; i < 200; i++) trial.lightLoad();
      if (trial.policy.takesNewest(2, trial.nowMs) !== isNewestFirst) trial.violations.push('did not change back its order');
      return trial.violations.concat(trial.dropped === droppedBefore ? [] : [`dropped ${trial.dropped - droppedBefore} of 200`]);
    },
  },
  {
    name: 'is not confused by requests that leave the queue by themselves',
    check: (make) => {
      const trial = new QueueTrial(make(), 6);
      for (let i = 0; i < 3000; i++) trial.step();
      trial.leaveAll();
      for (let i = 0; i < 100; i++) trial.lightLoad();
      const before = trial.dropped;
      for (let i = 0; i < 50; i++) trial.lightLoad();
      return trial.violations.concat(trial.dropped === before ? [] : ['dropped requests that hardly waited']);
    },
  },
  {
    name: 'answers the same when asked twice which end is next',
    check: (make) => {
      const trial = new QueueTrial(make(), 7);
      for (let i = 0; i < 2000; i++) trial.step();
      return trial.violations;
    },
  },
  {
    name: 'repeats its decisions for the same history, also beside another instance',
    check: (make) => {
      const one = new QueueTrial(make(), 8);
      const other = new QueueTrial(make(), 8);
      for (let i = 0; i < 2000; i++) {
        one.step();
        other.step();
      }
      const at = one.decisions.findIndex((decision, i) => decision !== other.decisions[i]);
      return at === -1 ? [] : [`two instances with the same history differ in decision ${at}`];
    },
  },
];

/** One slot and a queue in front of it, as an array of arrival times. */
export class QueueTrial {
  readonly policy: QueuePolicy;
  readonly violations: string[] = [];
  readonly decisions: boolean[] = [];
  nowMs: Ms = 0;
  joined = 0;
  run = 0;
  dropped = 0;
  readonly #rng: Rng;
  readonly #waiting: Ms[] = [];

  constructor(policy: QueuePolicy, seed: number) {
    this.policy = policy;
    this.#rng = new Xoshiro128(seed, 0x9e3779b9, 0x243f6a88, 0xb7e15162);
  }

  get queued(): number {
    return this.#waiting.length;
  }

  join(): void {
    this.joined++;
    this.#waiting.push(this.nowMs);
    this.policy.onEnqueue(this.#waiting.length, this.nowMs);
  }

  /** A slot is free: takes requests until one is run or none is left. Returns how long the one run had waited; NaN if there was none. */
  serve(): Ms {
    while (this.#waiting.length > 0) {
      const isNewest = this.policy.takesNewest(this.#waiting.length, this.nowMs);
      if (this.policy.takesNewest(this.#waiting.length, this.nowMs) !== isNewest)
        this.violations.push('changed its mind when asked twice');
      const waitMs = this.nowMs - (isNewest ? this.#waiting.pop()! : this.#waiting.shift()!);
      const runs = this.policy.onDequeue(waitMs, this.#waiting.length, this.nowMs);
      this.decisions.push(isNewest, runs);
      if (runs) {
        this.run++;
        return waitMs;
      }
      this.dropped++;
    }
    return NaN;
  }

  /** Twice as many requests as can be served, for so long. */
  overload(durationMs: Ms): void {
    for (const endMs = this.nowMs + durationMs; this.nowMs < endMs; this.nowMs += 2) {
      this.join();
      this.join();
      this.serve();
    }
  }

  /** One request that waits one millisecond, in a queue otherwise empty. */
  lightLoad(): void {
    this.nowMs += 20;
    this.join();
    this.nowMs += 1;
    this.serve();
  }

  /** All that wait give up; nobody tells the policy. */
  leaveAll(): void {
    this.#waiting.length = 0;
  }

  /** Something or other happens. */
  step(): void {
    const draw = this.#rng.below(100);
    if (draw < 45) this.join();
    else if (draw < 80) this.serve();
    else if (draw < 82) this.#waiting.splice(this.#rng.below(this.#waiting.length + 1), 1);
    else this.nowMs += this.#rng.next() * (draw === 99 ? 500 : 10);
  }

  expectDropped(dropped: number, joined: number): readonly string[] {
    const isAsExpected = this.dropped === dropped && this.run === joined - dropped;
    return this.violations.concat(isAsExpected ? [] : [`dropped ${this.dropped} of ${joined}, expected ${dropped}`]);
  }
}
