/** What every group membership owes its driver, as checks that can be run on one. Each rule returns the violations it found,
 *  in words; none is good. The rules are about small groups on a network without loss and with a delay of a millisecond. */
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import type { Membership, MembershipDeps } from './swim.ts';
import type { SwimMessage } from './messages.ts';

export type MakeMembership = (
  deps: MembershipDeps,
) => Pick<Membership, 'start' | 'join' | 'leave' | 'receive' | 'nextTimerMs' | 'onTimer'>;

export interface MembershipRule {
  /** A sentence that the membership should make true. */
  readonly name: string;
  check(make: MakeMembership): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkMembership = (make: MakeMembership): readonly string[] =>
  membershipRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const membershipRules: readonly MembershipRule[] = [
  {
    name: 'has nothing to say of members that are well',
    check: (make) => {
      const trial = new GroupTrial(make, true);
      trial.advanceTo(60_000);
      return trial.expectLog([]);
    },
  },
  {
    name: 'has all members know all others once they have joined',
    check: (make) => {
      const trial = new GroupTrial(make, false);
      trial.advanceTo(60_000);
      return trial.expectLog(pairs((by, about) => by !== about, 'alive'));
    },
  },
  {
    name: 'tells every survivor of a crash, once, and of nothing else',
    check: (make) => {
      const trial = new GroupTrial(make, true);
      trial.advanceTo(5000);
      trial.crashed.add(2);
      trial.advanceTo(300_000);
      return trial.expectLog(pairs((by, about) => by !== 2 && about === 2, 'dead'));
    },
  },
  {
    name: 'tells every other member of one that leaves, soon',
    check: (make) => {
      const trial = new GroupTrial(make, true);
      trial.advanceTo(5000);
      trial.members[2].leave(5000);
      trial.advanceTo(8000);
      return trial.expectLog(pairs((by, about) => by !== 2 && about === 2, 'dead'));
    },
  },
  {
    name: 'is not harmed by timers that fire early',
    check: (make) => {
      const calm = new GroupTrial(make, true);
      const nervous = new GroupTrial(make, true);
      for (const trial of [calm, nervous]) {
        trial.advanceTo(5000);
        trial.crashed.add(2);
      }
      for (let atMs = 5000; atMs <= 60_000; atMs += 70) {
        calm.advanceTo(atMs);
        nervous.advanceTo(atMs);
        nervous.members.forEach((member, i) => i !== 2 && member.onTimer(atMs));
      }
      return calm.log.join() === nervous.log.join() ? [] : [`early timers changed [${calm.log}] into [${nervous.log}]`];
    },
  },
  {
    name: 'sends a bounded number of messages per member and second',
    check: (make) => {
      const trial = new GroupTrial(make, true);
      trial.advanceTo(60_000);
      const rate = trial.sent / SIZE / 60;
      return rate > 0 && rate < 20 ? [] : [`sent ${rate} per member and second`];
    },
  },
];

const SIZE = 6;
const LATENCY_MS = 1;

const pairs = (isMeant: (by: number, about: number) => boolean, what: string): readonly string[] => {
  const everybody = Array.from({ length: SIZE }, (_, i) => i);
  return everybody.flatMap((by) => everybody.filter((about) => isMeant(by, about)).map((about) => `${by}: ${about} ${what}`));
};

class GroupTrial {
  readonly members: readonly ReturnType<MakeMembership>[];
  readonly crashed = new Set<number>();
  readonly log: string[] = [];
  sent = 0;
  #nowMs: Ms = 0;
  #violation: string | undefined;
  readonly #underWay: { readonly atMs: Ms; readonly from: number; readonly to: number; readonly message: SwimMessage }[] = [];

  constructor(make: MakeMembership, isFormed: boolean) {
    const everybody = Array.from({ length: SIZE }, (_, i) => i);
    this.members = everybody.map((self) =>
      make({
        self,
        rng: mixedRng(self),
        transport: {
          send: (to, message) => {
            this.sent++;
            this.#underWay.push({ atMs: this.#nowMs + LATENCY_MS, from: self, to, message });
          },
        },
        sink: {
          believe: (about, alive, nowMs) => {
            this.log.push(`${self}: ${about} ${alive ? 'alive' : 'dead'}`);
            if (nowMs !== this.#nowMs) this.#violation ??= `said ${nowMs} at ${this.#nowMs}`;
          },
        },
      }),
    );
    this.members.forEach((member, self) => {
      member.start(0, isFormed ? everybody : []);
      if (!isFormed && self > 0) member.join(0);
    });
  }

  advanceTo(endMs: Ms): void {
    while (this.#violation === undefined) {
      let atMs = this.#underWay[0]?.atMs ?? Infinity;
      let waking = -1;
      this.members.forEach((member, i) => {
        const nextMs = this.crashed.has(i) ? Infinity : member.nextTimerMs();
        if (nextMs >= atMs) return;
        atMs = nextMs;
        waking = i;
      });
      if (!(atMs <= endMs)) break;
      if (atMs < this.#nowMs) this.#violation ??= `asks to be woken at ${atMs}, at ${this.#nowMs}`;
      this.#nowMs = atMs;
      if (waking === -1) this.#deliver();
      else {
        this.members[waking].onTimer(atMs);
        if (this.members[waking].nextTimerMs() <= atMs) this.#violation ??= `asks to be woken again at ${atMs}`;
      }
    }
    this.#nowMs = endMs;
  }

  /** Who says it first is left to chance. */
  expectLog(expected: readonly string[]): readonly string[] {
    const violations = this.#violation === undefined ? [] : [this.#violation];
    if (sorted(this.log) !== sorted(expected)) violations.push(`told [${this.log}], expected [${expected}]`);
    return violations;
  }

  #deliver(): void {
    const { from, to, message } = this.#underWay.shift()!;
    if (!this.crashed.has(to)) this.members[to].receive(from, message, this.#nowMs);
  }
}

const sorted = (lines: readonly string[]): string => lines.toSorted().join();

/** Spread over [0, 1), the same every time, different for each member. */
function mixedRng(seed: number): Rng {
  let state = Math.imul(seed + 1, 0x85eb_ca6b) >>> 0;
  const uint32 = (): number => {
    state = (Math.imul(state, 0x9e37_79b1) + 0x7f4a_7c15) >>> 0;
    return (state ^ (state >>> 15)) >>> 0;
  };
  return { uint32, next: () => uint32() / 0x1_0000_0000, below: (n) => Math.floor((uint32() / 0x1_0000_0000) * n) };
}
