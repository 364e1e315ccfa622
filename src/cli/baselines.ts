/** Named baselines on disk: one file each, in a folder that belongs into version control. */
import { open, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, NotComparable, ResourceLimit } from '../core/errors.ts';
import { suggest } from '../core/suggest.ts';
import { type Baseline, parseBaseline, serializeBaseline } from '../gate/baseline.ts';
import { writeWhole } from './write.ts';

export const baselineFolder = 'baselines';

/** Nobody compares more than some thousand numbers. */
const maxBytes = 16 * 1024 * 1024;

export const fileOf = (folder: string, name: string): string => join(folder, `${checkedName(name)}.json`);

/** A name is a file name on every system, and leads nowhere else. */
export function checkedName(name: string): string {
  const isReserved = /^(con|prn|aux|nul|com\d|lpt\d)$/i.test(name);
  if (/^[A-Za-z0-9][\w.-]{0,99}$/.test(name) && !isReserved && !name.endsWith('.')) return name;
  const shown = JSON.stringify(name.length > 60 ? `${name.slice(0, 60)}…` : name);
  throw InputError.of(
    'bad-name',
    `${shown} cannot name a baseline`,
    'letters, digits, dot, dash and underscore, as in main or v1.2',
  );
}

export async function readBaseline(folder: string, name: string): Promise<Baseline> {
  const file = fileOf(folder, name);
  let text: string;
  try {
    text = await readLimited(file);
  } catch (failure) {
    if (failure instanceof NotComparable || !(failure instanceof Error && 'code' in failure)) throw failure;
    if (failure.code !== 'ENOENT' && failure.code !== 'ENOTDIR')
      throw new NotComparable(`cannot read ${file} (${String(failure.code)})`, 'a baseline is a file');
    const known = await listBaselines(folder);
    const meant = suggest(name, known);
    throw new NotComparable(
      `there is no baseline "${name}" in ${folder}${known.length === 0 ? '' : `; there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}`}`,
      meant === undefined ? `make it with clusterlab baseline save ${name} <scenario>` : `did you mean "${meant}"?`,
    );
  }
  return parseBaseline(text, file);
}

async function readLimited(file: string): Promise<string> {
  const handle = await open(file, 'r');
  try {
    const status = await handle.stat();
    if (!status.isFile()) throw new NotComparable(`${file} is not a file`, 'a baseline is a file');
    if (status.size > maxBytes) throw new NotComparable(`${file} is larger than any baseline`, 'save it again');
    return await handle.readFile('utf8');
  } finally {
    await handle.close();
  }
}

export async function writeBaseline(folder: string, baseline: Baseline): Promise<string> {
  const file = fileOf(folder, baseline.name);
  await writeWhole(file, serializeBaseline(baseline));
  return file;
}

/** Names, sorted. */
export async function listBaselines(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names
      .filter((name) => /^[A-Za-z0-9][\w.-]*\.json$/.test(name))
      .map((name) => name.slice(0, -'.json'.length))
      .sort();
  } catch (failure) {
    if (failure instanceof Error && 'code' in failure && (failure.code === 'ENOENT' || failure.code === 'ENOTDIR')) return [];
    throw new ResourceLimit(`cannot read ${folder} (${failure instanceof Error ? failure.message : String(failure)})`);
  }
}

export async function removeBaseline(folder: string, name: string): Promise<void> {
  // Nothing but a baseline is ever removed.
  await readBaseline(folder, name);
  await rm(fileOf(folder, name));
}
