import { describe, expect, test } from 'vitest';
import { waterfallRows } from '../../../src/report/charts/waterfall-rows.ts';
import { slow } from '../life.ts';

const { rows, left } = waterfallRows(slow, 60);
const row = (what: string) => rows.find((each) => each.what === what)!;

describe('rows', () => {
  test('are calls and attempts in the order they were made, nested', () => {
    expect(rows.map(({ depth, what }) => `${' '.repeat(depth)}${what}`)).toEqual([
      'shoppers',
      ' web/0',
      '  web->db',
      '   db/1',
      ' web/1',
    ]);
    expect(left).toBe(0);
  });

  test('tell what happened within them, in time since the request arrived', () => {
    expect(row('web/1').segments).toEqual([{ kind: 'work', fromMs: 120, toMs: 150, inVain: false }]);
    expect(row('shoppers').segments).toEqual([{ kind: 'backoff', fromMs: 100, toMs: 120, inVain: false }]);
  });

  test('are cut where a caller above gave up: the call of db was made for the attempt that was dropped at 100 ms', () => {
    expect(row('db/1').segments).toEqual([
      { kind: 'work', fromMs: 40, toMs: 100, inVain: false },
      { kind: 'work', fromMs: 100, toMs: 160, inVain: true },
    ]);
    expect(row('web->db').line).toEqual([
      { kind: 'request', fromMs: 40, toMs: 100, inVain: false },
      { kind: 'request', fromMs: 100, toMs: 160, inVain: true },
    ]);
  });

  test('end with their own end, while what they hold may go on', () => {
    expect(row('web/0')).toMatchObject({ endMs: 100, toMs: 160, outcome: 'given up' });
  });
});

test('when there are too many rows the longest are kept, and what they are nested in', () => {
  // The second attempt took 30 ms, all others more than 100.
  expect(waterfallRows(slow, 4).rows.map(({ what }) => what)).toEqual(['shoppers', 'web/0', 'web->db', 'db/1']);
  expect(waterfallRows(slow, 4).left).toBe(1);
  const spans = slow.spans.map((span, index) => (index === 10 ? { ...span, toMs: 31_000 } : span));
  expect(waterfallRows({ ...slow, spans }, 2).rows.map(({ what }) => what)).toEqual(['shoppers', 'web/1']);
});

test('a request of no spans is an empty picture', () => {
  expect(waterfallRows({ ...slow, spans: [] }, 60)).toEqual({ rows: [], left: 0 });
});
