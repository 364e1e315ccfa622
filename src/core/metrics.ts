/** The glossary of numbers a run reports: the names that `expect`, charts, CSV columns and comparisons use. */

export type MetricUnit = 'ms' | 'fraction' | 'per second' | 'count' | 'ratio';

export interface Metric {
  readonly name: string;
  readonly unit: MetricUnit;
  /** Which direction a user wants. */
  readonly better: 'lower' | 'higher';
  readonly about: string;
  /** Zone of indifference in a comparison: differences smaller than this do not matter to anybody. `relative` is a fraction of the
   *  baseline's mean, `absolute` is in the metric's unit. Absent: the metric is not compared. */
  readonly indifference?: { readonly relative: number } | { readonly absolute: number };
}

const latencyStats = ['mean', 'p50', 'p90', 'p95', 'p99', 'p99.9', 'p99.99', 'max'] as const;

const latencyFamily = (family: string, what: string, indifference: Readonly<Record<string, number>>): Metric[] =>
  latencyStats.map((stat) => ({
    name: `${family}.${stat}`,
    unit: 'ms',
    better: 'lower',
    about:
      stat === 'mean' || stat === 'max'
        ? `${stat === 'mean' ? 'Mean' : 'Largest'} ${what}.`
        : `${stat.slice(1)} % of requests have at most this ${what}.`,
    ...(indifference[stat] === undefined ? {} : { indifference: { relative: indifference[stat] } }),
  }));

const failures: readonly (readonly [string, string])[] = [
  ['timeout', 'whose client gave up waiting'],
  ['refused', 'turned away: queue full, or the instance was down'],
  ['noEndpoint', 'for which the balancer knew no available endpoint'],
  ['error', 'answered with an error'],
  ['connectionLost', 'lost with the instance that was working on them'],
  ['shed', 'turned away by admission control, at the caller or at the instance'],
  ['circuitOpen', 'not sent because the circuit breaker was open'],
];

export const metrics: readonly Metric[] = [
  ...latencyFamily('latency', 'time from arrival to answer, of requests that ended well', {
    mean: 0.01,
    p50: 0.01,
    p99: 0.03,
    'p99.9': 0.03,
  }),
  ...latencyFamily('wait', 'time a request waits in an instance’s queue before work on it starts', {}),
  {
    name: 'availability',
    unit: 'fraction',
    better: 'higher',
    about: 'Requests that ended well over requests that ended.',
    indifference: { absolute: 0.0001 },
  },
  { name: 'goodput', unit: 'per second', better: 'higher', about: 'Requests that ended well per second.' },
  { name: 'offered', unit: 'per second', better: 'higher', about: 'Requests that arrived per second.' },
  ...failures.map(([bucket, what]): Metric => ({
    name: `failures.${bucket}`,
    unit: 'fraction',
    better: 'lower',
    about: `Share of ended requests ${what}.`,
  })),
  { name: 'utilization.mean', unit: 'fraction', better: 'lower', about: 'Share of all slots at work, over time and instances.' },
  { name: 'utilization.max', unit: 'fraction', better: 'lower', about: 'The same for the busiest instance.' },
  {
    name: 'load.maxOverMean',
    unit: 'ratio',
    better: 'lower',
    about: 'Requests served by the busiest instance over the mean; 1 is even.',
  },
  {
    name: 'load.jain',
    unit: 'ratio',
    better: 'higher',
    about: 'Jain’s fairness index of requests served; 1 is even, 1/n is all on one.',
  },
  { name: 'inSystem.mean', unit: 'count', better: 'lower', about: 'Requests in the system, averaged over time.' },
  {
    name: 'degraded',
    unit: 'fraction',
    better: 'lower',
    about: 'Share of requests that ended well with less than they asked for: a fallback, or an optional part missing.',
  },
  { name: 'attempts', unit: 'ratio', better: 'lower', about: 'Tries per request, retries and hedges included.' },
  { name: 'retries', unit: 'ratio', better: 'lower', about: 'Retries per request.' },
  { name: 'hedges', unit: 'ratio', better: 'lower', about: 'Hedged attempts per request: the extra load that hedging costs.' },
  {
    name: 'amplification',
    unit: 'ratio',
    better: 'lower',
    about: 'Messages to instances on all edges over what they would be if every call were sent once.',
  },
  { name: 'cacheHits', unit: 'fraction', better: 'higher', about: 'Share of cached calls answered by the cache.' },
  { name: 'connections', unit: 'per second', better: 'lower', about: 'Connections opened per second, where they are modelled.' },
  { name: 'probes', unit: 'per second', better: 'lower', about: 'Probes that balancers sent per second: the price of asking.' },
  {
    name: 'detection.time',
    unit: 'ms',
    better: 'lower',
    about: 'Mean time from the beginning of a fault on an instance until a client ceases to use it.',
  },
  {
    name: 'detection.missed',
    unit: 'fraction',
    better: 'lower',
    about: 'Share of faults on instances that end, or outlast the run, without a client having ceased to use the instance.',
  },
  {
    name: 'detection.recovery',
    unit: 'ms',
    better: 'lower',
    about: 'Mean time from the end of a fault on an instance until a client that had ceased to use it uses it again.',
  },
  {
    name: 'detection.mistakes',
    unit: 'count',
    better: 'lower',
    about: 'How often a client ceases to use an instance that is well, per hour, per client and instance.',
  },
  { name: 'detection.mistakeTime', unit: 'ms', better: 'lower', about: 'Mean time until such a mistake is corrected.' },
  {
    name: 'detection.accuracy',
    unit: 'fraction',
    better: 'higher',
    about: 'Share of the time in which an instance is well that a client uses it.',
  },
  {
    name: 'detection.messages',
    unit: 'per second',
    better: 'lower',
    about: 'Heartbeats, health checks and gossip sent per second: the price of detection.',
  },
  { name: 'wait.share', unit: 'fraction', better: 'lower', about: 'Share of requests that had to wait at all.' },
  { name: 'instances.up', unit: 'fraction', better: 'higher', about: 'Share of instances that are up, over time.' },
  {
    name: 'replicas.mean',
    unit: 'count',
    better: 'lower',
    about: 'Instances that exist, averaged over time, where they come and go.',
  },
  { name: 'replicas.max', unit: 'count', better: 'lower', about: 'The most instances that existed at one time.' },
  {
    name: 'scaling.underTime',
    unit: 'fraction',
    better: 'lower',
    about: 'Share of the time with fewer instances ready than the offered work needs at the service’s target utilization.',
  },
  {
    name: 'scaling.overTime',
    unit: 'fraction',
    better: 'lower',
    about: 'Share of the time with more instances ready than needed.',
  },
  { name: 'scaling.under', unit: 'count', better: 'lower', about: 'Instances that were lacking, averaged over all of the time.' },
  { name: 'scaling.over', unit: 'count', better: 'lower', about: 'Instances that were too many, averaged over all of the time.' },
  {
    name: 'scaling.reaction',
    unit: 'ms',
    better: 'lower',
    about: 'Mean time from too few instances being ready until there are enough.',
  },
  { name: 'scaling.changes', unit: 'count', better: 'lower', about: 'Changes of the number of instances wanted, per hour.' },
  {
    name: 'scaling.flaps',
    unit: 'count',
    better: 'lower',
    about: 'Changes that go the other way than the one before, per hour.',
  },
  {
    name: 'scaling.lost',
    unit: 'count',
    better: 'lower',
    about: 'Requests lost with instances that were taken away or given up.',
  },
  { name: 'scaling.pending', unit: 'ms', better: 'lower', about: 'Mean time a new instance waits for a place to run.' },
  {
    name: 'alarm.time',
    unit: 'ms',
    better: 'lower',
    about: 'Mean time from the beginning of an incident, a time in which some fault holds, until an alarm fires.',
  },
  { name: 'alarm.missed', unit: 'fraction', better: 'lower', about: 'Share of incidents that end without an alarm.' },
  {
    name: 'alarm.false',
    unit: 'count',
    better: 'lower',
    about: 'Alarms that begin while no fault holds, per hour of such time.',
  },
  {
    name: 'cost',
    unit: 'count',
    better: 'lower',
    about: 'Price of nodes, or of instances, per hour of simulated time.',
    indifference: { relative: 0.01 },
  },
  {
    name: 'rollout.exposure',
    unit: 'fraction',
    better: 'lower',
    about:
      'Share of the requests to a service under change that met the new version as the last they met, from when it was asked for to the end of it; a bad version that was accepted goes on counting until nothing is left of it.',
  },
  {
    name: 'rollout.failed',
    unit: 'count',
    better: 'lower',
    about: 'Requests that met a version being rolled out, as the last they met, and failed.',
    indifference: { relative: 0.05 },
  },
  {
    name: 'rollout.slow',
    unit: 'count',
    better: 'lower',
    about:
      'Requests that met a version being rolled out and were slower than twice the 99th percentile before, or than `slow` says.',
    indifference: { relative: 0.05 },
  },
  {
    name: 'rollout.userMinutes',
    unit: 'count',
    better: 'lower',
    about: 'Minutes of users in which a request of theirs met a version being rolled out and was failed or slow.',
    indifference: { relative: 0.05 },
  },
  {
    name: 'rollout.allFailed',
    unit: 'count',
    better: 'lower',
    about: 'Requests to a service under change that failed while that was counted, whatever they met.',
    indifference: { relative: 0.05 },
  },
  {
    name: 'rollout.detect',
    unit: 'ms',
    better: 'lower',
    about: 'Mean time from the first request that met a bad version until it was given up.',
  },
  {
    name: 'rollout.rollback',
    unit: 'ms',
    better: 'lower',
    about: 'Mean time from giving a version up until nothing was left of it.',
  },
  {
    name: 'rollout.finish',
    unit: 'ms',
    better: 'lower',
    about: 'Mean time from asking for a version until it was everywhere.',
    indifference: { relative: 0.01 },
  },
  {
    name: 'rollout.aborted',
    unit: 'fraction',
    better: 'lower',
    about: 'Share of roll-outs in which the new version was given up.',
  },
  { name: 'rollout.wrong', unit: 'fraction', better: 'lower', about: 'Share of roll-outs of good versions that were given up.' },
  { name: 'rollout.missed', unit: 'fraction', better: 'lower', about: 'Share of roll-outs of bad versions that were accepted.' },
  {
    name: 'rollout.leaders',
    unit: 'count',
    better: 'lower',
    about: 'Times that another controller took over.',
  },
  {
    name: 'rollout.split',
    unit: 'ms',
    better: 'lower',
    about: 'Time in which more than one controller believed to lead.',
  },
  {
    name: 'rollout.stale',
    unit: 'count',
    better: 'lower',
    about: 'Writes of a controller that took effect although another had written as the leader since.',
  },
  {
    name: 'rollout.fenced',
    unit: 'count',
    better: 'lower',
    about: 'Writes that were refused because another controller had led since.',
  },
  {
    name: 'config.lag',
    unit: 'ms',
    better: 'lower',
    about: 'Mean time from the decision to give a host a configuration until it is in force there.',
  },
  { name: 'config.lagMax', unit: 'ms', better: 'lower', about: 'The longest such time; of those under way at the end, so far.' },
  {
    name: 'config.skew',
    unit: 'fraction',
    better: 'lower',
    about: 'Share of the time in which hosts of one configuration had different versions of it.',
  },
  {
    name: 'config.refused',
    unit: 'count',
    better: 'lower',
    about: 'Configurations that a host refused because it could not use them.',
  },
];

/** Those about instances that come and go. */
export const scalingMetrics: readonly string[] = metrics
  .map(({ name }) => name)
  .filter((name) => /^(replicas|scaling|alarm|cost)/.test(name));

/** Those about versions that are rolled out. */
export const changeMetrics: readonly string[] = metrics.map(({ name }) => name).filter((name) => /^(rollout|config)/.test(name));

/** By what a metric can be narrowed down, as in `latency.p99{edge=web->db, class=read}`. */
export const metricParts = ['edge', 'service', 'class', 'window'] as const;
export type MetricPart = (typeof metricParts)[number];

/** Numbers about instances have a meaning for a service only, and what is counted over the whole run has none for a class or a window; most
 *  have one for any part. */
const narrowParts: Readonly<Record<string, readonly MetricPart[]>> = {
  utilization: ['service'],
  load: ['service'],
  instances: ['service'],
  replicas: ['service'],
  scaling: ['service'],
  cost: ['service'],
  alarm: [],
  rollout: [],
  config: [],
  inSystem: [],
  amplification: [],
  probes: [],
  detection: [],
  cacheHits: ['edge', 'service'],
  connections: ['edge', 'service'],
};
export const partsOf = ({ name }: Metric): readonly MetricPart[] => narrowParts[name.split('.', 1)[0]] ?? metricParts;

const byName = new Map(metrics.map((metric) => [metric.name, metric]));

export const metricNames: readonly string[] = metrics.map((metric) => metric.name);
export const findMetric = (name: string): Metric | undefined => byName.get(name);
export const comparedMetrics: readonly Metric[] = metrics.filter((metric) => metric.indifference !== undefined);
