/** How an attempt travels between its client and its instance: through the client's proxy, over a connection of its pool, across the
 *  network, and back. Clients without a proxy that takes time and without connections go straight to the network. */
import type { KeyedDraws, Streams } from '../core/streams.ts';
import type { Xoshiro128 } from '../core/xoshiro.ts';
import { type Engine, NO_EVENT } from '../engine/index.ts';
import type { Outcome } from '../policies/balancing/balancer.ts';
import { outcomes } from '../policies/balancing/balancer.ts';
import { makeSampler, type Sampler } from '../stats/samplers.ts';
import { stages } from './call-table.ts';
import type { Client } from './client.ts';
import { Connections, ConnectionUsers, FULL, GO } from './connections.ts';
import { eventKinds } from './events.ts';
import type { Fleet } from './fleet.ts';
import type { Gateway } from './gateway.ts';
import { channels, type Network, type Sent, sent } from './network.ts';
import { AT_INSTANCE, CLIENT, HELD_BY_SERVER, HOLDERS, INDEX, INSTANCE, OUTCOME, type RequestTable } from './request-table.ts';
import type { Servers } from './servers.ts';
import type { Tracer } from './tracer.ts';

/** Edges times attempts stay apart from the salts of heartbeats and probes. */
const EDGES_MAX = 100_000;
const REQUEST_HOP = 0;
const RESPONSE_HOP = 1;
/** Where an attempt goes on by an event: through the proxy and back, off with a connection it waited for, away from a queue that gave
 *  it up. */
const OUT = 0;
const BACK = 1;
const DEPARTURE = 2;
const DROPPED = 3;

export class Transport {
  /** Present when spans are recorded. */
  tracer: Tracer | undefined;
  /** Whether all clients go straight to the network. */
  private readonly isDirect: boolean;
  private readonly engine: Engine;
  private readonly network: Network;
  private readonly fleet: Fleet;
  private readonly requests: RequestTable;
  private readonly clients: readonly Client[];
  private readonly servers: Servers;
  private readonly gateway: Gateway;
  /** By client; empty where there is none. */
  private readonly pools: (Connections | undefined)[];
  private readonly proxies: (Sampler | undefined)[];
  private readonly passages: KeyedDraws;
  private readonly rng: Xoshiro128;
  private readonly handshakes: Xoshiro128;

  constructor(
    engine: Engine,
    network: Network,
    fleet: Fleet,
    requests: RequestTable,
    clients: readonly Client[],
    streams: Streams,
    servers: Servers,
    gateway: Gateway,
  ) {
    this.tracer = undefined;
    this.isDirect = clients.every((client) => client.isDirect);
    this.engine = engine;
    this.network = network;
    this.fleet = fleet;
    this.requests = requests;
    this.clients = clients;
    this.servers = servers;
    this.gateway = gateway;
    this.passages = streams.keyed('proxy');
    this.rng = streams.stream('proxy');
    this.handshakes = streams.stream('handshake');
    this.proxies = clients.map(({ isDirect, spec }) => (isDirect ? undefined : samplerOf(spec.proxyLatency)));
    const users = new ConnectionUsers();
    this.pools = clients.map((client) => this.poolOf(client, users));
  }

  /** The attempt leaves its client. */
  depart(attempt: number): void {
    const client = this.clientOf(attempt);
    if (client.isDirect) {
      this.transmit(attempt, client);
      return;
    }
    if (this.proxies[client.number] === undefined) this.connect(attempt, client);
    else this.pass(attempt, client, OUT);
  }

  /** A copy of a request goes to its instance, past proxies and connections. */
  departCopy(attempt: number): void {
    this.transmit(attempt, this.clientOf(attempt));
  }

  /** Nobody waits for the attempt any more. True if nothing is left of it on this side of the network. */
  recall(attempt: number): boolean {
    const client = this.clientOf(attempt);
    if (client.isDirect) return false;
    const { calls } = this.requests;
    const stage = calls.stage[attempt];
    const pool = this.pools[client.number];
    const endpoint = this.requests.ints[(attempt << 4) + INSTANCE] - client.base;
    calls.stage[attempt] = stages.wire;
    if (stage === stages.proxy) {
      this.engine.cancel(calls.passage[attempt]);
      calls.passage[attempt] = NO_EVENT;
      return true;
    }
    if (stage === stages.pool) {
      pool?.abandon(attempt, endpoint);
      return true;
    }
    if (stage === stages.departing) {
      this.engine.cancel(calls.passage[attempt]);
      calls.passage[attempt] = NO_EVENT;
      pool?.release(attempt, endpoint, true);
      return true;
    }
    // HTTP/1.1 cannot take a request back: the connection is closed. A stream can be reset.
    pool?.release(attempt, endpoint, (client.spec.pool?.streams ?? 1) > 1);
    return false;
  }

  /** A message off the network reaches its instance; a client that has given up in the meantime may have taken it back. */
  requestDelivered(attempt: number): void {
    const { requests } = this;
    const isWanted = requests.isAwaited(attempt) || requests.isCopy(attempt);
    if (!isWanted && this.gateway.cancelsAbandoned(attempt)) requests.release(attempt, HELD_BY_SERVER);
    else this.servers.receive(attempt);
  }

  /** The instance answers (or its machine refuses, or the connection breaks). */
  reply(attempt: number, outcome: Outcome): void {
    const { requests, network } = this;
    if (!requests.isAwaited(attempt)) {
      if (requests.isCopy(attempt)) this.gateway.copyEnded(attempt, outcome);
      requests.release(attempt, HELD_BY_SERVER | AT_INSTANCE);
      return;
    }
    if (!network.isInstant) {
      const client = this.clientOf(attempt);
      const zone = this.fleet.zone[requests.ints[(attempt << 4) + INSTANCE]];
      requests.ints[(attempt << 4) + OUTCOME] = outcome;
      requests.ints[(attempt << 4) + HOLDERS] &= ~AT_INSTANCE;
      const state = this.hop(channels.response, attempt, client, zone, client.zone, RESPONSE_HOP);
      if (state === sent.never) requests.release(attempt, HELD_BY_SERVER);
      if (state !== sent.now) return;
    }
    requests.ints[(attempt << 4) + HOLDERS] &= ~(HELD_BY_SERVER | AT_INSTANCE);
    this.arrived(attempt, outcome);
  }

  /** The instance never answers, although it is done: its client waits until its time is up. */
  loseAnswer(attempt: number): void {
    this.requests.release(attempt, HELD_BY_SERVER | AT_INSTANCE);
  }

  /** The same as `reply` by an event at this instant, for whoever is in the middle of something: an answer may set off anything, also at the
   *  instance it comes from. */
  replyLater(attempt: number, outcome: Outcome): void {
    const { requests, engine } = this;
    requests.ints[(attempt << 4) + OUTCOME] = outcome;
    requests.ints[(attempt << 4) + HOLDERS] &= ~AT_INSTANCE;
    engine.at(engine.time, eventKinds.passage, attempt, DROPPED);
  }

  /** An answer off the network reaches its client. */
  responseDelivered(attempt: number): void {
    const { requests } = this;
    if (!requests.isAwaited(attempt)) {
      requests.release(attempt, HELD_BY_SERVER);
      return;
    }
    requests.ints[(attempt << 4) + HOLDERS] &= ~HELD_BY_SERVER;
    this.arrived(attempt, requests.ints[(attempt << 4) + OUTCOME] as Outcome);
  }

  /** The way through the proxy is over, or the event is due that stands between two steps of one instant. */
  passed(attempt: number, direction: number): void {
    const { requests } = this;
    if (direction === DROPPED) {
      this.reply(attempt, requests.ints[(attempt << 4) + OUTCOME] as Outcome);
      return;
    }
    const client = this.clientOf(attempt);
    requests.calls.passage[attempt] = NO_EVENT;
    requests.calls.stage[attempt] = stages.wire;
    if (direction === OUT) this.connect(attempt, client);
    else if (direction === DEPARTURE) this.ready(attempt);
    else {
      requests.ints[(attempt << 4) + HOLDERS] &= ~HELD_BY_SERVER;
      this.gateway.answer(attempt, requests.ints[(attempt << 4) + OUTCOME] as Outcome);
    }
  }

  /** A handshake is over. */
  connected(client: number, token: number): void {
    this.pools[client]?.opened(token);
  }

  /** The instance is gone, and every connection to it. */
  instanceLost(instance: number): void {
    for (const client of this.clients) {
      const slot = instance - client.base;
      if (slot >= 0 && slot < client.instances) this.pools[client.number]?.endpointLost(slot);
    }
  }

  markWarmup(): void {
    for (const pool of this.pools) pool?.markWarmup();
  }

  /** Connections opened since warm-up by the clients of an edge; NaN where none are modelled. */
  openedBy(edge: number): number {
    let opened = 0;
    let hasPool = false;
    for (const client of this.clients) {
      const pool = client.edge === edge ? this.pools[client.number] : undefined;
      if (pool === undefined) continue;
      hasPool = true;
      opened += pool.opens.measured;
    }
    return hasPool ? opened : NaN;
  }

  private arrived(attempt: number, outcome: Outcome): void {
    if (this.isDirect || this.clientOf(attempt).isDirect) this.gateway.answer(attempt, outcome);
    else this.arrivedAtProxy(attempt, outcome);
  }

  private arrivedAtProxy(attempt: number, outcome: Outcome): void {
    const client = this.clientOf(attempt);
    const endpoint = this.requests.ints[(attempt << 4) + INSTANCE] - client.base;
    this.pools[client.number]?.release(attempt, endpoint, outcome !== outcomes.lost);
    if (this.proxies[client.number] === undefined) this.gateway.answer(attempt, outcome);
    else {
      this.requests.ints[(attempt << 4) + OUTCOME] = outcome;
      this.requests.ints[(attempt << 4) + HOLDERS] |= HELD_BY_SERVER;
      this.pass(attempt, client, BACK);
    }
  }

  private pass(attempt: number, client: Client, direction: number): void {
    const { calls } = this.requests;
    const salt = (this.requests.ordinalOf(attempt) * EDGES_MAX + client.edge) * 2 + direction;
    this.passages.fork(this.requests.reals[(attempt << 3) + INDEX], salt, this.rng);
    const delayMs = this.proxies[client.number]!.sample(this.rng);
    calls.stage[attempt] = stages.proxy;
    calls.passage[attempt] = this.engine.at(this.engine.time + delayMs, eventKinds.passage, attempt, direction);
  }

  private connect(attempt: number, client: Client): void {
    const pool = this.pools[client.number];
    if (pool === undefined) {
      this.transmit(attempt, client);
      return;
    }
    const endpoint = this.requests.ints[(attempt << 4) + INSTANCE] - client.base;
    this.requests.calls.stage[attempt] = stages.pool;
    const state = pool.acquire(attempt, endpoint);
    if (state === GO) this.ready(attempt);
    else if (state === FULL) {
      this.requests.calls.stage[attempt] = stages.wire;
      this.requests.ints[(attempt << 4) + HOLDERS] &= ~HELD_BY_SERVER;
      this.gateway.answer(attempt, outcomes.refused);
    } else if (this.tracer !== undefined) this.tracer.connecting(attempt);
  }

  private ready(attempt: number): void {
    this.requests.calls.stage[attempt] = stages.wire;
    if (this.tracer !== undefined) this.tracer.connected(attempt);
    this.transmit(attempt, this.clientOf(attempt));
  }

  private transmit(attempt: number, client: Client): void {
    if (this.network.isInstant) {
      this.servers.receive(attempt);
      return;
    }
    const zone = this.fleet.zone[this.requests.ints[(attempt << 4) + INSTANCE]];
    const state = this.hop(channels.request, attempt, client, client.zone, zone, REQUEST_HOP);
    if (state === sent.now) this.servers.receive(attempt);
    // Its client waits until its time is up.
    else if (state === sent.never) this.requests.release(attempt, HELD_BY_SERVER);
  }

  private hop(
    channel: typeof channels.request | typeof channels.response,
    attempt: number,
    client: Client,
    from: number,
    to: number,
    hop: number,
  ): Sent {
    // Edge and attempt keep hops apart that belong to requests of the same number.
    const salt = this.requests.ordinalOf(attempt) * EDGES_MAX + client.edge * 2 + hop;
    const instance = this.requests.ints[(attempt << 4) + INSTANCE];
    return this.network.send(channel, from, to, instance, attempt, 0, this.requests.reals[(attempt << 3) + INDEX], salt);
  }

  private poolOf(client: Client, users: ConnectionUsers): Connections | undefined {
    const { pool } = client.spec;
    if (pool === undefined) return undefined;
    const handshake = makeSampler(pool.handshake);
    return new Connections(
      this.engine,
      pool,
      client.instances,
      {
        handshakeMs: (endpoint) => {
          const zone = this.fleet.zone[client.base + endpoint];
          let total = handshake.sample(this.handshakes);
          for (let trip = 0; trip < pool.roundTrips; trip++) {
            total +=
              this.network.sample(client.zone, zone, this.handshakes) + this.network.sample(zone, client.zone, this.handshakes);
          }
          return total;
        },
        later: (delayMs, token) => {
          this.engine.at(this.engine.time + delayMs, eventKinds.connected, client.number, token);
        },
        // By an event: who gives a connection back is in the middle of something, and what comes of the next request may touch it.
        ready: (attempt) => {
          const { calls } = this.requests;
          calls.stage[attempt] = stages.departing;
          calls.passage[attempt] = this.engine.at(this.engine.time, eventKinds.passage, attempt, DEPARTURE);
        },
      },
      users,
    );
  }

  private clientOf(attempt: number): Client {
    return this.clients[this.requests.ints[(attempt << 4) + CLIENT]];
  }
}

const samplerOf = (law: Parameters<typeof makeSampler>[0]): Sampler | undefined =>
  law.type === 'constant' && law.value === 0 ? undefined : makeSampler(law);
