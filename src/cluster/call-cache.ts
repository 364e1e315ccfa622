/** The cache in front of a call: whether a request finds its answer there, has to fetch it, or waits for a fetch under way.
 *
 *  Two models. *Ratio* says how often a lookup hits, and knows only how warm the cache is: it is enough for how much load a cache keeps
 *  away, and for what happens when it is lost, as hits then come back with the fills that get through (a cache that is emptied under
 *  load may never refill). *Keys* holds entries with an age: it shows hot keys that expire, the stampede that follows, and what
 *  coalescing and early refresh do about it.
 *
 *  Early refresh is XFetch: A. Vattani, F. Chierichetti, K. Lowenstein, "Optimal Probabilistic Cache Stampede Prevention" (PVLDB 8(8),
 *  2015). A lookup at `now` fetches already when now − fetchMs · beta · ln(u) ≥ expiry, with u uniform in (0, 1]. It fails for keys
 *  that are asked for less often than they take to fetch: nobody comes by in time. */
import { invariant } from '../core/errors.ts';
import { log } from '../core/math.ts';
import type { KeyedDraws } from '../core/streams.ts';
import type { Ms } from '../core/time.ts';
import type { CacheSpec } from '../scenario/spec.ts';
import { LruTable } from './lru-table.ts';
import { SingleFlight } from './single-flight.ts';
import { Tally } from './tally.ts';

/** The answer is there. */
export const HIT = 0;
/** Fetch it, then say so with `fetched` or `fetchAbandoned`. */
export const MISS = 1;
/** It is being fetched: `join`, and be told. */
export const JOIN = 2;
export type CacheAnswer = typeof HIT | typeof MISS | typeof JOIN;

const NONE = -1;
/** Stands for all requests without a key. */
const NO_KEY = -1;
// Second numbers of the keyed draws; the ages of place p at the start are drawn with FIRST_AGES + p.
const HIT_DRAW = 0;
const REFRESH_DRAW = 1;
const FIRST_AGES = 2;

export class CallCache {
  readonly hits: Tally;
  /** Lookups that led to a fetch. */
  readonly misses: Tally;
  /** Of these, the ones that found a fresh entry and refreshed it early. */
  readonly refreshes: Tally;
  /** Lookups that waited for somebody else's fetch: neither hits nor misses. */
  readonly joins: Tally;
  private readonly draws: KeyedDraws;
  // For ratios.
  private readonly hitShare: number;
  private readonly fillsToWarm: number;
  /** By place: fills since it was last empty, no further than matters. */
  private readonly fills: Float64Array;
  // For keys.
  private readonly ttlMs: Ms;
  private readonly beta: number;
  private readonly entries: LruTable | undefined;
  /** Where fetches are coalesced. */
  private readonly flights: SingleFlight | undefined;

  /** `places` is 1 for a shared cache, else the number of the calling service's instances. `keys` is how many different keys the
   *  traffic has, 0 for none: a cache that does not start cold holds the first of them, as many as fit, key 0 being the most
   *  popular. Their fetch times are not known, so that each is refreshed early only after its first fetch. */
  constructor(spec: CacheSpec, places: number, draws: KeyedDraws, keys = Infinity) {
    this.hits = new Tally();
    this.misses = new Tally();
    this.refreshes = new Tally();
    this.joins = new Tally();
    this.draws = draws;
    this.hitShare = spec.type === 'ratio' ? spec.hit : 0;
    this.fillsToWarm = spec.type === 'ratio' ? spec.fills : 0;
    this.fills = new Float64Array(places);
    this.ttlMs = spec.type === 'keys' ? spec.ttlMs : Infinity;
    this.beta = spec.type === 'keys' ? spec.earlyRefresh : 0;
    this.entries = spec.type === 'keys' ? new LruTable(spec.entries, places) : undefined;
    this.flights = spec.type === 'keys' && spec.coalesces ? new SingleFlight() : undefined;
    if (spec.startsCold) return;
    if (spec.type === 'ratio') this.fills.fill(spec.fills);
    else for (let place = 0; place < places; place++) this.enterAtStart(place, Math.min(keys, spec.entries));
  }

  /** What the request `index` finds at `place`. `key` is a whole number below 2^31, -1 for a request without one; all of these share an
   *  entry. `index` addresses the random draws: the same request finds the same under every policy, as far as the cache is the same. */
  lookup(place: number, key: number, index: number, nowMs: Ms): CacheAnswer {
    const answer =
      this.entries === undefined ? this.tryLuck(place, index) : this.lookUpEntry(this.entries, place, key, index, nowMs);
    if (answer === HIT) this.hits.add();
    else if (answer === MISS) this.misses.add();
    else this.joins.add();
    return answer;
  }

  /** After JOIN: the waiter, a row of the caller's, is told when the fetch is over. */
  join(place: number, key: number, waiter: number): void {
    invariant(this.flights !== undefined, 'a request waits for a fetch in a cache that does not coalesce');
    this.flights.join(place, key, waiter);
  }

  /** A fetch that a MISS led to is over; a good one fills. `each` is called for every request that waited, in order of arrival, and may
   *  look up, join and forget as it likes. */
  fetched(place: number, key: number, isGood: boolean, fetchMs: Ms, nowMs: Ms, each: (waiter: number) => void): void {
    if (isGood) {
      if (this.entries !== undefined) this.entries.put(place, key, nowMs + this.ttlMs, fetchMs);
      else if (this.fills[place] < this.fillsToWarm) this.fills[place]++;
    }
    this.flights?.end(place, key, each);
  }

  /** Nobody wants to know the fetch's end any more: whoever waited looks again, and the first of them fetches. */
  fetchAbandoned(place: number, key: number, each: (waiter: number) => void): void {
    this.flights?.end(place, key, each);
  }

  /** The waiter has given up. Harmless for one who does not wait. */
  forget(waiter: number): void {
    this.flights?.forget(waiter);
  }

  /** Empties the cache. Fetches under way go on and fill. A ratio that needs no fills stays as it is. */
  flush(place: number): void {
    this.fills[place] = 0;
    this.entries?.clear(place);
  }

  markWarmup(): void {
    this.hits.mark();
    this.misses.mark();
    this.refreshes.mark();
    this.joins.mark();
  }

  private tryLuck(place: number, index: number): CacheAnswer {
    const warmth = this.fillsToWarm === 0 ? 1 : this.fills[place] / this.fillsToWarm;
    return this.draws.unit(index, HIT_DRAW) < this.hitShare * warmth ? HIT : MISS;
  }

  private lookUpEntry(entries: LruTable, place: number, key: number, index: number, nowMs: Ms): CacheAnswer {
    const row = entries.find(place, key);
    if (row !== NONE && nowMs < entries.expiryMs[row]) {
      entries.use(row);
      if (!this.refreshesNow(entries, row, index, nowMs)) return HIT;
      // One refresh is enough; meanwhile the entry is as good as it was.
      if (this.flights?.isOut(place, key) === true) return HIT;
      this.flights?.begin(place, key);
      this.refreshes.add();
      return MISS;
    }
    if (row !== NONE) entries.remove(row);
    if (this.flights === undefined) return MISS;
    if (this.flights.isOut(place, key)) return JOIN;
    this.flights.begin(place, key);
    return MISS;
  }

  private refreshesNow(entries: LruTable, row: number, index: number, nowMs: Ms): boolean {
    if (this.beta === 0) return false;
    const aheadMs = -entries.fetchMs[row] * this.beta * log(1 - this.draws.unit(index, REFRESH_DRAW));
    return nowMs + aheadMs >= entries.expiryMs[row];
  }

  private enterAtStart(place: number, keys: number): void {
    invariant(keys < Infinity, 'a cache without limit starts warm, and how many keys there are is not known');
    if (keys === 0) this.enterAged(place, NO_KEY);
    // The most popular last: they are the most recently used.
    for (let key = keys - 1; key >= 0; key--) this.enterAged(place, key);
  }

  /** With what is left of its time to live: anything up to all of it. */
  private enterAged(place: number, key: number): void {
    const leftMs = this.ttlMs === Infinity ? Infinity : this.ttlMs * (1 - this.draws.unit(key - NO_KEY, FIRST_AGES + place));
    this.entries!.put(place, key, leftMs, 0);
  }
}
