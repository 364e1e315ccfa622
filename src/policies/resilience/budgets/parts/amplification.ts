/** What retries do to load, in closed form: the figures a budget is chosen by.
 *
 *  All of them assume that tries fail independently with the same probability, which holds for random errors and not for
 *  overload, where retries raise the probability of failure itself. Then they are a lower bound. */

/** Tries per request when each fails with probability f and up to N failures are retried: 1 + f + f² + … + f^N. */
export function loadFactor(failureProbability: number, maxRetries: number): number {
  let sum = 1;
  for (let power = failureProbability, retry = 1; retry <= maxRetries; retry++, power *= failureProbability) sum += power;
  return sum;
}

/** Share of requests that succeed in the end: 1 − f^(N + 1). */
export function successProbability(failureProbability: number, maxRetries: number): number {
  let failing = failureProbability;
  for (let retry = 1; retry <= maxRetries; retry++) failing *= failureProbability;
  return 1 - failing;
}

/** Tries that reach the bottom of a chain in which every layer makes so many attempts and all of them fail. */
export function layeredAttempts(attemptsPerLayer: number, layers: number): number {
  let attempts = 1;
  for (let layer = 0; layer < layers; layer++) attempts *= attemptsPerLayer;
  return attempts;
}

/** Tries per request, at most, under a budget of retries that is a share of the requests. */
export const budgetedLoadFactor = (budgetShare: number): number => 1 + budgetShare;
