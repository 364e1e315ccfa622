/** AWS's target tracking: keeps a metric at a target, quick to add and slow to remove.
 *
 *  Use it for a metric that halves when capacity doubles: utilisation, or work per instance. It fails on metrics that do not (latency, a
 *  total), and by being late: three minutes until the first step up, then a warm-up in which only what is still lacking is added.
 *
 *  Two alarms are managed: three of three datapoints above the target, and fifteen of fifteen below a threshold that is lower than the
 *  target by a margin. Up: ceil(capacity · metric / target), where capacity is what was measured, without instances that warm up; they
 *  count as there, so only the difference is added. Down: as far as the metric stays within the target, by a small share of the capacity
 *  at a time, and never while instances warm up. Without data nothing is removed, and nothing added.
 *
 *  AWS does not publish the exact algorithm: the proportional rule, the width of the margin and the size of a step down are what its
 *  documentation describes, in numbers of our own. */
import { boolean, duration, fraction, int, number, type ParamValues } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import {
  type Autoscaler,
  defineAutoscaler,
  type ReplicaSample,
  type ScaleDecision,
  type ScaleObservation,
} from './autoscaler.ts';
import { Cooldowns } from './aws/cooldowns.ts';
import { readGroup } from './aws/group-metric.ts';
import { groupParams, warmupParam } from './aws/group-params.ts';
import { MetricAlarm } from './aws/metric-alarm.ts';
import { measuredCapacity, WarmReplicas } from './aws/warm-replicas.ts';
import { backWithin, refuseEmptyBounds, within } from './parts/bounds.ts';
import { Datapoints } from './parts/datapoints.ts';

const params = {
  ...groupParams,
  targetValue: number({
    default: 0.5,
    min: 0,
    exclusiveMin: true,
    about: 'What the metric is to be.',
    official: 'AWS TargetValue',
  }),
  disableScaleIn: boolean({ default: false, about: 'Whether it only ever adds.', official: 'AWS DisableScaleIn' }),
  estimatedInstanceWarmup: warmupParam,
  scaleOutCooldown: duration({
    default: 0,
    min: 0,
    about: 'For so long after a step up, a further one starts from the capacity before it.',
    official: 'Application Auto Scaling ScaleOutCooldown',
  }),
  scaleInCooldown: duration({
    default: 300_000,
    min: 0,
    about: 'Time between two steps down.',
    official: 'Application Auto Scaling ScaleInCooldown',
  }),
  highPeriods: int({ default: 3, min: 1, about: 'Datapoints above the target before a step up.' }),
  lowPeriods: int({ default: 15, min: 1, about: 'Datapoints below the lower threshold before a step down.' }),
  lowMargin: fraction({ default: 0.1, about: 'How far the lower threshold is below the target, as a share of it.' }),
  scaleInShare: fraction({ default: 0.1, about: 'Share of the capacity that a step down removes at most, but one at least.' }),
} as const;

export const targetTracking = defineAutoscaler({
  name: 'target-tracking',
  summary: 'Keeps a metric at a target: up in proportion after three minutes, down little by little after fifteen (AWS).',
  useWhen: 'Utilisation or work per replica is measured, and capacity should rather be too large than too small.',
  failsWhen: 'The metric does not fall when replicas are added, or load rises within less than three minutes.',
  cost: 'O(replicas) per reading',
  sources: [
    'AWS: Amazon EC2 Auto Scaling User Guide, target tracking scaling policies',
    'AWS: Application Auto Scaling User Guide, how target tracking scaling works',
  ],
  aliases: [
    { system: 'AWS', name: 'TargetTrackingScaling' },
    { system: 'Google Cloud', name: 'utilizationTarget' },
  ],
  params,
  create: (values) => new TargetTracking(values),
});

class TargetTracking implements Autoscaler {
  readonly decideEveryMs: Ms;
  readonly sampleEveryMs: Ms;
  readonly #params: ParamValues<typeof params>;
  readonly #datapoints: Datapoints;
  readonly #replicas: WarmReplicas;
  readonly #cooldowns: Cooldowns;
  readonly #high: MetricAlarm;
  readonly #low: MetricAlarm;

  constructor(values: ParamValues<typeof params>) {
    refuseEmptyBounds('target-tracking', values);
    this.#params = values;
    this.decideEveryMs = values.period;
    this.sampleEveryMs = values.sampleEvery;
    this.#datapoints = new Datapoints(values.statistic);
    this.#replicas = new WarmReplicas(values.estimatedInstanceWarmup);
    this.#cooldowns = new Cooldowns(values.scaleOutCooldown, values.scaleInCooldown);
    const { targetValue, lowMargin, highPeriods, lowPeriods } = values;
    this.#high = new MetricAlarm({
      comparison: 'GreaterThanThreshold',
      threshold: targetValue,
      evaluationPeriods: highPeriods,
      datapointsToAlarm: highPeriods,
      missingData: 'missing',
    });
    this.#low = new MetricAlarm({
      comparison: 'LessThanThreshold',
      threshold: targetValue * (1 - lowMargin),
      evaluationPeriods: lowPeriods,
      datapointsToAlarm: lowPeriods,
      missingData: 'missing',
    });
  }

  sample(observation: ScaleObservation): void {
    this.#measure(observation);
  }

  decide(observation: ScaleObservation): ScaleDecision {
    const warm = this.#measure(observation);
    const datapoint = this.#datapoints.close();
    const high = this.#high.evaluate(datapoint);
    const low = this.#low.evaluate(datapoint);
    const outside = backWithin(this.#params, observation.specReplicas);
    if (outside !== undefined) return outside;
    if (datapoint === undefined) return { replicas: undefined, reason: 'InsufficientData' };
    if (high === 'ALARM') return this.#scaleOut(datapoint, warm.length, observation);
    if (low === 'ALARM') return this.#scaleIn(datapoint, warm.length, observation);
    return { replicas: observation.specReplicas, reason: 'AlarmsOK' };
  }

  onScaled(from: number, to: number, nowMs: Ms): void {
    this.#cooldowns.onScaled(from, to, nowMs);
  }

  #measure(observation: ScaleObservation): readonly ReplicaSample[] {
    const warm = this.#replicas.update(observation);
    this.#datapoints.add(readGroup(this.#params.metric, this.#params.grouping, observation, warm));
    return warm;
  }

  #scaleOut(metric: number, warm: number, observation: ScaleObservation): ScaleDecision {
    const { specReplicas, nowMs } = observation;
    const base = this.#cooldowns.baseFor(measuredCapacity(warm, observation), nowMs);
    const needed = neededFor(base, metric, this.#params.targetValue);
    const replicas = within(this.#params, Math.max(specReplicas, needed));
    return { replicas, reason: replicas > specReplicas ? 'AlarmHigh' : 'AlreadyScalingOut' };
  }

  #scaleIn(metric: number, warm: number, { specReplicas, nowMs }: ScaleObservation): ScaleDecision {
    const { disableScaleIn, scaleInShare, targetValue } = this.#params;
    const stay = (reason: string): ScaleDecision => ({ replicas: specReplicas, reason });
    if (disableScaleIn) return stay('ScaleInDisabled');
    if (warm < specReplicas) return stay('WarmingUp');
    if (!this.#cooldowns.mayScaleIn(nowMs)) return stay('ScaleInCooldown');
    const enough = neededFor(specReplicas, metric, targetValue);
    const gradual = specReplicas - Math.max(1, Math.floor(specReplicas * scaleInShare));
    const replicas = within(this.#params, Math.min(specReplicas, Math.max(enough, gradual)));
    return { replicas, reason: replicas < specReplicas ? 'AlarmLow' : 'AlarmsOK' };
  }
}

/** Replicas for which the metric would be at most the target. */
function neededFor(replicas: number, metric: number, target: number): number {
  const exact = (replicas * metric) / target;
  const nearest = Math.round(exact);
  // 3 · 0.1 / 0.1 is a little more than 3.
  return Math.abs(exact - nearest) < 1e-9 * nearest ? nearest : Math.ceil(exact);
}
