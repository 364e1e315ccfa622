import { describe, expect, it } from 'vitest';
import { type Belief, detectorQos, exponentialDelay, forwardGoodPeriodMs, nfdsQos } from '../../src/stats/detector-qos.ts';
import { testRng } from '../policies/fixtures.ts';

/** `10 suspect, 20 trust` as beliefs. */
const beliefs = (text: string): Belief[] =>
  text === ''
    ? []
    : text.split(', ').map((change) => {
        const [atMs, output] = change.split(' ');
        return { atMs: Number(atMs), alive: output === 'trust' };
      });
const qos = (text: string, outages: readonly { fromMs: number; toMs?: number }[] = [], believedAtStart = true) =>
  detectorQos({ startMs: 0, endMs: 1000, believedAtStart, beliefs: beliefs(text), outages });

describe('the quality of a detector', () => {
  it('counts mistakes, their durations, and the times between them, of the living only', () => {
    const seen = qos('100 suspect, 130 trust, 300 suspect, 310 trust, 850 suspect', [{ fromMs: 800 }]);
    expect(seen).toMatchObject({
      mistakes: 2,
      mistakeDurationsMs: [30, 10],
      mistakeRecurrencesMs: [200],
      goodPeriodsMs: [170],
      queryAccuracyProbability: 1 - 40 / 800,
      mistakeRatePerMs: 2 / 800,
      detectionTimesMs: [50],
      meanDetectionTimeMs: 50,
      undetected: 0,
    });
  });

  it('measures detection to the suspicion that lasts, not to one that a late heartbeat ended', () => {
    expect(qos('510 suspect, 520 trust, 600 suspect', [{ fromMs: 500 }]).detectionTimesMs).toEqual([100]);
  });

  it('takes no time to detect what was suspected already, and forever if trust was there at the end', () => {
    expect(qos('400 suspect', [{ fromMs: 500 }]).detectionTimesMs).toEqual([0]);
    expect(qos('510 suspect, 520 trust', [{ fromMs: 500 }])).toMatchObject({ detectionTimesMs: [Infinity], undetected: 1 });
    expect(qos('', [{ fromMs: 500, toMs: 550 }])).toMatchObject({ detectionTimesMs: [Infinity], recoveryTimesMs: [0] });
  });

  it('measures how long a returning endpoint waits for trust, and counts that time as wrong but not as a mistake', () => {
    const seen = qos('220 suspect, 340 trust', [{ fromMs: 200, toMs: 300 }]);
    expect(seen).toMatchObject({
      detectionTimesMs: [20],
      recoveryTimesMs: [40],
      mistakes: 0,
      queryAccuracyProbability: 860 / 900,
    });
  });

  it('says so if trust never returned before the next outage', () => {
    const seen = qos('220 suspect', [
      { fromMs: 200, toMs: 300 },
      { fromMs: 400, toMs: 500 },
    ]);
    expect(seen.recoveryTimesMs).toEqual([Infinity, Infinity]);
    expect(seen.detectionTimesMs).toEqual([20, 0]);
  });

  it('does not tie mistakes together across a crash', () => {
    const seen = qos('100 suspect, 110 trust, 220 suspect, 310 trust, 400 suspect, 410 trust', [{ fromMs: 200, toMs: 300 }]);
    expect(seen).toMatchObject({ mistakes: 2, mistakeDurationsMs: [10, 10], mistakeRecurrencesMs: [], goodPeriodsMs: [] });
  });

  it('leaves a mistake that a crash or the end cut short out of the durations, and in the time that was wrong', () => {
    expect(qos('900 suspect')).toMatchObject({ mistakes: 1, mistakeDurationsMs: [], queryAccuracyProbability: 0.9 });
    expect(qos('400 suspect', [{ fromMs: 500 }])).toMatchObject({
      mistakes: 1,
      mistakeDurationsMs: [],
      queryAccuracyProbability: 0.8,
    });
  });

  it('counts repeated beliefs once, and begins with what was believed before', () => {
    expect(qos('100 suspect, 150 suspect, 200 trust, 250 trust').mistakeDurationsMs).toEqual([100]);
    expect(qos('100 trust', [], false)).toMatchObject({ mistakes: 0, queryAccuracyProbability: 0.9 });
  });

  it('has no means of nothing', () => {
    expect(qos('')).toMatchObject({
      mistakes: 0,
      meanMistakeDurationMs: NaN,
      meanMistakeRecurrenceMs: NaN,
      queryAccuracyProbability: 1,
    });
  });

  it('waits half a good period from a random moment if all are equal, and more if they differ', () => {
    expect(forwardGoodPeriodMs([10, 10, 10])).toBe(5);
    // A random moment falls into the long one nine times out of ten: 0.9 · 45 + 0.1 · 5.
    expect(forwardGoodPeriodMs([90, 10])).toBe(41);
  });
});

describe('the quality of NFD-S in closed form', () => {
  it('is what a simulation of the detector sees', () => {
    // Heartbeat i leaves at i · 1 s; at i · 1 s + 500 ms the endpoint is suspected unless number i or a later one has arrived, and until one
    // does. n = 200 000, seed 9, delays exponential with mean 100 ms, 1 % lost: about 3300 mistakes, relative standard error of their
    // number and of their mean duration 1.8 % each; 8 % is beyond four of them.
    const rng = testRng(9);
    const count = 200_000;
    const arrivals = Array.from({ length: count }, (_, i) => {
      const isLost = rng.next() < 0.01;
      const atMs = 1000 * i - 100 * Math.log(1 - rng.next());
      return { i, atMs: isLost ? Infinity : atMs };
    }).toSorted((a, b) => a.atMs - b.atMs);
    const changes: Belief[] = [];
    let last = -1;
    let next = 0;
    for (let i = 0; i < count; i++) {
      const freshMs = 1000 * i + 500;
      for (; arrivals[next].atMs <= freshMs; next++) last = Math.max(last, arrivals[next].i);
      if (last >= i) continue;
      changes.push({ atMs: freshMs, alive: false });
      // Trusted again at the first arrival of number i or later, if that is before the next freshness point.
      for (; next < count && arrivals[next].atMs < freshMs + 1000 && last < i; next++) {
        last = Math.max(last, arrivals[next].i);
        if (last >= i) changes.push({ atMs: arrivals[next].atMs, alive: true });
      }
    }
    const seen = detectorQos({ startMs: 0, endMs: 1000 * count, beliefs: changes, outages: [] });
    const theory = nfdsQos({ etaMs: 1000, deltaMs: 500, lossProbability: 0.01, delayExceeds: exponentialDelay(100) });
    expect(seen.mistakes).toBeGreaterThan(3000);
    expect(Math.abs(seen.meanMistakeRecurrenceMs / theory.meanMistakeRecurrenceMs - 1)).toBeLessThan(0.08);
    expect(Math.abs(seen.meanMistakeDurationMs / theory.meanMistakeDurationMs - 1)).toBeLessThan(0.08);
    expect(seen.queryAccuracyProbability).toBeCloseTo(theory.queryAccuracyProbability, 3);
  });

  it('is loss alone where delays are constant', () => {
    // A freshness point is missed if its heartbeat is lost, and saved by the next one 700 ms later: the period ends 200 ms after that.
    const theory = nfdsQos({ etaMs: 1000, deltaMs: 500, lossProbability: 0.1, delayExceeds: (ms) => (ms < 200 ? 1 : 0) });
    expect(theory.pS).toBeCloseTo(0.9 * 0.1, 12);
    expect(theory.meanMistakeRecurrenceMs).toBeCloseTo(1000 / 0.09, 6);
    expect(theory.queryAccuracyProbability).toBeCloseTo(1 - (0.1 * 700 + 0.1 * 0.1 * 300) / 1000, 9);
  });

  it('has no mistakes where nothing is lost and every delay fits', () => {
    const theory = nfdsQos({ etaMs: 1000, deltaMs: 500, lossProbability: 0, delayExceeds: (ms) => (ms < 200 ? 1 : 0) });
    expect(theory).toMatchObject({ pS: 0, meanMistakeRecurrenceMs: Infinity, queryAccuracyProbability: 1 });
  });
});
