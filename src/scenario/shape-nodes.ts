/** The shape of what instances run on and how they come and go: nodes, resources, shutdown, the metrics pipeline. */
import * as z from 'zod';
import {
  boolean,
  choice,
  count,
  cpu,
  date,
  duration,
  either,
  filePath,
  fraction,
  keys,
  memory,
  name,
  number,
  positiveDuration,
  text,
} from './fields.ts';
import { distribution, limits, list } from './shape-parts.ts';

const labels = z
  .record(z.string(), text(253))
  .describe('By key.')
  .meta({ examples: [{ disk: 'ssd' }] });
const effect = () => choice(['NoSchedule', 'PreferNoSchedule', 'NoExecute']);
const price = () => number({ min: 0 }).meta({ examples: [0.2] });

export const resources = keys({
  cpu: cpu().describe(
    'Cores that an instance reserves; what its slots use together when all are busy, unless cpuLimit says otherwise.',
  ),
  cpuLimit: cpu().describe('Cores in use when all slots are busy; as reserved by default.').optional(),
  memory: memory().describe('Memory that an instance reserves.').optional(),
  memoryBase: memory().describe('Memory in use by an idle instance; nothing is measured without it.').optional(),
  memoryPerRequest: memory().describe('On top, for every request present.').optional(),
});

export const shutdown = keys({
  drain: boolean()
    .describe('Whether an instance that is told to go works off what it has, and refuses what is new.')
    .prefault(true),
  preStop: duration(undefined, '5s').describe('Goes on as before for so long first, until clients have heard.').prefault('0s'),
  grace: duration(undefined, '30s').describe('From being told to go until whatever is left is lost.').prefault('30s'),
});

export const placementRules = keys({
  priority: number({ min: -1_000_000_000, max: 1_000_000_000 })
    .describe('Instances of higher priority may drive out those of lower priority.')
    .prefault(0),
  spread: list(
    keys({
      over: text(253)
        .describe('zone, node, or a label of nodes.')
        .meta({ examples: ['zone'] }),
      maxSkew: count({ min: 1, max: 1000 }).describe('By how many instances the fullest may lead the emptiest.').prefault(1),
      when: choice(['DoNotSchedule', 'ScheduleAnyway'])
        .describe('Whether it must hold or is preferred.')
        .prefault('ScheduleAnyway'),
      minDomains: count({ min: 1, max: 1000 }).describe('Of those to spread over.').optional(),
    }),
  )
    .describe('How instances of this service are spread.')
    .optional(),
  nodeLabels: labels.describe('Labels that a node must have.').optional(),
  tolerates: list(
    keys({
      key: text(253).describe('Every key by default.').optional(),
      value: text(253).describe('Every value by default.').optional(),
      effect: effect().describe('Every effect by default.').optional(),
    }),
  )
    .describe('Taints of nodes that it puts up with.')
    .optional(),
  stays: duration(undefined, '5m')
    .describe('How long it stays on a node that does not answer; the eviction policy’s own by default.')
    .optional(),
});

const countOrShare = () => either([count({ min: 0, max: limits.instances }), fraction()], 'a count or a share such as 80%');
export const disruptionBudget = keys({
  minAvailable: countOrShare().describe('Give one of both.').optional(),
  maxUnavailable: countOrShare().optional(),
});

/** Keys of a service that matter where instances come and go. */
export const elasticKeys = {
  fromKubernetes: filePath()
    .describe('A Deployment of Kubernetes: its file, relative to the scenario. Says what this map does not say itself.')
    .optional(),
  maxInstances: count({ min: 1, max: limits.instances })
    .describe('Places for instances; by default what the autoscaler may ask for and half as many again.')
    .optional(),
  imagePull: distribution
    .describe('Before a new instance starts: on each node once, or each time without nodes. None by default.')
    .optional(),
  readiness: duration(undefined, '5s')
    .describe('Time between checks of whether a new instance is ready; seen at once by default.')
    .prefault('0s'),
  endpointDelay: distribution
    .describe('From an instance becoming ready, or being told to go, until a client without discovery hears. None by default.')
    .optional(),
  resources: resources.describe('What an instance reserves and uses.').optional(),
  shutdown: shutdown.describe('How an instance ends.').optional(),
  placement: placementRules.describe('On which nodes it may run.').optional(),
  disruptionBudget: disruptionBudget.describe('How many may be taken down on purpose at once.').optional(),
  price: price().describe('Of an instance, per hour; instead of nodes.').optional(),
  targetUtilization: fraction({ min: 0, exclusiveMin: true })
    .describe('For the measures of elasticity: how busy instances may be, on average, to count as enough.')
    .prefault('80%'),
};

export const nodeGroup = keys({
  count: count({ min: 0, max: limits.nodes }).describe('Nodes at first.'),
  min: count({ min: 0, max: limits.nodes }).describe('The node autoscaler leaves at least so many; 0 by default.').prefault(0),
  max: count({ min: 1, max: limits.nodes }).describe('The quota; as many as at first by default.').optional(),
  zones: list(name()).describe('Dealt out to nodes in turn.').prefault(['a']),
  cpu: cpu().describe('Cores for instances.'),
  memory: memory().describe('Memory for instances; no limit by default.').optional(),
  pods: count({ min: 1, max: 10_000 }).describe('Instances it takes at most.').prefault(110),
  speed: number().describe('2 halves every service time.').prefault(1),
  latency: duration(undefined, '1ms').describe('How far it is from those who call; for schedulers that care.').prefault('0ms'),
  labels: labels.optional(),
  taints: list(keys({ key: text(253), value: text(253).prefault(''), effect: effect().prefault('NoSchedule') }))
    .describe('Only instances that tolerate them may come.')
    .optional(),
  provisioning: distribution.describe('From asking for a node to its being ready; none by default.').optional(),
  priority: number({ min: -1_000_000, max: 1_000_000 }).describe('For the expander priority; higher is preferred.').prefault(0),
  price: price().describe('Of a node, per hour.').prefault(0),
  prices: z.record(z.string(), price()).describe('By zone, where it differs.').optional(),
  spot: keys({
    interrupted: distribution.describe('From a node’s start until it is taken back.'),
    notice: duration(undefined, '2m').describe('How long before that it is announced.').prefault('2m'),
  })
    .describe('Nodes are cheap and may be taken back.')
    .optional(),
});

/** Metrics of services. */
export const watchable = [
  'error-rate',
  'latency.p50',
  'latency.p99',
  'utilization',
  'concurrency',
  'requests-per-second',
  'service-time',
] as const;

export const metricsPipeline = keys({
  scrape: positiveDuration('15s').describe('Time between measurements.').prefault('15s'),
  window: positiveDuration('30s').describe('What a measurement averages over; as long as scrape by default.').optional(),
  delay: duration(undefined, '5s').describe('From measuring to being seen.').prefault('0s'),
  missing: fraction().describe('Share of measurements that get lost, each instance by itself.').prefault(0),
  watch: text(100)
    .describe(`What alarms watch: ${watchable.join(', ')}, or queue/NAME.`)
    .meta({ examples: [...watchable] })
    .prefault('error-rate'),
  evaluate: positiveDuration('15s').describe('How often alarms look; as often as is measured by default.').optional(),
});

export const startsAt = date();
