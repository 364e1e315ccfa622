/** Adapters for the placement kinds of `control.json`: scores of kube-scheduler. */
import { nodeSelector } from '../../../src/policies/placement/filters/node-selector.ts';
import { NodeState } from '../../../src/policies/placement/parts/node-state.ts';
import type { ResourceWeight } from '../../../src/policies/placement/parts/resource-weights.ts';
import type {
  Labels,
  NodeView,
  PodView,
  Resources,
  SpreadConstraint,
  Taint,
  Toleration,
} from '../../../src/policies/placement/scheduler.ts';
import { balancedAllocation } from '../../../src/policies/placement/scores/balanced-allocation.ts';
import { leastAllocated } from '../../../src/policies/placement/scores/least-allocated.ts';
import { mostAllocated } from '../../../src/policies/placement/scores/most-allocated.ts';
import {
  brokenLinear,
  requestedToCapacityRatio,
  type ShapePoint,
} from '../../../src/policies/placement/scores/requested-to-capacity-ratio.ts';
import type { ScorePlugin } from '../../../src/policies/placement/scores/score.ts';
import { preferredTaints } from '../../../src/policies/placement/scores/taint-toleration.ts';
import { topologySpreadScore } from '../../../src/policies/placement/scores/topology-spread.ts';
import type { Adapters } from '../vector-file.ts';

export const placementAdapters: Adapters = {
  'sched.leastAllocated': (input: ByResources) => scored(leastAllocated(weights(input)), input),
  'sched.mostAllocated': (input: ByResources) => scored(mostAllocated(weights(input)), input),
  'sched.requestedToCapacityRatio': (input: ByResources & { readonly shape: readonly ShapePoint[] }) =>
    scored(requestedToCapacityRatio(weights(input), input.shape), input),
  'sched.brokenLinear': (input: { readonly points: readonly ShapePoint[]; readonly inputs: readonly number[] }) => ({
    outputs: input.inputs.map((utilization) => brokenLinear(input.points, utilization)),
  }),
  'sched.balancedAllocation': (input: ByResources) => scored(balancedAllocation(names(input), 'balance'), input),
  'sched.balancedAllocationDelta': (input: ByResources) => scored(balancedAllocation(names(input), 'change'), input),

  'sched.taintToleration': (input: {
    readonly tolerations: readonly (Omit<Toleration, 'operator'> & { readonly operator?: string })[];
    readonly nodes: readonly { readonly name: string; readonly taints: readonly Taint[] }[];
  }) => {
    const nodes = input.nodes.map(({ name, taints }, index) => new NodeState(node(index, name, { taints }), []));
    // Without an operator it is Equal.
    const tolerations = input.tolerations.map((toleration): Toleration => {
      const { operator } = toleration;
      return { ...toleration, operator: operator === 'Exists' ? 'Exists' : 'Equal' };
    });
    return byName(preferredTaints, pod({ tolerations }), nodes, nodes);
  },

  'sched.topologySpread': (input: {
    readonly namespace?: string;
    readonly constraints: readonly {
      readonly topologyKey: string;
      readonly maxSkew: number;
      readonly selectorExists: string;
      readonly minDomains?: number;
    }[];
    readonly candidateNodes: readonly NamedNode[];
    readonly otherNodes: readonly NamedNode[];
    readonly pods: readonly {
      readonly node: string;
      readonly labels: readonly string[];
      readonly terminating?: boolean;
      readonly namespace?: string;
    }[];
  }) => {
    const home = input.namespace ?? DEFAULT_NAMESPACE;
    const states = [...input.candidateNodes, ...input.otherNodes].map(({ name, labels }, index) => {
      const present = input.pods.filter((each) => each.node === name);
      const pods = present.map((each) =>
        pod({ labels: marks(each.labels, each.namespace ?? DEFAULT_NAMESPACE), isTerminating: each.terminating === true }),
      );
      return new NodeState(node(index, name, { labels }), pods);
    });
    const spread = input.constraints.map(({ topologyKey, maxSkew, selectorExists, minDomains }): SpreadConstraint => ({
      topologyKey,
      maxSkew,
      whenUnsatisfiable: 'ScheduleAnyway',
      selector: marks([selectorExists], home),
      ...(minDomains === undefined ? {} : { minDomains }),
    }));
    const incoming = pod({ spread });
    const passes = nodeSelector.prepare(incoming, states);
    const candidates = states.slice(0, input.candidateNodes.length).filter((state) => passes(state) === undefined);
    return byName(topologySpreadScore('System'), incoming, candidates, states);
  },
};

interface ByResources {
  readonly podRequest: Resources;
  readonly nodes: readonly { readonly name: string; readonly allocatable: Resources; readonly requested: Resources }[];
  readonly resources: readonly { readonly name: string; readonly weight: number }[];
}
interface NamedNode {
  readonly name: string;
  readonly labels: Labels;
}

const DEFAULT_NAMESPACE = 'default';

/** Namespaces are one more label here. */
const marks = (labels: readonly string[], namespace: string): Labels => ({
  ...Object.fromEntries(labels.map((label) => [label, ''])),
  namespace,
});

const weights = ({ resources }: ByResources): readonly ResourceWeight[] =>
  resources.map(({ name, weight }) => ({ resource: name, weight }));
const names = ({ resources }: ByResources): readonly string[] => resources.map(({ name }) => name);

/** What is requested on a node already is that of one pod. */
function scored(plugin: ScorePlugin, { podRequest, nodes }: ByResources): unknown {
  const states = nodes.map(({ name, allocatable, requested }, index) => {
    const present = Object.keys(requested).length === 0 ? [] : [pod({ requests: { cpu: 0, memory: 0, ...requested } })];
    return new NodeState(node(index, name, { allocatable }), present);
  });
  // Rows give requests as they count, so that what is not named is nothing.
  return byName(plugin, pod({ requests: { cpu: 0, memory: 0, ...podRequest } }), states, states);
}

function byName(plugin: ScorePlugin, incoming: PodView, candidates: readonly NodeState[], all: readonly NodeState[]): unknown {
  const scores = plugin.score(incoming, candidates, all);
  return { scores: Object.fromEntries(candidates.map(({ view }, index) => [view.name, scores[index]])) };
}

const node = (number: number, name: string, more: Partial<NodeView>): NodeView => ({
  node: number,
  name,
  labels: {},
  taints: [],
  allocatable: {},
  speed: 1,
  latencyMs: 0,
  ...more,
});

const pod = (more: Partial<PodView>): PodView => ({
  pod: 0,
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
