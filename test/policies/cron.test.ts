/** Cron expressions: every firing is checked against a clock that is read minute by minute. */
import { describe, expect, test } from 'vitest';
import { nextFiring, parseCron } from '../../src/policies/shared/cron.ts';
import { zoneNamed } from '../../src/policies/shared/time-zone.ts';

const at = (iso: string): number => Date.parse(iso);
const iso = (epochMs: number): string => new Date(epochMs).toISOString().replace('.000Z', 'Z');
const firings = (expression: string, zone: string, after: string, count: number): string[] => {
  const schedule = parseCron(expression);
  const found: string[] = [];
  for (let moment = at(after); found.length < count; found.push(iso(moment)))
    moment = nextFiring(schedule, zoneNamed(zone), moment);
  return found;
};

test.each([
  ['0 8 * * *', '2026-03-02T08:00:00Z', '2026-03-03T08:00:00Z'],
  ['0 8 * * *', '2026-03-02T07:59:59.999Z', '2026-03-02T08:00:00Z'],
  ['*/20 * * * *', '2026-03-02T07:41:00Z', '2026-03-02T08:00:00Z'],
  ['5/20 * * * *', '2026-03-02T07:41:00Z', '2026-03-02T07:45:00Z'],
  ['0 1-23/2 * * *', '2026-03-02T23:00:00Z', '2026-03-03T01:00:00Z'],
  ['0 0 * * THU', '2026-03-02T12:00:00Z', '2026-03-05T00:00:00Z'],
  ['0 0 * * 7', '2026-03-02T12:00:00Z', '2026-03-08T00:00:00Z'],
  ['0 0 * * 1-5', '2026-03-06T12:00:00Z', '2026-03-09T00:00:00Z'],
  ['30 6 1 jan ?', '2026-03-02T12:00:00Z', '2027-01-01T06:30:00Z'],
  ['0 0 31 * *', '2026-03-31T00:00:00Z', '2026-05-31T00:00:00Z'],
  ['0 0 29 2 *', '2096-03-01T00:00:00Z', '2104-02-29T00:00:00Z'],
  ['0 0 13 * 5', '2026-03-13T00:00:00Z', '2026-03-20T00:00:00Z'],
  ['0,30 4,5 * * *', '2026-03-02T04:30:00Z', '2026-03-02T05:00:00Z'],
  ['@weekly', '2026-03-02T00:00:00Z', '2026-03-08T00:00:00Z'],
  ['* * * * *', '1969-12-31T23:59:30Z', '1970-01-01T00:00:00Z'],
])('%s after %s', (expression, after, expected) => {
  expect(firings(expression, 'UTC', after, 1)).toEqual([expected]);
});

test('what cannot be never fires', () => {
  expect(nextFiring(parseCron('0 0 30 2 *'), zoneNamed('UTC'), 0)).toBe(Infinity);
});

describe('in a zone', () => {
  test('the clock on the wall counts, on either side of the year', () => {
    expect(firings('0 9 1 1,7 *', 'Europe/Berlin', '2026-01-01T12:00:00Z', 2)).toEqual([
      '2026-07-01T07:00:00Z',
      '2027-01-01T08:00:00Z',
    ]);
    expect(firings('0 9 * * *', 'Asia/Kolkata', '2026-01-01T12:00:00Z', 1)).toEqual(['2026-01-02T03:30:00Z']);
    expect(firings('0 0 * * *', 'America/New_York', '2026-01-02T04:59:59Z', 2)).toEqual([
      '2026-01-02T05:00:00Z',
      '2026-01-03T05:00:00Z',
    ]);
  });

  test('a time that is skipped does not fire that day', () => {
    expect(firings('30 2 * * *', 'Europe/Berlin', '2026-03-28T12:00:00Z', 1)).toEqual(['2026-03-30T00:30:00Z']);
  });

  test('a time that comes twice fires twice, in the order of the moments', () => {
    expect(firings('15,45 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', 5)).toEqual([
      '2026-10-25T00:15:00Z',
      '2026-10-25T00:45:00Z',
      '2026-10-25T01:15:00Z',
      '2026-10-25T01:45:00Z',
      '2026-10-26T01:15:00Z',
    ]);
  });
});

// Independent of the search: the clock of the zone is read at every minute of the week around each change of the clocks.
test.each([
  ['Europe/Berlin', '2026-03-27T00:00:00Z'],
  ['Europe/Berlin', '2026-10-23T00:00:00Z'],
  ['America/Sao_Paulo', '2018-11-02T00:00:00Z'],
  ['Australia/Lord_Howe', '2026-04-03T00:00:00Z'],
  ['UTC', '2028-02-27T00:00:00Z'],
])('in %s from %s on it fires exactly when the clock shows the time', (zone, start) => {
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: zone, hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
  const wanted: string[] = [];
  const week = 7 * 24 * 60;
  for (let minute = 1; minute <= week; minute++) {
    const moment = at(start) + minute * 60_000;
    if (/^0[0-3]:(00|10|20|30|40|50)$/.test(clock.format(moment))) wanted.push(iso(moment));
  }
  expect(wanted.length).toBeGreaterThan(150);
  expect(firings('*/10 0-3 * * *', zone, start, wanted.length)).toEqual(wanted);
});

test.each([
  '',
  '* * * *',
  '* * * * * *',
  '60 * * * *',
  '* 24 * * *',
  '* * 0 * *',
  '* * * 13 *',
  '* * * * 8',
  '5-1 * * * *',
  '*/0 * * * *',
  'a * * * *',
  '1-2-3 * * * *',
  '@often',
  '-1 * * * *',
])('refuses %j', (expression) => {
  expect(() => parseCron(expression)).toThrow(/cron expression/);
});

test('refuses zones that are not there', () => {
  expect(() => zoneNamed('Mars/Base')).toThrow('there is no time zone "Mars/Base"');
});
