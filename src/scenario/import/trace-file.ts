/** The requests of a log as a table that can be played again: CSV by RFC 4180 with the columns `time_ms,class,key,session,service_ms,
 *  status`, packed with gzip or not. Written as it is made, under a temporary name; it appears whole or not at all. */
import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { ResourceLimit } from '../../core/errors.ts';
import type { Ms } from '../../core/time.ts';

export const traceColumns = ['time_ms', 'class', 'key', 'session', 'service_ms', 'status'] as const;

const pieceLength = 128 * 1024;

export class TraceFile {
  /** Within the folder. */
  declare readonly name: string;
  declare private readonly folder: string;
  declare private readonly madeFolder: boolean;
  declare private readonly temporary: string;
  declare private readonly stream: Writable;
  declare private readonly ends: Promise<unknown>;
  declare private text: string;
  declare private failure: unknown;

  private constructor(folder: string, madeFolder: boolean, gzip: boolean) {
    this.folder = folder;
    this.madeFolder = madeFolder;
    this.name = gzip ? 'trace.csv.gz' : 'trace.csv';
    this.temporary = join(folder, `.${this.name}.${process.pid}.tmp`);
    this.text = `${traceColumns.join(',')}\r\n`;
    const file = createWriteStream(this.temporary);
    // Gzip writes no time of its own, so that equal logs give equal bytes.
    const gzipper = gzip ? createGzip() : undefined;
    if (gzipper !== undefined) file.on('error', (error) => gzipper.destroy(error));
    gzipper?.pipe(file);
    this.stream = gzipper ?? file;
    this.failure = undefined;
    this.ends = finished(file).catch((error: unknown) => {
      this.failure = error;
    });
    if (gzipper !== undefined) finished(gzipper).catch(() => {});
  }

  /** Makes the folder when it is missing. */
  static async open(folder: string, gzip: boolean): Promise<TraceFile> {
    try {
      const made = await mkdir(folder, { recursive: true });
      const file = new TraceFile(folder, made !== undefined, gzip);
      if ((await stat(folder)).isDirectory()) return file;
      throw Object.assign(new Error(), { code: 'ENOTDIR' });
    } catch (failure) {
      throw cannotWrite(folder, failure);
    }
  }

  /** For other temporary files. */
  temporaryPath(name: string): string {
    return join(this.folder, `.${name}.${process.pid}.tmp`);
  }

  /** NaN leaves a cell empty. True when it is time to call `drain`. */
  add(timeMs: Ms, kind: string, key: number, session: number, serviceMs: Ms, status: number): boolean {
    const keyText = Number.isNaN(key) ? '' : String(key);
    const sessionText = Number.isNaN(session) ? '' : String(session);
    const serviceText = Number.isNaN(serviceMs) ? '' : String(toMicroseconds(serviceMs));
    this.text += `${toMicroseconds(timeMs)},${cell(kind)},${keyText},${sessionText},${serviceText},${status === 0 ? '' : status}\r\n`;
    return this.text.length >= pieceLength;
  }

  async drain(): Promise<void> {
    const piece = this.text;
    this.text = '';
    if (this.failure !== undefined) throw cannotWrite(join(this.folder, this.name), this.failure);
    await new Promise<void>((done) => {
      // Whether it went well is known at the end.
      if (this.stream.write(piece)) {
        setImmediate(done);
        return;
      }
      const goOn = (): void => {
        this.stream.off('drain', goOn);
        this.stream.off('close', goOn);
        done();
      };
      this.stream.on('drain', goOn);
      // A stream that broke never drains.
      this.stream.on('close', goOn);
    });
  }

  /** Finishes the file under its temporary name. */
  async end(): Promise<void> {
    await this.drain();
    this.stream.end();
    await this.ends;
    if (this.failure !== undefined) throw cannotWrite(join(this.folder, this.name), this.failure);
  }

  /** Gives it its name. */
  async commit(): Promise<void> {
    try {
      await rename(this.temporary, join(this.folder, this.name));
    } catch (failure) {
      throw cannotWrite(join(this.folder, this.name), failure);
    }
  }

  /** Leaves nothing behind. */
  async discard(): Promise<void> {
    this.stream.destroy();
    await this.ends;
    await rm(this.temporary, { force: true });
    // Not empty when somebody else has put something there.
    if (this.madeFolder) await rmdir(this.folder).catch(() => {});
  }
}

const toMicroseconds = (ms: Ms): number => Math.round(ms * 1000) / 1000;

const cell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function cannotWrite(path: string, failure: unknown): unknown {
  const code = failure instanceof Error && 'code' in failure ? String(failure.code) : undefined;
  return code === undefined ? failure : new ResourceLimit(`cannot write ${path} (${code})`, { cause: failure });
}
