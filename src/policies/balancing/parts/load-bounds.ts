/** How much load an endpoint may carry under bounded loads: its share of what is in flight, times a factor. */

/** Envoy's slots of an endpoint with this share of the weight. `factorPercent` is 100 · (1 + ε). */
export const envoySlots = (inFlight: number, factorPercent: number, share: number): number =>
  Math.max(1, Math.ceil(Math.floor(((inFlight + 1) * factorPercent + 99) / 100) * share));

/** HAProxy's slots of an endpoint, which may take a request while it serves fewer. Whole slots per unit of weight, and what is left is
 *  dealt out along the running sum of weights, of which `weightBefore` is the part before this endpoint. */
export function haproxySlots(
  served: number,
  factorPercent: number,
  weight: number,
  weightBefore: number,
  totalWeight: number,
): number {
  const slots = Math.floor(((served + 1) * factorPercent + 99) / 100);
  const perWeight = Math.floor(slots / totalWeight);
  const rest = slots - perWeight * totalWeight;
  const extra = Math.floor(((weightBefore + weight) * rest) / totalWeight) - Math.floor((weightBefore * rest) / totalWeight);
  return Math.max(1, weight * perWeight + extra);
}
