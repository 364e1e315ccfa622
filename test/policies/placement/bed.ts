/** Nodes, pods and clusters for tests of placement, with what a test does not care about filled in. */
import { type ClusterView, type NodeView, type PodView, type SpreadConstraint } from '../../../src/policies/placement/index.ts';

export const GIB = 1024 * 1024 * 1024;

export const node = (number: number, more: Partial<NodeView> = {}): NodeView => ({
  node: number,
  name: `node-${number}`,
  labels: {},
  taints: [],
  allocatable: { cpu: 4000, memory: 8 * GIB, pods: 110 },
  speed: 1,
  latencyMs: 1,
  ...more,
});

export const pod = (number: number, more: Partial<PodView> = {}): PodView => ({
  pod: number,
  labels: {},
  requests: {},
  priority: 0,
  tolerations: [],
  spread: [],
  nodeSelector: {},
  startedAtMs: 0,
  isTerminating: false,
  ...more,
});

export const cpu = (number: number, milli: number, more: Partial<PodView> = {}): PodView =>
  pod(number, { requests: { cpu: milli }, ...more });

export const hard = (topologyKey: string, maxSkew: number, selector: Readonly<Record<string, string>>): SpreadConstraint => ({
  topologyKey,
  maxSkew,
  whenUnsatisfiable: 'DoNotSchedule',
  selector,
});

/** A cluster with these pods on these nodes, in their order. */
export function cluster(
  nodes: readonly NodeView[],
  pods: readonly (readonly PodView[])[] = [],
  more: Partial<ClusterView> = {},
): ClusterView {
  return {
    nodes,
    podsOn: (number) => pods[nodes.findIndex((each) => each.node === number)] ?? [],
    budgetViolations: () => 0,
    ...more,
  };
}
