/** Active health checks on their way: a client's checker asks an instance how it is, the network carries the question and the answer, a
 *  timer bounds both. An instance that is down refuses at once, one that stands still never answers, one that errs errs here, too. */
import { grownFloats, grownInts } from '../core/grow.ts';
import type { KeyedDraws, Streams } from '../core/streams.ts';
import type { Ms } from '../core/time.ts';
import { type Engine, NO_EVENT } from '../engine/index.ts';
import { type ProbeResult, probeResults } from '../policies/detection/checks/health-checker.ts';
import type { Client } from './client.ts';
import { controlTimers, eventKinds } from './events.ts';
import type { Fleet } from './fleet.ts';
import { channels, type Network, type Sent, sent } from './network.ts';
import type { Servers } from './servers.ts';

/** Checks share the channels of balancers' probes; this bit tells their rows apart. */
export const CHECK = 1 << 30;
/** Keys of checks' network draws lie apart from those of requests, heartbeats and probes. */
const CHECK_SALT = 3e6;

export class Checks {
  /** Sent so far: the price of checking. */
  count: number;
  private readonly engine: Engine;
  private readonly network: Network;
  private readonly fleet: Fleet;
  private readonly servers: Servers;
  private readonly clients: readonly Client[];
  private readonly draws: KeyedDraws;
  /** Wakes the client's checker when it next wants to be. */
  private readonly wake: (client: Client) => void;
  // By row.
  private client: Int32Array;
  private instance: Int32Array;
  private probe: Int32Array;
  /** Which check it is, of all: the key of its draws. */
  private key: Float64Array;
  private result: Int32Array;
  /** The pending timeout; NO_EVENT once it has fired or was cancelled. */
  private timer: Int32Array;
  /** Whether the message is still on its way. */
  private isOut: Int32Array;
  private readonly free: number[];
  private used: number;

  constructor(
    engine: Engine,
    network: Network,
    fleet: Fleet,
    servers: Servers,
    clients: readonly Client[],
    streams: Streams,
    wake: (client: Client) => void,
  ) {
    this.count = 0;
    this.engine = engine;
    this.network = network;
    this.fleet = fleet;
    this.servers = servers;
    this.clients = clients;
    this.draws = streams.keyed('checks');
    this.wake = wake;
    this.client = new Int32Array(64);
    this.instance = new Int32Array(64);
    this.probe = new Int32Array(64);
    this.key = new Float64Array(64);
    this.result = new Int32Array(64);
    this.timer = new Int32Array(64);
    this.isOut = new Int32Array(64);
    this.free = [];
    this.used = 0;
  }

  send(client: Client, slot: number, probe: number, timeoutMs: Ms): void {
    const row = this.rowFor(client, client.base + slot, probe);
    this.timer[row] = this.engine.at(this.engine.time + timeoutMs, eventKinds.controlTimer, row, controlTimers.checkTimeout);
    // By an event even where it takes no time: the checker must not hear of the result before it has asked.
    if (this.hop(channels.probe, row, client.zone, this.fleet.zone[this.instance[row]]) === sent.now) {
      this.engine.at(this.engine.time, eventKinds.probeDelivered, row | CHECK, 0);
    } else if (this.lost) this.messageOver(row);
  }

  private rowFor(client: Client, instance: number, probe: number): number {
    const row = this.free.pop() ?? this.newRow();
    this.client[row] = client.number;
    this.instance[row] = instance;
    this.probe[row] = probe;
    this.key[row] = this.count++;
    this.timer[row] = NO_EVENT;
    this.isOut[row] = 1;
    return row;
  }

  /** The question reaches its instance. */
  delivered(row: number): void {
    const instance = this.instance[row];
    if (this.servers.isUp(instance) && !this.servers.answers(instance)) {
      this.messageOver(row);
      return;
    }
    this.result[row] = this.servers.isUp(instance) ? this.resultOf(row, instance) : probeResults.network;
    const zone = this.clients[this.client[row]].zone;
    if (this.hop(channels.probeAnswer, row, this.fleet.zone[instance], zone) === sent.now) this.answered(row);
    else if (this.lost) this.messageOver(row);
  }

  /** The answer reaches the client. */
  answered(row: number): void {
    const timer = this.timer[row];
    this.timer[row] = NO_EVENT;
    if (timer !== NO_EVENT) {
      this.engine.cancel(timer);
      this.tell(row, this.result[row] as ProbeResult);
    }
    this.messageOver(row);
  }

  timedOut(row: number): void {
    this.timer[row] = NO_EVENT;
    this.tell(row, probeResults.timeout);
    if (this.isOut[row] === 0) this.free.push(row);
  }

  private tell(row: number, result: ProbeResult): void {
    const client = this.clients[this.client[row]];
    client.checked(this.instance[row] - client.base, this.probe[row], result, this.engine.time);
    this.wake(client);
  }

  /** An error is an answer: whoever takes such answers at their word need not ask again. */
  private resultOf(row: number, instance: number): ProbeResult {
    const share = this.fleet.errorShare[instance];
    return share > 0 && this.draws.unit(this.key[row], 0) < share ? probeResults.unhealthy : probeResults.ok;
  }

  private messageOver(row: number): void {
    this.isOut[row] = 0;
    if (this.timer[row] === NO_EVENT) this.free.push(row);
  }

  private hop(channel: typeof channels.probe | typeof channels.probeAnswer, row: number, from: number, to: number): Sent {
    const { network } = this;
    this.lost = false;
    if (network.isInstant) return sent.now;
    const state = network.send(channel, from, to, this.instance[row], row | CHECK, 0, this.key[row], CHECK_SALT + channel);
    this.lost = state === sent.never;
    return state;
  }

  /** Whether the last message was lost. */
  private lost = false;

  private newRow(): number {
    if (this.used === this.client.length) {
      const size = this.used * 2;
      this.client = grownInts(this.client, size);
      this.instance = grownInts(this.instance, size);
      this.probe = grownInts(this.probe, size);
      this.key = grownFloats(this.key, size);
      this.result = grownInts(this.result, size);
      this.timer = grownInts(this.timer, size);
      this.isOut = grownInts(this.isOut, size);
    }
    return this.used++;
  }
}
