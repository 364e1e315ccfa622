/** The sentences, from invented numbers: what is said must be what the intervals support, in these very words. */
import { describe, expect, test } from 'vitest';
import { comparedMetrics } from '../../src/core/metrics.ts';
import { compareVariants } from '../../src/lab/compare.ts';
import { verdictSentences } from '../../src/lab/verdict-text.ts';
import type { VariantResult } from '../../src/lab/types.ts';
import { variantResult } from './results.ts';

const noise = [-0.1, 0, 0.1, 0.05, -0.05];

/** Five seeds around a p99 and an availability; other latencies follow p99 unless said otherwise. */
function variant(
  label: string,
  p99: number,
  availability = 1,
  more: Readonly<Record<string, number>> = {},
  spread = 1,
): VariantResult {
  const around = (centre: number): number[] => noise.map((part) => centre * (1 + 0.01 * spread * part));
  const latencies = comparedMetrics
    .filter(({ name }) => name.startsWith('latency.'))
    .map(({ name }) => [name, around(more[name] ?? p99)]);
  return variantResult(label, { ...Object.fromEntries(latencies), availability: noise.map(() => availability) });
}
const say = (...variants: readonly VariantResult[]): string[] => verdictSentences('compare', variants, compareVariants(variants));

describe('one variant', () => {
  test('is described with its interval', () => {
    const one = variantResult('p2c', { 'latency.p99': [90, 100, 110], availability: [0.99996, 1, 0.9999] });
    // sd 10, t(0.975, 2)/√3 = 2.4841; availability is cut off, not rounded up.
    expect(verdictSentences('run', [one], [])).toEqual([
      'p2c: p99 100 ms (95 % interval 75.2 ms to 125 ms), availability 99.995 %.',
    ]);
  });

  test('with one seed has no interval, and with everything well is 100 %', () => {
    const one = variantResult('p2c', { 'latency.p99': [12_345], availability: [1] });
    expect(verdictSentences('run', [one], [])).toEqual(['p2c: p99 12.3 s, availability 100 %.']);
  });

  test('that answered nothing says so', () => {
    const one = variantResult('p2c', { 'latency.p99': [NaN, NaN], availability: [0, 0] });
    expect(verdictSentences('run', [one], [])).toEqual(['p2c: no request ended well.']);
  });
});

describe('nothing to compare', () => {
  test('nothing finished', () => {
    expect(say(variantResult('a', {}), variantResult('b', {}))).toEqual(['Nothing was finished, so there is nothing to say.']);
  });

  test('one seed', () => {
    expect(say(variantResult('a', { 'latency.p99': [1] }), variantResult('b', { 'latency.p99': [2] }))).toEqual([
      'A comparison needs at least two seeds; with one, luck and policy cannot be told apart.',
    ]);
  });
});

describe('a comparison', () => {
  test('of equals', () => {
    const sentence =
      'variants are equivalent: no difference in latency or availability is larger than what would matter ' +
      '(1 % of means and medians, 3 % of p99, 0.01 points of availability).';
    expect(say(variant('a', 100), variant('b', 100))).toEqual([`Both ${sentence}`]);
    expect(say(variant('a', 100), variant('b', 100), variant('c', 100))).toEqual([`All 3 ${sentence}`]);
  });

  test('with a winner', () => {
    expect(say(variant('round-robin', 100), variant('p2c', 50))).toEqual([
      'p2c cuts p99 from 100 ms to 50.0 ms (−50 %, 95 % interval −50 % to −50 %) against round-robin, on 5 paired seeds.',
    ]);
  });

  test('with a small but sure gain, in tenths of a per cent', () => {
    const [sentence] = say(variant('a', 10), variant('b', 9.5));
    expect(sentence).toBe(
      'b cuts p99 from 10.0 ms to 9.50 ms (−5.0 %, 95 % interval −5.0 % to −5.0 %) against a, on 5 paired seeds.',
    );
  });

  test('with a winner and others as good', () => {
    expect(say(variant('a', 100), variant('b', 50), variant('c', 50.1), variant('d', 50.2))).toEqual([
      'b cuts p99 from 100 ms to 50.0 ms (−50 %, 95 % interval −50 % to −50 %) against a, on 5 paired seeds.',
      'c and d are as good as b: p99 differs by less than 3 %.',
    ]);
  });

  test('with a winner that cannot be told from another', () => {
    const wild = variantResult('wild', {
      ...variant('wild', 52).metrics,
      'latency.p99': [40, 64, 45, 60, 51],
    });
    expect(say(variant('a', 100), variant('b', 50), wild)[1]).toBe('wild and b cannot be told apart in p99 with 5 seeds.');
  });

  test('with losers', () => {
    expect(say(variant('a', 100), variant('b', 150), variant('c', 100, 0.99))).toEqual([
      'No variant is shown to be better than a.',
      'b is worse than a: a p99 of 150 ms instead of 100 ms.',
      'c is worse than a: an availability of 99.000 % instead of 100 %.',
    ]);
  });

  test('with one that is both', () => {
    expect(say(variant('a', 100), variant('b', 150, 0.9))[1]).toBe(
      'b is worse than a: a p99 of 150 ms instead of 100 ms and an availability of 90.000 % instead of 100 %.',
    );
  });

  test('speed paid for with availability does not win', () => {
    expect(say(variant('a', 100), variant('shedding', 10, 0.8))).toEqual([
      'No variant is shown to be better than a.',
      'shedding is a trade against a: a p99 of 10.0 ms instead of 100 ms, but an availability of 80.000 % instead of 100 %.',
    ]);
  });

  test('nor does availability paid for with speed: it is a trade', () => {
    expect(say(variant('a', 100, 0.4), variant('patient', 900, 0.8))[1]).toBe(
      'patient is a trade against a: an availability of 80.000 % instead of 40.000 %, but a p99 of 900 ms instead of 100 ms.',
    );
  });

  test('availability gained counts, also without speed', () => {
    expect(say(variant('a', 100, 0.99), variant('b', 100, 0.9999))).toEqual([
      'b raises availability from 99.000 % to 99.990 % against a, on 5 paired seeds.',
    ]);
  });

  test('the more available of two gainers wins, be the other faster', () => {
    const [first] = say(variant('a', 100, 0.9), variant('fast', 40, 0.95), variant('safe', 50, 0.999));
    expect(first).toMatch(/^safe cuts p99 from 100 ms to 50\.0 ms .* and raises availability from 90\.000 % to 99\.900 %/);
  });

  test('a price paid elsewhere is said in the same breath', () => {
    const [first] = say(variant('a', 100), variant('b', 50, 1, { 'latency.mean': 150, 'latency.p50': 120 }));
    expect(first).toMatch(/on 5 paired seeds; the price: mean \+50 % and p50 \+20 %\.$/);
  });

  test('left open says how many seeds would decide', () => {
    const open = variantResult('b', { ...variant('b', 100).metrics, 'latency.p99': [90, 118, 92, 116, 91] });
    const sentences = say(variant('a', 100), open);
    expect(sentences[0]).toBe('No variant is shown to be better than a.');
    expect(sentences[1]).toMatch(/^Whether b differs from a in p99 is open; about \d+ seeds would decide\.$/);
  });

  test('of two left open speaks of both', () => {
    const wild = (label: string): VariantResult =>
      variantResult(label, { ...variant(label, 100).metrics, 'latency.p99': [90, 118, 92, 116, 91] });
    expect(say(variant('a', 100), wild('b'), wild('c'))[1]).toMatch(/^Whether b and c differ from a in p99 is open/);
  });
});
