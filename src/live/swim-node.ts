/** A member of a SWIM group on real sockets: UDP for what may get lost, TCP on the same port number for what must not, as in
 *  hashicorp/memberlist (net_transport.go).
 *
 *      const node = await SwimNode.open({ port: 7946 });
 *      node.join('10.0.0.2:7946');
 *      node.onBelief((member, isAlive) => proxy.suspect(urlOf(member), !isAlive));
 *
 *  Use it where processes should know each other without a registry. Members are known by the address they are reached at. Letters are plain
 *  text and believed by whoever gets them: a group belongs into a network of one's own. It fails where UDP is not let through. */
import { createSocket, type Socket } from 'node:dgram';
import { connect, createServer, isIPv6, type Server, type Socket as Connection } from 'node:net';
import type { Rng } from '../core/rng.ts';
import type { Clock, Ms } from '../core/time.ts';
import { memberships } from '../policies/detection/swim/index.ts';
import type { MemberStatus, SwimMessage } from '../policies/detection/swim/messages.ts';
import type { Membership, MembershipDeps } from '../policies/detection/swim/swim.ts';
import { hostAndPort } from './address.ts';
import { Directory } from './directory.ts';
import { listenOn } from './listen.ts';
import { PolicyTimer } from './policy-timer.ts';
import { letterOf, readLetter } from './swim-letters.ts';
import { backgroundTimers, systemClock, systemRng, type Timers } from './system.ts';
import { makePolicy, type Use } from './use.ts';

export interface SwimNodeOptions {
  /** 0, the default, for any that is free. */
  readonly port?: number;
  /** 127.0.0.1 by default. */
  readonly host?: string;
  /** Host under which the others reach it, if another. */
  readonly advertise?: string;
  /** `swim` by default. */
  readonly membership?: Use<MembershipDeps, Membership>;
  readonly clock?: Clock;
  readonly timers?: Timers;
  readonly rng?: Rng;
}

export type BeliefListener = (member: string, isAlive: boolean, atMs: Ms) => void;

/** Two sockets must get the same number; what is free for one may be taken for the other. */
const TRIES = 20;
const LONGEST_LETTER = 2 ** 22;

export class SwimNode {
  /** Host and port under which the others know it. */
  readonly address: string;
  readonly #udp: Socket;
  readonly #tcp: Server;
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #directory = new Directory();
  readonly #connections = new Set<Connection>();
  readonly #listeners = new Set<BeliefListener>();
  readonly #membership: Membership;
  readonly #timer: PolicyTimer;
  #isClosed = false;

  static async open(options: SwimNodeOptions = {}): Promise<SwimNode> {
    const { port = 0, host = '127.0.0.1', advertise = host } = options;
    for (let tries = 1; ; tries++) {
      const tcp = createServer({ allowHalfOpen: false });
      const udp = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
      try {
        const taken = await listenOn(tcp, port, host);
        await bind(udp, taken, host);
        return new SwimNode(options, addressOf(advertise, taken), udp, tcp);
      } catch (error) {
        tcp.close();
        udp.close();
        if (port !== 0 || tries === TRIES) throw error;
      }
    }
  }

  private constructor(options: SwimNodeOptions, address: string, udp: Socket, tcp: Server) {
    const { membership = 'swim', clock = systemClock(), timers = backgroundTimers, rng = systemRng() } = options;
    this.address = address;
    this.#udp = udp;
    this.#tcp = tcp;
    this.#clock = clock;
    this.#timers = timers;
    this.#membership = makePolicy(memberships, membership, {
      self: this.#directory.numberOf(address),
      rng,
      transport: { send: (to, message, isReliable) => this.#send(to, message, isReliable) },
      sink: { believe: (member, isAlive, nowMs) => this.#believe(member, isAlive, nowMs) },
    });
    this.#timer = new PolicyTimer(this.#membership, clock, timers);
    udp.on('message', (bytes) => this.#receive(bytes.toString()));
    udp.on('error', () => undefined);
    udp.unref();
    tcp.on('connection', (connection) => this.#read(connection));
    tcp.on('error', () => undefined);
    tcp.unref();
    this.#membership.start(clock.now());
    this.#timer.rearm();
  }

  /** Gets to know the group through one of its members, by host and port. */
  join(address: string): void {
    hostAndPort(address);
    this.#membership.join(this.#directory.numberOf(address));
    this.#timer.rearm();
  }

  /** All it knows, itself included; the dead only for a while. */
  members(): readonly { readonly address: string; readonly status: MemberStatus }[] {
    return this.#membership.members().map(({ member, status }) => ({ address: this.#directory.addressOf(member)!, status }));
  }

  /** Calls back whenever a member is believed alive or no longer; suspects still count as alive. Returns how to stop that. */
  onBelief(listener: BeliefListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Tells the others that it goes. Resolves when they had time to hear of it. */
  async leave(waitMs: Ms = 1000): Promise<void> {
    this.#membership.leave(this.#clock.now());
    this.#timer.rearm();
    await new Promise<void>((resolve) => this.#timers.set(waitMs, resolve));
  }

  /** Without `leave` it is as good as dead to the others. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#timer.stop();
    this.#listeners.clear();
    for (const connection of this.#connections) connection.destroy();
    await Promise.all([
      new Promise<void>((resolve) => this.#udp.close(resolve)),
      new Promise<unknown>((resolve) => this.#tcp.close(resolve)),
    ]);
  }

  #believe(member: number, isAlive: boolean, nowMs: Ms): void {
    for (const tell of this.#listeners) tell(this.#directory.addressOf(member)!, isAlive, nowMs);
  }

  #send(to: number, message: SwimMessage, isReliable: boolean): void {
    const { host, port } = hostAndPort(this.#directory.addressOf(to)!);
    const letter = letterOf(this.address, message, this.#directory);
    // What cannot be sent is lost.
    if (!isReliable) this.#udp.send(letter, port, host, () => undefined);
    else this.#keep(connect({ host, port })).end(letter);
  }

  #read(connection: Connection): void {
    let text = '';
    this.#keep(connection).setEncoding('utf8');
    connection.on('data', (part: string) => {
      text += part;
      if (text.length > LONGEST_LETTER) connection.destroy();
    });
    connection.on('end', () => this.#receive(text));
  }

  #receive(text: string): void {
    const letter = readLetter(text, this.#directory);
    if (letter === undefined || this.#isClosed) return;
    this.#membership.receive(letter.from, letter.message, this.#clock.now());
    this.#timer.rearm();
  }

  #keep(connection: Connection): Connection {
    this.#connections.add(connection);
    connection.on('error', () => undefined);
    connection.on('close', () => this.#connections.delete(connection));
    connection.unref();
    return connection;
  }
}

const addressOf = (host: string, port: number): string => `${isIPv6(host) ? `[${host}]` : host}:${port}`;

const bind = (socket: Socket, port: number, host: string): Promise<void> =>
  new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(port, host, () => {
      socket.off('error', reject);
      resolve();
    });
  });
