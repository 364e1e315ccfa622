/** What every circuit breaker owes the pipeline, as checks that can be run on one. Each rule returns the violations it found, in words;
 *  none is good. A breaker may judge results or count what is in flight: the rules bring about both an outage and a pile-up. */
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { type Breaker, type BreakerDeps, breakerStates, NO_PERMIT } from './breaker.ts';

export type MakeBreaker = (deps: BreakerDeps) => Breaker;

export interface BreakerRule {
  /** A sentence that the breaker should make true. */
  readonly name: string;
  check(make: MakeBreaker): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkBreaker = (make: MakeBreaker): readonly string[] =>
  breakerRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const breakerRules: readonly BreakerRule[] = [
  {
    name: 'lets everything through while all goes well',
    check: (make) => {
      const trial = new BreakerTrial(make);
      for (let i = 1; i <= 500; i++) if (!trial.call('good')) return [...trial.violations, `turned away good call ${i}`];
      trial.expectClosed('500 good calls');
      return trial.violations;
    },
  },
  {
    name: 'turns attempts away when all of them fail',
    check: (make) => {
      const trial = new BreakerTrial(make);
      trial.expectFailure('an outage');
      return trial.violations;
    },
  },
  {
    name: 'lets nothing through before the time it announced',
    check: (make) => {
      const trial = new BreakerTrial(make);
      trial.fail();
      const retryAtMs = trial.breaker.retryAtMs(trial.nowMs);
      if (retryAtMs === Infinity) return trial.violations;
      if (!(retryAtMs >= 0)) return [`announced ${retryAtMs}`];
      for (let part = 1; part < 20; part++) {
        const beforeMs = trial.nowMs + ((retryAtMs - trial.nowMs) * part) / 20;
        if (beforeMs < retryAtMs && trial.breaker.acquire(beforeMs) !== NO_PERMIT) {
          return [`let an attempt through at ${beforeMs} after announcing ${retryAtMs}`];
        }
      }
      return trial.violations;
    },
  },
  {
    name: 'lets attempts through again, sooner or later',
    check: (make) => {
      const trial = new BreakerTrial(make);
      for (let outage = 0; outage < 5; outage++) {
        trial.fail();
        trial.settleIfAny(trial.awaitPermit(), 'bad');
      }
      return trial.violations;
    },
  },
  {
    name: 'recovers when attempts end well, and can then open again',
    check: (make) => {
      const trial = new BreakerTrial(make);
      for (let outage = 1; outage <= 3; outage++) {
        trial.expectFailure(`outage ${outage}`);
        trial.recover();
      }
      return trial.violations;
    },
  },
  {
    name: 'does not let a crowd through when it tries again',
    check: (make) => {
      const trial = new BreakerTrial(make);
      trial.fail();
      trial.awaitPermit();
      for (let i = 1; i < CROWD; i++) if (trial.acquire() === NO_PERMIT) return trial.violations;
      return [...trial.violations, `let ${CROWD} attempts through at one instant`];
    },
  },
  {
    name: 'keeps no place for attempts that were released',
    check: (make) => {
      const trial = new BreakerTrial(make);
      for (let i = 0; i < CROWD; i++) trial.call('released');
      trial.expectClosed('attempts that were all released');
      trial.fail();
      for (let probe = 0; probe < 40; probe++) trial.settleIfAny(trial.awaitPermit(), 'released');
      trial.recover();
      return trial.violations;
    },
  },
  {
    name: 'is not upset by results from before a change of state',
    check: (make) => {
      const trial = new BreakerTrial(make);
      const early = Array.from({ length: 40 }, () => trial.acquire());
      trial.fail();
      for (let i = 0; i < 10; i++) trial.settleIfAny(early.pop()!, i % 2 === 0 ? 'good' : 'bad');
      const probe = trial.awaitPermit();
      for (let i = 0; i < 10; i++) trial.settleIfAny(early.pop()!, (['good', 'bad', 'released'] as const)[i % 3]);
      trial.settleIfAny(probe, 'good');
      trial.recover();
      for (let i = 0; i < 10; i++) trial.settleIfAny(early.pop()!, 'released');
      trial.expectFailure('late results');
      for (const permit of early) trial.settleIfAny(permit, 'good');
      trial.recover();
      return trial.violations;
    },
  },
  {
    name: 'repeats itself for the same history, also when it is looked at and beside another instance',
    check: (make) => {
      const one = new BreakerTrial(make);
      const watched = new BreakerTrial(make);
      const world = lcg(7);
      for (let i = 0; i < 3000; i++) {
        const draw = world.uint32();
        one.act(draw);
        watched.act(draw);
        watched.breaker.state(watched.nowMs);
        watched.breaker.retryAtMs(watched.nowMs);
        if (one.log[i] !== watched.log[i]) return [`step ${i}: ${one.log[i]}, but ${watched.log[i]} when looked at`];
      }
      const states = [one, watched].map(({ breaker, nowMs }) => breaker.state(nowMs));
      return states[0] === states[1] ? [] : [`ended in state ${states[0]}, but in ${states[1]} when looked at`];
    },
  },
];

type End = 'good' | 'bad' | 'released';

/** More than any breaker should let through at once when it has just been open. */
const CROWD = 3000;
const DURATION_MS = 10;
/** Much longer than a breaker should stay open, in steps of a second. */
const LONG_STEPS = 10_000;

/** One breaker and its clock. */
export class BreakerTrial {
  readonly breaker: Breaker;
  readonly violations: string[] = [];
  /** What it answered to `act`. */
  readonly log: string[] = [];
  nowMs: Ms = 0;
  readonly #out: number[] = [];

  constructor(make: MakeBreaker) {
    this.breaker = make({ rng: lcg(1) });
  }

  acquire(): number {
    const permit = this.breaker.acquire(this.nowMs);
    if (permit !== NO_PERMIT && !(Number.isInteger(permit) && permit >= 0)) this.#complain(`gave the permit ${permit}`);
    if (permit === NO_PERMIT && this.breaker.state(this.nowMs) === breakerStates.closed)
      this.#complain('turned an attempt away while it said it was closed');
    return permit;
  }

  settleIfAny(permit: number, end: End): void {
    if (permit === NO_PERMIT) return;
    if (end === 'released') this.breaker.release(permit, this.nowMs);
    else this.breaker.settle(permit, end === 'good', DURATION_MS, this.nowMs);
  }

  /** One attempt from its permit to its end; whether it was let through. */
  call(end: End): boolean {
    const permit = this.acquire();
    this.nowMs += DURATION_MS;
    this.settleIfAny(permit, end);
    return permit !== NO_PERMIT;
  }

  /** Ever more attempts at once, all of which fail, until one is turned away. */
  fail(): boolean {
    for (let crowd = 1; crowd < CROWD; crowd *= 2) {
      const permits = Array.from({ length: crowd }, () => this.acquire());
      const isTurningAway = permits.includes(NO_PERMIT);
      this.nowMs += DURATION_MS;
      for (const permit of permits) this.settleIfAny(permit, 'bad');
      if (isTurningAway) return true;
      this.nowMs += 100;
    }
    return false;
  }

  expectFailure(after: string): void {
    if (!this.fail()) this.#complain(`turned nothing away after ${after}`);
  }

  expectClosed(after: string): void {
    if (this.breaker.state(this.nowMs) !== breakerStates.closed) this.#complain(`was not closed after ${after}`);
  }

  /** The first permit it gives, as time goes by. */
  awaitPermit(): number {
    for (let step = 0; step < LONG_STEPS; step++) {
      const permit = this.acquire();
      if (permit !== NO_PERMIT) return permit;
      this.nowMs += 1000;
    }
    this.#complain('never let an attempt through again');
    return NO_PERMIT;
  }

  /** Good calls until many in a row were let through. */
  recover(): void {
    let passed = 0;
    for (let step = 0; step < LONG_STEPS && passed < 300; step++) {
      passed = this.call('good') ? passed + 1 : 0;
      if (passed === 0) this.nowMs += 1000;
    }
    if (passed < 300) this.#complain('did not recover');
    else this.expectClosed('300 good calls');
  }

  /** A step of a random history. Outages alternate with good times. */
  act(draw: number): void {
    const isOutage = this.log.length % 600 > 400;
    const kind = (draw >>> 8) % 8;
    // Not through `acquire`, which looks at the state.
    const permit = kind < 4 ? this.breaker.acquire(this.nowMs) : NO_PERMIT;
    if (permit !== NO_PERMIT) this.#out.push(permit);
    if (kind >= 4 && this.#out.length > 0) {
      const [ended] = this.#out.splice((draw >>> 12) % this.#out.length, 1);
      this.settleIfAny(ended, kind === 7 ? 'released' : isOutage ? 'bad' : 'good');
    }
    this.nowMs += (draw >>> 16) % 200;
    this.log.push(`permit ${permit}`);
  }

  #complain(violation: string): void {
    if (this.violations.length < 3) this.violations.push(`${violation} (at ${this.nowMs} ms)`);
  }
}

/** A small generator of its own, so that the checks need nothing of ours. */
function lcg(seed: number): Rng {
  let state = seed;
  const uint32 = (): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0);
  return { uint32, next: () => uint32() / 4_294_967_296, below: (n) => uint32() % n };
}
