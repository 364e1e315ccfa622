/** The policies, by family. Interfaces and tables of all of them; the single policies of the resilience families, several of which go by
 *  the name of the same system, are in `clusterlab/policies/resilience/<family>`. */
import { autoscalers } from './autoscaling/index.ts';
import { nodeAutoscalers } from './autoscaling/nodes/index.ts';
import { balancers } from './balancing/index.ts';
import { verticalRecommenders } from './autoscaling/vertical/index.ts';
import { alarms } from './detection/alarms/index.ts';
import { healthCheckers } from './detection/checks/index.ts';
import { detectors } from './detection/index.ts';
import { outlierDetectors } from './detection/outliers/index.ts';
import { memberships } from './detection/swim/index.ts';
import { discoveryClients } from './discovery/index.ts';
import { registries } from './discovery/registries/index.ts';
import { schedulers } from './placement/index.ts';
import { nodeEvictions } from './recovery/eviction/index.ts';
import { failovers } from './recovery/failover/index.ts';
import { replicaControllers } from './recovery/replicas/index.ts';
import { restartPolicies } from './recovery/restarts/index.ts';
import { admissions } from './resilience/admission/index.ts';
import { breakers } from './resilience/breakers/index.ts';
import { retryBudgets } from './resilience/budgets/index.ts';
import { hedges } from './resilience/hedging/index.ts';
import { queuePolicies } from './resilience/queueing/index.ts';
import { retryPolicies } from './resilience/retries/index.ts';
import { electors } from './rollout/elections/index.ts';
import { agents } from './rollout/propagation/index.ts';
import { stores } from './rollout/store/index.ts';
import { rollouts } from './rollout/strategies/index.ts';

export * from './autoscaling/autoscaler.ts';
export * from './balancing/index.ts';
export * from './detection/checks/health-checker.ts';
export * from './detection/index.ts';
export * from './detection/outliers/outlier-detector.ts';
export * from './discovery/discovery-client.ts';
export * from './discovery/registries/registry.ts';
export * from './pipeline/index.ts';
export * from './placement/scheduler.ts';
export * from './recovery/eviction/node-eviction.ts';
export * from './recovery/failover/failover.ts';
export * from './recovery/replicas/replica-controller.ts';
export * from './recovery/restarts/restart-policy.ts';
export * from './resilience/admission/admission.ts';
export * from './resilience/breakers/breaker.ts';
export * from './resilience/budgets/retry-budget.ts';
export * from './resilience/deadline.ts';
export * from './resilience/hedging/hedge.ts';
export * from './resilience/queueing/queue-policy.ts';
export * from './resilience/retries/retry.ts';
export * from './rollout/elections/elector.ts';
export * from './rollout/propagation/config-agent.ts';
export * from './rollout/store/config-store.ts';
export * from './rollout/strategies/rollout.ts';
export {
  admissions,
  agents,
  alarms,
  autoscalers,
  breakers,
  discoveryClients,
  electors,
  failovers,
  healthCheckers,
  hedges,
  memberships,
  nodeAutoscalers,
  nodeEvictions,
  outlierDetectors,
  queuePolicies,
  registries,
  replicaControllers,
  restartPolicies,
  retryBudgets,
  retryPolicies,
  rollouts,
  schedulers,
  verticalRecommenders,
  stores,
};

export const families = {
  balancing: balancers,
  detection: detectors,
  membership: memberships,
  checks: healthCheckers,
  outliers: outlierDetectors,
  discovery: discoveryClients,
  registries,
  placement: schedulers,
  restarts: restartPolicies,
  retries: retryPolicies,
  budgets: retryBudgets,
  hedging: hedges,
  breakers,
  admission: admissions,
  queueing: queuePolicies,
  autoscaling: autoscalers,
  nodes: nodeAutoscalers,
  alarms,
  vertical: verticalRecommenders,
  replicas: replicaControllers,
  eviction: nodeEvictions,
  failover: failovers,
  rollouts,
  stores,
  elections: electors,
  propagation: agents,
} as const;
export type Family = keyof typeof families;

/** Where each family lives, below this folder. */
export const familyFolders: Readonly<Record<Family, string>> = {
  balancing: 'balancing',
  detection: 'detection',
  membership: 'detection/swim',
  checks: 'detection/checks',
  outliers: 'detection/outliers',
  discovery: 'discovery',
  registries: 'discovery/registries',
  placement: 'placement',
  restarts: 'recovery/restarts',
  retries: 'resilience/retries',
  budgets: 'resilience/budgets',
  hedging: 'resilience/hedging',
  breakers: 'resilience/breakers',
  admission: 'resilience/admission',
  queueing: 'resilience/queueing',
  autoscaling: 'autoscaling',
  nodes: 'autoscaling/nodes',
  alarms: 'detection/alarms',
  vertical: 'autoscaling/vertical',
  replicas: 'recovery/replicas',
  eviction: 'recovery/eviction',
  failover: 'recovery/failover',
  rollouts: 'rollout/strategies',
  stores: 'rollout/store',
  elections: 'rollout/elections',
  propagation: 'rollout/propagation',
};
