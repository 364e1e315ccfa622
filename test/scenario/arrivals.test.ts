/** Closed loops, bursts, recordings; and sweeps over the load of all of them. */
import { describe, expect, test } from 'vitest';
import type { ArrivalSpec } from '../../src/scenario/spec.ts';
import { arrivalsText, briefly, scenarioOf, scenarioText, type Options } from './fixture.ts';

const ms = (value: number) => ({ type: 'constant', value }) as const;
const arrivalsOf = async (arrivals: string, options?: Options, rest = ''): Promise<ArrivalSpec> =>
  (await scenarioOf(arrivalsText(arrivals, rest), options)).traffic[0].arrivals;
const complaintsOf = async (arrivals: string, rest = '', options?: Options): Promise<string[]> =>
  (await briefly(arrivalsText(arrivals, rest), options)).map((line) => line.replace(/^\d+:\d+ /, ''));

const recorded = 'time_ms,class,key,session\n0,read,k1,s1\n10000,write,k2,s1\n59000,read,k1,s2\n';
const files = { 'requests.csv': recorded };
const replay = '{ type: replay, file: requests.csv }';

describe('users', () => {
  test('come back for ever, or in sessions', async () => {
    expect(await arrivalsOf('{ type: users, users: 200, think: { type: exponential, mean: 2s } }')).toEqual({
      type: 'users',
      users: 200,
      think: { type: 'exponential', mean: 2000 },
      requests: Infinity,
      gap: ms(0),
    });
    expect(await arrivalsOf('{ type: users, users: 1, think: 2s, session: { requests: 7.5, gap: 30s } }')).toMatchObject({
      requests: 7.5,
      gap: ms(30_000),
    });
  });

  test('ask again after a failure', async () => {
    const { traffic } = await scenarioOf(arrivalsText('{ type: poisson, rate: 1/s }', ', userRetries: { max: 2, after: 3s }'));
    expect(traffic[0].userRetries).toEqual({ max: 2, after: ms(3000) });
  });
});

describe('bursts', () => {
  test('come by the clock, the first at once, all in one instant, unless told otherwise', async () => {
    expect(await arrivalsOf('{ type: bursts, every: 60s, size: 500, spread: 1s, first: 10s }')).toEqual({
      type: 'bursts',
      everyMs: 60_000,
      size: 500,
      spreadMs: 1000,
      firstMs: 10_000,
    });
    expect(await arrivalsOf('{ type: bursts, every: 60s, size: 1 }')).toMatchObject({ spreadMs: 0, firstMs: 0 });
  });
});

describe('a recording', () => {
  test('brings its requests and its classes', async () => {
    const { traffic, classes } = await scenarioOf(arrivalsText(replay), { files });
    expect(classes.map(({ name, priority }) => [name, priority])).toEqual([
      ['read', 0],
      ['write', 0],
    ]);
    expect(traffic[0].arrivals).toMatchObject({
      type: 'replay',
      closed: false,
      data: {
        timesMs: Float64Array.of(0, 10_000, 59_000),
        classes: Uint16Array.of(0, 1, 0),
        classNames: ['read', 'write'],
        keys: Int32Array.of(0, 1, 0),
        sessions: Int32Array.of(0, 0, 1),
      },
    });
  });

  test('its classes are numbered as the scenario’s', async () => {
    const text = `${arrivalsText(replay)}\nclasses: { write: { priority: 1 }, other: {}, read: {} }`;
    const { traffic } = await scenarioOf(text, { files });
    expect(traffic[0].arrivals).toMatchObject({
      data: { classes: Uint16Array.of(2, 0, 2), classNames: ['write', 'other', 'read'] },
    });
  });

  test('beside other streams has its classes behind theirs', async () => {
    const traffic = `traffic: [{ to: api, arrivals: { type: poisson, rate: 1/s } }, { to: api, arrivals: ${replay} }]`;
    const { classes, traffic: streams } = await scenarioOf(scenarioText({ traffic }), { files });
    expect(classes.map(({ name }) => name)).toEqual(['default', 'read', 'write']);
    expect(streams[1].arrivals).toMatchObject({ data: { classes: Uint16Array.of(1, 2, 1) } });
  });

  test('without classes is of the first one', async () => {
    const text = `${arrivalsText(replay)}\nclasses: { read: {}, write: {} }`;
    const { traffic } = await scenarioOf(text, { files: { 'requests.csv': 'time_ms\n0\n59000\n' } });
    expect(traffic[0].arrivals).toMatchObject({ data: { classes: Uint16Array.of(0, 0) } });
  });

  test('in part and faster', async () => {
    const arrivals = await arrivalsOf(
      '{ type: replay, file: requests.csv, from: 10s, length: 49500ms, speedup: 0.9, closed: true }',
      { files },
    );
    expect(arrivals).toMatchObject({ closed: true, data: { timesMs: Float64Array.of(0, 49_000 / 0.9) } });
  });

  test.each([
    [
      'a file that is not there',
      '{ type: replay, file: nowhere.csv }',
      '',
      'error: cannot read "nowhere.csv": no such file; paths are relative to the scenario file',
    ],
    ['a file of another kind', '{ type: replay, file: other.csv }', '', /^error: "other.csv": there is no column "time_ms"/],
    [
      'a closed loop without sessions',
      '{ type: replay, file: plain.csv, closed: true }',
      '',
      'error: the recording has no sessions, so nobody would wait; it needs a column session',
    ],
    [
      'classes beside its own',
      replay,
      ', classes: { read: 100% }',
      'error: a recording brings its own requests: classes does not apply; they come from its column class',
    ],
    [
      'a profile',
      replay,
      ', profile: { type: diurnal, amplitude: 10% }',
      'error: a recording brings its own requests: profile does not apply; speedup plays it faster',
    ],
    [
      'keys beside its own',
      replay,
      ', keys: { count: 9 }',
      'error: a recording brings its own requests: keys does not apply; they come from its column key',
    ],
  ])('is refused: %s', async (_, arrivals, rest, complaint) => {
    const all = { ...files, 'other.csv': 'a,b\n1,2\n', 'plain.csv': 'time_ms\n0\n59000\n' };
    const complaints = await complaintsOf(arrivals, rest, { files: all });
    expect(complaints).toHaveLength(1);
    if (typeof complaint === 'string') expect(complaints[0]).toBe(complaint);
    else expect(complaints[0]).toMatch(complaint);
  });

  test('with a class that is not declared is refused', async () => {
    const text = `${arrivalsText(replay)}\nclasses: { raed: {}, write: {} }`;
    expect((await briefly(text, { files })).map((line) => line.replace(/^\d+:\d+ /, ''))).toEqual([
      'error: there is no class "read"; did you mean "raed"? Known: raed, write',
    ]);
  });

  test('that ends long before the run is strange', async () => {
    const short = { 'requests.csv': 'time_ms\n0\n50000\n' };
    expect(await complaintsOf(replay, '', { files: short })).toEqual([
      'warning: the recording lasts 50s, the run 1m; shorten the run, or the rest of it is silence',
    ]);
  });
});

test.each([
  [
    'a profile of users',
    '{ type: users, users: 1, think: 1s }',
    ', profile: { type: diurnal, amplitude: 10% }',
    'error: users come back by themselves: profile does not apply; change their number or think time',
  ],
  [
    'a profile of bursts',
    '{ type: bursts, every: 1s, size: 1 }',
    ', profile: { type: diurnal, amplitude: 10% }',
    'error: bursts come by the clock: profile does not apply; change every or size',
  ],
  [
    'bursts that run into each other',
    '{ type: bursts, every: 1s, size: 1, spread: 2s }',
    '',
    'error: a burst spread over 2s is not over when the next one comes, after 1s',
  ],
  ['bursts after the end', '{ type: bursts, every: 1s, size: 1, first: 2m }', '', 'error: no burst comes: the run ends at 1m'],
  ['no users', '{ type: users, users: 0, think: 1s }', '', /^error: .*0/],
  ['half a session', '{ type: users, users: 1, think: 1s, session: { requests: 2 } }', '', /^error: missing key "gap"/],
])('is refused: %s', async (_, arrivals, rest, complaint) => {
  const complaints = await complaintsOf(arrivals, rest);
  expect(complaints).toHaveLength(1);
  if (typeof complaint === 'string') expect(complaints[0]).toBe(complaint);
  else expect(complaints[0]).toMatch(complaint);
});

describe('a sweep over loads', () => {
  const sweep = async (arrivals: string, options?: Options) =>
    (await scenarioOf(`${arrivalsText(arrivals)}\ncompare: { load: [50%, 1, 110%] }`, options)).variants.map(
      ({ scenario }) => scenario?.traffic[0].arrivals,
    );

  test.each([
    ['rates', '{ type: poisson, rate: 100/s }', [{ perSecond: 50 }, undefined, { perSecond: 100 * 1.1 }]],
    ['users', '{ type: users, users: 10, think: 1s }', [{ users: 5 }, undefined, { users: 11 }]],
    ['bursts', '{ type: bursts, every: 1s, size: 10 }', [{ size: 5 }, undefined, { size: 11 }]],
    [
      'every state',
      '{ type: mmpp, states: [{ rate: 10/s, mean: 1s }, { rate: 0/s, mean: 1s }] }',
      [
        { states: [{ perSecond: 5, meanMs: 1000 }, { perSecond: 0 }] },
        undefined,
        { states: [{ perSecond: 11 }, { perSecond: 0 }] },
      ],
    ],
  ])('multiplies %s', async (_, arrivals, expected) => {
    expect(await sweep(arrivals)).toMatchObject(expected);
  });

  test('plays recordings faster or slower', async () => {
    const [half] = await sweep(replay, { files });
    expect(half).toMatchObject({ data: { timesMs: Float64Array.of(0, 20_000, 118_000) } });
  });

  test('variants know their load, and the rest that differs', async () => {
    const rest = 'compare: { balancer: [random, p2c], load: [50%, { value: 0.8, label: high }] }';
    const { variants } = await scenarioOf(scenarioText({ rest }));
    expect(variants.map(({ label, load, group, differs }) => [label, load, group, differs])).toEqual([
      ['random, load=50%', 0.5, 'random', 'balancer=random, load=50%'],
      ['random, high', 0.8, 'random', 'balancer=random, load=80%'],
      ['p2c, load=50%', 0.5, 'p2c', 'balancer=p2c, load=50%'],
      ['p2c, high', 0.8, 'p2c', 'balancer=p2c, load=80%'],
    ]);
    expect(variants.every(({ scenario, policies }) => scenario?.policies === policies)).toBe(true);
    const [alone] = (await scenarioOf(scenarioText({ rest: 'compare: { load: [50%] }' }))).variants;
    expect(alone).toMatchObject({ label: 'load=50%', load: 0.5, group: '' });
  });

  test('that plays a recording faster than it lasts is strange', async () => {
    expect(await briefly(`${arrivalsText(replay)}\ncompare: { load: [50%, 1, 110%] }`, { files })).toEqual([
      '9:18 warning: at 110% of the load the recording of "api" is over well before the run; shorten the run, so that the fastest variant has enough of it',
    ]);
  });

  test('goes together with paths', async () => {
    const rest = "compare: { load: [50%], 'traffic[0].arrivals.rate': [10/s, 20/s] }";
    const { variants } = await scenarioOf(scenarioText({ rest }));
    expect(variants.map(({ scenario }) => scenario?.traffic[0].arrivals)).toEqual([
      { type: 'poisson', perSecond: 5 },
      { type: 'poisson', perSecond: 10 },
    ]);
  });

  test.each([
    ['nothing', '0%', /^error: .*0/],
    ['a word', 'high', 'error: "high" is not a share; shares look like 30% or 0.3'],
    ['a load twice', '50%, 0.5', 'error: two variants are labelled "load=50%"; give one of them a label of its own'],
  ])('is refused: %s', async (_, loads, complaint) => {
    const complaints = (await briefly(scenarioText({ rest: `compare: { load: [${loads}] }` }))).map((line) =>
      line.replace(/^\d+:\d+ /, ''),
    );
    expect(complaints).toHaveLength(1);
    if (typeof complaint === 'string') expect(complaints[0]).toBe(complaint);
    else expect(complaints[0]).toMatch(complaint);
  });
});
