import { expect, test } from 'vitest';
import { textWidth, wrapToWidth } from '../../src/report/text-width.ts';

// Advance widths of DejaVu Sans 2.37 in units of 1/2048 em: H 1540, i 569, W 2025; bold H 1714.
test('widths are those of the font', () => {
  expect(textWidth('Hi', 2048)).toBeCloseTo(1540 + 569, -1);
  expect(textWidth('W', 2048)).toBeCloseTo(2025, -1);
  expect(textWidth('H', 2048, true)).toBeCloseTo(1714, -1);
});

test('a combining mark has no width, an ideograph fills a square', () => {
  expect(textWidth('e\u0301', 10)).toBe(textWidth('e', 10));
  expect(textWidth('負', 10)).toBe(10);
});

test('lines are broken so that they fit', () => {
  const lines = wrapToWidth('one two three four five six', 60, 11);
  expect(lines.join(' ')).toBe('one two three four five six');
  expect(lines.every((line) => textWidth(line, 11) <= 60)).toBe(true);
});
