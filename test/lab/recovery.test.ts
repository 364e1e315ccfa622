/** Whether variants came back after a trigger, and what is said about it, from invented time series: 100 requests per second for 100 s,
 *  a trigger from 20 s to 30 s. The verdict on one series has its own tests in `test/stats`. */
import { describe, expect, test } from 'vitest';
import { collectVariants } from '../../src/lab/collect.ts';
import { recoverySentences } from '../../src/lab/recovery.ts';
import type { VariantMetastability, VariantResult } from '../../src/lab/types.ts';
import { verdictSentences } from '../../src/lab/verdict-text.ts';
import type { Scenario } from '../../src/scenario/spec.ts';
import type { CellResult } from '../../src/stats/result.ts';
import { cellResult, outline } from './results.ts';

const metastability = { triggerBeginsMs: 20_000, triggerEndsMs: 30_000, recoveredShare: 0.9 };
const WINDOWS = 100;
const windows = (value: (second: number) => number): number[] => Array.from({ length: WINDOWS }, (_, second) => value(second));

/** Goodput as a share of the load by second. */
const cell = (variant: number, seed: number, share: (second: number) => number, queued: readonly number[] = []): CellResult =>
  cellResult(variant, `test:${seed}`, {
    columns: { offered: windows(() => 100), ok: windows((second) => Math.round(100 * share(second))) },
    instances: [
      { ...{ id: 'api/0', service: 'api', zone: 'a', speed: 1, served: 0, utilization: 0 }, busy: windows(() => 1), queued },
    ],
  });
const always = (): number => 1;
const stuck = (second: number): number => (second < 20 ? 1 : 0.03);
const backAfter =
  (seconds: number) =>
  (second: number): number =>
    second < 20 || second >= 30 + seconds ? 1 : 0;

const world = (labels: readonly string[], setup: Partial<Parameters<typeof outline>[0]> = {}): Scenario =>
  outline({ variants: labels, metastability, ...setup });
const collect = (scenario: Scenario, cells: readonly CellResult[]): VariantResult[] =>
  collectVariants(scenario, scenario.run.seeds, cells);
const judged = (cells: readonly CellResult[], scenario = world(['a'])): VariantMetastability =>
  collect(scenario, cells)[0].metastability!;

describe('a variant', () => {
  test('is not judged when the scenario does not ask', () => {
    expect(collect(outline(), [cell(0, 1, stuck)])[0].metastability).toBeNull();
  });

  test('is judged seed by seed, in the order of the seeds', () => {
    const { perSeed, metastableSeeds, recoveredSeeds, medianRecoveryMs, escape } = judged([
      cell(0, 3, always),
      cell(0, 1, stuck),
      cell(0, 2, backAfter(12)),
    ]);
    expect(perSeed.map(({ state }) => state)).toEqual(['metastable', 'recovered', 'never-failed']);
    expect(perSeed[1].recoveredAtMs).toBe(42_000);
    expect([metastableSeeds, recoveredSeeds, medianRecoveryMs, escape]).toEqual([1, 1, 12_000, null]);
  });

  test('recovers after the median over the seeds that recovered', () => {
    const after = (...seconds: readonly number[]) =>
      judged(seconds.map((each, i) => cell(0, i + 1, backAfter(each)))).medianRecoveryMs;
    expect(after(12, 2, 7)).toBe(7000);
    expect(after(12, 2)).toBe(7000);
    expect(judged([cell(0, 1, stuck)]).medianRecoveryMs).toBeNaN();
  });

  test('whose backlog is still being worked off is not called metastable', () => {
    const draining = windows((second) => (second < 20 ? 0 : Math.max(0, 3000 - 30 * (second - 20))));
    const growing = windows((second) => (second < 20 ? 0 : 30 * (second - 20)));
    const { perSeed } = judged([cell(0, 1, stuck, draining), cell(0, 2, stuck, growing)]);
    expect(perSeed.map(({ state, reason }) => [state, reason])).toEqual([
      ['too-short', 'backlog-shrinking'],
      ['metastable', null],
    ]);
  });

  test('has the window, the warm-up and the trigger of its own world', () => {
    const { variants: _, ...other } = outline({
      metastability: { ...metastability, triggerBeginsMs: 50_000, triggerEndsMs: 60_000 },
    });
    const scenario = world(['a', { label: 'b', scenario: other } as unknown as string]);
    const late = (second: number): number => (second < 50 || second >= 65 ? 1 : 0);
    expect(collect(scenario, [cell(1, 1, late)])[1].metastability).toMatchObject({ recoveredSeeds: 1, medianRecoveryMs: 5000 });
  });
});

describe('the sentence of a variant', () => {
  test.each<[string, readonly CellResult[], string]>([
    [
      'metastable in all seeds',
      [cell(0, 1, stuck), cell(0, 2, stuck)],
      'a: metastable in 2 of 2 seeds, 70 s after the trigger ended goodput is still 3 % of the offered load.',
    ],
    [
      'recovered in all',
      [cell(0, 1, backAfter(12)), cell(0, 2, backAfter(13))],
      'a: recovered in 2 of 2 seeds, after 13 s (median).',
    ],
    ['recovered with the end of the trigger', [cell(0, 1, backAfter(0))], 'a: recovered in 1 of 1 seed, at once.'],
    [
      'both',
      [cell(0, 1, stuck), cell(0, 2, backAfter(5)), cell(0, 3, always)],
      'a: metastable in 1 of 3 seeds, 70 s after the trigger ended goodput is still 3 % of the offered load, ' +
        'recovered in 1 of 3 seeds, after 5 s (median), never failed in 1 of 3 seeds.',
    ],
    [
      'nobody knows',
      [cell(0, 1, (second) => (second < 20 || second >= 98 ? 1 : 0))],
      'a: cannot be told in 1 of 1 seed (goodput is back only just before the end).',
    ],
    ['nothing finished', [], 'a: nothing finished.'],
  ])('%s', (_, cells, sentence) => expect(judged(cells).sentence).toBe(sentence));

  test('cuts goodput off and never rounds it up', () => {
    const left = (ok: number): string => judged([cell(0, 1, (second) => (second < 20 ? 1 : ok))]).sentence;
    expect(left(0)).toContain('still 0 % of');
    expect(left(0.59)).toContain('still 59 % of');
    // 1 of 100 requests before the trigger failed as well: the share is of what is offered, not of what went well before.
    const lossy = judged([cell(0, 1, (second) => (second < 20 ? 0.8 : 0.4))]);
    expect(lossy.sentence).toContain('still 40 % of');
  });
});

describe('the verdict', () => {
  const of = (labels: readonly string[], shares: readonly ((second: number) => number)[]): VariantResult[] =>
    collect(
      world(labels),
      shares.flatMap((share, variant) => [cell(variant, 1, share), cell(variant, 2, share)]),
    );

  test('puts a few variants into one sentence, and before all else', () => {
    const variants = of(['retries', 'with a budget'], [stuck, backAfter(12)]);
    const sentence =
      'retries: metastable in 2 of 2 seeds, 70 s after the trigger ended goodput is still 3 % of the offered load; ' +
      'with a budget: recovered in 2 of 2 seeds, after 12 s (median).';
    expect(recoverySentences(variants)).toEqual([sentence]);
    expect(verdictSentences('compare', variants, [])[0]).toBe(sentence);
    expect(verdictSentences('run', variants.slice(0, 1), []).length).toBe(2);
  });

  test('of many variants goes by what they did', () => {
    expect(recoverySentences(of(['a', 'b', 'c', 'd'], [stuck, backAfter(12), always, stuck]))).toEqual([
      'Metastable after the trigger: a (2 of 2 seeds) and d (2 of 2 seeds).',
      'Recovered, in the median after: b (12 s).',
      'Never failed: c.',
    ]);
  });

  test('says nothing where nobody asked', () => {
    expect(recoverySentences(collect(outline(), [cell(0, 1, stuck)]))).toEqual([]);
  });
});
