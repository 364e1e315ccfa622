/** Where retries make a service vulnerable: healthy, but a trigger can take it down for good. When every attempt times out after it was
 *  worked on, each request costs 1 + R attempts on every edge on its way, and edges multiply; the service recovers only if even that is
 *  below its capacity. Only attempts that time out count, since what is refused or shed costs next to nothing. */
import { layersOfEdge, resolveRole } from '../scenario/resolve-role.ts';
import type { EdgeSpec, PolicyChoice, PolicyUse, Scenario } from '../scenario/spec.ts';
import { type LoadState, loadState, stableBelow, worstAttemptsPerRequest } from '../stats/metastable/thresholds.ts';
import { predictLoads } from './predict.ts';

export interface RetryThreshold {
  readonly variant: string;
  readonly service: string;
  /** Requests per second, faults aside. */
  readonly load: number;
  readonly capacity: number;
  /** Attempts per request when all of them fail. */
  readonly amplification: number;
  readonly stableBelow: number;
  readonly state: LoadState;
}

/** Of every variant, the services that retries could overload. */
export function retryThresholds(scenario: Scenario): RetryThreshold[] {
  return scenario.variants.flatMap(({ label, policies, scenario: own }) => {
    const world = own ?? scenario;
    const attempts = world.edges.map((edge) => worstAttempts(edge, world, policies));
    for (const { edge, userRetries } of world.traffic) attempts[edge] *= 1 + (userRetries?.max ?? 0);
    if (attempts.every((times) => times === 1)) return [];
    return predictLoads(world, attempts)
      .filter(({ load, worstLoad }) => load > 0 && worstLoad > load * (1 + 1e-9))
      .map(({ service, load, capacity, worstLoad }) => {
        const amplification = worstLoad / load;
        const limit = stableBelow(capacity, amplification - 1);
        return {
          variant: label,
          service,
          load,
          capacity,
          amplification,
          stableBelow: limit,
          state: loadState(load, { stableBelow: limit, capacity }),
        };
      });
  });
}

/** Of each request that takes this edge, when every attempt times out. */
function worstAttempts(edge: EdgeSpec, world: Omit<Scenario, 'variants'>, choice: PolicyChoice): number {
  const layers = layersOfEdge(edge, world.services, choice);
  const retry = resolveRole('retry', layers);
  const { timeoutMs, attemptTimeoutMs } = edge;
  if (retry === undefined || attemptTimeoutMs >= timeoutMs || attemptTimeoutMs === Infinity) return 1;
  const { retries, on } = retry.params;
  // A user's own policy need not say what it does in this way.
  if (typeof retries !== 'number' || !Array.isArray(on) || !on.includes('timeout')) return 1;
  const inTime = Math.ceil(timeoutMs / attemptTimeoutMs) - 1;
  return worstAttemptsPerRequest(Math.min(retries, inTime), budgetRatio(resolveRole('budget', layers)));
}

/** Retries per request that a budget grants while nothing succeeds; its small change (a minimum per second, a few in flight) left out. */
function budgetRatio(budget: PolicyUse | undefined): number {
  if (budget === undefined || budget.module !== undefined) return Infinity;
  const { params } = budget;
  switch (budget.use) {
    case 'envoy':
      return Number(params.budgetPercent);
    case 'finagle':
      return Number(params.percentCanRetry);
    case 'tower':
      return Number(params.retryPercent);
    case 'request-ratio':
      return Number(params.ratio);
    case 'grpc-throttle':
    case 'token-bucket':
      // Fed by successes alone.
      return 0;
    default:
      return Infinity;
  }
}
