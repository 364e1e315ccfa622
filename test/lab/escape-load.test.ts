/** The search for the load at which a variant recovers, on cells that follow a rule instead of being simulated: down to 3 % from 20 s on,
 *  and back as soon as the load is at or below an edge. */
import { describe, expect, test } from 'vitest';
import type { Cell } from '../../src/lab/cell.ts';
import { collectVariants } from '../../src/lab/collect.ts';
import { findEscapeLoads } from '../../src/lab/escape-load.ts';
import type { EscapeLoad } from '../../src/lab/types.ts';
import { recoverySentences } from '../../src/lab/recovery.ts';
import type { ArrivalSpec, Scenario } from '../../src/scenario/spec.ts';
import type { CellResult } from '../../src/stats/result.ts';
import { cellResult, outline } from './results.ts';

const trigger = { triggerBeginsMs: 20_000, triggerEndsMs: 30_000, recoveredShare: 0.9 };

/** 1000 requests per second; from 20 s on 3 % of them go well, until the load is at most `edge`. */
function imagined({ variant, seed, loadStep }: Cell, edge: number): CellResult {
  const seconds = Array.from({ length: 100 }, (_, second) => second);
  const loadAt = (second: number): number =>
    loadStep !== undefined && second * 1000 >= loadStep.atMs ? 1000 * loadStep.factor : 1000;
  const isDown = (second: number): boolean => second >= 20 && (edge < 1 ? loadAt(second) > 1000 * edge + 1e-9 : second < 35);
  return cellResult(variant, seed, {
    columns: {
      offered: seconds.map(loadAt),
      ok: seconds.map((second) => Math.floor(loadAt(second) * (isDown(second) ? 0.03 : 1))),
    },
  });
}

interface Search {
  readonly escapes: readonly (EscapeLoad | null | undefined)[];
  readonly sentences: readonly string[];
  /** The cells of every round. */
  readonly rounds: readonly (readonly Cell[])[];
}

/** One edge per variant: 1 recovers at full load. */
async function search(
  edges: readonly number[],
  escape: { readonly low: number; readonly resolution: number } | undefined,
  {
    arrivals = { type: 'poisson', perSecond: 1000 } as ArrivalSpec,
    edgeOf = (cell: Cell) => edges[cell.variant],
    rounds = Infinity,
  } = {},
): Promise<Search> {
  const scenario: Scenario = outline({
    variants: edges.map((_, i) => `v${i}`),
    seeds: 5,
    traffic: [{ name: 'shop', arrivals }],
    metastability: { ...trigger, ...(escape === undefined ? {} : { escape }) },
  });
  const { seeds } = scenario.run;
  const first = seeds.flatMap((seed) => edges.map((_, variant) => ({ variant, seed })));
  const variants = collectVariants(
    scenario,
    seeds,
    first.map((cell) => imagined(cell, edgeOf(cell))),
  );
  const asked: (readonly Cell[])[] = [];
  const found = await findEscapeLoads(scenario, seeds, variants, (cells) => {
    asked.push(cells);
    return Promise.resolve(asked.length > rounds ? [] : cells.map((cell) => imagined(cell, edgeOf(cell))));
  });
  return { escapes: found.map(({ metastability }) => metastability?.escape), sentences: recoverySentences(found), rounds: asked };
}

describe('the search', () => {
  test('narrows the load at which most seeds recover to the resolution asked for', async () => {
    const { escapes, sentences, rounds } = await search([0.52], { low: 0.1, resolution: 0.05 });
    const [escape] = escapes;
    expect(escape?.low).toBeCloseTo(0.5, 9);
    expect(escape?.high).toBeCloseTo(0.55, 9);
    expect(escape).toMatchObject({ unavailable: '', interrupted: false });
    // 18 steps of 5 %: the lowest, the highest (known), and at most five halvings.
    expect(rounds.length).toBeLessThanOrEqual(6);
    expect(escape?.trials.map(({ load, recovered }) => load <= 0.52 === (recovered === 3))).not.toContain(false);
    expect(sentences.at(-1)).toBe('v0 recovers by itself once load falls to 52 % (between 50 % and 55 %).');
  });

  test('lowers the load a little after the trigger, in three seeds in which the variant is stuck', async () => {
    // Seeds 1 and 3 recover by themselves.
    const edgeOf = ({ seed }: Cell): number => (seed === 'test:1' || seed === 'test:3' ? 1 : 0.4);
    const { rounds } = await search([0.4], { low: 0.1, resolution: 0.1 }, { edgeOf });
    expect(rounds[0]).toEqual(
      ['test:2', 'test:4', 'test:5'].map((seed) => ({ variant: 0, seed, loadStep: { atMs: 34_000, factor: 0.1 } })),
    );
  });

  test('asks for all variants at once, and for those that are metastable only', async () => {
    const { escapes, rounds } = await search([0.3, 1, 0.7], { low: 0.1, resolution: 0.1 });
    expect(escapes.map((escape) => escape && [escape.low, escape.high].map((load) => Number(load.toFixed(6))))).toEqual([
      [0.3, 0.4],
      null,
      [0.7, 0.8],
    ]);
    expect(rounds[0].map(({ variant }) => variant)).toEqual([0, 0, 0, 2, 2, 2]);
  });

  test('is not made unless asked for, or where nothing is stuck', async () => {
    expect(await search([0.5], undefined)).toMatchObject({ escapes: [null], rounds: [] });
    expect(await search([1], { low: 0.1, resolution: 0.1 })).toMatchObject({ escapes: [null], rounds: [] });
  });
});

describe('no answer', () => {
  test('where not even the lowest load helps', async () => {
    const { escapes, sentences } = await search([0.05], { low: 0.1, resolution: 0.1 });
    expect(escapes[0]).toMatchObject({ low: NaN, high: 0.1, trials: [{ load: 0.1, recovered: 0, stayed: 3, seeds: 3 }] });
    expect(sentences.at(-1)).toBe('v0 does not recover by itself even once load falls to 10 %.');
  });

  test.each<[ArrivalSpec['type'], ArrivalSpec]>([
    [
      'users',
      { type: 'users', users: 9, think: { type: 'constant', value: 1 }, requests: Infinity, gap: { type: 'constant', value: 0 } },
    ],
    ['bursts', { type: 'bursts', everyMs: 1000, size: 5, spreadMs: 1, firstMs: 0 }],
  ])('where the load cannot be changed while it runs: %s', async (_, arrivals) => {
    const { escapes, sentences, rounds } = await search([0.5], { low: 0.1, resolution: 0.1 }, { arrivals });
    expect(rounds).toEqual([]);
    expect(escapes[0]).toMatchObject({ low: NaN, high: NaN, trials: [], interrupted: false });
    expect(sentences.at(-1)).toMatch(/^v0 was not searched .*: the load of shop cannot be lowered while it runs/);
  });

  test('where the user ended it', async () => {
    const { escapes, sentences } = await search([0.5], { low: 0.1, resolution: 0.1 }, { rounds: 1 });
    expect(escapes[0]).toMatchObject({ interrupted: true, trials: [{ load: 0.1 }] });
    expect(sentences.at(-1)).toMatch(/it was interrupted\.$/);
  });
});
