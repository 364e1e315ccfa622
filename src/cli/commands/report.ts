/** `report`: every output again from `run.json` alone. One text format goes to standard output; files go into `--out`. */
import { exitCodes, InputError, type ExitCode } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';
import { outputFormats } from '../../report/index.ts';
import { renderTerminal } from '../../report/terminal.ts';
import { readRun } from '../read-run.ts';
import { folderText } from '../shell.ts';
import type { Terminal } from '../terminal.ts';
import { checkFolder, outputFiles, writeFolder } from '../write.ts';

interface Options {
  readonly format: string;
  readonly out?: string;
  readonly force?: boolean;
}

export async function report(path: string, options: Options, terminal: Terminal): Promise<ExitCode> {
  const formats = parseFormats(options.format);
  const files = formats.filter((name) => name !== 'terminal');
  if (options.out === undefined) refuseForStandardOutput(formats);
  const run = await readRun(path);
  if (formats.includes('terminal')) terminal.print(renderTerminal(run, terminal.results));
  if (options.out !== undefined && files.length > 0) {
    await checkFolder(options.out, { force: options.force === true });
    await writeFolder(options.out, outputFiles(run, files), { complete: run.complete, keepOthers: true });
    terminal.note(`Written: ${folderText(options.out)}\n`);
  } else {
    // Of a format with several files, the first is the one that stands for it.
    for await (const { content } of outputFiles(run, files)) {
      terminal.print(String(content));
      break;
    }
  }
  return exitCodes.ok;
}

/** Standard output takes one text. */
function refuseForStandardOutput(formats: readonly string[]): void {
  const pictures = formats.filter((name) => outputFormats[name]?.files.some((file) => file.startsWith('charts/')));
  if (formats.length === 1 && pictures.length === 0) return;
  throw InputError.of(
    'out-needed',
    `${formats.length > 1 ? 'several formats do' : `${formats[0]} is many files and does`} not fit on standard output`,
    'add --out <dir>; one chart alone: clusterlab chart',
  );
}

function parseFormats(list: string): string[] {
  const names = [...new Set(list.split(',').map((name) => name.trim()))];
  const known = ['terminal', ...Object.keys(outputFormats)];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return names;
  const meant = suggest(unknown, known);
  throw InputError.of(
    'unknown-format',
    `there is no format "${unknown}"`,
    `${meant === undefined ? '' : `did you mean "${meant}"? `}known: ${known.join(', ')}`,
  );
}
