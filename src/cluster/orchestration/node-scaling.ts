/** The number of nodes: what a node autoscaler is shown of the cluster, and what becomes of its decisions. To it, each zone of a group is a
 *  group of its own, as machines are ordered by zone. */
import { PolicyFault } from '../../core/errors.ts';
import type { Streams } from '../../core/streams.ts';
import type {
  NodeAutoscaler,
  NodeAutoscalerDeps,
  NodeGroup,
  NodesObservation,
  NodeState,
  PodShape,
} from '../../policies/autoscaling/nodes/node-autoscaler.ts';
import { HOSTNAME_LABEL, nodeLabels } from '../../policies/placement/well-known-labels.ts';
import type { PodView } from '../../policies/placement/scheduler.ts';
import { fitsBeside } from '../../policies/placement/fits-beside.ts';
import type { Fleet } from '../fleet.ts';
import type { Errands } from './errands.ts';
import { type Nodes, nodeStates } from './nodes.ts';

export interface NodeScalingHost {
  isRunning(): boolean;
  isAlive(node: number): boolean;
  podView(instance: number): PodView;
  pending(): readonly { readonly instance: number; readonly sinceMs: number }[];
  mayEvict(instances: readonly number[]): boolean;
  /** Takes the node out, its pods first; `failed` if disruption budgets still forbid it at the end of the grace. */
  retire(node: number, graceMs: number, failed: () => void): void;
}

interface ZonedGroup extends NodeGroup {
  readonly index: number;
}

export class NodeScaling {
  private readonly errands: Errands;
  private readonly fleet: Fleet;
  private readonly nodes: Nodes;
  private readonly host: NodeScalingHost;
  private readonly groups: readonly ZonedGroup[];
  private readonly autoscaler: NodeAutoscaler;

  constructor(
    errands: Errands,
    fleet: Fleet,
    nodes: Nodes,
    streams: Streams,
    make: (deps: NodeAutoscalerDeps) => NodeAutoscaler,
    host: NodeScalingHost,
  ) {
    this.errands = errands;
    this.fleet = fleet;
    this.nodes = nodes;
    this.host = host;
    this.groups = nodes.groups.flatMap((group, index) =>
      group.zones.map((zone, turn): ZonedGroup => {
        const { name, zones, min, max, cpu, memory, pods, labels, taints, priority, prices } = group;
        const ownName = zones.length === 1 ? name : `${name}@${zone}`;
        const share = (count: number): number => Math.floor(count / zones.length) + (turn < count % zones.length ? 1 : 0);
        return {
          ...{ index, name: ownName, zone, min: share(min), max: share(max), price: prices[turn], priority },
          template: {
            labels: { ...labels, ...nodeLabels(name, zone, `${ownName}/new`) },
            taints,
            allocatable: { cpu, pods, memory: Math.min(memory, Number.MAX_SAFE_INTEGER) },
          },
        };
      }),
    );
    this.autoscaler = make({
      rng: streams.stream('node-autoscaler'),
      groups: this.groups,
      fits: (pod, node, beside) =>
        fitsBeside(
          host.podView(pod.pod),
          { ...node, name: node.labels[HOSTNAME_LABEL], speed: 1, latencyMs: 0 },
          beside.map(({ pod: other }) => host.podView(other)),
        ),
      mayEvict: (pods) => host.mayEvict(pods.map(({ pod }) => pod)),
    });
    const { decideEveryMs } = this.autoscaler;
    if (!(decideEveryMs > 0)) {
      throw new PolicyFault(
        'node autoscaler',
        `decideEveryMs of the node autoscaler is ${decideEveryMs}, expected a time above 0`,
      );
    }
    if (decideEveryMs < Infinity) errands.every(decideEveryMs, decideEveryMs, () => this.decide());
  }

  private decide(): void {
    if (!this.host.isRunning()) return;
    const { increases, cancellations, removals } = this.autoscaler.decide(this.observe());
    const { nowMs } = this.errands;
    for (const { group, by } of cancellations) {
      const found = this.find(group);
      this.nodes.cancelOrders(found.index, found.zone, by);
    }
    for (const { group, by } of increases) {
      const found = this.find(group);
      if (this.nodes.order(found.index, found.zone, by) > 0) this.autoscaler.onIncreaseFailed(group, nowMs);
    }
    for (const { node, graceMs } of removals) {
      const failed = (): void => this.autoscaler.onRemovalFailed(node, this.errands.nowMs);
      if (this.nodes.isMember(node)) this.host.retire(node, graceMs, failed);
      else this.autoscaler.onRemovalFailed(node, nowMs);
    }
  }

  private observe(): NodesObservation {
    const { nodes, host, errands } = this;
    return {
      nowMs: errands.nowMs,
      nodes: this.states(),
      podsOn: (node) =>
        Array.from(nodes.pods[node], (instance) => ({ ...this.shape(instance), isDaemon: false, isMovable: true })),
      pending: host.pending().map(({ instance, sinceMs }) => ({ ...this.shape(instance), pendingSinceMs: sinceMs })),
      target: (name) => this.target(this.find(name)),
    };
  }

  private states(): NodeState[] {
    const { nodes, host } = this;
    return nodes.members().map(({ node, labels, taints, allocatable }) => ({
      ...{ node, labels, taints, allocatable },
      group: this.groupOf(node).name,
      isReady: host.isAlive(node),
      joinedAtMs: nodes.joinedMs[node],
      wasReady: true,
      isLeaving: nodes.isCordoned[node] === 1,
    }));
  }

  private groupOf(node: number): ZonedGroup {
    const zone = this.fleet.zoneNames[this.nodes.zone[node]];
    return this.groups.find((group) => group.index === this.nodes.group[node] && group.zone === zone)!;
  }

  /** Those that are there and those on their way, but not those that were told to go. */
  private target({ index, zone }: ZonedGroup): number {
    const { nodes, fleet } = this;
    let count = 0;
    for (let node = nodes.base[index]; node < nodes.base[index + 1]; node++) {
      const isHere = fleet.zoneNames[nodes.zone[node]] === zone;
      if (isHere && nodes.state[node] !== nodeStates.empty && nodes.isCordoned[node] === 0) count++;
    }
    return count;
  }

  private find(name: string): ZonedGroup {
    const group = this.groups.find((each) => each.name === name);
    if (group === undefined)
      throw new PolicyFault('node autoscaler', `the node autoscaler speaks of a group ${name}, which does not exist`);
    return group;
  }

  private shape(instance: number): PodShape {
    const { pod, requests, priority } = this.host.podView(instance);
    return { pod, requests, priority };
  }
}
