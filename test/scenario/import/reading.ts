/** One line through one reader, and whole logs from texts. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll } from 'vitest';
import { emptyRecord, type AccessRecord, type LineReader } from '../../../src/scenario/import/access-record.ts';
import type { FittedLog } from '../../../src/scenario/import/fitted-log.ts';
import { importLog, type BadLine, type ImportOptions } from '../../../src/scenario/import/import-log.ts';
import { utc } from '../../../src/scenario/import/local-zone.ts';

/** The record, or why it could not be read. */
export function readLine(read: LineReader, line: string): AccessRecord | string | false {
  const record = emptyRecord();
  const reading = read(line, record);
  return reading === true ? record : reading;
}

export const iso = (ms: number): string => new Date(ms).toISOString();

const base = mkdtempSync(join(tmpdir(), 'clusterlab-import-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));
export const newFolder = (): string => mkdtempSync(join(base, 'log-'));

/** In pieces of an odd size, so that they end anywhere. */
export async function* pieces(content: string | Uint8Array, size = 997): AsyncGenerator<Uint8Array> {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size));
}

export interface Imported {
  readonly fitted: FittedLog;
  readonly bad: readonly BadLine[];
  /** Rows without the header, as cells. */
  readonly rows: readonly (readonly string[])[];
  readonly csv: string;
  readonly folder: string;
}

export async function importText(
  content: string | Uint8Array | readonly (string | Uint8Array)[],
  options: Partial<ImportOptions> = {},
): Promise<Imported> {
  const bad: BadLine[] = [];
  const folder = options.folder ?? newFolder();
  const contents = Array.isArray(content) ? (content as readonly (string | Uint8Array)[]) : [content as string | Uint8Array];
  const { fitted, trace } = await importLog({
    sources: contents.map((each, index) => ({ name: index === 0 ? 'access.log' : `access.log.${index}`, bytes: pieces(each) })),
    ...{
      folder,
      name: 'test',
      format: 'auto',
      columns: {},
      zone: utc,
      maxErrors: 100,
      maxClasses: 12,
      spread: true,
      gzip: false,
    },
    onBadLine: (line) => bad.push(line),
    ...options,
  });
  await trace.commit();
  const bytes = readFileSync(join(folder, trace.name));
  const csv = (options.gzip === true ? gunzipSync(bytes) : bytes).toString('utf8');
  const rows = csv
    .split('\r\n')
    .slice(1, -1)
    .map((row) => row.split(','));
  return { fitted, bad, rows, csv, folder };
}

export const filesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);
