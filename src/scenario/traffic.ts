/** `traffic:` to streams of requests, each with the edge it takes. */
import type { z } from 'zod';
import type { Path } from '../core/issue.ts';
import { defaults } from '../core/params.ts';
import { show } from '../core/quantity.ts';
import { retryPolicies } from '../policies/resilience/retries/index.ts';
import { compileArrivals, type ArrivalShape } from './arrivals.ts';
import type { Town } from './call.ts';
import { compileMix } from './class-mix.ts';
import { compileDistribution, type Env } from './distributions.ts';
import { compileBalancerZones, compileEdgeOptions, findService, messageEdge, noOptions, type EdgeOptions } from './edges.ts';
import { compileProfile } from './profile.ts';
import { multiply } from './rate-curve-spec.ts';
import { HOST_SELECTION_RETRIES, traffic as trafficShape } from './shape-traffic.ts';
import type { EdgeSpec, PolicyUse, TrafficSpec } from './spec.ts';

type TrafficShape = z.output<typeof trafficShape>;
/** Streams come first, so that a service may be unknown still. */
export type Streams = Omit<Town, 'services'> & { readonly services: Town['services'] | undefined };

/** The streams that could be understood. Their edges are added. */
export async function compileTraffic(town: Streams, env: Env): Promise<TrafficSpec[]> {
  const { complaints } = env;
  const count = complaints.listLength(['traffic'], 'streams of requests', { hint: 'start each with "- to:"' });
  const streams: TrafficSpec[] = [];
  const names = new Set<string>();
  for (let index = 0; index < count; index++) {
    const stream = await compileStream(['traffic', index], town, names, env);
    if (stream === undefined) continue;
    names.add(stream.name);
    streams.push(stream);
  }
  return streams;
}

async function compileStream(path: Path, town: Streams, names: ReadonlySet<string>, env: Env): Promise<TrafficSpec | undefined> {
  const { complaints } = env;
  const { durationMs, classes } = town;
  const shape = complaints.check(trafficShape, path);
  if (shape === undefined) return complainOfParts(path, town, env);
  const queue =
    town.services?.some(({ name }) => name === shape.to) === true ? -1 : town.queues.findIndex(({ name }) => name === shape.to);
  const service = queue === -1 ? findTarget(shape.to, path, town, env) : town.queues[queue].service;
  if (shape.name !== undefined && names.has(shape.name)) {
    complaints.error('duplicate', [...path, 'name'], `another stream is called ${show(shape.name)}`);
  }
  const contradicts = contradictionsOf(shape, queue !== -1, path, env);
  const edge = queue === -1 ? await compileEdge(shape, service, path, town, env) : { ...messageEdge, ...noOptions };
  const arrivals = classes && (await compileArrivals(shape.arrivals, [...path, 'arrivals'], classes, durationMs, env));
  const profile = compileProfile(shape.profile, [...path, 'profile'], durationMs, complaints);
  const mix = classes && compileMix(shape.classes, [...path, 'classes'], classes, env);
  const after = shape.userRetries && (await compileDistribution(shape.userRetries.after, [...path, 'userRetries', 'after'], env));
  const isGood = !contradicts && (shape.userRetries === undefined || after !== undefined);
  if (arrivals === undefined || profile === undefined || mix === undefined || edge === undefined || service === -1 || !isGood)
    return undefined;
  const name = shape.name ?? freeName(shape.to, names);
  return {
    ...{
      name,
      edge: town.edges.add({ caller: -1, service, queue, ...edge }, name, undefined, path),
      arrivals: arrivals.spec,
      mix,
    },
    profile: multiply(arrivals.curve, profile, durationMs),
    ...(after === undefined ? {} : { userRetries: { max: shape.userRetries!.max, after } }),
    ...(shape.keys === undefined ? {} : { keys: shape.keys }),
  };
}

const findTarget = (name: string, path: Path, { services, queues }: Streams, { complaints }: Env): number =>
  findService(
    name,
    [...path, 'to'],
    services,
    complaints,
    queues.map((queue) => queue.name),
  );

async function compileEdge(
  shape: TrafficShape,
  service: number,
  path: Path,
  { services = [], durationMs }: Streams,
  env: Env,
): Promise<(EdgeOptions & Pick<EdgeSpec, 'balancers' | 'balancerZones'>) | undefined> {
  const options = await compileEdgeOptions(shape, path, durationMs, env);
  const balancerZones = compileBalancerZones(shape.balancerZones, path, services[service], services, env);
  if (shape.propagateDeadline && shape.timeout === undefined) {
    env.complaints.warn('idle', [...path, 'propagateDeadline'], 'without a timeout there is no deadline to tell');
  }
  if (options === undefined) return undefined;
  const policies = shape.retries === undefined ? options.policies : { ...options.policies, retry: retryUse(shape.retries) };
  return { ...options, policies, balancers: shape.balancers, balancerZones };
}

/** Keys that make no sense together. True after complaints. */
function contradictionsOf(shape: TrafficShape, isQueue: boolean, path: Path, { complaints }: Env): boolean {
  let found = false;
  const refuse = (key: string, message: string, hint?: string): void => {
    found = true;
    complaints.add({ code: 'contradiction', path, key, message, ...(hint === undefined ? {} : { hint }) });
  };
  const has = (key: string): boolean => complaints.has([...path, key]);
  const { arrivals } = shape;
  if (isQueue) {
    for (const key of callKeys) if (has(key)) refuse(key, `a message is left in the queue ${show(shape.to)}: ${key} is of calls`);
  }
  if (shape.retries !== undefined && shape.policies?.retry !== undefined)
    refuse(
      'retries',
      'give either retries or policies.retry',
      'retries: 2 is short for policies: { retry: { use: immediate, retries: 2 } }',
    );
  const brings = bringsAlong[arrivals.type];
  for (const key of brings?.keys ?? []) if (has(key)) refuse(key, `${brings!.what}: ${key} does not apply`, brings!.hint[key]);
  return found;
}

const callKeys = [
  ...[
    'balancers',
    'balancerZones',
    'timeout',
    'attemptTimeout',
    'propagateDeadline',
    'proxyLatency',
    'pool',
    'fallback',
    'retries',
  ],
  'policies',
];
const bringsAlong: Partial<
  Record<
    ArrivalShape['type'],
    { readonly what: string; readonly keys: readonly string[]; readonly hint: Readonly<Record<string, string>> }
  >
> = {
  replay: {
    what: 'a recording brings its own requests',
    keys: ['classes', 'profile', 'keys'],
    hint: {
      profile: 'speedup plays it faster',
      classes: 'they come from its column class',
      keys: 'they come from its column key',
    },
  },
  users: { what: 'users come back by themselves', keys: ['profile'], hint: { profile: 'change their number or think time' } },
  bursts: { what: 'bursts come by the clock', keys: ['profile'], hint: { profile: 'change every or size' } },
};

/** A stream of the wrong shape may be wrong in other ways, too. */
async function complainOfParts(path: Path, town: Streams, env: Env): Promise<undefined> {
  const { complaints } = env;
  const { durationMs, classes } = town;
  const to = complaints.check(trafficShape.shape.to, [...path, 'to']);
  if (to !== undefined && !town.queues.some(({ name }) => name === to)) findTarget(to, path, town, env);
  const arrivals = complaints.check(trafficShape.shape.arrivals, [...path, 'arrivals']);
  if (arrivals !== undefined && classes !== undefined)
    await compileArrivals(arrivals, [...path, 'arrivals'], classes, durationMs, env);
  const profilePath = [...path, 'profile'];
  compileProfile(complaints.check(trafficShape.shape.profile, profilePath), profilePath, durationMs, complaints);
}

function freeName(base: string, taken: ReadonlySet<string>): string {
  let name = base;
  for (let number = 2; taken.has(name); number++) name = `${base}-${number}`;
  return name;
}

/** `retries: 2` is short for the policy `immediate`, which tries again what got no answer of its own or an error. */
function retryUse(retries: NonNullable<TrafficShape['retries']>): PolicyUse | null {
  const { attempts, hostSelectionRetryMaxAttempts } =
    typeof retries === 'number' ? { attempts: retries, hostSelectionRetryMaxAttempts: HOST_SELECTION_RETRIES } : retries;
  if (attempts === 0) return null;
  const on = ['error', 'refused', 'lost'];
  const params = { ...defaults(retryPolicies.immediate.params), retries: attempts, on, hostSelectionRetryMaxAttempts };
  return { use: 'immediate', params };
}
