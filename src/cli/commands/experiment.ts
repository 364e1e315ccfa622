/** `run` and `compare`: load the scenario, run it, write everything that can be derived from the result, show the report, and say by
 *  the exit code how it went. */
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { exitCodes, InvariantViolation, type ExitCode } from '../../core/errors.ts';
import { runExperiment } from '../../lab/experiment.ts';
import type { RunFile } from '../../lab/types.ts';
import { parseRun, serializeRun } from '../../report/json.ts';
import { forTerminal } from '../../report/plain-text.ts';
import { loadScenario, type LoadedScenario } from '../../scenario/load.ts';
import { exitCodeOf, failureLines, inconclusiveLines } from '../findings.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { noteIssues } from '../notes.ts';
import { loadOptions, type ExperimentOptions } from '../options.ts';
import { ownVariant } from '../own-variant.ts';
import { progressLine, silentProgress } from '../progress.ts';
import { replayCommand, type Replay } from '../replay.ts';
import { folderText } from '../shell.ts';
import type { Terminal } from '../terminal.ts';
import { checkFolder, outputFiles, writeFolder } from '../write.ts';

type Kind = 'run' | 'compare';

/** What a result folder holds. */
const folderFormats = ['json', 'csv', 'vega', 'svg', 'html'];

export async function experiment(kind: Kind, file: string, options: ExperimentOptions, terminal: Terminal): Promise<ExitCode> {
  const loaded = await loadScenario(file, loadOptions(options));
  const scenario = kind === 'run' ? ownVariant(loaded, options.set ?? [], terminal.note) : loaded.scenario;
  const folder = options.out === false ? undefined : (options.out ?? `reports/${scenario.name}`);
  if (folder !== undefined) await checkFolder(folder, { force: options.force === true });
  // The report repeats warnings; standard error is for those who do not see it.
  if (options.json === true && options.quiet !== true) await noteIssues(loaded.warnings, terminal);

  const replay = replayCommand(kind, file, options);
  const { result, interrupted } = await simulate({ ...loaded, scenario }, { kind, file, replay, options }, terminal);
  // Everything below is made from what the file holds, so that `report` makes the same from it later, key order included.
  const run = parseRun(serializeRun(renamed(result, file, basename(file))), 'run.json');
  const finished = run.variants.reduce((sum, { digests }) => sum + digests.length, 0);
  const code = interrupted ?? exitCodeOf(run, { strict: options.strict === true });
  if (finished === 0) {
    terminal.note('nothing had finished yet, so nothing was written\n');
    return code;
  }
  // The answer first: drawing the charts takes a moment.
  await show(run, file, replay, options, terminal);
  if (options.strict === true) for (const line of inconclusiveLines(run)) terminal.note(`${line}\n`);
  if (folder !== undefined) {
    await writeFolder(folder, outputFiles(run, folderFormats), { complete: run.complete });
    if (options.quiet !== true) terminal.note(`Written: ${folderText(folder)} (open report.html in a browser)\n`);
  }
  if (interrupted !== undefined) {
    terminal.note(
      `incomplete: ${finished} of ${run.variants.length * run.seeds.length} cells finished; the results are marked so\n`,
    );
  }
  return code;
}

interface Request {
  readonly kind: Kind;
  readonly file: string;
  readonly replay: Replay;
  readonly options: ExperimentOptions;
}

/** Runs the experiment under the user's eyes: progress, and an end by Ctrl-C that keeps what is finished. */
async function simulate(loaded: LoadedScenario, { kind, file, replay, options }: Request, terminal: Terminal) {
  const progress = options.quiet === true ? silentProgress : progressLine(terminal, 'cells');
  const interrupt = listenForInterrupt(() => {
    progress.end();
    terminal.note('interrupted: keeping what is finished; once more to stop at once\n');
  });
  try {
    const result = await runExperiment({
      ...loaded,
      kind,
      file,
      overrides: options.set ?? [],
      jobs: options.jobs ?? availableParallelism(),
      ...(options.untilCi === undefined ? {} : { untilCi: options.untilCi }),
      ...(options.explain === undefined ? {} : { explain: options.explain }),
      replay: replay.anywhere,
      onProgress: progress.update,
      signal: interrupt.signal,
    });
    return { result, interrupted: result.complete ? undefined : (interrupt.code() ?? exitCodes.couldNotFinish) };
  } catch (failure) {
    if (failure instanceof InvariantViolation) failure.evidence = [...failure.evidence, `again: ${replay.here}`];
    throw failure;
  } finally {
    progress.end();
    interrupt.stop();
  }
}

async function show(run: RunFile, file: string, replay: Replay, options: ExperimentOptions, terminal: Terminal): Promise<void> {
  if (options.json === true) {
    terminal.print(serializeRun(run));
    return;
  }
  if (options.quiet === true) {
    terminal.print(`${forTerminal(run.verdict[0] ?? 'No verdict.')}\n`);
    for (const line of failureLines(run, file, terminal.results)) terminal.print(`${line}\n`);
  } else {
    const { renderTerminal } = await import('../../report/terminal.ts');
    terminal.print(renderTerminal({ ...renamed(run, basename(file), file), replay: replay.here }, terminal.results));
  }
}

/** The same run with its scenario under another path. Result files name it without its folder, so that they do not depend on where it
 *  lay; on the terminal places and the replay command should work as they are. */
function renamed(run: RunFile, from: string, to: string): RunFile {
  const moved = (file: string): string => (file === from ? to : file);
  return {
    ...run,
    expectations: run.expectations.map((each) => ({ ...each, file: moved(each.file) })),
    warnings: run.warnings.map((each) =>
      each.place === undefined ? each : { ...each, place: { ...each.place, file: moved(each.place.file) } },
    ),
  };
}
