/** `run:` to durations and seeds. */
import { formatDuration, show } from '../core/quantity.ts';
import type { Complaints } from './complaints.ts';
import { limits } from './shape-parts.ts';
import { run as runShape } from './shape.ts';
import type { RunSpec } from './spec.ts';

/** What the command line says about seeds, stronger than the file. */
export interface SeedOptions {
  readonly seed?: string;
  readonly seeds?: number | readonly string[];
}

/** More points than pixels help nobody, and each is kept for every seed. */
const maxWindows = 100_000;

/** 2026-01-05. */
const aMonday = 1_767_571_200_000;

/** Undefined after complaints. */
export function compileRun(complaints: Complaints, options: SeedOptions): RunSpec | undefined {
  const shape = complaints.check(runShape, ['run']);
  if (shape === undefined) return undefined;
  const durationMs = shape.duration;
  const warmupMs = shape.warmup ?? Math.min(durationMs / 10, 30_000);
  if (warmupMs >= durationMs) {
    const message = `a warm-up of ${formatDuration(warmupMs)} leaves nothing of a run of ${formatDuration(durationMs)}`;
    complaints.error('warmup-too-long', ['run', 'warmup'], message);
  }
  const windowMs = shape.window ?? durationMs / 120;
  if (windowMs > durationMs) {
    complaints.error(
      'bad-window',
      ['run', 'window'],
      `a window of ${formatDuration(windowMs)} is longer than the run, ${formatDuration(durationMs)}`,
    );
  } else if (durationMs / windowMs > maxWindows) {
    complaints.error(
      'bad-window',
      ['run', 'window'],
      `more than ${maxWindows} windows`,
      `at least ${formatDuration(Math.ceil(durationMs / maxWindows))}`,
    );
  }
  if (Array.isArray(shape.seeds)) {
    const twice = shape.seeds.findIndex((seed, index) => (shape.seeds as readonly string[]).indexOf(seed) !== index);
    if (twice !== -1) {
      complaints.error(
        'duplicate',
        ['run', 'seeds', twice],
        `seed ${show(shape.seeds[twice])} stands twice`,
        'equal seeds repeat the same run',
      );
    }
  }
  const { seeds } = options;
  if (typeof seeds === 'number' ? !(Number.isInteger(seeds) && seeds >= 1 && seeds <= limits.seeds) : seeds?.length === 0) {
    complaints.error(
      'bad-count',
      ['run', 'seeds'],
      `expected 1 to ${limits.seeds} seeds, found ${typeof seeds === 'number' ? seeds : 'none'}`,
    );
  }
  const epochMs = shape.startsAt ?? aMonday;
  return { durationMs, epochMs, warmupMs, windowMs, ...seedsOf(shape.seed, shape.seeds, options) };
}

function seedsOf(
  written: string,
  writtenSeeds: number | readonly string[],
  options: SeedOptions,
): Pick<RunSpec, 'seed' | 'seeds'> {
  const seed = options.seed ?? written;
  // A base given on the command line replaces a list in the file by as many seeds of its own.
  const wanted =
    options.seeds ?? (options.seed !== undefined && typeof writtenSeeds !== 'number' ? writtenSeeds.length : writtenSeeds);
  if (typeof wanted !== 'number') return { seed, seeds: wanted };
  // Options of the wrong size have been complained of.
  const count = Number.isInteger(wanted) ? Math.min(Math.max(wanted, 1), limits.seeds) : 1;
  return { seed, seeds: Array.from({ length: count }, (_, index) => `${seed}:${index + 1}`) };
}
