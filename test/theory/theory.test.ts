/** The simulator against queueing theory: cases whose answers are in textbooks, run as ordinary scenarios. The full set is
 *  `npm run theory`; these few need nothing but this repository.
 *
 *  Seeds are fixed, so nothing can flake; that a case would pass under almost any other seeds too is what its tolerance says: four
 *  standard errors over at least 12 seeds of independent worlds (6 false alarms in 100 000), and 0.2 % of the value. */
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { type Case, readCases, type Row } from './cases.ts';
import { judge } from './judgement.ts';
import { InlineLaboratory } from './laboratory.ts';
import { spreadOf } from './spread.ts';
import { observeCase } from './trial.ts';
import { families } from './families/index.ts';

const cases = readCases(resolve(import.meta.dirname, 'selection.json'));
const laboratory = new InlineLaboratory();
const effort = { requests: [6e4, 1.5e5], seeds: 20, seed: 'selection' } as const;

test.each(cases)('$id agrees with theory', { timeout: 60_000 }, async (each) => {
  const rows = await rowsOf(each);
  expect(rows.filter(({ verdict }) => verdict !== 'pass')).toEqual([]);
});

test('a wrong expectation fails: M/M/1 with a mean wait 15 % too long', { timeout: 60_000 }, async () => {
  const right = cases.find(({ id }) => id === 'mm1/rho=0.5')!;
  const rows = await rowsOf({ ...right, expect: { mean_wait: { value: 1.15 } } });
  expect(rows.map(({ verdict }) => verdict)).toEqual(['fail']);
});

test('what the file format cannot say is not covered, and does not count as passed', async () => {
  const rows = await rowsOf({ ...cases[0], family: 'M/M/c+M' });
  expect(new Set(rows.map(({ verdict }) => verdict))).toEqual(new Set(['not-covered']));
});

test('where none or all were seen, the error is a bound and gives no z-score', () => {
  expect(judge(measured, 'x', { value: 1 }, { value: 1, se: 0.01, isBound: true })).toMatchObject({ verdict: 'pass', z: null });
});

test('standard errors that are too long by half are found by the z-scores of many cases', () => {
  // 400 quantiles of the normal law, once as they are and once shrunk as if divided by an error 1.5 times too long.
  const scores = Array.from({ length: 400 }, (_, k) => judge(measured, 'x', { value: 0 }, observationAt((k + 0.5) / 400)));
  expect(spreadOf(scores).complaints).toEqual([]);
  const shrunk = scores.map((row) => ({ ...row, z: row.z! / 1.5 }));
  expect(spreadOf(shrunk).complaints).toEqual([expect.stringContaining('outside 0.85 to 1.15')]);
});

test('few z-scores are judged by the sum of their squares', () => {
  const rows = [1, -0.5, 0.3, 1.2, -0.8, 0.1].map((z, k): Row => ({ ...row, id: `case ${k}`, z }));
  expect(spreadOf(rows).complaints).toEqual([]);
  // Six scores of 3.5: their squares sum to 73.5; a sum of six has more than 30 only once in 20 000 times.
  expect(spreadOf(rows.map((each) => ({ ...each, z: 3.5 }))).complaints).toHaveLength(1);
});

const rowsOf = (each: Case): Promise<readonly Row[]> => observeCase(each, families, laboratory, effort);

const measured: Case = { ...cases[0], tol: { rule: 'simulation' } };
const row: Row = { id: '', family: '', metric: '', expected: 0, observed: 0, se: 1, z: 0, verdict: 'pass' };

/** The normal quantile by bisection of a plain sum of its density: independent of the function under test. */
function observationAt(p: number): { value: number; se: number } {
  let z = -6;
  for (let area = 0; area < p; z += 0.001) area += (Math.exp((-z * z) / 2) * 0.001) / Math.sqrt(2 * Math.PI);
  return { value: z, se: 1 };
}
