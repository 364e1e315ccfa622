/** A finished run from disk: `run.json`, or the folder that holds it. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../core/errors.ts';
import type { RunFile } from '../lab/types.ts';
import { parseRun } from '../report/json.ts';

export async function readRun(path: string): Promise<RunFile> {
  let file = path;
  try {
    if ((await stat(path)).isDirectory()) file = join(path, 'run.json');
    return parseRun(await readFile(file, 'utf8'), file);
  } catch (failure) {
    if (failure instanceof InputError || !(failure instanceof Error) || !('code' in failure)) throw failure;
    const missing = failure.code === 'ENOENT';
    throw InputError.of(
      'unreadable-run',
      missing ? `there is no ${file}` : `cannot read ${file} (${String(failure.code)})`,
      'name the run.json that clusterlab run or compare wrote, or its folder',
    );
  }
}
