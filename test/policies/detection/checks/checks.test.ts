/** What each health checker does in its own way. */
import { describe, expect, it } from 'vitest';
import {
  type HealthChecker,
  type HealthCheckerDefinition,
  healthCheckers,
  probeKind,
  probeKinds,
  type ProbeResult,
  probeResults,
} from '../../../../src/policies/detection/checks/index.ts';
import { envoyProbeResult } from '../../../../src/policies/detection/checks/envoy.ts';
import { type KubeletChecker, probeDetectionMs } from '../../../../src/policies/detection/checks/kubelet.ts';
import { probeStates } from '../../../../src/policies/detection/checks/parts/probe-runs.ts';
import type { Rng } from '../../../../src/core/rng.ts';
import { heapGrowth } from '../../../contracts/heap.ts';
import { testRng } from '../../fixtures.ts';

const { ok, degraded, unhealthy, failure, network, timeout } = probeResults;
const zeroRng: Rng = { next: () => 0, uint32: () => 0, below: () => 0 };

/** A checker with endpoints that answer at once, or do not. */
class Rig {
  readonly log: string[] = [];
  readonly checker: HealthChecker;
  /** What endpoints answer; `undefined` leaves the probe open. */
  answer: (slot: number, kind: number) => ProbeResult | undefined = () => ok;
  readonly probes: { slot: number; probe: number; atMs: number }[] = [];
  nowMs = 0;
  readonly #open: { slot: number; probe: number }[] = [];

  constructor(name: string, params: object, rng: Rng = zeroRng) {
    const definition: HealthCheckerDefinition = healthCheckers[name];
    const say = (text: string): number => this.log.push(`${this.nowMs}: ${text}`);
    this.checker = definition.make(params, {
      rng,
      prober: {
        probe: (slot, probe) => {
          this.probes.push({ slot, probe, atMs: this.nowMs });
          this.#open.push({ slot, probe });
        },
      },
      sink: {
        believe: (slot, alive) => say(`${slot} ${alive ? 'alive' : 'dead'}`),
        degrade: (slot, isDegraded) => say(`${slot} ${isDegraded ? 'degraded' : 'as good as ever'}`),
        restart: (slot) => say(`restart ${slot}`),
        deregister: (slot) => say(`deregister ${slot}`),
      },
    });
  }

  /** When probes of a kind were sent. */
  timesOf(kind: number = probeKinds.health): readonly number[] {
    return this.probes.filter(({ probe }) => probeKind(probe) === kind).map(({ atMs }) => atMs);
  }

  advanceTo(endMs: number): this {
    this.#settle();
    for (let nextMs = this.checker.nextTimerMs(); nextMs <= endMs; nextMs = this.checker.nextTimerMs()) {
      this.nowMs = nextMs;
      this.checker.onTimer(nextMs);
      this.#settle();
    }
    this.nowMs = endMs;
    return this;
  }

  #settle(): void {
    for (const sent of this.#open.splice(0)) {
      const result = this.answer(sent.slot, probeKind(sent.probe));
      if (result === undefined) this.#open.push(sent);
      else this.checker.onResult(sent.slot, sent.probe, result, this.nowMs);
      if (result === undefined) return;
    }
    if (this.#open.length > 0) this.#settle();
  }
}

describe('envoy', () => {
  const params = {
    interval: 1000,
    unhealthyInterval: 2000,
    unhealthyEdgeInterval: 300,
    healthyEdgeInterval: 400,
    unhealthyThreshold: 2,
    healthyThreshold: 2,
    noTrafficInterval: 9000,
    noTrafficHealthyInterval: 5000,
  };

  it('probes rarely until there is traffic, and does not hurry a probe that is already scheduled', () => {
    const rig = new Rig('envoy', params);
    rig.checker.watch(0, 0);
    rig.advanceTo(6000);
    rig.checker.onTraffic?.(6000);
    rig.advanceTo(12_500);
    expect(rig.timesOf()).toEqual([0, 5000, 10_000, 11_000, 12_000]);
    expect(rig.log).toEqual(['0: 0 alive']);
  });

  it('has an interval for each phase of a failure', () => {
    const rig = new Rig('envoy', params);
    rig.checker.onTraffic?.(0);
    rig.checker.watch(0, 0, true);
    rig.answer = () => (rig.nowMs < 3000 ? network : ok);
    rig.advanceTo(6000);
    expect(rig.timesOf()).toEqual([0, 300, 2300, 4300, 4700, 5700]);
    expect(rig.log).toEqual(['300: 0 dead', '4700: 0 alive']);
  });

  it('fails an endpoint at once that says it is unfit, and counts what may pass', () => {
    const rig = new Rig('envoy', { unhealthyThreshold: 5 });
    rig.checker.onTraffic?.(0);
    rig.checker.watch(0, 0, true);
    rig.checker.watch(1, 0, true);
    rig.answer = (slot) => (slot === 0 ? unhealthy : failure);
    rig.advanceTo(60_000);
    expect(rig.log).toEqual(['0: 0 dead', '20000: 1 dead']);
  });

  it('spares degraded endpoints without failing them', () => {
    const rig = new Rig('envoy', { interval: 1000 });
    rig.checker.onTraffic?.(0);
    rig.checker.watch(0, 0, true);
    rig.answer = () => (rig.nowMs === 1000 || rig.nowMs === 2000 ? degraded : ok);
    rig.advanceTo(4000);
    expect(rig.log).toEqual(['1000: 0 degraded', '3000: 0 as good as ever']);
  });

  it('reads statuses as configured', () => {
    expect(envoyProbeResult(200)).toBe(ok);
    expect(envoyProbeResult(200, true)).toBe(degraded);
    expect(envoyProbeResult(503)).toBe(unhealthy);
    expect(envoyProbeResult(503, false, [503])).toBe(failure);
  });

  // n = 2000 intervals, uniform on 5000 + 0 … 1999: mean 5999.5, standard error 12.9; five of them, and the seed is fixed.
  it('spreads its probes by the jitter asked for', () => {
    const rig = new Rig('envoy', { interval: 5000, intervalJitterPercent: 0.4 }, testRng(5));
    rig.checker.onTraffic?.(0);
    rig.checker.watch(0, 0, true);
    while (rig.probes.length < 2001) rig.advanceTo(rig.checker.nextTimerMs());
    const times = rig.timesOf();
    const gaps = times.slice(1).map((atMs, i) => atMs - times[i]);
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(5000);
    expect(Math.max(...gaps)).toBeLessThan(7000);
    expect(Math.abs((times[2000] - times[0]) / 2000 - 5999.5)).toBeLessThan(65);
  });
});

describe('haproxy', () => {
  it('quickens while a server is on its way, and slows down for one that is down', () => {
    const rig = new Rig('haproxy', { inter: 2000, fastinter: 500, downinter: 5000 });
    rig.checker.watch(0, 0);
    rig.answer = () => (rig.nowMs >= 4000 && rig.nowMs < 9000 ? timeout : ok);
    rig.advanceTo(14_000);
    // Up at the brink, one good check to the top; two failures on the way, the third takes it down; up again by two good checks.
    expect(rig.timesOf()).toEqual([0, 2000, 4000, 4500, 5000, 10_000, 10_500, 12_500]);
    expect(rig.log).toEqual(['5000: 0 dead', '10500: 0 alive']);
  });

  it('takes a fresh server down at its first failure', () => {
    const rig = new Rig('haproxy', {});
    rig.checker.watch(0, 0);
    rig.answer = () => network;
    rig.advanceTo(10);
    expect(rig.log).toEqual(['0: 0 dead']);
  });
});

describe('kubelet', () => {
  it('notices a dead container within the range that its settings promise', () => {
    const { minMs, maxMs } = probeDetectionMs(10_000, 1000, 3, true);
    for (const crashMs of [20_001, 25_000, 29_999]) {
      const rig = new Rig('kubelet', {});
      rig.checker.watch(0, 0, true);
      rig.answer = () => (rig.nowMs >= crashMs ? network : ok);
      rig.advanceTo(100_000);
      const tookMs = Number(rig.log[0].split(':')[0]) - crashMs;
      expect(tookMs).toBeGreaterThan(minMs);
      expect(tookMs).toBeLessThan(maxMs);
    }
  });

  it('lets the startup probe come first, and then asks for readiness at once', () => {
    const rig = new Rig('kubelet', {
      probes: ['startup', 'readiness', 'liveness'],
      startupPeriod: 3000,
      startupFailureThreshold: 10,
    });
    rig.checker.watch(0, 0);
    rig.answer = (_slot, kind) => (kind !== probeKinds.startup || rig.nowMs >= 7000 ? ok : failure);
    rig.advanceTo(25_000);
    expect(rig.timesOf(probeKinds.startup)).toEqual([0, 3000, 6000, 9000]);
    expect(rig.timesOf(probeKinds.readiness)).toEqual([9000, 10_000, 20_000]);
    expect(rig.timesOf(probeKinds.liveness)).toEqual([10_000, 20_000]);
    expect(rig.log).toEqual(['9000: 0 alive']);
  });

  it('asks for a restart when liveness fails, and is quiet until there is a new container', () => {
    const rig = new Rig('kubelet', { probes: ['readiness', 'liveness'] });
    rig.checker.watch(0, 0);
    rig.answer = (_slot, kind) => (kind === probeKinds.liveness ? timeout : ok);
    rig.advanceTo(60_000);
    expect(rig.log).toEqual(['0: 0 alive', '20000: 0 dead', '20000: restart 0']);
    expect(rig.checker.nextTimerMs()).toBe(Infinity);
    rig.answer = () => ok;
    rig.checker.watch(0, 60_000);
    rig.advanceTo(61_000);
    expect(rig.log[3]).toBe('60000: 0 alive');
  });

  it('counts the initial delay in whole seconds', () => {
    const rig = new Rig('kubelet', { readinessInitialDelay: 2000, readinessPeriod: 1000 }, { ...zeroRng, next: () => 0.5 });
    rig.checker.watch(0, 0);
    rig.advanceTo(3000);
    expect(rig.timesOf(probeKinds.readiness)).toEqual([2000, 3000]);
    expect((rig.checker as KubeletChecker).stateOf(0, probeKinds.readiness)).toBe(probeStates.success);
  });

  it('makes up for one tick, and not for more, after a probe that took too long', () => {
    const rig = new Rig('kubelet', { readinessPeriod: 1000, readinessTimeout: 10_000 });
    rig.checker.watch(0, 0);
    rig.answer = () => (rig.nowMs < 1500 || rig.nowMs > 3500 ? ok : undefined);
    rig.advanceTo(3700);
    rig.advanceTo(5000);
    // The probe of 2000 is open until 3700; the tick at 3000 is made up for then.
    expect(rig.timesOf(probeKinds.readiness)).toEqual([0, 1000, 2000, 3700, 4000, 5000]);
  });
});

describe('consul', () => {
  it('is critical until the first result, which counts at once', () => {
    const rig = new Rig('consul', { successBeforePassing: 3 });
    rig.checker.watch(0, 0);
    rig.advanceTo(0);
    expect(rig.log).toEqual(['0: 0 alive']);
  });

  it('warns before it gives up, and counts a warning as fit unless told otherwise', () => {
    const thresholds = { failuresBeforeWarning: 2, failuresBeforeCritical: 3 };
    const run = (onlyPassing: boolean): string[] => {
      const rig = new Rig('consul', { ...thresholds, onlyPassing });
      rig.checker.watch(0, 0, true);
      rig.answer = () => (rig.nowMs >= 10_000 ? network : ok);
      return rig.advanceTo(60_000).log;
    };
    expect(run(false)).toEqual(['20000: 0 degraded', '30000: 0 dead', '30000: 0 as good as ever']);
    expect(run(true)[0]).toBe('20000: 0 dead');
  });

  it('removes a service that stays critical, at a tick of half a minute', () => {
    const rig = new Rig('consul', { deregisterCriticalServiceAfter: 1000 });
    rig.checker.watch(0, 0, true);
    rig.answer = () => (rig.nowMs >= 5000 ? network : ok);
    rig.advanceTo(200_000);
    // Critical from 10 s on; the shortest time is a minute.
    expect(rig.log).toEqual(['10000: 0 dead', '90000: deregister 0']);
    expect(rig.checker.nextTimerMs()).toBe(Infinity);
  });

  it('trusts reports for their time to live and not at its end', () => {
    const rig = new Rig('consul', { check: 'ttl', ttl: 10_000 });
    expect(rig.checker.reportEveryMs).toBe(5000);
    rig.checker.watch(0, 0);
    rig.checker.onReport?.(0, ok, 1000);
    rig.advanceTo(10_999);
    expect(rig.log).toEqual(['0: 0 alive']);
    rig.advanceTo(11_000);
    expect(rig.log[1]).toBe('11000: 0 dead');
    expect(rig.probes).toEqual([]);
  });
});

describe('eureka', () => {
  /** A registry of instances that renew every 30 s until each one's end. */
  function run(endsMs: readonly number[], untilMs: number, params = {}): Rig {
    const rig = new Rig('eureka', params, testRng(3));
    endsMs.forEach((_, slot) => rig.checker.watch(slot, 0));
    for (let atMs = 30_000; atMs <= untilMs; atMs += 30_000) {
      rig.advanceTo(atMs - 1);
      rig.nowMs = atMs - 1;
      endsMs.forEach((endMs, slot) => atMs < endMs && rig.checker.onReport?.(slot, ok, atMs - 1));
    }
    return rig.advanceTo(untilMs);
  }

  it('evicts a silent instance after twice its lease, at the next run', () => {
    const rig = run([100_000, ...Array.from({ length: 9 }, () => Infinity)], 600_000);
    // The last renewal was at 90 s: expired from 270 s on, found by the run at 300 s.
    expect(rig.log).toEqual(['300000: 0 dead']);
  });

  it('keeps everybody when too many fall silent at once', () => {
    const ends = Array.from({ length: 10 }, (_, slot) => (slot < 3 ? 100_000 : Infinity));
    expect(run(ends, 3_600_000).log).toEqual([]);
    expect(run(ends, 3_600_000, { enableSelfPreservation: false }).log).toHaveLength(3);
  });

  it('evicts no more than its share per run', () => {
    const ends = Array.from({ length: 10 }, (_, slot) => (slot < 5 ? 100_000 : Infinity));
    const times = run(ends, 3_600_000, { enableSelfPreservation: false }).log.map((line) => line.split(':')[0]);
    // Of 10, 8 and 6 registered: 2, 2 and 1.
    expect(times).toEqual(['300000', '300000', '360000', '360000', '420000']);
  });

  it('believes an instance that says it is down, and takes back an evicted one at its next report', () => {
    const rig = run([100_000, ...Array.from({ length: 9 }, () => Infinity)], 330_000);
    rig.checker.onReport?.(0, ok, 330_000);
    rig.checker.onReport?.(1, unhealthy, 330_000);
    expect(rig.log.slice(1)).toEqual(['330000: 0 alive', '330000: 1 dead']);
  });
});

it.each(['consul', 'envoy', 'haproxy', 'kubelet'])('%s allocates nothing per probe', (name) => {
  let sent = 0;
  let last = 0;
  const checker = healthCheckers[name].make(
    {},
    { rng: zeroRng, prober: { probe: (_slot, probe) => (last = probe) }, sink: { believe: () => {} } },
  );
  checker.watch(0, 0, true);
  const probes = 50_000;
  const run = (): void => {
    for (let i = 0; i < probes; i++) {
      const nowMs = checker.nextTimerMs();
      checker.onTimer(nowMs);
      checker.onResult(0, last, ok, nowMs);
      sent++;
    }
  };
  // Times and numbers of probes may be boxed on the way between driver and checker: 16 bytes each, of which there are at most
  // five. A result object or a closure per probe would come on top of that.
  const allowed = 96 * probes;
  expect(heapGrowth(run, allowed)).toBeLessThan(allowed);
  expect(sent).toBeGreaterThan(0);
});
