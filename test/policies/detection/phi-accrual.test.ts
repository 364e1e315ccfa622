import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaults } from '../../../src/core/params.ts';
import { akkaPhi, deviationsAt, phiAccrual, PhiAccrualDetector } from '../../../src/policies/detection/phi-accrual.ts';
import { Bed } from './bed.ts';

const bed = (params = {}): Bed => new Bed((deps) => phiAccrual.make(params, deps));

describe('phi', () => {
  it('is log10 2 for a heartbeat that is exactly due, and 8 after 5.226 deviations', () => {
    expect(akkaPhi(1000, 1000, 100)).toBeCloseTo(0.3010299956639812, 14);
    expect(akkaPhi(1522.599, 1000, 100)).toBeCloseTo(8, 4);
  });

  it('never falls as the silence grows, whatever the history', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e5, noNaN: true }),
        fc.double({ min: 0, max: 1e4, noNaN: true }),
        fc.double({ min: 0, max: 1e4, noNaN: true }),
        fc.double({ min: 1, max: 1e3, noNaN: true }),
        (silenceMs, moreMs, meanMs, deviationMs) => {
          expect(akkaPhi(silenceMs + moreMs, meanMs, deviationMs)).toBeGreaterThanOrEqual(
            // The formulas on both sides of the mean round differently.
            akkaPhi(silenceMs, meanMs, deviationMs) * (1 - 1e-12),
          );
        },
      ),
      { seed: 7, numRuns: 500 },
    );
  });

  it('reaches any threshold where the inverse says it does', () => {
    for (const threshold of [0.01, 0.3, 0.31, 1, 3, 8, 12, 16, 100, 300]) {
      const y = deviationsAt(threshold);
      expect(Math.abs(akkaPhi(y, 0, 1) / threshold - 1)).toBeLessThan(1e-9);
    }
    // Beyond what a double can tell, phi is infinite from the moment on at which its tail is 0.
    expect(akkaPhi(deviationsAt(1e4) + 1e-9, 0, 1)).toBe(Infinity);
    expect(akkaPhi(deviationsAt(1e4) - 0.01, 0, 1)).toBeLessThan(Infinity);
  });
});

describe('phi-accrual', () => {
  it('suspects 4.52 s after the last of many even heartbeats, with the defaults of Akka’s cluster', () => {
    const even = bed();
    even.detector.watch(0, 0);
    even.beats(0, 0, 1100);
    expect(even.detector.nextTimerMs() - 1_100_000).toBeCloseTo(4522.599, 2);
    even.advanceTo(2e6);
    expect(even.log).toEqual(['1104522.599: 0 suspected']);
  });

  it('asks to be woken when phi reaches the threshold: not a nanosecond earlier is it as high', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 500, max: 3000 }), { minLength: 1, maxLength: 30 }), (gaps) => {
        const detector = new PhiAccrualDetector(defaults(phiAccrual.params), { believe: () => undefined });
        detector.watch(0, 0);
        let atMs = 0;
        gaps.forEach((gap) => detector.onHeartbeat(0, (atMs += gap)));
        const dueMs = detector.nextTimerMs();
        expect(detector.phi(0, dueMs + 1e-6)).toBeGreaterThanOrEqual(8);
        expect(detector.phi(0, dueMs - 1e-6)).toBeLessThan(8);
      }),
      { seed: 11, numRuns: 200 },
    );
  });

  it('starts from two intervals, a quarter below and above the configured one', () => {
    // Mean 1000 and deviation 250, so that phi reaches 8 at 1000 + 5.22599 · 250.
    const first = bed({ acceptableHeartbeatPause: 0 });
    first.detector.watch(0, 0);
    first.beat(0, 300);
    expect(first.detector.nextTimerMs()).toBeCloseTo(300 + 1000 + 1306.497, 2);
  });

  it('takes a first heartbeat to have come when one was to be expected', () => {
    const silent = bed({ acceptableHeartbeatPause: 0 });
    silent.detector.watch(0, 0);
    expect(silent.detector.nextTimerMs()).toBeCloseTo(1000 + 1000 + 1306.497, 2);
    expect(silent.detector.suspicion!(0, 999)).toBe(0);
    // The true first heartbeat is half a second later than the expected one: that is an interval.
    silent.beat(0, 1500);
    const mean = (750 + 1250 + 500) / 3;
    const deviation = Math.sqrt((750 ** 2 + 1250 ** 2 + 500 ** 2) / 3 - mean ** 2);
    expect(silent.detector.nextTimerMs()).toBeCloseTo(1500 + mean + 5.22599 * deviation, 1);
  });

  it('learns nothing from the silence it was right to suspect', () => {
    const back = bed();
    back.detector.watch(0, 0);
    back.beats(0, 0, 1100).beats(0, 1200, 1201);
    expect(back.log).toEqual(['1104522.599: 0 suspected', '1200000: 0 alive']);
    // One recorded interval of 100 s would have raised the deviation to 3 s.
    expect(back.detector.nextTimerMs() - 1_201_000).toBeCloseTo(4522.599, 2);
  });

  it('keeps the last intervals only', () => {
    const short = bed({ maxSampleSize: 3, acceptableHeartbeatPause: 0 });
    short.detector.watch(0, 0);
    short.beats(0, 0, 3);
    // 750, 1250 and whatever came before are gone: mean 1000, deviation at its minimum of 100.
    expect(short.detector.nextTimerMs()).toBeCloseTo(3000 + 1522.599, 2);
  });

  it('reports a number that JSON can hold, however long the silence', () => {
    const dead = bed();
    dead.detector.watch(0, 0);
    dead.beats(0, 0, 50).advanceTo(1e7);
    expect(dead.detector.suspicion!(0, 1e7)).toBe(324);
    expect(dead.detector.suspicion!(1, 1e7)).toBe(0);
  });
});
