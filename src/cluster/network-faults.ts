/** What is wrong with the network now: partitions, lost packets, added latency, between zones or around instances. Asked for every message
 *  while some fault holds, and not at all otherwise. */
import type { Ms } from '../core/time.ts';
import type { KeyedDraws, Streams } from '../core/streams.ts';
import type { Xoshiro128 } from '../core/xoshiro.ts';
import type { FaultSpec, LinkSpec } from '../scenario/spec.ts';
import { makeSampler, type Sampler } from '../stats/samplers.ts';

/** A message between a client and an instance. */
export interface Message {
  /** Zones. */
  from: number;
  to: number;
  instance: number;
  /** Whether it goes to the instance, not from it. */
  isInbound: boolean;
  /** Whether what is lost is sent again, as TCP does. */
  isReliable: boolean;
  /** Keys of its draws. */
  key: number;
  salt: number;
}

/** What `delayOf` says of a message that does not arrive. */
export const NEVER = -1;

/** Linux's smallest time before a packet is sent again; it doubles from there. After so many tries the connection counts as lost. */
const RETRANSMIT_MS = 200;
const RETRANSMITS = 6;
/** Draws of faults lie apart from those of the messages' own latency. */
const SALT = 8_589_934_592;

interface Active {
  readonly fault: number;
  readonly type: 'partition' | 'packet-loss' | 'latency';
  readonly link: LinkSpec;
  /** By instance, for links of instances; by zone pair, for links of zones. */
  readonly hit: Uint8Array;
  readonly share: number;
  readonly adds: Sampler | undefined;
}

export class NetworkFaults {
  private readonly zoneNames: readonly string[];
  private readonly instances: number;
  private readonly keyed: KeyedDraws;
  private readonly rng: Xoshiro128;
  private active: readonly Active[];

  constructor(zoneNames: readonly string[], instances: number, streams: Streams) {
    this.zoneNames = zoneNames;
    this.instances = instances;
    this.keyed = streams.keyed('network/faults');
    this.rng = streams.stream('network/faults');
    this.active = [];
  }

  get isActive(): boolean {
    return this.active.length > 0;
  }

  /** `targets` are global instance numbers, for links of instances. */
  begin(fault: number, spec: FaultSpec, targets: readonly number[]): void {
    if (spec.type !== 'partition' && spec.type !== 'packet-loss' && spec.type !== 'latency') return;
    const { link } = spec;
    const hit = link.type === 'zones' ? this.pairsOf(link) : new Uint8Array(this.instances);
    if (link.type === 'instances') for (const target of targets) hit[target] = 1;
    const share = spec.type === 'packet-loss' ? spec.share : 1;
    const adds = spec.type === 'latency' ? makeSampler(spec.adds) : undefined;
    this.active = [...this.active, { fault, type: spec.type, link, hit, share, adds }];
  }

  end(fault: number): void {
    this.active = this.active.filter((each) => each.fault !== fault);
  }

  /** Whether nothing that the instance sends arrives anywhere. */
  isMute(instance: number): boolean {
    return this.active.some(
      ({ type, link, hit }) =>
        type === 'partition' && link.type === 'instances' && link.direction !== 'in' && hit[instance] === 1,
    );
  }

  /** Whether a partition lies between the two zones, in either direction. */
  separates(zone: number, other: number): boolean {
    const zones = this.zoneNames.length;
    return this.active.some(
      ({ type, link, hit }) =>
        type === 'partition' && link.type === 'zones' && (hit[zone * zones + other] === 1 || hit[other * zones + zone] === 1),
    );
  }

  /** Extra time of the message, or NEVER. */
  delayOf(message: Message): Ms {
    let delayMs = 0;
    for (let i = 0; i < this.active.length; i++) {
      const fault = this.active[i];
      if (!this.meets(fault, message)) continue;
      if (fault.type === 'partition') return NEVER;
      const salt = SALT + fault.fault * RETRANSMITS * SALT + message.salt;
      if (fault.adds !== undefined) {
        this.keyed.fork(message.key, salt, this.rng);
        delayMs += fault.adds.sample(this.rng);
        continue;
      }
      let tries = 0;
      while (tries < RETRANSMITS && this.keyed.unit(message.key, salt + tries * SALT) < fault.share) {
        if (!message.isReliable) return NEVER;
        delayMs += RETRANSMIT_MS * (1 << tries++);
      }
      if (tries === RETRANSMITS) return NEVER;
    }
    return delayMs;
  }

  private meets({ link, hit }: Active, { from, to, instance, isInbound }: Message): boolean {
    if (link.type === 'zones') return hit[from * this.zoneNames.length + to] === 1;
    return hit[instance] === 1 && (link.direction === 'both' || (link.direction === 'in') === isInbound);
  }

  private pairsOf({ from, to, oneWay }: LinkSpec & { readonly type: 'zones' }): Uint8Array {
    const zones = this.zoneNames.length;
    const pairs = new Uint8Array(zones * zones);
    for (const x of from.map((zone) => this.zoneNames.indexOf(zone))) {
      for (const y of to.map((zone) => this.zoneNames.indexOf(zone))) {
        if (x < 0 || y < 0) continue;
        pairs[x * zones + y] = 1;
        if (!oneWay) pairs[y * zones + x] = 1;
      }
    }
    return pairs;
  }
}
