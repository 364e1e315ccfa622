/** A sweep's result as plain data: what `sweep.json` holds, and every output of it is derived from. */
import type { Estimate } from '../../stats/result.ts';

export const sweepSchema = 'clusterlab-sweep/1';

/** One thing that is varied. */
export interface Factor {
  /** A path of the scenario, or `load`. */
  readonly path: string;
  /** As written, in rising order where they are numbers. */
  readonly values: readonly string[];
  /** The same as numbers in one unit; null where they are not. */
  readonly numbers: readonly number[] | null;
  readonly unit: string;
}

export interface SweepPoint {
  /** Index into the values of each factor. */
  readonly levels: readonly number[];
  /** In the order of the variants. */
  readonly cells: readonly SweepCells[];
}

/** One variant at one point, all seeds. */
export interface SweepCells {
  /** Metric → one value per seed. */
  readonly metrics: Readonly<Record<string, readonly number[]>>;
  readonly digests: readonly string[];
}

/** Who is best at a point. */
export interface Winner {
  readonly point: number;
  /** Index of the variant shown to be better than every other; -1 where nobody can tell. */
  readonly winner: number;
  /** Index of the variant with the best mean; -1 where nothing was measured. */
  readonly best: number;
  /** Those that cannot be told from the best, or are as good. */
  readonly tied: readonly number[];
}

/** What one factor, or two together, do to the metric. */
export interface Effect {
  /** Paths; `variant` for who is compared. One for a main effect, two for an interaction. */
  readonly factors: readonly string[];
  /** Share of the variation between points and variants that it explains. */
  readonly share: number;
  /** Of a main effect: per value, how far its mean lies from the mean of all, with its 95 % interval over seeds. */
  readonly levels: readonly { readonly value: string; readonly effect: Estimate }[];
}

/** Between two values of a factor the order of two variants changes. */
export interface SweepCrossing {
  readonly variant: string;
  readonly rival: string;
  readonly factor: string;
  /** Where it lies, by interpolation between the means. */
  readonly at: number;
  /** The last value with the old verdict and the first with the new one. */
  readonly from: string;
  readonly to: string;
  /** Of the other factors: `services.api.slots=4`; empty when there are none. */
  readonly where: string;
  readonly sentence: string;
}

export interface SweepFile {
  readonly schema: typeof sweepSchema;
  readonly version: string;
  /** False when cells are missing. */
  readonly complete: boolean;
  readonly scenario: {
    readonly name: string;
    readonly about: string;
    readonly file: string;
    readonly text: string;
    readonly sha256: string;
  };
  /** Settings that are the same at all points, as `path=value`. */
  readonly overrides: readonly string[];
  readonly design: 'factorial' | 'lhs';
  readonly factors: readonly Factor[];
  readonly variants: readonly string[];
  readonly seeds: readonly string[];
  /** What winners, effects and crossings are about. */
  readonly metric: string;
  readonly points: readonly SweepPoint[];
  readonly winners: readonly Winner[];
  readonly effects: readonly Effect[];
  readonly crossings: readonly SweepCrossing[];
  /** Sentences; the first is the answer. */
  readonly verdict: readonly string[];
  readonly requests: number;
  readonly replay: string;
}
