/** Active health checks: which endpoints are fit to serve, from probes that are sent to them or from reports that they send.
 *
 *  A checker is passive: it says when it wants to be woken, asks a prober to send probes, is told how each one ended, and
 *  tells a sink whenever it changes its mind. Who sends the probes, over what and from where, is the driver's business.
 *  Endpoints by slot, as in `detector.ts`. Nothing here allocates per probe. */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import type { BeliefSink } from '../detector.ts';

/** How a probe ended, or what an instance reports of itself.
 *  `degraded`: fit, but to be spared (Consul's warning, 429; Envoy's x-envoy-degraded);
 *  `unhealthy`: it answered that it is unfit (HTTP 503), and asking again would not help;
 *  `failure`: it answered wrongly, in a way that may pass (Envoy's retriable statuses);
 *  `network`: no connection, or it broke; `timeout`: no answer in time. */
export const probeResults = { ok: 0, degraded: 1, unhealthy: 2, failure: 3, network: 4, timeout: 5 } as const;
export type ProbeResult = (typeof probeResults)[keyof typeof probeResults];

export const isGood = (result: ProbeResult): boolean => result <= probeResults.degraded;

/** What a probe asks. Systems with one kind of check send `health`. */
export const probeKinds = { health: 0, liveness: 1, readiness: 2, startup: 3 } as const;
export type ProbeKind = (typeof probeKinds)[keyof typeof probeKinds];

/** The kind of a probe from its number. */
export const probeKind = (probe: number): ProbeKind => (probe % 4) as ProbeKind;

export interface Prober {
  /** Send a probe to `slot`. Every probe must come back to `onResult` once, after `timeoutMs` at the latest (as `timeout`),
   *  with its number, which no other probe of this checker has. Must not call `onResult` before it returns. */
  probe(slot: number, probe: number, timeoutMs: Ms): void;
}

/** Told about every change of belief, as it happens. */
export interface HealthSink extends BeliefSink {
  /** A live endpoint became, or stopped being, one to be spared. */
  degrade?(slot: number, isDegraded: boolean, nowMs: Ms): void;
  /** The instance should be killed and started anew; to be watched again when that has happened. */
  restart?(slot: number, nowMs: Ms): void;
  /** The endpoint has been forgotten for good: watch it again if it comes back. */
  deregister?(slot: number, nowMs: Ms): void;
}

export interface HealthChecker {
  /** How often each instance should report of itself; Infinity if this checker sends probes instead. */
  readonly reportEveryMs: Ms;
  /** What is believed of an endpoint that was never checked. */
  readonly startsAlive: boolean;
  /** Start watching an endpoint, new or started anew. `isAlive` is what is believed of it now, where that is known better. */
  watch(slot: number, nowMs: Ms, isAlive?: boolean): void;
  unwatch(slot: number): void;
  /** A probe ended. Results of probes sent before `unwatch`, and second results, are ignored. */
  onResult(slot: number, probe: number, result: ProbeResult, nowMs: Ms): void;
  /** An instance reported of itself. */
  onReport?(slot: number, result: ProbeResult, nowMs: Ms): void;
  /** A request was sent to any of the endpoints. */
  onTraffic?(nowMs: Ms): void;
  /** When `onTimer` must be called at the latest; Infinity for never. A call at an earlier time does no harm. */
  nextTimerMs(): Ms;
  onTimer(nowMs: Ms): void;
}

export interface HealthCheckerDeps {
  readonly rng: Rng;
  readonly prober: Prober;
  readonly sink: HealthSink;
}

export type HealthCheckerDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, HealthCheckerDeps, HealthChecker>;

type Describe<Specs extends ParamSpecs> = Omit<HealthCheckerDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: HealthCheckerDeps): HealthChecker;
};

/** Declares a health checker for the family's table. */
export const defineHealthChecker = <const Specs extends ParamSpecs>(
  description: Describe<Specs>,
): HealthCheckerDefinition<Specs> => definePolicy<Specs, HealthCheckerDeps, HealthChecker>({ family: 'checks', ...description });
