/** Random subset around another balancer: each client keeps the endpoints whose names hash lowest under a seed of its own.
 *
 *  Bounds the number of connections in large fleets, and moves at most one connection per client when an endpoint comes or goes. It fails
 *  on evenness: how many clients an endpoint gets is binomial, so with small subsets some get twice as many as others. */
import { int } from '../../core/params.ts';
import type { EndpointView, Slot } from './balancer.ts';
import { defineBalancer } from './balancer.ts';
import { xxHash64 } from './hashes/xxhash64.ts';
import { childMaker, innerParam } from './parts/composite.ts';
import { SubsetBalancer } from './parts/subset.ts';

export const randomSubset = defineBalancer({
  name: 'random-subset',
  summary: 'Uses the endpoints whose names hash lowest under the client’s own seed, by another balancer (gRPC).',
  useWhen: 'Clients and endpoints are so many that not everyone can connect to everyone, and membership changes often.',
  failsWhen: 'Even load matters: how many clients an endpoint gets is left to chance.',
  cost: 'as the balancer within; O(n log n) per change',
  sources: ['grpc/proposal: A68-random-subsetting.md', 'grpc/grpc-go: balancer/randomsubsetting'],
  aliases: [{ system: 'gRPC', name: 'random_subsetting_experimental' }],
  params: {
    subsetSize: int({ default: 20, min: 1, about: 'Endpoints to use.', official: 'gRPC subset_size' }),
    inner: innerParam('round-robin', 'The balancer over the subset.'),
  },
  create: ({ subsetSize, inner }, { rng }) => {
    const seed = rng.uint32();
    return new SubsetBalancer((view) => lowestHashes(view, seed, subsetSize), childMaker(inner, rng));
  },
});

/** The keys that hash lowest under the seed, lowest first, by index. */
export function randomSubsetOf(keys: readonly string[], seed: number, size: number): number[] {
  const hashes = keys.map((key) => xxHash64(key, seed));
  return keys
    .map((_, i) => i)
    .sort((a, b) => hashes[a].high - hashes[b].high || hashes[a].low - hashes[b].low || a - b)
    .slice(0, size);
}

function lowestHashes({ table, everyone, everyoneCount }: EndpointView, seed: number, size: number): ReadonlySet<Slot> {
  const slots = Array.from(everyone.subarray(0, everyoneCount));
  const keys = slots.map((slot) => table.ids[slot]);
  return new Set(randomSubsetOf(keys, seed, size).map((i) => slots[i]));
}
