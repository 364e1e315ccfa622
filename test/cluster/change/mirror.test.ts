/** Requests that are copied to a new version: worked on, seen by the roll-out, noticed by nobody else. */
import { expect, test } from 'vitest';
import type { Rollout, RolloutAction, RolloutObservation } from '../../../src/policies/rollout/strategies/rollout.ts';
import { each, playChange, type PlayedChange, release, version } from './setup.ts';

/** Brings the new version up beside the old one, and copies so many percent of the requests to it; tells what it was shown. */
function mirroring(percent: number, onStep: (observation: RolloutObservation) => void = () => undefined): () => Rollout {
  return () => {
    let to: string | undefined;
    return {
      phase: 'progressing',
      reason: '',
      minReadyMs: 0,
      routes: true,
      start: (_, wanted) => void (to = wanted),
      command: () => undefined,
      step: (observation): RolloutAction[] => {
        onStep(observation);
        const group = observation.groups.find(({ version: its }) => its === to);
        if (to === undefined) return [];
        if (group === undefined) return [{ kind: 'scale', group: to, version: to, replicas: 1 }];
        if (group.ready === 1 && observation.mirror === undefined) return [{ kind: 'mirror', group: to, percent }];
        return [];
      },
      nextTimerMs: () => Infinity,
      snapshot: () => to ?? null,
      restore: (kept) => void (to = (kept as string | null) ?? undefined),
    };
  };
}

const play = (percent: number, rest: Partial<Parameters<typeof playChange>[0]> = {}): PlayedChange =>
  playChange({
    instances: 1,
    slots: 10,
    work: 10,
    at: each(20, 0, 2000),
    durationMs: 3000,
    versions: [version('v1'), version('v2', [{ type: 'errors', share: 1 }])],
    changes: [release('v2', 1000)],
    rollout: mirroring(percent),
    ...rest,
  });

test('users notice nothing of copies, however the new version does', () => {
  const played = play(100);
  expect(played.ledger).toMatchObject({ offered: 100, ok: 100 });
  expect(played.attempts).toHaveLength(100);
  expect(played.change.rollouts[0]).toMatchObject({ exposed: 0, failed: 0 });
});

test('every request from then on is worked on twice', () => {
  // 50 requests arrive from 1000 on; the one of that instant is there before the change is.
  const served = play(100).instances.map((instance) => instance.served);
  expect(served[0]).toBe(100);
  expect(served.slice(1).reduce((sum, count) => sum + count, 0)).toBeGreaterThanOrEqual(49);
  expect(served.slice(1).reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(50);
});

test('a share of them is a share', () => {
  // 500 requests after the change, each copied with chance 0.3: 150, and within 4.5 standard deviations of 10.2; the seed is fixed.
  const { instances } = play(30, { at: each(4, 0, 3000), durationMs: 3100 });
  const copies = instances.slice(1).reduce((sum, { served }) => sum + served, 0);
  expect(copies).toBeGreaterThan(104);
  expect(copies).toBeLessThan(196);
});

test('the roll-out sees how copies ended', () => {
  const seen: (number | undefined)[] = [];
  const onStep = (observation: RolloutObservation): void => {
    seen.push(observation.metric({ name: 'error-rate', group: 'v2', windowMs: 1000 }));
  };
  play(100, { pipeline: { scrapeMs: 100, windowMs: 100 }, rollout: mirroring(100, onStep), faults: [] });
  expect(seen.at(0)).toBeUndefined();
  const last = play(100, {
    pipeline: { scrapeMs: 100, windowMs: 100 },
    rollout: mirroring(100, onStep),
    // Something changes late, so that it looks again.
    changes: [release('v2', 1000), release('v1', 2500)],
  });
  expect(last.change.rollouts).toHaveLength(2);
  expect(seen.at(-1)).toBe(1);
});

test('an instance that works on copies is gone when it is told to go, and copies with it', () => {
  const all: Rollout['step'] = (observation) => {
    const group = observation.groups.find(({ version: its }) => its === 'v2');
    return group !== undefined && observation.nowMs >= 2000 && group.spec > 0
      ? [{ kind: 'scale', group: 'v2', version: 'v2', replicas: 0 }]
      : [];
  };
  const played = play(100, {
    changes: [release('v2', 1000), release('v1', 2000)],
    rollout: () => {
      const first = mirroring(100)();
      return { ...first, step: (observation) => (observation.nowMs < 2000 ? first.step(observation) : all(observation)) };
    },
    at: each(20, 0, 2900),
  });
  const gone = played.change.hosts.filter(({ host, version: to }) => host === 'api/1' && to === '');
  expect(gone).toHaveLength(1);
  expect(gone[0].atMs).toBeLessThan(2030);
  expect(played.ledger).toMatchObject({ offered: 145, ok: 145 });
});
