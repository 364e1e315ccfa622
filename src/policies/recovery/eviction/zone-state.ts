/** How bad things are in a zone, and how fast its nodes may then be emptied: the more nodes are gone at once, the likelier it is that
 *  the observer is cut off and not they.
 *
 *  After kubernetes/kubernetes: pkg/controller/nodelifecycle/node_lifecycle_controller.go, ComputeZoneState, ReducedQPSFunc and
 *  setLimiterInZone. */

export const zoneStates = ['Normal', 'PartialDisruption', 'FullDisruption'] as const;
export type ZoneState = (typeof zoneStates)[number];

/** A zone is fully disrupted when none of its nodes is ready, partially when more than two are not and these are at least the
 *  threshold's share. Shares are compared in single precision, as the original does: 11 of 20 are 55 %. */
export function zoneState(ready: number, notReady: number, unhealthyZoneThreshold: number): ZoneState {
  if (ready === 0 && notReady > 0) return 'FullDisruption';
  const share = Math.fround(notReady / (notReady + ready));
  return notReady > 2 && share >= Math.fround(unhealthyZoneThreshold) ? 'PartialDisruption' : 'Normal';
}

export interface EvictionRates {
  readonly nodeEvictionRate: number;
  readonly secondaryNodeEvictionRate: number;
  readonly largeClusterSizeThreshold: number;
}

/** Nodes emptied per second in a zone of so many nodes. A zone that is fully disrupted beside others is emptied at the normal rate;
 *  when all are, nothing is, which is the controller's business and not the zone's. */
export function nodesEvictedPerSecond(state: ZoneState, zoneSize: number, rates: EvictionRates): number {
  if (state !== 'PartialDisruption') return rates.nodeEvictionRate;
  return zoneSize > rates.largeClusterSizeThreshold ? rates.secondaryNodeEvictionRate : 0;
}
