/** The contract of failure detectors as a test suite: one call per implementation, and exemptions carry their reason. */
import { describe, expect, it } from 'vitest';
import { detectorRules, type MakeDetector } from '../../src/policies/detection/contract.ts';
import type { Exemption } from './balancer.contract.ts';

export function detectorContract(subject: { name: string; make: MakeDetector; skip?: readonly Exemption[] }): void {
  const skipped = new Map(subject.skip?.map(({ rule, reason }) => [rule, reason]));
  describe(`${subject.name} keeps the contract of detectors: it`, () => {
    for (const rule of detectorRules) {
      const reason = skipped.get(rule.name);
      skipped.delete(rule.name);
      const check = (): void => expect(rule.check(subject.make)).toEqual([]);
      if (reason === undefined) it(rule.name, check);
      else it.skip(`${rule.name} (exempt: ${reason})`, check);
    }
    it('has no exemption from a rule that does not exist', () => expect([...skipped.keys()]).toEqual([]));
  });
}
