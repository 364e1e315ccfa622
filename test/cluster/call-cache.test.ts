import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CallCache, HIT, JOIN, MISS } from '../../src/cluster/call-cache.ts';
import { log } from '../../src/core/math.ts';
import { Streams } from '../../src/core/streams.ts';
import type { CacheSpec } from '../../src/scenario/spec.ts';
import { heapGrowth } from '../contracts/heap.ts';

type KeysSpec = Extract<CacheSpec, { type: 'keys' }>;

const draws = new Streams('cache').keyed('cache');
const hitTime = { type: 'constant', value: 0 } as const;
const nobody = (): void => {
  throw new Error('nobody waits');
};

describe('a cache given by its hit ratio', () => {
  // Hits are binomial: n = 20,000, p = 0.9, standard deviation 0.0021. Five of them are allowed; the seed is fixed.
  test('hits as often as it says, when warm', () => {
    const cache = ratio({ hit: 0.9, fills: 100, startsCold: false });
    expect(Math.abs(hitShare(cache, 0, 20_000) - 0.9)).toBeLessThan(5 * 0.0021);
  });

  // As above with p = 0.9 · 30/100: standard deviation 0.0031.
  test('hits in proportion to the fills it had, when cold', () => {
    const cache = ratio({ hit: 0.9, fills: 100, startsCold: true });
    expect(hitShare(cache, 0, 1000)).toBe(0);
    for (let i = 0; i < 30; i++) cache.fetched(0, -1, true, 5, 0, nobody);
    for (let i = 0; i < 50; i++) cache.fetched(0, -1, false, 5, 0, nobody);
    expect(Math.abs(hitShare(cache, 0, 20_000) - 0.27)).toBeLessThan(5 * 0.0031);
  });

  test('is as warm as it gets after its fills, and cold again after a flush; other places keep theirs', () => {
    const cache = ratio({ hit: 1, fills: 3, startsCold: true }, 2);
    for (let i = 0; i < 10; i++) cache.fetched(0, -1, true, 5, 0, nobody);
    for (let i = 0; i < 3; i++) cache.fetched(1, -1, true, 5, 0, nobody);
    cache.flush(0);
    expect(hitShare(cache, 0, 100)).toBe(0);
    expect(hitShare(cache, 1, 100)).toBe(1);
    for (let i = 0; i < 3; i++) cache.fetched(0, -1, true, 5, 0, nobody);
    expect(hitShare(cache, 0, 100)).toBe(1);
  });

  test('with no fills to wait for is always warm', () => {
    const cache = ratio({ hit: 1, fills: 0, startsCold: false });
    cache.flush(0);
    expect(hitShare(cache, 0, 100)).toBe(1);
  });

  test('gives a request the same answer whenever and wherever it asks', () => {
    const one = ratio({ hit: 0.5, fills: 0, startsCold: false });
    const other = ratio({ hit: 0.5, fills: 0, startsCold: false }, 3);
    const answers = Array.from({ length: 64 }, (_, index) => one.lookup(0, -1, index, 0));
    expect(Array.from({ length: 64 }, (_, index) => other.lookup(2, 7, 63 - index, 1e6)).toReversed()).toEqual(answers);
    expect(new Set(answers)).toEqual(new Set([HIT, MISS]));
  });
});

describe('a cache of keys', () => {
  test('misses what was never fetched, then has it until its time to live is over', () => {
    const cache = keys({ ttlMs: 100 });
    expect(cache.lookup(0, 5, 0, 0)).toBe(MISS);
    cache.fetched(0, 5, true, 10, 10, nobody);
    expect(cache.lookup(0, 5, 1, 109.9)).toBe(HIT);
    expect(cache.lookup(0, 6, 2, 50)).toBe(MISS);
    expect(cache.lookup(0, 5, 3, 110)).toBe(MISS);
  });

  test('keeps nothing of a fetch that failed', () => {
    const cache = keys({});
    cache.lookup(0, 5, 0, 0);
    cache.fetched(0, 5, false, 10, 10, nobody);
    expect(cache.lookup(0, 5, 1, 10)).toBe(MISS);
  });

  test('forgets the least recently used, and looking is using', () => {
    const cache = keys({ entries: 2 });
    for (const key of [1, 2]) cache.fetched(0, key, true, 1, 0, nobody);
    expect(cache.lookup(0, 1, 0, 1)).toBe(HIT);
    cache.fetched(0, 3, true, 1, 2, nobody);
    expect([1, 2, 3].map((key) => cache.lookup(0, key, 1, 3))).toEqual([HIT, MISS, HIT]);
  });

  test('has a room of its own for each place', () => {
    const cache = keys({ entries: 1 }, 3);
    for (const place of [0, 2]) cache.fetched(place, 4, true, 1, 0, nobody);
    cache.flush(0);
    expect([0, 1, 2].map((place) => cache.lookup(place, 4, 0, 1))).toEqual([MISS, MISS, HIT]);
  });

  test('holds one entry for all requests without a key', () => {
    const cache = keys({});
    cache.fetched(0, -1, true, 1, 0, nobody);
    expect(cache.lookup(0, -1, 7, 1)).toBe(HIT);
    expect(cache.lookup(0, 0, 7, 1)).toBe(MISS);
  });

  test('that does not start cold has the most popular keys, with ages spread over the time to live', () => {
    // Of 1000 ages, uniform: 250 fresh after three quarters of the time, standard deviation 13.7; five of them are allowed.
    const start = (): CallCache => keys({ entries: 1000, ttlMs: 100, startsCold: false }, 2, 5000);
    const fresh = start();
    expect(count(1000, (key) => fresh.lookup(1, key, 0, 0) === HIT)).toBe(1000);
    expect(fresh.lookup(1, 1000, 0, 0)).toBe(MISS);
    const later = start();
    expect(Math.abs(count(1000, (key) => later.lookup(1, key, 0, 75) === HIT) - 250)).toBeLessThan(5 * 13.7);
    expect(count(1000, (key) => start().lookup(0, key, 0, 100) === HIT)).toBe(0);
    // The least popular goes first.
    const full = start();
    full.fetched(0, 4000, true, 1, 0, nobody);
    expect([0, 998, 999].map((key) => full.lookup(0, key, 0, 0))).toEqual([HIT, HIT, MISS]);
  }, 10_000);

  test('starts with the entry of all requests without a key when there are only such', () => {
    expect(keys({ startsCold: false }, 1, 0).lookup(0, -1, 0, 0)).toBe(HIT);
  });

  // The stationary law of LRU under independent references (W. F. King, 1971): the two most recent of three keys are (i, j) with
  // probability p_i · p_j / (1 − p_i). Lookups are positively dependent, hence a tolerance of 8 binomial standard deviations.
  test('hits as often as the theory of LRU says', () => {
    const p = [0.6, 0.3, 0.1];
    const pairs = p.flatMap((pi, i) => p.flatMap((pj, j) => (i === j ? [] : [((pi * pj) / (1 - pi)) * (pi + pj)])));
    const theory = pairs.reduce((sum, each) => sum + each, 0);
    const cache = keys({ entries: 2 });
    const rng = new Streams('lru').stream('keys');
    const n = 100_000;
    for (let i = 0; i < n; i++) {
      const u = rng.next();
      const key = u < 0.6 ? 0 : u < 0.9 ? 1 : 2;
      if (cache.lookup(0, key, i, 0) === MISS) cache.fetched(0, key, true, 1, 0, nobody);
    }
    expect(Math.abs(cache.hits.total / n - theory)).toBeLessThan(8 * Math.sqrt((theory * (1 - theory)) / n));
  });
});

describe('coalescing', () => {
  test('lets one request fetch and tells the others, in their order', () => {
    const cache = keys({ coalesces: true });
    expect(cache.lookup(0, 5, 0, 0)).toBe(MISS);
    for (const waiter of [9, 3, 7]) {
      expect(cache.lookup(0, 5, waiter, 1)).toBe(JOIN);
      cache.join(0, 5, waiter);
    }
    expect(cache.lookup(0, 6, 1, 1)).toBe(MISS);
    cache.forget(3);
    cache.forget(1000);
    const told: number[] = [];
    cache.fetched(0, 5, true, 10, 10, (waiter) => told.push(waiter));
    expect(told).toEqual([9, 7]);
    expect(cache.lookup(0, 5, 2, 11)).toBe(HIT);
  });

  test('makes the first of those whose fetch was abandoned fetch anew, and the others wait for it', () => {
    const cache = keys({ coalesces: true });
    cache.lookup(0, 5, 0, 0);
    for (const waiter of [1, 2, 3]) cache.join(0, 5, waiter);
    const answers: [number, number][] = [];
    cache.fetchAbandoned(0, 5, (waiter) => {
      const answer = cache.lookup(0, 5, waiter, 1);
      answers.push([waiter, answer]);
      if (answer === JOIN) cache.join(0, 5, waiter);
    });
    expect(answers).toEqual([
      [1, MISS],
      [2, JOIN],
      [3, JOIN],
    ]);
    const told: number[] = [];
    cache.fetched(0, 5, true, 1, 2, (waiter) => told.push(waiter));
    expect(told).toEqual([2, 3]);
  });

  test('does not tell one who gives up while another is being told', () => {
    const cache = keys({ coalesces: true });
    cache.lookup(0, 5, 0, 0);
    for (const waiter of [1, 2, 3]) cache.join(0, 5, waiter);
    const told: number[] = [];
    cache.fetched(0, 5, false, 1, 1, (waiter) => {
      told.push(waiter);
      cache.forget(2);
    });
    expect(told).toEqual([1, 3]);
  });

  test('survives a flush: the fetch under way goes on and fills', () => {
    const cache = keys({ coalesces: true });
    cache.lookup(0, 5, 0, 0);
    cache.flush(0);
    expect(cache.lookup(0, 5, 1, 1)).toBe(JOIN);
    cache.join(0, 5, 1);
    cache.fetched(0, 5, true, 1, 2, () => {});
    expect(cache.lookup(0, 5, 2, 3)).toBe(HIT);
  });

  test('refuses to wait for a fetch that nobody has begun, and to end one', () => {
    const cache = keys({ coalesces: true });
    expect(() => cache.join(0, 5, 1)).toThrow('nobody has begun');
    expect(() => cache.fetched(0, 5, true, 1, 1, nobody)).toThrow('nobody has begun');
    expect(() => keys({}).join(0, 5, 1)).toThrow('does not coalesce');
  });
});

describe('early refresh', () => {
  // −D·β·ln(u) exceeds the time left with probability exp(−left / (D·β)): here exp(−30 / (20 · 1.5)) = exp(−1). n = 20,000 independent
  // draws, standard deviation 0.0034; five of them are allowed.
  test('fetches with the probability that XFetch gives it', () => {
    const n = 20_000;
    const cache = keys({ ttlMs: 100, earlyRefresh: 1.5 });
    cache.fetched(0, 5, true, 20, 0, nobody);
    const share = count(n, (index) => cache.lookup(0, 5, index, 70) === MISS) / n;
    expect(Math.abs(share - Math.exp(-1))).toBeLessThan(5 * 0.0034);
    expect(cache.refreshes.total).toBe(cache.misses.total);
  });

  test('goes by how long the last fetch of the key took', () => {
    const cache = keys({ ttlMs: 100, earlyRefresh: 1 });
    cache.fetched(0, 5, true, 0, 0, nobody);
    expect(count(1000, (index) => cache.lookup(0, 5, index, 99.999) === MISS)).toBe(0);
    cache.fetched(0, 5, true, 1e9, 0, nobody);
    expect(count(1000, (index) => cache.lookup(0, 5, index, 0) === MISS)).toBe(1000);
  });

  test('with coalescing sends one request, and the others have the old entry; after its expiry they wait', () => {
    const cache = keys({ ttlMs: 100, earlyRefresh: 1, coalesces: true });
    cache.lookup(0, 5, 0, 0);
    cache.fetched(0, 5, true, 1e9, 0, nobody);
    expect([1, 2, 3].map((index) => cache.lookup(0, 5, index, 50))).toEqual([MISS, HIT, HIT]);
    expect(cache.lookup(0, 5, 4, 100)).toBe(JOIN);
    cache.join(0, 5, 4);
    const told: number[] = [];
    cache.fetched(0, 5, true, 60, 110, (waiter) => told.push(waiter));
    expect(told).toEqual([4]);
    expect([cache.misses.total, cache.refreshes.total, cache.hits.total, cache.joins.total]).toEqual([2, 1, 2, 1]);
  });
});

test('counts are told apart by the end of the warm-up', () => {
  const cache = keys({});
  cache.lookup(0, 5, 0, 0);
  cache.fetched(0, 5, true, 1, 1, nobody);
  cache.lookup(0, 5, 1, 2);
  cache.markWarmup();
  cache.lookup(0, 5, 2, 3);
  cache.lookup(0, 5, 3, 4);
  expect([cache.hits.total, cache.hits.measured, cache.misses.total, cache.misses.measured]).toEqual([3, 2, 1, 0]);
});

test('nothing is allocated by lookups and fills once the tables have grown', () => {
  const cache = keys({ entries: 200, ttlMs: 50, coalesces: true, earlyRefresh: 1 });
  const each = (): void => {};
  const fetchMs = 3;
  const operations = 50_000;
  let now = 0;
  const run = (): void => {
    for (let i = 0; i < operations; i++) {
      const key = Math.imul(i, 2654435761) >>> 22;
      now += 1;
      if (cache.lookup(0, key, i, now) !== MISS) continue;
      cache.lookup(0, key, i, now);
      cache.join(0, key, i & 1023);
      cache.fetched(0, key, true, fetchMs, now, each);
    }
  };
  // One array, closure or table entry per operation would be 24 bytes at least; a boxed argument here and there is 16.
  run();
  const { arrayBuffers } = process.memoryUsage();
  expect(heapGrowth(run, operations * 2)).toBeLessThan(operations * 2);
  // Nor do the tables grow by coming and going, of more than 100,000 keys here.
  expect(process.memoryUsage().arrayBuffers - arrayBuffers).toBeLessThan(100_000);
});

// The oracle keeps an array of entries per place in order of use and a list of fetches; slow, and plain enough to be seen right.
describe('any sequence of lookups, fetches, failures, flushes and departures', () => {
  const action = fc.record({
    what: fc.constantFrom('lookup', 'lookup', 'lookup', 'lookup', 'good', 'good', 'bad', 'abandon', 'forget', 'flush'),
    waitMs: fc.nat({ max: 6 }),
    place: fc.nat({ max: 1 }),
    key: fc.integer({ min: -1, max: 5 }),
    which: fc.nat({ max: 30 }),
  });
  const spec = fc.record({
    entries: fc.integer({ min: 1, max: 4 }),
    ttlMs: fc.constantFrom(10, 40, Infinity),
    coalesces: fc.boolean(),
    earlyRefresh: fc.constantFrom(0, 1, 5),
    startsCold: fc.boolean(),
  });

  test('answers as a plain model does, and tells every waiter once', () => {
    const property = fc.property(spec, fc.array(action, { maxLength: 120 }), (some, actions) => {
      const cache = keys(some, 2, 6);
      const model = new Model(some);
      const fetches: { place: number; key: number; sinceMs: number }[] = [];
      const told: number[] = [];
      const expected: number[] = [];
      let now = 0;
      actions.forEach(({ what, waitMs, place, key, which }, index) => {
        now += waitMs;
        if (what === 'lookup') {
          const answer = cache.lookup(place, key, index, now);
          expect(answer).toBe(model.lookup(place, key, index, now));
          if (answer === MISS) fetches.push({ place, key, sinceMs: now });
          if (answer !== JOIN) return;
          cache.join(place, key, index);
          model.join(place, key, index);
        } else if (what === 'flush') {
          cache.flush(place);
          model.entries[place] = [];
        } else if (what === 'forget') {
          cache.forget(which);
          for (const fetch of model.fetches) fetch.waiters = fetch.waiters.filter((waiter) => waiter !== which);
        } else {
          const [fetch] = fetches.splice(which % Math.max(1, fetches.length), 1);
          if (fetch === undefined) return;
          const fetchMs = now - fetch.sinceMs;
          if (what === 'abandon') cache.fetchAbandoned(fetch.place, fetch.key, (waiter) => told.push(waiter));
          else cache.fetched(fetch.place, fetch.key, what === 'good', fetchMs, now, (waiter) => told.push(waiter));
          expected.push(...model.end(fetch.place, fetch.key, what === 'good', fetchMs, now));
        }
        expect(told).toEqual(expected);
      });
      for (const { place, key } of fetches) {
        cache.fetched(place, key, true, 1, now, (waiter) => told.push(waiter));
        expected.push(...model.end(place, key, true, 1, now));
      }
      expect(told).toEqual(expected);
      expect(model.fetches).toEqual([]);
      expect(new Set(told).size).toBe(told.length);
    });
    fc.assert(property, { numRuns: 500, seed: 5 });
  });

  test('also where many keys make the tables grow and entries move', () => {
    const some = { entries: 300, ttlMs: Infinity, coalesces: true, earlyRefresh: 0, startsCold: true };
    const cache = keys(some);
    const model = new Model(some);
    const rng = new Streams('grow').stream('keys');
    const under: number[] = [];
    for (let i = 0; i < 6000; i++) {
      const key = Math.floor(rng.next() * rng.next() * 1200);
      const answer = cache.lookup(0, key, i, i);
      if (answer !== model.lookup(0, key, i, i)) expect.fail(`lookup ${i} of key ${key}`);
      if (answer === MISS) under.push(key);
      if (under.length < 250 && i < 5500) continue;
      const [ended] = under.splice(Math.floor(rng.next() * under.length), 1);
      if (ended === undefined) continue;
      cache.fetched(0, ended, true, 1, i, nobody);
      model.end(0, ended, true, 1, i);
    }
    expect(cache.hits.total).toBeGreaterThan(1000);
  });
});

class Model {
  /** By place, least recently used first. */
  entries: { key: number; expiryMs: number; fetchMs: number }[][];
  fetches: { place: number; key: number; waiters: number[] }[];
  private readonly spec: Pick<KeysSpec, 'entries' | 'ttlMs' | 'coalesces' | 'earlyRefresh' | 'startsCold'>;

  constructor(spec: Model['spec']) {
    this.spec = spec;
    this.fetches = [];
    this.entries = [0, 1].map((place) =>
      spec.startsCold
        ? []
        : Array.from({ length: Math.min(6, spec.entries) }, (_, key) => ({
            key,
            expiryMs: spec.ttlMs === Infinity ? Infinity : spec.ttlMs * (1 - draws.unit(key + 1, 2 + place)),
            fetchMs: 0,
          })).toReversed(),
    );
  }

  lookup(place: number, key: number, index: number, now: number): number {
    const { coalesces, earlyRefresh } = this.spec;
    const entries = this.entries[place]!;
    const entry = entries.find((each) => each.key === key);
    const fetch = this.fetches.find((each) => each.place === place && each.key === key);
    const begin = (): number => {
      if (coalesces) this.fetches.push({ place, key, waiters: [] });
      return MISS;
    };
    if (entry !== undefined) this.entries[place] = entries.filter((each) => each !== entry);
    if (entry !== undefined && now < entry.expiryMs) {
      this.entries[place]!.push(entry);
      const early = now - entry.fetchMs * earlyRefresh * log(1 - draws.unit(index, 1)) >= entry.expiryMs;
      return early && earlyRefresh > 0 && fetch === undefined ? begin() : HIT;
    }
    return fetch === undefined ? begin() : JOIN;
  }

  join(place: number, key: number, waiter: number): void {
    this.fetches.find((each) => each.place === place && each.key === key)!.waiters.push(waiter);
  }

  end(place: number, key: number, isGood: boolean, fetchMs: number, now: number): readonly number[] {
    if (isGood) {
      const others = this.entries[place]!.filter((each) => each.key !== key);
      this.entries[place] = [...others, { key, expiryMs: now + this.spec.ttlMs, fetchMs }].slice(-this.spec.entries);
    }
    const fetch = this.fetches.find((each) => each.place === place && each.key === key);
    this.fetches = this.fetches.filter((each) => each !== fetch);
    return fetch?.waiters ?? [];
  }
}

const ratio = (some: { hit: number; fills: number; startsCold: boolean }, places = 1): CallCache =>
  new CallCache({ type: 'ratio', shared: false, hitTime, ...some }, places, draws);

function keys(some: Partial<KeysSpec>, places = 1, known = Infinity): CallCache {
  const spec = { entries: 100, ttlMs: 1000, coalesces: false, earlyRefresh: 0, startsCold: true, ...some };
  return new CallCache({ type: 'keys', shared: false, hitTime, ...spec }, places, draws, known);
}

const hitShare = (cache: CallCache, place: number, n: number): number =>
  count(n, (index) => cache.lookup(place, -1, index, 0) === HIT) / n;

function count(n: number, holds: (index: number) => boolean): number {
  let found = 0;
  for (let index = 0; index < n; index++) if (holds(index)) found++;
  return found;
}
