/** Pieces that several sections of a scenario file share: limits, random times, policies. */
import * as z from 'zod';
import { choice, count, duration, either, filePath, fraction, keys, number, positiveDuration, text } from './fields.ts';
import type { Role } from './roles.ts';

/** Limits on counts keep a slip of the pen from asking for more memory than there is. */
export const limits = {
  seeds: 1000,
  instances: 100_000,
  balancers: 10_000,
  slots: 1_000_000,
  keys: 10_000_000,
  entries: 10_000,
  retries: 100,
  users: 1_000_000,
  classes: 1000,
  /** Per service, those inside others included. */
  steps: 64,
  /** Of steps inside steps. */
  stepDepth: 8,
  copies: 1000,
  edges: 1000,
  views: 500,
  nodes: 10_000,
} as const;

export const list = <Item extends z.ZodType>(item: Item) => z.array(item).min(1).max(limits.entries);
export const above0 = { min: 0, exclusiveMin: true } as const;

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

/** A policy by name, or with parameters; those are checked against the policy's own table. For each role one, which editors are told apart
 *  by their tables. */
const usesOf = (role: Role) =>
  either(
    [text(400), z.looseObject({ use: text(400).optional(), label: text(64).optional() })],
    'the name of a policy or a map with "use"',
  ).meta({ id: role });
export const policyUse = usesOf('balancer');

const choices = {
  balancer: policyUse.describe('Which instance gets the next attempt.').optional(),
  detector: usesOf('detector').describe('Which instances a client believes alive.').optional(),
  membership: usesOf('membership').describe('Instances and clients watch each other and spread the news.').optional(),
  healthCheck: usesOf('healthCheck').describe('Active checks of which instances are fit.').optional(),
  outlier: usesOf('outlier').describe('Leaves out instances whose answers are bad.').optional(),
  discovery: usesOf('discovery').describe('How clients learn which instances there are.').optional(),
  registry: usesOf('registry').describe('Where instances register and clients ask.').optional(),
  restart: usesOf('restart').describe('When a crashed instance is started again.').optional(),
  retry: usesOf('retry').describe('What is tried again, how often and after what wait.').optional(),
  budget: usesOf('budget').describe('Whether a retry or a hedged attempt may be sent at all.').optional(),
  hedge: usesOf('hedge').describe('A second attempt while the first is still out.').optional(),
  breaker: usesOf('breaker').describe('Fails calls at once, for a while, when they fail anyway.').optional(),
  admission: usesOf('admission').describe('Whether a client sends a request at all.').optional(),
  shedding: usesOf('shedding').describe('Whether an instance takes a request in.').optional(),
  queueing: usesOf('queueing').describe('Who of those waiting at an instance is served next.').optional(),
  alarm: usesOf('alarm').describe('When something is wrong with a service, by the metric that metrics.watch names.').optional(),
  autoscaler: usesOf('autoscaler').describe('How many instances there should be.').optional(),
  vertical: usesOf('vertical').describe('How much instances should reserve: a recommendation in the results.').optional(),
  replicas: usesOf('replicas').describe('Creates and removes instances until there are as many as there should be.').optional(),
  scheduler: usesOf('scheduler').describe('On which node an instance runs.').optional(),
  nodeAutoscaler: usesOf('nodeAutoscaler').describe('How many nodes there should be.').optional(),
  nodeDetector: usesOf('nodeDetector').describe('Which nodes are believed alive.').optional(),
  eviction: usesOf('eviction').describe('Gives up the instances on nodes that are believed dead.').optional(),
  failover: usesOf('failover').describe('Which zone takes the traffic, in the order in which the service names them.').optional(),
  rollout: usesOf('rollout').describe('How another version takes the place of the one that serves.').optional(),
  store: usesOf('store').describe('Where versions, locks and leases are kept.').optional(),
  election: usesOf('election').describe('Which of several controllers of roll-outs acts.').optional(),
  propagation: usesOf('propagation').describe('How configuration gets onto hosts.').optional(),
} satisfies Record<Role, z.ZodType>;

/** What is decided for the cluster as a whole. */
const {
  scheduler: _s,
  nodeAutoscaler: _n,
  nodeDetector: _d,
  eviction: _e,
  store: _t,
  election: _c,
  propagation: _p,
  ...serviceChoices
} = choices;
const {
  shedding: _,
  queueing: __,
  registry: ___,
  restart: ____,
  autoscaler: _a,
  replicas: _r,
  alarm: _l,
  vertical: _v,
  rollout: _o,
  ...edgeChoices
} = serviceChoices;
export const policies = keys(choices).meta({ id: 'policies' });
const { balancer, retry, budget, hedge, breaker, admission } = choices;
/** What a configuration can give to clients that are running. */
export const clientPolicies = { balancer, retry, budget, hedge, breaker, admission };
export const servicePolicies = keys(serviceChoices).meta({ id: 'service-policies' });
/** Shedding, queueing, registry, restarts and replicas are the called service's, whoever calls. */
export const edgePolicies = keys(edgeChoices).meta({ id: 'edge-policies' });
