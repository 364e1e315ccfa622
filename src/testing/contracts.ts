/** What a policy owes whoever drives it, by its role: the very rules that the built-in policies are held to, for tests of policies of one's
 *  own in any framework. Each rule is a sentence and a check that returns what was found against it. */
import { balancerRules } from '../policies/balancing/contract.ts';
import { healthCheckerRules } from '../policies/detection/checks/contract.ts';
import { detectorRules } from '../policies/detection/contract.ts';
import { outlierRules } from '../policies/detection/outliers/contract.ts';
import { membershipRules } from '../policies/detection/swim/contract.ts';
import { discoveryRules } from '../policies/discovery/contract.ts';
import { registryRules } from '../policies/discovery/registries/contract.ts';
import { restartRules } from '../policies/recovery/restarts/contract.ts';
import { admissionRules } from '../policies/resilience/admission/contract.ts';
import { breakerRules } from '../policies/resilience/breakers/contract.ts';
import { budgetRules } from '../policies/resilience/budgets/contract.ts';
import { hedgeRules } from '../policies/resilience/hedging/contract.ts';
import { queueRules } from '../policies/resilience/queueing/contract.ts';
import { retryRules } from '../policies/resilience/retries/contract.ts';
import { electorRules } from '../policies/rollout/elections/contract.ts';
import { agentRules } from '../policies/rollout/propagation/contract.ts';
import { storeRules } from '../policies/rollout/store/contract.ts';
import { rolloutRules } from '../policies/rollout/strategies/contract.ts';

export const contracts = {
  balancer: balancerRules,
  detector: detectorRules,
  membership: membershipRules,
  healthCheck: healthCheckerRules,
  outlier: outlierRules,
  discovery: discoveryRules,
  registry: registryRules,
  restart: restartRules,
  retry: retryRules,
  budget: budgetRules,
  hedge: hedgeRules,
  breaker: breakerRules,
  admission: admissionRules,
  queueing: queueRules,
  rollout: rolloutRules,
  store: storeRules,
  election: electorRules,
  propagation: agentRules,
} as const;

export type ContractRole = keyof typeof contracts;
/** What makes the policy under test, as its rules call it: `(rng) => new MyBalancer({ rng })`. */
export type MakeFor<Role extends ContractRole> = Parameters<(typeof contracts)[Role][number]['check']>[0];

export interface BoundRule {
  readonly name: string;
  /** What was found against it; none is good. */
  check(): readonly string[];
}

/** The rules of a role on one's own policy. */
export const contractOf = <Role extends ContractRole>(role: Role, make: MakeFor<Role>): readonly BoundRule[] =>
  (contracts[role] as readonly { readonly name: string; check(make: MakeFor<Role>): readonly string[] }[]).map((rule) => ({
    name: rule.name,
    check: () => rule.check(make),
  }));
