/** The balancer of an Envoy cluster: `lb_policy` with its configuration, or the newer `load_balancing_policy`, which takes precedence.
 *
 *  What is left out in the file has Envoy's defaults, which are the defaults of our policies, with one exception: panic is not modelled
 *  unless `healthy_panic_threshold` is written, since here it is a balancer of its own around the other one.
 *
 *  After the protocol buffers under envoyproxy/envoy: api/envoy/config/cluster/v3 and api/envoy/extensions/load_balancing_policies. */
import { show } from '../../core/quantity.ts';
import { knownHint } from '../hints.ts';
import { childOf, toPlain, type MapNode, type Node, type Scalar } from '../node.ts';
import { Draft } from './draft.ts';
import type { PastedFile } from './pasted-file.ts';
import { type Found, mapsOf, Section } from './section.ts';

/** Undefined after complaints. */
export function envoyBalancer(node: MapNode, file: PastedFile): Draft | undefined {
  const cluster = new Section(node, file, node.span);
  const policy = cluster.section('load_balancing_policy');
  const draft = policy === undefined ? fromLbPolicy(cluster) : fromPolicyList(policy);
  if (policy !== undefined) cluster.reportUnused('lb_policy', 'load_balancing_policy takes its place');
  const why = policy === undefined ? 'it belongs to another lb_policy' : 'load_balancing_policy takes its place';
  for (const key of oldConfigs) if (cluster.isUnread(key)) cluster.reportUnused(key, why);
  const common = cluster.section('common_lb_config');
  if (draft !== undefined && common !== undefined) applyCommon(common, cluster, draft, policy === undefined);
  cluster.reportRest(reasons, silentKeys);
  return draft;
}

/** The fields that go with one `lb_policy` each. */
const oldConfigs = [
  'round_robin_lb_config',
  'least_request_lb_config',
  'ring_hash_lb_config',
  'maglev_lb_config',
  'original_dst_lb_config',
];

const lbPolicies: Readonly<Record<string, (cluster: Section) => Draft>> = {
  ROUND_ROBIN: (cluster) => configured(cluster, 'round_robin_lb_config', roundRobin),
  LEAST_REQUEST: (cluster) => configured(cluster, 'least_request_lb_config', leastRequest),
  RANDOM: (cluster) => new Draft('random', cluster.file),
  RING_HASH: (cluster) =>
    configured(cluster, 'ring_hash_lb_config', (config) => ringHash(config, bounds(cluster.section('common_lb_config')))),
  MAGLEV: (cluster) =>
    configured(cluster, 'maglev_lb_config', (config) => maglev(config, bounds(cluster.section('common_lb_config')))),
};

/** With an empty configuration where none is written. */
function configured(cluster: Section, key: string, make: (config: Section) => Draft): Draft {
  const config = cluster.section(key) ?? new Section(undefined, cluster.file, cluster.span);
  const draft = make(config);
  config.reportRest(reasons);
  return draft;
}

function fromLbPolicy(cluster: Section): Draft | undefined {
  const found = cluster.scalar('lb_policy');
  const name = found === undefined ? 'ROUND_ROBIN' : String(found.value);
  const make = Object.hasOwn(lbPolicies, name) ? lbPolicies[name] : undefined;
  if (make !== undefined) return make(cluster);
  cluster.file.error(
    'unknown-policy',
    found!.span,
    `unknown lb_policy ${show(found!.value)}`,
    knownHint(name, Object.keys(lbPolicies)),
  );
  return undefined;
}

/** By the last part of the type's name, as in `envoy.extensions.load_balancing_policies.least_request.v3.LeastRequest`. */
const policyTypes: Readonly<Record<string, (config: Section) => Draft | undefined>> = {
  RoundRobin: roundRobin,
  LeastRequest: leastRequest,
  Random: (config) => withLocality(new Draft('random', config.file), config),
  RingHash: (config) => ringHash(config, bounds(config)),
  Maglev: (config) => maglev(config, bounds(config)),
  ClientSideWeightedRoundRobin: (config) =>
    withLocality(
      new Draft('client-side-weighted-round-robin', config.file)
        .set('blackoutPeriod', config.scalar('blackout_period'))
        .set('weightExpirationPeriod', config.scalar('weight_expiration_period'))
        .set('weightUpdatePeriod', config.scalar('weight_update_period'))
        .set('errorUtilizationPenalty', config.scalar('error_utilization_penalty')),
      config,
    ),
  PeakEwma: (config) =>
    new Draft('peak-ewma', config.file)
      .set('variant', { key: 'peak_ewma', value: 'envoy', span: config.span })
      .set('decay', config.scalar('decay_time'))
      .set('defaultRtt', config.scalar('default_rtt') ?? { key: 'default_rtt', value: '10ms', span: config.span }),
  WrrLocality: (config) => {
    const picking = config.section('endpoint_picking_policy');
    const draft = picking === undefined ? new Draft('round-robin', config.file) : fromPolicyList(picking);
    draft?.wrap('locality-weighted', 'wrr_locality', config.span, {});
    return draft;
  },
};

/** The first policy of the list that is known, as Envoy takes the first that it supports. */
function fromPolicyList(policy: Section): Draft | undefined {
  const unknown: Found[] = [];
  for (const entry of policy.sections('policies')) {
    const extension = entry.section('typed_extension_config');
    const config = extension?.section('typed_config');
    const type = config?.scalar('@type');
    extension?.node('name');
    if (config === undefined || type === undefined) continue;
    const name = String(type.value).split('.').at(-1)!;
    const make = Object.hasOwn(policyTypes, name) ? policyTypes[name] : undefined;
    if (make === undefined) {
      unknown.push(type);
      continue;
    }
    for (const each of unknown)
      policy.file.warn('not-read', each.span, `${String(each.value)} is not known here, the next in the list counts`);
    const draft = make(config);
    config.reportRest(reasons);
    return draft;
  }
  const [first] = unknown;
  const known = Object.keys(policyTypes);
  if (first === undefined)
    policy.file.error('unknown-policy', policy.span, 'load_balancing_policy lists no policy with a typed_config');
  else {
    const name = String(first.value).split('.').at(-1)!;
    policy.file.error('unknown-policy', first.span, `unknown load balancing policy ${show(name)}`, knownHint(name, known));
  }
  return undefined;
}

/** Envoy's round robin goes by earliest deadline as soon as weights differ, and is a plain one otherwise; so is this. */
function roundRobin(config: Section): Draft {
  return withLocality(withSlowStart(new Draft('edf-weighted-round-robin', config.file), config), config);
}

function leastRequest(config: Section): Draft {
  const draft = new Draft('least-request', config.file)
    .set('choiceCount', config.scalar('choice_count'))
    .set('activeRequestBias', config.scalar('active_request_bias'))
    .set('selectionMethod', kebab(config.scalar('selection_method')));
  const scansAll = config.scalar('enable_full_scan');
  if (scansAll?.value === true) draft.set('selectionMethod', { ...scansAll, value: 'full-scan' });
  return withLocality(withSlowStart(draft, config), config);
}

/** Where the bound on load may stand, in either generation of the configuration. */
function bounds(config: Section | undefined): Found | undefined {
  const hashing = config?.section('consistent_hashing_lb_config');
  const factor = hashing?.scalar('hash_balance_factor') ?? config?.scalar('hash_balance_factor');
  hashing?.reportRest(reasons);
  return factor === undefined || Number(factor.value) === 0 ? undefined : factor;
}

function ringHash(config: Section, factor: Found | undefined): Draft {
  const hash = kebab(config.scalar('hash_function'));
  const settings = {
    minimumRingSize: config.scalar('minimum_ring_size'),
    maximumRingSize: config.scalar('maximum_ring_size'),
    hashFunction: hash?.value === 'default-hash' ? { ...hash, value: 'xx-hash' } : hash,
  };
  return hashing('ring-hash', settings, factor, config);
}

function maglev(config: Section, factor: Found | undefined): Draft {
  return hashing('maglev', { tableSize: config.scalar('table_size') }, factor, config);
}

/** A bound on load makes another balancer of it, around a table of default size. */
function hashing(
  table: 'ring-hash' | 'maglev',
  settings: Readonly<Record<string, Found | undefined>>,
  factor: Found | undefined,
  config: Section,
): Draft {
  const draft = new Draft(factor === undefined ? table : 'bounded-load', config.file);
  if (factor === undefined) {
    for (const [param, found] of Object.entries(settings)) draft.set(param, found);
    return draft;
  }
  for (const found of Object.values(settings)) {
    if (found !== undefined) {
      config.file.warn(
        'not-read',
        found.span,
        `${found.key} does not combine with hash_balance_factor here: the table has its default size`,
      );
    }
  }
  return draft.set('hashBalanceFactor', factor).set('table', { ...factor, value: table });
}

function withSlowStart(draft: Draft, config: Section): Draft {
  const slowStart = config.section('slow_start_config');
  const window = slowStart?.scalar('slow_start_window');
  if (slowStart === undefined || window === undefined) return draft;
  draft.wrap('slow-start', 'slow_start_config', slowStart.span, {
    window,
    aggression: slowStart.scalar('aggression'),
    minWeightPercent: slowStart.scalar('min_weight_percent'),
  });
  slowStart.reportRest(reasons);
  return draft;
}

/** Of a policy of the newer kind. */
function withLocality(draft: Draft, config: Section): Draft {
  const locality = config.section('locality_lb_config');
  if (locality === undefined) return draft;
  applyLocality(locality, draft, undefined, undefined);
  locality.reportRest(reasons);
  return draft;
}

function applyCommon(common: Section, cluster: Section, draft: Draft, isLbPolicy: boolean): void {
  const panic = common.scalar('healthy_panic_threshold');
  // The bound on load has been read with RING_HASH and MAGLEV, and means nothing to others.
  if (isLbPolicy && ['ring-hash', 'maglev', 'bounded-load'].includes(draft.use)) common.node('consistent_hashing_lb_config');
  applyLocality(common, draft, cluster, panic);
  if (panic !== undefined && panic.value !== 0 && !common.has('zone_aware_lb_config')) {
    draft.wrap('priority', 'healthy_panic_threshold', common.keySpan('healthy_panic_threshold'), {
      healthyPanicThreshold: panic,
    });
  }
  common.reportRest(reasons);
}

function applyLocality(config: Section, draft: Draft, cluster: Section | undefined, panic: Found | undefined): void {
  const zoneAware = config.section('zone_aware_lb_config');
  if (zoneAware !== undefined) {
    draft.wrap('zone-aware', 'zone_aware_lb_config', zoneAware.span, {
      routingEnabled: zoneAware.scalar('routing_enabled'),
      minClusterSize: zoneAware.scalar('min_cluster_size'),
      healthyPanicThreshold: panic,
    });
    zoneAware.reportRest(reasons);
  }
  const weighted = config.section('locality_weighted_lb_config');
  if (weighted !== undefined) {
    draft.wrap('locality-weighted', 'locality_weighted_lb_config', weighted.span, {
      weights: localityWeights(weighted, cluster),
    });
    weighted.reportRest(reasons);
  }
}

/** In the order in which the cluster lists its localities, which is taken for the order of the scenario's zones. */
function localityWeights(weighted: Section, cluster: Section | undefined): Found | undefined {
  const endpoints = childOf(nodeOf(cluster, 'load_assignment'), 'endpoints');
  const localities = endpoints?.kind === 'list' ? mapsOf(endpoints.items) : [];
  const weights = localities.map((locality) => {
    const weight = childOf(locality, 'load_balancing_weight') ?? childOf(locality, 'loadBalancingWeight');
    return weight === undefined ? undefined : toPlain(weight);
  });
  if (weights.length === 0 || !weights.every((weight) => typeof weight === 'number' && weight >= 0)) return undefined;
  weighted.file.warn(
    'zone-order',
    weighted.span,
    `the weights of the localities, ${weights.join(', ')}, are taken for those of the scenario’s zones in their order`,
  );
  return { key: 'load_balancing_weight', value: weights.join(', '), span: weighted.span };
}

const nothing: Node = { kind: 'scalar', value: null, span: { start: 0, end: 0 }, size: 1, depth: 0 };
const nodeOf = (section: Section | undefined, key: string): Node => section?.node(key) ?? nothing;

/** `FULL_SCAN` as `full-scan`. */
const kebab = (found: Found | undefined): Found | undefined =>
  found && {
    ...found,
    value: typeof found.value === 'string' ? found.value.toLowerCase().replaceAll('_', '-') : (found.value as Scalar),
  };

/** Names and notes, which change nothing. */
const silentKeys = ['name', '@type', 'alt_stat_name', 'metadata', 'type'];

/** Where the scenario has its own place for what is not read. */
const reasons: Readonly<Record<string, string>> = {
  outlier_detection: 'a detector under policies.detector stands for it',
  health_checks: 'a detector under policies.detector stands for them',
  circuit_breakers: 'slots and queue of the service bound what is in flight',
  load_assignment: 'the instances are those of the scenario’s service',
  connect_timeout: 'timeout of the traffic bounds a request',
  lb_subset_config: 'subsets by metadata are not modelled',
  enable_oob_load_report: 'reports come with the answers',
  oob_reporting_period: 'reports come with the answers',
  use_hostname_for_hashing: 'instances are hashed by their names',
  fail_traffic_on_panic: 'see the policy priority',
};
