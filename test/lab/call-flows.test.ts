/** Load forecasts of services that call each other, worked out by hand. */
import { describe, expect, test } from 'vitest';
import { planExperiment } from '../../src/lab/plan.ts';
import { predictMessages, predictPhases, predictRequests } from '../../src/lab/predict.ts';
import { scenarioOf, scenarioText } from '../scenario/fixture.ts';

const traffic = (rate: string, more = '') => `traffic: [{ to: web, arrivals: { type: constant, rate: ${rate} }${more} }]`;
const service = (name: string, work: string, more = '') => `  ${name}: { instances: 10, slots: 1, work: ${work}${more} }`;
const phasesOf = async (services: readonly string[], stream: string, rest = '') =>
  predictPhases(await scenarioOf(scenarioText({ services: `services:\n${services.join('\n')}`, traffic: stream, rest })));
const ratesOf = async (...args: Parameters<typeof phasesOf>) =>
  Object.fromEntries((await phasesOf(...args)).map(({ service: name, perSecond }) => [name, perSecond]));
const loadsOf = async (...args: Parameters<typeof phasesOf>) =>
  Object.fromEntries((await phasesOf(...args)).map(({ service: name, utilization }) => [name, utilization]));

describe('rates follow the calls', () => {
  test('with their shares, copies and branches', async () => {
    const calls =
      ', calls: [auth, { to: db, share: 30% }, { to: leaf, copies: 10, wait: 5 }, { oneOf: [{ share: 20%, calls: [db, auth] }] }]';
    const services = [
      service('web', '1ms', calls),
      service('auth', '1ms', ', calls: [{ to: db, copies: 2 }]'),
      service('db', '1ms'),
      service('leaf', '1ms'),
    ];
    // auth: 1 + 0.2. db: 0.3 + 0.2 + 2 for each request of auth. leaf: whoever answers first, all are asked.
    expect(await ratesOf(services, traffic('100/s'))).toEqual({
      web: expect.closeTo(100, 9),
      auth: expect.closeTo(120, 9),
      db: expect.closeTo(50 + 240, 9),
      leaf: expect.closeTo(1000, 9),
    });
  });

  test('by class, each of which works as long as it does', async () => {
    const services = [
      service('web', '1ms', ', calls: [{ to: db, classes: write }], workByClass: { write: 5ms }'),
      service('db', '1ms'),
    ];
    const phases = await phasesOf(
      services,
      traffic('100/s', ', classes: { read: 75%, write: 25% }'),
      'classes: { read: {}, write: {} }',
    );
    // web holds its slot: 0.75 · 1 ms + 0.25 · (5 + 1) ms = 2.25 ms, on 10 slots.
    expect(phases).toMatchObject([
      { service: 'web', perSecond: expect.closeTo(100, 9), utilization: expect.closeTo((100 * 2.25) / 10_000, 9) },
      { service: 'db', perSecond: expect.closeTo(25, 9), utilization: expect.closeTo((25 * 1) / 10_000, 9) },
    ]);
  });

  test('through queues, and back', async () => {
    const services = [
      service('web', '1ms', ', calls: [{ publish: jobs, share: 50% }]'),
      service('worker', '2ms', ', calls: [{ publish: jobs, share: 20% }]'),
    ];
    // Each message leaves another one with probability 0.2: 1/(1 − 0.2) of them in all.
    expect(await ratesOf(services, traffic('100/s'), 'queues: { jobs: { to: worker } }')).toMatchObject({
      worker: expect.closeTo(50 / 0.8, 6),
    });
  });

  test('what a warm cache answers goes no further', async () => {
    const services = [
      service('web', '1ms', ', calls: [{ to: db, cache: { type: ratio, hit: 90%, fills: 100, startsCold: true } }]'),
      service('db', '1ms'),
    ];
    expect(await ratesOf(services, traffic('100/s'))).toMatchObject({ db: expect.closeTo(10, 9) });
  });

  test('a cache that holds half of equally popular keys answers half', async () => {
    const services = [
      service('web', '1ms', ', calls: [{ to: db, cache: { type: keys, entries: 50, shared: true } }]'),
      service('db', '1ms'),
    ];
    expect(await ratesOf(services, traffic('100/s', ', keys: { count: 100, exponent: 0 }'))).toMatchObject({
      db: expect.closeTo(50, 2),
    });
  });
});

describe('a slot held while waiting for others', () => {
  const tiers = (more: string) => [
    service('web', '1ms', `, calls: [{ parallel: [slow, { to: ads, optional: true }, fast] }, fast]${more}`),
    service('slow', '8ms'),
    service('fast', '2ms'),
    service('ads', '50ms'),
  ];

  test('is occupied by the slowest of those called at once, and by all in sequence', async () => {
    // 1 + max(8, 2) + 2; nobody waits for what is optional.
    expect(await loadsOf(tiers(''), traffic('100/s'))).toMatchObject({ web: expect.closeTo((100 * 11) / 10_000, 9) });
  });

  test('is not when it is given up', async () => {
    expect(await loadsOf(tiers(', whileWaiting: release'), traffic('100/s'))).toMatchObject({
      web: expect.closeTo((100 * 1) / 10_000, 9),
    });
  });

  test('until the fifth of ten, until a timeout, over the network and through proxies', async () => {
    const services = [
      service(
        'web',
        '1ms',
        ', calls: [{ to: leaf, copies: 10, wait: 5 }, { to: slow, timeout: 3ms }, { to: leaf, proxyLatency: 1ms }]',
      ),
      service('leaf', '2ms'),
      service('slow', '8ms'),
    ];
    // 1 + (2 + 2·0.5) + 3 + (2 + 2·0.5 + 2·1)
    const phases = await phasesOf(services, traffic('100/s'), 'network: { latency: 0.5ms }');
    expect(phases[0].utilization).toBeCloseTo((100 * (1 + 3 + 3 + 5)) / 10_000, 9);
  });

  test('does not get shorter on a faster machine', async () => {
    const services = ['  web: { instances: [{ speed: 2 }], work: 4ms, calls: [db] }', service('db', '3ms')];
    expect((await loadsOf(services, traffic('100/s'))).web).toBeCloseTo((100 * (2 + 3)) / 1000, 9);
  });
});

describe('closed loops', () => {
  const users = (count: number, more = '') =>
    `traffic: [{ to: web, arrivals: { type: users, users: ${count}, think: 90ms${more} } }]`;

  test('far from capacity: users over think time and answer', async () => {
    const services = [service('web', '4ms', ', calls: [db]'), service('db', '6ms')];
    expect(await ratesOf(services, users(10))).toEqual({ web: expect.closeTo(100, 9), db: expect.closeTo(100, 9) });
  });

  test('sessions end in a gap instead of a think time', async () => {
    // One pause in ten is the gap: (9 · 90 + 190) / 10 = 100 ms.
    expect(await ratesOf([service('web', '10ms')], users(11, ', session: { requests: 10, gap: 190ms }'))).toEqual({
      web: expect.closeTo(100, 9),
    });
  });

  test('at capacity the slowest service sets the pace, and nothing is overloaded', async () => {
    const services = [service('web', '4ms', ', whileWaiting: release, calls: [db]'), service('db', '20ms')];
    // 10 slots of 20 ms: 500/s.
    expect(await phasesOf(services, users(10_000))).toMatchObject([
      { service: 'web', perSecond: expect.closeTo(500, 6), utilization: expect.closeTo(0.2, 6) },
      { service: 'db', perSecond: expect.closeTo(500, 6), utilization: expect.closeTo(1, 6) },
    ]);
  });
});

test('bursts and recordings count by what falls into a phase', async () => {
  const burst = 'traffic: [{ to: web, arrivals: { type: bursts, every: 20s, size: 100, first: 10s } }]';
  const faults = 'faults: [{ type: slow, target: web/0, at: 15s, for: 25s, factor: 2 }]';
  // At 10 s; at 30 s; at 50 s.
  expect((await phasesOf([service('web', '1ms')], burst, faults)).map(({ perSecond }) => perSecond)).toEqual([
    100 / 15,
    100 / 25,
    100 / 20,
  ]);
  const replay = scenarioText({
    traffic: 'traffic: [{ to: api, arrivals: { type: replay, file: r.csv } }]',
    rest: 'faults: [{ type: slow, target: api/0, at: 30s, factor: 2 }]',
  });
  const recorded = await scenarioOf(replay, { files: { 'r.csv': 'time_ms\n0\n29999\n30000\n59000\n59500\n' } });
  expect(predictPhases(recorded).map(({ perSecond }) => perSecond)).toEqual([2 / 30, 3 / 30]);
});

test('a plan counts requests by the traffic, and time by the messages between services', async () => {
  const services = `services:\n${service('web', '1ms', ', calls: [{ to: db, copies: 9 }]')}\n${service('db', '1ms')}`;
  const scenario = await scenarioOf(scenarioText({ services, traffic: traffic('100/s') }));
  expect(predictRequests(scenario)).toBeCloseTo(6000, 6);
  expect(predictMessages(scenario)).toBeCloseTo(60_000, 6);
  expect(planExperiment(scenario).requestsPerCell).toBeCloseTo(6000, 6);
});

test('an empty cache for a while does not change the capacity of anybody', async () => {
  const services = [service('web', '1ms', ', calls: [{ to: db, cache: { type: ratio, hit: 90% } }]'), service('db', '1ms')];
  expect(await phasesOf(services, traffic('100/s'), 'faults: [{ type: cache-flush, target: web/*, at: 30s }]')).toHaveLength(2);
});
