/** Manifests of Kubernetes: HorizontalPodAutoscalers and ScaledObjects as autoscalers, Deployments as what a service can have of them. */
import { describe, expect, test } from 'vitest';
import { defaults } from '../../../src/core/params.ts';
import type { AutoscalerDefinition } from '../../../src/policies/autoscaling/index.ts';
import { autoscalers } from '../../../src/policies/autoscaling/index.ts';
import { Complaints } from '../../../src/scenario/complaints.ts';
import type { Env } from '../../../src/scenario/distributions.ts';
import { parseText } from '../../../src/scenario/document.ts';
import { readParam } from '../../../src/scenario/param-text.ts';
import { deployments, readDeployment } from '../../../src/scenario/paste-in/deployment.ts';
import { parseQuantity } from '../../../src/scenario/paste-in/kubernetes-quantity.ts';
import { isPasted, pastedUse } from '../../../src/scenario/paste-in/paste-in.ts';
import { readPasted } from '../../../src/scenario/paste-in/pasted-file.ts';
import { Source } from '../../../src/scenario/source.ts';
import { depsFor } from '../../policies/autoscaling/stage.ts';
import { dataFiles, type Files } from '../fixture.ts';
import { realFiles } from './paste.ts';

function envWith(files: Files): Env {
  const source = new Source('test.yaml', 'autoscaler: {}\n');
  const complaints = new Complaints(source, parseText(source).root!);
  return { complaints, data: dataFiles(files), traces: new Map(), recordings: new Map() };
}
const linesOf = ({ complaints }: Env): string[] =>
  complaints.all.map(
    ({ place, severity, message, hint }) =>
      `${place?.file}:${place?.line}:${place?.column} ${severity}: ${message}${hint === undefined ? '' : `; ${hint}`}`,
  );

async function autoscaler(written: Record<string, unknown>, files: Files = realFiles) {
  const env = envWith(files);
  const use = await pastedUse('autoscaler', written, ['autoscaler'], env, autoscalers, readParam);
  return { use, lines: linesOf(env) };
}
const only = (spec: string, head = 'apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler') =>
  autoscaler({ fromKubernetes: 'x.yaml' }, { 'x.yaml': `${head}\nspec: ${spec}\n` });
/** What differs from the policy's defaults. */
const changed = (policy: AutoscalerDefinition, params: object | undefined): object => {
  const usual = defaults(policy.params) as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(params ?? {}).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(usual[key])),
  );
};

test('the key stands for an autoscaler and nothing else', () => {
  expect(isPasted('autoscaler', { fromKubernetes: 'x' })).toBe(true);
  expect(isPasted('balancer', { fromKubernetes: 'x' })).toBe(false);
  expect(isPasted('autoscaler', { fromEnvoy: 'x' })).toBe(false);
});

describe('a HorizontalPodAutoscaler', () => {
  test('becomes hpa with its metrics and rules; what does not count is named with its place', async () => {
    const { use, lines } = await autoscaler({ fromKubernetes: 'kubernetes.yaml', name: 'api' });
    expect(use?.use).toBe('hpa');
    expect(use?.label).toBe('api: hpa');
    const metric = { averageUtilization: 0, averageValue: 0, value: 0 };
    expect(changed(autoscalers.hpa, use?.params)).toEqual({
      min: 2,
      max: 12,
      metrics: [
        { ...metric, type: 'Resource', name: 'cpu', averageUtilization: 1.2 },
        { ...metric, type: 'Pods', name: 'requests-per-second', averageValue: 1.5 },
        { ...metric, type: 'External', name: 'queue/work', value: 1000 },
      ],
      behavior: true,
      scaleUpStabilizationWindow: 15_000,
      scaleUpPolicies: [{ type: 'Percent', value: 50, period: 30_000 }],
      scaleDownSelectPolicy: 'Min',
      scaleDownTolerance: 0.05,
      scaleDownPolicies: [
        { type: 'Pods', value: 1, period: 60_000 },
        { type: 'Percent', value: 10, period: 60_000 },
      ],
    });
    expect(lines).toEqual([
      'kubernetes.yaml:71:35 warning: http_requests_per_second is taken for requests-per-second',
      'kubernetes.yaml:74:41 warning: selector is not read here; a metric has one series here',
      'kubernetes.yaml:77:35 warning: there is no metric packets here: it is left out; known: concurrency, requests-per-second',
    ]);
    expect(autoscalers.hpa.create(use!.params, depsFor(2)).decideEveryMs).toBe(15_000);
  });

  test('of version 1 has a target for CPU', async () => {
    const { use, lines } = await autoscaler({ fromKubernetes: 'kubernetes.yaml', name: 'old' });
    expect(changed(autoscalers.hpa, use?.params)).toEqual({
      max: 5,
      metrics: [{ type: 'Resource', name: 'cpu', averageUtilization: 0.65, averageValue: 0, value: 0 }],
    });
    expect(lines).toEqual([]);
  });

  test('without metrics has the usual one', async () => {
    const { use, lines } = await only('{ maxReplicas: 4 }');
    expect(changed(autoscalers.hpa, use?.params)).toEqual({ max: 4 });
    expect(lines).toEqual([]);
  });

  const resource = (target: string): string =>
    `{ maxReplicas: 4, metrics: [{ type: Resource, resource: { name: cpu, target: ${target} } }] }`;
  test.each([
    ['{}', 'x.yaml:3:1 error: missing key "maxReplicas"; an autoscaler needs an upper limit'],
    ['{ maxReplicas: 0 }', 'x.yaml:3:22 error: maxReplicas: 0 is too small; it must be at least 1'],
    ['{ maxReplicas: 4, minReplicas: two }', 'x.yaml:3:38 error: minReplicas: expected a whole number, found "two"'],
    [
      '{ maxReplicas: 4, metrics: [{ type: Cpu }] }',
      'x.yaml:3:43 error: "Cpu" is not a type of metric; known: Resource, ContainerResource, Pods, Object, External',
    ],
    ['{ maxReplicas: 4, metrics: [{ type: Pods }] }', 'x.yaml:3:35 error: missing key "pods"'],
    [
      '{ maxReplicas: 4, metrics: [{ type: Pods, pods: { metric: { name: packets }, target: { averageValue: 1 } } }] }',
      'x.yaml:3:25 error: none of its metrics is known here',
    ],
    [resource('{ averageValue: 1x }'), /^x.yaml:3:\d+ error: averageValue: "1x" is not a quantity; write 500m, 2 or 128Mi$/],
    [resource('{ averageUtilization: 50, typ: x }'), /^x.yaml:3:\d+ warning: typ is not read here$/],
    [
      '{ maxReplicas: 4, behavior: { scaleUp: { selectPolicy: Most } } }',
      /error: selectPolicy: "Most" is not one of Max, Min, Disabled/,
    ],
    ['{ maxReplicas: 4, behaviour: {} }', 'x.yaml:3:25 warning: behaviour is not read here'],
  ])('spec: %s', async (spec, complaint) => {
    const { lines } = await only(spec);
    expect(lines).toContainEqual(typeof complaint === 'string' ? complaint : expect.stringMatching(complaint));
  });

  test('of another version is not guessed at', async () => {
    const { use, lines } = await only('{ maxReplicas: 4 }', 'apiVersion: autoscaling/v3\nkind: HorizontalPodAutoscaler');
    expect(use).toBeUndefined();
    expect(lines).toEqual(['x.yaml:1:13 error: "autoscaling/v3" is not read here; write autoscaling/v2']);
  });

  test('must be chosen where there are several', async () => {
    const { lines } = await autoscaler({ fromKubernetes: 'kubernetes.yaml' });
    expect(lines).toEqual([expect.stringContaining('say which with name: api, old, worker')]);
  });
});

test('a ScaledObject becomes keda', async () => {
  const { use, lines } = await autoscaler({ fromKubernetes: 'kubernetes.yaml', name: 'worker' });
  expect(use?.use).toBe('keda');
  const trigger = {
    ...{ name: '', metricType: 'AverageValue', threshold: 0, activationThreshold: 0 },
    ...{ timezone: 'UTC', start: '', end: '', desiredReplicas: 0 },
  };
  expect(changed(autoscalers.keda, use?.params)).toEqual({
    max: 30,
    pollingInterval: 10_000,
    cooldownPeriod: 120_000,
    fallbackReplicas: 4,
    fallbackFailureThreshold: 2,
    fallbackBehavior: 'currentReplicasIfHigher',
    behavior: true,
    scaleDownStabilizationWindow: 60_000,
    triggers: [
      { ...trigger, type: 'metric', name: 'queue/work', threshold: 20, activationThreshold: 5 },
      { ...trigger, type: 'cron', timezone: 'Europe/Berlin', start: '0 8 * * *', end: '0 18 * * *', desiredReplicas: 6 },
      { ...trigger, type: 'metric', name: 'latency.p99', metricType: 'Value', threshold: 250 },
    ],
  });
  expect(lines).toEqual([
    'kubernetes.yaml:110:36 warning: mode is not read here',
    'kubernetes.yaml:115:62 warning: query is not read here',
    expect.stringMatching(/^kubernetes.yaml:116:13 warning: what the trigger cpu measures is not known here: it is left out; /),
  ]);
  expect(autoscalers.keda.create(use!.params, depsFor(0)).decideEveryMs).toBe(5000);
});

describe('a Service of Knative', () => {
  const service = (annotations: string, revision = '{}') =>
    autoscaler(
      { fromKubernetes: 'x.yaml' },
      {
        'x.yaml': `apiVersion: v1
kind: Service
metadata: { name: plain }
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata: { name: hello }
spec:
  template:
    metadata:
      annotations: ${annotations}
    spec: ${revision}
`,
      },
    );

  test('becomes kpa with its annotations, which are texts; plain services are not meant', async () => {
    const annotations = `
        autoscaling.knative.dev/class: kpa.autoscaling.knative.dev
        autoscaling.knative.dev/min-scale: "1"
        autoscaling.knative.dev/maxScale: "20"
        autoscaling.knative.dev/target: "12.5"
        autoscaling.knative.dev/target-utilization-percentage: "80"
        autoscaling.knative.dev/window: 1m30s
        autoscaling.knative.dev/panic-threshold-percentage: "150.0"
        autoscaling.knative.dev/target-burst-capacity: "-1"
        serving.knative.dev/progress-deadline: 2m
        example.com/other: x`;
    const { use, lines } = await service(annotations, '{ containerConcurrency: 50 }');
    expect(use?.label).toBe('hello: kpa');
    expect(changed(autoscalers.kpa, use?.params)).toEqual({
      min: 1,
      max: 20,
      target: 12.5,
      containerConcurrency: 50,
      containerConcurrencyTargetPercentage: 0.8,
      stableWindow: 90_000,
      panicThresholdPercentage: 1.5,
      targetBurstCapacity: -1,
      progressDeadline: 120_000,
    });
    expect(lines).toEqual([]);
    expect(autoscalers.kpa.create(use!.params, depsFor(1)).decideEveryMs).toBe(2000);
  });

  test('without a limit has that of the policy', async () => {
    expect(changed(autoscalers.kpa, (await service('{ autoscaling.knative.dev/max-scale: "0" }')).use?.params)).toEqual({});
  });

  test.each([
    [
      'class: hpa.autoscaling.knative.dev',
      /error: "hpa.autoscaling.knative.dev" is not Knative’s own autoscaler; paste the HorizontalPodAutoscaler itself/,
    ],
    ['metric: cpu', /error: autoscaling.knative.dev\/metric: "cpu" is not one of concurrency, rps/],
    ['window: soon', /error: autoscaling.knative.dev\/window: "soon" is not a duration; write 90s or 1m30s/],
    ['window: 1s', /error: autoscaling.knative.dev\/window: "1000ms" is too small; it must be at least 6s/],
    ['min-scale: few', /error: autoscaling.knative.dev\/min-scale: "few" is not a quantity/],
    ['min-scal: "1"', /warning: autoscaling.knative.dev\/min-scal is not read here/],
  ])('%s', async (annotation, complaint) => {
    const { lines } = await service(`{ autoscaling.knative.dev/${annotation} }`);
    expect(lines).toEqual([expect.stringMatching(complaint)]);
  });
});

describe('a Deployment', () => {
  async function deployment(file: string, files: Files = realFiles) {
    const env = envWith(files);
    const pasted = (await readPasted(file, ['autoscaler'], env))!;
    const [{ node }] = deployments(pasted);
    return { deployment: readDeployment(node, pasted), lines: linesOf(env) };
  }
  const alone = (pod: string, more = '') =>
    deployment('x.yaml', { 'x.yaml': `kind: Deployment\nspec:\n  template: { spec: ${pod} }\n${more}` });

  test('says what a service can have of it', async () => {
    const probe = { initialDelayMs: 0, periodMs: 10_000, timeoutMs: 1000, successThreshold: 1, failureThreshold: 3 };
    const Mi = 1024 ** 2;
    const { deployment: found, lines } = await deployment('kubernetes.yaml');
    expect(found).toEqual({
      name: 'api',
      replicas: 3,
      // Containers and sidecar together take 0.85 cores; the one that runs first alone takes 2.
      requests: { cpu: 2, memory: 320 * Mi, 'example.com/gpu': 1 },
      labels: { app: 'api', tier: 'web' },
      nodeSelector: { disktype: 'ssd' },
      tolerations: [
        { key: 'dedicated', operator: 'Equal', value: 'web', effect: 'NoSchedule', tolerationMs: Infinity },
        { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationMs: 20_000 },
      ],
      topologySpreadConstraints: [
        { topologyKey: 'topology.kubernetes.io/zone', maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway', selector: { app: 'api' } },
      ],
      terminationGracePeriodMs: 45_000,
      minReadyMs: 5000,
      progressDeadlineMs: 600_000,
      strategy: { type: 'RollingUpdate', maxSurge: '1', maxUnavailable: '10%' },
      probes: {
        readiness: { ...probe, kind: 'httpGet', periodMs: 5000 },
        liveness: { ...probe, kind: 'tcpSocket', initialDelayMs: 15_000, failureThreshold: 6 },
      },
    });
    expect(lines).toEqual([
      'kubernetes.yaml:50:11 warning: lifecycle is not read here',
      'kubernetes.yaml:54:11 warning: readinessProbe is not read here: that of another container counts',
      'kubernetes.yaml:55:7 warning: affinity is not read here; nodeSelector and topologySpreadConstraints are',
    ]);
  });

  test('has the defaults of Kubernetes where it says nothing', async () => {
    const { deployment: found, lines } = await alone('{ containers: [{ name: a }] }');
    expect(found).toMatchObject({
      replicas: 1,
      requests: {},
      terminationGracePeriodMs: 30_000,
      minReadyMs: 0,
      strategy: { type: 'RollingUpdate', maxSurge: '25%', maxUnavailable: '25%' },
      probes: {},
    });
    expect(lines).toEqual([]);
  });

  test('reserves what runs before its containers, beside the sidecars that are there by then', async () => {
    const one = (cpu: number, more = ''): string => `{ resources: { requests: { cpu: ${cpu} } }${more} }`;
    const sidecar = one(0.5, ', restartPolicy: Always');
    const cpuOf = async (init: string): Promise<number> =>
      (await alone(`{ initContainers: [${init}], containers: [${one(1)}], overhead: { cpu: 0.25 } }`)).deployment!.requests.cpu;
    expect(await cpuOf(one(3))).toBe(3.25);
    expect(await cpuOf(`${sidecar}, ${one(3)}`)).toBe(3.75);
    expect(await cpuOf(`${one(3)}, ${sidecar}`)).toBe(3.25);
    expect(await cpuOf(sidecar)).toBe(1.75);
  });

  test.each([
    ['{}', /error: there are no containers/],
    ['{ containers: [{ resources: { requests: { cpu: much } } }] }', /error: cpu: "much" is not a quantity/],
    ['{ containers: [{ livenessProbe: {} }] }', /error: the probe does nothing; one of httpGet/],
    [
      '{ containers: [{}], tolerations: [{ operator: Equals }] }',
      /error: operator: "Equals" is not one of Equal, Exists; did you mean "Equal"\?/,
    ],
    ['{ containers: [{}], terminationGracePeriodSeconds: 1.5 }', /error: terminationGracePeriodSeconds: expected a whole number/],
    ['{ containers: [{}], topologySpreadConstraints: [{ maxSkew: 1 }] }', /error: missing key "topologyKey"/],
  ])('template: %s', async (pod, complaint) => {
    const { deployment: found, lines } = await alone(pod);
    expect(found).toBeUndefined();
    expect(lines).toContainEqual(expect.stringMatching(complaint));
  });
});

test.each([
  ['500m', 0.5],
  ['100n', 1e-7],
  [2, 2],
  ['1.5', 1.5],
  ['2k', 2000],
  ['1Ki', 1024],
  ['1.5Gi', 1.5 * 1024 ** 3],
  ['12e3', 12_000],
  ['1E', 1e18],
  ['.5', 0.5],
  ['', undefined],
  ['1 Gi', undefined],
  ['1kb', undefined],
  ['-1', undefined],
  [true, undefined],
])('the quantity %j is %j', (text, value) => {
  expect(parseQuantity(text)).toBe(value);
});
