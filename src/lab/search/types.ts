/** Results of `capacity` and `tune` as plain data: what their JSON files hold. Numbers that do not exist are null in the file. */
import type { Issue } from '../../core/issue.ts';
import type { Estimate } from '../../stats/result.ts';
import type { Assignment } from './trials.ts';
import type { Decision, PromiseCheck } from './promise.ts';

export const capacitySchema = 'clusterlab-capacity/1';
export const tuneSchema = 'clusterlab-tune/1';

interface SearchFile {
  readonly version: string;
  /** False when it was interrupted. */
  readonly complete: boolean;
  readonly scenario: {
    readonly name: string;
    readonly about: string;
    readonly file: string;
    readonly text: string;
    readonly sha256: string;
    /** Which of the scenario's variants. */
    readonly variant: string;
  };
  readonly overrides: readonly string[];
  readonly dimensions: readonly SearchedDimension[];
  readonly confidence: number;
  /** Cells that were run. */
  readonly cells: number;
  readonly warnings: readonly Issue[];
  /** The answer in sentences, the most important first. */
  readonly verdict: readonly string[];
  readonly replay: string;
}

export interface SearchedDimension {
  readonly path: string;
  /** As it was asked for. */
  readonly range: string;
  readonly unit: string;
  readonly isLog: boolean;
}

/** A setting that was tried. */
export interface Probe {
  readonly setting: Assignment;
  /** In each dimension, in its unit; null for what is no number. */
  readonly numbers: readonly number[];
  readonly seeds: number;
  readonly decision: Decision;
  readonly checks: readonly PromiseCheck[];
  /** Per-seed values of what was promised, what is minimised, and a few more. */
  readonly metrics: Readonly<Record<string, readonly number[]>>;
}

export type Outcome = 'found' | 'none' | 'undecided' | 'interrupted';

export interface CapacityFile extends SearchFile {
  readonly schema: typeof capacitySchema;
  readonly slo: readonly string[];
  readonly minimise: string | null;
  readonly seeds: readonly string[];
  readonly probes: readonly Probe[];
  readonly outcome: Outcome;
  /** What the answer is: the smallest or the largest of the range, or the cheapest of a list. */
  readonly kind: 'smallest' | 'largest' | 'cheapest';
  readonly answer: Assignment | null;
  /** The next one in the range, which is not shown to meet the promises; null where there is none. */
  readonly neighbour: Assignment | null;
  /** Of each promise's metric: neighbour less answer, on the same seeds. */
  readonly neighbourDifference: Readonly<Record<string, Estimate>>;
  /** Whether what was tried fits "once it meets, it goes on meeting"; and where it does not. */
  readonly monotone: boolean;
  readonly violations: readonly string[];
  /** Cheapest: settings whose price cannot be told from the answer's. */
  readonly ties: readonly Assignment[];
  readonly theory: Theory;
}

export interface Theory {
  readonly applies: boolean;
  /** Why not; or a bound on what. */
  readonly why: string;
  /** What M/M/c says the answer is; null where it does not say. */
  readonly answer: Assignment | null;
  /** The same if every instance had a random share of the requests: the other bound. */
  readonly split: Assignment | null;
  /** At the answer that was found, by metric. */
  readonly values: Readonly<Record<string, number>>;
}

/** How a trial of `tune` ended. */
export const trialEnds = ['winner', 'finalist', 'open', 'worse', 'breaks', 'dropped', 'invalid'] as const;
export type TrialEnd = (typeof trialEnds)[number];

export interface Trial extends Probe {
  /** In the order in which they were thought of, from 1. */
  readonly number: number;
  /** 0 for the first, spread over the space; then the rounds of refinement. */
  readonly round: number;
  readonly end: TrialEnd;
  /** Why a setting cannot be run; empty for all others. */
  readonly problem: string;
  readonly goal: Estimate;
  /** Its goal less the winner's on the seeds that both have. */
  readonly toWinner: Estimate | null;
}

export interface TuneFile extends SearchFile {
  readonly schema: typeof tuneSchema;
  readonly goal: {
    readonly text: string;
    readonly metric: string;
    readonly direction: 'min' | 'max';
    readonly constraints: readonly string[];
  };
  readonly budget: number;
  /** Seeds of the search, and those of the confirmation, which the search has never seen. */
  readonly seeds: readonly string[];
  readonly freshSeeds: readonly string[];
  readonly trials: readonly Trial[];
  readonly outcome: Outcome;
  readonly winner: Assignment | null;
  /** On fresh seeds: the winner's goal and promises, and the finalists beside it. */
  readonly confirmation: readonly Confirmation[];
  /** The constraint that keeps the goal from becoming better; null where none does. */
  readonly binding: string | null;
}

export interface Confirmation {
  readonly setting: Assignment;
  readonly goal: Estimate;
  readonly decision: Decision;
  readonly checks: readonly PromiseCheck[];
  /** Its goal less the winner's, paired; adjusted for the number of finalists. */
  readonly toWinner: Estimate | null;
  readonly verdict: 'winner' | 'better' | 'worse' | 'equivalent' | 'inconclusive' | 'not shown to meet';
}
