/** Maglev: requests with the same key go to the same endpoint, by a lookup table whose places are shared out almost evenly.
 *
 *  One load from memory per pick, and shares even to a place where a ring's differ by a third. It pays with stability: when an endpoint
 *  leaves, a few keys of the others move too, fewer the larger the table. It fails on popular keys as every hash does.
 *
 *  The table's size must be prime, and should be a hundred times the number of endpoints. A retry hashes anew; a request without a key
 *  goes to a random place. Envoy counts weights by shares; Katran's first version counted them in the first round only, its second by
 *  cumulated weights. */
import { InputError } from '../../core/errors.ts';
import { choice, int, type ParamValues } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type PickContext, type Slot } from './balancer.ts';
import { murmurHash3OfPair } from './hashes/murmur.ts';
import { type Hash64, hashModulo } from './hashes/u64.ts';
import { xxHash64 } from './hashes/xxhash64.ts';
import { fillByCumulatedWeights, fillByFirstRound, fillByShares, isPrime, type Preference } from './parts/maglev-table.ts';
import { Membership } from './parts/membership.ts';
import { normalizedWeights } from './parts/normalized-weights.ts';
import { wholeWeights } from './parts/whole-weights.ts';

const params = {
  tableSize: int({
    default: 65_537,
    min: 2,
    max: 5_000_011,
    about: 'Places of the table, a prime.',
    official: 'Envoy table_size',
  }),
  variant: choice({
    default: 'envoy',
    choices: ['envoy', 'katran-v1', 'katran-v2'],
    about: 'Whose hashes and whose use of weights.',
  }),
};
export type MaglevVariant = ParamValues<typeof params>['variant'];

export const maglev = defineBalancer({
  name: 'maglev',
  summary: 'Sends a key to the same endpoint by a lookup table (Maglev).',
  useWhen: 'Picks must be as cheap as can be, shares even, and keys should mostly stay when endpoints go.',
  failsWhen: 'Moving a few keys of endpoints that did not change is not acceptable; or keys are very popular.',
  cost: 'O(1); O(table · log table) per change',
  sources: [
    'Eisenbud et al.: Maglev: A Fast and Reliable Software Network Load Balancer (NSDI 2016)',
    'envoyproxy/envoy: source/extensions/load_balancing_policies/maglev/maglev_lb.cc',
    'facebookincubator/katran: katran/lib/MaglevHashV2.cpp',
  ],
  aliases: [
    { system: 'Envoy', name: 'maglev' },
    { system: 'Istio', name: 'consistentHash.maglev' },
    { system: 'IPVS', name: 'mh' },
  ],
  params,
  create: (values, deps) => new Maglev(values, deps.rng),
});

/** Envoy's preferences of an endpoint. */
export function envoyPreference(key: string, size: number): Preference {
  const offset = xxHash64(key, 0);
  const skip = xxHash64(key, 1);
  return { offset: hashModulo(offset.high, offset.low, size), skip: hashModulo(skip.high, skip.low, size - 1) + 1 };
}

/** Katran's, from the endpoint's own 64-bit hash. */
export function katranPreference(hash: Hash64, size: number): Preference {
  const offset = murmurHash3OfPair(hash, { high: 0, low: 42 }, 0);
  const skip = murmurHash3OfPair(hash, { high: 0, low: 2_718_281_828 }, 2307);
  return { offset: hashModulo(offset.high, offset.low, size), skip: hashModulo(skip.high, skip.low, size - 1) + 1 };
}

/** Envoy's table: endpoints take their turns in the order of their keys, so all clients make the same one. */
export function envoyTable(keys: readonly string[], shares: readonly number[], size: number): Int32Array {
  const order = keys.map((_, i) => i).sort((a, b) => (keys[a] < keys[b] ? -1 : keys[a] > keys[b] ? 1 : a - b));
  const preferences = order.map((i) => envoyPreference(keys[i], size));
  const sortedShares = order.map((i) => shares[i]);
  return fillByShares(preferences, sortedShares, size).map((at) => order[at] ?? at);
}

/** The place of a key; a retry hashes anew. */
export const maglevPlace = (high: number, low: number, attempt: number, size: number): number =>
  attempt === 0 ? hashModulo(high, low, size) : hashModulo(~high >>> 0, (low ^ (0x1_0000_0000 - attempt)) >>> 0, size);

class Maglev implements Balancer {
  readonly #variant: MaglevVariant;
  readonly #size: number;
  readonly #rng: Rng;
  readonly #membership = new Membership('members and weights');
  /** Slots by place. */
  #table: Int32Array = new Int32Array(0);
  #count = 0;

  constructor({ tableSize, variant }: ParamValues<typeof params>, rng: Rng) {
    if (!isPrime(tableSize)) throw InputError.of('not-prime', `tableSize ${tableSize} is not a prime number`);
    this.#variant = variant;
    this.#size = tableSize;
    this.#rng = rng;
  }

  update(view: EndpointView): void {
    if (!this.#membership.changed(view)) return;
    const { members, count, table } = view;
    this.#count = count;
    if (count === 0) return;
    const keys = Array.from(members.subarray(0, count), (slot) => table.ids[slot]);
    this.#table = this.#indices(keys, view).map((index) => members[index]);
  }

  pick({ hasHash, hashHigh, hashLow, attempt }: PickContext): Slot {
    if (this.#count === 0) return NO_ENDPOINT;
    if (!hasHash) return this.#table[this.#rng.below(this.#size)];
    return this.#table[maglevPlace(hashHigh, hashLow, attempt, this.#size)];
  }

  #indices(keys: readonly string[], view: EndpointView): Int32Array {
    if (this.#variant === 'envoy') return envoyTable(keys, normalizedWeights(view), this.#size);
    const preferences = keys.map((key) => katranPreference(xxHash64(key), this.#size));
    const fill = this.#variant === 'katran-v1' ? fillByFirstRound : fillByCumulatedWeights;
    return fill(preferences, wholeWeights(view), this.#size);
  }
}
