import { describe, expect, it } from 'vitest';
import {
  firstDetectionLimitMs,
  firstDetectionMs,
  nextAwareness,
  pushPullIntervalMs,
  remainingSuspicionMs,
  retransmitLimit,
  suspicionTerms,
  suspicionTimeoutMs,
} from '../../../../src/policies/detection/swim/formulas.ts';

describe('the numbers of SWIM', () => {
  it('step exactly at powers of ten', () => {
    expect([9, 10, 99, 100, 999, 1000, 99_999].map((n) => retransmitLimit(4, n))).toEqual([4, 8, 8, 12, 12, 16, 20]);
    expect([10, 100, 1000, 10_000, 100_000].map((n) => suspicionTimeoutMs(1, n, 1000))).toEqual([1000, 2000, 3000, 4000, 5000]);
  });

  it('never suspect for less than the multiple of one interval, in groups of any size', () => {
    for (const n of [0, 1, 2, 9]) expect(suspicionTimeoutMs(4, n, 1000)).toBe(4000);
  });

  it('want no confirmations that a small group cannot give', () => {
    expect([2, 3, 4, 5].map((n) => suspicionTerms(n, 4, 6, 1000).confirmations)).toEqual([0, 0, 2, 2]);
    expect(suspicionTerms(100, 2, 6, 1000).confirmations).toBe(0);
  });

  // memberlist's own test of remainingSuspicionTime; the fraction is ln(c + 1) / ln(k + 1).
  it('shorten a suspicion with the logarithm of its confirmations', () => {
    expect(remainingSuspicionMs(0, 3, 0, 2000, 30_000)).toBe(30_000);
    expect(remainingSuspicionMs(1, 3, 2000, 2000, 30_000)).toBe(14_000);
    expect(remainingSuspicionMs(2, 3, 3000, 2000, 30_000)).toBe(4810);
    expect(remainingSuspicionMs(3, 3, 4000, 2000, 30_000)).toBe(-2000);
  });

  it('make full exchanges rarer with each doubling beyond 32', () => {
    expect([1, 32, 33, 64, 65, 1024].map((n) => pushPullIntervalMs(10, n))).toEqual([10, 10, 20, 20, 30, 60]);
  });

  it('keep the doubts of a member within bounds', () => {
    expect([nextAwareness(0, -1, 8), nextAwareness(6, 3, 8), nextAwareness(7, -1, 8), nextAwareness(0, 5, 1)]).toEqual([
      0, 7, 6, 0,
    ]);
  });

  it('expect the first detection after e / (e − 1) periods in large groups, and sooner in small ones', () => {
    expect(firstDetectionLimitMs(1000)).toBeCloseTo(1581.976707, 6);
    expect(firstDetectionMs(100_000, 1000)).toBeCloseTo(1581.97, 1);
    expect(firstDetectionMs(2, 1000)).toBe(1000);
    expect(firstDetectionMs(3, 1000)).toBeCloseTo(4000 / 3, 9);
  });
});
