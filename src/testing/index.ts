/** `clusterlab/testing`: scenarios, promises and contracts for tests, whatever framework runs them. With vitest, `clusterlab/vitest` is
 *  shorter. */
export { checkPolicy, type CheckPolicyOptions, type PolicyReport } from '../lab/check-policy.ts';
export { type BoundRule, contractOf, type ContractRole, contracts, type MakeFor } from './contracts.ts';
export { type Measurement, scenario, type ScenarioBuilder, ScenarioResult } from './scenario.ts';
export { checkSlo, compareMeasurements, type NoWorseAnswer, type NoWorseOptions, type SloAnswer } from './slo.ts';
