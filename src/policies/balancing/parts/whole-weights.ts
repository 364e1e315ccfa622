/** Weights as whole numbers, for the algorithms that count in them. Whole weights stay as they are; fractions are kept to a hundredth;
 *  none becomes zero. */
import type { EndpointView } from '../balancer.ts';

/** The members' weights in order, their common divisor taken out. */
export function reducedWeights(view: EndpointView): number[] {
  const weights = wholeWeights(view);
  const divisor = weights.reduce(greatestCommonDivisor, 0);
  return weights.map((weight) => weight / divisor);
}

/** The members' weights in order. */
export function wholeWeights({ members, count, table }: EndpointView): number[] {
  const weights = Array.from({ length: count }, (_, i) => table.weight[members[i]]);
  const scale = weights.every((weight) => weight === Math.floor(weight)) ? 1 : 100;
  return weights.map((weight) => Math.max(1, Math.round(weight * scale)));
}

export function greatestCommonDivisor(a: number, b: number): number {
  while (b > 0) [a, b] = [b, a % b];
  return a;
}
