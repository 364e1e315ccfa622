/** Logs of Apache and nginx, line by line. Lines are from the servers' own documentation or follow it. */
import { describe, expect, test } from 'vitest';
import { combinedReader } from '../../../src/scenario/import/combined.ts';
import { utc } from '../../../src/scenario/import/local-zone.ts';
import { iso, readLine } from './reading.ts';

const read = combinedReader(utc);
const line = (rest = '', request = 'GET /apache_pb.gif HTTP/1.0'): string =>
  `127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] "${request}" 200 2326${rest}`;
const agent = ' "http://www.example.com/start.html" "Mozilla/4.08 [en] (Win98; I ;Nav)"';

test('the common format gives time, client, request and status', () => {
  expect(readLine(read, line())).toMatchObject({
    timeMs: Date.parse('2000-10-10T20:55:36Z'),
    client: '127.0.0.1',
    method: 'GET',
    target: '/apache_pb.gif',
    status: 200,
    durationMs: NaN,
    agent: '',
    isEnd: false,
  });
});

test('the combined format adds the user agent, brackets and escaped quotes in it included', () => {
  expect(readLine(read, line(agent))).toMatchObject({ agent: 'Mozilla/4.08 [en] (Win98; I ;Nav)', status: 200 });
  expect(readLine(read, line(' "-" "a \\"quoted\\" agent"'))).toMatchObject({ agent: 'a \\"quoted\\" agent' });
});

test.each([
  [' 0.123', 123, true],
  [' rt=0.004 uct=0.001', 4, true],
  [' "10.0.0.1, 10.0.0.2" 1.500', 1500, true],
  [' request_time=12.000', 12_000, true],
  [' 48250', 48.25, false],
  [' "-"', NaN, false],
  [' "2.50"', NaN, false],
  [' "2.50" 0.010', 10, true],
])('%j behind the agent is a duration of %s ms, and the time the end: %s', (extra, durationMs, isEnd) => {
  expect(readLine(read, line(agent + extra))).toMatchObject({ durationMs, isEnd });
});

test('a virtual host in front is not the client', () => {
  const vhost = `www.example.org:443 ${line(agent)}`;
  expect(readLine(read, vhost)).toMatchObject({ client: '127.0.0.1', status: 200 });
});

test('an IPv6 address is a client', () => {
  expect(readLine(read, line().replace('127.0.0.1', '2001:db8::17'))).toMatchObject({ client: '2001:db8::17' });
});

test('a request that is none is a request all the same, without method and path', () => {
  expect(readLine(read, line(agent, '\\x16\\x03\\x01'))).toMatchObject({ method: '', target: '', status: 200 });
  expect(readLine(read, line(agent, '-'))).toMatchObject({ method: '', target: '' });
  expect(readLine(read, line(agent, 'GET /old'))).toMatchObject({ method: 'GET', target: '/old' });
});

test.each([
  [200, 0],
  [304, 0],
  [404, 1],
  [499, 3],
  [503, 2],
])('status %s has outcome %s', (status, outcome) => {
  expect(readLine(read, line().replace(' 200 ', ` ${status} `))).toMatchObject({ status, outcome });
});

describe('what cannot be read says why', () => {
  test.each([
    ['not a log line', 'expected a time in brackets'],
    [line().replace('Oct', 'Okt'), 'the time in brackets is no date such as 17/May/2015:10:05:03 +0000'],
    [line().replace('10/Oct/2000', '31/Feb/2000'), 'the time in brackets is no date such as 17/May/2015:10:05:03 +0000'],
    [line().replace('2000', '00'), 'the time in brackets is no date such as 17/May/2015:10:05:03 +0000'],
    [line().replace('"GET', 'GET'), 'expected a request in quotes after the time'],
    ['1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0', 'the quotes around the request are not closed'],
    [line().replace(' 200 ', ' abc '), 'expected a status of three digits after the request'],
    [line(' "-" "Mozilla/5.0 (cut o'), 'the quotes around the user agent are not closed'],
  ])('%j', (text, reason) => {
    expect(readLine(read, text)).toBe(reason);
  });
});

test('times with different offsets are instants', () => {
  const at = (offset: string): string => {
    const record = readLine(read, line().replace('-0700', offset));
    return typeof record === 'object' ? iso(record.timeMs) : String(record);
  };
  expect([at('+0000'), at('+0200'), at('+0545')]).toEqual([
    '2000-10-10T13:55:36.000Z',
    '2000-10-10T11:55:36.000Z',
    '2000-10-10T08:10:36.000Z',
  ]);
});
