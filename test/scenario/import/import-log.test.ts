/** Whole logs: in, and out as a trace, measurements and complaints. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { InputError } from '../../../src/core/errors.ts';
import { parseColumns } from '../../../src/scenario/import/columns.ts';
import { loadReplay } from '../../../src/scenario/replay.ts';
import { filesIn, importText, newFolder, pieces } from './reading.ts';

const combined = (second: number, path: string, options: { status?: number; client?: string; took?: string } = {}): string => {
  const { status = 200, client = '10.0.0.1', took = '' } = options;
  const time = new Date(Date.UTC(2024, 2, 1, 12, 0, second)).toISOString().slice(11, 19);
  return `${client} - - [01/Mar/2024:${time} +0000] "GET ${path} HTTP/1.1" ${status} 12 "-" "test"${took}\n`;
};
const haproxy = (ms: number, path: string): string =>
  `10.0.1.2:33317 [01/Mar/2024:12:00:00.${String(ms).padStart(3, '0')}] http-in web/srv1 0/0/1/9/12 200 2750 - - ---- 1/1/1/1/0 0/0 "GET ${path} HTTP/1.1"\n`;
const envoy = (ms: number, path: string): string =>
  `[2024-03-01T12:00:00.${String(ms).padStart(3, '0')}Z] "GET ${path} HTTP/2" 200 - 0 10 20 19 "10.0.0.9" "curl" "x" "y" "10.0.2.1:80"\n`;
const failure = async (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => 'no failure',
    (error: unknown) => (error instanceof InputError ? error.message : String(error)),
  );

describe('the trace', () => {
  test('has a header, one row per request in order of time, times since the first request, and CRLF line ends', async () => {
    const { csv } = await importText(haproxy(250, '/b/2') + haproxy(100, '/a') + haproxy(900, '/b/1'));
    const [header, ...rows] = csv.split('\r\n');
    expect(header).toBe('time_ms,class,key,session,service_ms,status');
    expect(rows.map((row) => row.replace(/,\d{6,},/, ',KEY,'))).toEqual([
      '0,GET /a,KEY,1,11,200',
      '150,GET /b/:id,KEY,1,11,200',
      '800,GET /b/:id,KEY,1,11,200',
      '',
    ]);
  });

  test('loads as a replay', async () => {
    const { csv } = await importText(haproxy(250, '/b/2') + haproxy(100, '/a') + haproxy(900, '/b/2'));
    const replay = await loadReplay(pieces(csv));
    expect([...replay.timesMs]).toEqual([0, 150, 800]);
    expect([...replay.classes].map((index) => replay.classNames[index])).toEqual(['GET /a', 'GET /b/:id', 'GET /b/:id']);
    expect([...replay.keys!]).toEqual([0, 1, 1]);
    expect([...replay.sessions!]).toEqual([0, 0, 0]);
    expect([...replay.workMs!]).toEqual([11, 11, 11]);
  });

  test('imported again gives the same trace', async () => {
    const first = await importText(haproxy(250, '/b/2') + haproxy(100, '/a') + haproxy(900, '/b/1'));
    const again = await importText(first.csv.replaceAll('\r', ''));
    expect(again.fitted.format).toBe('csv');
    expect(again.csv).toBe(first.csv);
  });

  test('packed or not, in one piece or many, from one file or several, is the same', async () => {
    const lines = Array.from({ length: 500 }, (_, i) => haproxy(i, `/x/${i % 7}`));
    const whole = await importText(lines.join(''));
    const packed = await importText(new Uint8Array(gzipSync(lines.join(''))), { gzip: true });
    const parts = await importText([lines.slice(300).join(''), new Uint8Array(gzipSync(lines.slice(0, 300).join('')))]);
    expect(packed.csv).toBe(whole.csv);
    expect(parts.csv).toBe(whole.csv);
    expect(filesIn(packed.folder)).toEqual(['trace.csv.gz']);
    expect(filesIn(whole.folder)).toEqual(['trace.csv']);
  });

  test('quiet times, statuses and durations that are not there are empty cells', async () => {
    const { rows } = await importText('time\n5\n6\n', { format: 'csv' });
    expect(rows).toEqual(
      [
        ['0', 'malformed', '', '', '', ''],
        ['1000', 'malformed', '', '', '', ''],
      ].map((row) => row.map((cell) => (cell === 'malformed' ? rows[0][1] : cell))),
    );
  });
});

describe('a clock of whole seconds', () => {
  const log = [0, 0, 1, 1, 1, 1].map((second, index) => combined(second, `/${'abcdef'[index]}`)).join('');

  test('has the requests of a second spread evenly over it', async () => {
    const { rows, fitted } = await importText(log);
    // At 0.25 and 0.75 s, then at 1.125, 1.375 and so on; counted from the first.
    expect(rows.map(([time]) => Number(time))).toEqual([0, 500, 875, 1125, 1375, 1625]);
    expect(rows.map(([, name]) => name)).toEqual(['a', 'b', 'c', 'd', 'e', 'f'].map((name) => `GET /${name}`));
    expect(fitted).toMatchObject({ spread: true, tickMs: 1000 });
  });

  test('is left as it is when asked', async () => {
    const { rows, fitted } = await importText(log, { spread: false });
    expect(rows.map(([time]) => Number(time))).toEqual([0, 0, 1000, 1000, 1000, 1000]);
    expect(fitted.spread).toBe(false);
  });

  test('of nginx is the end of the request: arrivals are earlier by the duration, and in order', async () => {
    const text =
      combined(5, '/a', { took: ' 0.100' }) + combined(9, '/slow', { took: ' 6.000' }) + combined(9, '/c', { took: ' 0.250' });
    const { rows, fitted } = await importText(text);
    // Ends at 5.5, 9.25 and 9.75 s; begun at 5.4, 3.25 and 9.5 s.
    expect(rows.map(([time, name]) => [Number(time), name])).toEqual([
      [0, 'GET /slow'],
      [2150, 'GET /a'],
      [6250, 'GET /c'],
    ]);
    expect(fitted.spanMs).toBe(6250);
    const asStart = await importText(text, { timeIs: 'start' });
    expect(asStart.rows.map(([, name]) => name)).toEqual(['GET /a', 'GET /slow', 'GET /c']);
  });
});

describe('the format is found', () => {
  test.each([
    ['combined', combined(0, '/a') + combined(1, '/b')],
    ['haproxy', `<134>Feb  6 12:14:14 lb haproxy[1]: ${haproxy(1, '/a')}${haproxy(2, '/b')}`],
    ['envoy', envoy(1, '/a') + envoy(2, '/b')],
    [
      'envoy-json',
      '{"start_time":"2024-03-01T12:00:00Z","response_code":200}\n{"start_time":"2024-03-01T12:00:01Z","response_code":200}',
    ],
    ['jsonl', '{"ts":1,"path":"/a"}\n{"ts":2,"path":"/b"}\n'],
    ['jsonl', '{"ts":1,"path":"/a","status":200}\n{"ts":2,"path":"/b","status":200}\n'],
    ['csv', 'ts,path\n1,/a\n2,/b\n'],
  ])('%s', async (format, text) => {
    const { fitted, bad } = await importText(text);
    expect(fitted).toMatchObject({ format, requests: 2 });
    expect(bad).toEqual([]);
  });

  test('although the first lines cannot be read, and with Windows line ends and a byte order mark', async () => {
    const { fitted, bad } = await importText(
      `\uFEFF# comment?\r\n\r\n${(haproxy(1, '/a') + haproxy(2, '/b')).replaceAll('\n', '\r\n')}`,
    );
    expect(fitted).toMatchObject({ format: 'haproxy', requests: 2, lines: { read: 3, bad: 1 } });
    expect(bad.map(({ line }) => line)).toEqual([1]);
  });
});

describe('lines that cannot be read', () => {
  test('are named with their number and their reason, and the rest is imported', async () => {
    const { bad, fitted } = await importText(
      `${combined(0, '/a')}garbage\n\n${combined(1, '/b')}${combined(2, '/c').replace('200', 'x')}`,
    );
    expect(bad).toEqual([
      { file: 'access.log', line: 2, reason: 'expected a time in brackets', text: 'garbage' },
      expect.objectContaining({ line: 5, reason: 'expected a status of three digits after the request' }),
    ]);
    expect(fitted).toMatchObject({ requests: 2, lines: { read: 4, bad: 2 } });
  });

  test('end the import when there are more than allowed, and nothing is left', async () => {
    const folder = join(newFolder(), 'new');
    const text = combined(0, '/a') + 'x\n'.repeat(11);
    expect(await failure(importText(text, { maxErrors: 10, folder }))).toBe(
      'more than 10 lines cannot be read; nothing was written',
    );
    expect(existsSync(folder)).toBe(false);
    expect((await importText(text, { maxErrors: 11 })).fitted.requests).toBe(1);
  });

  test('in all lines end it as well', async () => {
    const folder = newFolder();
    expect(await failure(importText('x\ny\n', { folder }))).toBe('access.log: none of 2 lines can be read; nothing was written');
    expect(await failure(importText('\n\n', { folder }))).toBe('access.log: there are no lines; nothing was written');
    expect(await failure(importText('', { folder }))).toBe('access.log: there are no lines; nothing was written');
    expect(filesIn(folder)).toEqual([]);
  });

  test('with times of different units make a log of a thousand years, which is refused', async () => {
    const folder = newFolder();
    expect(await failure(importText('{"time_ms":1}\n{"time_ms":1e16}', { folder }))).toMatch(/spans more than a hundred years/);
    expect(filesIn(folder)).toEqual([]);
  });

  test('that are made to be slow are not', async () => {
    const blank = ' '.repeat(60_000);
    const lines = [
      JSON.stringify({ time: 1, duration: `1${blank}2` }),
      JSON.stringify({ time: `2024-03-01T12:00:00${blank}x` }),
      JSON.stringify({ time: 2, path: `/${'a-'.repeat(30_000)}.` }),
      JSON.stringify({ time: 3, path: '/'.repeat(60_000), method: 'x'.repeat(5000) }),
    ];
    const began = process.cpuUsage();
    const { bad } = await importText(lines.join('\n'));
    const { user } = process.cpuUsage(began);
    expect(bad.map(({ line }) => line)).toEqual([1, 2]);
    // Quadratic patterns would take several seconds; this takes milliseconds.
    expect(user / 1e6).toBeLessThan(1);
  });

  test('include lines without end, which cost no memory', async () => {
    const endless = `${combined(0, '/a')}${'y'.repeat(1_000_000)}\n${combined(1, '/b')}`;
    const { bad, fitted } = await importText(endless);
    expect(bad).toMatchObject([{ line: 2, reason: 'it is longer than 65536 characters' }]);
    expect(bad[0].text.length).toBeLessThan(70_000);
    expect(fitted.requests).toBe(2);
  });

  test('are told for damaged gzip, and nothing is left', async () => {
    const folder = newFolder();
    const packed = new Uint8Array(gzipSync(Array.from({ length: 2000 }, (_, i) => haproxy(i % 1000, `/${i}`)).join('')));
    expect(await failure(importText(packed.slice(0, packed.length / 2), { folder }))).toMatch(
      /^access\.log: the gzip data is damaged after line \d+$/,
    );
    expect(filesIn(folder)).toEqual([]);
  });
});

test('what a log carries in from outside stays outside', async () => {
  const hostile = [
    '/\u001b[31mred',
    '/<script>alert(1)</script>',
    '/=cmd|calc',
    '/"quoted",comma',
    '/../../etc/passwd',
    '/\u202egpj.exe',
  ];
  const { csv, fitted } = await importText(
    hostile.map((path, i) => JSON.stringify({ time: i + 1, method: '=GET', path, session: '=1+1', key: '=2' })).join('\n'),
  );
  for (const line of csv.split('\r\n').slice(1, -1)) expect(line).toMatch(/^[\d.]+,[A-Za-z0-9*/][A-Za-z0-9 ./:_*~-]*,\d+,\d+,,$/);
  for (const { name } of fitted.classes) expect(name).toMatch(/^[A-Za-z0-9*/][A-Za-z0-9 ./:_*~-]*$/);
});

test('the measurements are those of the log', async () => {
  const lines = Array.from({ length: 1000 }, (_, i) => {
    const path = i % 4 === 0 ? '/static/app.js' : `/item/${i % 10}`;
    const status = i % 50 === 0 ? 503 : i % 25 === 0 ? 404 : i % 125 === 1 ? 499 : 200;
    return combined(i % 60, path, { status, client: `10.0.0.${i % 20}`, took: ` ${(0.01 + (i % 10) / 1000).toFixed(3)}` });
  });
  const { fitted } = await importText(lines.join(''));
  expect(fitted.classes.map(({ name, requests }) => [name, requests])).toEqual([
    ['GET /item/:id', 750],
    ['GET *.js', 250],
  ]);
  expect(fitted.total).toMatchObject({ requests: 1000, serverErrors: 20, clientErrors: 20, abandoned: 8 });
  expect(fitted.total.service).toMatchObject({ count: 992 });
  expect(fitted.total.service!.quantiles.p50).toBeCloseTo(14, 0);
  expect(fitted.keys).toMatchObject({ requests: 1000, distinct: 11, topShare: 0.25 });
  expect(fitted.sessions).toMatchObject({ count: 20, requestsPerSession: { mean: 50 } });
  expect(fitted.rate.counts.reduce((sum, count) => sum + count, 0)).toBe(1000);
  expect(fitted.disorder.lines).toBeGreaterThan(900);
});

test('what comes as csv takes its columns from --column', async () => {
  const text = 'when;what;spent\n2024-03-01 12:00:00,000;read;5\n2024-03-01 12:00:01,500;write;7\n';
  const { rows } = await importText(text, {
    format: 'csv',
    columns: parseColumns(['time=when,class=what', 'duration=spent:ms']),
  });
  expect(rows.map((row) => row.filter((cell) => cell !== ''))).toEqual([
    ['0', 'read', '5'],
    ['1500', 'write', '7'],
  ]);
});

test('a cancelled import leaves nothing behind', async () => {
  const folder = newFolder();
  await expect(importText(haproxy(1, '/a'), { folder, signal: AbortSignal.abort() })).rejects.toThrow('abort');
  expect(filesIn(folder)).toEqual([]);
});

const real = join(import.meta.dirname, '../../../../shared/data/apache-access.log.gz');
describe.skipIf(!existsSync(real))('a real log of 10,000 lines (skipped where ../shared/data is absent)', () => {
  test('is read but for the one line that was cut off, shuffled seconds put in order', async () => {
    const { fitted, bad, rows } = await importText(new Uint8Array(readFileSync(real)));
    expect(bad).toMatchObject([{ line: 8899, reason: 'the quotes around the user agent are not closed' }]);
    expect(fitted).toMatchObject({ format: 'combined', requests: 9999, tickMs: 1000, spread: true });
    expect(fitted.disorder).toMatchObject({ mostMs: 59_000 });
    expect(rows).toHaveLength(9999);
    const times = rows.map(([time]) => Number(time));
    expect(times).toEqual([...times].sort((a, b) => a - b));
    // 83 hours and a bit, from 17 May 2015 at 10:05:00 UTC.
    expect(new Date(Math.floor(fitted.startMs / 1000) * 1000).toISOString()).toBe('2015-05-17T10:05:00.000Z');
    expect(fitted.classes).toHaveLength(12);
    expect(fitted.classes.at(-1)!.name).toBe('other');
    // One minute of every hour is logged: as bursty as can be.
    expect(fitted.arrivals.law).toEqual({ type: 'gamma', cv: 10 });
    expect(fitted.total.service).toBeUndefined();
  });
});
