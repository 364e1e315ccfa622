/** `import`: access logs to a trace that can be played again and a scenario fitted to it. Says every line it cannot read; writes both files
 *  or neither. */
import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { addAbortSignal } from 'node:stream';
import { exitCodes, InputError, ResourceLimit, type ExitCode } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';
import { parseColumns } from '../../scenario/import/columns.ts';
import type { FittedLog } from '../../scenario/import/fitted-log.ts';
import { formats } from '../../scenario/import/formats.ts';
import { importLog, type BadLine, type LogSource } from '../../scenario/import/import-log.ts';
import { zoneNamed } from '../../scenario/import/local-zone.ts';
import { plainName, printable, quoted } from '../../scenario/import/printable.ts';
import { summaryOf, writeScenario } from '../../scenario/import/write-scenario.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { commandLine, folderText } from '../shell.ts';
import type { Terminal } from '../terminal.ts';
import { checkFolder, writeWhole } from '../write.ts';

export interface ImportCommandOptions {
  readonly format: string;
  readonly column?: readonly string[];
  readonly out?: string;
  readonly maxErrors: number;
  readonly classes: number;
  /** `yes` or `no`. */
  readonly spread: string;
  readonly timeIs?: 'start' | 'end';
  readonly zone: string;
  readonly replay?: boolean;
  readonly closed?: boolean;
  readonly gzip?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly quiet?: boolean;
}

const scenarioName = 'scenario.yaml';

export async function importLogs(files: readonly string[], options: ImportCommandOptions, terminal: Terminal): Promise<ExitCode> {
  checkFormat(options.format);
  const columns = parseColumns(options.column ?? []);
  const zone = zoneNamed(options.zone);
  if (zone === undefined)
    throw InputError.of(
      'unknown-zone',
      `--zone: there is no time zone ${quoted(options.zone)}`,
      'write UTC, +02:00 or Europe/Berlin',
    );
  const base = plainName(nameOf(files[0]));
  const folder = options.out ?? `reports/${base}`;
  await checkFolder(folder, { force: options.force === true });
  for (const file of files) await checkReadable(file);

  const interrupt = listenForInterrupt(() => terminal.note('interrupted: nothing is written\n'));
  const sources = files.map((file) => open(file, interrupt.signal));
  try {
    const { fitted, trace } = await importLog({
      ...{ sources, folder, name: `${base}-fitted`, format: options.format, columns, zone },
      ...(options.timeIs === undefined ? {} : { timeIs: options.timeIs }),
      ...{
        maxErrors: options.maxErrors,
        maxClasses: options.classes,
        spread: options.spread === 'yes',
        gzip: options.gzip === true,
      },
      onBadLine: (bad) => terminal.note(badLineText(bad)),
      signal: interrupt.signal,
    });
    try {
      await writeWhole(join(folder, scenarioName), writeScenario(fitted, { traceName: trace.name, replay: replayOf(options) }));
      // Giving the trace its name is what can hardly fail, so it comes last.
      await trace.commit();
    } catch (failure) {
      await rm(join(folder, scenarioName), { force: true });
      await trace.discard();
      throw failure;
    }
    show(fitted, folder, trace.name, options, terminal);
    return exitCodes.ok;
  } catch (failure) {
    const code = interrupt.code();
    if (code !== undefined) return code;
    throw readable(failure);
  } finally {
    interrupt.stop();
  }
}

function checkFormat(format: string): void {
  const known = ['auto', ...Object.keys(formats)];
  if (known.includes(format)) return;
  const meant = suggest(format, known);
  throw InputError.of(
    'unknown-format',
    `there is no log format ${quoted(format, 40)}`,
    `${meant === undefined ? '' : `did you mean ${meant}? `}known: ${known.join(', ')}`,
  );
}

const replayOf = ({ replay, closed }: ImportCommandOptions): 'open' | 'closed' | undefined =>
  closed === true ? 'closed' : replay === true ? 'open' : undefined;

const nameOf = (file: string): string =>
  file === '-' ? 'stdin' : basename(file).replace(/(\.(gz|log|txt|csv|jsonl?|ndjson))+$/i, '');

async function checkReadable(file: string): Promise<void> {
  if (file === '-') return;
  const problem = await stat(file).then(
    (status) => (status.isDirectory() ? 'is a folder' : undefined),
    (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? 'no such file' : (error.code ?? error.message)),
  );
  if (problem !== undefined) throw InputError.of('unreadable-file', `cannot read ${printable(file, 300)}: ${problem}`);
}

/** Opened when its turn comes. An interrupt ends also the wait for a pipe that is silent. */
function open(file: string, signal: AbortSignal): LogSource {
  if (file === '-') return { name: 'stdin', bytes: addAbortSignal(signal, process.stdin) };
  const bytes = {
    [Symbol.asyncIterator]: () => createReadStream(file, { highWaterMark: 256 * 1024, signal })[Symbol.asyncIterator](),
  };
  return { name: file, bytes };
}

/** What the system says about a log or a disk is no bug of ours. */
function readable(failure: unknown): unknown {
  if (!(failure instanceof Error) || !('syscall' in failure) || !('code' in failure)) return failure;
  const code = String(failure.code);
  if (failure.syscall === 'read' || failure.syscall === 'open')
    return InputError.of('unreadable-file', `cannot read the log: ${code}`);
  return new ResourceLimit(`cannot write: ${code}`, { cause: failure });
}

const badLineText = ({ file, line, reason, text }: BadLine): string =>
  `${printable(file, 300)}:${line}: ${printable(reason, 200)}: ${printable(text, 100)}\n`;

function show(fitted: FittedLog, folder: string, traceName: string, options: ImportCommandOptions, terminal: Terminal): void {
  if (options.json === true) {
    terminal.print(`${JSON.stringify(fitted, null, 2)}\n`);
    return;
  }
  const { lines, disorder } = fitted;
  if (options.quiet !== true) {
    terminal.print(`${summaryOf(fitted).join('\n')}\n`);
    if (lines.bad > 0) terminal.print(`${lines.bad} of ${lines.read} lines could not be read and are left out.\n`);
    if (disorder.lines > 0)
      terminal.print(`${disorder.lines} lines came up to ${Math.ceil(disorder.mostMs / 1000)} s late and were put in order.\n`);
  }
  terminal.print(`Written: ${folderText(folder)} (${traceName}, ${scenarioName})\n`);
  terminal.print(`Next: ${commandLine('clusterlab', 'run', join(folder, scenarioName))}\n`);
}
