/** What a scenario says of versions, changes and delivery: good ones exactly, and every way to get it wrong. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { defaults } from '../../src/core/params.ts';
import { rollouts } from '../../src/policies/rollout/strategies/index.ts';
import { makePolicies } from '../../src/scenario/make-policies.ts';
import { formatDefault } from '../../src/scenario/param-text.ts';
import { briefly, issuesOf, scenarioOf } from './fixture.ts';

interface Parts {
  /** Of `api`. */
  readonly service?: string;
  readonly changes?: string;
  readonly rest?: string;
}
const release = '{ type: release, at: 2m, service: api, version: v2 }';
const config = '{ type: config, at: 2m, service: api, version: v2 }';

const text = ({ service = 'versions: { v2: {} }', changes = release, rest = '' }: Parts = {}): string => `scenario: 1
name: changes
run: { duration: 10m, seeds: 2 }
services:
  api:
    { instances: 4, zones: [a, b], work: 10ms, calls: [{ to: db, cache: { type: ratio, hit: 50% } }], ${service} }
  db: { instances: 2, work: 1ms, version: old }
  worker: { instances: 1, work: 1ms }
queues: { jobs: { to: worker } }
traffic: [{ to: api, arrivals: { type: poisson, rate: 10/s } }, { to: jobs, arrivals: { type: poisson, rate: 1/s } }]
${changes === '' ? '' : `changes: [${changes}]\n`}${rest}
`;
/** `v2` with these effects. */
const withEffects = (effects: string): string => `versions: { v2: { effects: [${effects}] } }`;
const constant = (value: number) => ({ type: 'constant', value });

describe('what waits for people, or for requests that never come, is warned of', () => {
  test.each([
    ['argo-canary', 'rollout: argo-canary', 'argo-canary has a pause that lasts until somebody promotes'],
    [
      'a pause with an end',
      'rollout: { use: argo-canary, steps: [{ step: setWeight, weight: 5 }, { step: pause, duration: 1m }] }',
      undefined,
    ],
    [
      'blue-green',
      'rollout: { use: argo-blue-green, autoPromotionEnabled: false }',
      'argo-blue-green waits until somebody promotes',
    ],
    [
      'blue-green with a time',
      'rollout: { use: argo-blue-green, autoPromotionEnabled: false, autoPromotionSeconds: 5m }',
      undefined,
    ],
    [
      'a preview',
      'rollout: { use: argo-blue-green, prePromotionTemplate: default, metrics: [{ metric: errors }] }',
      'analyses a preview',
    ],
    ['confirmation', 'rollout: { use: flagger, confirmPromotion: true }', 'flagger waits until somebody confirms'],
    ['iterations', 'rollout: { use: flagger, iterations: 5 }', 'flagger has iterations, in which no request meets the canary'],
    ['copied requests', 'rollout: { use: flagger, iterations: 5, mirror: true }', undefined],
  ])('%s', async (_, policies, message) => {
    const messages = (await issuesOf(text({ rest: `policies: { ${policies} }` }))).map((issue) => issue.message);
    expect(messages).toEqual(message === undefined ? [] : [expect.stringContaining(message)]);
  });

  test('once, however many changes there are', async () => {
    const changes = `${release}, { type: release, at: 5m, service: api, version: v1 }`;
    expect(await issuesOf(text({ changes, rest: 'policies: { rollout: argo-canary }' }))).toHaveLength(1);
  });
});

describe('what can be written', () => {
  test('effects of a version, each with when it shows', async () => {
    const effects = [
      '{ type: slow, factor: 1.5, after: 3m }',
      '{ type: errors, share: 5%, zones: [b], load: 70% }',
      '{ type: crash, onStart: 20%, every: { type: exponential, mean: 10m } }',
      '{ type: memory-leak, fills: 4m, factor: 3, zones: a }',
      '{ type: cold-start, for: 60s, factor: 4 }',
      '{ type: cold-caches }',
      '{ type: incompatible, with: db, versions: old }',
    ];
    const { services } = await scenarioOf(text({ service: withEffects(effects.join(', ')) }));
    const always = { afterMs: 0, load: 0, zones: [] };
    expect(services[0].versions).toEqual([
      { name: 'v1', isBad: false, effects: [], isMalformed: false },
      {
        name: 'v2',
        isBad: true,
        effects: [
          { ...always, type: 'slow', factor: 1.5, afterMs: 180_000 },
          { ...always, type: 'errors', share: 0.05, zones: ['b'], load: 0.7 },
          { ...always, type: 'crash', onStart: 0.2, every: { type: 'exponential', mean: 600_000 } },
          { ...always, type: 'memory-leak', fillsMs: 240_000, factor: 3, zones: ['a'] },
          { ...always, type: 'cold-start', forMs: 60_000, factor: 4 },
          { ...always, type: 'cold-caches' },
          { ...always, type: 'incompatible', service: 1, versions: ['old'], share: 1 },
        ],
        isMalformed: false,
      },
    ]);
    // With which a version does not get on must be known; the third service has nothing to do with it.
    expect(services.map(({ versions }) => versions?.map(({ name }) => name))).toEqual([['v1', 'v2'], ['old'], undefined]);
  });

  test.each([
    ['', false],
    ['effects: [{ type: cold-start, for: 9s, factor: 2 }, { type: cold-caches }]', false],
    ['effects: [{ type: cold-caches }, { type: errors, share: 1% }]', true],
    ['effects: [{ type: slow, factor: 0.5 }], bad: false', false],
    ['bad: true', true],
    ['malformed: true', true],
    ['clients: { timeout: 1ms }', false],
  ])('accepting { %s } is a mistake: %s', async (version, isBad) => {
    const { services } = await scenarioOf(text({ service: `versions: { v2: { ${version} } }`, changes: config }));
    expect(services[0].versions?.[1].isBad).toBe(isBad);
  });

  test('the first version by its name, with effects that the next one takes away', async () => {
    const service = 'version: 1.4.0, versions: { 1.5.0: {}, 1.4.0: { effects: [{ type: errors, share: 1% }] } }';
    const { services } = await scenarioOf(text({ service, changes: '{ type: release, at: 1m, service: api, version: 1.5.0 }' }));
    expect(services[0].versions?.map(({ name, isBad }) => [name, isBad])).toEqual([
      ['1.4.0', true],
      ['1.5.0', false],
    ]);
  });

  test('what clients do, as configuration', async () => {
    const clients = 'timeout: 50ms, attemptTimeout: 20ms, balancer: { use: least-request, choiceCount: 3 }, retry: none';
    const { services } = await scenarioOf(text({ service: `versions: { v2: { clients: { ${clients} } } }`, changes: config }));
    expect(services[0].versions?.[1].clients).toMatchObject({
      ...{ timeoutMs: 50, attemptTimeoutMs: 20 },
      policies: { balancer: { use: 'least-request', params: { choiceCount: 3 } }, retry: null },
    });
  });

  test('changes by time, and delivery with what it is where nothing is written', async () => {
    const changes = `{ type: config, at: 4m, service: api, version: v3 }, { ...x, at: 2m }`.replace(
      '{ ...x, at: 2m }',
      '{ type: release, at: 2m, service: api, version: v2, slow: 300ms }',
    );
    const scenario = await scenarioOf(text({ service: 'versions: { v2: {}, v3: {} }', changes }));
    expect(scenario.changes).toEqual([
      { kind: 'release', atMs: 120_000, service: 0, version: 'v2', slowMs: 300 },
      { kind: 'config', atMs: 240_000, service: 0, version: 'v3' },
    ]);
    expect(scenario.delivery).toEqual({
      ...{ controllers: 1, isFenced: true, latency: constant(5), loss: 0, distributors: [] },
      ...{ pushesPerSecond: Infinity, ackTimeoutMs: 10_000 },
    });
  });

  test('delivery and its faults', async () => {
    const rest = `delivery: { controllers: 3, fencing: false, latency: { type: exponential, mean: 9ms }, loss: 2 %, distributors: [2, 4], pushesPerSecond: 100, ackTimeout: 3s }
faults:
  - { type: store-outage, at: 3m, for: 1m }
  - { type: distributor-outage, random: { mttf: 1m, mttr: 5s } }
  - { type: controller-pause, at: 3m, for: 30s, controller: 2 }
  - { type: controller-pause, at: 5m, for: 30s }`;
    const { delivery, faults } = await scenarioOf(text({ changes: config, rest: rest.replace('2 %', '2%') }));
    expect(delivery).toEqual({
      ...{ controllers: 3, isFenced: false, latency: { type: 'exponential', mean: 9 }, loss: 0.02 },
      ...{ distributors: [2, 4], pushesPerSecond: 100, ackTimeoutMs: 3000 },
    });
    expect(faults.map(({ label, targets, hit }) => [label, targets, hit])).toEqual([
      ['store-outage', [], 1],
      ['distributor-outage', [], 1],
      ['controller-pause 2', [], 1],
      ['controller-pause leader', [], 1],
    ]);
    expect(faults.slice(2)).toMatchObject([{ controller: 2 }, { controller: 'leader' }]);
  });

  test('without changes there is no delivery, and services have no versions', async () => {
    const scenario = await scenarioOf(text({ changes: '' }));
    expect(scenario).not.toHaveProperty('changes');
    expect(scenario).not.toHaveProperty('delivery');
    expect(scenario.services.every((service) => !('versions' in service))).toBe(true);
    expect(await scenarioOf(text({ changes: ' ' }))).not.toHaveProperty('changes');
  });

  test('back to what was there before is a change like others', async () => {
    const changes = `${release}, { type: release, at: 3m, service: api, version: v1 }, { type: release, at: 4m, service: api, version: v2 }`;
    expect(await briefly(text({ changes }))).toEqual([]);
  });
});

describe('mistakes are answered where they are', () => {
  test.each<readonly [string, Parts, string]>([
    [
      'a version that nobody has written',
      { changes: release.replace('v2', 'v3') },
      '11:59 error: api has no version "v3"; known: v1, v2; others are written as services: { api: { versions: { v3: {} } } }',
    ],
    [
      'a version that is misspelt',
      { service: 'versions: { canary: {} }', changes: release.replace('v2', 'canray') },
      '11:59 error: api has no version "canray"; did you mean "canary"? Known: canary, v1; others are written as services: { api: { versions: { canray: {} } } }',
    ],
    [
      'a service that does not exist',
      { changes: release.replace('api', 'app') },
      '11:45 error: there is no service "app"; did you mean "api"? Known: api, db, worker',
    ],
    [
      'the version that is there',
      { changes: release.replace('v2', 'v1') },
      '11:59 error: v1 is what api shall have from the start: nothing changes; name another version',
    ],
    [
      'the same version once more',
      { changes: `${release}, { type: release, at: 3m, service: api, version: v2 }` },
      '11:113 error: v2 is what api shall have since 2m: nothing changes; name another version',
    ],
    [
      'two at once',
      { service: 'versions: { v2: {}, v3: {} }', changes: `${release}, ${release.replace('v2', 'v3')}` },
      '11:65 error: a release of api is asked for at that moment already: v2; give it another time',
    ],
    [
      'a change of no kind',
      { changes: release.replace('release', 'deploy') },
      '11:19 error: unknown type "deploy"; known: release, config',
    ],
    ['a change without a time', { changes: '{ type: release, service: api, version: v2 }' }, 'expected a duration such as 2m'],
    [
      'a slow that is 0',
      { changes: release.replace('}', ', slow: 0s }') },
      '11:70 error: "0s" is too small; it must be above 0s',
    ],
    ['changes that are no list', { changes: '', rest: `changes: ${release}` }, 'expected a list of changes, found'],
    [
      'a release of what clients do',
      { service: 'versions: { v2: { clients: { timeout: 1s } } }' },
      '11:59 error: v2 only says what clients do, which is configuration; write type: config',
    ],
    [
      'a release of what hosts refuse',
      { service: 'versions: { v2: { malformed: true } }' },
      '11:59 error: v2 is malformed: hosts refuse it, which only configuration can be; write type: config',
    ],
    [
      'an effect of no kind',
      { service: withEffects('{ type: sluggish }') },
      '6:139 error: unknown type "sluggish"; known: slow, errors',
    ],
    [
      'a share of 0',
      { service: withEffects('{ type: errors, share: 0% }') },
      '6:154 error: "0%" is too small; it must be above 0%',
    ],
    [
      'a crash that never comes',
      { service: withEffects('{ type: crash }') },
      '6:131 error: when does it crash?; give onStart: 20%, every: { type: exponential, mean: 10m }, or both',
    ],
    ['a crash without time in between', { service: withEffects('{ type: crash, every: 0s }') }, '6:153 error: must be above 0'],
    [
      'a zone where nobody is',
      { service: withEffects('{ type: cold-caches, zones: [a, d] }') },
      '6:163 error: no instance of api is in zone "d"; known: a, b',
    ],
    [
      'at odds with a service that does not exist',
      { service: withEffects('{ type: incompatible, with: bd, versions: old }') },
      '6:159 error: there is no service "bd"; did you mean "db"? Known: db, api, worker',
    ],
    [
      'at odds with a version that does not exist',
      { service: withEffects('{ type: incompatible, with: db, versions: [old, v1] }') },
      '6:179 error: db has no version "v1"; known: old;',
    ],
    [
      'settings for clients that set nothing',
      { service: 'versions: { v2: { clients: {} } }', changes: config },
      '6:130 error: must not be empty; write what differs for clients, as in { timeout: 50ms }',
    ],
    [
      'a policy that no client can be given',
      { service: 'versions: { v2: { clients: { detector: heartbeat } } }', changes: config },
      '6:132 error: unknown key "detector"; known: timeout, attemptTimeout, balancer, retry, budget, hedge, breaker, admission',
    ],
    [
      'a parameter of a client’s policy',
      { service: 'versions: { v2: { clients: { balancer: { use: p2c, choices: 3 } } } }', changes: config },
      '6:154 error: unknown parameter "choices" of p2c; p2c has no parameters',
    ],
    [
      'a first version that clients could be told of',
      { service: 'versions: { v1: { clients: { timeout: 1s } }, v2: {} }' },
      '6:130 error: v1 is there at first: what clients do at first is what their edges say; that is v1 by service and version',
    ],
    [
      'a first version that was refused',
      { service: 'versions: { v1: { malformed: true }, v2: {} }' },
      '6:132 error: v1 is there at first, so hosts cannot have refused it',
    ],
    [
      'a name that is none',
      { service: 'versions: { v2: {}, "v 3": {} }' },
      '6:123 error: "v 3" is not a name: letters, digits, ".", "_" and "-" only, a letter or digit first; write v-3',
    ],
    ['versions that are a list', { service: 'versions: [v1, v2]' }, '6:113 error: expected a map of versions by name, found'],
    [
      'a misspelt key of a version',
      { service: 'versions: { v2: { effect: [] } }' },
      '6:121 error: unknown key "effect"; did you mean "effects"?',
    ],
    [
      'more controllers than make sense',
      { rest: 'delivery: { controllers: 12 }' },
      '12:26 error: 12 is too large; it must be at most 9',
    ],
    ['everything lost', { rest: 'delivery: { loss: 100% }' }, '12:19 error: "100%" is too large; it must be at most 99%'],
    [
      'a controller that does not exist',
      { rest: 'delivery: { controllers: 2 }\nfaults: [{ type: controller-pause, at: 1m, controller: 2 }]' },
      '13:56 error: there is no controller 2; numbers start at 0: they are 0 to 1; or write delivery: { controllers: 3 }',
    ],
    [
      'a controller beside the only one',
      { rest: 'faults: [{ type: controller-pause, at: 1m, controller: 1 }]' },
      '12:56 error: there is no controller 1; numbers start at 0: there is one, 0; or write delivery: { controllers: 2 }',
    ],
    [
      'no strategy',
      { rest: 'policies: { rollout: none }' },
      '12:22 error: unknown roll-out strategy "none"; known: all-at-once, recreate, rolling-update, argo-canary',
    ],
  ])('%s', async (_, parts, expected) => {
    const lines = await briefly(text(parts));
    expect(lines).toContainEqual(expect.stringContaining(expected));
    expect(lines).toHaveLength(1);
  });

  test('a strategy that is not made for hosts', async () => {
    const rest = 'compare: { rollout: [staged-waves, flagger, argo-blue-green] }';
    expect(await briefly(text({ changes: config, rest }))).toEqual(
      ['flagger divides traffic by a router; hosts of a configuration have none', 'argo-blue-green'].map((why) =>
        expect.stringMatching(`^12:21 error: api has a change of type config: ${why}.*; write services: { api: `),
      ),
    );
    expect(await briefly(text({ rest }))).toEqual([]);
  });

  test('settings for clients of a service that nobody calls', async () => {
    const worker = 'worker: { instances: 1, work: 1ms, versions: { v2: { clients: { retry: none } } } }';
    const written = text({ changes: '{ type: config, at: 1m, service: worker, version: v2 }' }).replace(/worker: .*/, worker);
    expect(await briefly(written)).toEqual([
      '8:65 error: nobody calls worker, so there are no clients that could read this; write traffic to it, or calls of another service',
    ]);
  });

  test('several at once, each at its own place', async () => {
    const service = withEffects('{ type: slow, factor: -1 }, { type: cold-caches }, { type: errors, share: 2 }');
    const lines = await briefly(text({ service, rest: 'delivery: { latency: fast, loss: -1 }' }));
    expect(lines.map((line) => line.replace(/ error: .*/, ''))).toEqual(['6:153', '6:205', '12:22', '12:34']);
  });
});

describe('what changes nothing is said to', () => {
  test.each<readonly [string, Parts, readonly (string | RegExp)[]]>([
    [
      'a version that nobody asks for',
      { service: 'versions: { v2: {}, v3: {} }' },
      ['6:123 warning: nothing asks for v3 of api; asked for: v2'],
    ],
    [
      'policies, versions, delivery and faults without changes',
      {
        changes: '',
        rest: `policies: { rollout: recreate, store: consul, election: session-lock, propagation: poll }
delivery: { controllers: 3 }
faults: [{ type: store-outage, at: 1m }, { type: distributor-outage, at: 1m }, { type: controller-pause, at: 1m }]`,
      },
      [
        ...['6:113', '11:22', '11:39', '11:57', '11:84', '12:11', '13:10', '13:42', '13:80'].map(
          (place) =>
            `${place} warning: nothing is rolled out; write changes: [{ type: release, at: 2m, service: api, version: v2 }]`,
        ),
      ],
    ],
    [
      'ways of configuration where none is rolled out',
      {
        rest: `policies: { propagation: poll }
delivery: { loss: 1%, distributors: [2], pushesPerSecond: 5, ackTimeout: 1s }
faults: [{ type: distributor-outage, at: 1m }]`,
      },
      [
        ...['12:26', '13:19', '13:37', '13:59', '13:74', '14:10'].map(
          (place) =>
            `${place} warning: no configuration is rolled out; write changes: [{ type: config, at: 2m, service: api, version: v2 }]`,
        ),
      ],
    ],
    [
      'an election of one',
      { rest: 'policies: { election: session-lock }\ndelivery: { fencing: false }' },
      [
        '12:23 warning: one controller has nobody to compete with; write delivery: { controllers: 3 }',
        '13:22 warning: one controller has nobody to compete with; write delivery: { controllers: 3 }',
      ],
    ],
    ['measurements, which roll-outs decide by', { rest: 'metrics: { scrape: 5s }' }, []],
    ['a change after the end', { changes: release.replace('2m', '10m') }, ['11:32 warning: never happens: the run ends at 10m']],
    [
      'an effect after the end',
      { service: withEffects('{ type: slow, factor: 2, after: 11m }') },
      ['6:163 warning: after 11m, the run has ended: 10m'],
    ],
    [
      'at odds with a service that is never met',
      { service: withEffects('{ type: incompatible, with: worker, versions: v1 }') },
      ['6:159 warning: neither of api and worker calls the other: nothing fails between them'],
    ],
    [
      'a release of more than what clients do',
      { service: 'versions: { v2: { clients: { retry: none }, effects: [{ type: slow, factor: 2 }] } }' },
      ['11:59 warning: what v2 says of clients is not released with its instances; write type: config'],
    ],
    [
      'attempts of clients that outlast the request',
      { service: 'versions: { v2: { clients: { timeout: 1s, attemptTimeout: 2s } } }', changes: config },
      ['6:161 warning: attempts may take 2s, all together only 1s: no attempt will time out by itself'],
    ],
  ])('%s', async (_, parts, expected) => {
    const lines = await briefly(text(parts));
    expect(lines).toEqual(expected.map((each) => (typeof each === 'string' ? each : expect.stringMatching(each))));
  });

  test('cold caches where there are none', async () => {
    const written = text({ service: withEffects('{ type: cold-caches }') }).replace(', cache: { type: ratio, hit: 50% }', '');
    expect(await briefly(written)).toEqual([
      '6:97 warning: no call of api has a cache; write calls: [{ to: db, cache: ... }] there, or leave it out',
    ]);
  });

  test('unless it does in some variant', async () => {
    const rest = `policies: { rollout: recreate, election: session-lock }
delivery: { controllers: 1 }
compare: { delivery.controllers: [1, 3] }`;
    expect(await briefly(text({ rest }))).toEqual([]);
    const changing = `policies: { rollout: recreate }\ncompare: { changes: [[], [${release}]] }`;
    expect(await briefly(text({ changes: ' ', rest: changing }))).toEqual([]);
  });

  test('instances are not there for ever where they are replaced', async () => {
    const service = 'versions: { v2: {} }, shutdown: { grace: 9s }, readiness: 5s';
    expect(await briefly(text({ service }))).toEqual([]);
    expect(await briefly(text({ service, changes: config }))).toHaveLength(2);
  });
});

describe('variants', () => {
  test('differ in what is rolled out, and in how decisions travel', async () => {
    const rest = `compare:
  changes: [[${release}], [{ type: config, at: 1m, service: api, version: v3 }], []]
  delivery.loss: [0%, 10%]
  services.api.versions.v2.effects: [[{ type: errors, share: 1% }], [{ type: errors, share: 2% }]]`;
    const { variants } = await scenarioOf(text({ service: 'versions: { v2: {}, v3: {} }', rest }));
    const found = variants.map(({ scenario }) => {
      const [, v2] = scenario?.services[0].versions ?? [];
      const [effect] = v2?.effects ?? [];
      return [scenario?.changes?.[0].kind, scenario?.delivery?.loss, effect?.type === 'errors' ? effect.share : undefined];
    });
    expect(found).toEqual([
      ...[0, 0.1].flatMap((loss) => [0.01, 0.02].map((share) => ['release', loss, share])),
      ...[0, 0.1].flatMap((loss) => [0.01, 0.02].map((share) => ['config', loss, share])),
      ...[1, 2, 3, 4].map(() => [undefined, undefined, undefined]),
    ]);
  });

  test('a mistake of one variant is told with its name', async () => {
    const rest = 'compare: { delivery.controllers: [1, 2] }\nfaults: [{ type: controller-pause, at: 1m, controller: 1 }]';
    expect(await briefly(text({ rest }))).toEqual([
      '13:56 error: there is no controller 1; numbers start at 0: there is one, 0; or write delivery: { controllers: 2 }',
    ]);
  });

  test('a strategy of every service that changes leaves nothing to compare', async () => {
    const service = 'versions: { v2: {} }, policies: { rollout: recreate }';
    expect(await briefly(text({ service, rest: 'compare: { rollout: [recreate, rolling-update] }' }))).toEqual([
      '12:12 warning: every service has a rollout of its own, so the variants do not differ',
    ]);
  });
});

describe('who decides, keeps and brings it there', () => {
  const made = async (parts: Parts) => {
    const scenario = await scenarioOf(text(parts));
    return makePolicies(scenario.policies, scenario);
  };
  const roleNames = ['store', 'election', 'propagation'] as const;

  test.each<readonly [string, Parts, readonly string[]]>([
    ['nothing is rolled out', { changes: '', rest: 'policies: { rollout: recreate, store: consul, propagation: poll }' }, []],
    ['a release', {}, ['store', 'rollout', 'replicas']],
    ['a configuration', { changes: config }, ['store', 'propagation', 'rollout']],
    ['several controllers', { rest: 'delivery: { controllers: 2 }' }, ['store', 'election', 'rollout', 'replicas']],
    [
      'one controller, although an election is written',
      { rest: 'policies: { election: session-lock }' },
      ['store', 'rollout', 'replicas'],
    ],
  ])('%s: what is needed stands in, and nothing else', async (_, parts, expected) => {
    const { cluster, services } = await made(parts);
    const found = [
      ...roleNames.filter((role) => cluster[role] !== undefined),
      ...(['rollout', 'replicas'] as const).filter((role) => services[0][role] !== undefined),
    ];
    expect(found).toEqual(expected);
    expect(services.slice(1).every(({ rollout, replicas }) => rollout === undefined && replicas === undefined)).toBe(true);
  });

  test('how many replicas there may be is the autoscaler’s business', async () => {
    expect((await made({})).services[0]).not.toHaveProperty('mostReplicas');
    const { services } = await made({ rest: 'policies: { autoscaler: { use: hpa, max: 7 } }' });
    expect(services[0].mostReplicas).toBe(7);
  });

  test('the service’s own strategy is stronger than the variant’s', async () => {
    const rest = 'policies: { rollout: recreate }';
    const service = 'versions: { v2: {} }, policies: { rollout: { use: rolling-update, minReadySeconds: 7s } }';
    const { services } = await made({ service, rest });
    expect(services[0].rollout!({ unit: 'replicas' }).minReadyMs).toBe(7000);
    const others = await made({ rest: 'policies: { rollout: { use: recreate, minReadySeconds: 3s } }' });
    expect(others.services[0].rollout!({ unit: 'replicas' }).minReadyMs).toBe(3000);
  });

  test('what a version says of clients is stronger than edge, service and variant', async () => {
    const service = `policies: { retry: constant, breaker: hystrix }, versions: { v2: { effects: [] }, v3: { clients: { balancer: random, retry: none, hedge: fixed-delay } } }`;
    const changes = '{ type: config, at: 1m, service: api, version: v3 }, { type: config, at: 2m, service: api, version: v2 }';
    const { edges } = await made({ service, changes, rest: 'policies: { balancer: p2c, budget: envoy }' });
    expect(edges.map(({ versions }) => Object.keys(versions ?? {}))).toEqual([['v3'], [], [], []]);
    const [{ versions, ...own }] = edges;
    expect(own.balancerName).toBe('p2c');
    expect(versions!.v3.balancerName).toBe('random');
    const rolesOf = (makers: object): readonly string[] =>
      ['retry', 'budget', 'hedge', 'breaker'].filter((role) => role in makers);
    expect(rolesOf(own)).toEqual(['retry', 'budget', 'breaker']);
    expect(rolesOf(versions!.v3)).toEqual(['budget', 'hedge', 'breaker']);
  });

  test('what clients do is not made where nothing is rolled out as configuration', async () => {
    const service = 'versions: { v2: { effects: [{ type: slow, factor: 2 }], clients: { retry: none } } }';
    const { edges } = await made({ service });
    expect(edges.every((edge) => !('versions' in edge))).toBe(true);
  });
});

describe('names of other systems', () => {
  test.each([
    ['rollout', 'RollingUpdate', 'rolling-update'],
    ['rollout', 'Recreate', 'recreate'],
    ['rollout', 'canary', 'argo-canary'],
    ['rollout', 'Argo Rollouts canary', 'argo-canary'],
    ['rollout', 'Argo Rollouts/blueGreen', 'argo-blue-green'],
    ['rollout', 'Flagger/Canary', 'flagger'],
    ['rollout', 'percentage_of_actors', 'percentage-flag'],
    ['store', 'Consul', 'consul'],
    ['election', 'Lease', 'lease-election'],
    ['propagation', 'xDS', 'push'],
  ] as const)('%s: %s is %s', async (role, name, expected) => {
    const { policies } = await scenarioOf(text({ rest: `policies: { ${role}: ${name} }` }));
    expect(policies[role]?.use).toBe(expected);
  });
});

test('changes are put in order, and those that change nothing are found, whatever is written', async () => {
  const change = fc.record({
    kind: fc.constantFrom('release', 'config'),
    second: fc.integer({ min: 1, max: 500 }),
    version: fc.constantFrom('v1', 'v2', 'v3'),
  });
  const lists = fc.uniqueArray(change, { maxLength: 8, selector: ({ kind, second }) => `${kind} ${second}` });
  await fc.assert(
    fc.asyncProperty(lists, async (list) => {
      const changes = list.map((each) => `{ type: ${each.kind}, at: ${each.second}s, service: api, version: ${each.version} }`);
      const written = text({ service: 'versions: { v2: {}, v3: {} }', changes: changes.length === 0 ? ' ' : changes.join(', ') });
      const errors = (await briefly(written)).filter((line) => line.includes(' error: '));
      const sorted = list.toSorted((a, b) => a.second - b.second);
      const idle = (['release', 'config'] as const).flatMap((kind) => {
        const versions = ['v1', ...sorted.filter((each) => each.kind === kind).map(({ version }) => version)];
        return versions.filter((version, index) => index > 0 && versions[index - 1] === version);
      });
      expect(errors).toHaveLength(idle.length);
      if (idle.length > 0) return;
      const { changes: found = [] } = await scenarioOf(written);
      expect(found.map(({ kind, atMs, version }) => ({ kind, second: atMs / 1000, version }))).toEqual(sorted);
    }),
    { seed: 7, numRuns: 100 },
  );
});

describe('strategies with lists of records', () => {
  const steps = `policies:
  rollout:
    use: argo-canary
    trafficRouting: true
    steps:
      - { step: setWeight, weight: 5 }
      - { step: pause, duration: 1m }
      - { step: analysis, template: errors }
      - { step: setCanaryScale, replicas: 2 }
    metrics:
      - { template: errors, metric: error-rate, successCondition: result < 0.01, interval: 10s, count: 3 }`;

  test('are written step by step', async () => {
    const { params } = (await scenarioOf(text({ rest: steps }))).policies.rollout!;
    const { steps: found, metrics } = params as { readonly steps: readonly object[]; readonly metrics: readonly object[] };
    expect(found).toMatchObject([
      { step: 'setWeight', weight: 5 },
      { step: 'pause', duration: 60_000 },
      { step: 'analysis', template: 'errors' },
      { step: 'setCanaryScale', replicas: 2, weight: -1 },
    ]);
    expect(metrics).toMatchObject([{ metric: 'error-rate', interval: 10_000, count: 3, failureLimit: 0 }]);
  });

  test.each([
    ['weight: 5', 'weight: heavy', '17:36 error: '],
    ['step: pause, duration: 1m', 'step: pause, duration: 60', '18:34 error: 60 has no unit; write 60ms or 60s'],
    ['step: pause, duration: 1m', 'step: wait, duration: 1m', '18:17 error: "wait" is not one of setWeight, pause'],
    ['step: pause, duration: 1m', 'duration: 1m', '18:9 error: missing key "step"'],
    ['replicas: 2', 'replica: 2', '20:33 error: unknown key "replica"; did you mean "replicas"?'],
    ['metric: error-rate, ', '', '22:9 error: missing key "metric"'],
    ['interval: 10s', 'interval: -10s', '22:92 error: "-10s" is not a duration'],
    ['count: 3', 'counts: 3', '22:97 error: unknown key "counts"; did you mean "count"?'],
  ])('%s written as %s is answered there', async (good, bad, expected) => {
    const lines = await briefly(text({ rest: steps.replace(good, bad) }));
    expect(lines).toEqual([expect.stringContaining(expected)]);
  });

  test('every strategy can be written with all of its parameters', async () => {
    for (const [name, { params }] of Object.entries(rollouts)) {
      const settings = Object.entries(params).map(([key, param]) => `, ${key}: ${formatDefault(param)}`);
      const { policies } = await scenarioOf(text({ rest: `policies: { rollout: { use: ${name}${settings.join('')} } }` }));
      expect(policies.rollout, name).toEqual({ use: name, params: defaults(params) });
    }
  });
});
