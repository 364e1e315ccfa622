/** One call of a service by another: its edge, who makes it, its cache. */
import type { z } from 'zod';
import type { Path } from '../core/issue.ts';
import { show } from '../core/quantity.ts';
import type { Ms } from '../core/time.ts';
import { findClass, type KnownClasses } from './class-mix.ts';
import { compileDistribution, type Env } from './distributions.ts';
import { compileBalancerZones, compileEdgeOptions, findService, type EdgeList } from './edges.ts';
import { nodeAt, type Node } from './node.ts';
import type { KnownQueue } from './queues.ts';
import type { KnownService } from './services.ts';
import type { memberCall } from './shape-edges.ts';
import type { CacheSpec, CallSpec } from './spec.ts';

/** What steps refer to by name, and where their edges go. */
export interface Town {
  readonly services: readonly KnownService[];
  readonly queues: readonly KnownQueue[];
  /** Absent when they could not be told. */
  readonly classes: KnownClasses | undefined;
  readonly edges: EdgeList;
  readonly durationMs: Ms;
}

/** A call as written, for what concerns all of them together. */
export interface WrittenCall {
  readonly caller: number;
  readonly service: number;
  readonly path: Path;
  readonly isCached: boolean;
}

/** While the steps of one service are compiled. */
export interface Place {
  readonly caller: number;
  readonly town: Town;
  readonly env: Env;
  readonly calls: WrittenCall[];
  /** So far, of this service. */
  steps: number;
}

/** A bare name is short for a map with `to`. */
export function checkCall<Schema extends z.ZodType>(
  schema: Schema,
  node: Node,
  path: Path,
  { complaints }: Env,
): z.output<Schema> | undefined {
  if (node.kind !== 'scalar') return complaints.check(schema, path);
  const result = schema.safeParse({ to: node.value });
  if (result.success) return result.data;
  complaints.error('bad-name', path, `expected the name of a service, found ${show(node.value)}`);
  return undefined;
}

/** Adds its edge; undefined after complaints. */
export async function compileCall(
  shape: z.output<typeof memberCall>,
  path: Path,
  { caller, town, env, calls }: Place,
): Promise<CallSpec | undefined> {
  const { services, edges, durationMs } = town;
  const { complaints } = env;
  const isShort = nodeAt(complaints.root, path)?.kind === 'scalar';
  const toPath = isShort ? path : [...path, 'to'];
  const queue = town.queues.find(({ name }) => name === shape.to);
  if (queue !== undefined && !services.some(({ name }) => name === shape.to)) {
    complaints.error('unknown-service', toPath, `${show(shape.to)} is a queue, not a service`, `write { publish: ${shape.to} }`);
    return undefined;
  }
  const service = findService(shape.to, toPath, services, complaints);
  const options = await compileEdgeOptions(shape, path, durationMs, env);
  const classes = compileClasses(shape.classes, [...path, 'classes'], town.classes, env);
  const cache = shape.cache && (await compileCache(shape.cache, [...path, 'cache'], env));
  const zones = compileBalancerZones(shape.balancerZones, path, services[service], services, env);
  if (shape.balancers === 'sidecar' && shape.balancerZones !== undefined) {
    complaints.error(
      'contradiction',
      [...path, 'balancerZones'],
      'sidecars are in the zones of their instances',
      'write balancers: 2 for proxies of their own',
    );
    return undefined;
  }
  if (service === -1) return undefined;
  calls.push({ caller, service, path: toPath, isCached: shape.cache !== undefined });
  if (options === undefined || classes === undefined || (shape.cache !== undefined && cache === undefined)) return undefined;
  const isSidecar = shape.balancers === 'sidecar';
  const edge = edges.add(
    {
      ...{
        caller,
        service,
        queue: -1,
        balancers: isSidecar ? 0 : (shape.balancers as number),
        balancerZones: isSidecar ? [] : zones,
      },
      ...options,
    },
    `${services[caller].name}->${services[service].name}`,
    shape.name,
    path,
  );
  return { edge, copies: shape.copies, optional: shape.optional, classes, ...(cache === undefined ? {} : { cache }) };
}

function compileClasses(
  written: string | readonly string[] | undefined,
  path: Path,
  classes: KnownClasses | undefined,
  env: Env,
): readonly number[] | undefined {
  if (written === undefined) return [];
  if (classes === undefined) return undefined;
  const indices = [written]
    .flat()
    .map((name, index) => findClass(name, typeof written === 'string' ? path : [...path, index], classes, env));
  return indices.includes(-1) ? undefined : [...new Set(indices)];
}

async function compileCache(
  shape: NonNullable<z.output<typeof memberCall>['cache']>,
  path: Path,
  env: Env,
): Promise<CacheSpec | undefined> {
  const hitTime = await compileDistribution(shape.hitTime, [...path, 'hitTime'], env);
  if (hitTime === undefined) return undefined;
  const { shared, startsCold } = shape;
  if (shape.type === 'keys') {
    const { entries, ttl, coalesces, earlyRefresh } = shape;
    return { type: 'keys', entries, ttlMs: ttl, coalesces, earlyRefresh, shared, hitTime, startsCold };
  }
  if (startsCold && shape.fills === 0) {
    env.complaints.error(
      'contradiction',
      [...path, 'startsCold'],
      'a cache that is warm after 0 fills is never cold',
      'write fills: 10000',
    );
    return undefined;
  }
  return { type: 'ratio', hit: shape.hit, fills: shape.fills, shared, hitTime, startsCold };
}
