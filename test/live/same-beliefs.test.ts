/** The same faults, once in the simulator and once over real sockets: health checkers, failure detectors and outlier detectors come to the
 *  same beliefs at the same moments. Time is moved on by hand on the live side, and stands still while messages are under way, which takes
 *  no time in the simulated network either. */
import http, { type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { createProxy, type HealthChange, type ProxyOptions, startHeartbeats } from '../../src/live/index.ts';
import { Streams } from '../../src/core/streams.ts';
import { healthCheckers } from '../../src/policies/detection/checks/index.ts';
import type { HealthCheckerDeps } from '../../src/policies/detection/checks/health-checker.ts';
import type { Detector, DetectorDeps } from '../../src/policies/detection/detector.ts';
import { detectors } from '../../src/policies/detection/index.ts';
import { outlierDetectors } from '../../src/policies/detection/outliers/index.ts';
import type { OutlierDetectorDeps } from '../../src/policies/detection/outliers/outlier-detector.ts';
import { fault, once as onceAt, phasesOf } from '../cluster/failures/setup.ts';
import { crash, errors, inTurn, play, type Played, type PlaySetup, rounded } from '../cluster/world-builder.ts';
import { ask, Backends } from './backends.ts';
import { ManualTime, until } from './manual-time.ts';

const backends = new Backends();
afterEach(() => backends.close());

type Beliefs = readonly (readonly [endpoint: number, atMs: number, isUsed: boolean])[];

const simulated = ({ beliefs }: Played): Beliefs =>
  beliefs.map(({ instance, atMs, alive }) => [Number(instance.split('/')[1]), rounded(atMs), alive]);

/** The random numbers that the simulator gives to its first client, and the balancer it uses in tests. */
const asSimulated = {
  rng: (policy: string) => new Streams('test:1').stream(`${streamNames[policy] ?? policy}/web/0`),
  balancer: inTurn,
};
const streamNames: Readonly<Record<string, string>> = { healthCheck: 'check' };

/** An instance that can be down (cuts connections), hang, or err. */
class Instance {
  state: 'up' | 'down' | 'hang' | 'errors' = 'up';
  url = '';
  readonly held = new Set<ServerResponse>();

  async open(): Promise<this> {
    const server = http.createServer((_request, response) => {
      if (this.state === 'hang') {
        this.held.add(response);
        response.on('close', () => this.held.delete(response));
      } else if (this.state === 'down') response.socket!.destroy();
      else response.writeHead(this.state === 'errors' ? 500 : 200).end();
    });
    backends.keep({ close: async () => void (server.close(), server.closeAllConnections()) });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return this;
  }
}

const twoInstances = (): Promise<readonly Instance[]> => Promise.all([new Instance().open(), new Instance().open()]);

function liveProxy(instances: readonly Instance[], time: ManualTime, options: Partial<ProxyOptions>) {
  const beliefs: [number, number, boolean][] = [];
  const used = instances.map(() => true);
  const onHealth = ({ endpoint, isUsed, atMs }: HealthChange): void => {
    const index = instances.findIndex(({ url }) => url === endpoint);
    if (used[index] !== isUsed) beliefs.push([index, rounded(atMs), isUsed]);
    used[index] = isUsed;
  };
  const endpoints = instances.map(({ url }) => url);
  const proxy = backends.keep(createProxy({ endpoints, ...asSimulated, clock: time, timers: time, onHealth, ...options }));
  return { proxy, beliefs };
}

describe('health checks', () => {
  const envoy = { interval: 100, timeout: 20, unhealthyThreshold: 3, healthyThreshold: 2 };
  const haproxy = { inter: 100, fall: 3, rise: 2 };
  const faults = [
    { name: 'an instance that is down', state: 'down', spec: crash(1, 250, 400), untilMs: 650 },
    { name: 'an instance that errs', state: 'errors', spec: errors(1, 1, 250, 400), untilMs: 650 },
    {
      name: 'an instance that hangs',
      state: 'hang',
      spec: fault({ type: 'hang', heartbeats: true }, [1], onceAt(250, 450)),
      untilMs: 700,
    },
  ] as const;
  const cases = [
    ['envoy', envoy],
    ['haproxy', haproxy],
    ['kubelet', { probes: ['readiness'], readinessPeriod: 100, readinessTimeout: 20 }],
    ['consul', { check: 'http', interval: 100, timeout: 20 }],
  ] as const;
  test.each(cases.flatMap(([use, params]) => faults.map((each) => ({ use, params, ...each }))))(
    '$use and $name',
    async ({ use, params, state, spec, untilMs }) => {
      const healthCheck = (deps: HealthCheckerDeps) => healthCheckers[use].make(params, deps);
      const expected = simulated(play({ at: [], instances: 2, edge: { healthCheck }, durationMs: 2000, faults: [spec] }));
      const instances = await twoInstances();
      const time = new ManualTime();
      const { proxy, beliefs } = liveProxy(instances, time, { healthCheck, startsFit: true });
      // Envoy's checks are rare until the first request. The simulated cluster has had traffic before.
      await ask(await proxy.listen(0));
      // What hangs is over when its time is up.
      const isSettled = (): boolean => proxy.watch.probesUnderWay === instances[0].held.size + instances[1].held.size;
      await time.passTo(249.999, isSettled);
      instances[1].state = state;
      await time.passTo(untilMs - 0.001, isSettled);
      instances[1].state = 'up';
      await time.passTo(2000, isSettled);
      expect(beliefs).toEqual(expected);
      expect(beliefs.map(([endpoint, , isUsed]) => [endpoint, isUsed])).toEqual([
        [1, false],
        [1, true],
      ]);
      await proxy.close();
      expect(time.pending).toBe(0);
    },
  );
});

describe('heartbeats', () => {
  const downMs = { from: 40_000, for: 55_000 };
  const endMs = 150_000;

  test.each(Object.keys(detectors))('%s notices a crash and a restart', async (name) => {
    const make = (deps: DetectorDeps): Detector => detectors[name].make({}, deps);
    const setup: PlaySetup = { at: [], instances: 2, detector: make, durationMs: endMs };
    const expected = simulated(play({ ...setup, faults: [crash(1, downMs.from, downMs.for)] }));
    const instances = await twoInstances();
    const time = new ManualTime();
    let heard = 0;
    let sent = 0;
    const detector = (deps: DetectorDeps): Detector => {
      const made = make(deps);
      const hear = made.onHeartbeat.bind(made);
      return Object.assign(made, {
        onHeartbeat: (slot: number, nowMs: number, sequence: number) => {
          heard++;
          hear(slot, nowMs, sequence);
        },
      });
    };
    const { proxy, beliefs } = liveProxy(instances, time, { detector });
    const port = await proxy.listenForHeartbeats(0);
    const everyMs = proxy.watch.heartbeatEveryMs;
    const phases = phasesOf('heartbeat/phase', 2);
    // Whoever sends looks at the clock once for each heartbeat, before it is sent.
    const start = (index: number, atMs: number): { close(): void } => {
      let senders: { close(): void } | undefined;
      const timers = {
        set: (delayMs: number, fire: () => void) => time.set(delayMs, () => (sent++, fire())),
      };
      const timer = time.set(atMs - time.now(), () => {
        sent++;
        senders = startHeartbeats({ from: instances[index].url, to: `127.0.0.1:${port}`, everyMs, clock: time, timers });
      });
      return {
        close: () => {
          timer.clear();
          senders?.close();
        },
      };
    };
    const firstFrom = (ms: number): number => (Math.ceil(ms / everyMs - phases[1]) + phases[1]) * everyMs;
    const isSettled = (): boolean => heard === sent;
    const [well, first] = [start(0, phases[0] * everyMs), start(1, phases[1] * everyMs)];
    await time.passTo(downMs.from, isSettled);
    first.close();
    await time.passTo(downMs.from + downMs.for, isSettled);
    const second = start(1, firstFrom(time.now()));
    await time.passTo(endMs, isSettled);
    well.close();
    second.close();
    expect(beliefs).toEqual(expected);
    expect(beliefs.map(([endpoint, , isUsed]) => [endpoint, isUsed])).toEqual([
      [1, false],
      [1, true],
    ]);
    await proxy.close();
    expect(time.pending).toBe(0);
  });
});

describe('outlier detection', () => {
  const envoy = { interval: 100, baseEjectionTime: 150, consecutive5xx: 3, maxEjectionPercent: 1 };
  const grpc = {
    interval: 100,
    baseEjectionTime: 150,
    failurePercentageEjection: true,
    failurePercentageThreshold: 0.5,
    failurePercentageMinimumHosts: 2,
    failurePercentageRequestVolume: 3,
    maxEjectionPercent: 0.5,
  };
  test.each([
    ['envoy', envoy],
    ['grpc', grpc],
  ] as const)('by the rules of %s', async (use, params) => {
    const at = Array.from({ length: 50 }, (_, k) => 10 * (k + 1) + 3);
    const outlier = (deps: OutlierDetectorDeps) => outlierDetectors[use].make(params, deps);
    const played = play({ at, work: 0, instances: 2, edge: { outlier }, faults: [errors(0, 1, 0, 95)] });
    const instances = await twoInstances();
    const time = new ManualTime();
    const { proxy, beliefs } = liveProxy(instances, time, { outlier });
    const port = await proxy.listen(0);
    instances[0].state = 'errors';
    for (const ms of at) {
      await time.passTo(ms);
      if (ms > 95) instances[0].state = 'up';
      await ask(port);
      await until(() => proxy.active === 0);
    }
    await time.passTo(1000);
    expect(beliefs).toEqual(simulated(played));
    expect(beliefs.map(([endpoint, , isUsed]) => [endpoint, isUsed])).toEqual([
      [0, false],
      [0, true],
    ]);
    await proxy.close();
    expect(time.pending).toBe(0);
  });
});
