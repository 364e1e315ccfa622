/** An experiment's results as plain data: what `run.json` holds, and every output is derived from. Numbers that do not exist (a quantile of nothing) are null in the file and NaN in memory. */
import type { Issue } from '../core/issue.ts';
import type { Ms } from '../core/time.ts';
import type { HistogramData } from '../stats/histogram-data.ts';
import type { MetastabilityVerdict } from '../stats/metastability.ts';
import type {
  AlarmChange,
  HostVersion,
  LeaderSpan,
  NodeData,
  PhaseChange,
  RolloutResult,
  ScaleChange,
  SizeRecommendation,
  BeliefChange,
  Decision,
  Estimate,
  InstanceData,
  Ledger,
  QueueResult,
  SeriesColumn,
  TruthSpan,
  Verdict,
  VersionTotals,
  VersionTraffic,
  Waterfall,
} from '../stats/result.ts';

export { verdicts, type Estimate, type Verdict } from '../stats/result.ts';

/** 2: views, edges, classes, queues, waterfalls, metastability, loads; more buckets and series. Files of version 1 lack them. */
export const runSchema = 'clusterlab-run/2';

export interface VariantResult {
  readonly label: string;
  readonly differs: string;
  /** Whether others are compared with it: the first variant, or in a sweep over loads its group at every load. */
  readonly isBaseline: boolean;
  /** In a sweep over loads: the factor on every stream's rate; null elsewhere. */
  readonly load: number | null;
  /** In a sweep over loads: what the variants of one curve have in common, as `balancer=p2c` is labelled; empty when only the load differs, and
   *  elsewhere. */
  readonly group: string;
  /** Metric → one value per seed, in the order of `RunFile.seeds` that are complete for this variant. */
  readonly metrics: Readonly<Record<string, readonly number[]>>;
  readonly estimates: Readonly<Record<string, Estimate>>;
  /** Summed over seeds. */
  readonly ledger: Ledger;
  readonly latency: HistogramData;
  readonly wait: HistogramData;
  /** Parts of the requests, in the order of the scenario's views. */
  readonly views: readonly VariantView[];
  readonly series: SeriesBands;
  /** Means over seeds. */
  readonly instances: readonly InstanceData[];
  /** How instances and nodes came and went; null where they do not. */
  readonly elastic: VariantElastic | null;
  /** What was rolled out; null where nothing is. */
  readonly change: VariantChange | null;
  /** Of the first seed: when alarms fired. */
  readonly alarms: readonly AlarmChange[];
  /** What instances should reserve; means over seeds. */
  readonly sizes: readonly SizeRecommendation[];
  /** Queues of messages: means over seeds of what there is per window, sums of the counts. */
  readonly queues: readonly QueueResult[];
  /** The slowest requests of the first seed, slowest first. */
  readonly waterfalls: readonly Waterfall[];
  /** How the system came out of the trigger; null when the scenario does not ask. */
  readonly metastability: VariantMetastability | null;
  /** Availability as users saw it, held against an objective, and what each planned fault did to it. */
  readonly availability: VariantAvailability;
  /** Of the first seed: what clients believed of instances, and what was true of them. */
  readonly beliefs: readonly BeliefChange[];
  readonly truth: readonly TruthSpan[];
  /** Of the first seed, with `--explain`: why requests went where they went. */
  readonly decisions: readonly Decision[];
  /** Per seed. */
  readonly digests: readonly string[];
}

/** How instances and nodes came and went. */
export interface VariantElastic {
  readonly services: readonly VariantElasticService[];
  /** Of the first seed. */
  readonly changes: readonly ScaleChange[];
  readonly nodes: readonly NodeData[];
}
export interface VariantElasticService {
  readonly name: string;
  /** Per window, means over seeds: instances needed by the offered work, wanted, ready, existing. */
  readonly needed: readonly number[];
  readonly desired: readonly number[];
  readonly ready: readonly number[];
  readonly present: readonly number[];
  /** The glossary's numbers about scaling, one per seed, as in `VariantResult`. */
  readonly metrics: Readonly<Record<string, readonly number[]>>;
  readonly estimates: Readonly<Record<string, Estimate>>;
}
/** Roll-outs of new versions, and what hosts had which of them. */
export interface VariantChange {
  /** Every roll-out of every seed, by seed. */
  readonly rollouts: readonly SeedRollout[];
  /** One per service and kind of change. Per window means over seeds; of the totals counts are summed over seeds, and quantiles are means
   *  over seeds, each weighted by its requests that ended well. */
  readonly traffic: readonly VariantTraffic[];
  /** Of the first seed. */
  readonly phases: readonly PhaseChange[];
  readonly hosts: readonly HostVersion[];
  readonly leaders: readonly LeaderSpan[];
}
export interface VariantTraffic extends VersionTraffic {
  /** The totals by version, one per seed: how far they scatter. */
  readonly perSeed: readonly (readonly VersionTotals[])[];
}
export interface SeedRollout extends RolloutResult {
  /** Place of the seed in `RunFile.seeds`. */
  readonly seed: number;
  /** Which of the seed's roll-outs, in the order in which they were asked for. */
  readonly order: number;
}
/** The same numbers for the requests of some edges, one class, one stretch of time. */
export interface VariantView {
  /** As `expect` writes it: `edge=web->db, class=read`. Unique within a variant. */
  readonly label: string;
  /** Names of edges; empty for those of the traffic. */
  readonly edges: readonly string[];
  /** Name of the service it speaks of, and of the class; empty for none in particular. */
  readonly service: string;
  readonly class: string;
  readonly fromMs: Ms;
  /** Infinity (null in the file) when it lasts to the end. */
  readonly toMs: Ms;
  /** Summed over seeds. */
  readonly ledger: Ledger;
  /** One value per seed, as in `VariantResult`; metrics that make no sense for a part are absent. */
  readonly metrics: Readonly<Record<string, readonly number[]>>;
  readonly estimates: Readonly<Record<string, Estimate>>;
  readonly latency: HistogramData;
}

export interface VariantMetastability {
  /** In the order of the seeds. */
  readonly perSeed: readonly MetastabilityVerdict[];
  readonly metastableSeeds: number;
  readonly recoveredSeeds: number;
  /** From the trigger's end to the recovery, over the seeds that recovered; NaN (null in the file) when none did. */
  readonly medianRecoveryMs: Ms;
  /** One sentence that says it all, with the variant's label. */
  readonly sentence: string;
  /** The load at which it recovers by itself; null when not asked for, or not metastable in most seeds. */
  readonly escape: EscapeLoad | null;
}

/** Found by lowering the load for good, a little after the trigger's end, in runs of their own, and halving the range of answers. */
export interface EscapeLoad {
  /** It recovers at this share of the full load; NaN (null in the file) when it does not even at the lowest tried. */
  readonly low: number;
  /** It does not recover at this share; NaN when it does at the highest tried. */
  readonly high: number;
  /** When the load was lowered. */
  readonly atMs: Ms;
  /** In the order tried: how many seeds recovered and how many stayed down; the rest ended too soon to tell. */
  readonly trials: readonly EscapeTrial[];
  /** Why it was not searched or not to the end; empty when it was. */
  readonly unavailable: string;
  /** The user ended it before an answer was found. */
  readonly interrupted: boolean;
  readonly sentence: string;
}

export interface EscapeTrial {
  readonly load: number;
  readonly recovered: number;
  readonly stayed: number;
  readonly seeds: number;
}

/** Availability against an objective; medians over seeds. Rules: `availability.ts` and `fault-impact.ts`. */
export interface VariantAvailability {
  /** Share of requests that should end well: what `expect` asks of this variant, else 99.9 %. */
  readonly objective: number;
  /** Minutes measured; the last may be a part of one. Of these, the minutes that missed the objective. */
  readonly minutes: number;
  readonly errorMinutes: number;
  /** Failed requests over those that the objective allows; 1 when the budget is just spent. NaN (null in the file) when nothing ended. */
  readonly budgetSpent: number;
  /** Per window: how many times faster than allowed the budget is spent; 1 spends all of it, but no more, if it stays so. */
  readonly burn: { readonly median: readonly number[]; readonly min: readonly number[]; readonly max: readonly number[] };
  /** Of the faults that come at a planned time, in the order in which they begin. */
  readonly faults: readonly FaultImpact[];
}

export interface FaultImpact {
  readonly label: string;
  readonly fromMs: Ms;
  /** Infinity (null in the file) when it lasts to the end. */
  readonly toMs: Ms;
  /** Requests that failed from its beginning until another fault began, beyond what failed before. */
  readonly failedInExcess: number;
  /** Minutes of that time that missed the objective. */
  readonly errorMinutes: number;
  /** From its beginning until a client ceased to use an instance that it hit; no seeds tell where it hits none. */
  readonly detected: Milestone;
  /** Until requests no longer failed much more often than before. */
  readonly mitigated: Milestone;
  /** Until goodput was back. */
  readonly recovered: Milestone;
}

export interface Milestone {
  /** Median over the seeds that tell; Infinity (null in the file) when not reached in most of them. */
  readonly medianMs: Ms;
  readonly reached: number;
  /** Seeds that tell. */
  readonly seeds: number;
}

/** The time series over seeds: median line and band. */
export interface SeriesBands {
  readonly windowMs: Ms;
  readonly columns: Readonly<
    Record<SeriesColumn, { readonly median: readonly number[]; readonly min: readonly number[]; readonly max: readonly number[] }>
  >;
}

/** A variant against the baseline on one metric, from paired seeds; in a sweep over loads, the baseline of the same load. */
export interface Comparison {
  readonly variant: string;
  readonly baseline: string;
  readonly metric: string;
  /** Mean paired difference variant − baseline with its 95 % interval, in the metric's unit. */
  readonly difference: Estimate;
  /** The same over the baseline's mean, as a fraction; null where the baseline's mean is 0 or the metric is compared absolutely. */
  readonly relative: { readonly mean: number; readonly low: number; readonly high: number } | null;
  /** Half-width of the zone of indifference, in the metric's unit. */
  readonly indifference: number;
  /** After Holm's correction over all comparisons of the experiment. */
  readonly adjustedP: number;
  readonly verdict: Verdict;
  /** Seeds in which the variant had the better value, and in which both were equal. */
  readonly seedsWon: number;
  readonly seedsTied: number;
  readonly seeds: number;
  /** For `inconclusive`: about how many seeds would decide; null when that cannot be told. */
  readonly seedsNeeded: number | null;
}

/** In a sweep over loads: between two loads the verdict on two groups changes. */
export interface Crossing {
  readonly group: string;
  /** The group it is compared with. */
  readonly baseline: string;
  readonly metric: string;
  /** The last load with the old verdict and the first with the new one. In between no verdict was reached. */
  readonly fromLoad: number;
  readonly toLoad: number;
  readonly before: Verdict;
  readonly after: Verdict;
  readonly sentence: string;
}

export interface ExpectationResult {
  readonly text: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly variant: string;
  readonly metric: string;
  /** Label of the view it speaks of; empty for all measured requests. */
  readonly view: string;
  readonly measured: Estimate;
  readonly limit: number;
  readonly comparator: string;
  readonly passed: boolean;
  /** A failure only warns; absent: it is an error. */
  readonly level?: 'warn';
  /** The interval reaches over the limit: more seeds could turn it. */
  readonly uncertain: boolean;
}

export interface FaultWindow {
  readonly label: string;
  readonly fromMs: Ms;
  /** Infinity (null in the file) when it lasts to the end. */
  readonly toMs: Ms;
}

/** Who calls whom. */
export interface EdgeInfo {
  readonly name: string;
  /** Name of the calling service, or of the queue that delivers; empty for traffic. */
  readonly caller: string;
  /** Name of the called service; of the consuming one where messages are left in a queue. */
  readonly service: string;
  /** Name of the queue it publishes to or delivers from; empty for none. */
  readonly queue: string;
}

export interface RunFile {
  readonly schema: typeof runSchema;
  readonly kind: 'run' | 'compare';
  /** Version of clusterlab. */
  readonly version: string;
  /** False when interrupted: then some variants have fewer seeds. */
  readonly complete: boolean;
  readonly scenario: {
    readonly name: string;
    readonly about: string;
    readonly demonstrates: string;
    /** As given on the command line, without the folder. */
    readonly file: string;
    readonly text: string;
    readonly sha256: string;
    readonly durationMs: Ms;
    readonly warmupMs: Ms;
  };
  /** Settings that differ from the file, as `path=value`. */
  readonly overrides: readonly string[];
  readonly seeds: readonly string[];
  /** Whether all traffic arrives no matter how long answers take. */
  readonly openLoop: boolean;
  /** A sentence that says which streams are open loop and which are closed. */
  readonly loops: string;
  readonly services: readonly { readonly name: string; readonly instances: number; readonly slots: number }[];
  readonly edges: readonly EdgeInfo[];
  readonly classes: readonly { readonly name: string; readonly priority: number; readonly tenant: string }[];
  /** What recovery was judged by; null when the scenario does not ask. */
  readonly metastability: { readonly triggerBeginsMs: Ms; readonly triggerEndsMs: Ms; readonly recoveredShare: number } | null;
  readonly faults: readonly FaultWindow[];
  readonly variants: readonly VariantResult[];
  readonly comparisons: readonly Comparison[];
  readonly crossings: readonly Crossing[];
  readonly expectations: readonly ExpectationResult[];
  readonly warnings: readonly Issue[];
  /** Sentences that answer the scenario's question; the first is the verdict. */
  readonly verdict: readonly string[];
  /** Sanity: checks that ran inside every cell and what they found. */
  readonly checks: { readonly requests: number; readonly events: number; readonly littleResidual: number };
  /** Shell command that makes these numbers again. */
  readonly replay: string;
}

/** Whether any of these has a value of the metric in any seed: without a cache there are no cache hits, and no row about them. */
export const isMeasured = (parts: readonly Pick<VariantResult, 'metrics'>[], metric: string): boolean =>
  parts.some(({ metrics }) => (metrics[metric] ?? []).some((value) => !Number.isNaN(value)));
