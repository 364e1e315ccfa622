/** The report of `npm run theory` for people. */
import type { Case, Row, Tier } from './cases.ts';
import type { Spread } from './spread.ts';
import { families } from './families/index.ts';

const COLUMNS = ['expected', 'simulated', '± 4 se', 'z'] as const;

export function printHead(tier: Tier, cases: readonly Case[]): void {
  const covered = cases.filter(({ family }) => family in families);
  console.log(`${tier}: ${cases.length} cases, ${covered.length} of them of families we can express`);
  console.log(`${''.padEnd(64)}${COLUMNS.map((column) => column.padStart(12)).join('')}`);
}

/** Metrics that are not covered are only counted. */
export function printRows(rows: readonly Row[]): void {
  for (const { id, metric, expected, observed, se, z, verdict } of rows) {
    if (verdict === 'not-covered') continue;
    const cells = [show(expected), show(observed), se === null ? '' : show(4 * se), z === null ? '' : z.toFixed(2)];
    const mark = verdict === 'pass' ? '' : '  FAIL';
    console.log(`${`${id}  ${metric}`.padEnd(64)}${cells.map((cell) => cell.padStart(12)).join('')}${mark}`);
  }
}

export function printSummary(rows: readonly Row[], { scores, sd, largest, complaints }: Spread): void {
  const count = (verdict: Row['verdict']): number => rows.filter((row) => row.verdict === verdict).length;
  const open = new Map<string, number>();
  for (const { family, verdict } of rows) {
    if (verdict === 'not-covered') open.set(family, (open.get(family) ?? 0) + 1);
  }
  console.log('');
  if (open.size > 0) console.log(`not covered: ${[...open].map(([family, metrics]) => `${family} (${metrics})`).join('; ')}`);
  for (const { id, metric, z } of rows.filter(({ verdict }) => verdict === 'fail')) {
    console.log(`FAIL ${id} ${metric}${z === null ? '' : `, z = ${z.toFixed(2)}`}`);
  }
  console.log(`${count('pass')} passed, ${count('fail')} failed, ${count('not-covered')} not covered`);
  if (scores > 0) console.log(`${scores} z-scores: spread ${sd.toFixed(3)}, largest ${largest.toFixed(2)}`);
  for (const complaint of complaints) console.log(`FAIL ${complaint}`);
}

const show = (value: number | null): string => (value === null ? '' : value === 0 ? '0' : String(Number(value.toPrecision(6))));
