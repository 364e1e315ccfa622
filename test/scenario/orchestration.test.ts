/** What a scenario says of instances and nodes that come and go: good ones exactly, and every way to get it wrong. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadScenario } from '../../src/scenario/load.ts';
import { briefly, scenarioOf } from './fixture.ts';

const text = ({
  service = '',
  rest = '',
  policies = '',
}: {
  readonly service?: string;
  readonly rest?: string;
  readonly policies?: string;
} = {}): string => `scenario: 1
name: elastic
run: { duration: 1m, seeds: 2 }
services:
  api: { instances: 3, work: 10ms${service === '' ? '' : `, ${service}`} }
traffic: [{ to: api, arrivals: { type: poisson, rate: 10/s } }]
policies: { balancer: p2c${policies === '' ? '' : `, ${policies}`} }
${rest}
`;
const node = 'nodes: { pool: { count: 3, cpu: 4, memory: 8GiB, zones: [a, b] } }';

describe('what can be written', () => {
  test('of a service', async () => {
    const service = `maxInstances: 9, imagePull: 5s, readiness: 2s, endpointDelay: 1s, price: 0.5, targetUtilization: 60%,
      resources: { cpu: 500m, cpuLimit: 1.5, memory: 512MiB, memoryBase: 200Mi, memoryPerRequest: 1MB },
      shutdown: { drain: false, preStop: 1s, grace: 9s }, disruptionBudget: { minAvailable: 80% },
      placement: { priority: 5, spread: [{ over: zone, when: DoNotSchedule }], nodeLabels: { disk: ssd }, tolerates: [{ key: gpu }], stays: 1m }`;
    const nodes = 'nodes: { pool: { count: 1, cpu: 2, labels: { disk: ssd } } }';
    const { services } = await scenarioOf(text({ service, rest: nodes }));
    expect(services[0].elastic).toEqual({
      ...{
        places: 9,
        imagePull: { type: 'constant', value: 5000 },
        readinessMs: 2000,
        endpointDelay: { type: 'constant', value: 1000 },
      },
      ...{ cpu: 500, cpuLimit: 1500, memory: 512 * 1024 * 1024, memoryBase: 200 * 1024 * 1024, memoryPerRequest: 1_000_000 },
      shutdown: { drains: false, preStopMs: 1000, graceMs: 9000 },
      ...{ priority: 5, nodeLabels: { disk: 'ssd' }, tolerates: [{ key: 'gpu' }], staysMs: 60_000 },
      spread: [{ over: 'zone', maxSkew: 1, when: 'DoNotSchedule' }],
      budget: { kind: 'minAvailable', amount: 0.8, isShare: true },
      ...{ price: 0.5, targetUtilization: 0.6 },
    });
  });

  test('a budget of 1 is a count, of 100 % a share', async () => {
    const budgets = ['{ maxUnavailable: 1 }', '{ maxUnavailable: 100% }', '{ minAvailable: 0.5 }'].map(async (budget) => {
      const { services } = await scenarioOf(text({ service: `disruptionBudget: ${budget}`, rest: node }));
      const { amount, isShare } = services[0].elastic.budget!;
      return [amount, isShare];
    });
    expect(await Promise.all(budgets)).toEqual([
      [1, false],
      [1, true],
      [0.5, true],
    ]);
  });

  test('of nodes, metrics and the calendar', async () => {
    const rest = `nodes:
  pool: { count: 2, min: 1, max: 5, zones: [a, b], cpu: 4, memory: 16GiB, pods: 20, price: 0.2, prices: { b: 0.3 }, provisioning: 90s,
    labels: { x: y }, taints: [{ key: gpu }], speed: 2, latency: 1ms, priority: 3, spot: { interrupted: 1h, notice: 30s } }
  other: { count: 3, cpu: 1500m }
metrics: { scrape: 10s, window: 30s, delay: 2s, missing: 5%, watch: latency.p99, evaluate: 20s }`;
    const { nodes, pipeline, run } = await scenarioOf(text({ rest, policies: 'alarm: threshold' }));
    expect(nodes).toMatchObject([
      { name: 'pool', count: 2, min: 1, max: 5, cpu: 4000, memory: 16 * 1024 ** 3, pods: 20, prices: [0.2, 0.3], speed: 2 },
      { name: 'other', count: 3, min: 0, max: 3, cpu: 1500, memory: Infinity, pods: 110, prices: [0], zones: ['a'] },
    ]);
    expect(nodes[0].taints).toEqual([{ key: 'gpu', value: '', effect: 'NoSchedule' }]);
    expect(nodes[0].spot).toEqual({ interrupted: { type: 'constant', value: 3_600_000 }, noticeMs: 30_000 });
    expect(pipeline).toEqual({
      ...{ scrapeMs: 10_000, windowMs: 30_000, delayMs: 2000, missing: 0.05, watch: 'latency.p99', evaluateMs: 20_000 },
    });
    expect(new Date(run.epochMs).toISOString()).toBe('2026-01-05T00:00:00.000Z');
    const starts = ['2024-02-29', '1999-12-31T23:59:59.5Z', '2000-03-01T12:00Z', '1970-01-01'].map(async (date) => {
      const { run: started } = await scenarioOf(text().replace('seeds: 2', `seeds: 2, startsAt: ${date}`));
      return started.epochMs;
    });
    expect(await Promise.all(starts)).toEqual([
      Date.UTC(2024, 1, 29),
      Date.UTC(1999, 11, 31, 23, 59, 59, 500),
      Date.UTC(2000, 2, 1, 12),
      0,
    ]);
  });

  test('faults of nodes, and of everybody who is there', async () => {
    const faults = `faults:
  - { type: node-loss, node: [pool/0, pool@b], at: 10s }
  - { type: zone-outage, zone: a, at: 20s }
  - { type: cpu-exhaustion, target: api/*, at: 5s, share: 50% }
  - { type: metrics-outage, at: 5s, for: 5s }
  - { type: control-plane-outage, at: 5s, for: 5s }`;
    const found = (await scenarioOf(text({ rest: `${node}\n${faults}` }))).faults;
    expect(found.map(({ label, nodes = [], targets }) => [label, nodes.map((each) => each.node), targets.length])).toEqual([
      ['node-loss pool/0, pool@b', [0, 1], 0],
      ['zone-outage a', [0, 2], 0],
      ['cpu-exhaustion api/* 50%', [], 3],
      ['metrics-outage', [], 0],
      ['control-plane-outage', [], 0],
    ]);
    expect(found[2].everyOf).toEqual([{ service: 0 }]);
  });
});

describe('mistakes are answered where they are', () => {
  test.each([
    [
      'an amount of memory without a unit',
      { service: 'resources: { cpu: 1, memory: 512 }' },
      /error: .*512 is not an amount of memory.*512MiB/,
    ],
    ['cores that are no number', { service: 'resources: { cpu: lots }' }, /error: .*"lots" is not a number of cores.*500m/],
    ['a date that is none', { rest: '' }, /error: .*there is no "2026-02-30" in the calendar/],
    [
      'both halves of a budget',
      { service: 'disruptionBudget: { minAvailable: 1, maxUnavailable: 1 }' },
      /give one of minAvailable and maxUnavailable/,
    ],
    ['fewer places than instances', { service: 'maxInstances: 2' }, /error: .*there are 3 instances at first/],
    [
      'more nodes than the quota',
      { rest: 'nodes: { pool: { count: 4, max: 2, cpu: 1 } }' },
      /error: .*4 nodes are more than max, 2/,
    ],
    ['no nodes at all', { rest: 'nodes: {}' }, /error: .*expected a map of groups of nodes by name, found an empty map/],
    [
      'a price of another zone',
      { rest: 'nodes: { pool: { count: 1, cpu: 1, prices: { z: 1 } } }' },
      /error: .*no node of pool is in zone "z"/,
    ],
    [
      'instances that fit nowhere',
      { service: 'resources: { cpu: 5 }', rest: node },
      /error: .*needs 5 cores, more than any node has.*pool has 4/,
    ],
    [
      'instances that may go nowhere',
      { service: 'placement: { nodeLabels: { gpu: yes } }', rest: node },
      /error: .*no node may take an instance of api/,
    ],
    [
      'a metric that nobody measures',
      { rest: 'metrics: { watch: errors }', policies: 'alarm: threshold' },
      /"errors" is not measured of services.*error-rate/,
    ],
    [
      'a node that does not exist',
      { rest: `${node}\nfaults: [{ type: node-loss, node: pool/7, at: 1s }]` },
      /error: .*there is no node pool\/7/,
    ],
    [
      'a loss of nodes without nodes',
      { rest: 'faults: [{ type: node-loss, node: pool/0, at: 1s }]' },
      /error: .*there are no nodes/,
    ],
    [
      'a zone without nodes',
      { rest: `${node}\nfaults: [{ type: zone-outage, zone: c, at: 1s }]` },
      /error: .*no node is in zone "c"/,
    ],
    ['an autoscaler with its bounds crossed', { policies: 'autoscaler: { use: hpa, min: 9, max: 3 }' }, /error: .*min/],
    [
      'a scheduler of a service',
      { service: 'policies: { scheduler: first-fit }', rest: node },
      /error: .*unknown key "scheduler"/,
    ],
    [
      'placement without nodes',
      { service: 'placement: { priority: 1 }', policies: 'replicas: replica-set' },
      /warning: .*no nodes to choose from/,
    ],
    ['a scheduler without nodes', { policies: 'scheduler: first-fit' }, /warning: .*there are no nodes/],
    [
      'how instances end that never do',
      { service: 'shutdown: { drain: false }' },
      /warning: .*are there for ever: shutdown changes nothing/,
    ],
    ['measurements for nobody', { rest: 'metrics: { scrape: 5s }' }, /warning: .*nobody looks at what is measured/],
    [
      'a watch without an alarm',
      { rest: 'metrics: { watch: concurrency }', policies: 'autoscaler: hpa' },
      /warning: .*there is no alarm to watch it/,
    ],
    ['failover without anywhere to go', { policies: 'failover: priority-failover' }, /warning: .*every service is in one zone/],
    ['zones beside nodes', { service: 'zones: [x, y]', rest: node }, /warning: .*instances are in the zones of their nodes/],
    [
      'a preStop beyond the grace',
      { service: 'shutdown: { preStop: 9s, grace: 5s }', policies: 'autoscaler: hpa' },
      /warning: .*longer than grace/,
    ],
  ] as const)('%s', async (what, parts, expected) => {
    const written = text(parts);
    const found = await briefly(
      what === 'a date that is none' ? written.replace('seeds: 2', 'seeds: 2, startsAt: 2026-02-30') : written,
    );
    expect(found.join('\n')).toMatch(expected);
  });
});

describe('a Deployment in place of what a service says', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clusterlab-deployment-'));
    await writeFile(
      join(folder, 'deploy.yaml'),
      `apiVersion: apps/v1
kind: Deployment
metadata: { name: api }
spec:
  replicas: 5
  strategy: { type: Recreate }
  template:
    spec:
      terminationGracePeriodSeconds: 12
      nodeSelector: { disk: ssd }
      tolerations: [{ key: node.kubernetes.io/unreachable, operator: Exists, effect: NoExecute, tolerationSeconds: 20 }]
      topologySpreadConstraints:
        - { topologyKey: topology.kubernetes.io/zone, maxSkew: 2, whenUnsatisfiable: ScheduleAnyway, labelSelector: {} }
      containers:
        - resources: { requests: { cpu: 250m, memory: 128Mi } }
          readinessProbe: { tcpSocket: { port: 1 }, periodSeconds: 4 }
        - resources: { requests: { cpu: 250m } }
`,
    );
  });
  afterAll(() => rm(folder, { recursive: true }));

  const load = async (service: string) => {
    const file = join(folder, 'scenario.yaml');
    const nodes = 'nodes: { pool: { count: 3, cpu: 4, labels: { disk: ssd } } }';
    await writeFile(file, text({ rest: nodes }).replace('{ instances: 3, work: 10ms }', service));
    return loadScenario(file);
  };

  test('says how many, what they reserve, where they may run and how they end; what plays no part is named', async () => {
    const { scenario, warnings } = await load('{ fromKubernetes: ./deploy.yaml, work: 10ms }');
    const [{ instances, elastic }] = scenario.services;
    expect(instances.length).toBe(5);
    expect(elastic).toMatchObject({
      ...{ cpu: 500, memory: 128 * 1024 * 1024, readinessMs: 4000, shutdown: { drains: true, preStopMs: 0, graceMs: 12_000 } },
      ...{ nodeLabels: { disk: 'ssd' }, spread: [{ over: 'zone', maxSkew: 2, when: 'ScheduleAnyway' }], staysMs: 20_000 },
    });
    expect(warnings.map(({ message }) => message)).toEqual(['strategy plays no part: nothing is rolled out']);
  });

  test('a setting of a policy goes by its role, too', async () => {
    const file = join(folder, 'set.yaml');
    await writeFile(file, text({ policies: 'autoscaler: { use: hpa, min: 2 }' }));
    const overrides = ['autoscaler.max=7', 'policies.autoscaler.min=3', 'autoscaler.metrics.0.averageUtilization=50%'];
    await expect(loadScenario(file, { overrides })).rejects.toThrow(/metrics/);
    const { scenario } = await loadScenario(file, { overrides: overrides.slice(0, 2) });
    expect(scenario.policies.autoscaler?.params).toMatchObject({ min: 3, max: 7 });
  });

  test('and the scenario is stronger', async () => {
    const { scenario } = await load(
      '{ fromKubernetes: ./deploy.yaml, instances: 2, resources: { cpu: 1 }, readiness: 1s, work: 10ms }',
    );
    const [{ instances, elastic }] = scenario.services;
    expect([instances.length, elastic.cpu, elastic.memory, elastic.readinessMs]).toEqual([2, 1000, 0, 1000]);
  });
});
