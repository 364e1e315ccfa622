/** Small call graphs for tests. Edge 0 is the traffic's, into the first service; the calls follow in the order given. Every service has
 *  one instance with one slot and constant work unless said otherwise, every edge sidecars and no limits. */
import type { CallSpec, EdgeSpec, QueueSpec, ServiceSpec, StepSpec, TrafficSpec, ViewSpec } from '../../src/scenario/spec.ts';
import type { ViewResult } from '../../src/stats/result.ts';
import {
  type Attempt,
  buildWorld,
  constant,
  type Played,
  playWorld,
  type PlaySetup,
  rounded,
  type World,
} from './world-builder.ts';

export interface ServiceSetup extends Partial<Omit<ServiceSpec, 'instances' | 'work' | 'name' | 'policies'>> {
  readonly instances?: number;
  readonly work?: number;
}

/** From service to service, by index. */
export interface EdgeSetup extends Partial<Omit<EdgeSpec, 'caller' | 'service' | 'policies'>> {
  readonly from: number;
  readonly to: number;
}

export interface GraphSetup extends PlaySetup {
  readonly graph: readonly ServiceSetup[];
  readonly calls?: readonly EdgeSetup[];
  /** What differs of the traffic's edge. */
  readonly web?: Partial<EdgeSpec>;
  readonly queues?: readonly QueueSpec[];
  readonly classes?: World['classes'];
  readonly mix?: TrafficSpec['mix'];
  readonly views?: readonly ViewSpec[];
}

export function buildGraph(setup: GraphSetup): World {
  const base = buildWorld(setup);
  const [service] = base.services;
  const [web] = base.edges;
  const { graph, calls = [] } = setup;
  const edges = [
    { ...web, ...setup.web },
    ...calls.map(({ from, to, ...rest }, index): EdgeSpec => ({
      ...buildWorld({}).edges[0],
      balancers: 0,
      name: `e${index + 1}`,
      caller: from,
      service: to,
      ...rest,
    })),
  ];
  return {
    ...base,
    services: graph.map(({ instances = 1, work = 10, ...rest }, index): ServiceSpec => ({
      ...service,
      name: `s${index}`,
      instances: Array.from({ length: instances }, () => ({ zone: 'a', speed: 1, weight: 1, priority: 0 })),
      work: constant(work),
      ...rest,
    })),
    edges,
    queues: setup.queues ?? [],
    classes: setup.classes ?? base.classes,
    traffic: base.traffic.map((traffic) => ({ ...traffic, mix: setup.mix ?? traffic.mix })),
    views: setup.views ?? edges.map((_, edge) => viewOf({ edges: [edge] })),
  };
}

export const playGraph = (setup: GraphSetup): Played => playWorld(buildGraph(setup), setup);

export const viewOf = (view: Partial<ViewSpec>): ViewSpec => ({
  label: '',
  edges: [],
  service: -1,
  class: -1,
  fromMs: 0,
  toMs: Infinity,
  ...view,
});

export const callOf = (edge: number, more: Partial<CallSpec> = {}): CallSpec => ({
  edge,
  copies: 1,
  optional: false,
  classes: [],
  ...more,
});
/** One call, and its end is waited for. */
export const call = (edge: number, more: Partial<CallSpec> = {}): StepSpec => together([callOf(edge, more)]);
export const together = (calls: readonly CallSpec[], wait = Infinity): StepSpec => ({ type: 'calls', calls, wait });
export const work = (ms: number): StepSpec => ({ type: 'work', work: constant(ms) });

/** Attempts on an edge as [start, end, outcome], in order of their starts. */
export const onEdge = (played: Played, edge: number): [number, number, Attempt['outcome']][] =>
  played.attempts
    .filter((attempt) => attempt.edge === edge)
    .map(({ sentMs, endedMs, outcome }) => [rounded(sentMs), rounded(endedMs), outcome]);

/** How requests on an edge ended: with the view that `buildGraph` makes of every edge. */
export const endsOn = (played: Played, edge: number): Record<string, number> => {
  const { ok, cancelled, failed, inFlight, degraded }: ViewResult['ledger'] = played.views[edge].ledger;
  return Object.fromEntries(Object.entries({ ok, degraded, cancelled, inFlight, ...failed }).filter(([, count]) => count > 0));
};
