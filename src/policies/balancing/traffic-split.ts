/** A traffic split: requests are divided among groups of endpoints by weight, and a balancer of its own picks within each group.
 *
 *  For roll-outs: groups are versions, and a canary gets five per cent of the requests however many instances it has. Weighted clusters in
 *  Envoy, routes with weights in Istio and the Gateway API. Shares are met by chance, request by request; where `bucketOf` is given,
 *  requests that carry a key are divided by it instead, so that a user stays with a version.
 *
 *  It fails where a group is too small for its share: nothing spills over. A group that has a share and no endpoint to use answers with
 *  no endpoint, as Envoy answers 503. Degraded endpoints are used where no endpoint of any group is healthy, as without a split. And a
 *  share by chance is one of requests, not of users or of load.
 *
 *  A retry stays with the group of the attempt before, as in Envoy, which chooses the cluster once per request, also when its share has
 *  gone meanwhile.
 *
 *  Not in the table of balancers, since it is made around a way to make balancers. Each group's balancer is made when the group first gets
 *  a share, and forgotten when the group has neither share, nor endpoints, nor attempts in flight.
 *
 *  Sources: envoyproxy/envoy: api/envoy/config/route/v3/route_components.proto (WeightedCluster), source/common/router/config_impl.cc. */
import { invariant } from '../../core/errors.ts';
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';
import {
  type Balancer,
  type EndpointView,
  type LoadReport,
  NO_ENDPOINT,
  type Outcome,
  type PickContext,
  type Slot,
} from './balancer.ts';
import { type BucketOf, KeyPlaces, PLACES } from './parts/key-places.ts';
import { PicksInFlight } from './parts/picks-in-flight.ts';
import { SubView } from './parts/sub-view.ts';

export type { BucketOf } from './parts/key-places.ts';

export interface TrafficSplitDeps {
  /** Draws the groups of requests. */
  readonly rng: Rng;
  /** Makes the balancer of a group, or with undefined the one of all endpoints, for while nothing is divided. All of one algorithm, each
   *  with a stream of its own. */
  makeBalancer(group: string | undefined): Balancer;
}

export class TrafficSplit implements Balancer {
  readonly judgesHealth?: boolean;
  readonly onStart?: (slot: Slot, nowMs: Ms) => void;
  readonly onEnd?: (slot: Slot, nowMs: Ms, latencyMs: Ms, outcome: Outcome) => void;
  readonly onReport?: (slot: Slot, nowMs: Ms, report: LoadReport) => void;
  readonly probes?: (out: Int32Array, nowMs: Ms) => number;
  readonly nextTimerMs?: () => Ms;
  readonly onTimer?: (nowMs: Ms) => void;
  readonly #rng: Rng;
  readonly #makeBalancer: TrafficSplitDeps['makeBalancer'];
  /** All endpoints in one. */
  readonly #whole: Part;
  /** The whole, and one per group that has or had a share. */
  #parts: Part[];
  readonly #groups = new Map<string, Group>();
  readonly #groupBySlot: (Group | undefined)[] = [];
  readonly #picks = new PicksInFlight<Part>();
  readonly #keys = new KeyPlaces();
  #view: EndpointView | undefined;
  #isDivided = false;
  /** Those with a share, and up to which place each of them reaches. */
  #open: Part[] = [];
  #reaches: Float64Array = new Float64Array(0);
  #lastPicking: Part | undefined;

  constructor({ rng, makeBalancer }: TrafficSplitDeps) {
    this.#rng = rng;
    this.#makeBalancer = makeBalancer;
    this.#whole = new Part(makeBalancer(undefined));
    this.#parts = [this.#whole];
    // Drivers ask for nothing and tell nothing that a balancer has no method for.
    const { judgesHealth, onStart, onEnd, onReport, probes, nextTimerMs, onTimer } = this.#whole.balancer;
    if (judgesHealth !== undefined) this.judgesHealth = judgesHealth;
    if (onStart !== undefined || onEnd !== undefined) {
      this.onStart = (slot, nowMs) => this.#start(slot, nowMs);
      this.onEnd = (slot, nowMs, latencyMs, outcome) => this.#end(slot, nowMs, latencyMs, outcome);
    }
    if (onReport !== undefined) this.onReport = (slot, nowMs, report) => this.#report(slot, nowMs, report);
    if (probes !== undefined) this.probes = (out, nowMs) => this.#lastPicking?.balancer.probes?.(out, nowMs) ?? 0;
    if (nextTimerMs !== undefined) this.nextTimerMs = () => Math.min(...this.#parts.map(nextTimerOf));
    if (onTimer !== undefined) this.onTimer = (nowMs) => this.#wake(nowMs);
  }

  /** Which group the endpoint in this slot belongs to; at best before it becomes a member. An endpoint without a group gets nothing
   *  while requests are divided. Ask for `nextTimerMs` again after this. */
  setGroup(slot: Slot, name: string, nowMs: Ms): void {
    const group = this.#groupNamed(name);
    const before = this.#groupBySlot[slot];
    if (group === before) return;
    while (this.#groupBySlot.length <= slot) this.#groupBySlot.push(undefined);
    this.#groupBySlot[slot] = group;
    if (this.#view === undefined || !isShown(this.#view, slot)) return;
    this.#fillViews(this.#view);
    for (const part of [before?.part, group.part]) part?.balancer.update(part.view!, nowMs);
    this.#forget();
  }

  /** Shares by group; groups that are not named get nothing, and what the shares add up to is the whole. Undefined: requests are not
   *  divided, and one balancer has all endpoints.
   *
   *  With `bucketOf`, groups take slices of 0 to 1 in the order in which they are named, and a request with a key goes where its bucket
   *  lies. So with two groups, always named in the same order, raising a share only moves keys to that group. Give the same function
   *  again while it stays the same: what it answered is remembered. Ask for `nextTimerMs` again after this. */
  setShares(shares: Readonly<Record<string, number>> | undefined, nowMs: Ms, bucketOf?: BucketOf): void {
    this.#keys.use(bucketOf);
    this.#isDivided = shares !== undefined;
    for (const group of this.#groups.values()) group.share = 0;
    const fresh: Part[] = [];
    this.#open = [];
    for (const [name, share] of Object.entries(shares ?? {})) {
      invariant(share >= 0 && share < Infinity, `group ${name} cannot have a share of ${share}`);
      if (share === 0) continue;
      const group = this.#groupNamed(name);
      group.share = share;
      if (group.part === undefined) {
        group.part = new Part(this.#makeBalancer(name));
        fresh.push(group.part);
      }
      this.#open.push(group.part);
    }
    this.#reaches = reachesOf(Object.values(shares ?? {}).filter((share) => share > 0));
    this.#parts.push(...fresh);
    if (this.#view === undefined) return;
    if (fresh.length > 0) this.#fillViews(this.#view);
    for (const part of fresh) part.balancer.update(part.view!, nowMs);
    this.#forget();
  }

  update(view: EndpointView, nowMs: Ms): void {
    this.#view = view;
    this.#whole.view = view;
    this.#picks.resize(view.table.weight.length);
    this.#fillViews(view);
    for (const part of this.#parts) part.balancer.update(part.view!, nowMs);
    this.#forget();
  }

  pick(context: PickContext): Slot {
    const part = this.#isDivided ? this.#choose(context) : this.#whole;
    if (part === undefined) return NO_ENDPOINT;
    this.#lastPicking = part;
    return part.balancer.pick(context);
  }

  #choose({ previous, hasHash, hashHigh, hashLow }: PickContext): Part | undefined {
    if (previous !== NO_ENDPOINT) {
      const part = this.#groupBySlot[previous]?.part;
      if (part !== undefined) return part;
    }
    const last = this.#open.length - 1;
    if (last <= 0) return this.#open[0];
    const place = hasHash && this.#keys.isUsed ? this.#keys.of(hashHigh, hashLow) : this.#rng.below(PLACES);
    let i = 0;
    while (i < last && place >= this.#reaches[i]) i++;
    return this.#open[i];
  }

  #start(slot: Slot, nowMs: Ms): void {
    const part = this.#lastPicking;
    if (part === undefined) return;
    part.inFlight++;
    this.#picks.start(slot, part, nowMs);
    if (part.balancer.onStart !== undefined) part.balancer.onStart(slot, nowMs);
  }

  #end(slot: Slot, nowMs: Ms, latencyMs: Ms, outcome: Outcome): void {
    const part = this.#picks.end(slot, nowMs, latencyMs);
    if (part === undefined) return;
    part.inFlight--;
    if (part.balancer.onEnd !== undefined) part.balancer.onEnd(slot, nowMs, latencyMs, outcome);
  }

  /** Whoever might pick it now is told of its load. */
  #report(slot: Slot, nowMs: Ms, report: LoadReport): void {
    const part = this.#isDivided ? this.#groupBySlot[slot]?.part : this.#whole;
    if (part !== undefined) part.balancer.onReport?.(slot, nowMs, report);
  }

  #wake(nowMs: Ms): void {
    for (const part of this.#parts) if (nextTimerOf(part) <= nowMs) part.balancer.onTimer?.(nowMs);
  }

  #groupNamed(name: string): Group {
    let group = this.#groups.get(name);
    if (group === undefined) {
      group = { share: 0, part: undefined };
      this.#groups.set(name, group);
    }
    return group;
  }

  #fillViews(view: EndpointView): void {
    if (this.#parts.length === 1) return;
    const { table, members, count, everyone, everyoneCount } = view;
    for (const { part } of this.#groups.values()) {
      if (part === undefined) continue;
      part.own ??= new SubView(table);
      part.view = part.own;
      part.own.reset(table, everyone.length);
    }
    const isMember = new Uint8Array(table.weight.length);
    for (let i = 0; i < count; i++) isMember[members[i]] = 1;
    for (let i = 0; i < everyoneCount; i++) {
      const slot = everyone[i];
      this.#groupBySlot[slot]?.part?.own?.add(slot, isMember[slot] === 1);
    }
  }

  /** Balancers of groups that are over, and then the groups' names. */
  #forget(): void {
    if (this.#groups.size === 0) return;
    for (const group of this.#groups.values()) if (isOver(group)) group.part = undefined;
    const used = new Set(this.#groupBySlot);
    for (const [name, group] of this.#groups) {
      if (group.part === undefined && !used.has(group)) this.#groups.delete(name);
    }
    const kept = new Set([...this.#groups.values()].map(({ part }) => part));
    this.#parts = this.#parts.filter((part) => part === this.#whole || kept.has(part));
  }
}

/** A balancer with what it sees. */
class Part {
  readonly balancer: Balancer;
  view: EndpointView | undefined;
  /** The view, if it is of a group. */
  own: SubView | undefined;
  inFlight = 0;

  constructor(balancer: Balancer) {
    this.balancer = balancer;
  }
}

interface Group {
  share: number;
  /** From its first share on. */
  part: Part | undefined;
}

const isOver = ({ share, part }: Group): boolean =>
  part !== undefined && share === 0 && part.inFlight === 0 && (part.own?.everyoneCount ?? 0) === 0;

const nextTimerOf = ({ balancer }: Part): Ms => balancer.nextTimerMs?.() ?? Infinity;

function isShown({ everyone, everyoneCount }: EndpointView, slot: Slot): boolean {
  for (let i = 0; i < everyoneCount; i++) if (everyone[i] === slot) return true;
  return false;
}

function reachesOf(shares: readonly number[]): Float64Array {
  const total = shares.reduce((sum, share) => sum + share, 0);
  let reached = 0;
  return Float64Array.from(shares, (share) => ((reached += share) / total) * PLACES);
}
