/** Messages between clients and instances: one hop takes a time drawn from the law of their zones. Hops of constant time travel in delay lines, hops of
 *  zero time are not messages at all (`send` returns false and the caller delivers at once), the rest are calendar events.
 *  A random hop's time is keyed by the request and the direction, so that it is the same under every policy. */
import type { DistributionSpec } from '../core/distribution-spec.ts';
import type { Ms } from '../core/time.ts';
import { type KeyedDraws, type Streams } from '../core/streams.ts';
import type { Xoshiro128 } from '../core/xoshiro.ts';
import { DelayLine, type Engine } from '../engine/index.ts';
import type { NetworkSpec } from '../scenario/spec.ts';
import { type Message, NEVER, type NetworkFaults } from './network-faults.ts';
import { makeSampler, type Sampler } from '../stats/samplers.ts';

/** What travels: index into `Channel` tables. */
export const channels = { request: 0, response: 1, heartbeat: 2, probe: 3, probeAnswer: 4 } as const;
export type Channel = (typeof channels)[keyof typeof channels];

/** What became of a message: it takes no time and the caller delivers it, it is on its way, or it is lost. */
export const sent = { now: 0, later: 1, never: 2 } as const;
export type Sent = (typeof sent)[keyof typeof sent];

export interface ChannelKinds {
  /** Event kinds for a message off a delay line, and for one out of the calendar. */
  readonly line: number;
  readonly delivered: number;
}

interface Link {
  readonly constantMs: number;
  readonly sampler: Sampler;
  /** By channel; made when first used. */
  readonly lines: (number | undefined)[];
}

/** An end of a message. */
export interface Place {
  readonly zone: number;
  readonly instance: number;
}

export class Network {
  /** True when every hop takes no time: then nobody need ask. */
  readonly isInstant: boolean;
  private readonly engine: Engine;
  private readonly kinds: readonly ChannelKinds[];
  private readonly zones: number;
  private readonly links: readonly Link[];
  private readonly lines: DelayLine[];
  private readonly keyed: KeyedDraws;
  private readonly scratch: Xoshiro128;
  /** Present when the scenario has faults of the network. */
  private readonly faults: NetworkFaults | undefined;
  private readonly message: Message;

  constructor(
    engine: Engine,
    spec: NetworkSpec,
    zoneNames: readonly string[],
    streams: Streams,
    kinds: readonly ChannelKinds[],
    faults: NetworkFaults | undefined,
  ) {
    this.faults = faults;
    this.message = { from: 0, to: 0, instance: 0, isInbound: false, isReliable: false, key: -0, salt: -0 };
    this.engine = engine;
    this.kinds = kinds;
    this.zones = zoneNames.length;
    this.lines = [];
    this.keyed = streams.keyed('network');
    this.scratch = streams.stream('network');
    const byLaw = new Map<DistributionSpec, Link>();
    const linkOf = (law: DistributionSpec): Link => {
      let link = byLaw.get(law);
      if (link === undefined) {
        link = { constantMs: law.type === 'constant' ? law.value : -1, sampler: makeSampler(law), lines: [] };
        byLaw.set(law, link);
      }
      return link;
    };
    this.links = zoneNames.flatMap((from) => zoneNames.map((to) => linkOf(lawBetween(spec, from, to))));
    this.isInstant = faults === undefined && this.links.every((link) => link.constantMs === 0);
  }

  /** Sends a message between a client and this instance. Random hops are keyed by (`key`, `salt`). */
  send(channel: Channel, from: number, to: number, instance: number, a: number, b: number, key: number, salt: number): Sent {
    if (this.faults !== undefined && this.faults.isActive)
      return this.sendThroughFaults(this.faults, channel, from, to, instance, a, b, key, salt);
    const link = this.links[from * this.zones + to];
    if (link.constantMs === 0) return sent.now;
    if (link.constantMs > 0) {
      this.lineOf(link, channel).send(a, b);
      return sent.later;
    }
    this.keyed.fork(key, salt, this.scratch);
    this.engine.at(this.engine.time + link.sampler.sample(this.scratch), this.kinds[channel].delivered, a, b);
    return sent.later;
  }

  private sendThroughFaults(
    faults: NetworkFaults,
    channel: Channel,
    from: number,
    to: number,
    instance: number,
    a: number,
    b: number,
    key: number,
    salt: number,
  ): Sent {
    const { message } = this;
    message.from = from;
    message.to = to;
    message.instance = instance;
    message.isInbound = channel === channels.request || channel === channels.probe;
    message.isReliable = channel === channels.request || channel === channels.response;
    message.key = key;
    message.salt = salt;
    const extraMs = faults.delayOf(message);
    if (extraMs === NEVER) return sent.never;
    const link = this.links[from * this.zones + to];
    this.keyed.fork(key, salt, this.scratch);
    const delayMs = extraMs + (link.constantMs >= 0 ? link.constantMs : link.sampler.sample(this.scratch));
    if (delayMs === 0) return sent.now;
    this.engine.at(this.engine.time + delayMs, this.kinds[channel].delivered, a, b);
    return sent.later;
  }

  /** Whether nothing that the instance sends arrives anywhere. */
  isMute(instance: number): boolean {
    return this.faults !== undefined && this.faults.isActive && this.faults.isMute(instance);
  }

  /** How long a message between two places takes that is not of the channels; NEVER if it is lost. Instances are global numbers, -1 for
   *  none. */
  delay(from: Place, to: Place, isReliable: boolean, key: number, salt: number): Ms {
    const link = this.links[from.zone * this.zones + to.zone];
    this.keyed.fork(key, salt, this.scratch);
    let delayMs = link.constantMs >= 0 ? link.constantMs : link.sampler.sample(this.scratch);
    const { faults, message } = this;
    if (faults === undefined || !faults.isActive) return delayMs;
    message.from = from.zone;
    message.to = to.zone;
    message.isReliable = isReliable;
    message.key = key;
    // Faults around instances may stand at either end, those between zones count once.
    for (const end of [from, to]) {
      if (end.instance < 0 && !(end === to && from.instance < 0)) continue;
      message.instance = end.instance;
      message.isInbound = end === to;
      message.salt = salt + (end === to ? 1 : 0);
      const extraMs = faults.delayOf(message);
      if (extraMs === NEVER) return NEVER;
      delayMs += extraMs;
    }
    return delayMs;
  }

  /** A time for one hop that is not a message of its own, as in a handshake. */
  sample(from: number, to: number, rng: Xoshiro128): number {
    return this.links[from * this.zones + to].sampler.sample(rng);
  }

  /** The delay line whose head has arrived. */
  line(index: number): DelayLine {
    return this.lines[index];
  }

  private lineOf(link: Link, channel: Channel): DelayLine {
    let index = link.lines[channel];
    if (index === undefined) {
      index = this.lines.length;
      link.lines[channel] = index;
      this.lines.push(new DelayLine(this.engine, this.kinds[channel].line, index, link.constantMs));
    }
    return this.lines[index];
  }
}

function lawBetween(spec: NetworkSpec, from: string, to: string): DistributionSpec {
  const pair = spec.pairs.find(({ zones: [x, y] }) => (x === from && y === to) || (x === to && y === from));
  if (pair !== undefined) return pair.latency;
  return from === to ? spec.sameZone : spec.betweenZones;
}
