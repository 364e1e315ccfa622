/** The nodes that pods run on: which there are, what is reserved on them, and their life: ordered, provisioned, lost and back, interrupted,
 *  emptied, removed. Each group has as many places as it may have nodes; a place keeps its zone. */
import type { Streams } from '../../core/streams.ts';
import type { Ms } from '../../core/time.ts';
import type { Xoshiro128 } from '../../core/xoshiro.ts';
import type { NodeView, Taint } from '../../policies/placement/scheduler.ts';
import { nodeLabels } from '../../policies/placement/well-known-labels.ts';
import type { NodeGroupSpec, ServiceSpec } from '../../scenario/spec.ts';
import type { NodeData } from '../../stats/result.ts';
import { makeSampler, type Sampler } from '../../stats/samplers.ts';
import type { Fleet } from '../fleet.ts';
import type { Errands } from './errands.ts';

export const nodeStates = { empty: 0, ordered: 1, up: 2, down: 3 } as const;

const UNREACHABLE: Taint = { key: 'node.kubernetes.io/unreachable', value: '', effect: 'NoExecute' };
const UNSCHEDULABLE: Taint = { key: 'node.kubernetes.io/unschedulable', value: '', effect: 'NoSchedule' };

const MS_PER_HOUR = 3_600_000;
/** Nodes times windows that are kept for the report. */
const CELLS_MAX = 60_000;

export interface NodesHost {
  /** A node has joined, or has left for good. */
  joined(node: number): void;
  left(node: number): void;
  /** It has lost power, or has it again: with everything on it. */
  failed(node: number): void;
  recovered(node: number): void;
  /** It will be taken back soon. */
  announced(node: number): void;
}

export class Nodes {
  readonly groups: readonly NodeGroupSpec[];
  /** First place of each group, and one past the last of all. */
  readonly base: Int32Array;
  readonly count: number;
  readonly ids: readonly string[];
  readonly group: Int32Array;
  /** Index into the fleet's zones. */
  readonly zone: Int32Array;
  readonly state: Uint8Array;
  readonly joinedMs: Float64Array;
  /** Takes no new pods: it is being emptied. */
  readonly isCordoned: Uint8Array;
  /** As the eviction policy says. */
  readonly isTainted: Uint8Array;
  /** Pods on each node, by instance number. */
  readonly pods: readonly Set<number>[];
  /** Reserved: thousandths of a core, bytes. */
  readonly cpu: Float64Array;
  readonly memory: Float64Array;
  private readonly fleet: Fleet;
  private readonly errands: Errands;
  private readonly host: NodesHost;
  private readonly views: (NodeView | undefined)[];
  /** When each node has the image of each service, by service. */
  private readonly images: readonly Map<number, Ms>[];
  /** Reasons to be down, also of places that are empty. */
  private readonly downs: Int32Array;
  private readonly lives: Int32Array;
  private readonly provisioning: readonly Sampler[];
  private readonly interruptions: readonly (Sampler | undefined)[];
  private readonly rng: Xoshiro128;
  private readonly spotRng: Xoshiro128;
  private readonly spans: { fromMs: Ms; toMs: Ms; end: string }[][];
  /** Money spent on each place, up to the last change. */
  private cost: number;
  private readonly paidFromMs: Float64Array;
  private costAtWarmup: number;
  private readonly reserved: readonly number[][];
  private readonly isKept: boolean;
  /** Nodes that a group is to have. */
  private readonly targets: Int32Array;

  constructor(
    groups: readonly NodeGroupSpec[],
    fleet: Fleet,
    errands: Errands,
    streams: Streams,
    windows: number,
    host: NodesHost,
  ) {
    this.groups = groups;
    this.fleet = fleet;
    this.errands = errands;
    this.host = host;
    this.base = new Int32Array(groups.length + 1);
    groups.forEach(({ max }, group) => (this.base[group + 1] = this.base[group] + max));
    this.count = this.base[groups.length];
    this.ids = groups.flatMap(({ name, max }) => Array.from({ length: max }, (_, place) => `${name}/${place}`));
    this.group = new Int32Array(this.count);
    this.zone = new Int32Array(this.count);
    groups.forEach(({ zones, max }, group) => {
      for (let place = 0; place < max; place++) {
        this.group[this.base[group] + place] = group;
        this.zone[this.base[group] + place] = fleet.zoneNames.indexOf(zones[place % zones.length]);
      }
    });
    this.state = new Uint8Array(this.count);
    this.joinedMs = new Float64Array(this.count);
    this.isCordoned = new Uint8Array(this.count);
    this.isTainted = new Uint8Array(this.count);
    this.pods = Array.from({ length: this.count }, () => new Set<number>());
    this.cpu = new Float64Array(this.count);
    this.memory = new Float64Array(this.count);
    this.views = Array.from({ length: this.count });
    this.images = Array.from({ length: this.count }, () => new Map<number, Ms>());
    this.downs = new Int32Array(this.count);
    this.lives = new Int32Array(this.count);
    this.provisioning = groups.map(({ provisioning }) => makeSampler(provisioning));
    this.interruptions = groups.map(({ spot }) => spot && makeSampler(spot.interrupted));
    this.rng = streams.stream('node/provisioning');
    this.spotRng = streams.stream('node/spot');
    this.spans = Array.from({ length: this.count }, () => []);
    this.cost = 0;
    this.costAtWarmup = 0;
    this.paidFromMs = new Float64Array(this.count).fill(NaN);
    this.isKept = this.count * windows <= CELLS_MAX;
    this.reserved = Array.from({ length: this.count }, () => []);
    this.targets = Int32Array.from(groups, ({ count }) => count);
  }

  /** Those that are there from the beginning. */
  start(): void {
    this.groups.forEach(({ count }, group) => {
      for (let place = 0; place < count; place++) this.join(this.base[group] + place);
    });
  }

  /** How many the group is to have. */
  target(group: number): number {
    return this.targets[group];
  }

  /** Orders so many more in a zone of the group (by name; anywhere if empty); returns how many the quota did not allow. */
  order(group: number, zone: string, count: number): number {
    let left = count;
    for (let node = this.base[group]; node < this.base[group + 1] && left > 0; node++) {
      const isThere = zone === '' || this.fleet.zoneNames[this.zone[node]] === zone;
      if (this.state[node] !== nodeStates.empty || !isThere) continue;
      this.orderAt(node);
      this.targets[group]++;
      left--;
    }
    return left;
  }

  /** Gives up waiting for so many. */
  cancelOrders(group: number, zone: string, count: number): void {
    let left = count;
    for (let node = this.base[group + 1] - 1; node >= this.base[group] && left > 0; node--) {
      const isThere = zone === '' || this.fleet.zoneNames[this.zone[node]] === zone;
      if (this.state[node] !== nodeStates.ordered || !isThere) continue;
      this.state[node] = nodeStates.empty;
      this.lives[node]++;
      this.targets[group]--;
      left--;
    }
  }

  /** It takes no new pods any more, or does again. */
  cordon(node: number, isCordoned: boolean): void {
    this.isCordoned[node] = isCordoned ? 1 : 0;
    this.views[node] = undefined;
  }

  taint(node: number, isTainted: boolean): void {
    this.isTainted[node] = isTainted ? 1 : 0;
    this.views[node] = undefined;
  }

  /** For good; its pods must be gone. `isWanted`: nobody wants another in its stead. */
  remove(node: number, isReplaced: boolean, end: string): void {
    if (this.state[node] !== nodeStates.up && this.state[node] !== nodeStates.down) return;
    this.pay(node);
    this.paidFromMs[node] = NaN;
    this.state[node] = nodeStates.empty;
    this.lives[node]++;
    this.endSpan(node, end);
    this.images[node].clear();
    this.isCordoned[node] = 0;
    this.isTainted[node] = 0;
    this.views[node] = undefined;
    this.host.left(node);
    if (isReplaced) this.orderAt(node);
    else this.targets[this.group[node]]--;
  }

  /** A cause of failure comes to a place, or goes. */
  fail(node: number, begins: boolean): void {
    if (begins) {
      if (this.downs[node]++ > 0 || this.state[node] !== nodeStates.up) return;
      this.state[node] = nodeStates.down;
      this.endSpan(node, 'lost');
      this.host.failed(node);
      return;
    }
    if (--this.downs[node] > 0) return;
    if (this.state[node] === nodeStates.down) {
      this.state[node] = nodeStates.up;
      this.spans[node].push({ fromMs: this.errands.nowMs, toMs: Infinity, end: '' });
      this.host.recovered(node);
    }
  }

  isUp(node: number): boolean {
    return this.state[node] === nodeStates.up;
  }

  /** Whether it is a node as far as the API server knows. */
  isMember(node: number): boolean {
    return this.state[node] === nodeStates.up || this.state[node] === nodeStates.down;
  }

  /** What the scheduler sees: members, as they are labelled and tainted. */
  members(): NodeView[] {
    const members: NodeView[] = [];
    for (let node = 0; node < this.count; node++) if (this.isMember(node)) members.push(this.view(node));
    return members;
  }

  view(node: number): NodeView {
    const known = this.views[node];
    if (known !== undefined) return known;
    const { name, labels, taints, cpu, memory, pods, speed, latencyMs } = this.groups[this.group[node]];
    const view: NodeView = {
      ...{ node, name: this.ids[node], speed, latencyMs },
      labels: { ...labels, ...nodeLabels(name, this.fleet.zoneNames[this.zone[node]], this.ids[node]) },
      taints: [
        ...taints,
        ...(this.isCordoned[node] === 1 ? [UNSCHEDULABLE] : []),
        ...(this.isTainted[node] === 1 ? [UNREACHABLE] : []),
      ],
      allocatable: { cpu, pods, memory: Math.min(memory, Number.MAX_SAFE_INTEGER) },
    };
    this.views[node] = view;
    return view;
  }

  put(instance: number, node: number, { elastic }: ServiceSpec): void {
    this.pods[node].add(instance);
    this.cpu[node] += elastic.cpu;
    this.memory[node] += elastic.memory;
  }

  take(instance: number, node: number, { elastic }: ServiceSpec): void {
    if (!this.pods[node].delete(instance)) return;
    this.cpu[node] -= elastic.cpu;
    this.memory[node] -= elastic.memory;
  }

  /** How long until the node has the service's image; `pullMs` if nobody has asked for it there yet. */
  untilPulled(service: number, node: number, pullMs: () => Ms): Ms {
    const { nowMs } = this.errands;
    const readyAtMs = this.images[node].get(service) ?? nowMs + pullMs();
    this.images[node].set(service, readyAtMs);
    return Math.max(0, readyAtMs - nowMs);
  }

  markWarmup(): void {
    this.payAll();
    this.costAtWarmup = this.cost;
  }

  /** Money since warm-up. */
  costSinceWarmup(): number {
    this.payAll();
    return this.cost - this.costAtWarmup;
  }

  closeWindow(): void {
    if (!this.isKept) return;
    for (let node = 0; node < this.count; node++) {
      this.reserved[node].push(this.isUp(node) ? this.cpu[node] / this.groups[this.group[node]].cpu : NaN);
    }
  }

  results(): NodeData[] {
    return this.ids.flatMap((id, node) =>
      this.spans[node].length === 0
        ? []
        : [{ id, zone: this.fleet.zoneNames[this.zone[node]], spans: this.spans[node], reserved: this.reserved[node] }],
    );
  }

  private orderAt(node: number): void {
    this.state[node] = nodeStates.ordered;
    const life = ++this.lives[node];
    this.errands.later(this.provisioning[this.group[node]].sample(this.rng), () => {
      if (this.lives[node] === life) this.join(node);
    });
  }

  private join(node: number): void {
    const { nowMs } = this.errands;
    const life = ++this.lives[node];
    this.state[node] = this.downs[node] > 0 ? nodeStates.down : nodeStates.up;
    this.joinedMs[node] = nowMs;
    this.paidFromMs[node] = nowMs;
    this.spans[node].push({ fromMs: nowMs, toMs: Infinity, end: '' });
    this.host.joined(node);
    const interruption = this.interruptions[this.group[node]];
    if (interruption === undefined) return;
    const lastsMs = interruption.sample(this.spotRng);
    const { noticeMs } = this.groups[this.group[node]].spot!;
    this.errands.later(Math.max(0, lastsMs - noticeMs), () => {
      if (this.lives[node] === life) this.host.announced(node);
    });
    this.errands.later(lastsMs, () => {
      if (this.lives[node] === life) this.takeBack(node);
    });
  }

  /** A spot node goes; the group wants another. */
  private takeBack(node: number): void {
    if (this.state[node] === nodeStates.up) {
      this.state[node] = nodeStates.down;
      this.host.failed(node);
    }
    this.remove(node, true, 'interrupted');
  }

  private endSpan(node: number, end: string): void {
    const last = this.spans[node].at(-1);
    if (last === undefined || last.toMs < Infinity) return;
    last.toMs = this.errands.nowMs;
    last.end = end;
  }

  private pay(node: number): void {
    const { nowMs } = this.errands;
    if (Number.isNaN(this.paidFromMs[node])) return;
    const { prices, zones } = this.groups[this.group[node]];
    const price = prices[zones.indexOf(this.fleet.zoneNames[this.zone[node]])];
    this.cost += (price * (nowMs - this.paidFromMs[node])) / MS_PER_HOUR;
    this.paidFromMs[node] = nowMs;
  }

  private payAll(): void {
    for (let node = 0; node < this.count; node++) this.pay(node);
  }
}
