/** `gate`: may this change go in? Every expectation of every scenario, and every variant against a named baseline. */
import { exitCodes, InputError, type ExitCode } from '../../core/errors.ts';
import { findMetric } from '../../core/metrics.ts';
import { version } from '../../core/version.ts';
import type { Baseline, BaselineScenario } from '../../gate/baseline.ts';
import { baselineFor, checksOf } from '../../gate/checks.ts';
import type { GateCheck } from '../../gate/judge.ts';
import { gateSchema, type GateReport, type GateScenario, scenarioReport, verdictOf } from '../../gate/report.ts';
import { runGate, worldsOf } from '../../lab/run-gate.ts';
import { parseMargin } from '../../scenario/gate.ts';
import { loadScenario, type LoadedScenario } from '../../scenario/load.ts';
import type { GateMargin } from '../../scenario/spec.ts';
import { baselineFolder, readBaseline } from '../baselines.ts';
import { openExecutor } from '../executor.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { noteIssues } from '../notes.ts';
import { type ExperimentOptions, loadOptions } from '../options.ts';
import { progressLine, silentProgress } from '../progress.ts';
import { replayCommand } from '../replay.ts';
import { parseReporters, report } from '../reporters.ts';
import type { Terminal } from '../terminal.ts';

export interface GateOptions extends Pick<
  ExperimentOptions,
  'seed' | 'seeds' | 'set' | 'allowOutside' | 'jobs' | 'cellTimeout' | 'json' | 'quiet' | 'strict'
> {
  readonly baseline?: string;
  readonly baselines?: string;
  readonly exact?: boolean;
  readonly lenient?: boolean;
  readonly margin?: readonly string[];
  readonly alpha: number;
  readonly reporter?: string;
}

interface Task {
  readonly file: string;
  readonly loaded: LoadedScenario;
  readonly entry?: BaselineScenario;
  readonly checks: readonly GateCheck[];
  readonly notes: readonly string[];
}

export async function gate(files: readonly string[], options: GateOptions, terminal: Terminal): Promise<ExitCode> {
  const { lenient = false, exact = false, quiet = false, strict = false } = options;
  const reporters = parseReporters(options.json === true ? 'json' : options.reporter, process.env);
  if (exact && options.baseline === undefined)
    throw InputError.of('no-baseline', '--exact compares with a baseline', 'add --baseline <name>');
  const margins = parseMargins(options.margin ?? []);
  const baseline =
    options.baseline === undefined ? undefined : await readBaseline(options.baselines ?? baselineFolder, options.baseline);
  // All are read before any is run: a mistake in the last should not cost the time of the others.
  const tasks: Task[] = [];
  for (const file of files) {
    const task = await prepare(file, baseline, { margins, lenient }, options);
    const twin = tasks.find(({ loaded }) => loaded.scenario.name === task.loaded.scenario.name);
    if (twin !== undefined)
      throw InputError.of(
        'duplicate',
        `${twin.file} and ${file} are both named ${task.loaded.scenario.name}`,
        'rename one of them',
      );
    if (!quiet) await noteIssues(task.loaded.warnings, terminal);
    tasks.push(task);
  }
  const isEmpty = tasks.every(
    ({ loaded, checks, entry }) => loaded.scenario.expect.length + checks.length === 0 && !(exact && entry),
  );
  if (isEmpty) {
    const hint = 'write expect: in the scenario, or name a baseline: --baseline main';
    throw InputError.of('nothing-to-check', 'there is nothing to check', hint);
  }
  const { scenarios, interrupted } = await run(tasks, options, terminal);
  const found: GateReport = {
    schema: gateSchema,
    version,
    verdict: verdictOf(scenarios),
    complete: true,
    mode: baseline === undefined ? 'expectations' : exact ? 'exact' : 'statistical',
    baseline: baseline?.name ?? '',
    alpha: options.alpha,
    scenarios,
  };
  if (interrupted !== undefined) {
    // Half a gate must not be taken for one that passed.
    terminal.note('incomplete: the gate was interrupted, and says nothing\n');
    return interrupted;
  }
  await report(found, reporters, { terminal, quiet, env: process.env });
  if (found.verdict === 'failed') return exitCodes.checkFailed;
  if (found.verdict !== 'inconclusive') return exitCodes.ok;
  if (!strict) terminal.note('warning: inconclusive counts as passed; --strict makes it exit code 3\n');
  return strict ? exitCodes.inconclusive : exitCodes.ok;
}

async function prepare(
  file: string,
  baseline: Baseline | undefined,
  rules: { readonly margins: Readonly<Record<string, GateMargin>>; readonly lenient: boolean },
  options: GateOptions,
): Promise<Task> {
  const loaded = await loadScenario(file, loadOptions(options));
  if (baseline === undefined) return { file, loaded, checks: [], notes: [] };
  const { scenario } = loaded;
  const { entry, notes } = baselineFor(baseline, scenario, worldsOf(scenario), rules.lenient);
  if (entry === undefined) return { file, loaded, checks: [], notes };
  const other =
    baseline.version === version
      ? []
      : [`baseline ${baseline.name} was saved by clusterlab ${baseline.version}, this is ${version}`];
  if (options.exact === true) return { file, loaded, entry, checks: [], notes: [...notes, ...other] };
  const found = checksOf(scenario, entry, rules);
  return { file, loaded, entry, checks: found.checks, notes: [...notes, ...found.notes, ...other] };
}

async function run(
  tasks: readonly Task[],
  options: GateOptions,
  terminal: Terminal,
): Promise<{ scenarios: GateScenario[]; interrupted?: ExitCode }> {
  const executor = await openExecutor(options, terminal.note);
  const total = tasks.reduce((sum, { checks }) => sum + checks.length, 0);
  const scenarios: GateScenario[] = [];
  const interrupt = listenForInterrupt(() => terminal.note('interrupted: once more to stop at once\n'));
  try {
    for (const { file, loaded, entry, checks, notes } of tasks) {
      const progress = options.quiet === true ? silentProgress : progressLine(terminal, `cells of ${loaded.scenario.name}`);
      // In what follows only the policies of the baseline's variants are of interest, but new ones have expectations too.
      const replay = replayCommand(loaded.scenario.variants.length > 1 ? 'compare' : 'run', file, options);
      try {
        const {
          run: done,
          comparisons,
          changes,
          seedsMax,
        } = await runGate({
          ...loaded,
          file,
          overrides: options.set ?? [],
          jobs: 0,
          executor,
          waterfalls: 0,
          replay: replay.anywhere,
          onProgress: progress.update,
          signal: interrupt.signal,
          checks,
          alpha: total === 0 ? options.alpha : (options.alpha * checks.length) / total,
          exact: options.exact === true,
          ...(entry === undefined ? {} : { entry }),
        });
        const again = `${replay.here}${seedsArgument(loaded, done.seeds, options)}`;
        scenarios.push(scenarioReport(done, file, again, { comparisons, changes, notes, seedsMax }));
      } finally {
        progress.end();
      }
      if (interrupt.signal.aborted) break;
    }
  } finally {
    interrupt.stop();
  }
  const code = interrupt.code();
  return { scenarios, ...(code === undefined ? {} : { interrupted: code }) };
}

/** The seeds that were used, where the scenario by itself would use others. */
function seedsArgument({ scenario }: LoadedScenario, used: readonly string[], { seeds }: GateOptions): string {
  const own = scenario.run.seeds;
  if (seeds !== undefined || (used.length === own.length && used.every((seed, i) => seed === own[i]))) return '';
  return used.every((seed, i) => seed === `${scenario.run.seed}:${i + 1}`)
    ? ` --seeds ${used.length}`
    : ` --seeds '${used.join(',')}'`;
}

export function parseMargins(written: readonly string[]): Record<string, GateMargin> {
  const margins: Record<string, GateMargin> = {};
  for (const each of written) {
    const at = each.indexOf('=');
    const [name, value] = [each.slice(0, at), each.slice(at + 1)];
    const metric = findMetric(name);
    if (metric === undefined)
      throw InputError.of('unknown-metric', `--margin ${each}: there is no metric "${name}"`, 'clusterlab metrics lists them');
    const margin = parseMargin(metric, value);
    if ('problem' in margin)
      throw InputError.of('bad-margin', `--margin ${each}: ${margin.problem}`, margin.hint ?? 'write 5% or 10ms');
    margins[name] = margin;
  }
  return margins;
}
