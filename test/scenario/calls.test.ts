/** Services that call services: steps, edges, classes, queues. What is refused, and what only surprises, is in the tables below. */
import { describe, expect, test } from 'vitest';
import type { EdgeSpec, Scenario } from '../../src/scenario/spec.ts';
import { briefly, scenarioOf, scenarioText } from './fixture.ts';

const ms = (value: number) => ({ type: 'constant', value }) as const;
const called = ['auth', 'db', 'search', 'ads', 'worker'].map((name) => `  ${name}: { instances: 2, work: 1ms }`).join('\n');
const used = '{ parallel: [auth, db, search, ads, worker] }';

/** Of a service `web` with these steps; the other services are called, too, unless told otherwise. */
const callsText = (calls: string, { rest = '', more = '', others = used } = {}): string =>
  scenarioText({
    services: `services:\n  web: { instances: 2, work: 1ms, calls: [${[calls, others].filter((each) => each !== '').join(', ')}]${more} }\n${called}`,
    traffic: 'traffic: [{ to: web, arrivals: { type: poisson, rate: 1/s } }]',
    rest,
  });
const worldOf = (calls: string, options = {}): Promise<Scenario> => scenarioOf(callsText(calls, options));
const stepsOf = async (calls: string, options = {}) => (await worldOf(calls, options)).services[0].steps.slice(0, -1);
const complaintsOf = async (calls: string, options = {}) => (await briefly(callsText(calls, options))).map(withoutPlace);
const withoutPlace = (line: string): string => line.replace(/^\d+:\d+ /, '');
const call = (edge: number) => ({ edge, copies: 1, optional: false, classes: [] });

describe('steps', () => {
  test('a bare name is short for a call of that service', async () => {
    const short = await worldOf('auth');
    expect(short.services[0].steps[0]).toEqual({ type: 'calls', calls: [call(1)], wait: Infinity });
    expect(await worldOf('{ to: auth }')).toEqual(short);
  });

  test('a share is short for one branch of which the rest is nothing', async () => {
    const [step] = await stepsOf('{ to: db, share: 30% }');
    expect(step).toEqual({
      type: 'branch',
      branches: [{ share: 0.3, steps: [{ type: 'calls', calls: [call(1)], wait: Infinity }] }],
    });
    expect((await stepsOf('{ to: db, share: 100% }'))[0].type).toBe('calls');
  });

  test('fan-out waits for all, for the first, or for a number', async () => {
    const waits = await stepsOf('{ to: db, copies: 9 }, { to: db, copies: 9, wait: first }, { to: db, copies: 9, wait: 5 }');
    expect(waits).toMatchObject([
      { wait: Infinity, calls: [{ copies: 9 }] },
      { wait: 1, calls: [{ copies: 9 }] },
      { wait: 5, calls: [{ copies: 9 }] },
    ]);
  });

  test('calls in parallel, some of which may fail', async () => {
    const [step] = await stepsOf('{ parallel: [search, { to: ads, optional: true, timeout: 50ms }], wait: 1 }');
    expect(step).toEqual({ type: 'calls', wait: 1, calls: [call(1), { ...call(2), optional: true }] });
  });

  test('work in between, branches, and branches within branches', async () => {
    const steps = await stepsOf(
      '{ work: 3ms }, { oneOf: [{ share: 80%, calls: [auth] }, { share: 10%, calls: [{ oneOf: [{ share: 1, calls: [db] }] }] }] }',
    );
    expect(steps).toEqual([
      { type: 'work', work: ms(3) },
      {
        type: 'branch',
        branches: [
          { share: 0.8, steps: [{ type: 'calls', calls: [call(1)], wait: Infinity }] },
          {
            share: 0.1,
            steps: [{ type: 'branch', branches: [{ share: 1, steps: [{ type: 'calls', calls: [call(2)], wait: Infinity }] }] }],
          },
        ],
      },
    ]);
  });

  test('caches of both kinds', async () => {
    const steps = await stepsOf(
      '{ to: db, cache: { type: ratio, hit: 90%, fills: 1000, startsCold: true, shared: true, hitTime: 1ms } }, { to: db, cache: { type: keys, entries: 100, ttl: 1m, coalesces: true, earlyRefresh: 1 } }',
    );
    expect(steps.map((step) => (step.type === 'calls' ? step.calls[0].cache : undefined))).toEqual([
      { type: 'ratio', hit: 0.9, fills: 1000, startsCold: true, shared: true, hitTime: ms(1) },
      {
        type: 'keys',
        entries: 100,
        ttlMs: 60_000,
        coalesces: true,
        earlyRefresh: 1,
        startsCold: false,
        shared: false,
        hitTime: ms(0),
      },
    ]);
  });
});

describe('edges', () => {
  test('go by the traffic, then by caller and callee, numbered when there are several', async () => {
    const { edges } = await worldOf('auth, auth, { to: db, name: main-db }, auth', {
      others: '{ parallel: [db, search, ads, worker] }',
    });
    expect(edges.map(({ name }) => name)).toEqual([
      'web',
      'web->auth',
      'web->auth#2',
      'main-db',
      'web->auth#3',
      'web->db',
      'web->search',
      'web->ads',
      'web->worker',
    ]);
    expect(edges[1]).toMatchObject({ caller: 0, service: 1, queue: -1 });
  });

  test('have a proxy beside every calling instance unless a count is written', async () => {
    const { edges } = await worldOf('auth, { to: auth, balancers: sidecar }, { to: auth, balancers: 3, balancerZones: [a] }');
    expect(edges.slice(1, 4).map(({ balancers, balancerZones }) => [balancers, balancerZones])).toEqual([
      [0, []],
      [0, []],
      [3, ['a']],
    ]);
  });

  test('everything that can be written', async () => {
    const { edges } = await worldOf(
      `{ to: db, timeout: 200ms, attemptTimeout: 50ms, propagateDeadline: true, proxyLatency: 0.5ms,
        pool: { connections: 10, streams: 100, pending: unlimited, roundTrips: 2, handshake: 1ms, keepAlive: unlimited, reuse: oldest },
        fallback: { on: [timeout, shed], takes: 1ms }, policies: { retry: none, balancer: random } }`,
    );
    expect(edges[1]).toEqual({
      name: 'web->db',
      caller: 0,
      service: 2,
      queue: -1,
      balancers: 0,
      balancerZones: [],
      timeoutMs: 200,
      attemptTimeoutMs: 50,
      propagatesDeadline: true,
      proxyLatency: ms(0.5),
      pool: {
        connections: 10,
        streams: 100,
        pending: Infinity,
        roundTrips: 2,
        handshake: ms(1),
        keepAliveMs: Infinity,
        reuse: 'oldest',
      },
      fallback: { on: ['timeout', 'shed'], takesMs: 1 },
      policies: { retry: null, balancer: { use: 'random', params: {} } },
    });
  });

  test('a fallback stands in for every failure unless told otherwise', async () => {
    const { edges } = await worldOf('{ to: db, fallback: {} }, { to: db, fallback: { on: timeout } }');
    expect(edges[1].fallback).toEqual({
      on: ['error', 'timeout', 'refused', 'lost', 'shed', 'noEndpoint', 'circuitOpen'],
      takesMs: 0,
    });
    expect(edges[2].fallback).toEqual({ on: ['timeout'], takesMs: 0 });
  });

  test('retries of a stream are short for the policy immediate', async () => {
    const edgeOf = async (more: string): Promise<EdgeSpec> =>
      (await scenarioOf(scenarioText({ traffic: `traffic: [{ to: api, arrivals: { type: poisson, rate: 1/s }, ${more} }]` })))
        .edges[0];
    const { policies } = await edgeOf('policies: { retry: { use: immediate, retries: 2, on: [error, refused, lost] } }');
    expect((await edgeOf('retries: 2')).policies).toEqual(policies);
    expect((await edgeOf('retries: 0')).policies).toEqual({ retry: null });
    expect(
      (await edgeOf('retries: { attempts: 2, hostSelectionRetryMaxAttempts: 1 }')).policies.retry?.params
        .hostSelectionRetryMaxAttempts,
    ).toBe(1);
  });

  test('a path of compare reaches into calls, also into short ones', async () => {
    const text = `${callsText('auth')}\ncompare: { "services.web.calls[0].timeout": [1s, 2s], services.web.policies.breaker: [none, hystrix] }`;
    const { variants } = await scenarioOf(text);
    expect(variants.map(({ scenario }) => [scenario?.edges[1].timeoutMs, scenario?.services[0].policies.breaker?.use])).toEqual([
      [1000, undefined],
      [1000, 'hystrix'],
      [2000, undefined],
      [2000, 'hystrix'],
    ]);
  });
});

describe('a service', () => {
  test('holds its slot while it waits, unless it releases it or shares its processor', async () => {
    const holds = async (more: string): Promise<boolean> => (await worldOf('auth', { more })).services[0].holdsSlot;
    expect(await holds('')).toBe(true);
    expect(await holds(', whileWaiting: release')).toBe(false);
    expect(await holds(', discipline: processor-sharing')).toBe(false);
    expect(await holds(', discipline: processor-sharing, whileWaiting: release')).toBe(false);
  });

  test('has policies of its own, none among them', async () => {
    const { services } = await worldOf('auth', { more: ', policies: { shedding: semaphore, retry: none }' });
    expect(services[0].policies).toMatchObject({ shedding: { use: 'semaphore' }, retry: null });
  });
});

describe('classes', () => {
  const rest = 'classes: { read: { tenant: acme }, write: { priority: 1 } }';

  test('keep their order; the first is sent unless told otherwise', async () => {
    const text = `${scenarioText()}${rest}`;
    const { classes, traffic } = await scenarioOf(text);
    expect(classes).toEqual([
      { name: 'read', priority: 0, tenant: 'acme' },
      { name: 'write', priority: 1, tenant: '' },
    ]);
    expect(traffic[0].mix).toEqual([{ class: 0, share: 1 }]);
  });

  test('work differently, and make calls of their own', async () => {
    const { services } = await worldOf('{ to: db, classes: write }, { to: auth, classes: [read, write] }', {
      rest,
      more: ', workByClass: { write: 2ms }',
    });
    expect(services[0].workByClass).toEqual([null, ms(2)]);
    expect(services[0].steps.slice(0, 2)).toMatchObject([{ calls: [{ classes: [1] }] }, { calls: [{ classes: [0, 1] }] }]);
  });

  test('arrive in a mix', async () => {
    const traffic = 'traffic: [{ to: api, arrivals: { type: poisson, rate: 1/s }, classes: { write: 20%, read: 80% } }]';
    expect((await scenarioOf(scenarioText({ traffic, rest }))).traffic[0].mix).toEqual([
      { class: 1, share: 0.2 },
      { class: 0, share: 0.8 },
    ]);
  });
});

describe('queues', () => {
  const rest = 'queues: { jobs: { to: worker, visibility: 10s, maxReceives: 5, capacity: 1000 } }';

  test('stand between those who publish and those who take', async () => {
    const { queues, edges, services } = await worldOf('{ publish: jobs }, { publish: jobs, share: 50%, name: half }', { rest });
    expect(services[0].steps[0]).toEqual({ type: 'publish', edge: 1 });
    expect(services[0].steps[1]).toEqual({ type: 'branch', branches: [{ share: 0.5, steps: [{ type: 'publish', edge: 2 }] }] });
    expect(
      edges.map(({ name, caller, service, queue }) => [name, caller, service, queue]).filter(([, , , queue]) => queue !== -1),
    ).toEqual([
      ['web->jobs', 0, 5, 0],
      ['half', 0, 5, 0],
      ['jobs->worker', -2, 5, 0],
    ]);
    expect(queues).toEqual([
      { name: 'jobs', service: 5, edge: edges.length - 1, visibilityMs: 10_000, maxReceives: 5, capacity: 1000 },
    ]);
  });

  test('hold everything for ever unless told otherwise, and give it out again after 30 s', async () => {
    const { queues } = await worldOf('{ publish: jobs }', { rest: 'queues: { jobs: { to: worker } }' });
    expect(queues[0]).toMatchObject({ visibilityMs: 30_000, maxReceives: Infinity, capacity: Infinity });
  });

  test('take messages from traffic', async () => {
    const traffic = 'traffic: [{ to: jobs, arrivals: { type: poisson, rate: 1/s } }]';
    const text = scenarioText({
      traffic,
      services: `services:\n  worker: { instances: 1, work: 1ms }`,
      rest: 'queues: { jobs: { to: worker } }',
    });
    const { edges } = await scenarioOf(text);
    expect(edges.map(({ name, caller, service, queue }) => [name, caller, service, queue])).toEqual([
      ['jobs', -1, 0, 0],
      ['jobs->worker', -2, 0, 0],
    ]);
  });

  test('may lead back to where messages come from', async () => {
    const services =
      'services: { web: { instances: 1, work: 1ms, calls: [{ publish: jobs }] }, worker: { instances: 1, work: 1ms, calls: [web] } }';
    const traffic = 'traffic: [{ to: web, arrivals: { type: poisson, rate: 1/s } }]';
    expect(await briefly(scenarioText({ services, traffic, rest: 'queues: { jobs: { to: worker } }' }))).toEqual([]);
  });
});

const deep = (levels: number): string => (levels === 0 ? 'auth' : `{ oneOf: [{ share: 1, calls: [${deep(levels - 1)}] }] }`);

describe('is refused', () => {
  test.each([
    [
      'an unknown service',
      'dbb',
      'error: there is no service "dbb"; did you mean "db"? Known: db, web, auth, search, ads, worker',
    ],
    [
      'an unknown service by its long form',
      '{ to: dbb }',
      'error: there is no service "dbb"; did you mean "db"? Known: db, web, auth, search, ads, worker',
    ],
    ['a misspelt kind of step', '{ paralel: [auth] }', 'error: unknown key "paralel"; did you mean "parallel"?'],
    [
      'a step without a kind',
      '{ timeout: 1s }',
      'error: cannot tell what this step does; a step is a service, or a map with one of to, parallel, work, oneOf, publish',
    ],
    [
      'a number for a step',
      '7',
      'error: expected a step, found 7; a step is a service, or a map with one of to, parallel, work, oneOf, publish',
    ],
    ['an unknown key of a call', '{ to: auth, timout: 1s }', 'error: unknown key "timout"; did you mean "timeout"?'],
    ['two kinds at once', '{ to: auth, work: 1ms }', /^error: unknown key "work"/],
    [
      'steps in parallel',
      '{ parallel: [auth, { work: 1ms }] }',
      'error: only calls can go on in parallel, not work; let the called service do it',
    ],
    [
      'a share within parallel',
      '{ parallel: [auth, { to: db, share: 10% }] }',
      'error: a call within parallel has no share; a step with a share stands by itself',
    ],
    [
      'wait within parallel',
      '{ parallel: [auth, { to: db, wait: first }] }',
      'error: a call within parallel has no wait; write wait beside parallel',
    ],
    ['an empty parallel', '{ parallel: [] }', 'error: must not be empty; write parallel: [search, { to: ads, optional: true }]'],
    ['a quorum of more than all', '{ parallel: [auth, db], wait: 3 }', 'error: waits for 3 of 2 calls; all is the most'],
    ['a quorum of one call', '{ to: auth, wait: 2 }', 'error: waits for 2 of 1 call; all is the most'],
    [
      'shares above 1',
      '{ oneOf: [{ share: 80%, calls: [auth] }, { share: 30%, calls: [db] }] }',
      'error: shares sum to 1.1, more than 1',
    ],
    ['more than 1000 copies', '{ to: auth, copies: 1001 }', /^error: .*1001.* 1000/],
    [
      'sidecars in zones of their own',
      '{ to: auth, balancerZones: [a] }',
      'error: sidecars are in the zones of their instances; write balancers: 2 for proxies of their own',
    ],
    [
      'a cache that is cold and never warms up',
      '{ to: db, cache: { type: ratio, hit: 90%, startsCold: true } }',
      'error: a cache that is warm after 0 fills is never cold; write fills: 10000',
    ],
    ['an edge’s name twice', '{ to: db, name: x }, { to: db, name: x }', 'error: another edge is called "x"'],
    ['the name of a stream for an edge', '{ to: db, name: web }', 'error: another edge is called "web"'],
    [
      'a result that is none',
      '{ to: db, fallback: { on: [timeot] } }',
      'error: "timeot" is not one of error, timeout, refused, lost, shed, noEndpoint, circuitOpen; did you mean "timeout"?',
    ],
    ['a policy of another role', '{ to: db, policies: { retry: p2c } }', /^error: unknown retry policy "p2c"/],
    ['no balancer', '{ to: db, policies: { balancer: none } }', /^error: unknown balancer "none"/],
    ['shedding at an edge', '{ to: db, policies: { shedding: none } }', /^error: unknown key "shedding"/],
    [
      'an unknown class',
      '{ to: db, classes: [wirte] }',
      'error: there is no class "wirte"; name the classes of requests at the top: classes: { read: {}, write: {} }',
    ],
    [
      'an unknown queue',
      '{ publish: jobs }',
      'error: there is no queue "jobs"; name it at the top: queues: { jobs: { to: worker } }',
    ],
    ['publishing to a service', '{ publish: db }', 'error: there is no queue "db"; db is a service: write { to: db }'],
  ])('%s', async (_, calls, complaint) => {
    const complaints = await complaintsOf(calls);
    expect(complaints).toHaveLength(1);
    if (typeof complaint === 'string') expect(complaints[0]).toBe(complaint);
    else expect(complaints[0]).toMatch(complaint);
  });

  test('a circle of calls, named as a whole at the call that closes it', async () => {
    const services =
      'services:\n  web: { instances: 1, work: 1ms, calls: [api] }\n  api: { instances: 1, work: 1ms, calls: [{ parallel: [db] }] }\n  db: { instances: 1, work: 1ms, calls: [{ oneOf: [{ share: 1%, calls: [api] }] }] }';
    const traffic = 'traffic: [{ to: web, arrivals: { type: poisson, rate: 1/s } }]';
    expect(await briefly(scenarioText({ services, traffic }))).toEqual([
      '7:73 error: calls go in a circle: api -> db -> api; a message queue may go back, a call may not',
    ]);
  });

  test('a service that calls itself', async () => {
    expect(await complaintsOf('web')).toEqual([
      'error: calls go in a circle: web -> web; a message queue may go back, a call may not',
    ]);
  });

  test('more than 64 steps of one service', async () => {
    expect(await complaintsOf(Array(65).fill('auth').join(', '))).toEqual(['error: 66 steps; 64 is the most']);
    expect(await complaintsOf(Array(58).fill('auth').join(', '))).toEqual([]);
  });

  test('steps more than 8 deep', async () => {
    expect(await complaintsOf(deep(7))).toEqual([]);
    expect(await complaintsOf(deep(8))).toEqual(['error: steps inside steps more than 8 deep']);
  });

  test('more than 1000 edges', async () => {
    const names = Array.from({ length: 17 }, (_, index) => `s${index}`);
    const services = names.map((name) => `  ${name}: { instances: 1, work: 1ms, calls: [${Array(62).fill('db').join(', ')}] }`);
    const text = scenarioText({
      services: `services:\n${services.join('\n')}\n  db: { instances: 1, work: 1ms }`,
      traffic: `traffic: [${names.map((name) => `{ to: ${name}, arrivals: { type: poisson, rate: 1/s } }`).join(', ')}]`,
    });
    expect((await briefly(text)).map(withoutPlace)).toEqual(['error: more than 1000 calls between services']);
  });

  test.each([
    [
      'a slot held with a shared processor',
      ', discipline: processor-sharing, whileWaiting: hold',
      'error: with processor-sharing there is no slot to hold; write release, or leave it out',
    ],
    [
      'a queue policy beside another discipline',
      ', discipline: lifo, policies: { queueing: codel }',
      'error: a queue policy has its own order, the discipline is lifo; leave out discipline, or write queueing: none',
    ],
    [
      'work of an unknown class',
      ', workByClass: { write: 1ms }',
      'error: there is no class "write"; name the classes of requests at the top: classes: { read: {}, write: {} }',
    ],
  ])('%s', async (_, more, complaint) => {
    expect(await complaintsOf('auth', { more })).toEqual([complaint]);
  });

  test.each([
    [
      'no map of classes',
      'classes: [read]',
      'error: expected a map of classes by name, found a list; write classes: { read: {}, write: {} }',
    ],
    ['an unknown key of a class', 'classes: { default: { prio: 1 } }', /^error: unknown key "prio"/],
    ['quotes in the name of a class', "classes: { 'a\"b': {} }", /is not a name of a class: one line without quotes and braces$/],
    [
      'a queue to nowhere',
      'queues: { jobs: { to: wrker } }',
      'error: there is no service "wrker"; did you mean "worker"? Known: worker, web, auth, db, search, ads',
    ],
    [
      'a queue that is called as a service',
      'queues: { db: { to: worker } }',
      'error: a service is called "db", too; traffic and calls name both',
    ],
    ['a message that is never given out', 'queues: { jobs: { to: worker, maxReceives: 0 } }', /^error: .*0/],
  ])('%s', async (_, rest, complaint) => {
    const complaints = (await complaintsOf('auth', { rest })).filter((each) => each.startsWith('error'));
    expect(complaints).toHaveLength(1);
    if (typeof complaint === 'string') expect(complaints[0]).toBe(complaint);
    else expect(complaints[0]).toMatch(complaint);
  });

  test('a call of a queue', async () => {
    expect(await complaintsOf('jobs', { rest: 'queues: { jobs: { to: worker } }' })).toEqual(
      expect.arrayContaining(['error: "jobs" is a queue, not a service; write { publish: jobs }']),
    );
  });

  test.each([
    ['shares that do not sum to 1', 'classes: { read: 80%, write: 30% }', 'error: shares sum to 1.1, not to 1'],
    [
      'an unknown class',
      'classes: { read: 80%, wirte: 20% }',
      'error: there is no class "wirte"; did you mean "write"? Known: write, read',
    ],
    [
      'retries said twice',
      'retries: 2, policies: { retry: constant }',
      'error: give either retries or policies.retry; retries: 2 is short for policies: { retry: { use: immediate, retries: 2 } }',
    ],
    ['a pool without a size', 'pool: {}', /^error: missing key "connections"/],
    ['a negative wait', 'userRetries: { max: 0, after: 1s }', /^error: .*0/],
  ])('%s of traffic', async (_, more, complaint) => {
    const traffic = `traffic: [{ to: api, arrivals: { type: poisson, rate: 1/s }, ${more} }]`;
    const complaints = (await briefly(scenarioText({ traffic, rest: 'classes: { read: {}, write: {} }' })))
      .map(withoutPlace)
      .filter((each) => each.startsWith('error'));
    expect(complaints).toHaveLength(1);
    if (typeof complaint === 'string') expect(complaints[0]).toBe(complaint);
    else expect(complaints[0]).toMatch(complaint);
  });

  test('what makes no sense of messages, each by itself', async () => {
    const options =
      'balancers: 2, timeout: 1s, attemptTimeout: 1ms, retries: 1, policies: { retry: none }, pool: { connections: 1 }, proxyLatency: 1ms, fallback: {}, propagateDeadline: true';
    const text = scenarioText({
      traffic: `traffic: [{ to: jobs, arrivals: { type: poisson, rate: 1/s }, ${options} }]`,
      rest: 'queues: { jobs: { to: api } }',
    });
    const complaints = (await briefly(text)).filter((line) => line.includes('a message is left in the queue "jobs"'));
    expect(complaints).toHaveLength(9);
  });
});

describe('only surprises', () => {
  test.each([
    ['a service nobody calls', callsText('auth', { others: '{ parallel: [db, search, ads] }' }), ['nobody calls "worker"']],
    [
      'a queue nobody publishes to',
      callsText('auth', { rest: 'queues: { jobs: { to: worker } }' }),
      ['nobody leaves messages in "jobs"'],
    ],
    [
      'a class nobody sends',
      callsText('auth', { rest: 'classes: { read: {}, write: {} }' }),
      ['no stream sends requests of "write"'],
    ],
    [
      'expiry without a deadline',
      callsText('auth', { more: ', dropExpired: true' }),
      ['no caller of "web" tells it a deadline; propagateDeadline does'],
    ],
    [
      'attempts that cannot time out',
      callsText('{ to: auth, timeout: 1s, attemptTimeout: 2s }'),
      ['attempts may take 2s, all together only 1s: no attempt will time out by itself'],
    ],
    [
      'a timeout longer than the run',
      callsText('{ to: auth, timeout: 2m }'),
      ['a timeout of 2m is longer than the run, 1m: no request will time out'],
    ],
    [
      'a cache by key without keys',
      callsText('{ to: db, cache: { type: keys, entries: 9 } }'),
      ['web caches by key, but no requests carry keys: all are for the same entry'],
    ],
    [
      'a budget that nobody spends',
      callsText('auth', { rest: 'policies: { budget: finagle }' }),
      ['a retry budget without retries or hedging limits nothing; add policies.retry or policies.hedge'],
    ],
    [
      'a queue policy for a service with an order of its own',
      callsText('auth', { more: ', discipline: lifo', rest: 'policies: { queueing: codel }' }),
      [
        'its discipline is lifo, so no queue policy applies to web; write policies: { queueing: none } there, or leave out discipline',
      ],
    ],
    [
      'variants that do not differ',
      scenarioText({
        traffic: 'traffic: [{ to: api, arrivals: { type: poisson, rate: 1/s }, policies: { balancer: random } }]',
        rest: 'compare: { balancer: [p2c, round-robin] }',
      }),
      ['every edge has a balancer of its own, so the variants do not differ'],
    ],
  ])('%s', async (_, text, warnings) => {
    expect((await briefly(text)).map(withoutPlace)).toEqual(warnings.map((warning) => `warning: ${warning}`));
  });

  test('nothing, where a budget is spent in one variant only', async () => {
    const rest = 'policies: { budget: finagle }\ncompare: { retry: [none, exponential] }';
    expect(await briefly(scenarioText({ rest }))).toEqual([]);
  });
});
