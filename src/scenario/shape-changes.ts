/** The shape of change: the versions of a service and what they do, when which is asked for, how decisions get there, and what can fail
 *  on the way. */
import * as z from 'zod';
import {
  boolean,
  choice,
  count,
  countOrUnlimited,
  duration,
  either,
  fraction,
  keys,
  name,
  number,
  positiveDuration,
} from './fields.ts';
import { above0, clientPolicies, distribution, list } from './shape-parts.ts';

/** More than so many would do nothing but wait. */
export const mostControllers = 9;

const oneOrMore = <Item extends z.ZodType>(item: Item, expected: string) => either([item, list(item)], expected);
const share = (of: string) => fraction(above0).describe(of);

/** When an effect shows. */
const when = {
  after: duration(undefined, '3m')
    .describe('Only from so long after the instance came up with the version, or got it; at once by default.')
    .prefault('0s'),
  load: fraction({ min: 0, max: 1000 })
    .describe('Only while the instance has so many requests, as a share of its slots; always by default.')
    .prefault(0),
  zones: oneOrMore(name(), 'a zone or a list of them').describe('Only in these zones; everywhere by default.').optional(),
};

const effect = z
  .discriminatedUnion('type', [
    keys({ type: z.literal('slow'), factor: number().describe('Service times take so many times as long.'), ...when }),
    keys({ type: z.literal('errors'), share: share('Of requests, answered with an error.'), ...when }),
    keys({
      type: z.literal('crash'),
      onStart: share('Of its starts, which end in a crash. Give this, every, or both.').optional(),
      every: distribution.describe('Time from coming up to a crash, again and again.').optional(),
      ...when,
    }),
    keys({
      type: z.literal('memory-leak'),
      fills: positiveDuration('5m').describe('From coming up to running out of memory.'),
      factor: number({ min: 1 }).describe('How much slower it is just before.').prefault(2),
      ...when,
    }),
    keys({
      type: z.literal('cold-start'),
      for: positiveDuration('30s').describe('How long it takes to become fast; in place of the service’s own coldStart.'),
      factor: number({ min: 1 }).describe('How much slower at first.'),
      ...when,
    }),
    keys({ type: z.literal('cold-caches'), ...when }),
    keys({
      type: z.literal('incompatible'),
      with: name().describe('The service with which it does not get on, whoever of the two calls.'),
      versions: oneOrMore(name(), 'a version or a list of them').describe('Those versions of that service.'),
      share: share('Of the requests between the two, which fail.').prefault(1),
      ...when,
    }),
  ])
  .meta({
    id: 'effect',
    description: 'What a version does to the instances that have it.',
    examples: [
      { type: 'errors', share: '5%' },
      { type: 'slow', factor: 1.5, after: '3m' },
    ],
  });

const clients = keys({
  timeout: positiveDuration('1s').describe('From the call to its end, all attempts together.').optional(),
  attemptTimeout: positiveDuration('200ms').describe('Of each attempt.').optional(),
  ...clientPolicies,
}).meta({
  id: 'client-settings',
  description: 'What clients that have this configuration do, on every call to the service; the rest is as the edge has it.',
  examples: [{ timeout: '50ms', retry: 'none' }],
});

export const versionShape = keys({
  effects: z.array(effect).describe('What it does to the instances that have it; nothing by default.').optional(),
  clients: clients.optional(),
  malformed: boolean().describe('Whether hosts cannot use it, and refuse it. As configuration only.').prefault(false),
  bad: boolean()
    .describe(
      'Whether accepting it is a mistake; by default it is if it has effects other than cold-start and cold-caches, or is malformed.',
    )
    .optional(),
}).meta({ id: 'version', description: 'One version of a service: what is different with it. {} for nothing.', examples: [{}] });

/** Of a service. They are checked one by one, so that a mistake in one hides nothing else. */
export const versionKeys = {
  version: name()
    .describe('Name of the version that is there at first.')
    .meta({ examples: ['v1'] })
    .prefault('v1'),
  versions: z.any().optional(),
};
export const versionsShape = z
  .record(z.string(), versionShape)
  .describe('What can be rolled out, by name; the first version need not be among them.');

const asked = {
  at: duration(undefined, '2m').describe('When it is asked for.'),
  service: name().describe('A service.'),
  version: name().describe('One of its versions.'),
  slow: positiveDuration('300ms')
    .describe('Latency from which on a request counts as slow; twice the 99th percentile before by default.')
    .optional(),
};
export const change = z
  .discriminatedUnion('type', [keys({ type: z.literal('release'), ...asked }), keys({ type: z.literal('config'), ...asked })])
  .meta({
    id: 'change',
    description:
      'From some moment on a version shall be everywhere: as a release (instances are replaced by others that have it) or as config (hosts are told).',
    examples: [{ type: 'release', at: '2m', service: 'api', version: 'v2' }],
  });

export const delivery = keys({
  router: boolean().describe('Whether a router divides requests between versions by weight.').prefault(true),
  controllers: count({ min: 1, max: mostControllers })
    .describe('Controllers that compete for deciding; policies.election says which of them does.')
    .prefault(1),
  fencing: boolean().describe('Whether what a controller writes is refused once another has led since.').prefault(true),
  latency: distribution.describe('Of messages between controllers, store, distributors and hosts, one way.').prefault('5ms'),
  loss: fraction({ min: 0, max: 0.99 }).describe('Share of messages between distributors and hosts that is lost.').prefault(0),
  distributors: z
    .array(count({ min: 1, max: 1000 }))
    .max(5)
    .describe('Nodes per level below the distributor beside the store; the last level serves the hosts.')
    .meta({ examples: [[3], [2, 8]] })
    .prefault([]),
  pushesPerSecond: countOrUnlimited({ min: 1 }).describe('Of each distributor.').prefault('unlimited'),
  ackTimeout: positiveDuration('10s').describe('A push that is not acknowledged by then is sent again.').prefault('10s'),
});

/** `schedule` has the keys that say when. */
export const changeFaults = <Schedule extends z.core.$ZodLooseShape>(schedule: Schedule) =>
  [
    keys({ type: z.literal('store-outage'), ...schedule }),
    keys({ type: z.literal('distributor-outage'), ...schedule }),
    keys({
      type: z.literal('controller-pause'),
      controller: either(
        [count({ min: 0, max: mostControllers - 1 }), choice(['leader'])],
        'leader or the number of a controller',
      )
        .describe('Which one stands still; whoever leads then by default.')
        .prefault('leader'),
      ...schedule,
    }),
  ] as const;
