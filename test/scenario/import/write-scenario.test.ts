/** The fitted scenario: is a scenario, and holds what was measured. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { Xoshiro128 } from '../../../src/core/xoshiro.ts';
import { writeScenario } from '../../../src/scenario/import/write-scenario.ts';
import { loadScenario } from '../../../src/scenario/load.ts';
import { exponential, normal } from '../../../src/stats/ziggurat.ts';
import { importText, newFolder, type Imported } from './reading.ts';

interface Wanted {
  readonly count?: number;
  readonly perSecond?: number;
  readonly duration?: (rng: Xoshiro128) => number;
  readonly path?: (rng: Xoshiro128) => string;
  readonly errors?: number;
}

/** A JSON log with clock of microseconds, Poisson arrivals and these durations. */
function logOf({ count = 3000, perSecond = 50, duration, path = () => '/x', errors = 0 }: Wanted): string {
  const rng = new Xoshiro128(9, 8, 7, 6);
  let now = Date.UTC(2024, 2, 1) + 0.001;
  return Array.from({ length: count }, () => {
    now += (exponential(rng) * 1000) / perSecond;
    const line = {
      time: now / 1000,
      method: 'GET',
      path: path(rng),
      status: rng.next() < errors ? 503 : 200,
      client: '10.0.0.1',
    };
    return JSON.stringify(duration === undefined ? line : { ...line, duration_ms: duration(rng) });
  }).join('\n');
}

async function scenarioOf({ fitted }: Imported) {
  const folder = newFolder();
  const text = writeScenario(fitted, { traceName: 'trace.csv' });
  writeFileSync(join(folder, 'scenario.yaml'), text);
  const { scenario, warnings } = await loadScenario(join(folder, 'scenario.yaml'));
  return { scenario, warnings, text };
}

test('is valid without a warning, and plays the whole log', async () => {
  const { scenario, warnings, text } = await scenarioOf(await importText(logOf({})));
  expect(warnings).toEqual([]);
  expect(scenario.name).toBe('test');
  expect(scenario.run.durationMs).toBeGreaterThan(55_000);
  expect(scenario.run.durationMs % 1000).toBe(0);
  expect(scenario.variants).toHaveLength(3);
  expect(text).toContain('trace.csv');
});

test('has the mean rate, and its curve as factors on it', async () => {
  const { scenario } = await scenarioOf(await importText(logOf({ perSecond: 50 })));
  const [stream] = scenario.traffic;
  expect(stream.arrivals).toMatchObject({ type: 'poisson' });
  // 3,000 requests: the rate is known to 2 %.
  expect((stream.arrivals as { perSecond: number }).perSecond).toBeGreaterThan(45);
  expect((stream.arrivals as { perSecond: number }).perSecond).toBeLessThan(55);
  const factors = [...stream.profile.factors];
  expect(factors.length).toBeGreaterThan(50);
  expect(factors.reduce((sum, factor) => sum + factor, 0) / factors.length).toBeCloseTo(1, 1);
});

test('has a lognormal service time where that fits, and states the error', async () => {
  const { scenario, text } = await scenarioOf(await importText(logOf({ duration: (rng) => 20 * Math.exp(0.8 * normal(rng)) })));
  const work = scenario.services[0].work as { type: string; mu: number; sigma: number };
  expect(work.type).toBe('lognormal');
  expect(Math.abs(Math.exp(work.mu) / 20 - 1)).toBeLessThan(0.08);
  expect(Math.abs(work.sigma / 0.8 - 1)).toBeLessThan(0.08);
  expect(text).toMatch(/The lognormal law is off by at most \d+(\.\d+)?%/);
});

test('has the measured percentiles where no law fits', async () => {
  const { scenario, text } = await scenarioOf(await importText(logOf({ duration: (rng) => (rng.next() < 0.9 ? 5 : 200) })));
  expect(scenario.services[0].work).toMatchObject({ type: 'quantiles' });
  expect(text).toContain('No lognormal law: the nearest is off by');
});

test('has a constant where all times are alike', async () => {
  const { scenario } = await scenarioOf(await importText(logOf({ duration: () => 7.5 })));
  expect(scenario.services[0].work).toEqual({ type: 'constant', value: 7.5 });
});

test('has a placeholder that says so where the log has no durations', async () => {
  const { scenario, text } = await scenarioOf(await importText(logOf({})));
  expect(scenario.services[0].work).toMatchObject({ type: 'lognormal' });
  expect(text).toContain('A placeholder: this log has no durations.');
});

test('has as many instances as the busiest window needs at 60 % utilization', async () => {
  const imported = await importText(logOf({ perSecond: 500, count: 20_000, duration: () => 100 }));
  const { scenario } = await scenarioOf(imported);
  const busy = imported.fitted.rate.peakPerSecond * 0.1;
  expect(scenario.services[0].instances).toHaveLength(Math.ceil(busy / 8 / 0.6));
});

test('has keys with their number and exponent, and errors with their share', async () => {
  const paths = (rng: Xoshiro128): string => `/item/${Math.floor(1000 ** rng.next())}`;
  const { scenario } = await scenarioOf(await importText(logOf({ count: 20_000, path: paths, errors: 0.05 })));
  const [stream] = scenario.traffic;
  // floor(1000^U) has a probability of about 1/k: an exponent of 1.
  expect(stream.keys!.exponent).toBeGreaterThan(0.9);
  expect(stream.keys!.exponent).toBeLessThan(1.15);
  expect(stream.keys!.count).toBeGreaterThan(800);
  const [fault] = scenario.faults;
  expect(fault).toMatchObject({ type: 'errors' });
  // 20,000 requests: 5 % is known to 0.15 %.
  expect(Math.abs((fault as { share: number }).share - 0.05)).toBeLessThan(0.008);
});

describe('with several classes', () => {
  const classOf = (rng: Xoshiro128): string => ['/a', '/a', '/b', `/item/${rng.below(50)}`][rng.below(4)];
  const log = logOf({ count: 4000, path: classOf, duration: (rng) => 10 * Math.exp(0.5 * normal(rng)) });

  test('names them, with their shares and service times', async () => {
    const { scenario, warnings } = await scenarioOf(await importText(log));
    expect(warnings).toEqual([]);
    // The first is twice as frequent; the order of the others is chance.
    expect(scenario.classes[0].name).toBe('GET /a');
    expect(scenario.classes.map(({ name }) => name).sort()).toEqual(['GET /a', 'GET /b', 'GET /item/:id']);
    const shares = scenario.traffic[0].mix.map(({ share }) => share);
    // 4,000 requests: a share is known to 0.8 %.
    for (const [index, expected] of [0.5, 0.25, 0.25].entries()) expect(Math.abs(shares[index] - expected)).toBeLessThan(0.04);
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(scenario.services[0].workByClass.map((work) => work?.type)).toEqual(['lognormal', 'lognormal', 'lognormal']);
  });

  test('the trace can take the place of the fitted arrivals, as the comment says', async () => {
    const { fitted, csv } = await importText(log);
    const folder = newFolder();
    const text = writeScenario(fitted, { traceName: 'trace.csv' });
    expect(text).toContain('#   arrivals: { type: replay, file: trace.csv }');
    const replayed = text.replace(/^ {4}arrivals:[\s\S]*?^ {4}keys: .*$/m, '    arrivals: { type: replay, file: trace.csv }');
    writeFileSync(join(folder, 'trace.csv'), csv);
    writeFileSync(join(folder, 'scenario.yaml'), replayed);
    const { scenario, warnings } = await loadScenario(join(folder, 'scenario.yaml'));
    expect(warnings).toEqual([]);
    const arrivals = scenario.traffic[0].arrivals as { type: string; data: { timesMs: Float64Array } };
    expect(arrivals.type).toBe('replay');
    expect(arrivals.data.timesMs).toHaveLength(4000);
  });
});

test('of a long log plays about a million requests, and says so', async () => {
  const imported = await importText(logOf({ count: 1000 }));
  const { rate, spanMs } = imported.fitted;
  const fitted = {
    ...imported.fitted,
    requests: 5_000_000,
    spanMs: spanMs * 10,
    rate: {
      ...rate,
      windowMs: 1000,
      counts: Array.from({ length: 100 }, () => 50_000),
      perSecond: 50_000,
      peakPerSecond: 50_000,
    },
  };
  const { scenario, text } = await scenarioOf({ ...imported, fitted });
  expect(scenario.run.durationMs).toBe(20_000);
  expect(text).toContain('about 1000000 requests for each seed');
});

test.each([
  ['one request', '{"time":1,"path":"/"}'],
  ['two requests at once', '{"time":1,"path":"/"}\n{"time":1,"path":"/"}'],
  ['a request a year', '{"time":1700000000,"path":"/"}\n{"time":1731536000,"path":"/"}\n{"time":1763072000,"path":"/"}'],
  ['durations of 0', '{"time":1,"duration":0}\n{"time":2,"duration":0}'],
  ['durations of a nanosecond', '{"time":1,"duration_ns":1}\n{"time":2,"duration_ns":2}'],
  ['every answer an error', '{"time":1,"status":500}\n{"time":9,"status":503}'],
])('of %s is a scenario, too', async (_, text) => {
  const { scenario } = await scenarioOf(await importText(text, { format: 'jsonl' }));
  expect(scenario.traffic).toHaveLength(1);
});

test('quotes what comes from a file name', async () => {
  const imported = await importText(logOf({ count: 10 }));
  const { scenario } = await scenarioOf({ ...imported, fitted: { ...imported.fitted, sources: ['a": {x: 1} # \\u{1b}[31m'] } });
  expect(scenario.about).toContain('a": {x: 1} # \\u{1b}[31m');
});
