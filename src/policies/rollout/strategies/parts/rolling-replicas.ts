/** One step of Kubernetes' rolling update, as arithmetic: how far the new replica set grows, and what old ones give up.
 *
 *  After kubernetes/kubernetes: pkg/controller/deployment/rolling.go. */
import type { Fenceposts } from './fenceposts.ts';
import { availableOf, type ReplicaGroup, specOf } from './replica-group.ts';

/** The size of the new replica set after a step. `total` counts what all sets together ask for. */
export function grownReplicas(desired: number, current: number, total: number, maxSurge: number): number {
  if (current >= desired) return desired;
  const room = desired + maxSurge - total;
  return room <= 0 ? current : current + Math.min(room, desired - current);
}

/** The sizes of the old replica sets after a step, `old` being in order of age, oldest first. Replicas that do not serve go first: they
 *  are no loss. Of those that serve, as many go as are above the least that must be available. */
export function shrunkReplicas(
  desired: number,
  old: readonly ReplicaGroup[],
  created: ReplicaGroup,
  { maxUnavailable }: Fenceposts,
): readonly number[] {
  const minAvailable = desired - maxUnavailable;
  // New replicas that do not serve yet take from what old ones may give up.
  const budget = specOf(old) + created.spec - minAvailable - (created.spec - created.available);
  if (budget <= 0) return old.map(({ spec }) => spec);
  const cleaned = withoutUnhealthy(old, budget);
  const left = cleaned.map((spec, index) => ({ spec, available: old[index].available }));
  return takenOldestFirst(left, availableOf(old) + created.available - minAvailable);
}

/** Gives up at most `limit` replicas that do not serve, oldest set first. */
export function withoutUnhealthy(old: readonly ReplicaGroup[], limit: number): readonly number[] {
  let left = limit;
  return old.map(({ spec, available }) => {
    const taken = Math.max(0, Math.min(left, spec - available));
    left -= taken;
    return spec - taken;
  });
}

/** Gives up `count` replicas, oldest set first. */
export function takenOldestFirst(old: readonly ReplicaGroup[], count: number): readonly number[] {
  let left = Math.max(0, count);
  return old.map(({ spec }) => {
    const taken = Math.min(left, spec);
    left -= taken;
    return spec - taken;
  });
}
