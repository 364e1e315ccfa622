/** The tree of distributors between the store and the hosts of one configuration. The one at the top stands beside the store and gets what is
 *  committed at once. Each of those below listens to its parent over a stream, as a host with the push agent does, and hands on what it
 *  hears; what is lost on the way is sent again when it was not acknowledged in time. Hosts are dealt out in turn among the last level.
 *
 *  Distributors are shared by all services in the real world; here each configuration has a tree of its own, with the rate of pushes to
 *  itself. */
import type { Streams } from '../../core/streams.ts';
import type {
  AgentMessage,
  ConfigAgent,
  ConfigUpdate,
  DistributorMessage,
} from '../../policies/rollout/propagation/config-agent.ts';
import { Distributor } from '../../policies/rollout/propagation/distributor.ts';
import { pushAgent } from '../../policies/rollout/propagation/push.ts';
import type { DeliverySpec } from '../../scenario/spec.ts';
import type { Errands } from '../orchestration/errands.ts';
import type { ConfigLink } from './config-link.ts';

export interface ConfigTreeParts {
  readonly errands: Errands;
  readonly streams: Streams;
  readonly link: ConfigLink;
  /** Of the configuration, for streams. */
  readonly name: string;
  readonly delivery: Pick<DeliverySpec, 'distributors' | 'pushesPerSecond' | 'ackTimeoutMs'>;
  /** The host's distributor sends this to it. */
  sendToHost(host: string, message: DistributorMessage): void;
}

/** Listens to the parent. */
interface Relay {
  readonly name: string;
  readonly parent: Node;
  readonly agent: ConfigAgent;
  readonly wake: () => void;
}

interface Node {
  readonly distributor: Distributor;
  readonly wake: () => void;
  /** Names of those that have ever been served. */
  readonly children: Set<string>;
}

export class ConfigTree {
  private readonly parts: ConfigTreeParts;
  private readonly root: Node;
  private readonly nodes: Node[];
  /** By name. */
  private readonly relays: Map<string, Relay>;
  private readonly lowest: readonly Node[];
  private readonly nodeOf: Map<string, Node>;

  constructor(parts: ConfigTreeParts) {
    this.parts = parts;
    this.nodes = [];
    this.relays = new Map();
    this.nodeOf = new Map();
    this.root = this.addNode();
    let above: readonly Node[] = [this.root];
    parts.delivery.distributors.forEach((count, level) => {
      const parents = above;
      above = Array.from({ length: count }, (_, at) =>
        this.addRelay(`distributor-${level + 1}/${at}`, parents[at % parents.length]),
      );
    });
    this.lowest = above;
  }

  /** Each asks its parent, and is woken when it has heard. */
  start(): void {
    for (const { agent } of this.relays.values()) agent.start(this.nowMs);
  }

  /** This was committed. */
  publish(update: ConfigUpdate): void {
    publish(this.root, update, this.nowMs);
  }

  /** A message of the host has arrived at its distributor. */
  onMessage(host: string, message: AgentMessage): void {
    receive(this.nodeFor(host), host, message, this.nowMs);
  }

  /** The host's connection is gone. */
  onDisconnected(host: string): void {
    this.nodeFor(host).distributor.onDisconnected(host);
  }

  /** All connections of all distributors are gone. */
  onOutage(): void {
    for (const { distributor, children } of this.nodes) for (const child of children) distributor.onDisconnected(child);
    for (const { agent, wake } of this.relays.values()) {
      agent.onDisconnected(this.nowMs);
      wake();
    }
  }

  private get nowMs(): number {
    return this.parts.errands.nowMs;
  }

  /** A host stays with its distributor, also when it comes back. */
  private nodeFor(host: string): Node {
    let node = this.nodeOf.get(host);
    if (node === undefined) {
      node = this.lowest[this.nodeOf.size % this.lowest.length];
      this.nodeOf.set(host, node);
    }
    return node;
  }

  private addNode(): Node {
    const { ackTimeoutMs, pushesPerSecond } = this.parts.delivery;
    const distributor = new Distributor({
      ...{ ackTimeoutMs, pushesPerSecond },
      send: (child, message) => this.send(child, message),
    });
    const node: Node = { distributor, wake: this.parts.errands.waker('distributor', distributor), children: new Set() };
    this.nodes.push(node);
    return node;
  }

  private addRelay(name: string, parent: Node): Node {
    const { errands, streams, link } = this.parts;
    const node = this.addNode();
    const agent = pushAgent.make(
      {},
      {
        rng: streams.stream(`config/${this.parts.name}/${name}`),
        host: {
          send: (message) => link.send(() => receive(parent, name, message, this.nowMs)),
          apply: (update, nowMs) => {
            publish(node, update, nowMs);
            return undefined;
          },
        },
      },
    );
    this.relays.set(name, { name, parent, agent, wake: errands.waker(name, agent) });
    return node;
  }

  private send(child: string, message: DistributorMessage): void {
    const relay = this.relays.get(child);
    if (relay === undefined) {
      this.parts.sendToHost(child, message);
      return;
    }
    this.parts.link.send(() => {
      relay.agent.onMessage(message, this.nowMs);
      relay.wake();
    });
  }
}

function publish({ distributor, wake }: Node, update: ConfigUpdate, nowMs: number): void {
  distributor.publish(update, nowMs);
  wake();
}

function receive({ distributor, wake, children }: Node, child: string, message: AgentMessage, nowMs: number): void {
  children.add(child);
  distributor.onMessage(child, message, nowMs);
  wake();
}
