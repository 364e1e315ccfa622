/** Turns what goes wrong with a data file into a complaint about the line that names it. */
import type { Path } from '../core/issue.ts';
import { show } from '../core/quantity.ts';
import { CsvError } from './csv.ts';
import type { Env } from './distributions.ts';

/** The result of `read`, or undefined after a complaint. `path` is that of the file's name, `file` the name as written. */
export async function reading<Result>(
  file: string,
  path: Path,
  env: Env,
  read: (absolutePath: string) => Promise<Result>,
): Promise<Result | undefined> {
  const complain = (code: string, message: string, hint?: string): undefined => {
    env.complaints.error(code, path, message, hint);
  };
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(file))
    return complain('bad-path', 'expected a file, found an address', 'download it first');
  const absolutePath = env.data.resolve(file);
  const problem = await env.data.whyUnreadable(absolutePath);
  if (problem !== null)
    return complain('unreadable-file', `cannot read ${show(file)}: ${problem}`, 'paths are relative to the scenario file');
  try {
    return await read(absolutePath);
  } catch (error) {
    if (error instanceof CsvError) return complain('bad-data', `${show(file)}: ${error.message}`);
    if (error instanceof Error && 'syscall' in error)
      return complain('unreadable-file', `cannot read ${show(file)}: ${error.message}`);
    throw error;
  }
}
