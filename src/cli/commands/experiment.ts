/** `run` and `compare`: load the scenario, run it, write everything that can be derived from the result, show the report, and say by
 *  the exit code how it went. */
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { exitCodes, InvariantViolation, type ExitCode } from '../../core/errors.ts';
import { runExperiment } from '../../lab/experiment.ts';
import type { RunFile } from '../../lab/types.ts';
import { parseRun, serializeRun } from '../../report/json.ts';
import { forTerminal } from '../../report/plain-text.ts';
import { loadScenario } from '../../scenario/load.ts';
import { exitCodeOf, failureLines, inconclusiveLines } from '../findings.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { noteIssues } from '../notes.ts';
import { loadOptions, type ExperimentOptions } from '../options.ts';
import { ownVariant } from '../own-variant.ts';
import { progressLine, silentProgress } from '../progress.ts';
import { replayCommand, type Replay } from '../replay.ts';
import { resultFiles } from '../result-files.ts';
import { quote } from '../shell.ts';
import type { Terminal } from '../terminal.ts';
import { checkFolder, writeFolder } from '../write.ts';

export async function experiment(
  kind: 'run' | 'compare',
  file: string,
  options: ExperimentOptions,
  terminal: Terminal,
): Promise<ExitCode> {
  const quiet = options.quiet === true;
  const overrides = options.set ?? [];
  const loaded = await loadScenario(file, loadOptions(options));
  const scenario = kind === 'run' ? ownVariant(loaded, overrides, terminal.note) : loaded.scenario;
  const folder = options.out === false ? undefined : (options.out ?? `reports/${folderName(scenario.name)}`);
  if (folder !== undefined) await checkFolder(folder, { force: options.force === true });
  // The report repeats warnings; standard error is for those who do not see it.
  if (options.json === true && !quiet) await noteIssues(loaded.warnings, terminal);

  const replay = replayCommand(kind, file, options);
  const progress = quiet ? silentProgress : progressLine(terminal, 'cells');
  const interrupt = listenForInterrupt(() => {
    progress.end();
    terminal.note('interrupted: keeping what is finished; once more to stop at once\n');
  });
  let result: RunFile;
  try {
    result = await runExperiment({
      kind,
      scenario,
      text: loaded.text,
      sha256: loaded.sha256,
      file,
      overrides,
      warnings: loaded.warnings,
      ...(options.untilCi === undefined ? {} : { untilCi: options.untilCi }),
      jobs: options.jobs ?? availableParallelism(),
      replay: replay.anywhere,
      onProgress: progress.update,
      signal: interrupt.signal,
    });
  } catch (failure) {
    throw withReplay(failure, replay);
  } finally {
    progress.end();
    interrupt.stop();
  }

  // Everything below is made from what the file holds, so that `report` makes the same from it later, key order included.
  const run = parseRun(serializeRun(renamed(result, file, basename(file))), 'run.json');
  const interrupted = run.complete ? undefined : (interrupt.code() ?? exitCodes.couldNotFinish);
  const finished = finishedCells(run);
  if (finished === 0) {
    terminal.note('nothing had finished yet, so nothing was written\n');
    return interrupted ?? exitCodes.couldNotFinish;
  }
  if (folder !== undefined) await writeFolder(folder, resultFiles(run), { complete: run.complete });
  terminal.exitWith(interrupted ?? exitCodeOf(run, { strict: options.strict === true }));

  await show(run, file, replay, options, terminal);
  if (options.strict === true) for (const line of inconclusiveLines(run)) terminal.note(`${line}\n`);
  if (folder !== undefined && !quiet) terminal.note(`Written: ${quote(folder)}/ (open report.html in a browser)\n`);
  if (interrupted !== undefined) {
    const total = run.variants.length * run.seeds.length;
    terminal.note(`incomplete: ${finished} of ${total} cells finished; the results are marked so. Again: ${replay.here}\n`);
  }
  return interrupted ?? exitCodeOf(run, { strict: options.strict === true });
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

/** A scenario's name is free text; a folder's is not. */
const folderName = (name: string): string => name.replace(/[^\p{L}\p{N}._-]+/gu, '-').replace(/^[.-]+/, '') || 'scenario';

const finishedCells = (run: RunFile): number => run.variants.reduce((sum, { digests }) => sum + digests.length, 0);

function withReplay(failure: unknown, replay: Replay): unknown {
  if (failure instanceof InvariantViolation) failure.evidence = [...failure.evidence, `again: ${replay.here}`];
  return failure;
}
