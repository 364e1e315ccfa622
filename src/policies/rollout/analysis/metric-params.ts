/** Parameters of metrics that decide on a roll-out, alike for all strategies that have them. */
import { choice, duration, type FieldSpecs, fraction, int, number, type ParamValues, string } from '../../../core/params.ts';

export const metricFields = {
  template: string({
    default: 'default',
    about: 'Metrics with the same name here are measured together, in one analysis.',
    official: 'Argo AnalysisTemplate',
  }),
  metric: string({
    default: 'error-rate',
    about:
      'What is measured, of the new version: error-rate, latency.p50, latency.p99, requests, errors, or whatever the host has.',
    official: 'Argo metrics.name',
  }),
  test: choice({
    choices: ['condition', 'ratio'],
    default: 'condition',
    about: 'Whether values are held against conditions, or failures against those of the version that serves now.',
  }),
  successCondition: string({
    default: '',
    about: 'When a value is good, as in `result < 0.01` or `result < 1.5 * control`.',
    official: 'Argo successCondition',
  }),
  failureCondition: string({
    default: '',
    about: 'When a value is bad; one that is neither good nor bad says nothing.',
    official: 'Argo failureCondition',
  }),
  window: duration({ default: 60_000, min: 1, about: 'A value is that of so much time up to now.' }),
  interval: duration({ default: 0, min: 0, about: 'Between measurements; 0: none.', official: 'Argo interval' }),
  initialDelay: duration({ default: 0, min: 0, about: 'Before the first measurement.', official: 'Argo initialDelay' }),
  count: int({
    default: 0,
    min: 0,
    about: 'Measurements to make; 0: one without an interval, else as many as there is time for.',
    official: 'Argo count',
  }),
  failureLimit: int({
    default: 0,
    min: -1,
    about: 'More bad values than this fail the metric; -1: no number does.',
    official: 'Argo failureLimit',
  }),
  inconclusiveLimit: int({
    default: 0,
    min: 0,
    about: 'More values that say nothing than this leave the metric open.',
    official: 'Argo inconclusiveLimit',
  }),
  consecutiveErrorLimit: int({
    default: 4,
    min: 0,
    about: 'More measurements in a row that could not be made than this are an error.',
    official: 'Argo consecutiveErrorLimit',
  }),
  consecutiveSuccessLimit: int({
    default: 0,
    min: 0,
    about: 'So many good values in a row are enough; 0: no number is.',
    official: 'Argo consecutiveSuccessLimit',
  }),
  ratio: number({ default: 2, min: 1, exclusiveMin: true, about: 'How many times as many failures the test `ratio` looks for.' }),
  alpha: fraction({ default: 0.05, min: 0.0001, max: 0.5, about: 'How often the test may stop a version that is as good.' }),
  beta: fraction({
    default: 0.1,
    min: 0.0001,
    max: 0.5,
    about: 'How often it may let one pass that fails `ratio` times as often.',
  }),
} as const satisfies FieldSpecs;

export type MetricSettings = ParamValues<typeof metricFields>;
