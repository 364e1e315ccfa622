/** Every retry budget by name. */
import { envoyBudget } from './envoy.ts';
import { finagleBudget } from './finagle.ts';
import { grpcThrottleBudget } from './grpc-throttle.ts';
import { maxRetriesBudget } from './max-retries.ts';
import { requestRatioBudget } from './request-ratio.ts';
import type { RetryBudgetDefinition } from './retry-budget.ts';
import { tokenBucketBudget } from './token-bucket.ts';
import { towerBudget } from './tower.ts';
import { unlimitedBudget } from './unlimited.ts';

export { checkRetryBudget } from './contract.ts';
export * from './retry-budget.ts';
export {
  envoyBudget,
  finagleBudget,
  grpcThrottleBudget,
  maxRetriesBudget,
  requestRatioBudget,
  tokenBucketBudget,
  towerBudget,
  unlimitedBudget,
};

export const retryBudgets: Readonly<Record<string, RetryBudgetDefinition>> = {
  unlimited: unlimitedBudget,
  envoy: envoyBudget,
  'max-retries': maxRetriesBudget,
  finagle: finagleBudget,
  tower: towerBudget,
  'grpc-throttle': grpcThrottleBudget,
  'token-bucket': tokenBucketBudget,
  'request-ratio': requestRatioBudget,
};
