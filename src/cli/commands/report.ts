/** `report`: every output again from `run.json` alone. One text format goes to standard output; files go into `--out`. */
import { exitCodes, InputError, type ExitCode } from '../../core/errors.ts';
import { suggest } from '../../core/suggest.ts';
import type { RunFile } from '../../lab/types.ts';
import { readRun } from '../read-run.ts';
import { chartFiles, csvFiles, htmlFile } from '../result-files.ts';
import type { Terminal } from '../terminal.ts';
import { checkFolder, writeFolder, type OutputFile } from '../write.ts';

interface Options {
  readonly format: string;
  readonly out?: string;
  readonly force?: boolean;
}

type Files = AsyncIterable<OutputFile> | Iterable<OutputFile>;

/** Format → its files; the first is what standard output gets. */
const formats: Readonly<Record<string, (run: RunFile, terminal: Terminal) => Files | Promise<Files>>> = {
  terminal: async (run, terminal) => {
    const { renderTerminal } = await import('../../report/terminal.ts');
    return [{ name: 'report.txt', content: renderTerminal(run, terminal.results) }];
  },
  html: async (run) => [await htmlFile(run)],
  csv: (run) => csvFiles(run),
  svg: (run) => chartFiles(run),
  json: async (run) => {
    const { serializeRun } = await import('../../report/json.ts');
    return [{ name: 'run.json', content: serializeRun(run) }];
  },
  md: async (run) => {
    const { renderMarkdown } = await import('../../report/markdown.ts');
    return [{ name: 'report.md', content: renderMarkdown(run) }];
  },
};

export async function report(path: string, options: Options, terminal: Terminal): Promise<ExitCode> {
  const names = parseFormats(options.format);
  const toPrint = options.out === undefined ? names : names.filter((name) => name === 'terminal');
  const toWrite = options.out === undefined ? [] : names.filter((name) => name !== 'terminal');
  if (toPrint.length > 1 || toPrint.includes('svg')) {
    throw InputError.of(
      'out-needed',
      `${toPrint.length > 1 ? 'several formats' : 'charts are several files and'} do not fit on standard output`,
      'add --out <dir>; one chart alone: clusterlab chart',
    );
  }
  const run = await readRun(path);
  for (const name of toPrint) {
    for await (const { content } of await formats[name]!(run, terminal)) {
      terminal.print(String(content));
      break;
    }
  }
  if (options.out !== undefined && toWrite.length > 0) {
    await checkFolder(options.out, { force: options.force === true });
    await writeFolder(options.out, allFiles(toWrite, run, terminal), { complete: run.complete, keepOthers: true });
    terminal.note(`Written: ${options.out}\n`);
  }
  return exitCodes.ok;
}

async function* allFiles(names: readonly string[], run: RunFile, terminal: Terminal): AsyncGenerator<OutputFile> {
  for (const name of names) yield* await formats[name]!(run, terminal);
}

function parseFormats(list: string): string[] {
  const names = [...new Set(list.split(',').map((name) => name.trim()))];
  const unknown = names.find((name) => !Object.hasOwn(formats, name));
  if (unknown === undefined) return names;
  const meant = suggest(unknown, Object.keys(formats));
  throw InputError.of(
    'unknown-format',
    `there is no format "${unknown}"`,
    `${meant === undefined ? '' : `did you mean "${meant}"? `}known: ${Object.keys(formats).join(', ')}`,
  );
}
