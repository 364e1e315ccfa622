/** `aa`: the baseline against itself under different seeds. A difference found here is a false alarm, so the share of them must agree
 *  with what the intervals promise: a check of the statistics on the user's own scenario. Interrupted, it shows nothing: a rate over some of the
 *  trials would mislead. */
import { availableParallelism } from 'node:os';
import { exitCodes, type ExitCode } from '../../core/errors.ts';
import { runAa } from '../../lab/aa.ts';
import { formatPercent } from '../../report/format.ts';
import { loadScenario } from '../../scenario/load.ts';
import { noteIssues } from '../notes.ts';
import type { ExperimentOptions } from '../options.ts';
import { progressLine, silentProgress } from '../progress.ts';
import { replayCommand } from '../replay.ts';
import { table } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import { worldOf } from './experiment.ts';

type Options = Pick<ExperimentOptions, 'seed' | 'seeds' | 'set' | 'jobs' | 'json' | 'quiet'> & { readonly trials: number };

export async function aa(file: string, options: Options, terminal: Terminal): Promise<ExitCode> {
  const { scenario, text, sha256, warnings } = await loadScenario(file, worldOf(options));
  const progress = options.quiet === true ? silentProgress : progressLine(terminal, 'cells');
  if (options.quiet !== true) await noteIssues(warnings, terminal);
  let result: Awaited<ReturnType<typeof runAa>>;
  try {
    result = await runAa({
      kind: 'compare',
      scenario,
      text,
      sha256,
      file,
      overrides: options.set ?? [],
      warnings,
      jobs: options.jobs ?? availableParallelism(),
      replay: replayCommand('aa', file, options).anywhere,
      onProgress: progress.update,
      trials: options.trials,
    });
  } finally {
    progress.end();
  }
  if (options.json === true) {
    terminal.print(`${JSON.stringify(result, null, 2)}\n`);
    return exitCodes.ok;
  }
  const rows = result.perMetric.map(({ metric, falseAlarms, trials }) => [metric, `${falseAlarms} of ${trials}`]);
  if (options.quiet !== true) terminal.print(`${table([['metric', 'false alarms'], ...rows], { indent: ' ' })}\n`);
  terminal.print(sentence(result));
  return exitCodes.ok;
}

function sentence({ falseAlarms, comparisons, rate, low, high, nominal, seeds }: Awaited<ReturnType<typeof runAa>>): string {
  const agrees = low <= nominal && nominal <= high;
  const reading = agrees
    ? `That agrees with the ${formatPercent(nominal)} that the intervals allow.`
    : rate < nominal
      ? `That is less than the ${formatPercent(nominal)} the intervals allow: the verdicts are cautious here.`
      : `That is more than the ${formatPercent(nominal)} the intervals allow: take more seeds or longer runs before trusting a verdict.`;
  return (
    `${falseAlarms} of ${comparisons} comparisons of the baseline with itself (${seeds} seeds each) found a difference: ` +
    `${formatPercent(rate)} (95 % interval ${formatPercent(low)} to ${formatPercent(high)}). ${reading}\n`
  );
}
