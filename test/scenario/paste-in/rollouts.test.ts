/** Manifests of Kubernetes, Argo and Flagger as the strategy by which a service is rolled out. */
import { describe, expect, test } from 'vitest';
import { defaults } from '../../../src/core/params.ts';
import { rollouts } from '../../../src/policies/rollout/strategies/index.ts';
import type { PolicyUse } from '../../../src/scenario/spec.ts';
import { type Files, issuesOf, scenarioOf, scenarioText } from '../fixture.ts';
import { realFiles } from './paste.ts';

const release = 'changes: [{ type: release, at: 30s, service: api, version: v2 }]';
const services = (more = ''): string => `services:\n  api: { work: 10ms, versions: { v2: {} }, ${more} }`;
const withRollout = (rollout: string, rest = release): string =>
  scenarioText({ services: services('instances: 4'), rest: `policies:\n  rollout: ${rollout}\n${rest}` });

const lines = async (text: string, files: Files): Promise<readonly string[]> =>
  (await issuesOf(text, { files })).map(
    ({ place, severity, message, hint }) =>
      `${place?.file}:${place?.line}:${place?.column} ${severity}: ${message}${hint === undefined ? '' : `; ${hint}`}`,
  );

/** What differs from the strategy's defaults. */
function changed({ use, params }: PolicyUse): object {
  const usual = defaults(rollouts[use].params) as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(params).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(usual[key])),
  );
}
const rolloutOf = async (name: string, files: Files = realFiles): Promise<PolicyUse> =>
  (await scenarioOf(withRollout(`{ fromKubernetes: rollouts.yaml, name: ${name} }`), { files })).policies.rollout!;

describe('a Rollout of Argo', () => {
  test('becomes argo-canary with its steps and analyses', async () => {
    const use = await rolloutOf('checkout');
    const step = { weight: -1, duration: 0, replicas: -1, matchTrafficWeight: false, template: 'default' };
    const { steps, metrics, ...rest } = changed(use) as Readonly<Record<string, unknown>>;
    expect(use.use).toBe('argo-canary');
    expect(rest).toEqual({
      ...{ minReadySeconds: 20_000, progressDeadlineSeconds: 300_000, progressDeadlineAbort: true, trafficRouting: true },
      ...{ maxSurge: '2', maxUnavailable: '0', dynamicStableScale: true, maxTrafficWeight: 1000 },
      ...{ abortScaleDownDelaySeconds: 60_000, backgroundTemplate: 'latency', startingStep: 2 },
    });
    expect(steps).toEqual([
      { ...step, step: 'setCanaryScale', replicas: 1 },
      { ...step, step: 'setWeight', weight: 5 },
      { ...step, step: 'pause', duration: 90_000 },
      { ...step, step: 'analysis', template: 'errors+missing' },
      { ...step, step: 'setMirrorRoute', weight: 10 },
      { ...step, step: 'setWeight', weight: 50 },
      { ...step, step: 'pause', duration: 5_400_000 },
      { ...step, step: 'pause' },
    ]);
    expect(metrics).toMatchObject([
      {
        ...{ template: 'errors+missing', metric: 'error-rate', interval: 60_000, count: 5, failureLimit: 2, window: 120_000 },
        successCondition: '(1 - result) >= 0.95',
      },
      {
        ...{ template: 'latency', metric: 'latency.p99', initialDelay: 30_000, interval: 10_000 },
        failureCondition: 'result > 1.5 * control',
      },
    ]);
  });

  test('what does not count is named with its place', async () => {
    expect(await lines(withRollout('{ fromKubernetes: rollouts.yaml, name: checkout }'), realFiles)).toEqual([
      'test.yaml:9:12 warning: argo-canary has a pause that lasts until somebody promotes, and nobody does in a simulation; write { step: pause, duration: 5m }',
      'rollouts.yaml:9:3 warning: rollbackWindow is not read here',
      'rollouts.yaml:33:31 warning: there is no AnalysisTemplate missing here: nothing of it is measured; put it into the same file, behind ---',
      'rollouts.yaml:35:11 warning: a step "setHeaderRoute" is not read here: it is left out',
      'rollouts.yaml:36:59 warning: match is not read here; all requests are alike here',
      'rollouts.yaml:47:13 warning: success-rate is taken for what error-rate leaves',
      'rollouts.yaml:53:13 warning: there is no metric cpu-usage here: it is left out; known: error-rate, latency.p50, latency.p99, requests, errors, success-rate',
      'rollouts.yaml:62:13 warning: p99-latency is taken for latency.p99',
    ]);
  });

  test('of blue and green becomes argo-blue-green', async () => {
    const use = await rolloutOf('cart');
    expect(use.use).toBe('argo-blue-green');
    expect(changed(use)).toMatchObject({
      ...{ autoPromotionEnabled: false, autoPromotionSeconds: 120_000, previewReplicaCount: 2, scaleDownDelaySeconds: 45_000 },
      ...{ prePromotionTemplate: 'errors', metrics: [{ template: 'errors', metric: 'error-rate' }] },
    });
  });

  test('without steps has none', async () => {
    const files = { 'x.yaml': 'kind: Rollout\nspec: { strategy: { canary: {} } }' };
    const { policies } = await scenarioOf(withRollout('{ fromKubernetes: x.yaml }'), { files });
    expect(policies.rollout?.params.steps).toEqual([]);
  });

  test('a success rate in percent is left over by errors in percent', async () => {
    const template = `kind: AnalysisTemplate\nmetadata: { name: t }\nspec: { metrics: [{ name: success_rate, successCondition: 'result[0] >= 99' }] }`;
    const files = {
      'x.yaml': `kind: Rollout\nspec: { strategy: { canary: { analysis: { templates: [{ templateName: t }] } } } }\n---\n${template}`,
    };
    const { policies } = await scenarioOf(withRollout('{ fromKubernetes: x.yaml }'), { files });
    expect(policies.rollout?.params.metrics).toMatchObject([{ successCondition: '(100 - 100 * result) >= 99' }]);
  });
});

describe('a Canary of Flagger', () => {
  test('becomes flagger; what is absent is nothing', async () => {
    const use = await rolloutOf('search');
    expect(use.use).toBe('flagger');
    expect(changed(use)).toEqual({
      ...{
        interval: 30_000,
        threshold: 5,
        stepWeight: 0,
        maxWeight: 0,
        primaryReadyThreshold: 80,
        progressDeadlineSeconds: 60_000,
      },
      stepWeights: [{ weight: 1 }, { weight: 5 }, { weight: 20 }],
      confirmPromotion: true,
      metrics: [
        { metric: 'request-success-rate', min: '99.5', max: '', interval: 60_000 },
        { metric: 'request-duration', min: '', max: '250', interval: 60_000 },
      ],
    });
  });

  test('what does not count is named with its place', async () => {
    expect(await lines(withRollout('{ fromKubernetes: rollouts.yaml, name: search }'), realFiles)).toEqual([
      'test.yaml:9:12 warning: flagger waits until somebody confirms, and nobody does in a simulation; leave confirmPromotion out',
      'rollouts.yaml:96:17 warning: there is no metric my-metric here: it is left out; known: request-success-rate, request-duration',
      'rollouts.yaml:99:34 warning: a webhook of type "rollout" is not called here',
    ]);
  });
});

describe('mistakes', () => {
  test.each([
    ['kind: Rollout\nspec: {}', 'x.yaml:1:1 error: missing key "strategy"; with canary or blueGreen'],
    ['kind: Canary\nspec: {}', 'x.yaml:2:1 error: missing key "analysis"; that is what a Canary goes by'],
    [
      'kind: Rollout\nspec: { strategy: { canary: { steps: [{ pause: { duration: soon } }] } } }',
      'x.yaml:2:60 error: duration: "soon" is not a duration; write 90s or 1m30s',
    ],
    [
      'kind: Rollout\nspec: { strategy: { canary: { steps: [{ setWeight: lots }] } } }',
      'x.yaml:2:52 error: setWeight: expected a whole number, found "lots"',
    ],
    ['kind: Deployment', 'test.yaml:9:30 error: there is no Rollout or Canary in "x.yaml"'],
  ])('%s', async (manifest, expected) => {
    const found = await lines(withRollout('{ fromKubernetes: x.yaml }'), { 'x.yaml': manifest });
    expect(found).toContainEqual(expect.stringContaining(expected));
  });

  test('which of several is meant must be said', async () => {
    expect(await lines(withRollout('{ fromKubernetes: rollouts.yaml }'), realFiles)).toEqual([
      'test.yaml:9:30 error: there are 3 of kind Rollout or Canary in "rollouts.yaml"; say which with name: checkout, cart, search',
    ]);
  });

  test('an autoscaler is none', async () => {
    const found = await lines(withRollout('{ fromKubernetes: kubernetes.yaml, name: api }'), realFiles);
    expect(found).toEqual(['test.yaml:9:30 error: there is no Rollout or Canary in "kubernetes.yaml"']);
  });
});

describe('a Deployment', () => {
  const deployment = (spec: string): Files => ({
    'd.yaml': `kind: Deployment\nmetadata: { name: api }\nspec: { replicas: 4, ${spec}, template: { spec: { containers: [{ name: x }] } } }`,
  });
  const pasted = (rest = release, more = ''): string =>
    scenarioText({ services: services(`fromKubernetes: d.yaml${more}`), rest });
  const rolling =
    'strategy: { rollingUpdate: { maxSurge: 3, maxUnavailable: 0 } }, minReadySeconds: 5, progressDeadlineSeconds: 60';

  test('says how its service is rolled out', async () => {
    const { services: found } = await scenarioOf(pasted(), { files: deployment(rolling) });
    expect(found[0].policies.rollout).toEqual({
      use: 'rolling-update',
      params: { maxSurge: '3', maxUnavailable: '0', minReadySeconds: 5000, progressDeadlineSeconds: 60_000 },
    });
    const recreated = await scenarioOf(pasted(), { files: deployment('strategy: { type: Recreate }') });
    expect(recreated.services[0].policies.rollout).toEqual({
      use: 'recreate',
      params: { minReadySeconds: 0, progressDeadlineSeconds: 600_000 },
    });
    expect(await lines(pasted(), deployment(rolling))).toEqual([]);
  });

  test.each([
    ['', '', 'nothing is rolled out'],
    [`${release}\npolicies: { rollout: recreate }`, '', 'policies.rollout says how'],
    [`${release}\ncompare: { rollout: [recreate, all-at-once] }`, '', 'compare.rollout says how'],
    [release, ', policies: { rollout: recreate }', 'services.api.policies.rollout says how'],
  ])('plays no part with %s%s', async (rest, more, why) => {
    const found = await lines(pasted(rest, more), deployment(rolling));
    expect(found.filter((line) => line.startsWith('d.yaml'))).toEqual(
      ['22 warning: strategy', '87 warning: minReadySeconds', '107 warning: progressDeadlineSeconds'].map(
        (what) => `d.yaml:3:${what} plays no part: ${why}`,
      ),
    );
  });
});
