/** Oracles: Student's t in closed form for two degrees of freedom, and the promised error rates at the margin itself, where they are
 *  hardest to keep. */
import { describe, expect, test } from 'vitest';
import { Streams } from '../../src/core/streams.ts';
import { type GateCheck, GateJudge, judgeOnce } from '../../src/gate/judge.ts';
import { looksUpTo } from '../../src/gate/looks.ts';
import { pAbove, pAtMost } from '../../src/stats/non-inferiority.ts';
import { normalQuantile } from '../../src/stats/special.ts';

const check = (baseline: readonly number[], rest: Partial<GateCheck> = {}): GateCheck => ({
  variant: 'p2c',
  text: 'latency.p99',
  metric: 'latency.p99',
  better: 'lower',
  margin: { relative: 0.05 },
  baseline,
  ...rest,
});
const hundred = Array.from({ length: 3 }, () => 100);
const verdict = (current: readonly number[], rest: Partial<GateCheck> = {}): string =>
  judgeOnce(check(rest.baseline ?? current.map(() => 100), rest), current).verdict;

describe('one-sided tests', () => {
  // P(T > t) = (1 − t/√(t² + 2))/2 for two degrees of freedom.
  test.each([0.5, 2, 10])('at t = %d', (t) => {
    const p = (1 - t / Math.sqrt(t * t + 2)) / 2;
    // Mean m, sd 1, n = 3: t = (m − bound)·√3.
    const values = [-1, 0, 1].map((value) => value + t / Math.sqrt(3));
    expect(pAbove(values, 0)).toBeCloseTo(p, 12);
    expect(pAtMost(values, 0)).toBeCloseTo(1 - p, 12);
    expect(
      pAbove(
        values.map((value) => value + 7),
        7,
      ),
    ).toBeCloseTo(p, 12);
  });

  test('equal values leave no doubt, fewer than two say nothing', () => {
    expect([pAbove([3, 3], 2), pAbove([2, 2], 2), pAtMost([2, 2], 2), pAtMost([3, 3], 2)]).toEqual([0, 1, 0, 1]);
    expect([pAbove([9], 2), pAtMost([], 2)]).toEqual([1, 1]);
  });
});

describe('a verdict', () => {
  test.each<[string, readonly number[], string]>([
    ['beyond the margin', [109, 110, 111], 'worse'],
    ['within it, however surely above zero', [102, 102.1, 101.9], 'equivalent'],
    ['across it', [103, 105, 107], 'inconclusive'],
    ['below', [79, 80, 81], 'better'],
    ['the same bytes', hundred, 'equivalent'],
    ['two values far apart', [80, 130], 'inconclusive'],
  ])('%s', (_, current, expected) => expect(verdict(current)).toBe(expected));

  test('turns around where more is better', () => {
    const availability = { text: 'availability', metric: 'availability', better: 'higher', margin: { absolute: 0.001 } } as const;
    const baseline = [0.99, 0.99, 0.99];
    expect(verdict([0.98, 0.9801, 0.9799], { ...availability, baseline })).toBe('worse');
    expect(verdict([0.9999, 0.9998, 0.9997], { ...availability, baseline })).toBe('better');
  });

  test('needs values on both sides: what is gone is never a pass', () => {
    const found = judgeOnce(check(hundred), [100, NaN, 100]);
    expect(found).toMatchObject({ verdict: 'inconclusive', reason: 'without a value on one side in 1 of 3 seeds' });
    expect(judgeOnce(check([NaN, NaN, NaN]), [NaN, NaN, NaN])).toMatchObject({
      verdict: 'inconclusive',
      reason: 'it has no value in any seed',
    });
    expect(verdict([100, 100, NaN], { baseline: [100, 100, NaN] })).toBe('equivalent');
  });

  test('of one among many is corrected by Holm: what alone would be worse is open', () => {
    const alone = [108, 110, 112.5];
    expect(verdict(alone)).toBe('worse');
    const judge = new GateJudge(Array.from({ length: 20 }, (_, i) => check(hundred, { variant: `v${i}` })));
    const measure = ({ variant }: GateCheck): readonly number[] => (variant === 'v0' ? alone : [104, 105, 106]);
    judge.look(measure, { seeds: 3, share: 1 });
    expect(judge.results(measure, 3)[0].verdict).toBe('inconclusive');
  });

  test('once reached stays, whatever later seeds say', () => {
    const judge = new GateJudge([check(Array.from({ length: 10 }, () => 100))]);
    const current = [120, 121, 119, 120, 120, 90, 90, 90, 90, 90];
    for (const look of looksUpTo(10)) judge.look(() => current, look);
    expect(judge.results(() => current, 10)[0]).toMatchObject({ verdict: 'worse', seeds: 5 });
  });
});

describe('looks', () => {
  test('double from five, and end with all', () => {
    expect(looksUpTo(40).map(({ seeds }) => seeds)).toEqual([5, 10, 20, 40]);
    expect(looksUpTo(12).map(({ seeds }) => seeds)).toEqual([5, 12]);
    expect(looksUpTo(3).map(({ seeds }) => seeds)).toEqual([3]);
  });

  test.each([1, 2, 5, 7, 10, 23, 80, 1000])('of %d seeds spend exactly the whole error', (seeds) => {
    const looks = looksUpTo(seeds);
    expect(looks.at(-1)!.seeds).toBe(seeds);
    expect(looks.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(looks.every(({ share }) => share > 0)).toBe(true);
  });
});

/** 2000 gates of three checks with looks at 5, 10 and 20 seeds; the truth lies exactly on the margin, so both errors have their largest
 *  probability. Seeds are fixed. The bound is 5 % plus three standard errors of a share of 5 % of 2000, 1.46 %; Bonferroni over the looks
 *  keeps the rates well below. */
describe('the error rates at the margin', () => {
  const gates = 2000;
  const rng = new Streams('gate error rates').stream('normal');
  const normal = (): number => normalQuantile((rng.below(2 ** 30) + 0.5) / 2 ** 30);
  let alarms = 0;
  let passes = 0;
  for (let i = 0; i < gates; i++) {
    const truth = [5, 5, 5].map((shift) => Array.from({ length: 20 }, () => 100 + shift + 3 * normal()));
    const baseline = Array.from({ length: 20 }, () => 100);
    const judge = new GateJudge(truth.map((_, k) => check(baseline, { variant: String(k) })));
    const measure = ({ variant }: GateCheck): readonly number[] => truth[Number(variant)];
    for (const look of looksUpTo(20)) if (judge.look(measure, look)) break;
    const verdicts = judge.results(measure, 20).map((each) => each.verdict);
    if (verdicts.includes('worse')) alarms++;
    if (verdicts.every((each) => each === 'better' || each === 'equivalent')) passes++;
  }
  const bound = 0.05 + 3 * Math.sqrt((0.05 * 0.95) / gates);

  test('any of the checks alarms in at most 5 % of the gates', () => {
    expect(alarms / gates).toBeLessThanOrEqual(bound);
    expect(alarms).toBeGreaterThan(0);
  });

  test('all of them pass in at most 5 %', () => expect(passes / gates).toBeLessThanOrEqual(bound));
});
