/** Runs one scenario for the gate: seed by seed in looks, until every check against the baseline is decided and no expectation is close,
 *  or the baseline's seeds are used up. */
import { NotComparable } from '../core/errors.ts';
import type { BaselineScenario, BaselineVariant } from '../gate/baseline.ts';
import { savedMetrics, valuesOf } from '../gate/checks.ts';
import { checkExpectations } from '../gate/expectations.ts';
import { type GateCheck, type GateComparison, GateJudge } from '../gate/judge.ts';
import { looksUpTo } from '../gate/looks.ts';
import type { DigestChange } from '../gate/report.ts';
import type { Scenario } from '../scenario/spec.ts';
import { type ExperimentInput, runExperiment } from './experiment.ts';
import { worldFingerprint, type WorldFingerprint } from './fingerprint.ts';
import type { RunFile, VariantResult } from './types.ts';

export interface GateInput extends Omit<ExperimentInput, 'kind' | 'steps' | 'untilCi'> {
  /** Absent: expectations alone. */
  readonly entry?: BaselineScenario;
  readonly checks: readonly GateCheck[];
  /** This scenario's share of the chance of a false alarm. */
  readonly alpha: number;
  /** Compare bytes instead of numbers. */
  readonly exact: boolean;
}

export interface GateOutcome {
  readonly run: RunFile;
  readonly comparisons: readonly GateComparison[];
  readonly changes: readonly DigestChange[];
  /** Seeds at hand. */
  readonly seedsMax: number;
}

export async function runGate(input: GateInput): Promise<GateOutcome> {
  const { entry, checks, exact, alpha, ...experiment } = input;
  const scenario = entry === undefined ? input.scenario : onSeedsOf(entry, input.scenario);
  const kind = scenario.variants.length > 1 ? 'compare' : 'run';
  const seedsMax = scenario.run.seeds.length;
  if (entry === undefined || exact) {
    const run = await runExperiment({ ...experiment, scenario, kind });
    return { run, comparisons: [], changes: entry === undefined ? [] : changesOf(run, entry), seedsMax };
  }
  const looks = looksUpTo(seedsMax);
  const judge = new GateJudge(checks, alpha);
  const isEnough = (variants: readonly VariantResult[], step: number): boolean => {
    const isDecided = judge.look(measureIn(variants), looks[step]);
    return isDecided && checkExpectations(scenario.expect, variants, scenario.views).every(({ uncertain }) => !uncertain);
  };
  const run = await runExperiment({ ...experiment, scenario, kind, steps: { sizes: looks.map(({ seeds }) => seeds), isEnough } });
  return { run, comparisons: judge.results(measureIn(run.variants), run.seeds.length), changes: [], seedsMax };
}

const measureIn =
  (variants: readonly VariantResult[]) =>
  ({ variant, text }: GateCheck): readonly number[] => {
    const found = variants.find(({ label }) => label === variant);
    return found === undefined ? [] : valuesOf(found, text);
  };

/** The baseline's seeds in its order; fewer where the command line asks for its first ones only. */
function onSeedsOf({ seeds }: BaselineScenario, scenario: Scenario): Scenario {
  const asked = scenario.run.seeds;
  const isStart = asked.length < seeds.length && asked.every((seed, i) => seed === seeds[i]);
  if (!asked.every((seed) => seeds.includes(seed)) && !seeds.every((seed) => asked.includes(seed)))
    throw new NotComparable(
      `${scenario.name} has the seeds ${shortList(asked)}, the baseline ${shortList(seeds)}`,
      'save the baseline with these seeds: clusterlab baseline save --seeds',
    );
  return { ...scenario, run: { ...scenario.run, seeds: isStart ? asked : seeds } };
}

const shortList = (seeds: readonly string[]): string =>
  seeds.length <= 3 ? seeds.join(', ') : `${seeds[0]} to ${seeds[seeds.length - 1]} (${seeds.length})`;

function changesOf(run: RunFile, { seeds, variants }: BaselineScenario): DigestChange[] {
  return run.variants.flatMap(({ label, digests }) => {
    if (!Object.hasOwn(variants, label)) return [];
    const before = variants[label].digests;
    return digests.flatMap((now, i) => {
      const was = before[seeds.indexOf(run.seeds[i])];
      return was === now ? [] : [{ variant: label, seed: run.seeds[i], before: was ?? '', now }];
    });
  });
}

/** What a baseline keeps of a run. */
export function baselineEntry(run: RunFile, scenario: Scenario): BaselineScenario {
  const names = savedMetrics(scenario);
  const worlds = worldsOf(scenario);
  const entryOf = (variant: VariantResult): BaselineVariant => ({
    digests: variant.digests,
    metrics: Object.fromEntries(names.map((name) => [name, valuesOf(variant, name)])),
    world: worlds[variant.label],
  });
  return {
    file: run.scenario.file,
    seeds: run.seeds,
    variants: Object.fromEntries(run.variants.map((variant) => [variant.label, entryOf(variant)])),
  };
}

export const worldsOf = (scenario: Scenario): Record<string, WorldFingerprint> =>
  Object.fromEntries(scenario.variants.map((variant) => [variant.label, worldFingerprint(scenario, variant)]));
