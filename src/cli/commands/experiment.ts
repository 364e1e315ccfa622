/** `run` and `compare`: load the scenario, run it, write everything that can be derived from the result, show the report, and say by
 *  the exit code how it went. */
import { availableParallelism } from 'node:os';
import { basename } from 'node:path';
import { exitCodes, InputError, InvariantViolation, type ExitCode } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import { gateSchema, type GateReport, scenarioReport, verdictOf } from '../../gate/report.ts';
import { ProgressCount } from '../../lab/progress.ts';
import { plural } from '../../report/summary.ts';
import { exactJson } from '../../core/exact-json.ts';
import { CellKeys } from '../../lab/cell-key.ts';
import type { Cell } from '../../lab/cell.ts';
import { type Executor, localExecutor } from '../../lab/executors.ts';
import { type ExperimentInput, planCells, runExperiment } from '../../lab/experiment.ts';
import { type Merged, parseShard, serializeShard, shardFile, shareOf, type ShardNumber } from '../../lab/shards.ts';
import { storedCells } from '../../lab/stored-cells.ts';
import type { RunFile } from '../../lab/types.ts';
import type { CellResult } from '../../stats/result.ts';
import { parseRun, serializeRun } from '../../report/json.ts';
import { forTerminal } from '../../report/plain-text.ts';
import { loadScenario, type LoadedScenario } from '../../scenario/load.ts';
import { exitCodeOf, failureLines, inconclusiveLines } from '../findings.ts';
import { type ExecutorChoice, openExecutor, type ShardChoice } from '../executor.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { noteIssues } from '../notes.ts';
import { loadOptions, type ExperimentOptions } from '../options.ts';
import { ownVariant } from '../own-variant.ts';
import { progressLine, silentProgress } from '../progress.ts';
import { replayCommand, type Replay } from '../replay.ts';
import { parseReporters, report, type ReporterUse } from '../reporters.ts';
import { commandLine, folderText } from '../shell.ts';
import type { Terminal } from '../terminal.ts';
import { beginFolder, checkFolder, outputFiles, writeFolder, writeWhole } from '../write.ts';

type Kind = 'run' | 'compare';

/** What a result folder holds. */
const folderFormats = ['json', 'csv', 'vega', 'svg', 'html'];

export async function experiment(
  kind: Kind,
  file: string,
  options: ExperimentOptions & ExecutorChoice & ShardChoice,
  terminal: Terminal,
): Promise<ExitCode> {
  const shard = options.shard === undefined ? undefined : parseShard(options.shard, process.env, options.of);
  if (shard !== undefined && options.untilCi !== undefined)
    throw InputError.of('bad-shard', '--until-ci looks at all cells, and a shard has a part of them', 'give --seeds instead');
  const reporters = options.reporter === undefined ? [] : parseReporters(options.reporter, process.env);
  const loaded = await loadScenario(file, loadOptions(options));
  const scenario = kind === 'run' ? ownVariant(loaded, options.set ?? [], terminal.note) : loaded.scenario;
  const executor = await openExecutor(options, terminal.note);
  const folder = options.out === false ? undefined : (options.out ?? `reports/${scenario.name}`);
  if (folder !== undefined) await checkFolder(folder, { force: options.force === true });
  // The report repeats warnings; standard error is for those who do not see it.
  if (options.json === true && options.quiet !== true) await noteIssues(loaded.warnings, terminal);

  const replay = replayCommand(kind, file, options);
  const request: Request = { kind, file, replay, options, executor, reporters };
  if (shard !== undefined) return runShard({ ...loaded, scenario }, request, shard, folder, terminal);
  const { result, interrupted } = await simulate({ ...loaded, scenario }, request, terminal);
  return finish(result, interrupted, request, folder, terminal);
}

/** Report and files of a finished, interrupted or merged experiment. */
async function finish(
  result: RunFile,
  interrupted: ExitCode | undefined,
  { file, replay, options, reporters }: Request,
  folder: string | undefined,
  terminal: Terminal,
): Promise<ExitCode> {
  // Everything below is made from what the file holds, so that `report` makes the same from it later, key order included.
  const run = parseRun(serializeRun(renamed(result, file, basename(file))), 'run.json');
  const finished = run.variants.reduce((sum, { digests }) => sum + digests.length, 0);
  const code = interrupted ?? exitCodeOf(run, { strict: options.strict === true });
  if (finished === 0) {
    terminal.note('nothing had finished yet, so nothing was written\n');
    return code;
  }
  // The answer first: drawing the charts takes a moment.
  if (reporters.length === 0) await show(run, file, replay, options, terminal);
  else await reportGate(run, { file, replay, options, reporters }, terminal);
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

/** With reporters: the expectations as a gate without a baseline would report them. */
async function reportGate(
  run: RunFile,
  { file, replay, options, reporters }: Pick<Request, 'file' | 'replay' | 'options' | 'reporters'>,
  terminal: Terminal,
): Promise<void> {
  const scenario = scenarioReport(run, file, replay.here);
  const found: GateReport = {
    ...{ schema: gateSchema, version: run.version, verdict: verdictOf([scenario]), complete: run.complete },
    ...{ mode: 'expectations', baseline: '', alpha: 0, scenarios: [scenario] },
  };
  await report(found, reporters, { terminal, quiet: options.quiet === true, env: process.env });
}

/** What the merged result is made from, beside the cells. */
type ShardRequest = Pick<ExperimentInput, 'kind' | 'text' | 'sha256' | 'file' | 'overrides' | 'warnings' | 'explain' | 'replay'>;

async function runShard(
  loaded: LoadedScenario,
  { kind, file, replay, options, executor }: Request,
  shard: ShardNumber,
  folder: string | undefined,
  terminal: Terminal,
): Promise<ExitCode> {
  if (folder === undefined) throw InputError.of('out-needed', 'a shard has to be written somewhere', 'leave --no-out away');
  await beginFolder(folder);
  const { scenario, text, sha256 } = loaded;
  const explain = options.explain === undefined ? {} : { explain: options.explain };
  const cellKeys = new CellKeys(scenario);
  const cells: { readonly cell: Cell; readonly key: string }[] = [];
  for (const cell of planCells({ scenario, ...explain })) cells.push({ cell, key: await cellKeys.key(cell) });
  const todo = [...new Map(shareOf(cells, shard).map((each) => [each.key, each])).values()];
  const keyOf = new Map(todo.map(({ cell: { variant, seed }, key }) => [`${variant} ${seed}`, key]));
  const progress = options.quiet === true ? silentProgress : progressLine(terminal, 'cells');
  const interrupt = listenForInterrupt(() => terminal.note('interrupted: a part of a shard is of no use, so nothing is kept\n'));
  const count = new ProgressCount(scenario, progress.update);
  count.expect(todo.length);
  const done: Record<string, CellResult> = {};
  try {
    const bare = todo.map(({ cell }) => cell);
    await executor.run(
      scenario,
      bare,
      { signal: interrupt.signal, onAdvance: (cell, ms) => count.advance(cell, ms) },
      (result) => {
        done[keyOf.get(`${result.variant} ${result.seed}`)!] = result;
        count.finish(result);
      },
    );
  } finally {
    progress.end();
    interrupt.stop();
  }
  if (Object.keys(done).length < todo.length) return interrupt.code() ?? exitCodes.couldNotFinish;
  const warnings = loaded.warnings.map((each) => moved(each, file, basename(file)));
  const request: ShardRequest = {
    ...{ kind, text, sha256, file: basename(file), overrides: options.set ?? [], warnings },
    ...{ ...explain, replay: replay.anywhere },
  };
  const name = shardFile(shard);
  const keys = cells.map(({ key }) => key);
  await writeWhole(`${folder}/${name}`, serializeShard({ kind, shard, request, aside: { scenario, file }, keys, cells: done }));
  terminal.print(
    `Shard ${shard.index} of ${shard.of}: ${plural(todo.length, 'cell')} in ${folder}/${name}\nPut together: ${commandLine('clusterlab', 'merge', folder)}\n`,
  );
  return exitCodes.ok;
}

/** `merge` of the shards of `run` or `compare`. */
export async function mergeExperiment(
  { kind, request, aside, keys, cells, missing }: Merged,
  options: ExperimentOptions & { readonly jobs: number },
  terminal: Terminal,
): Promise<ExitCode> {
  const input = request as ShardRequest;
  const { scenario, file: written } = aside as { readonly scenario: LoadedScenario['scenario']; readonly file: string };
  const folder = options.out === false ? undefined : (options.out ?? `reports/${scenario.name}`);
  if (folder !== undefined) {
    await checkFolder(folder, { force: options.force === true });
    await beginFolder(folder);
  }
  const keyOf = new Map(planCells({ ...input, scenario }).map((cell, i) => [exactJson(cell), keys[i]]));
  const find = (cell: Cell): CellResult | undefined => {
    const found = cells.get(keyOf.get(exactJson(cell)) ?? '') as CellResult | undefined;
    // Equal variants share their cells.
    return found === undefined ? undefined : { ...found, variant: cell.variant };
  };
  // A search for the load at which it recovers asks for cells that no shard could know of.
  const others: Executor = missing.length > 0 ? { run: () => Promise.resolve() } : localExecutor(options.jobs);
  const result = await runExperiment({ ...input, scenario, jobs: options.jobs, executor: storedCells(find, others) });
  const replay: Replay = { here: input.replay, anywhere: input.replay };
  const whole: Request = { kind: kind as Kind, file: input.file, replay, options, executor: others, reporters: [] };
  return finish(
    renamed(result, written, input.file),
    result.complete ? undefined : exitCodes.notComparable,
    whole,
    folder,
    terminal,
  );
}

interface Request {
  readonly kind: Kind;
  readonly file: string;
  readonly replay: Replay;
  readonly options: ExperimentOptions;
  readonly executor: Executor;
  readonly reporters: readonly ReporterUse[];
}

/** Runs the experiment under the user's eyes: progress, and an end by Ctrl-C that keeps what is finished. */
async function simulate(loaded: LoadedScenario, { kind, file, replay, options, executor }: Request, terminal: Terminal) {
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
      executor,
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
    const failures = failureLines(run, file, terminal.results);
    for (const line of failures) terminal.print(`${line}\n`);
    if (failures.length > 0) terminal.print(`Again: ${replay.here}\n`);
  } else {
    const { renderTerminal } = await import('../../report/terminal.ts');
    terminal.print(renderTerminal({ ...renamed(run, basename(file), file), replay: replay.here }, terminal.results));
  }
}

/** The same run with its scenario under another path. Result files name it without its folder, so that they do not depend on where it
 *  lay; on the terminal places and the replay command should work as they are. */
function renamed(run: RunFile, from: string, to: string): RunFile {
  return {
    ...run,
    expectations: run.expectations.map((each) => ({ ...each, file: each.file === from ? to : each.file })),
    warnings: run.warnings.map((each) => moved(each, from, to)),
  };
}

const moved = (issue: Issue, from: string, to: string): Issue =>
  issue.place === undefined || issue.place.file !== from ? issue : { ...issue, place: { ...issue.place, file: to } };
