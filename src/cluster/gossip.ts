/** Groups that watch themselves: the instances of a service and the clients that call it are members of one gossip group each (an agent
 *  beside every process), and a client believes what its own member believes. Messages travel the simulated network with its losses and
 *  partitions; an instance that is down hears and says nothing, one that stands still hears late. */
import type { Streams } from '../core/streams.ts';
import type { Ms } from '../core/time.ts';
import { type Engine } from '../engine/index.ts';
import type { SwimMessage } from '../policies/detection/swim/messages.ts';
import type { Membership } from '../policies/detection/swim/swim.ts';
import type { EdgeMakers } from '../scenario/makers.ts';
import type { Client } from './client.ts';
import { doubts } from '../policies/balancing/endpoint-health.ts';
import { controlTimers, eventKinds } from './events.ts';
import type { Fleet } from './fleet.ts';
import { NEVER } from './network-faults.ts';
import type { Network } from './network.ts';
import type { Servers } from './servers.ts';

/** What is said to a process that stands still waits; looked at again so often. */
const LOOK_AGAIN_MS = 20;
/** Keys of gossip's network draws lie apart from those of requests, heartbeats, probes and checks. */
const GOSSIP_SALT = 4e6;

interface Node {
  /** Among all nodes of all groups. */
  readonly number: number;
  readonly group: Group;
  /** Number within the group: instances first. */
  readonly member: number;
  /** Global number of the instance it stands beside; -1 for clients. */
  readonly instance: number;
  readonly client: Client | undefined;
  readonly zone: number;
  readonly name: string;
  membership: Membership;
  timerMs: Ms;
  /** Counts starts: a restarted process begins with a new member. */
  life: number;
}

interface Group {
  readonly make: NonNullable<EdgeMakers['membership']>;
  readonly nodes: Node[];
  readonly instances: number;
}

interface Letter {
  readonly from: Node;
  readonly to: Node;
  readonly message: SwimMessage;
}

export class Gossip {
  /** Messages sent so far: the price of watching each other. */
  sent: number;
  private readonly engine: Engine;
  private readonly network: Network;
  private readonly servers: Servers;
  private readonly streams: Streams;
  private readonly groups: Group[];
  private readonly nodes: Node[];
  private readonly letters: (Letter | undefined)[];
  private readonly freeLetters: number[];
  private readonly wakeBalancer: (client: Client) => void;

  constructor(
    engine: Engine,
    fleet: Fleet,
    network: Network,
    servers: Servers,
    clients: readonly Client[],
    makers: readonly EdgeMakers[],
    streams: Streams,
    wakeBalancer: (client: Client) => void,
  ) {
    this.sent = 0;
    this.engine = engine;
    this.network = network;
    this.servers = servers;
    this.streams = streams;
    this.wakeBalancer = wakeBalancer;
    this.nodes = [];
    this.letters = [];
    this.freeLetters = [];
    this.groups = makers.flatMap(({ membership }, edge) => {
      const own = clients.filter((client) => client.edge === edge);
      return membership === undefined || own[0].spec.queue >= 0 ? [] : [this.groupOf(membership, own, fleet)];
    });
  }

  /** Everybody has known everybody from before the first moment looked at. */
  start(): void {
    for (const { nodes } of this.groups) {
      const present = nodes.filter((node) => this.isThere(node));
      for (const node of present) {
        node.membership.start(
          0,
          present.filter((other) => other !== node).map(({ member }) => member),
        );
        this.wake(node);
      }
    }
  }

  /** A process is up again: a new member joins through whoever is there. */
  cameUp(instance: number): void {
    for (const { nodes } of this.groups) {
      const node = nodes.find((each) => each.instance === instance);
      if (node === undefined) continue;
      node.life++;
      node.membership = this.membershipOf(node);
      node.timerMs = Infinity;
      node.membership.start(this.engine.time);
      const seed = nodes.find((other) => other !== node && this.isThere(other));
      if (seed !== undefined) node.membership.join(seed.member);
      this.wake(node);
    }
  }

  /** A letter arrives. */
  delivered(number: number): void {
    const letter = this.letters[number];
    if (letter === undefined) return;
    const { to, from, message } = letter;
    if (this.isThere(to) && this.standsStill(to)) {
      this.engine.at(this.engine.time + LOOK_AGAIN_MS, eventKinds.controlTimer, number, controlTimers.letter);
      return;
    }
    this.letters[number] = undefined;
    this.freeLetters.push(number);
    if (!this.isThere(to)) return;
    to.membership.receive(from.member, message, this.engine.time);
    this.wake(to);
  }

  timer(number: number): void {
    const node = this.nodes[number];
    if (this.engine.time < node.timerMs) return;
    node.timerMs = Infinity;
    if (!this.isThere(node)) return;
    if (this.standsStill(node)) {
      node.timerMs = this.engine.time + LOOK_AGAIN_MS;
      this.engine.at(node.timerMs, eventKinds.controlTimer, number, controlTimers.member);
      return;
    }
    node.membership.onTimer(this.engine.time);
    this.wake(node);
  }

  private groupOf(make: Group['make'], clients: readonly Client[], fleet: Fleet): Group {
    const [{ base, instances }] = clients;
    const group: Group = { make, nodes: [], instances };
    const add = (instance: number, client: Client | undefined, zone: number, name: string): void => {
      const parts = {
        number: this.nodes.length,
        group,
        member: group.nodes.length,
        instance,
        client,
        zone,
        name,
        timerMs: Infinity,
        life: 0,
      };
      const node: Node = { ...parts, membership: undefined as unknown as Membership };
      node.membership = this.membershipOf(node);
      group.nodes.push(node);
      this.nodes.push(node);
    };
    for (let slot = 0; slot < instances; slot++) add(base + slot, undefined, fleet.zone[base + slot], fleet.ids[base + slot]);
    for (const client of clients) add(-1, client, client.zone, `${client.spec.name}/${client.number}`);
    return group;
  }

  private membershipOf(node: Node): Membership {
    const { group, client } = node;
    return group.make({
      self: node.member,
      rng: this.streams.stream(`membership/${group.nodes[0]?.name ?? node.name}/${node.name}/${node.life}`),
      transport: { send: (to, message, isReliable) => this.send(node, group.nodes[to], message, isReliable) },
      sink: {
        believe: (member, alive, nowMs) => {
          if (client === undefined || member >= group.instances) return;
          client.health.set(member, doubts.suspected, !alive, nowMs);
          this.wakeBalancer(client);
        },
      },
    });
  }

  private send(from: Node, to: Node, message: SwimMessage, isReliable: boolean): void {
    const number = this.sent++;
    const delayMs = this.network.delay(from, to, isReliable, number, GOSSIP_SALT);
    if (delayMs === NEVER) return;
    const letter = this.freeLetters.pop() ?? this.letters.length;
    this.letters[letter] = { from, to, message };
    this.engine.at(this.engine.time + delayMs, eventKinds.controlTimer, letter, controlTimers.letter);
  }

  private wake(node: Node): void {
    const at = node.membership.nextTimerMs();
    if (at >= node.timerMs) return;
    node.timerMs = at;
    this.engine.at(Math.max(at, this.engine.time), eventKinds.controlTimer, node.number, controlTimers.member);
  }

  private isThere({ instance }: Node): boolean {
    return instance < 0 || this.servers.isUp(instance);
  }

  private standsStill({ instance }: Node): boolean {
    return instance >= 0 && !this.servers.beats(instance);
  }
}
