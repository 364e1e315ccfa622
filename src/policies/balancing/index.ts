/** Every load balancer by name. */
import { type Resolution, resolvePolicy } from '../../core/policy-table.ts';
import type { BalancerDefinition } from './balancer.ts';
import { deterministicSubset } from './deterministic-subset.ts';
import { localityWeighted } from './locality-weighted.ts';
import { priority } from './priority.ts';
import { randomSubset } from './random-subset.ts';
import { slowStart } from './slow-start.ts';
import { zoneAware } from './zone-aware.ts';
import { simpleBalancers } from './simple.ts';

export * from './balancer.ts';
export { checkBalancer } from './contract.ts';
export { type Doubt, doubts, EndpointHealth } from './endpoint-health.ts';
export { EndpointSet, type EndpointOptions } from './endpoint-set.ts';
export { alwaysFirst } from './always-first.ts';
export { boundedLoad } from './bounded-load.ts';
export { c3 } from './c3.ts';
export { clientSideWeightedRoundRobin } from './client-side-weighted-round-robin.ts';
export { consistentHash } from './consistent-hash.ts';
export { deterministicAperture } from './deterministic-aperture.ts';
export { edfWeightedRoundRobin } from './edf-weighted-round-robin.ts';
export { fastWeightedRoundRobin } from './fast-weighted-round-robin.ts';
export { interleavedWeightedRoundRobin } from './interleaved-weighted-round-robin.ts';
export { iptablesRandom } from './iptables-random.ts';
export { joinIdleQueue } from './join-idle-queue.ts';
export { jsqD } from './jsq-d.ts';
export { ketama } from './ketama.ts';
export { leastConnections } from './least-connections.ts';
export { leastRequest } from './least-request.ts';
export { leastTime } from './least-time.ts';
export { maglev } from './maglev.ts';
export { moduloHash } from './modulo-hash.ts';
export { neverQueue } from './never-queue.ts';
export { p2c } from './p2c.ts';
export { peakEwma } from './peak-ewma.ts';
export { prequal } from './prequal.ts';
export { random } from './random.ts';
export { rendezvous } from './rendezvous.ts';
export { ringHash } from './ring-hash.ts';
export { roundRobin } from './round-robin.ts';
export { shortestExpectedDelay } from './shortest-expected-delay.ts';
export { sourceIpHash } from './source-ip-hash.ts';
export { staticStride } from './static-stride.ts';
export { staticWeightedRoundRobin } from './static-weighted-round-robin.ts';
export { type BucketOf, TrafficSplit, type TrafficSplitDeps } from './traffic-split.ts';
export { weightedP2c } from './weighted-p2c.ts';
export { weightedRandom } from './weighted-random.ts';
export { weightedRoundRobin } from './weighted-round-robin.ts';
export { deterministicSubset, localityWeighted, priority, randomSubset, slowStart, zoneAware };

export const balancers: Readonly<Record<string, BalancerDefinition>> = {
  ...simpleBalancers,
  // Around another balancer.
  priority,
  'locality-weighted': localityWeighted,
  'zone-aware': zoneAware,
  'slow-start': slowStart,
  'random-subset': randomSubset,
  'deterministic-subset': deterministicSubset,
};

/** A balancer by its name or by the name another system gives it. */
export const resolveBalancer = (name: string): Resolution<BalancerDefinition> => resolvePolicy(balancers, name);
