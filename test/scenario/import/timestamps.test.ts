/** Dates that do not exist, zones, and clocks that change. Instants are checked against the platform's own reading of ISO 8601. */
import { describe, expect, test } from 'vitest';
import { utc, zoneNamed } from '../../../src/scenario/import/local-zone.ts';
import { anyTime, commonLogTime } from '../../../src/scenario/import/timestamps.ts';
import { iso } from './reading.ts';

test.each([
  '2024-02-30T00:00:00Z',
  '2023-02-29T00:00:00Z',
  '2024-13-01T00:00:00Z',
  '2024-00-10T00:00:00Z',
  '2024-01-00T00:00:00Z',
  '2024-01-01T24:00:00Z',
  '2024-01-01T10:60:00Z',
  '2024-01-01T10:00:61Z',
  '2024-01-01T10:00:00+15:00',
  '24-01-01T10:00:00Z',
  '01/02/24 10:00',
  '17/May/15:10:05:03 +0000',
  'Sunday, 06-Nov-94 08:49:37 GMT',
  'yesterday',
  '',
  'NaN',
  '0x10',
])('%j is no time', (text) => {
  expect(anyTime(utc, undefined)(text)).toBeNaN();
});

test('the 29th of February exists every four years, and a leap second is the first of the next minute', () => {
  const read = commonLogTime(utc);
  expect(iso(read('29/Feb/2024:00:00:00 +0000'))).toBe('2024-02-29T00:00:00.000Z');
  expect(read('29/Feb/2023:00:00:00 +0000')).toBeNaN();
  expect(iso(read('31/Dec/2016:23:59:60 +0000'))).toBe('2017-01-01T00:00:00.000Z');
});

test('offsets keep a log in order over a change of clocks', () => {
  const read = commonLogTime(utc);
  // Central Europe, 27 October 2024: at three o'clock it is two o'clock again.
  const summer = read('27/Oct/2024:02:59:59 +0200');
  const winter = read('27/Oct/2024:02:00:00 +0100');
  expect(winter - summer).toBe(1000);
});

describe('times without an offset', () => {
  test.each(['Mars/Olympus', '+25:00', 'tomorrow', ''])('%j is no zone', (name) => {
    expect(zoneNamed(name)).toBeUndefined();
  });

  test.each([
    ['UTC', '2024-07-01T12:00:00.000Z'],
    ['+02:00', '2024-07-01T10:00:00.000Z'],
    ['-0330', '2024-07-01T15:30:00.000Z'],
    ['Europe/Berlin', '2024-07-01T10:00:00.000Z'],
    ['America/New_York', '2024-07-01T16:00:00.000Z'],
    ['Asia/Kathmandu', '2024-07-01T06:15:00.000Z'],
  ])('noon of 1 July 2024 in %s is %s', (name, expected) => {
    expect(iso(commonLogTime(zoneNamed(name)!)('01/Jul/2024:12:00:00'))).toBe(expected);
  });

  test('summer and winter differ in a zone that has both', () => {
    const read = commonLogTime(zoneNamed('Europe/Berlin')!);
    expect(iso(read('01/Jan/2024:12:00:00'))).toBe('2024-01-01T11:00:00.000Z');
    expect(iso(read('01/Jul/2024:12:00:00'))).toBe('2024-07-01T10:00:00.000Z');
  });

  test('the hour that comes twice is read in the order of the log', () => {
    const read = commonLogTime(zoneNamed('Europe/Berlin')!);
    const read2 = (time: string): string => iso(read(`27/Oct/2024:${time}`));
    expect(['01:59:00', '02:10:00', '02:59:00', '02:01:00', '02:30:00', '02:59:30', '03:00:00'].map(read2)).toEqual([
      '2024-10-26T23:59:00.000Z',
      '2024-10-27T00:10:00.000Z',
      '2024-10-27T00:59:00.000Z',
      '2024-10-27T01:01:00.000Z',
      '2024-10-27T01:30:00.000Z',
      '2024-10-27T01:59:30.000Z',
      '2024-10-27T02:00:00.000Z',
    ]);
  });

  test('what is written in the line is stronger than the zone', () => {
    expect(iso(commonLogTime(zoneNamed('+05:00')!)('01/Jul/2024:12:00:00 +0000'))).toBe('2024-07-01T12:00:00.000Z');
  });
});
