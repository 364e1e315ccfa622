/** What the outlier detectors do where they differ from each other, and where their settings surprise. */
import { beforeEach, describe, expect, it } from 'vitest';
import { type EnvoyOutlierDetector, envoyOutliers } from '../../../../src/policies/detection/outliers/envoy.ts';
import { type GrpcOutlierDetector, grpcOutliers } from '../../../../src/policies/detection/outliers/grpc.ts';
import { type AttemptOutcome, attemptOutcomes } from '../../../../src/policies/detection/outliers/outlier-detector.ts';
import { testRng, unusedRng } from '../../fixtures.ts';

const { ok, error, timeout, refused, cancelled, shed } = attemptOutcomes;
let log: string[];
const sink = {
  eject: (slot: number, isEjected: boolean, nowMs: number, reason: string) =>
    log.push(`${nowMs}: ${slot} ${isEjected ? 'out' : 'back'}, ${reason}`),
};
beforeEach(() => {
  log = [];
});

describe('envoy', () => {
  const make = (hosts: number, params: Parameters<typeof envoyOutliers.make>[0], rng = unusedRng): EnvoyOutlierDetector => {
    const detector = envoyOutliers.make(params, { rng, sink }) as EnvoyOutlierDetector;
    for (let slot = 0; slot < hosts; slot++) detector.watch(slot, 0);
    return detector;
  };
  const feed = (detector: EnvoyOutlierDetector, slot: number, ...outcomes: readonly AttemptOutcome[]): void => {
    for (const outcome of outcomes) detector.onEnd(slot, outcome, 0);
  };
  const times = (count: number, outcome: AttemptOutcome): readonly AttemptOutcome[] =>
    Array.from({ length: count }, () => outcome);

  it('takes timeouts, refusals and shed requests for gateway errors, and cancelled ones for nothing', () => {
    const detector = make(10, { consecutiveGatewayFailure: 4, enforcingConsecutiveGatewayFailure: 1 });
    feed(detector, 0, timeout, cancelled, refused, shed, error, timeout, refused, shed, timeout);
    expect(log).toEqual(['0: 0 out, consecutive-5xx']);
    log = [];
    feed(
      make(10, { consecutiveGatewayFailure: 4, enforcingConsecutiveGatewayFailure: 1 }),
      0,
      timeout,
      cancelled,
      refused,
      shed,
      timeout,
    );
    expect(log).toEqual(['0: 0 out, consecutive-gateway-failure']);
  });

  it('judges failures to get an answer apart where told to', () => {
    const detector = make(10, { splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailure: 3 });
    feed(detector, 0, timeout, timeout, error, timeout, refused, timeout);
    expect(log).toEqual(['0: 0 out, consecutive-local-origin-failure']);
    // An answer, good or bad, shows that the connection works; only the error answers then count among themselves.
    feed(detector, 1, error, timeout, error, timeout, error, timeout, error);
    expect(log).toHaveLength(1);
  });

  it('lets an endpoint back when an active check finds it well', () => {
    const detector = make(10, {});
    feed(detector, 3, ...times(5, error));
    detector.onHealthCheckOk(4, 700);
    detector.onHealthCheckOk(3, 800);
    expect(log).toEqual(['0: 3 out, consecutive-5xx', '800: 3 back, health-check']);
    const strict = make(10, { successfulActiveHealthCheckUnejectHost: false });
    feed(strict, 3, ...times(5, error));
    strict.onHealthCheckOk(3, 800);
    expect(log).toHaveLength(3);
  });

  it('starts counting anew when an endpoint is let back, and counts on while it is out', () => {
    const detector = make(1, { maxEjectionPercent: 1 });
    feed(detector, 0, ...times(12, error));
    detector.tick(30_000);
    expect(log).toEqual(['0: 0 out, consecutive-5xx', '30000: 0 back, time-served']);
    feed(detector, 0, ...times(4, error));
    expect(log).toHaveLength(2);
    feed(detector, 0, error);
    expect(log).toHaveLength(3);
  });

  it('cannot find one outlier among four by success rate, whatever it does', () => {
    const detector = make(4, { successRateMinimumHosts: 3, enforcingConsecutive5xx: 0, maxEjectionPercent: 1 });
    for (let slot = 0; slot < 4; slot++) feed(detector, slot, ...times(200, slot === 0 ? error : ok));
    detector.onTimer(10_000);
    expect(log).toEqual([]);
    expect(detector.stats()).toMatchObject({ averageSuccessRate: 75, comparedHosts: 4 });
  });

  it('ejects with the probability that it is told to', () => {
    // n = 2000 draws with probability 0.3: the standard deviation is 20.5, the tolerance four of them; the seed is fixed.
    const detector = make(2000, { enforcingConsecutive5xx: 0.3, maxEjectionPercent: 1 }, testRng(8));
    for (let slot = 0; slot < 2000; slot++) feed(detector, slot, ...times(5, error));
    expect(Math.abs(log.length - 600)).toBeLessThan(82);
  });

  it('keeps counting the limit in percent exactly where binary fractions are not', () => {
    const detector = make(100, { maxEjectionPercent: 0.29 });
    for (let slot = 0; slot < 100; slot++) feed(detector, slot, ...times(5, error));
    expect(log).toHaveLength(29);
    expect(detector.stats()).toMatchObject({ ejected: 29, overflow: 71 });
  });

  it('adds its jitter to the time served', () => {
    const detector = make(10, { maxEjectionTimeJitter: 20_000 }, { ...unusedRng, below: (n) => n - 1 });
    feed(detector, 0, ...times(5, error));
    for (let tickMs = 10_000; tickMs <= 50_000; tickMs += 10_000) detector.onTimer(tickMs);
    expect(log.at(-1)).toBe('50000: 0 back, time-served');
  });

  it('wakes every interval from when it first had something to watch', () => {
    const detector = envoyOutliers.make({}, { rng: unusedRng, sink });
    detector.watch(0, 1234);
    detector.watch(1, 5000);
    expect(detector.nextTimerMs()).toBe(11_234);
    detector.onTimer(11_234);
    expect(detector.nextTimerMs()).toBe(21_234);
    // Woken far too late, it does not make up for what it missed.
    detector.onTimer(60_000);
    expect(detector.nextTimerMs()).toBe(61_234);
  });
});

describe('grpc', () => {
  const make = (hosts: number, params: Parameters<typeof grpcOutliers.make>[0]): GrpcOutlierDetector => {
    const detector = grpcOutliers.make(params, { rng: unusedRng, sink }) as GrpcOutlierDetector;
    for (let slot = 0; slot < hosts; slot++) detector.watch(slot, 0);
    return detector;
  };
  const failing = { successRateEjection: false, failurePercentageEjection: true, failurePercentageMinimumHosts: 1 };
  const feed = (detector: GrpcOutlierDetector, slot: number, failed: number, good: number): void => {
    for (let i = 0; i < failed; i++) detector.onEnd(slot, error);
    for (let i = 0; i < good; i++) detector.onEnd(slot, ok);
  };

  it('ends an ejection only after its time, one tick later than Envoy would', () => {
    const detector = make(10, failing);
    feed(detector, 0, 100, 0);
    for (let tickMs = 10_000; tickMs <= 60_000; tickMs += 10_000) detector.onTimer(tickMs);
    expect(log).toEqual(['10000: 0 out, failure-percentage', '50000: 0 back, time-served']);
  });

  it('wants more than the threshold, not just as much', () => {
    const detector = make(10, failing);
    feed(detector, 0, 85, 15);
    feed(detector, 1, 86, 14);
    detector.onTimer(10_000);
    expect(log).toEqual(['10000: 1 out, failure-percentage']);
  });

  it('does not eject an endpoint twice for the stragglers of its old requests', () => {
    const detector = make(10, failing);
    feed(detector, 0, 100, 0);
    detector.onTimer(10_000);
    feed(detector, 0, 100, 0);
    detector.onTimer(20_000);
    expect(log).toHaveLength(1);
    expect(detector.multiplierOf(0)).toBe(1);
    expect(detector.stats().ejected).toBe(1);
  });

  it('notices nothing before the interval is over', () => {
    const detector = make(10, failing);
    feed(detector, 0, 100_000, 0);
    detector.onTimer(9999);
    expect(log).toEqual([]);
  });
});
