/** A ring of points, several per endpoint: a key belongs to the first point at or after its hash. Built as Envoy and gRPC build it. */
import { InputError } from '../../../core/errors.ts';
import type { Hash64 } from '../hashes/u64.ts';

export interface RingSizes {
  readonly minimumRingSize: number;
  readonly maximumRingSize: number;
}

export class HashRing {
  #highs: Uint32Array = new Uint32Array(0);
  #lows: Uint32Array = new Uint32Array(0);
  #owners: Int32Array = new Int32Array(0);
  #ordinals: Int32Array = new Int32Array(0);
  /** Points of the endpoint with the fewest, and with the most. */
  fewestPoints = 0;
  mostPoints = 0;

  /** `shares` sum to 1. The endpoint with the least gets a whole number of points, if the maximum allows; the others get theirs rounded
   *  by running sums. Point j of an endpoint lies at the hash of `key_j`. */
  build(keys: readonly string[], shares: readonly number[], sizes: RingSizes, hash: (text: string) => Hash64): void {
    const least = shares.reduce((smallest, share) => Math.min(smallest, share), 1);
    const scale = Math.min(Math.ceil(least * sizes.minimumRingSize) / least, sizes.maximumRingSize);
    const size = keys.length === 0 ? 0 : Math.ceil(scale);
    const points: { readonly hash: Hash64; readonly owner: number; readonly ordinal: number }[] = [];
    this.fewestPoints = size;
    this.mostPoints = 0;
    let target = 0;
    keys.forEach((key, owner) => {
      target += scale * shares[owner];
      let ordinal = 0;
      for (; points.length < target; ordinal++) points.push({ hash: hash(`${key}_${ordinal}`), owner, ordinal });
      this.fewestPoints = Math.min(this.fewestPoints, ordinal);
      this.mostPoints = Math.max(this.mostPoints, ordinal);
    });
    points.sort((a, b) => a.hash.high - b.hash.high || a.hash.low - b.hash.low);
    this.#highs = Uint32Array.from(points, (point) => point.hash.high);
    this.#lows = Uint32Array.from(points, (point) => point.hash.low);
    this.#owners = Int32Array.from(points, (point) => point.owner);
    this.#ordinals = Int32Array.from(points, (point) => point.ordinal);
  }

  get size(): number {
    return this.#owners.length;
  }

  /** The point at a place of the ring. */
  point(at: number): Hash64 & { readonly owner: number; readonly ordinal: number } {
    return { high: this.#highs[at], low: this.#lows[at], owner: this.#owners[at], ordinal: this.#ordinals[at] };
  }

  /** The owner of a key, as an index into the keys; `further` points clockwise for a retry. The ring must not be empty. */
  owner(high: number, low: number, further = 0): number {
    let from = 0;
    let to = this.#owners.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      const isBefore = this.#highs[middle] < high || (this.#highs[middle] === high && this.#lows[middle] < low);
      if (isBefore) from = middle + 1;
      else to = middle;
    }
    return this.#owners[(from + further) % this.#owners.length];
  }
}

/** Throws InputError where no ring can have these sizes. */
export function checkRingSizes({ minimumRingSize, maximumRingSize }: RingSizes): void {
  if (minimumRingSize <= maximumRingSize) return;
  throw InputError.of('ring-size', `minimumRingSize ${minimumRingSize} is above maximumRingSize ${maximumRingSize}`);
}
