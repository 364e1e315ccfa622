/** What every node autoscaler owes its host, as checks that can be run on one. Each rule returns the violations it found, in words; none
 *  is good. */
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import type {
  NodeAutoscaler,
  NodeAutoscalerDeps,
  NodeGroup,
  NodeShape,
  NodesObservation,
  NodeState,
  PlacedPod,
  PodShape,
} from './node-autoscaler.ts';

export type MakeNodeAutoscaler = (deps: NodeAutoscalerDeps) => NodeAutoscaler;

export interface NodesRule {
  /** A sentence that the autoscaler should make true. */
  readonly name: string;
  check(make: MakeNodeAutoscaler): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkNodeAutoscaler = (make: MakeNodeAutoscaler): readonly string[] =>
  nodesRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

const MINUTE: Ms = 60_000;
const HOUR: Ms = 60 * MINUTE;

export const nodesRules: readonly NodesRule[] = [
  {
    name: 'leaves a cluster alone in which everything has its place',
    check: (make) => {
      const cluster = new NodesTrial(make);
      cluster.start('a', 3, 1500);
      cluster.run(2 * HOUR);
      return cluster.expectTargets({ a: 3, b: 0 });
    },
  },
  {
    name: 'brings nodes until every pod runs, and not many more',
    check: (make) => {
      const cluster = new NodesTrial(make);
      cluster.addPods(12, { cpu: 500 });
      cluster.run(HOUR);
      return [...cluster.expectPending(0), ...cluster.expectNodes(3, 4)];
    },
  },
  {
    name: 'does not order again what is on its way',
    check: (make) => {
      const cluster = new NodesTrial(make);
      cluster.joinMs = 10 * MINUTE;
      cluster.addPods(8, { cpu: 500 });
      cluster.run(8 * MINUTE);
      return cluster.expectOrdered(1, 3);
    },
  },
  {
    name: 'orders nothing for pods that no node would hold, or that hardly matter',
    check: (make) => {
      const cluster = new NodesTrial(make);
      cluster.addPods(3, { cpu: 64_000 });
      cluster.addPods(3, { cpu: 500 }, { priority: -1_000_000 });
      cluster.run(HOUR);
      return cluster.expectOrdered(0, 0);
    },
  },
  {
    name: 'never goes beyond what a group may have',
    check: (make) => {
      const cluster = new NodesTrial(make);
      cluster.addPods(50, { cpu: 1000 });
      cluster.run(HOUR);
      return cluster.expectTargets({ a: MAX, b: MAX });
    },
  },
  {
    name: 'turns to another group when nodes do not come, and gives the order up',
    check: (make) => {
      const cluster = new NodesTrial(make);
      cluster.broken.add('a');
      cluster.addPods(8, { cpu: 500 });
      cluster.run(3 * HOUR);
      const first = [...cluster.expectPending(0), ...cluster.expectTargets({ a: 0 })];
      const mirrored = new NodesTrial(make);
      mirrored.broken.add('b');
      mirrored.addPods(8, { cpu: 500 });
      mirrored.run(3 * HOUR);
      return [...first, ...mirrored.expectPending(0), ...mirrored.expectTargets({ b: 0 })];
    },
  },
  {
    name: 'turns to another group when an order is refused',
    check: (make) =>
      ['a', 'b'].flatMap((group) => {
        const cluster = new NodesTrial(make);
        cluster.refused.add(group);
        cluster.addPods(8, { cpu: 500 });
        cluster.run(HOUR);
        return cluster.expectPending(0);
      }),
  },
  {
    name: 'removes nodes that are empty for long, but not at once and not below the minimum',
    check: (make) => {
      const cluster = new NodesTrial(make, 1);
      cluster.start('a', 4, 0);
      cluster.run(MINUTE);
      const atOnce = cluster.expectTargets({ a: 4 });
      cluster.run(2 * HOUR);
      return [...atOnce, ...cluster.expectTargets({ a: 1 })];
    },
  },
  {
    name: 'empties nodes whose pods fit elsewhere, and none of the pods stays without a place',
    check: (make) => {
      const cluster = new NodesTrial(make);
      cluster.start('a', 4, 400);
      cluster.run(3 * HOUR);
      return [...cluster.expectPending(0), ...cluster.expectNodes(1, 2)];
    },
  },
  {
    name: 'keeps nodes with pods that may not be moved or evicted',
    check: (make) => {
      const pinned = new NodesTrial(make);
      pinned.start('a', 3, 400, { isMovable: false });
      pinned.run(3 * HOUR);
      const protectedOnes = new NodesTrial(make);
      protectedOnes.mayEvict = false;
      protectedOnes.start('a', 3, 400);
      protectedOnes.run(3 * HOUR);
      return [...pinned.expectTargets({ a: 3 }), ...protectedOnes.expectTargets({ a: 3 })];
    },
  },
  {
    name: 'lets nodes of no group alone',
    check: (make) => {
      const cluster = new NodesTrial(make);
      cluster.start(undefined, 3, 0);
      cluster.run(2 * HOUR);
      return cluster.expectNodes(3, 3);
    },
  },
  {
    name: 'does not order nodes in the place of many that fell silent',
    check: (make) => {
      const cluster = new NodesTrial(make);
      cluster.start('a', 8, 1500);
      cluster.run(MINUTE);
      cluster.silence(7);
      cluster.addPods(20, { cpu: 500 });
      cluster.run(HOUR);
      return cluster.expectOrdered(0, 0);
    },
  },
];

const MAX = 10;

/** Two groups of nodes with two cores; nodes take a minute and a half to join and half a minute to be ready. */
class NodesTrial {
  readonly broken = new Set<string>();
  readonly refused = new Set<string>();
  readonly violations: string[] = [];
  joinMs: Ms = 90_000;
  mayEvict = true;
  readonly #autoscaler: NodeAutoscaler;
  readonly #groups: readonly NodeGroup[];
  readonly #targets = new Map<string, number>();
  readonly #nodes = new Map<number, NodeState>();
  readonly #pods = new Map<number, PlacedPod[]>();
  readonly #pending: (PlacedPod & { readonly pendingSinceMs: Ms })[] = [];
  readonly #later: { readonly atMs: Ms; act(): void }[] = [];
  #ordered = 0;
  #nextId = 1;
  #nowMs: Ms = 0;

  constructor(make: MakeNodeAutoscaler, min = 0) {
    const template = { labels: {}, taints: [], allocatable: { cpu: 2000, memory: 8 * 1024 * 1024 * 1024, pods: 110 } };
    this.#groups = ['a', 'b'].map((name, i) => ({
      name,
      zone: name,
      min: i === 0 ? min : 0,
      max: MAX,
      price: 1,
      priority: 2 - i,
      template,
    }));
    for (const { name } of this.#groups) this.#targets.set(name, 0);
    this.#autoscaler = make({ rng: firstChoice, groups: this.#groups, fits, mayEvict: () => this.mayEvict });
  }

  /** Ready nodes with one pod each, if it reserves something. */
  start(group: string | undefined, count: number, cpu: number, pod: Partial<PlacedPod> = {}): void {
    for (let i = 0; i < count; i++) {
      const node = this.#join(group, true);
      if (cpu > 0) this.#pods.set(node, [this.#pod({ cpu }, pod)]);
      if (group !== undefined) this.#targets.set(group, this.#targets.get(group)! + 1);
    }
  }

  addPods(count: number, requests: PodShape['requests'], pod: Partial<PlacedPod> = {}): void {
    for (let i = 0; i < count; i++) this.#pending.push({ ...this.#pod(requests, pod), pendingSinceMs: this.#nowMs });
  }

  /** The first so many nodes are not ready any more. */
  silence(count: number): void {
    for (const state of [...this.#nodes.values()].slice(0, count)) this.#nodes.set(state.node, { ...state, isReady: false });
  }

  run(forMs: Ms): void {
    for (const untilMs = this.#nowMs + forMs; this.#nowMs < untilMs; this.#nowMs += this.#autoscaler.decideEveryMs) {
      for (const event of this.#later.filter(({ atMs }) => atMs <= this.#nowMs)) {
        this.#later.splice(this.#later.indexOf(event), 1);
        event.act();
      }
      this.#schedule();
      this.#obey();
    }
  }

  expectTargets(expected: Readonly<Record<string, number>>): readonly string[] {
    const wrong = Object.entries(expected).filter(([group, count]) => this.#targets.get(group) !== count);
    return [
      ...this.violations,
      ...wrong.map(([group, count]) => `wants ${this.#targets.get(group)} nodes in ${group}, expected ${count}`),
    ];
  }

  expectNodes(atLeast: number, atMost: number): readonly string[] {
    const count = this.#nodes.size;
    const isWrong = count < atLeast || count > atMost;
    return [...this.violations, ...(isWrong ? [`has ${count} nodes, expected ${atLeast} to ${atMost}`] : [])];
  }

  expectOrdered(atLeast: number, atMost: number): readonly string[] {
    const isWrong = this.#ordered < atLeast || this.#ordered > atMost;
    return [...this.violations, ...(isWrong ? [`orders ${this.#ordered} nodes, expected ${atLeast} to ${atMost}`] : [])];
  }

  expectPending(expected: number): readonly string[] {
    const isWrong = this.#pending.length !== expected;
    return [...this.violations, ...(isWrong ? [`leaves ${this.#pending.length} pods pending, expected ${expected}`] : [])];
  }

  /** Puts pending pods where they fit. */
  #schedule(): void {
    for (const pod of [...this.#pending]) {
      const node = [...this.#nodes.values()].find(
        (state) => state.isReady && !state.isLeaving && fits(pod, state, this.#pods.get(state.node)!),
      );
      if (node === undefined) continue;
      this.#pending.splice(this.#pending.indexOf(pod), 1);
      this.#pods.get(node.node)!.push(pod);
    }
  }

  #obey(): void {
    const observation: NodesObservation = {
      nowMs: this.#nowMs,
      nodes: [...this.#nodes.values()],
      podsOn: (node) => this.#pods.get(node) ?? [],
      pending: [...this.#pending],
      target: (group) => this.#targets.get(group)!,
    };
    const { increases, cancellations, removals } = this.#autoscaler.decide(observation);
    for (const { group, by } of cancellations) {
      const joined = observation.nodes.filter((state) => state.group === group && !state.isLeaving).length;
      if (by > this.#targets.get(group)! - joined) this.violations.push(`gives up ${by} nodes of ${group}, which are there`);
      this.#targets.set(group, this.#targets.get(group)! - by);
    }
    for (const { group, by } of increases) this.#order(group, by);
    for (const { node, evict } of removals) this.#remove(node, evict);
  }

  #order(group: string, by: number): void {
    if (!(Number.isInteger(by) && by > 0)) this.violations.push(`orders ${by} nodes`);
    if (this.refused.has(group)) {
      this.#autoscaler.onIncreaseFailed(group, this.#nowMs);
      return;
    }
    const target = this.#targets.get(group)! + by;
    if (target > MAX) this.violations.push(`wants ${target} nodes in ${group}, which may have ${MAX}`);
    this.#targets.set(group, target);
    this.#ordered += by;
    if (this.broken.has(group)) return;
    for (let i = 0; i < by; i++) this.#later.push({ atMs: this.#nowMs + this.joinMs, act: () => this.#start(group) });
  }

  #start(group: string): void {
    const node = this.#join(group, false);
    const act = (): void => {
      const state = this.#nodes.get(node);
      if (state !== undefined) this.#nodes.set(node, { ...state, isReady: true, wasReady: true });
    };
    this.#later.push({ atMs: this.#nowMs + 30_000, act });
  }

  #join(group: string | undefined, isReady: boolean): number {
    const node = this.#nextId++;
    const { template } = this.#groups[0];
    this.#nodes.set(node, {
      ...template,
      node,
      group,
      isReady,
      wasReady: isReady,
      joinedAtMs: this.#nowMs,
      isLeaving: false,
    });
    this.#pods.set(node, []);
    return node;
  }

  #remove(node: number, evict: readonly number[]): void {
    const state = this.#nodes.get(node);
    if (state === undefined || state.isLeaving || state.group === undefined) {
      this.violations.push(`removes node ${node}, which is not there, leaving, or of no group`);
      return;
    }
    const pods = this.#pods.get(node)!;
    if (pods.some(({ pod }) => !evict.includes(pod))) this.violations.push(`removes node ${node} with pods it does not evict`);
    this.#nodes.set(node, { ...state, isLeaving: true });
    this.#targets.set(state.group, this.#targets.get(state.group)! - 1);
    for (const pod of pods) this.#pending.push({ ...pod, pendingSinceMs: this.#nowMs });
    this.#pods.set(node, []);
    this.#later.push({ atMs: this.#nowMs + MINUTE, act: () => this.#nodes.delete(node) });
  }

  #pod(requests: PodShape['requests'], pod: Partial<PlacedPod>): PlacedPod {
    return { pod: this.#nextId++, requests, priority: 0, isDaemon: false, isMovable: true, ...pod };
  }
}

function fits(pod: PodShape, { allocatable }: NodeShape, beside: readonly PodShape[]): boolean {
  return Object.entries(pod.requests).every(
    ([resource, asked]) =>
      beside.reduce((sum, { requests }) => sum + (requests[resource] ?? 0), asked) <= (allocatable[resource] ?? 0),
  );
}

/** Draws that always come out the same: a rule must hold for any. */
const firstChoice: Rng = { next: () => 0, uint32: () => 0, below: () => 0 };
