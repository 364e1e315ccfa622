import { describe, expect, it } from 'vitest';
import { linearLatencyLimits } from '../../src/stats/metastable/linear-latency.ts';
import { cachedCapacity } from '../../src/stats/metastable/look-aside-cache.ts';
import {
  loadState,
  stableBelow,
  stableCapacity,
  triggerOverloads,
  worstAttemptsPerRequest,
} from '../../src/stats/metastable/thresholds.ts';

describe('the retry threshold', () => {
  it('is C/(1+R): the database of 300 requests per second with one retry is safe below 150 (Bronson et al., section 2)', () => {
    expect([0, 1, 2, 3].map((retries) => stableBelow(300, retries))).toEqual([300, 150, 100, 75]);
  });

  it('is C/(1+b) under a budget, unless there are fewer retries than the budget allows', () => {
    expect(stableBelow(300, 3, 0.2)).toBe(250);
    expect(stableBelow(300, 1, 5)).toBe(150);
    expect(stableBelow(300, 3, 0)).toBe(300);
  });

  it('is zero without a limit on retries', () => {
    expect(stableBelow(300, Infinity)).toBe(0);
    expect(loadState(1, { stableBelow: 0, capacity: 300 })).toBe('vulnerable');
  });

  it('counts the first try: three layers of three retries are 64 attempts', () => {
    expect(worstAttemptsPerRequest(3) * worstAttemptsPerRequest(3) * worstAttemptsPerRequest(3)).toBe(64);
  });
});

describe('the state of a load', () => {
  const limits = { stableBelow: 150, capacity: 300 };

  it('is stable below the threshold, vulnerable up to the capacity, overloaded from there', () => {
    expect([100, 149, 151, 280, 299, 301].map((load) => loadState(load, limits))).toEqual([
      'stable',
      'stable',
      'vulnerable',
      'vulnerable',
      'vulnerable',
      'overloaded',
    ]);
  });

  it('counts a threshold itself as beyond it, because nothing is left to work off a backlog', () => {
    expect(loadState(150, limits)).toBe('vulnerable');
    expect(loadState(300, limits)).toBe('overloaded');
    expect(loadState(300, { stableBelow: 300, capacity: 300 })).toBe('overloaded');
  });

  it('is metastable only while failing in the vulnerable region', () => {
    expect([100, 200, 400].map((load) => loadState(load, limits, true))).toEqual(['stable', 'metastable', 'overloaded']);
  });
});

describe('amplifications and triggers (Huang et al.)', () => {
  it('divide the capacity by what the load is multiplied with and by what capacity is lost', () => {
    expect(stableCapacity(6200, 5, 1)).toBe(1240);
    expect(stableCapacity(3000, 2, 5)).toBe(300);
  });

  it('say that load and capacity triggers add up, and that using up the slack is enough', () => {
    const trigger = (loadTrigger: number, capacityTrigger: number): boolean =>
      triggerOverloads({ capacity: 300, load: 280, loadTrigger, capacityTrigger });
    expect([trigger(0, 15), trigger(10, 9), trigger(10, 10), trigger(30, 0)]).toEqual([false, false, true, true]);
  });
});

describe('a look-aside cache', () => {
  it('with 90 % hits before 300 requests per second advertises 3000 and hides that 300 are left (Bronson et al., section 2.2)', () => {
    expect(cachedCapacity(300, 0.9)).toEqual({ advertised: 3000, hidden: 300, amplification: 10 });
  });

  it('that never hits hides nothing', () => {
    expect(cachedCapacity(300, 0)).toEqual({ advertised: 300, hidden: 300, amplification: 1 });
  });

  it('means the hit rate as it is written, not as doubles subtract it from one', () => {
    expect([0.99, 0.95, 0.8, 0.7].map((hitRate) => cachedCapacity(10, hitRate).advertised)).toEqual([1000, 200, 50, 10 / 0.3]);
  });
});

describe('latency in a straight line', () => {
  const model = { baseLatencyMs: 1000, latencyPerConcurrentMs: 10, timeoutMs: 3000, maxTries: 3 };

  it('is vulnerable from 22.2 to 66.7 requests per second in the published example', () => {
    const { stableBelowRps, vulnerableBelowRps } = linearLatencyLimits(model);
    expect(stableBelowRps).toBeCloseTo(200 / 9, 12);
    expect(vulnerableBelowRps).toBeCloseTo(200 / 3, 12);
  });

  it('reaches the timeout exactly where its fixed point L = base + slope · rate · L does', () => {
    const { vulnerableBelowRps } = linearLatencyLimits(model);
    const latencyMs = model.baseLatencyMs / (1 - (model.latencyPerConcurrentMs / 1000) * vulnerableBelowRps);
    expect(latencyMs).toBeCloseTo(model.timeoutMs, 6);
  });

  it('has no vulnerable region without retries, and bears nothing when an idle call is too slow', () => {
    const single = linearLatencyLimits({ ...model, maxTries: 1 });
    expect(single.stableBelowRps).toBe(single.vulnerableBelowRps);
    expect(linearLatencyLimits({ ...model, baseLatencyMs: 4000 })).toEqual({ stableBelowRps: 0, vulnerableBelowRps: 0 });
  });
});
