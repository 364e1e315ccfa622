/** Does the statistics keep its word on real runs? Fixed seeds: nothing here can flake. */
import { describe, expect, test } from 'vitest';
import { runAa } from '../../src/lab/aa.ts';
import { CellRunner } from '../../src/lab/cell.ts';
import { collectVariants } from '../../src/lab/collect.ts';
import { compareVariants } from '../../src/lab/compare.ts';
import { estimate } from '../../src/stats/estimate.ts';
import { wilson } from '../../src/stats/wilson.ts';
import { scenarioOf } from './builder.ts';

describe('intervals over seeds cover the truth', () => {
  // M/M/1 at load 1/2: arrivals 50/s, work 10 ms. Mean time in the system 10 / (1 − 0.5) = 20 ms, exactly.
  // 60 repetitions of 10 seeds, each 20 s after 2 s of warm-up (about 900 requests).
  test('of mean latency in an M/M/1, in 95 % of cases or close to it', async () => {
    const scenario = scenarioOf({
      instances: 1,
      arrivals: { type: 'poisson', perSecond: 50 },
      balancers: 1,
      durationMs: 20_000,
      warmupMs: 2000,
      windowMs: 20_000,
    });
    const runner = new CellRunner(scenario);
    const means: number[] = [];
    let covered = 0;
    for (let repetition = 0; repetition < 60; repetition++) {
      const values: number[] = [];
      for (let k = 0; k < 10; k++) {
        const { metrics } = await runner.run({ variant: 0, seed: `cover:${repetition}:${k}` });
        values.push(metrics['latency.mean']);
      }
      means.push(...values);
      const { low, high } = estimate(values);
      if (low <= 20 && 20 <= high) covered++;
    }
    // Binomial(60, 0.95): below 53 with probability 0.5 %.
    expect(covered / 60).toBeGreaterThanOrEqual(0.88);
    expect(covered / 60).toBeLessThanOrEqual(1);
    // All 600 runs together: sd of one is about 1.4 ms, so ±0.25 is four standard errors and more.
    expect(Math.abs(estimate(means).mean - 20)).toBeLessThan(0.25);
  });
});

describe('A/A', () => {
  // Load 1/2 on three instances, 5 seeds a side, 40 trials.
  const small = scenarioOf({ seeds: 5, durationMs: 1000 });

  test('a policy against itself alarms about as rarely as promised', async () => {
    const result = await runAa({ scenario: small, trials: 40, jobs: 0 });
    expect(result).toMatchObject({
      policy: 'round-robin',
      trials: 40,
      seeds: 5,
      comparisons: 200,
      nominal: 0.05,
      complete: true,
    });
    // Holm bounds the chance of any alarm in a trial by 5 %: 40 trials, more than 6 with probability below 0.4 %.
    expect(result.falseAlarms).toBeLessThanOrEqual(6);
    expect(result.rate).toBe(result.falseAlarms / 40);
    expect(result).toMatchObject(wilson(result.falseAlarms, 40));
    expect(result.perMetric.length).toBe(5);
    for (const { falseAlarms, equivalent, trials } of result.perMetric) {
      expect(falseAlarms + equivalent).toBeLessThanOrEqual(trials);
      expect(falseAlarms).toBeLessThanOrEqual(result.falseAlarms);
    }
  });

  test('is the same every time, and other seeds are others', async () => {
    const two = await runAa({ scenario: small, trials: 5, jobs: 0 });
    expect(await runAa({ scenario: small, trials: 5, jobs: 0 })).toEqual(two);
  });

  test('uses fresh seeds throughout: 2 sides · 5 seeds · trials', async () => {
    const totals = new Set<number>();
    let last = 0;
    await runAa({
      scenario: small,
      trials: 3,
      jobs: 0,
      onProgress: ({ done, total, share }) => {
        totals.add(total);
        expect(done).toBe(last + 1);
        expect(share).toBeCloseTo(done / 30, 12);
        last = done;
      },
    });
    expect([...totals]).toEqual([30]);
    expect(last).toBe(30);
  });

  test('of a sweep over loads takes the first load as any other scenario', async () => {
    const [first] = small.variants;
    const plain = await runAa({ scenario: small, trials: 3, jobs: 0 });
    const swept = { ...small, variants: [{ ...first, load: 1, group: 'rr' }] };
    expect(await runAa({ scenario: swept, trials: 3, jobs: 0 })).toEqual(plain);
    expect(plain.perMetric.some(({ equivalent, falseAlarms }) => equivalent + falseAlarms > 0)).toBe(true);
  });

  test('interrupted counts whole trials only', async () => {
    const controller = new AbortController();
    const result = await runAa({
      scenario: small,
      trials: 10,
      jobs: 0,
      signal: controller.signal,
      onProgress: ({ done }) => {
        // Two trials are 20 cells.
        if (done === 25) controller.abort();
      },
    });
    expect(result).toMatchObject({ trials: 2, complete: false, comparisons: 10 });
  });

  test('would notice: a policy against a worse one is told apart in every trial', async () => {
    // The same statistics on a real difference: always-first puts a load of 1.5 on one instance.
    const scenario = scenarioOf({ seeds: 5, durationMs: 1000, variants: ['round-robin', 'always-first'] });
    const runner = new CellRunner(scenario);
    for (let trial = 0; trial < 5; trial++) {
      const cells = [];
      const seeds = Array.from({ length: 5 }, (_, k) => `power:${trial}:${k}`);
      for (const seed of seeds) for (const variant of [0, 1]) cells.push(await runner.run({ variant, seed }));
      const found = compareVariants(collectVariants(scenario, seeds, cells));
      expect(found.find(({ metric }) => metric === 'latency.mean')?.verdict).toBe('worse');
    }
  });
});
