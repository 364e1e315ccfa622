/** The connections of one client to its endpoints: which one carries an attempt, who waits for one, when another is opened, and when
 *  an idle one is closed. What a pool is for (no handshake per request), and the ways in which it hurts: requests that queue at the
 *  client while the server is idle, handshake storms after an outage, and traffic that gathers on a slow connection because it is
 *  always the one used last (Bronson et al., "Metastable Failures in Distributed Systems", HotOS 2021, link imbalance).
 *
 *  A connection that is being opened belongs to nobody: when it is ready it serves the head of the queue. So another is begun only
 *  when more requests wait than the ones being opened can take.
 *
 *  Of several connections that could carry an attempt, one in use goes before an idle one, so that idle ones can be closed. Among
 *  equals the one used last or longest ago, as `reuse` says. Idle connections past their keep-alive are closed when the pool next
 *  looks at them, which nobody can tell from closing them in time: `open` does not count them. One that has been idle for exactly its keep-alive is
 *  still good: with 0 it serves whoever comes, or waits, at the instant at which it becomes idle. */
import { invariant } from '../core/errors.ts';
import { grown, grownFloats, grownInts } from '../core/grow.ts';
import type { Ms } from '../core/time.ts';
import type { Engine } from '../engine/index.ts';
import type { PoolSpec } from '../scenario/spec.ts';
import { LinkedRows } from './linked-rows.ts';
import { Tally } from './tally.ts';

/** There is a connection: send. */
export const GO = 0;
/** The host's `ready` says when there is one. */
export const WAIT = 1;
/** Too many wait already: refused. */
export const FULL = 2;
export type Acquired = typeof GO | typeof WAIT | typeof FULL;

export interface ConnectionHost {
  /** How long opening a connection takes, drawn now. */
  handshakeMs(endpoint: number): Ms;
  /** Calls `opened(token)` after the delay, in every case. */
  later(delayMs: Ms, token: number): void;
  /** The attempt, which waited, has a connection: send it. May acquire, release and abandon. */
  ready(attempt: number): void;
}

const NONE = -1;
/** In place of an attempt's connection. */
const WAITING = -2;

// States of a connection's row.
const FREE = 0;
const OPENING = 1;
const OPEN = 2;
/** Takes no more attempts, and is closed after the last. */
const CLOSING = 3;
/** Cut off by the other side. The row stays until those who know it have let go: its attempts, or its handshake. */
const LOST = 4;

/** What attempts know of connections, by attempt. An attempt belongs to one client at a time, so all clients of a world share one:
 *  columns as long as the table of requests, once and not once per client. */
export class ConnectionUsers {
  /** Row of the connection in its client's table; -1 for none, -2 while waiting. */
  connection: Int32Array;
  /** Attempts that wait; the lists are the clients' endpoints. */
  readonly waiting: LinkedRows;

  constructor() {
    this.connection = new Int32Array(64).fill(NONE);
    this.waiting = new LinkedRows(0);
  }

  set(attempt: number, connection: number): void {
    while (attempt >= this.connection.length) {
      this.connection = grown(this.connection, new Int32Array(this.connection.length * 2).fill(NONE));
    }
    this.connection[attempt] = connection;
  }

  get(attempt: number): number {
    return attempt < this.connection.length ? this.connection[attempt] : NONE;
  }
}

export class Connections {
  /** Handshakes that succeeded. */
  readonly opens: Tally;
  private readonly engine: Engine;
  // The pool's settings, copied: a double read from one of many kinds of objects is boxed.
  private readonly limit: number;
  private readonly streams: number;
  private readonly pending: number;
  private readonly keepAliveMs: Ms;
  private readonly takesNewest: boolean;
  private readonly host: ConnectionHost;
  private readonly users: ConnectionUsers;
  private readonly endpoints: number;
  // By endpoint.
  private readonly queueList: number;
  private readonly waiting: Int32Array;
  /** Connections that count against the limit: opening, open and closing. */
  private readonly held: Int32Array;
  private readonly opening: Int32Array;
  private readonly isServing: Uint8Array;
  // By connection.
  /** Connections that can take an attempt, used longest ago first: list `endpoint` the idle ones, `endpoints + endpoint` those in
   *  use with room left. The last list is of free rows. */
  private readonly lists: LinkedRows;
  private readonly freeList: number;
  private state: Int32Array;
  private endpoint: Int32Array;
  /** Attempts it carries. */
  private load: Int32Array;
  /** Different for every connection the client ever began. */
  private number: Int32Array;
  private idleSinceMs: Float64Array;
  private rows: number;
  private begun: number;

  constructor(engine: Engine, spec: PoolSpec, endpoints: number, host: ConnectionHost, users = new ConnectionUsers()) {
    this.opens = new Tally();
    this.engine = engine;
    this.limit = spec.connections;
    this.streams = spec.streams;
    this.pending = spec.pending;
    this.keepAliveMs = spec.keepAliveMs;
    this.takesNewest = spec.reuse === 'newest';
    this.host = host;
    this.users = users;
    this.endpoints = endpoints;
    this.queueList = users.waiting.addLists(endpoints);
    this.waiting = new Int32Array(endpoints);
    this.held = new Int32Array(endpoints);
    this.opening = new Int32Array(endpoints);
    this.isServing = new Uint8Array(endpoints);
    this.lists = new LinkedRows(2 * endpoints + 1);
    this.freeList = 2 * endpoints;
    this.state = new Int32Array(16);
    this.endpoint = new Int32Array(16);
    this.load = new Int32Array(16);
    this.number = new Int32Array(16);
    this.idleSinceMs = new Float64Array(16);
    this.rows = 0;
    this.begun = 0;
  }

  /** A connection for the attempt, which must not have one. Those for whom one is being opened do not count as `pending`. A handshake
   *  that takes no time is over at once. */
  acquire(attempt: number, endpoint: number): Acquired {
    this.closeExpired(endpoint);
    const available = this.available(endpoint);
    // With both a connection and a queue, the queue is being served right now: nobody overtakes it.
    if (available !== NONE && this.waiting[endpoint] === 0) {
      this.occupy(available, attempt);
      return GO;
    }
    const uncovered = this.waiting[endpoint] - this.opening[endpoint] * this.streams;
    if (uncovered >= 0 && available === NONE) {
      if (this.held[endpoint] < this.limit) {
        const handshakeMs = this.host.handshakeMs(endpoint);
        const connection = this.begin(endpoint);
        if (handshakeMs === 0 && this.waiting[endpoint] === 0) {
          this.becomeOpen(connection);
          this.occupy(connection, attempt);
          return GO;
        }
        this.host.later(handshakeMs, connection);
      } else if (uncovered >= this.pending) return FULL;
    }
    this.users.set(attempt, WAITING);
    this.users.waiting.append(this.queueList + endpoint, attempt);
    this.waiting[endpoint]++;
    return WAIT;
  }

  /** The attempt's exchange is over. After some a connection cannot be used again (one that HTTP/1.1 has no way to cancel, a reset, a
   *  crash): then it is closed once nobody uses it, and the next in the queue gets a new one. */
  release(attempt: number, endpoint: number, isReusable: boolean): void {
    const connection = this.users.get(attempt);
    invariant(connection >= 0, 'an attempt without a connection gives one back');
    this.users.set(attempt, NONE);
    if (this.state[connection] === OPEN && isReusable) {
      this.vacate(connection);
      this.serve(endpoint);
      return;
    }
    if (this.state[connection] === OPEN) {
      if (this.load[connection] < this.streams) this.lists.unlink(this.partlyUsed(endpoint), connection);
      this.state[connection] = CLOSING;
    }
    if (--this.load[connection] > 0) return;
    const isLost = this.state[connection] === LOST;
    this.freeRow(connection);
    if (isLost) return;
    this.held[endpoint]--;
    this.openForQueue(endpoint);
  }

  isWaiting(attempt: number): boolean {
    return this.users.get(attempt) === WAITING;
  }

  /** The attempt gives up waiting. What is being opened for it is opened all the same. */
  abandon(attempt: number, endpoint: number): void {
    invariant(this.isWaiting(attempt), 'an attempt that does not wait for a connection stops waiting');
    this.leaveQueue(attempt, endpoint);
    this.users.set(attempt, NONE);
  }

  /** A handshake is over. `token` is what `later` was given; those of lost connections mean nothing any more. */
  opened(token: number): void {
    if (this.state[token] === LOST) {
      this.freeRow(token);
      return;
    }
    this.becomeOpen(token);
    this.serve(this.endpoint[token]);
  }

  /** All connections of the endpoint are cut off, also those being opened. Attempts on them still have to be released; attempts in the
   *  queue stay there, and new connections are begun for them. Linear in the client's connections. */
  endpointLost(endpoint: number): void {
    for (let connection = 0; connection < this.rows; connection++) {
      if (this.endpoint[connection] === endpoint && this.state[connection] !== FREE) this.cut(connection);
    }
    this.held[endpoint] = 0;
    this.opening[endpoint] = 0;
    this.openForQueue(endpoint);
  }

  /** Connections that are open. Idle ones past their keep-alive are not. */
  open(endpoint: number, nowMs: Ms): number {
    let open = this.held[endpoint] - this.opening[endpoint];
    for (let idle = this.lists.first[endpoint]; idle !== NONE; idle = this.lists.next[idle]) {
      if (nowMs - this.idleSinceMs[idle] <= this.keepAliveMs) break;
      open--;
    }
    return open;
  }

  /** Attempts that wait for a connection. */
  queued(endpoint: number): number {
    return this.waiting[endpoint];
  }

  /** The number of the attempt's connection, -1 for none: 0 for the first that this client began, and never used again. */
  connectionOf(attempt: number): number {
    const connection = this.users.get(attempt);
    return connection >= 0 ? this.number[connection] : NONE;
  }

  markWarmup(): void {
    this.opens.mark();
  }

  /** Attempts in the queue take what is available. Looks anew each time, because `ready` may change everything, and not from within
   *  `ready`: where attempts end at once, a long queue would be a deep recursion. */
  private serve(endpoint: number): void {
    if (this.isServing[endpoint] === 1) return;
    this.isServing[endpoint] = 1;
    while (this.waiting[endpoint] > 0) {
      const connection = this.available(endpoint);
      if (connection === NONE) break;
      const attempt = this.users.waiting.first[this.queueList + endpoint];
      this.leaveQueue(attempt, endpoint);
      this.occupy(connection, attempt);
      this.host.ready(attempt);
    }
    this.isServing[endpoint] = 0;
  }

  private leaveQueue(attempt: number, endpoint: number): void {
    this.users.waiting.unlink(this.queueList + endpoint, attempt);
    this.waiting[endpoint]--;
  }

  private available(endpoint: number): number {
    const ends = this.takesNewest ? this.lists.last : this.lists.first;
    const partlyUsed = ends[this.partlyUsed(endpoint)];
    return partlyUsed === NONE ? ends[endpoint] : partlyUsed;
  }

  private occupy(connection: number, attempt: number): void {
    const endpoint = this.endpoint[connection];
    const load = this.load[connection]++;
    this.users.set(attempt, connection);
    this.lists.unlink(load > 0 ? this.partlyUsed(endpoint) : endpoint, connection);
    if (load + 1 < this.streams) this.lists.append(this.partlyUsed(endpoint), connection);
  }

  private vacate(connection: number): void {
    const endpoint = this.endpoint[connection];
    const load = this.load[connection]--;
    if (load < this.streams) this.lists.unlink(this.partlyUsed(endpoint), connection);
    if (load > 1) this.lists.append(this.partlyUsed(endpoint), connection);
    else this.becomeIdle(connection);
  }

  private becomeIdle(connection: number): void {
    this.idleSinceMs[connection] = this.engine.time;
    this.lists.append(this.endpoint[connection], connection);
  }

  private begin(endpoint: number): number {
    const connection = this.takeRow();
    this.state[connection] = OPENING;
    this.endpoint[connection] = endpoint;
    this.load[connection] = 0;
    this.number[connection] = this.begun++;
    this.held[endpoint]++;
    this.opening[endpoint]++;
    return connection;
  }

  private becomeOpen(connection: number): void {
    invariant(this.state[connection] === OPENING, 'a handshake ended that nobody has begun');
    this.state[connection] = OPEN;
    this.opening[this.endpoint[connection]]--;
    this.opens.add();
    this.becomeIdle(connection);
  }

  /** Begins what the queue needs, as far as the limit allows. */
  private openForQueue(endpoint: number): void {
    while (this.waiting[endpoint] > this.opening[endpoint] * this.streams && this.held[endpoint] < this.limit) {
      const handshakeMs = this.host.handshakeMs(endpoint);
      this.host.later(handshakeMs, this.begin(endpoint));
    }
  }

  private cut(connection: number): void {
    const endpoint = this.endpoint[connection];
    const load = this.load[connection];
    if (this.state[connection] === OPEN && load < this.streams) {
      this.lists.unlink(load > 0 ? this.partlyUsed(endpoint) : endpoint, connection);
      if (load === 0) {
        this.freeRow(connection);
        return;
      }
    }
    this.state[connection] = LOST;
  }

  private closeExpired(endpoint: number): void {
    const { lists } = this;
    for (let idle = lists.first[endpoint]; idle !== NONE; idle = lists.first[endpoint]) {
      if (this.engine.time - this.idleSinceMs[idle] <= this.keepAliveMs) return;
      lists.unlink(endpoint, idle);
      this.freeRow(idle);
      this.held[endpoint]--;
    }
  }

  private partlyUsed(endpoint: number): number {
    return this.endpoints + endpoint;
  }

  private takeRow(): number {
    const free = this.lists.first[this.freeList];
    if (free !== NONE) {
      this.lists.unlink(this.freeList, free);
      return free;
    }
    if (this.rows === this.state.length) {
      const size = this.rows * 2;
      this.state = grownInts(this.state, size);
      this.endpoint = grownInts(this.endpoint, size);
      this.load = grownInts(this.load, size);
      this.number = grownInts(this.number, size);
      this.idleSinceMs = grownFloats(this.idleSinceMs, size);
    }
    return this.rows++;
  }

  private freeRow(connection: number): void {
    this.state[connection] = FREE;
    this.lists.append(this.freeList, connection);
  }
}
