/** Good scenarios, exactly. */
import { describe, expect, test } from 'vitest';
import { plainElastic, plainPipeline } from '../cluster/elastic-spec.ts';
import { minimalExample } from '../../src/scenario/parse.ts';
import { arrivalsText, briefly, load, scenarioOf, scenarioText } from './fixture.ts';

const millisecond = { type: 'constant', value: 1 } as const;

test('what is left out gets its documented default', async () => {
  const { scenario, warnings } = await load(minimalExample);
  expect(warnings).toEqual([]);
  expect(scenario).toEqual({
    name: 'first',
    about: '',
    demonstrates: '',
    run: {
      durationMs: 60_000,
      epochMs: Date.UTC(2026, 0, 5),
      warmupMs: 6000,
      windowMs: 500,
      seed: '1',
      seeds: ['1:1', '1:2', '1:3', '1:4', '1:5', '1:6', '1:7', '1:8', '1:9', '1:10'],
    },
    services: [
      {
        name: 'api',
        instances: [
          { zone: 'a', speed: 1, weight: 1, priority: 0 },
          { zone: 'a', speed: 1, weight: 1, priority: 0 },
          { zone: 'a', speed: 1, weight: 1, priority: 0 },
        ],
        slots: 1,
        queueLimit: 100,
        discipline: 'fifo',
        work: { type: 'constant', value: 10 },
        workByClass: [null],
        steps: [],
        holdsSlot: true,
        dropsExpired: false,
        policies: {},
        elastic: plainElastic,
        startupMs: 0,
        coldStart: { forMs: 0, factor: 1 },
        cancelAbandoned: false,
      },
    ],
    classes: [{ name: 'default', priority: 0, tenant: '' }],
    edges: [
      {
        name: 'api',
        caller: -1,
        service: 0,
        queue: -1,
        balancers: 1,
        balancerZones: ['a'],
        timeoutMs: Infinity,
        attemptTimeoutMs: Infinity,
        propagatesDeadline: false,
        proxyLatency: { type: 'constant', value: 0 },
        policies: {},
      },
    ],
    queues: [],
    nodes: [],
    pipeline: plainPipeline,
    network: { sameZone: { type: 'constant', value: 0 }, betweenZones: { type: 'constant', value: 0 }, pairs: [] },
    traffic: [
      {
        name: 'api',
        edge: 0,
        arrivals: { type: 'poisson', perSecond: 100 },
        profile: { timesMs: Float64Array.of(0), factors: Float64Array.of(1), periodMs: Infinity },
        mix: [{ class: 0, share: 1 }],
      },
    ],
    faults: [],
    policies: { balancer: { use: 'round-robin', params: {} } },
    variants: [{ label: 'round-robin', differs: '', policies: { balancer: { use: 'round-robin', params: {} } } }],
    expect: [],
    views: [],
  });
});

test('JSON, a byte order mark and Windows line ends make no difference', async () => {
  const plain = await scenarioOf(minimalExample);
  const json =
    '{\n\t"scenario": 1, "name": "first", "run": {"duration": "1m"}, "services": {"api": {"instances": 3, "work": "10ms"}},\n\t"traffic": [{"to": "api", "arrivals": {"type": "poisson", "rate": "100/s"}}]}';
  expect(await scenarioOf(json)).toEqual(plain);
  expect(await scenarioOf(`\uFEFF${minimalExample.replaceAll('\n', '\r\n')}`)).toEqual(plain);
});

test('an alias stands for what it names', async () => {
  const services =
    'services: { api: { instances: 1, work: &work { type: exponential, mean: 5ms } }, db: { instances: 1, work: *work } }';
  const scenario = await scenarioOf(scenarioText({ services }));
  expect(scenario.services.map(({ work }) => work)).toEqual([
    { type: 'exponential', mean: 5 },
    { type: 'exponential', mean: 5 },
  ]);
});

describe('run', () => {
  const runOf = async (run: string, options = {}) => (await scenarioOf(scenarioText({ run: `run: ${run}` }), options)).run;

  test('the default warm-up is a tenth of the run, and never more than 30 s', async () => {
    expect((await runOf('{ duration: 4m }')).warmupMs).toBe(24_000);
    expect((await runOf('{ duration: 10h }')).warmupMs).toBe(30_000);
  });

  test('seeds are texts; large numbers keep all of their digits', async () => {
    expect((await runOf('{ duration: 1m, seeds: 2, seed: 12345678901234567890 }')).seeds).toEqual([
      '12345678901234567890:1',
      '12345678901234567890:2',
    ]);
    expect((await runOf('{ duration: 1m, seeds: [lab-1, 7] }')).seeds).toEqual(['lab-1', '7']);
  });

  test('the command line is stronger than the file', async () => {
    expect((await runOf('{ duration: 1m, seeds: 2, seed: a }', { seed: 'b' })).seeds).toEqual(['b:1', 'b:2']);
    expect((await runOf('{ duration: 1m, seeds: 2, seed: a }', { seeds: 3 })).seeds).toEqual(['a:1', 'a:2', 'a:3']);
    expect((await runOf('{ duration: 1m, seeds: 2, seed: a }', { seeds: ['x', 'y'] })).seeds).toEqual(['x', 'y']);
  });

  test.each([0, 1.5, NaN, 1001])('%d seeds cannot be asked for', async (seeds) => {
    expect(await briefly(minimalExample, { seeds })).toEqual([`3:1 error: expected 1 to 1000 seeds, found ${seeds}`]);
  });

  test('a base on the command line replaces a list of seeds by as many of its own', async () => {
    expect((await runOf('{ duration: 1m, seeds: [p, q, r] }', { seed: 'b' })).seeds).toEqual(['b:1', 'b:2', 'b:3']);
  });
});

describe('services', () => {
  const serviceOf = async (service: string) =>
    (await scenarioOf(scenarioText({ services: `services:\n  api: ${service}` }))).services[0];

  test('zones are dealt out in turn', async () => {
    const { instances } = await serviceOf('{ instances: 5, work: 1ms, zones: [a, b] }');
    expect(instances.map(({ zone }) => zone).join('')).toBe('ababa');
  });

  test('groups differ in speed, weight and zone; those without a zone go on taking turns', async () => {
    const { instances } = await serviceOf(
      '{ work: 1ms, zones: [a, b], instances: [{ count: 2, speed: 2 }, { zone: z, weight: 0 }, { weight: 3 }] }',
    );
    expect(instances).toEqual([
      { zone: 'a', speed: 2, weight: 1, priority: 0 },
      { zone: 'b', speed: 2, weight: 1, priority: 0 },
      { zone: 'z', speed: 1, weight: 0, priority: 0 },
      { zone: 'a', speed: 1, weight: 3, priority: 0 },
    ]);
  });

  test('everything that can be written', async () => {
    const service = await serviceOf(
      '{ instances: 1, slots: 4, queue: unlimited, discipline: processor-sharing, work: 1ms, startup: 10s, coldStart: { for: 1m, factor: 3 }, cancelAbandoned: true }',
    );
    expect(service).toEqual({
      name: 'api',
      instances: [{ zone: 'a', speed: 1, weight: 1, priority: 0 }],
      slots: 4,
      queueLimit: Infinity,
      discipline: 'processor-sharing',
      work: millisecond,
      workByClass: [null],
      steps: [],
      holdsSlot: false,
      dropsExpired: false,
      policies: {},
      elastic: plainElastic,
      startupMs: 10_000,
      coldStart: { forMs: 60_000, factor: 3 },
      cancelAbandoned: true,
    });
  });
});

describe('network', () => {
  const networkOf = async (network: string) =>
    (
      await scenarioOf(
        scenarioText({
          services: 'services: { api: { instances: 3, work: 1ms, zones: [a, b, c] } }',
          rest: `network: ${network}`,
        }),
      )
    ).network;

  test('one latency holds everywhere', async () => {
    expect(await networkOf('{ latency: 1ms }')).toEqual({ sameZone: millisecond, betweenZones: millisecond, pairs: [] });
  });

  test('within zones, between them, and between two of them', async () => {
    expect(
      await networkOf('{ betweenZones: { type: exponential, mean: 2ms }, pairs: [{ between: [a, c], latency: 1ms }] }'),
    ).toEqual({
      sameZone: { type: 'constant', value: 0 },
      betweenZones: { type: 'exponential', mean: 2 },
      pairs: [{ zones: ['a', 'c'], latency: millisecond }],
    });
  });
});

describe('traffic', () => {
  test.each([
    ['{ type: constant, rate: 2k/s }', { type: 'constant', perSecond: 2000 }],
    ['{ type: gamma, rate: 1/s, shape: 4 }', { type: 'gamma', perSecond: 1, shape: 4 }],
    ['{ type: gamma, rate: 1/s, cv: 2 }', { type: 'gamma', perSecond: 1, shape: 0.25 }],
    ['{ type: weibull, rate: 1/s, shape: 0.7 }', { type: 'weibull', perSecond: 1, shape: 0.7 }],
    // Balanced means for a squared coefficient of variation of 3: p = (1 + √(2/4)) / 2.
    [
      '{ type: hyperexponential, rate: 1/s, cv2: 3 }',
      {
        type: 'hyperexponential',
        perSecond: 1,
        branches: [
          { share: expect.closeTo(0.853553390593, 10), mean: expect.closeTo(0.585786437627, 10) },
          { share: expect.closeTo(0.146446609407, 10), mean: expect.closeTo(3.414213562373, 10) },
        ],
      },
    ],
    [
      '{ type: hyperexponential, rate: 1/s, branches: [{ share: 90%, mean: 1 }, { share: 10%, mean: 5 }] }',
      {
        type: 'hyperexponential',
        perSecond: 1,
        branches: [
          { share: 0.9, mean: 1 },
          { share: 0.1, mean: 5 },
        ],
      },
    ],
    [
      '{ type: mmpp, states: [{ rate: 0/s, mean: 10s }, { rate: 50/s, mean: 1s }] }',
      {
        type: 'mmpp',
        states: [
          { perSecond: 0, meanMs: 10_000 },
          { perSecond: 50, meanMs: 1000 },
        ],
      },
    ],
    ['{ type: batch, rate: 60/m, size: 10 }', { type: 'batch', perSecond: 1, size: 10 }],
  ])('%s', async (arrivals, spec) => {
    expect((await scenarioOf(arrivalsText(arrivals))).traffic[0].arrivals).toEqual(spec);
  });

  test('everything else that can be written', async () => {
    const { traffic, edges } = await scenarioOf(
      arrivalsText(
        '{ type: poisson, rate: 1/s }',
        ', name: web, balancers: 4, balancerZones: [a], timeout: 1s, retries: 2, keys: { count: 100 }',
      ),
    );
    expect(traffic[0]).toMatchObject({ name: 'web', edge: 0, keys: { count: 100, exponent: 1 } });
    expect(edges[0]).toMatchObject({ name: 'web', caller: -1, balancers: 4, balancerZones: ['a'], timeoutMs: 1000 });
    expect(edges[0].policies).toEqual({
      retry: {
        use: 'immediate',
        params: { retries: 2, hostSelectionRetryMaxAttempts: 5, on: ['error', 'refused', 'lost'] },
      },
    });
  });

  test('streams without a name get the name of their service, numbered', async () => {
    const traffic =
      'traffic: [{ to: api, arrivals: &a { type: poisson, rate: 1/s } }, { to: api, arrivals: *a }, { to: api, arrivals: *a }]';
    expect((await scenarioOf(scenarioText({ traffic }))).traffic.map(({ name }) => name)).toEqual(['api', 'api-2', 'api-3']);
  });

  test('proxies are in the zones of the service unless told otherwise', async () => {
    const services = 'services: { api: { instances: 4, work: 1ms, zones: [x, y] } }';
    expect((await scenarioOf(scenarioText({ services }))).edges[0].balancerZones).toEqual(['x', 'y']);
  });

  test('a proxy in a zone without instances is only strange', async () => {
    expect(await briefly(arrivalsText('{ type: poisson, rate: 1/s }', ', balancerZones: [far]'))).toEqual([
      '7:72 warning: no instance is in zone "far"; known: a',
    ]);
  });
});

describe('faults', () => {
  const faultsOf = async (...faults: string[]) =>
    (
      await scenarioOf(
        scenarioText({
          services: 'services: { api: { instances: 4, work: 1ms, zones: [a, b] }, db: { instances: 2, work: 1ms, zones: [b] } }',
          rest: `faults:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`,
        }),
      )
    ).faults;
  const api = (...instances: number[]) => instances.map((instance) => ({ service: 0, instance }));

  test.each([
    ['api/3', api(3)],
    ['api/1..2', api(1, 2)],
    ['api/*', api(0, 1, 2, 3)],
    ['api@b', api(1, 3)],
    ['[api/2, api@a, api/0..1]', api(0, 1, 2)],
    ['db/0', [{ service: 1, instance: 0 }]],
  ])('target: %s', async (target, targets) => {
    expect((await faultsOf(`{ type: pause, target: ${target}, at: 1s }`))[0].targets).toEqual(targets);
  });

  test('every kind, with the label reports show', async () => {
    const faults = await faultsOf(
      '{ type: crash, target: api/0, at: 1s, for: 2s }',
      '{ type: slow, target: api/0, at: 1s, factor: 5 }',
      '{ type: errors, target: [api/0, db/1], at: 1s, share: 30% }',
      '{ type: pause, target: api/0, random: { mttf: { type: exponential, mean: 10s }, mttr: 1s } }',
      '{ type: zone-outage, zone: b, at: 10s, for: 1s }',
    );
    expect(faults.map(({ label }) => label)).toEqual([
      'crash api/0',
      'slow api/0 x5',
      'errors api/0, db/1 30%',
      'pause api/0',
      'zone-outage b',
    ]);
    expect(faults.map(({ schedule }) => schedule)).toEqual([
      { type: 'once', atMs: 1000, forMs: 2000 },
      { type: 'once', atMs: 1000, forMs: Infinity },
      { type: 'once', atMs: 1000, forMs: Infinity },
      { type: 'random', timeToFailure: { type: 'exponential', mean: 10_000 }, timeToRepair: { type: 'constant', value: 1000 } },
      { type: 'once', atMs: 10_000, forMs: 1000 },
    ]);
    expect(faults[1]).toMatchObject({ type: 'slow', factor: 5 });
    expect(faults[2]).toMatchObject({ type: 'errors', share: 0.3 });
    expect(faults[4]).toMatchObject({
      type: 'zone-outage',
      zone: 'b',
      targets: [...api(1, 3), { service: 1, instance: 0 }, { service: 1, instance: 1 }],
    });
  });
});
