/** The members' weights as shares that sum to 1, in order. */
import type { EndpointView } from '../balancer.ts';

export function normalizedWeights({ members, count, table }: EndpointView): number[] {
  const weights = Array.from({ length: count }, (_, i) => table.weight[members[i]]);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return weights.map((weight) => weight / total);
}
