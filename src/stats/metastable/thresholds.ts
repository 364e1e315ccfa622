/** Where a service stops being safe although it is not overloaded. A failure that feeds on itself (clients retry, caches stay
 *  cold) raises the load or lowers the capacity; whoever runs above the capacity that is left then stays down after the trigger
 *  is gone.
 *
 *  Use these to place a scenario, and to compare what was simulated with what must come out. They hold for a backlog that is
 *  worked off first come, first served, by servers that do not know their client has left: expiry in the queue, LIFO or short
 *  queues remove the sustaining effect, and then a service recovers far above its threshold. They say where a failure can stay,
 *  not how long an excess takes to show: close to a threshold a backlog drains, or grows, arbitrarily slowly.
 *
 *  After Bronson, Aghayev, Charapko, Zhu, "Metastable failures in distributed systems" (HotOS 2021), and Huang et al.,
 *  "Metastable failures in the wild" (OSDI 2022). Loads and capacities are in one unit, such as requests per second. */

/** *Stable*: recovers by itself from any trigger. *Vulnerable*: healthy, but a trigger can take it down for good.
 *  *Metastable*: in the vulnerable region and down. *Overloaded*: needs no trigger. */
export type LoadState = 'stable' | 'vulnerable' | 'metastable' | 'overloaded';

/** At a threshold itself no capacity is left to work off a backlog, so equality counts as beyond it. `isFailing` says that a
 *  trigger has started the sustaining effect. */
export function loadState(
  load: number,
  { stableBelow, capacity }: { readonly stableBelow: number; readonly capacity: number },
  isFailing = false,
): LoadState {
  if (load >= capacity) return 'overloaded';
  if (load < stableBelow) return 'stable';
  return isFailing ? 'metastable' : 'vulnerable';
}

/** C/(1+R): the load up to which all requests can use up all their retries and still be served. With a budget of `budgetRatio`
 *  retries per request C/(1+min(R, b)); a budget's fixed minimum of retries per second comes on top and matters at low rates
 *  only. Without any limit (R = Infinity) nothing is stable. */
export function stableBelow(capacity: number, maxRetries: number, budgetRatio = Infinity): number {
  return stableCapacity(capacity, worstAttemptsPerRequest(maxRetries, budgetRatio), 1);
}

/** Attempts per request when every attempt fails. Layers multiply: three layers of four attempts are 64. */
export function worstAttemptsPerRequest(maxRetries: number, budgetRatio = Infinity): number {
  return 1 + Math.min(maxRetries, budgetRatio);
}

/** Huang's general form: what is left of the capacity when the sustaining effect multiplies the load and divides the capacity,
 *  at worst. */
export function stableCapacity(normalCapacity: number, loadAmplification: number, capacityDegradation: number): number {
  return normalCapacity / (loadAmplification * capacityDegradation);
}

/** Whether a trigger that adds load and takes capacity away is strong enough to overload. A weaker one leaves room for the
 *  backlog; a stronger one must also last, about until requests wait longer than their client's timeout. */
export function triggerOverloads(trigger: {
  readonly capacity: number;
  readonly load: number;
  readonly loadTrigger: number;
  readonly capacityTrigger: number;
}): boolean {
  return trigger.loadTrigger + trigger.capacityTrigger >= trigger.capacity - trigger.load;
}
