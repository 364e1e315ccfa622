/** resilience4j with a window of time: opens when, of the calls in the last `slidingWindowSize`, too many failed or were slow.
 *
 *  The window is made of whole seconds of the clock, so it is up to one second shorter than its name. At low traffic the minimum of calls
 *  is never reached. See `parts/resilience4j.ts` for the rules. */
import { duration } from '../../../core/params.ts';
import { defineBreaker } from './breaker.ts';
import { Resilience4jBreaker, resilience4jParams } from './parts/resilience4j.ts';
import { TimeWindow } from './parts/time-window.ts';

export const resilience4jTime = defineBreaker({
  name: 'resilience4j-time',
  summary:
    'Opens when too many calls of the last seconds failed or were slow; a fixed number of trial calls decides about closing.',
  useWhen: 'Traffic varies and memory should be counted in time.',
  failsWhen:
    'Traffic is thin, so that the minimum is never reached; or results from before it opened arrive among the trial calls.',
  cost: 'O(1); O(seconds) after a pause',
  sources: [
    'resilience4j/resilience4j: resilience4j-circuitbreaker/src/main/java/io/github/resilience4j/circuitbreaker/internal/CircuitBreakerStateMachine.java',
    'resilience4j/resilience4j: resilience4j-core/src/main/java/io/github/resilience4j/core/metrics/SlidingTimeWindowMetrics.java',
  ],
  aliases: [{ system: 'resilience4j', name: 'TIME_BASED' }],
  params: {
    slidingWindowSize: duration({
      default: 100_000,
      min: 1000,
      about: 'Length of the window; cut to whole seconds.',
      official: 'resilience4j slidingWindowSize, in seconds, with slidingWindowType TIME_BASED',
    }),
    ...resilience4jParams,
  },
  create: (values, deps) =>
    new Resilience4jBreaker(new TimeWindow(Math.floor(values.slidingWindowSize / 1000)), values, deps.rng),
});
