/** Numbers for addresses, as policies want them. A number is never given twice: an address that was forgotten and comes back is somebody
 *  new. */
export class Directory {
  readonly #numbers = new Map<string, number>();
  readonly #addresses = new Map<number, string>();
  #given = 0;

  get size(): number {
    return this.#numbers.size;
  }

  numberOf(address: string): number {
    const known = this.#numbers.get(address);
    if (known !== undefined) return known;
    const number = this.#given++;
    this.#numbers.set(address, number);
    this.#addresses.set(number, address);
    return number;
  }

  /** Undefined for numbers that were forgotten. */
  addressOf(number: number): string | undefined {
    return this.#addresses.get(number);
  }

  knows(address: string): boolean {
    return this.#numbers.has(address);
  }

  /** Forgets all others. */
  keep(isKept: (number: number) => boolean): void {
    for (const [number, address] of this.#addresses) {
      if (isKept(number)) continue;
      this.#addresses.delete(number);
      this.#numbers.delete(address);
    }
  }
}
