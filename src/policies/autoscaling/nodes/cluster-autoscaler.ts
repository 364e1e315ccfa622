/** Kubernetes' Cluster Autoscaler: orders nodes for pods that found no place, removes nodes whose pods would find one elsewhere.
 *
 *  Use it under anything that scales the number of pods. It fails to be fast: a pod must be pending first, and a machine takes minutes.
 *  It looks at what pods reserve and not at what they use. One pod that may not be moved keeps a node alive.
 *
 *  Every scan: give up orders that are overdue, and leave their groups alone for a while; do nothing if too many nodes are unready, for
 *  then it is not nodes that are lacking. Pending pods that fit on nodes that are there or on their way need nothing. For the others, new
 *  nodes of every group are packed in thought, first fit, the largest pod first; one group is chosen by the expanders and grown.
 *  Otherwise nodes that reserve less than half, and whose pods all fit on the others, are unneeded; those that were so for ten minutes are
 *  removed: empty ones together, others one after the other and only within the disruption budgets. After a node was added, or could not
 *  be removed, no node is removed for a while.
 *
 *  Pods of a priority below the cutoff neither bring nodes nor keep them. Groups are taken one per scan; similar ones are not balanced. */
import { duration, fraction, int, number, type ParamValues, string } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { chooseOption, type Expander, parseExpanders, type ScaleUpOption } from './expanders.ts';
import { GroupBackoff } from './group-backoff.ts';
import {
  defineNodeAutoscaler,
  type GroupChange,
  type NodeAutoscaler,
  type NodeAutoscalerDeps,
  type NodeGroup,
  type NodeRemoval,
  type NodesDecision,
  type NodesObservation,
  type NodesReason,
  type NodeState,
  type PlacedPod,
  type PodShape,
} from './node-autoscaler.ts';
import { estimateNodes, imagined, Packing, utilization } from './packing.ts';
import { Provisioning } from './provisioning.ts';

const params = {
  scanInterval: duration({
    default: 10_000,
    min: 1,
    about: 'How often the cluster is looked at.',
    official: 'Cluster Autoscaler --scan-interval',
  }),
  expander: string({
    default: 'least-waste',
    about: 'Which group to grow: random, most-pods, least-waste, least-nodes, price, priority, or several separated by commas.',
    official: 'Cluster Autoscaler --expander',
  }),
  maxNodeProvisionTime: duration({
    default: 900_000,
    min: 1,
    about: 'A node that is not there by then will not come.',
    official: 'Cluster Autoscaler --max-node-provision-time',
  }),
  newPodScaleUpDelay: duration({
    default: 0,
    min: 0,
    about: 'Pods that are pending for less time bring no nodes yet.',
    official: 'Cluster Autoscaler --new-pod-scale-up-delay',
  }),
  initialNodeGroupBackoffDuration: duration({
    default: 300_000,
    min: 1,
    about: 'How long a group is left alone after it failed to grow.',
    official: 'Cluster Autoscaler --initial-node-group-backoff-duration',
  }),
  maxNodeGroupBackoffDuration: duration({
    default: 1_800_000,
    min: 1,
    about: 'The same after many failures, each of which doubles it.',
    official: 'Cluster Autoscaler --max-node-group-backoff-duration',
  }),
  nodeGroupBackoffResetTimeout: duration({
    default: 10_800_000,
    min: 1,
    about: 'After this long without a failure, the next one is the first.',
    official: 'Cluster Autoscaler --node-group-backoff-reset-timeout',
  }),
  maxTotalUnreadyPercentage: number({
    default: 45,
    min: 0,
    max: 100,
    about: 'With more of the nodes unready than this percentage, nothing is done.',
    official: 'Cluster Autoscaler --max-total-unready-percentage',
  }),
  okTotalUnreadyCount: int({
    default: 3,
    min: 0,
    about: 'So many may be unready whatever their percentage.',
    official: 'Cluster Autoscaler --ok-total-unready-count',
  }),
  scaleDownUtilizationThreshold: fraction({
    default: 0.5,
    about: 'A node on which a smaller share of processor and of memory is reserved may be unneeded.',
    official: 'Cluster Autoscaler --scale-down-utilization-threshold',
  }),
  scaleDownUnneededTime: duration({
    default: 600_000,
    min: 0,
    about: 'How long a node must be unneeded before it is removed.',
    official: 'Cluster Autoscaler --scale-down-unneeded-time',
  }),
  scaleDownUnreadyTime: duration({
    default: 1_200_000,
    min: 0,
    about: 'The same for one that is not ready.',
    official: 'Cluster Autoscaler --scale-down-unready-time',
  }),
  scaleDownDelayAfterAdd: duration({
    default: 600_000,
    min: 0,
    about: 'No node is removed for so long after nodes were ordered.',
    official: 'Cluster Autoscaler --scale-down-delay-after-add',
  }),
  scaleDownDelayAfterDelete: duration({
    default: 0,
    min: 0,
    about: 'No node is removed for so long after another one was.',
    official: 'Cluster Autoscaler --scale-down-delay-after-delete',
  }),
  scaleDownDelayAfterFailure: duration({
    default: 180_000,
    min: 0,
    about: 'No node is removed for so long after one could not be.',
    official: 'Cluster Autoscaler --scale-down-delay-after-failure',
  }),
  maxEmptyBulkDelete: int({
    default: 10,
    min: 1,
    about: 'Nodes that may be on their way out at the same time.',
    official: 'Cluster Autoscaler --max-empty-bulk-delete, --max-scale-down-parallelism',
  }),
  maxDrainParallelism: int({
    default: 1,
    min: 0,
    about: 'How many of these may have pods to get rid of.',
    official: 'Cluster Autoscaler --max-drain-parallelism',
  }),
  maxGracefulTermination: duration({
    default: 600_000,
    min: 0,
    about: 'Time that evicted pods have to end.',
    official: 'Cluster Autoscaler --max-graceful-termination-sec',
  }),
  expendablePodsPriorityCutoff: int({
    default: -10,
    about: 'Pods of a lower priority neither bring nodes nor keep them.',
    official: 'Cluster Autoscaler --expendable-pods-priority-cutoff',
  }),
} as const;

export const clusterAutoscaler = defineNodeAutoscaler({
  name: 'cluster-autoscaler',
  summary: 'Orders nodes for pending pods, removes nodes whose pods fit elsewhere.',
  useWhen: 'The number of pods changes by more than the nodes at hand can take.',
  failsWhen: 'Load rises faster than machines start, or pods reserve what they do not use.',
  cost: 'O(pods · nodes) per scan',
  sources: [
    'kubernetes/autoscaler: cluster-autoscaler/FAQ.md',
    'kubernetes/autoscaler: cluster-autoscaler/core/{static_autoscaler.go,scaleup,scaledown}',
  ],
  aliases: [{ system: 'Kubernetes', name: 'cluster-autoscaler' }],
  params,
  create: (values, deps) => new ClusterAutoscaler(values, deps),
});

class ClusterAutoscaler implements NodeAutoscaler {
  readonly decideEveryMs: Ms;
  readonly #params: ParamValues<typeof params>;
  readonly #deps: NodeAutoscalerDeps;
  readonly #expanders: readonly Expander[];
  readonly #backoff: GroupBackoff;
  readonly #provisioning: Provisioning;
  /** Since when nodes are unneeded. */
  #unneededSince: ReadonlyMap<number, Ms> = new Map();
  #addedAtMs: Ms = -Infinity;
  #removedAtMs: Ms = -Infinity;
  #failedAtMs: Ms = -Infinity;

  constructor(values: ParamValues<typeof params>, deps: NodeAutoscalerDeps) {
    this.decideEveryMs = values.scanInterval;
    this.#params = values;
    this.#deps = deps;
    this.#expanders = parseExpanders(values.expander);
    this.#backoff = new GroupBackoff({
      initialMs: values.initialNodeGroupBackoffDuration,
      maxMs: values.maxNodeGroupBackoffDuration,
      resetMs: values.nodeGroupBackoffResetTimeout,
    });
    this.#provisioning = new Provisioning(values.maxNodeProvisionTime, this.#backoff);
  }

  decide(observation: NodesObservation): NodesDecision {
    const cancellations = this.#deps.groups.flatMap(({ name }) => this.#provisioning.review(name, observation));
    const decided = (reason: NodesReason, change: Partial<NodesDecision> = {}): NodesDecision => ({
      increases: [],
      removals: [],
      ...change,
      cancellations,
      reason,
    });
    if (!this.#isHealthy(observation.nodes, observation.nowMs)) return decided('Unhealthy');
    const homeless = this.#homeless(observation);
    const grown = homeless.length === 0 ? undefined : this.#grow(homeless, observation);
    if (grown !== undefined) return decided('ScaledUp', { increases: [grown] });
    const unneeded = this.#unneeded(observation);
    if (this.#isCoolingDown(observation.nowMs)) return decided('ScaleDownInCooldown');
    const removals = this.#remove(unneeded, observation);
    if (removals.length > 0) return decided('ScaledDown', { removals });
    return decided(homeless.length > 0 ? 'NoScaleUpOption' : 'NoChange');
  }

  onIncreaseFailed(group: string, nowMs: Ms): void {
    this.#provisioning.onRefused(group, nowMs);
  }

  onRemovalFailed(node: number, nowMs: Ms): void {
    this.#failedAtMs = nowMs;
    this.#unneededSince = new Map([...this.#unneededSince].filter(([other]) => other !== node));
  }

  /** Whether few enough of these nodes are unready, other than those that are just starting. */
  #isHealthy(nodes: readonly NodeState[], nowMs: Ms): boolean {
    const { okTotalUnreadyCount, maxTotalUnreadyPercentage } = this.#params;
    const unready = nodes.filter(
      (node) => !node.isReady && !node.isLeaving && !this.#provisioning.isStarting(node, nowMs),
    ).length;
    return unready <= okTotalUnreadyCount || unready <= (maxTotalUnreadyPercentage / 100) * nodes.length;
  }

  /** Pods without a place that neither a node that is there nor one on its way has room for. */
  #homeless(observation: NodesObservation): readonly PodShape[] {
    const { nowMs, nodes } = observation;
    const packing = new Packing(this.#deps.fits);
    for (const node of nodes) {
      if (node.isLeaving || !(node.isReady || this.#provisioning.isStarting(node, nowMs))) continue;
      packing.add(node, this.#podsOn(node.node, observation));
    }
    let index = 0;
    for (const group of this.#deps.groups)
      for (let left = this.#provisioning.missing(group.name, observation); left > 0; left--)
        packing.add(imagined(group, index++), []);
    return this.#waiting(observation).filter((pod) => packing.place(pod) === undefined);
  }

  /** Pods that count and need a place: those on nodes that are being emptied, and those pending, the most important first. */
  #waiting(observation: NodesObservation): readonly PlacedPod[] {
    const { nodes, pending, nowMs } = observation;
    const drained = nodes
      .filter(({ isLeaving }) => isLeaving)
      .flatMap(({ node }) => this.#podsOn(node, observation).filter(({ isDaemon }) => !isDaemon));
    const due = pending
      .filter((pod) => this.#counts(pod) && nowMs - pod.pendingSinceMs >= this.#params.newPodScaleUpDelay)
      .map((pod) => ({ ...pod, isDaemon: false, isMovable: true }));
    return [...drained, ...due].sort((a, b) => b.priority - a.priority || a.pod - b.pod);
  }

  #grow(homeless: readonly PodShape[], observation: NodesObservation): GroupChange | undefined {
    const { nodes, nowMs } = observation;
    const options = this.#deps.groups.flatMap((group): readonly ScaleUpOption[] => {
      const { name, max } = group;
      const mayGrow =
        !this.#backoff.isBackedOff(name, nowMs) &&
        this.#isHealthy(
          nodes.filter((node) => node.group === name),
          nowMs,
        );
      if (!mayGrow) return [];
      const estimate = estimateNodes(homeless, group, Math.max(0, max - observation.target(name)), this.#deps.fits);
      return estimate.nodes > 0 ? [{ group, ...estimate }] : [];
    });
    if (options.length === 0) return undefined;
    const best = chooseOption(options, this.#expanders, this.#deps.rng);
    this.#provisioning.onOrdered(best.group.name, nowMs);
    this.#addedAtMs = nowMs;
    return { group: best.group.name, by: best.nodes };
  }

  /** Nodes that could go together, empty ones first; for each, the pods that would have to be evicted. Remembers since when. */
  #unneeded(observation: NodesObservation): readonly Unneeded[] {
    const { nodes, nowMs } = observation;
    const packing = new Packing<PlacedPod>(this.#deps.fits);
    for (const node of nodes) if (node.isReady && !node.isLeaving) packing.add(node, this.#podsOn(node.node, observation));
    // Places that others are about to take are not free.
    for (const pod of this.#waiting(observation)) packing.place(pod);
    const candidates = nodes.flatMap((node): readonly Unneeded[] => {
      const group = this.#deps.groups.find(({ name }) => name === node.group);
      if (group === undefined || node.isLeaving || this.#provisioning.isStarting(node, nowMs)) return [];
      const present = this.#podsOn(node.node, observation);
      const expected = node.isReady ? packing.podsOn(node.node) : present;
      const isUnderused = utilization(expected, node) < this.#params.scaleDownUtilizationThreshold;
      const evict = present.filter(({ isDaemon }) => !isDaemon);
      return isUnderused && evict.every(({ isMovable }) => isMovable) ? [{ node, group, evict }] : [];
    });
    const emptyFirst = [...candidates].sort((a, b) => Math.sign(a.evict.length) - Math.sign(b.evict.length));
    const unneeded = emptyFirst.filter((candidate) => this.#canGo(candidate, packing));
    this.#unneededSince = new Map(unneeded.map(({ node: { node } }) => [node, this.#unneededSince.get(node) ?? nowMs]));
    return unneeded;
  }

  /** Whether a node's pods find places, and those that came to it in thought as well; if so they have moved. */
  #canGo({ node, evict }: Unneeded, packing: Packing<PlacedPod>): boolean {
    if (evict.length > 0 && !this.#deps.mayEvict(evict)) return false;
    // One that is not ready is no place for others, so it is not in the packing.
    const moved = node.isReady ? packing.podsOn(node.node).filter(({ isDaemon }) => !isDaemon) : evict;
    return packing.empty(node.node, moved);
  }

  #isCoolingDown(nowMs: Ms): boolean {
    const { scaleDownDelayAfterAdd, scaleDownDelayAfterDelete, scaleDownDelayAfterFailure } = this.#params;
    return (
      this.#addedAtMs + scaleDownDelayAfterAdd > nowMs ||
      this.#removedAtMs + scaleDownDelayAfterDelete > nowMs ||
      this.#failedAtMs + scaleDownDelayAfterFailure > nowMs
    );
  }

  #remove(unneeded: readonly Unneeded[], observation: NodesObservation): readonly NodeRemoval[] {
    const { nowMs, nodes } = observation;
    const { maxEmptyBulkDelete, maxDrainParallelism, maxGracefulTermination } = this.#params;
    const leaving = nodes.filter(({ isLeaving }) => isLeaving);
    let room = maxEmptyBulkDelete - leaving.length;
    let drains =
      maxDrainParallelism -
      leaving.filter(({ node }) => this.#podsOn(node, observation).some(({ isDaemon }) => !isDaemon)).length;
    const left = new Map(this.#deps.groups.map(({ name }) => [name, observation.target(name)]));
    const removals: NodeRemoval[] = [];
    const evicted: PlacedPod[] = [];
    for (const { node, group, evict } of unneeded) {
      if (!this.#wasUnneededLongEnough(node, nowMs) || left.get(group.name)! <= group.min || room <= 0) continue;
      if (evict.length > 0) {
        // Each was asked for alone before.
        if (drains <= 0 || !this.#deps.mayEvict([...evicted, ...evict])) continue;
        evicted.push(...evict);
        drains--;
      }
      room--;
      left.set(group.name, left.get(group.name)! - 1);
      // Expendable pods on it go too, and nobody waits for a place for them.
      const pods = observation.podsOn(node.node).filter(({ isDaemon }) => !isDaemon);
      removals.push({ node: node.node, evict: pods.map(({ pod }) => pod), graceMs: maxGracefulTermination });
    }
    if (removals.length > 0) this.#removedAtMs = nowMs;
    return removals;
  }

  #wasUnneededLongEnough({ node, isReady }: NodeState, nowMs: Ms): boolean {
    const { scaleDownUnneededTime, scaleDownUnreadyTime } = this.#params;
    return this.#unneededSince.get(node)! + (isReady ? scaleDownUnneededTime : scaleDownUnreadyTime) < nowMs;
  }

  #podsOn(node: number, observation: NodesObservation): readonly PlacedPod[] {
    return observation.podsOn(node).filter((pod) => this.#counts(pod));
  }

  #counts({ priority }: { readonly priority: number }): boolean {
    return priority >= this.#params.expendablePodsPriorityCutoff;
  }
}

interface Unneeded {
  readonly node: NodeState;
  readonly group: NodeGroup;
  readonly evict: readonly PlacedPod[];
}
