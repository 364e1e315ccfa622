/** The registry over HTTP, with instances that register and proxies that ask: on the loopback interface, with time moved on by hand. */
import http from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import {
  createProxy,
  register,
  type RegistrationOptions,
  RegistryServer,
  registrySource,
  type Use,
} from '../../src/live/index.ts';
import { requestJson } from '../../src/live/json-request.ts';
import type { Registry, RegistryDeps } from '../../src/policies/discovery/registries/registry.ts';
import { testRng } from '../policies/fixtures.ts';
import { inTurn } from '../policies/pipeline/world.ts';
import { ask, Backends } from './backends.ts';
import { ManualTime, until } from './manual-time.ts';

const backends = new Backends();
afterEach(() => backends.close());

async function serve(registry: Use<RegistryDeps, Registry>): Promise<{ url: string; time: ManualTime; server: RegistryServer }> {
  const time = new ManualTime();
  const server = backends.keep(new RegistryServer({ registry, clock: time, timers: time, rng: () => testRng(1) }));
  return { url: `http://127.0.0.1:${await server.listen(0)}`, time, server };
}

const enter = (url: string, time: ManualTime, endpoint: string, options: Partial<RegistrationOptions> = {}) =>
  register({ registry: url, service: 'api', endpoint, clock: time, timers: time, ...options });

const membersAt = async (url: string, query = ''): Promise<readonly string[]> =>
  ((await requestJson(`${url}/services/api${query}`, 'GET')).body as { readonly members: readonly string[] }).members;

describe('the server', () => {
  test('answers what it does not understand with what it would', async () => {
    const { url } = await serve('consul');
    const statusOf = async (method: string, path: string): Promise<number> => (await requestJson(url + path, method)).status;
    expect([
      await statusOf('GET', '/'),
      await statusOf('GET', '/services/%ff'),
      await statusOf('POST', '/services/api'),
      await statusOf('PUT', '/services/api/nonsense'),
      await statusOf('PATCH', '/services/api/http%3A%2F%2Fa'),
      await statusOf('POST', '/services/api/http%3A%2F%2Fa?status=fine'),
      await statusOf('POST', '/services/api/http%3A%2F%2Fa'),
      await statusOf('DELETE', '/services/api/http%3A%2F%2Fa'),
    ]).toEqual([404, 404, 405, 400, 405, 400, 404, 200]);
    expect(() => new RegistryServer({ registry: 'consull' })).toThrow('there is no policy "consull"');
  });

  test('keeps services apart', async () => {
    const { url, time } = await serve('etcd');
    const registration = enter(url, time, 'http://a', { service: 'other one' });
    await until(() => time.pending > 1);
    expect(await membersAt(url)).toEqual([]);
    expect((await requestJson(`${url}/services/other%20one`, 'GET')).body).toMatchObject({ members: ['http://a'] });
    registration.abandon();
  });

  test('holds a question until there is news, and no longer than it was allowed to', async () => {
    const { url, time } = await serve({ use: 'consul', initialStatus: 'passing' });
    let renewed = 0;
    const first = enter(url, time, 'http://a', { onRenewed: () => renewed++ });
    await until(() => renewed === 1);
    const version = ((await requestJson(`${url}/services/api`, 'GET')).body as { readonly index: number }).index;
    let isAnswered = false;
    const held = membersAt(url, `?index=${version}&wait=60000`).finally(() => (isAnswered = true));
    // Whoever asks for the service later has its answer first.
    expect(await membersAt(url)).toEqual(['http://a']);
    expect(isAnswered).toBe(false);
    const second = enter(url, time, 'http://b');
    expect(await held).toEqual(['http://a', 'http://b']);
    first.abandon();
    second.abandon();
  });

  test.each(['consul', 'etcd', 'eureka'])('%s lets a question end with its wait', async (use) => {
    const { url, time } = await serve(use);
    let isAnswered = false;
    const index = ((await requestJson(`${url}/services/api`, 'GET')).body as { readonly index: number }).index;
    const before = time.pending;
    const held = membersAt(url, `?index=${Math.max(1, index)}&wait=1500`).finally(() => (isAnswered = true));
    await until(() => time.pending > before || isAnswered);
    // Consul lengthens waits by up to a sixteenth.
    await time.passTo(1600);
    expect(await held).toEqual([]);
  });

  test('forgets whoever asks and goes', async () => {
    const forgotten: number[] = [];
    const { url } = await serve(() => ({
      renewEveryMs: Infinity,
      index: 1,
      register: () => undefined,
      renew: () => true,
      deregister: () => undefined,
      status: () => undefined,
      query: () => undefined,
      forget: (query) => forgotten.push(query),
      nextTimerMs: () => Infinity,
      onTimer: () => undefined,
    }));
    const request = http.get(`${url}/services/api?index=1&wait=60000`, { agent: false });
    request.on('error', () => undefined);
    request.on('socket', (socket) => socket.once('connect', () => setImmediate(() => request.destroy())));
    await until(() => forgotten.length === 1);
  });

  test('does not remember addresses for ever', async () => {
    const { url, time } = await serve('etcd');
    const path = (i: number): string => `${url}/services/api/${encodeURIComponent(`http://h${i}`)}`;
    for (let i = 0; i < 1100; i++) {
      await requestJson(path(i), 'PUT');
      await requestJson(path(i), 'DELETE');
    }
    await requestJson(path(0), 'PUT');
    expect(await membersAt(url)).toEqual(['http://h0']);
    expect(time.pending).toBeLessThan(5);
  });
});

describe('an instance', () => {
  test('renews as often as the registry wants, and leaves when it closes', async () => {
    const { url, time } = await serve({ use: 'consul', ttl: 3000, renewEvery: 1000 });
    const renewals: number[] = [];
    const registration = enter(url, time, 'http://a', { onRenewed: () => renewals.push(time.now()) });
    await until(() => renewals.length === 1);
    for (const n of [2, 3, 4]) {
      await until(() => time.pending === 2);
      await time.passTo((n - 1) * 1000);
      await until(() => renewals.length === n);
    }
    expect(renewals).toEqual([0, 1000, 2000, 3000]);
    expect(await membersAt(url)).toEqual(['http://a']);
    await registration.close();
    expect(await membersAt(url)).toEqual([]);
  });

  test('that falls silent is forgotten when its lease is over', async () => {
    const { url, time } = await serve({ use: 'etcd', ttl: 5000 });
    const registration = enter(url, time, 'http://a');
    await until(() => time.pending === 2);
    registration.abandon();
    await time.passTo(4000);
    expect(await membersAt(url)).toEqual(['http://a']);
    await time.passTo(8000);
    expect(await membersAt(url)).toEqual([]);
  });

  test('registers again where the registry has forgotten it', async () => {
    const { url, time } = await serve({ use: 'etcd', ttl: 5000 });
    let renewals = 0;
    const registration = enter(url, time, 'http://a', { onRenewed: () => renewals++, everyMs: 1000 });
    await until(() => renewals === 1 && time.pending === 2);
    await requestJson(`${url}/services/api/http%3A%2F%2Fa`, 'DELETE');
    expect(await membersAt(url)).toEqual([]);
    await time.passTo(1000);
    await until(() => time.pending === 2);
    expect(await membersAt(url)).toEqual(['http://a']);
    registration.abandon();
  });

  test('goes on trying while nobody answers', async () => {
    const url = await backends.nobody();
    const time = new ManualTime();
    const registration = enter(url, time, 'http://a');
    await until(() => time.pending === 1);
    await time.passTo(1000);
    await until(() => time.pending === 1);
    await registration.close();
    expect(time.pending).toBe(0);
    expect(() => enter(url, time, 'a')).toThrow('not an endpoint');
    expect(() => enter(url, time, 'http://a', { everyMs: 0 })).toThrow('every 0 ms');
  });
});

describe('a proxy that asks the registry', () => {
  test.each([
    ['registry-watch', 'consul'],
    ['registry-watch', 'eureka'],
    ['registry-poll', 'consul'],
    ['xds', 'etcd'],
  ] as const)('by %s at %s gets newcomers, and loses those that leave', async (use, registry) => {
    const [one, two] = [await backends.serve('ok'), await backends.serve('ok')];
    const { url, time } = await serve(registry === 'eureka' ? { use: registry, responseCacheUpdateInterval: 1000 } : registry);
    let renewed = 0;
    const first = enter(url, time, one.url, { onRenewed: () => renewed++ });
    await until(() => renewed === 1);
    const proxy = backends.keep(
      createProxy({
        endpoints: [],
        balancer: inTurn,
        clock: time,
        timers: time,
        discovery: { use, emptyUpdates: 'apply' },
        discoverySource: registrySource(url, 'api'),
      }),
    );
    const port = await proxy.listen(0);
    const members = (): readonly string[] => [one, two].map(({ url }) => url).filter((url) => proxy.endpoints.find(url) >= 0);
    // Whoever polls, or caches, needs time to pass.
    const untilMembers = async (...wanted: readonly string[]): Promise<void> => {
      await until(() => {
        void time.passTo(time.now() + 1);
        return members().join() === wanted.join();
      });
    };
    await untilMembers(one.url);
    const slot = proxy.endpoints.find(one.url);
    const second = enter(url, time, two.url);
    await untilMembers(one.url, two.url);
    expect(proxy.endpoints.find(one.url)).toBe(slot);
    for (let i = 0; i < 4; i++) await ask(port);
    expect([one, two].map(({ requests }) => requests.length)).toEqual([2, 2]);
    await first.close();
    await untilMembers(two.url);
    expect((await ask(port)).status).toBe(200);
    expect(two.requests.length).toBe(3);
    second.abandon();
    await proxy.close();
  });

  test('keeps its members while the registry is gone', async () => {
    const { url, time, server } = await serve('consul');
    let renewed = 0;
    const registration = enter(url, time, 'http://a', { onRenewed: () => renewed++ });
    await until(() => renewed === 1);
    registration.abandon();
    const proxy = backends.keep(
      createProxy({
        endpoints: [],
        balancer: inTurn,
        clock: time,
        timers: time,
        discovery: 'registry-watch',
        discoverySource: registrySource(url, 'api'),
      }),
    );
    await until(() => proxy.endpoints.find('http://a') >= 0);
    expect(proxy.discovery!.isStale).toBe(false);
    await server.close();
    await until(() => proxy.discovery!.isStale);
    expect(proxy.endpoints.find('http://a')).toBe(0);
  });
});
