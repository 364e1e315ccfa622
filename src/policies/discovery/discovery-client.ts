/** Service discovery as one client lives it: where its list of members comes from, how old it is, and what it does when the source
 *  of the list is gone.
 *
 *  One object per client (a proxy, a sidecar, a library in a process). It is passive: it asks through its host, is told what came
 *  back, says when it wants to be woken, and hands every change of its list to a sink. Members are whole numbers that the host gave to
 *  instances; in production it interns addresses. What a client knows is a view with an age, never the truth. When the source fails,
 *  every client here keeps the last good view: a stale list serves most requests, an empty one none. */
import { choice, type ParamSpecs, type ParamValues } from '../../core/params.ts';
import { definePolicy, type Policy } from '../../core/policy.ts';
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';

/** What a source answers. */
export interface SourceView {
  readonly members: readonly number[];
  /** Version of the view at the source, from 1; 0 if the source has none. */
  readonly index: number;
  /** How old the answer was when it was sent: time spent in caches of the source. */
  readonly ageMs: Ms;
  /** How long the answer may be kept, as DNS says with every record; Infinity if the source says nothing. */
  readonly ttlMs: Ms;
}

/** `compacted`: the source no longer knows what happened since the index it was asked about, so the whole view has to be read anew. */
export type SourceFailure = 'unreachable' | 'timeout' | 'compacted';

export interface FetchRequest {
  /** Never used before by this client. */
  readonly id: number;
  /** The version this client has; the source may hold the answer until it has a newer one. 0: answer at once. */
  readonly index: number;
  /** How long the source may hold the answer: 0 for a plain query, Infinity for a stream, which is answered at once and again with
   *  every change. */
  readonly waitMs: Ms;
}

export interface DiscoveryHost {
  /** Ask the source. The host calls `onFetched` with the request's id: once, or repeatedly where `waitMs` is Infinity; at once, later,
   *  or never. */
  fetch(request: FetchRequest, nowMs: Ms): void;
}

export interface DiscoverySink {
  /** The client's list changed to these, in ascending order, each once. */
  update(members: readonly number[], nowMs: Ms): void;
}

export interface DiscoveryClient {
  /** Begins; called once, before anything else. */
  start(nowMs: Ms): void;
  /** What came back for request `id`. Ignored if the client no longer waits for it. */
  onFetched(id: number, answer: SourceView | SourceFailure, nowMs: Ms): void;
  /** A connection is to be made, or one failed: the moment at which resolvers that work on demand look again. Cheap enough to be called
   *  for every request. `isFailure` is false when nothing failed; some look again only after failures. */
  resolveNow?(nowMs: Ms, isFailure?: boolean): void;
  /** The host saw the source change (a file was moved into place). */
  onSourceChanged?(nowMs: Ms): void;
  /** When `onTimer` must be called at the latest; Infinity for never. A call at an earlier time does no harm. */
  nextTimerMs(): Ms;
  onTimer(nowMs: Ms): void;
  /** Time since the view was last known to be what the source had; Infinity before anything was known. */
  ageMs(nowMs: Ms): Ms;
  /** Whether the view is only the last good one: the source did not answer when it was last asked, or what it said was refused. */
  isStale(nowMs: Ms): boolean;
}

export interface DiscoveryDeps {
  /** A stream of this client's own. */
  readonly rng: Rng;
  readonly host: DiscoveryHost;
  readonly sink: DiscoverySink;
  /** The list written into the client's own configuration: all a static client has, and what others start from until they are
   *  answered. */
  readonly configured: readonly number[];
}

/** Parameter of every client that asks a source. */
export const emptyUpdates = choice({
  choices: ['keep', 'apply'],
  default: 'keep',
  about: 'What an answer without any members does to a list that has some: `keep` takes it for a failure of the source.',
});

export type DiscoveryClientDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, DiscoveryDeps, DiscoveryClient>;

type Describe<Specs extends ParamSpecs> = Omit<DiscoveryClientDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: DiscoveryDeps): DiscoveryClient;
};

/** Declares a client for the family's table. */
export const defineDiscoveryClient = <const Specs extends ParamSpecs>(
  description: Describe<Specs>,
): DiscoveryClientDefinition<Specs> =>
  definePolicy<Specs, DiscoveryDeps, DiscoveryClient>({ family: 'discovery', ...description });
