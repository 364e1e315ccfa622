/** Every roll-out strategy against its contract, in its variants, and the contract against strategies that break it. */
import { describe, expect, it } from 'vitest';
import { rolloutRules, type RolloutSubject } from '../../../src/policies/rollout/strategies/contract.ts';
import { checkRollout, type Rollout, rollingUpdate, rollouts } from '../../../src/policies/rollout/strategies/index.ts';

const metrics = [{ metric: 'error-rate', failureCondition: 'result > 0.05', interval: 30_000, count: 4 }];
const variants: Readonly<Record<string, readonly object[]>> = {
  'all-at-once': [{}, { minReadySeconds: 10_000 }],
  recreate: [{}, { progressDeadlineSeconds: 60_000 }],
  'rolling-update': [
    {},
    { maxSurge: '0', maxUnavailable: '1' },
    { maxSurge: '100%', maxUnavailable: '0' },
    { minReadySeconds: 20_000 },
  ],
  'argo-canary': [
    {},
    { steps: [] },
    {
      trafficRouting: true,
      steps: [
        { step: 'setWeight', weight: 5 },
        { step: 'pause', duration: 60_000 },
        { step: 'setWeight', weight: 50 },
      ],
    },
    {
      trafficRouting: true,
      dynamicStableScale: true,
      steps: [
        { step: 'setWeight', weight: 20 },
        { step: 'pause', duration: 30_000 },
        { step: 'setWeight', weight: 60 },
        { step: 'pause' },
      ],
    },
    {
      metrics,
      trafficRouting: true,
      steps: [
        { step: 'setCanaryScale', replicas: 2 },
        { step: 'setMirrorRoute', weight: 30 },
        { step: 'analysis' },
        { step: 'setCanaryScale', matchTrafficWeight: true },
        { step: 'setWeight', weight: 40 },
      ],
    },
    { metrics, backgroundTemplate: 'default', maxSurge: '0', maxUnavailable: '2' },
  ],
  'argo-blue-green': [
    {},
    { autoPromotionEnabled: false, previewReplicaCount: 2 },
    { autoPromotionSeconds: 120_000, metrics, prePromotionTemplate: 'default', postPromotionTemplate: 'default' },
  ],
  flagger: [
    {},
    { stepWeight: 0, stepWeights: [{ weight: 5 }, { weight: 30 }, { weight: 70 }] },
    { iterations: 5, mirror: true },
    { stepWeightPromotion: 25, confirmPromotion: true, threshold: 3, maxWeight: 0, mirror: true },
  ],
  'staged-waves': [{}, { oneDomainAtATime: false, onFailure: 'halt' }, { metrics, stages: [{ count: 3 }, { fraction: 0.5 }] }],
  'percentage-flag': [{}, { metrics, hash: 'unleash', steps: [{ percent: 25 }] }],
};
const onReplicasOnly: readonly string[] = ['argo-blue-green', 'flagger'];

for (const [name, definition] of Object.entries(rollouts)) {
  describe.each(variants[name])(`${name} %j keeps the contract of roll-outs: it`, (params) => {
    const subject: RolloutSubject = {
      units: onReplicasOnly.includes(name) ? ['replicas'] : ['replicas', 'hosts'],
      make: (deps) => definition.make(params, deps),
    };
    it.each(rolloutRules)('$name', (rule) => expect(rule.check(subject)).toEqual([]));
  });
}

describe('the contract of roll-outs', () => {
  const found = (spoil: (rollout: Rollout) => Partial<Rollout>): readonly string[] =>
    checkRollout({
      units: ['replicas'],
      make: (deps) => {
        const rollout = rollingUpdate.make({}, deps);
        const spoilt = spoil(rollout);
        return new Proxy(rollout, {
          get: (target, key) => {
            const value: unknown = Reflect.get(key in spoilt ? spoilt : target, key, target);
            return typeof value === 'function' && !(key in spoilt) ? value.bind(target) : value;
          },
        });
      },
    });

  it('notices those that do nothing', () => {
    expect(found(() => ({ step: () => [] })).join()).toContain('brings the first version up');
  });

  it('notices those that repeat themselves, and those that ask for half a replica', () => {
    const more = (replicas: number) => (rollout: Rollout) => ({
      step: (observation: Parameters<Rollout['step']>[0]) => [
        ...rollout.step(observation),
        { kind: 'scale', group: 'v2', version: 'v2', replicas } as const,
      ],
    });
    expect(found(more(10)).join()).toContain('has nothing to say');
    expect(found(more(2.5)).join()).toContain('asks for 2.5 replicas');
  });

  it('notices those that forget', () => {
    expect(found(() => ({ restore: () => {} })).join()).toContain('can be carried on by another object');
  });

  it('notices those that ask to be woken without end', () => {
    expect(found(() => ({ nextTimerMs: () => 0 })).join()).toContain('wants to be woken');
  });
});
