import { describe, expect, it } from 'vitest';
import { roundRobin } from '../../../src/policies/balancing/index.ts';
import { testRng } from '../fixtures.ts';
import { counts, letters, Script, Stage } from './stage.ts';

describe('round robin', () => {
  it('takes endpoints in turn from where its seed points', () => {
    expect(
      letters(
        Stage.of(3)
          .bind(roundRobin.make({}, { rng: new Script(1) }))
          .picks(4),
      ),
    ).toBe('b c a b');
  });

  it('does not start many clients at the same endpoint', () => {
    const rng = testRng(5);
    const firsts = Array.from({ length: 1000 }, () => Stage.of(10).bind(roundRobin.make({}, { rng })).pick());
    // Binomial with mean 100 and deviation 9.5 each; the seed is fixed, so the outcome is too.
    for (const count of counts(firsts, 10)) expect(Math.abs(count - 100)).toBeLessThan(45);
  });

  it('shifts its phase when an endpoint leaves, and does not start over', () => {
    const stage = Stage.of(3).bind(roundRobin.make({}, { rng: new Script(0) }));
    stage.picks(4);
    stage.set.remove(0, 0);
    // The fifth turn of two endpoints is the first one's again.
    expect(letters(stage.picks(3))).toBe('b c b');
  });
});
