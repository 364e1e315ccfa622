/** resilience4j with a window of the last calls: opens when, of the last `slidingWindowSize` calls, too many failed or were slow.
 *
 *  The memory is counted in calls, so its length in time is the traffic's: short under load, and at low traffic old failures keep
 *  counting for hours. See `parts/resilience4j.ts` for the rules. */
import { int } from '../../../core/params.ts';
import { defineBreaker } from './breaker.ts';
import { CountWindow } from './parts/count-window.ts';
import { Resilience4jBreaker, resilience4jParams } from './parts/resilience4j.ts';

export const resilience4jCount = defineBreaker({
  name: 'resilience4j-count',
  summary: 'Opens when too many of the last calls failed or were slow; a fixed number of trial calls decides about closing.',
  useWhen: 'Traffic is steady, and slow calls should count as well as failed ones.',
  failsWhen: 'Traffic is thin, so that calls of long ago decide; or results from before it opened arrive among the trial calls.',
  cost: 'O(1)',
  sources: [
    'resilience4j/resilience4j: resilience4j-circuitbreaker/src/main/java/io/github/resilience4j/circuitbreaker/internal/CircuitBreakerStateMachine.java',
    'resilience4j/resilience4j: resilience4j-core/src/main/java/io/github/resilience4j/core/metrics/FixedSizeSlidingWindowMetrics.java',
  ],
  aliases: [{ system: 'resilience4j', name: 'COUNT_BASED' }],
  params: {
    slidingWindowSize: int({
      default: 100,
      min: 1,
      about: 'Calls that are remembered.',
      official: 'resilience4j slidingWindowSize with slidingWindowType COUNT_BASED',
    }),
    ...resilience4jParams,
  },
  create: (values, deps) => new Resilience4jBreaker(new CountWindow(values.slidingWindowSize), values, deps.rng),
});
