/** Code that is rolled out: instances are replaced by others, in groups. Times in ms; work takes 10. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseCountOrPercent, roundedDown } from '../../../src/policies/shared/count-or-percent.ts';
import type { FaultEffect, FaultSpec } from '../../../src/scenario/spec.ts';
import { constant } from '../world-builder.ts';
import { fault, once } from '../failures/setup.ts';
import { scripted } from '../elastic/setup.ts';
import {
  type ChangeSetup,
  each,
  moves,
  phases,
  playChange,
  type PlayedChange,
  release,
  rolloutOf,
  strategy,
  trafficOf,
  version,
} from './setup.ts';

const SECOND = 1000;
const versions = [version('v1'), version('v2'), version('v3')];
const to = (name: string, atMs: number): Pick<ChangeSetup, 'changes'> => ({ changes: [release(name, atMs)] });
const outage = (effect: FaultEffect, atMs: number, forMs: number): FaultSpec => fault(effect, [], once(atMs, forMs));

/** Ready instances of each version, and all that exist, at the end of each window. */
const ready = (played: PlayedChange): number[][] => {
  const { hosts } = trafficOf(played);
  return hosts[0].map((_, window) => hosts.map((column) => column[window]));
};
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

describe('all at once', () => {
  test('the old ones go and the new ones come, in the places that have been empty longest', () => {
    const played = playChange({ versions, ...to('v2', 200), instances: 2, at: [], startupMs: 50 });
    // Both at one moment: two come, and two have nothing left to do and are gone.
    expect(moves(played)).toEqual([
      [200, 'api/2', 'v2'],
      [200, 'api/3', 'v2'],
      [200, 'api/1', ''],
      [200, 'api/0', ''],
    ]);
    expect(phases(played)).toEqual([
      [200, 'progressing'],
      [250, 'succeeded'],
    ]);
    expect(rolloutOf(played)).toMatchObject({
      from: 'v1',
      to: 'v2',
      startedMs: 200,
      decidedMs: 250,
      endedMs: 250,
      outcome: 'succeeded',
    });
  });

  test('nobody is there in between', () => {
    const played = playChange({ versions, ...to('v2', 200), instances: 2, at: [100, 210, 249, 251], startupMs: 50 });
    expect(played.attempts.map(({ sentMs }) => Math.round(sentMs))).toEqual([100, 251]);
    expect(played.ledger.failed.noEndpoint).toBe(2);
  });

  test('who finds nobody has met nobody, whatever the row of its request has seen', () => {
    const played = playChange({
      ...{ versions: [version('v1'), version('v2', [], { isBad: true }), version('v3')], startupMs: 100 },
      ...{ changes: [release('v2', 200), release('v3', 600)], at: each(20, 10, 1000) },
    });
    expect(played.ledger.failed.noEndpoint).toBe(10);
    expect(played.change.rollouts.map(({ exposed, failed, offered }) => [exposed, failed, offered])).toEqual([
      [15, 0, 20],
      [0, 0, 5],
    ]);
  });

  test('what is under way is finished first', () => {
    const played = playChange({ versions, ...to('v2', 200), at: [195], work: 100, startupMs: 20 });
    expect(played.attempts[0]).toMatchObject({ slot: 0, outcome: 'ok' });
    expect(rolloutOf(played).endedMs).toBeCloseTo(295, 5);
    expect(rolloutOf(played).decidedMs).toBeCloseTo(295, 5);
  });
});

describe('rolling', () => {
  /** Looked at so often that nothing lies between. */
  const rolling = (instances: number, maxSurge: string, maxUnavailable: string, rest: Partial<ChangeSetup> = {}): PlayedChange =>
    playChange({
      ...{ versions, instances, at: [], startupMs: 50, windowMs: 10, durationMs: 2000 },
      rollout: strategy('rolling-update', { maxSurge, maxUnavailable }),
      ...to('v2', 205),
      ...rest,
    });

  test('one at a time: a new one, then an old one less', () => {
    const played = rolling(3, '1', '0');
    expect(moves(played)).toEqual([
      [205, 'api/3', 'v2'],
      [255, 'api/2', ''],
      [255, 'api/4', 'v2'],
      [305, 'api/1', ''],
      [305, 'api/5', 'v2'],
      [355, 'api/0', ''],
    ]);
    expect(rolloutOf(played)).toMatchObject({ outcome: 'succeeded', decidedMs: 355, endedMs: 355 });
  });

  test('without room for more: an old one less, then a new one', () => {
    const played = rolling(2, '0', '1');
    expect(moves(played)).toEqual([
      [205, 'api/1', ''],
      [205, 'api/2', 'v2'],
      [255, 'api/0', ''],
      [255, 'api/3', 'v2'],
    ]);
  });

  test('never fewer ready than maxUnavailable allows, never more than maxSurge', () => {
    const amounts = fc.constantFrom('0', '1', '2', '25%', '50%', '100%');
    const property = fc.property(
      fc.integer({ min: 1, max: 9 }),
      amounts,
      amounts,
      fc.constantFrom(0, 30),
      (count, surge, missing, minReadyMs) => {
        fc.pre(surge !== '0' || missing !== '0');
        const params = { maxSurge: surge, maxUnavailable: missing, minReadySeconds: minReadyMs };
        const played = rolling(count, surge, missing, { rollout: strategy('rolling-update', params) });
        const percent = parseCountOrPercent(surge, 'maxSurge');
        const extra = 'count' in percent ? percent.count : Math.ceil((percent.percent * count) / 100);
        const allowed = roundedDown(parseCountOrPercent(missing, 'maxUnavailable'), count);
        // Kubernetes lets one be missing where both round to nothing.
        const least = count - Math.min(count, Math.max(allowed, extra === 0 ? 1 : 0));
        for (const counts of ready(played)) expect(sum(counts)).toBeGreaterThanOrEqual(least);
        // Those on their way out have gone at once: they have nothing to do.
        for (const present of played.elastic!.services[0].present) expect(present).toBeLessThanOrEqual(count + extra);
        expect(ready(played).at(-1)).toEqual([0, count, 0]);
      },
    );
    fc.assert(property, { numRuns: 40, seed: 2 });
  });

  test('an instance that is not ready for long enough is not counted on', () => {
    const played = rolling(2, '1', '0', {
      rollout: strategy('rolling-update', { maxSurge: '1', maxUnavailable: '0', minReadySeconds: 100 }),
    });
    const gone = moves(played).filter(([, , name]) => name === '');
    // Ready at 255, available once it has been so for 100, looked at a moment later.
    expect(gone.map(([atMs]) => atMs)).toEqual([356, 507]);
  });

  test('a version that does not start replaces nothing', () => {
    const broken = [version('v1'), version('v2', [{ type: 'crash', onStart: 1 }], { isBad: true })];
    const played = rolling(3, '1', '0', { versions: broken, durationMs: 5000, at: each(100, 50, 5000) });
    expect(ready(played).every(([old, fresh]) => old === 3 && fresh === 0)).toBe(true);
    expect(rolloutOf(played)).toMatchObject({ outcome: 'progressing', exposed: 0, exposedMs: NaN });
    expect(played.ledger.ok).toBe(50);
  });
});

describe('with an autoscaler', () => {
  const scaled = (counts: readonly (readonly [number, number])[], rest: Partial<ChangeSetup> = {}): PlayedChange => {
    const { autoscaler, mostReplicas } = scripted({ counts, everyMs: 10, most: 10 });
    return playChange({
      ...{ versions, instances: 4, at: [], startupMs: 50, windowMs: 50, durationMs: 2000 },
      rollout: strategy('rolling-update', { maxSurge: '1', maxUnavailable: '0' }),
      ...rest,
      service: { autoscaler: autoscaler!, mostReplicas: mostReplicas! },
    });
  };

  test('before the first change the version that serves follows it, and after the last one the other', () => {
    const played = scaled(
      [
        [100, 6],
        [400, 2],
        [1500, 5],
      ],
      to('v2', 800),
    );
    const at = (ms: number): number[] => ready(played)[ms / 50 - 1];
    expect(at(300)).toEqual([6, 0, 0]);
    expect(at(700)).toEqual([2, 0, 0]);
    expect(at(1400)).toEqual([0, 2, 0]);
    expect(at(2000)).toEqual([0, 5, 0]);
  });

  test.each(['rolling-update', 'recreate', 'all-at-once', 'argo-canary', 'argo-blue-green', 'staged-waves', 'percentage-flag'])(
    'another number is wanted in the middle, under %s',
    (name) => {
      const quick: Record<string, object> = {
        'argo-canary': {
          steps: [
            { step: 'setWeight', weight: 25 },
            { step: 'pause', duration: 200 },
          ],
        },
        'argo-blue-green': { scaleDownDelaySeconds: 100 },
        'staged-waves': {
          stages: [
            { count: 1, soak: 100 },
            { fraction: 1, soak: 100 },
          ],
        },
        'percentage-flag': { steps: [{ percent: 50, soak: 300 }] },
      };
      const played = scaled(
        [
          [230, 7],
          [280, 3],
        ],
        { ...to('v2', 200), rollout: strategy(name, quick[name]) },
      );
      expect(ready(played).at(-1)).toEqual([0, 3, 0]);
      expect(rolloutOf(played).outcome).toBe('succeeded');
      expect(rolloutOf(played).endedMs).toBeLessThan(2000);
    },
  );
});

describe('one after the other', () => {
  test('another version is asked for in the middle', () => {
    const rollout = strategy('rolling-update', { maxSurge: '1', maxUnavailable: '0' });
    const changes = [release('v2', 200), release('v3', 280)];
    const played = playChange({
      versions,
      changes,
      rollout,
      instances: 3,
      at: [],
      startupMs: 50,
      windowMs: 50,
      durationMs: 1000,
    });
    expect(ready(played).at(-1)).toEqual([0, 0, 3]);
    const [first, second] = played.change.rollouts;
    expect(first).toMatchObject({ from: 'v1', to: 'v2', outcome: 'superseded', decidedMs: NaN });
    expect(second).toMatchObject({ from: 'v1', to: 'v3', outcome: 'succeeded' });
    expect(first.endedMs).toBeLessThanOrEqual(second.endedMs);
  });

  test('its phase is told anew, also where it is the same', () => {
    const changes = [release('v2', 200), release('v3', 220)];
    const played = playChange({ versions, changes, at: [], startupMs: 50, durationMs: 250 });
    expect(phases(played)).toEqual([
      [200, 'progressing'],
      [220, 'progressing'],
    ]);
    expect(rolloutOf(played, 1).outcome).toBe('progressing');
  });

  test('back to the version that serves, in the middle', () => {
    const rollout = strategy('rolling-update', { maxSurge: '1', maxUnavailable: '0' });
    const changes = [release('v2', 200), release('v1', 280)];
    const played = playChange({ versions, changes, rollout, instances: 3, at: each(10, 5, 1000), startupMs: 50, windowMs: 50 });
    expect(ready(played).at(-1)).toEqual([3, 0, 0]);
    const [forth, back] = played.change.rollouts;
    expect(forth).toMatchObject({ outcome: 'superseded' });
    expect(forth.exposed).toBeGreaterThan(0);
    expect(back).toMatchObject({ from: 'v2', to: 'v1', exposed: 0, outcome: 'succeeded' });
    expect(played.metrics['rollout.aborted']).toBe(0);
  });

  test('there and back and there: the second time it is known', () => {
    const changes = [release('v2', 200), release('v1', 400), release('v2', 600)];
    const played = playChange({ versions, changes, instances: 2, at: each(10, 5, 1000), slots: 10 });
    expect(played.change.rollouts.map(({ outcome, exposed, exposedMs }) => [outcome, exposed, exposedMs])).toEqual([
      // One came before the last of the old version had been answered.
      ['succeeded', 1, expect.closeTo(205, 5)],
      ['succeeded', 0, NaN],
      ['succeeded', 0, NaN],
    ]);
  });
});

describe('a canary', () => {
  const canary = (rest: Partial<ChangeSetup> = {}, params: object = {}): PlayedChange =>
    playChange({
      ...{ versions, instances: 4, at: each(50, 25, 120 * SECOND), slots: 100, startupMs: SECOND },
      ...{ windowMs: 10 * SECOND, durationMs: 120 * SECOND, ...to('v2', 10 * SECOND) },
      rollout: strategy('argo-canary', {
        trafficRouting: true,
        scaleDownDelaySeconds: 2 * SECOND,
        steps: [
          { step: 'setWeight', weight: 25 },
          { step: 'pause', duration: 60 * SECOND },
        ],
        ...params,
      }),
      ...rest,
    });

  test('gets its share of the requests however many instances it has', () => {
    const played = canary();
    const { requests } = trafficOf(played);
    const shares = requests[0].map((old, window) => requests[1][window] / (old + requests[1][window]));
    expect(shares[0]).toBe(0);
    // Five windows of 200 requests: four standard deviations.
    expect(Math.abs(sum(shares.slice(2, 7)) / 5 - 0.25)).toBeLessThan(0.055);
    expect(shares.at(-1)).toBe(1);
    expect(ready(played)[3]).toEqual([4, 1, 0]);
    expect(ready(played).at(-1)).toEqual([0, 4, 0]);
    expect(rolloutOf(played)).toMatchObject({ outcome: 'succeeded' });
  });

  test('waits where it is told to until the end of the run', () => {
    const played = canary({}, { steps: [{ step: 'setWeight', weight: 25 }, { step: 'pause' }] });
    expect(rolloutOf(played)).toMatchObject({ outcome: 'paused', decidedMs: NaN, endedMs: NaN });
  });

  const failing = [version('v1'), version('v2', [{ type: 'errors', share: 1 }], { isBad: true })];
  const errorRate = {
    template: 'errors',
    metric: 'error-rate',
    failureCondition: 'result > 0.5',
    interval: 5 * SECOND,
    window: 20 * SECOND,
  };
  const measured = { backgroundTemplate: 'errors', abortScaleDownDelaySeconds: 2 * SECOND };
  const judged = (rest: Partial<ChangeSetup>, consecutiveErrorLimit = 40): PlayedChange =>
    canary({ pipeline: { scrapeMs: 5 * SECOND }, ...rest }, { ...measured, metrics: [{ ...errorRate, consecutiveErrorLimit }] });

  test('is given up when it fails, and its failures are counted', () => {
    const played = judged({ versions: failing });
    const { outcome, exposedMs, decidedMs, endedMs, failed, exposed, slow, offered } = rolloutOf(played);
    expect(outcome).toBe('aborted');
    expect(exposedMs).toBeGreaterThanOrEqual(11 * SECOND);
    // The first look finds nothing yet and is repeated after 10 seconds.
    expect(decidedMs).toBe(20 * SECOND);
    // Its instance stays for a moment.
    expect(endedMs).toBe(22 * SECOND);
    expect([exposed, slow]).toEqual([failed, 0]);
    expect(failed).toBeGreaterThan(20);
    expect(played.ledger.failed.error).toBe(failed);
    expect(offered).toBe((22 - 10) * 20);
    expect(played.metrics).toMatchObject({
      ...{ 'rollout.detect': decidedMs - exposedMs, 'rollout.rollback': 2 * SECOND, 'rollout.failed': failed },
      ...{ 'rollout.exposure': exposed / offered, 'rollout.missed': 0, 'rollout.aborted': 1 },
    });
  });

  test('scrapes are seen late', () => {
    const decided = (delayMs: number): number =>
      rolloutOf(judged({ versions: failing, pipeline: { scrapeMs: 5 * SECOND, delayMs } })).decidedMs;
    // That of 15 s is the first with a failure. It is looked at every 10 seconds from 10 s on.
    expect([0, 5, 6, 16].map((seconds) => decided(seconds * SECOND) / SECOND)).toEqual([20, 20, 30, 40]);
  });

  test('cannot be judged while nothing is measured', () => {
    const blind = rolloutOf(judged({ versions: failing, faults: [outage({ type: 'metrics-outage' }, 8 * SECOND, 40 * SECOND)] }));
    expect(blind).toMatchObject({ outcome: 'aborted', decidedMs: 50 * SECOND });
  });

  test('is tried again when it is asked for again', () => {
    const played = judged({ versions: failing, changes: [release('v2', 10 * SECOND), release('v2', 60 * SECOND)] });
    expect(played.change.rollouts.map(({ outcome, decidedMs, failed }) => [outcome, decidedMs, failed > 20])).toEqual([
      ['aborted', 20 * SECOND, true],
      ['aborted', 70 * SECOND, true],
    ]);
  });

  test('an analysis that cannot measure gives it up, good as it may be', () => {
    const played = judged({ faults: [outage({ type: 'metrics-outage' }, 8 * SECOND, 40 * SECOND)] }, 2);
    // The third time in a row.
    expect(rolloutOf(played)).toMatchObject({ outcome: 'aborted', isBad: false, failed: 0, decidedMs: 30 * SECOND });
    expect(played.metrics['rollout.wrong']).toBe(1);
  });
});

describe('whoever decides', () => {
  const rolling = (faults: readonly FaultSpec[], delivery: ChangeSetup['delivery'] = {}): PlayedChange =>
    playChange({
      ...{ versions, instances: 3, at: [], startupMs: 50, durationMs: 60 * SECOND, windowMs: SECOND },
      rollout: strategy('rolling-update', { maxSurge: '1', maxUnavailable: '0' }),
      ...to('v2', 205),
      faults,
      delivery,
    });
  const times = (played: PlayedChange): number[] => moves(played).map(([atMs]) => atMs);

  test('stands still: everything stays as it is, and then goes on', () => {
    const played = rolling([outage({ type: 'controller-pause', controller: 'leader' }, 230, 20 * SECOND)]);
    // What was asked for before has come meanwhile.
    expect(times(played)).toEqual([205, 20_230, 20_230, 20_280, 20_280, 20_330]);
    expect(rolloutOf(played).outcome).toBe('succeeded');
  });

  test('stands still from before the change on', () => {
    expect(times(rolling([outage({ type: 'control-plane-outage' }, 100, SECOND)]))[0]).toBe(1100);
  });

  test('does not reach the store: what it says is lost and said again', () => {
    const played = rolling([outage({ type: 'store-outage' }, 100, SECOND)]);
    // Without an answer for 5 seconds it is taken for lost.
    expect(times(played)[0]).toBe(5205);
    expect(rolloutOf(played)).toMatchObject({ outcome: 'succeeded', decidedMs: 5355 });
  });

  test('takes a message each time it decides', () => {
    const played = rolling([], { latency: constant(40) });
    // 40 to the store; ready 50 later.
    expect(times(played).slice(0, 2)).toEqual([245, 335]);
  });

  test('is followed by another of three, who goes on where it stopped', () => {
    const played = rolling([outage({ type: 'controller-pause', controller: 'leader' }, 20_230, Infinity)], { controllers: 3 });
    const late = playChange({
      ...{ versions, instances: 3, at: [], startupMs: 50, durationMs: 120 * SECOND, windowMs: SECOND },
      rollout: strategy('rolling-update', { maxSurge: '1', maxUnavailable: '0' }),
      ...to('v2', 20_205),
      faults: [outage({ type: 'controller-pause', controller: 'leader' }, 20_230, Infinity)],
      delivery: { controllers: 3 },
    });
    expect(rolloutOf(played).outcome).toBe('succeeded');
    expect(rolloutOf(late).outcome).toBe('succeeded');
    expect(times(late)[1]).toBeGreaterThan(30_000);
    expect(late.metrics['rollout.leaders']).toBe(1);
    expect(late.metrics['rollout.stale']).toBe(0);
    expect(late.change.leaders.map(({ controller }) => controller)).toHaveLength(2);
  });
});

test('what is told late of one version is not taken for the next', () => {
  // v2 is everywhere at 250, which is told at 290 and arrives at 330; by then v3, which never starts, has been asked for.
  const played = playChange({
    instances: 2,
    startupMs: 50,
    at: [],
    durationMs: 1000,
    delivery: { latency: constant(40) },
    versions: [version('v1'), version('v2'), version('v3', [{ type: 'crash', onStart: 1 }], { isBad: true })],
    changes: [release('v2', 200), release('v3', 310)],
  });
  expect(played.change.rollouts.map(({ to, outcome }) => [to, outcome])).toEqual([
    ['v2', 'superseded'],
    ['v3', 'progressing'],
  ]);
});
