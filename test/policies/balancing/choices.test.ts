/** Policies that choose by requests in flight among a few or all. */
import { describe, expect, it } from 'vitest';
import { leastConnections, leastRequest, p2c, random } from '../../../src/policies/balancing/index.ts';
import { testRng, unusedRng } from '../fixtures.ts';
import { counts, distribution, letters, Script, Stage } from './stage.ts';

describe('random', () => {
  it('is uniform', () => {
    expect(distribution(4, (rng) => Stage.of(4).bind(random.make({}, { rng })).pick())).toEqual([0.25, 0.25, 0.25, 0.25]);
  });
});

describe('power of two choices', () => {
  const share = (active: readonly number[]): number[] =>
    distribution(active.length, (rng) => Stage.of(active.length).setActive(active).bind(p2c.make({}, { rng })).pick());

  it('never picks the busiest, and ranks the others by 2(n − k) / (n(n − 1))', () => {
    const shares = share([3, 1, 0, 2]);
    [0, 2 / 6, 3 / 6, 1 / 6].forEach((expected, slot) => expect(shares[slot]).toBeCloseTo(expected, 12));
  });

  it('is uniform among equals', () => {
    for (const part of share([2, 2, 2])) expect(part).toBeCloseTo(1 / 3, 12);
  });

  it('compares a pair of two with certainty', () => {
    expect(share([1, 0])).toEqual([0, 1]);
  });
});

describe('least request', () => {
  const make = (
    params: Parameters<typeof leastRequest.make>[0],
    active: readonly number[],
    weights = active.map(() => 1),
  ): Stage => new Stage(weights).setActive(active).bind(leastRequest.make(params, { rng: new Script(0, 0, 1) }));

  it('keeps the first of two drawn that are equally loaded', () => {
    expect(make({}, [2, 2]).pick()).toBe(0);
    expect(make({}, [2, 1]).pick()).toBe(1);
  });

  it('may draw the same endpoint twice, and so pick the busiest', () => {
    const shares = distribution(2, (rng) => {
      const draws = { ...rng, below: (n: number) => (n > 1000 ? 0 : rng.below(n)) };
      return Stage.of(2)
        .setActive([5, 0])
        .bind(leastRequest.make({}, { rng: draws }))
        .pick();
    });
    expect(shares).toEqual([0.25, 0.75]);
  });

  it('follows weight over load when weights differ', () => {
    const stage = make({}, [0, 0], [1, 2]);
    expect(counts(stage.picks(300), 2)).toEqual([100, 200]);
    // 1/(0+1) against 2/(3+1): now the lighter one is due twice as often. One round passes before both have been put back.
    stage.setActive([0, 3]);
    stage.picks(3);
    expect(counts(stage.picks(300), 2)).toEqual([200, 100]);
  });

  it('ignores load under a bias of zero', () => {
    const stage = make({ activeRequestBias: 0 }, [9, 0], [1, 2]);
    expect(counts(stage.picks(300), 2)).toEqual([100, 200]);
  });

  it('starts its schedule at a random place', () => {
    const rng = testRng(3);
    const firsts = Array.from({ length: 1000 }, () => new Stage([6, 3, 1]).bind(leastRequest.make({}, { rng })).pick());
    // Expected 600, 300, 100 with deviations 15.5, 14.5, 9.5; the seed is fixed, so the outcome is too.
    const [six, three, one] = counts(firsts, 3);
    expect(Math.abs(six - 600)).toBeLessThan(70);
    expect(Math.abs(three - 300)).toBeLessThan(65);
    expect(Math.abs(one - 100)).toBeLessThan(45);
  });
});

describe('least connections', () => {
  const stageOf = (
    params: Parameters<typeof leastConnections.make>[0],
    weights: readonly number[],
    active: readonly number[],
  ): Stage => new Stage(weights).setActive(active).bind(leastConnections.make(params, { rng: unusedRng }));

  it('picks the fewest requests for the weight, under every variant', () => {
    for (const variant of ['nginx', 'haproxy', 'ipvs'] as const) {
      expect(stageOf({ variant }, [5, 1], [4, 1]).pick()).toBe(0);
      expect(stageOf({ variant }, [1, 1, 1], [3, 1, 2]).pick()).toBe(1);
    }
  });

  it('settles ties as each product does', () => {
    expect(letters(stageOf({ variant: 'nginx' }, [2, 1], [0, 0]).picks(6))).toBe('a b a a b a');
    expect(letters(stageOf({ variant: 'haproxy' }, [1, 1, 1], [0, 0, 0]).picks(5))).toBe('a b c a b');
    expect(letters(stageOf({ variant: 'ipvs' }, [1, 1], [0, 0]).picks(3))).toBe('a a a');
  });

  it('can settle ties at random', () => {
    for (const variant of ['nginx', 'haproxy'] as const) {
      const shares = distribution(4, (rng) => {
        const balancer = leastConnections.make({ variant, tie: 'random' }, { rng });
        return Stage.of(4).setActive([1, 2, 1, 1]).bind(balancer).pick();
      });
      [1 / 3, 0, 1 / 3, 1 / 3].forEach((expected, slot) => expect(shares[slot]).toBeCloseTo(expected, 12));
    }
  });
});
