import { expect, test } from 'vitest';
import { cut, textTable, wrap, type TextColumn } from '../../src/report/text-table.ts';

const plain = (text: string): string => text;
const columns: TextColumn[] = [
  { header: '', align: 'left', cells: ['round-robin', '負荷'], shrinkTo: 4 },
  { header: 'p50', align: 'right', cells: ['12 ms', '9 ms'], giveWay: [{ order: 1 }] },
  { header: 'note', align: 'left', cells: ['a long remark', 'b'], giveWay: [{ order: 0, cells: ['a', 'b'] }] },
];
const table = (width: number): string[] => textTable(columns, width, '…', plain);

test('columns are as wide as their content, counted in terminal cells', () => {
  expect(table(80)).toEqual(['                 p50   note', ' round-robin   12 ms   a long remark', ' 負荷           9 ms   b']);
});

test('when it does not fit, cells get shorter and columns go in their order, then names are cut', () => {
  expect(table(30)[1]).toBe(' round-robin   12 ms   a');
  expect(table(20)[1]).toBe(' round-robin   a');
  expect(table(12)[1]).toBe(' rou…   a');
});

test('a text is broken at spaces, but neither inside parentheses nor before a unit', () => {
  expect(wrap('measured 12 ms (11 .. 13 ms) in all', 20, '  ')).toEqual(['measured 12 ms', '  (11 .. 13 ms) in', '  all']);
  expect(wrap('scenarios/a-very-long-name.yaml:3:5 fails', 10)).toEqual(['scenarios/a-very-long-name.yaml:3:5', 'fails']);
});

test('a wide character is not cut in half', () => {
  expect(cut('負荷分散', 5, '…')).toBe('負荷…');
});
