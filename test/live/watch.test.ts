/** A proxy that watches its endpoints: what probes ask, what heartbeats say, what becomes of endpoints that come and go. */
import { createSocket } from 'node:dgram';
import { afterEach, describe, expect, test } from 'vitest';
import { createProxy, type HealthChange, type Proxy, type ProxyOptions, startHeartbeats } from '../../src/live/index.ts';
import { HeartbeatNumbers } from '../../src/live/heartbeat-receiver.ts';
import { hostAndPort } from '../../src/live/address.ts';
import { type Heartbeat, readHeartbeat } from '../../src/live/heartbeats.ts';
import { healthStates } from '../../src/policies/balancing/balancer.ts';
import { probeResults } from '../../src/policies/detection/checks/health-checker.ts';
import { testRng } from '../policies/fixtures.ts';
import { inTurn } from '../policies/pipeline/world.ts';
import { ask, Backends, type Behaviour } from './backends.ts';
import { ManualTime, until } from './manual-time.ts';

const backends = new Backends();
afterEach(() => backends.close());

interface Watched {
  readonly proxy: Proxy;
  readonly time: ManualTime;
  readonly changes: HealthChange[];
  /** `unfit`, `ejected`… of the endpoint, in order of their coming. */
  readonly words: () => readonly string[];
  /** Until all probes have their answers. */
  passTo(ms: number): Promise<void>;
}

function watched(endpoints: ProxyOptions['endpoints'], options: Partial<ProxyOptions>): Watched {
  const time = new ManualTime();
  const changes: HealthChange[] = [];
  const proxy = backends.keep(
    createProxy({
      endpoints,
      balancer: inTurn,
      clock: time,
      timers: time,
      rng: () => testRng(1),
      onHealth: (change) => changes.push(change),
      ...options,
    }),
  );
  return {
    proxy,
    time,
    changes,
    words: () => changes.map(({ doubt, holds, atMs }) => `${atMs} ${holds ? '' : 'not '}${doubt}`),
    passTo: (ms) => time.passTo(ms, () => proxy.watch.probesUnderWay === 0),
  };
}

const checkEveryMs = {
  use: 'envoy',
  interval: 100,
  noTrafficInterval: 100,
  timeout: 50,
  unhealthyThreshold: 2,
  healthyThreshold: 1,
};

describe('a probe over HTTP', () => {
  const statusOf =
    (status: number, headers = {}): Behaviour =>
    (_request, response) =>
      response.writeHead(status, headers).end();

  test('asks with GET at its path, and counts the expected statuses as good', async () => {
    const backend = await backends.serve(statusOf(204), statusOf(418), statusOf(200));
    const { passTo, words } = watched([backend.url], {
      healthCheck: checkEveryMs,
      startsFit: true,
      healthProbe: { type: 'http', path: '/healthz?deep=1', headers: { host: 'api.test' }, expected: [[200, 299], 418] },
    });
    await passTo(250);
    expect(words()).toEqual([]);
    expect(backend.requests.map(({ method, path, headers }) => `${method} ${path} ${headers.host}`)).toEqual(
      Array(3).fill('GET /healthz?deep=1 api.test'),
    );
  });

  test('takes other answers at their word, but for retriable ones, which count like a failure', async () => {
    const one = await backends.serve(statusOf(503));
    const two = await backends.serve(statusOf(500));
    const options = { healthCheck: checkEveryMs, startsFit: true, healthProbe: { type: 'http', retriable: [500] } } as const;
    const [plain, retried] = [watched([one.url], options), watched([two.url], options)];
    await plain.passTo(150);
    await retried.passTo(150);
    expect([plain.words(), retried.words()]).toEqual([['0 unfit'], ['100 unfit']]);
  });

  test('finds endpoints that are to be spared, by status or header', async () => {
    const one = await backends.serve(statusOf(429), statusOf(200));
    const two = await backends.serve(statusOf(200, { 'x-envoy-degraded': '' }), statusOf(200));
    for (const { url } of [one, two]) {
      const { passTo, words, proxy } = watched([url], {
        healthCheck: checkEveryMs,
        startsFit: true,
        healthProbe: { type: 'http', degraded: [429] },
      });
      await passTo(50);
      expect(proxy.endpoints.table.health[0]).toBe(healthStates.degraded);
      await passTo(150);
      expect(words()).toEqual(['0 degraded', '100 not degraded']);
    }
  });

  test('that breaks off, or meets nobody, has failed', async () => {
    const urls = [(await backends.serve('broken')).url, await backends.nobody()];
    const { passTo, changes } = watched(urls, { healthCheck: checkEveryMs, startsFit: true });
    await passTo(149);
    expect(changes.map(({ endpoint, doubt, atMs }) => [urls.indexOf(endpoint), doubt, atMs]).toSorted()).toEqual([
      [0, 'unfit', 100],
      [1, 'unfit', 100],
    ]);
  });

  test('has failed when it is not answered in time, and is given up then', async () => {
    const backend = await backends.serve('silence');
    const { time, words } = watched([backend.url], { healthCheck: checkEveryMs, startsFit: true });
    await time.passTo(10);
    await until(() => backend.requests.length === 1);
    await time.passTo(199);
    expect(words()).toEqual([]);
    await time.passTo(200);
    expect(words()).toEqual(['200 unfit']);
    await backend.abandoned();
  });

  test('goes to the path of its kind', async () => {
    const backend = await backends.serve('ok');
    const { passTo } = watched([backend.url], {
      healthCheck: { use: 'kubelet', probes: ['liveness', 'readiness'], livenessPeriod: 1000, readinessPeriod: 1000 },
      healthProbe: { type: 'http', path: { liveness: '/livez', readiness: '/readyz' } },
    });
    await passTo(5000);
    expect([...new Set(backend.requests.map(({ path }) => path))].toSorted()).toEqual(['/livez', '/readyz']);
  });
});

test('a probe by connection needs somebody who listens, and no answer', async () => {
  const urls = [(await backends.serve('error')).url, await backends.nobody()];
  const { passTo, changes } = watched(urls, { healthCheck: checkEveryMs, startsFit: true, healthProbe: { type: 'tcp' } });
  await passTo(250);
  expect(changes.map(({ endpoint, doubt, atMs }) => [endpoint, doubt, atMs])).toEqual([[urls[1], 'unfit', 100]]);
});

test('a probe of the program’s own is told whom to ask and for what, and when nobody waits any more', async () => {
  const asked: string[] = [];
  let isAborted = false;
  const { time } = watched(['http://a', 'http://b'], {
    healthCheck: checkEveryMs,
    startsFit: true,
    healthProbe: (endpoint, kind, signal) => {
      asked.push(`${endpoint} ${kind}`);
      if (endpoint === 'http://a') return Promise.resolve(probeResults.ok);
      signal.addEventListener('abort', () => (isAborted = true));
      return new Promise(() => undefined);
    },
  });
  await time.passTo(49);
  expect(asked).toEqual(['http://a health', 'http://b health']);
  expect(isAborted).toBe(false);
  await time.passTo(50);
  expect(isAborted).toBe(true);
});

test('an endpoint gets no requests before its first good check, unless it is known to be fit', async () => {
  const backend = await backends.serve('ok');
  const { proxy, passTo } = watched([backend.url], { healthCheck: checkEveryMs });
  const port = await proxy.listen(0);
  expect(proxy.healthyShare).toBe(0);
  expect((await ask(port)).status).toBe(503);
  await passTo(10);
  expect((await ask(port)).status).toBe(200);
  expect(proxy.healthyShare).toBe(1);
});

test('endpoints that fail their checks get no requests, and get them again when they pass', async () => {
  let isFit = true;
  const sick: Behaviour = ({ url }, response) => void response.writeHead(url === '/healthz' && !isFit ? 500 : 200).end();
  const [one, two] = [await backends.serve(sick), await backends.serve('ok')];
  const { proxy, passTo } = watched([one.url, two.url], {
    healthCheck: checkEveryMs,
    startsFit: true,
    healthProbe: { type: 'http', path: '/healthz' },
  });
  const port = await proxy.listen(0);
  const served = async (): Promise<number> => {
    const count = (): number => one.requests.filter(({ path }) => path === '/').length;
    const before = count();
    for (let i = 0; i < 4; i++) await ask(port);
    return count() - before;
  };
  await passTo(50);
  expect(await served()).toBe(2);
  isFit = false;
  await passTo(150);
  expect(await served()).toBe(0);
  isFit = true;
  await passTo(250);
  expect(await served()).toBe(2);
});

describe('endpoints that go', () => {
  test('are not checked any more, and whoever gets their slot is judged by its own', async () => {
    const [bad, good] = [await backends.serve('error'), await backends.serve('ok')];
    const { proxy, passTo } = watched([bad.url], { healthCheck: checkEveryMs, startsFit: true });
    await passTo(50);
    expect(proxy.healthyShare).toBe(0);
    proxy.removeEndpoint(bad.url);
    proxy.addEndpoint(good.url);
    expect(proxy.endpoints.find(good.url)).toBe(0);
    const asked = bad.requests.length;
    await passTo(500);
    expect(bad.requests.length).toBe(asked);
    expect(good.requests.length).toBeGreaterThan(3);
    expect(proxy.healthyShare).toBe(1);
  });

  test('with a probe under way leave its answer to nobody', async () => {
    const [slow, good] = [await backends.serve('silence'), await backends.serve('ok')];
    const { proxy, time, changes } = watched([slow.url], { healthCheck: checkEveryMs, startsFit: true });
    await time.passTo(10);
    await until(() => slow.requests.length === 1);
    proxy.removeEndpoint(slow.url);
    await slow.abandoned();
    expect(proxy.watch.probesUnderWay).toBe(0);
    proxy.addEndpoint(good.url);
    await time.passTo(300, () => proxy.watch.probesUnderWay === 0);
    expect(changes.map(({ endpoint, holds }) => [endpoint, holds])).toEqual([[good.url, false]]);
  });
});

test('a kubelet asks for a restart, and checks again once that is done', async () => {
  let isWell = false;
  const backend = await backends.serve((_request, response) => void response.writeHead(isWell ? 200 : 500).end());
  const wanted: string[] = [];
  const { proxy, passTo, time } = watched([backend.url], {
    healthCheck: { use: 'kubelet', probes: ['liveness'], livenessPeriod: 1000, livenessFailureThreshold: 2 },
    onRestartWanted: (endpoint) => wanted.push(endpoint),
  });
  await passTo(10_000);
  expect(wanted).toEqual([backend.url]);
  const asked = backend.requests.length;
  await passTo(20_000);
  expect(backend.requests.length).toBe(asked);
  isWell = true;
  proxy.restarted(backend.url);
  await passTo(time.now() + 5000);
  expect(backend.requests.length).toBeGreaterThan(asked + 2);
  expect(wanted).toHaveLength(1);
  expect(proxy.healthyShare).toBe(1);
});

describe('heartbeats', () => {
  test('with a status are reports to the health checker, those without for the detector', async () => {
    const time = new ManualTime();
    const changes: string[] = [];
    const proxy = backends.keep(
      createProxy({
        endpoints: ['http://127.0.0.1:1'],
        balancer: inTurn,
        clock: time,
        timers: time,
        healthCheck: { use: 'consul', check: 'ttl', ttl: 300 },
        onHealth: ({ doubt, holds }) => changes.push(`${doubt} ${holds}`),
      }),
    );
    const port = await proxy.listenForHeartbeats(0);
    const from = 'http://127.0.0.1:1';
    const beats = { from, to: [`127.0.0.1:${port}`], everyMs: proxy.watch.reportEveryMs, clock: time, timers: time };
    expect(proxy.healthyShare).toBe(0);
    const sender = startHeartbeats({ ...beats, status: () => 'ok' });
    await until(() => proxy.healthyShare === 1);
    sender.close();
    await time.passTo(299);
    expect(proxy.healthyShare).toBe(1);
    await time.passTo(300);
    expect(changes).toEqual(['unfit false', 'unfit true']);
    const sick = startHeartbeats({ ...beats, status: () => 'degraded' });
    await until(() => changes.includes('degraded true'));
    sick.close();
  });

  test('that are none, or of strangers, are ignored', async () => {
    const heard: number[] = [];
    const { proxy } = watched(['http://a'], {
      detector: () => ({
        heartbeatEveryMs: 10,
        watch: () => undefined,
        unwatch: () => undefined,
        onHeartbeat: (_slot, _nowMs, sequence) => heard.push(sequence),
        nextTimerMs: () => Infinity,
        onTimer: () => undefined,
      }),
    });
    const port = await proxy.listenForHeartbeats(0);
    const socket = createSocket('udp4');
    const beat = { from: 'http://a', life: 1, number: 7, everyMs: 10 };
    // Datagrams on the loopback interface from one socket keep their order: the last one ends the test.
    const datagrams = [
      '',
      'nonsense',
      'null',
      '[]',
      '{"from":"http://a"}',
      { ...beat, from: 'http://b' },
      { ...beat, number: -1 },
    ]
      .concat([{ ...beat, status: 'toString' }, { ...beat, everyMs: 0 }, beat] as never)
      .map((each) => (typeof each === 'string' ? each : JSON.stringify(each)));
    for (const each of datagrams) await new Promise((resolve) => socket.send(each, port, '127.0.0.1', resolve));
    await until(() => heard.length > 0);
    expect(heard).toEqual([7]);
    socket.close();
  });

  test('of a process that stood still leave out what was due meanwhile', async () => {
    const heard: number[] = [];
    const socket = createSocket('udp4');
    await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
    socket.on('message', (bytes) => heard.push(readHeartbeat(bytes)!.number));
    const time = new ManualTime();
    let standsStillMs = 0;
    const clock = { now: () => time.now() + standsStillMs };
    const to = `127.0.0.1:${socket.address().port}`;
    const sender = startHeartbeats({ from: 'http://a', to, everyMs: 10, clock, timers: time });
    await time.passTo(25);
    standsStillMs = 31;
    await time.passTo(40);
    await until(() => heard.length === 5);
    sender.close();
    socket.close();
    // The timer due at 30 fires at 61; the next is due at 70.
    expect(heard).toEqual([0, 1, 2, 6, 7]);
    expect(time.pending).toBe(0);
  });

  test('go on counting over the lives of their sender', () => {
    const numbers = new HeartbeatNumbers();
    const beat = (life: number, number: number): Heartbeat => ({ from: 'http://a', life, number, everyMs: 100 });
    const heard = [
      numbers.of(beat(1, 0), 1000),
      numbers.of(beat(1, 2), 1200),
      numbers.of(beat(1, 1), 1210),
      // Three periods after the last, with a number of its own.
      numbers.of(beat(2, 0), 1510),
      numbers.of(beat(1, 3), 1520),
      numbers.of(beat(2, 1), 1610),
      // At once: it is the next at least.
      numbers.of(beat(3, 0), 1611),
    ];
    expect(heard).toEqual([0, 2, 1, 5, undefined, 6, 7]);
    expect(numbers.of({ ...beat(9, 4), status: 'ok' }, 1700)).toBe(4);
    numbers.forget('http://a');
    expect(numbers.of(beat(3, 40), 5000)).toBe(40);
  });

  test('are sent to addresses that are written as host and port', () => {
    expect([hostAndPort('10.0.0.1:80'), hostAndPort('[::1]:81')]).toEqual([
      { host: '10.0.0.1', port: 80 },
      { host: '::1', port: 81 },
    ]);
    for (const none of ['10.0.0.1', ':80', '10.0.0.1:0', '10.0.0.1:65536'])
      expect(() => hostAndPort(none)).toThrow('is no address');
    expect(() => startHeartbeats({ from: 'http://a', to: [], everyMs: 0 })).toThrow('every 0 ms');
    expect(() => startHeartbeats({ from: 'a', to: [], everyMs: 10 })).toThrow('not an endpoint');
  });
});

test('what the program says of an endpoint, and what others suspect, add up', async () => {
  const { proxy, words } = watched(['http://a', 'http://b'], {});
  const shares: number[] = [];
  const stop = proxy.onChange(() => shares.push(proxy.healthyShare));
  proxy.setHealth('http://a', healthStates.unhealthy);
  proxy.suspect('http://a', true);
  proxy.setHealth('http://a', healthStates.healthy);
  proxy.suspect('http://a', false);
  proxy.suspect('http://stranger', true);
  stop();
  proxy.setHealth('http://b', healthStates.excluded);
  expect(shares).toEqual([0.5, 0.5, 0.5, 1]);
  expect(words()).toEqual(['0 suspected', '0 not suspected']);
});
