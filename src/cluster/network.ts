/** Messages between zones: one hop takes a time drawn from the pair's law. Hops of constant time travel in delay lines, hops of
 *  zero time are not messages at all (`send` returns false and the caller delivers at once), the rest are calendar events.
 *  A random hop's time is keyed by the request and the direction, so that it is the same under every policy. */
import type { DistributionSpec } from '../core/distribution-spec.ts';
import { type KeyedDraws, type Streams } from '../core/streams.ts';
import type { Xoshiro128 } from '../core/xoshiro.ts';
import { DelayLine, type Engine } from '../engine/index.ts';
import type { NetworkSpec } from '../scenario/spec.ts';
import { makeSampler, type Sampler } from '../stats/samplers.ts';

/** What travels: index into `Channel` tables. */
export const channels = { request: 0, response: 1, heartbeat: 2, probe: 3, probeAnswer: 4 } as const;
export type Channel = (typeof channels)[keyof typeof channels];

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

  constructor(engine: Engine, spec: NetworkSpec, zoneNames: readonly string[], streams: Streams, kinds: readonly ChannelKinds[]) {
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
    this.isInstant = this.links.every((link) => link.constantMs === 0);
  }

  /** Sends a message; false when it takes no time and must be delivered now. Random hops are keyed by (`key`, `salt`). */
  send(channel: Channel, from: number, to: number, a: number, b: number, key: number, salt: number): boolean {
    const link = this.links[from * this.zones + to];
    if (link.constantMs === 0) return false;
    if (link.constantMs > 0) {
      this.lineOf(link, channel).send(a, b);
      return true;
    }
    this.keyed.fork(key, salt, this.scratch);
    this.engine.at(this.engine.time + link.sampler.sample(this.scratch), this.kinds[channel].delivered, a, b);
    return true;
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
