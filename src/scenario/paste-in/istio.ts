/** The balancer of an Istio DestinationRule: `spec.trafficPolicy.loadBalancer`, as the mesh's Envoys would be configured by it. Reads
 *  Kubernetes YAML with several documents, or a List.
 *
 *  Where nothing is said, recent Istio balances by least request. What a consistent hash is taken of (a header, a cookie, the source
 *  address) is the business of the traffic's `keys` here. After istio/api: networking/v1/destination_rule.proto. */
import { show } from '../../core/quantity.ts';
import { knownHint } from '../hints.ts';
import { toPlain, type MapNode } from '../node.ts';
import { Draft } from './draft.ts';
import { type KubernetesObject, objectsOf } from './kubernetes-objects.ts';
import type { PastedFile } from './pasted-file.ts';
import { type Found, Section } from './section.ts';

/** Every DestinationRule of the file, by its metadata's name. */
export const destinationRules = (file: PastedFile): readonly KubernetesObject[] => objectsOf(['DestinationRule'], file);

/** Undefined after complaints. */
export function istioBalancer(node: MapNode, file: PastedFile): Draft | undefined {
  const rule = new Section(node, file, node.span);
  const spec = rule.section('spec') ?? new Section(undefined, file, rule.span);
  const policy = spec.section('trafficPolicy') ?? new Section(undefined, file, spec.span);
  const balancer = policy.section('loadBalancer') ?? new Section(undefined, file, policy.span);
  const hash = balancer.section('consistentHash');
  const draft = hash === undefined ? simple(balancer) : consistentHash(hash);
  if (draft !== undefined) {
    applyWarmup(balancer, draft, hash === undefined);
    applyLocality(balancer, draft);
  }
  if (hash !== undefined) balancer.reportUnused('simple', 'consistentHash takes its place');
  balancer.reportRest();
  policy.reportRest(reasons);
  for (const subset of spec.sections('subsets')) {
    if (subset.has('trafficPolicy')) subset.reportUnused('trafficPolicy', 'subsets are not modelled');
  }
  spec.reportRest(reasons, ['host', 'export_to']);
  return draft;
}

const simplePolicies: Readonly<Record<string, string>> = {
  UNSPECIFIED: 'least-request',
  LEAST_REQUEST: 'least-request',
  LEAST_CONN: 'least-request',
  // Envoy's, which goes by weight as soon as weights differ.
  ROUND_ROBIN: 'edf-weighted-round-robin',
  RANDOM: 'random',
  PASSTHROUGH: 'iptables-random',
};

function simple(balancer: Section): Draft | undefined {
  const found = balancer.scalar('simple');
  const name = found === undefined ? 'UNSPECIFIED' : String(found.value);
  const use = Object.hasOwn(simplePolicies, name) ? simplePolicies[name] : undefined;
  if (use === undefined) {
    const known = Object.keys(simplePolicies);
    balancer.file.error('unknown-policy', found!.span, `unknown load balancer ${show(found!.value)}`, knownHint(name, known));
    return undefined;
  }
  if (name === 'PASSTHROUGH') {
    const message =
      'PASSTHROUGH leaves the choice to kube-proxy: taken as iptables-random, request by request instead of connection';
    balancer.file.warn('approximation', found!.span, message);
  }
  return new Draft(use, balancer.file);
}

function consistentHash(hash: Section): Draft {
  // What the hash is taken of; here it is the request's key in any case.
  for (const key of ['httpHeaderName', 'httpCookie', 'httpQueryParameterName', 'useSourceIp']) hash.node(key);
  const maglev = hash.section('maglev');
  const ring = hash.section('ringHash');
  const draft =
    maglev === undefined
      ? new Draft('ring-hash', hash.file).set(
          'minimumRingSize',
          ring?.scalar('minimumRingSize') ?? hash.scalar('minimumRingSize'),
        )
      : new Draft('maglev', hash.file).set('tableSize', maglev.scalar('tableSize'));
  maglev?.reportRest();
  ring?.reportRest();
  hash.reportRest();
  return draft;
}

function applyWarmup(balancer: Section, draft: Draft, isSimple: boolean): void {
  const warmup = balancer.section('warmup');
  const window = warmup?.scalar('duration') ?? balancer.scalar('warmupDurationSecs');
  if (window === undefined) return;
  const key = warmup === undefined ? 'warmupDurationSecs' : 'warmup';
  if (!isSimple || !['least-request', 'edf-weighted-round-robin'].includes(draft.use)) {
    balancer.reportUnused(key, 'it goes with ROUND_ROBIN and LEAST_REQUEST only');
    return;
  }
  draft.wrap('slow-start', key, balancer.keySpan(key), {
    window,
    aggression: warmup?.scalar('aggression'),
    minWeightPercent: warmup?.scalar('minimumPercent'),
  });
  warmup?.reportRest();
}

/** Shares by origin become one set of shares where there is one origin; failing over needs priorities, which instances do not have. */
function applyLocality(balancer: Section, draft: Draft): void {
  const setting = balancer.section('localityLbSetting');
  if (setting === undefined || setting.scalar('enabled')?.value === false) return;
  const [origin, ...others] = setting.sections('distribute');
  if (others.length > 0) setting.reportUnused('distribute', 'shares that differ by origin are not modelled');
  else if (origin !== undefined) {
    origin.node('from');
    draft.wrap('locality-weighted', 'localityLbSetting', setting.span, { weights: shares(origin) });
    origin.reportRest();
  }
  setting.reportRest(reasons);
}

/** In the order written, which is taken for the order of the scenario's zones. */
function shares(origin: Section): Found | undefined {
  const to = origin.node('to');
  if (to?.kind !== 'map') return undefined;
  const all = [...to.entries.values()].map(({ value }) => toPlain(value));
  if (!all.every((share) => typeof share === 'number' && share >= 0)) {
    origin.file.error('bad-parameter', to.span, `to: expected numbers, found ${all.map(show).join(', ')}`);
    return undefined;
  }
  const message = `the shares ${all.join(', ')} are taken for those of the scenario’s zones in their order`;
  origin.file.warn('zone-order', origin.keySpan('to'), message);
  return { key: 'to', value: all.join(', '), span: to.span };
}

/** Where the scenario has its own place for what is not read. */
const reasons: Readonly<Record<string, string>> = {
  outlier_detection: 'a detector under policies.detector stands for it',
  connection_pool: 'slots and queue of the service bound what is in flight',
  port_level_settings: 'only the policy of the whole rule counts',
  failover: 'zones that take over for others are not modelled',
  failover_priority: 'zones that take over for others are not modelled',
};
