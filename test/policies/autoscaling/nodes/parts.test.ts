/** The parts of the cluster autoscaler: packing, choosing a group, leaving a group alone, and the times of scaling down. */
import { describe, expect, it } from 'vitest';
import { chooseOption, parseExpanders, type ScaleUpOption } from '../../../../src/policies/autoscaling/nodes/expanders.ts';
import { GroupBackoff } from '../../../../src/policies/autoscaling/nodes/group-backoff.ts';
import {
  clusterAutoscaler,
  type NodeGroup,
  type NodesDecision,
  type NodesObservation,
  type NodeState,
  type PendingPod,
  type PlacedPod,
  type PodShape,
} from '../../../../src/policies/autoscaling/nodes/index.ts';
import { estimateNodes, type Fits, Packing, utilization } from '../../../../src/policies/autoscaling/nodes/packing.ts';
import { testRng, unusedRng } from '../../fixtures.ts';

const fits: Fits = (pod, { allocatable }, beside) =>
  beside.reduce((sum, { requests }) => sum + requests.cpu, pod.requests.cpu) <= allocatable.cpu;
const pod = (number: number, cpu: number, memory = 0): PodShape => ({ pod: number, requests: { cpu, memory }, priority: 0 });
const group = (name: string, cpu: number, extra: Partial<NodeGroup> = {}): NodeGroup => ({
  name,
  zone: 'z',
  min: 0,
  max: 10,
  price: 1,
  priority: 0,
  template: { labels: {}, taints: [], allocatable: { cpu, memory: 1000 } },
  ...extra,
});
const numbers = (pods: readonly PodShape[]): readonly number[] => pods.map(({ pod }) => pod);

describe('packing', () => {
  it('puts the largest first, each on the first node that has room', () => {
    // 600 | 500 + 400 | and 300 goes back to the first: two nodes, where the order of arrival would need three.
    const pods = [pod(1, 300), pod(2, 500), pod(3, 600), pod(4, 400)];
    expect(estimateNodes(pods, group('a', 1000), 10, fits)).toEqual({ nodes: 2, pods: [pods[2], pods[1], pods[3], pods[0]] });
  });

  it('leaves out what no node holds and what is beyond the limit', () => {
    const pods = [pod(1, 1500), pod(2, 900), pod(3, 900), pod(4, 100)];
    const estimate = estimateNodes(pods, group('a', 1000), 1, fits);
    expect(estimate.nodes).toBe(1);
    expect(numbers(estimate.pods)).toEqual([2, 4]);
  });

  it('takes a node away only if all of its pods find a place', () => {
    const packing = new Packing(fits);
    const { template } = group('a', 1000);
    for (const node of [1, 2, 3]) packing.add({ ...template, node, group: 'a' }, [pod(node, 600)]);
    const small = [pod(10, 300), pod(11, 300), pod(12, 300)];
    packing.add({ ...template, node: 4, group: 'a' }, small);
    expect(packing.empty(1, packing.podsOn(1))).toBe(false);
    expect(packing.empty(4, small)).toBe(true);
    expect([1, 2, 3, 4].map((node) => numbers(packing.podsOn(node)))).toEqual([[1, 10], [2, 11], [3, 12], []]);
    // Two of three would find a place; nothing is left of the attempt.
    expect(packing.empty(1, [pod(20, 100), pod(21, 100), pod(22, 200)])).toBe(false);
    expect([1, 2, 3].map((node) => numbers(packing.podsOn(node)))).toEqual([
      [1, 10],
      [2, 11],
      [3, 12],
    ]);
  });

  it('takes the more used of processor and memory for the utilization', () => {
    expect(utilization([pod(1, 200, 100), pod(2, 100, 500)], group('a', 1000).template)).toBe(0.6);
    expect(utilization([], group('a', 1000).template)).toBe(0);
  });
});

describe('expanders', () => {
  const option = (own: NodeGroup, nodes: number, pods: readonly PodShape[]): ScaleUpOption => ({ group: own, nodes, pods });
  const three = [pod(1, 500, 100), pod(2, 500, 100), pod(3, 500, 100)];
  const small = option(group('small', 500, { price: 1, priority: 5 }), 3, three);
  const large = option(group('large', 2000, { price: 3.5, priority: 1 }), 1, three);
  const partial = option(group('partial', 1000, { price: 0.5, priority: 5 }), 1, three.slice(0, 2));
  const all = [small, large, partial];
  const chosen = (text: string): string => chooseOption(all, parseExpanders(text), unusedRng).group.name;

  it('choose by their measure', () => {
    // Wasted: small 0 + 0.9, large 0.25 + 0.7, partial 0 + 0.8.
    expect(chosen('least-waste')).toBe('partial');
    expect(chosen('price')).toBe('partial');
  });

  it('can be chained: the next decides what the one before leaves open', () => {
    expect(chosen('most-pods,least-nodes')).toBe('large');
    expect(chosen('least-nodes, most-pods')).toBe('large');
    expect(chosen('priority,least-nodes')).toBe('partial');
    expect(chosen('priority,most-pods')).toBe('small');
  });

  it('weighs the price of the nodes against what the pods are worth', () => {
    // All need one node for the same pods: the cheapest. Twice the pods for less than twice the price is cheaper still.
    const cheap = option(group('cheap', 1000, { price: 2 }), 1, [pod(1, 500, 100)]);
    const roomy = option(group('roomy', 2000, { price: 3 }), 1, [pod(1, 500, 100), pod(2, 500, 100)]);
    expect(chooseOption([cheap, roomy], ['price'], unusedRng).group.name).toBe('roomy');
  });

  it('draw among equals, each about as often', () => {
    const rng = testRng(1);
    const twins = [small, option(group('twin', 500), 3, three)];
    const draws = Array.from({ length: 1000 }, () => chooseOption(twins, ['most-pods'], rng).group.name);
    // Binomial with a standard deviation of 16; the seed is fixed.
    expect(Math.abs(draws.filter((name) => name === 'twin').length - 500)).toBeLessThan(65);
  });

  it('refuse names that they do not know', () => {
    expect(() => parseExpanders('least-waste,cheapest')).toThrow('there is no expander "cheapest"');
  });
});

describe('the back-off of a group', () => {
  const minute = 60_000;
  const backoff = (): GroupBackoff => new GroupBackoff({ initialMs: 5 * minute, maxMs: 30 * minute, resetMs: 180 * minute });
  /** How long the group is left alone after a failure at a moment, in minutes. */
  const lengthAfter = (own: GroupBackoff, atMinute: number): number => {
    own.onFailed('a', atMinute * minute);
    let length = 0;
    while (own.isBackedOff('a', (atMinute + length) * minute)) length++;
    return length;
  };

  it('is 5, 10, 20, 30, 30 minutes for failures one after the other', () => {
    const own = backoff();
    expect([0, 6, 20, 50, 90].map((at) => lengthAfter(own, at))).toEqual([5, 10, 20, 30, 30]);
  });

  it('does not grow for failures in the middle of it', () => {
    const own = backoff();
    expect([0, 1, 2].map((at) => lengthAfter(own, at))).toEqual([5, 5, 5]);
  });

  it('is forgotten after three hours, and when the group grew', () => {
    const own = backoff();
    expect([0, 6, 186, 367].map((at) => lengthAfter(own, at))).toEqual([5, 10, 20, 5]);
    own.onGrown('a');
    expect(own.isBackedOff('a', 367 * minute)).toBe(false);
    expect(lengthAfter(own, 380)).toBe(5);
    expect(own.isBackedOff('b', 380 * minute)).toBe(false);
  });
});

describe('the cluster autoscaler', () => {
  const minute = 60_000;
  const node = (number: number, extra: Partial<NodeState> = {}): NodeState => ({
    ...group('a', 1000).template,
    node: number,
    group: 'a',
    isReady: true,
    joinedAtMs: 0,
    wasReady: true,
    isLeaving: false,
    ...extra,
  });
  const placed = (number: number, cpu: number, extra: Partial<PlacedPod> = {}): PlacedPod => ({
    ...pod(number, cpu),
    isDaemon: false,
    isMovable: true,
    ...extra,
  });
  const pending = (number: number, cpu: number, sinceMs = 0): PendingPod => ({ ...pod(number, cpu), pendingSinceMs: sinceMs });
  interface World {
    readonly nodes: readonly NodeState[];
    readonly pods?: Readonly<Record<number, readonly PlacedPod[]>>;
    readonly pending?: readonly PendingPod[];
    readonly target?: number;
  }
  const seen = ({ nodes, pods = {}, pending = [], target }: World, nowMs: number): NodesObservation => ({
    nowMs,
    nodes,
    podsOn: (number) => pods[number] ?? [],
    pending,
    target: () => target ?? nodes.filter(({ isLeaving }) => !isLeaving).length,
  });
  const make = (
    params: object = {},
    groups = [group('a', 1000)],
    mayEvict: (pods: readonly PodShape[]) => boolean = () => true,
  ) => clusterAutoscaler.make(params, { rng: unusedRng, groups, fits, mayEvict });
  /** Decisions of scans every ten seconds, from 0 to the end, of a world that does not change; the first that does something. */
  const firstRemoval = (
    world: World,
    params: object = {},
  ): { readonly atMs: number; readonly decision: NodesDecision } | undefined => {
    const autoscaler = make(params);
    for (let atMs = 0; atMs <= 30 * minute; atMs += 10_000) {
      const decision = autoscaler.decide(seen(world, atMs));
      if (decision.removals.length > 0) return { atMs, decision };
    }
    return undefined;
  };

  it('removes an empty node after ten minutes, strictly, and one that is not ready after twenty', () => {
    expect(firstRemoval({ nodes: [node(1)] })?.atMs).toBe(10 * minute + 10_000);
    expect(firstRemoval({ nodes: [node(1, { isReady: false })] })?.atMs).toBe(20 * minute + 10_000);
  });

  it('removes at most ten empty nodes at a time, and drains one', () => {
    const many = Array.from({ length: 14 }, (_, i) => node(i + 1));
    expect(firstRemoval({ nodes: many })?.decision.removals).toHaveLength(10);
    const pods = { 1: [placed(1, 100)], 2: [placed(2, 100)], 3: [placed(3, 700)] };
    const drained = firstRemoval({ nodes: [node(1), node(2), node(3)], pods })?.decision;
    expect(drained).toMatchObject({ removals: [{ node: 1, evict: [1], graceMs: 600_000 }], reason: 'ScaledDown' });
  });

  it('does not begin to drain while another node is drained', () => {
    const pods = { 1: [placed(1, 100)], 2: [placed(2, 100)], 3: [placed(3, 600)] };
    const nodes = [node(1, { isLeaving: true }), node(2), node(3)];
    expect(firstRemoval({ nodes, pods })).toBeUndefined();
    expect(firstRemoval({ nodes, pods: { ...pods, 1: [] } })?.decision.removals[0].node).toBe(2);
  });

  it('keeps a node that is half full, one whose pods fit nowhere, and one that a pending pod is about to take', () => {
    const full = { 2: [placed(9, 900)] };
    expect(firstRemoval({ nodes: [node(1), node(2)], pods: { ...full, 1: [placed(1, 500)] } })).toBeUndefined();
    expect(firstRemoval({ nodes: [node(1), node(2)], pods: { ...full, 1: [placed(1, 499)] } })).toBeUndefined();
    expect(firstRemoval({ nodes: [node(1), node(2)], pods: full, pending: [pending(5, 300)] })).toBeUndefined();
  });

  it('keeps room for what is being moved away from another node, and orders where there is none', () => {
    const nodes = [node(1, { isLeaving: true }), node(2)];
    const pods = { 1: [placed(1, 700)] };
    expect(firstRemoval({ nodes, pods })).toBeUndefined();
    expect(firstRemoval({ nodes, pods: {} })?.decision.removals[0].node).toBe(2);
    expect(make().decide(seen({ nodes: nodes.slice(0, 1), pods }, 0)).increases).toEqual([{ group: 'a', by: 1 }]);
  });

  it('counts daemons as used but does not move them, and does not see expendable pods', () => {
    const daemon = placed(1, 450, { isDaemon: true });
    const spare = placed(2, 900, { priority: -11 });
    expect(firstRemoval({ nodes: [node(1)], pods: { 1: [daemon, spare] } })?.decision.removals).toEqual([
      { node: 1, evict: [2], graceMs: 600_000 },
    ]);
    expect(firstRemoval({ nodes: [node(1)], pods: { 1: [daemon, placed(3, 100)] } })).toBeUndefined();
  });

  it('starts to count anew when a node was needed in between', () => {
    const autoscaler = make();
    const quiet = { nodes: [node(1)] };
    const busy = { ...quiet, pods: { 1: [placed(1, 800)] } };
    for (let atMs = 0; atMs < 9 * minute; atMs += 10_000) autoscaler.decide(seen(quiet, atMs));
    autoscaler.decide(seen(busy, 9 * minute));
    expect(autoscaler.decide(seen(quiet, 10 * minute)).removals).toEqual([]);
    expect(autoscaler.decide(seen(quiet, 19 * minute)).removals).toEqual([]);
    expect(autoscaler.decide(seen(quiet, 20 * minute + 10_000)).removals).toHaveLength(1);
  });

  it('removes nothing for ten minutes after it ordered, and for three after a removal failed', () => {
    const autoscaler = make();
    const quiet: World = { nodes: [node(1), node(2)], target: 2 };
    for (let atMs = 0; atMs < 9 * minute; atMs += 10_000) autoscaler.decide(seen(quiet, atMs));
    const ordered = autoscaler.decide(
      seen({ ...quiet, pods: { 1: [placed(1, 900)], 2: [placed(2, 900)] }, pending: [pending(3, 900)] }, 9 * minute),
    );
    expect(ordered).toMatchObject({ increases: [{ group: 'a', by: 1 }], reason: 'ScaledUp' });
    for (let atMs = 9 * minute + 10_000; atMs < 19 * minute; atMs += 10_000)
      expect(autoscaler.decide(seen(quiet, atMs)).reason).toBe('ScaleDownInCooldown');
    expect(autoscaler.decide(seen(quiet, 19 * minute)).removals).toHaveLength(2);
    autoscaler.onRemovalFailed(1, 20 * minute);
    expect(autoscaler.decide(seen(quiet, 22 * minute)).reason).toBe('ScaleDownInCooldown');
    // Node 2 was unneeded all the time; node 1 begins anew.
    expect(autoscaler.decide(seen(quiet, 23 * minute)).removals.map((removal) => removal.node)).toEqual([2]);
  });

  it('asks the budgets for all that it evicts together', () => {
    const asked: number[] = [];
    const autoscaler = make({ maxDrainParallelism: 5, scaleDownUnneededTime: 0 }, undefined, (pods) => {
      asked.push(pods.length);
      return pods.length < 2;
    });
    const pods = { 1: [placed(1, 100)], 2: [placed(2, 100)], 3: [placed(3, 700)] };
    const world = { nodes: [node(1), node(2), node(3)], pods };
    autoscaler.decide(seen(world, 0));
    expect(autoscaler.decide(seen(world, 10_000)).removals).toHaveLength(1);
    expect(Math.max(...asked)).toBe(2);
  });

  it('waits for pods to be pending long enough, if it is told to', () => {
    const autoscaler = make({ newPodScaleUpDelay: 30_000 });
    const world = { nodes: [], pending: [pending(1, 500, 0)] };
    expect(autoscaler.decide(seen(world, 20_000)).increases).toEqual([]);
    expect(autoscaler.decide(seen(world, 30_000)).increases).toEqual([{ group: 'a', by: 1 }]);
  });

  it('gives an order up after fifteen minutes, and orders again when the back-off is over', () => {
    const autoscaler = make();
    const world = { nodes: [], pending: [pending(1, 500)] };
    expect(autoscaler.decide(seen({ ...world, target: 0 }, 0)).increases).toEqual([{ group: 'a', by: 1 }]);
    expect(autoscaler.decide(seen({ ...world, target: 1 }, 15 * minute))).toMatchObject({ increases: [], cancellations: [] });
    expect(autoscaler.decide(seen({ ...world, target: 1 }, 15 * minute + 1)).cancellations).toEqual([{ group: 'a', by: 1 }]);
    expect(autoscaler.decide(seen({ ...world, target: 0 }, 20 * minute))).toMatchObject({
      increases: [],
      reason: 'NoScaleUpOption',
    });
    expect(autoscaler.decide(seen({ ...world, target: 0 }, 20 * minute + 1)).increases).toEqual([{ group: 'a', by: 1 }]);
  });

  it('does nothing while more than three nodes and more than 45 % are unready', () => {
    const world = (unready: number, all: number): World => ({
      nodes: Array.from({ length: all }, (_, i) => node(i + 1, { isReady: i >= unready })),
      pending: [pending(1, 999)],
      pods: Object.fromEntries(Array.from({ length: all }, (_, i) => [i + 1, [placed(100 + i, 900)]])),
    });
    const reason = (unready: number, all: number): string =>
      make({}, [group('a', 1000, { max: 20 })]).decide(seen(world(unready, all), 0)).reason;
    expect([reason(3, 3), reason(4, 9), reason(5, 11), reason(4, 8)]).toEqual(['ScaledUp', 'ScaledUp', 'Unhealthy', 'Unhealthy']);
  });
});
