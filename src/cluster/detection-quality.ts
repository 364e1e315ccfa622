/** How well clients judge instances: what each client believes of each instance against what is true of it. An instance is bad while a
 *  fault holds on it that its clients should notice, and while it is down or starting; a client believes it bad while it does not use it.
 *
 *  The measures are those of Chen, Toueg and Aguilera (2002): how fast what is bad is noticed, how often and how long the well are
 *  mistaken for bad. Read them together, and beside the messages they cost: each alone is easily made perfect. An outage that ends, or
 *  outlasts the run, unnoticed counts as missed. Outages, recoveries and mistakes count when they begin after warm-up. */
import type { Ms } from '../core/time.ts';
import type { EdgeMakers } from '../scenario/makers.ts';
import type { FaultSpec } from '../scenario/spec.ts';
import type { TruthSpan } from '../stats/result.ts';
import type { Client } from './client.ts';
import type { Fleet } from './fleet.ts';
import type { NetworkFaults } from './network-faults.ts';

/** More pairs of a client and an instance are not watched: the clients made last are left out. */
const PAIRS_MOST = 1_000_000;
/** Spans of truth kept for the report. */
const SPANS_KEPT = 2000;
/** From here on requests suffer enough for a policy to be expected to act. */
const SLOW_FACTOR = 2;
const ERROR_SHARE = 0.2;
const MS_PER_SECOND = 1000;
const MS_PER_HOUR = 3_600_000;

/** Whether clients should stop using an instance on which the fault holds. */
export function isBad(spec: FaultSpec): boolean {
  switch (spec.type) {
    case 'crash':
    case 'zone-outage':
    case 'hang':
    case 'pause':
    case 'partition':
    case 'drop-responses':
      return true;
    case 'slow':
      return spec.factor >= SLOW_FACTOR && spec.requests === 1;
    case 'errors':
      return spec.share >= ERROR_SHARE;
    default:
      return false;
  }
}

export class DetectionQuality {
  /** When instances were bad, in the order in which they became so. */
  readonly truth: TruthSpan[];
  private readonly clock: { readonly time: Ms };
  private readonly fleet: Fleet;
  private readonly network: NetworkFaults | undefined;
  private readonly warmupMs: Ms;
  /** By service: the clients that are watched. */
  private readonly watchers: readonly (readonly Client[])[];
  // By instance.
  private readonly faults: Int32Array;
  private readonly isDown: Uint8Array;
  /** Nobody is there: neither well nor bad. */
  private readonly isGone: Uint8Array;
  private readonly badSinceMs: Float64Array;
  /** Place in `truth` of what is true now; −1 for none. */
  private readonly span: Int32Array;
  /** By client: its first pair; −1 if it is not watched. */
  private readonly firstPair: Int32Array;
  // By pair.
  private readonly isUnused: Uint8Array;
  /** Of the present outage: whether it has been noticed. */
  private readonly isNoticed: Uint8Array;
  /** When the present mistake began, or the recovery that is waited for; NaN for none. */
  private readonly mistakenSinceMs: Float64Array;
  private readonly recoveringSinceMs: Float64Array;
  /** Up to when its time is counted. */
  private readonly countedMs: Float64Array;
  // Sums.
  private readonly detections: Mean;
  private readonly recoveries: Mean;
  private readonly mistakeTimes: Mean;
  private missed: number;
  private mistakes: number;
  private wellMs: Ms;
  private usedWellMs: Ms;

  /** `makers` by edge. */
  constructor(
    clock: { readonly time: Ms },
    fleet: Fleet,
    clients: readonly Client[],
    makers: readonly EdgeMakers[],
    warmupMs: Ms,
    network: NetworkFaults | undefined,
  ) {
    this.network = network;
    this.clock = clock;
    this.fleet = fleet;
    this.warmupMs = warmupMs;
    this.truth = [];
    this.faults = new Int32Array(fleet.count);
    this.isDown = new Uint8Array(fleet.count);
    this.isGone = Uint8Array.from(fleet.ids, (_, instance) => (fleet.exists(instance) ? 0 : 1));
    this.badSinceMs = new Float64Array(fleet.count).fill(NaN);
    this.span = new Int32Array(fleet.count).fill(-1);
    this.firstPair = new Int32Array(clients.length).fill(-1);
    let pairs = 0;
    const watched: Client[] = [];
    for (const client of clients) {
      if (!judges(client, makers[client.edge])) continue;
      if (pairs + client.instances > PAIRS_MOST) break;
      watched.push(client);
      this.firstPair[client.number] = pairs;
      pairs += client.instances;
    }
    this.watchers = fleet.services.map((_, service) => watched.filter(({ spec }) => spec.service === service));
    this.isUnused = new Uint8Array(pairs);
    this.isNoticed = new Uint8Array(pairs);
    this.mistakenSinceMs = new Float64Array(pairs).fill(NaN);
    this.recoveringSinceMs = new Float64Array(pairs).fill(NaN);
    this.countedMs = new Float64Array(pairs).fill(warmupMs);
    this.detections = new Mean();
    this.recoveries = new Mean();
    this.mistakeTimes = new Mean();
    this.missed = 0;
    this.mistakes = 0;
    this.wellMs = 0;
    this.usedWellMs = 0;
    for (let instance = 0; instance < fleet.count; instance++) {
      if (this.isGone[instance] === 0) continue;
      this.eachPair(instance, (pair) => {
        this.isUnused[pair] = 1;
        this.countedMs[pair] = Infinity;
      });
    }
  }

  /** Whether anybody judges at all. */
  get isWatching(): boolean {
    return this.isUnused.length > 0;
  }

  /** A fault begins or ends on the instance. */
  fault(instance: number, spec: FaultSpec, begins: boolean): void {
    if (!isBad(spec)) return;
    this.faults[instance] += begins ? 1 : -1;
    this.settle(instance, spec.type);
  }

  wentDown(instance: number): void {
    this.isDown[instance] = 1;
    this.settle(instance, 'down');
  }

  cameUp(instance: number): void {
    this.isDown[instance] = 0;
    if (this.isGone[instance] === 1) {
      this.isGone[instance] = 0;
      this.eachPair(instance, (pair) => (this.countedMs[pair] = Math.max(this.clock.time, this.warmupMs)));
    }
    this.settle(instance, '');
  }

  /** The instance is taken away on purpose, or given up: what is believed of it does not matter any more. */
  removed(instance: number): void {
    if (this.isGone[instance] === 1) return;
    if (Number.isNaN(this.badSinceMs[instance])) {
      this.eachPair(instance, (pair, client) => this.count(pair, this.clock.time, this.isCutOff(client, instance - client.base)));
    }
    this.isGone[instance] = 1;
    this.isDown[instance] = 0;
    this.settle(instance, '');
    this.eachPair(instance, (pair) => {
      this.countedMs[pair] = Infinity;
      this.mistakenSinceMs[pair] = NaN;
      this.recoveringSinceMs[pair] = NaN;
    });
  }

  /** Partitions between zones are about to change: what has been counted so far stands. */
  networkChanges(): void {
    const nowMs = this.clock.time;
    this.watchers.forEach((clients, service) => {
      for (const client of clients) {
        for (let slot = 0; slot < client.instances; slot++) {
          const pair = this.firstPair[client.number] + slot;
          if (Number.isNaN(this.badSinceMs[this.fleet.base[service] + slot]))
            this.count(pair, nowMs, this.isCutOff(client, slot));
        }
      }
    });
  }

  /** Whether a partition lies between the two: then not to use the instance is no mistake. */
  private isCutOff(client: Client, slot: number): boolean {
    return this.network?.separates(client.zone, this.fleet.zone[client.base + slot]) === true;
  }

  /** A client begins or ceases to use an instance. */
  believed(client: Client, slot: number, isUsed: boolean): void {
    const first = this.firstPair[client.number];
    if (first < 0) return;
    const pair = first + slot;
    if (this.isGone[client.base + slot] === 1) {
      this.isUnused[pair] = isUsed ? 0 : 1;
      return;
    }
    const nowMs = this.clock.time;
    const sinceMs = this.badSinceMs[client.base + slot];
    const isWell = Number.isNaN(sinceMs);
    const isCutOff = this.isCutOff(client, slot);
    if (isWell) this.count(pair, nowMs, isCutOff);
    this.isUnused[pair] = isUsed ? 0 : 1;
    if (!isWell) {
      if (!isUsed) this.notice(pair, nowMs - sinceMs, sinceMs);
    } else if (!isUsed) {
      if (nowMs >= this.warmupMs && !isCutOff) this.mistakes++;
      this.mistakenSinceMs[pair] = isCutOff ? NaN : nowMs;
    } else {
      this.recoveries.add(this.takeSince(this.recoveringSinceMs, pair, nowMs));
      this.mistakeTimes.add(this.takeSince(this.mistakenSinceMs, pair, nowMs));
    }
  }

  /** The glossary's numbers at the end of the run. `messages`: heartbeats, checks and gossip since warm-up. */
  metrics(messages: number): Record<string, number> {
    const nowMs = this.clock.time;
    let { missed } = this;
    this.watchers.forEach((clients, service) => {
      for (const client of clients) {
        for (let slot = 0; slot < client.instances; slot++) {
          const pair = this.firstPair[client.number] + slot;
          const sinceMs = this.badSinceMs[this.fleet.base[service] + slot];
          if (Number.isNaN(sinceMs)) this.count(pair, nowMs, this.isCutOff(client, slot));
          else if (this.isNoticed[pair] === 0 && sinceMs >= this.warmupMs && sinceMs < nowMs) missed++;
        }
      }
    });
    const outages = this.detections.count + missed;
    return {
      'detection.time': this.detections.mean,
      'detection.missed': outages > 0 ? missed / outages : NaN,
      'detection.recovery': this.recoveries.mean,
      'detection.mistakes': this.wellMs > 0 ? (this.mistakes * MS_PER_HOUR) / this.wellMs : NaN,
      'detection.mistakeTime': this.mistakeTimes.mean,
      'detection.accuracy': this.wellMs > 0 ? this.usedWellMs / this.wellMs : NaN,
      'detection.messages': this.isWatching ? (messages * MS_PER_SECOND) / (nowMs - this.warmupMs) : NaN,
    };
  }

  /** The truth about an instance may have changed, for this reason. */
  private settle(instance: number, what: string): void {
    const wasBad = !Number.isNaN(this.badSinceMs[instance]);
    const isBadNow = this.isGone[instance] === 0 && (this.faults[instance] > 0 || this.isDown[instance] === 1);
    if (isBadNow && wasBad) this.alsoBecause(instance, what);
    else if (isBadNow) this.becomesBad(instance, what);
    else if (wasBad) this.becomesWell(instance);
  }

  private becomesBad(instance: number, what: string): void {
    const nowMs = this.clock.time;
    this.eachPair(instance, (pair, client) => {
      this.count(pair, nowMs, this.isCutOff(client, instance - client.base));
      this.mistakenSinceMs[pair] = NaN;
      this.recoveringSinceMs[pair] = NaN;
      this.isNoticed[pair] = 0;
      if (this.isUnused[pair] === 1) this.notice(pair, 0, nowMs);
    });
    this.badSinceMs[instance] = nowMs;
    if (this.truth.length >= SPANS_KEPT) return;
    this.span[instance] = this.truth.length;
    this.truth.push({ instance: this.fleet.ids[instance], fromMs: nowMs, toMs: Infinity, what });
  }

  private becomesWell(instance: number): void {
    const nowMs = this.clock.time;
    const sinceMs = this.badSinceMs[instance];
    this.badSinceMs[instance] = NaN;
    this.eachPair(instance, (pair) => {
      this.countedMs[pair] = Math.max(nowMs, this.warmupMs);
      // What began and ended at one instant was not there.
      if (this.isNoticed[pair] === 0 && sinceMs >= this.warmupMs && nowMs > sinceMs) this.missed++;
      if (this.isUnused[pair] === 1) this.recoveringSinceMs[pair] = nowMs;
      else if (this.isNoticed[pair] === 1 && nowMs >= this.warmupMs) this.recoveries.add(0);
    });
    const place = this.span[instance];
    this.span[instance] = -1;
    if (place >= 0) this.truth[place] = { ...this.truth[place], toMs: nowMs };
  }

  /** A cause follows another, or joins it: `crash+hang`. Being down is what a crash does, not a cause beside it. */
  private alsoBecause(instance: number, what: string): void {
    const place = this.span[instance];
    if (place < 0 || what === '' || what === 'down') return;
    const span = this.truth[place];
    if (!span.what.split('+').includes(what)) this.truth[place] = { ...span, what: `${span.what}+${what}` };
  }

  private notice(pair: number, afterMs: Ms, badSinceMs: Ms): void {
    if (this.isNoticed[pair] === 1) return;
    this.isNoticed[pair] = 1;
    if (badSinceMs >= this.warmupMs) this.detections.add(afterMs);
  }

  /** Time in which the instance was well, and could be reached, up to now. */
  private count(pair: number, nowMs: Ms, isCutOff: boolean): void {
    if (nowMs <= this.countedMs[pair]) return;
    const ms = nowMs - this.countedMs[pair];
    this.countedMs[pair] = nowMs;
    if (isCutOff) return;
    this.wellMs += ms;
    if (this.isUnused[pair] === 0) this.usedWellMs += ms;
  }

  /** Time since then, which is over; NaN where it does not count. */
  private takeSince(sinceMs: Float64Array, pair: number, nowMs: Ms): Ms {
    const since = sinceMs[pair];
    sinceMs[pair] = NaN;
    return since >= this.warmupMs ? nowMs - since : NaN;
  }

  private eachPair(instance: number, act: (pair: number, client: Client) => void): void {
    for (const client of this.watchers[this.fleet.service[instance]]) {
      act(this.firstPair[client.number] + instance - client.base, client);
    }
  }
}

/** Whether the client has anything to tell well from bad by. */
const judges = ({ detector, checker, outlier, discovery, spec }: Client, { membership }: EdgeMakers): boolean =>
  [detector, checker, outlier, discovery, spec.queue < 0 ? membership : undefined].some((part: unknown) => part !== undefined);

class Mean {
  count = 0;
  private sum = 0;

  add(value: number): void {
    if (Number.isNaN(value)) return;
    this.count++;
    this.sum += value;
  }

  get mean(): number {
    return this.count > 0 ? this.sum / this.count : NaN;
  }
}
