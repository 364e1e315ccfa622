/** Parameters that AWS's scaling policies share: whose metric is looked at, how often, and when it is too much or too little. */
import { choice, duration, int, number, string } from '../../../core/params.ts';
import { boundsParams } from '../parts/bounds.ts';
import { statistics } from '../parts/datapoints.ts';
import { groupings } from './group-metric.ts';
import { missingDataRules } from './metric-alarm.ts';
import { adjustmentTypes } from './adjustment.ts';

export const groupParams = {
  ...boundsParams,
  metric: string({
    default: 'utilization',
    about: 'What is measured, as the host calls it; `utilization` of a replica is processor time in use over reserved.',
    official: 'AWS MetricName',
  }),
  grouping: choice({
    default: 'average',
    choices: groupings,
    about:
      'Average over the samples of warm replicas, the service’s metric per warm replica (backlog per instance), or the service’s metric as it is.',
  }),
  period: duration({ default: 60_000, min: 1000, about: 'Length of one datapoint.', official: 'AWS Period' }),
  sampleEvery: duration({ default: 15_000, min: 100, about: 'How often the metric is read for a datapoint.' }),
  statistic: choice({
    default: 'Average',
    choices: statistics,
    about: 'What is made of the readings of a period.',
    official: 'AWS MetricAggregationType',
  }),
} as const;

export const warmupParam = duration({
  default: 300_000,
  min: 0,
  about: 'For so long after it became ready a new replica is not measured; meanwhile nothing is removed.',
  official: 'AWS EstimatedInstanceWarmup, DefaultInstanceWarmup',
});

/** An alarm for too much and one for too little. */
export const alarmParams = {
  highThreshold: number({ default: 0.6, about: 'There is too little capacity from this value on.', official: 'AWS Threshold' }),
  lowThreshold: number({ default: 0.4, about: 'There is too much capacity up to this value.', official: 'AWS Threshold' }),
  evaluationPeriods: int({
    default: 2,
    min: 1,
    about: 'Datapoints that an alarm looks at.',
    official: 'AWS EvaluationPeriods',
  }),
  datapointsToAlarm: int({
    default: 2,
    min: 1,
    about: 'How many of these must be beyond the threshold.',
    official: 'AWS DatapointsToAlarm',
  }),
  treatMissingData: choice({
    default: 'missing',
    choices: missingDataRules,
    about: 'What a period without a measurement counts as.',
    official: 'AWS TreatMissingData',
  }),
} as const;

export const adjustmentParams = {
  adjustmentType: choice({
    default: 'PercentChangeInCapacity',
    choices: adjustmentTypes,
    about: 'Whether adjustments are percentages, numbers of replicas to add or remove, or the number to have.',
    official: 'AWS AdjustmentType',
  }),
  minAdjustmentMagnitude: int({
    default: 0,
    min: 0,
    about: 'A percentage that changes something changes at least so many.',
    official: 'AWS MinAdjustmentMagnitude',
  }),
} as const;
