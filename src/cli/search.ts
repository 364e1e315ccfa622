/** What `capacity` and `tune` share on the command line: which variant of the scenario is meant, and running under the user's eyes. */
import { availableParallelism } from 'node:os';
import { exitCodes, InputError, InvariantViolation, type ExitCode } from '../core/errors.ts';
import { suggest } from '../core/suggest.ts';
import type { TrialsRequest } from '../lab/search/trials.ts';
import { serializePlain } from '../report/json.ts';
import { forTerminal } from '../report/plain-text.ts';
import { loadScenario, type LoadedScenario } from '../scenario/load.ts';
import type { VariantSpec } from '../scenario/spec.ts';
import type { OutputFile } from '../report/index.ts';
import { listenForInterrupt } from './interrupt.ts';
import { noteIssues } from './notes.ts';
import { type ExperimentOptions, loadOptions } from './options.ts';
import { ownVariant } from './own-variant.ts';
import { progressLine, silentProgress } from './progress.ts';
import type { Replay } from './replay.ts';
import { commandLine, folderText } from './shell.ts';
import type { Terminal } from './terminal.ts';
import { checkFolder, writeFolder } from './write.ts';

export interface SearchOptions extends ExperimentOptions {
  readonly variant?: string;
}

/** The file as it is, before anything varies. */
export async function loadBase(file: string, options: SearchOptions, terminal: Terminal): Promise<LoadedScenario> {
  const base = await loadScenario(file, loadOptions(options));
  if (options.quiet !== true) await noteIssues(base.warnings, terminal);
  return base;
}

/** By label, or the scenario's own. Found once: labels may tell the values that vary. */
export function chooser(
  base: LoadedScenario,
  options: SearchOptions,
  verb: string,
  paths: readonly string[],
  tell: (text: string) => void,
) {
  const { variant } = options;
  const labels = base.scenario.variants.map(({ label }) => label);
  if (variant === undefined) {
    if (paths.includes('load') && labels.length > 1)
      throw InputError.of(
        'bad-path',
        'load can vary only where the file compares nothing',
        'leave compare: away, or vary traffic[0].arrivals.rate',
      );
    const own = (loaded: LoadedScenario, say: (text: string) => void): VariantSpec =>
      ownVariant(loaded, options.set ?? [], (text) =>
        say(text.replace(/^run takes/, `${verb} takes`).replace('clusterlab compare takes them all', '--variant names another')),
      ).variants[0]!;
    own(base, options.quiet === true ? () => {} : tell);
    return (loaded: LoadedScenario): VariantSpec => own(loaded, () => {});
  }
  const index = labels.indexOf(variant);
  if (index === -1) {
    const meant = suggest(variant, labels);
    throw InputError.of(
      'unknown-variant',
      `--variant: no variant is labelled "${variant}"`,
      meant === undefined ? `there are ${labels.join(', ')}` : `did you mean "${meant}"?`,
    );
  }
  return ({ scenario }: LoadedScenario): VariantSpec => scenario.variants[index]!;
}

interface SearchRun<Result> {
  readonly folder: string | undefined;
  readonly replay: Replay;
  readonly options: SearchOptions;
  search(live: Pick<TrialsRequest, 'jobs' | 'signal' | 'onProgress'>): Promise<Result>;
  files(result: Result): AsyncGenerator<OutputFile>;
  text(result: Result): string;
  /** For results that are whole. */
  code(result: Result): ExitCode;
}

/** Runs, shows, writes, says how it went. */
export async function runSearch<
  Result extends { readonly complete: boolean; readonly verdict: readonly string[]; readonly cells: number },
>({ folder, replay, options, search, files, text, code }: SearchRun<Result>, terminal: Terminal): Promise<ExitCode> {
  const quiet = options.quiet === true;
  if (folder !== undefined) await checkFolder(folder, { force: options.force === true });
  const progress = quiet ? silentProgress : progressLine(terminal, 'cells');
  const interrupt = listenForInterrupt(() => {
    progress.end();
    terminal.note('interrupted: keeping what is finished; once more to stop at once\n');
  });
  let result: Result;
  try {
    const jobs = options.jobs ?? availableParallelism();
    result = await search({ jobs, signal: interrupt.signal, onProgress: progress.update });
  } catch (failure) {
    if (failure instanceof InvariantViolation) failure.evidence = [...failure.evidence, `again: ${replay.here}`];
    throw failure;
  } finally {
    progress.end();
    interrupt.stop();
  }
  if (result.cells === 0 && !result.complete) {
    terminal.note('nothing had finished yet, so nothing was written\n');
    return interrupt.code() ?? exitCodes.couldNotFinish;
  }
  if (options.json === true) terminal.print(serializePlain(result));
  else if (quiet) terminal.print(`${forTerminal(result.verdict[0] ?? 'No answer.')}\n`);
  else terminal.print(text(result));
  if (folder !== undefined) {
    await writeFolder(folder, files(result), { complete: result.complete });
    if (!quiet) terminal.note(`Written: ${folderText(folder)}\n`);
  }
  if (result.complete) return code(result);
  terminal.note(`incomplete: interrupted after ${result.cells} cells; the results are marked so\n`);
  return interrupt.code() ?? exitCodes.couldNotFinish;
}

/** Options that change numbers, behind those that all commands have. */
export function withMore({ here, anywhere }: Replay, more: readonly string[]): Replay {
  const tail = more.length === 0 ? '' : ` ${commandLine(...more)}`;
  return { here: here + tail, anywhere: anywhere + tail };
}
