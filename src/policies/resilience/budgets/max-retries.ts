/** A fixed number of retries in flight per client: Envoy's circuit breaker on retries, which is in force where no budget is set.
 *
 *  A hard bound that nothing can raise. It fails to fit: the default of 3 starves a busy client, and a number right at noon is
 *  far too generous at night. With fast failures it bounds little, for a retry that fails within a millisecond leaves its
 *  place at once. */
import { int } from '../../../core/params.ts';
import { ConcurrentRetries } from './envoy.ts';
import { defineRetryBudget } from './retry-budget.ts';

export const maxRetriesBudget = defineRetryBudget({
  name: 'max-retries',
  summary: 'Allows a fixed number of retries in flight.',
  useWhen: 'The load of a client is steady and a hard bound is wanted.',
  failsWhen: 'Load varies, for one number does not fit; or failures are fast, so that few in flight are many per second.',
  cost: 'O(1)',
  sources: [
    'envoyproxy/envoy: source/common/upstream/resource_manager_impl.h',
    'envoyproxy/envoy: api/envoy/config/cluster/v3/circuit_breaker.proto, max_retries',
  ],
  aliases: [{ system: 'Envoy', name: 'circuit_breakers.max_retries' }],
  params: { maxRetries: int({ default: 3, min: 0, about: 'Retries in flight, at most.', official: 'Envoy max_retries' }) },
  create: ({ maxRetries }) => new ConcurrentRetries(() => maxRetries),
});
