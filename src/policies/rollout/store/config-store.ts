/** A versioned store: what all hosts shall know, who may change it, and who holds which lock.
 *
 *  A state machine without a network: the host carries requests to it over whatever links and faults it has (`store-request.ts` has them as
 *  plain data), so delays, partitions and pauses are the host's to inject. There is one copy, and operations take effect one after the
 *  other: how its replicas agree is not modelled, a change of their leader is.
 *
 *  Revisions: every change of anything advances the store's `revision`; an entry knows the revision of its creation and of its last change.
 *  A change that names the revision it is based on fails if somebody else was quicker. Leases: what belongs to a lease goes when the lease
 *  runs out. Locks: held under a lease, and with a token that only grows, so that a resource can refuse those who held the lock before
 *  (`fenced-target.ts`); a lock alone does not keep them out, because nobody can tell a holder in time that its lease is over. */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';

export interface StoreEntry {
  readonly key: string;
  readonly value: string;
  readonly createRevision: number;
  readonly modRevision: number;
  /** Changes since its creation, from 1. */
  readonly version: number;
  /** Goes with this lease, or is locked by this session; undefined for neither. */
  readonly lease: number | undefined;
}

export interface CasResult {
  readonly succeeded: boolean;
  /** Of the store, afterwards. */
  readonly revision: number;
}

export type Acquisition =
  | { readonly state: 'held'; readonly token: number }
  /** In line: it will be held when those before are gone; ask again then. */
  | { readonly state: 'waiting' }
  /** Somebody else holds it, its last holder was lost a moment ago, or the lease is over. */
  | { readonly state: 'refused' };

/** `expiring`: over, but not yet taken down; the answer is due only when it has been, and is `not-found` then. */
export type KeepAlive = 'renewed' | 'expiring' | 'not-found';

export interface WatchEvent {
  readonly kind: 'put' | 'delete';
  readonly revision: number;
  readonly key: string;
  /** Undefined for a deletion. */
  readonly value: string | undefined;
}

export type WatchDelivery =
  /** What happened, in order and without gaps. */
  | { readonly kind: 'events'; readonly revision: number; readonly events: readonly WatchEvent[] }
  /** What there is now; changes in between may have been skipped. */
  | { readonly kind: 'snapshot'; readonly revision: number; readonly entries: readonly StoreEntry[] };

export type WatchStart =
  /** Events from this revision on will come, those of the past at once. */
  | { readonly kind: 'from'; readonly revision: number }
  /** History before this revision is forgotten; read everything anew. */
  | { readonly kind: 'compacted'; readonly revision: number };

export interface StoreHost {
  /** News for a watcher, within `watch`, within the operation that made them, or later. */
  deliver(watcher: number, delivery: WatchDelivery, nowMs: Ms): void;
}

export interface ConfigStore {
  readonly revision: number;
  /** `stream`: a watch goes on until it is forgotten. `once`: it ends with its first delivery. */
  readonly watches: 'stream' | 'once';
  get(key: string): StoreEntry | undefined;
  /** All whose key begins so, in order of keys. */
  list(prefix: string): readonly StoreEntry[];
  /** The revision afterwards. */
  put(key: string, value: string, nowMs: Ms): number;
  /** Writes if the entry's last change is this revision; 0: if there is no entry. */
  compareAndSwap(key: string, modRevision: number, value: string, nowMs: Ms): CasResult;
  /** Without a revision, whatever is there; false only if there is something else. */
  delete(key: string, nowMs: Ms, modRevision?: number): boolean;
  /** `revision`: the first one of interest (streams) or the last one known (once); 0: from now on, or at once. */
  watch(watcher: number, prefix: string, revision: number, nowMs: Ms): WatchStart;
  unwatch(watcher: number): void;
  /** Undefined: no lease is that long. What is granted may be longer than what was asked for. */
  grantLease(ttlMs: Ms, nowMs: Ms): { readonly lease: number; readonly ttlMs: Ms } | undefined;
  keepAlive(lease: number, nowMs: Ms): KeepAlive;
  /** Gives a lease up; true if there was one. */
  revokeLease(lease: number, nowMs: Ms): boolean;
  /** Asks for a lock; asking again as its holder changes nothing. */
  acquire(key: string, lease: number, nowMs: Ms, value?: string): Acquisition;
  /** Lets go of it, or of the place in line. */
  release(key: string, lease: number, nowMs: Ms): boolean;
  /** Who holds the lock. */
  holder(key: string): { readonly lease: number; readonly token: number } | undefined;
  /** Another member of the store leads now. */
  onLeaderChanged(nowMs: Ms): void;
  /** When `onTimer` must be called at the latest; Infinity for never. A call at an earlier time does no harm. */
  nextTimerMs(): Ms;
  onTimer(nowMs: Ms): void;
}

export interface StoreDeps {
  readonly rng: Rng;
  readonly host: StoreHost;
}

export type StoreDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, StoreDeps, ConfigStore>;

type Describe<Specs extends ParamSpecs> = Omit<StoreDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: StoreDeps): ConfigStore;
};

/** Declares a store for the family's table. */
export const defineStore = <const Specs extends ParamSpecs>(description: Describe<Specs>): StoreDefinition<Specs> =>
  definePolicy<Specs, StoreDeps, ConfigStore>({ family: 'stores', ...description });
