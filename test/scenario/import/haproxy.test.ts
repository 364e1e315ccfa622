/** HAProxy's HTTP log. The first line is the example of its manual. */
import { describe, expect, test } from 'vitest';
import { haproxyReader } from '../../../src/scenario/import/haproxy.ts';
import { utc } from '../../../src/scenario/import/local-zone.ts';
import { readLine } from './reading.ts';

const read = haproxyReader(utc);
const bare = (timers = '10/0/30/69/109', status = '200', ending = '----', request = '"GET /index.html HTTP/1.1"'): string =>
  `10.0.1.2:33317 [06/Feb/2009:12:14:14.655] http-in static/srv1 ${timers} ${status} 2750 - - ${ending} 1/1/1/1/0 0/0 {1wt.eu} {} ${request}`;

test.each([
  ['no header', ''],
  ['the header of RFC 3164', '<134>Feb  6 12:14:14 localhost haproxy[14389]: '],
  ['the header of RFC 5424', '<134>1 2009-02-06T12:14:14.655Z localhost haproxy 14389 - - '],
  ['a header of rsyslog', '2009-02-06T12:14:14+00:00 localhost haproxy[14389]: '],
])('with %s the same is read', (_, header) => {
  expect(readLine(read, header + bare())).toMatchObject({
    timeMs: Date.parse('2009-02-06T12:14:14.655Z'),
    client: '10.0.1.2',
    method: 'GET',
    target: '/index.html',
    status: 200,
    outcome: 0,
    isEnd: false,
  });
});

test('an IPv6 client keeps its colons', () => {
  expect(readLine(read, bare().replace('10.0.1.2:33317', '2001:db8::7:33317'))).toMatchObject({ client: '2001:db8::7' });
});

describe('the duration is what the server took', () => {
  test.each([
    // Ta 109 less TR 10, Tw 0 and Tc 30.
    ['10/0/30/69/109', 69],
    ['0/120/5/40/200', 75],
    ['0/0/0/7/+7', 7],
    ['10/0/-1/-1/10', NaN],
    ['-1/-1/-1/-1/30000', NaN],
    ['0/5000/-1/-1/5000', NaN],
  ])('of %s: %s ms', (timers, durationMs) => {
    expect(readLine(read, bare(timers))).toMatchObject({ durationMs });
  });
});

describe('the termination state tells how it ended', () => {
  test.each([
    ['200', '----', 0],
    ['404', '----', 1],
    ['502', 'SH--', 2],
    ['504', 'sH--', 2],
    ['503', 'SC--', 2],
    ['-1', 'CD--', 3],
    ['200', 'CD--', 3],
    ['408', 'cR--', 3],
    ['403', 'PR--', 1],
    ['200', 'SD--', 2],
    ['301', 'LR--', 0],
  ])('%s %s: outcome %s', (status, ending, outcome) => {
    expect(readLine(read, bare(undefined, status, ending))).toMatchObject({ outcome, status: Math.max(0, Number(status)) });
  });
});

test('a bad request and a line that syslog cut off are read', () => {
  expect(readLine(read, bare('-1/-1/-1/-1/0', '400', 'PR--', '"<BADREQ>"'))).toMatchObject({ status: 400, method: '' });
  expect(readLine(read, bare(undefined, undefined, undefined, '"GET /very/long'))).toMatchObject({
    method: 'GET',
    target: '/very/long',
  });
});

test.each([
  ['10.0.1.2:33317 nothing', 'expected a time such as [06/Feb/2009:12:14:14.655]'],
  [bare().replace('static/srv1', 'static'), 'expected backend/server'],
  [bare('10/0/30'), 'expected five timers TR/Tw/Tc/Tr/Ta'],
  [bare(undefined, 'OK'), 'expected a status of three digits after the timers'],
  [bare(undefined, undefined, '--'), 'expected a termination state of four characters'],
  [bare(undefined, undefined, undefined, ''), 'expected the request in quotes at the end'],
])('%j is refused: %s', (line, reason) => {
  expect(readLine(read, line)).toBe(reason);
});
