/** Source address hash: requests from one client address go to the same endpoint.
 *
 *  Stickiness without cookies. It fails where many users share an address (one office, one carrier), where few addresses make most of
 *  the traffic, and when membership changes.
 *
 *  The key's hash stands for the client's IPv4 address, in the lower half. nginx (ip_hash) uses the first three bytes, so neighbours
 *  stay together, and hashes on when an endpoint is down; IPVS (sh) looks into 256 buckets and refuses when the bucket's server is down,
 *  unless `fallback` lets it look on. */
import { boolean, choice, type ParamValues } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type PickContext, type Slot } from './balancer.ts';
import { MOST_TRIES, WeightRanges } from './parts/weight-ranges.ts';
import { wholeWeights } from './parts/whole-weights.ts';

const params = {
  variant: choice({
    default: 'nginx',
    choices: ['nginx', 'ipvs'],
    about: 'Whose hash and whose way around endpoints that are down.',
  }),
  fallback: boolean({
    default: true,
    about: 'ipvs: take another server when the bucket’s own is down, instead of refusing.',
    official: 'IPVS sh-fallback, off there',
  }),
};

export const sourceIpHash = defineBalancer({
  name: 'source-ip-hash',
  summary: 'Sends a client’s address to the same endpoint.',
  useWhen: 'Sessions must stick and nothing but the address is known.',
  failsWhen: 'Many users come from few addresses: their endpoint carries them all.',
  cost: 'O(log n) with nginx’s rule, O(1) with IPVS’s',
  sources: ['nginx/nginx: src/http/modules/ngx_http_upstream_ip_hash_module.c', 'torvalds/linux: net/netfilter/ipvs/ip_vs_sh.c'],
  aliases: [
    { system: 'nginx', name: 'ip_hash' },
    { system: 'IPVS', name: 'sh' },
    { system: 'HAProxy', name: 'source' },
  ],
  params,
  create: (values, deps) => createSourceHash(values, deps.rng),
});

const createSourceHash = ({ variant, fallback }: ParamValues<typeof params>, rng: Rng): Balancer =>
  variant === 'nginx' ? new NginxIpHash(rng) : new BucketHash(rng, ipvsHash, fallback);

/** A bucket of IPVS for an address, `offset` buckets on. */
export const ipvsHash = (address: number, offset: number): number => (offset + (Math.imul(address, 0x61c88647) >>> 24)) & 255;

/** The same in kernels before they took the high bits of the product. */
export const ipvsLegacyHash = (address: number, offset: number): number => (offset + Math.imul(address, 2_654_435_761)) & 255;

class NginxIpHash implements Balancer {
  readonly #rng: Rng;
  readonly #ranges = new WeightRanges();
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #turn = 0;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  update(view: EndpointView): void {
    this.#ranges.update(view);
    this.#members = view.members;
    this.#count = view.count;
  }

  pick({ hasHash, hashLow }: PickContext): Slot {
    if (this.#count === 0) return NO_ENDPOINT;
    const address = hasHash ? hashLow : this.#rng.uint32();
    let hash = 89;
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      // Three bytes of the address, and on from where the last try ended.
      for (let shift = 24; shift > 0; shift -= 8) hash = (hash * 113 + ((address >>> shift) & 255)) % 6271;
      const slot = this.#ranges.owner(hash % this.#ranges.total);
      if (this.#ranges.isUsable(slot)) return slot;
    }
    return this.#members[this.#turn++ % this.#count];
  }
}

/** IPVS: 256 buckets, dealt out to all endpoints in turn, as many at a time as they weigh. */
export class BucketHash implements Balancer {
  readonly #rng: Rng;
  readonly #hash: (address: number, offset: number) => number;
  readonly #fallsBack: boolean;
  readonly #buckets = new Int32Array(256);
  #isUsable: Uint8Array = new Uint8Array(0);
  #count = 0;

  constructor(rng: Rng, hash: (address: number, offset: number) => number, fallsBack: boolean) {
    this.#rng = rng;
    this.#hash = hash;
    this.#fallsBack = fallsBack;
  }

  update(view: EndpointView): void {
    const { members, count, everyone, everyoneCount, table } = view;
    this.#count = count;
    this.#isUsable = new Uint8Array(table.weight.length);
    for (let i = 0; i < count; i++) this.#isUsable[members[i]] = 1;
    if (everyoneCount === 0) return;
    const weights = wholeWeights({ ...view, members: everyone, count: everyoneCount });
    let owner = 0;
    let placed = 0;
    for (let bucket = 0; bucket < 256; bucket++) {
      this.#buckets[bucket] = everyone[owner];
      if (++placed < weights[owner]) continue;
      owner = (owner + 1) % everyoneCount;
      placed = 0;
    }
  }

  pick({ hasHash, hashLow }: PickContext): Slot {
    if (this.#count === 0) return NO_ENDPOINT;
    const address = hasHash ? hashLow : this.#rng.uint32();
    const first = this.#hash(address, 0);
    const slot = this.#buckets[first];
    if (this.#isUsable[slot] === 1) return slot;
    if (!this.#fallsBack) return NO_ENDPOINT;
    for (let offset = 0; offset < 256; offset++) {
      const other = this.#buckets[this.#hash(address, (offset + first) & 255)];
      if (this.#isUsable[other] === 1) return other;
    }
    return NO_ENDPOINT;
  }
}
