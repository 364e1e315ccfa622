/** An experiment's results as plain data: what `run.json` holds, and every output is derived from. Numbers that do not exist (a quantile of nothing) are null in the file and NaN in memory. */
import type { Issue } from '../core/issue.ts';
import type { Ms } from '../core/time.ts';
import type { HistogramData } from '../stats/histogram-data.ts';
import type { BeliefChange, Decision, Estimate, InstanceData, Ledger, SeriesColumn, Verdict } from '../stats/result.ts';

export { verdicts, type Estimate, type Verdict } from '../stats/result.ts';

export const runSchema = 'clusterlab-run/1';

export interface VariantResult {
  readonly label: string;
  readonly differs: string;
  readonly isBaseline: boolean;
  /** Metric → one value per seed, in the order of `RunFile.seeds` that are complete for this variant. */
  readonly metrics: Readonly<Record<string, readonly number[]>>;
  readonly estimates: Readonly<Record<string, Estimate>>;
  /** Summed over seeds. */
  readonly ledger: Ledger;
  readonly latency: HistogramData;
  readonly wait: HistogramData;
  readonly series: SeriesBands;
  /** Means over seeds. */
  readonly instances: readonly InstanceData[];
  /** Of the first seed. */
  readonly beliefs: readonly BeliefChange[];
  /** Of the first seed, with `--explain`: why requests went where they went. */
  readonly decisions: readonly Decision[];
  /** Per seed. */
  readonly digests: readonly string[];
}

/** The time series over seeds: median line and band. */
export interface SeriesBands {
  readonly windowMs: Ms;
  readonly columns: Readonly<
    Record<SeriesColumn, { readonly median: readonly number[]; readonly min: readonly number[]; readonly max: readonly number[] }>
  >;
}

/** A variant against the baseline on one metric, from paired seeds. */
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

export interface ExpectationResult {
  readonly text: string;
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
  readonly variant: string;
  readonly metric: string;
  readonly measured: Estimate;
  readonly limit: number;
  readonly comparator: string;
  readonly passed: boolean;
  /** The interval reaches over the limit: more seeds could turn it. */
  readonly uncertain: boolean;
}

export interface FaultWindow {
  readonly label: string;
  readonly fromMs: Ms;
  /** Infinity (null in the file) when it lasts to the end. */
  readonly toMs: Ms;
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
  readonly openLoop: boolean;
  readonly services: readonly { readonly name: string; readonly instances: number; readonly slots: number }[];
  readonly faults: readonly FaultWindow[];
  readonly variants: readonly VariantResult[];
  readonly comparisons: readonly Comparison[];
  readonly expectations: readonly ExpectationResult[];
  readonly warnings: readonly Issue[];
  /** Sentences that answer the scenario's question; the first is the verdict. */
  readonly verdict: readonly string[];
  /** Sanity: checks that ran inside every cell and what they found. */
  readonly checks: { readonly requests: number; readonly events: number; readonly littleResidual: number };
  /** Shell command that makes these numbers again. */
  readonly replay: string;
}
