/** Views, queues and waterfalls of a variant, from cells that never ran. */
import { describe, expect, test } from 'vitest';
import { collectVariants } from '../../src/lab/collect.ts';
import { isMeasured, type VariantResult } from '../../src/lab/types.ts';
import type { ViewSpec } from '../../src/scenario/spec.ts';
import type { CellResult, QueueResult, Waterfall } from '../../src/stats/result.ts';
import { cellResult, ledgerOf, outline, variantResult, viewResult } from './results.ts';

const view = (label: string, rest: Partial<ViewSpec> = {}): ViewSpec => ({
  ...{ label, edges: [], service: -1, class: -1, fromMs: 0, toMs: Infinity },
  ...rest,
});
const scenario = outline({
  services: ['web', 'db'],
  classes: ['read', 'write'],
  edges: [{ name: 'web' }, { name: 'web->db', caller: 0, service: 1 }],
  views: [
    view('edge=web->db', { edges: [1] }),
    view('service=db', { edges: [1], service: 1 }),
    view('class=write', { class: 1, fromMs: 5, toMs: 9 }),
  ],
});
const collect = (cells: readonly CellResult[], world = scenario): VariantResult =>
  collectVariants(world, world.run.seeds, cells)[0];

describe('views', () => {
  const cells = [4, 6].map((p99, i) =>
    cellResult(0, `test:${i + 1}`, {
      views: [
        viewResult(
          { 'latency.p99': p99 },
          ledgerOf({ offered: 10 * p99, ok: 9, degraded: 2, cancelled: 1, failed: { shed: p99 } }),
        ),
        viewResult({ 'latency.p99': p99 + 1, 'utilization.mean': 0.5 }),
        viewResult({ 'latency.p99': NaN }),
      ],
    }),
  );
  const { views } = collect(cells);

  test('say in names which requests they are about', () => {
    expect(
      views.map(({ label, edges, service, class: kind, fromMs, toMs }) => [label, edges, service, kind, fromMs, toMs]),
    ).toEqual([
      ['edge=web->db', ['web->db'], '', '', 0, Infinity],
      ['service=db', ['web->db'], 'db', '', 0, Infinity],
      ['class=write', [], '', 'write', 5, 9],
    ]);
  });

  test('have a value per seed, its mean, and the sum of the ledgers', () => {
    expect(views[0].metrics).toEqual({ 'latency.p99': [4, 6] });
    expect(views[0].estimates['latency.p99']).toMatchObject({ mean: 5, n: 2 });
    expect(views[0].ledger).toEqual(ledgerOf({ offered: 100, ok: 18, degraded: 4, cancelled: 2, failed: { shed: 10 } }));
    expect(views[1].metrics).toEqual({ 'latency.p99': [5, 7], 'utilization.mean': [0.5, 0.5] });
  });

  test('of a variant with a world of its own are those of that world', () => {
    const { variants: _, ...other } = outline({ views: [view('class=default', { class: 0 })] });
    const world = { ...scenario, variants: [scenario.variants[0], { ...scenario.variants[0], label: 'other', scenario: other }] };
    const [, second] = collectVariants(
      world,
      ['test:1'],
      [cellResult(1, 'test:1', { views: [viewResult({ availability: 1 })] })],
    );
    expect(second.views.map(({ label, class: kind, metrics }) => [label, kind, metrics])).toEqual([
      ['class=default', 'default', { availability: [1] }],
    ]);
  });

  test('are there, and empty, when nothing is finished', () => {
    expect(collect([]).views.map(({ label, metrics, ledger }) => [label, metrics, ledger.offered])).toEqual([
      ['edge=web->db', {}, 0],
      ['service=db', {}, 0],
      ['class=write', {}, 0],
    ]);
  });
});

test('a metric is measured if any seed of any part has a value', () => {
  const nowhere = variantResult('a', { cacheHits: [NaN, NaN], availability: [1, 1] });
  const once = variantResult('b', { cacheHits: [NaN, 0] });
  expect(isMeasured([nowhere], 'cacheHits')).toBe(false);
  expect(isMeasured([nowhere], 'availability')).toBe(true);
  expect(isMeasured([nowhere, once], 'cacheHits')).toBe(true);
  expect(isMeasured([nowhere, once], 'connections')).toBe(false);
  expect(isMeasured([], 'availability')).toBe(false);
});

describe('queues', () => {
  const queue = (depth: readonly number[], oldestMs: readonly number[], count: number): QueueResult => ({
    ...{ name: 'jobs', depth, oldestMs },
    ...{ published: count, done: count - 1, redelivered: 2, dead: 1 },
  });

  test('are averaged per window and summed in their counts', () => {
    const { queues } = collect(
      [
        cellResult(0, 'test:1', { queues: [queue([0, 4], [NaN, 10], 7)] }),
        cellResult(0, 'test:2', { queues: [queue([2, 0], [30, NaN], 9)] }),
      ],
      outline(),
    );
    expect(queues).toEqual([
      // A queue that is empty has no oldest message: the age is that of the seeds that have one.
      { name: 'jobs', depth: [1, 2], oldestMs: [30, 10], published: 16, done: 14, redelivered: 4, dead: 2 },
    ]);
  });

  test('that are empty in every seed have no age at all', () => {
    const { queues } = collect([cellResult(0, 'test:1', { queues: [queue([0], [NaN], 1)] })], outline());
    expect(queues[0].oldestMs).toEqual([NaN]);
  });
});

test('waterfalls are those of the first seed', () => {
  const slow = (latencyMs: number): Waterfall => ({
    ...{ edge: 'web', request: 1, class: 'read', arrivalMs: 0, latencyMs, result: 'ok' },
    spans: [],
  });
  const cells = [cellResult(0, 'test:2', { waterfalls: [slow(2)] }), cellResult(0, 'test:1', { waterfalls: [slow(1)] })];
  expect(collect(cells, outline()).waterfalls).toEqual([slow(1)]);
});
