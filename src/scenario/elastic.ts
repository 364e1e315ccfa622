/** What a service says of how its instances come and go: resources, start, end, placement, price. */
import type { z } from 'zod';
import type { Path } from '../core/issue.ts';
import { formatCpu, formatDuration, formatMemory } from '../core/quantity.ts';
import { compileDistribution, type DistributionShape, type Env } from './distributions.ts';
import { nodeAt, toPlain } from './node.ts';
import type { service } from './shape.ts';
import type { disruptionBudget } from './shape-nodes.ts';
import type { BudgetSpec, ElasticSpec, PolicyUse, SpreadSpec, TolerationSpec } from './spec.ts';

type Shape = z.output<typeof service>;

/** Undefined after complaints. */
export async function compileElastic(shape: Shape, path: Path, instances: number, env: Env): Promise<ElasticSpec | undefined> {
  const { complaints } = env;
  const { resources, shutdown, placement, maxInstances } = shape;
  const compile = async (key: string, written: DistributionShape | undefined): Promise<ElasticSpec['imagePull'] | undefined> =>
    written === undefined ? { type: 'constant', value: 0 } : await compileDistribution(written, [...path, key], env);
  const imagePull = await compile('imagePull', shape.imagePull);
  const endpointDelay = await compile('endpointDelay', shape.endpointDelay);
  if (maxInstances !== undefined && maxInstances < instances) {
    complaints.error(
      'contradiction',
      [...path, 'maxInstances'],
      `there are ${instances} instances at first`,
      `at least ${instances}`,
    );
  }
  if (resources?.memoryPerRequest !== undefined && resources.memoryBase === undefined) {
    complaints.error('missing-key', [...path, 'resources'], 'memoryPerRequest without memoryBase', 'write memoryBase: 200MiB');
  }
  const cpu = resources?.cpu ?? 1000;
  const cpuLimit = resources?.cpuLimit ?? cpu;
  if (cpuLimit < cpu) {
    const message = `a limit of ${formatCpu(cpuLimit)} is below the ${formatCpu(cpu)} that are reserved`;
    complaints.warn('idle', [...path, 'resources', 'cpuLimit'], message);
  }
  const memory = resources?.memory ?? 0;
  if (resources?.memoryBase !== undefined && memory > 0 && resources.memoryBase > memory) {
    const message = `an idle instance uses ${formatMemory(resources.memoryBase)} of the ${formatMemory(memory)} that it reserves`;
    complaints.warn('contradiction', [...path, 'resources', 'memoryBase'], message);
  }
  if (shutdown !== undefined && shutdown.preStop > shutdown.grace) {
    const message = `preStop, ${formatDuration(shutdown.preStop)}, is longer than grace, ${formatDuration(shutdown.grace)}: everything is lost before it is over`;
    complaints.warn('contradiction', [...path, 'shutdown', 'preStop'], message);
  }
  const budget = compileBudget(shape.disruptionBudget, [...path, 'disruptionBudget'], env);
  if (imagePull === undefined || endpointDelay === undefined || budget === 'wrong') return undefined;
  return {
    ...(maxInstances === undefined ? {} : { places: maxInstances }),
    ...{ imagePull, readinessMs: shape.readiness, endpointDelay, cpu, cpuLimit, memory },
    ...{ memoryBase: resources?.memoryBase ?? NaN, memoryPerRequest: resources?.memoryPerRequest ?? 0 },
    shutdown: { drains: shutdown?.drain ?? true, preStopMs: shutdown?.preStop ?? 0, graceMs: shutdown?.grace ?? 30_000 },
    ...{ priority: placement?.priority ?? 0, nodeLabels: placement?.nodeLabels ?? {} },
    spread: (placement?.spread ?? []).map((each): SpreadSpec => {
      const { over, maxSkew, when, minDomains } = each;
      return { over, maxSkew, when, ...(minDomains === undefined ? {} : { minDomains }) };
    }),
    tolerates: (placement?.tolerates ?? []).map(({ key, value, effect }): TolerationSpec => ({
      ...(key === undefined ? {} : { key }),
      ...(value === undefined ? {} : { value }),
      ...(effect === undefined ? {} : { effect }),
    })),
    ...(placement?.stays === undefined ? {} : { staysMs: placement.stays }),
    ...(budget === undefined ? {} : { budget }),
    ...{ price: shape.price ?? 0, targetUtilization: shape.targetUtilization },
  };
}

/** A bare number is a count, a share has a percent sign or lies between 0 and 1; 1 is a count. */
function compileBudget(
  shape: z.output<typeof disruptionBudget> | undefined,
  path: Path,
  { complaints }: Env,
): BudgetSpec | undefined | 'wrong' {
  if (shape === undefined) return undefined;
  const { minAvailable, maxUnavailable } = shape;
  const amount = minAvailable ?? maxUnavailable;
  if (amount === undefined || (minAvailable !== undefined && maxUnavailable !== undefined)) {
    complaints.error('contradiction', path, 'give one of minAvailable and maxUnavailable', 'as in { maxUnavailable: 1 }');
    return 'wrong';
  }
  const kind = minAvailable === undefined ? 'maxUnavailable' : 'minAvailable';
  const written = toPlain(nodeAt(complaints.root, [...path, kind])!);
  const isShare = typeof written === 'string' ? written.includes('%') : !Number.isInteger(amount);
  return { kind, amount, isShare };
}

/** How many instances an autoscaler may ask for: its `max`, or the largest of those it is made of. 0 where nobody says. */
export function mostReplicas({ params }: PolicyUse): number {
  const { max, of } = params as { readonly max?: unknown; readonly of?: unknown };
  const own = typeof max === 'number' && Number.isFinite(max) ? max : 0;
  const inner = Array.isArray(of) ? (of as readonly PolicyUse[]).map(mostReplicas) : [];
  return Math.max(own, 0, ...inner);
}
