/** Chen's detector and Bertier's: by hand, and Chen's against the theory of its quality. */
import { describe, expect, it } from 'vitest';
import { bertier, BertierDetector } from '../../../src/policies/detection/bertier.ts';
import { chen } from '../../../src/policies/detection/chen.ts';
import { type Belief, detectorQos, exponentialDelay, nfdsQos } from '../../../src/stats/detector-qos.ts';
import { defaults } from '../../../src/core/params.ts';
import { testRng } from '../fixtures.ts';
import { Bed } from './bed.ts';

describe('chen', () => {
  const bed = (params = {}): Bed => new Bed((deps) => chen.make({ heartbeatInterval: 1000, alpha: 500, ...params }, deps));

  it('expects the next heartbeat where the mean of the last ones says, and grants the margin', () => {
    const { detector, log } = bed({ windowSize: 2 });
    detector.watch(0, 0);
    detector.onHeartbeat(0, 1010, 1);
    expect(detector.nextTimerMs()).toBe(2510);
    detector.onHeartbeat(0, 2030, 2);
    expect(detector.nextTimerMs()).toBe(3520);
    detector.onHeartbeat(0, 3000, 3);
    expect(detector.nextTimerMs()).toBe(4515);
    detector.onTimer(4515);
    expect(log).toEqual(['4515: 0 suspected']);
    expect(detector.suspicion!(0, 4600)).toBe(85);
  });

  it('lets a late heartbeat count for itself and not for its successors', () => {
    const { detector } = bed({ windowSize: 100 });
    detector.watch(0, 0);
    for (let beat = 0; beat < 99; beat++) detector.onHeartbeat(0, beat * 1000, beat);
    // A timeout would count from 99.4 s; the schedule says that the next is due at 100 s and a hundredth of the delay.
    detector.onHeartbeat(0, 99_400, 99);
    expect(detector.nextTimerMs()).toBeCloseTo(100_504, 6);
  });

  it('lets a gap in the numbers pass without losing the schedule', () => {
    const back = bed();
    back.detector.watch(0, 0);
    back.beats(0, 0, 10).beats(0, 60, 60);
    expect(back.log).toEqual(['11500: 0 suspected', '60000: 0 alive']);
    expect(back.detector.nextTimerMs()).toBe(61_500);
  });

  it('ignores a heartbeat that a later one has overtaken', () => {
    const { detector } = bed();
    detector.watch(0, 0);
    detector.onHeartbeat(0, 2000, 2);
    detector.onHeartbeat(0, 2900, 1);
    expect(detector.nextTimerMs()).toBe(3500);
  });

  it('goes on suspecting an endpoint whose heartbeat was so late that its successor is overdue', () => {
    const late = bed();
    late.detector.watch(0, 0);
    late.beats(0, 0, 10).beat(0, 20_000, 11);
    expect(late.log).toEqual(['11500: 0 suspected']);
  });

  it('gives an endpoint that was never heard an interval and the margin', () => {
    const { detector } = bed();
    detector.watch(0, 250);
    expect(detector.nextTimerMs()).toBe(1750);
  });

  it('is wrong about the living as often, and for as long, as theory says', () => {
    // n = 300 000 heartbeats of one endpoint, seed 5, delays exponential with mean 100 ms, 1 % lost. NFD-S with δ = α + mean delay = 500 ms
    // makes a mistake every 60.6 s of 406 ms each (closed form): about 4950 mistakes here. Their number is nearly Poisson, so its relative
    // standard error is 1.4 %, that of the mean duration (deviation about its mean) 1.4 % too; the window of 1000 adds 3 ms to δ, which
    // moves the rate by under 1 %. The tolerance of 8 % is beyond five standard errors, and the seed is fixed.
    const rng = testRng(5);
    const arrivals = [];
    for (let beat = 0; beat < 300_000; beat++) {
      const isLost = rng.next() < 0.01;
      const delayMs = -100 * Math.log(1 - rng.next());
      if (!isLost) arrivals.push({ atMs: beat * 1000 + delayMs, beat });
    }
    arrivals.sort((a, b) => a.atMs - b.atMs);
    const beliefs: Belief[] = [];
    const detector = chen.make(
      { heartbeatInterval: 1000, alpha: 400, windowSize: 1000 },
      { rng, sink: { believe: (_slot, alive, atMs) => beliefs.push({ atMs, alive }) } },
    );
    detector.watch(0, 0);
    for (const { atMs, beat } of arrivals) {
      while (detector.nextTimerMs() < atMs) detector.onTimer(detector.nextTimerMs());
      detector.onHeartbeat(0, atMs, beat);
    }
    const seen = detectorQos({ startMs: 0, endMs: 3e8, beliefs, outages: [] });
    const theory = nfdsQos({ etaMs: 1000, deltaMs: 500, lossProbability: 0.01, delayExceeds: exponentialDelay(100) });
    expect(seen.mistakes).toBeGreaterThan(4000);
    expect(seen.meanMistakeRecurrenceMs / theory.meanMistakeRecurrenceMs).toBeGreaterThan(0.92);
    expect(seen.meanMistakeRecurrenceMs / theory.meanMistakeRecurrenceMs).toBeLessThan(1.08);
    expect(seen.meanMistakeDurationMs / theory.meanMistakeDurationMs).toBeGreaterThan(0.92);
    expect(seen.meanMistakeDurationMs / theory.meanMistakeDurationMs).toBeLessThan(1.08);
    expect(seen.queryAccuracyProbability).toBeCloseTo(theory.queryAccuracyProbability, 3);
  });
});

describe('bertier', () => {
  const bed = (params = {}): Bed => new Bed((deps) => bertier.make({ heartbeatInterval: 1000, minMargin: 0, ...params }, deps));

  it('widens its margin with the errors of its estimate', () => {
    const { detector } = bed();
    detector.watch(0, 0);
    detector.onHeartbeat(0, 1010, 1);
    expect(detector.nextTimerMs()).toBe(2010);
    // Ten late: delay and var become 1, the margin 1 + 4 · 1, and the expected arrival moves by half the error.
    detector.onHeartbeat(0, 2020, 2);
    expect(detector.nextTimerMs()).toBeCloseTo(3015 + 5, 9);
  });

  it('judges a heartbeat after a gap by its own number', () => {
    const sink = { believe: () => undefined };
    const detector = new BertierDetector({ ...defaults(bertier.params), minMargin: 0 }, sink);
    detector.watch(0, 0);
    detector.onHeartbeat(0, 1000, 1);
    detector.onHeartbeat(0, 5000, 5);
    expect(detector.estimate(0)).toMatchObject({ expectedMs: 6000, delayMs: 0, varMs: 0, alphaMs: 0 });
    expect(detector.estimate(1)).toBeUndefined();
  });

  it('takes every lost heartbeat for a crash, until the next', () => {
    const lossy = bed({ minMargin: 1 });
    lossy.detector.watch(0, 0);
    lossy.beats(0, 0, 100).beats(0, 102, 110);
    expect(lossy.log).toEqual(['101001: 0 suspected', '102000: 0 alive']);
  });

  it('keeps a margin of a millisecond where nothing ever varies', () => {
    const even = new Bed((deps) => bertier.make({}, deps));
    even.detector.watch(0, 0);
    even.beats(0, 0, 2000, 0.1 + 0.2);
    expect(even.log).toEqual([]);
    expect(even.detector.nextTimerMs()).toBeCloseTo(2_001_001.3, 6);
  });
});
