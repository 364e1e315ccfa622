/** What a proxy is made of: who it balances between, how it learns of them and judges them, by which policies, and how HTTP is read as
 *  requests, keys and outcomes. */
import type { IncomingMessage } from 'node:http';
import { InputError } from '../core/errors.ts';
import type { Rng } from '../core/rng.ts';
import type { Clock, Ms } from '../core/time.ts';
import type { Balancer, BalancerDeps, ClientIdentity, LoadReport, Outcome } from '../policies/balancing/balancer.ts';
import type { EndpointOptions } from '../policies/balancing/endpoint-set.ts';
import { balancers } from '../policies/balancing/index.ts';
import { type PipelineSettings, type ResultName, results } from '../policies/pipeline/index.ts';
import type { Admission, AdmissionDeps } from '../policies/resilience/admission/admission.ts';
import { admissions } from '../policies/resilience/admission/index.ts';
import type { Breaker, BreakerDeps } from '../policies/resilience/breakers/breaker.ts';
import { breakers } from '../policies/resilience/breakers/index.ts';
import { retryBudgets } from '../policies/resilience/budgets/index.ts';
import type { RetryBudget } from '../policies/resilience/budgets/retry-budget.ts';
import type { Hedge, HedgeDeps } from '../policies/resilience/hedging/hedge.ts';
import { hedges } from '../policies/resilience/hedging/index.ts';
import { retryPolicies } from '../policies/resilience/retries/index.ts';
import type { RetryDeps, RetryPolicy } from '../policies/resilience/retries/retry.ts';
import type { DiscoveryClient, DiscoveryDeps } from '../policies/discovery/discovery-client.ts';
import type { Decision } from './decision.ts';
import type { DiscoverySource } from './discovery-source.ts';
import type { WatchOptions } from './endpoint-watch.ts';
import type { Agents } from './exchange.ts';
import type { OwnAnswer } from './own-answers.ts';
import type { Timers } from './system.ts';
import { makePolicy, type Use } from './use.ts';

export interface ProxyEndpoint extends EndpointOptions {
  /** Scheme, host and port, as in `http://10.0.0.1:8080`. */
  readonly url: string;
}

/** What a running proxy can be given anew. */
export interface ProxySettings {
  readonly balancer: Use<BalancerDeps, Balancer>;
  readonly retry?: Use<RetryDeps, RetryPolicy>;
  readonly budget?: Use<object, RetryBudget>;
  readonly hedge?: Use<HedgeDeps, Hedge>;
  readonly breaker?: Use<BreakerDeps, Breaker>;
  readonly admission?: Use<AdmissionDeps, Admission>;
  /** Of a request, all attempts together; none by default. */
  readonly timeoutMs?: Ms;
  /** Of one attempt, until its answer begins; none by default. */
  readonly attemptTimeoutMs?: Ms;
  /** What is answered instead of a failure. */
  readonly fallback?: { readonly on: readonly ResultName[]; readonly answer: OwnAnswer };
}

export interface ProxyOptions extends WatchOptions, ProxySettings {
  /** With discovery, those to begin with. */
  readonly endpoints: readonly (string | ProxyEndpoint)[];
  /** How it learns of endpoints that come and go. */
  readonly discovery?: Use<DiscoveryDeps, DiscoveryClient>;
  /** Whom discovery asks: `fileSource`, `dnsSource`, `registrySource`, or a source of the program's own. */
  readonly discoverySource?: DiscoverySource;
  /** Told of the endpoints when discovery has changed them. Must not throw. */
  onMembers?(endpoints: readonly string[]): void;
  /** Whether a request may be worked on twice: by default where its method is idempotent (RFC 9110, 9.2.2). Others are not hedged, and
   *  tried again only where surely nobody has worked on them. */
  isRepeatable?(request: IncomingMessage): boolean;
  /** The key that balancers hash on. */
  keyOf?(request: IncomingMessage): string | undefined;
  /** What admission control looks at: by default all requests are alike. */
  classOf?(request: IncomingMessage): { readonly priority: number; readonly partition: number; readonly user: number };
  /** Header with the milliseconds that are left until the caller's deadline; read from requests, and written to attempts. */
  readonly deadlineHeader?: string;
  /** Longer bodies of requests are answered with 413. 1 MiB by default. */
  readonly maxBodyBytes?: number;
  /** What an answer means to the policies, instead of `outcomeOfAnswer`. */
  outcomeOf?(answer: IncomingMessage): Outcome;
  /** What an answer says of its endpoint's load, for balancers that listen. */
  reportOf?(answer: IncomingMessage): LoadReport | undefined;
  /** Asks an endpoint for its load, for balancers that probe. */
  probe?(endpoint: string): Promise<LoadReport | undefined>;
  /** Told of every decision as it is made. Must not throw. */
  onDecision?(decision: Decision): void;
  /** Who this proxy is among its peers, for balancers that divide endpoints between clients. */
  readonly client?: ClientIdentity;
  /** Kept connections by default; the caller's own are left open by `close`. */
  readonly agents?: Agents;
  readonly clock?: Clock;
  readonly timers?: Timers;
  /** One stream per policy. */
  rng?(policy: string): Rng;
}

/** The pipeline's settings that options choose. */
export function settingsOf(
  options: ProxySettings,
  rng: (policy: string) => Rng,
  client: ClientIdentity | undefined,
): PipelineSettings {
  const {
    balancer,
    retry,
    budget,
    hedge,
    breaker,
    admission,
    timeoutMs = Infinity,
    attemptTimeoutMs = Infinity,
    fallback,
  } = options;
  for (const [name, ms] of Object.entries({ timeoutMs, attemptTimeoutMs })) {
    if (!(ms > 0))
      throw InputError.of('bad-option', `${name} cannot be ${ms}`, 'a time in milliseconds, or leave it out for none');
  }
  const stranger = fallback?.on.find((name) => !Object.hasOwn(results, name));
  if (stranger !== undefined) throw InputError.of('bad-option', `a fallback cannot stand in for "${stranger}"`);
  return {
    balancer: makePolicy(balancers, balancer, { rng: rng('balancer'), ...(client === undefined ? {} : { client }) }),
    timeoutMs,
    attemptTimeoutMs,
    retry: retry === undefined ? undefined : makePolicy(retryPolicies, retry, { rng: rng('retry') }),
    budget: budget === undefined ? undefined : makePolicy(retryBudgets, budget, {}),
    hedge: hedge === undefined ? undefined : makePolicy(hedges, hedge, { rng: rng('hedge') }),
    breaker: breaker === undefined ? undefined : makePolicy(breakers, breaker, { rng: rng('breaker') }),
    admission: admission === undefined ? undefined : makePolicy(admissions, admission, { rng: rng('admission') }),
    fallback: fallback === undefined ? undefined : { on: fallback.on, takesMs: 0 },
  };
}
