/** The contract of failure detectors as a test suite: one call per implementation, and exemptions carry their reason. */
import { describe, expect, it } from 'vitest';
import { type DetectorRule, detectorRules, type MakeDetector } from '../../src/policies/detection/contract.ts';
import { unusedRng } from '../policies/fixtures.ts';
import type { Exemption } from './balancer.contract.ts';
import { heapGrowth } from './heap.ts';

export function detectorContract(subject: { name: string; make: MakeDetector; skip?: readonly Exemption[] }): void {
  const skipped = new Map(subject.skip?.map(({ rule, reason }) => [rule, reason]));
  describe(`${subject.name} keeps the contract of detectors: it`, () => {
    for (const rule of [...detectorRules, ...testedRules]) {
      const reason = skipped.get(rule.name);
      skipped.delete(rule.name);
      const check = (): void => expect(rule.check(subject.make)).toEqual([]);
      if (reason === undefined) it(rule.name, check);
      else it.skip(`${rule.name} (exempt: ${reason})`, check);
    }
    it('has no exemption from a rule that does not exist', () => expect([...skipped.keys()]).toEqual([]));
  });
}

/** Rules that need a look at the heap. */
export const testedRules: readonly DetectorRule[] = [
  {
    name: 'makes no object per heartbeat',
    check: (make) => {
      const detector = make({ rng: unusedRng, sink: { believe: () => undefined } });
      const everyMs = detector.heartbeatEveryMs;
      if (everyMs === Infinity) return [];
      for (let slot = 0; slot < SLOTS; slot++) detector.watch(slot, 0);
      // Whole numbers, or it is the caller that boxes: the time of every call.
      const stepMs = Math.round(everyMs / SLOTS);
      let beat = 0;
      const run = (): void => {
        for (let round = 0; round < ROUNDS; round++, beat++) {
          for (let slot = 0; slot < SLOTS; slot++) detector.onHeartbeat(slot, (beat * SLOTS + slot) * stepMs, beat);
          if (detector.nextTimerMs() <= beat * SLOTS * stepMs) detector.onTimer(beat * SLOTS * stepMs);
        }
      };
      // Where the engine does not inline, it boxes a time on its way from call to call: 16 bytes, at most twice. An object with the time in it
      // takes 40 and the boxed time.
      const allowed = 40 * SLOTS * ROUNDS;
      const bytes = heapGrowth(run, allowed);
      return bytes < allowed ? [] : [`${SLOTS * ROUNDS} heartbeats left ${bytes} bytes`];
    },
  },
];

const SLOTS = 10;
const ROUNDS = 1000;
