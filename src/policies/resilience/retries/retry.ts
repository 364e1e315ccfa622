/** Retries: which failed attempts are tried again, how often, and how long to wait before. The decision whether a retry may be paid
 *  for is a budget's (`../budgets`); where it goes is the balancer's.
 *
 *  A retry policy belongs to one client (a proxy, a sidecar) and holds no state of requests: the pipeline keeps what one request
 *  needs, the number of its retries and the last wait. */
import { type ParamSpecs, type ParamValues, int, set } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';

export interface Backoff {
  /** The wait before retry number `retry` of a request (1 for the first), in ms. `previousMs` is what this returned for the retry before;
   *  0 for the first. `waitedMs` is the sum of all it returned for this request, by default `previousMs`; only Polly's formula needs it.
   *  Draws a fixed number of times from the injected stream. Does not allocate. */
  delayMs(retry: number, previousMs: Ms, waitedMs?: Ms): Ms;
}

/** What may be tried again. `noEndpoint`: the balancer knew nobody. `shed`: turned away by admission control, there or here. */
export const retriable = ['error', 'timeout', 'refused', 'lost', 'shed', 'noEndpoint'] as const;
export type Retriable = (typeof retriable)[number];

export interface RetryPolicy extends Backoff {
  /** Tries after the first, at most. */
  readonly retries: number;
  readonly on: readonly Retriable[];
  /** Picks repeated for one retry while the balancer offers endpoints that were tried before; then the last is taken anyway. */
  readonly hostSelectionRetries: number;
}

export interface RetryDeps {
  /** A stream of this client's own. */
  readonly rng: Rng;
}

/** Parameters that every retry policy has. */
const common = (retries: number, on: readonly Retriable[]) => ({
  retries: int({ default: retries, min: 0, max: 100, about: 'Tries after the first, at most.' }),
  on: set({ default: on, choices: retriable, about: 'What is tried again.' }),
  hostSelectionRetryMaxAttempts: int({
    default: 5,
    min: 0,
    max: 100,
    about: 'Picks repeated for one retry to avoid endpoints already tried; then the last is taken anyway.',
    official: 'Envoy host_selection_retry_max_attempts with previous_hosts (there 1; Istio sets 5)',
  }),
});
type Common = ReturnType<typeof common>;

export type RetryDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, RetryDeps, RetryPolicy>;

type Describe<Specs extends ParamSpecs> = Omit<RetryDefinition<Specs>, 'family' | 'make' | 'create'> & {
  /** Tries after the first and what is tried again, unless set: those of the system the policy is named after. */
  readonly defaults?: { readonly retries?: number; readonly on?: readonly Retriable[] };
  backoff(params: ParamValues<Specs>, deps: RetryDeps): Backoff;
};

/** Declares a retry policy for the family's table: a back-off, to which the parameters common to all are added. */
export function defineRetry<const Specs extends ParamSpecs>(description: Describe<Specs>): RetryDefinition<Specs & Common> {
  const { defaults: given = {}, backoff, ...rest } = description;
  const on = given.on ?? ['error', 'timeout', 'refused', 'lost'];
  return definePolicy<Specs & Common, RetryDeps, RetryPolicy>({
    family: 'retries',
    ...rest,
    params: { ...description.params, ...common(given.retries ?? 2, on) },
    create: (params, deps) => {
      const schedule = backoff(params as unknown as ParamValues<Specs>, deps);
      return {
        retries: params.retries as number,
        on: params.on as readonly Retriable[],
        hostSelectionRetries: params.hostSelectionRetryMaxAttempts as number,
        delayMs: (retry, previousMs, waitedMs = previousMs) => schedule.delayMs(retry, previousMs, waitedMs),
      };
    },
  });
}
