/** A service whose latency grows in a straight line with the requests inside it: latency = base + slope · concurrency. The
 *  smallest model that collapses: too much concurrency makes calls slower than the timeout, retries keep the concurrency up.
 *
 *  By Little's law the concurrency at which latency reaches the timeout, (timeout − base)/slope, is sustained by that many
 *  requests per timeout. Up to this rate there is a healthy state. In the collapsed state every request makes all its tries, so
 *  that a `maxTries`th of that rate is enough to stay in it. Between the two rates both states exist, and triggers decide.
 *
 *  Use it for services that slow down under concurrency, such as databases with contention; not for queues in front of a fixed
 *  rate, whose latency has no straight line. After Marc Brooker's model of a simple collapse (mbrooker/simulator_example). */
export interface LinearLatency {
  readonly baseLatencyMs: number;
  readonly latencyPerConcurrentMs: number;
  readonly timeoutMs: number;
  /** First try and retries together. */
  readonly maxTries: number;
}

/** Rates in requests per second: stable below the first, vulnerable below the second, overloaded from there. Both are 0 when
 *  an idle service already misses the timeout. */
export function linearLatencyLimits(model: LinearLatency): {
  readonly stableBelowRps: number;
  readonly vulnerableBelowRps: number;
} {
  const concurrencyAtTimeout = Math.max(0, model.timeoutMs - model.baseLatencyMs) / model.latencyPerConcurrentMs;
  return {
    stableBelowRps: (1000 * concurrencyAtTimeout) / (model.timeoutMs * model.maxTries),
    vulnerableBelowRps: (1000 * concurrencyAtTimeout) / model.timeoutMs,
  };
}
