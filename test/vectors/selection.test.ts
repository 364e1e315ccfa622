/** The exact cases kept in the repository, and the machinery that runs larger files of them. */
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { balancingAdapters } from './adapters/balancing.ts';
import { detectionAdapters } from './adapters/detection.ts';
import { differences } from './compare.ts';
import { NotCovered, readRows, runRows } from './vector-file.ts';

const selections = { 'balancing.json': balancingAdapters, 'detection.json': detectionAdapters };

describe.each(Object.entries(selections))('the cases of %s', (file, adapters) => {
  const rows = readRows(resolve(import.meta.dirname, file));

  it.each(rows.map((row) => ({ ...row, toString: () => row.id })))('hold: $kind $id', async (row) => {
    const { reports, failures } = await runRows(file, [row], adapters);
    expect(failures).toEqual([]);
    expect(reports[0].passed).toBe(1);
  });
});

describe('running rows', () => {
  const row = (id: string, kind: string, input: unknown): Parameters<typeof runRows>[1][number] => ({
    id,
    kind,
    input,
    expect: { value: 2 },
  });
  const adapters = {
    double: (input: number) => ({ value: 2 * input }),
    picky: (input: number) => {
      if (input === 0) throw new NotCovered('zero');
      return { value: 2 };
    },
    broken: () => {
      throw new Error('no');
    },
  };

  it('reports per kind what passed, failed and is not covered', async () => {
    const rows = [
      row('a', 'double', 1),
      row('b', 'double', 2),
      row('c', 'unknown', 1),
      row('d', 'picky', 0),
      row('e', 'picky', 1),
      row('f', 'broken', 1),
    ];
    const { reports, failures } = await runRows('x.json', rows, adapters);
    expect(reports).toEqual([
      { file: 'x.json', kind: 'double', rows: 2, passed: 1, failed: 1, covered: true, failures: ['b'] },
      { file: 'x.json', kind: 'unknown', rows: 1, passed: 0, failed: 0, covered: false, failures: [] },
      { file: 'x.json', kind: 'picky', rows: 2, passed: 1, failed: 0, covered: false, failures: [] },
      { file: 'x.json', kind: 'broken', rows: 1, passed: 0, failed: 1, covered: true, failures: ['f'] },
    ]);
    expect(failures).toEqual([
      { id: 'b', reasons: ['value is 4, expected 2'] },
      { id: 'f', reasons: ['threw Error: no'] },
    ]);
  });

  it('compares within the tolerance, and wants everything expected but no less', () => {
    expect(differences({ a: 1.05, b: 0 }, { a: 1 }, 0.1)).toEqual([]);
    expect(differences({ a: 1.05 }, { a: 1 }, undefined)).toEqual(['a is 1.05, expected 1']);
    expect(differences({ a: [1, { b: null }] }, { a: [1, { b: 2 }] }, undefined)).toEqual(['a[1].b is null, expected 2']);
    expect(differences({ a: [1] }, { a: [1, 2] }, undefined)).toHaveLength(1);
    expect(differences({}, { a: [] }, undefined)).toHaveLength(1);
    expect(differences(undefined, { a: 1 }, undefined)).toHaveLength(1);
  });
});
