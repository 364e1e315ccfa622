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
import { execute } from './executors.ts';
import { type FaultWindow, type RunFile, runSchema, type VariantResult } from './types.ts';
import { verdictSentences } from './verdict-text.ts';

export interface Progress {
  /** Cells finished and known to be needed. */
  readonly done: number;
  readonly total: number;
  /** Simulated time over all cells, finished or under way. */
  readonly simulatedMs: number;
  /** Share of the whole work that is done, 0 to 1. */
  readonly share: number;
}

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
  /** Add seeds until the interval's half-width is at most this share of the mean. */
  readonly untilCi?: number;
  /** Decisions to record per variant, in the first seed. */
  readonly explain?: number;
  /** Shell command that makes the same numbers again. */
  readonly replay: string;
  readonly signal?: AbortSignal;
  onProgress?(progress: Progress): void;
}

/** `untilCi` looks again after doubling, and gives up here. */
const SEEDS_MAX = 80;
/** The metric whose interval must be narrow enough. */
const HEADLINE = 'latency.p99';

export async function runExperiment(input: ExperimentInput): Promise<RunFile> {
  const { scenario, signal } = input;
  const cells: CellResult[] = [];
  let seeds = [...scenario.run.seeds];
  const explain = input.explain ?? 0;
  let isShort = false;
  const under = new Map<string, number>();
  let finishedMs = 0;
  const report = (): void => {
    const total = seeds.length * scenario.variants.length;
    let simulatedMs = finishedMs;
    for (const ms of under.values()) simulatedMs += ms;
    input.onProgress?.({ done: cells.length, total, simulatedMs, share: simulatedMs / (total * scenario.run.durationMs) });
  };
  const runSeeds = async (fresh: readonly string[]): Promise<void> => {
    // By seed first: an interrupted run then has whole pairs.
    const todo: Cell[] = fresh.flatMap((seed) =>
      // Decisions of one seed tell the story; they are kept for the first.
      scenario.variants.map((_, variant) => ({ variant, seed, ...(seed === seeds[0] && explain > 0 ? { explain } : {}) })),
    );
    const onAdvance = (cell: Cell, simulatedMs: number): void => {
      under.set(`${cell.variant} ${cell.seed}`, simulatedMs);
      report();
    };
    await execute(scenario, todo, { jobs: input.jobs, onAdvance, ...(signal === undefined ? {} : { signal }) }, (result) => {
      cells.push(result);
      under.delete(`${result.variant} ${result.seed}`);
      finishedMs += scenario.run.durationMs;
      report();
    });
  };
  await runSeeds(seeds);
  let variants = collectVariants(scenario, seeds, cells);
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
  const complete = cells.length === seeds.length * scenario.variants.length;
  // Pairs are made by position, so an interrupted run compares only the seeds that every variant has finished.
  const paired = complete ? variants : collectVariants(scenario, seeds, ofWholeSeeds(cells, scenario.variants.length));
  const comparisons = input.kind === 'compare' ? compareVariants(paired) : [];
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
    openLoop: true,
    services: scenario.services.map(({ name, instances, slots }) => ({ name, instances: instances.length, slots })),
    faults: faultWindows(scenario),
    variants,
    comparisons,
    expectations: checkExpectations(scenario.expect, variants),
    warnings,
    verdict: verdictSentences(input.kind, input.kind === 'compare' ? paired : variants, comparisons),
    checks: {
      requests: variants.reduce((sum, variant) => sum + variant.ledger.offered, 0),
      events: cells.reduce((sum, cell) => sum + cell.events, 0),
      littleResidual: cells.reduce((most, cell) => Math.max(most, cell.littleResidual), 0),
    },
    replay: input.replay,
  };
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
  return compareVariants(variants)
    .filter((comparison) => comparison.metric === HEADLINE)
    .every(({ relative }) => relative !== null && (relative.high - relative.low) / 2 <= share);
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
    message: `after ${SEEDS_MAX} seeds the interval of ${findMetric(HEADLINE)?.name ?? HEADLINE} is still wider than ±${share * 100} %`,
    hint: 'simulate longer, or accept a wider interval',
  };
}

function faultWindows(scenario: Scenario): FaultWindow[] {
  return scenario.faults.flatMap(({ label, schedule }) =>
    schedule.type === 'once' ? [{ label, fromMs: schedule.atMs, toMs: schedule.atMs + schedule.forMs }] : [],
  );
}

const baseName = (file: string): string => file.split(/[\\/]/).at(-1) ?? file;
