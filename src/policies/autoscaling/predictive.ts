/** Predictive scaling: capacity for what is forecast, never less than what a policy that reacts asks for.
 *
 *  Use it when replicas take longer to start than load takes to rise, and load has a pattern: a season, a ramp. It fails on what never
 *  happened before, for which the reactive policy is there, and on patterns that break: forecasts of a weekday come on holidays too, and
 *  cost money.
 *
 *  A metric of load is measured in intervals and forecast for each of the next ones up to the lead time, which must cover the start of a
 *  replica; the highest of these counts, below 0 is 0. Capacity follows by a known throughput per replica, or by a
 *  queueing model and the measured service time. The answer is the larger one of this and the reactive policies'; as long as too little is
 *  known for a forecast it is theirs alone. It adds ahead of time, and removes when both agree. */
import { InputError } from '../../core/errors.ts';
import { boolean, choice, duration, fraction, int, number, type ParamValues, policies, string } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import {
  type Autoscaler,
  type AutoscalerDefinition,
  type AutoscalerDeps,
  defineAutoscaler,
  type ScaleDecision,
  type ScaleObservation,
} from './autoscaler.ts';
import { Autoregressive, measurementsNeeded } from './forecast/autoregressive.ts';
import { EwmaForecaster } from './forecast/ewma.ts';
import type { Forecaster } from './forecast/forecaster.ts';
import { HoltWinters } from './forecast/holt-winters.ts';
import { LinearRegression } from './forecast/linear-regression.ts';
import { backWithin, boundsParams, refuseEmptyBounds, within } from './parts/bounds.ts';
import { Datapoints } from './parts/datapoints.ts';
import { type AutoscalerTable, combine, InnerPolicies } from './parts/inner-policies.ts';
import { Smoothed } from './parts/smoothed.ts';
import { replicasFor, staffingParams } from './parts/staffing.ts';

const paramsWith = (table: AutoscalerTable) =>
  ({
    ...boundsParams,
    reactive: policies({
      table,
      default: ['hpa'],
      atLeast: 1,
      about: 'Policies whose answers are never gone below; of several, the largest counts.',
    }),
    metric: string({ default: 'requests-per-second', about: 'What is forecast: a measure of load, as the host calls it.' }),
    forecast: choice({
      default: 'holt-winters',
      choices: ['holt-winters', 'linear-regression', 'autoregressive', 'ewma'],
      about:
        'Season and trend (holt-winters), a straight line (linear-regression), a memory of some measurements (autoregressive), or an average (ewma).',
    }),
    interval: duration({ default: 60_000, min: 1, about: 'Length of one measurement.' }),
    leadTime: duration({
      default: 300_000,
      min: 0,
      about: 'How far ahead capacity is asked for: what a replica needs to start, at least.',
      official: 'AWS SchedulingBufferTime',
    }),
    seasonLength: duration({ default: 86_400_000, min: 1, about: 'After which time load repeats, for holt-winters.' }),
    alpha: fraction({ default: 0.5, about: 'Weight of a new measurement in the level, for holt-winters and ewma.' }),
    beta: fraction({ default: 0.1, about: 'Weight of a new growth in the trend, for holt-winters.' }),
    gamma: fraction({ default: 0.3, about: 'Weight of a new difference in the season, for holt-winters.' }),
    history: int({ default: 60, min: 2, about: 'Measurements that linear-regression and autoregressive look at.' }),
    order: int({ default: 4, min: 1, about: 'How many measurements back autoregressive remembers.' }),
    differences: boolean({ default: false, about: 'Whether autoregressive looks at changes, where load has a trend.' }),
    capacity: choice({
      default: 'queueing',
      choices: ['queueing', 'throughput'],
      about: 'Replicas from the forecast by `model` and the service time, or by throughputPerReplica.',
    }),
    throughputPerReplica: number({
      default: 10,
      min: 0,
      exclusiveMin: true,
      about: 'How much of the metric one replica can take, for capacity throughput.',
    }),
    serviceTime: string({
      default: 'service-time',
      about: 'The metric that says how long a request takes, for capacity queueing.',
    }),
    ...staffingParams,
  }) as const;

/** Made by the family's table, which it needs to make the reactive policies. */
export const predictiveTable = (table: AutoscalerTable): AutoscalerDefinition =>
  defineAutoscaler({
    name: 'predictive',
    summary: 'Capacity for a forecast of the load, never below what a reactive policy asks for.',
    useWhen: 'Replicas start slowly, and load has a season or a trend.',
    failsWhen: 'The pattern breaks: it brings what is not needed, and what is needed comes only by the reactive policy.',
    cost: 'O(history · order) per interval',
    sources: [
      'P. R. Winters: Forecasting sales by exponentially weighted moving averages, Management Science 6 (1960)',
      'G. Box, G. Jenkins: Time Series Analysis, Forecasting and Control (1970), Yule-Walker estimates',
      'D. Jacobson, D. Yuan, N. Joshi: Scryer, Netflix’s predictive auto scaling engine (2013)',
      'AWS: Amazon EC2 Auto Scaling User Guide, predictive scaling',
    ],
    aliases: [
      { system: 'AWS', name: 'PredictiveScaling' },
      { system: 'Google Cloud', name: 'predictiveMethod' },
      { system: 'KEDA', name: 'predictkube' },
      { system: 'Netflix', name: 'Scryer' },
    ],
    params: paramsWith(table),
    create: (params, deps) => new Predictive(params, table, deps),
  });

class Predictive implements Autoscaler {
  readonly decideEveryMs: Ms;
  readonly sampleEveryMs: Ms;
  readonly holdsRequests: boolean;
  readonly #params: Values;
  readonly #reactive: InnerPolicies;
  readonly #forecaster: Forecaster;
  readonly #load = new Datapoints('Average');
  readonly #serviceTime: Smoothed;
  /** How many intervals ahead. */
  readonly #steps: number;
  /** When the running interval ends; undefined before the first decision. */
  #intervalEndMs: Ms | undefined;
  #needed: number | undefined;

  constructor(params: Values, table: AutoscalerTable, deps: AutoscalerDeps) {
    refuseEmptyBounds('predictive', params);
    refuseShortHistory(params);
    this.#params = params;
    this.#reactive = new InnerPolicies(params.reactive, table, deps);
    this.#forecaster = forecasterFor(params);
    this.#serviceTime = new Smoothed(params.interval);
    // A forecast holds until the next measurement, and must reach as far as that moment's lead time.
    this.#steps = Math.ceil(params.leadTime / params.interval) + 1;
    this.decideEveryMs = Math.min(this.#reactive.decideEveryMs, params.interval);
    this.sampleEveryMs = this.#reactive.sampleEveryMs;
    this.holdsRequests = this.#reactive.holdsRequests;
  }

  decide(observation: ScaleObservation): ScaleDecision {
    this.#measure(observation);
    const { specReplicas } = observation;
    const reactive = combine(this.#reactive.ask(observation), specReplicas, Math.max);
    const needed = this.#needed;
    if (needed === undefined) {
      if (reactive.replicas !== undefined) return { ...reactive, replicas: within(this.#params, reactive.replicas) };
      return backWithin(this.#params, specReplicas) ?? reactive;
    }
    // Who has no answer may not be gone below either, so what is there stays.
    const floor = reactive.replicas ?? specReplicas;
    return { replicas: within(this.#params, Math.max(needed, floor)), reason: needed > floor ? 'Forecast' : reactive.reason };
  }

  sample(observation: ScaleObservation): void {
    this.#reactive.sample(observation);
  }

  onScaled(from: number, to: number, nowMs: Ms): void {
    this.#reactive.onScaled(from, to, nowMs);
  }

  #measure(observation: ScaleObservation): void {
    const { nowMs } = observation;
    const serviceTime = observation.metric(this.#params.serviceTime);
    if (serviceTime !== undefined) this.#serviceTime.add(serviceTime.value, serviceTime.atMs);
    this.#load.add(observation.metric(this.#params.metric));
    this.#intervalEndMs ??= nowMs + this.#params.interval;
    if (nowMs < this.#intervalEndMs) return;
    for (; this.#intervalEndMs <= nowMs; this.#intervalEndMs += this.#params.interval) {
      const measured = this.#load.close();
      if (measured === undefined) this.#forecaster.skip();
      else this.#forecaster.observe(measured);
    }
    this.#needed = this.#replicasForForecast();
  }

  #replicasForForecast(): number | undefined {
    let peak = 0;
    for (let step = 1; step <= this.#steps; step++) {
      const load = this.#forecaster.forecast(step);
      if (load === undefined) return undefined;
      peak = Math.max(peak, load);
    }
    const { capacity, throughputPerReplica, max } = this.#params;
    if (capacity === 'throughput') return Math.ceil(peak / throughputPerReplica);
    const perRequestMs = this.#serviceTime.value;
    return perRequestMs === undefined ? undefined : replicasFor(peak, perRequestMs, this.#params, max);
  }
}

type Values = ParamValues<ReturnType<typeof paramsWith>>;

/** A model that is never fitted would never say anything. */
function refuseShortHistory({ forecast, history, order, differences }: Values): void {
  const needed = measurementsNeeded({ order, differences });
  if (forecast === 'autoregressive' && history < needed)
    throw InputError.of('bad-history', `predictive: history is ${history}, and an order of ${order} needs ${needed}`);
}

function forecasterFor(params: Values): Forecaster {
  const { forecast, alpha, beta, gamma, seasonLength, interval, history, order, differences } = params;
  switch (forecast) {
    case 'holt-winters':
      return new HoltWinters({ alpha, beta, gamma, seasonLength: Math.max(1, Math.round(seasonLength / interval)) });
    case 'linear-regression':
      return new LinearRegression(history);
    case 'autoregressive':
      return new Autoregressive({ order, window: history, differences });
    case 'ewma':
      return new EwmaForecaster(alpha);
  }
}
