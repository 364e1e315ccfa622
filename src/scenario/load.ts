/** A scenario from its file: the only part of this folder that touches the disk. */
import { createHash } from 'node:crypto';
import { constants, createReadStream } from 'node:fs';
import { open, realpath, stat, type FileHandle } from 'node:fs/promises';
import { dirname, isAbsolute, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { InputError } from '../core/errors.ts';
import type { Issue } from '../core/issue.ts';
import type { DataFiles } from './data-files.ts';
import { decode } from './decode.ts';
import { type Override, parseScenario } from './parse.ts';
import type { SeedOptions } from './run.ts';
import type { Scenario } from './spec.ts';

/** Nobody writes more by hand; it bounds what a wrong path can cost. */
const maxBytes = 1024 * 1024;

export interface LoadOptions extends SeedOptions {
  /** `path=value`, as with --set. */
  readonly overrides?: readonly Override[];
  /** Lets policies be loaded from outside the current folder. */
  readonly allowOutside?: boolean;
}

export interface LoadedScenario {
  readonly scenario: Scenario;
  readonly text: string;
  /** Of the file's bytes. */
  readonly sha256: string;
  readonly warnings: readonly Issue[];
}

/** Throws InputError with everything that is wrong. */
export async function loadScenario(file: string, options: LoadOptions = {}): Promise<LoadedScenario> {
  const bytes = await readBytes(file);
  const text = decode(bytes, file);
  const data = dataFilesAt(dirname(resolve(file)), options.allowOutside ?? false);
  const { scenario, warnings } = await parseScenario(text, file, { ...options, data });
  return { scenario, text, sha256: createHash('sha256').update(bytes).digest('hex'), warnings };
}

async function readBytes(file: string): Promise<Uint8Array> {
  let handle: FileHandle | undefined;
  try {
    // Non-blocking, or opening a FIFO without a writer would wait for ever.
    handle = await open(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    const status = await handle.stat();
    if (!status.isFile())
      throw InputError.of('unreadable-file', `${file}: ${status.isDirectory() ? 'is a folder' : 'is not a regular file'}`);
    if (status.size > maxBytes) throw tooLarge(file);
    // The size may be a lie, as in /proc, or change meanwhile.
    const buffer = new Uint8Array(maxBytes + 1);
    let length = 0;
    for (;;) {
      const { bytesRead } = await handle.read(buffer, length, buffer.length - length);
      length += bytesRead;
      if (length > maxBytes) throw tooLarge(file);
      if (bytesRead === 0) return buffer.slice(0, length);
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw InputError.of('unreadable-file', `cannot read ${file}: ${reasonOf(error)}`);
  } finally {
    await handle?.close();
  }
}

const tooLarge = (file: string): InputError =>
  InputError.of('too-large', `${file}: larger than ${maxBytes} bytes, which no scenario is`);

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return reasons[code] ?? (error instanceof Error ? error.message : String(error));
}
const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  ENOTDIR: 'no such file',
  EISDIR: 'is a folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'symbolic links go in circles',
  ENAMETOOLONG: 'the name is too long',
  ERR_INVALID_ARG_VALUE: 'not a file name',
};

/** Files named relative to this folder. */
export function dataFilesAt(folder: string, allowOutside: boolean): DataFiles {
  return {
    resolve: (path) => resolve(folder, path),
    open: (path) => createReadStream(path, { highWaterMark: 256 * 1024 }),
    async whyUnreadable(path) {
      try {
        const status = await stat(path);
        return status.isFile() ? null : status.isDirectory() ? 'is a folder' : 'is not a regular file';
      } catch (error) {
        return reasonOf(error);
      }
    },
    async isInsideProject(path) {
      if (allowOutside) return true;
      const way = relative(await realpath('.'), await realpath(path));
      return way !== '' && !way.startsWith('..') && !isAbsolute(way);
    },
    async resolvePackage(specifier) {
      const { createJiti } = await import('jiti');
      const { esmResolve } = createJiti(pathToFileURL(`${folder}/`).href);
      try {
        const url = esmResolve(specifier, { try: true, async: true });
        return url === undefined || !url.startsWith('file:') ? null : fileURLToPath(url);
      } catch {
        return null;
      }
    },
  };
}
