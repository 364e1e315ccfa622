/** A fingerprint of a run's numbers: 64 bits in hex, from two 32-bit mixing hashes over the bits of every number. Not
 *  cryptographic: it tells equal runs from different ones, nothing more. */
export class Digest {
  private low: number;
  private high: number;
  private readonly float: Float64Array;
  private readonly words: Int32Array;

  constructor() {
    this.low = 0x243f6a88;
    this.high = 0x85a308d3 | 0;
    this.float = new Float64Array(1);
    this.words = new Int32Array(this.float.buffer);
  }

  number(value: number): this {
    // One bit pattern for all NaNs, and one for both zeros.
    this.float[0] = Number.isNaN(value) ? NaN : value + 0;
    return this.word(this.words[0]).word(this.words[1]);
  }

  numbers(values: Iterable<number>): this {
    for (const value of values) this.number(value);
    return this;
  }

  text(value: string): this {
    this.number(value.length);
    for (let i = 0; i < value.length; i++) this.word(value.charCodeAt(i));
    return this;
  }

  hex(): string {
    return (
      (finish(this.high ^ this.low) >>> 0).toString(16).padStart(8, '0') + (finish(this.low) >>> 0).toString(16).padStart(8, '0')
    );
  }

  private word(value: number): this {
    this.low = (Math.imul(this.low ^ mix(value), 5) + 0x561ccd1b + (this.high << 13)) | 0;
    this.high = (Math.imul(this.high ^ mix(value ^ this.low), 5) + 0x38b34ae5 + (this.low >>> 19)) | 0;
    return this;
  }
}

function mix(value: number): number {
  let k = Math.imul(value, 0xcc9e2d51);
  k = (k << 15) | (k >>> 17);
  return Math.imul(k, 0x1b873593);
}

function finish(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
