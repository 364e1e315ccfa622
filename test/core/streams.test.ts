import { describe, expect, it } from 'vitest';
import { Streams } from '../../src/core/streams.ts';
import { Xoshiro128 } from '../../src/core/xoshiro.ts';

const take = (rng: Xoshiro128, n: number): number[] => Array.from({ length: n }, () => rng.next());

/** Pearson's correlation of two lists of uniforms. */
function correlation(x: readonly number[], y: readonly number[]): number {
  return x.reduce((sum, value, k) => sum + (value - 0.5) * (y[k] - 0.5), 0) / (x.length / 12);
}

describe('stream', () => {
  it('is a function of seed and name alone: asked for twice, or after others were used, it gives the same numbers', () => {
    const streams = new Streams('slow-node');
    const arrivals = take(streams.stream('arrivals'), 5);
    take(streams.stream('service'), 1000);
    expect(take(streams.stream('arrivals'), 5)).toEqual(arrivals);
    expect(take(new Streams('slow-node').stream('arrivals'), 5)).toEqual(arrivals);
  });

  it('gives the numbers it always gave (a change here changes every result of every scenario)', () => {
    expect(new Streams('1').stream('arrivals').state()).toEqual([3945446001, 2267035235, 1162820769, 3419938368]);
    expect(new Streams('clusterlab').stream('web/work').state()).toEqual([2215340718, 3878602985, 3204635422, 2430544354]);
    expect(new Streams('1').keyed('retry').unit(7, 2)).toBe(0.09547789984814492);
  });

  it('differs for every name and every seed', () => {
    const states = new Set<string>();
    // seedrandom itself confuses '1' with '11', '' with '\0', and characters that share their low byte.
    const texts = [
      '1',
      '11',
      '111',
      '12',
      '1212',
      '01',
      '',
      '\0',
      '\0\0',
      'a',
      'A',
      'Ж',
      '\x16',
      '\\416;',
      '漢',
      'x'.repeat(256),
      'x'.repeat(512),
    ];
    const seeds = [...texts, '18446744073709551616', '18446744073709551617', 'Größe', 'Ā', 'Ж1', '\u4161'];
    for (const seed of seeds) {
      const streams = new Streams(seed);
      for (const name of ['', 'a', 'b', 'ab', 'a/b', 'work/1', 'work/11', 'wörk', 'ж'])
        states.add(streams.stream(name).state().join());
    }
    expect(states.size).toBe(seeds.length * 9);
  });

  it('takes a number that slips in for its text', () => {
    expect(new Streams(1 as unknown as string).stream('a').state()).toEqual(new Streams('1').stream('a').state());
  });

  it('is uncorrelated with streams of neighbouring names', () => {
    // 200 pairs of 2,000 draws: each correlation has standard deviation 1/sqrt(2000); 5 of them is beyond 1e-4 over all pairs. Fixed seed.
    const streams = new Streams('independence');
    const lists = Array.from({ length: 201 }, (_, k) => take(streams.stream(`client/${k}`), 2000));
    for (let k = 1; k < lists.length; k++)
      expect(Math.abs(correlation(lists[k - 1], lists[k]))).toBeLessThan(5 / Math.sqrt(2000));
  });

  it('first numbers of many streams are uniform: chi-square of 10,000 names in 100 cells between its 1e-4 critical values', () => {
    const streams = new Streams('names');
    const cells = new Float64Array(100);
    for (let k = 0; k < 10_000; k++) cells[Math.floor(streams.stream(`s${k}`).next() * 100)]++;
    const chi2 = cells.reduce((sum, count) => sum + (count - 100) ** 2 / 100, 0);
    expect(chi2).toBeGreaterThan(54.987);
    expect(chi2).toBeLessThan(160.056);
  });
});

describe('keyed', () => {
  it('does not depend on the order of the questions', () => {
    const forward = new Streams('k').keyed('errors');
    const backward = new Streams('k').keyed('errors');
    const pairs = Array.from({ length: 100 }, (_, k) => [k, k % 3] as const);
    const first = pairs.map(([a, b]) => forward.unit(a, b));
    const last = pairs.toReversed().map(([a, b]) => backward.unit(a, b));
    expect(last.toReversed()).toEqual(first);
  });

  it('tells all numbers up to 2^53 − 1 apart, and (a, b) from (b, a)', () => {
    const draws = new Streams('k').keyed('x');
    const values = [0, 1, 2, 2 ** 31, 2 ** 32, 2 ** 32 + 1, 2 ** 52, 2 ** 53 - 1];
    const seen = new Set(values.flatMap((a) => values.map((b) => draws.unit(a, b))));
    expect(seen.size).toBe(64);
  });

  it('is uniform over a grid of requests and attempts: chi-square of 300,000 in 100 cells, and per attempt', () => {
    const draws = new Streams('grid').keyed('retry');
    for (let attempt = 0; attempt < 3; attempt++) {
      const cells = new Float64Array(100);
      for (let request = 0; request < 100_000; request++) cells[Math.floor(draws.unit(request, attempt) * 100)]++;
      const chi2 = cells.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
      expect(chi2).toBeGreaterThan(54.987);
      expect(chi2).toBeLessThan(160.056);
    }
  });

  it('has no correlation between neighbours in a, in b, or between names', () => {
    // 50,000 draws each: standard deviation 0.0045; bound 5 of them. Fixed seed.
    const streams = new Streams('neighbours');
    const one = streams.keyed('one');
    const two = streams.keyed('two');
    const n = 50_000;
    const base = Array.from({ length: n }, (_, a) => one.unit(a, 0));
    const bound = 5 / Math.sqrt(n);
    expect(Math.abs(correlation(base, base.slice(1).concat(base[0])))).toBeLessThan(bound);
    expect(
      Math.abs(
        correlation(
          base,
          base.map((_, a) => one.unit(a, 1)),
        ),
      ),
    ).toBeLessThan(bound);
    expect(
      Math.abs(
        correlation(
          base,
          base.map((_, a) => one.unit(0, a)),
        ),
      ),
    ).toBeLessThan(bound);
    expect(
      Math.abs(
        correlation(
          base,
          base.map((_, a) => two.unit(a, 0)),
        ),
      ),
    ).toBeLessThan(bound);
  });

  it('fork seeds a scratch generator with numbers of its own, independent of unit', () => {
    const draws = new Streams('f').keyed('service');
    const scratch = new Xoshiro128(1, 2, 3, 4);
    const n = 20_000;
    const forked = Array.from({ length: n }, (_, a) => {
      draws.fork(a, 0, scratch);
      return scratch.next();
    });
    const units = Array.from({ length: n }, (_, a) => draws.unit(a, 0));
    expect(Math.abs(correlation(forked, units))).toBeLessThan(5 / Math.sqrt(n));
    expect(Math.abs(correlation(forked, forked.slice(1).concat(forked[0])))).toBeLessThan(5 / Math.sqrt(n));
    draws.fork(3, 0, scratch);
    expect(scratch.next()).toBe(forked[3]);
  });
});
