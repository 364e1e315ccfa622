/** Queueing formulas against other ways to compute them, staffing, and the policy that uses them. */
import { describe, expect, it } from 'vitest';
import { queueing } from '../../../src/policies/autoscaling/index.ts';
import {
  erlangB,
  erlangC,
  halfinWhittWaiting,
  meanWait,
  replicasForWait,
  serversForWait,
  squareRootStaffing,
  waitQuantile,
} from '../../../src/policies/autoscaling/parts/erlang.ts';
import { Smoothed } from '../../../src/policies/autoscaling/parts/smoothed.ts';
import { replicasFor, type Staffing } from '../../../src/policies/autoscaling/parts/staffing.ts';
import { Bed, depsOf, HOUR, MINUTE, SECOND } from './bed.ts';

describe('queueing formulas', () => {
  it('agree with the sums that define them', () => {
    for (const [servers, load] of [
      [3, 1.2],
      [7, 6.5],
      [12, 4],
    ]) {
      // a^k / k!, up to the number of servers.
      const terms = [1];
      for (let k = 1; k <= servers; k++) terms.push((terms[k - 1] * load) / k);
      const sum = terms.reduce((total, term) => total + term, 0);
      expect(erlangB(servers, load)).toBeCloseTo(terms[servers] / sum, 12);
      const queued = (terms[servers] * servers) / (servers - load);
      expect(erlangC(servers, load)).toBeCloseTo(queued / (sum - terms[servers] + queued), 12);
    }
  });

  it('are those of M/M/1 for one server', () => {
    expect(erlangC(1, 0.8)).toBeCloseTo(0.8, 12);
    expect(meanWait(1, 0.8, 10)).toBeCloseTo(40, 9);
    // P(W > t) = ρ · exp(−(1 − ρ)t / S): a tenth at t = ln(8) / 0.2 service times.
    expect(waitQuantile(0.9, 1, 0.8, 10)).toBeCloseTo((Math.log(8) / 0.2) * 10, 9);
    expect(waitQuantile(0.1, 1, 0.8, 10)).toBe(0);
  });

  it('know overload, and thousands of servers', () => {
    expect([erlangC(2, 2), meanWait(2, 3, 1), waitQuantile(0.5, 1, 1, 1)]).toEqual([1, Infinity, Infinity]);
    expect(erlangC(5100, 5000)).toBeGreaterThan(0.05);
    expect(erlangC(5100, 5000)).toBeLessThan(0.15);
  });

  it('find the smallest number that keeps a target', () => {
    const target = { maxWait: 0.1, fraction: 0.95 };
    const keeps = (servers: number, load: number): boolean =>
      1 - erlangC(servers, load) * Math.exp(-(servers - load) * 0.1) >= 0.95;
    for (const load of [0.01, 0.5, 3, 8, 40.5]) {
      const servers = serversForWait(load, 1, target);
      expect([keeps(servers, load), servers > Math.ceil(load) && keeps(servers - 1, load)]).toEqual([true, false]);
    }
    expect(serversForWait(0, 1, target)).toBe(0);
    expect(serversForWait(1e15, 1, target, 50)).toBe(50);
  });

  it('want most of queues of their own, and less with more slots in each', () => {
    const target = { maxWait: 20, fraction: 0.95 };
    const load = 30;
    const shared = serversForWait(load, 10, target);
    const [one, two, six] = [1, 2, 6].map((slots) => replicasForWait(load, 10, slots, target) * slots);
    expect(one).toBeGreaterThan(two);
    expect(two).toBeGreaterThan(six);
    expect(six).toBeGreaterThan(shared);
    // M/M/1: ρ · exp(−2(1 − ρ)) ≤ 0.05 from ρ = 0.2322 down; 30 / 0.2322 = 129.2.
    expect(one).toBe(130);
  });

  it('of Halfin and Whitt come near Erlang’s for large services', () => {
    for (const beta of [0.5, 1, 2]) {
      const servers = squareRootStaffing(1e6, beta);
      expect(Math.abs(erlangC(servers, 1e6) / halfinWhittWaiting(beta) - 1)).toBeLessThan(0.005);
    }
  });
});

describe('an average with a half-life', () => {
  it('forgets half in that time, whatever the intervals', () => {
    const smoothed = new Smoothed(1000);
    expect(smoothed.value).toBeUndefined();
    smoothed.add(8, 0);
    smoothed.add(0, 1000);
    expect(smoothed.value).toBe(4);
    smoothed.add(100, 1000);
    smoothed.add(0, 3000);
    expect(smoothed.value).toBe(1);
    const sharp = new Smoothed(0);
    sharp.add(3, 1);
    sharp.add(5, 2);
    expect(sharp.value).toBe(5);
  });
});

describe('staffing', () => {
  const staffing: Staffing = {
    model: 'erlang-c',
    slots: 4,
    maxWait: 5,
    fraction: 0.95,
    safety: 1,
    targetUtilization: 0.7,
  };
  it('turns servers into replicas with several slots', () => {
    // 800 requests a second of 10 ms each are 8 Erlangs; 13 servers keep waits within half a service time: 4 replicas.
    const load = { ...staffing, maxWait: 1 };
    expect(serversForWait(8, 10, load)).toBe(13);
    const models = (['erlang-c', 'square-root', 'utilization', 'per-instance'] as const).map((model) =>
      replicasFor(800, 10, { ...load, model }, 100),
    );
    // 8 + √8 = 10.8: 3 replicas; 8 / (0.7 · 4) = 2.9: 3.
    expect(models.slice(0, 3)).toEqual([4, 3, 3]);
    expect(models[3]).toBeGreaterThan(4);
    expect(replicasFor(0, 10, staffing, 100)).toBe(0);
    expect(replicasFor(1e9, 1e9, staffing, 7)).toBe(7);
  });
});

describe('the queueing autoscaler', () => {
  const bedOf = (params: object, count: number): Bed =>
    new Bed((deps) => queueing.make({ max: 100, maxWait: 1, smoothing: 0, ...params }, deps), count);
  const load = (bed: Bed, rate: (nowMs: number) => number | undefined): void => {
    bed.service = (name, nowMs) => (name === 'service-time' ? 10 : name === 'requests-per-second' ? rate(nowMs) : undefined);
  };

  it('takes one step to what the formula asks for, also in deep overload', () => {
    const bed = bedOf({}, 1);
    load(bed, () => 800);
    expect(bed.run(15 * SECOND)).toEqual([13]);
    expect(bed.last.reason).toBe('NeededForWait');
  });

  it('does not follow noise down, but follows what is lower by more than the margin', () => {
    const bed = bedOf({}, 13);
    load(bed, (nowMs) => 800 - 50 * ((nowMs / 15_000) % 2));
    expect(new Set(bed.run(HOUR))).toEqual(new Set([13]));
    load(bed, () => 400);
    // What would do for 440 a second.
    expect(bed.run(15 * SECOND)).toEqual([serversForWait(4.4, 10, { maxWait: 1, fraction: 0.95 })]);
    expect(bed.last.reason).toBe('MoreThanNeeded');
  });

  it('smooths what it measures', () => {
    const bed = bedOf({ smoothing: 15 * SECOND, model: 'utilization', targetUtilization: 1, scaleDownMargin: 0 }, 10);
    load(bed, (nowMs) => (nowMs > 15_000 ? 3000 : 1000));
    // 10, 20, 25, 27.5 Erlangs.
    expect(bed.run(MINUTE)).toEqual([10, 20, 25, 28]);
  });

  it('remembers how long requests take when none is served, and holds still without arrivals', () => {
    const bed = bedOf({ min: 0 }, 5);
    load(bed, () => 800);
    bed.run(MINUTE);
    bed.service = (name) => (name === 'requests-per-second' ? 0 : undefined);
    expect(bed.run(15 * SECOND)).toEqual([0]);
    bed.service = (name) => (name === 'requests-per-second' ? 800 : undefined);
    expect(bed.run(15 * SECOND)).toEqual([13]);
    bed.service = () => undefined;
    bed.run(15 * SECOND);
    expect(bed.last).toEqual({ replicas: undefined, reason: 'NoArrivalRate' });
    const fresh = bedOf({}, 5);
    fresh.service = (name) => (name === 'requests-per-second' ? 800 : undefined);
    fresh.run(15 * SECOND);
    expect(fresh.last).toEqual({ replicas: undefined, reason: 'NoServiceTime' });
  });

  it('refuses bounds without anything between them', () => {
    expect(() => queueing.make({ min: 5, max: 4 }, depsOf(1))).toThrow('queueing: min is 5 and max is 4');
  });
});
