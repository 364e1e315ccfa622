/** The shape of `traffic:`: how requests arrive, and how their rate changes over time. */
import * as z from 'zod';
import {
  boolean,
  choice,
  count,
  duration,
  either,
  filePath,
  fraction,
  keys,
  name,
  number,
  positiveDuration,
  rate,
  text,
} from './fields.ts';
import { edgeOptions } from './shape-edges.ts';
import { above0, distribution, limits, list } from './shape-parts.ts';

/** Istio's setting for Envoy's `host_selection_retry_max_attempts`, whose own default is 1. */
export const HOST_SELECTION_RETRIES = 5;

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
    keys({
      type: z.literal('bursts'),
      every: positiveDuration('60s').describe('From one burst to the next, by the clock.'),
      size: count({ min: 1, max: 10_000_000 }).describe('Requests in a burst.'),
      spread: duration(undefined, '1s').describe('Over which they are spread evenly at random.').prefault('0s'),
      first: duration(undefined, '10s').describe('Time of the first burst.').prefault('0s'),
    }),
    keys({
      type: z.literal('users'),
      users: count({ min: 1, max: limits.users }).describe('Each waits for the answer, thinks, asks again.'),
      think: distribution.describe('From an answer to the next request.'),
      session: keys({
        requests: number({ min: 1 }).describe('Per session on average.'),
        gap: distribution.describe('From the end of a session to the next.'),
      })
        .describe('One endless session by default.')
        .optional(),
    }),
    keys({
      type: z.literal('replay'),
      file: filePath().describe(
        'CSV of recorded requests with a header, optionally gzipped; clusterlab import writes such files.',
      ),
      closed: boolean()
        .describe('Whether the requests of a session wait for each other, with the think times recorded.')
        .prefault(false),
      from: duration(undefined, '2h').describe('Where to start in the recording.').prefault('0s'),
      length: positiveDuration('1h').describe('How much of it to use, in its own time.').optional(),
      speedup: number().describe('Plays so many times faster.').prefault(1),
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
  to: name().describe('A service, or a queue: then requests are messages.'),
  name: name().describe('By default the name of the service.').optional(),
  arrivals,
  profile: profile.optional(),
  classes: z
    .record(z.string(), fraction())
    .meta({ examples: [{ read: '80%', write: '20%' }] })
    .describe('Classes of its requests with their shares, which sum to 1; by default all are of the first class.')
    .optional(),
  userRetries: keys({
    max: count({ min: 1, max: limits.retries }).describe('Times a user asks again.'),
    after: distribution.describe('From the failure to asking again.'),
  })
    .describe('Users who ask again after a failure, as new requests.')
    .optional(),
  balancers: count({ min: 1, max: limits.balancers }).describe('Independent proxies, each with its own view.').prefault(1),
  balancerZones: list(name()).describe('Dealt out to the proxies in turn; by default the zones of the service.').optional(),
  ...edgeOptions,
  retries: either(
    [
      count({ min: 0, max: limits.retries }),
      keys({
        attempts: count({ min: 0, max: limits.retries }),
        hostSelectionRetryMaxAttempts: count({ min: 0, max: 100 })
          .describe('Picks repeated for one retry to avoid instances already tried; then the last is taken anyway.')
          .prefault(HOST_SELECTION_RETRIES),
      }),
    ],
    'a count, or { attempts: 2, hostSelectionRetryMaxAttempts: 5 }',
  )
    .describe(
      'Tries after the first for what was refused, lost or answered with an error; at once, at another instance. Not after a timeout. Short for the retry policy immediate.',
    )
    .optional(),
  keys: keys({
    count: count({ min: 1, max: limits.keys }).describe('Different keys.'),
    exponent: number({ min: 0, max: 20 }).describe('Of their Zipf popularity; 0 is uniform.').prefault(1),
  })
    .describe('Keys of requests, for balancers that hash.')
    .optional(),
});
