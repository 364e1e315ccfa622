import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomes } from '../../../src/policies/balancing/balancer.ts';
import { weightedRoundRobin } from '../../../src/policies/balancing/index.ts';
import { counts, letters, Script, Stage } from './stage.ts';

const rng = new Script();
const on = (weights: readonly number[]): Stage => new Stage(weights).bind(weightedRoundRobin.make({}, { rng }));

describe('weighted round robin', () => {
  it('spreads a heavy endpoint over the round', () => {
    // The example of the nginx commit that introduced it.
    expect(letters(on([5, 1, 1]).picks(14))).toBe('a a b a c a a a a b a c a a');
  });

  it('gives every endpoint exactly its weight per round', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 8 }), (weights) => {
        const round = weights.reduce((sum, weight) => sum + weight, 0);
        const stage = on(weights);
        for (let i = 0; i < 3; i++) expect(counts(stage.picks(round), weights.length)).toEqual(weights);
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it('is not impressed by weights multiplied by a common factor', () => {
    expect(on([2, 3, 7]).picks(50)).toEqual(on([20, 30, 70]).picks(50));
  });

  it('skips an endpoint that is down and keeps the place of the others', () => {
    const stage = on([5, 1, 1]).setDown([1]);
    expect(letters(stage.picks(6))).toBe('a a a c a a');
  });

  it('applies a new weight at once', () => {
    const stage = on([1, 1]);
    stage.picks(2);
    stage.setWeights([3, 1]);
    expect(counts(stage.picks(4), 2)).toEqual([3, 1]);
  });

  describe('with passive health', () => {
    const passive = (): Stage => new Stage([1, 1]).bind(weightedRoundRobin.make({ maxFails: 2, failTimeout: 1000 }, { rng }));
    const fail = (stage: Stage, slot: number, atMs: number): void => stage.balancer.onEnd!(slot, atMs, 5, outcomes.timeout);

    it('skips an endpoint after maxFails failures until failTimeout has passed, then tries it', () => {
      const stage = passive();
      fail(stage, 0, 100);
      fail(stage, 0, 100);
      stage.context.nowMs = 1100;
      expect(letters(stage.picks(3))).toBe('b b b');
      stage.context.nowMs = 1101;
      expect(counts(stage.picks(2), 2)[0]).toBe(1);
    });

    it('waits again if the trial fails, and forgets if it succeeds', () => {
      const stage = passive();
      fail(stage, 0, 100);
      fail(stage, 0, 100);
      stage.context.nowMs = 1200;
      while (stage.pick() !== 0);
      fail(stage, 0, 1210);
      expect(letters(stage.picks(2))).toBe('b b');
      stage.context.nowMs = 2300;
      while (stage.pick() !== 0);
      stage.balancer.onEnd!(0, 2310, 5, outcomes.ok);
      stage.context.nowMs = 2320;
      expect(counts(stage.picks(4), 2)[0]).toBe(2);
    });

    it('has nobody when all are resting, but never gives up a lone endpoint', () => {
      const stage = passive();
      for (const slot of [0, 0, 1, 1]) fail(stage, slot, 10);
      expect(stage.pick()).toBe(-1);
      const lone = new Stage([1]).bind(weightedRoundRobin.make({ maxFails: 1 }, { rng }));
      fail(lone, 0, 10);
      expect(lone.pick()).toBe(0);
    });
  });
});
