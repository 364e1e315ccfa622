/** Which columns the request table needs: scenarios pay for what they use. */
import type { PolicyMakers } from '../scenario/makers.ts';
import type { EdgeSpec, Scenario } from '../scenario/spec.ts';
import { isNothing } from './client.ts';

/** Whether some pipeline has more than a balancer. */
export const needsFullTable = (edges: readonly EdgeSpec[], makers: PolicyMakers): boolean =>
  edges.some((edge, index) => {
    const { retry, budget, hedge, breaker, admission } = makers.edges[index];
    const parts: readonly unknown[] = [retry, budget, hedge, breaker, admission, edge.fallback];
    return edge.attemptTimeoutMs < Infinity || parts.some((part) => part !== undefined);
  });

/** Whether requests have deadlines, ways, callers, doors, users or timers of their own to remember. */
export const needsCallTable = (scenario: Omit<Scenario, 'variants'>, makers: PolicyMakers): boolean =>
  needsFullTable(scenario.edges, makers) ||
  scenario.changes !== undefined ||
  scenario.queues.length > 0 ||
  scenario.services.some(
    ({ steps, dropsExpired }, index) => steps.length > 0 || dropsExpired || makers.services[index].shedding !== undefined,
  ) ||
  // Requests may be held until there is an instance.
  makers.services.some(({ autoscaler }) => autoscaler !== undefined) ||
  scenario.edges.some((edge) => edge.propagatesDeadline || edge.pool !== undefined || !isNothing(edge.proxyLatency)) ||
  scenario.traffic.some(
    ({ arrivals, userRetries }) =>
      userRetries !== undefined || arrivals.type === 'users' || (arrivals.type === 'replay' && arrivals.closed),
  );
