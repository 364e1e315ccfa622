/** Files of exact cases: what a row holds, and running rows through adapters. */
import { readFileSync } from 'node:fs';
import { differences } from './compare.ts';

export interface Row {
  readonly id: string;
  readonly kind: string;
  readonly input: unknown;
  readonly expect: unknown;
  readonly tolerance?: unknown;
}

/** Translates a row's input into calls of a public module and the module's answer into the form of `expect`. It never computes what the
 *  row asks for. May promise its answer. Each adapter declares the shape of its own kind's input. */
export type Adapter = (input: never, row: Row) => unknown;
export type Adapters = Readonly<Record<string, Adapter>>;

/** Thrown by an adapter for a row whose algorithm we do not have. */
export class NotCovered extends Error {}

export interface KindReport {
  readonly file: string;
  readonly kind: string;
  readonly rows: number;
  readonly passed: number;
  readonly failed: number;
  readonly covered: boolean;
  readonly failures: readonly string[];
}

export interface Failure {
  readonly id: string;
  readonly reasons: readonly string[];
}

/** A file is a list of rows, or holds one as `cases`; some files say `expected` for `expect`. */
export function readRows(path: string): readonly Row[] {
  type Stored = Omit<Row, 'expect'> & { readonly expect?: unknown; readonly expected?: unknown };
  const content = JSON.parse(readFileSync(path, 'utf8')) as readonly Stored[] | { readonly cases: readonly Stored[] };
  const rows = 'cases' in content ? content.cases : content;
  return rows.map((row) => withTolerance({ ...row, expect: row.expect ?? row.expected }));
}

/** Some rows say among what they expect how exactly: `tolerance` for all numbers, `roundDigits` likewise, `latencyTolerance` for those whose
 *  name begins with `latency`. */
function withTolerance(row: Row): Row {
  if (row.tolerance !== undefined || typeof row.expect !== 'object' || row.expect === null || Array.isArray(row.expect))
    return row;
  const { tolerance, roundDigits, ...rest } = row.expect as Readonly<Record<string, unknown>>;
  const expected = Object.entries(rest);
  const own = expected.filter(([key]) => key.endsWith('Tolerance'));
  const expect = Object.fromEntries(expected.filter(([key]) => !key.endsWith('Tolerance')));
  if (own.length > 0) {
    const allowances = own.map(([key, value]) => [key.replace(/Tolerance$/, 'Abs'), value]);
    return { ...row, expect, tolerance: Object.fromEntries(allowances) };
  }
  if (typeof tolerance === 'number') return { ...row, expect, tolerance };
  return typeof roundDigits === 'number' ? { ...row, expect, tolerance: 0.5 / 10 ** roundDigits } : row;
}

/** One report per kind, in order of appearance. */
export async function runRows(
  file: string,
  rows: readonly Row[],
  adapters: Adapters,
): Promise<{ readonly reports: readonly KindReport[]; readonly failures: readonly Failure[] }> {
  const byKind = new Map<string, Row[]>();
  for (const row of rows) byKind.set(row.kind, [...(byKind.get(row.kind) ?? []), row]);
  const failures: Failure[] = [];
  const reports: KindReport[] = [];
  for (const [kind, members] of byKind) {
    const verdicts: { readonly id: string; readonly reasons: readonly string[] | 'not covered' }[] = [];
    for (const row of members) verdicts.push({ id: row.id, reasons: await check(row, adapters[kind]) });
    const failed = verdicts.filter(
      (verdict): verdict is Failure => verdict.reasons !== 'not covered' && verdict.reasons.length > 0,
    );
    const covered = verdicts.filter((verdict) => verdict.reasons !== 'not covered').length;
    failures.push(...failed);
    reports.push({
      file,
      kind,
      rows: members.length,
      passed: covered - failed.length,
      failed: failed.length,
      covered: covered === members.length,
      failures: failed.map((failure) => failure.id),
    });
  }
  return { reports, failures };
}

/** Why the row fails; nothing if it holds. */
async function check(row: Row, adapter: Adapter | undefined): Promise<readonly string[] | 'not covered'> {
  if (adapter === undefined) return 'not covered';
  try {
    const answer = await (adapter as (input: unknown, row: Row) => unknown)(row.input, row);
    return differences(answer, row.expect, row.tolerance);
  } catch (error) {
    if (error instanceof NotCovered) return 'not covered';
    return [error instanceof Error ? `threw ${error.name}: ${error.message}` : String(error)];
  }
}
