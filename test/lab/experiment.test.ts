import { describe, expect, test } from 'vitest';
import { type Progress, runExperiment } from '../../src/lab/experiment.ts';
import type { Scenario } from '../../src/scenario/spec.ts';
import { constant, crash, randomly, slow } from '../cluster/world-builder.ts';
import { experimentOf, own, scenarioOf, variantOf } from './builder.ts';

const three = scenarioOf({ seeds: 3, variants: ['round-robin', 'p2c'] });

describe('an experiment', () => {
  test('runs every variant under every seed and says what it did', async () => {
    const file = await runExperiment(experimentOf(three));
    expect(file).toMatchObject({
      schema: 'clusterlab-run/2',
      kind: 'compare',
      complete: true,
      seeds: ['test:1', 'test:2', 'test:3'],
      openLoop: true,
      services: [{ name: 'api', instances: 3, slots: 1 }],
      replay: 'clusterlab run small.yaml',
    });
    // The name, without the folder.
    expect(file.scenario).toMatchObject({ name: 'test', file: 'small.yaml', durationMs: 2000, warmupMs: 0, sha256: 'abc' });
    expect(file.variants.map(({ label, isBaseline, digests }) => [label, isBaseline, digests.length])).toEqual([
      ['round-robin', true, 3],
      ['p2c', false, 3],
    ]);
    expect(
      file.comparisons.every(({ variant, baseline, seeds }) => variant === 'p2c' && baseline === 'round-robin' && seeds === 3),
    ).toBe(true);
    expect(file.comparisons.length).toBe(5);
    // 6 cells of about 300 requests.
    expect(file.checks.requests).toBe(file.variants.reduce((sum, { ledger }) => sum + ledger.offered, 0));
    expect(file.checks.requests).toBeGreaterThan(1500);
    expect(file.checks.events).toBeGreaterThan(2 * file.checks.requests * 0.99);
    expect(file.checks.littleResidual).toBeLessThan(1e-9);
  });

  test('is the same bytes every time', async () => {
    const text = JSON.stringify(await runExperiment(experimentOf(three)));
    expect(JSON.stringify(await runExperiment(experimentOf(three)))).toBe(text);
  });

  test('gives all variants the same offered load, seed by seed', async () => {
    const file = await runExperiment(
      experimentOf(scenarioOf({ seeds: 3, variants: ['round-robin', 'random', 'always-first', 'peak-ewma'] })),
    );
    const [first, ...others] = file.variants.map(({ metrics }) => metrics['offered']);
    for (const other of others) expect(other).toEqual(first);
    expect(new Set(first).size).toBeGreaterThan(1);
  });

  test('of one variant compares nothing', async () => {
    const file = await runExperiment(experimentOf(scenarioOf()));
    expect(file.kind).toBe('run');
    expect(file.comparisons).toEqual([]);
    expect(file.verdict).toHaveLength(1);
  });

  test('tells scheduled faults, random ones not', async () => {
    const faults = [
      slow(0, 3, 500, 100),
      randomly({ type: 'errors', share: 0.1 }, [0], constant(100), constant(100)),
      crash(1, 1000, Infinity),
    ];
    const file = await runExperiment(experimentOf(scenarioOf({ faults, seeds: 1 })));
    expect(file.faults).toEqual([
      { label: 'slow', fromMs: 500, toMs: 600 },
      { label: 'crash', fromMs: 1000, toMs: Infinity },
    ]);
  });

  test('of worlds that differ runs each variant in its own', async () => {
    const { variants: _, ...world } = scenarioOf();
    const busier: Scenario['variants'][number] = {
      ...variantOf('busier', { use: 'round-robin', params: {} }),
      scenario: { ...world, traffic: [{ ...world.traffic[0], arrivals: { type: 'poisson', perSecond: 220 } }] },
    };
    const file = await runExperiment(experimentOf(scenarioOf({ variants: ['round-robin', busier] })));
    const [base, more] = file.variants.map(({ ledger }) => ledger.offered);
    expect(more / base).toBeGreaterThan(1.3);
    expect(more / base).toBeLessThan(1.6);
  });

  test('records decisions for the first seed only, and they change no number', async () => {
    const plain = await runExperiment(experimentOf(three));
    const told = await runExperiment(experimentOf(three, { explain: 7 }));
    expect(told.variants.map(({ decisions }) => decisions.length)).toEqual([7, 7]);
    expect(told.variants.map(({ digests }) => digests)).toEqual(plain.variants.map(({ digests }) => digests));
  });

  test('checks what was promised', async () => {
    const place = { file: 'x', line: 1, column: 1, length: 1 };
    const expectLine = {
      text: 'availability >= 1',
      metric: 'availability',
      comparator: '>=',
      limit: 1,
      variants: [],
      place,
    } as const;
    const file = await runExperiment(experimentOf({ ...three, expect: [expectLine] }));
    expect(file.expectations.map(({ variant, passed, uncertain }) => [variant, passed, uncertain])).toEqual([
      ['round-robin', true, false],
      ['p2c', true, false],
    ]);
  });

  test('passes on a policy’s fault', async () => {
    const scenario = scenarioOf({ variants: ['round-robin', variantOf('mine', own('balancers.ts', 'ThrowsInPick'))] });
    await expect(runExperiment(experimentOf(scenario))).rejects.toThrow(/off by one \(variant mine, seed test:1\)/);
  });
});

describe('progress', () => {
  test('only grows, and ends with everything done', async () => {
    const seen: Progress[] = [];
    await runExperiment(experimentOf(three, { onProgress: (progress) => seen.push(progress) }));
    seen.forEach(({ share, simulatedMs, done }, i) => {
      if (i === 0) return;
      expect(share).toBeGreaterThanOrEqual(seen[i - 1].share);
      expect(simulatedMs).toBeGreaterThanOrEqual(seen[i - 1].simulatedMs);
      expect(done).toBeGreaterThanOrEqual(seen[i - 1].done);
    });
    expect(seen.at(-1)).toEqual({ done: 6, total: 6, simulatedMs: 12_000, share: 1 });
    // Ten windows per cell, and its end.
    expect(seen.length).toBe(66);
  });
});

describe('an interrupted experiment', () => {
  const abortAfter = async (cells: number, scenario = three) => {
    const controller = new AbortController();
    return runExperiment(
      experimentOf(scenario, {
        signal: controller.signal,
        onProgress: ({ done }) => {
          if (done >= cells) controller.abort();
        },
      }),
    );
  };

  test('returns what is finished, and says that it is not all', async () => {
    const file = await abortAfter(4);
    expect(file.complete).toBe(false);
    expect(file.variants.map(({ digests }) => digests.length)).toEqual([2, 2]);
    expect(file.comparisons.every(({ seeds }) => seeds === 2)).toBe(true);
  });

  test('compares only the seeds that every variant has finished', async () => {
    const file = await abortAfter(5);
    expect(file.variants.map(({ digests }) => digests.length)).toEqual([3, 2]);
    expect(file.comparisons.every(({ seeds }) => seeds === 2)).toBe(true);
    // The same numbers as with the two seeds alone.
    const two = await runExperiment(experimentOf({ ...three, run: { ...three.run, seeds: three.run.seeds.slice(0, 2) } }));
    expect(file.comparisons).toEqual(two.comparisons);
    expect(file.verdict).toEqual(two.verdict);
  });

  test('before anything is finished has nothing to say', async () => {
    const file = await abortAfter(0);
    // The cell under way is finished; a comparison of one is none.
    expect(file.complete).toBe(false);
    expect(file.verdict).toEqual(['Nothing was finished, so there is nothing to say.']);
  });

  test('with a signal that was given before it began runs nothing', async () => {
    const file = await runExperiment(experimentOf(three, { signal: AbortSignal.abort() }));
    expect(file).toMatchObject({ complete: false, checks: { requests: 0, events: 0 } });
    expect(file.variants.map(({ digests }) => digests)).toEqual([[], []]);
  });
});

describe('until the interval is narrow enough', () => {
  test('seeds are added: to ten, then doubled', async () => {
    const one = scenarioOf({ seeds: 1 });
    const wide = await runExperiment(experimentOf(one, { untilCi: 0.5 }));
    expect(wide.seeds).toEqual(Array.from({ length: 10 }, (_, k) => `test:${k + 1}`));
    expect(wide.complete).toBe(true);
    const { mean, low, high } = wide.variants[0].estimates['latency.p99'];
    expect((high - low) / 2 / mean).toBeLessThan(0.5);
    // Asked for a little less than ten seeds gave, it takes 20, 40 or at most 80.
    const asked = ((high - low) / 2 / mean) * 0.99;
    const narrower = await runExperiment(experimentOf(one, { untilCi: asked }));
    expect([20, 40, 80]).toContain(narrower.seeds.length);
    expect(narrower.seeds.slice(0, 10)).toEqual(wide.seeds);
  });

  test('they come on top of those written, without repeating one', async () => {
    const file = await runExperiment(experimentOf(scenarioOf({ seeds: ['mine', 'test:2'], durationMs: 200 }), { untilCi: 1e-6 }));
    expect(file.seeds.slice(0, 5)).toEqual(['mine', 'test:2', 'test:1', 'test:3', 'test:4']);
    expect(file.seeds.length).toBe(80);
    expect(new Set(file.seeds).size).toBe(file.seeds.length);
  });

  test('comparing, the difference must be known that well', async () => {
    const file = await runExperiment(experimentOf(scenarioOf({ seeds: 2, variants: ['random', 'p2c'] }), { untilCi: 0.3 }));
    const p99 = file.comparisons.find(({ metric }) => metric === 'latency.p99');
    expect(p99?.relative).not.toBeNull();
    expect(((p99?.relative?.high ?? 9) - (p99?.relative?.low ?? 0)) / 2).toBeLessThanOrEqual(0.3);
    expect(file.seeds.length).toBeGreaterThan(2);
  });

  test('ends at eighty with a warning', async () => {
    const file = await runExperiment(experimentOf(scenarioOf({ seeds: 2, durationMs: 200 }), { untilCi: 1e-6 }));
    expect(file.seeds.length).toBe(80);
    expect(file.warnings.map(({ code }) => code)).toContain('interval-too-wide');
  });

  test('interrupted adds nothing and promises nothing', async () => {
    const controller = new AbortController();
    const onProgress = ({ done }: Progress): void => {
      if (done === 5) controller.abort();
    };
    const scenario = scenarioOf({ seeds: 2, durationMs: 200 });
    const file = await runExperiment(experimentOf(scenario, { untilCi: 1e-6, signal: controller.signal, onProgress }));
    expect(file.complete).toBe(false);
    expect(file.seeds.length).toBe(10);
    expect(file.variants[0].digests.length).toBe(5);
    expect(file.warnings.map(({ code }) => code)).not.toContain('interval-too-wide');
  });

  test('nothing is added where it is narrow already', async () => {
    const even = scenarioOf({ work: constant(1), arrivals: { type: 'constant', perSecond: 50 }, seeds: 2 });
    expect((await runExperiment(experimentOf(even, { untilCi: 0.01 }))).seeds.length).toBe(2);
  });
});
