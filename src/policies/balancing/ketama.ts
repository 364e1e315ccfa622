/** Ketama as nginx builds it (`hash … consistent`): 160 points per unit of weight and a checksum for a hash, so that keys land where
 *  memcached's clients put them.
 *
 *  For standing in front of caches that other ketama clients use too. Otherwise `ring-hash` or `maglev` spread better. It fails on popular
 *  keys, and its 32-bit points begin to collide on large fleets.
 *
 *  Built over all endpoints, up or not; a key whose endpoint is down goes on to the next point, twenty times at most, then round robin. The
 *  lower half of the key's hash stands for its checksum. */
import type { Rng } from '../../core/rng.ts';
import { utf8 } from '../../core/hash.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type PickContext, type Slot } from './balancer.ts';
import { crc32 } from '../shared/crc32.ts';
import { MOST_TRIES } from './parts/weight-ranges.ts';
import { wholeWeights } from './parts/whole-weights.ts';

export const ketama = defineBalancer({
  name: 'ketama',
  summary: 'Sends a key to the same endpoint by a ring of checksums (nginx hash … consistent, memcached).',
  useWhen: 'Keys must land where ketama clients of the same cache put them.',
  failsWhen: 'Some keys are very popular, or the fleet is large: 32-bit points collide.',
  cost: 'O(log points)',
  sources: ['nginx/nginx: src/http/modules/ngx_http_upstream_hash_module.c'],
  aliases: [{ system: 'nginx', name: 'hash consistent' }],
  params: {},
  create: (_params, deps) => new Ketama(deps.rng),
});

const POINTS_PER_WEIGHT = 160;

class Ketama implements Balancer {
  readonly #rng: Rng;
  #points: Uint32Array = new Uint32Array(0);
  #owners: Int32Array = new Int32Array(0);
  #built = '';
  #isUsable: Uint8Array = new Uint8Array(0);
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #turn = 0;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  update(view: EndpointView): void {
    const { members, count, table, everyone, everyoneCount } = view;
    this.#members = members;
    this.#count = count;
    this.#isUsable = new Uint8Array(table.weight.length);
    for (let i = 0; i < count; i++) this.#isUsable[members[i]] = 1;
    const weights = wholeWeights({ ...view, members: everyone, count: everyoneCount });
    const recipe = weights.map((weight, i) => `${everyone[i]} ${table.ids[everyone[i]]} ${weight}`).join('\n');
    if (recipe === this.#built) return;
    this.#built = recipe;
    this.#build(view, weights);
  }

  pick({ hasHash, hashLow }: PickContext): Slot {
    if (this.#count === 0) return NO_ENDPOINT;
    let point = this.#firstAtOrAfter(hasHash ? hashLow : this.#rng.uint32());
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const slot = this.#owners[point % this.#points.length];
      if (this.#isUsable[slot] === 1) return slot;
      point++;
    }
    return this.#members[this.#turn++ % this.#count];
  }

  #build({ table, everyone }: EndpointView, weights: readonly number[]): void {
    const points = weights.flatMap((weight, i) =>
      serverPoints(table.ids[everyone[i]], weight * POINTS_PER_WEIGHT).map((hash) => ({ hash, slot: everyone[i] })),
    );
    points.sort((a, b) => a.hash - b.hash);
    // Of points at one place the first stays.
    const distinct = points.filter(({ hash }, i) => i === 0 || hash !== points[i - 1].hash);
    this.#points = Uint32Array.from(distinct, ({ hash }) => hash);
    this.#owners = Int32Array.from(distinct, ({ slot }) => slot);
  }

  #firstAtOrAfter(hash: number): number {
    let from = 0;
    let to = this.#points.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#points[middle] < hash) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

/** Each point is the checksum of host, a zero byte, port, and the point before as four bytes, least first. */
function serverPoints(server: string, count: number): number[] {
  const colon = server.lastIndexOf(':');
  const host = colon === -1 ? server : server.slice(0, colon);
  const port = colon === -1 ? '' : server.slice(colon + 1);
  const name = utf8(`${host}\0${port}`);
  const bytes = new Uint8Array(name.length + 4);
  bytes.set(name);
  const points: number[] = [];
  let hash = 0;
  for (let i = 0; i < count; i++) {
    for (let byte = 0; byte < 4; byte++) bytes[name.length + byte] = (hash >>> (8 * byte)) & 255;
    hash = crc32(bytes);
    points.push(hash);
  }
  return points;
}
