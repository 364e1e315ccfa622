import { describe, expect, it } from 'vitest';
import { checkDetector } from '../../../src/policies/detection/contract.ts';
import type { Detector, DetectorDeps } from '../../../src/policies/detection/detector.ts';
import { chen, deadline, detectors, heartbeat, nodeLease, phiAccrual } from '../../../src/policies/detection/index.ts';
import { detectorContract, testedRules } from '../../contracts/detector.contract.ts';

for (const definition of Object.values(detectors)) {
  detectorContract({ name: definition.name, make: (deps) => definition.make({}, deps) });
}

describe('at other cadences', () => {
  detectorContract({ name: 'heartbeat, ten a second', make: (deps) => heartbeat.make({ every: 100, misses: 5 }, deps) });
  detectorContract({
    name: 'deadline, one a minute',
    make: (deps) => deadline.make({ heartbeatInterval: 60_000, acceptableHeartbeatPause: 120_000 }, deps),
  });
  detectorContract({
    name: 'phi-accrual, ten a second',
    make: (deps) => phiAccrual.make({ heartbeatInterval: 100, minStdDeviation: 10, acceptableHeartbeatPause: 300 }, deps),
  });
  detectorContract({
    name: 'chen, four a second, with a short memory',
    make: (deps) => chen.make({ heartbeatInterval: 250, alpha: 400, windowSize: 3 }, deps),
  });
  detectorContract({
    name: 'node-lease, looking less often than leases are renewed',
    make: (deps) => nodeLease.make({ leaseDuration: 4000, nodeMonitorPeriod: 7000, nodeMonitorGracePeriod: 4000 }, deps),
  });
});

describe('the contract', () => {
  /** `heartbeat` with some of its methods replaced. */
  const spoilt =
    (spoil: (good: Detector, deps: DetectorDeps) => Partial<Detector>) =>
    (deps: DetectorDeps): Detector => {
      const good = heartbeat.make({}, deps);
      const whole: Detector = {
        heartbeatEveryMs: good.heartbeatEveryMs,
        watch: (slot, nowMs) => good.watch(slot, nowMs),
        unwatch: (slot) => good.unwatch(slot),
        onHeartbeat: (slot, nowMs, sequence) => good.onHeartbeat(slot, nowMs, sequence),
        nextTimerMs: () => good.nextTimerMs(),
        onTimer: (nowMs) => good.onTimer(nowMs),
      };
      return { ...whole, ...spoil(good, deps) };
    };
  const expectNoticed = (make: (deps: DetectorDeps) => Detector, rule: string): void =>
    expect(checkDetector(make)).toContainEqual(expect.stringContaining(rule));

  it('has no complaint about a detector that is merely wrapped', () => {
    expect(checkDetector(spoilt(() => ({})))).toEqual([]);
  });

  it('notices a detector that never suspects anybody', () => {
    const trusting = spoilt(() => ({ nextTimerMs: () => Infinity, onTimer: () => {} }));
    expectNoticed(trusting, 'told [], expected [0 suspected]');
  });

  it('asks nothing of heartbeats of a detector that needs none', () => {
    expect(
      checkDetector(spoilt(() => ({ heartbeatEveryMs: Infinity, onHeartbeat: () => {}, nextTimerMs: () => Infinity }))),
    ).toEqual([]);
  });

  it('notices a period that is none', () => {
    expectNoticed(
      spoilt(() => ({ heartbeatEveryMs: 0 })),
      'asks for heartbeats at a period above 0, or for none: heartbeatEveryMs is 0',
    );
  });

  it('notices a detector that forgets to forget', () => {
    expectNoticed(
      spoilt(() => ({ unwatch: () => {} })),
      'says nothing of endpoints that nobody watches any more',
    );
  });

  it('notices a detector that acts before the time it announced', () => {
    expectNoticed(
      spoilt((good) => ({ nextTimerMs: () => good.nextTimerMs() + 500 })),
      'changes no belief before the time for which it asked to be woken',
    );
  });

  it('notices a detector that takes a repeated number for a restart', () => {
    const nervous = spoilt((good, { sink }) => {
      let last = -1;
      return {
        onHeartbeat: (slot, nowMs, sequence) => {
          good.onHeartbeat(slot, nowMs, sequence);
          if (sequence <= last) sink.believe(slot, false, nowMs);
          last = sequence;
        },
      };
    });
    expectNoticed(nervous, 'is not harmed by heartbeats that come twice, or after later ones');
  });

  it('notices a detector that assumes the sender’s clock to be its own', () => {
    const blind = spoilt((good, { sink }) => ({
      onHeartbeat: (slot, nowMs, sequence) => {
        if (nowMs > (sequence + 0.01) * good.heartbeatEveryMs) sink.believe(slot, false, nowMs);
        good.onHeartbeat(slot, nowMs, sequence);
      },
    }));
    expectNoticed(blind, 'trusts it whenever it was first watched, and however long its heartbeats travel');
  });

  it('notices a detector that drops a timer because it is late', () => {
    const punctual = spoilt((good) => {
      let isLost = false;
      return {
        nextTimerMs: () => (isLost ? Infinity : good.nextTimerMs()),
        onTimer: (nowMs) => {
          isLost ||= nowMs - good.nextTimerMs() > 10_000;
          if (!isLost) good.onTimer(nowMs);
        },
      };
    });
    expectNoticed(punctual, 'suspects an endpoint though its timer was very late');
  });

  it('notices an object made per heartbeat', () => {
    const wasteful = spoilt((good) => {
      let last = { slot: -1, nowMs: -1, sequence: -1 };
      return {
        onHeartbeat: (slot, nowMs, sequence) => {
          last = { slot, nowMs: nowMs + last.sequence, sequence };
          good.onHeartbeat(slot, nowMs, sequence);
        },
      };
    });
    const rule = testedRules.find(({ name }) => name === 'makes no object per heartbeat')!;
    expect(rule.check(wasteful)).toEqual([expect.stringContaining('10000 heartbeats left')]);
  });

  it('notices a suspicion that is infinite, that falls in a silence, or that does not end with it', () => {
    const rule = 'grows no less suspicious while a silence lasts, and is less so after it';
    expectNoticed(
      spoilt(() => ({ suspicion: () => Infinity })),
      `${rule}; where it says how suspicious it is: suspicion is Infinity`,
    );
    expectNoticed(
      spoilt(() => ({ suspicion: (_slot, nowMs) => 1e9 - nowMs })),
      rule,
    );
    expectNoticed(
      spoilt(() => ({ suspicion: (_slot, nowMs) => nowMs })),
      `suspicion was 320000 in a long silence, and is`,
    );
  });
});
