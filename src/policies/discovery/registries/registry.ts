/** The registry that discovery clients ask: a server that knows instances by their leases.
 *
 *  A state machine without a network: the host carries registrations, renewals and queries to it over whatever links and faults it
 *  has, so partitions and pauses are the host's to inject. Instances are numbers, as for clients. What sets registries apart is what a
 *  lease that ran out means: with etcd the entry is gone and renewing does not bring it back, with Consul it turns critical and the next
 *  report revives it, with Eureka it is evicted some time later, unless so many are silent at once that the registry doubts itself. */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import type { SourceView } from '../discovery-client.ts';

export const healthStatuses = ['passing', 'warning', 'critical'] as const;
export type HealthStatus = (typeof healthStatuses)[number];

export interface RegistryHost {
  /** The answer to a query. Given once for every query, within `query` or later. */
  answer(query: number, view: SourceView, nowMs: Ms): void;
}

export interface Registry {
  /** How often instances should renew. */
  readonly renewEveryMs: Ms;
  /** Grows with every change of what the registry knows. */
  readonly index: number;
  /** An instance says that it is there. Saying it again is a renewal. */
  register(instance: number, nowMs: Ms): void;
  /** An instance says that it is still there, and how it does. False: it is not known here (any more) and must register. */
  renew(instance: number, status: HealthStatus, nowMs: Ms): boolean;
  /** An instance leaves. */
  deregister(instance: number, nowMs: Ms): void;
  /** Undefined for those not registered. */
  status(instance: number): HealthStatus | undefined;
  /** A client asks, with the index it knows and the time it lets the registry wait, under a number that no open query has. */
  query(query: number, index: number, waitMs: Ms, nowMs: Ms): void;
  /** The client of an open query is gone. */
  forget(query: number): void;
  /** When `onTimer` must be called at the latest; Infinity for never. A call at an earlier time does no harm. */
  nextTimerMs(): Ms;
  onTimer(nowMs: Ms): void;
}

export interface RegistryDeps {
  readonly rng: Rng;
  readonly host: RegistryHost;
}

export type RegistryDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, RegistryDeps, Registry>;

type Describe<Specs extends ParamSpecs> = Omit<RegistryDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: RegistryDeps): Registry;
};

/** Declares a registry for the family's table. */
export const defineRegistry = <const Specs extends ParamSpecs>(description: Describe<Specs>): RegistryDefinition<Specs> =>
  definePolicy<Specs, RegistryDeps, Registry>({ family: 'registries', ...description });
