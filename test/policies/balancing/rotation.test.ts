/** What all weighted rotations have in common, and what sets them apart. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BalancerDefinition } from '../../../src/policies/balancing/balancer.ts';
import {
  edfWeightedRoundRobin,
  fastWeightedRoundRobin,
  interleavedWeightedRoundRobin,
  staticStride,
  staticWeightedRoundRobin,
  weightedRandom,
  weightedRoundRobin,
} from '../../../src/policies/balancing/index.ts';
import { EdfScheduler } from '../../../src/policies/balancing/parts/edf-scheduler.ts';
import { SlotHeap } from '../../../src/policies/balancing/parts/slot-heap.ts';
import { testRng } from '../fixtures.ts';
import { counts, distribution, letters, Script, Stage } from './stage.ts';

const weightLists = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 7 });
const sumOf = (weights: readonly number[]): number => weights.reduce((sum, weight) => sum + weight, 0);
const on = (definition: BalancerDefinition, weights: readonly number[]): Stage =>
  new Stage(weights).bind(definition.make({}, { rng: new Script(0) }));

describe.each([
  ['smooth', weightedRoundRobin],
  ['static', staticWeightedRoundRobin],
  ['interleaved', interleavedWeightedRoundRobin],
] as const)('the %s rotation', (_name, definition) => {
  it('gives every endpoint exactly its weight in every round', () => {
    fc.assert(
      fc.property(weightLists, (weights) => {
        const stage = on(definition, weights);
        for (let round = 0; round < 3; round++) expect(counts(stage.picks(sumOf(weights)), weights.length)).toEqual(weights);
      }),
      { seed: 2, numRuns: 60 },
    );
  });
});

describe('earliest deadline first', () => {
  it('is fair after every pick: no two endpoints differ by more than a turn of the lighter one', () => {
    fc.assert(
      fc.property(weightLists, (weights) => {
        const schedule = new EdfScheduler();
        weights.forEach((weight, slot) => schedule.add(slot, weight));
        const turns = weights.map(() => 0);
        for (let pick = 0; pick < 100; pick++) {
          const slot = schedule.next();
          schedule.advance(weights[slot]);
          turns[slot]++;
          const progress = weights.map((weight, i) => turns[i] / weight);
          expect(Math.max(...progress) - Math.min(...progress)).toBeLessThanOrEqual(1 / Math.min(...weights) + 1e-9);
        }
      }),
      { seed: 3, numRuns: 60 },
    );
  });

  it('starts as if as many picks had been made as its seed says', () => {
    const weights = [5, 3, 2, 1];
    const picksFrom = (seed: number): number[] =>
      new Stage(weights).bind(edfWeightedRoundRobin.make({}, { rng: new Script(seed) })).picks(60);
    const plain = picksFrom(0);
    for (const seed of [1, 5, 11, 23]) expect(picksFrom(seed).slice(0, 30)).toEqual(plain.slice(seed, seed + 30));
  });

  it('is plain rotation where weights are equal, and keeps its index when they are not for a while', () => {
    const stage = on(edfWeightedRoundRobin, [1, 1, 1]);
    expect(letters(stage.picks(4))).toBe('a b c a');
    stage.setWeights([1, 2, 1]);
    stage.picks(8);
    stage.setWeights([1, 1, 1]);
    expect(letters(stage.picks(2))).toBe('b c');
  });
});

describe('static stride', () => {
  it('comes to the right shares, within its clamps', () => {
    const stage = new Stage([1, 2, 5]).bind(staticStride.make({}, { rng: testRng(1) }));
    // Strides are whole 65,535ths, so that shares are off by less than one pick in ten thousand.
    const picked = counts(stage.picks(8000), 3);
    [1000, 2000, 5000].forEach((expected, slot) => expect(Math.abs(picked[slot] - expected)).toBeLessThanOrEqual(2));
    // One of 81 and nineteen of 1 have a mean of 5: the heavy one is cut to 50, so to 50 of 69.
    const clamped = new Stage([81, ...Array.from({ length: 19 }, () => 1)]).bind(staticStride.make({}, { rng: testRng(1) }));
    expect(Math.abs(counts(clamped.picks(6900), 20)[0] - 5000)).toBeLessThanOrEqual(20);
  });

  it('goes round robin for equal weights in Go, and for a lone known weight', () => {
    const stage = new Stage([4, 4, 4]).bind(staticStride.make({ variant: 'go' }, { rng: new Script(7) }));
    expect(letters(stage.picks(4))).toBe('b c a b');
  });
});

describe('the fast rotation', () => {
  it('is within a turn of every endpoint’s weight in every round, and exact on average', () => {
    fc.assert(
      fc.property(weightLists, (weights) => {
        const stage = on(fastWeightedRoundRobin, weights);
        const rounds = 40;
        const total = weights.map(() => 0);
        for (let round = 0; round < rounds; round++) {
          counts(stage.picks(sumOf(weights)), weights.length).forEach((turns, slot) => {
            total[slot] += turns;
            expect(Math.abs(turns - weights[slot])).toBeLessThanOrEqual(1);
          });
        }
        weights.forEach((weight, slot) => expect(Math.abs(total[slot] - weight * rounds)).toBeLessThanOrEqual(2));
      }),
      { seed: 2, numRuns: 60 },
    );
  });

  it('takes a new weight up without starting over', () => {
    const stage = on(fastWeightedRoundRobin, [1, 1, 1]);
    stage.picks(4);
    stage.setWeights([3, 1, 1]);
    stage.picks(10);
    expect(counts(stage.picks(50), 3)).toEqual([30, 10, 10]);
  });

  it('gives a newcomer no burst', () => {
    const stage = on(fastWeightedRoundRobin, [1, 1, 1]);
    stage.picks(100);
    stage.set.add('new', { weight: 3 }, 0);
    // A half of the picks is its share; for the first six it may be a turn off.
    expect(Math.abs(counts(stage.picks(6), 4)[3] - 3)).toBeLessThanOrEqual(1);
    expect(counts(stage.picks(60), 4)[3]).toBeGreaterThanOrEqual(29);
  });
});

describe('weighted random', () => {
  it('draws in proportion to weight, exactly', () => {
    const shares = distribution(3, (rng) => new Stage([1, 2, 5]).bind(weightedRandom.make({}, { rng })).pick());
    [1 / 8, 2 / 8, 5 / 8].forEach((share, slot) => expect(shares[slot]).toBeCloseTo(share, 12));
  });

  it('takes fractions of weight too', () => {
    const stage = new Stage([0.5, 1.5]).bind(weightedRandom.make({}, { rng: testRng(3) }));
    // 4000 picks at a quarter have a deviation of 27; the seed is fixed.
    expect(Math.abs(counts(stage.picks(4000), 2)[0] - 1000)).toBeLessThan(110);
  });
});

describe('the heap of slots', () => {
  it('yields keys in order and equal keys in order of insertion, whatever is removed between', () => {
    const operation = fc.tuple(fc.nat({ max: 5 }), fc.nat({ max: 9 }));
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
        const heap = new SlotHeap();
        let model: { slot: number; key: number }[] = [];
        operations.forEach(([kind, key], slot) => {
          if (kind < 4) {
            heap.insert(slot, key);
            model.push({ slot, key });
            // Stable, as the heap must be.
            model.sort((a, b) => a.key - b.key);
          } else if (kind === 4 && model.length > 0) {
            const victim = model[key % model.length].slot;
            heap.remove(victim);
            model = model.filter((entry) => entry.slot !== victim);
          } else if (model.length > 0) {
            const [first, ...rest] = model;
            heap.postponeFirst(first.key + key);
            model = [...rest, { slot: first.slot, key: first.key + key }].sort((a, b) => a.key - b.key);
          }
          expect(heap.first()).toBe(model[0]?.slot ?? -1);
        });
        for (const { slot } of model) {
          expect(heap.first()).toBe(slot);
          heap.removeFirst();
        }
      }),
      { seed: 5, numRuns: 200 },
    );
  });
});
