import { describe, expect, test } from 'vitest';
import { CellRunner } from '../../src/lab/cell.ts';
import { collectVariants } from '../../src/lab/collect.ts';
import { compareVariants } from '../../src/lab/compare.ts';
import type { CellResult } from '../../src/stats/result.ts';
import { slow } from '../cluster/world-builder.ts';
import { testRng } from '../policies/fixtures.ts';
import { scenarioOf } from './builder.ts';

const scenario = scenarioOf({ seeds: 4, variants: ['round-robin', 'random', 'p2c'], faults: [slow(0, 4, 500, 500)] });
const runner = new CellRunner(scenario);
const cells: CellResult[] = [];
for (const seed of scenario.run.seeds)
  for (let variant = 0; variant < 3; variant++) cells.push(await runner.run({ variant, seed }));
const collect = (list: readonly CellResult[]) => collectVariants(scenario, scenario.run.seeds, list);

describe('the order in which cells finish', () => {
  test('changes nothing, not even the last bit of a mean', () => {
    const reference = JSON.stringify(collect(cells));
    const rng = testRng(5);
    for (let i = 0; i < 20; i++) {
      const shuffled = cells.map((cell) => ({ cell, key: rng.next() })).toSorted((x, y) => x.key - y.key);
      expect(JSON.stringify(collect(shuffled.map(({ cell }) => cell)))).toBe(reference);
    }
    expect(JSON.stringify(compareVariants(collect(cells.toReversed())))).toBe(JSON.stringify(compareVariants(collect(cells))));
  });
});

describe('a variant', () => {
  const [first] = collect(cells);
  const own = scenario.run.seeds.map((seed) => cells.find((cell) => cell.variant === 0 && cell.seed === seed)!);

  test('has one value per seed, in the order of the seeds', () => {
    expect(first.metrics['latency.mean']).toEqual(own.map(({ metrics }) => metrics['latency.mean']));
    expect(first.digests).toEqual(own.map(({ digest }) => digest));
    expect(first).toMatchObject({ label: 'round-robin', isBaseline: true });
    expect(first.estimates['latency.mean'].n).toBe(4);
  });

  test('has the sum of the ledgers and the pooled histogram', () => {
    const sum = (pick: (cell: CellResult) => number): number => own.reduce((total, cell) => total + pick(cell), 0);
    expect(first.ledger.offered).toBe(sum(({ ledger }) => ledger.offered));
    expect(first.ledger.ok).toBe(sum(({ ledger }) => ledger.ok));
    expect(first.ledger.inFlight).toBe(sum(({ ledger }) => ledger.inFlight));
    expect(first.latency.count).toBe(sum(({ latency }) => latency.count));
    expect(first.latency.max).toBe(Math.max(...own.map(({ latency }) => latency.max)));
  });

  test('has median, least and greatest of each window over the seeds', () => {
    const { offered } = first.series.columns;
    const rows = own.map(({ series }) => series.columns.offered);
    expect(offered.median.length).toBe(10);
    rows[0].forEach((_, window) => {
      const sorted = rows.map((row) => row[window]).toSorted((x, y) => x - y);
      expect(offered.min[window]).toBe(sorted[0]);
      expect(offered.max[window]).toBe(sorted[3]);
      expect(offered.median[window]).toBe((sorted[1] + sorted[2]) / 2);
    });
  });

  test('has the means of its instances', () => {
    expect(first.instances.map(({ id }) => id)).toEqual(['api/0', 'api/1', 'api/2']);
    const [instance] = first.instances;
    expect(instance.served).toBe(own.reduce((sum, { instances }) => sum + instances[0].served, 0) / 4);
    expect(instance.busy[3]).toBeCloseTo(own.reduce((sum, { instances }) => sum + instances[0].busy[3], 0) / 4, 12);
  });
});

test('windows without a value in some seeds are judged by the others; without any, they have none', () => {
  const withSeries = (cell: CellResult, latencyP50: readonly number[]): CellResult => ({
    ...cell,
    series: { ...cell.series, columns: { ...cell.series.columns, latencyP50 } },
  });
  const [a, b, c] = cells.filter(({ variant }) => variant === 0);
  const [variant] = collect([withSeries(a, [NaN, NaN, 3]), withSeries(b, [NaN, 5, 1]), withSeries(c, [NaN, 7, 2])]);
  expect(variant.series.columns.latencyP50).toEqual({ median: [NaN, 6, 2], min: [NaN, 5, 1], max: [NaN, 7, 3] });
});

test('a variant of which nothing is finished is there, and empty', () => {
  const variants = collect(cells.filter(({ variant }) => variant !== 1));
  expect(variants[1]).toMatchObject({ label: 'random', digests: [], metrics: {}, instances: [], ledger: { offered: 0 } });
  expect(variants[1].latency.count).toBe(0);
});
