/** Which nodes the control plane believes alive, from the leases they renew, and what it does about those it does not: their pods are
 *  taken out of use, and given up when the eviction policy says so. */
import type { Streams } from '../../core/streams.ts';
import type { Detector, DetectorDeps } from '../../policies/detection/detector.ts';
import type { EvictionDeps, NodeEviction } from '../../policies/recovery/eviction/node-eviction.ts';
import type { Errands } from './errands.ts';
import type { Nodes } from './nodes.ts';

export interface NodeWatchHost {
  /** Whether nodes are heard at all. */
  isRunning(): boolean;
  /** What is believed of the node has changed. */
  believed(node: number, isAlive: boolean): void;
  tainted(node: number): void;
  evict(instance: number): void;
}

export class NodeWatch {
  /** Renewals sent, the price of watching. */
  sent: number;
  private readonly errands: Errands;
  private readonly nodes: Nodes;
  private readonly host: NodeWatchHost;
  private readonly detector: Detector;
  private readonly eviction: NodeEviction;
  private readonly wakeDetector: () => void;
  private readonly wakeEviction: () => void;
  private readonly isAlive: Uint8Array;
  private readonly beats: Float64Array;

  constructor(
    errands: Errands,
    nodes: Nodes,
    streams: Streams,
    makers: {
      readonly detector: (deps: DetectorDeps) => Detector;
      readonly eviction: (deps: EvictionDeps) => NodeEviction;
    },
    host: NodeWatchHost,
  ) {
    this.sent = 0;
    this.errands = errands;
    this.nodes = nodes;
    this.host = host;
    this.isAlive = new Uint8Array(nodes.count).fill(1);
    this.beats = new Float64Array(nodes.count);
    this.detector = makers.detector({
      rng: streams.stream('detector/nodes'),
      sink: { believe: (node, isAlive, nowMs) => this.believe(node, isAlive, nowMs) },
    });
    this.eviction = makers.eviction({
      host: {
        taint: (node, isTainted) => {
          nodes.taint(node, isTainted);
          host.tainted(node);
        },
        evict: (instance) => host.evict(instance),
        resetGrace: (nowMs) => {
          for (let node = 0; node < nodes.count; node++) {
            if (!nodes.isMember(node)) continue;
            this.detector.unwatch(node);
            this.detector.watch(node, nowMs);
          }
        },
      },
    });
    this.wakeDetector = errands.waker('node detector', this.detector);
    this.wakeEviction = errands.waker('eviction policy', this.eviction);
    const rng = streams.stream('node/phase');
    const everyMs = this.detector.heartbeatEveryMs;
    for (let node = 0; node < nodes.count && everyMs < Infinity; node++) {
      errands.every(rng.next() * everyMs, everyMs, () => this.beat(node));
    }
  }

  believesAlive(node: number): boolean {
    return this.isAlive[node] === 1;
  }

  joined(node: number): void {
    const { nowMs } = this.errands;
    this.isAlive[node] = 1;
    this.detector.watch(node, nowMs);
    this.eviction.addNode(node, this.nodes.zone[node], nowMs);
    this.wakeBoth();
  }

  left(node: number): void {
    this.detector.unwatch(node);
    this.eviction.removeNode(node, this.errands.nowMs);
    this.wakeBoth();
  }

  placed(instance: number, node: number, staysMs: number | undefined): void {
    this.eviction.place(instance, node, this.errands.nowMs, staysMs);
    this.wakeEviction();
  }

  gone(instance: number): void {
    this.eviction.unplace(instance);
  }

  /** The control plane stops, or starts anew: it then gives every node its time. */
  setRunning(isRunning: boolean): void {
    for (let node = 0; node < this.nodes.count; node++) {
      if (!this.nodes.isMember(node)) continue;
      if (isRunning) this.detector.watch(node, this.errands.nowMs);
      else this.detector.unwatch(node);
    }
    this.wakeDetector();
  }

  private beat(node: number): void {
    if (!this.nodes.isUp(node)) return;
    this.sent++;
    if (!this.host.isRunning()) return;
    this.detector.onHeartbeat(node, this.errands.nowMs, this.beats[node]++);
    this.wakeDetector();
  }

  private believe(node: number, isAlive: boolean, nowMs: number): void {
    this.isAlive[node] = isAlive ? 1 : 0;
    this.eviction.setReady(node, isAlive, nowMs);
    this.wakeEviction();
    this.host.believed(node, isAlive);
  }

  private wakeBoth(): void {
    this.wakeDetector();
    this.wakeEviction();
  }
}
