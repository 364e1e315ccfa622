/** A proxy that learns who its endpoints are: from a file, a name, a registry; and what becomes of those that come and go. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import {
  createProxy,
  type DiscoverySource,
  dnsSource,
  fileSource,
  type Proxy,
  type ProxyOptions,
  type SourceAnswer,
} from '../../src/live/index.ts';
import { endpointsIn } from '../../src/live/file-source.ts';
import type { DiscoveryClient, FetchRequest, SourceFailure } from '../../src/policies/discovery/discovery-client.ts';
import { discoveryClients } from '../../src/policies/discovery/index.ts';
import { testRng } from '../policies/fixtures.ts';
import { inTurn } from '../policies/pipeline/world.ts';
import { ask, Backends } from './backends.ts';
import { ManualTime, until } from './manual-time.ts';

const backends = new Backends();
const folders: string[] = [];
afterEach(async () => {
  await backends.close();
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

interface Found {
  readonly proxy: Proxy;
  readonly time: ManualTime;
  /** Lists of members, in order of their coming. */
  readonly lists: (readonly string[])[];
}

function discovering(options: Partial<ProxyOptions>): Found {
  const time = new ManualTime();
  const lists: (readonly string[])[] = [];
  const proxy = backends.keep(
    createProxy({
      endpoints: [],
      balancer: inTurn,
      clock: time,
      timers: time,
      rng: () => testRng(1),
      onMembers: (members) => lists.push(members),
      ...options,
    }),
  );
  return { proxy, time, lists };
}

/** Answers what it is told to, when the test says so. */
class Script implements DiscoverySource {
  readonly asked: { readonly index: number; readonly waitMs: number; readonly signal: AbortSignal }[] = [];
  answers: (() => SourceAnswer | SourceFailure)[];

  constructor(...answers: readonly (SourceAnswer | SourceFailure)[]) {
    this.answers = answers.map((answer) => () => answer);
  }

  ask(question: { readonly index: number; readonly waitMs: number }, signal: AbortSignal): Promise<SourceAnswer | SourceFailure> {
    const answer = this.answers[Math.min(this.asked.length, this.answers.length - 1)];
    this.asked.push({ ...question, signal });
    return answer === undefined ? new Promise(() => undefined) : new Promise((resolve) => resolve(answer()));
  }
}

describe('a list of endpoints', () => {
  test('that changes leaves those that stay where they are, with what they are doing', async () => {
    const [a, b, c] = [await backends.serve('silence', 'ok'), await backends.serve('ok'), await backends.serve('ok')];
    const source = new Script({ members: [a.url, b.url] }, { members: [c.url, b.url] });
    const { proxy, time, lists } = discovering({ discovery: 'dns', discoverySource: source });
    const port = await proxy.listen(0);
    await until(() => lists.length === 1);
    const slots = [proxy.endpoints.find(a.url), proxy.endpoints.find(b.url)];
    const held = ask(port).catch(() => undefined);
    await until(() => a.requests.length === 1);
    await time.passTo(5000);
    await until(() => lists.length === 2);
    expect(proxy.endpoints.find(a.url)).toBe(-1);
    expect(proxy.endpoints.find(b.url)).toBe(slots[1]);
    // The slot of whoever is still working is not given away.
    expect(proxy.endpoints.find(c.url)).not.toBe(slots[0]);
    expect(proxy.endpoints.table.active[slots[0]]).toBe(1);
    for (let i = 0; i < 4; i++) await ask(port);
    expect([a, b, c].map(({ requests }) => requests.length)).toEqual([1, 2, 2]);
    await proxy.close();
    await held;
  });

  test('starts with the configured one, whose weights count when members come back', async () => {
    const source = new Script({ members: ['http://b'] }, 'unreachable', { members: ['http://a', 'http://b'] });
    const { proxy, time, lists } = discovering({
      endpoints: [{ url: 'http://a', weight: 7 }],
      discovery: { use: 'dns', dnsRefreshRate: 100 },
      discoverySource: source,
    });
    await until(() => lists.length === 2);
    expect([proxy.discovery!.isStale, proxy.discovery!.ageMs]).toEqual([false, 0]);
    await time.passTo(100);
    await until(() => proxy.discovery!.isStale);
    expect(proxy.discovery!.ageMs).toBe(100);
    await time.passTo(200);
    await until(() => lists.length === 3);
    expect(lists).toEqual([['http://a'], ['http://b'], ['http://a', 'http://b']]);
    expect(proxy.endpoints.table.weight[proxy.endpoints.find('http://a')]).toBe(7);
  });

  test('is the configured one for ever where discovery is static', () => {
    const { lists, time, proxy } = discovering({ endpoints: ['http://a', 'http://b'], discovery: 'static' });
    expect(lists).toEqual([['http://a', 'http://b']]);
    expect([time.pending, proxy.discovery!.isStale]).toEqual([0, false]);
  });

  test('loses what is no endpoint, and keeps the others', async () => {
    const { lists } = discovering({
      discovery: 'dns',
      discoverySource: new Script({ members: ['http://a', 'nonsense', 'http://a:80', 'http://b/path'] }),
    });
    await until(() => lists.length === 1);
    expect(lists).toEqual([['http://a']]);
  });

  test('is not asked for any more once the proxy is closed', async () => {
    const source = new Script();
    const { proxy, time } = discovering({ discovery: 'dns', discoverySource: source });
    expect(source.asked[0].signal.aborted).toBe(false);
    await proxy.close();
    expect(source.asked[0].signal.aborted).toBe(true);
    await time.passTo(60_000);
    expect([source.asked.length, time.pending]).toEqual([1, 0]);
  });
});

/** The clients with answers by a script, driven as the simulator drives them: told everything in the same moment. */
function virtually(
  make: (host: { fetch(request: FetchRequest): void }, update: (members: readonly number[]) => void) => DiscoveryClient,
  answers: readonly (readonly number[] | SourceFailure)[],
  untilMs: number,
): readonly string[] {
  const story: string[] = [];
  const due: { readonly id: number; readonly answer: readonly number[] | SourceFailure }[] = [];
  let nowMs = 0;
  let asked = 0;
  const client = make(
    {
      fetch: ({ id }) => {
        story.push(`${nowMs} ask`);
        due.push({ id, answer: answers[Math.min(asked++, answers.length - 1)] });
      },
    },
    (members) => story.push(`${nowMs} ${members.map((member) => 'abc'[member]).join('')}`),
  );
  const settle = (): void => {
    for (let next = due.shift(); next !== undefined; next = due.shift()) {
      const { id, answer } = next;
      client.onFetched(id, typeof answer === 'string' ? answer : { members: answer, index: 0, ageMs: 0, ttlMs: 700 }, nowMs);
    }
  };
  client.start(0);
  settle();
  while (client.nextTimerMs() <= untilMs) {
    nowMs = client.nextTimerMs();
    client.onTimer(nowMs);
    settle();
  }
  return story;
}

describe('a client asks its source and believes it as in the simulator', () => {
  const names = ['http://a', 'http://b', 'http://c'];
  const answers = [[0, 1], 'unreachable', [0, 1], 'timeout', 'unreachable', [0, 1, 2], [], [2]] as const;
  test.each([
    ['dns', { dnsJitter: 50, dnsRefreshRate: 500 }],
    ['dns', { respectDnsTtl: true }],
    ['dns-grpc', {}],
    ['registry-poll', { registryFetchInterval: 3000, serverListRefreshInterval: 4000 }],
    ['file', { refreshInterval: 1500 }],
  ] as const)('%s %j', async (use, params) => {
    const expected = virtually(
      (host, update) => discoveryClients[use].make(params, { rng: testRng(1), host, sink: { update }, configured: [0] }),
      answers,
      30_000,
    );
    expect(expected.filter((line) => line.endsWith(' ask')).length).toBeGreaterThan(use === 'dns-grpc' ? 0 : 5);
    const story: string[] = [];
    let answered = 0;
    let asked = 0;
    const source: DiscoverySource = {
      ask: async () => {
        story.push(`${time.now()} ask`);
        const answer = answers[Math.min(asked++, answers.length - 1)];
        // After the client has heard of it.
        setImmediate(() => setImmediate(() => answered++));
        return typeof answer === 'string' ? answer : { members: answer.map((member) => names[member]), ttlMs: 700 };
      },
    };
    const time = new ManualTime();
    const proxy = createProxy({
      endpoints: [names[0]],
      balancer: inTurn,
      clock: time,
      timers: time,
      rng: () => testRng(1),
      discovery: { use, ...params },
      discoverySource: source,
      onMembers: (members) => story.push(`${time.now()} ${members.map((member) => 'abc'[names.indexOf(member)]).join('')}`),
    });
    await time.passTo(30_000, () => answered === asked);
    await proxy.close();
    expect(story).toEqual(expected);
  });
});

describe('resolvers that work on demand', () => {
  test('look again when a connection fails', async () => {
    const [gone, there] = [await backends.nobody(), await backends.serve('ok')];
    const source = new Script({ members: [gone] }, { members: [there.url] });
    const { proxy, lists, time } = discovering({
      discovery: { use: 'dns-grpc', minResolutionInterval: 100 },
      discoverySource: source,
    });
    const port = await proxy.listen(0);
    await until(() => lists.length === 1);
    await time.passTo(1000);
    expect(source.asked.length).toBe(1);
    expect((await ask(port)).status).toBe(502);
    await until(() => lists.length === 2);
    expect((await ask(port)).status).toBe(200);
    expect(source.asked.length).toBe(2);
  });

  test('look again with a request when their cache is over', async () => {
    const backend = await backends.serve('ok');
    const source = new Script({ members: [backend.url] });
    const { proxy, lists, time } = discovering({ discovery: { use: 'dns-jvm', cacheTtl: 100 }, discoverySource: source });
    const port = await proxy.listen(0);
    await until(() => lists.length === 1);
    await ask(port);
    await time.passTo(101);
    expect(source.asked.length).toBe(1);
    await ask(port);
    await until(() => source.asked.length === 2);
  });
});

describe('clients that wait for news', () => {
  test('are asked for by polling where the source holds nothing', async () => {
    const lists = [['http://a'], ['http://a'], ['http://a'], ['http://b']];
    const source = new Script(...lists.map((members) => ({ members })));
    const { time, lists: seen } = discovering({ discovery: { use: 'registry-watch', wait: 60_000 }, discoverySource: source });
    await until(() => seen.length === 1 && time.pending === 2);
    await time.passTo(999);
    expect(source.asked.map(({ index, waitMs }) => [index, waitMs])).toEqual([
      [0, 60_000],
      [1, 60_000],
    ]);
    await time.passTo(1000);
    await until(() => source.asked.length === 3);
    await until(() => time.pending === 2);
    await time.passTo(2000);
    await until(() => seen.length === 2);
    expect(seen).toEqual([['http://a'], ['http://b']]);
    expect(source.asked[3]).toMatchObject({ index: 1, waitMs: 58_000 });
  });

  test('on a stream are told again with every change, and begin anew when it breaks', async () => {
    const source = new Script({ members: ['http://a'], index: 7 }, { members: ['http://b'], index: 9 }, 'unreachable', {
      members: ['http://c'],
      index: 2,
    });
    const held: (() => void)[] = [];
    const plain = source.ask.bind(source);
    source.ask = async (question, signal) => {
      if (question.waitMs > 0) await new Promise<void>((resolve) => held.push(resolve));
      return plain(question, signal);
    };
    const { time, lists } = discovering({ discovery: 'xds', discoverySource: source });
    await until(() => lists.length === 1 && held.length === 1);
    held[0]();
    await until(() => lists.length === 2 && held.length === 2);
    held[1]();
    await until(() => time.pending === 1);
    // Opened again after a random wait below 500 ms.
    await time.passTo(500);
    await until(() => lists.length === 3);
    expect(lists).toEqual([['http://a'], ['http://b'], ['http://c']]);
    expect(source.asked.map(({ index }) => index)).toEqual([0, 7, 9, 9]);
  });
});

describe('a file', () => {
  const folder = (): string => {
    folders.push(mkdtempSync(join(tmpdir(), 'clusterlab-')));
    return folders.at(-1)!;
  };

  test('lists endpoints by line, as JSON, or as Prometheus has them', () => {
    expect(endpointsIn('# servers\nhttp://a:81\n\n10.0.0.1:80  # the first\n')).toEqual(['http://a:81', 'http://10.0.0.1']);
    expect(endpointsIn('["http://a", "b:81"]', 'https')).toEqual(['http://a', 'https://b:81']);
    expect(endpointsIn('[{"targets":["a:1","b:2"],"labels":{}},{"targets":["c:3"]}]')).toEqual([
      'http://a:1',
      'http://b:2',
      'http://c:3',
    ]);
    for (const broken of ['["http://a"', '[1]', '[{"labels":{}}]', 'http://a\nnot an endpoint'])
      expect(endpointsIn(broken)).toBeUndefined();
    expect(endpointsIn('')).toEqual([]);
  });

  test('is read when it changes, and once per interval in any case', async () => {
    const path = join(folder(), 'endpoints');
    const write = (text: string): void => {
      writeFileSync(`${path}.new`, text);
      renameSync(`${path}.new`, path);
    };
    write('http://a\n');
    const { proxy, time, lists } = discovering({
      discovery: { use: 'file', delay: 0, refreshInterval: 10_000 },
      discoverySource: fileSource(path),
    });
    await until(() => lists.length === 1);
    // The refresh, until the change is noticed.
    expect(time.pending).toBe(1);
    write('http://a\nhttp://b\n');
    // The change is read at once when it is noticed.
    await until(() => {
      void time.passTo(time.now());
      return lists.length === 2;
    });
    expect(time.now()).toBe(0);
    write('[broken');
    rmSync(path);
    await time.passTo(10_000);
    await until(() => proxy.discovery!.isStale);
    write('http://c');
    await time.passTo(20_000);
    await until(() => lists.length === 3);
    expect(lists).toEqual([['http://a'], ['http://a', 'http://b'], ['http://c']]);
  });

  test('that is not there leaves the configured endpoints', async () => {
    const { proxy, lists, time } = discovering({
      endpoints: ['http://a'],
      discovery: 'file',
      discoverySource: fileSource(join(folder(), 'none', 'endpoints')),
    });
    await time.passTo(300_000);
    expect([lists, proxy.discovery!.isStale, proxy.discovery!.ageMs]).toEqual([[['http://a']], true, Infinity]);
  });
});

describe('a name', () => {
  test('stands for its addresses at one port, for as long as its shortest record says', async () => {
    const asked: string[] = [];
    const records = [
      { address: '10.0.0.1', ttl: 3 },
      { address: '10.0.0.2', ttl: 2 },
    ];
    const resolver = {
      resolve4: async (name: string) => (asked.push(name), records),
      resolve6: async () => [{ address: '::1', ttl: 1 }],
    };
    const { time, lists } = discovering({
      discovery: { use: 'dns', respectDnsTtl: true },
      discoverySource: dnsSource({ name: 'api.test', port: 81, resolver }),
    });
    await until(() => lists.length === 1);
    expect(lists).toEqual([['http://10.0.0.1:81', 'http://10.0.0.2:81']]);
    await time.passTo(1999);
    expect(asked).toEqual(['api.test']);
    await time.passTo(2000);
    expect(asked).toEqual(['api.test', 'api.test']);
    const six = dnsSource({ name: 'api.test', port: 81, scheme: 'https', family: 6, resolver });
    expect(await six.ask({ index: 0, waitMs: 0 }, new AbortController().signal)).toEqual({
      members: ['https://[::1]:81'],
      ttlMs: 1000,
    });
  });

  test('that does not exist has no members; a resolver that fails says nothing', async () => {
    const answerTo = (code: string): Promise<unknown> => {
      const resolver = { resolve4: () => Promise.reject(Object.assign(new Error(code), { code })) };
      return dnsSource({ name: 'x', port: 1, resolver }).ask({ index: 0, waitMs: 0 }, new AbortController().signal);
    };
    expect(await answerTo('ENOTFOUND')).toEqual({ members: [] });
    expect(await answerTo('ENODATA')).toEqual({ members: [] });
    expect([await answerTo('ETIMEOUT'), await answerTo('ESERVFAIL'), await answerTo('ECONNREFUSED')]).toEqual([
      'timeout',
      'unreachable',
      'unreachable',
    ]);
  });
});
