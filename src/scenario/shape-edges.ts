/** The shape of calls between services: what every edge can have, the steps of a service, queues, classes. */
import * as z from 'zod';
import {
  anything,
  boolean,
  choice,
  count,
  countOrUnlimited,
  duration,
  durationOrUnlimited,
  either,
  fraction,
  keys,
  name,
  number,
  positiveDuration,
  text,
} from './fields.ts';
import { fallbackResults } from './spec.ts';
import { above0, distribution, edgePolicies, limits, list } from './shape-parts.ts';

const pool = keys({
  connections: count({ min: 1, max: 1_000_000 }).describe('Connections of one client to one instance, at most.'),
  streams: count({ min: 1, max: 1_000_000 })
    .describe('Requests that share a connection at once: 1 for HTTP/1.1, about 100 for HTTP/2.')
    .prefault(1),
  pending: countOrUnlimited({ min: 0 })
    .describe('Requests that may wait for a connection; then they are refused.')
    .prefault(1024),
  roundTrips: count({ min: 0, max: 10 })
    .describe('On the network, to open one: 1 for TCP, 2 with TLS 1.3, 3 with TLS 1.2.')
    .prefault(1),
  handshake: distribution.describe('Time on top to open one: key exchange, certificates.').prefault('0s'),
  keepAlive: durationOrUnlimited('60s').describe('Idle connections are closed after this.').prefault('60s'),
  reuse: choice(['newest', 'oldest'])
    .describe('Which idle connection is taken: the one used last, or the one idle longest.')
    .prefault('newest'),
}).meta({ id: 'pool' });

const oneOrMore = <Item extends z.ZodType>(item: Item, expected: string) => either([item, list(item)], expected);

const fallback = keys({
  on: oneOrMore(choice(fallbackResults), 'a result or a list of them')
    .describe('Which failures it stands in for; all by default.')
    .optional(),
  takes: duration(undefined, '1ms').describe('Time to make the default answer.').prefault('0s'),
}).meta({ id: 'fallback' });

/** Of every edge, from traffic or between services. */
export const edgeOptions = {
  timeout: positiveDuration('1s')
    .describe('From the call to its end, all attempts together; by default callers wait for ever.')
    .optional(),
  attemptTimeout: positiveDuration('200ms').describe('Of each attempt; none by default.').optional(),
  propagateDeadline: boolean()
    .describe('Whether the callee is told the deadline, so that its own calls end with it.')
    .prefault(false),
  proxyLatency: distribution.describe('What passing through the proxy costs, each way.').prefault('0s'),
  pool: pool.describe('Connections to each instance; not modelled by default.').optional(),
  fallback: fallback.describe('What the caller gets instead of a failure.').optional(),
  policies: edgePolicies.describe('For this edge only; none for none.').optional(),
};

const cacheCommon = {
  shared: boolean().describe('One cache for the whole service, or one per instance.').prefault(false),
  hitTime: distribution.describe('What a hit takes.').prefault('0s'),
  startsCold: boolean().describe('Whether it is empty at first.').prefault(false),
};
const cache = z
  .discriminatedUnion('type', [
    keys({
      type: z.literal('ratio'),
      hit: fraction(above0).describe('Share of hits when warm.'),
      fills: count({ min: 0 })
        .describe('Fetches after which it is warm; hits grow in proportion until then. 0: always warm.')
        .prefault(0),
      ...cacheCommon,
    }),
    keys({
      type: z.literal('keys'),
      entries: count({ min: 1, max: limits.keys }).describe('Keys it holds; the least recently used goes first.'),
      ttl: durationOrUnlimited('60s').describe('How long an entry lives.').prefault('unlimited'),
      coalesces: boolean().describe('Whether requests for a key that is being fetched wait for that fetch.').prefault(false),
      earlyRefresh: number({ min: 0 })
        .describe('Beta of XFetch: a hit may refresh before expiry, at random; 0 for never, 1 is usual.')
        .prefault(0),
      ...cacheCommon,
    }),
  ])
  .meta({ id: 'cache' });

const share = fraction(above0).describe('Of the requests that take this step; all by default.').optional();
const wait = either([choice(['all', 'first']), count({ min: 1 })], 'all, first or a number')
  .describe('How many must end well: all, first or a number; those still out are then cancelled.')
  .prefault('all');
const classNames = oneOrMore(className(), 'a class or a list of classes');

const callKeys = {
  to: name().describe('A service.'),
  name: name().describe('Names the edge; by default caller->callee.').optional(),
  copies: count({ min: 1, max: limits.copies }).describe('So many calls alike, at once.').prefault(1),
  optional: boolean().describe('Whether its failure degrades the answer instead of failing it.').prefault(false),
  classes: classNames.describe('Classes of requests that make this call; all by default.').optional(),
  cache: cache.describe('In front of this call; none by default.').optional(),
  balancers: either([count({ min: 1, max: limits.balancers }), choice(['sidecar'])], 'a count or sidecar')
    .describe('Independent proxies; sidecar: one beside every calling instance.')
    .prefault('sidecar'),
  balancerZones: list(name())
    .describe('Dealt out to the proxies in turn; by default the zones of the called service.')
    .optional(),
  ...edgeOptions,
};
/** Within `parallel`. */
export const memberCall = keys(callKeys);
export const call = keys({ ...callKeys, share, wait: wait.describe('With copies: how many must end well.') });

const stepsOf = (calls: z.ZodType, steps: z.ZodType) => ({
  parallel: keys({ parallel: calls, wait, share }),
  work: keys({ work: distribution.describe('More work of its own.'), share }),
  oneOf: keys({ oneOf: list(keys({ share: fraction(above0).describe('Probability; with the rest, none.'), calls: steps })) }),
  publish: keys({
    publish: name().describe('A queue.'),
    name: name().describe('Names the edge; by default service->queue.').optional(),
    share,
  }),
});
/** Kinds of steps by the key that tells them, what stands inside left to be checked by itself. */
export const stepKinds = { to: call, ...stepsOf(anything('a list of calls'), anything('a list of steps')) };
export type StepKind = keyof typeof stepKinds;

/** For editors, all the way down. */
const nested = stepsOf(
  z.lazy(() => list(editorCall)),
  z.lazy(() => list(editorStep)),
);
const editorCall: z.ZodType = either([name(), memberCall], 'a call').meta({ id: 'call', description: 'A call of a service.' });
export const editorStep: z.ZodType = either(
  [name(), call, nested.parallel, nested.work, nested.oneOf, nested.publish],
  'a step',
).meta({
  id: 'step',
  description: 'What a request does next: call a service, or several at once, work, one of several branches, or leave a message.',
});

/** Names of classes may come from logs, so they are any line of text without quotes. */
export function className() {
  return text(200);
}

export const requestClass = keys({
  priority: count({ min: 0, max: 255 }).describe('0 is the most important.').prefault(0),
  tenant: text(200).describe('Who pays for it.').optional(),
});

export const queue = keys({
  to: name().describe('The service whose instances take the messages, one per free slot.'),
  visibility: positiveDuration('30s').describe('A message not done by then is given to somebody else.').prefault('30s'),
  maxReceives: countOrUnlimited({ min: 1 })
    .describe('Deliveries after which a message is put aside as dead.')
    .prefault('unlimited'),
  capacity: countOrUnlimited({ min: 1 }).describe('Messages it holds; more are refused.').prefault('unlimited'),
});

export const metastability = keys({
  recovered: fraction(above0)
    .describe('Recovered once goodput over offered load is back at this share of what it was before.')
    .prefault('90%'),
  trigger: keys({ from: duration(undefined, '60s'), to: positiveDuration('70s') })
    .describe('When the trigger acts; by default from the first to the last end of planned faults and spikes.')
    .optional(),
  escape: keys({
    resolution: fraction({ min: 0.001, max: 1 }).describe('Of the search.').prefault('5%'),
    low: fraction().describe('The lowest share of the load that is tried.').prefault('10%'),
  })
    .describe('Search for the load at which the system recovers by itself.')
    .optional(),
});
