/** HAProxy's ring: 16 nodes per unit of weight, and a key belongs to the nearest node in either direction, the one before it if both are
 *  as near. */
import { fullAvalanche } from '../hashes/hash32.ts';

const NODES_PER_WEIGHT = 16;
/** A node's place is the hash of the server's number times this, plus the node's. */
const NODE_RANGE = 4096;

export class HaproxyRing {
  #places: Uint32Array = new Uint32Array(0);
  #owners: Int32Array = new Int32Array(0);

  /** Servers by number (HAProxy's id, from 1) and whole weight. */
  build(numbers: readonly number[], weights: readonly number[]): void {
    const nodes = numbers.flatMap((number, owner) =>
      Array.from({ length: weights[owner] * NODES_PER_WEIGHT }, (_, node) => ({
        place: fullAvalanche(Math.imul(number, NODE_RANGE) + node),
        owner,
      })),
    );
    nodes.sort((a, b) => a.place - b.place);
    this.#places = Uint32Array.from(nodes, (node) => node.place);
    this.#owners = Int32Array.from(nodes, (node) => node.owner);
  }

  get size(): number {
    return this.#places.length;
  }

  ownerAt(node: number): number {
    return this.#owners[node];
  }

  /** The node next after this one, around the ring. */
  after(node: number): number {
    return node + 1 === this.#places.length ? 0 : node + 1;
  }

  /** The node a 32-bit hash belongs to; the ring must not be empty. */
  nearest(hash: number): number {
    let from = 0;
    let to = this.#places.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if (this.#places[middle] < hash) from = middle + 1;
      else to = middle;
    }
    const next = from === this.#places.length ? 0 : from;
    const previous = next === 0 ? this.#places.length - 1 : next - 1;
    if (this.#owners[next] === this.#owners[previous]) return next;
    // Distances around the ring.
    return (hash - this.#places[previous]) >>> 0 <= (this.#places[next] - hash) >>> 0 ? previous : next;
  }
}
