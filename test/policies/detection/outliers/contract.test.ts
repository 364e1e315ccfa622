/** Every outlier detector of the table against the contract, and the contract against detectors that break it. */
import { describe, expect, it } from 'vitest';
import { outcomes } from '../../../../src/policies/balancing/balancer.ts';
import {
  attemptOutcomes,
  checkOutlierDetector,
  type EjectionSink,
  envoyOutliers,
  type OutlierDetector,
  type OutlierDetectorDeps,
  outlierDetectors,
} from '../../../../src/policies/detection/outliers/index.ts';
import { outlierRules } from '../../../../src/policies/detection/outliers/contract.ts';
import { heapGrowth } from '../../../contracts/heap.ts';
import { unusedRng } from '../../fixtures.ts';

const variants: Readonly<Record<string, readonly object[]>> = {
  envoy: [
    { enforcingConsecutive5xx: 0 },
    { enforcingConsecutive5xx: 0, enforcingSuccessRate: 0, enforcingFailurePercentage: 1 },
    { splitExternalLocalOriginErrors: true, ejectionRule: 'legacy' },
  ],
  grpc: [{ successRateEjection: false, failurePercentageEjection: true }],
};

for (const definition of Object.values(outlierDetectors)) {
  describe.each([{}, ...(variants[definition.name] ?? [])])(
    `${definition.name} %j keeps the contract of outlier detectors: it`,
    (params) => {
      for (const rule of outlierRules) {
        it(rule.name, () => expect(rule.check((deps) => definition.make(params, deps))).toEqual([]));
      }
    },
  );

  it(`${definition.name} allocates nothing per attempt`, () => {
    const detector = definition.make({}, { rng: unusedRng, sink: { eject: () => {} } });
    for (let slot = 0; slot < 20; slot++) detector.watch(slot, 0);
    const attempts = 50_000;
    const run = (): void => {
      for (let i = 0; i < attempts; i++) {
        detector.onEnd(i % 20, i % 7 === 0 ? attemptOutcomes.error : attemptOutcomes.ok, 1);
      }
    };
    // Half of the smallest object per attempt leaves room for the engine's own.
    expect(heapGrowth(run, 8 * attempts)).toBeLessThan(8 * attempts);
  });
}

it('outcomes have the numbers that balancers are told', () => {
  expect(attemptOutcomes).toEqual(outcomes);
});

describe('the contract', () => {
  const spoilt =
    (spoil: (detector: OutlierDetector, sink: EjectionSink) => object) =>
    (deps: OutlierDetectorDeps): OutlierDetector => {
      const detector = envoyOutliers.make({}, deps);
      const honest: OutlierDetector = {
        watch: (slot, nowMs) => detector.watch(slot, nowMs),
        unwatch: (slot) => detector.unwatch(slot),
        onEnd: (slot, outcome, nowMs) => detector.onEnd(slot, outcome, nowMs),
        nextTimerMs: () => detector.nextTimerMs(),
        onTimer: (nowMs) => detector.onTimer(nowMs),
        stats: () => detector.stats(),
      };
      return { ...honest, ...spoil(honest, deps.sink) };
    };
  const complaints = (spoil: Parameters<typeof spoilt>[0]): string => checkOutlierDetector(spoilt(spoil)).join('\n');

  it('finds nothing wrong with an honest detector', () => {
    expect(checkOutlierDetector(spoilt(() => ({})))).toEqual([]);
  });

  it('notices a detector that never ejects, or never lets back', () => {
    expect(complaints(() => ({ onEnd: () => {} }))).toContain('told [], expected [7 out]');
    expect(complaints(() => ({ nextTimerMs: () => Infinity }))).toContain('told [7 out], expected [7 out,7 back]');
  });

  it('notices a detector without a limit', () => {
    const merciless = checkOutlierDetector((deps) => envoyOutliers.make({ maxEjectionPercent: 1 }, deps)).join('\n');
    expect(merciless).toContain('left out 10 of 10');
  });

  it('notices a detector that forgets to forget', () => {
    expect(complaints(() => ({ unwatch: () => {} }))).toContain('which nobody watches');
  });

  it('notices a detector whose ejections never grow', () => {
    const steady = checkOutlierDetector((deps) => envoyOutliers.make({ maxEjectionTime: 30_000 }, deps));
    expect(steady.join('\n')).toContain('leaves it out for longer each time');
  });

  it('notices a detector that never forgives', () => {
    const grudging = (deps: OutlierDetectorDeps): OutlierDetector => {
      let ejections = 0;
      const held: { slot: number; untilMs: number }[] = [];
      const detector = envoyOutliers.make(
        {},
        {
          rng: deps.rng,
          sink: {
            eject: (slot, isEjected, nowMs, reason) => {
              if (!isEjected) held.push({ slot, untilMs: nowMs + 10_000 * ejections });
              else if (++ejections > 0) deps.sink.eject(slot, true, nowMs, reason);
            },
          },
        },
      );
      return {
        watch: (slot, nowMs) => detector.watch(slot, nowMs),
        unwatch: (slot) => detector.unwatch(slot),
        onEnd: (slot, outcome, nowMs) => detector.onEnd(slot, outcome, nowMs),
        nextTimerMs: () => Math.min(detector.nextTimerMs(), held[0]?.untilMs ?? Infinity),
        onTimer: (nowMs) => {
          detector.onTimer(nowMs);
          while (held.length > 0 && held[0].untilMs <= nowMs) deps.sink.eject(held.shift()!.slot, false, nowMs, 'time-served');
        },
        stats: () => detector.stats(),
      };
    };
    expect(checkOutlierDetector(grudging).join('\n')).toMatch(/forgives: .* was out for \d+ at first/);
  });

  it('notices a detector that says things twice', () => {
    const chatty = complaints((detector, sink) => ({
      onTimer: (nowMs: number) => {
        if (detector.stats().ejected > 0) sink.eject(7, true, nowMs, 'success-rate');
        detector.onTimer(nowMs);
      },
    }));
    expect(chatty).toContain('said "7 out" twice');
  });
});
