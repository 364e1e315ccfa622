/** `run.json`: sorted keys, shortest round-trip numbers, null for values that do not exist, lists of numbers on one line. The same run
 *  gives the same bytes, and a difference between two runs reads well in a diff. */
import { InputError } from '../core/errors.ts';
import type { Issue } from '../core/issue.ts';
import { runSchema, type RunFile } from '../lab/types.ts';
import { readRun } from './run-shape.ts';

export const serializeRun = (run: RunFile): string => serializePlain(run);

/** The same form for other results. */
export const serializePlain = (data: object): string => `${write(data, '')}\n`;

/** Reads back what `serializeRun` wrote. Every complaint is collected; nulls become NaN where a number belongs. */
export function parseRun(text: string, file: string): RunFile {
  const data = parseJson(text, file);
  if (typeof data !== 'object' || data === null || Array.isArray(data) || !('schema' in data)) {
    throw InputError.of(
      'not-a-run',
      `${file} is not a result of clusterlab: it has no "schema"`,
      'give the run.json that `clusterlab run` or `clusterlab compare` wrote, or the folder it is in',
    );
  }
  if (data.schema !== runSchema) {
    throw InputError.of(
      'run-schema',
      `${file} has schema ${JSON.stringify(data.schema)}; this version of clusterlab reads ${JSON.stringify(runSchema)}`,
      'run the scenario again with this version; the replay command is in the file under "replay"',
    );
  }
  const issues: Issue[] = [];
  const run = readRun(data, issues);
  if (issues.length > 0) {
    const shown = issues.slice(0, 20).map((issue) => ({ ...issue, message: `${file}: ${issue.message}` }));
    throw new InputError(shown);
  }
  return run;
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw InputError.of(
      'not-json',
      `${file} is not JSON (${reason})`,
      'it may be cut short by an interrupted write, or be another kind of file; a run writes run.json',
    );
  }
}

function write(value: unknown, indent: string): string {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'number') return Number.isFinite(value) ? String(value + 0 === 0 ? 0 : value) : 'null';
  if (typeof value !== 'object') return JSON.stringify(value);
  const inner = `${indent} `;
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]';
    if (value.every((each) => typeof each !== 'object' || each === null)) {
      return `[${value.map((each) => write(each, '')).join(', ')}]`;
    }
    return `[\n${value.map((each) => inner + write(each, inner)).join(',\n')}\n${indent}]`;
  }
  // Code-unit order: the same on every machine, whatever its locale.
  const keys = Object.keys(value)
    .filter((key) => (value as Record<string, unknown>)[key] !== undefined)
    .sort();
  if (keys.length === 0) return '{}';
  const lines = keys.map((key) => `${inner}${JSON.stringify(key)}: ${write((value as Record<string, unknown>)[key], inner)}`);
  return `{\n${lines.join(',\n')}\n${indent}}`;
}
