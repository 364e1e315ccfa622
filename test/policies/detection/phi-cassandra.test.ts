import { describe, expect, it } from 'vitest';
import { cassandraPhi, phiCassandra } from '../../../src/policies/detection/phi-cassandra.ts';
import { Bed } from './bed.ts';

const bed = (params = {}): Bed => new Bed((deps) => phiCassandra.make(params, deps));
const LN_10 = Math.log(10);

describe('phi-cassandra', () => {
  it('convicts after 8 · ln 10 mean intervals, and not at that instant but after it', () => {
    const even = bed({ sampleSize: 100 });
    even.detector.watch(0, 0);
    // The generous first entry has left the window.
    even.beats(0, 1, 150);
    even.advanceTo(150_000 + 8 * LN_10 * 1000);
    expect(even.log).toEqual([]);
    even.advanceTo(150_000 + 8 * LN_10 * 1000 + 1e-5);
    expect(even.log).toEqual(['168420.681: 0 suspected']);
    expect(cassandraPhi(8 * LN_10 * 1000 + 1e-5, 1000)).toBeGreaterThan(8);
  });

  it('begins with one interval of two seconds, so that newcomers are judged mildly', () => {
    const young = bed();
    young.detector.watch(0, 0);
    young.advanceTo(1e6);
    expect(young.log).toEqual([`${(8 * LN_10 * 2000).toFixed(3)}: 0 suspected`]);
  });

  it('does not record the gap of a long outage', () => {
    const back = bed();
    back.detector.watch(0, 0);
    back.beats(0, 1, 3).beats(0, 20, 20);
    expect(back.log).toEqual([]);
    expect(back.detector.suspicion!(0, 21_000)).toBeCloseTo(1 / 1.25 / LN_10, 12);
  });

  it('trusts a convicted endpoint at its next heartbeat', () => {
    const back = bed();
    back.detector.watch(0, 0);
    back.beats(0, 1, 3).beats(0, 60, 60);
    expect(back.log).toEqual([`${(3000 + 8 * LN_10 * 1250).toFixed(3)}: 0 suspected`, '60000: 0 alive']);
  });

  describe('once it was stalled itself', () => {
    const stalled = (untilMs: number): Bed => {
      const observer = bed({ sampleSize: 10 });
      observer.detector.watch(0, 0);
      observer.beats(0, 1, 20);
      // Due at 38.4 s; nobody calls meanwhile, though it asked to be.
      expect(observer.detector.nextTimerMs()).toBe(22_500);
      observer.nowMs = untilMs;
      observer.detector.onTimer(untilMs);
      return observer;
    };

    it('convicts nobody in that call, nor for five seconds after it', () => {
      const observer = stalled(60_000);
      expect(observer.log).toEqual([]);
      observer.advanceTo(64_999.999);
      expect(observer.log).toEqual([]);
      observer.advanceTo(65_000);
      expect(observer.log).toEqual(['65000: 0 suspected']);
    });

    it('gives endpoints the time to be heard', () => {
      const observer = stalled(60_000).beats(0, 61, 100);
      expect(observer.log).toEqual([]);
    });

    it('notices a stall also if the first call after it is a heartbeat', () => {
      const observer = bed({ sampleSize: 10 });
      observer.detector.watch(0, 0);
      observer.detector.watch(1, 0);
      for (let beat = 1; beat <= 20; beat++) observer.beats(0, beat, beat).beats(1, beat, beat);
      observer.detector.onHeartbeat(1, 60_000, 60);
      observer.advanceTo(64_999);
      expect(observer.log).toEqual([]);
      observer.advanceTo(65_000);
      expect(observer.log).toEqual(['65000: 0 suspected']);
    });

    it('takes a wake-up that is a little late for what it is', () => {
      const observer = bed({ sampleSize: 10 });
      observer.detector.watch(0, 0);
      observer.beats(0, 1, 20);
      for (let atMs = 22_700; atMs < 45_000; atMs += 2700) observer.detector.onTimer(atMs);
      expect(observer.log).toEqual(['38900: 0 suspected']);
    });

    it('does not hold idle times against itself', () => {
      const observer = bed({ sampleSize: 10 });
      observer.detector.watch(0, 0);
      observer.beats(0, 1, 20).advanceTo(100_000);
      expect(observer.log).toEqual(['38420.681: 0 suspected']);
      expect(observer.detector.nextTimerMs()).toBe(Infinity);
      // Nothing was due for a minute: being called now is no stall.
      observer.beats(0, 100, 110).advanceTo(1e6);
      expect(observer.log.at(-1)).toBe('128420.681: 0 suspected');
    });
  });
});
