/** What single strategies do over time, told as small stories, and what must hold whatever happens. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors.ts';
import {
  argoBlueGreen,
  argoCanary,
  canaryGroupOf,
  flagger,
  type GroupStatus,
  percentageFlag,
  recreate,
  type Rollout,
  type RolloutAction,
  rollingUpdate,
  stagedWaves,
} from '../../../src/policies/rollout/strategies/index.ts';
import { fencepostsWithin } from '../../../src/policies/rollout/strategies/parts/fenceposts.ts';
import { proportionalSizes } from '../../../src/policies/rollout/strategies/parts/proportional-scaling.ts';
import { retreatWeight } from '../../../src/policies/rollout/strategies/parts/routed-replicas.ts';
import { RolloutTrial } from '../../../src/policies/rollout/strategies/trial.ts';
import { parseCountOrPercent } from '../../../src/policies/shared/count-or-percent.ts';

const replicas = { unit: 'replicas' } as const;
const hosts = { unit: 'hosts' } as const;
const MINUTE = 60_000;

/** The phases gone through, with their reasons. */
const phases = (trial: RolloutTrial): readonly string[] =>
  trial.log.flatMap((line) => {
    const [, action] = JSON.parse(line) as [number, RolloutAction];
    return action.kind === 'phase' ? [`${action.phase}: ${action.reason}`] : [];
  });
const weightsOf = (trial: RolloutTrial, group: string): readonly number[] =>
  trial.log.flatMap((line) => {
    const [, action] = JSON.parse(line) as [number, RolloutAction];
    return action.kind === 'weight' ? [action.weights[group] ?? 0] : [];
  });

describe('a rolling update', () => {
  const amount = fc.oneof(
    fc.nat(12).map(String),
    fc.nat(100).map((percent) => `${percent}%`),
  );

  it('never has fewer available nor more in all than allowed, in whatever order replicas come and go', () => {
    const event = fc.record({ group: fc.nat(2), ready: fc.nat(3), steps: fc.nat(2) });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        amount,
        amount,
        fc.array(event, { maxLength: 60 }),
        (desired, surge, missing, events) => {
          const rollout = rollingUpdate.make({ maxSurge: surge, maxUnavailable: missing }, replicas);
          const { maxSurge, maxUnavailable } = fencepostsWithin(
            parseCountOrPercent(surge, 'maxSurge'),
            parseCountOrPercent(missing, 'maxUnavailable'),
            desired,
          );
          const world = new Map([['v1', { spec: desired, available: desired }]]);
          rollout.start('v1', 'v2', 0);
          const step = (nowMs: number): void => {
            const groups = [...world].map(([group, { spec, available }]): GroupStatus => ({
              group,
              version: group,
              spec,
              created: spec,
              ready: available,
              available,
            }));
            const observation = {
              nowMs,
              desired,
              groups,
              weights: undefined,
              mirror: undefined,
              hosts: [],
              metric: () => undefined,
            };
            for (const action of rollout.step(observation)) {
              if (action.kind !== 'scale') continue;
              const { available = 0 } = world.get(action.group) ?? {};
              // The replica controller takes those first that do not serve.
              world.set(action.group, { spec: action.replicas, available: Math.min(available, action.replicas) });
            }
          };
          events.forEach(({ group, ready, steps }, at) => {
            const name = `v${group + 1}`;
            // A third version in the middle, now and then.
            if (name === 'v3' && !world.has('v3') && at > 20) rollout.start('v1', 'v3', at);
            const status = world.get(name);
            if (status !== undefined) world.set(name, { ...status, available: Math.min(status.spec, status.available + ready) });
            for (let i = 0; i <= steps; i++) step(at);
            const all = [...world.values()];
            expect(all.reduce((sum, { spec }) => sum + spec, 0)).toBeLessThanOrEqual(desired + maxSurge);
            expect(all.reduce((sum, { available }) => sum + available, 0)).toBeGreaterThanOrEqual(desired - maxUnavailable);
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it('stalls at its deadline with the old version serving, and goes on when replicas come after all', () => {
    const trial = new RolloutTrial(rollingUpdate.make({}, replicas), replicas).populate('v1');
    trial.startMs = () => 15 * MINUTE;
    trial.start('v1', 'v2').run(14 * MINUTE);
    expect(phases(trial)).toEqual(['progressing: ReplicaSetUpdated', 'stalled: ProgressDeadlineExceeded']);
    expect(trial.serving('v1')).toBe(8);
    trial.run(120 * MINUTE);
    expect(trial.rollout.phase).toBe('succeeded');
  });

  it('waits for the minimum that replicas must be ready', () => {
    const time = (minReadySeconds: number): number => {
      const trial = new RolloutTrial(rollingUpdate.make({ minReadySeconds }, replicas), replicas).populate('v1');
      return trial.start('v1', 'v2').run(60 * MINUTE, 'succeeded').nowMs;
    };
    // Three new ones, then as many as old ones have gone for: two rounds in which new ones are waited for.
    expect(time(30_000) - time(0)).toBeGreaterThanOrEqual(2 * 30_000);
  });

  it('resizes all groups in proportion, and gives what rounding leaves to the largest', () => {
    expect(proportionalSizes([8, 5], 13, 26)).toEqual([16, 10]);
    expect(proportionalSizes([5, 5], 10, 15)).toEqual([7, 8]);
    expect(proportionalSizes([8, 5], 13, 0)).toEqual([0, 0]);
    fc.assert(
      fc.property(fc.array(fc.nat(30), { minLength: 1, maxLength: 5 }), fc.nat(80), (sizes, allowed) => {
        const total = sizes.reduce((sum, size) => sum + size, 0);
        fc.pre(total > 0);
        const after = proportionalSizes(sizes, total, allowed);
        expect(after.reduce((sum, size) => sum + size, 0)).toBe(allowed);
        expect(Math.min(...after)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  it('refuses what is neither a count nor a percentage', () => {
    expect(() => rollingUpdate.make({ maxSurge: 'some' }, replicas)).toThrow(InputError);
  });
});

describe('recreate', () => {
  it('has no replica of the new version before the last one of the old is gone', () => {
    const trial = new RolloutTrial(recreate.make({}, replicas), replicas).populate('v1');
    trial.start('v1', 'v2');
    for (let second = 0; second < 60; second++) {
      trial.run(1000);
      expect(trial.versions().length).toBeLessThanOrEqual(1);
    }
    expect(trial.serving('v2')).toBe(10);
    expect(trial.leastAvailable).toBe(0);
  });
});

const steps = [
  { step: 'setWeight', weight: 20 },
  { step: 'pause', duration: MINUTE },
  { step: 'setWeight', weight: 60 },
  { step: 'pause', duration: MINUTE },
] as const;
const errors = { metric: 'error-rate', failureCondition: 'result > 0.05', interval: 10_000 } as const;

describe('an Argo canary', () => {
  it('moves weights only when the replicas are there, and keeps the old ones for a while at the end', () => {
    const trial = new RolloutTrial(argoCanary.make({ steps, trafficRouting: true }, replicas), replicas).populate('v1');
    trial.start('v1', 'v2').run(30 * MINUTE);
    expect(weightsOf(trial, 'v2')).toEqual([20, 60, 100]);
    expect(trial.mostCreated).toBe(20);
    expect(trial.leastAvailable).toBe(10);
    expect(trial.versions()).toEqual(['v2']);
  });

  it('needs hardly more than the wanted count with dynamicStableScale, and never serves with fewer', () => {
    const settings = { steps, trafficRouting: true, dynamicStableScale: true };
    const trial = new RolloutTrial(argoCanary.make(settings, replicas), replicas).populate('v1');
    trial.start('v1', 'v2').run(30 * MINUTE);
    expect(weightsOf(trial, 'v2')).toEqual([20, 60, 100]);
    expect(trial.mostCreated).toBeLessThanOrEqual(14);
    expect(trial.leastAvailable).toBe(10);
  });

  it('aborts when its background analysis fails, and sends everything back at once', () => {
    const settings = { steps, trafficRouting: true, metrics: [errors], backgroundTemplate: 'default' };
    const trial = new RolloutTrial(argoCanary.make(settings, replicas), replicas).populate('v1');
    trial.start('v1', 'v2').run(2 * MINUTE);
    trial.errorRate = (version) => (version === 'v2' ? 0.3 : 0.001);
    trial.run(30 * MINUTE);
    expect(weightsOf(trial, 'v2').at(-1)).toBe(0);
    expect(trial.rollout.phase).toBe('aborted');
    expect(trial.rollout.reason).toBe('RolloutAborted: error-rate Failed at 0.3');
    expect(trial.serving('v1')).toBe(10);
    expect(trial.versions()).toEqual(['v1']);
  });

  it('is back on the stable version without any steps as long as the new one has not replaced it', () => {
    const trial = new RolloutTrial(argoCanary.make({ steps, trafficRouting: true }, replicas), replicas).populate('v1');
    trial.start('v1', 'v2').run(30 * MINUTE, 'promoting');
    expect(trial.rollout.phase).toBe('promoting');
    // Whoever asks takes the promoted version for the one that serves.
    trial.start('v2', 'v1').run(1);
    expect([trial.weights, trial.rollout.phase]).toEqual([{ v1: 100 }, 'succeeded']);
    trial.run(30 * MINUTE);
    expect(trial.versions()).toEqual(['v1']);
  });

  it('tells of every roll-out how it went, also where the one before had come', () => {
    const trial = new RolloutTrial(argoCanary.make({ steps }, replicas), replicas).populate('v1');
    trial.start('v1', 'v1').run(MINUTE).start('v1', 'v1').run(MINUTE);
    expect(phases(trial)).toEqual(['succeeded: RolloutHealthy', 'succeeded: RolloutHealthy']);
  });

  it('asks a human when the analysis says nothing', () => {
    const open = { ...errors, successCondition: 'result < 0.01' };
    const settings = { steps: [{ step: 'setWeight', weight: 20 }, { step: 'analysis' }] as const, metrics: [open] };
    const trial = new RolloutTrial(argoCanary.make(settings, replicas), { ...replicas, isPromoted: false }).populate('v1');
    trial.errorRate = () => 0.03;
    trial.start('v1', 'v2').run(60 * MINUTE);
    expect(phases(trial).at(-1)).toBe('paused: InconclusiveAnalysisRun');
    trial.rollout.command('promote', trial.nowMs);
    trial.run(10 * MINUTE);
    expect(trial.rollout.phase).toBe('succeeded');
  });

  it('steps back down its weights when it is aborted with dynamicStableScale, and always has replicas for them', () => {
    const settings = { steps, trafficRouting: true, dynamicStableScale: true };
    const trial = new RolloutTrial(argoCanary.make(settings, replicas), replicas).populate('v1');
    trial.start('v1', 'v2').run(90_000);
    expect(trial.weights).toEqual({ v1: 40, v2: 60 });
    trial.rollout.command('abort', trial.nowMs);
    trial.run(30 * MINUTE);
    expect(weightsOf(trial, 'v2')).toEqual([20, 60, 20, 0]);
    expect(trial.leastAvailable).toBe(10);
    expect(trial.rollout.phase).toBe('aborted');
  });

  it('goes back as far as the stable side can take over', () => {
    const counted = { replicas: 10, maxWeight: 100, dynamicStableScale: true, minPodsPerReplicaSet: 1 };
    expect(retreatWeight(counted, [20, 60], 6, 4)).toBe(20);
    expect(retreatWeight(counted, [20, 60], 2, 8)).toBe(0);
  });

  it('never goes beyond surge or below what must be available without a router, whatever the weights', () => {
    const weight = fc.integer({ min: 0, max: 100 });
    fc.assert(
      fc.property(
        fc.array(weight, { maxLength: 4 }),
        fc.integer({ min: 1, max: 12 }),
        fc.nat(3),
        fc.nat(3),
        fc.nat(200),
        (list, size, surge, missing, abortSec) => {
          const settings = {
            steps: list.map((each) => ({ step: 'setWeight', weight: each }) as const),
            maxSurge: String(surge),
            maxUnavailable: String(missing),
          };
          const trial = new RolloutTrial(argoCanary.make(settings, replicas), { ...replicas, size }).populate('v1');
          const { maxSurge, maxUnavailable } = fencepostsWithin({ count: surge }, { count: missing }, size);
          trial.start('v1', 'v2').run(abortSec * 1000);
          trial.rollout.command('abort', trial.nowMs);
          trial.run(30 * MINUTE);
          expect(trial.mostCreated).toBeLessThanOrEqual(size + maxSurge);
          expect(trial.leastAvailable).toBeGreaterThanOrEqual(size - maxUnavailable);
        },
      ),
      { numRuns: 100 },
    );
  });
});

describe('an Argo blue-green', () => {
  it('switches everything at once, after the preview was looked at, and back if it fails then', () => {
    const settings = { metrics: [{ ...errors, count: 3 }], postPromotionTemplate: 'default' };
    const trial = new RolloutTrial(argoBlueGreen.make(settings, replicas), replicas).populate('v1');
    trial.start('v1', 'v2').run(12_000);
    expect(trial.weights).toEqual({ v2: 100 });
    trial.errorRate = (version) => (version === 'v2' ? 0.3 : 0.001);
    trial.run(10 * MINUTE);
    expect(weightsOf(trial, 'v2')).toEqual([100, 0]);
    expect(trial.rollout.phase).toBe('aborted');
    expect(trial.leastAvailable).toBe(10);
  });

  it('switches back without waiting for anybody while the new version is still being analysed', () => {
    const settings = {
      autoPromotionEnabled: false,
      metrics: [{ ...errors, count: 60 }],
      postPromotionTemplate: 'default',
    };
    const trial = new RolloutTrial(argoBlueGreen.make(settings, replicas), { ...replicas, isPromoted: false }).populate('v1');
    trial.start('v1', 'v2').run(MINUTE, 'paused');
    trial.rollout.command('promote', trial.nowMs);
    trial.run(MINUTE);
    expect([trial.rollout.phase, trial.weights]).toEqual(['promoting', { v2: 100 }]);
    trial.start('v2', 'v1').run(MINUTE);
    expect([trial.rollout.phase, trial.weights]).toEqual(['succeeded', { v1: 100 }]);
    expect(trial.versions()).toEqual(['v1']);
  });

  it('does not switch when the analysis before it fails', () => {
    const settings = { metrics: [{ ...errors, count: 3 }], prePromotionTemplate: 'default' };
    const trial = new RolloutTrial(argoBlueGreen.make(settings, replicas), replicas).populate('v1');
    trial.errorRate = (version) => (version === 'v2' ? 0.3 : 0.001);
    trial.start('v1', 'v2').run(10 * MINUTE);
    expect(weightsOf(trial, 'v2')).toEqual([]);
    expect(trial.versions()).toEqual(['v1']);
  });

  it('waits for somebody, with a small preview, and has it grow before the switch', () => {
    const settings = { autoPromotionEnabled: false, previewReplicaCount: 2 };
    const trial = new RolloutTrial(argoBlueGreen.make(settings, replicas), { ...replicas, isPromoted: false }).populate('v1');
    trial.start('v1', 'v2').run(60 * MINUTE);
    expect([trial.rollout.phase, trial.serving('v2')]).toEqual(['paused', 2]);
    trial.rollout.command('promote', trial.nowMs);
    trial.run(8000);
    expect([trial.weights, trial.serving('v2')]).toEqual([{ v2: 100 }, 10]);
  });

  it('cannot be had for hosts', () => {
    expect(() => argoBlueGreen.make({}, hosts)).toThrow('hosts of a configuration are there once');
    expect(() => flagger.make({}, hosts)).toThrow('hosts of a configuration have none');
  });
});

describe('Flagger', () => {
  const canary = canaryGroupOf('v2');

  it('goes up a step a minute, promotes the primary, and gives the traffic back to it', () => {
    const settings = { stepWeight: 20, maxWeight: 60, stepWeightPromotion: 30 };
    const trial = new RolloutTrial(flagger.make(settings, replicas), replicas).populate('v1');
    trial.start('v1', 'v2').run(30 * MINUTE);
    expect(weightsOf(trial, canary).filter((weight, at, all) => weight !== all[at - 1])).toEqual([20, 40, 60, 30, 0]);
    expect(phases(trial).map((phase) => phase.replace(/^.*: /, ''))).toEqual([
      'Progressing',
      'Promoting',
      'Finalising',
      'Succeeded',
    ]);
    expect(trial.weights).toEqual({ v2: 100 });
  });

  it('goes back after its threshold of failed checks, however far apart', () => {
    const trial = new RolloutTrial(flagger.make({ threshold: 2, stepWeight: 5, maxWeight: 90 }, replicas), replicas).populate(
      'v1',
    );
    trial.start('v1', 'v2').run(3 * MINUTE);
    const fail = (forMs: number): void => {
      trial.errorRate = (version) => (version === 'v2' ? 0.2 : 0.001);
      trial.run(forMs);
      trial.errorRate = () => 0.001;
    };
    fail(MINUTE);
    trial.run(5 * MINUTE);
    expect(trial.rollout.phase).toBe('progressing');
    fail(MINUTE);
    trial.run(5 * MINUTE);
    expect(trial.rollout.reason).toBe('Failed');
    expect(trial.weights).toEqual({ v1: 100 });
    expect(trial.versions()).toEqual(['v1']);
  });

  it('keeps the promoted version in the primary when another one comes before it is done', () => {
    const trial = new RolloutTrial(flagger.make({}, replicas), replicas).populate('v1');
    trial.start('v1', 'v2').run(60 * MINUTE, 'promoting');
    trial.run(5000).start('v1', 'v3');
    trial.errorRate = (version) => (version.startsWith('v3') ? 0.3 : 0.001);
    trial.run(5 * MINUTE).start('v1', 'v4');
    trial.run(2 * MINUTE);
    expect(trial.versions()).not.toContain('v1');
    trial.run(60 * MINUTE);
    expect([trial.rollout.phase, trial.versions()]).toEqual(['succeeded', ['v4']]);
  });

  it('takes a value that cannot be read for a failed check', () => {
    const trial = new RolloutTrial(flagger.make({ threshold: 1 }, replicas), replicas).populate('v1');
    trial.errorRate = () => undefined;
    trial.start('v1', 'v2').run(10 * MINUTE);
    expect(trial.rollout.reason).toBe('Failed');
  });

  it('copies requests for one look before the first weight', () => {
    const trial = new RolloutTrial(flagger.make({ mirror: true, mirrorWeight: 40 }, replicas), replicas).populate('v1');
    trial.start('v1', 'v2').run(30 * MINUTE);
    const mirrors = trial.log
      .filter((line) => line.includes('"mirror"'))
      .map((line) => JSON.parse(line) as [number, RolloutAction]);
    expect(mirrors.map(([, action]) => action)).toEqual([
      { kind: 'mirror', group: canary, percent: 40 },
      { kind: 'mirror', percent: 0 },
    ]);
    expect(mirrors[1][0] - mirrors[0][0]).toBe(MINUTE);
  });

  it('refuses a bound that is no number', () => {
    expect(() => flagger.make({ metrics: [{ metric: 'request-duration', max: 'fast' }] }, replicas)).toThrow(
      'the bound of request-duration is "fast"',
    );
  });
});

describe('staged waves', () => {
  const waves = (settings: object, size = 90): RolloutTrial =>
    new RolloutTrial(stagedWaves.make(settings, hosts), { ...hosts, size }).populate('v1');
  const stages = [
    { count: 3, soak: MINUTE },
    { fraction: 0.5, soak: MINUTE },
    { fraction: 1, soak: MINUTE },
  ];
  const pushed = (trial: RolloutTrial): readonly (readonly [number, readonly string[]])[] =>
    trial.log.flatMap((line) => {
      const [atMs, action] = JSON.parse(line) as [number, RolloutAction];
      return action.kind === 'push' ? [[atMs, action.hosts] as const] : [];
    });

  it('go from a few to all, with a soak after each', () => {
    const trial = waves({ stages, oneDomainAtATime: false });
    trial.start('v1', 'v2').run(60 * MINUTE);
    expect(pushed(trial).map(([, list]) => list.length)).toEqual([3, 42, 45]);
    expect(trial.rollout.phase).toBe('succeeded');
    const times = pushed(trial).map(([atMs]) => atMs);
    for (let at = 1; at < times.length; at++) expect(times[at] - times[at - 1]).toBeGreaterThan(MINUTE + 7000);
  });

  it('never change two failure domains at the same time', () => {
    const trial = waves({ stages });
    const domainOf = new Map(trial.hosts.map(({ host, domain }) => [host, domain]));
    trial.start('v1', 'v2').run(60 * MINUTE);
    expect(trial.rollout.phase).toBe('succeeded');
    let lastMs = -Infinity;
    let last = '';
    for (const [atMs, list] of pushed(trial)) {
      const domains = new Set(list.map((host) => domainOf.get(host)!));
      expect(domains.size).toBe(1);
      const [domain] = domains;
      if (domain !== last) expect(atMs - lastMs).toBeGreaterThan(MINUTE);
      [lastMs, last] = [atMs, domain];
    }
  });

  it('go back everywhere when a check fails, having reached only a few', () => {
    const trial = waves({ stages, metrics: [{ ...errors, failureCondition: 'result > 2 * control' }] });
    trial.errorRate = (version) => (version === 'v2' ? 0.05 : 0.001);
    trial.start('v1', 'v2').run(60 * MINUTE);
    expect(pushed(trial).map(([, list]) => list.length)).toEqual([3, 3]);
    expect([trial.rollout.phase, trial.serving('v1')]).toEqual(['aborted', 90]);
  });

  it('stay as they are with `halt`, until somebody decides', () => {
    const trial = waves({ stages, onFailure: 'halt' });
    trial.errorRate = (version) => (version === 'v2' ? 0.9 : 0.001);
    trial.start('v1', 'v2').run(60 * MINUTE);
    expect(trial.rollout.phase).toBe('halted');
    expect(trial.serving('v2')).toBe(3);
    trial.rollout.command('abort', trial.nowMs);
    trial.run(MINUTE);
    expect([trial.rollout.phase, trial.serving('v1')]).toEqual(['aborted', 90]);
  });

  it('fail when hosts refuse the version', () => {
    const trial = waves({ stages });
    trial.refuses = (version) => version === 'v2';
    trial.start('v1', 'v2').run(29 * MINUTE);
    expect(trial.rollout.phase).toBe('progressing');
    trial.run(5 * MINUTE);
    expect(trial.rollout.phase).toBe('aborted');
    expect(trial.rollout.reason).toBe('Stage 1 does not reach its hosts');
  });
});

describe('a percentage flag', () => {
  const flag = (settings: object, unit: 'replicas' | 'hosts'): Rollout => percentageFlag.make(settings, { unit });
  const percents = [
    { percent: 10, soak: MINUTE },
    { percent: 40, soak: MINUTE },
    { percent: 100, soak: 0 },
  ];

  it('says by which hash users are divided', () => {
    const trial = new RolloutTrial(
      flag({ steps: percents, hash: 'unleash', flag: 'f', salt: 's' }, 'replicas'),
      replicas,
    ).populate('v1');
    trial.start('v1', 'v2').run(30 * MINUTE);
    expect(weightsOf(trial, 'v2')).toEqual([10, 40, 100]);
    expect(trial.log.find((line) => line.includes('"weight"'))).toContain('"hash":{"name":"unleash","flag":"f","salt":"s"}');
  });

  it('switches off when a check fails', () => {
    const trial = new RolloutTrial(flag({ steps: percents, metrics: [errors] }, 'replicas'), replicas).populate('v1');
    trial.start('v1', 'v2').run(90_000);
    trial.errorRate = (version) => (version === 'v2' ? 0.3 : 0.001);
    trial.run(30 * MINUTE);
    expect([trial.rollout.phase, trial.weights]).toEqual(['aborted', { v1: 100 }]);
  });

  it('only adds hosts on its way up', () => {
    const trial = new RolloutTrial(flag({ steps: percents }, 'hosts'), { ...hosts, size: 200 }).populate('v1');
    trial.start('v1', 'v2').run(30 * MINUTE);
    const all = trial.log.flatMap((line) => {
      const [, action] = JSON.parse(line) as [number, RolloutAction];
      return action.kind === 'push' ? [...action.hosts] : [];
    });
    expect(all).toHaveLength(200);
    expect(new Set(all).size).toBe(200);
  });
});
