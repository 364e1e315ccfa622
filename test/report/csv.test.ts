import { describe, expect, test } from 'vitest';
import { csv } from '../../src/report/csv.ts';
import { summaryCsv } from '../../src/report/summary-csv.ts';
import { timeseriesCsv } from '../../src/report/timeseries-csv.ts';
import { fixture } from './fixture.ts';

const run = fixture({ variants: 3, seeds: 4, windows: 5 });
const lines = (text: string): string[] => text.trimEnd().split('\n');

describe('cells', () => {
  test('text that a spreadsheet would run gets an apostrophe, numbers do not', () => {
    expect(
      csv(
        ['a', 'b'],
        [
          ['=1+1', -1.5],
          ['@x', 1e-7],
          ['-y', NaN],
          ['+z', null],
        ],
      ),
    ).toBe("a,b\n'=1+1,-1.5\n'@x,1e-7\n'-y,\n'+z,\n");
  });
  test('separators, quotes and line breaks are quoted', () => {
    expect(csv(['a'], [['x,"y"\nz']])).toBe('a\n"x,""y""\nz"\n');
  });
});

describe('summary', () => {
  const [header, ...rows] = lines(summaryCsv(run));
  test('one row per variant and metric', () => {
    expect(header).toBe(
      'scenario,variant,metric,unit,mean,ci_low,ci_high,sd,seeds,baseline,difference,difference_low,difference_high,relative,verdict,adjusted_p',
    );
    expect(rows).toHaveLength(3 * Object.keys(run.variants[0]!.estimates).length);
  });
  test('a compared metric carries its paired difference, numbers in full', () => {
    const compared = run.comparisons.find((each) => each.variant === 'two choices' && each.metric === 'latency.p99')!;
    const row = rows.find((each) => each.startsWith('slow-node,two choices,latency.p99,'))!.split(',');
    expect(row[9]).toBe('round-robin');
    expect(Number(row[10])).toBe(compared.difference.mean);
    expect(Number(row[13])).toBe(compared.relative!.mean);
    expect(row[14]).toBe('better');
  });
  test('the baseline and metrics that are not compared leave those cells empty', () => {
    expect(rows.find((each) => each.startsWith('slow-node,round-robin,latency.p99,'))).toMatch(/,4,,,,,,,$/);
    expect(rows.find((each) => each.startsWith('slow-node,random,wait.mean,'))).toMatch(/,4,,,,,,,$/);
  });
  test('a label cannot smuggle in a formula', () => {
    expect(summaryCsv(fixture({ variants: 2, seeds: 2, windows: 3, labels: ['=cmd()', 'b'] }))).toContain(",'=cmd(),");
  });
});

describe('time series', () => {
  const [header, ...rows] = lines(timeseriesCsv(run));
  test('one row per variant, column and window, in seconds', () => {
    expect(header).toBe('window_start_s,variant,column,median,min,max');
    expect(rows).toHaveLength(3 * 8 * 5);
    expect(rows[1]).toMatch(/^1,round-robin,offered,\d+,[\d.]+,[\d.]+$/);
  });
  test('a window without a value has empty cells', () => {
    expect(rows).toContain('0,round-robin,latencyP99,,,');
  });
});
