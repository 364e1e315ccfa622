/** CSV and JSON lines: which column means what, and in which unit. */
import { describe, expect, test } from 'vitest';
import { InputError } from '../../../src/core/errors.ts';
import { parseColumns } from '../../../src/scenario/import/columns.ts';
import { delimitedReader } from '../../../src/scenario/import/delimited.ts';
import { jsonReader } from '../../../src/scenario/import/json-lines.ts';
import { utc } from '../../../src/scenario/import/local-zone.ts';
import { readLine } from './reading.ts';

const csv = (lines: readonly string[], columns: readonly string[] = []) => {
  const read = delimitedReader(utc, parseColumns(columns), 'x.csv');
  return lines.map((line) => readLine(read, line));
};
const at = Date.parse('2024-03-01T12:00:00Z');

test('columns go by their names, in any order, and others are passed over', () => {
  const [header, first] = csv([
    'status,extra,url,timestamp,latency_ms,user_agent,client_ip,session_id,cache_key,operation,method',
    '200,x,/a?b=1,2024-03-01T12:00:00Z,12.5,curl,10.0.0.1,s1,k1,read,GET',
  ]);
  expect(header).toBe(false);
  expect(first).toMatchObject({
    timeMs: at,
    durationMs: 12.5,
    status: 200,
    method: 'GET',
    target: '/a?b=1',
    client: '10.0.0.1',
    agent: 'curl',
    session: 's1',
    key: 'k1',
    className: 'read',
    isEnd: false,
  });
});

test.each([
  ['duration', '250', 250],
  ['latency_us', '250', 0.25],
  ['elapsed_ns', '250000', 0.25],
  ['duration_seconds', '0.25', 250],
  ['durationMs', '250', 250],
  ['request_time', '0.25', 250],
  ['upstream_response_time', '0.1, 0.15', 250],
  ['latency', '250ms', 250],
  ['latency', '1.5s', 1500],
  ['latency', '-', NaN],
  ['latency', '', NaN],
])('a duration in column %s of %j is %s ms', (name, cell, durationMs) => {
  expect(csv([`time,${name}`, `${at},"${cell}"`])[1]).toMatchObject({ durationMs });
});

test('a chosen column wins over names, with the unit behind the colon', () => {
  const [, record] = csv(
    ['time,finished,duration,spent,status,code', '1,1709294400,5,0.25,200,503'],
    ['time=finished,duration=spent:s', 'status=code'],
  );
  expect(record).toMatchObject({ timeMs: at, durationMs: 250, status: 503 });
});

test.each([
  ['2024-03-01T12:00:00Z', at],
  ['2024-03-01 12:00:00.5', at + 500],
  ['2024-03-01T13:00:00+01:00', at],
  ['2024-03-01T13:00:00,250+0100', at + 250],
  ['01/Mar/2024:12:00:00 +0000', at],
  ['Fri, 01 Mar 2024 12:00:00 GMT', at],
  ['1709294400', at],
  ['1709294400.125', at + 125],
  ['1709294400125', at + 125],
  ['1709294400125500', at + 125.5],
  ['1709294400125500000', at + 125.5],
  ['17.5', 17_500],
])('the time %s is instant %s', (text, timeMs) => {
  const [, record] = csv(['time', `"${text}"`]);
  expect(typeof record === 'object' ? record.timeMs : record).toBeCloseTo(timeMs, 2);
});

test('time_ms counts milliseconds from the log own zero, so that a trace can be imported again', () => {
  expect(csv(['time_ms,class', '17.5,GET /'])[1]).toMatchObject({ timeMs: 17.5, className: 'GET /' });
});

test("nginx's time variables are the end of the request", () => {
  expect(csv(['time_iso8601,request_time,request', '2024-03-01T12:00:00+00:00,0.250,GET /x HTTP/1.1'])[1]).toMatchObject({
    isEnd: true,
    durationMs: 250,
    method: 'GET',
    target: '/x',
  });
});

test.each([';', '\t'])('cells may be separated by %j', (separator) => {
  expect(csv([['time', 'status'].join(separator), ['1709294400', '404'].join(separator)])[1]).toMatchObject({ status: 404 });
});

test('quotes, doubled quotes and separators within quotes are understood', () => {
  expect(csv(['time,path', '1,"/a,""b"""'])[1]).toMatchObject({ target: '/a,"b"' });
});

test('columns chosen by number need no header, and pass over one', () => {
  const columns = ['time=1,duration=3'];
  expect(csv(['1709294400,x,5'], columns)[0]).toMatchObject({ timeMs: at, durationMs: 5 });
  const [header, first] = csv(['ts,what,ms', '1709294400,x,5'], columns);
  expect(header).toBe(false);
  expect(first).toMatchObject({ timeMs: at, durationMs: 5 });
});

test.each([
  ['x,200', 'the time "x" cannot be read'],
  [',200', 'it has no time'],
  ['1,abc', 'the status "abc" is no number of three digits'],
])('%j is refused: %s', (line, reason) => {
  expect(csv(['time,status', line])[1]).toBe(reason);
});

test('a table without its columns is refused as a whole, with those it has', () => {
  expect(() => csv(['when,code', '1,200'])).toThrow('x.csv: there is no column "time"');
  expect(() => csv(['time,code', '1,200'], ['duration=lat'])).toThrow('x.csv: there is no column "lat"');
});

test.each(['tme=ts', 'time', 'time=', '=ts'])('--column %s is refused', (text) => {
  expect(() => parseColumns([text])).toThrow(InputError);
});

describe('JSON lines', () => {
  const json = (line: object | string, columns: readonly string[] = []) =>
    readLine(jsonReader(utc, parseColumns(columns)), typeof line === 'string' ? line : JSON.stringify(line));

  test('keys are columns, numbers and texts alike', () => {
    expect(json({ ts: 1709294400, latency_ms: 12.5, method: 'GET', url: '/x', status: '200' })).toMatchObject({
      timeMs: at,
      durationMs: 12.5,
      method: 'GET',
      target: '/x',
      status: 200,
    });
  });

  test('a key within an object is named with a dot', () => {
    const line = { time: 1709294400, http: { request: { path: '/deep' } } };
    expect(json(line, ['path=http.request.path'])).toMatchObject({ target: '/deep' });
  });

  test('keys that some lines lack are empty there, and nothing is left of the line before', () => {
    const read = jsonReader(utc, {});
    expect(readLine(read, '{"time":1,"duration":5,"path":"/a"}')).toMatchObject({ durationMs: 5, target: '/a' });
    expect(readLine(read, '{"time":2}')).toMatchObject({ durationMs: NaN, target: '' });
  });

  test.each([
    ['{"time":', 'it is not valid JSON'],
    ['"text"', 'expected a JSON object'],
    ['{"a":1}', 'it has no time'],
    ['{"time":1,"duration":"soon"}', 'the duration "soon" is no time'],
  ])('%s is refused: %s', (text, reason) => {
    expect(json(text)).toBe(reason);
  });

  test('keys such as __proto__ do nothing', () => {
    expect(json('{"time":1,"__proto__":{"status":500},"constructor":7}')).toMatchObject({ status: 0 });
  });
});
