/** What goes on beside the requests: instances send heartbeats over the network to every client that watches them, detectors and
 *  balancers are woken when they asked to be. */
import { PolicyFault } from '../core/errors.ts';
import type { Streams } from '../core/streams.ts';
import type { Ms } from '../core/time.ts';
import { type Engine } from '../engine/index.ts';
import type { BeliefChange } from '../stats/result.ts';
import type { Client } from './client.ts';
import { eventKinds } from './events.ts';
import type { Explainer } from './explainer.ts';
import type { Fleet } from './fleet.ts';
import { channels, type Network } from './network.ts';
import type { Servers } from './servers.ts';

/** Changes of belief kept for the report; a flapping detector must not fill the memory. */
const BELIEFS_KEPT = 2000;
/** Keys of heartbeats' network draws lie apart from those of requests (salt = 2 · source + hop). */
const HEARTBEAT_SALT = 1e6;

export class ControlPlane {
  readonly beliefs: BeliefChange[];
  private readonly engine: Engine;
  private readonly fleet: Fleet;
  private readonly network: Network;
  private readonly clients: readonly Client[];
  private readonly servers: Servers;
  private readonly rings: Ring[];

  /** Told of every heartbeat that arrives, when decisions are recorded. */
  explainer: Explainer | undefined;

  constructor(engine: Engine, fleet: Fleet, network: Network, clients: readonly Client[], servers: Servers, streams: Streams) {
    this.explainer = undefined;
    this.beliefs = [];
    this.engine = engine;
    this.fleet = fleet;
    this.network = network;
    this.clients = clients;
    this.servers = servers;
    this.rings = [];
    // One phase per instance, whatever the period: hosts do not beat in step.
    const rng = streams.stream('heartbeat/phase');
    const phases = Float64Array.from({ length: fleet.count }, () => rng.next());
    const byRing = new Map<string, Client[]>();
    for (const client of clients) {
      const everyMs = client.detector?.heartbeatEveryMs ?? Infinity;
      if (everyMs === Infinity) continue;
      if (!(everyMs > 0))
        throw new PolicyFault('detector', `heartbeatEveryMs of the detector is ${everyMs}, expected a time above 0`);
      const key = `${everyMs}/${client.base}`;
      const together = byRing.get(key);
      if (together === undefined) byRing.set(key, [client]);
      else together.push(client);
    }
    for (const together of byRing.values()) this.rings.push(new Ring(engine, this.rings.length, together, phases));
    for (const client of clients) {
      this.wakeDetector(client);
      this.wakeBalancer(client);
    }
  }

  /** The next instance of the ring sends its heartbeat. */
  beat(index: number): void {
    const ring = this.rings[index];
    const instance = ring.instance();
    const beat = ring.beat();
    ring.advance();
    if (!this.servers.isResponsive(instance)) return;
    for (const client of ring.clients) {
      const salt = HEARTBEAT_SALT + client.number;
      const key = beat * this.fleet.count + instance;
      if (!this.network.send(channels.heartbeat, this.fleet.zone[instance], client.zone, instance, client.number, key, salt)) {
        this.heartbeatDelivered(instance, client.number);
      }
    }
  }

  heartbeatDelivered(instance: number, number: number): void {
    const client = this.clients[number];
    this.explainer?.heard(client, instance - client.base);
    client.detector?.onHeartbeat(instance - client.base, this.engine.time);
    this.wakeDetector(client);
  }

  detectorTimer(number: number): void {
    const client = this.clients[number];
    if (this.engine.time < client.detectorTimerMs) return;
    client.detectorTimerMs = Infinity;
    client.detector?.onTimer(this.engine.time);
    this.wakeDetector(client);
  }

  balancerTimer(number: number): void {
    const client = this.clients[number];
    if (this.engine.time < client.balancerTimerMs) return;
    client.balancerTimerMs = Infinity;
    client.balancer.onTimer?.(this.engine.time);
    this.wakeBalancer(client);
  }

  /** A detector changed its mind, and with it the balancer's view. */
  believed(client: Client, slot: number, alive: boolean, nowMs: Ms): void {
    this.wakeBalancer(client);
    if (this.beliefs.length >= BELIEFS_KEPT) return;
    const instance = this.fleet.ids[client.base + slot];
    this.beliefs.push({ atMs: nowMs, balancer: client.number, instance, alive });
  }

  /** A pending wake-up that comes too early does no harm: the policy is asked again then. So only an earlier wish is scheduled; the
   *  later event that it replaces stays in the calendar and is recognised when it fires. */
  private wakeDetector(client: Client): void {
    const at = checkedTime(client.detector?.nextTimerMs() ?? Infinity, 'detector', this.engine.time);
    if (at >= client.detectorTimerMs) return;
    client.detectorTimerMs = at;
    this.engine.at(Math.max(at, this.engine.time), eventKinds.detectorTimer, client.number, 0);
  }

  private wakeBalancer(client: Client): void {
    const at = checkedTime(client.balancer.nextTimerMs?.() ?? Infinity, 'balancer', this.engine.time);
    if (at >= client.balancerTimerMs) return;
    client.balancerTimerMs = at;
    this.engine.at(Math.max(at, this.engine.time), eventKinds.balancerTimer, client.number, 0);
  }
}

function checkedTime(at: Ms, policy: string, nowMs: Ms): Ms {
  if (Number.isNaN(at)) throw new PolicyFault(policy, `nextTimerMs() of the ${policy} returned NaN at ${nowMs} ms`);
  return at;
}

/** The instances of one service beating with one period for the same clients, in the order of their phases: one track for all. */
class Ring {
  readonly clients: readonly Client[];
  private readonly engine: Engine;
  private readonly track: number;
  private readonly everyMs: Ms;
  private readonly order: readonly number[];
  private readonly phases: Float64Array;
  private position: number;
  private round: number;

  constructor(engine: Engine, index: number, clients: readonly Client[], phases: Float64Array) {
    const [{ base, instances, detector }] = clients;
    this.clients = clients;
    this.engine = engine;
    this.everyMs = detector?.heartbeatEveryMs ?? Infinity;
    this.phases = phases;
    this.order = Array.from({ length: instances }, (_, i) => base + i).toSorted((x, y) => phases[x] - phases[y] || x - y);
    this.position = 0;
    this.round = 0;
    this.track = engine.addTrack(eventKinds.heartbeat, index);
    this.show();
  }

  instance(): number {
    return this.order[this.position];
  }

  /** Number of the round: the instance's heartbeats are numbered by it. */
  beat(): number {
    return this.round;
  }

  advance(): void {
    if (++this.position === this.order.length) {
      this.position = 0;
      this.round++;
    }
    this.show();
  }

  private show(): void {
    const { engine, track } = this;
    engine.trackTime[track] = (this.round + this.phases[this.order[this.position]]) * this.everyMs;
    engine.trackOrder[track] = engine.nextOrder();
    engine.trackChanged(track);
  }
}
