/** The formats of logs that can be read, by name, and which of them a log is in. */
import { InputError } from '../../core/errors.ts';
import { emptyRecord, type LineReader } from './access-record.ts';
import type { ColumnChoice } from './columns.ts';
import { combinedReader } from './combined.ts';
import { delimitedReader } from './delimited.ts';
import { envoyReader } from './envoy.ts';
import { haproxyReader } from './haproxy.ts';
import { envoyJsonReader, jsonReader } from './json-lines.ts';
import type { LocalZone } from './local-zone.ts';

export interface FormatOptions {
  readonly zone: LocalZone;
  readonly columns: ColumnChoice;
  /** For messages about the whole file. */
  readonly file: string;
}

/** A reader per file: it may remember a header. Where several can read a log, the first is meant. */
export const formats: Readonly<Record<string, (options: FormatOptions) => LineReader>> = {
  haproxy: ({ zone }) => haproxyReader(zone),
  envoy: ({ zone }) => envoyReader(zone),
  combined: ({ zone }) => combinedReader(zone),
  'envoy-json': ({ zone, columns }) => envoyJsonReader(zone, columns),
  jsonl: ({ zone, columns }) => jsonReader(zone, columns),
  csv: ({ zone, columns, file }) => delimitedReader(zone, columns, file),
};

/** So many lines tell. */
export const linesToDetect = 100;

/** The format that reads most of these lines; undefined when none reads any. */
export function detectFormat(lines: readonly string[], options: FormatOptions): string | undefined {
  let best: string | undefined;
  let bestCount = 0;
  let refusal: InputError | undefined;
  for (const [name, open] of Object.entries(formats)) {
    try {
      const count = countReadable(lines, open(options));
      if (count <= bestCount) continue;
      best = name;
      bestCount = count;
    } catch (failure) {
      // A table without the columns that were asked for.
      if (!(failure instanceof InputError)) throw failure;
      refusal = failure;
    }
  }
  if (best === undefined && refusal !== undefined && Object.keys(options.columns).length > 0) throw refusal;
  return best;
}

function countReadable(lines: readonly string[], read: LineReader): number {
  const record = emptyRecord();
  let count = 0;
  for (const line of lines) if (read(line, record) === true) count++;
  return count;
}
