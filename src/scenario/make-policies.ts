/** From a checked choice of policies to makers: built-in ones from their tables, a user's own loaded from its module. Loading runs
 *  the user's code; there is no sandbox, and none is claimed. */
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { PolicyFault } from '../core/errors.ts';
import type { ParamSpecs, ParamValues } from '../core/params.ts';
import { defaults } from '../core/params.ts';
import { detectors } from '../policies/detection/index.ts';
import { registries } from '../policies/discovery/registries/index.ts';
import { schedulers } from '../policies/placement/index.ts';
import { nodeEvictions } from '../policies/recovery/eviction/index.ts';
import { replicaControllers } from '../policies/recovery/replicas/index.ts';
import { electors } from '../policies/rollout/elections/index.ts';
import { agents } from '../policies/rollout/propagation/index.ts';
import { stores } from '../policies/rollout/store/index.ts';
import { checkedRollout } from '../policies/rollout/strategies/checked-rollout.ts';
import { type Rollout, type RolloutDeps, rollouts } from '../policies/rollout/strategies/index.ts';
import { mostReplicas } from './elastic.ts';
import type { EdgeMakers, PolicyMakers } from './makers.ts';
import { type Definition, type Role, roles } from './roles.ts';
import { layersOfEdge, resolveRole } from './resolve-role.ts';
import type { ChangeSpec, PolicyChoice, PolicyOverrides, PolicyUse, Scenario } from './spec.ts';

export type { PolicyMakers as Makers } from './makers.ts';

/** Makers for a variant's choice in its world. An edge's own policies are stronger than those of the service it leads to, and those are
 *  stronger than the variant's. */
export async function makePolicies(
  choice: PolicyChoice,
  { edges, services, nodes, changes = [], delivery }: Pick<Scenario, 'edges' | 'services' | 'nodes' | 'changes' | 'delivery'>,
): Promise<PolicyMakers> {
  const workshop = new Workshop();
  const makersOf = async (
    at: 'edge' | 'service' | 'cluster',
    layers: readonly PolicyOverrides[],
  ): Promise<Record<string, Make>> => {
    const makers: Record<string, Make> = {};
    for (const [role, info] of Object.entries(roles)) {
      if (info.at !== at) continue;
      const use = resolveRole(role as Role, layers);
      if (use !== undefined) makers[role] = await workshop.maker(role as Role, use);
    }
    return makers;
  };
  const usually = async (role: keyof typeof usual, make: Make | undefined): Promise<Make> =>
    make ?? (await workshop.maker(role, usual[role]));
  const edgeMakersOf = async (layers: readonly PolicyOverrides[]): Promise<EdgeMakers> => {
    const balancer = resolveRole('balancer', layers)!;
    const made = (await makersOf('edge', layers)) as unknown as Pick<EdgeMakers, 'balancer'>;
    return { balancerName: balancer.use, isUserPolicy: balancer.module !== undefined, ...made };
  };
  const isChanged = (service: number, kind?: ChangeSpec['kind']): boolean =>
    changes.some((change) => change.service === service && (kind === undefined || change.kind === kind));
  const edgeMakers: EdgeMakers[] = [];
  for (const edge of edges) {
    const layers = layersOfEdge(edge, services, choice);
    const made = await edgeMakersOf(layers);
    const versions: Record<string, EdgeMakers> = {};
    // Clients of queues have nothing that a configuration could change.
    const isTold = edge.queue === -1 && isChanged(edge.service, 'config');
    for (const { name, clients } of isTold ? (services[edge.service].versions ?? []) : [])
      if (clients !== undefined) versions[name] = await edgeMakersOf([clients.policies, ...layers]);
    edgeMakers.push(Object.keys(versions).length === 0 ? made : { ...made, versions });
  }
  const serviceMakers: PolicyMakers['services'][number][] = [];
  for (const service of services) {
    const layers = [service.policies, choice];
    const { queueing, rollout: strategy, ...made } = await makersOf('service', layers);
    const autoscaler = resolveRole('autoscaler', layers);
    const isElastic = nodes.length > 0 || autoscaler !== undefined || isChanged(serviceMakers.length, 'release');
    const rollout = isChanged(serviceMakers.length) ? await usually('rollout', strategy) : undefined;
    const replicas = isElastic ? await usually('replicas', made.replicas) : made.replicas;
    // Whoever asks must have somebody to ask.
    const isAsked = edges.some(
      (edge, index) => edge.service === serviceMakers.length && edgeMakers[index].discovery !== undefined,
    );
    const registry = isAsked ? await usually('registry', made.registry) : made.registry;
    const rest = {
      ...made,
      ...(registry === undefined ? {} : { registry }),
      ...(replicas === undefined ? {} : { replicas }),
      ...(rollout === undefined ? {} : { rollout }),
      ...(autoscaler === undefined ? {} : { mostReplicas: mostReplicas(autoscaler) }),
    };
    // The other disciplines have an order of their own.
    const judgesQueue = queueing !== undefined && service.discipline === 'fifo';
    serviceMakers.push({ ...rest, ...(judgesQueue ? { queueing } : {}) } as PolicyMakers['services'][number]);
  }
  const { store, election, propagation, ...cluster } = await makersOf('cluster', [choice]);
  if (changes.length > 0) cluster.store = await usually('store', store);
  // One controller has nobody to compete with.
  if (changes.length > 0 && (delivery?.controllers ?? 1) > 1) cluster.election = await usually('election', election);
  if (changes.some(({ kind }) => kind === 'config')) cluster.propagation = await usually('propagation', propagation);
  if (nodes.length > 0) {
    for (const role of ['scheduler', 'nodeDetector', 'eviction'] as const) cluster[role] = await usually(role, cluster[role]);
  }
  return {
    cluster,
    balancerName: choice.balancer.use,
    isUserPolicy: workshop.userFiles.length > 0,
    userFiles: workshop.userFiles,
    edges: edgeMakers,
    services: serviceMakers,
  };
}

/** What stands in where something is needed and nothing is written. */
const usual = {
  registry: { use: 'consul', params: defaults(registries.consul.params) },
  replicas: { use: 'replica-set', params: defaults(replicaControllers['replica-set'].params) },
  scheduler: { use: 'kube-scheduler', params: defaults(schedulers['kube-scheduler'].params) },
  nodeDetector: { use: 'node-lease', params: defaults(detectors['node-lease'].params) },
  eviction: { use: 'node-lifecycle', params: defaults(nodeEvictions['node-lifecycle'].params) },
  rollout: { use: 'rolling-update', params: defaults(rollouts['rolling-update'].params) },
  store: { use: 'etcd', params: defaults(stores.etcd.params) },
  election: { use: 'lease-election', params: defaults(electors['lease-election'].params) },
  propagation: { use: 'push', params: defaults(agents.push.params) },
} satisfies Record<string, PolicyUse>;

type Values = ParamValues<ParamSpecs>;
type Make = (deps: unknown) => unknown;

/** Makes each policy's maker once, and loads each module once. */
class Workshop {
  readonly #makers = new Map<Role, Map<PolicyUse, Promise<Make>>>();
  readonly #modules = new Map<string, Promise<Record<string, unknown>>>();

  maker(role: Role, use: PolicyUse): Promise<Make> {
    let made = this.#makers.get(role);
    if (made === undefined) this.#makers.set(role, (made = new Map<PolicyUse, Promise<Make>>()));
    let maker = made.get(use);
    if (maker === undefined) made.set(use, (maker = this.#make(role, use)));
    return maker;
  }

  get userFiles(): readonly string[] {
    return [...this.#modules.keys()];
  }

  async #make(role: Role, use: PolicyUse): Promise<Make> {
    const { table, methods } = roles[role];
    if (use.module === undefined) {
      const definition = table[use.use];
      return (deps) => definition.create(use.params, deps);
    }
    const { path, exportName } = use.module;
    let module = this.#modules.get(path);
    if (module === undefined) this.#modules.set(path, (module = importModule(path)));
    const make = makeFrom(await exportOf(module, use.use, path, exportName), use.params);
    return (deps) => {
      let made: unknown;
      try {
        made = make(deps);
      } catch (error) {
        throw new PolicyFault(use.use, `${use.use} could not be made: ${messageOf(error)}`, { cause: error });
      }
      const missing = methods.filter((method) => typeof (made as Record<string, unknown> | undefined)?.[method] !== 'function');
      if (missing.length > 0) throw new PolicyFault(use.use, `${use.use} lacks ${missing.map((name) => `${name}()`).join(', ')}`);
      // What the others answer is looked at by whoever asks them.
      return role === 'rollout' ? checkedRollout(made as Rollout, use.use, deps as RolloutDeps) : made;
    };
  }
}

/** A definition (`defineBalancer`), a class taking (deps, params), or a function taking (deps, params). */
function makeFrom(exported: unknown, params: Values): (deps: unknown) => unknown {
  if (isDefinition(exported)) return (deps) => exported.create({ ...defaults(exported.params), ...params }, deps);
  const callable = exported as (deps: unknown, params: Values) => unknown;
  const isClass = /^class\b/.test(Function.prototype.toString.call(callable));
  return isClass ? (deps) => Reflect.construct(callable, [deps, params]) as unknown : (deps) => callable(deps, params);
}

const isDefinition = (value: unknown): value is Definition =>
  typeof value === 'object' && value !== null && 'create' in value && typeof value.create === 'function' && 'params' in value;

async function exportOf(
  loading: Promise<Record<string, unknown>>,
  name: string,
  path: string,
  exportName: string,
): Promise<unknown> {
  let module: Record<string, unknown>;
  try {
    module = await loading;
  } catch (error) {
    throw new PolicyFault(name, `${name} cannot be loaded: ${messageOf(error)}`, { cause: error });
  }
  const exported = module[exportName];
  if (typeof exported === 'function' || isDefinition(exported)) return exported;
  const names = Object.keys(module).filter((key) => key !== 'default');
  const found = names.length > 0 ? `it exports ${names.join(', ')}` : 'it exports nothing';
  throw new PolicyFault(name, `${name}: ${path} has no policy named ${exportName}; ${found}`);
}

async function importModule(path: string): Promise<Record<string, unknown>> {
  if (/\.[cm]?ts$/.test(path)) {
    const { createJiti } = await import('jiti');
    return createJiti(import.meta.url, { interopDefault: false }).import<Record<string, unknown>>(path);
  }
  const resolved = path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path) ? path : createRequire(import.meta.url).resolve(path);
  return (await import(pathToFileURL(resolved).href)) as Record<string, unknown>;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
