/** `chart`: one chart of a finished run, chosen on the command line. The file's ending says what is written. */
import { exitCodes, InputError, type ExitCode } from '../../core/errors.ts';
import { customChart } from '../../report/charts/custom.ts';
import { readRun } from '../read-run.ts';
import type { Terminal } from '../terminal.ts';
import { writeWhole } from '../write.ts';

interface Options {
  readonly metric: string;
  readonly by: string;
  readonly type?: string;
  readonly filter?: readonly string[];
  readonly title?: string;
  readonly out?: string;
}

export async function chart(path: string, options: Options, terminal: Terminal): Promise<ExitCode> {
  const { out } = options;
  const ending = out === undefined ? '.svg' : endings.find((each) => out.endsWith(each));
  if (ending === undefined) {
    throw InputError.of(
      'unknown-ending',
      `cannot tell from "${out}" what to draw`,
      `name a file that ends in ${endings.join(', ')}`,
    );
  }
  const run = await readRun(path);
  const { metric, by, type, title } = options;
  const spec = customChart(run, {
    metric,
    by,
    ...(type === undefined ? {} : { type }),
    ...(title === undefined ? {} : { title }),
    ...(options.filter === undefined ? {} : { filter: parseFilters(options.filter) }),
  });
  const content = await draw(spec, ending);
  if (out === undefined) terminal.print(String(content));
  else await writeWhole(out, content);
  return exitCodes.ok;
}

const endings = ['.svg', '.png', '.vl.json'] as const;

async function draw(spec: ReturnType<typeof customChart>, ending: (typeof endings)[number]): Promise<string | Uint8Array> {
  if (ending === '.vl.json') return `${JSON.stringify(spec, null, 1)}\n`;
  const { renderSvg } = await import('../../report/svg.ts');
  const svg = await renderSvg(spec);
  if (ending === '.svg') return svg;
  const { renderPng } = await import('../../report/png.ts');
  return renderPng(svg);
}

/** The same key given twice keeps both. */
function parseFilters(texts: readonly string[]): Readonly<Record<string, string>> {
  const filters: Record<string, string> = {};
  for (const text of texts) {
    const at = text.indexOf('=');
    if (at < 1) throw InputError.of('bad-filter', `--filter "${text}" is not key=value`, 'as in --filter variant=p2c');
    const key = text.slice(0, at);
    filters[key] = [...(Object.hasOwn(filters, key) ? [filters[key]] : []), text.slice(at + 1)].join(',');
  }
  return filters;
}
