/** `aa`: the baseline against itself under different seeds. A difference found here is a false alarm, so the share of them must agree
 *  with what the intervals promise: a check of the statistics on the user's own scenario. */
import { availableParallelism } from 'node:os';
import { exitCodes, type ExitCode } from '../../core/errors.ts';
import { type AaResult, runAa } from '../../lab/aa.ts';
import { formatPercent } from '../../report/format.ts';
import { forTerminal } from '../../report/plain-text.ts';
import { plural } from '../../report/summary.ts';
import { loadScenario } from '../../scenario/load.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { noteIssues } from '../notes.ts';
import { loadOptions, type ExperimentOptions } from '../options.ts';
import { progressLine, silentProgress } from '../progress.ts';
import { table, wrap } from '../table.ts';
import type { Terminal } from '../terminal.ts';

type Options = Pick<ExperimentOptions, 'seed' | 'seeds' | 'set' | 'allowOutside' | 'jobs' | 'json' | 'quiet'> & {
  readonly trials: number;
};

export async function aa(file: string, options: Options, terminal: Terminal): Promise<ExitCode> {
  const quiet = options.quiet === true;
  const { scenario, warnings } = await loadScenario(file, loadOptions(options));
  if (!quiet) await noteIssues(warnings, terminal);
  const progress = quiet ? silentProgress : progressLine(terminal, 'cells');
  const interrupt = listenForInterrupt(() => {
    progress.end();
    terminal.note('interrupted: keeping what is finished; once more to stop at once\n');
  });
  let result: AaResult;
  try {
    const { trials, jobs = availableParallelism() } = options;
    result = await runAa({ scenario, trials, jobs, signal: interrupt.signal, onProgress: progress.update });
  } finally {
    progress.end();
    interrupt.stop();
  }
  const code = result.complete ? exitCodes.ok : (interrupt.code() ?? exitCodes.couldNotFinish);
  if (!result.complete) terminal.note(`incomplete: ${result.trials} of ${options.trials} trials finished\n`);
  if (options.json === true) terminal.print(`${JSON.stringify(result, null, 2)}\n`);
  else if (result.trials > 0) show(result, quiet, terminal);
  return code;
}

function show(result: AaResult, quiet: boolean, terminal: Terminal): void {
  const { print, results } = terminal;
  const rows = result.perMetric.map(({ metric, falseAlarms, equivalent, trials }) => [
    metric,
    `${falseAlarms} of ${trials}`,
    `${equivalent} of ${trials}`,
  ]);
  if (!quiet) print(`${table([['metric', 'false alarms', 'found equivalent'], ...rows], { indent: ' ' })}\n`);
  for (const sentence of sentences(result)) print(`${wrap(forTerminal(sentence), results.width).join('\n')}\n`);
}

function sentences({ policy, trials, seeds, falseAlarms, rate, low, high, nominal }: AaResult): string[] {
  const allowed = formatPercent(nominal);
  const reading =
    low > nominal
      ? `More than the ${allowed} that the verdicts allow themselves: take more seeds or a longer run before trusting one here.`
      : high < nominal
        ? `Less than the ${allowed} that the verdicts allow themselves: they are cautious here.`
        : `That agrees with the ${allowed} that the verdicts allow themselves.`;
  return [
    `${policy} against itself: ${falseAlarms} of ${plural(trials, 'trial')} with ${plural(seeds, 'seed')} a side found a difference ` +
      `somewhere, ${formatPercent(rate)} (95 % interval ${formatPercent(low)} to ${formatPercent(high)}).`,
    reading,
  ];
}
