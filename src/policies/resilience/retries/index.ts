/** Every retry policy by name. */
import { constantRetry } from './constant.ts';
import { decorrelatedJitterRetry } from './decorrelated-jitter.ts';
import { envoyRetry } from './envoy.ts';
import { equalJitterRetry } from './equal-jitter.ts';
import { exponentialRetry } from './exponential.ts';
import { finagleRetry } from './finagle.ts';
import { fullJitterRetry } from './full-jitter.ts';
import { grpcRetry } from './grpc.ts';
import { immediateRetry } from './immediate.ts';
import { linearRetry } from './linear.ts';
import { pollyRetry } from './polly.ts';
import { resilience4jRetry } from './resilience4j.ts';
import type { RetryDefinition } from './retry.ts';
import { towerRetry } from './tower.ts';

export { checkRetryPolicy } from './contract.ts';
export { BackoffRun } from './parts/backoff-run.ts';
export * from './retry.ts';
export {
  constantRetry,
  decorrelatedJitterRetry,
  envoyRetry,
  equalJitterRetry,
  exponentialRetry,
  finagleRetry,
  fullJitterRetry,
  grpcRetry,
  immediateRetry,
  linearRetry,
  pollyRetry,
  resilience4jRetry,
  towerRetry,
};

export const retryPolicies: Readonly<Record<string, RetryDefinition>> = {
  immediate: immediateRetry,
  constant: constantRetry,
  linear: linearRetry,
  exponential: exponentialRetry,
  'full-jitter': fullJitterRetry,
  'equal-jitter': equalJitterRetry,
  'decorrelated-jitter': decorrelatedJitterRetry,
  envoy: envoyRetry,
  grpc: grpcRetry,
  resilience4j: resilience4jRetry,
  polly: pollyRetry,
  finagle: finagleRetry,
  tower: towerRetry,
};
