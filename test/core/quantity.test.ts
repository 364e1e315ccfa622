import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatAvailability,
  formatDuration,
  formatFraction,
  formatRate,
  parseCount,
  parseDuration,
  parseFraction,
  parseNumber,
  parseRate,
  show,
} from '../../src/core/quantity.ts';

describe('durations', () => {
  test.each([
    ['250us', 0.25],
    ['250µs', 0.25],
    ['12ms', 12],
    ['1.5s', 1500],
    ['2m', 120_000],
    ['3h', 10_800_000],
    ['7d', 604_800_000],
    ['0s', 0],
    // Exact where multiplying would not be: 1.1 · 1000 and 1.1 · 60000 have a tail of rounding.
    ['1.1s', 1100],
    ['1.1m', 66_000],
    ['0.3us', 0.0003],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toEqual({ value: ms });
  });

  test.each([
    ['60sec', '"60sec" is not a duration', 'write 60s'],
    ['5 minutes', '"5 minutes" is not a duration', 'write 5m'],
    ['12 ms', '"12 ms" is not a duration', 'write 12ms'],
    ['10', '"10" is not a duration', 'write 10ms or 10s'],
    ['-5s', '"-5s" is not a duration', 'durations are not negative'],
    ['1h30m', '"1h30m" is not a duration', 'durations look like 250us, 12ms, 1.5s, 2m, 3h or 7d'],
    ['12msx', '"12msx" is not a duration', 'durations look like 250us, 12ms, 1.5s, 2m, 3h or 7d'],
    ['1e3ms', '"1e3ms" is not a duration', 'durations look like 250us, 12ms, 1.5s, 2m, 3h or 7d'],
    [10, '10 has no unit', 'write 10ms or 10s'],
    [0, '0 has no unit', 'write 0s'],
    [NaN, 'expected a duration, found NaN', 'durations look like 250us, 12ms, 1.5s, 2m, 3h or 7d'],
    [null, 'expected a duration, found nothing', 'durations look like 250us, 12ms, 1.5s, 2m, 3h or 7d'],
  ])('%j is refused with advice', (found, problem, hint) => {
    expect(parseDuration(found)).toEqual({ problem, hint });
  });

  test('nothing lasts longer than a hundred years', () => {
    expect(parseDuration('36501d')).toEqual({ problem: '"36501d" is longer than 36500d' });
    expect(parseDuration(`1${'0'.repeat(400)}s`)).toHaveProperty('problem');
  });

  test('bounds are named in the words of the reader', () => {
    expect(parseDuration('0s', { min: 0, exclusiveMin: true })).toEqual({
      problem: '"0s" is too small',
      hint: 'it must be above 0s',
    });
    expect(parseDuration('2m', { max: 60_000 })).toEqual({ problem: '"2m" is too large', hint: 'it must be at most 1m' });
  });

  test.each([
    [0.25, '250us'],
    [12, '12ms'],
    [1500, '1.5s'],
    [1234, '1234ms'],
    [90_000, '90s'],
    [300_000, '5m'],
    [5_400_000, '90m'],
    [86_400_000, '1d'],
    [0, '0s'],
    [Infinity, 'unlimited'],
    [NaN, '–'],
  ])('%d ms are written %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  test('what is written reads back as the same number', () => {
    const times = fc.oneof(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), fc.nat({ max: 1e9 }));
    fc.assert(
      fc.property(times, (ms) => {
        expect(parseDuration(formatDuration(ms))).toEqual({ value: ms });
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe('rates', () => {
  test.each([
    ['4500/s', 4500],
    ['2k/s', 2000],
    ['1.5M/s', 1_500_000],
    ['10/m', 10 / 60],
    ['3/h', 3 / 3600],
  ])('%s', (text, perSecond) => {
    expect(parseRate(text)).toEqual({ value: perSecond });
  });

  test.each([
    ['4500rps', '"4500rps" is not a rate', 'write 4500/s'],
    ['10 per minute', '"10 per minute" is not a rate', 'write 10/m'],
    ['4500 / s', '"4500 / s" is not a rate', 'write 4500/s'],
    ['-1/s', '"-1/s" is not a rate', 'rates are not negative'],
    ['fast', '"fast" is not a rate', 'rates look like 4500/s, 2k/s, 10/m or 3/h'],
    [4500, '4500 has no unit', 'write 4500/s or 4500/m'],
  ])('%j is refused with advice', (found, problem, hint) => {
    expect(parseRate(found)).toEqual({ problem, hint });
  });

  test.each([
    [4500, '4500/s'],
    [0.3, '0.3/s'],
    [10 / 60, '10/m'],
    [3 / 3600, '3/h'],
  ])('%d per second are written %s', (perSecond, text) => {
    expect(formatRate(perSecond)).toBe(text);
  });
});

describe('shares', () => {
  test.each([
    ['30%', 0.3],
    ['99.9%', 0.999], // 99.9 / 100 would be 0.9990000000000001
    [0.3, 0.3],
    ['0.3', 0.3],
    [1, 1],
    [-0, 0],
  ])('%j', (found, share) => {
    expect(parseFraction(found)).toEqual({ value: share });
  });

  test.each([
    [50, '50 is above 1', 'write 50% or 0.5'],
    ['150%', '"150%" is too large', 'it must be at most 100%'],
    [-0.1, '-0.1 is too small', 'it must be at least 0%'],
    ['half', '"half" is not a share', 'shares look like 30% or 0.3'],
  ])('%j is refused with advice', (found, problem, hint) => {
    expect(parseFraction(found)).toEqual({ problem, hint });
  });

  test('a share of success is cut off, never rounded up', () => {
    expect(formatAvailability(0.99996)).toBe('99.99 %');
    expect(formatAvailability(0.999999999)).toBe('99.99 %');
    expect(formatAvailability(0.9999, 3)).toBe('99.990 %');
    expect(formatAvailability(1)).toBe('100.00 %');
    expect(formatAvailability(0.5, 0)).toBe('50 %');
  });

  test('the exact form reads back', () => {
    expect(formatFraction(0.999)).toBe('99.9%');
    expect(formatFraction(0.3)).toBe('30%');
  });
});

describe('counts and numbers', () => {
  test('-0 becomes 0', () => {
    expect(parseCount(-0)).toEqual({ value: 0 });
    expect(parseNumber(-0)).toEqual({ value: 0 });
  });

  test.each([
    [2.5, { problem: 'expected a whole number, found 2.5' }],
    ['3', { problem: 'expected a whole number, found the text "3"', hint: 'write 3 without quotes' }],
    ['12345678901234567890', { problem: '12345678901234567890 is too large to be exact' }],
    [2 ** 53, { problem: '9007199254740992 is too large to be counted exactly', hint: 'the largest count is 9007199254740991' }],
    [Infinity, { problem: 'expected a whole number, found Infinity, which is not finite' }],
    [true, { problem: 'expected a whole number, found true' }],
    [0, { problem: '0 is too small', hint: 'it must be at least 1' }],
  ])('%j is no count from 1', (found, reading) => {
    expect(parseCount(found, { min: 1 })).toEqual(reading);
  });

  test('a number must be finite', () => {
    expect(parseNumber(NaN)).toEqual({ problem: 'expected a number, found NaN, which is not finite' });
    expect(parseNumber(1.5)).toEqual({ value: 1.5 });
  });
});

test('long texts are shortened when shown, without cutting a character in two', () => {
  expect(show('😀'.repeat(100))).toBe(`"${'😀'.repeat(57)}..."`);
});
