/** `faults:` of every kind as they are read, what is wrong with them, and what is said of failures and detectors that cannot matter. */
import { describe, expect, test } from 'vitest';
import { briefly, scenarioOf, scenarioText } from './fixture.ts';

const services = 'services:\n  api: { instances: 3, zones: [a, b], work: 10ms }';
const traffic = 'traffic:\n  - { to: api, arrivals: { type: poisson, rate: 100/s }, timeout: 1s }';
const text = (faults: string, rest = ''): string =>
  scenarioText({ services, traffic, rest: `faults:\n${lines(faults)}\n${rest}` });
const lines = (faults: string): string =>
  faults
    .split('\n')
    .map((fault) => `  - { ${fault} }`)
    .join('\n');
const only = async (fault: string) => (await scenarioOf(text(fault))).faults[0];
const api = (...instances: readonly number[]) => instances.map((instance) => ({ service: 0, instance }));

describe('a fault is read', () => {
  test.each([
    ['type: hang, target: api/0, at: 10s', { type: 'hang', heartbeats: true, label: 'hang api/0' }],
    ['type: hang, target: api/0, at: 10s, heartbeats: false', { type: 'hang', heartbeats: false }],
    ['type: drop-responses, target: api/0, at: 10s, share: 20%', { share: 0.2, label: 'drop-responses api/0 20%' }],
    [
      'type: slow, target: api/0, at: 10s, factor: 5, requests: 10%',
      { factor: 5, requests: 0.1, label: 'slow api/0 x5 for 10%' },
    ],
    ['type: slow, target: api/0, at: 10s, factor: 5', { requests: 1, label: 'slow api/0 x5' }],
    ['type: memory-leak, target: api/0, at: 10s, fills: 20s', { fillsMs: 20_000, factor: 2 }],
    ['type: clock-drift, target: api/0, at: 10s, rate: 1.2', { rate: 1.2 }],
    [
      'type: partition, target: api/0, at: 10s, direction: in',
      { targets: api(0), link: { type: 'instances', direction: 'in' }, label: 'partition api/0' },
    ],
    [
      'type: partition, from: a, to: [b], at: 10s, oneWay: true',
      { targets: [], link: { type: 'zones', from: ['a'], to: ['b'], oneWay: true }, label: 'partition a->b' },
    ],
    ['type: packet-loss, from: a, to: b, at: 10s, share: 5%', { share: 0.05, hit: 1, label: 'packet-loss a<->b 5%' }],
    ['type: latency, target: api/*, at: 10s, adds: 30ms, hit: 50%', { hit: 0.5, adds: { type: 'constant', value: 30 } }],
    ['type: discovery-outage, at: 10s, for: 5s', { targets: [], schedule: { type: 'once', atMs: 10_000, forMs: 5000 } }],
    [
      'type: crash, target: api/0, at: 10s, for: 5s, cascade: { chance: 30%, after: 1s }',
      { cascade: { chance: 0.3, after: { type: 'constant', value: 1000 } } },
    ],
    [
      'type: pause, target: api/0, at: 10s, for: 20s, flapping: { down: 1s, up: 2s }',
      {
        schedule: {
          type: 'flapping',
          atMs: 10_000,
          forMs: 20_000,
          down: { type: 'constant', value: 1000 },
          up: { type: 'constant', value: 2000 },
        },
      },
    ],
    ['type: errors, target: api/*, at: 10s, share: 30%, hit: 10%', { share: 0.3, hit: 0.1, targets: api(0, 1, 2) }],
  ])('%s', async (fault, expected) => {
    expect(await only(fault)).toMatchObject(expected);
  });
});

test.each([
  ['type: hang, target: api/0', '9:5 error: missing key "at"'],
  ['type: hang, target: api/0, at: 1s, heartbeats: 5', 'expected true or false, found 5'],
  ['type: drop-responses, target: api/0, at: 1s', 'missing key "share"'],
  ['type: drop-responses, target: api/0, at: 1s, share: 0', '9:59 error: 0 is too small; it must be above 0%'],
  ['type: slow, target: api/0, at: 1s, factor: 2, requests: 120%', '9:63 error: "120%" is too large; it must be at most 100%'],
  ['type: memory-leak, target: api/0, at: 1s', 'missing key "fills"'],
  ['type: memory-leak, target: api/0, at: 1s, fills: 5s, factor: 0.5', 'at least 1'],
  ['type: clock-drift, target: api/0, at: 1s, rate: 0', '0.01'],
  ['type: partition, at: 1s', 'which messages?; write from: a and to: b for zones, or target: api/3 for instances'],
  ['type: partition, at: 1s, from: a', 'which messages?'],
  ['type: partition, at: 1s, target: api/0, from: a', 'give either target, or from and to'],
  ['type: partition, at: 1s, target: api/0, direction: up', '"up" is not one of both, in, out'],
  ['type: partition, at: 1s, from: a, to: q', 'warning: no instance is in zone "q"; known: a, b'],
  ['type: packet-loss, at: 1s, from: a, to: b', 'missing key "share"'],
  ['type: latency, at: 1s, from: a, to: b', 'missing key "adds"'],
  ['type: discovery-outage, target: api/0, at: 1s', 'unknown key "target"'],
  ['type: crash, target: api/*, at: 1s, hit: 0', '9:48 error: 0 is too small; it must be above 0%'],
  ['type: crash, target: api/0, at: 1s, cascade: { chance: 50% }', 'missing key "after"'],
  ['type: pause, target: api/0, at: 1s, cascade: { chance: 50%, after: 1s }', 'unknown key "cascade"'],
  ['type: pause, target: api/0, at: 1s, flapping: { down: 1s }', 'missing key "up"'],
  ['type: pause, target: api/0, flapping: { down: 1s, up: 1s }', 'missing key "at"'],
  [
    'type: pause, target: api/0, flapping: { down: 1s, up: 1s }, random: { mttf: 1s, mttr: 1s }',
    'give either random, or at and for',
  ],
  ['type: pause, target: api/0, at: 1s, flapping: { down: 0s, up: 1s }', '9:61 error: must be above 0'],
  ['type: hung, target: api/0, at: 1s', 'hang'],
])('%s: %s', async (fault, complaint) => {
  const found = await briefly(text(fault));
  expect(found.length).toBeGreaterThan(0);
  expect(found.join('\n')).toContain(complaint);
});

test('crashes overlap only where it is certain whom they hit', async () => {
  const certain = 'type: crash, target: api/*, at: 1s, for: 10s\ntype: crash, target: api/0, at: 5s, for: 10s';
  expect((await briefly(text(certain))).join('\n')).toContain('api/0 is down already at that time');
  expect(await briefly(text(certain.replace('for: 10s\n', 'for: 10s, hit: 30%\n')))).toEqual([]);
});

describe('requests that would wait for ever', () => {
  const patient = (faults: string, options = '') =>
    briefly(text(faults).replace(', timeout: 1s', options)).then((found) => found.filter((each) => each.includes('would wait')));

  test.each([
    ['type: partition, target: api/0, at: 1s, for: 5s', 'for ever'],
    ['type: partition, from: a, to: b, at: 1s, for: 5s', 'for ever'],
    ['type: drop-responses, target: api/0, at: 1s, for: 5s, share: 5%', 'for ever'],
    ['type: hang, target: api/0, at: 1s', 'for ever'],
    ['type: hang, target: api/0, at: 1s, for: 5s', 'until it is over'],
  ])('%s: %s', async (fault, until) => {
    const message = `requests would wait ${until}: api has neither timeout nor attemptTimeout; write timeout: 1s there`;
    expect(await patient(fault)).toEqual([expect.stringContaining(`warning: ${message}`)]);
    expect(await patient(fault, ', timeout: 5s')).toEqual([]);
    expect(await patient(fault, ', attemptTimeout: 5s')).toEqual([]);
  });

  test('are not those of other faults', async () => {
    expect(await patient('type: pause, target: api/0, at: 1s\ntype: packet-loss, from: a, to: b, at: 1s, share: 5%')).toEqual([]);
  });
});

describe('what can never matter', () => {
  const warnings = async (faults: string, rest: string) =>
    (await briefly(text(faults, rest))).filter((each) => each.includes('warning'));
  const crash = 'type: crash, target: api/0, at: 1s, for: 5s';

  test('an outage of discovery where nobody asks', async () => {
    const outage = 'type: discovery-outage, at: 1s, for: 5s';
    expect(await warnings(outage, '')).toEqual([
      '9:5 warning: nobody asks who there is, so nobody notices the outage; add policies.discovery, as in discovery: registry-watch',
    ]);
    expect(await warnings(outage, 'policies: { discovery: static }')).toHaveLength(1);
    expect(await warnings(outage, 'policies: { discovery: dns }')).toEqual([]);
    expect(await warnings(outage, 'compare: { discovery: [none, dns] }')).toEqual([]);
  });

  test('a registry where nobody asks', async () => {
    const message = 'a registry that nobody asks changes nothing; add policies.discovery';
    expect(await warnings(crash, 'policies: { registry: etcd }')).toEqual([`10:23 warning: ${message}`]);
    expect(await warnings(crash, 'policies: { registry: etcd, discovery: xds }')).toEqual([]);
    expect(await warnings(crash, 'policies: { registry: none }')).toEqual([]);
  });

  test.each([
    ['envoy', 'with maxEjectionPercent 10% envoy leaves nobody out of 3: that takes 10 instances'],
    [
      '{ use: envoy, maxEjectionPercent: 30% }',
      'that takes 4 instances; raise maxEjectionPercent to 34%, or write alwaysEjectOneHost: true',
    ],
    ['{ use: envoy, maxEjectionPercent: 34% }', ''],
    ['{ use: envoy, alwaysEjectOneHost: true }', ''],
    ['{ use: envoy, ejectionRule: legacy }', ''],
    ['{ use: envoy, maxEjectionPercent: 0% }', 'with maxEjectionPercent 0% envoy leaves nobody out; raise maxEjectionPercent'],
    ['grpc', ''],
    ['{ use: grpc, maxEjectionPercent: 0% }', 'with maxEjectionPercent 0% grpc leaves nobody out'],
  ])('an outlier detector that may leave nobody out: %s', async (outlier, complaint) => {
    const found = await warnings(crash, `policies: { outlier: ${outlier} }`);
    expect(found).toHaveLength(complaint === '' ? 0 : 1);
    expect(found.join()).toContain(complaint);
  });

  test('health checks that would need longer than the run', async () => {
    const slow = 'policies: { healthCheck: { use: envoy, interval: 20s, unhealthyThreshold: 4 } }';
    expect(await warnings(crash, slow)).toEqual([
      expect.stringContaining(
        'envoy needs 1m for 4 failed checks in a row, the run lasts 1m; lower unhealthyThreshold or interval',
      ),
    ]);
    expect(await warnings(crash, slow.replace('20s', '19s'))).toEqual([]);
  });
});
