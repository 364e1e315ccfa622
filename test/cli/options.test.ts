import { describe, expect, test } from 'vitest';
import { parseAssignment, parseSeeds, parseShare, wholeNumber } from '../../src/cli/options.ts';

describe('a whole number', () => {
  test.each([
    ['1', 1],
    ['64', 64],
    ['007', 7],
  ])('%j is %i', (text, value) => expect(wholeNumber(1, 64)(text)).toBe(value));

  test.each(['10abc', '1e3', '1.5', '-1', '+1', '0x10', ' 1', '', '0', '65', '9'.repeat(400)])('%j is refused', (text) => {
    expect(() => wholeNumber(1, 64)(text)).toThrow('Expected a whole number from 1 to 64.');
  });
});

describe('seeds', () => {
  test('a number counts, a list names', () => {
    expect(parseSeeds('20')).toBe(20);
    expect(parseSeeds('a, b,10')).toEqual(['a', 'b', '10']);
  });
  test('a trailing comma makes a list of one', () => expect(parseSeeds('42,')).toEqual(['42']));
  test.each([
    ['a,,b', 'A seed of the list is empty.'],
    [',', 'A seed of the list is empty.'],
    ['a,b,a', 'Seed "a" stands twice'],
    ['ten', 'Expected a whole number'],
    ['1001', 'Expected a whole number from 1 to 1000.'],
  ])('%j is refused', (text, message) => expect(() => parseSeeds(text)).toThrow(message));
});

describe('a share', () => {
  test.each([
    ['2%', 0.02],
    ['0.02', 0.02],
    ['.5', 0.5],
    ['12.5%', 0.125],
  ])('%j is %d', (text, value) => expect(parseShare(text)).toBeCloseTo(value, 12));
  test.each(['0', '0%', '100%', '1', '2', '-1%', '2 %', '2%%', 'abc', ''])('%j is refused', (text) => {
    expect(() => parseShare(text)).toThrow('Expected a share such as 2% or 0.02.');
  });
});

describe('an assignment', () => {
  test('is kept as written, after the earlier ones', () => {
    expect(parseAssignment('a.b[0]=x=y', ['c=1'])).toEqual(['c=1', 'a.b[0]=x=y']);
    expect(parseAssignment('expect=')).toEqual(['expect=']);
  });
  test.each(['run.duration', '=5', ' =5', ''])('%j is refused', (text) => {
    expect(() => parseAssignment(text)).toThrow('Expected path=value');
  });
});
