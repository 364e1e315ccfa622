/** The HorizontalPodAutoscaler of Kubernetes: replicas in proportion to use over target, never down on what was asked for within the last
 *  minutes, never up by more than a step.
 *
 *  Use it for services whose load is proportional to something that is measured. It fails to see what it does not measure: a target on
 *  CPU stays calm while requests wait for locks or for others, and its metrics are an average that is a minute old when a step is taken,
 *  so sudden load is met only after that and after the new replicas' start. It acts on what replicas request, not on what they may use.
 *
 *  Per metric: desired = ceil(ready · use / target), nothing within the tolerance; the largest of the metrics counts. Without samples of
 *  a metric it may still go up by the others, and never goes down. Without `behavior` a step up at most doubles, or goes to four, and a
 *  step down waits until everything that was wanted within `scaleDownStabilizationWindow` is as low. With `behavior` both directions have a
 *  window and rules of the kind "so many, or so many percent, per period". */
import { InputError } from '../../core/errors.ts';
import { boolean, choice, duration, fraction, int, number, type ParamValues, records, string } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import { type Autoscaler, defineAutoscaler, type ScaleDecision, type ScaleObservation } from './autoscaler.ts';
import type { Behavior, ScalingRules } from './hpa/behavior-limits.ts';
import { type Metric, metricTypes } from './hpa/metrics.ts';
import { type Condition, HpaReconciler } from './hpa/reconciler.ts';

const scalingPolicies = {
  type: choice({
    default: 'Pods',
    choices: ['Pods', 'Percent'],
    about: 'Whether `value` is a count or a share of those at the period’s start.',
  }),
  value: int({ default: 4, min: 1, about: 'Largest change within a period.' }),
  period: duration({
    default: 15_000,
    min: 1000,
    max: 1_800_000,
    about: 'Length of the period.',
    official: 'Kubernetes periodSeconds',
  }),
};
const selections = ['Max', 'Min', 'Disabled'] as const;

/** What all that is made of an HPA has in common: how steps are limited. */
export const hpaBehaviorParams = {
  behavior: boolean({
    default: false,
    about:
      'Whether the rules of scaleUp and scaleDown count; without them a step up goes to twice the count or to four, at most.',
    official: 'Kubernetes spec.behavior',
  }),
  scaleUpStabilizationWindow: duration({
    default: 0,
    max: 3_600_000,
    about: 'Up only as far as the lowest count wanted within this time.',
    official: 'Kubernetes behavior.scaleUp.stabilizationWindowSeconds',
  }),
  scaleUpSelectPolicy: choice({
    default: 'Max',
    choices: selections,
    about: 'Which of several rules counts: that of the largest change, of the smallest, or no step up at all.',
    official: 'Kubernetes behavior.scaleUp.selectPolicy',
  }),
  scaleUpPolicies: records({
    fields: scalingPolicies,
    required: ['type', 'value'],
    default: [
      { type: 'Pods', value: 4 },
      { type: 'Percent', value: 100 },
    ],
    atLeast: 1,
    about: 'How far up within a period.',
    official: 'Kubernetes behavior.scaleUp.policies',
  }),
  scaleDownStabilizationWindow: duration({
    default: 300_000,
    max: 3_600_000,
    about: 'Down only as far as the highest count wanted within this time; with behavior and without.',
    official: 'Kubernetes behavior.scaleDown.stabilizationWindowSeconds, or --horizontal-pod-autoscaler-downscale-stabilization',
  }),
  scaleDownSelectPolicy: choice({
    default: 'Max',
    choices: selections,
    about: 'Which of several rules counts: that of the largest change, of the smallest, or no step down at all.',
    official: 'Kubernetes behavior.scaleDown.selectPolicy',
  }),
  scaleDownPolicies: records({
    fields: scalingPolicies,
    required: ['type', 'value'],
    default: [{ type: 'Percent', value: 100 }],
    atLeast: 1,
    about: 'How far down within a period.',
    official: 'Kubernetes behavior.scaleDown.policies',
  }),
  scaleUpTolerance: fraction({
    default: 0.1,
    about: 'How far above its target a metric may be without a step up.',
    official: 'Kubernetes behavior.scaleUp.tolerance, or --horizontal-pod-autoscaler-tolerance',
  }),
  scaleDownTolerance: fraction({
    default: 0.1,
    about: 'How far below its target a metric may be without a step down.',
    official: 'Kubernetes behavior.scaleDown.tolerance, or --horizontal-pod-autoscaler-tolerance',
  }),
  syncPeriod: duration({
    default: 15_000,
    min: 1,
    about: 'Time from one decision to the next.',
    official: 'Kubernetes --horizontal-pod-autoscaler-sync-period',
  }),
};

const params = {
  min: int({
    default: 1,
    min: 0,
    about: 'Fewest replicas; 0 needs a metric of type Object or External.',
    official: 'Kubernetes minReplicas',
  }),
  max: int({ default: 10, min: 1, about: 'Most replicas.', official: 'Kubernetes maxReplicas' }),
  metrics: records({
    fields: {
      type: choice({
        default: 'Resource',
        choices: metricTypes,
        about: 'Whose metric: what replicas use of a resource, anything else of replicas, or of something as a whole.',
      }),
      name: string({ default: 'cpu', about: 'Which metric: cpu and memory for resources, for the others as the host calls it.' }),
      averageUtilization: fraction({ default: 0, max: 100, about: 'Target: share of what replicas request; 0 for none.' }),
      averageValue: number({ default: 0, min: 0, about: 'Target: amount per replica; 0 for none.' }),
      value: number({ default: 0, min: 0, about: 'Target: amount in all; 0 for none.' }),
    },
    required: ['name'],
    default: [{ type: 'Resource', name: 'cpu', averageUtilization: 0.8 }],
    atLeast: 1,
    about: 'What is measured, each with one target; the one that wants most replicas counts.',
    official: 'Kubernetes spec.metrics',
  }),
  ...hpaBehaviorParams,
  cpuInitializationPeriod: duration({
    default: 300_000,
    about: 'After its start a replica’s CPU counts only from when it is ready and a whole window has passed.',
    official: 'Kubernetes --horizontal-pod-autoscaler-cpu-initialization-period',
  }),
  initialReadinessDelay: duration({
    default: 30_000,
    about: 'A replica that has not been ready within this time of its start counts as never ready.',
    official: 'Kubernetes --horizontal-pod-autoscaler-initial-readiness-delay',
  }),
};

export const hpa = defineAutoscaler({
  name: 'hpa',
  summary: 'Replicas in proportion to use over target, with windows against flapping (Kubernetes).',
  useWhen: 'Something is measured that is proportional to load, and load changes over minutes.',
  failsWhen: 'Load rises faster than old averages and starting replicas can follow; or the metric does not show what is short.',
  cost: 'O(replicas · metrics) per decision',
  sources: [
    'kubernetes/kubernetes: pkg/controller/podautoscaler/horizontal.go and replica_calculator.go',
    'kubernetes.io: Horizontal Pod Autoscaling',
  ],
  aliases: [
    { system: 'Kubernetes', name: 'HorizontalPodAutoscaler' },
    { system: 'Knative', name: 'hpa.autoscaling.knative.dev' },
  ],
  params,
  create: (values) => new Hpa(values),
});

type Values = ParamValues<typeof params>;

class Hpa implements Autoscaler {
  readonly decideEveryMs: Ms;
  readonly #reconciler: HpaReconciler;
  #decided: number | undefined;

  constructor(values: Values) {
    refuseContradictions(values);
    this.decideEveryMs = values.syncPeriod;
    this.#reconciler = new HpaReconciler({
      min: values.min,
      max: values.max,
      metrics: values.metrics,
      tolerance: { up: values.scaleUpTolerance, down: values.scaleDownTolerance },
      readiness: {
        cpuInitializationPeriodMs: values.cpuInitializationPeriod,
        initialReadinessDelayMs: values.initialReadinessDelay,
      },
      downscaleStabilizationMs: values.scaleDownStabilizationWindow,
      behavior: behaviorOf(values),
    });
  }

  decide(observation: ScaleObservation): ScaleDecision {
    const { replicas, conditions } = this.#reconciler.reconcile(observation);
    this.#decided = replicas;
    return { replicas, reason: reasonOf(conditions) };
  }

  onScaled(from: number, to: number, nowMs: Ms): void {
    // What others do is not measured against the rules.
    if (to === this.#decided) this.#reconciler.recordScaled(from, to, nowMs);
  }
}

/** The word that says most: no metrics, then a limit, then a window. */
export function reasonOf(conditions: Readonly<Record<string, Condition>>): string {
  const { ScalingActive, AbleToScale, ScalingLimited } = conditions as Readonly<Record<string, Condition | undefined>>;
  if (ScalingActive?.status === false) return ScalingActive.reason;
  if (ScalingLimited?.status === true || AbleToScale === undefined) return ScalingLimited?.reason ?? '';
  return AbleToScale.reason === 'ReadyForNewScale' ? (ScalingLimited?.reason ?? '') : AbleToScale.reason;
}

export function behaviorOf(values: ParamValues<typeof hpaBehaviorParams>): Behavior | undefined {
  if (!values.behavior) return undefined;
  const rules = (
    stabilizationWindowMs: Ms,
    selectPolicy: ScalingRules['selectPolicy'],
    policies: Values['scaleUpPolicies'],
  ): ScalingRules => ({
    stabilizationWindowMs,
    selectPolicy,
    policies: policies.map(({ type, value, period }) => ({ type, value, periodMs: period })),
  });
  return {
    scaleUp: rules(values.scaleUpStabilizationWindow, values.scaleUpSelectPolicy, values.scaleUpPolicies),
    scaleDown: rules(values.scaleDownStabilizationWindow, values.scaleDownSelectPolicy, values.scaleDownPolicies),
  };
}

/** Rules that would not count are a mistake. */
export function refuseIdleBehavior(who: string, values: ParamValues<typeof hpaBehaviorParams>): void {
  if (values.behavior) return;
  const { scaleUpPolicies: up, scaleDownPolicies: down } = hpaBehaviorParams;
  const idle =
    (values.scaleUpStabilizationWindow !== 0 && 'scaleUpStabilizationWindow') ||
    (values.scaleUpSelectPolicy !== 'Max' && 'scaleUpSelectPolicy') ||
    (values.scaleDownSelectPolicy !== 'Max' && 'scaleDownSelectPolicy') ||
    (!isSameList(values.scaleUpPolicies, up.default) && 'scaleUpPolicies') ||
    (!isSameList(values.scaleDownPolicies, down.default) && 'scaleDownPolicies');
  if (idle !== false) throw InputError.of('idle-parameter', `${who}: ${idle} counts only with behavior: true`);
}

type PolicyRecords = Values['scaleUpPolicies'];
const isSameList = (a: PolicyRecords, b: PolicyRecords): boolean =>
  a.length === b.length &&
  a.every(({ type, value, period }, i) => type === b[i].type && value === b[i].value && period === b[i].period);

function refuseContradictions(values: Values): void {
  const { min, max, metrics } = values;
  if (min > max) throw InputError.of('bad-bounds', `hpa: min is ${min} and max is ${max}`);
  for (const [index, metric] of metrics.entries()) {
    const problem = problemOf(metric);
    if (problem === undefined) continue;
    throw InputError.of('bad-metric', `hpa: metrics: ${metric.type} ${metric.name} ${problem}`).at('metrics', index);
  }
  const reachesZero = metrics.some(({ type }) => type === 'Object' || type === 'External');
  if (min === 0 && !reachesZero)
    throw InputError.of(
      'bad-bounds',
      'hpa: min is 0, and no metric of type Object or External says when to come back from there',
    );
  refuseIdleBehavior('hpa', values);
}

const targetsOf: Readonly<Record<Metric['type'], readonly (keyof Metric)[]>> = {
  Resource: ['averageUtilization', 'averageValue'],
  Pods: ['averageValue'],
  Object: ['value', 'averageValue'],
  External: ['value', 'averageValue'],
};

function problemOf(metric: Metric): string | undefined {
  if (metric.name === '') return 'has no name';
  const given = (['averageUtilization', 'averageValue', 'value'] as const).filter((target) => metric[target] > 0);
  const fitting = targetsOf[metric.type];
  if (given.length !== 1) return `needs one target: ${fitting.join(' or ')}`;
  return fitting.includes(given[0]) ? undefined : `has ${given[0]}, its target is ${fitting.join(' or ')}`;
}
