/** When a trigger acts, by what is planned, and what cannot be judged. */
import { describe, expect, test } from 'vitest';
import { briefly, scenarioOf, scenarioText } from './fixture.ts';

const run = 'run: { duration: 5m, warmup: 30s }';
const spiky =
  'traffic: [{ to: api, arrivals: { type: poisson, rate: 1/s }, profile: [{ type: spike, at: 50s, for: 10s, factor: 3 }] }]';
const slow = (at: string, more = ', for: 10s') => `{ type: slow, target: api/0, at: ${at}, factor: 2${more} }`;
const specOf = async (rest: string, traffic?: string) =>
  (await scenarioOf(scenarioText({ run, rest, ...(traffic === undefined ? {} : { traffic }) }))).metastability;
const complaintsOf = async (rest: string): Promise<string[]> => briefly(scenarioText({ run, rest }));

describe('metastability', () => {
  test('is not judged unless asked for', async () => {
    expect(await specOf(`faults: [${slow('1m')}]`)).toBeUndefined();
  });

  test('defaults: back at 90 %, after planned faults that end', async () => {
    const faults = `faults: [${slow('1m')}, ${slow('90s')}, ${slow('2m', '')}, { type: crash, target: api/1, random: { mttf: 1m, mttr: 1s } }]`;
    expect(await specOf(`metastability: {}\n${faults}`)).toEqual({
      triggerBeginsMs: 60_000,
      triggerEndsMs: 100_000,
      recoveredShare: 0.9,
    });
  });

  test('spikes of traffic are triggers, too', async () => {
    expect(await specOf(`metastability: {}\nfaults: [${slow('1m')}]`, spiky)).toMatchObject({
      triggerBeginsMs: 50_000,
      triggerEndsMs: 70_000,
    });
  });

  test('everything that can be written', async () => {
    const rest = 'metastability: { recovered: 80%, trigger: { from: 60s, to: 70s }, escape: { resolution: 2%, low: 20% } }';
    expect(await specOf(rest)).toEqual({
      triggerBeginsMs: 60_000,
      triggerEndsMs: 70_000,
      recoveredShare: 0.8,
      escape: { resolution: 0.02, low: 0.2 },
    });
    expect(await specOf('metastability: { trigger: { from: 60s, to: 70s }, escape: {} }')).toMatchObject({
      escape: { resolution: 0.05, low: 0.1 },
    });
  });

  test.each([
    [
      'no trigger at all',
      '{}',
      '6:16 error: nothing here can trigger a failure; plan a fault or a spike that ends, or write trigger: { from: 60s, to: 70s }',
    ],
    [
      'a trigger backwards',
      '{ trigger: { from: 70s, to: 60s } }',
      '6:27 error: the trigger ends at 1m, before it begins at 70s; from is before to',
    ],
    [
      'a trigger until the end',
      '{ trigger: { from: 70s, to: 5m } }',
      '6:27 error: the trigger ends at 5m, the run at 5m; recovery needs time to be seen',
    ],
    [
      'a trigger within the warm-up',
      '{ trigger: { from: 30s, to: 40s } }',
      '6:27 error: the trigger begins at 30s, within the warm-up of 30s; what came before it is what recovery is measured by',
    ],
    ['half a trigger', '{ trigger: { from: 60s } }', /missing key "to"/],
    ['an unknown key', '{ trigger: { from: 60s, to: 70s }, escpe: {} }', /unknown key "escpe"; did you mean "escape"\?/],
  ])('is refused: %s', async (_, metastability, complaint) => {
    const complaints = await complaintsOf(`metastability: ${metastability}`);
    expect(complaints).toHaveLength(1);
    if (typeof complaint === 'string') expect(complaints[0].replace(/^\d+/, '6')).toBe(complaint);
    else expect(complaints[0]).toMatch(complaint);
  });
});

describe('a flush of caches', () => {
  const services =
    'services:\n  web: { instances: 2, work: 1ms, calls: [{ to: db, cache: { type: ratio, hit: 90%, fills: 10 } }] }\n  db: { instances: 2, work: 1ms }';
  const traffic = 'traffic: [{ to: web, arrivals: { type: poisson, rate: 1/s } }]';
  const text = (fault: string) => scenarioText({ services, traffic, rest: `faults: [${fault}]` });

  test('happens at an instant, at the callers', async () => {
    const { faults } = await scenarioOf(text('{ type: cache-flush, target: web/*, at: 30s }'));
    expect(faults).toEqual([
      {
        label: 'cache-flush web/*',
        hit: 1,
        type: 'cache-flush',
        everyOf: [{ service: 0 }],
        schedule: { type: 'once', atMs: 30_000, forMs: 0 },
        targets: [
          { service: 0, instance: 0 },
          { service: 0, instance: 1 },
        ],
      },
    ]);
  });

  test.each([
    [
      'where there is no cache',
      '{ type: cache-flush, target: db/*, at: 30s }',
      /error: no call of db has a cache; name the service that calls/,
    ],
    ['that lasts', '{ type: cache-flush, target: web/*, at: 30s, for: 1s }', /error: unknown key "for"/],
    ['after the end', '{ type: cache-flush, target: web/*, at: 2m }', /warning: never happens: the run ends at 1m/],
  ])('%s', async (_, fault, complaint) => {
    const complaints = await briefly(text(fault));
    expect(complaints).toHaveLength(1);
    expect(complaints[0]).toMatch(complaint);
  });
});
