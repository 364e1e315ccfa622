import { describe, expect, it } from 'vitest';
import { deadline } from '../../../src/policies/detection/deadline.ts';
import { Bed } from './bed.ts';

const bed = (params = {}): Bed => new Bed((deps) => deadline.make(params, deps));

describe('deadline', () => {
  it('suspects at the very instant at which interval and pause have passed', () => {
    const { detector, log } = bed({ heartbeatInterval: 1000, acceptableHeartbeatPause: 4000 });
    detector.watch(0, 0);
    detector.onHeartbeat(0, 700, 1);
    expect(detector.nextTimerMs()).toBe(5700);
    detector.onTimer(5699.999);
    expect(log).toEqual([]);
    detector.onTimer(5700);
    expect(log).toEqual(['5700: 0 suspected']);
  });

  it('takes a heartbeat to have come one second after watching began, where none came', () => {
    const silent = bed();
    silent.detector.watch(3, 500);
    // 0.5 s + 1 s expected response + 3 s interval + 10 s pause, which are Akka's defaults between data centres.
    expect(silent.detector.nextTimerMs()).toBe(14_500);
  });

  it('counts a heartbeat that comes at the very deadline, and suspects nobody', () => {
    const lively = bed({ heartbeatInterval: 1000, acceptableHeartbeatPause: 0, expectedResponseAfter: 0 });
    lively.detector.watch(0, 0);
    lively.beats(0, 1, 10);
    expect(lively.log).toEqual([]);
  });

  it('says how overdue an endpoint is, also once it is suspected', () => {
    const { detector } = bed({ heartbeatInterval: 1000, acceptableHeartbeatPause: 1000 });
    detector.watch(0, 0);
    detector.onHeartbeat(0, 100, 0);
    expect(detector.suspicion!(0, 2100)).toBe(0);
    detector.onTimer(2100);
    expect(detector.suspicion!(0, 2600)).toBe(500);
    expect(detector.suspicion!(7, 2600)).toBe(0);
  });
});
