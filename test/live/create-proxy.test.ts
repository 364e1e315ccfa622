/** The proxy between real callers and real servers on the loopback interface: what it passes on, what it answers itself, and what it leaves
 *  behind. */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { createProxy, type Decision, type Proxy, type ProxyOptions } from '../../src/live/index.ts';
import { healthStates, type LoadReport } from '../../src/policies/balancing/balancer.ts';
import { inTurn, inWords } from '../policies/pipeline/world.ts';
import { ask, Backends } from './backends.ts';

const backends = new Backends();
afterEach(() => backends.close());

async function proxyTo(
  endpoints: ProxyOptions['endpoints'],
  options: Partial<ProxyOptions> = {},
): Promise<{ port: number; proxy: Proxy; decided: Decision[] }> {
  const decided: Decision[] = [];
  const proxy = backends.keep(
    createProxy({ endpoints, balancer: inTurn, onDecision: (decision) => decided.push(decision), ...options }),
  );
  return { port: await proxy.listen(0), proxy, decided };
}
const finished = (decided: readonly Decision[]): readonly string[] =>
  decided.filter(({ kind }) => kind === 'finished').map(inWords);

describe('a request', () => {
  test('arrives with its method, path, headers and body, and tells where it comes from', async () => {
    const backend = await backends.serve((_request, response) => response.writeHead(201, { 'x-from': 'backend' }).end('made'));
    const { port } = await proxyTo([backend.url]);
    const answer = await ask(port, {
      method: 'POST',
      path: '/things?a=1',
      headers: { 'x-own': 'yes', te: 'trailers', connection: 'close, x-hop', 'x-hop': '1' },
      body: 'content',
    });
    expect(answer).toMatchObject({ status: 201, text: 'made', headers: { 'x-from': 'backend' } });
    const [request] = backend.requests;
    expect(request).toMatchObject({ method: 'POST', path: '/things?a=1', body: 'content' });
    expect(request.headers).toMatchObject({
      'x-own': 'yes',
      'x-forwarded-for': '127.0.0.1',
      'content-length': '7',
      host: `127.0.0.1:${port}`,
    });
    expect(Object.keys(request.headers)).not.toEqual(expect.arrayContaining(['x-hop']));
    expect(request.headers.te).toBeUndefined();
  });

  test('is repeated with the same body', async () => {
    const [one, two] = [await backends.serve('lost'), await backends.serve('ok')];
    const { port } = await proxyTo([one.url, two.url], { retry: { use: 'immediate', retries: 1 } });
    expect((await ask(port, { method: 'PUT', body: 'content' })).text).toBe('fine');
    expect([one.requests[0].body, two.requests[0].body]).toEqual(['content', 'content']);
  });

  test('is repeated only if its method allows it, or surely nobody has worked on it', async () => {
    const resultOf = async (behaviour: 'error' | 'lost' | 'shed' | 'nobody', method: string): Promise<number> => {
      const first = behaviour === 'nobody' ? await backends.nobody() : (await backends.serve(behaviour)).url;
      const second = await backends.serve('ok');
      const retry = { use: 'immediate', retries: 1, on: ['error', 'lost', 'refused', 'shed'] };
      const { port } = await proxyTo([first, second.url], { retry });
      return (await ask(port, { method, headers: { 'content-length': 1 }, body: 'x' })).status;
    };
    expect([await resultOf('error', 'POST'), await resultOf('lost', 'POST')]).toEqual([500, 502]);
    expect([await resultOf('shed', 'POST'), await resultOf('nobody', 'POST')]).toEqual([200, 200]);
    expect([await resultOf('error', 'PUT'), await resultOf('lost', 'DELETE')]).toEqual([200, 200]);
  });

  test('is refused when its body is longer than allowed, whether it says so or not', async () => {
    const backend = await backends.serve('ok');
    const { port } = await proxyTo([backend.url], { maxBodyBytes: 10 });
    const statuses = [
      await ask(port, { method: 'POST', body: 'x'.repeat(10) }),
      await ask(port, { method: 'POST', body: 'x'.repeat(11) }),
      await ask(port, { method: 'POST', headers: { 'transfer-encoding': 'chunked' }, body: 'x'.repeat(11) }),
    ].map(({ status }) => status);
    expect(statuses).toEqual([200, 413, 413]);
    expect(backend.requests).toHaveLength(1);
  });

  test('goes where its key hashes to', async () => {
    const three = [await backends.serve('ok'), await backends.serve('ok'), await backends.serve('ok')];
    const { port } = await proxyTo(
      three.map(({ url }) => url),
      { balancer: 'maglev', keyOf: ({ headers }) => headers['x-user'] as string | undefined },
    );
    const users = Array.from({ length: 12 }, (_, i) => `user ${i}`);
    for (let round = 0; round < 3; round++) for (const user of users) await ask(port, { headers: { 'x-user': user } });
    const usersOf = three.map(({ requests }) => new Set(requests.map(({ headers }) => headers['x-user'])));
    // Every user at one endpoint, and not all at the same.
    expect(usersOf.reduce((sum, { size }) => sum + size, 0)).toBe(12);
    expect(usersOf.filter(({ size }) => size > 0).length).toBeGreaterThan(1);
  });

  test('that cannot be sent on is refused, and held against no endpoint', async () => {
    const backend = await backends.serve('ok');
    const { proxy, decided } = await proxyTo([backend.url]);
    const server = http.createServer((request, response) => proxy.handle(Object.assign(request, { url: '/a b' }), response));
    backends.keep({ close: () => new Promise((resolve) => server.close(() => resolve())) });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    expect((await ask((server.address() as AddressInfo).port)).status).toBe(400);
    expect(decided).toEqual([]);
  });

  test('hands down what is left of its deadline, and is not sent without', async () => {
    const backend = await backends.serve('ok');
    const { port } = await proxyTo([backend.url], { deadlineHeader: 'X-Timeout-Ms', timeoutMs: 5000 });
    await ask(port, { headers: { 'x-timeout-ms': '2000' } });
    await ask(port);
    const sent = backend.requests.map(({ headers }) => Number(headers['x-timeout-ms']));
    expect(sent[0]).toBeLessThanOrEqual(2000);
    expect(sent[1]).toBeLessThanOrEqual(5000);
    expect(Math.min(...sent)).toBeGreaterThan(0);
    expect((await ask(port, { headers: { 'x-timeout-ms': '0' } })).status).toBe(504);
    expect(backend.requests).toHaveLength(2);
  });
});

describe('a proxy that is reconfigured', () => {
  test('finishes what is under way by the settings it began with, and begins the next by the new ones', async () => {
    let fail = (): void => undefined;
    let taken = (): void => undefined;
    const isTaken = new Promise<void>((resolve) => (taken = resolve));
    const held = await backends.serve((_request, response) => {
      fail = () => response.writeHead(500).end('broken');
      taken();
    }, 'error');
    const well = await backends.serve('ok');
    const { port, proxy, decided } = await proxyTo([held.url, well.url], {
      retry: { use: 'immediate', retries: 1, on: ['error'] },
      attemptTimeoutMs: 60_000,
    });
    const first = ask(port);
    await isTaken;
    const always = { update: () => undefined, pick: () => proxy.endpoints.find(held.url) };
    const fallback = { on: ['error' as const], answer: { status: 203, body: 'by heart' } };
    proxy.reconfigure({ balancer: () => always, fallback });
    expect((await ask(port)).text).toBe('by heart');
    fail();
    expect((await first).text).toBe('fine');
    expect(decided.map(inWords)).toEqual([
      `sent 0.0 to ${held.url}`,
      `sent 1.0 to ${held.url}`,
      'ended 1.0 error',
      'finished 1 ok (fallback)',
      'ended 0.0 error',
      `sent 0.1 to ${well.url} (retry)`,
      'ended 0.1 ok',
      'finished 0 ok',
    ]);
    expect(proxy.active).toBe(0);
  });

  test('has the new timeout, and wakes the new balancer', async () => {
    const backend = await backends.serve('silence');
    const { port, proxy } = await proxyTo([backend.url], { timeoutMs: 60_000 });
    const woken = new Promise<void>((resolve) => {
      let nextMs = 0;
      const onTimer = (): void => {
        nextMs = Infinity;
        resolve();
      };
      const timed = { ...inTurn(), nextTimerMs: () => nextMs, onTimer };
      proxy.reconfigure({ balancer: () => timed, timeoutMs: 20 });
    });
    expect((await ask(port)).status).toBe(504);
    await woken;
  });

  test('stays as it is when the settings are wrong', async () => {
    const backend = await backends.serve('ok');
    const { port, proxy } = await proxyTo([backend.url]);
    expect(() => proxy.reconfigure({ balancer: 'p3c' })).toThrow('there is no policy "p3c"');
    expect(() => proxy.reconfigure({ balancer: 'p2c', timeoutMs: -1 })).toThrow('timeoutMs cannot be -1');
    expect((await ask(port)).text).toBe('fine');
  });
});

describe('an answer', () => {
  test('is handed on as it comes, and counts as in flight until its end', async () => {
    let finish = (): void => undefined;
    const backend = await backends.serve((_request, response) => {
      response.write('first ');
      finish = () => response.end('last');
    });
    const { port, proxy, decided } = await proxyTo([backend.url], {
      hedge: { use: 'delay', delay: 1, maxHedgedAttempts: 1 },
      balancer: 'p2c',
    });
    const request = http.request({ port, host: '127.0.0.1', agent: false, method: 'POST' }).end();
    const [answer] = (await once(request, 'response')) as [http.IncomingMessage];
    const [part] = (await once(answer, 'data')) as [Buffer];
    expect(String(part)).toBe('first ');
    expect([proxy.endpoints.table.active[0], proxy.active]).toEqual([1, 1]);
    expect(finished(decided)).toEqual([]);
    finish();
    await once(answer, 'end');
    expect([proxy.endpoints.table.active[0], proxy.active]).toEqual([0, 0]);
    expect(finished(decided)).toEqual(['finished 0 ok']);
  });

  test('that breaks off reaches the caller as broken off, and is a lost connection', async () => {
    const { port, decided } = await proxyTo([(await backends.serve('broken')).url], { retry: { use: 'immediate', retries: 3 } });
    await expect(ask(port)).rejects.toThrow('aborted');
    expect(finished(decided)).toEqual(['finished 0 lost']);
  });

  test('may be without a body, and repeat a header', async () => {
    const backend = await backends.serve((_request, response) => {
      response.writeHead(204, { 'set-cookie': ['a=1', 'b=2'] }).end();
    }, 'error');
    const { port } = await proxyTo([backend.url]);
    expect(await ask(port)).toMatchObject({ status: 204, text: '', headers: { 'set-cookie': ['a=1', 'b=2'] } });
    expect(await ask(port, { method: 'HEAD' })).toMatchObject({ status: 500, text: '' });
  });

  test('of an endpoint that fails is handed on when nothing is tried instead', async () => {
    const backend = await backends.serve('error', 'shed');
    const { port } = await proxyTo([backend.url]);
    expect(await ask(port)).toMatchObject({ status: 500, text: 'broken' });
    expect(await ask(port)).toMatchObject({ status: 503, text: 'busy', headers: { 'x-envoy-overloaded': 'true' } });
  });

  test('comes from the proxy where there is none, with the reason', async () => {
    const answerOf = async (endpoints: readonly string[], options: Partial<ProxyOptions> = {}): Promise<string> => {
      const { port } = await proxyTo(endpoints, options);
      const { status, headers } = await ask(port);
      return `${status} ${headers['proxy-status'] as string}`;
    };
    const [lost, silent] = [(await backends.serve('lost')).url, (await backends.serve('silence')).url];
    expect(await answerOf([])).toBe('503 clusterlab; error=destination_not_found');
    expect(await answerOf([await backends.nobody()])).toBe('502 clusterlab; error=connection_refused');
    expect(await answerOf([lost])).toBe('502 clusterlab; error=connection_terminated');
    expect(await answerOf([silent], { timeoutMs: 20 })).toBe('504 clusterlab; error=http_response_timeout');
    expect(await answerOf([silent], { attemptTimeoutMs: 20 })).toBe('504 clusterlab; error=http_response_timeout');
    expect(await answerOf([silent], { admission: () => ({ admit: () => false, onEnd: () => undefined, limit: () => 0 }) })).toBe(
      '503 clusterlab; error=http_request_denied',
    );
  });

  test('is the fallback’s for the results that it stands in for', async () => {
    const fallback = {
      on: ['error', 'refused'] as const,
      answer: { status: 200, headers: { 'x-stale': '1' }, body: 'as of yesterday' },
    };
    const { port } = await proxyTo(
      [(await backends.serve('error')).url, await backends.nobody(), (await backends.serve('lost')).url],
      { fallback },
    );
    const stale = { status: 200, text: 'as of yesterday', headers: { 'x-stale': '1' } };
    expect([await ask(port), await ask(port)]).toMatchObject([stale, stale]);
    expect((await ask(port)).status).toBe(502);
  });

  test('means what the options say it means', async () => {
    const [one, two] = [await backends.serve((_request, response) => response.writeHead(404).end()), await backends.serve('ok')];
    const { port } = await proxyTo([one.url, two.url], {
      retry: { use: 'immediate', retries: 1 },
      outcomeOf: ({ statusCode }) => (statusCode === 404 ? 1 : 0),
    });
    expect((await ask(port)).status).toBe(200);
  });

  test('may carry a load report, and so may probes', async () => {
    const reported: string[] = [];
    const report: LoadReport = {
      queriesPerSecond: 0,
      errorsPerSecond: 0,
      utilization: 0.5,
      inFlight: 3,
      queueLength: 0,
      latencyMs: 1,
      isProbe: false,
    };
    const backend = await backends.serve((_request, response) => response.writeHead(200, { 'x-load': '0.5' }).end());
    const probed: string[] = [];
    const { port } = await proxyTo([backend.url], {
      balancer: () => ({
        ...inTurn(),
        onReport: (slot, _nowMs, { utilization, isProbe }) => reported.push(`${slot} ${utilization} ${isProbe}`),
        probes: (out) => {
          out[0] = 0;
          return 1;
        },
      }),
      reportOf: ({ headers }) => ({ ...report, utilization: Number(headers['x-load']) }),
      probe: (endpoint) => {
        probed.push(endpoint);
        return probed.length === 1
          ? Promise.resolve({ ...report, utilization: 0.7, isProbe: true })
          : Promise.reject(new Error('no answer'));
      },
    });
    await ask(port);
    await ask(port);
    expect(reported.toSorted()).toEqual(['0 0.5 false', '0 0.5 false', '0 0.7 true']);
    expect(probed).toEqual([backend.url, backend.url]);
  });
});

describe('a caller that leaves', () => {
  test('takes the attempt along', async () => {
    const backend = await backends.serve('silence');
    const { port, proxy, decided } = await proxyTo([backend.url], { retry: 'immediate' });
    const request = http.request({ port, host: '127.0.0.1', agent: false }).end();
    request.on('error', () => undefined);
    while (decided.length === 0) await new Promise(setImmediate);
    request.destroy();
    await backend.abandoned();
    expect(decided.map(inWords).slice(1)).toEqual(['dropped 0.0', 'finished 0 cancelled']);
    expect(proxy.endpoints.table.active[0]).toBe(0);
  });
});

describe('the losers of a hedge', () => {
  test('are told that nobody waits', async () => {
    const [slow, quick] = [await backends.serve('silence'), await backends.serve('ok')];
    const { port } = await proxyTo([slow.url, quick.url], { hedge: { use: 'delay', delay: 10 } });
    expect((await ask(port)).text).toBe('fine');
    await slow.abandoned();
  });
});

describe('endpoints', () => {
  test('come and go while it runs, and are left out while unhealthy', async () => {
    const [one, two] = [await backends.serve('ok'), await backends.serve('ok')];
    const { port, proxy } = await proxyTo([one.url]);
    const counts = async (): Promise<readonly number[]> => {
      for (let i = 0; i < 4; i++) await ask(port);
      return [one.requests.splice(0).length, two.requests.splice(0).length];
    };
    expect(await counts()).toEqual([4, 0]);
    proxy.addEndpoint({ url: two.url, weight: 2 });
    expect(await counts()).toEqual([2, 2]);
    proxy.setHealth(one.url, healthStates.unhealthy);
    expect(await counts()).toEqual([0, 4]);
    proxy.setHealth(one.url, healthStates.healthy);
    proxy.removeEndpoint(two.url);
    expect(await counts()).toEqual([4, 0]);
    expect(() => proxy.removeEndpoint(two.url)).toThrow('there is no endpoint');
  });
});

describe('a proxy', () => {
  test('opens no port by itself: any server can use it', async () => {
    const backend = await backends.serve('ok');
    const proxy = backends.keep(createProxy({ endpoints: [backend.url], balancer: 'round-robin' }));
    const server = http.createServer(proxy.handle).listen(0, '127.0.0.1');
    backends.keep({ close: () => new Promise((resolve) => server.close(() => resolve())) });
    await once(server, 'listening');
    expect((await ask((server.address() as AddressInfo).port)).text).toBe('fine');
  });

  test('serves many at a time, and nothing is left of them', async () => {
    const three = [await backends.serve('ok'), await backends.serve('error'), await backends.serve('lost')];
    const { port, proxy, decided } = await proxyTo(
      three.map(({ url }) => url),
      {
        balancer: 'p2c',
        retry: { use: 'immediate', retries: 5 },
        breaker: { use: 'resilience4j-count', minimumNumberOfCalls: 1000 },
        admission: 'semaphore',
      },
    );
    const agent = new http.Agent({ keepAlive: true, maxSockets: 20 });
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask(port, { agent })));
    agent.destroy();
    expect(new Set(answers.map(({ status }) => status))).toContain(200);
    expect(finished(decided)).toHaveLength(200);
    expect(proxy.active).toBe(0);
    expect([...proxy.endpoints.table.active.subarray(0, 3)]).toEqual([0, 0, 0]);
  });

  test('waits for what is under way when it closes, as long as it is told to', async () => {
    let finish = (): void => undefined;
    const backend = await backends.serve((_request, response) => {
      finish = () => response.end('fine');
      arrived();
    });
    let arrived = (): void => undefined;
    const { port, proxy } = await proxyTo([backend.url]);
    const begun = new Promise<void>((resolve) => (arrived = resolve));
    const answer = ask(port);
    await begun;
    const closed = proxy.close(60_000);
    finish();
    expect((await answer).text).toBe('fine');
    await closed;
    await expect(ask(port)).rejects.toThrow('ECONNREFUSED');
  });
});
