/** What goes on beside the requests: instances send heartbeats over the network to every client that watches them, detectors and
 *  balancers are woken when they asked to be. */
import { PolicyFault } from '../core/errors.ts';
import type { Streams } from '../core/streams.ts';
import type { Ms } from '../core/time.ts';
import { type Engine, type EventHandle } from '../engine/index.ts';
import { type BeliefChange, beliefsKept } from '../stats/result.ts';
import type { Client } from './client.ts';
import { probeResults } from '../policies/detection/checks/health-checker.ts';
import { controlTimers, eventKinds } from './events.ts';
import type { Explainer } from './explainer.ts';
import type { Fleet } from './fleet.ts';
import { channels, type Network, sent } from './network.ts';
import type { Servers } from './servers.ts';

/** Changes of belief kept for the report; a flapping detector must not fill the memory. */
/** Keys of heartbeats' network draws lie apart from those of requests (salt = 2 · source + hop). */
const HEARTBEAT_SALT = 1e6;
/** A heartbeat on its way is one integer: 2^17 instances are more than a scenario may have, and no message is 2^14 periods late. */
const INSTANCE_BITS = 17;
const INSTANCE_MASK = 0x1ffff;
const SEQUENCE_MASK = 0x3fff;
const HALF = 0x2000;
/** Instances report of themselves to health checkers as they send heartbeats to detectors; this bit tells the receivers apart. */
const REPORT = 1 << 25;
const REPORT_SALT = 5e6;

export class ControlPlane {
  readonly beliefs: BeliefChange[];
  private readonly engine: Engine;
  private readonly fleet: Fleet;
  private readonly network: Network;
  private readonly clients: readonly Client[];
  private readonly servers: Servers;
  private readonly rings: Ring[];
  /** Heartbeats sent so far, one for each client. */
  heartbeats: number;
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
    this.heartbeats = 0;
    // One phase per instance, whatever the period: hosts do not beat in step.
    const rng = streams.stream('heartbeat/phase');
    const phases = Float64Array.from({ length: fleet.count }, () => rng.next());
    this.addRings(phases, false, 'heartbeatEveryMs of the detector', (client) => client.detector?.heartbeatEveryMs);
    this.addRings(phases, true, 'reportEveryMs of the health checker', (client) => client.checker?.reportEveryMs);
    for (const client of clients) {
      for (let purpose = controlTimers.detector; purpose <= controlTimers.outlier; purpose++) this.wakePart(client, purpose);
      this.wakePart(client, controlTimers.failover);
      this.wakeBalancer(client);
    }
  }

  /** One ring for all clients of a service that want to hear from its instances at one rate. */
  private addRings(phases: Float64Array, isReport: boolean, what: string, periodOf: (client: Client) => Ms | undefined): void {
    const byRing = new Map<string, { readonly everyMs: Ms; readonly clients: Client[] }>();
    for (const client of this.clients) {
      const everyMs = periodOf(client) ?? Infinity;
      if (everyMs === Infinity) continue;
      if (!(everyMs > 0))
        throw new PolicyFault(isReport ? 'health checker' : 'detector', `${what} is ${everyMs}, expected a time above 0`);
      const key = `${everyMs}/${client.base}`;
      const together = byRing.get(key);
      if (together === undefined) byRing.set(key, { everyMs, clients: [client] });
      else together.clients.push(client);
    }
    for (const { everyMs, clients } of byRing.values()) {
      if (!isReport) for (const client of clients) client.ring = this.rings.length;
      this.rings.push(new Ring(this.engine, this.rings.length, clients, phases, everyMs, isReport));
    }
  }

  /** The next instance of the ring sends its heartbeat, or one whose clock drifts (`own` − 1) sends its own. */
  beat(index: number, own: number): void {
    const ring = this.rings[index];
    if (own > 0) {
      this.beatByOwnClock(ring, own - 1);
      return;
    }
    const instance = ring.instance();
    const beat = ring.beatOf(instance);
    ring.advance();
    if (this.fleet.clockRate[instance] === 1) this.send(ring, instance, beat);
  }

  /** From now on the instance's timers run at this rate. One that is right again falls in with the ring. */
  setClockRate(instance: number, rate: number): void {
    this.fleet.clockRate[instance] = rate;
    for (const ring of this.rings) if (ring.has(instance)) this.beatLater(ring, instance);
  }

  private beatByOwnClock(ring: Ring, instance: number): void {
    ring.ownTimers.delete(instance);
    if (this.fleet.clockRate[instance] === 1) return;
    const beat = ring.ownBeats.get(instance)!;
    ring.ownBeats.set(instance, beat + 1);
    this.send(ring, instance, beat);
    this.beatLater(ring, instance);
  }

  /** Whoever falls in with the ring again goes on counting where it was. */
  private beatLater(ring: Ring, instance: number): void {
    const rate = this.fleet.clockRate[instance];
    const pending = ring.ownTimers.get(instance);
    if (pending !== undefined) this.engine.cancel(pending);
    ring.ownTimers.delete(instance);
    const own = ring.ownBeats.get(instance);
    if (rate === 1) {
      if (own !== undefined) ring.setBeatOf(instance, own);
      ring.ownBeats.delete(instance);
      return;
    }
    if (own === undefined) ring.ownBeats.set(instance, ring.beatOf(instance) + 1);
    const at = this.engine.time + ring.everyMs * rate;
    ring.ownTimers.set(instance, this.engine.at(at, eventKinds.heartbeat, ring.index, instance + 1));
  }

  private send(ring: Ring, instance: number, beat: number): void {
    const message = instance | ((beat & SEQUENCE_MASK) << INSTANCE_BITS);
    if (!this.servers.beats(instance)) return;
    this.heartbeats += ring.clients.length;
    for (const client of ring.clients) {
      const salt = (ring.isReport ? REPORT_SALT : HEARTBEAT_SALT) + client.number;
      const receiver = ring.isReport ? client.number | REPORT : client.number;
      const key = beat * this.fleet.count + instance;
      const { zone } = this.fleet;
      const state = this.network.send(channels.heartbeat, zone[instance], client.zone, instance, message, receiver, key, salt);
      if (state === sent.now) this.heartbeatDelivered(message, receiver);
    }
  }

  /** `message` holds the instance and the last bits of the heartbeat's number, which the present round completes. */
  heartbeatDelivered(message: number, receiver: number): void {
    const client = this.clients[receiver & ~REPORT];
    const instance = message & INSTANCE_MASK;
    if ((receiver & REPORT) !== 0) {
      client.reported(instance - client.base, probeResults.ok, this.engine.time);
      this.wakePart(client, controlTimers.checker);
      return;
    }
    const round = this.rings[client.ring].beat();
    const ahead = (message >>> INSTANCE_BITS) - round + HALF;
    const sequence = round + (ahead & SEQUENCE_MASK) - HALF;
    this.explainer?.heard(client, instance - client.base);
    client.detector?.onHeartbeat(instance - client.base, this.engine.time, sequence);
    this.wakePart(client, controlTimers.detector);
  }

  /** A timer of one of the client's policies, by purpose. */
  timer(number: number, purpose: number): void {
    const client = this.clients[number];
    if (this.engine.time < client.timersMs[purpose]) return;
    client.timersMs[purpose] = Infinity;
    timedPart(client, purpose)?.onTimer(this.engine.time);
    this.wakePart(client, purpose);
  }

  /** To be called whenever the part may have changed its mind about when it wants to be woken. */
  wakePart(client: Client, purpose: number): void {
    const at = checkedTime(timedPart(client, purpose)?.nextTimerMs() ?? Infinity, timedParts[purpose], this.engine.time);
    if (at >= client.timersMs[purpose]) return;
    client.timersMs[purpose] = at;
    this.engine.at(Math.max(at, this.engine.time), eventKinds.controlTimer, client.number, purpose);
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
    if (this.beliefs.length >= beliefsKept) return;
    const instance = this.fleet.ids[client.base + slot];
    this.beliefs.push({ atMs: nowMs, balancer: client.number, instance, alive });
  }

  wakeBalancer(client: Client): void {
    const at = checkedTime(client.balancer.nextTimerMs?.() ?? Infinity, 'balancer', this.engine.time);
    if (at >= client.balancerTimerMs) return;
    client.balancerTimerMs = at;
    this.engine.at(Math.max(at, this.engine.time), eventKinds.balancerTimer, client.number, 0);
  }
}

/** What a client's policies are called in complaints, by purpose of their timers. */
const timedParts: Readonly<Record<number, string>> = {
  [controlTimers.detector]: 'detector',
  [controlTimers.checker]: 'health checker',
  [controlTimers.outlier]: 'outlier detector',
  [controlTimers.discovery]: 'discovery client',
  [controlTimers.failover]: 'failover policy',
};

function timedPart(client: Client, purpose: number): { nextTimerMs(): Ms; onTimer(nowMs: Ms): void } | undefined {
  switch (purpose) {
    case controlTimers.detector:
      return client.detector;
    case controlTimers.checker:
      return client.checker;
    case controlTimers.outlier:
      return client.outlier;
    case controlTimers.failover:
      return client.failover;
    default:
      return client.discovery;
  }
}

function checkedTime(at: Ms, policy: string, nowMs: Ms): Ms {
  if (Number.isNaN(at)) throw new PolicyFault(policy, `nextTimerMs() of the ${policy} returned NaN at ${nowMs} ms`);
  return at;
}

/** The instances of one service beating with one period for the same clients, in the order of their phases: one track for all. */
class Ring {
  readonly clients: readonly Client[];
  readonly index: number;
  /** Whether they are reports to health checkers. */
  readonly isReport: boolean;
  /** Of the instances whose clocks drift: their next heartbeat's number and timer. */
  readonly ownBeats = new Map<number, number>();
  readonly ownTimers = new Map<number, EventHandle>();
  /** How far the numbers of those that have drifted are ahead of the rounds. */
  private readonly ahead = new Map<number, number>();
  private readonly engine: Engine;
  private readonly track: number;
  readonly everyMs: Ms;
  private readonly order: readonly number[];
  private readonly phases: Float64Array;
  private position: number;
  private round: number;

  constructor(engine: Engine, index: number, clients: readonly Client[], phases: Float64Array, everyMs: Ms, isReport: boolean) {
    const [{ base, instances }] = clients;
    this.isReport = isReport;
    this.clients = clients;
    this.index = index;
    this.engine = engine;
    this.everyMs = everyMs;
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

  has(instance: number): boolean {
    const [{ base, instances }] = this.clients;
    return instance >= base && instance < base + instances;
  }

  /** Number of the round. */
  beat(): number {
    return this.round;
  }

  /** Number of the instance's heartbeat in this round. */
  beatOf(instance: number): number {
    return this.round + (this.ahead.get(instance) ?? 0);
  }

  setBeatOf(instance: number, beat: number): void {
    this.ahead.set(instance, beat - this.round);
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
