/** What holds for every detector, whatever the heartbeats. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { detectors } from '../../../src/policies/detection/index.ts';
import { Bed } from './bed.ts';

const runs = { numRuns: 60, seed: 20_250_301 };

/** Heartbeats of one sender: each lost, or delayed by a share of the period. */
const fates = fc.array(fc.record({ isLost: fc.boolean(), delay: fc.double({ min: 0, max: 0.9, noNaN: true }) }), {
  minLength: 1,
  maxLength: 60,
});
/** When nobody asked, as shares of the way to the next wake-up. */
const nudges = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { maxLength: 5 });
type Fates = readonly { readonly isLost: boolean; readonly delay: number }[];

const make = (name: string): Bed => new Bed((deps) => detectors[name].make({}, deps));

function play(bed: Bed, beats: Fates, before?: (atMs: number) => void): void {
  const { detector } = bed;
  const everyMs = detector.heartbeatEveryMs;
  detector.watch(0, 0);
  beats.forEach(({ isLost, delay }, beat) => {
    const atMs = (beat + delay) * everyMs;
    before?.(atMs);
    if (isLost || atMs < bed.nowMs) return;
    bed.beat(0, atMs, beat);
  });
}

describe.each(Object.keys(detectors))('%s', (name) => {
  it('never suspects an endpoint whose heartbeats are all equally late', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 1e6 }),
        (startMs, phase, firstNumber) => {
          const bed = make(name);
          bed.nowMs = startMs;
          bed.detector.watch(0, startMs);
          for (let beat = 0; beat < 100; beat++) {
            bed.beat(0, startMs + (beat + phase) * bed.detector.heartbeatEveryMs, firstNumber + beat);
          }
          expect(bed.log).toEqual([]);
        },
      ),
      runs,
    );
  });

  it('suspects and trusts in turn, and in the end suspects who fell silent', () => {
    fc.assert(
      fc.property(fates, (beats) => {
        const bed = make(name);
        let believed = true;
        bed.onBelief = (_slot, alive) => {
          expect(alive).toBe(!believed);
          believed = alive;
        };
        play(bed, beats);
        bed.advanceTo(1e8);
        expect(believed).toBe(false);
      }),
      runs,
    );
  });

  it('says the same whether or not it is also woken when it did not ask for it', () => {
    fc.assert(
      fc.property(fates, nudges, (beats, shares) => {
        const calm = make(name);
        const nervous = make(name);
        play(calm, beats);
        play(nervous, beats, () => {
          const spanMs = Math.min(nervous.detector.nextTimerMs(), nervous.nowMs + 1e5) - nervous.nowMs;
          for (const share of shares.toSorted((a, b) => a - b)) nervous.detector.onTimer(nervous.nowMs + share * spanMs);
        });
        calm.advanceTo(1e8);
        nervous.advanceTo(1e8);
        expect(nervous.log).toEqual(calm.log);
      }),
      runs,
    );
  });

  it('trusts an endpoint again, whatever was before, once it beats evenly', () => {
    fc.assert(
      fc.property(fates, fc.integer({ min: 0, max: 100 }), (beats, silence) => {
        const bed = make(name);
        play(bed, beats);
        const from = beats.length + 1 + silence;
        // Long enough for averages to settle, and for a controller to look.
        bed.beats(0, from, from + 80);
        expect(bed.log.at(-1)?.endsWith('alive') ?? true).toBe(true);
      }),
      runs,
    );
  });

  it('is never less suspicious of a longer silence', () => {
    fc.assert(
      fc.property(fates, fc.array(fc.double({ min: 0, max: 5, noNaN: true }), { maxLength: 20 }), (beats, steps) => {
        const bed = make(name);
        const { detector } = bed;
        if (detector.suspicion === undefined) return;
        play(bed, beats);
        let last = 0;
        for (const step of steps) {
          bed.advanceTo(bed.nowMs + step * detector.heartbeatEveryMs);
          const suspicion = detector.suspicion(0, bed.nowMs);
          // The last digits of phi are rounding.
          expect(suspicion).toBeGreaterThanOrEqual(last * (1 - 1e-12));
          expect(suspicion).toBeLessThan(Infinity);
          last = suspicion;
        }
      }),
      runs,
    );
  });
});
