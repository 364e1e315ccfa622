/** AWS's step scaling: the further a metric is beyond its threshold, the larger the change.
 *
 *  Use it where the right reaction is known and is not proportional: add a third at once when it burns. It fails when it is not tuned:
 *  steps are guesses about the service, and steps that are too small follow load in a staircase of minutes, too large ones overshoot.
 *
 *  Two alarms, for too much and too little, with a list of steps each. A step begins at a distance from the threshold and reaches to the
 *  next; the outermost has no end. As long as an alarm lasts its step is taken again with every datapoint. Steps up start from the
 *  capacity that has warmed up, so while instances warm up only a larger step adds more, and only the difference; nothing is removed
 *  meanwhile. A percentage is rounded towards 0, but changes at least one. */
import { duration, number, type ParamValues, records } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import {
  type Autoscaler,
  defineAutoscaler,
  type ReplicaSample,
  type ScaleDecision,
  type ScaleObservation,
} from './autoscaler.ts';
import { adjustedCapacity, distanceFrom, type Step, stepAbove, stepBelow } from './aws/adjustment.ts';
import { AlarmPair } from './aws/alarm-pair.ts';
import { Cooldowns } from './aws/cooldowns.ts';
import { readGroup } from './aws/group-metric.ts';
import { adjustmentParams, alarmParams, groupParams, warmupParam } from './aws/group-params.ts';
import { measuredCapacity, WarmReplicas } from './aws/warm-replicas.ts';
import { backWithin, refuseEmptyBounds, within } from './parts/bounds.ts';
import { Datapoints } from './parts/datapoints.ts';

const adjustment = number({
  default: 0,
  about: 'Percentage, number to add or remove, or number to have.',
  official: 'AWS ScalingAdjustment',
});

const params = {
  ...groupParams,
  ...alarmParams,
  ...adjustmentParams,
  scaleOutSteps: records({
    fields: {
      from: number({
        default: 0,
        min: 0,
        about: 'How far above highThreshold the step begins, up to where the next one does.',
        official: 'AWS MetricIntervalLowerBound',
      }),
      adjustment,
    },
    required: ['adjustment'],
    default: [
      { from: 0, adjustment: 10 },
      { from: 0.1, adjustment: 30 },
    ],
    about: 'What to do about too much; nothing, if there is no step.',
    official: 'AWS StepAdjustments',
  }),
  scaleInSteps: records({
    fields: {
      from: number({
        default: 0,
        max: 0,
        about: 'How far below lowThreshold the step begins, as a negative number.',
        official: 'AWS MetricIntervalUpperBound',
      }),
      adjustment,
    },
    required: ['adjustment'],
    default: [
      { from: 0, adjustment: -10 },
      { from: -0.1, adjustment: -30 },
    ],
    about: 'What to do about too little; nothing, if there is no step.',
    official: 'AWS StepAdjustments',
  }),
  estimatedInstanceWarmup: warmupParam,
  cooldown: duration({
    default: 0,
    min: 0,
    about: 'For so long after a step, nothing is removed by another, and one up starts from the capacity before it.',
    official: 'Application Auto Scaling Cooldown (300 s there; none for EC2)',
  }),
} as const;

export const stepScaling = defineAutoscaler({
  name: 'step-scaling',
  summary: 'Larger changes for larger breaches of a threshold, again as long as the breach lasts (AWS).',
  useWhen: 'A breach calls for a known answer, and a large one for a larger.',
  failsWhen: 'Nobody tuned the steps, or the service has changed since.',
  cost: 'O(replicas) per reading',
  sources: [
    'AWS: Amazon EC2 Auto Scaling User Guide, step and simple scaling policies',
    'AWS: Application Auto Scaling User Guide, how step scaling works',
  ],
  aliases: [
    { system: 'AWS', name: 'StepScaling' },
    { system: 'Nomad', name: 'threshold' },
  ],
  params,
  create: (values) => new StepScaling(values),
});

class StepScaling implements Autoscaler {
  readonly decideEveryMs: Ms;
  readonly sampleEveryMs: Ms;
  readonly #params: ParamValues<typeof params>;
  readonly #datapoints: Datapoints;
  readonly #replicas: WarmReplicas;
  readonly #cooldowns: Cooldowns;
  readonly #alarms: AlarmPair;

  constructor(values: ParamValues<typeof params>) {
    refuseEmptyBounds('step-scaling', values);
    this.#params = values;
    this.decideEveryMs = values.period;
    this.sampleEveryMs = values.sampleEvery;
    this.#datapoints = new Datapoints(values.statistic);
    this.#replicas = new WarmReplicas(values.estimatedInstanceWarmup);
    this.#cooldowns = new Cooldowns(values.cooldown, values.cooldown);
    this.#alarms = new AlarmPair('step-scaling', values);
  }

  sample(observation: ScaleObservation): void {
    this.#measure(observation);
  }

  decide(observation: ScaleObservation): ScaleDecision {
    const warm = this.#measure(observation);
    const datapoint = this.#datapoints.close();
    const { high, low } = this.#alarms.evaluate(datapoint);
    const { specReplicas } = observation;
    const outside = backWithin(this.#params, specReplicas);
    if (outside !== undefined) return outside;
    if (datapoint === undefined) return { replicas: undefined, reason: 'InsufficientData' };
    const { highThreshold, lowThreshold, scaleOutSteps, scaleInSteps } = this.#params;
    if (high === 'ALARM') {
      const step = stepAbove(scaleOutSteps, distanceFrom(highThreshold, datapoint));
      return this.#scaleOut(step, warm.length, observation);
    }
    if (low === 'ALARM') {
      const step = stepBelow(scaleInSteps, distanceFrom(lowThreshold, datapoint));
      return this.#scaleIn(step, warm.length, observation);
    }
    return { replicas: specReplicas, reason: 'AlarmsOK' };
  }

  onScaled(from: number, to: number, nowMs: Ms): void {
    this.#cooldowns.onScaled(from, to, nowMs);
  }

  #measure(observation: ScaleObservation): readonly ReplicaSample[] {
    const warm = this.#replicas.update(observation);
    this.#datapoints.add(readGroup(this.#params.metric, this.#params.grouping, observation, warm));
    return warm;
  }

  #scaleOut(step: Step | undefined, warm: number, observation: ScaleObservation): ScaleDecision {
    const { specReplicas, nowMs } = observation;
    if (step === undefined) return { replicas: specReplicas, reason: 'NoStep' };
    const base = this.#cooldowns.baseFor(measuredCapacity(warm, observation), nowMs);
    const wanted = adjustedCapacity(base, step.adjustment, this.#params);
    const replicas = within(this.#params, Math.max(specReplicas, wanted));
    return { replicas, reason: replicas > specReplicas ? 'AlarmHigh' : 'AlreadyScalingOut' };
  }

  #scaleIn(step: Step | undefined, warm: number, { specReplicas, nowMs }: ScaleObservation): ScaleDecision {
    const stay = (reason: string): ScaleDecision => ({ replicas: specReplicas, reason });
    if (step === undefined) return stay('NoStep');
    if (warm < specReplicas) return stay('WarmingUp');
    if (!this.#cooldowns.mayScaleIn(nowMs)) return stay('Cooldown');
    const wanted = adjustedCapacity(specReplicas, step.adjustment, this.#params);
    const replicas = within(this.#params, Math.min(specReplicas, wanted));
    return { replicas, reason: replicas < specReplicas ? 'AlarmLow' : 'AlarmsOK' };
  }
}
