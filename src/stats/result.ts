/** What one run of one scenario under one seed produced, simulated or live: plain data, mergeable, safe to send to another thread.
 *  Numbers that do not exist (a quantile of nothing) are NaN. */
import type { Ms } from '../core/time.ts';
import type { HistogramData } from './histogram-data.ts';

/** How a request can end badly, in reporting order. Every request ends in `ok`, in one of these, or is in flight at the end. */
export const failureBuckets = ['timeout', 'refused', 'noEndpoint', 'error', 'connectionLost', 'shed', 'circuitOpen'] as const;
export type FailureBucket = (typeof failureBuckets)[number];

/** Requests that arrived in a period, by how they ended. offered = ok + every failure + cancelled + inFlight. */
export interface Ledger {
  readonly offered: number;
  readonly ok: number;
  /** Of `ok`: answered by a fallback, or without an optional part. */
  readonly degraded: number;
  /** Taken back by a caller that was itself no longer wanted; only between services. */
  readonly cancelled: number;
  readonly failed: Readonly<Record<FailureBucket, number>>;
  readonly inFlight: number;
}

export interface CellResult {
  readonly variant: number;
  readonly seed: string;
  /** Requests that arrived after warm-up; the whole run is checked inside. */
  readonly ledger: Ledger;
  /** Statistic name → value; the glossary is `core/metrics.ts`. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly latency: HistogramData;
  readonly wait: HistogramData;
  /** One per view of the scenario, in its order. */
  readonly views: readonly ViewResult[];
  readonly series: SeriesData;
  readonly instances: readonly InstanceData[];
  /** Changes of belief by detectors, capped. */
  readonly beliefs: readonly BeliefChange[];
  /** When instances were bad, capped: what beliefs are to be compared with. */
  readonly truth: readonly TruthSpan[];
  /** The first decisions after warm-up, when asked for. */
  readonly decisions: readonly Decision[];
  /** The slowest requests that ended after warm-up, slowest first, when asked for. */
  readonly waterfalls: readonly Waterfall[];
  /** One per queue of messages. */
  readonly queues: readonly QueueResult[];
  /** Share of the time with exactly k instances up, by k. */
  readonly upShares: readonly number[];
  /** How instances and nodes came and went; null where they do not. */
  readonly elastic: ElasticResult | null;
  readonly alarms: readonly AlarmChange[];
  readonly sizes: readonly SizeRecommendation[];
  /** What was rolled out, and how it went; absent where nothing is. */
  readonly change?: ChangeResult;
  readonly events: number;
  /** Largest relative difference seen between time in system by the clock and by request (Little's identity). */
  readonly littleResidual: number;
  /** Hex digest over the event stream and the numbers above: equal bytes, equal digest. */
  readonly digest: string;
}

/** Requests of some edges, one class, one stretch of time. */
export interface ViewResult {
  readonly ledger: Ledger;
  /** The glossary's names, as far as they make sense for a part of the requests. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly latency: HistogramData;
}

export interface ElasticResult {
  /** One per service whose instances come and go. */
  readonly services: readonly ElasticService[];
  /** Changes of how many instances are wanted, capped. */
  readonly changes: readonly ScaleChange[];
  /** One per node that there ever was. */
  readonly nodes: readonly NodeData[];
}

/** Changes kept of one run; a list of this length may lack later ones. */
export const alarmChangesKept = 2000;

/** What a vertical recommender would have an instance reserve: cores, or bytes. */
export interface SizeRecommendation {
  readonly service: string;
  readonly resource: 'cpu' | 'memory';
  readonly reserved: number;
  readonly lower: number;
  readonly target: number;
  /** Infinity while too little is known. */
  readonly upper: number;
}

/** A service's alarm begins to fire, or ceases to. */
export interface AlarmChange {
  readonly atMs: Ms;
  readonly service: string;
  readonly fires: boolean;
  /** What it was shown. */
  readonly value: number;
}

export interface ElasticService {
  readonly name: string;
  /** Per window: instances that the work offered in it needs; and on average over it wanted, ready, and existing in any state. */
  readonly needed: readonly number[];
  readonly desired: readonly number[];
  readonly ready: readonly number[];
  readonly present: readonly number[];
  /** The glossary's numbers about scaling, for this service. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Changes kept of one run; a list of this length may lack later ones. */
export const scaleChangesKept = 2000;

export interface ScaleChange {
  readonly atMs: Ms;
  readonly service: string;
  readonly from: number;
  readonly to: number;
  /** The autoscaler's own word. */
  readonly reason: string;
}

export interface NodeData {
  /** `general/3`. */
  readonly id: string;
  readonly zone: string;
  /** When it was up; Infinity for an end that the run does not reach. A place of a group may have held several nodes in turn. How it ended:
   *  `removed`, `interrupted`, `lost`. */
  readonly spans: readonly { readonly fromMs: Ms; readonly toMs: Ms; readonly end: string }[];
  /** Per window, at its end: share of its processor that is reserved; NaN where there was no node. Empty when there are too many. */
  readonly reserved: readonly number[];
}

export const rolloutKinds = ['release', 'config'] as const;
export type RolloutKind = (typeof rolloutKinds)[number];

export interface ChangeResult {
  /** One per roll-out that was asked for, in order. */
  readonly rollouts: readonly RolloutResult[];
  /** Changes of phase, capped. */
  readonly phases: readonly PhaseChange[];
  /** One per service and kind of change. */
  readonly traffic: readonly VersionTraffic[];
  /** When hosts of configuration, and instances, came to another version, capped. */
  readonly hosts: readonly HostVersion[];
  /** From when to when each controller believed to lead, capped; empty with one controller. */
  readonly leaders: readonly LeaderSpan[];
}

export interface RolloutResult {
  readonly service: string;
  readonly kind: RolloutKind;
  readonly from: string;
  readonly to: string;
  readonly isBad: boolean;
  /** When it was asked for. */
  readonly startedMs: Ms;
  /** When a request met the new version first; NaN for never. */
  readonly exposedMs: Ms;
  /** When the new version was accepted or given up; NaN for neither. */
  readonly decidedMs: Ms;
  /** When nothing was left of the version that lost; NaN for not yet. */
  readonly endedMs: Ms;
  /** `succeeded`, `aborted`, `halted`, `superseded` by the next one; or the phase in which the run ended. */
  readonly outcome: string;
  /** Requests of the service's callers from start to end, and of those the ones that met the new version: all, failed, slow. */
  readonly offered: number;
  readonly exposed: number;
  readonly failed: number;
  readonly slow: number;
  /** Minutes of users in which at least one of their requests met the new version and was failed or slow. Requests without a key are a
   *  user each. */
  readonly userMinutes: number;
  /** From which latency on a request was slow. */
  readonly slowMs: Ms;
}

/** Changes kept of one run; lists of this length may lack later ones. */
export const changesKept = 2000;

export interface PhaseChange {
  readonly atMs: Ms;
  readonly service: string;
  readonly kind: RolloutKind;
  /** Of the roll-out's own phases. */
  readonly phase: string;
  /** The strategy's own word. */
  readonly reason: string;
}

export interface VersionTraffic {
  readonly service: string;
  readonly kind: RolloutKind;
  readonly versions: readonly string[];
  /** By version, per window: attempts that ended at instances, or from clients, with it; of those the failed ones; and, at the end of the
   *  window, how many instances are ready, or hosts run, with it. */
  readonly requests: readonly (readonly number[])[];
  readonly failed: readonly (readonly number[])[];
  readonly hosts: readonly (readonly number[])[];
  /** By version, over the time in which more than one was exposed: attempts, failed ones, and latency of those that ended well. */
  readonly totals: readonly VersionTotals[];
}

export interface VersionTotals {
  readonly requests: number;
  readonly failed: number;
  /** ms; NaN without any. */
  readonly p50: number;
  readonly p99: number;
}

export interface HostVersion {
  readonly atMs: Ms;
  /** `api/3`; a client is its edge and number: `api#0`. */
  readonly host: string;
  readonly kind: RolloutKind;
  /** Empty: there is no process any more. */
  readonly version: string;
}

export interface LeaderSpan {
  /** `controller-0`. */
  readonly controller: string;
  readonly fromMs: Ms;
  /** Infinity when it lasted to the end. */
  readonly toMs: Ms;
  readonly token: number;
}

export interface QueueResult {
  readonly name: string;
  /** Per window, at its end: messages waiting or out, and the age of the oldest in ms. */
  readonly depth: readonly number[];
  readonly oldestMs: readonly number[];
  /** Since warm-up. */
  readonly published: number;
  readonly done: number;
  readonly redelivered: number;
  readonly dead: number;
}

/** What one request did, as a tree of spans. */
export interface Waterfall {
  /** Name of its edge and number within it. */
  readonly edge: string;
  readonly request: number;
  readonly class: string;
  readonly arrivalMs: Ms;
  readonly latencyMs: Ms;
  /** `ok` or the bucket it failed in. */
  readonly result: string;
  readonly spans: readonly Span[];
}

export interface Span {
  /** Index of the span it belongs to; −1 for the request itself. */
  readonly parent: number;
  /** `request` (on an edge), `attempt`, `backoff`, `connect`, `network`, `queue`, `work`, `downstream`, `cache`. */
  readonly kind: string;
  /** Edge of a request, instance of what happens there. */
  readonly what: string;
  readonly fromMs: Ms;
  /** May lie after the request's end: work for a caller that has given up. */
  readonly toMs: Ms;
  /** `ok` or why not; empty where it does not apply. */
  readonly outcome: string;
}

/** One point per window; window k covers [k·windowMs, (k+1)·windowMs). */
export interface SeriesData {
  readonly windowMs: Ms;
  /** Column name → one value per window. Columns: see `seriesColumns`. */
  readonly columns: Readonly<Record<SeriesColumn, readonly number[]>>;
}
export const seriesColumns = [
  'offered', // requests arrived in the window
  'ok', // requests that ended well in the window
  'failed', // requests that ended badly in the window
  'availability', // ok / (ok + failed); NaN when nothing ended
  'latencyP50', // of requests that ended well in the window, ms; NaN when none
  'latencyP99',
  'latencyP999',
  'inFlight', // requests in the system at the end of the window
  'attempts', // messages sent for requests of the traffic in the window: first tries, retries, hedges
] as const;
export type SeriesColumn = (typeof seriesColumns)[number];

export interface InstanceData {
  /** `api/3`. */
  readonly id: string;
  readonly service: string;
  readonly zone: string;
  readonly speed: number;
  /** Time after warm-up in which there was an instance in this place; absent where instances are there for ever. */
  readonly existedMs?: Ms;
  /** Requests served to the end after warm-up. */
  readonly served: number;
  /** Mean share of its slots at work after warm-up. */
  readonly utilization: number;
  /** Per window: share of its slots at work, and requests in the system at its end. May be empty when there are too many instances. */
  readonly busy: readonly number[];
  readonly queued: readonly number[];
}

/** One recorded decision of a balancer. */
export interface Decision {
  readonly atMs: Ms;
  /** Number of the request within its traffic source. */
  readonly request: number;
  readonly balancer: number;
  readonly picked: string;
  /** Where it would have been done first, had nothing else come; null if nobody would have taken it. */
  readonly best: string | null;
  /** Time lost by not going there; Infinity when the picked instance would not finish it at all. */
  readonly regretMs: Ms;
  readonly visible: readonly {
    readonly instance: string;
    /** What the balancer saw: its own requests in flight there, whether it believed it healthy, time since it last heard from it. */
    readonly active: number;
    readonly healthy: boolean;
    readonly ageMs: Ms;
    /** What was true: requests there from everybody, and how long this request would have taken. */
    readonly present: number;
    readonly takesMs: Ms;
  }[];
}

/** Changes of belief kept of one run; a list of this length may lack later ones. */
export const beliefsKept = 2000;

export interface BeliefChange {
  readonly atMs: Ms;
  readonly balancer: number;
  readonly instance: string;
  readonly alive: boolean;
}

/** A time in which an instance was down, starting or under a fault that its clients should notice. */
export interface TruthSpan {
  readonly instance: string;
  readonly fromMs: Ms;
  /** Infinity when it lasted to the end. */
  readonly toMs: Ms;
  /** The faults, in the order in which they came: `crash`, `hang+slow`; `down` where only the instance itself is to blame. */
  readonly what: string;
}

/** A number over the replications: mean of the per-seed values and its two-sided t interval. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  /** Standard deviation over seeds. */
  readonly sd: number;
  /** Seeds with a value. */
  readonly n: number;
}

/** How a comparison ends. */
export const verdicts = ['better', 'worse', 'equivalent', 'inconclusive'] as const;
export type Verdict = (typeof verdicts)[number];
