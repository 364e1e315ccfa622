/** Waits that grow by the same amount with every retry: start, start + offset, start + 2 · offset, and so on up to a maximum.
 *
 *  A middle way for few retries, where doubling soon waits longer than the deadline. It fails as constant waits do: clients
 *  that failed together stay in step, and the load of retries falls only slowly. */
import { duration } from '../../../core/params.ts';
import { linearSchedule } from './parts/schedule.ts';
import { defineRetry } from './retry.ts';

export const linearRetry = defineRetry({
  name: 'linear',
  summary: 'Waits longer by the same amount before every retry.',
  useWhen: 'Few retries must fit into a deadline that doubling waits would exceed.',
  failsWhen: 'Many clients fail together: nothing takes them out of step.',
  cost: 'O(1)',
  sources: [
    'twitter/finagle: finagle-core/src/main/scala/com/twitter/finagle/Backoff.scala, linear',
    'App-vNext/Polly: src/Polly.Core/Retry/RetryHelper.cs, where start and offset are one number',
  ],
  aliases: [{ system: 'Finagle', name: 'linear' }],
  params: {
    start: duration({ default: 100, min: 0, about: 'The first wait.', official: 'Finagle start, Polly Delay' }),
    offset: duration({
      default: 100,
      min: 0,
      about: 'What each wait adds to the one before.',
      official: 'Finagle offset, Polly Delay',
    }),
    maximum: duration({ default: 10_000, min: 0, about: 'No wait is longer.', official: 'Finagle maximum, Polly MaxDelay' }),
  },
  backoff: ({ start, offset, maximum }) => linearSchedule(start, offset, maximum),
});
