/** Retries without a wait.
 *
 *  Right where the cause is one endpoint and the retry goes to another: a refused connection costs next to nothing and waiting
 *  helps nobody. It fails under overload: every failure comes back at once as more load, on whatever is left, in step with all
 *  other clients. */
import { defineRetry } from './retry.ts';

export const immediateRetry = defineRetry({
  name: 'immediate',
  summary: 'Tries again at once.',
  useWhen: 'Failures belong to one endpoint, others have room, and a budget bounds the retries.',
  failsWhen: 'The cause is overload: retries arrive when they hurt most, and all together.',
  cost: 'O(1)',
  sources: [
    'twitter/finagle: finagle-core/src/main/scala/com/twitter/finagle/service/RequeueFilter.scala',
    'Bronson, Aghayev, Charapko, Zhu: Metastable Failures in Distributed Systems (2021)',
  ],
  aliases: [
    { system: 'Finagle', name: 'requeue' },
    { system: 'literature', name: 'no-backoff' },
  ],
  params: {},
  backoff: () => ({ delayMs: () => 0 }),
});
