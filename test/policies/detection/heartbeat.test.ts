import { beforeEach, describe, expect, it } from 'vitest';
import type { Detector } from '../../../src/policies/detection/detector.ts';
import { heartbeat } from '../../../src/policies/detection/heartbeat.ts';
import { unusedRng } from '../fixtures.ts';

describe('heartbeat', () => {
  let log: string[];
  let detector: Detector;
  const watchInside = new Map<number, (nowMs: number) => void>();

  beforeEach(() => {
    log = [];
    watchInside.clear();
    const believe = (slot: number, alive: boolean, nowMs: number): void => {
      log.push(`${nowMs}: ${slot} ${alive ? 'alive' : 'suspected'}`);
      watchInside.get(slot)?.(nowMs);
    };
    detector = heartbeat.make({ every: 1000, misses: 3 }, { rng: unusedRng, sink: { believe } });
  });

  it('suspects an endpoint exactly when the timeout has passed, not before', () => {
    detector.watch(0, 0);
    detector.onHeartbeat(0, 1000, 0);
    expect(detector.nextTimerMs()).toBe(4000);
    detector.onTimer(3999.999);
    expect(log).toEqual([]);
    detector.onTimer(4000);
    expect(log).toEqual(['4000: 0 suspected']);
    expect(detector.nextTimerMs()).toBe(Infinity);
  });

  it('believes in an endpoint again at its first heartbeat', () => {
    detector.watch(0, 0);
    detector.onTimer(3000);
    detector.onHeartbeat(0, 3500, 0);
    detector.onTimer(6499);
    detector.onTimer(6500);
    expect(log).toEqual(['3000: 0 suspected', '3500: 0 alive', '6500: 0 suspected']);
  });

  it('gives an endpoint that never sends the same timeout, from the moment it is watched', () => {
    detector.watch(4, 250);
    expect(detector.nextTimerMs()).toBe(3250);
  });

  it('wakes for the endpoint that has been silent longest', () => {
    detector.watch(0, 0);
    detector.watch(1, 10);
    detector.watch(2, 20);
    detector.onHeartbeat(0, 500, 0);
    expect(detector.nextTimerMs()).toBe(3010);
    detector.onHeartbeat(1, 600, 0);
    detector.onTimer(3600);
    expect(log).toEqual(['3600: 2 suspected', '3600: 0 suspected', '3600: 1 suspected']);
  });

  it('takes several heartbeats at one instant for one', () => {
    detector.watch(0, 0);
    detector.watch(1, 0);
    for (const slot of [0, 1, 0, 0]) detector.onHeartbeat(slot, 700, 0);
    detector.onTimer(3700);
    expect(log).toEqual(['3700: 1 suspected', '3700: 0 suspected']);
  });

  it('lets the sink watch and unwatch while it is being told', () => {
    for (const slot of [0, 1, 2]) detector.watch(slot, 0);
    watchInside.set(0, (nowMs) => {
      detector.unwatch(1);
      detector.watch(9, nowMs);
      detector.watch(0, nowMs);
    });
    detector.onTimer(3000);
    expect(log).toEqual(['3000: 0 suspected', '3000: 2 suspected']);
    expect(detector.nextTimerMs()).toBe(6000);
    detector.onHeartbeat(1, 3001, 0);
    detector.onTimer(6000);
    expect(log.slice(2)).toEqual(['6000: 9 suspected', '6000: 0 suspected']);
  });

  it('ignores endpoints nobody watches', () => {
    detector.onHeartbeat(3, 10, 0);
    detector.unwatch(1000);
    detector.watch(1, 0);
    detector.unwatch(1);
    detector.onHeartbeat(1, 20, 0);
    detector.onTimer(1e6);
    expect(log).toEqual([]);
    expect(detector.nextTimerMs()).toBe(Infinity);
  });

  it('asks for the heartbeats its timeout was made for', () => {
    expect(detector.heartbeatEveryMs).toBe(1000);
  });
});
