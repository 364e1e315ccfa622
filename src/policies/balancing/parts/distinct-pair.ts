/** The second of two distinct random indices below `count`, given the first: Finagle's mapping, shared by Tower and Linkerd. */
import type { Rng } from '../../../core/rng.ts';

export function anotherIndex(rng: Rng, count: number, first: number): number {
  const second = rng.below(count - 1);
  return second >= first ? second + 1 : second;
}
