/** Modulo hash: the key's hash modulo the sum of weights says which endpoint's range it falls into.
 *
 *  The simplest affinity, exact shares, nothing to build. It fails when membership changes: nearly all keys move, which empties every
 *  cache at once; use a ring or Maglev where that matters.
 *
 *  With nginx, an endpoint that is down keeps its range and only its own keys are hashed on, twenty times at most, then taken round robin.
 *  With HAProxy (hash-type map-based) the table of servers is made anew without it, and nearly all keys move. */
import { choice } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type PickContext, type Slot } from './balancer.ts';
import { fullAvalanche } from './hashes/hash32.ts';
import { serverMap } from './parts/server-map.ts';
import { MOST_TRIES, WeightRanges } from './parts/weight-ranges.ts';

export const moduloHash = defineBalancer({
  name: 'modulo-hash',
  summary: 'Sends a key to the endpoint that its hash modulo the weights points at.',
  useWhen: 'Membership is fixed and affinity is wanted at no cost.',
  failsWhen: 'Endpoints come and go: nearly all keys move.',
  cost: 'O(log n) with nginx’s rule, O(1) with HAProxy’s',
  sources: ['nginx/nginx: src/http/modules/ngx_http_upstream_hash_module.c', 'haproxy/haproxy: src/lb_map.c'],
  aliases: [
    { system: 'nginx', name: 'hash' },
    { system: 'HAProxy', name: 'hash-type map-based' },
  ],
  params: {
    variant: choice({
      default: 'nginx',
      choices: ['nginx', 'haproxy'],
      about: 'Whether a lost endpoint moves its own keys or nearly all.',
    }),
  },
  create: ({ variant }, deps) => (variant === 'nginx' ? new RangeHash(deps.rng) : new MapHash(deps.rng)),
});

/** What nginx's `hash` adds for one try: 15 bits of the checksum of the key, from the second try on with the try's number before it. */
export const nginxHashStep = (checksum: number): number => (checksum >>> 16) & 0x7fff;

/** nginx’s rule. `rehash` gives the bits to add for each further try; without the key at hand they are made from the hash before. */
export class RangeHash implements Balancer {
  readonly #rng: Rng;
  readonly #rehash: ((tries: number) => number) | undefined;
  readonly #ranges = new WeightRanges();
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #turn = 0;

  constructor(rng: Rng, rehash?: (tries: number) => number) {
    this.#rng = rng;
    this.#rehash = rehash;
  }

  update(view: EndpointView): void {
    this.#ranges.update(view);
    this.#members = view.members;
    this.#count = view.count;
  }

  pick({ hasHash, hashLow }: PickContext): Slot {
    if (this.#count === 0) return NO_ENDPOINT;
    let hash = hasHash ? hashLow : this.#rng.uint32();
    let word = hash;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const slot = this.#ranges.owner(hash % this.#ranges.total);
      if (this.#ranges.isUsable(slot)) return slot;
      word = fullAvalanche(word + tries + 1);
      hash += this.#rehash === undefined ? nginxHashStep(word) : this.#rehash(tries + 1);
    }
    return this.#members[this.#turn++ % this.#count];
  }
}

class MapHash implements Balancer {
  readonly #rng: Rng;
  #map: Int32Array = new Int32Array(0);

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  update(view: EndpointView): void {
    this.#map = serverMap(view);
  }

  pick({ hasHash, hashLow }: PickContext): Slot {
    if (this.#map.length === 0) return NO_ENDPOINT;
    return this.#map[(hasHash ? hashLow : this.#rng.uint32()) % this.#map.length];
  }
}
