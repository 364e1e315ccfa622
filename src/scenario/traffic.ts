/** `traffic:` to streams of requests. */
import { formatDuration, show } from '../core/quantity.ts';
import type { Path } from '../core/issue.ts';
import type { Ms } from '../core/time.ts';
import type { z } from 'zod';
import type { Complaints } from './complaints.ts';
import { balancedMeans, normalised, oneOf, type Env } from './distributions.ts';
import { compileProfile } from './profile.ts';
import { constantCurve, multiply } from './rate-curve-spec.ts';
import { knownHint } from './hints.ts';
import { zonesOf, type KnownService } from './services.ts';
import { HOST_SELECTION_RETRIES, traffic as trafficShape, type arrivals } from './shape.ts';
import type { ArrivalSpec, RateCurveSpec, TrafficSpec } from './spec.ts';
import { compileTrace } from './trace.ts';

type ArrivalShape = z.output<typeof arrivals>;

/** The streams that could be understood, and the zones their proxies are in. */
export async function compileTraffic(
  services: readonly KnownService[] | undefined,
  durationMs: Ms,
  env: Env,
): Promise<TrafficSpec[]> {
  const { complaints } = env;
  const count = complaints.listLength(['traffic'], 'streams of requests', { hint: 'start each with "- to:"' });
  const streams: TrafficSpec[] = [];
  const names = new Set<string>();
  for (let index = 0; index < count; index++) {
    const stream = await compileStream(['traffic', index], services, durationMs, names, env);
    if (stream === undefined) continue;
    names.add(stream.name);
    streams.push(stream);
  }
  return streams;
}

async function compileStream(
  path: Path,
  services: readonly KnownService[] | undefined,
  durationMs: Ms,
  names: ReadonlySet<string>,
  env: Env,
): Promise<TrafficSpec | undefined> {
  const { complaints } = env;
  const shape = complaints.check(trafficShape, path);
  if (shape === undefined) return complainOfParts(path, services, durationMs, env);
  const service = findService(shape.to, path, services, complaints);
  if (shape.name !== undefined && names.has(shape.name)) {
    complaints.error('duplicate', [...path, 'name'], `another stream is called ${show(shape.name)}`);
  }
  if (shape.timeout !== undefined && shape.timeout > durationMs) {
    const message = `a timeout of ${formatDuration(shape.timeout)} is longer than the run, ${formatDuration(durationMs)}: no request will time out`;
    complaints.warn('longer-than-run', [...path, 'timeout'], message);
  }
  const zones = zonesOf(services ?? []);
  for (const [index, zone] of (shape.balancerZones ?? []).entries()) {
    if (zones.length > 0 && !zones.includes(zone)) {
      complaints.warn(
        'unknown-zone',
        [...path, 'balancerZones', index],
        `no instance is in zone ${show(zone)}`,
        knownHint(zone, zones),
      );
    }
  }
  const arrivals = await compileArrivals(shape.arrivals, [...path, 'arrivals'], durationMs, env);
  const profile = compileProfile(shape.profile, [...path, 'profile'], durationMs, complaints);
  if (arrivals === undefined || profile === undefined || service === -1) return undefined;
  const own = zonesOf([services![service]]);
  return {
    name: shape.name ?? freeName(shape.to, names),
    service,
    arrivals: arrivals.spec,
    profile: multiply(arrivals.curve, profile, durationMs),
    balancers: shape.balancers,
    balancerZones: shape.balancerZones ?? (own.length > 0 ? own : ['a']),
    timeoutMs: shape.timeout ?? Infinity,
    retry: retryRules(shape.retries),
    ...(shape.keys === undefined ? {} : { keys: shape.keys }),
  };
}

/** The index of a service by its name; -1 after a complaint, or when no services are known. */
function findService(name: string, path: Path, services: readonly KnownService[] | undefined, complaints: Complaints): number {
  const service = services?.findIndex((candidate) => candidate.name === name) ?? -1;
  if (services !== undefined && service === -1) {
    complaints.error(
      'unknown-service',
      [...path, 'to'],
      `there is no service ${show(name)}`,
      knownHint(
        name,
        services.map((candidate) => candidate.name),
      ),
    );
  }
  return service;
}

/** A stream of the wrong shape may be wrong in other ways, too. */
async function complainOfParts(
  path: Path,
  services: readonly KnownService[] | undefined,
  durationMs: Ms,
  env: Env,
): Promise<undefined> {
  const { complaints } = env;
  const to = complaints.check(trafficShape.shape.to, [...path, 'to']);
  if (to !== undefined) findService(to, path, services, complaints);
  const arrivals = complaints.check(trafficShape.shape.arrivals, [...path, 'arrivals']);
  if (arrivals !== undefined) await compileArrivals(arrivals, [...path, 'arrivals'], durationMs, env);
  compileProfile(
    complaints.check(trafficShape.shape.profile, [...path, 'profile']),
    [...path, 'profile'],
    durationMs,
    complaints,
  );
}

function freeName(base: string, taken: ReadonlySet<string>): string {
  let name = base;
  for (let number = 2; taken.has(name); number++) name = `${base}-${number}`;
  return name;
}

async function compileArrivals(
  shape: ArrivalShape,
  path: Path,
  durationMs: Ms,
  env: Env,
): Promise<{ spec: ArrivalSpec; curve: RateCurveSpec } | undefined> {
  if (shape.type === 'trace') {
    const trace = await compileTrace(shape, path, durationMs, env);
    return trace && { spec: trace.arrivals, curve: trace.curve };
  }
  const spec = compileProcess(shape, path, env);
  return spec && { spec, curve: constantCurve };
}

function compileProcess(shape: Exclude<ArrivalShape, { type: 'trace' }>, path: Path, env: Env): ArrivalSpec | undefined {
  switch (shape.type) {
    case 'constant':
    case 'poisson':
      return { type: shape.type, perSecond: shape.rate };
    case 'gamma':
      if (!oneOf(shape, ['shape', 'cv'], path, env)) return undefined;
      return { type: 'gamma', perSecond: shape.rate, shape: shape.shape ?? 1 / (shape.cv! * shape.cv!) };
    case 'weibull':
      return { type: 'weibull', perSecond: shape.rate, shape: shape.shape };
    case 'hyperexponential': {
      if (!oneOf(shape, ['cv2', 'branches'], path, env)) return undefined;
      if (shape.branches === undefined)
        return { type: 'hyperexponential', perSecond: shape.rate, branches: balancedMeans(1, shape.cv2!) };
      const shares = normalised(shape.branches, [...path, 'branches'], env);
      const branches = shares && shape.branches.map(({ mean }, index) => ({ share: shares[index], mean }));
      return branches && { type: 'hyperexponential', perSecond: shape.rate, branches };
    }
    case 'mmpp':
      if (shape.states.every(({ rate }) => rate === 0)) {
        env.complaints.error('bad-arrivals', [...path, 'states'], 'the rate is 0 in every state');
        return undefined;
      }
      return { type: 'mmpp', states: shape.states.map(({ rate, mean }) => ({ perSecond: rate, meanMs: mean })) };
    case 'batch':
      return { type: 'batch', perSecond: shape.rate, size: shape.size };
  }
}

/** `retries: 2`, or with how often a pick is repeated to avoid endpoints already tried. */
function retryRules(retries: z.output<typeof trafficShape>['retries']): TrafficSpec['retry'] {
  if (typeof retries === 'number') return { retries, hostSelectionRetries: HOST_SELECTION_RETRIES };
  return { retries: retries.attempts, hostSelectionRetries: retries.hostSelectionRetryMaxAttempts };
}
