import { describe, expect, it } from 'vitest';
import { checkDetector } from '../../../src/policies/detection/contract.ts';
import type { Detector } from '../../../src/policies/detection/detector.ts';
import { detectors, heartbeat } from '../../../src/policies/detection/index.ts';
import { detectorContract } from '../../contracts/detector.contract.ts';

for (const definition of Object.values(detectors)) {
  detectorContract({ name: definition.name, make: (deps) => definition.make({}, deps) });
}

describe('the contract', () => {
  it('notices a detector that never suspects anybody', () => {
    const trusting: Detector = {
      heartbeatEveryMs: 1000,
      watch: () => {},
      unwatch: () => {},
      onHeartbeat: () => {},
      nextTimerMs: () => Infinity,
      onTimer: () => {},
    };
    expect(checkDetector(() => trusting)).toContainEqual(expect.stringContaining('told [], expected [0 suspected]'));
  });

  it('notices a detector that forgets to forget', () => {
    const violations = checkDetector((deps) => Object.assign(heartbeat.make({}, deps), { unwatch: () => {} }));
    expect(violations).toContainEqual(expect.stringContaining('says nothing of endpoints that nobody watches any more'));
  });
});
