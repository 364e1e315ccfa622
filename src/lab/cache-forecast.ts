/** The share of hits a cache will have once it is warm. For caches of keys after Che's approximation: an entry stays for a characteristic
 *  time, the same for all keys, which is found from the cache's size (Che, Tung, Wang, "Hierarchical web caching systems", IEEE JSAC 2002);
 *  and no longer than its time to live. Independent requests are assumed; recordings may have more hits, their keys come in clusters. */
import { exp, pow } from '../core/math.ts';
import type { CacheSpec, Scenario } from '../scenario/spec.ts';

/** Keys of about equal popularity: how many, and the share of requests each of them gets. */
export interface KeyGroup {
  readonly count: number;
  readonly share: number;
}

/** `perMs` is the rate of lookups in one cache. */
export function hitShare(cache: CacheSpec, keys: readonly KeyGroup[], perMs: number): number {
  if (cache.type === 'ratio') return cache.hit;
  const stayMs = characteristicTime(keys, cache.entries, perMs);
  return keys.reduce((sum, { count, share }) => {
    const rate = share * perMs;
    // Hits between two fetches of a key: as long as it keeps being asked for, and within its time to live.
    const hits = Math.min(rate * stayMs > 50 ? Infinity : exp(rate * stayMs) - 1, rate * cache.ttlMs);
    return sum + count * share * (hits === Infinity ? 1 : hits / (1 + hits));
  }, 0);
}

/** After how long without a request a key is thrown out: then as many are expected in the cache as it has entries. */
function characteristicTime(keys: readonly KeyGroup[], entries: number, perMs: number): number {
  const total = keys.reduce((sum, { count }) => sum + count, 0);
  if (total <= entries || perMs <= 0) return Infinity;
  const heldAfter = (ms: number): number =>
    keys.reduce((sum, { count, share }) => sum + count * (1 - exp(-share * perMs * ms)), 0);
  let low = 0;
  let high = 1;
  while (heldAfter(high) < entries && high < 1e15) high *= 2;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (heldAfter(middle) < entries) low = middle;
    else high = middle;
  }
  return high;
}

/** Keys of the first stream that has any; without keys all requests are for the same entry. */
export function popularity({ traffic }: Pick<Scenario, 'traffic'>): readonly KeyGroup[] {
  for (const { keys, arrivals } of traffic) {
    if (keys !== undefined) return zipfGroups(keys.count, keys.exponent);
    if (arrivals.type === 'replay' && arrivals.data.keys !== undefined) return recordedGroups(arrivals.data.keys);
  }
  return [{ count: 1, share: 1 }];
}

/** The first thousand ranks one by one, then groups that grow by a hundredth. */
function zipfGroups(count: number, exponent: number): KeyGroup[] {
  const groups: { count: number; share: number }[] = [];
  let total = 0;
  for (let rank = 1; rank <= count;) {
    const width = Math.min(count - rank + 1, rank <= 1000 ? 1 : Math.floor(rank / 100));
    const weight = pow(rank + (width - 1) / 2, -exponent);
    groups.push({ count: width, share: weight });
    total += width * weight;
    rank += width;
  }
  return groups.map((group) => ({ count: group.count, share: group.share / total }));
}

/** Keys by how often they were asked for. */
function recordedGroups(keys: Int32Array): KeyGroup[] {
  const asked = new Map<number, number>();
  for (const key of keys) asked.set(key, (asked.get(key) ?? 0) + 1);
  const byTimes = new Map<number, number>();
  for (const times of asked.values()) byTimes.set(times, (byTimes.get(times) ?? 0) + 1);
  return [...byTimes].map(([times, count]) => ({ count, share: times / keys.length }));
}
