import { describe, expect, test } from 'vitest';
import {
  availabilityDecimals,
  commonTimeUnit,
  formatAvailability,
  formatCount,
  formatDifference,
  formatEstimate,
  formatMetric,
  formatMs,
  formatPercent,
  formatShare,
  formatSpan,
  significant,
} from '../../src/report/format.ts';

describe('numbers', () => {
  test.each([
    [12, '12.0'],
    [840.4, '840'],
    [1234, '1230'],
    [99_950, '100000'],
    [0.001234, '0.00123'],
    [0, '0'],
    [-4.5678, '-4.57'],
    [1.5e-9, '1.50e-9'],
    [NaN, '–'],
  ])('%d has three significant digits: %s', (value, text) => {
    expect(significant(value)).toBe(text);
  });

  test('a value that is null in a file is shown as missing', () => {
    expect(formatMs(null as unknown as number)).toBe('–');
    expect(formatMetric('availability', null as unknown as number)).toBe('–');
  });

  test.each([
    [9999, '9999'],
    [12_345, '12.3k'],
    [999_600, '1.00M'],
    [67_500_000, '67.5M'],
    [1.2e9, '1.20G'],
  ])('%d requests are counted as %s', (value, text) => {
    expect(formatCount(value)).toBe(text);
  });
});

describe('times', () => {
  test.each([
    [0.0123, '12.3 µs'],
    [12.34, '12.3 ms'],
    [999, '999 ms'],
    [1234, '1.23 s'],
  ])('%d ms reads %s', (value, text) => {
    expect(formatMs(value)).toBe(text);
  });

  test('a column has one unit, the one that suits its smallest value', () => {
    expect(commonTimeUnit([12, 1400])).toBe('ms');
    expect(commonTimeUnit([1200, 45_000])).toBe('s');
    expect(commonTimeUnit([0.2, 0.9])).toBe('µs');
    expect(commonTimeUnit([NaN])).toBe('ms');
  });

  test.each([
    [300_000, '5m'],
    [90_000, '1m 30s'],
    [5_400_000, '1h 30m'],
    [250, '250ms'],
    [1500, '1.5s'],
    [5, '5ms'],
    [59_940, '59.9s'],
    [59_990, '1m'],
    [179_980, '3m'],
    [3_599_900, '1h'],
  ])('a span of %d ms is written %s', (value, text) => {
    expect(formatSpan(value)).toBe(text);
  });
});

describe('availability', () => {
  test.each([
    [0.9994, '99.94 %'],
    [0.99996, '99.996 %'],
    [0.9999963, '99.9996 %'],
    [0.99129, '99.12 %'],
    [0.8, '80.00 %'],
    [0.005, '0.50 %'],
    [0, '0.00 %'],
    [1, '100 %'],
  ])('%d is cut off, not rounded, to %s', (value, text) => {
    expect(formatAvailability(value)).toBe(text);
  });

  test('one failure in a thousand million still is not 100 %', () => {
    expect(formatAvailability(1 - 1e-9)).toBe('99.99999990 %');
  });

  test('the noise of adding doubles does not cost a digit', () => {
    // One bit below 0.9994.
    expect(formatAvailability(0.9994 - 2 ** -53)).toBe('99.94 %');
  });

  test('so many decimals that the first digit that is no nine shows', () => {
    expect([0.5, 0.999, 0.99995, 1].map(availabilityDecimals)).toEqual([2, 2, 3, 2]);
  });
});

describe('estimates', () => {
  test('mean and interval share unit and digits', () => {
    expect(formatEstimate('latency.p99', { mean: 999, low: 985, high: 1013 })).toEqual({
      value: '999 ms',
      interval: '985 .. 1010 ms',
    });
  });

  test('digits are added until the ends of the interval differ, and the mean follows', () => {
    expect(formatEstimate('goodput', { mean: 4453.3, low: 4453.1, high: 4453.4 })).toEqual({
      value: '4453.3 /s',
      interval: '4453.1 .. 4453.4 /s',
    });
  });

  test('the interval of a share ends at 0 and 1', () => {
    expect(formatEstimate('availability', { mean: 0.9998, low: 0.9995, high: 1.0001 }).interval).toBe('99.95 .. 100 %');
    expect(formatEstimate('failures.timeout', { mean: 0.001, low: -0.001, high: 0.003 }).interval).toBe('0 .. 0.300 %');
  });

  test('one seed, or the same value in every seed, has no interval', () => {
    expect(formatEstimate('latency.p99', { mean: 5, low: NaN, high: NaN }).interval).toBeNull();
    expect(formatEstimate('availability', { mean: 1, low: 1, high: 1 })).toEqual({ value: '100 %', interval: null });
  });
});

describe('differences', () => {
  test.each([
    [{ mean: -0.2712, low: -0.331, high: -0.2114 }, '-27 %', '[-33 .. -21]'],
    [{ mean: 0.0331, low: 0.024, high: 0.042 }, '+3.3 %', '[+2.4 .. +4.2]'],
    [{ mean: -0.863, low: -0.8656, high: -0.8604 }, '-86.3 %', '[-86.6 .. -86.0]'],
    [{ mean: 0, low: 0, high: 0 }, '0 %', '[0 .. 0]'],
    [{ mean: 0.05, low: NaN, high: NaN }, '+5 %', ''],
  ])('%o is shown with the decimals its interval deserves', (values, text, interval) => {
    expect(formatDifference(values, 100, '%')).toEqual({ text, interval });
  });

  test('a share in percent keeps three digits', () => {
    expect(formatPercent(0.00476)).toBe('0.476 %');
    expect(formatPercent(0.5)).toBe('50 %');
  });
});

describe('shares of counts', () => {
  test.each([
    [0, 100, '0'],
    [100, 100, '100 %'],
    // 99.999…: never rounded up.
    [99_999_999, 100_000_000, '99.99 %'],
    [174, 10_000, '1.74 %'],
    // 28.999999999999996 in floating point is still 29.
    [29, 100, '29.00 %'],
    [1, 10_000_000, '<0.01 %'],
    [0, 0, '–'],
  ])('%d of %d is %s', (count, total, text) => {
    expect(formatShare(count, total)).toBe(text);
  });
});

test('rounding noise of equal values is no difference', () => {
  expect(formatDifference({ mean: 1e-16, low: -1e-17, high: 1e-16 }, 100, '%')).toEqual({ text: '0 %', interval: '[0 .. 0]' });
});
