/** Who gets which policy: overrides of edges and services, none, modules of one's own in every role. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PolicyFault } from '../../src/core/errors.ts';
import { Xoshiro128 } from '../../src/core/xoshiro.ts';
import { makePolicies } from '../../src/scenario/make-policies.ts';
import { defaults } from '../../src/core/params.ts';
import { roleNames, roles } from '../../src/scenario/roles.ts';
import type { Rollout } from '../../src/policies/rollout/strategies/index.ts';
import type { PolicyChoice, PolicyUse } from '../../src/scenario/spec.ts';
import { scenarioOf, scenarioText } from './fixture.ts';

const deps = { rng: new Xoshiro128(1, 2, 3, 4), sink: { believe: () => undefined } };
const services = (web = '', db = ''): string =>
  `services:\n  web: { instances: 2, work: 1ms, calls: [{ to: db${web} }, { publish: jobs }] }\n  db: { instances: 2, work: 1ms${db} }\n  worker: { instances: 1, work: 1ms }`;
const world = (parts: Parameters<typeof scenarioText>[0]): string =>
  scenarioText({
    traffic: 'traffic: [{ to: web, arrivals: { type: poisson, rate: 1/s } }]',
    ...parts,
    rest: `queues: { jobs: { to: worker } }\n${parts?.rest ?? ''}`,
  });

/** In which every role has something to do. */
const changing = (): string =>
  scenarioText({
    services: 'services: { api: { instances: 3, work: 10ms, versions: { v2: {} } } }',
    rest: 'changes: [{ type: config, at: 9s, service: api, version: v2 }]\ndelivery: { controllers: 2 }',
  });

describe('the strongest says', () => {
  test('the edge before the called service, and that before the variant', async () => {
    const rest = 'policies: { balancer: random, retry: constant, breaker: hystrix }';
    const text = world({
      services: services(', policies: { balancer: p2c, retry: none }', ', policies: { balancer: round-robin, breaker: none }'),
      rest,
    });
    const scenario = await scenarioOf(text);
    const { edges, balancerName } = await makePolicies(scenario.policies, scenario);
    expect(balancerName).toBe('random');
    expect(scenario.edges.map(({ name }) => name)).toEqual(['web', 'web->db', 'web->jobs', 'jobs->worker']);
    expect(edges.map((edge) => edge.balancerName)).toEqual(['random', 'p2c', 'random', 'random']);
    expect(edges.map((edge) => [edge.retry !== undefined, edge.breaker !== undefined])).toEqual([
      [true, true],
      [false, false],
      [true, true],
      [true, true],
    ]);
  });

  test('what stands at the door of an instance is the service’s, whoever calls', async () => {
    const scenario = await scenarioOf(
      world({
        services: services('', ', policies: { shedding: none }'),
        rest: 'policies: { shedding: semaphore, admission: token-bucket }',
      }),
    );
    const made = await makePolicies(scenario.policies, scenario);
    expect(made.services.map(({ shedding }) => shedding !== undefined)).toEqual([true, false, true]);
    expect(made.edges.every(({ admission }) => admission !== undefined)).toBe(true);
    expect(made.edges.every((edge) => !('shedding' in edge))).toBe(true);
  });

  test('a queue policy applies where requests are served in order of arrival only', async () => {
    const scenario = await scenarioOf(
      world({ services: services('', ', discipline: lifo'), rest: 'policies: { queueing: codel }' }),
    );
    const made = await makePolicies(scenario.policies, scenario);
    expect(made.services.map(({ queueing }) => queueing !== undefined)).toEqual([true, false, true]);
  });

  test('a variant’s none is none', async () => {
    const { variants, ...scenario } = await scenarioOf(
      scenarioText({ rest: 'policies: { retry: constant }\ncompare: { retry: [none, exponential] }' }),
    );
    const made = await Promise.all(variants.map(({ policies }) => makePolicies(policies, scenario)));
    expect(made.map(({ edges }) => edges[0].retry !== undefined)).toEqual([false, true]);
  });
});

describe('made from their tables', () => {
  test.each(roleNames)('%s: every policy can do what its role asks for', async (role) => {
    const scenario = await scenarioOf(changing());
    for (const [name, { params }] of Object.entries(roles[role].table)) {
      const use: PolicyUse = {
        use: name,
        params: defaults(params),
      };
      const { edges, services: made, cluster } = await makePolicies({ ...scenario.policies, [role]: use }, scenario);
      const make = { ...edges[0], ...made[0], ...cluster }[role] as unknown as (given: unknown) => Record<string, unknown>;
      const policy = make(deps);
      for (const method of roles[role].methods) expect(policy[method], `${name}.${method}`).toBeTypeOf('function');
    }
  });
});

describe('of one’s own', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'clusterlab-'));
    const methods = (role: keyof typeof roles): string =>
      roles[role].methods.map((method) => `${method}() { return 0; }`).join(' ');
    const classes = roleNames.map(
      (role) => `export class ${role} { constructor(deps, params) { this.params = params; this.load = load; } ${methods(role)} }`,
    );
    await writeFile(
      join(folder, 'mine.mjs'),
      `globalThis.loads = (globalThis.loads ?? 0) + 1;\nconst load = globalThis.loads;\n${classes.join('\n')}\nexport class Bare {}\n`,
    );
  });
  afterAll(() => rm(folder, { recursive: true }));
  const own = (exportName: string, params = {}): PolicyUse => ({
    use: `./mine.mjs#${exportName}`,
    module: { path: join(folder, 'mine.mjs'), exportName },
    params,
  });

  test('in every role, from a module that is loaded once', async () => {
    const scenario = await scenarioOf(changing());
    const choice = Object.fromEntries(roleNames.map((role) => [role, own(role, { x: 1 })])) as unknown as PolicyChoice;
    const { edges, services: made, cluster, isUserPolicy, userFiles } = await makePolicies(choice, scenario);
    expect(isUserPolicy).toBe(true);
    expect(userFiles).toEqual([join(folder, 'mine.mjs')]);
    expect(edges[0].isUserPolicy).toBe(true);
    const all = { ...edges[0], ...made[0], ...cluster } as unknown as Record<
      string,
      (given: unknown) => { params: object; load: number }
    >;
    // Those of roll-outs are given with somebody who looks at their answers.
    const bare = roleNames.filter((role) => role !== 'rollout');
    const policies = bare.map((role) => all[role](deps));
    expect(policies.map(({ params }) => params)).toEqual(bare.map(() => ({ x: 1 })));
    expect(() => (all.rollout({ unit: 'replicas' }) as unknown as Rollout).step({ groups: [], hosts: [] } as never)).toThrow(
      new PolicyFault('./mine.mjs#rollout', './mine.mjs#rollout answered 0, not a list of actions'),
    );
    expect(new Set(policies.map(({ load }) => load)).size).toBe(1);
  });

  test('says what it lacks when it is made', async () => {
    const scenario = await scenarioOf(scenarioText());
    const { edges } = await makePolicies({ ...scenario.policies, breaker: own('Bare') }, scenario);
    expect(() => edges[0].breaker!(deps)).toThrow(
      new PolicyFault('./mine.mjs#Bare', './mine.mjs#Bare lacks acquire(), settle(), release(), state(), retryAtMs()'),
    );
  });

  test('a list of texts may be a parameter', async () => {
    const rest = 'policies: { retry: { use: ./mine.ts#Mine, on: [timeout, error], delay: 1s } }';
    const { policies } = await scenarioOf(scenarioText({ rest }), { files: { 'mine.ts': '' } });
    expect(policies.retry?.params).toEqual({ on: ['timeout', 'error'], delay: 1000 });
  });
});
