/** `services:` to the fleet. */
import * as z from 'zod';
import type { DistributionSpec } from '../core/distribution-spec.ts';
import { formatPath, type Path } from '../core/issue.ts';
import { show } from '../core/quantity.ts';
import type { Ms } from '../core/time.ts';
import { findClass, type KnownClasses } from './class-mix.ts';
import { compileDistribution, type Env } from './distributions.ts';
import { compileElastic } from './elastic.ts';
import { readName } from './fields.ts';
import { childOf, nodeAt, toPlain, type Node } from './node.ts';
import { compileOverrides } from './overrides.ts';
import type { PastedDeployment } from './paste-in/deployment.ts';
import { pastedService, strategyOf } from './paste-in/pasted-service.ts';
import { distribution, limits } from './shape-parts.ts';
import { service } from './shape.ts';
import type { InstanceSpec, PolicyOverrides, ServiceSpec } from './spec.ts';

/** A service as far as it could be understood: other sections check their references against this. */
export interface KnownService {
  readonly name: string;
  /** Absent when they could not be told. */
  readonly instances?: readonly InstanceSpec[];
  /** Absent after complaints. */
  readonly spec?: ServiceSpec;
}

type ServiceShape = z.output<typeof service>;

/** In the order written; undefined when there is no map of services at all. */
export async function compileServices(
  classes: KnownClasses | undefined,
  durationMs: Ms,
  env: Env,
): Promise<readonly KnownService[] | undefined> {
  const { complaints } = env;
  const node = nodeAt(complaints.root, ['services']);
  if (node === undefined) return undefined;
  if (node.kind !== 'map' || node.entries.size === 0) {
    const found = node.kind === 'map' ? 'an empty map' : show(toPlain(node));
    complaints.error(
      'wrong-type',
      ['services'],
      `expected a map of services by name, found ${found}`,
      'write services: { api: { ... } }',
    );
    return undefined;
  }
  const services: KnownService[] = [];
  for (const name of node.entries.keys()) {
    const reading = readName(name);
    if ('problem' in reading)
      complaints.add({
        code: 'bad-name',
        path: ['services'],
        key: name,
        message: reading.problem,
        ...(reading.hint === undefined ? {} : { hint: reading.hint }),
      });
    services.push(await compileService(name, ['services', name], classes, durationMs, env));
  }
  const total = services.reduce((sum, { instances = [] }) => sum + instances.length, 0);
  if (total > limits.instances) complaints.error('too-many', ['services'], `${total} instances; ${limits.instances} is the most`);
  return services;
}

async function compileService(
  name: string,
  path: Path,
  classes: KnownClasses | undefined,
  durationMs: Ms,
  env: Env,
): Promise<KnownService> {
  const isPasted = env.complaints.has([...path, 'fromKubernetes']);
  const pasted = isPasted ? await readPastedService(name, path, env) : undefined;
  const shape = isPasted
    ? completed(env.complaints.check(pastedShape, path), pasted, path, env)
    : env.complaints.check(service, path);
  if (shape === undefined) {
    const work = env.complaints.check(distribution, [...path, 'work']);
    if (work !== undefined) await compileDistribution(work, [...path, 'work'], env, { above0: true });
    return knownInPart(name, path, env);
  }
  const instances = compileInstances(shape, path, env);
  const work = await compileDistribution(shape.work, [...path, 'work'], env, { above0: true });
  const workByClass = await compileWorkByClass(shape.workByClass, [...path, 'workByClass'], classes, env);
  const written = await compileOverrides(shape.policies, [...path, 'policies'], durationMs, env);
  const policies = written && withStrategy(written, pasted, name, path, env);
  const elastic = await compileElastic(shape, path, instances?.length ?? 1, env);
  const isGood = isConsistent(shape, path, env);
  if (instances === undefined) return { name };
  if (work === undefined || workByClass === undefined || policies === undefined || elastic === undefined || !isGood)
    return { name, instances };
  const { slots, queue, discipline, startup, coldStart, cancelAbandoned, overflow, whileWaiting, dropExpired } = shape;
  return {
    name,
    instances,
    spec: {
      ...{ name, instances, slots, queueLimit: queue, discipline, work, workByClass, steps: [] },
      holdsSlot: discipline !== 'processor-sharing' && whileWaiting !== 'release',
      ...{ dropsExpired: dropExpired, policies, startupMs: startup, cancelAbandoned },
      ...(overflow === 'drop' ? { dropsOverflow: true } : {}),
      coldStart: { forMs: coldStart?.for ?? 0, factor: coldStart?.factor ?? 1 },
      elastic,
    },
  };
}

/** Instances may come from the Deployment. */
const pastedShape = service.extend({ instances: service.shape.instances.optional() });

async function readPastedService(name: string, path: Path, env: Env): Promise<PastedDeployment | undefined> {
  const place = [...path, 'fromKubernetes'];
  const file = toPlain(nodeAt(env.complaints.root, place)!);
  if (typeof file === 'string' && file !== '') return pastedService(file, name, place, whyNoStrategy(name, path, env), env);
  env.complaints.error('bad-path', place, `expected the path of a file, found ${show(file)}`);
  return undefined;
}

/** What the scenario does not say itself, as the Deployment has it. */
function completed(
  shape: z.output<typeof pastedShape> | undefined,
  pasted: PastedDeployment | undefined,
  path: Path,
  { complaints }: Env,
): ServiceShape | undefined {
  if (shape === undefined || pasted === undefined) return undefined;
  const { cpu, memory } = pasted.requests;
  const { nodeSelector, tolerations, topologySpreadConstraints, probes, terminationGracePeriodMs } = pasted;
  const stays = tolerations.find(({ key }) => key === UNREACHABLE)?.tolerationMs;
  const placement = {
    priority: 0,
    ...(stays === undefined || stays === Infinity ? {} : { stays }),
    nodeLabels: { ...nodeSelector },
    tolerates: tolerations.map(({ key, value, effect }) => ({ key, value, effect })),
    spread: topologySpreadConstraints.map(({ topologyKey, maxSkew, whenUnsatisfiable, minDomains }) => ({
      over: wellKnown[topologyKey] ?? topologyKey,
      ...{ maxSkew, when: whenUnsatisfiable, minDomains },
    })),
  };
  return {
    ...shape,
    instances: shape.instances ?? Math.max(1, pasted.replicas),
    resources: shape.resources ?? {
      cpu: Math.max(1, Math.round((cpu ?? 1) * MILLI)),
      ...(memory === undefined ? {} : { memory: Math.round(memory) }),
    },
    shutdown: shape.shutdown ?? { drain: true, preStop: 0, grace: terminationGracePeriodMs },
    readiness: complaints.has([...path, 'readiness']) ? shape.readiness : (probes.readiness?.periodMs ?? shape.readiness),
    placement: shape.placement ?? placement,
  };
}

/** Why nothing comes of how the Deployment is rolled out; undefined if something does. */
function whyNoStrategy(name: string, path: Path, { complaints }: Env): string | undefined {
  const changes = nodeAt(complaints.root, ['changes']);
  const isOfService = (change: Node): boolean => {
    const service = childOf(change, 'service');
    return service?.kind === 'scalar' && String(service.value) === name;
  };
  if (changes?.kind !== 'list' || !changes.items.some(isOfService)) return 'nothing is rolled out';
  const own = [
    ['policies', 'rollout'],
    ['compare', 'rollout'],
    [...path, 'policies', 'rollout'],
  ].find((each) => complaints.has(each));
  return own === undefined ? undefined : `${formatPath(own)} says how`;
}

/** With that of the Deployment where the scenario says nothing itself. */
function withStrategy(
  policies: PolicyOverrides,
  pasted: PastedDeployment | undefined,
  name: string,
  path: Path,
  env: Env,
): PolicyOverrides {
  if (pasted === undefined || whyNoStrategy(name, path, env) !== undefined) return policies;
  return { ...policies, rollout: strategyOf(pasted) };
}

const MILLI = 1000;
const UNREACHABLE = 'node.kubernetes.io/unreachable';
const wellKnown: Readonly<Record<string, string>> = {
  'topology.kubernetes.io/zone': 'zone',
  'kubernetes.io/hostname': 'node',
};

/** One entry per class, null where `work` holds. */
async function compileWorkByClass(
  shape: ServiceShape['workByClass'],
  path: Path,
  classes: KnownClasses | undefined,
  env: Env,
): Promise<ServiceSpec['workByClass'] | undefined> {
  const laws: (DistributionSpec | null)[] = (classes?.specs ?? []).map(() => null);
  let isGood = true;
  for (const [name, each] of Object.entries(shape ?? {})) {
    const law = await compileDistribution(each, [...path, name], env, { above0: true });
    const index = classes === undefined ? -1 : findClass(name, path, classes, env, true);
    if (law === undefined || index === -1) isGood = false;
    else laws[index] = law;
  }
  return isGood ? laws : undefined;
}

/** What contradicts the discipline. */
function isConsistent({ discipline, whileWaiting, policies }: ServiceShape, path: Path, { complaints }: Env): boolean {
  if (discipline === 'fifo') return true;
  const isShared = discipline === 'processor-sharing';
  if (isShared && whileWaiting === 'hold')
    complaints.error(
      'contradiction',
      [...path, 'whileWaiting'],
      'with processor-sharing there is no slot to hold',
      'write release, or leave it out',
    );
  const queueing = policies?.queueing;
  if (queueing !== undefined && queueing !== 'none' && (typeof queueing === 'string' || queueing.use !== 'none')) {
    complaints.error(
      'contradiction',
      [...path, 'policies', 'queueing'],
      `a queue policy has its own order, the discipline is ${discipline}`,
      'leave out discipline, or write queueing: none',
    );
    return false;
  }
  return !(isShared && whileWaiting === 'hold');
}

/** The instances of a service that is wrong elsewhere, so that faults that name them can still be checked. */
function knownInPart(name: string, path: Path, env: Env): KnownService {
  const node = nodeAt(env.complaints.root, path);
  const part = z.object({ instances: service.shape.instances, zones: service.shape.zones });
  const result = node === undefined ? undefined : part.safeParse(toPlain(node));
  if (result?.success !== true) return { name };
  const instances = compileInstances(result.data, path, env);
  return instances === undefined ? { name } : { name, instances };
}

function compileInstances(
  { instances, zones }: Pick<ServiceShape, 'instances' | 'zones'>,
  path: Path,
  { complaints }: Env,
): InstanceSpec[] | undefined {
  const twice = zones.findIndex((zone, index) => zones.indexOf(zone) !== index);
  if (twice !== -1) complaints.error('duplicate', [...path, 'zones', twice], `zone ${show(zones[twice])} stands twice`);
  const groups =
    typeof instances === 'number' ? [{ count: instances, speed: 1, weight: 1, priority: 0, zone: undefined }] : instances;
  const total = groups.reduce((sum, { count }) => sum + count, 0);
  if (total > limits.instances) {
    complaints.error('too-many', [...path, 'instances'], `${total} instances; ${limits.instances} is the most`);
    return undefined;
  }
  const specs: InstanceSpec[] = [];
  let turn = 0;
  for (const { count, speed, weight, priority, zone } of groups) {
    for (let i = 0; i < count; i++) specs.push({ zone: zone ?? zones[turn++ % zones.length], speed, weight, priority });
  }
  if (specs.every(({ weight }) => weight === 0)) {
    complaints.error('zero-weight', [...path, 'instances'], 'the weights of all instances are 0: none would get requests');
    return undefined;
  }
  return specs;
}

/** All zones that have an instance, in order of appearance. */
export const zonesOf = (services: readonly KnownService[]): string[] => [
  ...new Set(services.flatMap(({ instances = [] }) => instances.map(({ zone }) => zone))),
];
