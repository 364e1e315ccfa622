/** The shape of a scenario file: which keys there are, what they hold, and the words editors show for them. What needs more than one
 *  key to judge (does the service exist? do faults overlap?) is checked by the files that compile each section. */
import * as z from 'zod';
import {
  anything,
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
  seed,
  text,
  version,
} from './fields.ts';
import { change, changeFaults, delivery, versionKeys, versionsShape } from './shape-changes.ts';
import { editorStep, metastability, queue, requestClass } from './shape-edges.ts';
import { elasticKeys, metricsPipeline, nodeGroup, startsAt } from './shape-nodes.ts';
import { above0, distribution, limits, list, policies, servicePolicies } from './shape-parts.ts';
import { traffic } from './shape-traffic.ts';

export const run = keys({
  duration: positiveDuration('5m').describe('Simulated time.'),
  warmup: duration(undefined, '30s')
    .describe('Left out of every statistic. By default a tenth of the duration, at most 30s.')
    .optional(),
  seeds: either([count({ min: 1, max: limits.seeds }), z.array(seed()).min(1).max(limits.seeds)], 'a count or a list of seeds')
    .describe('How many repetitions, the same for every variant; or the seeds themselves.')
    .prefault(10),
  seed: seed().describe('Base of the repetitions: seed:1, seed:2 and so on.').prefault('1'),
  startsAt: startsAt
    .describe('What the calendar says at the first moment, for those who look at it; a Monday, 2026-01-05, by default.')
    .optional(),
  window: positiveDuration('1s')
    .describe('Width of one point of the time series. By default a 120th of the duration.')
    .optional(),
});

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
  workByClass: z.record(z.string(), distribution).describe('Of classes that differ.').optional(),
  ...versionKeys,
  calls: z.any().optional(),
  whileWaiting: choice(['hold', 'release'])
    .describe('Whether a request keeps its slot while it waits for others (threads) or gives it up (event loop).')
    .optional(),
  dropExpired: boolean()
    .describe('Whether a request whose deadline has passed is dropped instead of worked on. Callers must propagate deadlines.')
    .prefault(false),
  policies: servicePolicies.describe('For every call to this service, and at its own door; none for none.').optional(),
  ...elasticKeys,
  startup: duration(undefined, '10s')
    .describe('From the start of a process, or the end of a crash, to accepting requests.')
    .prefault('0s'),
  coldStart: keys({
    for: positiveDuration('30s').describe('How long it takes to become fast again.'),
    factor: number({ min: 1 }).describe('How much slower at first.'),
  })
    .describe('After start-up: slower at first, then linearly faster.')
    .optional(),
  overflow: choice(['refuse', 'drop'])
    .describe('What happens to requests that find no place: an answer that says so, or none.')
    .prefault('refuse'),
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

const at = () => duration(undefined, '2m');
const targetText = () => text(200).meta({ examples: ['api/3', 'api/0..4', 'api/*', 'api@a'] });
const schedule = {
  at: at().optional(),
  for: positiveDuration('1m').describe('To the end of the run by default.').optional(),
  random: keys({ mttf: distribution.describe('Time to the next failure.'), mttr: distribution.describe('Time to repair.') })
    .describe('Again and again, for each target by itself; instead of at and for.')
    .optional(),
  flapping: keys({
    down: distribution.describe('How long it fails.'),
    up: distribution.describe('How long it works in between.'),
  })
    .describe('Failing and working in turn, between at and the end of for.')
    .optional(),
};
const target = either([targetText(), list(targetText())], 'a target or a list of them').describe(
  'api/3, api/0..4, api/* or api@zone.',
);
const when = {
  target,
  hit: fraction(above0).describe('Share of the targets that are hit, chosen anew each time; at least one.').prefault(1),
  ...schedule,
};
const zones = () => either([name(), list(name())], 'a zone or a list of them');
/** Of a fault of the network: between zones, or of instances with everybody. */
const link = {
  from: zones().describe('Zones on one side. Give from and to, or target.').optional(),
  to: zones().describe('Zones on the other side.').optional(),
  oneWay: boolean().describe('Only messages from `from` to `to`.').prefault(false),
  target: target.describe('Instances, with everybody; instead of from and to.').optional(),
  direction: choice(['both', 'in', 'out']).describe('Of messages to and from the targets.').prefault('both'),
  hit: when.hit,
  ...schedule,
};
const ofRequests = (what: string) => fraction(above0).describe(`Of requests, ${what}.`);
export const fault = z.discriminatedUnion('type', [
  keys({
    type: z.literal('crash'),
    ...when,
    cascade: keys({
      chance: fraction(above0).describe('Of every other instance of the service that is up.'),
      after: distribution.describe('How long after the one before.'),
    })
      .describe('A crash may bring down others, and those again others.')
      .optional(),
  }),
  keys({
    type: z.literal('slow'),
    ...when,
    factor: number().describe('Service times take so many times as long.'),
    requests: ofRequests('that are slow').prefault(1),
  }),
  keys({ type: z.literal('errors'), ...when, share: ofRequests('answered with an error') }),
  keys({ type: z.literal('pause'), ...when }),
  keys({
    type: z.literal('hang'),
    ...when,
    heartbeats: boolean().describe('Whether it sends heartbeats all the same: a gray failure.').prefault(true),
  }),
  keys({ type: z.literal('drop-responses'), ...when, share: ofRequests('worked on and never answered') }),
  keys({
    type: z.literal('memory-leak'),
    ...when,
    fills: positiveDuration('5m').describe('From start-up to running out of memory.'),
    factor: number({ min: 1 }).describe('How much slower it is just before.').prefault(2),
  }),
  keys({
    type: z.literal('clock-drift'),
    ...when,
    rate: number({ min: 0.01, max: 100 }).describe('Of its own timers: 1.2 sends heartbeats a fifth less often.'),
  }),
  keys({ type: z.literal('partition'), ...link }),
  keys({ type: z.literal('packet-loss'), ...link, share: fraction(above0).describe('Of messages.') }),
  keys({ type: z.literal('latency'), ...link, adds: distribution.describe('On top of each message.') }),
  keys({ type: z.literal('discovery-outage'), ...schedule }),
  keys({
    type: z.literal('cpu-exhaustion'),
    ...when,
    share: fraction(above0).describe('Of the processor that others take: harmless while enough is left.'),
  }),
  keys({
    type: z.literal('node-loss'),
    node: either([targetText(), list(targetText())], 'a node or a list of them').describe(
      'general/0, general/0..4, general/* or general@zone.',
    ),
    hit: when.hit,
    ...schedule,
  }),
  keys({ type: z.literal('control-plane-outage'), ...schedule }),
  keys({ type: z.literal('metrics-outage'), ...schedule }),
  ...changeFaults(schedule),
  keys({ type: z.literal('cache-flush'), target, at: at() }),
  keys({ type: z.literal('zone-outage'), zone: name(), at: at(), for: positiveDuration('1m').optional() }),
]);

const variantsOf = (about: string) =>
  either([text(), list(text())], 'a label or a list of labels')
    .describe(about)
    .optional();
const level = (about: string) => choice(['error', 'warn', 'off']).describe(about).prefault('error');

export const expectation = either(
  [
    text(200),
    keys({
      check: text(200).describe('metric, comparison, limit.'),
      of: variantsOf('Labels of the variants it holds for; all by default.'),
      level: level('A check that fails: error ends with exit code 1, warn only says so, off is not looked at.'),
    }),
  ],
  'a check such as latency.p99 < 250ms',
);

/** What a baseline is compared in. */
export const gateCheck = keys({
  metric: text(200).describe('A metric, perhaps of a part of the requests: latency.p99{class=read}.'),
  maxWorse: either([z.number(), text(40)], 'a margin such as 5% or 10ms')
    .describe(
      'How much worse than the baseline does not matter: a share of the baseline (5%), or an amount (10ms); of metrics that are shares, percentage points. By default the zone of indifference of the metric.',
    )
    .optional(),
  of: variantsOf('Labels of the variants it is for; all by default.'),
  level: level('A metric that got worse: error ends with exit code 1, warn only says so, off is not looked at.'),
});

/** The keys of the file. Each section is checked by itself, so that a mistake in one does not hide those of another. */
const section = z.any().optional();
export const topLevel = keys({
  scenario: version(),
  name: name(),
  about: text().optional(),
  demonstrates: text().optional(),
  run: anything('a map with a duration, as in run: { duration: 5m }'),
  classes: section,
  services: anything('a map of services by name'),
  queues: section,
  nodes: section,
  metrics: section,
  network: section,
  traffic: anything('a list of streams of requests'),
  faults: section,
  changes: section,
  delivery: section,
  policies: section,
  metastability: section,
  compare: section,
  expect: section,
  gate: section,
});

/** The whole file, for editors. */
export const wholeFile = keys({
  scenario: version().describe('Version of this format.'),
  name: name().describe('Names the results.'),
  about: text().describe('One or two sentences: the question; shown in reports.').optional(),
  demonstrates: text().describe('What a reader should learn from the answer.').optional(),
  run: run.describe('How long, how often.'),
  classes: z.record(z.string(), requestClass).describe('Kinds of requests by name; one kind by default.').optional(),
  services: z
    .record(
      z.string(),
      keys({
        ...service.shape,
        versions: versionsShape.optional(),
        calls: list(editorStep).describe('What a request does after its own work, one step after the other.').optional(),
      }),
    )
    .describe('By name.'),
  queues: z.record(z.string(), queue).describe('Messages between services, by name.').optional(),
  nodes: z
    .record(z.string(), nodeGroup)
    .describe('What instances run on, in groups by name; without, they need nothing.')
    .optional(),
  metrics: metricsPipeline.describe('How autoscalers and alarms get to know what is going on.').optional(),
  network: network.describe('Latency between proxies and instances; none by default.').optional(),
  traffic: list(traffic).describe('Who sends requests, and how many.'),
  faults: z.array(fault).describe('What goes wrong, and when.').optional(),
  changes: z.array(change).describe('What is rolled out, and when.').optional(),
  delivery: delivery.describe('How decisions of roll-outs are made and get to where they matter.').optional(),
  policies: policies.describe('For every edge and every service that does not say otherwise.').optional(),
  metastability: metastability.describe('Whether failures outlast their trigger; not judged by default.').optional(),
  compare: z
    .record(z.string(), list(z.any()))
    .describe(
      'What to compare: a role (balancer, detector, retry, ...), load, or a path such as services.api.slots, each with a list of values. The first is the baseline.',
    )
    .optional(),
  expect: z.array(expectation).describe('Checked for every variant.').optional(),
  gate: z
    .array(gateCheck)
    .describe('What clusterlab gate compares with the baseline; by default the headline metrics of every variant.')
    .optional(),
});
