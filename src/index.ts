/** The public library: load a scenario, run it, render the result. Renderers are imported when they are called, so that a program that
 *  only simulates does not load the charting libraries. Policies have their own entry, `clusterlab/policies`, and so has the proxy that
 *  runs them on real sockets, `clusterlab/live`. */
import type { Appearance } from './cli/terminal.ts';
import { replayCommand } from './cli/replay.ts';
import { type ExperimentInput, runExperiment } from './lab/experiment.ts';
import type { RunFile } from './lab/types.ts';
import { loadScenario } from './scenario/load.ts';

export { InputError, InvariantViolation, NotComparable, PolicyFault, ResourceLimit } from './core/errors.ts';
export type { Issue, Place } from './core/issue.ts';
export { metrics, type Metric } from './core/metrics.ts';
export { version } from './core/version.ts';
export { type AaResult, runAa } from './lab/aa.ts';
export { type ExperimentInput, type Progress, runExperiment } from './lab/experiment.ts';
export { type Plan, planExperiment } from './lab/plan.ts';
export { type CapacityInput, findCapacity } from './lab/search/capacity.ts';
export { type Dimension, parseDimension } from './lab/search/dimension.ts';
export { type Goal, parseGoal } from './lab/search/goal.ts';
export { tune, type TuneInput } from './lab/search/tune.ts';
export type { CapacityFile, TuneFile } from './lab/search/types.ts';
export type * from './lab/types.ts';
export { parseRun, serializeRun } from './report/json.ts';
export { type Measurement, scenario, type ScenarioBuilder, ScenarioResult } from './testing/scenario.ts';
export { loadScenario } from './scenario/load.ts';
export type { Scenario } from './scenario/spec.ts';

export interface CompareOptions extends Pick<ExperimentInput, 'untilCi' | 'signal' | 'onProgress'> {
  readonly seed?: string;
  readonly seeds?: number | readonly string[];
  /** Settings that differ from the file, as `path=value`. */
  readonly set?: readonly string[];
  /** Worker threads; 0, the default, simulates in this thread. */
  readonly jobs?: number;
}

/** Every variant of a scenario file on the same seeds, as `clusterlab compare` does it. Writes nothing. */
export async function compare(file: string, options: CompareOptions = {}): Promise<RunFile> {
  const { seed, seeds, set = [], jobs = 0, ...rest } = options;
  const world = { overrides: set, ...(seed === undefined ? {} : { seed }), ...(seeds === undefined ? {} : { seeds }) };
  const loaded = await loadScenario(file, world);
  const replay = replayCommand('compare', file, options).anywhere;
  return runExperiment({ kind: 'compare', file, ...loaded, overrides: set, jobs, replay, ...rest });
}

export async function renderTerminal(run: RunFile, appearance: Partial<Appearance> = {}): Promise<string> {
  const terminal = await import('./report/terminal.ts');
  return terminal.renderTerminal(run, { color: false, unicode: true, width: 100, ...appearance });
}

export const renderHtml = async (run: RunFile): Promise<string> => (await import('./report/html.ts')).renderHtml(run);

export const renderMarkdown = async (run: RunFile): Promise<string> => (await import('./report/markdown.ts')).renderMarkdown(run);
