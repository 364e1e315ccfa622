import { describe, expect, test } from 'vitest';
import type { RunFile } from '../../../src/lab/types.ts';
import { charts } from '../../../src/report/charts/index.ts';
import { verdictLooks, variantLooks } from '../../../src/report/charts/palette.ts';
import { serializeSpec, type ChartSpec, type Row } from '../../../src/report/charts/spec.ts';
import { fixture } from '../fixture.ts';
import { configured, rollouts } from '../change.ts';
import { elastic, outage, shop, storm, sweep } from '../life.ts';

const run = fixture();
/** A run in which the chart has something to show. */
const life = {
  shop: shop(),
  storm: storm(),
  sweep: sweep(),
  outage: outage(),
  elastic: elastic(),
  rollouts: rollouts(),
  configured: configured(),
};
const runFor = (name: string): RunFile => [run, ...Object.values(life)].find((file) => charts[name]!.when(file)) ?? run;
const spec = (name: string, file: RunFile = run): ChartSpec => charts[name]!.spec(file);
const rows = (name: string, dataset: string, file: RunFile = run): readonly Row[] => spec(name, file).datasets[dataset]!;
const title = (name: string, file: RunFile = run): string => (spec(name, file).title as { text: string[] }).text.join(' ');

describe('every chart', () => {
  test.each(Object.keys(charts))('%s has finite numbers, snake-case columns and a description', (name) => {
    const { datasets, description } = spec(name, runFor(name));
    expect(description).toMatch(/\w/);
    const cells = Object.values(datasets)
      .flat()
      .flatMap((row) => Object.entries(row));
    expect(cells.filter(([key]) => !/^[a-z][a-z0-9_]*$/.test(key))).toEqual([]);
    expect(cells.filter(([, value]) => typeof value === 'number' && !Number.isFinite(value))).toEqual([]);
  });

  test.each(Object.keys(charts))('%s is the same object every time', (name) => {
    expect(JSON.stringify(spec(name, runFor(name)))).toBe(JSON.stringify(spec(name, runFor(name))));
  });

  test.each(Object.keys(charts))('%s as a file is the same specification', (name) => {
    const whole = spec(name, runFor(name));
    expect(JSON.parse(serializeSpec(whole))).toEqual(JSON.parse(JSON.stringify(whole)));
  });

  test('a year of windows has at most 200 points per line', () => {
    const long = fixture({ variants: 2, windows: 5000, seeds: 2 });
    const count = rows('latency-over-time', 'latency', long).filter(
      (row) => row.variant === 'random' && row.percentile === 'p99',
    ).length;
    expect(count).toBeGreaterThan(100);
    expect(count).toBeLessThanOrEqual(200);
  });
});

describe('which charts a run has', () => {
  const shown = (file: RunFile): string[] => Object.keys(charts).filter((name) => charts[name]!.when(file));

  test('one service without retries has no pictures about retries, calls, queues, recovery, loads, scaling or versions', () => {
    expect(shown(run)).toEqual([
      ...['forest', 'per-seed', 'latency-over-time', 'availability-over-time', 'budget-burn', 'load-over-time'],
      ...['latency-survival', 'latency-percentiles', 'instance-heatmap', 'load-spread'],
    ]);
  });
  test('every chart is shown where there is something to see in it', () => {
    const anywhere = new Set([run, ...Object.values(life)].flatMap(shown));
    expect(Object.keys(charts).filter((name) => !anywhere.has(name))).toEqual([]);
  });
  test('a single run has no differences', () => {
    expect(shown(fixture({ variants: 1, windows: 30 }))).not.toContain('forest');
  });
  test('one seed has no spread over seeds', () => {
    expect(shown(fixture({ seeds: 1, windows: 30 }))).not.toContain('per-seed');
  });
  test('availability without a failure is not drawn', () => {
    const calm = { ...run, variants: run.variants.filter((variant) => variant.label === 'two choices') };
    expect(shown(calm)).not.toContain('availability-over-time');
  });
  test('a run in which nothing ended well has neither latencies nor their tail', () => {
    const nothing = run.variants.map((variant) => {
      const none = variant.series.columns.ok.median.map(() => NaN);
      const band = { median: none, min: none, max: none };
      const columns = { ...variant.series.columns, latencyP50: band, latencyP99: band, latencyP999: band };
      return {
        ...variant,
        series: { ...variant.series, columns },
        latency: { ...variant.latency, count: 0, counts: [], min: 0, max: 0 },
      };
    });
    const names = shown({ ...run, variants: nothing });
    expect(names).not.toContain('latency-over-time');
    expect(names).not.toContain('latency-survival');
  });
});

describe('looks', () => {
  test('a variant keeps its colour in every chart, and the baseline is the neutral one', () => {
    const looks = variantLooks(run);
    expect(looks[0]!.color).toBe('#3d3d3d');
    expect(new Set(looks.map((look) => look.color)).size).toBe(5);
  });
  test('twenty variants still differ from each other in colour or dash', () => {
    const looks = variantLooks(fixture({ variants: 20, windows: 5, seeds: 2 }));
    expect(new Set(looks.map(({ color, dash }) => color + String(dash))).size).toBe(20);
  });
  test('every verdict has a colour and a shape of its own', () => {
    const looks = Object.values(verdictLooks);
    expect(new Set(looks.map((look) => look.color)).size).toBe(4);
    expect(new Set(looks.map((look) => look.shape)).size).toBe(4);
  });
});

describe('forest', () => {
  test('shows the paired difference in per cent with its interval and the zone of indifference', () => {
    const row = rows('forest', 'comparisons').find((each) => each.metric === 'latency.p99' && each.variant === 'two choices')!;
    const { relative } = run.comparisons.find((each) => each.metric === 'latency.p99' && each.variant === 'two choices')!;
    expect(row.change).toBeCloseTo(relative!.mean * 100, 2);
    expect(row.low).toBeCloseTo(relative!.low * 100, 2);
    // The glossary's zone for p99 is 3 %.
    expect(row.indifference).toBeCloseTo(3, 6);
  });
  test('availability is in percentage points', () => {
    const row = rows('forest', 'comparisons').find((each) => each.metric === 'availability')!;
    expect(row.unit).toBe('pp');
    // 0.0001 as a share is 0.01 percentage points.
    expect(row.indifference).toBeCloseTo(0.01, 9);
  });
  test('its title counts the verdicts', () => {
    expect(title('forest')).toBe('p99 latency: 3 of 4 variants better than round-robin, 1 worse');
  });
  test('a metric that is nothing for one of the baselines is shown in its own unit for all', () => {
    const [first, second] = run.comparisons.filter((each) => each.metric === 'latency.p99');
    const count = { metric: 'rollout.failed', difference: { mean: 12, low: 10, high: 14, sd: 2, n: 10 }, indifference: 5 };
    const comparisons = [
      ...run.comparisons,
      { ...first!, ...count, relative: null },
      { ...second!, ...count, relative: { mean: 0.12, low: 0.1, high: 0.14 } },
    ];
    const shown = rows('forest', 'comparisons', { ...run, comparisons }).filter((row) => row.metric === 'rollout.failed');
    expect(shown.map(({ unit, change, low, indifference, text }) => [unit, change, low, indifference, text])).toEqual([
      ['count', 12, 10, 5, '+12.0 [+10.0 .. +14.0]'],
      ['count', 12, 10, 5, '+12.0 [+10.0 .. +14.0]'],
    ]);
  });
  test('a variant twenty times worse gets an axis that leaves the others readable', () => {
    const comparisons = run.comparisons.map((each) =>
      each.variant === 'random' && each.metric === 'latency.p99' ? { ...each, relative: { mean: 20, low: 18, high: 22 } } : each,
    );
    expect(JSON.stringify(spec('forest', { ...run, comparisons }))).toContain('"type":"symlog"');
  });
});

describe('over time', () => {
  test('the worst of the windows that share a point is shown', () => {
    const [variant] = run.variants;
    const values = variant!.series.columns.latencyP99.median;
    const second = rows('latency-over-time', 'latency')[1]!;
    // 300 windows of 1 s make 150 points; the second stands at 3 s = 0.05 min for windows 2 and 3.
    expect(second.time_min).toBeCloseTo(0.05, 6);
    expect(second.median).toBeCloseTo(Math.max(values[2]!, values[3]!), 3);
  });
  test('a window in which nothing ended is a gap', () => {
    const gaps = run.variants.map((variant) => {
      const { latencyP99 } = variant.series.columns;
      const hole = (values: readonly number[]): number[] => values.map((value, at) => (at === 10 || at === 11 ? NaN : value));
      const band = { median: hole(latencyP99.median), min: hole(latencyP99.min), max: hole(latencyP99.max) };
      return { ...variant, series: { ...variant.series, columns: { ...variant.series.columns, latencyP99: band } } };
    });
    expect(rows('latency-over-time', 'latency', { ...run, variants: gaps })[5]!.median).toBeNull();
  });
  test('faults and warm-up are shaded spans, an open end reaches the end', () => {
    const open = { ...run, faults: [{ label: 'crash', fromMs: 120_000, toMs: Infinity }] };
    expect(rows('latency-over-time', 'faults', open)).toEqual([{ fault: 'crash', from: 2, to: 5 }]);
    expect(rows('latency-over-time', 'warmup')).toEqual([{ from: 0, to: 0.5 }]);
  });
  test('the limit of an expectation is a line', () => {
    expect(JSON.stringify(spec('latency-over-time'))).toContain('{"y":{"datum":250}}');
  });
  test('all variants share one line of offered load when they saw the same arrivals', () => {
    expect(new Set(rows('load-over-time', 'offered').map((row) => row.variant))).toEqual(new Set(['round-robin']));
  });
});

describe('tails', () => {
  const tail = rows('latency-survival', 'tail').filter((row) => row.variant === 'mine');
  test('the curve falls and never reaches the zero that has no logarithm', () => {
    const shares = tail.map((row) => row.share_slower as number);
    expect(shares.every((share, at) => share > 0 && (at === 0 || share <= shares[at - 1]!))).toBe(true);
    expect(shares[0]).toBeCloseTo(1, 2);
    expect(tail.length).toBeLessThanOrEqual(200);
  });
  test('an expectation on a percentile is a point at that percentile', () => {
    expect(rows('latency-percentiles', 'limits')).toEqual([{ expectation: 'latency.p99 < 250ms', one_in: 100, limit_ms: 250 }]);
  });
});

describe('instances', () => {
  const crowd = fixture({ variants: 3, instances: 400, windows: 120, seeds: 2 });
  test('of many instances those furthest from the average are shown, the slow one among them', () => {
    const shown = new Set(rows('instance-heatmap', 'busy', crowd).map((row) => row.instance));
    expect(shown.has('api/3')).toBe(true);
    expect(rows('instance-heatmap', 'busy', crowd).length).toBeLessThanOrEqual(15_000);
  });
  test('a thousand ticks are thinned, both ends stay', () => {
    const values = rows('load-spread', 'served', crowd).filter((row) => row.variant === 'two choices');
    const all = crowd.variants[2]!.instances.map((instance) => instance.served);
    expect(values.length).toBeLessThanOrEqual(200);
    expect(Math.min(...values.map((row) => row.served as number))).toBe(Math.min(...all));
    expect(Math.max(...values.map((row) => row.served as number))).toBe(Math.max(...all));
  });
  test('load is relative to the mean of its own service', () => {
    const [variant] = run.variants;
    const two = variant!.instances.slice(0, 2);
    const instances = [
      { ...two[0]!, id: 'a/0', service: 'a', served: 30 },
      { ...two[1]!, id: 'a/1', service: 'a', served: 10 },
      { ...two[1]!, id: 'b/0', service: 'b', served: 5 },
    ];
    const spread = rows('load-spread', 'served', { ...run, variants: [{ ...variant!, instances }] });
    expect(spread.map((row) => [row.instance, row.relative])).toEqual([
      ['a/1', 0.5],
      ['b/0', 1],
      ['a/0', 1.5],
    ]);
  });
});

describe('instances that come and go', () => {
  const [variant] = run.variants;
  const [first] = variant!.instances;
  const instances = [
    { ...first!, id: 'api/0', existedMs: 100_000, served: 1000, busy: [0.5, 0.5, 0.5, 0.5] },
    { ...first!, id: 'api/1', existedMs: 50_000, served: 500, busy: [0, 0, 0.5, 0.5] },
    { ...first!, id: 'api/2', existedMs: 10_000, served: 200, busy: [0, 0, 0, 0.5] },
  ];
  const file = { ...run, variants: [{ ...variant!, instances }] };
  test('are compared by what they serve per time, and the subtitle says so', () => {
    // 1700 requests in 160 s: 10.625 per second.
    expect(rows('load-spread', 'served', file).map((row) => [row.instance, row.relative])).toEqual([
      ['api/0', 0.941176],
      ['api/1', 0.941176],
      ['api/2', 1.88235],
    ]);
    expect((spec('load-spread', file).title as { subtitle: string[] }).subtitle.join(' ')).toContain('per time that it existed');
    expect((spec('load-spread').title as { subtitle: string[] }).subtitle.join(' ')).not.toContain('existed');
  });
  test('are blank while they are not there; who is there for ever is idle', () => {
    const cells = (of: RunFile): number[] =>
      instances.map(({ id }) => rows('instance-heatmap', 'busy', of).filter((row) => row.instance === id).length);
    expect(cells(file)).toEqual([4, 2, 1]);
    const lasting = instances.map(({ id, busy }) => ({ ...first!, id, busy }));
    expect(cells({ ...run, variants: [{ ...variant!, instances: lasting }] })).toEqual([4, 4, 4]);
  });
});

describe('recovery', () => {
  test('goodput is relative to what it was before the trigger', () => {
    const share = rows('recovery', 'share', life.storm).filter((row) => row.variant === 'retries');
    // 99.8 % of the offered load went well before, and a tenth afterwards.
    expect(share[10]!.median).toBeCloseTo(1, 4);
    expect(share[80]!.median).toBeCloseTo(0.1 / 0.998, 4);
  });
  test('the trigger is a shaded span although it is no fault, here and in every chart over time', () => {
    for (const name of ['recovery', 'latency-over-time', 'attempts-over-time']) {
      expect(rows(name, 'faults', life.storm)).toEqual([{ fault: 'trigger', from: 30, to: 40 }]);
    }
  });
  test('a diamond stands where a variant recovered, a note says at which load the other one would', () => {
    expect(rows('recovery', 'back', life.storm)).toEqual([{ variant: 'no retries', time_s: 52, share: 0.9, after: '12s' }]);
    expect(rows('recovery', 'notes', life.storm).map((row) => row.text)).toEqual([
      'retries: recovers by itself at 55 % to 60 % of the load',
    ]);
  });
  test('its title names who stays down and who comes back', () => {
    expect(title('recovery', life.storm)).toBe('retries stays down after the trigger is over; no retries comes back');
  });
});

test('attempts are messages over requests, from zero', () => {
  const ratios = rows('attempts-over-time', 'attempts', life.storm).filter((row) => row.variant === 'retries');
  expect(ratios[20]!.median).toBeCloseTo(1, 4);
  expect(ratios[100]!.median).toBeCloseTo(4, 4);
  expect(title('attempts-over-time', life.storm)).toBe('Up to 4.00 attempts per request with retries, 1.00 with no retries');
});

describe('a sweep over loads', () => {
  test('has a point per group and load at the load that was offered', () => {
    const points = rows('load-sweep', 'sweep', life.sweep).filter((row) => row.metric === 'goodput' && row.variant === 'p2c');
    expect(points.map((row) => row.offered)).toEqual([2250, 3600, 4950, 6300]);
  });
  test('intervals stay where values can be: below 100 %, above zero', () => {
    const points = rows('load-sweep', 'sweep', life.sweep);
    expect(points.filter((row) => row.metric === 'availability' && (row.high as number) > 1)).toEqual([]);
    expect(points.filter((row) => row.metric === 'latency.p99' && (row.low as number) <= 0)).toEqual([]);
  });
  test('its title is the first crossing', () => {
    expect(title('load-sweep', life.sweep)).toMatch(/^p2c is better than round-robin in p99 from load 80 % on/);
  });
  test('all other charts show the groups at the load nearest to the one written, and say so', () => {
    const shown = spec('latency-over-time', life.sweep);
    expect(new Set(shown.datasets.latency!.map((row) => row.variant))).toEqual(new Set(['round-robin', 'p2c']));
    expect((shown.title as { subtitle: string[] }).subtitle.at(-1)).toBe('At load 110 %, one of those of the sweep.');
  });
  test('a sweep of nothing but the load is one line', () => {
    const variants = life.sweep.variants.slice(0, 4).map((each) => ({ ...each, group: '', isBaseline: true }));
    const alone = { ...life.sweep, variants, comparisons: [], crossings: [] };
    expect(new Set(rows('load-sweep', 'sweep', alone).map((row) => row.variant))).toEqual(new Set(['all']));
    expect(new Set(variantLooks(alone).map(({ color }) => color)).size).toBe(4);
  });
});

describe('queues', () => {
  test('depth and age have a panel each, at the end of their windows', () => {
    const all = rows('queues-over-time', 'queues', life.shop).filter((row) => row.variant === 'retries');
    expect(all.find((row) => row.panel === 'depth_0' && row.time_s === 11)!.median).toBe(100);
    expect(all.find((row) => row.panel === 'oldest_0' && row.time_s === 11)!.median).toBe(400);
  });
  test('an empty queue has no oldest message, and no logarithm of zero', () => {
    expect(rows('queues-over-time', 'queues', life.shop).find((row) => row.panel === 'oldest_0')!.median).toBeNull();
  });
});

describe('waterfalls', () => {
  test('the slowest request of each variant comes first', () => {
    expect(title('waterfall-1', life.shop)).toBe('The slowest request with no retries (shoppers 0) took 150 ms');
    expect(title('waterfall-2', life.shop)).toBe('The slowest request with retries (shoppers 0) took 150 ms');
    expect(title('waterfall-3', life.shop)).toMatch(/^Number 2 of the slowest requests with no retries/);
  });
  test('a row tells how long its caller waited, and how it ended if not well', () => {
    const results = rows('waterfall-1', 'names', life.shop).map(({ name, result }) => `${name}: ${result}`);
    expect(results).toEqual(['shoppers: 150 ms', 'web/0: 100 ms  given up', 'web->db: 120 ms', 'db/1: 120 ms', 'web/1: 30.0 ms']);
  });
  test('work that goes on long after the end is cut off, and the subtitle says so', () => {
    const [first, ...rest] = life.shop.variants;
    const [picked] = first!.waterfalls;
    const spans = picked!.spans.map((each, index) => (index === 7 ? { ...each, toMs: 40_000 } : each));
    const file = { ...life.shop, variants: [{ ...first!, waterfalls: [{ ...picked!, spans }] }, ...rest] };
    const ends = rows('waterfall-1', 'spans', file).map((row) => row.to_ms as number);
    expect(Math.max(...ends)).toBe(300);
    expect((spec('waterfall-1', file).title as { subtitle: string[] }).subtitle.join(' ')).toContain(
      'Cut off at 300 ms; the last of it ends at 10.0 s.',
    );
  });
});

describe('the error budget', () => {
  test('burns at the share that fails over the share that may, on an axis that shows one and a thousand', () => {
    const values = run.variants[0]!.series.columns.availability.median;
    const burn = rows('budget-burn', 'burn').filter((row) => row.variant === 'round-robin');
    // 300 windows make 150 points, of the worse of two windows each; the fault begins in window 120.
    expect(burn[75]!.median).toBeCloseTo(Math.max(1 - values[150]!, 1 - values[151]!) / 0.001, 3);
    expect(JSON.stringify(spec('budget-burn'))).toContain('"type":"symlog"');
  });
  test('has the lines at which somebody is called', () => {
    for (const rate of [1, 6, 14.4]) expect(JSON.stringify(spec('budget-burn'))).toContain(`{"y":{"datum":${rate}}}`);
  });
  test('is not drawn where no fault is planned and nobody asks for availability', () => {
    const variants = run.variants.map((each) => ({ ...each, availability: { ...each.availability, faults: [] } }));
    expect(charts['budget-burn']!.when({ ...run, variants, expectations: [] })).toBe(false);
    expect(charts['budget-burn']!.when({ ...run, variants })).toBe(true);
  });
});

describe('truth and belief', () => {
  const { outage: file } = life;
  test('a row per instance that was bad or doubted and variant that judges, truth above belief', () => {
    const lanes = rows('belief-timeline', 'lanes', file);
    expect(lanes.map(({ instance, variant }) => `${instance} ${variant}`)).toEqual([
      ...['api/0 checks', ' hasty', ' slow checks', 'api/3 checks', ' hasty', ' slow checks'],
      ...['api/5 checks', ' hasty', ' slow checks'],
    ]);
    expect(rows('belief-timeline', 'truth', file)).toContainEqual({
      ...{ row: 3, instance: 'api/3', from: 60, to: 120, what: 'crash', lasted: '1m' },
    });
  });
  test('the more clients do not use an instance, the darker', () => {
    const beliefs = rows('belief-timeline', 'beliefs', file).filter(
      (row) => row.instance === 'api/0' && row.variant === 'checks',
    );
    expect(beliefs.map(({ from, to, clients }) => [from, to, clients])).toEqual([
      [21.4, 22.4, 1],
      [22.4, 41, 2],
    ]);
    expect(beliefs[0]!.opacity as number).toBeLessThan(beliefs[1]!.opacity as number);
  });
  test('a mistake is a bar with no truth above it, and has its own row', () => {
    const mistakes = rows('belief-timeline', 'beliefs', file).filter((row) => row.instance === 'api/5');
    expect(mistakes.map(({ variant, from, to }) => [variant, from, to])).toEqual([['hasty', 10, 15]]);
    expect(rows('belief-timeline', 'truth', file).filter((row) => row.instance === 'api/5')).toEqual([]);
  });
  test('of a thousand instances at most thirty rows are shown, those that were bad first', () => {
    const instances = Array.from({ length: 1000 }, (_, k) => `api/${k}`);
    const variants = file.variants.map((each) => ({
      ...each,
      beliefs: instances.map((instance) => ({ atMs: 10_000, balancer: 0, instance, alive: false })),
      truth: [{ instance: 'api/999', fromMs: 20_000, toMs: 30_000, what: 'crash' }],
    }));
    const lanes = rows('belief-timeline', 'lanes', { ...file, variants });
    expect(lanes.length).toBeLessThanOrEqual(30);
    expect(lanes.map(({ instance }) => instance)).toContain('api/999');
    expect((spec('belief-timeline', { ...file, variants }).title as { subtitle: string[] }).subtitle.join(' ')).toContain(
      '7 of 1000 instances.',
    );
  });
  test('its title says how soon the fastest and the slowest notice', () => {
    expect(title('belief-timeline', file)).toBe(
      'A client ceases to use a bad instance after 300 ms with hasty, 4.00 s with slow checks',
    );
  });
});

describe('time to notice and mistakes', () => {
  const { outage: file } = life;
  test('a point per variant that measures both, with intervals that stay where values can be', () => {
    const points = rows('detection-frontier', 'frontier', file);
    expect(points.map(({ variant, time_ms, mistakes }) => [variant, time_ms, mistakes])).toEqual([
      ['checks', 1400, 0],
      ['hasty', 300, 120],
      ['slow checks', 4000, 0.5],
    ]);
    expect(points.filter((row) => (row.mistakes_low as number) < 0 || (row.time_low as number) <= 0)).toEqual([]);
  });
  test('two variants are no frontier', () => {
    expect(charts['detection-frontier']!.when({ ...file, variants: file.variants.slice(0, 3) })).toBe(false);
    expect(charts['detection-frontier']!.when(file)).toBe(true);
  });
  test('its title names the fastest and the one with the fewest mistakes', () => {
    expect(title('detection-frontier', file)).toBe(
      'hasty notices soonest (300 ms), checks makes the fewest mistakes (0 per hour)',
    );
  });
});

describe('instances needed, desired and ready', () => {
  const { elastic: file } = life;
  const of = (panel: string): readonly Row[] => rows('replicas', 'replicas', file).filter((row) => row.panel === panel);
  test('a picture per service and variant that scales, by service first', () => {
    const panels = new Map(rows('replicas', 'replicas', file).map((row) => [row.panel, `${row.service} ${row.variant}`]));
    expect([...panels]).toEqual([
      ['0_1', 'api late'],
      ['0_2', 'api ahead'],
      ['1_1', 'worker late'],
      ['1_2', 'worker ahead'],
    ]);
  });
  test('a step per window, and a last row where the last step ends', () => {
    const late = of('0_1');
    expect(late).toHaveLength(121);
    expect(late[35]).toEqual({
      ...{ panel: '0_1', service: 'api', variant: 'late', from: 35, to: 36 },
      ...{ needed: 12, desired: 12, ready: 4, higher: 12 },
    });
    expect(late[120]).toEqual({ ...late[119], from: 120 });
  });
  test('what is lacking is shaded from ready up, what is too much from needed up, both to the higher of the two', () => {
    const shading = JSON.stringify(spec('replicas', file)).match(
      /"y":\{"field":"\w+"[^}]*\}[^}]*\}[^}]*\},"y2":\{"field":"\w+"\}/g,
    )!;
    expect(shading.slice(0, 2).map((each) => [...each.matchAll(/"field":"(\w+)"/g)].map(([, field]) => field))).toEqual([
      ['ready', 'higher'],
      ['needed', 'higher'],
    ]);
  });
  test('a day of windows has at most 200 steps per picture, each the mean of its windows', () => {
    const variants = file.variants.map((each) => ({
      ...each,
      elastic: each.elastic && {
        ...each.elastic,
        services: [{ ...each.elastic.services[0]!, ready: Array.from({ length: 1000 }, (_, window) => window % 5) }],
      },
    }));
    const long = rows('replicas', 'replicas', { ...file, variants }).filter((row) => row.panel === '0_1');
    expect(long).toHaveLength(201);
    expect(long[7]!.ready).toBe(2);
  });
  test('of twenty variants at most eight pictures are shown, of every service some', () => {
    const variants = Array.from({ length: 20 }, (_, k) => ({ ...file.variants[1]!, label: `late ${k}` }));
    const many = { ...file, variants };
    const panels = new Map(rows('replicas', 'replicas', many).map((row) => [row.panel, row.service]));
    expect([...panels.values()]).toEqual([...Array<string>(4).fill('api'), ...Array<string>(4).fill('worker')]);
    expect((spec('replicas', many).title as { subtitle: string[] }).subtitle.join(' ')).toContain('8 of 40 pictures');
  });
  test('its title says who lacks instances for longest and for the shortest time', () => {
    expect(title('replicas', file)).toBe('Too few instances are ready in 10 % of the time with late, 0 % with ahead');
  });
});

describe('cost and tail latency', () => {
  const { elastic: file } = life;
  const priced = (points: readonly (readonly [number, number])[]): RunFile => ({
    ...file,
    variants: points.map(([cost, p99], index) => {
      const { estimates, ...variant } = file.variants[1]!;
      const same = (mean: number) => ({ mean, low: mean, high: mean, sd: 0, n: 3 });
      return { ...variant, label: `v${index}`, estimates: { ...estimates, cost: same(cost), 'latency.p99': same(p99) } };
    }),
  });
  const corners = (points: readonly (readonly [number, number])[]): unknown[] =>
    rows('pareto', 'front', priced(points)).map((row) => [row.cost, row.p99_ms]);

  test('a point per variant that has a price, with its intervals', () => {
    const found = rows('pareto', 'pareto', file);
    expect(found.map((row) => [row.variant, row.cost, row.p99_ms])).toEqual([
      ['late', 0.8, 600],
      ['ahead', 1.6, 90],
    ]);
    expect(found[0]).toMatchObject({ cost_low: 0.72, cost_high: 0.88, p99_low: 540, p99_high: 660 });
  });
  test('the front leaves out who is dearer and slower than another, and who is as dear and slower', () => {
    const front = corners([
      ...([
        [3, 100],
        [1, 400],
        [2, 500],
        [2, 200],
        [3, 90],
        [4, 95],
        [1, 450],
      ] as const),
    ]);
    expect(front.slice(1, -1)).toEqual([
      [1, 400],
      [2, 200],
      [3, 90],
    ]);
    // From the upper edge above the cheapest to the right edge beyond the fastest.
    expect(front[0]).toEqual([1, expect.any(Number)]);
    expect((front[0] as number[])[1]).toBeGreaterThan(500);
    expect(front.at(-1)).toEqual([expect.any(Number), 90]);
    expect((front.at(-1) as number[])[0]).toBeGreaterThan(4);
  });
  test('one price is nothing to compare, and none is none', () => {
    expect(charts['pareto']!.when(priced([[1, 100]]))).toBe(false);
    expect(charts['pareto']!.when(run)).toBe(false);
    expect(charts['pareto']!.when(file)).toBe(true);
  });
  test('its title names both ends of the front, or the one that is best in both', () => {
    expect(title('pareto', file)).toBe('late is the cheapest (0.800/h, p99 600 ms), ahead the fastest (1.60/h, p99 90.0 ms)');
    expect(
      title(
        'pareto',
        priced([
          [1, 100],
          [2, 200],
        ]),
      ),
    ).toBe('v0 is the cheapest and the fastest of 2 (1.00/h, p99 100 ms)');
  });
});

describe('nodes', () => {
  const { elastic: file } = life;
  const late = (dataset: string, of: RunFile = file): readonly Row[] =>
    rows('nodes', dataset, of).filter((row) => row.variant === 'late');
  test('a bar per stretch of the same reserved share, only while the node is there', () => {
    expect(late('nodes').map(({ node, from, to, reserved }) => [node, from, to, reserved])).toEqual([
      ['general/0 (a)', 0, 30, 0.25],
      ['general/0 (a)', 30, 90, 0.75],
      ['spot/0 (b)', 0, 40, 0.5],
      // The rest of a window at whose end there was no node.
      ['spot/0 (b)', 40, 40.5, null],
      ['spot/0 (b)', 60, 120, 0.5],
    ]);
  });
  test('a mark where a node ended, and how; none at the end of the run', () => {
    expect(late('ends').map(({ node, at, end }) => [node, at, end])).toEqual([
      ['general/0 (a)', 90, 'removed'],
      ['spot/0 (b)', 40.5, 'interrupted'],
    ]);
  });
  test('of hundreds those are shown that came and went most, and the picture stays small', () => {
    const [, variant] = file.variants;
    const [steady, moving] = variant!.elastic!.nodes;
    const still = { ...steady!, spans: [{ fromMs: 0, toMs: Infinity, end: '' }] };
    const nodes = [
      ...Array.from({ length: 300 }, (_, place) => ({ ...still, id: `still/${place}` })),
      ...Array.from({ length: 10 }, (_, place) => ({ ...moving!, id: `spot/${place}` })),
    ];
    const many = { ...file, variants: [{ ...variant!, elastic: { ...variant!.elastic!, nodes } }] };
    const shown = new Set(late('nodes', many).map((row) => row.node as string));
    expect(shown.size).toBe(40);
    expect([...shown].filter((name) => name.startsWith('spot/'))).toHaveLength(10);
    expect(late('nodes', many).length).toBeLessThanOrEqual(12_000);
  });
  test('without shares, as of too many nodes, there are bars all the same', () => {
    const [, variant] = file.variants;
    const nodes = variant!.elastic!.nodes.map((node) => ({ ...node, reserved: [] }));
    const bare = { ...file, variants: [{ ...variant!, elastic: { ...variant!.elastic!, nodes } }] };
    expect(late('nodes', bare).map(({ from, to, reserved }) => [from, to, reserved])).toEqual([
      [0, 90, null],
      [0, 40.5, null],
      [60, 120, null],
    ]);
  });
  test('its title says how many there were at once, and how they ended', () => {
    expect(title('nodes', file)).toBe('Up to 2 nodes at once with every variant; 2 removed, 2 interrupted');
  });
});

describe('faults and alarms', () => {
  const { elastic: file } = life;
  test('a row per service that is watched and variant that watches, faults that overlap are one incident', () => {
    expect(rows('alarms', 'lanes', file).map(({ service, variant }) => `${service} ${variant}`)).toEqual([
      ...['api late', ' ahead', 'worker late', ' ahead'],
    ]);
    expect(rows('alarms', 'incidents', file).slice(0, 2)).toEqual([
      { row: 0, what: 'node-loss general/0 + metrics-outage', from: 50, to: 75, lasted: '25s' },
      { row: 0, what: 'slow api/0', from: 100, to: 120, lasted: '20s' },
    ]);
  });
  test('a bar from when an alarm begins to fire until it ceases to, or the end', () => {
    const late = rows('alarms', 'alarms', file).filter((row) => row.variant === 'late');
    expect(late.map(({ service, from, to, value }) => [service, from, to, value])).toEqual([
      ['api', 20, 25, 0.2],
      ['api', 55, 120, 0.3],
      ['worker', 55, 90, 0.4],
    ]);
  });
  test('its title says how soon they fire, and how often for nothing', () => {
    expect(title('alarms', file)).toBe('Alarms fire after 5.00 s with every variant; 30.0 false alarms per hour');
  });
});
