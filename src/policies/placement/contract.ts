/** What every scheduler owes its host, as checks that can be run on one. Each rule returns the violations it found, in words; none is
 *  good. The checks know by themselves where a pod may run: they share no code with the filters. All that a scheduler is shown is frozen. */
import type { Rng } from '../../core/rng.ts';
import { Xoshiro128 } from '../../core/xoshiro.ts';
import {
  clusterEvents,
  type ClusterView,
  NO_PLACE,
  type NodeView,
  type Placement,
  type PodView,
  type Scheduler,
} from './scheduler.ts';

export type MakeScheduler = (rng: Rng) => Scheduler;

export interface SchedulerRule {
  /** A sentence that the scheduler should make true. */
  readonly name: string;
  check(make: MakeScheduler): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkScheduler = (make: MakeScheduler): readonly string[] =>
  schedulerRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

const seeds = [1, 2, 3, 4, 5];

/** A rule that holds for every single answer, in worlds of several sizes. */
const always = (name: string, check: (step: Step) => readonly string[]): SchedulerRule => ({
  name,
  check: (make) =>
    seeds.flatMap((seed) => {
      const trial = new SchedulerTrial(make, seed, 3 * seed);
      const found: string[] = [];
      for (let i = 0; i < 60 && found.length < 5; i++) found.push(...check(trial.step()));
      return found;
    }),
});

export const schedulerRules: readonly SchedulerRule[] = [
  always('places only where the pod may run', ({ pod, world, placement: { node } }) => {
    if (node === NO_PLACE) return [];
    const reason = whyNot(pod, node, world);
    return reason === undefined ? [] : [`places pod ${pod.pod} on node ${node}: ${reason}`];
  }),
  always('finds a place wherever there is one', ({ pod, world, placement }) => {
    if (placement.node !== NO_PLACE) return [];
    const open = world.nodes.filter(({ node }) => whyNot(pod, node, world) === undefined);
    return open.length === 0 ? [] : [`finds no place for pod ${pod.pod}, which may run on ${open.map(({ node }) => node)}`];
  }),
  always('says for every node why it was refused', ({ pod, world, placement: { node, refusals } }) => {
    const counts = Object.values(refusals);
    const total = counts.reduce((sum, count) => sum + count, 0);
    const most = world.nodes.length - (node === NO_PLACE ? 0 : 1);
    return [
      ...(node === NO_PLACE && total < world.nodes.length ? [`explains ${total} of ${world.nodes.length} refusals`] : []),
      ...(counts.every((count) => Number.isInteger(count) && count >= 1 && count <= most)
        ? []
        : [`counts ${JSON.stringify(refusals)} with ${world.nodes.length} nodes for pod ${pod.pod}`]),
    ];
  }),
  always('says what could change its answer, if anything in particular', ({ placement: { node, retryOn } }) => {
    if (retryOn === undefined) return [];
    const unknown = retryOn.filter((event) => !clusterEvents.includes(event));
    return [
      ...(unknown.length === 0 ? [] : [`waits for ${unknown.join(', ')}`]),
      ...(node === NO_PLACE ? [] : ['waits although there is a place']),
      ...(retryOn.length > 0 ? [] : ['waits for nothing at all']),
    ];
  }),
  always('evicts only what is less important, on one node, and only if that makes room', checkPreemption),
  always('evicts nobody whose staying would leave room', ({ pod, world, placement: { preemption } }) => {
    if (preemption === undefined) return [];
    const { node, victims } = preemption;
    const spared = victims.filter((victim) => {
      const others = victims.filter((each) => each !== victim);
      return whyNot(pod, node, world.without(others)) === undefined;
    });
    return spared.length === 0 ? [] : [`evicts ${spared} from node ${node} for pod ${pod.pod} without need`];
  }),
  {
    name: 'gives a pod the room that was made for it',
    check: (make) =>
      seeds.flatMap((seed) => {
        const trial = new SchedulerTrial(make, seed, 4);
        const found: string[] = [];
        for (let i = 0; i < 80; i++) {
          const { pod, world, placement } = trial.step();
          if (placement.preemption === undefined) continue;
          const { node, victims } = placement.preemption;
          const retry = trial.scheduler.schedule(freeze({ ...pod, nominatedNode: node }), world.without(victims), 0);
          if (retry.node !== node) found.push(`puts pod ${pod.pod} on ${retry.node}, room was made on ${node}`);
        }
        return found;
      }),
  },
  {
    name: 'gives the same answers for the same questions and draws, whatever others of its kind were asked',
    check: (make) =>
      seeds.flatMap((seed) => {
        const [one, two, other] = [seed, seed, seed + 100].map((each) => new SchedulerTrial(make, each, 7));
        for (let i = 0; i < 60; i++) {
          const first = JSON.stringify(one.step().placement);
          other.step();
          const second = JSON.stringify(two.step().placement);
          if (first !== second) return [`answers ${first} and ${second}`];
        }
        return [];
      }),
  },
  {
    name: 'answers in an empty cluster, and in one with a single node',
    check: (make) => {
      const scheduler = make(smallRng(1));
      const empty = scheduler.schedule(plainPod(0), new World([], []), 0);
      const single = scheduler.schedule(plainPod(0), new World([plainNode(7)], []), 0);
      return [
        ...(empty.node === NO_PLACE ? [] : [`places a pod on ${empty.node} where there is no node`]),
        ...(empty.preemption === undefined ? [] : ['evicts where there is nobody']),
        ...(single.node === 7 ? [] : [`places a pod on ${single.node} where there is only node 7`]),
      ];
    },
  },
  {
    name: 'finds the only place among a thousand nodes',
    check: (make) => {
      const scheduler = make(smallRng(1));
      const taint = { key: 'closed', value: '', effect: 'NoSchedule' } as const;
      return [0, 500, 999].flatMap((open) => {
        const nodes = Array.from({ length: 1000 }, (_, node) => ({ ...plainNode(node), taints: node === open ? [] : [taint] }));
        const { node } = scheduler.schedule(plainPod(0), new World(nodes, []), 0);
        return node === open ? [] : [`finds ${node}, only ${open} is open`];
      });
    },
  },
];

function checkPreemption({ pod, world, placement: { node, preemption } }: Step): readonly string[] {
  if (preemption === undefined) return [];
  if (node !== NO_PLACE) return [`has a place for pod ${pod.pod} and evicts all the same`];
  const present = new Map(world.podsOn(preemption.node).map((each) => [each.pod, each]));
  const victims = preemption.victims.map((victim) => present.get(victim));
  if (victims.length === 0 || new Set(victims).size < victims.length || victims.includes(undefined))
    return [`evicts [${preemption.victims}] from node ${preemption.node}, where [${[...present.keys()]}] are`];
  const priorities = victims.map((victim) => victim!.priority);
  const reason = whyNot(pod, preemption.node, world.without(preemption.victims));
  return [
    ...(priorities.every((priority) => priority < pod.priority) ? [] : [`evicts [${priorities}] for ${pod.priority}`]),
    ...(priorities.every((priority, i) => i === 0 || priorities[i - 1] <= priority) ? [] : [`orders victims as [${priorities}]`]),
    ...(reason === undefined ? [] : [`evicts from node ${preemption.node} in vain: ${reason}`]),
  ];
}

/** Why a pod may not run on a node, in words; undefined if it may. */
function whyNot(pod: PodView, node: number, world: World): string | undefined {
  const view = world.nodes.find((each) => each.node === node);
  if (view === undefined) return 'there is no such node';
  const present = world.podsOn(node);
  for (const [resource, asked] of Object.entries(pod.requests)) {
    const used = present.reduce((sum, each) => sum + (each.requests[resource] ?? 0), 0);
    const has = view.allocatable[resource] ?? 0;
    if (resource !== 'pods' && asked > 0 && used + asked > has) return `${used} + ${asked} of ${has} ${resource}`;
  }
  const podLimit = view.allocatable.pods;
  if (podLimit !== undefined && present.length >= podLimit) return `${present.length} of ${podLimit} pods are there`;
  for (const { key, value, effect } of view.taints) {
    const tolerated = pod.tolerations.some(
      (each) =>
        (each.effect === undefined || each.effect === effect) &&
        (each.key === undefined ? each.operator === 'Exists' : each.key === key) &&
        (each.operator === 'Exists' || (each.value ?? '') === value),
    );
    if (effect !== 'PreferNoSchedule' && !tolerated) return `taint ${key}`;
  }
  if (!selects(pod.nodeSelector, view.labels)) return 'the selector';
  return whySkewed(pod, view, world);
}

function whySkewed(pod: PodView, view: NodeView, world: World): string | undefined {
  const hard = pod.spread.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule');
  const counts = (each: NodeView): boolean =>
    selects(pod.nodeSelector, each.labels) && hard.every(({ topologyKey }) => topologyKey in each.labels);
  if (hard.some(({ topologyKey }) => !(topologyKey in view.labels))) return 'a missing topology label';
  for (const { topologyKey, selector, maxSkew, minDomains = 1 } of hard) {
    const domains = [...new Set(world.nodes.filter(counts).map(({ labels }) => labels[topologyKey]))];
    const inDomain = (domain: string): number =>
      world.nodes
        .filter((each) => counts(each) && each.labels[topologyKey] === domain)
        .flatMap(({ node }) => world.podsOn(node))
        .filter((each) => selects(selector, each.labels) && !each.isTerminating).length;
    const least = domains.length < minDomains ? 0 : Math.min(...domains.map(inDomain));
    const skew = inDomain(view.labels[topologyKey]) + (selects(selector, pod.labels) ? 1 : 0) - least;
    if (skew > maxSkew) return `skew ${skew} over ${topologyKey}`;
  }
  return undefined;
}

const selects = (wanted: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean =>
  Object.entries(wanted).every(([key, value]) => labels[key] === value);

interface Placed {
  readonly pod: PodView;
  readonly node: number;
}

/** A cluster at one moment. */
class World implements ClusterView {
  readonly nodes: readonly NodeView[];
  readonly placed: readonly Placed[];
  readonly #pods = new Map<number, readonly PodView[]>();

  constructor(nodes: readonly NodeView[], placed: readonly Placed[]) {
    this.nodes = freeze(nodes);
    this.placed = placed;
    for (const { node } of nodes) this.#pods.set(node, freeze(placed.filter((each) => each.node === node).map(({ pod }) => pod)));
  }

  podsOn(node: number): readonly PodView[] {
    return this.#pods.get(node) ?? [];
  }

  /** One of each application may be evicted. */
  budgetViolations(pods: readonly PodView[]): number {
    return pods.length - new Set(pods.map(({ labels }) => labels.app)).size;
  }

  without(victims: readonly number[]): World {
    return new World(
      this.nodes,
      this.placed.filter(({ pod }) => !victims.includes(pod.pod)),
    );
  }
}

interface Step {
  readonly pod: PodView;
  readonly world: World;
  readonly placement: Placement;
}

/** A small cluster that fills up with all kinds of pods, some of which leave again. */
class SchedulerTrial {
  readonly scheduler: Scheduler;
  readonly #rng: Rng;
  #world: World;
  #nextPod = 0;

  constructor(make: MakeScheduler, seed: number, nodes: number) {
    this.#rng = new Xoshiro128(seed, 0x9e3779b9, 0x243f6a88, 0xb7e15162);
    this.scheduler = make(smallRng(seed));
    this.#world = new World(
      Array.from({ length: nodes }, (_, node) => this.#node(node)),
      [],
    );
  }

  step(): Step {
    const world = this.#world;
    const pod = this.#pod();
    const placement = this.scheduler.schedule(pod, world, 1000 * pod.pod);
    let placed = world.placed;
    if (placement.node !== NO_PLACE) {
      const started = freeze({ ...pod, startedAtMs: 1000 * pod.pod, isTerminating: this.#isDrawn(10) });
      placed = [...placed, { pod: started, node: placement.node }];
    }
    this.#world = new World(
      world.nodes,
      placed.filter(() => !this.#isDrawn(40)),
    );
    return { pod, world, placement };
  }

  #node(node: number): NodeView {
    const zone = `zone-${node % 3}`;
    return {
      ...plainNode(node),
      labels: {
        'kubernetes.io/hostname': `node-${node}`,
        ...(this.#isDrawn(8) ? {} : { 'topology.kubernetes.io/zone': zone }),
        disk: this.#isDrawn(3) ? 'ssd' : 'hdd',
      },
      taints: [
        ...(this.#isDrawn(5) ? [{ key: 'dedicated', value: 'batch', effect: 'NoSchedule' as const }] : []),
        ...(this.#isDrawn(4) ? [{ key: 'old', value: '', effect: 'PreferNoSchedule' as const }] : []),
      ],
      allocatable: { cpu: 1000 * (1 + this.#rng.below(4)), memory: GIB * (1 + this.#rng.below(4)), pods: 3 + this.#rng.below(8) },
      speed: 1 + this.#rng.below(3),
      latencyMs: this.#rng.below(50),
    };
  }

  #pod(): PodView {
    const app = `app-${this.#rng.below(3)}`;
    // Now and then an important one that takes the room of several.
    const scale = this.#isDrawn(4) ? 3 : 1;
    return freeze({
      ...plainPod(this.#nextPod++),
      labels: { app },
      requests: {
        ...(this.#isDrawn(6) ? {} : { cpu: 100 * scale * this.#rng.below(12) }),
        ...(this.#isDrawn(6) ? {} : { memory: (GIB / 8) * scale * this.#rng.below(10) }),
        ...(this.#isDrawn(12) ? { 'example.com/gpu': 1 } : {}),
      },
      priority: scale * this.#rng.below(4),
      tolerations: this.#isDrawn(3) ? [{ key: 'dedicated', operator: 'Exists' as const }] : [],
      spread: this.#isDrawn(3)
        ? [
            {
              topologyKey: this.#isDrawn(2) ? 'topology.kubernetes.io/zone' : 'kubernetes.io/hostname',
              maxSkew: 1 + this.#rng.below(2),
              whenUnsatisfiable: this.#isDrawn(2) ? ('ScheduleAnyway' as const) : ('DoNotSchedule' as const),
              selector: { app },
              ...(this.#isDrawn(3) ? { minDomains: 1 + this.#rng.below(4) } : {}),
            },
          ]
        : [],
      nodeSelector: this.#isDrawn(6) ? { disk: 'ssd' } : {},
    });
  }

  #isDrawn(oneIn: number): boolean {
    return this.#rng.below(oneIn) === 0;
  }
}

const GIB = 1024 * 1024 * 1024;

const plainNode = (node: number): NodeView => ({
  node,
  name: `node-${node}`,
  labels: {},
  taints: [],
  allocatable: { cpu: 4000, memory: 4 * GIB, pods: 110 },
  speed: 1,
  latencyMs: 1,
});

const plainPod = (pod: number): PodView => ({
  pod,
  labels: {},
  requests: {},
  priority: 0,
  tolerations: [],
  spread: [],
  nodeSelector: {},
  startedAtMs: Infinity,
  isTerminating: false,
});

/** So that whoever writes into it throws. */
function freeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) freeze(part);
  }
  return value;
}

const smallRng = (seed: number): Rng => new Xoshiro128(seed, 0x452821e6, 0x38d01377, 0xbe5466cf);
