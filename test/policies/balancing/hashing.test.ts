/** Policies that send a key to the same endpoint. */
import { describe, expect, it } from 'vitest';
import type { BalancerDefinition } from '../../../src/policies/balancing/balancer.ts';
import { crc32 } from '../../../src/policies/shared/crc32.ts';
import { xxHash64 } from '../../../src/policies/balancing/hashes/xxhash64.ts';
import {
  boundedLoad,
  consistentHash,
  ketama,
  maglev,
  moduloHash,
  rendezvous,
  ringHash,
  sourceIpHash,
} from '../../../src/policies/balancing/index.ts';
import { MersenneTwister } from '../../../src/policies/balancing/parts/mersenne-twister.ts';
import { testRng } from '../fixtures.ts';
import { counts, Stage } from './stage.ts';

const KEYS = 4000;
const hashOf = (key: number): bigint => {
  const { high, low } = xxHash64(`key-${key}`);
  return (BigInt(high) << 32n) | BigInt(low);
};
const hashes = Array.from({ length: KEYS }, (_, key) => hashOf(key));
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `10.0.0.${i}:80`);

const on = (definition: BalancerDefinition, stage: Stage, params: object = {}): Stage =>
  stage.bind(definition.make(params, { rng: testRng(1) }));
const owners = (stage: Stage): string[] => hashes.map((hash) => stage.set.table.ids[stage.pickByHash(hash)]);
const moved = (before: readonly string[], after: readonly string[]): number =>
  before.filter((owner, i) => owner !== after[i]).length;

describe('hash functions', () => {
  it('give the published values', () => {
    const hex = (text: string, seed = 0): string => {
      const { high, low } = xxHash64(text, seed);
      return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
    };
    // xxHash's own test values, and the checksum's check value.
    expect(hex('')).toBe('ef46db3751d8e999');
    expect(hex('a')).toBe('d24ec4f1a98c6e5b');
    expect(hex('abc')).toBe('44bc2cf5ad770999');
    expect(hex('Nobody inspects the spammish repetition')).toBe('fbcea83c8a378bf1');
    expect(crc32(Uint8Array.from('123456789', (digit) => digit.charCodeAt(0)))).toBe(0xcbf43926);
  });

  it('include the Mersenne Twister of the C++ standard, whose ten thousandth number is given there', () => {
    const twister = new MersenneTwister();
    twister.seed(5489);
    let last = 0;
    for (let i = 0; i < 10_000; i++) last = twister.uint32();
    expect(last).toBe(4_123_659_995);
  });
});

describe.each([
  ['rendezvous', rendezvous, {}],
  ['consistent-hash', consistentHash, {}],
  ['ketama', ketama, {}],
  ['modulo-hash of nginx', moduloHash, {}],
] as const)('%s', (_name, definition, params) => {
  it('moves only the keys of an endpoint that fails, and takes them back', () => {
    const stage = on(definition, new Stage([1, 1, 1, 1, 1, 1], names(6)), params);
    const before = owners(stage);
    stage.setDown([2]);
    const during = owners(stage);
    for (let i = 0; i < KEYS; i++) if (before[i] !== '10.0.0.2:80') expect(during[i]).toBe(before[i]);
    expect(during).not.toContain('10.0.0.2:80');
    stage.setHealth([2], 2);
    expect(owners(stage)).toEqual(before);
  });
});

describe.each([
  ['ring-hash', ringHash, {}],
  ['maglev', maglev, {}],
  ['rendezvous', rendezvous, {}],
  ['consistent-hash', consistentHash, {}],
  ['ketama', ketama, {}],
] as const)('%s', (_name, definition, params) => {
  it('gives clients that learnt the names in another order the same answers', () => {
    const ordered = on(definition, new Stage([1, 1, 1, 1, 1], names(5)), params);
    const reversed = on(definition, new Stage([1, 1, 1, 1, 1], names(5).reverse()), params);
    expect(owners(reversed)).toEqual(owners(ordered));
  });

  it('moves few keys but to an endpoint that is added', () => {
    const stage = on(definition, new Stage([1, 1, 1, 1, 1], names(5)), params);
    const before = owners(stage);
    stage.set.add('10.0.0.99:80', {}, 0);
    const after = owners(stage);
    const strays = before.filter((owner, i) => owner !== after[i] && after[i] !== '10.0.0.99:80').length;
    // Maglev moves a few per cent of the others' keys at this size. So does the ring, which is made as large as its minimum whatever the
    // number of endpoints, so that the others' points become fewer. The rest move none.
    const allowed = definition === maglev ? 0.03 : definition === ringHash ? 0.1 : 0;
    expect(strays).toBeLessThanOrEqual(KEYS * allowed);
    // A sixth is 667 keys; ring shares are uneven, so from half of that to twice that.
    expect(moved(before, after)).toBeGreaterThan(330);
    expect(moved(before, after)).toBeLessThan(1340);
  });
});

describe('shares by weight', () => {
  // 4000 keys at 1 : 3 are 1000 and 3000 with a deviation of 27; a ring's own unevenness is a few per cent on top. Keys are fixed.
  it.each([
    ['ring-hash', ringHash, 150],
    ['maglev', maglev, 110],
    ['rendezvous', rendezvous, 110],
    ['consistent-hash', consistentHash, 700],
    ['ketama', ketama, 250],
    ['modulo-hash', moduloHash, 110],
  ] as const)('hold for %s', (_name, definition, tolerance) => {
    const stage = on(definition, new Stage([1, 3], names(2)));
    const light = owners(stage).filter((owner) => owner === '10.0.0.0:80').length;
    expect(Math.abs(light - 1000)).toBeLessThan(tolerance);
  });
});

describe('maglev', () => {
  it('shares out the table to within a place per round', () => {
    const stage = on(maglev, new Stage([1, 1, 1], names(3)), { tableSize: 101 });
    const places = Array.from({ length: 101 }, (_, place) => stage.pickByHash(BigInt(place)));
    expect(counts(places, 3).sort()).toEqual([33, 34, 34]);
  });

  it('refuses a table whose size is not prime', () => {
    expect(() => maglev.make({ tableSize: 100 }, { rng: testRng(1) })).toThrow('tableSize 100 is not a prime number');
  });

  it('has Katran’s variants, which agree where weights are equal', () => {
    const places = (variant: string): number[] => {
      const stage = on(maglev, new Stage([1, 1, 1], names(3)), { tableSize: 101, variant });
      return Array.from({ length: 101 }, (_, place) => stage.pickByHash(BigInt(place)));
    };
    expect(places('katran-v1')).toEqual(places('katran-v2'));
    expect(places('katran-v1')).not.toEqual(places('envoy'));
  });
});

describe('ring hash', () => {
  it('refuses a minimum above the maximum', () => {
    expect(() => ringHash.make({ minimumRingSize: 20, maximumRingSize: 10 }, { rng: testRng(1) })).toThrow(
      'minimumRingSize 20 is above maximumRingSize 10',
    );
  });

  it('goes on along the ring with every retry', () => {
    const stage = on(ringHash, new Stage([1, 1, 1, 1], names(4)));
    const tried = Array.from({ length: 40 }, (_, attempt) => stage.pickByHash(hashOf(1), attempt));
    expect(new Set(tried).size).toBe(4);
  });

  it('spreads requests without a key', () => {
    const stage = on(ringHash, new Stage([1, 1, 1, 1], names(4)));
    expect(new Set(stage.picks(100)).size).toBe(4);
  });
});

describe('bounded loads', () => {
  /** A hundred requests in flight, all with one key. */
  function mostOnOne(definition: BalancerDefinition, params: object): number {
    const stage = on(definition, new Stage([1, 1, 1, 1], names(4)), params);
    for (let i = 0; i < 100; i++) {
      const slot = stage.pickByHash(hashOf(7));
      stage.set.begin(slot);
      stage.balancer.onStart?.(slot, 0);
    }
    return Math.max(...stage.set.table.active);
  }

  it('keep a popular key from loading one endpoint beyond its share times the factor', () => {
    // A share of 25 of the hundred, times 1.5, is 38 slots; Envoy's rule may end one above.
    expect(mostOnOne(boundedLoad, { hashBalanceFactor: 150 })).toBeLessThanOrEqual(39);
    expect(mostOnOne(boundedLoad, { hashBalanceFactor: 150, table: 'maglev' })).toBeLessThanOrEqual(39);
    expect(mostOnOne(consistentHash, { hashBalanceFactor: 150 })).toBeLessThanOrEqual(38);
    expect(mostOnOne(consistentHash, {})).toBe(100);
  });

  it('change nothing while loads are even', () => {
    const bounded = on(boundedLoad, new Stage([1, 1, 1, 1], names(4)));
    const plain = on(ringHash, new Stage([1, 1, 1, 1], names(4)));
    expect(owners(bounded)).toEqual(owners(plain));
  });

  it('send the overflow of one key to the same others every time', () => {
    const overflow = (): number => {
      const stage = on(boundedLoad, new Stage([1, 1, 1, 1], names(4)));
      const home = stage.pickByHash(hashOf(3));
      stage.setActive([0, 1, 2, 3].map((slot) => (slot === home ? 5 : 0)));
      return stage.pickByHash(hashOf(3));
    };
    expect(overflow()).toBe(overflow());
  });
});

describe('modulo hash', () => {
  it('of HAProxy moves nearly all keys when an endpoint goes', () => {
    const stage = on(moduloHash, new Stage([1, 1, 1, 1], names(4)), { variant: 'haproxy' });
    const before = owners(stage);
    stage.setDown([0]);
    // Of four moduli only a quarter of keys stays by chance: 3000 of 4000 move.
    expect(moved(before, owners(stage))).toBeGreaterThan(2800);
  });
});

describe('source address hash', () => {
  it('keeps neighbours together, as nginx looks at three bytes', () => {
    const stage = on(sourceIpHash, new Stage([1, 1, 1, 1], names(4)));
    const network = Array.from({ length: 256 }, (_, host) => stage.pickByHash(BigInt(0x0a010200 + host)));
    expect(new Set(network).size).toBe(1);
    const networks = Array.from({ length: 256 }, (_, third) => stage.pickByHash(BigInt(0x0a010000 + 256 * third)));
    expect(new Set(networks).size).toBe(4);
  });

  it('of IPVS refuses without the fallback, and has none with it', () => {
    const refused = (fallback: boolean): number => {
      const stage = on(sourceIpHash, new Stage([1, 1, 1, 1], names(4)).setDown([1]), { variant: 'ipvs', fallback });
      return hashes.filter((hash) => stage.pickByHash(hash) === -1).length;
    };
    // A quarter of the buckets are the lost endpoint's.
    expect(Math.abs(refused(false) - 1000)).toBeLessThan(150);
    expect(refused(true)).toBe(0);
  });
});
