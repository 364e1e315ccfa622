/** KEDA's ScaledObject: triggers say whether there is anything to do; KEDA goes from none to the first replicas and back, an HPA on the
 *  same triggers does the rest.
 *
 *  Use it for work that waits somewhere, in queues above all, and for what is known to come at certain hours. It fails where waiting is
 *  not allowed: at zero nobody answers until the next poll has found something and a replica has started, and requests meanwhile are
 *  refused. Counts come from totals divided by `threshold`, so that the wrong threshold is the wrong count, however the replicas fare.
 *
 *  Polls come every `pollingInterval`, decisions of the HPA every `syncPeriod`. A trigger that is not above its activation threshold does
 *  not keep the last replica, but counts with its value while there are several. A trigger that cannot be read stops everything short of
 *  going up by the others, unless there is a fallback. A `metric` trigger stands for any of KEDA's scalers; formulas over several triggers
 *  (scalingModifiers) are not known here. */
import { InputError } from '../../core/errors.ts';
import { choice, duration, int, number, type ParamValues, records, string } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import {
  type Autoscaler,
  type AutoscalerDeps,
  defineAutoscaler,
  type MetricSample,
  type ScaleDecision,
  type ScaleObservation,
} from './autoscaler.ts';
import { behaviorOf, hpaBehaviorParams, reasonOf, refuseIdleBehavior } from './hpa.ts';
import { HpaReconciler } from './hpa/reconciler.ts';
import { parseCron } from '../shared/cron.ts';
import { zoneNamed } from '../shared/time-zone.ts';
import { CronWindow } from './keda/cron-window.ts';
import { executorStep } from './keda/executor.ts';
import { type Fallback, fallbackBehaviors, fallbackValue } from './keda/fallback.ts';

const params = {
  min: int({
    default: 0,
    min: 0,
    about: 'Fewest replicas while there is something to do; if 0, none when there is nothing.',
    official: 'KEDA minReplicaCount',
  }),
  max: int({ default: 100, min: 1, about: 'Most replicas.', official: 'KEDA maxReplicaCount' }),
  idle: int({
    default: -1,
    min: -1,
    about:
      'Replicas when there is nothing to do, fewer than min; -1 for not set. With others than 0 the HPA raises them to min again.',
    official: 'KEDA idleReplicaCount',
  }),
  triggers: records({
    fields: {
      type: choice({ default: 'metric', choices: ['metric', 'cron'], about: 'A metric of the host, or hours of the day.' }),
      name: string({ default: '', about: 'Of a metric: which one, as the host calls it.' }),
      metricType: choice({
        default: 'AverageValue',
        choices: ['AverageValue', 'Value'],
        about: 'Of a metric: whether threshold is per replica, or what all of them together should keep it at.',
      }),
      threshold: number({ default: 0, min: 0, about: 'Of a metric: its target.' }),
      activationThreshold: number({ default: 0, min: 0, about: 'Of a metric: above it there is something to do.' }),
      timezone: string({ default: 'UTC', about: 'Of hours: where, as in Europe/Berlin.' }),
      start: string({ default: '', about: 'Of hours: cron expression of the beginning.' }),
      end: string({ default: '', about: 'Of hours: cron expression of the end.' }),
      desiredReplicas: int({ default: 0, min: 0, about: 'Of hours: replicas from start to end.' }),
    },
    required: ['type'],
    default: [{ type: 'metric', name: 'requests-per-second', threshold: 100 }],
    atLeast: 1,
    about: 'What says that there is something to do, and how much; the one that wants most replicas counts.',
    official: 'KEDA triggers',
  }),
  pollingInterval: duration({
    default: 30_000,
    min: 1000,
    about: 'Time from one look at the triggers to the next.',
    official: 'KEDA pollingInterval',
  }),
  cooldownPeriod: duration({
    default: 300_000,
    about: 'How long nothing must be active before the last replica goes.',
    official: 'KEDA cooldownPeriod',
  }),
  initialCooldownPeriod: duration({
    default: 0,
    about: 'The same in the beginning, before anything has been active.',
    official: 'KEDA initialCooldownPeriod',
  }),
  fallbackReplicas: int({
    default: -1,
    min: -1,
    about: 'Replicas while a trigger cannot be read; -1 for no fallback.',
    official: 'KEDA fallback.replicas',
  }),
  fallbackFailureThreshold: int({
    default: 3,
    min: 0,
    about: 'More failures in a row than this, and the fallback counts.',
    official: 'KEDA fallback.failureThreshold',
  }),
  fallbackBehavior: choice({
    default: 'static',
    choices: fallbackBehaviors,
    about: 'Whether those replicas, the present ones, or the higher or lower of both.',
    official: 'KEDA fallback.behavior',
  }),
  ...hpaBehaviorParams,
};

export const keda = defineAutoscaler({
  name: 'keda',
  summary: 'Nothing while triggers are quiet, an HPA on their values while they are not (KEDA).',
  useWhen: 'Work waits in queues, comes at known hours or not for long times.',
  failsWhen: 'Somebody waits for an answer while there are no replicas; or a trigger’s threshold is not what a replica can do.',
  cost: 'O(triggers) per decision',
  sources: [
    'kedacore/keda: pkg/scaling/executor/scale_scaledobjects.go, pkg/scalers/cron_scaler.go and pkg/fallback/fallback.go',
    'keda.sh: ScaledObject specification',
  ],
  aliases: [{ system: 'KEDA', name: 'ScaledObject' }],
  params,
  create: (values, deps) => new Keda(values, deps),
});

type Values = ParamValues<typeof params>;

/** One trigger as the HPA sees it: an external metric. */
interface Trigger {
  readonly name: string;
  readonly metricType: 'AverageValue' | 'Value';
  readonly target: number;
  read(observation: ScaleObservation): MetricSample | undefined;
  isActive(sample: MetricSample): boolean;
}

class Keda implements Autoscaler {
  readonly decideEveryMs: Ms;
  readonly #values: Values;
  readonly #triggers: readonly Trigger[];
  readonly #fallback: Fallback | undefined;
  readonly #hpa: HpaReconciler;
  /** Of each trigger, in a row. */
  readonly #failures: number[];
  #createdAtMs: Ms | undefined;
  #lastActiveAtMs: Ms | undefined;
  #nextPollMs: Ms = -Infinity;
  #nextSyncMs: Ms = -Infinity;
  #decidedByHpa: number | undefined;

  constructor(values: Values, { epochMs }: AutoscalerDeps) {
    refuseContradictions(values);
    this.#values = values;
    this.#triggers = values.triggers.map((trigger, index) => triggerOf(trigger, `trigger-${index}`, epochMs));
    this.#failures = this.#triggers.map(() => 0);
    const { fallbackReplicas, fallbackFailureThreshold: failureThreshold, fallbackBehavior: behavior } = values;
    if (fallbackReplicas >= 0) this.#fallback = { behavior, replicas: fallbackReplicas, failureThreshold };
    this.decideEveryMs = greatestCommonDivisor(Math.round(values.pollingInterval), Math.round(values.syncPeriod));
    this.#hpa = new HpaReconciler({
      min: Math.max(1, values.min),
      max: values.max,
      metrics: this.#triggers.map(({ name, metricType, target }) => ({
        type: 'External',
        name,
        averageUtilization: 0,
        averageValue: metricType === 'AverageValue' ? target : 0,
        value: metricType === 'Value' ? target : 0,
      })),
      tolerance: { up: values.scaleUpTolerance, down: values.scaleDownTolerance },
      readiness: { cpuInitializationPeriodMs: 0, initialReadinessDelayMs: 0 },
      downscaleStabilizationMs: values.scaleDownStabilizationWindow,
      behavior: behaviorOf(values),
    });
  }

  decide(observation: ScaleObservation): ScaleDecision {
    const { nowMs } = observation;
    this.#createdAtMs ??= nowMs;
    this.#decidedByHpa = undefined;
    const isPoll = nowMs >= this.#nextPollMs;
    const isSync = nowMs >= this.#nextSyncMs;
    if (isPoll) this.#nextPollMs = nowMs + this.#values.pollingInterval;
    if (isSync) this.#nextSyncMs = nowMs + this.#values.syncPeriod;
    const own = isPoll ? this.#poll(observation) : undefined;
    if (own !== undefined) return own;
    return isSync ? this.#sync(observation) : { replicas: undefined, reason: 'NotDue' };
  }

  onScaled(from: number, to: number, nowMs: Ms): void {
    if (to === this.#decidedByHpa) this.#hpa.recordScaled(from, to, nowMs);
  }

  #poll(observation: ScaleObservation): ScaleDecision | undefined {
    const { min, max, idle, cooldownPeriod, initialCooldownPeriod } = this.#values;
    const samples = this.#triggers.map((trigger) => trigger.read(observation));
    const isActive = this.#triggers.some((trigger, i) => samples[i] !== undefined && trigger.isActive(samples[i]));
    const { scaleTo, refreshesActivity } = executorStep({
      min,
      idle: idle === -1 ? undefined : idle,
      cooldownMs: cooldownPeriod,
      initialCooldownMs: initialCooldownPeriod,
      createdAtMs: this.#createdAtMs!,
      isError: samples.includes(undefined),
      fallbackReplicas: this.#fallback?.replicas,
      current: observation.specReplicas,
      isActive,
      lastActiveAtMs: this.#lastActiveAtMs,
      nowMs: observation.nowMs,
    });
    if (refreshesActivity) this.#lastActiveAtMs = observation.nowMs;
    if (scaleTo === undefined) return undefined;
    return { replicas: Math.min(scaleTo, max), reason: isActive ? 'ScalerActive' : 'ScalerNotActive' };
  }

  #sync(observation: ScaleObservation): ScaleDecision {
    const { nowMs, specReplicas, statusReplicas, readyReplicas, replicas: pods } = observation;
    // At zero the HPA asks for nothing.
    const values = new Map<string, MetricSample | undefined>();
    if (specReplicas > 0) this.#triggers.forEach((trigger, i) => values.set(trigger.name, this.#report(trigger, i, observation)));
    const metric = (name: string): MetricSample | undefined => values.get(name);
    const seen = { nowMs, specReplicas, statusReplicas, readyReplicas, replicas: pods, metric };
    const { replicas, conditions } = this.#hpa.reconcile(seen);
    this.#decidedByHpa = replicas;
    return { replicas, reason: reasonOf(conditions) };
  }

  /** A trigger's value for the HPA. */
  #report(trigger: Trigger, index: number, observation: ScaleObservation): MetricSample | undefined {
    const sample = trigger.read(observation);
    this.#failures[index] = sample === undefined ? this.#failures[index] + 1 : 0;
    if (sample !== undefined || this.#fallback === undefined) return sample;
    const { nowMs, specReplicas, readyReplicas } = observation;
    const value = fallbackValue(this.#fallback, this.#failures[index], trigger, specReplicas, readyReplicas);
    return value === undefined ? undefined : { value, atMs: nowMs, windowMs: 0 };
  }
}

function triggerOf(trigger: Values['triggers'][number], name: string, epochMs: Ms): Trigger {
  if (trigger.type === 'metric') {
    const { name: metric, metricType, threshold, activationThreshold } = trigger;
    return {
      name,
      metricType,
      target: threshold,
      read: (observation) => observation.metric(metric),
      isActive: ({ value }) => value > activationThreshold,
    };
  }
  const window = new CronWindow(trigger.start, trigger.end, trigger.timezone);
  return {
    name,
    metricType: 'AverageValue',
    target: 1,
    read: ({ nowMs }) => ({
      value: window.isActive(epochMs + nowMs) ? trigger.desiredReplicas : 0,
      atMs: nowMs,
      windowMs: 0,
    }),
    isActive: ({ value, atMs }) => value > 0 || window.isActive(epochMs + atMs),
  };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function refuseContradictions(values: Values): void {
  const { min, max, idle, triggers } = values;
  if (min > max) throw InputError.of('bad-bounds', `keda: min is ${min} and max is ${max}`);
  if (idle >= 0 && idle >= min) throw InputError.of('bad-bounds', `keda: idle is ${idle}, it must be less than min, ${min}`);
  for (const [index, trigger] of triggers.entries()) {
    try {
      refuseTrigger(trigger);
    } catch (error) {
      throw error instanceof InputError ? error.at('triggers', index) : error;
    }
  }
  refuseIdleBehavior('keda', values);
}

function refuseTrigger({ type, name, threshold, start, end, timezone, desiredReplicas }: Values['triggers'][number]): void {
  const refuse = (field: string, problem: string): never => {
    throw InputError.of('bad-trigger', `keda: triggers: ${problem}`).at(field);
  };
  if (type === 'metric') {
    if (name === '') refuse('name', 'a metric needs a name');
    if (threshold === 0) refuse('threshold', `the metric ${name} needs a threshold above 0`);
    return;
  }
  if (desiredReplicas === 0) refuse('desiredReplicas', 'a cron trigger needs desiredReplicas');
  if (start.trim() === end.trim()) refuse('end', 'start and end of a cron trigger must differ');
  refuseCron(() => parseCron(start), 'start');
  refuseCron(() => parseCron(end), 'end');
  refuseCron(() => zoneNamed(timezone), 'timezone');
}

function refuseCron(read: () => unknown, field: string): void {
  try {
    read();
  } catch (error) {
    throw error instanceof InputError ? error.at(field) : error;
  }
}
