/** Independent random streams by name, all from one seed. The seed's text passes through seedrandom once and gives a 128-bit key;
 *  a stream's state is a hash of key and name. So drawing more in one place never shifts another, and adding a stream changes none.
 *
 *  Ask for a stream once per user and purpose (`arrivals/web`, `balancer/3`): the same name gives the same numbers again. */
import seedrandom from 'seedrandom';
import { hashPair, hashString, type Words } from './hash.ts';
import { Xoshiro128 } from './xoshiro.ts';

export class Streams {
  declare private readonly key: Words;

  constructor(seed: string) {
    const expand = seedrandom(seedText(seed));
    this.key = Int32Array.of(expand.int32(), expand.int32(), expand.int32(), expand.int32());
  }

  /** Draws in order. */
  stream(name: string): Xoshiro128 {
    const state = this.derive(`stream:${name}`);
    return new Xoshiro128(state[0], state[1], state[2], state[3]);
  }

  /** Draws addressed by numbers, in any order. */
  keyed(name: string): KeyedDraws {
    return new KeyedDraws(this.derive(`keyed:${name}`));
  }

  private derive(name: string): Words {
    const out = new Int32Array(4);
    hashString(name, this.key, out);
    return out;
  }
}

/** Random numbers that are a function of (key, a, b) and not of when they are asked for: what request `a` draws on attempt `b` is the
 *  same under every policy. `a` and `b` are whole numbers from 0 to 2^53 − 1. Allocates nothing after construction. */
export class KeyedDraws {
  declare private readonly key: Words;
  declare private readonly out: Words;

  constructor(key: Words) {
    this.key = key;
    this.out = new Int32Array(4);
  }

  /** Uniform in [0, 1), with 53 random bits. */
  unit(a: number, b: number): number {
    const out = this.out;
    hashPair(a, b, unitDomain, this.key, out);
    return ((out[0] >>> 5) * 67108864 + (out[1] >>> 6)) * 1.1102230246251565e-16;
  }

  /** Re-seeds a scratch generator in place, for whoever needs more than one number, or an unknown count, for (a, b).
   *  Its numbers are independent of `unit(a, b)`. */
  fork(a: number, b: number, into: Xoshiro128): void {
    const out = this.out;
    hashPair(a, b, forkDomain, this.key, out);
    into.reseed(out[0], out[1], out[2], out[3]);
  }
}

/** What seedrandom tells apart: it takes '1' and 1 for different seeds, reads only the low byte of a character, and repeats a short
 *  text until 256 bytes are full, so that '1', '11' and '111' are one seed to it. Hence text only, characters it would confuse are
 *  spelled out, and an end mark that occurs nowhere else. */
const seedText = (seed: string): string =>
  `${String(seed).replace(/[^\x01-\xff]|\\/g, (unit) => `\\${unit.charCodeAt(0).toString(16)};`)}\0`;

const unitDomain = 16;
const forkDomain = 17;
