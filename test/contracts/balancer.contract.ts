/** The contract of balancers as a test suite: one call per implementation, and exemptions carry their reason. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ContractRule, type MakeBalancer, balancerRules, BalancerTrial } from '../../src/policies/balancing/contract.ts';
import type { Rng } from '../../src/core/rng.ts';
import { EndpointSet } from '../../src/policies/balancing/endpoint-set.ts';
import { heapGrowth } from './heap.ts';

export interface Exemption {
  readonly rule: string;
  readonly reason: string;
}

export function balancerContract(subject: { name: string; make: MakeBalancer; skip?: readonly Exemption[] }): void {
  const skipped = new Map(subject.skip?.map(({ rule, reason }) => [rule, reason]));
  const runUnlessExempt = (name: string, check: () => void): void => {
    const reason = skipped.get(name);
    skipped.delete(name);
    if (reason === undefined) it(name, check);
    else it.skip(`${name} (exempt: ${reason})`, check);
  };

  describe(`${subject.name} keeps the contract of balancers: it`, () => {
    for (const rule of [...balancerRules, ...testedRules]) {
      runUnlessExempt(rule.name, () => expect(rule.check(subject.make)).toEqual([]));
    }
    it('has no exemption from a rule that does not exist', () => expect([...skipped.keys()]).toEqual([]));
  });
}

/** Rules that need a test library or a look at the heap. */
const testedRules: readonly ContractRule[] = [
  {
    name: 'keeps to its view in any sequence of events',
    check: (make) => {
      const violations: string[] = [];
      const event = fc.tuple(fc.nat({ max: 11 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
      const history = fc.array(event, { maxLength: 80 });
      fc.assert(
        fc.property(fc.nat({ max: 5 }), history, (count, events) => {
          const trial = new BalancerTrial(make, count);
          for (const [kind, choice] of events) trial.act(kind, choice);
          return trial.violations.length === 0;
        }),
        { numRuns: 40, seed: 20_240_517 },
      );
      return violations;
    },
  },
  {
    name: 'allocates nothing in picks',
    check: (make) => {
      const set = new EndpointSet();
      for (let i = 0; i < 30; i++) set.add(`e${i}`, { weight: 1 + (i % 3) }, 0);
      const balancer = make(smallIntegers());
      set.bind(balancer, 1000);
      const context = { nowMs: 1000, attempt: 0, previous: -1, hasHash: true, hashHigh: 0, hashLow: 0 };
      const run = (): number => {
        let sum = 0;
        for (let i = 0; i < PICKS; i++) {
          context.hashHigh = Math.imul(i, 0x9e3779b1) >>> 1;
          context.hashLow = i;
          sum += balancer.pick(context);
        }
        return sum;
      };
      // One allocation of the smallest object per pick would be 16 bytes each; half of that leaves room for the engine's own.
      const allowed = 8 * PICKS;
      const bytes = heapGrowth(run, allowed);
      return bytes < allowed ? [] : [`${PICKS} picks left ${bytes} bytes`];
    },
  },
];

const PICKS = 50_000;

/** Draws that the engine never has to box, so that only the balancer's own allocations show. */
function smallIntegers(): Rng {
  let state = 1;
  const draw = (): number => {
    state = (Math.imul(state, 0x343fd) + 0x269ec3) & 0x3fffffff;
    return state >>> 8;
  };
  return { uint32: draw, below: (n) => draw() % n, next: () => draw() / 0x400000 };
}
