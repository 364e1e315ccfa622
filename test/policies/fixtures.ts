/** Random numbers for policy tests: none, or from a small generator that shares no code with ours. */
import type { Rng } from '../../src/core/rng.ts';

const refuse = (): never => {
  throw new Error('this policy must not draw random numbers');
};
export const unusedRng: Rng = { next: refuse, uint32: refuse, below: refuse };

/** mulberry32: good enough to drive a test, and independent of `core`. */
export function testRng(seed: number): Rng {
  let state = seed >>> 0;
  const uint32 = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return { uint32, next: () => uint32() / 2 ** 32, below: (n) => Math.floor((uint32() / 2 ** 32) * n) };
}
