/** The arithmetic of Eureka's leases and of its doubt in itself: when very many instances are silent at once, the registry rather
 *  believes that it is cut off than that they are dead, and evicts nobody.
 *
 *  After Netflix/eureka: eureka-core/src/main/java/com/netflix/eureka/registry/AbstractInstanceRegistry.java and
 *  PeerAwareInstanceRegistryImpl.java, lease/Lease.java. */
import type { Ms } from '../../core/time.ts';

/** Renewals per minute below which the registry doubts itself. */
export const renewsPerMinThreshold = (expectedClients: number, renewalIntervalMs: Ms, renewalPercentThreshold: number): number =>
  Math.trunc(expectedClients * (60_000 / renewalIntervalMs) * renewalPercentThreshold);

/** Whether it evicts although it preserves itself: with more renewals in the last minute than the threshold; with nothing expected, never. */
export const isEvictionAllowed = (threshold: number, renewsLastMin: number): boolean =>
  threshold > 0 && renewsLastMin > threshold;

/** How many of those that ran out one run evicts. */
export const evictionCount = (registered: number, expired: number, renewalPercentThreshold: number): number =>
  Math.min(expired, registered - Math.trunc(registered * renewalPercentThreshold));

/** Whether a lease has run out. A renewal puts the lease's duration on top of the present once, and this does again, so that a lease
 *  lasts twice its duration after a renewal. `compensationMs` is by how much the eviction run is late. */
export const isLeaseExpired = (lastUpdateMs: Ms, durationMs: Ms, compensationMs: Ms, nowMs: Ms): boolean =>
  nowMs > lastUpdateMs + durationMs + compensationMs;
