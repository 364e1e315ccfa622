/** The shape of a scenario file: which keys there are, what they hold, and the words editors show for them. What needs more than one
 *  key to judge (does the service exist? do faults overlap?) is checked by the files that compile each section. */
import * as z from 'zod';
import { RETRIES_MAX } from '../policies/pipeline.ts';
import {
  anything,
  boolean,
  choice,
  count,
  countOrUnlimited,
  duration,
  either,
  filePath,
  fraction,
  keys,
  name,
  number,
  positiveDuration,
  rate,
  seed,
  text,
  version,
} from './fields.ts';

/** Limits on counts keep a slip of the pen from asking for more memory than there is. */
export const limits = {
  seeds: 1000,
  instances: 100_000,
  balancers: 10_000,
  slots: 1_000_000,
  keys: 10_000_000,
  entries: 10_000,
} as const;

const list = <Item extends z.ZodType>(item: Item) => z.array(item).min(1).max(limits.entries);
const above0 = { min: 0, exclusiveMin: true } as const;

const branches = list(
  keys({
    share: fraction(above0).describe('Probability of this branch; shares sum to 1.'),
    mean: positiveDuration('10ms').describe('Mean of this branch.'),
  }),
);

const kinds = z.discriminatedUnion('type', [
  keys({ type: z.literal('constant'), value: duration(undefined, '10ms').describe('The value, always.') }),
  keys({ type: z.literal('exponential'), mean: positiveDuration('10ms') }),
  keys({ type: z.literal('uniform'), min: duration(undefined, '5ms'), max: positiveDuration('15ms') }),
  keys({
    type: z.literal('erlang'),
    k: count({ min: 1, max: 10_000 }).describe('Number of stages.'),
    mean: positiveDuration('10ms'),
  }),
  keys({
    type: z.literal('gamma'),
    shape: number().describe('Give either shape or cv = 1/√shape.').optional(),
    cv: number().describe('Standard deviation over mean.').optional(),
    mean: positiveDuration('10ms'),
  }),
  keys({
    type: z.literal('hyperexponential'),
    mean: positiveDuration('10ms').describe('With cv2: two branches with balanced means.').optional(),
    cv2: number({ min: 1 }).describe('Squared coefficient of variation, at least 1.').optional(),
    branches: branches.describe('Instead of mean and cv2.').optional(),
  }),
  keys({
    type: z.literal('lognormal'),
    p50: positiveDuration('12ms').describe('Median. Give two of p50, mean, p99 and cv.').optional(),
    mean: positiveDuration('15ms').optional(),
    p99: positiveDuration('60ms').optional(),
    cv: number().describe('Standard deviation over mean.').optional(),
  }),
  keys({
    type: z.literal('weibull'),
    shape: number({ min: 0.05, max: 1000 }).describe('Below 1: heavier tail than exponential.'),
    mean: positiveDuration('10ms').describe('Give either mean or scale.').optional(),
    scale: positiveDuration('10ms').optional(),
  }),
  keys({
    type: z.literal('pareto'),
    shape: number().describe('Tail index. The mean is infinite up to 1, the variance up to 2, unless max bounds it.'),
    min: positiveDuration('5ms').describe('Give either min or mean.').optional(),
    mean: positiveDuration('10ms').optional(),
    max: positiveDuration('10s').describe('Cuts the tail.').optional(),
  }),
  keys({
    type: z.literal('empirical'),
    quantiles: z
      .record(z.string(), duration(undefined, '10ms'))
      .meta({ examples: [{ p0: '1ms', p50: '10ms', p99: '60ms', p100: '80ms' }] })
      .describe('Measured percentiles from p0 to p100, linear between them.')
      .optional(),
    file: filePath().describe('CSV of samples; each is drawn with equal probability.').optional(),
    column: either([count(), text()], 'a column name or number')
      .describe('Name of the column, or its number from 1; the last one by default.')
      .optional(),
    unit: choice(['us', 'ms', 's']).describe('Unit of the samples, ms by default.').optional(),
  }),
  keys({
    type: z.literal('discrete'),
    values: list(keys({ value: duration(undefined, '10ms'), share: fraction(above0) })).describe(
      'Each value with its probability; shares sum to 1.',
    ),
  }),
]);

export const distribution = either([duration(undefined, '10ms'), kinds], 'a duration or a map with "type"').meta({
  id: 'distribution',
  description: 'A random time. A bare duration is constant.',
  examples: ['12ms', { type: 'lognormal', p50: '12ms', p99: '60ms' }],
});

export const run = keys({
  duration: positiveDuration('5m').describe('Simulated time.'),
  warmup: duration(undefined, '30s')
    .describe('Left out of every statistic. By default a tenth of the duration, at most 30s.')
    .optional(),
  seeds: either([count({ min: 1, max: limits.seeds }), z.array(seed()).min(1).max(limits.seeds)], 'a count or a list of seeds')
    .describe('How many repetitions, the same for every variant; or the seeds themselves.')
    .prefault(10),
  seed: seed().describe('Base of the repetitions: seed:1, seed:2 and so on.').prefault('1'),
  window: positiveDuration('1s')
    .describe('Width of one point of the time series. By default a 120th of the duration.')
    .optional(),
});

/** Istio's setting for Envoy's `host_selection_retry_max_attempts`, whose own default is 1. */
export const HOST_SELECTION_RETRIES = 5;

export const service = keys({
  instances: either(
    [
      count({ min: 1, max: limits.instances }),
      list(
        keys({
          count: count({ min: 1, max: limits.instances }).prefault(1),
          speed: number().describe('2 halves every service time.').prefault(1),
          weight: number({ min: 0 }).describe('Announced to balancers; 0 drains.').prefault(1),
          priority: count({ min: 0, max: 255 }).describe('Announced to balancers; level 0 is used first.').prefault(0),
          zone: name().describe('Instead of a turn in zones.').optional(),
        }),
      ),
    ],
    'a count or a list of groups',
  ).describe('How many server processes; or groups of them that differ.'),
  zones: list(name()).describe('Dealt out to instances in turn.').prefault(['a']),
  slots: count({ min: 1, max: limits.slots })
    .describe('Requests one instance serves at once; its cores with processor-sharing.')
    .prefault(1),
  queue: countOrUnlimited({ min: 0 }).describe('Places to wait beyond the slots; then requests are refused.').prefault(100),
  discipline: choice(['fifo', 'lifo', 'processor-sharing'])
    .describe('In which order waiting requests are served.')
    .prefault('fifo'),
  work: distribution.describe('Service time of a request at speed 1.'),
  startup: duration(undefined, '10s').describe('From the end of a crash to accepting requests.').prefault('0s'),
  coldStart: keys({
    for: positiveDuration('30s').describe('How long it takes to become fast again.'),
    factor: number({ min: 1 }).describe('How much slower at first.'),
  })
    .describe('After start-up: slower at first, then linearly faster.')
    .optional(),
  cancelAbandoned: boolean().describe('Whether an instance drops a request whose client has given up.').prefault(false),
});

export const network = keys({
  latency: distribution.describe('One way, everywhere.').optional(),
  sameZone: distribution.describe('One way within a zone.').optional(),
  betweenZones: distribution.describe('One way between zones.').optional(),
  pairs: list(keys({ between: z.array(name()).min(2).max(2).describe('Two zones.'), latency: distribution }))
    .describe('Other latencies for pairs of zones, in either direction.')
    .optional(),
});

const arrivalRate = rate().describe('Requests per second at profile factor 1.');

export const arrivals = z
  .discriminatedUnion('type', [
    keys({ type: z.literal('constant'), rate: arrivalRate }),
    keys({ type: z.literal('poisson'), rate: arrivalRate }),
    keys({
      type: z.literal('gamma'),
      rate: arrivalRate,
      shape: number().describe('Of the times between arrivals. Give either shape or cv.').optional(),
      cv: number().optional(),
    }),
    keys({ type: z.literal('weibull'), rate: arrivalRate, shape: number({ min: 0.05, max: 1000 }) }),
    keys({
      type: z.literal('hyperexponential'),
      rate: arrivalRate,
      cv2: number({ min: 1 }).describe('Squared coefficient of variation of the times between arrivals.').optional(),
      branches: list(
        keys({ share: fraction(above0), mean: number().describe('Mean time between arrivals, relative to the other branches.') }),
      ).optional(),
    }),
    keys({
      type: z.literal('mmpp'),
      states: z
        .array(
          keys({
            rate: rate({ min: 0 }).describe('Requests per second in this state; 0/s is silence.'),
            mean: positiveDuration('10s').describe('Mean stay.'),
          }),
        )
        .min(2)
        .max(limits.entries)
        .describe('Visited in turn, each for an exponential time.'),
    }),
    keys({
      type: z.literal('batch'),
      rate: arrivalRate,
      size: count({ min: 1, max: 1_000_000 }).describe('Requests that arrive together.'),
    }),
    keys({
      type: z.literal('trace'),
      file: filePath().describe('CSV of request counts per interval, optionally gzipped.'),
      column: either([count(), text()], 'a column name or number')
        .describe('Name of the column, or its number from 1; the last one by default.')
        .optional(),
      interval: positiveDuration('1m').describe('Time between rows. By default from the first column, in seconds.').optional(),
      from: duration(undefined, '2h').describe('Where to start in the trace.').prefault('0s'),
      length: positiveDuration('1h').describe('How much of the trace to use, in its own time.').optional(),
      speedup: number().describe('Plays so many times faster at the same rates.').prefault(1),
      scale: number().describe('Multiplies the rates. Give scale or mean, or neither.').optional(),
      mean: rate().describe('Scales the rates to this mean.').optional(),
      process: choice(['poisson', 'constant']).describe('How requests are spread within an interval.').prefault('poisson'),
      offset: duration(undefined, '1m').describe('Silence before the trace starts.').prefault('0s'),
      repeat: boolean().describe('Start again at its end.').prefault(false),
    }),
  ])
  .meta({ id: 'arrivals', description: 'How requests arrive.', examples: [{ type: 'poisson', rate: '100/s' }] });

const factor = () => number({ min: 0 }).describe('Multiplies the rate.');
const at = () => duration(undefined, '2m');
const profilePart = z.discriminatedUnion('type', [
  keys({
    type: z.literal('steps'),
    steps: list(keys({ at: at(), factor: factor() })).describe('From each time on, its factor; 1 before the first.'),
  }),
  keys({
    type: z.literal('ramp'),
    at: at(),
    for: positiveDuration('1m'),
    from: factor().prefault(1),
    to: factor(),
  }),
  keys({
    type: z.literal('spike'),
    at: at(),
    for: positiveDuration('1m'),
    factor: factor(),
    rise: duration(undefined, '5s').describe('Length of each flank, within the spike.').prefault('0s'),
  }),
  keys({
    type: z.literal('diurnal'),
    period: positiveDuration('24h').prefault('24h'),
    amplitude: fraction().describe('50% swings between half and one and a half times the rate.'),
    peak: duration(undefined, '14h').describe('Time of the peak within the period; in the middle by default.').optional(),
  }),
  keys({
    type: z.literal('piecewise'),
    points: list(keys({ at: at(), factor: factor() })).describe('Linear between the points.'),
  }),
]);
export const profile = either([profilePart, list(profilePart)], 'a map with "type", or a list of them').describe(
  'How the rate changes over time; several multiply.',
);

export const traffic = keys({
  to: name().describe('A service.'),
  name: name().describe('By default the name of the service.').optional(),
  arrivals,
  profile: profile.optional(),
  balancers: count({ min: 1, max: limits.balancers }).describe('Independent proxies, each with its own view.').prefault(1),
  balancerZones: list(name()).describe('Dealt out to the proxies in turn; by default the zones of the service.').optional(),
  timeout: positiveDuration('1s').describe('From arrival; by default clients wait for ever.').optional(),
  retries: either(
    [
      count({ min: 0, max: RETRIES_MAX }),
      keys({
        attempts: count({ min: 0, max: RETRIES_MAX }),
        hostSelectionRetryMaxAttempts: count({ min: 0, max: 100 })
          .describe('Picks repeated for one retry to avoid instances already tried; then the last is taken anyway.')
          .prefault(HOST_SELECTION_RETRIES),
      }),
    ],
    'a count, or { attempts: 2, hostSelectionRetryMaxAttempts: 5 }',
  )
    .describe(
      'Tries after the first for what was refused, lost or answered with an error; at once, at another instance. Not after a timeout.',
    )
    .prefault(0),
  keys: keys({
    count: count({ min: 1, max: limits.keys }).describe('Different keys.'),
    exponent: number({ min: 0, max: 20 }).describe('Of their Zipf popularity; 0 is uniform.').prefault(1),
  })
    .describe('Keys of requests, for balancers that hash.')
    .optional(),
});

const targetText = () => text(200).meta({ examples: ['api/3', 'api/0..4', 'api/*', 'api@a'] });
const when = {
  target: either([targetText(), list(targetText())], 'a target or a list of them').describe(
    'api/3, api/0..4, api/* or api@zone.',
  ),
  at: at().optional(),
  for: positiveDuration('1m').describe('To the end of the run by default.').optional(),
  random: keys({ mttf: distribution.describe('Time to the next failure.'), mttr: distribution.describe('Time to repair.') })
    .describe('Again and again, for each target by itself; instead of at and for.')
    .optional(),
};
export const fault = z.discriminatedUnion('type', [
  keys({ type: z.literal('crash'), ...when }),
  keys({ type: z.literal('slow'), ...when, factor: number().describe('Every service time takes so many times as long.') }),
  keys({ type: z.literal('errors'), ...when, share: fraction(above0).describe('Of requests, answered with an error.') }),
  keys({ type: z.literal('pause'), ...when }),
  keys({ type: z.literal('zone-outage'), zone: name(), at: at(), for: positiveDuration('1m').optional() }),
]);

/** A policy by name, or with parameters; those are checked against the policy's own table. */
export const policyUse = either(
  [text(400), z.looseObject({ use: text(400).optional(), label: text(64).optional() })],
  'the name of a policy or a map with "use"',
).meta({
  id: 'policy',
});
export const policies = keys({
  balancer: policyUse.describe('round-robin by default.').optional(),
  detector: policyUse.describe('none by default: every instance is believed alive.').optional(),
});

export const expectation = either(
  [
    text(200),
    keys({
      check: text(200).describe('metric, comparison, limit.'),
      of: either([text(), list(text())], 'a label or a list of labels')
        .describe('Labels of the variants it holds for; all by default.')
        .optional(),
    }),
  ],
  'a check such as latency.p99 < 250ms',
);

/** The keys of the file. Each section is checked by itself, so that a mistake in one does not hide those of another. */
const section = z.any().optional();
export const topLevel = keys({
  scenario: version(),
  name: name(),
  about: text().optional(),
  demonstrates: text().optional(),
  run: anything('a map with a duration, as in run: { duration: 5m }'),
  services: anything('a map of services by name'),
  network: section,
  traffic: anything('a list of streams of requests'),
  faults: section,
  policies: section,
  compare: section,
  expect: section,
});

/** The whole file, for editors. */
export const wholeFile = keys({
  scenario: version().describe('Version of this format.'),
  name: name().describe('Names the results.'),
  about: text().describe('One or two sentences: the question; shown in reports.').optional(),
  demonstrates: text().describe('What a reader should learn from the answer.').optional(),
  run: run.describe('How long, how often.'),
  services: z.record(z.string(), service).describe('By name.'),
  network: network.describe('Latency between proxies and instances; none by default.').optional(),
  traffic: list(traffic).describe('Who sends requests, and how many.'),
  faults: z.array(fault).describe('What goes wrong, and when.').optional(),
  policies: policies.describe('For every proxy.').optional(),
  compare: z
    .record(z.string(), list(z.any()))
    .describe(
      'What to compare: a role (balancer, detector) or a path such as services.api.slots, each with a list of values. The first is the baseline.',
    )
    .optional(),
  expect: z.array(expectation).describe('Checked for every variant.').optional(),
});
