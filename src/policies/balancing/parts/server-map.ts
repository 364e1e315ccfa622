/** HAProxy's map of servers: a table in which each endpoint has a share of places by weight, spread out, the first endpoint first.
 *  Rotation walks along it, hashing looks into it. */
import type { EndpointView } from '../balancer.ts';
import { reducedWeights } from './whole-weights.ts';

/** Slots by place; as many places as the weights sum up to, once their common divisor is taken out. O(places · n). */
export function serverMap(view: EndpointView): Int32Array {
  const weights = reducedWeights(view);
  const places = weights.reduce((sum, weight) => sum + weight, 0);
  const map = new Int32Array(places);
  const scores = weights.map(() => 0);
  for (let place = 0; place < places; place++) {
    let best = 0;
    let bestValue = -1;
    for (let i = 0; i < weights.length; i++) {
      scores[i] += weights[i];
      // Whole rounds only: endpoints within the same round go in their order.
      const value = Math.trunc((scores[i] + places) / places);
      if (value > bestValue) {
        best = i;
        bestValue = value;
      }
    }
    scores[best] -= places;
    map[place] = view.members[best];
  }
  return map;
}
