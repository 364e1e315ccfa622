/** What keeps requests away: circuit breakers, asked request by request, and a token bucket before a service that is never busy. */
import { Streams } from '../../../src/core/streams.ts';
import { type Breaker, breakerStates, breakers } from '../../../src/policies/resilience/breakers/index.ts';
import { type Case, numberOf } from '../cases.ts';
import type { Observation } from '../judgement.ts';
import { atLeast, meanOf, share, standardError } from '../readers.ts';
import { type Adapter, type Adapters, type Effort, queueWorld, type Trial } from '../trial.ts';
import { arrivalLaw, digits } from '../yaml.ts';

/** Requests that a breaker is asked about per unit of effort: it costs far less than a simulated one. */
const PER_REQUEST = 2;
const REPLICATIONS = [40, 1_000_000] as const;
const BETWEEN_REQUESTS_MS = 1;

/** How often a breaker may be made anew. `requests` is about how many each one sees. */
const replications = (effort: Effort, requests: number): number =>
  Math.max(REPLICATIONS[0], Math.min(REPLICATIONS[1], Math.round((PER_REQUEST * effort.requests[0]) / requests)));

/** Failures in a row open it; how many requests until then? */
const consecutive = ({ id, params, expect }: Case, effort: Effort): Record<string, Observation> => {
  const [fails, run] = ['p_fail', 'consecutive'].map((key) => numberOf(params, key));
  const rng = new Streams(`${effort.seed} ${id}`).stream('failures');
  const seen: number[] = [];
  const often = replications(effort, expect.mean_requests_to_open.value ?? 1);
  for (let k = 0; k < often; k++) {
    const breaker = breakers.linkerd.make({ maxFailures: run }, { rng });
    let requests = 0;
    while (breaker.state(requests) === breakerStates.closed) ask(breaker, rng.next() >= fails, ++requests);
    seen.push(requests);
  }
  return { mean_requests_to_open: { value: meanOf(seen), se: standardError(seen), replications: often } };
};

/** A window that fills for the first time, as resilience4j counts. */
const rateOfFirstWindow = ({ id, params }: Case, effort: Effort): Record<string, Observation | undefined> => {
  const [fails, window, threshold] = ['p_fail', 'window', 'threshold'].map((key) => numberOf(params, key));
  const rng = new Streams(`${effort.seed} ${id}`).stream('failures');
  const settings = { slidingWindowSize: window, minimumNumberOfCalls: window, failureRateThreshold: 100 * threshold };
  const often = replications(effort, window);
  let opened = 0;
  for (let k = 0; k < often; k++) {
    const breaker = breakers['resilience4j-count'].make(settings, { rng });
    for (let request = 1; request <= window; request++) ask(breaker, rng.next() >= fails, request);
    if (breaker.state(window) === breakerStates.open) opened++;
  }
  const value = opened / often;
  return {
    prob_open_at_first_full_window: atLeast(1 / often, { value, se: Math.sqrt((value * (1 - value)) / often) }),
  };
};

function ask(breaker: Breaker, isGood: boolean, requests: number): void {
  const nowMs = requests * BETWEEN_REQUESTS_MS;
  breaker.settle(breaker.acquire(nowMs), isGood, 0, nowMs);
}

/** A bound on what passes while everything fails is never attained, so it cannot be compared. */
const breaker: Adapter = (each, effort) => {
  if ('consecutive' in each.params) return [{ answers: async () => consecutive(each, effort) }];
  if ('threshold' in each.params) return [{ answers: async () => rateOfFirstWindow(each, effort) }];
  return [];
};

/** One token per unit of the case, that is hundred per second. */
const TOKENS_PER_SECOND = 100;

const tokenBucket: Adapter = ({ params }): readonly Trial[] => {
  const [burst, load] = ['burst', 'load'].map((key) => numberOf(params, key));
  const rate = 'rate' in params ? numberOf(params, 'rate') : 1;
  const admission = `{ use: token-bucket, rate: ${digits(rate * TOKENS_PER_SECOND)}, burst: ${burst} }`;
  return [
    {
      world: queueWorld({
        arrivals: arrivalLaw('exp', load * rate)!,
        work: '1ms',
        slots: 100_000,
        more: `policies: { admission: ${admission} }\n`,
      }),
      perUnit: load * rate,
      // The bucket goes up and down like a queue of so many places.
      relaxation: 3 + burst * burst,
      observe: { reject_prob: share('failures.shed') },
    },
  ];
};

export const protection: Adapters = {
  'circuit breaker': breaker,
  'token bucket, Poisson arrivals': tokenBucket,
};
