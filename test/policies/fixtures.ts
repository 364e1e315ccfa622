/** Random numbers for policy tests: none, scripted, or from a small generator that shares no code with ours. */
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

/** Answers `below(n)` and `uint32()` with the scripted numbers in turn (`below` modulo n, as upstream tests script it). */
export function scriptedRng(...draws: readonly number[]): Rng {
  let used = 0;
  const draw = (): number => {
    if (used >= draws.length) throw new Error('more random numbers were drawn than scripted');
    return draws[used++];
  };
  return { uint32: draw, next: draw, below: (n) => draw() % n };
}
