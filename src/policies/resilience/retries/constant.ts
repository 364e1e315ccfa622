/** The same wait before every retry.
 *
 *  Use it where a failure is known to pass within about that time, such as a leader election. It fails as a cure for overload:
 *  clients that failed together come back together, and the load of retries does not go down however long the trouble lasts. */
import { duration } from '../../../core/params.ts';
import { defineRetry } from './retry.ts';

export const constantRetry = defineRetry({
  name: 'constant',
  summary: 'Waits the same time before every retry.',
  useWhen: 'The trouble passes within a known time.',
  failsWhen: 'Many clients fail together: they come back together, as often as before.',
  cost: 'O(1)',
  sources: [
    'twitter/finagle: finagle-core/src/main/scala/com/twitter/finagle/Backoff.scala, const',
    'envoyproxy/envoy: source/common/common/backoff_strategy.cc, FixedBackOffStrategy',
  ],
  aliases: [
    { system: 'Finagle', name: 'const' },
    { system: 'Envoy', name: 'fixed' },
  ],
  params: { delay: duration({ default: 100, min: 0, about: 'The wait before each retry.', official: 'Finagle const start' }) },
  backoff: ({ delay }) => ({ delayMs: () => delay }),
});
