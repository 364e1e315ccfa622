/** `sweep`: the same comparison at many points: who wins where, what matters, where the order changes. Goes on where it was left. */
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { exitCodes, InputError, type ExitCode } from '../../core/errors.ts';
import { findMetric, metricNames } from '../../core/metrics.ts';
import { suggest } from '../../core/suggest.ts';
import { parseShard, serializeShard, shardFile, shareOf, type ShardNumber } from '../../lab/shards.ts';
import { collectSweep } from '../../lab/sweep/collect.ts';
import { planSweep, type SweepOutline, type SweepPlan } from '../../lab/sweep/plan.ts';
import { runSweep, type SweptCell } from '../../lab/sweep/run.ts';
import type { SweepFile } from '../../lab/sweep/types.ts';
import { serializePlain } from '../../report/json.ts';
import { plural } from '../../report/summary.ts';
import { cellFolder } from '../cell-folder.ts';
import { openExecutor, type ExecutorChoice, type ShardChoice } from '../executor.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { noteIssues } from '../notes.ts';
import { type ExperimentOptions, loadOptions } from '../options.ts';
import { progressLine, silentProgress } from '../progress.ts';
import { replayCommand } from '../replay.ts';
import { commandLine, folderText } from '../shell.ts';
import type { Terminal } from '../terminal.ts';
import { beginFolder, checkFolder, writeFolder, writeWhole } from '../write.ts';

export interface SweepOptions extends ExperimentOptions, ExecutorChoice, ShardChoice {
  readonly design: 'factorial' | 'lhs';
  readonly points: number;
  readonly metric: string;
}

export async function sweep(file: string, options: SweepOptions, terminal: Terminal): Promise<ExitCode> {
  const quiet = options.quiet === true;
  const metric = checkedMetric(options.metric);
  const shard = options.shard === undefined ? undefined : parseShard(options.shard, process.env, options.of);
  const executor = await openExecutor(options, terminal.note);
  const planning = quiet ? silentProgress : progressLine(terminal, 'points checked');
  let plan: SweepPlan;
  try {
    plan = await planSweep({
      file,
      sets: options.set ?? [],
      design: options.design,
      points: options.points,
      load: { ...loadOptions(options), overrides: [] },
      readLines,
      onPoint: (done, total) => planning.update({ done, total, simulatedMs: 0, share: 0 }),
    });
  } finally {
    planning.end();
  }
  checkMeasured(metric, plan);
  if (!quiet) await noteIssues(plan.warnings, terminal);
  const folder = options.out === false ? undefined : (options.out ?? `reports/${plan.scenario.name}-sweep`);
  if (shard !== undefined && folder === undefined)
    throw InputError.of('out-needed', 'a shard has to be written somewhere', 'leave --no-out away');
  if (folder !== undefined) {
    await checkFolder(folder, { force: options.force === true });
    await beginFolder(folder);
  }
  const replay = replayOf(file, options);
  const outline: SweepOutline = { ...plan.outline, metric, replay: replay.anywhere };
  const keys = plan.cells.map(({ key }) => key);
  const todo = shard === undefined ? plan.cells : shareOf(plan.cells, shard);

  const progress = quiet ? silentProgress : progressLine(terminal, 'cells');
  const interrupt = listenForInterrupt(() => {
    progress.end();
    terminal.note('interrupted: keeping what is finished; once more to stop at once\n');
  });
  let cells: ReadonlyMap<string, SweptCell>;
  try {
    const done = await runSweep(plan, todo, {
      executor,
      store: cellFolder(folder),
      signal: interrupt.signal,
      onProgress: progress.update,
    });
    ({ cells } = done);
    if (!quiet && done.reused > 0)
      terminal.note(`${plural(done.reused, 'cell')} of ${new Set(todo.map(({ key }) => key)).size} were there already\n`);
  } finally {
    progress.end();
    interrupt.stop();
  }
  const wanted = new Set(todo.map(({ key }) => key)).size;
  if (cells.size < wanted) {
    const goOn = folder === undefined ? '' : `; the same command goes on from there`;
    terminal.note(`incomplete: ${cells.size} of ${wanted} cells finished${goOn}\n`);
    return interrupt.code() ?? exitCodes.couldNotFinish;
  }
  if (shard !== undefined) return writeShard(folder!, { shard, outline, keys, cells }, terminal);
  await showSweep(collectSweep(outline, keys, cells), { folder, replay: replay.here, options }, terminal);
  return exitCodes.ok;
}

async function writeShard(
  folder: string,
  {
    shard,
    outline,
    keys,
    cells,
  }: { shard: ShardNumber; outline: SweepOutline; keys: readonly string[]; cells: ReadonlyMap<string, SweptCell> },
  terminal: Terminal,
): Promise<ExitCode> {
  const name = shardFile(shard);
  const text = serializeShard({ kind: 'sweep', shard, request: outline, keys, cells: Object.fromEntries(cells) });
  await writeWhole(`${folder}/${name}`, text);
  terminal.print(
    `Shard ${shard.index} of ${shard.of}: ${plural(cells.size, 'cell')} in ${folder}/${name}\nPut together: ${commandLine('clusterlab', 'merge', folder)}\n`,
  );
  return exitCodes.ok;
}

/** Files and report of a finished or merged sweep. */
export async function showSweep(
  result: SweepFile,
  {
    folder,
    replay,
    options,
  }: {
    readonly folder: string | undefined;
    readonly replay: string;
    readonly options: Pick<ExperimentOptions, 'json' | 'quiet'>;
  },
  terminal: Terminal,
): Promise<void> {
  if (options.json === true) terminal.print(serializePlain(result));
  else if (options.quiet === true) terminal.print(`${result.verdict[0] ?? ''}\n`);
  else {
    const { sweepText } = await import('../../report/sweep/text.ts');
    terminal.print(sweepText({ ...result, replay }, terminal.results));
  }
  if (folder === undefined) return;
  const { sweepFiles } = await import('../../report/sweep/index.ts');
  await writeFolder(folder, sweepFiles(result), { complete: result.complete });
  if (options.quiet !== true) terminal.note(`Written: ${folderText(folder)} (open report.html in a browser)\n`);
}

function checkedMetric(text: string): string {
  const name = text.split('{', 1)[0];
  if (findMetric(name) !== undefined) return text;
  const meant = suggest(name, metricNames);
  throw InputError.of(
    'unknown-metric',
    `--metric: there is no metric "${name}"`,
    meant === undefined ? 'clusterlab metrics lists them' : `did you mean "${meant}"?`,
  );
}

/** A part of the requests needs statistics of its own at every point. */
function checkMeasured(metric: string, { scenario }: SweepPlan): void {
  const view = /\{(.*)\}$/s.exec(metric)?.[1];
  if (view === undefined) return;
  const known = scenario.views.map(({ label }) => label);
  if (scenario.variants.every((variant) => (variant.scenario ?? scenario).views.some(({ label }) => label === view))) return;
  const list = known.length === 0 ? 'the scenario has no parts' : `there are ${known.join('; ')}`;
  throw InputError.of(
    'unknown-part',
    `--metric: {${view}} is not measured at every point`,
    `${list}; a line of expect: adds one`,
  );
}

function replayOf(file: string, options: SweepOptions): { readonly here: string; readonly anywhere: string } {
  const { here, anywhere } = replayCommand('sweep', file, options);
  const more = [
    ...(options.design === 'lhs' ? ['--design', 'lhs', '--points', String(options.points)] : []),
    ...(options.metric === 'latency.p99' ? [] : ['--metric', options.metric]),
  ];
  const tail = more.length === 0 ? '' : ` ${commandLine(...more)}`;
  return { here: here + tail, anywhere: anywhere + tail };
}

const linesMax = 1024 * 1024;

async function readLines(file: string): Promise<readonly string[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (failure) {
    const code = failure instanceof Error && 'code' in failure ? String(failure.code) : String(failure);
    throw InputError.of(
      'unreadable-file',
      `cannot read ${file} (${code})`,
      `--set path=@${basename(file)} reads one value per line`,
    );
  }
  if (text.length > linesMax) throw InputError.of('too-large', `${file} is larger than any list of values`);
  return text.split(/\r?\n/);
}
