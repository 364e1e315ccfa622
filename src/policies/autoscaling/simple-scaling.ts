/** AWS's simple scaling: one change per alarm, then a pause.
 *
 *  Use it to see what the others improve on, or where every change needs time to show. It fails under load that grows: whatever the breach,
 *  it takes one step and then looks away until the new instances are there and the cooldown is over. An instance that never becomes
 *  ready keeps it from deciding anything.
 *
 *  After a change nothing is decided until the activity is complete, that is until all replicas asked for are ready and those told to
 *  go are gone, and then for the cooldown. */
import { duration, number, type ParamValues } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import {
  type Autoscaler,
  defineAutoscaler,
  type ReplicaSample,
  type ScaleDecision,
  type ScaleObservation,
} from './autoscaler.ts';
import { adjustedCapacity } from './aws/adjustment.ts';
import { AlarmPair } from './aws/alarm-pair.ts';
import { readGroup } from './aws/group-metric.ts';
import { adjustmentParams, alarmParams, groupParams } from './aws/group-params.ts';
import { WarmReplicas } from './aws/warm-replicas.ts';
import { backWithin, refuseEmptyBounds, within } from './parts/bounds.ts';
import { Datapoints } from './parts/datapoints.ts';

const params = {
  ...groupParams,
  ...alarmParams,
  ...adjustmentParams,
  scaleOutAdjustment: number({
    default: 20,
    about: 'What to do about too much, in terms of adjustmentType.',
    official: 'AWS ScalingAdjustment',
  }),
  scaleInAdjustment: number({
    default: -10,
    about: 'What to do about too little; 0 for nothing, unless adjustmentType is ExactCapacity.',
    official: 'AWS ScalingAdjustment',
  }),
  cooldown: duration({
    default: 300_000,
    min: 0,
    about: 'Pause after a change is complete.',
    official: 'AWS Cooldown, DefaultCooldown',
  }),
} as const;

export const simpleScaling = defineAutoscaler({
  name: 'simple-scaling',
  summary: 'One change per alarm, then waits until it is complete and five minutes more (AWS).',
  useWhen: 'A baseline is needed, or each change must be seen to work before the next.',
  failsWhen: 'One step is not enough: load that doubles is met one step per pause.',
  cost: 'O(replicas) per reading',
  sources: ['AWS: Amazon EC2 Auto Scaling User Guide, step and simple scaling policies; scaling cooldowns'],
  aliases: [{ system: 'AWS', name: 'SimpleScaling' }],
  params,
  create: (values) => new SimpleScaling(values),
});

class SimpleScaling implements Autoscaler {
  readonly decideEveryMs: Ms;
  readonly sampleEveryMs: Ms;
  readonly #params: ParamValues<typeof params>;
  readonly #datapoints: Datapoints;
  readonly #replicas = new WarmReplicas(0);
  readonly #alarms: AlarmPair;
  #isActive = false;
  #coolUntilMs: Ms = -Infinity;

  constructor(values: ParamValues<typeof params>) {
    refuseEmptyBounds('simple-scaling', values);
    this.#params = values;
    this.decideEveryMs = values.period;
    this.sampleEveryMs = values.sampleEvery;
    this.#datapoints = new Datapoints(values.statistic);
    this.#alarms = new AlarmPair('simple-scaling', values);
  }

  sample(observation: ScaleObservation): void {
    this.#measure(observation);
  }

  decide(observation: ScaleObservation): ScaleDecision {
    this.#measure(observation);
    const datapoint = this.#datapoints.close();
    const { high, low } = this.#alarms.evaluate(datapoint);
    const { specReplicas, nowMs } = observation;
    const outside = backWithin(this.#params, specReplicas);
    if (outside !== undefined) return outside;
    if (datapoint === undefined) return { replicas: undefined, reason: 'InsufficientData' };
    const stay = (reason: string): ScaleDecision => ({ replicas: specReplicas, reason });
    if (high !== 'ALARM' && low !== 'ALARM') return stay('AlarmsOK');
    if (this.#isActive) return stay('ActivityInProgress');
    if (nowMs < this.#coolUntilMs) return stay('Cooldown');
    const { scaleOutAdjustment, scaleInAdjustment } = this.#params;
    const wanted = adjustedCapacity(specReplicas, high === 'ALARM' ? scaleOutAdjustment : scaleInAdjustment, this.#params);
    return { replicas: within(this.#params, wanted), reason: high === 'ALARM' ? 'AlarmHigh' : 'AlarmLow' };
  }

  onScaled(): void {
    this.#isActive = true;
  }

  #measure(observation: ScaleObservation): readonly ReplicaSample[] {
    const { specReplicas, statusReplicas, readyReplicas, nowMs } = observation;
    if (this.#isActive && statusReplicas === specReplicas && readyReplicas >= specReplicas) {
      this.#isActive = false;
      this.#coolUntilMs = nowMs + this.#params.cooldown;
    }
    const warm = this.#replicas.update(observation);
    this.#datapoints.add(readGroup(this.#params.metric, this.#params.grouping, observation, warm));
    return warm;
  }
}
