/** A checked tree of sections to a scenario: each section by itself, so that all complaints come at once. */
import { complainOfCircles, warnOfIdle } from './call-graph.ts';
import type { Town } from './call.ts';
import { compileCalls } from './calls.ts';
import { compileChanges } from './changes.ts';
import { compileClasses } from './class-mix.ts';
import { compileDelivery } from './delivery.ts';
import type { Env } from './distributions.ts';
import { EdgeList } from './edges.ts';
import { compileFaults } from './faults.ts';
import { compileMetastability } from './metastability.ts';
import { compileNetwork } from './network.ts';
import { compileNodes, compilePipeline, zonesOfNodes } from './nodes.ts';
import { compilePolicies } from './overrides.ts';
import { compileQueues, withDeliveries } from './queues.ts';
import { recordedClasses } from './recordings.ts';
import { compileRun, type SeedOptions } from './run.ts';
import { compileServices, zonesOf, type KnownService } from './services.ts';
import { topLevel } from './shape.ts';
import type { EdgeSpec, PolicyChoice, QueueSpec, Scenario, ServiceSpec, TrafficSpec } from './spec.ts';
import { compileTraffic } from './traffic.ts';
import { compileVersions, withVersions } from './versions.ts';

/** Everything but what needs the variants. */
export type World = Omit<Scenario, 'variants' | 'expect' | 'gate' | 'views'>;

/** The world, or undefined after complaints; what could be understood of the policies and the duration is there in any case, for the
 *  sections that follow. */
export async function compileWorld(
  env: Env,
  options: SeedOptions,
): Promise<{ world?: World; policies?: PolicyChoice; durationMs: number }> {
  const { complaints } = env;
  const head = complaints.check(topLevel, []);
  const run = compileRun(complaints, options);
  // Without a duration, whatever compares with it is left unsaid.
  const durationMs = run?.durationMs ?? Infinity;
  const recorded = await recordedClasses(env);
  const classes = compileClasses(recorded.names, recorded.hasOthers, env);
  const services = await compileServices(classes, durationMs, env);
  const queues = compileQueues(services, complaints);
  const graph = await compileGraph({ services, queues, classes, durationMs }, env);
  const nodes = await compileNodes(env);
  const pipeline = compilePipeline(env);
  const zones = [
    ...zonesOf(services ?? []),
    ...zonesOfNodes(nodes ?? []),
    ...graph.edges.flatMap(({ balancerZones }) => balancerZones),
  ];
  const network = await compileNetwork([...new Set(zones)], env);
  const versions =
    services && (await compileVersions({ services, nodes, edges: graph.edges, cached: graph.cached, durationMs }, env));
  const changes = compileChanges(services, versions, durationMs, complaints);
  const delivery = await compileDelivery(env);
  const faults = await compileFaults(services, nodes, graph.cached, delivery?.controllers ?? 1, durationMs, env);
  const metastability = compileMetastability(faults, durationMs, run?.warmupMs ?? 0, complaints);
  const policies = await compilePolicies(durationMs, env);
  if (
    complaints.hasErrors ||
    head === undefined ||
    run === undefined ||
    services === undefined ||
    classes === undefined ||
    network === undefined ||
    nodes === undefined ||
    pipeline === undefined ||
    delivery === undefined ||
    policies === undefined
  ) {
    return { durationMs, ...(policies === undefined ? {} : { policies }) };
  }
  const { name, about = '', demonstrates = '' } = head;
  const world: World = {
    ...{
      name,
      about,
      demonstrates,
      run,
      services: withVersions(graph.services, versions!, changes),
      classes: classes.specs,
      edges: graph.edges,
      queues: graph.queues,
    },
    ...{ nodes, pipeline, network, traffic: graph.traffic, faults, policies },
    ...(changes.length === 0 ? {} : { changes, delivery }),
    ...(metastability === undefined ? {} : { metastability }),
  };
  warnOfIdle(world, classes, complaints);
  return { world, policies, durationMs };
}

interface Graph {
  readonly services: readonly ServiceSpec[];
  readonly queues: readonly QueueSpec[];
  readonly edges: readonly EdgeSpec[];
  readonly traffic: readonly TrafficSpec[];
  /** Indices of services with a call that has a cache. */
  readonly cached: ReadonlySet<number>;
}

/** Who calls whom: traffic, then the calls of the services, then the deliveries of the queues. */
async function compileGraph(
  known: Omit<Town, 'edges' | 'services'> & { readonly services: readonly KnownService[] | undefined },
  env: Env,
): Promise<Graph> {
  const edges = new EdgeList(env.complaints);
  const traffic = await compileTraffic({ ...known, edges }, env);
  const { services = [] } = known;
  const compiled: Awaited<ReturnType<typeof compileCalls>>[] = [];
  for (let index = 0; index < services.length; index++)
    compiled.push(await compileCalls(index, { ...known, services, edges }, env));
  const calls = compiled.flatMap((each) => each.calls);
  complainOfCircles(
    services.map(({ name }) => name),
    calls,
    env.complaints,
  );
  return {
    services: services.flatMap(({ spec }, index) => (spec === undefined ? [] : [{ ...spec, steps: compiled[index].steps }])),
    queues: withDeliveries(known.queues, services, edges),
    edges: edges.edges,
    traffic,
    cached: new Set(calls.flatMap(({ caller, isCached }) => (isCached ? [caller] : []))),
  };
}
