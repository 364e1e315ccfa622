import { describe, expect, it } from 'vitest';
import { FlowBackoff } from '../../../src/policies/recovery/parts/flow-backoff.ts';
import { kubeletRestart, nomadRestart, type RestartPolicy, systemdRestart } from '../../../src/policies/recovery/index.ts';
import { unusedRng } from '../fixtures.ts';

/** Waits from end to restart, in seconds, of a process with these running times. */
function waitsSec(policy: RestartPolicy, runsSec: readonly number[]): readonly number[] {
  let startMs = 0;
  const waits: number[] = [];
  for (const runSec of runsSec) {
    const endMs = startMs + runSec * 1000;
    startMs = policy.restartAtMs(0, startMs, endMs, true);
    waits.push((startMs - endMs) / 1000);
    if (startMs === Infinity) break;
    policy.onRestarted(0, startMs);
  }
  return waits;
}

describe('kubelet', () => {
  const rng = unusedRng;

  it('restarts at once, then after 10 s, doubling to 5 min', () => {
    expect(waitsSec(kubeletRestart.make({}, { rng }), Array(9).fill(2))).toEqual([0, 10, 20, 40, 80, 160, 300, 300, 300]);
  });

  it('begins anew after more than 10 minutes from the last restart to the end, not after exactly 10', () => {
    expect(waitsSec(kubeletRestart.make({}, { rng }), [0, 0, 0, 600.001, 0])).toEqual([0, 10, 20, 0, 10]);
    expect(waitsSec(kubeletRestart.make({}, { rng }), [0, 0, 0, 600, 0])).toEqual([0, 10, 20, 40, 80]);
  });

  it('keeps the 10 minutes when the maximum is lowered', () => {
    const policy = kubeletRestart.make({ initialBackoff: 1000, maxContainerRestartPeriod: 4000 }, { rng });
    expect(waitsSec(policy, [0, 0, 0, 0, 599, 601, 0])).toEqual([0, 1, 2, 4, 4, 0, 1]);
  });

  it('never waits longer than the maximum, not even the first time', () => {
    expect(waitsSec(kubeletRestart.make({ maxContainerRestartPeriod: 1000 }, { rng }), [0, 0, 0])).toEqual([0, 1, 1]);
  });

  it('restarts what was done only if told so', () => {
    expect(kubeletRestart.make({}, { rng }).restartAtMs(0, 0, 5000, false)).toBe(5000);
    expect(kubeletRestart.make({ restartPolicy: 'on-failure' }, { rng }).restartAtMs(0, 0, 5000, false)).toBe(Infinity);
    expect(kubeletRestart.make({ restartPolicy: 'on-failure' }, { rng }).restartAtMs(0, 0, 5000, true)).toBe(5000);
    expect(kubeletRestart.make({ restartPolicy: 'never' }, { rng }).restartAtMs(0, 0, 5000, true)).toBe(Infinity);
  });
});

describe('the flow back-off', () => {
  it('is forgotten after more than twice the maximum of quiet', () => {
    const backoff = new FlowBackoff(1000, 5000);
    for (let second = 0; second < 6; second++) backoff.next(7, second * 1000, second * 1000);
    expect(backoff.backoffMs(7)).toBe(5000);
    backoff.next(7, 15_000, 15_000);
    expect(backoff.backoffMs(7)).toBe(5000);
    backoff.next(7, 25_001, 25_001);
    expect(backoff.backoffMs(7)).toBe(1000);
    backoff.reset(7);
    expect(backoff.backoffMs(7)).toBe(0);
  });
});

describe('systemd', () => {
  it('gives up at the sixth start within ten seconds', () => {
    const policy = systemdRestart.make({}, { rng: unusedRng });
    expect(waitsSec(policy, Array(9).fill(0))).toEqual([0.1, 0.1, 0.1, 0.1, Infinity]);
  });

  it('goes on for ever with a process that runs three seconds each time', () => {
    const policy = systemdRestart.make({}, { rng: unusedRng });
    expect(waitsSec(policy, Array(50).fill(3)).every((wait) => wait < 0.11)).toBe(true);
  });

  it('does not count starts if the interval is 0', () => {
    const policy = systemdRestart.make({ startLimitInterval: 0 }, { rng: unusedRng });
    expect(waitsSec(policy, Array(50).fill(0))).toHaveLength(50);
  });
});

describe('nomad', () => {
  const rng = { next: () => 0.5, uint32: () => 0, below: () => 0 };

  it('restarts twice in half an hour, with up to a quarter of the delay on top, and then fails', () => {
    expect(waitsSec(nomadRestart.make({}, { rng }), [1, 1, 1, 1])).toEqual([16.875, 16.875, Infinity]);
  });

  it('waits for the rest of the interval in mode delay', () => {
    const waits = waitsSec(nomadRestart.make({ mode: 'delay', delay: 0 }, { rng }), [10, 10, 10, 10]);
    expect(waits).toEqual([0, 0, 1770, 0]);
  });
});
