/** `validate`: every mistake of every file at once, with its place. Reads, and does nothing else. */
import { exitCodes, InputError, type ExitCode } from '../../core/errors.ts';
import type { Issue } from '../../core/issue.ts';
import { loadScenario } from '../../scenario/load.ts';
import { issuesToJson } from '../issues.ts';
import { noteIssues } from '../notes.ts';
import { plural } from '../../report/summary.ts';
import type { Terminal } from '../terminal.ts';

export async function validate(
  files: readonly string[],
  options: { readonly json?: boolean },
  terminal: Terminal,
): Promise<ExitCode> {
  const found: Issue[] = [];
  for (const file of files) {
    const issues = await check(file, (summary) => {
      if (options.json !== true) terminal.print(`${file}: ${summary}\n`);
    });
    found.push(...issues);
    if (options.json !== true) await noteIssues(issues, terminal);
  }
  if (options.json === true) terminal.print(`${JSON.stringify(issuesToJson(found), null, 2)}\n`);
  return found.some(({ severity }) => severity === 'error') ? exitCodes.badInput : exitCodes.ok;
}

async function check(file: string, onValid: (summary: string) => void): Promise<readonly Issue[]> {
  try {
    const { scenario, warnings } = await loadScenario(file, { overrides: [] });
    const { variants, run } = scenario;
    onValid(`valid, ${plural(variants.length, 'variant')} x ${plural(run.seeds.length, 'seed')}`);
    return warnings;
  } catch (failure) {
    if (failure instanceof InputError) return failure.issues;
    throw failure;
  }
}
