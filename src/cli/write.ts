/** Result folders. Each file appears whole or not at all (temporary name in the same folder, then rename), and `manifest.json` tells
 *  what belongs to the result: it says `complete: false` from the first byte written to the last, so that a killed run cannot be
 *  taken for a finished one. A folder with other files in it is never touched unless asked for. */
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { InputError, ResourceLimit } from '../core/errors.ts';
import type { RunFile } from '../lab/types.ts';
import { type OutputFile, outputFormats } from '../report/index.ts';

export const manifestSchema = 'clusterlab-manifest/1';
export const manifestName = 'manifest.json';

export interface Manifest {
  readonly schema: typeof manifestSchema;
  /** False while writing, and when the experiment was interrupted. */
  readonly complete: boolean;
  /** File, relative to the folder with `/` → SHA-256 in hex. */
  readonly files: Readonly<Record<string, string>>;
}

/** Refuses early what could not be written later: a file in the way, or a folder that is somebody else's. */
export async function checkFolder(folder: string, options: { readonly force: boolean }): Promise<void> {
  let names: string[];
  try {
    names = await readdir(folder);
  } catch (failure) {
    if (codeOf(failure) === 'ENOENT') return;
    throw cannotWrite(folder, failure);
  }
  if (names.length === 0 || options.force || (await readManifest(folder)) !== undefined) return;
  throw InputError.of(
    'foreign-folder',
    `${folder} holds files that are not a clusterlab result, and was left alone`,
    'name another folder with --out, or add --force to write beside them',
  );
}

/** The files of some of the formats in `report/`, rendered one after the other. */
export async function* outputFiles(run: RunFile, formats: readonly string[]): AsyncGenerator<OutputFile> {
  for (const format of formats) yield* outputFormats[format]!.render(run);
}

/** Marks the folder as ours and its result as not finished, before the work begins: a folder that cannot be written is found out now. */
export async function beginFolder(folder: string): Promise<void> {
  const files = (await readManifest(folder))?.files ?? {};
  await writeWhole(
    join(folder, manifestName),
    `${JSON.stringify({ schema: manifestSchema, complete: false, files }, null, 2)}\n`,
  );
}

/** Writes the files and, last, the manifest. Files of an earlier result that are not written again are removed, or kept and listed
 *  on with `keepOthers`. */
export async function writeFolder(
  folder: string,
  files: AsyncIterable<OutputFile> | Iterable<OutputFile>,
  options: { readonly complete: boolean; readonly keepOthers?: boolean },
): Promise<Manifest> {
  const before = (await readManifest(folder))?.files ?? {};
  const hashes: Record<string, string> = options.keepOthers === true ? { ...before } : {};
  const manifest = (complete: boolean, listed: Readonly<Record<string, string>>): Manifest => ({
    schema: manifestSchema,
    complete,
    files: Object.fromEntries(Object.entries(listed).sort(([a], [b]) => (a < b ? -1 : 1))),
  });
  const writeManifest = async (content: Manifest): Promise<Manifest> => {
    await writeWhole(join(folder, manifestName), `${JSON.stringify(content, null, 2)}\n`);
    return content;
  };
  await writeManifest(manifest(false, before));
  for await (const { name, content } of files) {
    await writeWhole(join(folder, name), content);
    hashes[name] = createHash('sha256').update(content).digest('hex');
  }
  for (const name of Object.keys(before)) {
    if (!(name in hashes)) await removeQuietly(join(folder, name));
  }
  return writeManifest(manifest(options.complete, hashes));
}

/** Writes one file so that readers see the old content or the new, never half. Makes missing folders. */
export async function writeWhole(path: string, content: string | Uint8Array): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    await makeFolder(dirname(path));
    if (await isFolder(path)) throw Object.assign(new Error(), { code: 'EISDIR' });
    // A pipe or a device, such as /dev/stdout, is written to and not replaced.
    if (await isStream(path)) {
      await writeFile(path, content);
      return;
    }
    await writeFile(temporary, content);
    await rename(temporary, path);
  } catch (failure) {
    await removeQuietly(temporary);
    throw cannotWrite(path, failure);
  }
}

/** Like `mkdir -p`. Node's own recursive mode never returns where the system says "no such file" to every attempt, as in /proc. */
async function makeFolder(folder: string, parentExists = false): Promise<void> {
  try {
    await mkdir(folder);
  } catch (failure) {
    if (codeOf(failure) === 'EEXIST' && (await isFolder(folder))) return;
    if (codeOf(failure) !== 'ENOENT' || parentExists || dirname(folder) === folder) throw failure;
    await makeFolder(dirname(folder));
    await makeFolder(folder, true);
  }
}

/** The manifest of a folder that we wrote; undefined for any other folder. Names that would lead out of it are not ours. */
export async function readManifest(folder: string): Promise<Manifest | undefined> {
  try {
    const found = JSON.parse(await readFile(join(folder, manifestName), 'utf8')) as Partial<Manifest> | null;
    if (found?.schema !== manifestSchema || typeof found.files !== 'object' || found.files === null) return undefined;
    return Object.keys(found.files).every(staysInside) ? (found as Manifest) : undefined;
  } catch {
    return undefined;
  }
}

const staysInside = (name: string): boolean =>
  name !== '' &&
  !/^[\\/]|^[A-Za-z]:|\\/.test(name) &&
  !name.split('/').some((part) => part === '..' || part === '.' || part === '');

const isStream = async (path: string): Promise<boolean> => {
  try {
    const status = await stat(path);
    return !status.isFile() && !status.isDirectory();
  } catch {
    return false;
  }
};

const isFolder = async (path: string): Promise<boolean> => {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
};

async function removeQuietly(path: string): Promise<void> {
  try {
    await rm(path, { force: true });
  } catch {
    // Another program holds or guards it; the new manifest no longer lists it, which is what counts.
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: 'no space left on the device',
  EDQUOT: 'the disk quota is used up',
  ENOENT: 'there is no such place',
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOTDIR: 'a part of the path is a file, not a folder',
  EEXIST: 'a part of the path is a file, not a folder',
  EISDIR: 'a folder of that name is in the way',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many files are open',
  EFBIG: 'the file may not be that large',
};

function cannotWrite(path: string, failure: unknown): unknown {
  const code = codeOf(failure);
  if (code === undefined) return failure;
  return new ResourceLimit(`cannot write ${path}: ${reasons[code] ?? 'the system refused'} (${code})`, { cause: failure });
}

const codeOf = (failure: unknown): string | undefined =>
  failure instanceof Error && 'code' in failure && typeof failure.code === 'string' ? failure.code : undefined;
