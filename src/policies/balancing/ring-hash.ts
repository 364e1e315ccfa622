/** Ring hash: requests with the same key go to the same endpoint, and when endpoints come or go only about their share of keys moves.
 *
 *  For caches and sessions: affinity without coordination, since all clients build the same ring from the names. It fails on popular
 *  keys, which no ring can split, and on small rings: with ten points per endpoint shares are off by 30 %, so raise minimumRingSize.
 *  The ring is filled up to its minimum size, so with fewer endpoints each has more points, and a few keys of the others move as well.
 *
 *  Built as Envoy and gRPC build it: the least weighted endpoint gets a whole number of points, a retry goes as many points further as
 *  there were tries, and a request without a key goes to a random point. */
import { choice, int, type ParamValues } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type PickContext, type Slot } from './balancer.ts';
import { murmurHash2 } from './hashes/murmur.ts';
import { xxHash64 } from './hashes/xxhash64.ts';
import { checkRingSizes, HashRing } from './parts/hash-ring.ts';
import { Membership } from './parts/membership.ts';
import { normalizedWeights } from './parts/normalized-weights.ts';

const LARGEST_RING = 8_388_608;

const params = {
  minimumRingSize: int({
    default: 1024,
    min: 1,
    max: LARGEST_RING,
    about: 'Fewest points on the ring; more make shares more even.',
    official: 'Envoy minimum_ring_size, gRPC minRingSize',
  }),
  maximumRingSize: int({
    default: LARGEST_RING,
    min: 1,
    max: LARGEST_RING,
    about: 'Most points on the ring.',
    official: 'Envoy maximum_ring_size; gRPC maxRingSize 4096',
  }),
  hashFunction: choice({
    default: 'xx-hash',
    choices: ['xx-hash', 'murmur-hash-2'],
    about: 'Hash of the points’ names.',
    official: 'Envoy hash_function',
  }),
};

export const ringHash = defineBalancer({
  name: 'ring-hash',
  summary: 'Sends a key to the same endpoint by a hash ring (ketama).',
  useWhen: 'Endpoints cache or keep sessions, and membership changes now and then.',
  failsWhen: 'Some keys are very popular: their endpoint carries them alone.',
  cost: 'O(log points)',
  sources: [
    'envoyproxy/envoy: source/extensions/load_balancing_policies/ring_hash/ring_hash_lb.cc',
    'grpc/proposal: A42-xds-ring-hash-lb-policy.md',
  ],
  aliases: [
    { system: 'Envoy', name: 'ring_hash' },
    { system: 'gRPC', name: 'ring_hash_experimental' },
    { system: 'Consul', name: 'ring_hash' },
    { system: 'Istio', name: 'consistentHash.ringHash' },
  ],
  params,
  create: (values, deps) => {
    checkRingSizes(values);
    return new RingHash(values, deps.rng);
  },
});

/** The sizes gRPC settles on: both are capped, 4096 by default, and what makes no sense is refused (undefined). */
export function grpcRingSizes(
  minimum = 1024,
  maximum = 4096,
  cap = 4096,
): { readonly minRingSize: number; readonly maxRingSize: number } | undefined {
  if (minimum > LARGEST_RING || maximum > LARGEST_RING || minimum > maximum) return undefined;
  return { minRingSize: Math.min(minimum, cap), maxRingSize: Math.min(maximum, cap) };
}

class RingHash implements Balancer {
  readonly #values: ParamValues<typeof params>;
  readonly #rng: Rng;
  readonly #ring = new HashRing();
  readonly #membership = new Membership('members and weights');
  #members: Int32Array = new Int32Array(0);

  constructor(values: ParamValues<typeof params>, rng: Rng) {
    this.#values = values;
    this.#rng = rng;
  }

  update(view: EndpointView): void {
    if (!this.#membership.changed(view)) return;
    this.#members = view.members.slice(0, view.count);
    const keys = Array.from(this.#members, (slot) => view.table.ids[slot]);
    const hash = this.#values.hashFunction === 'xx-hash' ? xxHash64 : murmurHash2;
    this.#ring.build(keys, normalizedWeights(view), this.#values, (text) => hash(text));
  }

  pick({ hasHash, hashHigh, hashLow, attempt }: PickContext): Slot {
    if (this.#ring.size === 0) return NO_ENDPOINT;
    if (!hasHash) return this.#members[this.#ring.owner(this.#rng.uint32(), this.#rng.uint32())];
    return this.#members[this.#ring.owner(hashHigh, hashLow, attempt)];
  }
}
