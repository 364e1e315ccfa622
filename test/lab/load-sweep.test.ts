/** Sweeps over loads, from invented numbers: who is compared with whom, where the order changes, and what is said about it. */
import { describe, expect, test } from 'vitest';
import { comparedMetrics } from '../../src/core/metrics.ts';
import { collectVariants } from '../../src/lab/collect.ts';
import { compareVariants } from '../../src/lab/compare.ts';
import { findCrossings } from '../../src/lab/crossings.ts';
import { verdictSentences } from '../../src/lab/verdict-text.ts';
import type { VariantResult } from '../../src/lab/types.ts';
import { cellResult, outline, variantResult } from './results.ts';

const noise = [-0.1, 0, 0.1, 0.05, -0.05];

/** Five seeds around each p99 (and each other latency): with a spread of 0.01 any real difference decides, with 30 none does. */
function at(load: number, group: string, p99: number, { availability = 1, spread = 0.01 } = {}): VariantResult {
  const around = noise.map((part, i) => p99 * (1 + spread * part * (i % 2 === 0 ? 1 : -1)));
  const metrics = Object.fromEntries(
    comparedMetrics.map(({ name }) => [name, name === 'availability' ? noise.map(() => availability) : around]),
  );
  return { ...variantResult(`${group}, load=${load}`, metrics), load, group };
}
const crossings = (variants: readonly VariantResult[]) => findCrossings(variants, compareVariants(variants));
const say = (variants: readonly VariantResult[]): string[] => {
  const comparisons = compareVariants(variants);
  return verdictSentences('compare', variants, comparisons, findCrossings(variants, comparisons));
};

describe('the baseline', () => {
  const variants = [at(0.5, 'rr', 100), at(0.5, 'p2c', 90), at(0.8, 'rr', 300), at(0.8, 'p2c', 150)];

  test('is the first group at the same load', () => {
    const pairs = compareVariants(variants).map(({ variant, baseline }) => `${variant} | ${baseline}`);
    expect([...new Set(pairs)]).toEqual(['p2c, load=0.5 | rr, load=0.5', 'p2c, load=0.8 | rr, load=0.8']);
    const p99 = compareVariants(variants).filter(({ metric }) => metric === 'latency.p99');
    expect(p99.map(({ relative }) => relative?.mean)).toEqual([expect.closeTo(-0.1, 6), expect.closeTo(-0.5, 6)]);
  });

  test('is marked at every load, and load and group are told', () => {
    const policies = { balancer: { use: 'x', params: {} } };
    const specs = variants.map(({ label, load, group }) => ({ label, differs: '', policies, load: load ?? 1, group }));
    const found = collectVariants(outline({ variants: specs }), ['test:1'], [cellResult(0, 'test:1')]);
    expect(found.map(({ isBaseline, load, group }) => [isBaseline, load, group])).toEqual([
      [true, 0.5, 'rr'],
      [false, 0.5, 'p2c'],
      [true, 0.8, 'rr'],
      [false, 0.8, 'p2c'],
    ]);
    const plain = collectVariants(outline({ variants: ['a', 'b'] }), ['test:1'], []);
    expect(plain.map(({ isBaseline, load, group }) => [isBaseline, load, group])).toEqual([
      [true, null, ''],
      [false, null, ''],
    ]);
  });

  test('is nobody when only the load differs', () => {
    const alone = [at(0.5, '', 10, { spread: 0 }), at(0.8, '', 100, { spread: 0 })];
    expect(compareVariants(alone)).toEqual([]);
    expect(say(alone)).toEqual([
      'At load 50 % p99 10.0 ms (95 % interval 10.0 ms to 10.0 ms), availability 100 %; ' +
        'at load 80 % p99 100 ms (95 % interval 100 ms to 100 ms), availability 100 %.',
    ]);
  });
});

describe('a crossing', () => {
  test('lies where worse turns to better, and holds from there on', () => {
    const found = crossings([
      ...[at(0.5, 'rr', 100), at(0.8, 'rr', 200), at(1.1, 'rr', 900)],
      ...[at(0.5, 'p2c', 120), at(0.8, 'p2c', 150), at(1.1, 'p2c', 450)],
    ]);
    expect(found).toEqual([
      {
        ...{ group: 'p2c', baseline: 'rr', metric: 'latency.p99', fromLoad: 0.5, toLoad: 0.8, before: 'worse', after: 'better' },
        sentence: 'p2c is better than rr in p99 from load 80 % on (−25 %); at 50 % p2c is worse (+20 %).',
      },
    ]);
  });

  test('is also where equals come apart', () => {
    const [found] = crossings([at(0.5, 'rr', 100), at(0.8, 'rr', 200), at(0.5, 'p2c', 101), at(0.8, 'p2c', 150)]);
    expect(found).toMatchObject({ before: 'equivalent', after: 'better' });
    expect(found.sentence).toBe('p2c is better than rr in p99 from load 80 % on (−25 %); at 50 % they are equivalent.');
  });

  test('is not made by what cannot be decided: it lies between the loads around that', () => {
    const noisy = { spread: 30 };
    const found = crossings([
      ...[at(0.5, 'rr', 100), at(0.8, 'rr', 200, noisy), at(1.1, 'rr', 900)],
      ...[at(0.5, 'p2c', 120), at(0.8, 'p2c', 210), at(1.1, 'p2c', 450)],
    ]);
    expect(found.map(({ fromLoad, toLoad }) => [fromLoad, toLoad])).toEqual([[0.5, 1.1]]);
    expect(crossings([at(0.5, 'rr', 100, noisy), at(0.8, 'rr', 200), at(0.5, 'p2c', 120), at(0.8, 'p2c', 150)])).toEqual([]);
  });

  test('that is taken back holds up to there', () => {
    const found = crossings([
      ...[at(0.2, 'rr', 100), at(0.4, 'rr', 100), at(0.6, 'rr', 100), at(0.8, 'rr', 100)],
      ...[at(0.2, 'p2c', 150), at(0.4, 'p2c', 50), at(0.6, 'p2c', 50), at(0.8, 'p2c', 150)],
    ]);
    expect(found.map(({ sentence }) => sentence)).toEqual([
      'p2c is better than rr in p99 from load 40 % to 60 % (−50 %); at 20 % p2c is worse (+50 %).',
      'p2c is worse than rr in p99 from load 80 % on (+50 %); at 60 % p2c is better (−50 %).',
    ]);
  });

  test('is looked for between any two groups, and in availability too', () => {
    const found = crossings([
      ...[at(0.5, 'rr', 100), at(0.8, 'rr', 100)],
      ...[at(0.5, 'p2c', 50), at(0.8, 'p2c', 50)],
      ...[at(0.5, 'mine', 40), at(0.8, 'mine', 70, { availability: 0.9 })],
    ]);
    expect(found.map(({ group, baseline, metric, before, after }) => [group, baseline, metric, before, after])).toEqual([
      ['mine', 'rr', 'availability', 'equivalent', 'worse'],
      ['mine', 'p2c', 'latency.p99', 'better', 'worse'],
      ['mine', 'p2c', 'availability', 'equivalent', 'worse'],
    ]);
    expect(found[0].sentence).toBe(
      'mine is worse than rr in availability from load 80 % on (−10.000 points); at 50 % they are equivalent.',
    );
  });

  test('needs two loads and somebody to cross', () => {
    expect(crossings([at(0.5, 'rr', 100), at(0.5, 'p2c', 50)])).toEqual([]);
    expect(crossings([variantResult('a', { 'latency.p99': [1, 1] }), variantResult('b', { 'latency.p99': [2, 2] })])).toEqual([]);
  });
});

test('the verdict names the crossings first, then each group over all loads', () => {
  expect(
    say([
      ...[at(0.5, 'rr', 100), at(0.8, 'rr', 200), at(1.1, 'rr', 900)],
      ...[at(0.5, 'p2c', 101), at(0.8, 'p2c', 150), at(1.1, 'p2c', 450, { availability: 0.95 })],
    ]),
  ).toEqual([
    'p2c is better than rr in p99 from load 80 % on (−25 %); at 50 % they are equivalent.',
    'p2c is worse than rr in availability from load 110 % on (−5.000 points); at 80 % they are equivalent.',
    'p2c against rr in p99: equivalent at load 50 %, better at load 80 % (−25 %) and 110 % (−50 %).',
    'p2c against rr in availability: equivalent at load 50 % and 80 %, worse at load 110 % (−5.000 points).',
  ]);
});
