/** A look-aside cache in front of a database: the capacity it advertises and the one that is left when it is empty. Clients fill
 *  the cache with what they read; if the database answers after they have given up, the cache never fills, and the system stays
 *  at the database's own capacity although nothing is broken any more.
 *
 *  Holds when hits are free and a cold cache has no hits at all. A cache that loses a part of its entries lies in between, at
 *  capacity over the miss ratio of that moment.
 *
 *  After Bronson et al., "Metastable failures in distributed systems" (HotOS 2021), section 2.2. */
export interface CachedCapacity {
  /** With a warm cache. */
  readonly advertised: number;
  /** With a cold one: below this load the cache always fills again. */
  readonly hidden: number;
  /** Load on the database, cold over warm. */
  readonly amplification: number;
}

export function cachedCapacity(databaseCapacity: number, hitRate: number): CachedCapacity {
  const missRatio = complement(hitRate);
  return { advertised: databaseCapacity / missRatio, hidden: databaseCapacity, amplification: 1 / missRatio };
}

/** 1 − share as it is meant: a hit rate is written with a few decimals, and 1 − 0.9 in doubles is 0.09999999999999998. */
const complement = (share: number): number => Math.round((1 - share) * 1e12) / 1e12;
