/** Pod disruption budgets: how many instances may be taken down on purpose (a drain, an upgrade) at one time.
 *
 *  Use it between everything that evicts on purpose and the service that has to survive it. It does not hold against failures: a node that
 *  dies takes what it has, and the budget is then the smaller for it. A budget that allows nothing blocks drains for ever.
 *
 *  The arithmetic is Kubernetes': shares round up both for `maxUnavailable` and `minAvailable`, of the scale that is wanted and not of
 *  what is there; a whole number for `minAvailable` is compared with what is there. An instance just taken down counts as unhealthy
 *  until it is gone, or for two minutes.
 *
 *  After kubernetes/kubernetes: pkg/controller/disruption/disruption.go and pkg/registry/core/pod/storage/eviction.go. */
import type { Ms } from '../../../core/time.ts';
import { type CountOrPercent, roundedUp } from '../../shared/count-or-percent.ts';

export type Budget = { readonly maxUnavailable: CountOrPercent } | { readonly minAvailable: CountOrPercent };

export interface BudgetStatus {
  /** Of how many the budget speaks. */
  readonly expected: number;
  readonly desiredHealthy: number;
  readonly disruptionsAllowed: number;
}

/** `wanted` is the scale that the instances' controllers are to keep (undefined if nobody keeps one), `present` counts all there
 *  are, `healthy` those of them that serve. */
export function budgetStatus(budget: Budget, wanted: number | undefined, present: number, healthy: number): BudgetStatus {
  const scale = wanted ?? 0;
  let expected = scale;
  let desiredHealthy: number;
  if ('maxUnavailable' in budget) desiredHealthy = Math.max(0, scale - roundedUp(budget.maxUnavailable, scale));
  else {
    if ('count' in budget.minAvailable) expected = present;
    desiredHealthy = roundedUp(budget.minAvailable, scale);
  }
  const disruptionsAllowed = expected <= 0 ? 0 : Math.max(0, healthy - desiredHealthy);
  return { expected, desiredHealthy, disruptionsAllowed };
}

/** How instances that are not healthy are treated: as long as the others make up the budget, or always let go. */
export type UnhealthyPodEvictionPolicy = 'IfHealthyBudget' | 'AlwaysAllow';

/** One service's budget over time. */
export class DisruptionBudget {
  readonly #budget: Budget;
  readonly #unhealthy: UnhealthyPodEvictionPolicy;
  readonly #isHealthy = new Map<number, boolean>();
  /** When each was taken down. */
  readonly #disruptedAtMs = new Map<number, Ms>();
  #wanted: number | undefined;

  constructor(budget: Budget, unhealthy: UnhealthyPodEvictionPolicy = 'IfHealthyBudget') {
    this.#budget = budget;
    this.#unhealthy = unhealthy;
  }

  setWanted(count: number | undefined): void {
    this.#wanted = count;
  }

  setHealth(instance: number, isHealthy: boolean): void {
    this.#isHealthy.set(instance, isHealthy);
  }

  onGone(instance: number): void {
    this.#isHealthy.delete(instance);
    this.#disruptedAtMs.delete(instance);
  }

  status(nowMs: Ms): BudgetStatus {
    return budgetStatus(this.#budget, this.#wanted, this.#isHealthy.size, this.#healthyCount(nowMs));
  }

  /** Asks to take an instance down. True: it may go, and counts as gone from now on. */
  tryDisrupt(instance: number, nowMs: Ms): boolean {
    const isHealthy = this.#isHealthy.get(instance);
    if (isHealthy === undefined) return true;
    const { disruptionsAllowed, desiredHealthy } = this.status(nowMs);
    // Its going takes nothing from a budget that it does not count for.
    if (!isHealthy && this.#unhealthy === 'AlwaysAllow') return true;
    if (!isHealthy && desiredHealthy > 0 && this.#healthyCount(nowMs) >= desiredHealthy) return true;
    if (disruptionsAllowed === 0) return false;
    this.#disruptedAtMs.set(instance, nowMs);
    return true;
  }

  #healthyCount(nowMs: Ms): number {
    let healthy = 0;
    for (const [instance, isHealthy] of this.#isHealthy) {
      const disruptedAtMs = this.#disruptedAtMs.get(instance) ?? -Infinity;
      if (isHealthy && nowMs > disruptedAtMs + DELETION_TIMEOUT_MS) healthy++;
    }
    return healthy;
  }
}

/** How long an instance that was taken down may take to go before it is believed to stay. */
const DELETION_TIMEOUT_MS = 120_000;
