/** Every health checker of the table against the contract, and the contract against checkers that break it. */
import { describe, expect, it } from 'vitest';
import {
  checkHealthChecker,
  envoyHealthCheck,
  type HealthChecker,
  healthCheckers,
  type HealthCheckerDeps,
} from '../../../../src/policies/detection/checks/index.ts';
import { healthCheckerRules } from '../../../../src/policies/detection/checks/contract.ts';

const variants: Readonly<Record<string, readonly object[]>> = {
  consul: [{ check: 'ttl' }, { successBeforePassing: 3, failuresBeforeWarning: 2, failuresBeforeCritical: 4 }],
  envoy: [{ initialJitter: 700, intervalJitterPercent: 0.4, healthyThreshold: 1, unhealthyThreshold: 1 }],
  eureka: [{ enableSelfPreservation: false }],
  haproxy: [{ fastinter: 500, downinter: 4000, spreadChecks: 0.2 }],
  kubelet: [
    { probes: ['liveness'] },
    { probes: ['liveness', 'readiness', 'startup'], readinessSuccessThreshold: 2 },
    { probes: ['startup'], recentKubeletStart: true },
  ],
};
/** Rules that a checker with these parameters breaks by design. */
const exempt: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'kubelet {"probes":["liveness"]}': {
    'notices an endpoint that dies, once, and that it is back, once':
      'without readiness a restarted container is ready when it is started, which its driver knows',
    'starts from what it is told of an endpoint': 'without readiness nothing would ever make an endpoint ready',
  },
  'kubelet {"probes":["startup"],"recentKubeletStart":true}': {
    'notices an endpoint that dies, once, and that it is back, once': 'nothing is probed after the start',
    'lets the sink watch and unwatch while it is being told': 'nothing is probed after the start',
  },
};

for (const definition of Object.values(healthCheckers)) {
  describe.each([{}, ...(variants[definition.name] ?? [])])(
    `${definition.name} %j keeps the contract of health checkers: it`,
    (params) => {
      for (const rule of healthCheckerRules) {
        const reason = exempt[`${definition.name} ${JSON.stringify(params)}`]?.[rule.name];
        const check = (): void => expect(rule.check((deps) => definition.make(params, deps))).toEqual([]);
        if (reason === undefined) it(rule.name, check);
        else it.skip(`${rule.name} (exempt: ${reason})`, check);
      }
    },
  );
}

describe('the contract', () => {
  const spoilt =
    (spoil: (checker: HealthChecker, deps: HealthCheckerDeps) => object) =>
    (deps: HealthCheckerDeps): HealthChecker => {
      const checker = envoyHealthCheck.make({}, deps);
      const honest: HealthChecker = {
        reportEveryMs: checker.reportEveryMs,
        startsAlive: checker.startsAlive,
        watch: (slot, nowMs, isAlive) => checker.watch(slot, nowMs, isAlive),
        unwatch: (slot) => checker.unwatch(slot),
        onResult: (slot, probe, result, nowMs) => checker.onResult(slot, probe, result, nowMs),
        onTraffic: (nowMs) => checker.onTraffic?.(nowMs),
        nextTimerMs: () => checker.nextTimerMs(),
        onTimer: (nowMs) => checker.onTimer(nowMs),
      };
      return { ...honest, ...spoil(honest, deps) };
    };
  const complaints = (spoil: Parameters<typeof spoilt>[0]): string => checkHealthChecker(spoilt(spoil)).join('\n');

  it('finds nothing wrong with an honest checker', () => {
    expect(checkHealthChecker(spoilt(() => ({})))).toEqual([]);
  });

  it('notices a checker that never probes', () => {
    expect(complaints(() => ({ nextTimerMs: () => Infinity }))).toContain('told [], expected [0 alive');
  });

  it('notices a checker that goes on probing endpoints nobody watches', () => {
    expect(complaints(() => ({ unwatch: () => {} }))).toMatch(/probed \d+, which nobody watches/);
  });

  it('notices a checker that ignores what is known of an endpoint', () => {
    expect(complaints((checker) => ({ watch: (slot: number, nowMs: number) => checker.watch(slot, nowMs) }))).toContain(
      'starts from what it is told of an endpoint',
    );
  });

  it('notices a checker that takes any result for the one it awaits', () => {
    const gullible = complaints((checker, deps) => {
      const failures = new Map<number, number>();
      return {
        onResult: (slot: number, probe: number, result: number, nowMs: number) => {
          failures.set(slot, result === 0 ? 0 : (failures.get(slot) ?? 0) + 1);
          if (failures.get(slot) === 3) deps.sink.believe(slot, false, nowMs);
          checker.onResult(slot, probe, result as 0, nowMs);
        },
      };
    });
    expect(gullible).toContain('ignores results that it does not await');
  });

  it('notices a checker that probes anew before the last probe has ended, or under an old number', () => {
    const hasty = complaints((checker, deps) => ({
      onTimer: (nowMs: number) => {
        checker.onTimer(nowMs);
        deps.prober.probe(1, 4_000_000 + 4 * nowMs, 900);
      },
    }));
    expect(hasty).toMatch(/probes of 1 under way/);
    const stuck = complaints((_, deps) => ({
      nextTimerMs: () => 1000,
      onTimer: () => deps.prober.probe(1, 4, 900),
    }));
    expect(stuck).toContain('sent two probes with the number 4');
  });
});
