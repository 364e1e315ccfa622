import { describe, expect, it } from 'vitest';
import { nodeLease, podsEvictedAtMs, unknownAtMs } from '../../../src/policies/detection/node-lease.ts';
import { Bed } from './bed.ts';

const bed = (params = {}): Bed => new Bed((deps) => nodeLease.make(params, deps));

describe('node-lease', () => {
  it('asks for a renewal every quarter of the lease', () => {
    expect(bed().detector.heartbeatEveryMs).toBe(10_000);
  });

  it('suspects at the first look strictly later than the grace period after the look that saw the last renewal', () => {
    const dead = bed({ nodeMonitorGracePeriod: 40_000 });
    dead.detector.watch(0, 0);
    dead.beat(0, 7000).advanceTo(1e6);
    // Seen at 10 s; 50 s is not later than 10 s + 40 s.
    expect(dead.log).toEqual(['55000: 0 suspected']);
  });

  it('evicts the pods of a node that died right after renewing 345 s later, with the periods before 1.32', () => {
    const unknownMs = unknownAtMs(0, { nodeMonitorGracePeriod: 40_000, nodeMonitorPeriod: 5000 });
    expect(podsEvictedAtMs(unknownMs)).toBe(345_000);
  });

  it('takes a renewal at the very instant of a look for seen, and before judging', () => {
    const lucky = bed({ nodeMonitorGracePeriod: 40_000 });
    lucky.detector.watch(0, 0);
    lucky.beat(0, 0).beat(0, 45_000).advanceTo(45_000);
    expect(lucky.log).toEqual([]);
    lucky.advanceTo(1e6);
    expect(lucky.log).toEqual(['90000: 0 suspected']);
  });

  it('trusts a node again at the first look that sees a renewal', () => {
    const back = bed({ nodeMonitorGracePeriod: 40_000 });
    back.detector.watch(0, 0);
    back.beat(0, 0).beat(0, 61_000).beat(0, 62_000).advanceTo(200_000);
    expect(back.log).toEqual(['45000: 0 suspected', '65000: 0 alive', '110000: 0 suspected']);
  });

  it('waits a minute for a node that never renewed', () => {
    const absent = bed();
    absent.detector.watch(0, 2000);
    absent.advanceTo(1e6);
    expect(absent.log).toEqual(['65000: 0 suspected']);
  });

  it('forgets a renewal it had not seen yet when the node leaves', () => {
    const leaving = bed({ nodeMonitorGracePeriod: 40_000 });
    leaving.detector.watch(0, 0);
    leaving.beat(0, 0).beat(0, 61_000);
    leaving.detector.unwatch(0);
    expect(leaving.detector.nextTimerMs()).toBe(Infinity);
  });

  it('suspects all nodes it has lost sight of in one look', () => {
    const cutOff = bed();
    for (const slot of [0, 1, 2]) cutOff.detector.watch(slot, 0);
    cutOff.beat(2, 10_100).beat(0, 12_000).beat(1, 14_900).advanceTo(1e6);
    expect(cutOff.log).toEqual(['70000: 0 suspected', '70000: 1 suspected', '70000: 2 suspected']);
  });
});
