/** A resource that remembers the highest token it has seen and refuses lower ones: what makes a lock safe although its holder may have lost
 *  it without knowing.
 *
 *  Use it wherever the holder of a lock writes. It fails where several resources are written together: each learns of a new holder only
 *  by its first write, and until then still takes writes of the old one.
 *
 *  After M. Kleppmann, How to do distributed locking (2016). */
export class FencedTarget {
  #highest = -Infinity;

  /** False: refused. The token of the current holder may come again and again. */
  accept(token: number): boolean {
    if (token < this.#highest) return false;
    this.#highest = token;
    return true;
  }

  /** −Infinity before the first write. */
  get highestToken(): number {
    return this.#highest;
  }
}
