/** The JSON Schema for editors. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { minimalExample } from '../../src/scenario/parse.ts';
import { scenarioSchema, scenarioSchemaText } from '../../src/scenario/schema.ts';
import { scenarioText } from './fixture.ts';

const scenarios = join(import.meta.dirname, '../../scenarios');
let isValid: (text: string) => boolean;
beforeAll(() => {
  const validate = new Ajv({ strict: true, strictTypes: false, strictRequired: false, allErrors: true }).compile(
    scenarioSchema(),
  );
  isValid = (text) => validate(parse(text));
});

test('the schema in the repository is current (update it with clusterlab schema --out scenarios/scenario.schema.json)', async () => {
  await expect(scenarioSchemaText()).toMatchFileSnapshot(join(scenarios, 'scenario.schema.json'));
});

test.each(readdirSync(scenarios).filter((name) => name.endsWith('.yaml')))('scenarios/%s fits', (name) => {
  expect(isValid(readFileSync(join(scenarios, name), 'utf8'))).toBe(true);
});

test('the smallest scenario fits', () => {
  expect(isValid(minimalExample)).toBe(true);
});

describe('what the schema can tell', () => {
  test.each([
    ['an unknown key', { rest: 'colour: red' }],
    ['a duration without a unit', { run: 'run: { duration: 60 }' }],
    ['a rate without a unit', { traffic: 'traffic: [{ to: api, arrivals: { type: poisson, rate: 100 } }]' }],
    ['an unknown law', { services: 'services: { api: { instances: 1, work: { type: normal, mean: 1ms } } }' }],
    ['a parameter of another law', { services: 'services: { api: { instances: 1, work: { type: exponential, shape: 1 } } }' }],
    ['an unknown parameter of a policy', { rest: 'policies: { detector: { use: heartbeat, evry: 1s } }' }],
    ['a parameter in the wrong unit', { rest: 'policies: { detector: { use: heartbeat, every: 1 } }' }],
    ['a missing key', { run: 'run: {}' }],
    ['half an instance', { services: 'services: { api: { instances: 2.5, work: 1ms } }' }],
    [
      'an unknown key of a call',
      { services: 'services: { api: { instances: 1, work: 1ms, calls: [{ to: api, timout: 1s }] } }' },
    ],
    [
      'a step within parallel',
      { services: 'services: { api: { instances: 1, work: 1ms, calls: [{ parallel: [{ work: 1ms }] }] } }' },
    ],
    [
      'an unknown parameter of an edge’s policy',
      {
        traffic:
          'traffic: [{ to: api, arrivals: { type: poisson, rate: 1/s }, policies: { retry: { use: constant, dely: 1s } } }]',
      },
    ],
    ['a change without a version', { rest: 'changes: [{ type: release, at: 1s, service: api }]' }],
    [
      'an unknown effect',
      { services: 'services: { api: { work: 1ms, instances: 1, versions: { v2: { effects: [{ type: sad }] } } } }' },
    ],
    ['a step of a strategy that is none', { rest: 'policies: { rollout: { use: argo-canary, steps: [{ step: wait }] } }' }],
    ['an unknown fault', { rest: 'faults: [{ type: meteor, target: api/0, at: 1s }]' }],
  ])('%s does not fit', (_, parts) => {
    expect(isValid(scenarioText(parts))).toBe(false);
  });

  test.each([
    ['a policy by its name', 'policies: { balancer: random }'],
    ['with parameters', 'policies: { detector: { use: heartbeat, every: 2s, misses: 4 } }'],
    ['none', 'policies: { detector: none }'],
    ['of one’s own', 'policies: { balancer: { use: ./mine.ts#My, anything: 3 } }'],
    ['roles and paths to compare', 'compare: { balancer: [random, { use: p2c, label: x }], services.api.slots: [1, 2] }'],
    ['checks', 'expect: [latency.p99 < 1s, { check: availability > 99%, of: [random] }]'],
    [
      'faults',
      'faults: [{ type: slow, target: [api/0], at: 1s, for: 1s, factor: 2 }, { type: crash, target: api/*, random: { mttf: 1m, mttr: 1s } }]',
    ],
    ['a network', 'network: { latency: { type: exponential, mean: 1ms } }'],
    [
      'every role',
      'policies: { retry: none, budget: finagle, hedge: { use: delay, delay: 10ms }, breaker: hystrix, shedding: vegas, queueing: codel }',
    ],
    [
      'changes, delivery and their faults',
      `changes: [{ type: release, at: 1s, service: api, version: v2, slow: 1s }]
delivery: { controllers: 3, latency: { type: exponential, mean: 1ms }, distributors: [2, 4], pushesPerSecond: unlimited }
faults: [{ type: store-outage, at: 1s }, { type: distributor-outage, at: 1s, for: 2s }, { type: controller-pause, at: 1s, controller: leader }]`,
    ],
    [
      'a strategy with a count for a percentage',
      'policies: { rollout: { use: rolling-update, maxSurge: 1, maxUnavailable: 10% } }',
    ],
    ['a strategy of another system', 'policies: { rollout: { fromKubernetes: rollout.yaml, name: api } }'],
    ['a set of choices', 'policies: { retry: { use: constant, on: [timeout, error] } }'],
    ['a sweep over loads', 'compare: { load: [50%, 1.1], retry: [none, exponential] }'],
    [
      'classes, queues and a rule',
      'classes: { read: {}, "GET /:id": { priority: 1 } }\nqueues: { jobs: { to: api } }\nmetastability: { escape: {} }',
    ],
  ])('%s', (_, rest) => {
    expect(isValid(scenarioText({ rest }))).toBe(true);
  });
});

test('versions fit', () => {
  const effects = '{ type: slow, factor: 2, after: 1m, load: 70%, zones: [a] }, { type: crash, onStart: 1%, every: 1m }';
  const clients = 'timeout: 50ms, balancer: { use: least-request, choiceCount: 3 }, retry: none';
  const versions = `v2: { effects: [${effects}], bad: false }, v3: { clients: { ${clients} } }, v4: { malformed: true }`;
  const services = `services: { api: { instances: 1, work: 1ms, version: v1, versions: { ${versions} } } }`;
  expect(isValid(scenarioText({ services }))).toBe(true);
});

test('steps inside steps fit all the way down', () => {
  const calls = (inner: string): string =>
    scenarioText({
      services: `services: { api: { instances: 1, work: 1ms, calls: [{ oneOf: [{ share: 1, calls: [${inner}] }] }] } }`,
    });
  expect(
    isValid(calls('api, { to: db, cache: { type: ratio, hit: 90% } }, { parallel: [a, { to: b, copies: 2 }], wait: 1 }')),
  ).toBe(true);
  expect(isValid(calls('{ publish: jobs, share: 10% }, { oneOf: [{ share: 50%, calls: [{ work: 1ms }] }] }'))).toBe(true);
  expect(isValid(calls('{ oneOf: [{ share: 50%, calls: [{ wrk: 1ms }] }] }'))).toBe(false);
});

test('hovering shows what a key means, its default and an example', () => {
  const schema = scenarioSchema() as { properties: Record<string, { properties: Record<string, object> }> };
  expect(schema.properties.run.properties.seeds).toMatchObject({ default: 10, description: expect.any(String) });
  expect(schema.properties.run.properties.duration).toMatchObject({
    examples: ['5m'],
    description: 'Simulated time.',
    type: 'string',
  });
});
