/** Which cells an experiment asks for and what becomes of them. The executor is a stand-in that simulates nothing: goodput falls to 3 % at
 *  20 s and comes back where the load is lowered to half or less. */
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { Cell } from '../../src/lab/cell.ts';
import type { Executor } from '../../src/lab/executors.ts';
import { type ExperimentInput, type Progress, runExperiment } from '../../src/lab/experiment.ts';
import type { PolicyChoice, Scenario } from '../../src/scenario/spec.ts';
import type { CellResult } from '../../src/stats/result.ts';
import { cellResult, outline, type OutlineSetup, viewResult } from './results.ts';

const execute = vi.hoisted(() => vi.fn<Executor['run']>());
vi.mock('../../src/lab/executors.ts', () => ({ localExecutor: () => ({ run: execute }) }));

const asked: (readonly Cell[])[] = [];
/** Cells of later rounds that are not finished, as when the user interrupts. */
let roundsMax = Infinity;

beforeEach(() => {
  asked.length = 0;
  roundsMax = Infinity;
  execute.mockImplementation((scenario, cells, _, onResult) => {
    asked.push(cells);
    if (asked.length <= roundsMax) for (const cell of cells) onResult(imagined(cell, scenario));
    return Promise.resolve();
  });
});

function imagined({ variant, seed, loadStep }: Cell, scenario: Scenario): CellResult {
  const seconds = Array.from({ length: 100 }, (_, second) => second);
  const factorAt = (second: number): number => (loadStep !== undefined && second * 1000 >= loadStep.atMs ? loadStep.factor : 1);
  const isDown = (second: number): boolean => second >= 20 && factorAt(second) > 0.5;
  const metrics = { 'latency.p99': 100, availability: 1 };
  return cellResult(variant, seed, {
    metrics,
    views: scenario.views.map(() => viewResult({ 'latency.p99': 7 })),
    columns: {
      offered: seconds.map((second) => 1000 * factorAt(second)),
      ok: seconds.map((second) => 1000 * factorAt(second) * (isDown(second) ? 0.03 : 1)),
    },
  });
}

const run = (scenario: Scenario, rest: Partial<ExperimentInput> = {}) =>
  runExperiment({
    ...{ kind: scenario.variants.length > 1 ? 'compare' : 'run', scenario, text: '', sha256: '', file: 'x.yaml' },
    ...{ overrides: [], warnings: [], jobs: 0, replay: '' },
    ...rest,
  });

describe('waterfalls', () => {
  const ofCells = () => asked.flat().map(({ variant, seed, waterfall }) => [variant, seed, waterfall]);
  const retry: PolicyChoice = { balancer: { use: 'p2c', params: {} }, retry: { use: 'immediate', params: {} } };

  test('are asked for in the first seed of every variant', async () => {
    await run(outline({ services: ['web', 'db'], variants: ['a', 'b'], seeds: 2 }));
    expect(ofCells()).toEqual([
      [0, 'test:1', 5],
      [1, 'test:1', 5],
      [0, 'test:2', undefined],
      [1, 'test:2', undefined],
    ]);
  });

  test.each<[string, OutlineSetup, number | undefined]>([
    ['one service and nothing around it', {}, undefined],
    ['several services', { services: ['web', 'db'] }, 5],
    ['several classes', { classes: ['read', 'write'] }, 5],
    ['a queue', { queues: ['jobs'] }, 5],
    ['a resilience policy in a variant', { variants: ['a', { label: 'b', policies: retry }] }, 5],
    ['one on an edge', { edges: [{ policies: { breaker: { use: 'hystrix', params: {} } } }] }, 5],
    ['one that is taken away', { edges: [{ policies: { breaker: null } }] }, undefined],
    ['another balancer and a detector', { edges: [{ policies: { detector: { use: 'heartbeat', params: {} } } }] }, undefined],
  ])('%s: %s', async (_, setup, waterfall) => {
    await run(outline({ seeds: 1, ...setup }));
    expect(asked[0][0].waterfall).toBe(waterfall);
  });

  test('are as many as one says', async () => {
    await run(outline({ seeds: 1 }), { waterfalls: 2 });
    await run(outline({ seeds: 1, services: ['web', 'db'] }), { waterfalls: 0 });
    expect(ofCells()).toEqual([
      [0, 'test:1', 2],
      [0, 'test:1', undefined],
    ]);
  });
});

describe('the escape load', () => {
  const metastability = {
    triggerBeginsMs: 20_000,
    triggerEndsMs: 30_000,
    recoveredShare: 0.9,
    escape: { low: 0.1, resolution: 0.1 },
  };
  const scenario = outline({ metastability, seeds: 4 });

  test('is searched after the seeds, with the same executor', async () => {
    const file = await run(scenario);
    expect(asked[0].map(({ loadStep }) => loadStep)).toEqual([undefined, undefined, undefined, undefined]);
    expect(asked.slice(1).every((cells) => cells.length === 3 && cells.every(({ loadStep }) => loadStep?.atMs === 34_000))).toBe(
      true,
    );
    expect(file.variants[0].metastability?.escape).toMatchObject({ low: 0.5, high: 0.6 });
    expect(file.metastability).toEqual({ triggerBeginsMs: 20_000, triggerEndsMs: 30_000, recoveredShare: 0.9 });
    expect(file.complete).toBe(true);
    expect(file.verdict.slice(0, 2)).toEqual([
      'round-robin: metastable in 4 of 4 seeds, 70 s after the trigger ended goodput is still 3 % of the offered load.',
      'round-robin recovers by itself once load falls to 55 % (between 50 % and 60 %).',
    ]);
    // Its cells are no replications: no number of the variant comes from them.
    expect(file.variants[0].digests.length).toBe(4);
    expect(file.variants[0].metastability?.perSeed.length).toBe(4);
  });

  test('counts as work that is known when it begins', async () => {
    const seen: Progress[] = [];
    await run(scenario, { onProgress: (progress) => seen.push(progress) });
    expect(seen.at(-1)).toMatchObject({ done: asked.flat().length, total: asked.flat().length, share: 1 });
  });

  test('that was interrupted leaves the result incomplete but whole', async () => {
    roundsMax = 2;
    const file = await run(scenario);
    expect(file.complete).toBe(false);
    expect(file.variants[0].digests.length).toBe(4);
    expect(file.variants[0].metastability?.escape).toMatchObject({ interrupted: true });
  });

  test('is not searched when the seeds themselves were interrupted', async () => {
    roundsMax = 0;
    const file = await run(scenario);
    expect(asked.length).toBe(1);
    expect(file).toMatchObject({ complete: false, verdict: ['Nothing was finished, so there is nothing to say.'] });
  });
});

test('the file says who calls whom, which classes there are, and what loops', async () => {
  const file = await run(
    outline({
      services: ['web', 'db', 'worker'],
      queues: ['jobs'],
      classes: ['read', 'write'],
      edges: [
        { name: 'shop' },
        { name: 'web->db', caller: 0, service: 1 },
        { name: 'web->jobs', caller: 0, service: 2, queue: 0 },
        { name: 'jobs->worker', caller: -2, service: 2, queue: 0 },
      ],
    }),
  );
  expect(file.edges).toEqual([
    { name: 'shop', caller: '', service: 'web', queue: '' },
    { name: 'web->db', caller: 'web', service: 'db', queue: '' },
    { name: 'web->jobs', caller: 'web', service: 'worker', queue: 'jobs' },
    { name: 'jobs->worker', caller: 'jobs', service: 'worker', queue: 'jobs' },
  ]);
  expect(file.classes).toEqual([
    { name: 'read', priority: 0, tenant: '' },
    { name: 'write', priority: 1, tenant: '' },
  ]);
  expect(file).toMatchObject({ openLoop: true, loops: 'Open loop: requests arrive no matter how long answers take.' });
  expect(file.metastability).toBeNull();
});

test('expectations about a view are checked on it', async () => {
  const all = { edges: [], service: -1, class: 0, fromMs: 0, toMs: Infinity };
  const line = {
    text: 'latency.p99{class=read} < 50ms',
    metric: 'latency.p99',
    comparator: '<',
    limit: 50,
    variants: [],
  } as const;
  const place = { file: 'x', line: 1, column: 1, length: 1 };
  const scenario = {
    ...outline({ views: [{ label: 'class=read', ...all }] }),
    expect: [
      { ...line, place, view: 0 },
      { ...line, place },
    ],
  };
  const { expectations } = await run(scenario);
  expect(expectations.map(({ view, passed }) => [view, passed])).toEqual([
    ['class=read', true],
    ['', false],
  ]);
});

test('a sweep over loads is told in crossings', async () => {
  const policies = { balancer: { use: 'p2c', params: {} } };
  const variant = (load: number, group: string) => ({ label: `${group}, load=${load}`, differs: '', policies, load, group });
  const variants = [variant(0.5, 'rr'), variant(0.5, 'p2c'), variant(0.8, 'rr'), variant(0.8, 'p2c')];
  execute.mockImplementation((_, cells, __, onResult) => {
    for (const cell of cells) {
      const { load, group } = variants[cell.variant];
      const p99 = load === 0.5 ? 100 : group === 'rr' ? 200 : 120;
      onResult(
        cellResult(cell.variant, cell.seed, { metrics: { 'latency.p99': p99 + cell.seed.length / 1e6, availability: 1 } }),
      );
    }
    return Promise.resolve();
  });
  const file = await run(outline({ variants }));
  expect(file.variants.map(({ load, group, isBaseline }) => [load, group, isBaseline])).toEqual([
    [0.5, 'rr', true],
    [0.5, 'p2c', false],
    [0.8, 'rr', true],
    [0.8, 'p2c', false],
  ]);
  expect(file.crossings.map(({ group, fromLoad, toLoad, after }) => [group, fromLoad, toLoad, after])).toEqual([
    ['p2c', 0.5, 0.8, 'better'],
  ]);
  expect(file.verdict[0]).toBe('p2c is better than rr in p99 from load 80 % on (−40 %); at 50 % they are equivalent.');
});
