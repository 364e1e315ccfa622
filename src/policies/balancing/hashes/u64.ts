/** 64-bit unsigned arithmetic on two 32-bit halves, in place. Rings hash thousands of names when they are made; this is several times
 *  faster than BigInt. */
export class U64 {
  /** Halves as signed 32-bit integers. */
  high = 0;
  low = 0;

  set(high: number, low: number): this {
    this.high = high | 0;
    this.low = low | 0;
    return this;
  }

  copy(other: U64): this {
    this.high = other.high;
    this.low = other.low;
    return this;
  }

  xor(other: U64): this {
    this.high ^= other.high;
    this.low ^= other.low;
    return this;
  }

  add(other: U64): this {
    const low = (this.low >>> 0) + (other.low >>> 0);
    this.high = (this.high + other.high + (low > 0xffffffff ? 1 : 0)) | 0;
    this.low = low | 0;
    return this;
  }

  /** Product modulo 2^64. */
  multiply(other: U64): this {
    const a0 = this.low & 0xffff;
    const a1 = this.low >>> 16;
    const b0 = other.low & 0xffff;
    const b1 = other.low >>> 16;
    const low = a0 * b0;
    const middle = a0 * b1 + (low >>> 16);
    const cross = a1 * b0 + (middle & 0xffff);
    // `middle` and `cross` stay below 2^32, so shifting them is exact.
    const high = a1 * b1 + (middle >>> 16) + (cross >>> 16);
    this.high = (high + Math.imul(this.high, other.low) + Math.imul(this.low, other.high)) | 0;
    this.low = (cross << 16) | (low & 0xffff);
    return this;
  }

  rotateLeft(bits: number): this {
    const { high, low } = this;
    if (bits >= 32) return this.#rotate(low, high, bits - 32);
    return this.#rotate(high, low, bits);
  }

  #rotate(high: number, low: number, bits: number): this {
    this.high = bits === 0 ? high : (high << bits) | (low >>> (32 - bits));
    this.low = bits === 0 ? low : (low << bits) | (high >>> (32 - bits));
    return this;
  }

  /** Exclusive or with itself shifted right. */
  xorShifted(bits: number): this {
    if (bits >= 32) {
      this.low ^= this.high >>> (bits - 32);
    } else {
      this.low ^= (this.low >>> bits) | (this.high << (32 - bits));
      this.high ^= this.high >>> bits;
    }
    return this;
  }

  toHash(): Hash64 {
    return { high: this.high >>> 0, low: this.low >>> 0 };
  }
}

/** A 64-bit hash as two unsigned halves. */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

/** The hash modulo a number up to 2^26, exactly. */
export const hashModulo = (high: number, low: number, modulus: number): number =>
  ((high % modulus) * (0x1_0000_0000 % modulus) + low) % modulus;

/** Four bytes, little-endian, as a signed integer. */
export const word32 = (bytes: Uint8Array, at: number): number =>
  bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24);
