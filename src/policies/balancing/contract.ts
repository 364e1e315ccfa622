/** What every balancer owes its driver, as checks that can be run on one: built-in or brought along. Each rule returns the violations it
 *  found, in words; none is good. The driver here is the usual one, an `EndpointSet`, so what passes here works in the simulator and in
 *  a proxy. That picks do not allocate is checked by the tests, since it takes a look at the heap. */
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';
import { Xoshiro128 } from '../../core/xoshiro.ts';
import {
  type Balancer,
  type EndpointTable,
  type Health,
  type LoadReport,
  NO_ENDPOINT,
  type Outcome,
  type PickContext,
  type Slot,
} from './balancer.ts';
import { EndpointSet } from './endpoint-set.ts';

export type MakeBalancer = (rng: Rng) => Balancer;

export interface ContractRule {
  /** A sentence that the balancer should make true. */
  readonly name: string;
  check(make: MakeBalancer): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkBalancer = (make: MakeBalancer): readonly string[] =>
  balancerRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const balancerRules: readonly ContractRule[] = [
  {
    name: 'picks only endpoints of its view, whatever their number',
    check: (make) =>
      [1, 2, 3, 10, 100].flatMap((count) => {
        const trial = new BalancerTrial(make, count);
        for (let i = 0; i < 300; i++) trial.step(PICK_OR_END);
        return trial.violations;
      }),
  },
  {
    name: 'handles a thousand endpoints',
    check: (make) => {
      const trial = new BalancerTrial(make, 1000);
      for (let i = 0; i < 500; i++) trial.step(PICK_OR_END);
      return trial.violations;
    },
  },
  {
    name: 'answers an empty view with no endpoint, again and again',
    check: (make) => {
      const trial = new BalancerTrial(make, 0);
      for (let i = 0; i < 3; i++) trial.pick();
      trial.set.add('first', {}, trial.nowMs);
      if (trial.pick() === NO_ENDPOINT) trial.violations.push('did not pick the first endpoint to come');
      trial.set.remove(trial.set.find('first'), trial.nowMs);
      for (let i = 0; i < 3; i++) trial.pick();
      trial.endAll();
      trial.pick();
      return trial.violations;
    },
  },
  {
    name: 'picks the only endpoint every time, however busy it is',
    check: (make) => {
      const trial = new BalancerTrial(make, 1);
      for (let i = 0; i < 50; i++) {
        if (trial.pick() !== 0) trial.violations.push(`pick ${i} was not the only endpoint`);
      }
      return trial.violations;
    },
  },
  {
    name: 'keeps to its view while endpoints come, go, fail and change weight with work in flight',
    check: (make) =>
      [1, 2, 3].flatMap((seed) => {
        const trial = new BalancerTrial(make, 6, seed);
        for (let i = 0; i < 400; i++) trial.step(ANYTHING);
        return trial.violations;
      }),
  },
  {
    name: 'credits nobody else with the late end of an endpoint that was removed',
    check: (make) => compareTwins(make, 'the late end of a removed endpoint', endNever, endAfterNewcomer),
  },
  {
    name: 'does not take a newcomer for the endpoint that lived in its slot before',
    check: (make) => compareTwins(make, 'reuse of a slot', endBeforeNewcomer, endAfterNewcomer),
  },
  {
    name: 'repeats its picks for the same seed and history, also beside another instance',
    check: (make) => {
      const one = new BalancerTrial(make, 8, 7);
      const other = new BalancerTrial(make, 8, 7);
      for (let i = 0; i < 400; i++) {
        one.step(ANYTHING);
        other.step(ANYTHING);
      }
      return firstDifference(one.picks, other.picks, 'two instances with the same seed and history');
    },
  },
  {
    name: 'does not change the table',
    check: (make) => {
      const trial = new BalancerTrial(make, 10);
      const violations: string[] = [];
      for (let i = 0; i < 200; i++) {
        const before = snapshot(trial.set.table);
        trial.pickOnly();
        if (snapshot(trial.set.table) !== before) violations.push(`pick ${i} changed the endpoint table`);
        trial.step(PICK_OR_END);
      }
      return violations.slice(0, 1);
    },
  },
];

/** One balancer, driven through a random history that its seed fixes. */
export class BalancerTrial {
  readonly set = new EndpointSet(2);
  readonly balancer: Balancer;
  readonly violations: string[] = [];
  /** Names of the endpoints picked, in order. */
  readonly picks: string[] = [];
  nowMs: Ms = 1000;
  readonly #world: Rng;
  readonly #context: PickContext = { nowMs: 0, attempt: 0, previous: NO_ENDPOINT, hasHash: false, hashHigh: 0, hashLow: 0 };
  readonly #report: LoadReport = emptyReport();
  readonly #probed = new Int32Array(64);
  #flights: { readonly slot: Slot; readonly sinceMs: Ms }[] = [];
  #born = 0;

  constructor(make: MakeBalancer, count: number, seed = 1) {
    this.#world = smallRng(seed);
    for (let i = 0; i < count; i++) this.#add();
    this.balancer = make(smallRng(seed + 1000));
    this.set.bind(this.balancer, this.nowMs);
    this.#runTimers();
  }

  /** One of the first `kinds` things that can happen, at random; some time passes. */
  step(kinds: number): void {
    this.act(this.#world.below(kinds), this.#world.uint32());
  }

  /** What happens is chosen by `kind`, to whom by `choice`. */
  act(kind: number, choice: number): void {
    this.nowMs += (choice % 1000) / 8;
    this.#runTimers();
    switch (kind) {
      case 0:
      case 1:
      case 2:
        this.pick();
        break;
      case 3:
      case 4:
        this.end(choice);
        break;
      case 5:
        this.#reportFromMember(choice);
        break;
      case 6:
        this.#add(choice);
        break;
      case 7:
        this.#withMember(choice, (slot) => this.set.remove(slot, this.nowMs));
        break;
      case 8:
      case 9:
        this.#withMember(choice, (slot) => this.set.setHealth(slot, ((choice >>> 8) % 4) as Health, this.nowMs));
        break;
      default:
        this.#withMember(choice, (slot) => this.set.setWeight(slot, (choice >>> 8) % 5, this.nowMs));
    }
    this.#runTimers();
  }

  /** Picks and sends, as a driver does. */
  pick(): Slot {
    const slot = this.pickOnly();
    this.picks.push(slot === NO_ENDPOINT ? 'none' : (this.set.table.ids[slot] ?? 'nobody'));
    if (slot !== NO_ENDPOINT && this.set.isEligible(slot)) this.#send(slot);
    return slot;
  }

  pickOnly(): Slot {
    const context = this.#context;
    context.nowMs = this.nowMs;
    context.hasHash = this.#world.below(4) > 0;
    context.hashHigh = this.#world.uint32();
    context.hashLow = this.#world.uint32();
    const slot = this.balancer.pick(context);
    const mayPick = this.set.view.count > 0;
    if (mayPick && slot === NO_ENDPOINT) this.violations.push(`picked nobody out of ${this.set.view.count}`);
    if (!mayPick && slot !== NO_ENDPOINT && !this.set.isEligible(slot)) this.violations.push(`picked ${slot} from an empty view`);
    if (mayPick && slot !== NO_ENDPOINT && !this.set.isEligible(slot)) {
      this.violations.push(`picked ${slot}, which is not in the view`);
    }
    return slot;
  }

  /** Ends one attempt in flight, if there is one. */
  end(choice: number, outcome = ((choice >>> 4) % 8 < 6 ? 0 : (choice >>> 7) % 6) as Outcome): void {
    if (this.#flights.length === 0) return;
    const index = choice % this.#flights.length;
    const { slot, sinceMs } = this.#flights[index];
    this.#flights.splice(index, 1);
    this.set.end(slot);
    this.balancer.onEnd?.(slot, this.nowMs, this.nowMs - sinceMs, outcome);
  }

  endAll(): void {
    while (this.#flights.length > 0) this.end(0);
  }

  #send(slot: Slot): void {
    this.set.begin(slot);
    this.#flights.push({ slot, sinceMs: this.nowMs });
    this.balancer.onStart?.(slot, this.nowMs);
    const count = this.balancer.probes?.(this.#probed, this.nowMs) ?? 0;
    if (count > this.#probed.length)
      this.violations.push(`asked for ${count} probes where there is room for ${this.#probed.length}`);
    for (let i = 0; i < Math.min(count, this.#probed.length); i++) {
      const probed = this.#probed[i];
      if (this.set.isEligible(probed)) this.#fillReport(this.#world.uint32(), probed, true);
      else this.violations.push(`asked to probe ${probed}, which is not in the view`);
    }
  }

  #reportFromMember(choice: number): void {
    this.#withMember(choice, (slot) => this.#fillReport(choice, slot, false));
  }

  #fillReport(choice: number, slot: Slot, isProbe: boolean): void {
    const report = this.#report;
    report.queriesPerSecond = choice % 100;
    report.errorsPerSecond = choice % 7;
    report.utilization = (choice % 16) / 16;
    report.inFlight = (choice >>> 5) % 4;
    report.queueLength = (choice >>> 7) % 3;
    report.latencyMs = 1 + (choice % 50);
    report.isProbe = isProbe;
    this.balancer.onReport?.(slot, this.nowMs, report);
  }

  #add(choice = 0): void {
    const weight = choice === 0 ? 1 : 1 + ((choice >>> 3) % 3);
    this.set.add(`e${this.#born++}`, { weight, locality: choice % 3, priority: choice % 5 === 4 ? 1 : 0 }, this.nowMs);
  }

  #withMember(choice: number, act: (slot: Slot) => void): void {
    const { everyone, everyoneCount } = this.set.view;
    if (everyoneCount > 0) act(everyone[choice % everyoneCount]);
  }

  #runTimers(): void {
    const { balancer } = this;
    if (balancer.nextTimerMs === undefined) return;
    for (let calls = 0; balancer.nextTimerMs() <= this.nowMs; calls++) {
      if (calls === 1000) {
        this.violations.push('asks to be woken again and again at the same time');
        break;
      }
      balancer.onTimer?.(this.nowMs);
    }
    if (Number.isNaN(balancer.nextTimerMs())) this.violations.push('asks to be woken at NaN');
  }
}

/** Kinds of `act`: only picks and ends, or everything. */
const PICK_OR_END = 5;
const ANYTHING = 12;

/** Plays the same history twice, except for when the first endpoint's last attempt ends, and compares the picks that follow. */
function compareTwins(make: MakeBalancer, difference: string, one: Farewell, other: Farewell): readonly string[] {
  return [1, 2, 3].flatMap((seed) =>
    firstDifference(afterFarewell(make, seed, one), afterFarewell(make, seed, other), difference),
  );
}

type Farewell = (trial: BalancerTrial, leave: () => void) => void;
const endNever: Farewell = (_trial, leave) => leave();
const endAfterNewcomer: Farewell = (trial, leave) => {
  leave();
  trial.end(0, 1);
};
const endBeforeNewcomer: Farewell = (trial, leave) => {
  trial.end(0, 1);
  leave();
};

function afterFarewell(make: MakeBalancer, seed: number, farewell: Farewell): readonly string[] {
  const trial = new BalancerTrial(make, 4, seed);
  for (let i = 0; i < 40; i++) {
    trial.nowMs += 10;
    trial.pick();
    if (i % 3 === 0) trial.end(i);
  }
  trial.endAll();
  let leaver = trial.pick();
  // All balancers pick somebody here; a broken one is reported by the other rules.
  if (!trial.set.isEligible(leaver)) leaver = trial.set.view.members[0];
  trial.nowMs += 500;
  farewell(trial, () => {
    trial.set.remove(leaver, trial.nowMs);
    trial.set.add('newcomer', {}, trial.nowMs);
  });
  const past = trial.picks.length;
  for (let i = 0; i < 60; i++) {
    trial.nowMs += 5;
    trial.pick();
  }
  return trial.picks.slice(past);
}

function firstDifference(one: readonly string[], other: readonly string[], what: string): readonly string[] {
  const at = one.findIndex((pick, index) => pick !== other[index]);
  return at === -1 ? [] : [`${what} changed pick ${at} from ${one[at]} to ${other[at]}`];
}

const snapshot = (table: EndpointTable): string =>
  [table.ids, table.weight, table.health, table.priority, table.locality, table.active, table.healthySinceMs, table.generation]
    .map((column) => column.join())
    .join('|');

const emptyReport = (): LoadReport => ({
  queriesPerSecond: 0,
  errorsPerSecond: 0,
  utilization: 0,
  inFlight: 0,
  queueLength: 0,
  latencyMs: 0,
  isProbe: false,
});

/** Trials need many streams and no seed text. */
const smallRng = (seed: number): Rng => new Xoshiro128(seed, 0x9e3779b9, 0x243f6a88, 0xb7e15162);
