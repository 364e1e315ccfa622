import { describe, expect, it } from 'vitest';
import { childTimeoutMs, remainingMs } from '../../../src/policies/resilience/deadline.ts';

describe('a deadline handed down', () => {
  it('bounds a call by the smaller of its own timeout and what remains to the caller', () => {
    expect(childTimeoutMs(800, 500)).toBe(500);
    expect(childTimeoutMs(200, 500)).toBe(200);
    expect(childTimeoutMs(Infinity, 500)).toBe(500);
    expect(childTimeoutMs(Infinity, Infinity)).toBe(Infinity);
  });

  it('leaves nothing to send once it has passed', () => {
    expect(childTimeoutMs(remainingMs(1000, 1000), 500)).toBe(0);
    expect(childTimeoutMs(remainingMs(1000, 1001), 500)).toBe(0);
    expect(childTimeoutMs(remainingMs(1000, 999), 500)).toBe(1);
    expect(remainingMs(Infinity, 1e9)).toBe(Infinity);
  });

  it('shrinks along a chain of calls that each take time', () => {
    const chain = [0, 300, 700].reduce<number[]>(
      (timeouts, nowMs) => [...timeouts, childTimeoutMs(remainingMs(1000, nowMs), 800)],
      [],
    );
    expect(chain).toEqual([800, 700, 300]);
  });
});
