/** Runs an experiment: every variant under every seed, then the statistics. More seeds can be asked for until the intervals are narrow
 *  enough (`untilCi`). Interrupted, it returns what is finished and says so. */
import { findMetric } from '../core/metrics.ts';
import type { Issue } from '../core/issue.ts';
import { checkExpectations } from '../gate/expectations.ts';
import type { Scenario } from '../scenario/spec.ts';
import type { CellResult } from '../stats/result.ts';
import { version } from '../core/version.ts';
import { advise } from './advice.ts';
import type { Cell } from './cell.ts';
import { collectVariants } from './collect.ts';
import { compareVariants } from './compare.ts';
import { findCrossings } from './crossings.ts';
import { findEscapeLoads } from './escape-load.ts';
import { type Executor, localExecutor } from './executors.ts';
import { exactly } from './phrases.ts';
import { type Progress, ProgressCount } from './progress.ts';
import { type RunFile, runSchema, type VariantResult } from './types.ts';
import { verdictSentences } from './verdict-text.ts';
import { isPlain, worldFacts } from './world-facts.ts';

export type { Progress } from './progress.ts';

export interface ExperimentInput {
  readonly kind: 'run' | 'compare';
  readonly scenario: Scenario;
  readonly text: string;
  readonly sha256: string;
  readonly file: string;
  readonly overrides: readonly string[];
  readonly warnings: readonly Issue[];
  /** Worker threads; 0 runs everything in this thread. */
  readonly jobs: number;
  /** Where the cells run instead. */
  readonly executor?: Executor;
  /** Take the scenario's seeds step by step, and stop at the first step after which nothing more needs to be known. */
  readonly steps?: SeedSteps;
  /** Add seeds until the interval's half-width is at most this share of the mean. */
  readonly untilCi?: number;
  /** Decisions to record per variant, in the first seed. */
  readonly explain?: number;
  /** Slowest requests per variant to follow in full, in the first seed; by default 5 where a request has a story: several services,
   *  resilience policies, classes or queues. */
  readonly waterfalls?: number;
  /** Shell command that makes the same numbers again. */
  readonly replay: string;
  readonly signal?: AbortSignal;
  onProgress?(progress: Progress): void;
}

export interface SeedSteps {
  /** Seeds there are at each step, rising. */
  readonly sizes: readonly number[];
  isEnough(variants: readonly VariantResult[], step: number): boolean;
}

/** `untilCi` looks again after doubling, and gives up here. */
const SEEDS_MAX = 80;
/** Where a request has a story to tell. */
const WATERFALLS = 5;
/** The metric whose interval must be narrow enough. */
const HEADLINE = 'latency.p99';

export async function runExperiment(input: ExperimentInput): Promise<RunFile> {
  const { scenario, signal } = input;
  const cells: CellResult[] = [];
  const { steps, executor = localExecutor(input.jobs) } = input;
  let seeds = scenario.run.seeds.slice(0, steps?.sizes[0] ?? Infinity);
  let isShort = false;
  const progress = new ProgressCount(scenario, (now) => input.onProgress?.(now));
  const runCells = async (todo: readonly Cell[], onResult: (result: CellResult) => void): Promise<void> => {
    progress.expect(todo.length);
    const onAdvance = (cell: Cell, simulatedMs: number): void => progress.advance(cell, simulatedMs);
    await executor.run(scenario, todo, { onAdvance, ...(signal === undefined ? {} : { signal }) }, (result) => {
      onResult(result);
      progress.finish(result);
    });
  };
  const runSeeds = (fresh: readonly string[]): Promise<void> => {
    return runCells(cellsOf(input, fresh, seeds[0]), (result) => cells.push(result));
  };
  await runSeeds(seeds);
  let variants: readonly VariantResult[] = collectVariants(scenario, seeds, cells);
  for (let step = 0; steps !== undefined && step < steps.sizes.length; step++) {
    if (signal?.aborted === true || steps.isEnough(variants, step)) break;
    if (step === steps.sizes.length - 1) break;
    const fresh = scenario.run.seeds.slice(seeds.length, steps.sizes[step + 1]);
    seeds = [...seeds, ...fresh];
    await runSeeds(fresh);
    variants = collectVariants(scenario, seeds, cells);
  }
  while (input.untilCi !== undefined && signal?.aborted !== true && !isNarrow(variants, input.untilCi)) {
    if (seeds.length >= SEEDS_MAX) {
      isShort = true;
      break;
    }
    const wanted = Math.min(SEEDS_MAX, Math.max(seeds.length * 2, 10));
    const fresh = moreSeeds(scenario.run.seed, seeds, wanted);
    seeds = [...seeds, ...fresh];
    await runSeeds(fresh);
    variants = collectVariants(scenario, seeds, cells);
  }
  const isWhole = cells.length === seeds.length * scenario.variants.length;
  if (isWhole) {
    variants = await findEscapeLoads(scenario, seeds, variants, async (todo) => {
      const results: CellResult[] = [];
      await runCells(todo, (result) => results.push(result));
      return results;
    });
  }
  const complete = isWhole && variants.every(({ metastability }) => metastability?.escape?.interrupted !== true);
  // Pairs are made by position, so an interrupted run compares only the seeds that every variant has finished.
  const paired = isWhole ? variants : collectVariants(scenario, seeds, ofWholeSeeds(cells, scenario.variants.length));
  const comparisons = input.kind === 'compare' ? compareVariants(paired) : [];
  const crossings = findCrossings(paired, comparisons);
  const warnings = [...input.warnings, ...advise(scenario, variants, comparisons)];
  if (isShort) warnings.push(tooWide(input.untilCi ?? 0));
  return {
    schema: runSchema,
    kind: input.kind,
    version,
    complete,
    scenario: {
      name: scenario.name,
      about: scenario.about,
      demonstrates: scenario.demonstrates,
      file: baseName(input.file),
      text: input.text,
      sha256: input.sha256,
      durationMs: scenario.run.durationMs,
      warmupMs: scenario.run.warmupMs,
    },
    overrides: input.overrides,
    seeds,
    ...worldFacts(scenario),
    variants,
    comparisons,
    crossings,
    expectations: checkExpectations(scenario.expect, variants, scenario.views),
    warnings,
    verdict: verdictSentences(input.kind, input.kind === 'compare' ? paired : variants, comparisons, crossings),
    checks: {
      requests: variants.reduce((sum, variant) => sum + variant.ledger.offered, 0),
      events: cells.reduce((sum, cell) => sum + cell.events, 0),
      littleResidual: cells.reduce((most, cell) => Math.max(most, cell.littleResidual), 0),
    },
    replay: input.replay,
  };
}

/** The cells of an experiment whose seeds are known in advance, in order. */
export const planCells = (input: CellInput): Cell[] => cellsOf(input, input.scenario.run.seeds, input.scenario.run.seeds[0]);

type CellInput = Pick<ExperimentInput, 'scenario' | 'explain' | 'waterfalls'>;

/** By seed first: an interrupted run then has whole pairs. */
function cellsOf({ scenario, explain = 0, waterfalls }: CellInput, seeds: readonly string[], first: string): Cell[] {
  const waterfall = waterfalls ?? (isPlain(scenario) ? 0 : WATERFALLS);
  return seeds.flatMap((seed) => {
    // One seed tells the story: decisions and waterfalls are kept for the first.
    const story = seed === first ? { ...(explain > 0 ? { explain } : {}), ...(waterfall > 0 ? { waterfall } : {}) } : {};
    return scenario.variants.map((_, variant) => ({ variant, seed, ...story }));
  });
}

function ofWholeSeeds(cells: readonly CellResult[], variants: number): CellResult[] {
  const finished = new Map<string, number>();
  for (const { seed } of cells) finished.set(seed, (finished.get(seed) ?? 0) + 1);
  return cells.filter(({ seed }) => finished.get(seed) === variants);
}

/** Comparing: the paired difference must be known to within the share of the baseline. One variant: its own p99. */
function isNarrow(variants: readonly VariantResult[], share: number): boolean {
  if (variants.length === 1) {
    const { mean, low, high } = variants[0].estimates[HEADLINE] ?? { mean: NaN, low: NaN, high: NaN };
    return (high - low) / 2 <= share * mean;
  }
  const comparisons = compareVariants(variants).filter((comparison) => comparison.metric === HEADLINE);
  // A sweep over nothing but loads compares nobody.
  if (comparisons.length === 0) return variants.every((variant) => isNarrow([variant], share));
  return comparisons.every(({ relative }) => relative !== null && (relative.high - relative.low) / 2 <= share);
}

function moreSeeds(base: string, known: readonly string[], wanted: number): string[] {
  const have = new Set(known);
  const fresh: string[] = [];
  for (let k = 1; have.size + fresh.length < wanted; k++) {
    const seed = `${base}:${k}`;
    if (!have.has(seed)) fresh.push(seed);
  }
  return fresh;
}

function tooWide(share: number): Issue {
  return {
    severity: 'warning',
    code: 'interval-too-wide',
    path: ['run', 'seeds'],
    message: `after ${SEEDS_MAX} seeds the interval of ${findMetric(HEADLINE)?.name ?? HEADLINE} is still wider than ±${exactly(share)}`,
    hint: 'simulate longer, or accept a wider interval',
  };
}

const baseName = (file: string): string => file.split(/[\\/]/).at(-1) ?? file;
