/** Load balancing: which endpoint serves the next attempt.
 *
 *  A balancer is driven by one client (a proxy, a sidecar, a library in a process) and sees what that client sees: the endpoints
 *  it believes available, its own requests in flight, the latencies it measured. The simulator and a live proxy drive the same
 *  object with the same calls. The shape follows §16 of our reading of Envoy, gRPC, Finagle, nginx, HAProxy and IPVS. */
import type { ParamSpecs, ParamValues } from '../../core/params.ts';
import { definePolicy, type Policy } from '../../core/policy.ts';
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';

/** Stable small integer: lives while the endpoint is a member or has work in flight. */
export type Slot = number;
export const NO_ENDPOINT: Slot = -1;

/** How an attempt ended, as the balancer is told. `refused`: nobody took it; `shed`: taken, and turned away by admission control. */
export const outcomes = { ok: 0, error: 1, timeout: 2, refused: 3, lost: 4, cancelled: 5, shed: 7 } as const;
export type Outcome = (typeof outcomes)[keyof typeof outcomes];

/** Health as this client believes it. Excluded endpoints (warming up, being removed) also leave the denominators. */
export const healthStates = { unhealthy: 0, degraded: 1, healthy: 2, excluded: 3 } as const;
export type Health = (typeof healthStates)[keyof typeof healthStates];

/** Struct of arrays indexed by slot. Only the driver writes (see `EndpointSet`); arrays may be replaced by larger ones between
 *  two calls of `update`, so read them through the table, or keep them only until the next `update`. */
export interface EndpointTable {
  /** Name, also the hash key. */
  readonly ids: readonly string[];
  /** 1 by default; larger takes more; 0 = drain. */
  readonly weight: Float64Array;
  readonly health: Uint8Array;
  /** 0 is tried first. */
  readonly priority: Uint8Array;
  /** Index of the endpoint's zone. */
  readonly locality: Uint16Array;
  /** Requests in flight from this client; includes none for the attempt being picked. */
  readonly active: Uint32Array;
  /** Since when it has been healthy without a break: the slow-start clock. */
  readonly healthySinceMs: Float64Array;
  /** How many endpoints have lived in this slot. State a balancer keeps by slot belongs to the generation it was learnt from. */
  readonly generation: Uint32Array;
}

/** The endpoints a balancer may choose from, in a dense order that round robin and tie-breaks see. Members are available and have
 *  a weight above zero: the filtering is the driver's, so that it is written once. */
export interface EndpointView {
  readonly table: EndpointTable;
  readonly members: Int32Array;
  /** Only members[0 … count−1] count; the array may be longer. */
  readonly count: number;
  /** Every endpoint that has not been removed, in the same order, whatever its health and weight: what priorities, panic and
   *  localities count with. Only everyone[0 … everyoneCount−1] count. */
  readonly everyone: Int32Array;
  readonly everyoneCount: number;
}

/** What is known of the request. One mutable object per client, reused for every pick: do not keep it. */
export interface PickContext {
  nowMs: Ms;
  /** 0 for the first try, 1 for the first retry… */
  attempt: number;
  /** Where the attempt before was sent; NO_ENDPOINT for the first try, or if that is not known. Somebody else may live there by now. */
  previous: Slot;
  /** Whether the request carries a key to hash on. */
  hasHash: boolean;
  /** 64-bit hash of the key as two unsigned 32-bit halves. */
  hashHigh: number;
  hashLow: number;
}

/** What an endpoint says of its own load, with an answer (as in ORCA) or when probed; reused, do not keep it. */
export interface LoadReport {
  queriesPerSecond: number;
  errorsPerSecond: number;
  /** Share of its capacity at work. */
  utilization: number;
  /** Requests it has, from all clients, after the one just answered. */
  inFlight: number;
  /** Of those, waiting. */
  queueLength: number;
  /** With an answer: how long it worked on that request. From a probe: the latency it expects of a request now. */
  latencyMs: Ms;
  isProbe: boolean;
}

export interface Balancer {
  /** Picks may be anybody of `everyone`, not only members: for policies that judge health themselves (priorities, panic). */
  readonly judgesHealth?: boolean;
  /** Membership, weight or health changed; also called once before the first pick. May allocate. */
  update(view: EndpointView, nowMs: Ms): void;
  /** Choose a member of the current view, or NO_ENDPOINT when it is empty. Must not allocate and must not throw.
   *  The driver adds one to `table.active` right after. */
  pick(context: PickContext): Slot;
  /** The attempt was sent to `slot`. */
  onStart?(slot: Slot, nowMs: Ms): void;
  /** The attempt ended, exactly once per onStart, even when the endpoint has left the view meanwhile.
   *  `latencyMs` counts from onStart. `table.active` is already one lower. */
  onEnd?(slot: Slot, nowMs: Ms, latencyMs: Ms, outcome: Outcome): void;
  /** A load report or a probe's answer arrived. */
  onReport?(slot: Slot, nowMs: Ms, report: LoadReport): void;
  /** Which endpoints to probe now: fill `out`, return how many. Asked after every pick; answered by onReport. */
  probes?(out: Int32Array, nowMs: Ms): number;
  /** When onTimer wants to be called next; Infinity for never. Asked after update and onTimer. */
  nextTimerMs?(): Ms;
  onTimer?(nowMs: Ms): void;
}

export interface BalancerDeps {
  /** A stream of this client's own. */
  readonly rng: Rng;
  /** Who this client is among its peers, for policies that divide endpoints between clients; absent: the only one, in zone 0. */
  readonly client?: ClientIdentity;
}

export interface ClientIdentity {
  /** From 0, without gaps. */
  readonly number: number;
  readonly count: number;
  /** Index of the client's zone, as in `EndpointTable.locality`. */
  readonly zone: number;
  /** How many clients each zone has. */
  readonly clientsByZone: readonly number[];
}

export type BalancerDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, BalancerDeps, Balancer>;

type Describe<Specs extends ParamSpecs> = Omit<BalancerDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: BalancerDeps): Balancer;
};

/** Declares a balancer for the family's table. */
export const defineBalancer = <const Specs extends ParamSpecs>(description: Describe<Specs>): BalancerDefinition<Specs> =>
  definePolicy<Specs, BalancerDeps, Balancer>({ family: 'balancing', ...description });
