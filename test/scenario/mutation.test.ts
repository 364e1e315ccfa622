/** Whatever stands in the file, loading it ends with a scenario or with complaints. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatIssues, issuesToJson } from '../../src/cli/issues.ts';
import { InputError } from '../../src/core/errors.ts';
import { decode } from '../../src/scenario/decode.ts';
import { parseScenario } from '../../src/scenario/parse.ts';
import { dataFiles } from './fixture.ts';

const good = `scenario: 1
name: everything
about: "all of it: é"
run: { duration: 5m, warmup: 30s, seeds: [a, 7], seed: x, window: 1s }
services:
  api: &api { version: a, versions: { b: { effects: [{ type: crash, onStart: 20%, every: 1m }, { type: incompatible, with: db, versions: v1 }], bad: true }, c: { clients: { timeout: 50ms, retry: none } } }, instances: [{ count: 3, speed: 2 }, { zone: z }], zones: [a, b], slots: 8, queue: unlimited, work: { type: lognormal, p50: 12ms, p99: 60ms } }
  db: { instances: 2, discipline: lifo, policies: { breaker: hystrix, retry: none }, workByClass: { write: 9ms }, work: &work { type: pareto, shape: 2.5, mean: 3ms, max: 1s }, coldStart: { for: 1s, factor: 2 } }
  web:
    instances: 2
    work: 5ms
    whileWaiting: release
    calls: [api, { to: db, share: 30%, classes: write, cache: { type: keys, entries: 9 } }, { parallel: [api, { to: db, optional: true }], wait: 1 }, { oneOf: [{ share: 1, calls: [{ work: 1ms }, { publish: jobs }] }] }]
  worker: { instances: 1, work: 1ms }
classes: { read: {}, write: { priority: 1 } }
queues: { jobs: { to: worker, maxReceives: 5 } }
metastability: { escape: {} }
network: { sameZone: 1ms, pairs: [{ between: [a, b], latency: *work }] }
traffic:
  - to: api
    arrivals: { type: mmpp, states: [{ rate: 4500/s, mean: 1s }, { rate: 2k/s, mean: 1m }] }
    profile: [{ type: diurnal, amplitude: 30%, period: 1m }, { type: spike, at: 1m, for: 20s, factor: 3, rise: 2s }]
    timeout: 1s
    keys: { count: 1000, exponent: 0.9 }
  - { to: db, arrivals: { type: trace, file: trace.csv, repeat: true, mean: 10/s } }
  - { to: web, arrivals: { type: users, users: 5, think: 1s, session: { requests: 3, gap: 9s } }, classes: { read: 1, write: 0 }, pool: { connections: 3 }, fallback: { on: shed } }
  - { to: jobs, arrivals: { type: bursts, every: 1m, size: 5 } }
  - { to: api, arrivals: { type: replay, file: requests.csv } }
faults:
  - { type: cache-flush, at: 1m, target: web/* }
  - { type: slow, at: 2m, for: 60s, target: [api/3, db/*], factor: 5 }
  - { type: crash, target: api@a, random: { mttf: { type: exponential, mean: 1m }, mttr: 5s } }
  - { type: controller-pause, at: 2m, for: 10s, controller: 1 }
changes: [{ type: release, at: 1m, service: api, version: b, slow: 300ms }, { type: config, at: 2m, service: api, version: c }]
delivery: { controllers: 3, loss: 1%, distributors: [3], pushesPerSecond: unlimited }
policies:
  detector: { use: heartbeat, every: 1s, misses: 3 }
  rollout: { use: argo-canary, steps: [{ step: setWeight, weight: 5 }, { step: pause, duration: 1m }] }
compare:
  balancer: [round-robin, { use: p2c, label: two choices }]
  services.api.slots: [4, 8]
  load: [50%, 1]
expect:
  - latency.p99{edge=web->db, class=read, window=40s..60s} < 1s
  - latency.p99 < 250ms
  - { check: availability >= 99.9%, of: "two choices, slots=8, load=50%" }
`;
const data = dataFiles({ 'trace.csv': 's,n\n0,1\n1,3\n2,0\n', 'requests.csv': 'time_ms,class,key\n0,read,a\n299000,write,b\n' });
const goodBytes = new TextEncoder().encode(good);
/** Pieces that mean something to YAML or to us, so that mutations reach beyond syntax errors. */
const pieces = [
  ...[
    '{',
    '}',
    '[',
    ']',
    ': ',
    '- ',
    '\n',
    '  ',
    '#',
    '&a ',
    '*a',
    '!t ',
    '|',
    '"',
    "'",
    '---\n',
    '0',
    '-1',
    '1e999',
    '.nan',
    'null',
    'true',
    '~',
    '%',
    's',
    'ms',
    '/s',
    '..',
    '@',
    '*',
    '\t',
    '\r',
    '\0',
    '__proto__',
  ],
  ...good.split(/(?<=[\s,{}[\]])/),
].map((piece) => new TextEncoder().encode(piece));

const mutation = fc.record({
  at: fc.nat({ max: goodBytes.length }),
  remove: fc.oneof(fc.constant(0), fc.nat({ max: 3 }), fc.nat({ max: 60 })),
  insert: fc.oneof(fc.constantFrom(...pieces), fc.uint8Array({ maxLength: 3 })),
});

function mutate(bytes: Uint8Array, { at, remove, insert }: { at: number; remove: number; insert: Uint8Array }): Uint8Array {
  return Uint8Array.from([...bytes.subarray(0, at), ...insert, ...bytes.subarray(at + remove)]);
}

async function outcome(bytes: Uint8Array): Promise<'good' | InputError> {
  try {
    await parseScenario(decode(bytes, 'test.yaml'), 'test.yaml', { data });
    return 'good';
  } catch (error) {
    if (error instanceof InputError) return error;
    throw error;
  }
}

test('the scenario that is mutated is good', async () => {
  expect(await outcome(goodBytes)).toBe('good');
});

test('random changes to the bytes of a scenario lead to a scenario or to complaints, never to anything else', async () => {
  let good = 0;
  let bad = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 3 }), async (mutations) => {
      const bytes = mutations.reduce(mutate, goodBytes);
      const result = await outcome(bytes);
      if (result === 'good') {
        good++;
        return;
      }
      bad++;
      expect(result.issues.length).toBeGreaterThan(0);
      const text = new TextDecoder().decode(bytes);
      const lines = text.split('\n');
      for (const { place, message } of result.issues) {
        expect(message).not.toMatch(/undefined|\[object|Invalid input/);
        if (place === undefined) continue;
        // Within the file, the column at most one behind the end of its line.
        expect(place.line).toBeLessThanOrEqual(lines.length);
        expect(place.column).toBeLessThanOrEqual(lines[place.line - 1].length + 1);
        expect(place.length).toBeGreaterThan(0);
      }
      expect(formatIssues(result.issues, { 'test.yaml': text }, { color: false })).toContain('Nothing was run.');
      expect(issuesToJson(result.issues).valid).toBe(false);
    }),
    { seed: 20, numRuns: 200 },
  );
  // Both sides are reached: mutations that hurt, and such as fall into texts and comments.
  expect(good).toBeGreaterThan(5);
  expect(bad).toBeGreaterThan(100);
}, 60_000);

test('no scenario changes the prototype of all objects', async () => {
  for (const text of [
    '__proto__: { polluted: 1 }',
    '{"__proto__": {"polluted": 1}}',
    'run: { __proto__: { polluted: 1 } }',
    'constructor: { prototype: { polluted: 1 } }',
  ]) {
    expect(await outcome(new TextEncoder().encode(text))).toBeInstanceOf(InputError);
  }
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});
