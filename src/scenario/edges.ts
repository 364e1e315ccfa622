/** Edges as they are found, and what streams and calls have in common: timeouts, proxies, pools, fallbacks, policies of their own. */
import type { z } from 'zod';
import type { Path } from '../core/issue.ts';
import { formatDuration, show } from '../core/quantity.ts';
import type { Ms } from '../core/time.ts';
import type { Complaints } from './complaints.ts';
import { compileDistribution, type Env } from './distributions.ts';
import { knownHint } from './hints.ts';
import { compileOverrides } from './overrides.ts';
import { zonesOf, type KnownService } from './services.ts';
import type { memberCall } from './shape-edges.ts';
import { limits } from './shape-parts.ts';
import { fallbackResults, type EdgeSpec, type FallbackSpec, type PoolSpec } from './spec.ts';

type CallShape = z.output<typeof memberCall>;
type OptionsShape = Pick<
  CallShape,
  'timeout' | 'attemptTimeout' | 'propagateDeadline' | 'proxyLatency' | 'pool' | 'fallback' | 'policies'
>;
export type EdgeOptions = Pick<
  EdgeSpec,
  'timeoutMs' | 'attemptTimeoutMs' | 'propagatesDeadline' | 'proxyLatency' | 'pool' | 'fallback' | 'policies'
>;

/** Collects edges and names them. */
export class EdgeList {
  readonly edges: EdgeSpec[] = [];
  readonly #complaints: Complaints;
  readonly #counts = new Map<string, number>();

  constructor(complaints: Complaints) {
    this.#complaints = complaints;
  }

  /** The edge's index. `base` names it unless `given` does; of several with one base the later ones are numbered. */
  add(edge: Omit<EdgeSpec, 'name'>, base: string, given: string | undefined, path: Path): number {
    const number = (this.#counts.get(base) ?? 0) + 1;
    if (given === undefined) this.#counts.set(base, number);
    else if (this.edges.some(({ name }) => name === given))
      this.#complaints.error('duplicate', [...path, 'name'], `another edge is called ${show(given)}`);
    if (this.edges.length === limits.edges)
      this.#complaints.error('too-many', path, `more than ${limits.edges} calls between services`);
    return this.edges.push({ name: given ?? (number === 1 ? base : `${base}#${number}`), ...edge }) - 1;
  }
}

/** An edge of messages has nothing of its own: the queue stands between. */
export const messageEdge = { balancers: 1, balancerZones: [], policies: {} as EdgeSpec['policies'] } as const;
export const noOptions: EdgeOptions = {
  ...{ timeoutMs: Infinity, attemptTimeoutMs: Infinity, propagatesDeadline: false },
  proxyLatency: { type: 'constant', value: 0 },
  policies: {},
};

/** Undefined after complaints. */
export async function compileEdgeOptions(
  shape: OptionsShape,
  path: Path,
  durationMs: Ms,
  env: Env,
): Promise<EdgeOptions | undefined> {
  const { complaints } = env;
  const { timeout = Infinity, attemptTimeout = Infinity } = shape;
  if (timeout < Infinity && timeout > durationMs) {
    const message = `a timeout of ${formatDuration(timeout)} is longer than the run, ${formatDuration(durationMs)}: no request will time out`;
    complaints.warn('longer-than-run', [...path, 'timeout'], message);
  }
  if (attemptTimeout < Infinity && attemptTimeout >= timeout) {
    const message = `attempts may take ${formatDuration(attemptTimeout)}, all together only ${formatDuration(timeout)}: no attempt will time out by itself`;
    complaints.warn('idle-timeout', [...path, 'attemptTimeout'], message);
  }
  const proxyLatency = await compileDistribution(shape.proxyLatency, [...path, 'proxyLatency'], env);
  const pool = shape.pool && (await compilePool(shape.pool, [...path, 'pool'], env));
  const policies = await compileOverrides(shape.policies, [...path, 'policies'], durationMs, env);
  if (proxyLatency === undefined || policies === undefined || (shape.pool !== undefined && pool === undefined)) return undefined;
  return {
    ...{
      timeoutMs: timeout,
      attemptTimeoutMs: attemptTimeout,
      propagatesDeadline: shape.propagateDeadline,
      proxyLatency,
      policies,
    },
    ...(pool === undefined ? {} : { pool }),
    ...(shape.fallback === undefined ? {} : { fallback: fallbackOf(shape.fallback) }),
  };
}

const fallbackOf = ({ on, takes }: NonNullable<OptionsShape['fallback']>): FallbackSpec => ({
  on: on === undefined ? fallbackResults : [...new Set([on].flat())],
  takesMs: takes,
});

async function compilePool(shape: NonNullable<OptionsShape['pool']>, path: Path, env: Env): Promise<PoolSpec | undefined> {
  const { connections, streams, pending, roundTrips, keepAlive, reuse } = shape;
  const handshake = await compileDistribution(shape.handshake, [...path, 'handshake'], env);
  return handshake && { connections, streams, pending, roundTrips, handshake, keepAliveMs: keepAlive, reuse };
}

/** Zones of proxies; those of the called service unless they are written. */
export function compileBalancerZones(
  written: readonly string[] | undefined,
  path: Path,
  service: KnownService | undefined,
  services: readonly KnownService[],
  { complaints }: Env,
): readonly string[] {
  const zones = zonesOf(services);
  for (const [index, zone] of (written ?? []).entries()) {
    if (zones.length === 0 || zones.includes(zone)) continue;
    complaints.warn(
      'unknown-zone',
      [...path, 'balancerZones', index],
      `no instance is in zone ${show(zone)}`,
      knownHint(zone, zones),
    );
  }
  if (written !== undefined) return written;
  const own = service === undefined ? [] : zonesOf([service]);
  return own.length > 0 ? own : ['a'];
}

/** The index of a service by its name; -1 after a complaint, or when no services are known. */
export function findService(
  name: string,
  path: Path,
  services: readonly KnownService[] | undefined,
  complaints: Complaints,
  others: readonly string[] = [],
): number {
  const service = services?.findIndex((candidate) => candidate.name === name) ?? -1;
  if (services !== undefined && service === -1) {
    const known = [...services.map((candidate) => candidate.name), ...others];
    complaints.error('unknown-service', path, `there is no service ${show(name)}`, knownHint(name, known));
  }
  return service;
}
