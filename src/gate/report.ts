/** What a gate found, as data: `gate.json` holds it, and every reporter is made from it. */
import type { ExpectationResult, RunFile } from '../lab/types.ts';
import type { GateComparison } from './judge.ts';

export const gateSchema = 'clusterlab-gate/1';

export interface GateReport {
  readonly schema: typeof gateSchema;
  readonly version: string;
  readonly verdict: 'passed' | 'failed' | 'inconclusive';
  /** False when interrupted. */
  readonly complete: boolean;
  /** `expectations`: without a baseline. */
  readonly mode: 'statistical' | 'exact' | 'expectations';
  readonly baseline: string;
  /** Chance of a false alarm that the comparison allows itself. */
  readonly alpha: number;
  readonly scenarios: readonly GateScenario[];
}

export interface GateScenario {
  readonly name: string;
  /** As given on the command line. */
  readonly file: string;
  /** Used, and at hand. */
  readonly seeds: number;
  readonly seedsMax: number;
  readonly requests: number;
  /** The scenario's own answer, in a sentence. */
  readonly sentence: string;
  readonly expectations: readonly ExpectationResult[];
  readonly comparisons: readonly GateComparison[];
  /** In exact mode: results that are not the same bytes. */
  readonly changes: readonly DigestChange[];
  /** What was passed over, and what else should be known. */
  readonly notes: readonly string[];
  /** Estimates by variant, for those who draw them over time. */
  readonly variants: readonly {
    readonly label: string;
    readonly metrics: Readonly<Record<string, { readonly mean: number; readonly low: number; readonly high: number }>>;
  }[];
  readonly replay: string;
}

export interface DigestChange {
  readonly variant: string;
  readonly seed: string;
  readonly before: string;
  readonly now: string;
}

type Judged = Pick<GateScenario, 'expectations' | 'comparisons' | 'changes'>;

export function verdictOf(scenarios: readonly Judged[]): GateReport['verdict'] {
  if (scenarios.some((each) => problems(each).length > 0)) return 'failed';
  const isOpen = ({ expectations, comparisons }: Judged): boolean =>
    expectations.some(({ uncertain, level }) => uncertain && level !== 'warn') ||
    comparisons.some(({ verdict, level }) => verdict === 'inconclusive' && level !== 'warn');
  return scenarios.some(isOpen) ? 'inconclusive' : 'passed';
}

/** What makes the gate fail. */
export const problems = ({ expectations, comparisons, changes }: Judged): readonly unknown[] => [
  ...expectations.filter(({ passed, level }) => !passed && level !== 'warn'),
  ...comparisons.filter(({ verdict, level }) => verdict === 'worse' && level !== 'warn'),
  ...changes,
];

/** The part of a gate's report that a run has by itself: its expectations. */
export function scenarioReport(
  run: RunFile,
  file: string,
  replay: string,
  rest: Partial<Pick<GateScenario, 'comparisons' | 'changes' | 'notes' | 'seedsMax'>> = {},
): GateScenario {
  return {
    name: run.scenario.name,
    file,
    seeds: run.seeds.length,
    seedsMax: run.seeds.length,
    requests: run.checks.requests,
    sentence: run.verdict[0] ?? '',
    expectations: run.expectations.map((each) => ({ ...each, file })),
    comparisons: [],
    changes: [],
    notes: [],
    variants: run.variants.map(({ label, estimates }) => ({
      label,
      metrics: Object.fromEntries(Object.entries(estimates).map(([name, { mean, low, high }]) => [name, { mean, low, high }])),
    })),
    replay,
    ...rest,
  };
}
