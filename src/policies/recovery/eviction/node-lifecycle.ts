/** The node lifecycle controller of Kubernetes: lost nodes are tainted one after the other, slower the more are lost, and their instances
 *  leave when they no longer tolerate the taint.
 *
 *  Use it where instances can be replaced elsewhere and a node that is silent is probably gone. It fails slowly on purpose: with the
 *  defaults five minutes pass between the taint and the eviction, and losing half of a small zone stops evictions there. It also fails
 *  when silence is all that is known: instances on a node that is cut off run on, beside their replacements.
 *
 *  Zones are judged at the ticks of the monitor. Each has a queue of nodes to taint, which lets one pass per 1/rate seconds. When every
 *  zone is down nothing is tainted and all taints are lifted, because it is then the controller that is cut off; when the first node
 *  is back, all get their grace period anew. The original looks at its queues every 100 ms; here a node is tainted when its turn
 *  comes. */
import { duration, fraction, int, number } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { Deadlines } from '../../shared/deadlines.ts';
import { EventLimiter } from '../parts/event-limiter.ts';
import { defineNodeEviction, type EvictionHost, type NodeEviction } from './node-eviction.ts';
import { type EvictionRates, nodesEvictedPerSecond, type ZoneState, zoneState } from './zone-state.ts';

export const nodeLifecycle = defineNodeEviction({
  name: 'node-lifecycle',
  summary: 'Taints lost nodes at a limited rate and evicts what does not tolerate it.',
  useWhen: 'Instances can be replaced elsewhere, and the observer may be the one that is cut off.',
  failsWhen: 'Capacity must be back within minutes, or instances that are cut off must not run on.',
  cost: 'O(nodes) per tick with a change, O(instances of a node) per taint',
  sources: [
    'kubernetes/kubernetes: pkg/controller/nodelifecycle/node_lifecycle_controller.go, handleDisruption',
    'kubernetes/kubernetes: pkg/controller/nodelifecycle/scheduler/rate_limited_queue.go',
    'kubernetes/kubernetes: pkg/controller/tainteviction/taint_eviction.go',
  ],
  aliases: [{ system: 'Kubernetes', name: 'NodeLifecycleController' }],
  params: {
    nodeMonitorPeriod: duration({
      default: 5000,
      min: 1,
      about: 'Time between ticks, at which zones are judged.',
      official: 'Kubernetes --node-monitor-period',
    }),
    nodeEvictionRate: number({
      default: 0.1,
      min: 0,
      about: 'Nodes tainted per second in a zone that is normal, or fully disrupted beside others.',
      official: 'Kubernetes --node-eviction-rate',
    }),
    secondaryNodeEvictionRate: number({
      default: 0.01,
      min: 0,
      about: 'The same in a large zone that is partially disrupted; in a small one it is 0.',
      official: 'Kubernetes --secondary-node-eviction-rate',
    }),
    unhealthyZoneThreshold: fraction({
      default: 0.55,
      about: 'Share of nodes not ready, if more than two, from which a zone is partially disrupted.',
      official: 'Kubernetes --unhealthy-zone-threshold',
    }),
    largeClusterSizeThreshold: int({
      default: 50,
      min: 0,
      about: 'A zone with more nodes is large.',
      official: 'Kubernetes --large-cluster-size-threshold',
    }),
    tolerationSeconds: duration({
      default: 300_000,
      min: 0,
      about: 'How long instances stay on a tainted node unless they say otherwise.',
      official: 'Kubernetes --default-unreachable-toleration-seconds',
    }),
  },
  create: (params, { host }) => new NodeLifecycle(params, host),
});

interface NodeLifecycleParams extends EvictionRates {
  readonly nodeMonitorPeriod: Ms;
  readonly unhealthyZoneThreshold: number;
  readonly tolerationSeconds: Ms;
}

interface Node {
  readonly zone: number;
  isReady: boolean;
  isTainted: boolean;
}

interface Zone {
  state: ZoneState | 'Initial';
  limiter: EventLimiter;
  /** Nodes to taint, in order of arrival. */
  readonly queue: Set<number>;
}

class NodeLifecycle implements NodeEviction {
  readonly #params: NodeLifecycleParams;
  readonly #host: EvictionHost;
  readonly #nodes = new Map<number, Node>();
  readonly #zones = new Map<number, Zone>();
  readonly #places = new Map<number, { readonly node: number; readonly tolerationMs: Ms }>();
  readonly #evictions = new Deadlines();
  /** The next tick that has something to judge. */
  #tickMs: Ms = Infinity;

  constructor(params: NodeLifecycleParams, host: EvictionHost) {
    this.#params = params;
    this.#host = host;
  }

  addNode(node: number, zone: number, nowMs: Ms): void {
    this.#nodes.set(node, { zone, isReady: true, isTainted: false });
    if (!this.#zones.has(zone)) {
      const limiter = new EventLimiter(this.#params.nodeEvictionRate, nowMs);
      this.#zones.set(zone, { state: 'Initial', limiter, queue: new Set() });
    }
    this.#judgeAtNextTick(nowMs);
  }

  removeNode(node: number, nowMs: Ms): void {
    const known = this.#nodes.get(node);
    if (known === undefined) return;
    this.#nodes.delete(node);
    this.#zones.get(known.zone)?.queue.delete(node);
    this.#judgeAtNextTick(nowMs);
  }

  setReady(node: number, isReady: boolean, nowMs: Ms): void {
    const known = this.#nodes.get(node);
    if (known === undefined || known.isReady === isReady) return;
    known.isReady = isReady;
    this.#judgeAtNextTick(nowMs);
  }

  place(instance: number, node: number, nowMs: Ms, tolerationMs: Ms = this.#params.tolerationSeconds): void {
    this.#places.set(instance, { node, tolerationMs });
    this.#evictions.delete(instance);
    if (this.isTainted(node) && tolerationMs < Infinity) this.#evictions.set(instance, nowMs + tolerationMs);
  }

  unplace(instance: number): void {
    this.#places.delete(instance);
    this.#evictions.delete(instance);
  }

  zoneState(zone: number): ZoneState {
    const state = this.#zones.get(zone)?.state ?? 'Initial';
    return state === 'Initial' ? 'Normal' : state;
  }

  isTainted(node: number): boolean {
    return this.#nodes.get(node)?.isTainted === true;
  }

  nextTimerMs(): Ms {
    let nextMs = Math.min(this.#tickMs, this.#evictions.nextMs());
    for (const { queue, limiter } of this.#zones.values()) if (queue.size > 0) nextMs = Math.min(nextMs, limiter.freeAtMs());
    return nextMs;
  }

  onTimer(nowMs: Ms): void {
    if (nowMs >= this.#tickMs) this.#tick(nowMs);
    for (const zone of this.#zones.values()) {
      for (const node of zone.queue) {
        if (!zone.limiter.tryAccept(nowMs)) break;
        zone.queue.delete(node);
        this.#taint(node, nowMs);
      }
    }
    for (const instance of this.#evictions.takeDue(nowMs)) {
      const place = this.#places.get(instance);
      if (place !== undefined) this.#host.evict(instance, place.node, nowMs);
    }
  }

  #judgeAtNextTick(nowMs: Ms): void {
    const { nodeMonitorPeriod } = this.#params;
    if (this.#tickMs === Infinity) this.#tickMs = (Math.floor(nowMs / nodeMonitorPeriod) + 1) * nodeMonitorPeriod;
  }

  #tick(nowMs: Ms): void {
    this.#tickMs = Infinity;
    const ready = new Map<number, number>();
    const notReady = new Map<number, number>();
    for (const [node, known] of this.#nodes) {
      const counts = known.isReady ? ready : notReady;
      counts.set(known.zone, (counts.get(known.zone) ?? 0) + 1);
      if (known.isReady) this.#untaint(node, nowMs);
      else if (!known.isTainted) this.#zones.get(known.zone)?.queue.add(node);
    }
    const states = new Map<number, ZoneState>();
    const sizes = new Map<number, number>();
    for (const zone of this.#zones.keys()) {
      const up = ready.get(zone) ?? 0;
      const down = notReady.get(zone) ?? 0;
      if (up + down === 0) this.#zones.delete(zone);
      else {
        sizes.set(zone, up + down);
        states.set(zone, zoneState(up, down, this.#params.unhealthyZoneThreshold));
      }
    }
    this.#handleDisruption(states, sizes, nowMs);
  }

  #handleDisruption(states: ReadonlyMap<number, ZoneState>, sizes: ReadonlyMap<number, number>, nowMs: Ms): void {
    if (states.size === 0) return;
    const isAllDown = [...states.values()].every((state) => state === 'FullDisruption');
    const wasAllDown = [...this.#zones.values()].every(({ state }) => state === 'FullDisruption');
    if (isAllDown && wasAllDown) return;
    if (isAllDown) {
      for (const node of this.#nodes.keys()) this.#untaint(node, nowMs);
      for (const zone of this.#zones.values()) {
        this.#setRate(zone, 0, nowMs);
        zone.state = 'FullDisruption';
      }
      return;
    }
    if (wasAllDown) this.#host.resetGrace?.(nowMs);
    for (const [number, zone] of this.#zones) {
      const state = states.get(number)!;
      if (state === zone.state && !wasAllDown) continue;
      this.#setRate(zone, nodesEvictedPerSecond(state, sizes.get(number)!, this.#params), nowMs);
      zone.state = state;
    }
  }

  /** A zone that was waiting for its turn goes on waiting, by the new rate. */
  #setRate(zone: Zone, ratePerSecond: number, nowMs: Ms): void {
    if (zone.limiter.ratePerSecond === ratePerSecond) return;
    zone.limiter = new EventLimiter(ratePerSecond, nowMs, !zone.limiter.tryAccept(nowMs));
  }

  #taint(node: number, nowMs: Ms): void {
    const known = this.#nodes.get(node);
    if (known === undefined || known.isTainted) return;
    known.isTainted = true;
    this.#host.taint(node, true, nowMs);
    for (const [instance, place] of this.#places) {
      if (place.node === node && place.tolerationMs < Infinity) this.#evictions.set(instance, nowMs + place.tolerationMs);
    }
  }

  #untaint(node: number, nowMs: Ms): void {
    const known = this.#nodes.get(node)!;
    this.#zones.get(known.zone)?.queue.delete(node);
    if (!known.isTainted) return;
    known.isTainted = false;
    for (const [instance, place] of this.#places) if (place.node === node) this.#evictions.delete(instance);
    this.#host.taint(node, false, nowMs);
  }
}
