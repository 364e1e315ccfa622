/** `--reporter default,junit=results.xml`: which reports are made, and where they go. A reporter without a file prints; only one of them
 *  can, besides `default` and `github`, whose lines stand beside each other in a log. */
import { appendFile } from 'node:fs/promises';
import { InputError } from '../core/errors.ts';
import { suggest } from '../core/suggest.ts';
import type { GateReport } from '../gate/report.ts';
import { gateReporters } from '../report/gate/index.ts';
import type { Terminal } from './terminal.ts';
import { writeWhole } from './write.ts';

export interface ReporterUse {
  readonly name: string;
  readonly file?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

export function parseReporters(list: string | undefined, env: Environment): readonly ReporterUse[] {
  const onGitHub = env.GITHUB_ACTIONS === 'true';
  if (list === undefined) return [{ name: 'default' }, ...(onGitHub ? [{ name: 'github' }] : [])];
  const uses = list.split(',').map((part): ReporterUse => {
    const at = part.indexOf('=');
    const name = (at < 0 ? part : part.slice(0, at)).trim();
    const file = at < 0 ? undefined : part.slice(at + 1).trim();
    if (!Object.hasOwn(gateReporters, name)) {
      const meant = suggest(name, Object.keys(gateReporters));
      const known = `known: ${Object.keys(gateReporters).join(', ')}`;
      throw InputError.of(
        'unknown-reporter',
        `there is no reporter ${JSON.stringify(name)}`,
        meant === undefined ? known : `did you mean "${meant}"? ${known}`,
      );
    }
    if (file === '')
      throw InputError.of('no-file', `reporter ${name}= names no file`, `write ${name}=results.txt, or ${name} alone`);
    return file === undefined ? { name } : { name, file };
  });
  const printing = uses.filter(({ name, file }) => file === undefined && name !== 'default' && name !== 'github');
  const texts = uses.filter(({ name, file }) => file === undefined && (name === 'default' || name === 'github'));
  if (printing.length > 1 || (printing.length === 1 && texts.length > 0)) {
    throw InputError.of(
      'out-needed',
      `${[...texts, ...printing].map(({ name }) => name).join(' and ')} do not fit on standard output together`,
      `give ${printing[0]!.name} a file: ${printing[0]!.name}=${gateReporters[printing[0]!.name]!.file}`,
    );
  }
  return uses;
}

/** GitHub cuts a summary off beyond this. */
const summaryMax = 1024 * 1024;

export async function report(
  found: GateReport,
  uses: readonly ReporterUse[],
  { terminal, quiet, env }: { readonly terminal: Terminal; readonly quiet: boolean; readonly env: Environment },
): Promise<void> {
  for (const { name, file } of uses) {
    const text = gateReporters[name]!.render(found, { unicode: terminal.results.unicode, quiet });
    if (file === undefined) terminal.print(text);
    else await writeWhole(file, text);
    const summary = env.GITHUB_STEP_SUMMARY;
    if (name === 'github' && summary !== undefined && summary !== '') {
      const whole = gateReporters.markdown!.render(found, { unicode: true });
      const fits = Buffer.byteLength(whole) <= summaryMax;
      const body = fits ? whole : `${whole.slice(0, whole.indexOf('\n'))}\n\nThe rest is too long for a summary.\n`;
      try {
        await appendFile(summary, body);
      } catch (failure) {
        terminal.note(`the job summary could not be written: ${failure instanceof Error ? failure.message : String(failure)}\n`);
      }
    }
  }
}
