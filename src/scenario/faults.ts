/** `faults:` to what goes wrong, where and when. */
import type { z } from 'zod';
import type { Path } from '../core/issue.ts';
import { formatDuration, formatFraction, show } from '../core/quantity.ts';
import type { Ms } from '../core/time.ts';
import { compileDistribution, type Env } from './distributions.ts';
import { knownHint } from './hints.ts';
import { zonesOf, type KnownService } from './services.ts';
import { fault as faultShape } from './shape.ts';
import { zoneOfNode, zonesOfNodes } from './nodes.ts';
import type { FaultEffect, FaultSchedule, FaultSpec, LinkSpec, NodeGroupSpec } from './spec.ts';
import { findNodes, findTargets } from './targets.ts';

type FaultShape = z.output<typeof faultShape>;
type Targets = FaultSpec['targets'];

export async function compileFaults(
  services: readonly KnownService[] | undefined,
  nodes: readonly NodeGroupSpec[] | undefined,
  cached: ReadonlySet<number>,
  controllers: number,
  durationMs: Ms,
  env: Env,
): Promise<FaultSpec[]> {
  const { complaints } = env;
  if (!complaints.has(['faults'])) return [];
  const count = complaints.listLength(['faults'], 'faults', { mayBeEmpty: true });
  const faults: FaultSpec[] = [];
  const places: Path[] = [];
  for (let index = 0; index < count; index++) {
    const path = ['faults', index];
    const shape = complaints.check(faultShape, path);
    if (shape === undefined) continue;
    const schedule = await compileSchedule(shape, path, durationMs, env);
    const effect = await compileEffect(shape, path, services, env);
    const targets = services === undefined ? undefined : compileTargets(shape, path, services, nodes, env);
    const nodesHit = nodes === undefined ? undefined : compileNodesHit(shape, path, nodes, env);
    const cascade = await compileCascade(shape, path, env);
    if (schedule === undefined || targets === undefined || effect === undefined || cascade === undefined) continue;
    if (nodesHit === undefined) continue;
    if (shape.type === 'cache-flush') complainOfNoCache(targets, path, services!, cached, env);
    if (shape.type === 'controller-pause') complainOfNoController(shape.controller, path, controllers, env);
    const hit = 'hit' in shape ? shape.hit : 1;
    const everyOf = compileEveryOf(shape, services!);
    faults.push({ label: labelOf(shape), targets, ...everyOf, ...nodesHit, hit, schedule, ...cascade, ...effect });
    places.push(path);
  }
  complainOfOverlaps(faults, places, services ?? [], env);
  return faults;
}

function compileTargets(
  shape: FaultShape,
  path: Path,
  services: readonly KnownService[],
  nodes: readonly NodeGroupSpec[] | undefined,
  { complaints }: Env,
): Targets | undefined {
  if (isOfPlatform(shape) || shape.type === 'node-loss') return [];
  if (isOfNetwork(shape) && shape.target === undefined) return [];
  if (shape.type === 'zone-outage' && nodes?.length !== 0) return [];
  if (shape.type !== 'zone-outage') return findTargets(shape.target!, [...path, 'target'], services, complaints);
  const targets = services.flatMap(({ instances = [] }, service) =>
    instances.flatMap(({ zone }, instance) => (zone === shape.zone ? [{ service, instance }] : [])),
  );
  if (targets.length > 0) return targets;
  if (services.every(({ instances }) => instances !== undefined)) {
    complaints.error(
      'unknown-zone',
      [...path, 'zone'],
      `no instance is in zone ${show(shape.zone)}`,
      knownHint(shape.zone, zonesOf(services)),
    );
  }
  return undefined;
}

/** `api/*` and `api@zone` mean whoever is there at the time, as does a whole zone. */
function compileEveryOf(shape: FaultShape, services: readonly KnownService[]): Pick<FaultSpec, 'everyOf'> {
  if (shape.type === 'zone-outage') return { everyOf: services.map((_, service) => ({ service, zone: shape.zone })) };
  const written = 'target' in shape ? [shape.target ?? []].flat() : [];
  const everyOf = written.flatMap((target) => {
    const [, name, , zone] = /^([^/@]+)(\/\*|@(.+))$/.exec(target) ?? [];
    const service = services.findIndex((candidate) => candidate.name === name);
    return service === -1 ? [] : [{ service, ...(zone === undefined ? {} : { zone }) }];
  });
  return everyOf.length > 0 ? { everyOf } : {};
}

/** An empty object where the fault is not one of nodes; undefined after complaints. */
function compileNodesHit(
  shape: FaultShape,
  path: Path,
  groups: readonly NodeGroupSpec[],
  { complaints }: Env,
): Pick<FaultSpec, 'nodes'> | undefined {
  if (shape.type === 'node-loss') {
    const nodes = findNodes(shape.node, [...path, 'node'], groups, complaints);
    return nodes && { nodes };
  }
  if (shape.type !== 'zone-outage' || groups.length === 0) return {};
  const nodes = groups.flatMap((group, index) =>
    Array.from({ length: group.max }, (_, node) => ({ group: index, node })).filter(
      ({ node }) => zoneOfNode(group, node) === shape.zone,
    ),
  );
  if (nodes.length > 0) return { nodes };
  const known = zonesOfNodes(groups);
  complaints.error('unknown-zone', [...path, 'zone'], `no node is in zone ${show(shape.zone)}`, knownHint(shape.zone, known));
  return undefined;
}

async function compileSchedule(shape: FaultShape, path: Path, durationMs: Ms, env: Env): Promise<FaultSchedule | undefined> {
  const { complaints } = env;
  if (shape.type === 'cache-flush') {
    warnOfLateness(shape.at, path, durationMs, env);
    return { type: 'once', atMs: shape.at, forMs: 0 };
  }
  if (shape.type !== 'zone-outage' && shape.random !== undefined) {
    for (const key of ['at', 'for', 'flapping'] as const) {
      if (shape[key] === undefined) continue;
      complaints.error('contradiction', [...path, key], `give either random, or at and for`);
      return undefined;
    }
    const timeToFailure = await compileDistribution(shape.random.mttf, [...path, 'random', 'mttf'], env, { above0: true });
    const timeToRepair = await compileDistribution(shape.random.mttr, [...path, 'random', 'mttr'], env, { above0: true });
    return timeToFailure && timeToRepair && { type: 'random', timeToFailure, timeToRepair };
  }
  if (shape.at === undefined) {
    complaints.error(
      'missing-key',
      path,
      'missing key "at"',
      'say when: at, and for if it ends; or random: { mttf: ..., mttr: ... }',
    );
    return undefined;
  }
  warnOfLateness(shape.at, path, durationMs, env);
  const forMs = shape.for ?? Infinity;
  if (shape.type === 'zone-outage' || shape.flapping === undefined) return { type: 'once', atMs: shape.at, forMs };
  const down = await compileDistribution(shape.flapping.down, [...path, 'flapping', 'down'], env, { above0: true });
  const up = await compileDistribution(shape.flapping.up, [...path, 'flapping', 'up'], env, { above0: true });
  return down && up && { type: 'flapping', atMs: shape.at, forMs, down, up };
}

function warnOfLateness(atMs: Ms, path: Path, durationMs: Ms, { complaints }: Env): void {
  if (atMs < durationMs) return;
  complaints.warn('after-the-end', [...path, 'at'], `never happens: the run ends at ${formatDuration(durationMs)}`);
}

/** Caches are the callers', in front of their calls. */
function complainOfNoCache(
  targets: Targets,
  path: Path,
  services: readonly KnownService[],
  cached: ReadonlySet<number>,
  { complaints }: Env,
): void {
  const without = targets.find(({ service }) => !cached.has(service));
  if (without === undefined) return;
  const message = `no call of ${services[without.service].name} has a cache`;
  complaints.error('no-cache', [...path, 'target'], message, 'name the service that calls, as in { to: db, cache: ... }');
}

function complainOfNoController(controller: number | 'leader', path: Path, controllers: number, { complaints }: Env): void {
  if (controller === 'leader' || controller < controllers) return;
  const known = controllers === 1 ? 'there is one, 0' : `they are 0 to ${controllers - 1}`;
  const hint = `numbers start at 0: ${known}; or write delivery: { controllers: ${controller + 1} }`;
  complaints.error('unknown-target', [...path, 'controller'], `there is no controller ${controller}`, hint);
}

async function compileEffect(
  shape: FaultShape,
  path: Path,
  services: readonly KnownService[] | undefined,
  env: Env,
): Promise<FaultEffect | undefined> {
  switch (shape.type) {
    case 'slow':
      return { type: 'slow', factor: shape.factor, requests: shape.requests };
    case 'errors':
    case 'cpu-exhaustion':
    case 'drop-responses':
      return { type: shape.type, share: shape.share };
    case 'hang':
      return { type: 'hang', heartbeats: shape.heartbeats };
    case 'memory-leak':
      return { type: 'memory-leak', fillsMs: shape.fills, factor: shape.factor };
    case 'clock-drift':
      return { type: 'clock-drift', rate: shape.rate };
    case 'partition': {
      const link = compileLink(shape, path, services, env);
      return link && { type: 'partition', link };
    }
    case 'packet-loss': {
      const link = compileLink(shape, path, services, env);
      return link && { type: 'packet-loss', link, share: shape.share };
    }
    case 'latency': {
      const link = compileLink(shape, path, services, env);
      const adds = await compileDistribution(shape.adds, [...path, 'adds'], env);
      return link && adds && { type: 'latency', link, adds };
    }
    case 'zone-outage':
      return { type: 'zone-outage', zone: shape.zone };
    case 'controller-pause':
      return { type: 'controller-pause', controller: shape.controller };
    default:
      return { type: shape.type };
  }
}

/** Of what runs the cluster, as a whole. */
type PlatformShape = FaultShape & {
  readonly type: 'controller-pause' | `${'control-plane' | 'discovery' | 'distributor' | 'metrics' | 'store'}-outage`;
};
const isOfPlatform = (shape: FaultShape): shape is PlatformShape =>
  shape.type === 'controller-pause' || (shape.type.endsWith('-outage') && shape.type !== 'zone-outage');

type NetworkShape = FaultShape & { readonly type: 'partition' | 'packet-loss' | 'latency' };
const isOfNetwork = (shape: FaultShape): shape is NetworkShape => ['partition', 'packet-loss', 'latency'].includes(shape.type);

function compileLink(
  shape: NetworkShape,
  path: Path,
  services: readonly KnownService[] | undefined,
  { complaints }: Env,
): LinkSpec | undefined {
  const { from, to, target } = shape;
  if (target !== undefined) {
    for (const key of ['from', 'to'] as const) {
      if (shape[key] === undefined) continue;
      complaints.error('contradiction', [...path, key], 'give either target, or from and to');
      return undefined;
    }
    return { type: 'instances', direction: shape.direction };
  }
  if (from === undefined || to === undefined) {
    complaints.error('missing-key', path, 'which messages?', 'write from: a and to: b for zones, or target: api/3 for instances');
    return undefined;
  }
  const known = zonesOf(services ?? []);
  const sides = { from: [from].flat(), to: [to].flat() };
  for (const key of ['from', 'to'] as const) {
    const stranger = sides[key].findIndex((zone) => known.length > 0 && !known.includes(zone));
    if (stranger === -1) continue;
    const place = typeof shape[key] === 'string' ? [...path, key] : [...path, key, stranger];
    complaints.warn(
      'unknown-zone',
      place,
      `no instance is in zone ${show(sides[key][stranger])}`,
      knownHint(sides[key][stranger], known),
    );
  }
  return { type: 'zones', ...sides, oneWay: shape.oneWay };
}

/** An empty object where there is none; undefined after complaints. */
async function compileCascade(shape: FaultShape, path: Path, env: Env): Promise<Pick<FaultSpec, 'cascade'> | undefined> {
  if (shape.type !== 'crash' || shape.cascade === undefined) return {};
  const after = await compileDistribution(shape.cascade.after, [...path, 'cascade', 'after'], env);
  return after && { cascade: { chance: shape.cascade.chance, after } };
}

/** `slow api/3 x5`. */
function labelOf(shape: FaultShape): string {
  if (shape.type === 'zone-outage') return `zone-outage ${shape.zone}`;
  if (shape.type === 'controller-pause') return `${shape.type} ${shape.controller}`;
  if (isOfPlatform(shape)) return shape.type;
  return [shape.type, whereOf(shape), strengthOf(shape)].filter((part) => part !== '').join(' ');
}

function whereOf(shape: Exclude<FaultShape, PlatformShape | { type: 'zone-outage' }>): string {
  const written = shape.type === 'node-loss' ? shape.node : shape.target;
  if (written !== undefined) return typeof written === 'string' ? written : written.join(', ');
  const { from = '', to = '', oneWay } = shape as NetworkShape;
  return `${[from].flat().join('+')}${oneWay ? '->' : '<->'}${[to].flat().join('+')}`;
}

function strengthOf(shape: FaultShape): string {
  if (shape.type === 'slow')
    return shape.requests < 1 ? `x${shape.factor} for ${formatFraction(shape.requests)}` : `x${shape.factor}`;
  return 'share' in shape ? formatFraction(shape.share) : '';
}

/** An instance that is down cannot crash: two crashes at once contradict each other. Where chance says whom a crash hits, they may miss. */
function complainOfOverlaps(
  faults: readonly FaultSpec[],
  places: readonly Path[],
  services: readonly KnownService[],
  { complaints }: Env,
): void {
  const earlier = new Map<string, { fromMs: Ms; toMs: Ms; isRandom: boolean; label: string }[]>();
  for (const [index, { type, targets, schedule, label, hit }] of faults.entries()) {
    if ((type !== 'crash' && type !== 'zone-outage') || hit < 1) continue;
    const isRandom = schedule.type === 'random';
    const span =
      schedule.type === 'random'
        ? { fromMs: 0, toMs: Infinity }
        : { fromMs: schedule.atMs, toMs: schedule.atMs + schedule.forMs };
    for (const { service, instance } of targets) {
      const name = `${services[service]?.name}/${instance}`;
      const others = earlier.get(name) ?? [];
      // Random crashes may meet a planned one by chance, and that is no mistake; two of a kind always contradict.
      const other = others.find((each) => each.isRandom === isRandom && each.fromMs < span.toMs && span.fromMs < each.toMs);
      if (other !== undefined) {
        complaints.error('overlapping-faults', places[index], `${name} is down already at that time: ${other.label}`);
        break;
      }
      earlier.set(name, [...others, { ...span, isRandom, label }]);
    }
  }
}
