/** The load at which a metastable variant recovers by itself: runs of their own in which the load is lowered for good a little after the
 *  trigger's end, and a bisection over how far. The answer is a bracket; chance and a horizon that is too short rule in between. */
import type { Scenario } from '../scenario/spec.ts';
import { type EscapeAnswer, escapeAnswer, type EscapeBracket, searchEscape } from '../stats/metastable/search-escape.ts';
import type { CellResult } from '../stats/result.ts';
import type { Cell } from './cell.ts';
import { streamsWithoutRate } from './load-step.ts';
import { exactly, list, roughly } from './phrases.ts';
import { isMetastable, judgeCell } from './recovery.ts';
import type { EscapeLoad, VariantResult } from './types.ts';

/** Runs the cells, in any order and perhaps not all of them. */
type RunCells = (cells: readonly Cell[]) => Promise<readonly CellResult[]>;

/** The variants again, those that are metastable in most seeds with their escape load where the scenario asks for it. */
export async function findEscapeLoads(
  scenario: Scenario,
  seeds: readonly string[],
  variants: readonly VariantResult[],
  runCells: RunCells,
): Promise<readonly VariantResult[]> {
  const searches = variants.flatMap((variant, index) => {
    const world = scenario.variants[index].scenario ?? scenario;
    return isMetastable(variant) && world.metastability?.escape !== undefined ? [new Search(world, index, variant, seeds)] : [];
  });
  // All searches take a step together, so that every round keeps all threads busy.
  for (;;) {
    const cells = searches.flatMap((search) => search.cells());
    if (cells.length === 0) break;
    const results = await runCells(cells);
    for (const search of searches) search.tell(results);
  }
  const found = new Map(searches.map((search) => [search.variant, search.result()]));
  return variants.map((variant) => {
    const escape = found.get(variant);
    const { metastability } = variant;
    return escape === undefined || metastability === null ? variant : { ...variant, metastability: { ...metastability, escape } };
  });
}

/** Runs per load that is tried. */
const SEEDS_PER_TRIAL = 3;
/** Share of the time after the trigger that passes before the load is lowered: long enough to be stuck, early enough to see the end. */
const STUCK_SHARE = 0.05;

class Search {
  readonly variant: VariantResult;
  private readonly world: Omit<Scenario, 'variants'>;
  private readonly index: number;
  /** In which the variant is metastable at full load: elsewhere there is nothing to escape from. */
  private readonly seeds: readonly string[];
  private readonly atMs: number;
  private readonly steps: ReturnType<typeof searchEscape>;
  private readonly asked: { load: number; answers: readonly EscapeAnswer[] }[];
  private load: number | undefined;
  private bracket: EscapeBracket | undefined;
  private unavailable: string;
  private isInterrupted: boolean;

  constructor(world: Omit<Scenario, 'variants'>, index: number, variant: VariantResult, seeds: readonly string[]) {
    const { run, metastability } = world;
    const endsMs = metastability?.triggerEndsMs ?? 0;
    const { low = 0.1, resolution = 0.05 } = metastability?.escape ?? {};
    this.variant = variant;
    this.world = world;
    this.index = index;
    const perSeed = variant.metastability?.perSeed ?? [];
    this.seeds = seeds.filter((_, i) => perSeed[i]?.state === 'metastable').slice(0, SEEDS_PER_TRIAL);
    this.atMs = Math.ceil((endsMs + STUCK_SHARE * (run.durationMs - endsMs)) / run.windowMs) * run.windowMs;
    this.steps = searchEscape({ low, high: 1, resolution });
    this.asked = [];
    this.isInterrupted = false;
    const fixed = streamsWithoutRate(world);
    this.unavailable =
      fixed.length === 0
        ? ''
        : `the load of ${list(fixed)} cannot be lowered while it runs: only streams with a rate can be changed`;
    if (fixed.length > 0) return;
    this.proceed();
  }

  cells(): Cell[] {
    const { load, index, atMs } = this;
    if (load === undefined) return [];
    return this.seeds.map((seed) => ({ variant: index, seed, loadStep: { atMs, factor: load } }));
  }

  tell(results: readonly CellResult[]): void {
    if (this.load === undefined) return;
    const own = results.filter(({ variant, seed }) => variant === this.index && this.seeds.includes(seed));
    if (own.length < this.seeds.length) {
      this.load = undefined;
      this.unavailable = 'it was interrupted';
      this.isInterrupted = true;
      return;
    }
    this.proceed(own.map((cell) => escapeAnswer(judgeCell(this.world, cell, this.atMs))));
  }

  result(): EscapeLoad {
    const { atMs, asked, bracket, unavailable } = this;
    const low = bracket?.recoversUpTo ?? NaN;
    const high = bracket?.staysFrom ?? NaN;
    const trials = asked.map(({ load, answers }) => ({
      load,
      recovered: answers.filter((answer) => answer === 'recovers').length,
      stayed: answers.filter((answer) => answer === 'stays').length,
      seeds: answers.length,
    }));
    const lowest = Math.min(1, ...asked.map(({ load }) => load));
    // What lies inside the bracket and did not narrow it was undecided.
    const isOpen = asked.some(({ load }) => low < load && load < high);
    return {
      ...{ low, high, atMs, trials, unavailable, interrupted: this.isInterrupted },
      sentence: `${this.variant.label} ${sentence({ low, high, lowest, isOpen, unavailable })}.`,
    };
  }

  private proceed(answers?: readonly EscapeAnswer[]): void {
    if (answers !== undefined && this.load !== undefined) this.asked.push({ load: this.load, answers });
    // The generator does not look at what the first call passes.
    let step = this.steps.next(answers ?? []);
    // At full load it is known to stay down: these seeds were chosen for it.
    if (step.done !== true && step.value === 1) step = this.steps.next(this.seeds.map(() => 'stays'));
    this.load = step.done === true ? undefined : step.value;
    if (step.done === true) this.bracket = step.value;
  }
}

interface Answer {
  readonly low: number;
  readonly high: number;
  readonly lowest: number;
  readonly isOpen: boolean;
  readonly unavailable: string;
}

function sentence({ low, high, lowest, isOpen, unavailable }: Answer): string {
  if (unavailable !== '') return `was not searched for the load at which it recovers: ${unavailable}`;
  if (Number.isNaN(low) && Number.isNaN(high))
    return `was tried at ${exactly(lowest)} of the load, but the run ends too soon to tell`;
  if (Number.isNaN(low)) return `does not recover by itself even once load falls to ${exactly(lowest)}`;
  const bracket = `between ${exactly(low)} and ${exactly(high)}${isOpen ? '; runs end too soon to tell more' : ''}`;
  return `recovers by itself once load falls to ${roughly((low + high) / 2)} (${bracket})`;
}
