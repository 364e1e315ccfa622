/** Recorded requests from CSV to columns. */
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { loadReplay, type ReplayOptions } from '../../src/scenario/replay.ts';
import type { ReplayData } from '../../src/scenario/replay-data.ts';

const replay = (content: string | Uint8Array, options?: ReplayOptions): Promise<ReplayData> => {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < bytes.length; at += 7) yield await Promise.resolve(bytes.subarray(at, at + 7));
  };
  return loadReplay(pieces(), options);
};
const complaint = (content: string | Uint8Array, options?: ReplayOptions): Promise<string> =>
  replay(content, options).then(
    () => 'none',
    (error: unknown) => (error as Error).message,
  );

const trace = `time_ms,class,key,session,service_ms,status
0,GET /a,77,1,12.5,200
10,GET /b,,2,,404
10,GET /a,78,1,3,200
25.5,"GET /c",77,,0,
`;

test('rows become columns: times, dense numbers of classes, keys and sessions, and work', async () => {
  const data = await replay(trace);
  expect([...data.timesMs]).toEqual([0, 10, 10, 25.5]);
  expect(data.classNames).toEqual(['GET /a', 'GET /b', 'GET /c']);
  expect([...data.classes]).toEqual([0, 1, 0, 2]);
  expect([...data.keys!]).toEqual([0, -1, 1, 0]);
  expect([...data.sessions!]).toEqual([0, 1, 0, -1]);
  expect([...data.workMs!]).toEqual([12.5, NaN, 3, 0]);
});

test('only time_ms must be there; what no row has is absent, and requests without class are of one', async () => {
  const data = await replay('other,time_ms,key\nx,0,\ny,5,\n');
  expect([...data.timesMs]).toEqual([0, 5]);
  expect(data.classNames).toEqual(['default']);
  expect(data).toMatchObject({ keys: undefined, sessions: undefined, workMs: undefined });
});

test('gzip, Windows line ends, comments and a missing last line end do not matter', async () => {
  const plain = await replay(trace);
  expect(await replay(new Uint8Array(gzipSync(trace)))).toEqual(plain);
  expect(await replay(`# recorded\r\n${trace.replaceAll('\n', '\r\n').trimEnd()}`)).toEqual(plain);
});

test('a part of it begins at time 0, and speedup divides times but not work', async () => {
  const part = await replay(trace, { fromMs: 10, lengthMs: 15 });
  expect([...part.timesMs]).toEqual([0, 0]);
  expect(part.classNames).toEqual(['GET /b', 'GET /a']);
  const fast = await replay(trace, { speedup: 2 });
  expect([...fast.timesMs]).toEqual([0, 5, 5, 12.75]);
  expect(fast.workMs![0]).toBe(12.5);
});

test('what lies behind the wanted part is not read', async () => {
  expect([...(await replay(`${trace}oops,,,,,\n`, { lengthMs: 20 })).timesMs]).toEqual([0, 10, 10]);
});

test('ten thousand rows are kept', async () => {
  const rows = Array.from({ length: 10_000 }, (_, i) => `${i},c${i % 3},${i % 100},${i % 50},1`);
  const data = await replay(`time_ms,class,key,session,service_ms\n${rows.join('\n')}`);
  expect(data.timesMs).toHaveLength(10_000);
  expect([data.timesMs[9999], data.classes[9999], data.keys![9999], data.sessions![9999]]).toEqual([9999, 0, 99, 49]);
});

describe('is refused', () => {
  test.each<[string, string, ReplayOptions | undefined]>([
    ['', 'it is empty', undefined],
    ['time_ms,class\n', 'it has no rows', undefined],
    ['time,class\n0,a\n', 'there is no column "time_ms"; its columns are "time", "class"', undefined],
    ['time_ms,time_ms\n0,0\n', 'column "time_ms" stands twice in the header', undefined],
    ['time_ms\nx\n', 'line 2: expected a number in column "time_ms", found "x"', undefined],
    ['time_ms\n-1\n', 'line 2: a time of -1 is negative', undefined],
    ['time_ms\n5\n7\n6\n', 'line 4: time goes back from 7 in line 3 to 6', undefined],
    ['class,time_ms\na\n', 'line 2: expected a number in column "time_ms", found no such column', undefined],
    ['time_ms,service_ms\n0,fast\n', 'line 2: expected a number in column "service_ms", found "fast"', undefined],
    ['time_ms,service_ms\n0,-3\n', 'line 2: a service_ms of -3 is negative', undefined],
    ['time_ms\n0\n1\n2\n', 'this part has more than 2 rows; use from and length', { maxRows: 2 }],
    ['time_ms\n0\n1\n', 'there are no requests in this part of it', { fromMs: 100 }],
  ])('%j: %s', async (text, message, options) => {
    expect(await complaint(text, options)).toBe(message);
  });

  test('with all that is wrong, up to twenty lines', async () => {
    const text = `time_ms\n0\n${Array.from({ length: 50 }, (_, i) => `x${i}`).join('\n')}\n`;
    const lines = (await complaint(text)).split('\n');
    expect(lines).toHaveLength(20);
    expect(lines[0]).toBe('line 3: expected a number in column "time_ms", found "x0"');
    expect((await complaint('time_ms,service_ms\n0,a\n5,1\n3,1\n6,-1\n')).split('\n')).toEqual([
      'line 2: expected a number in column "service_ms", found "a"',
      'line 4: time goes back from 5 in line 3 to 3',
      'line 5: a service_ms of -1 is negative',
    ]);
  });

  test('with more classes than anybody can look at', async () => {
    const rows = Array.from({ length: 1001 }, (_, i) => `${i},c${i}`).join('\n');
    expect(await complaint(`time_ms,class\n${rows}\n`)).toBe('line 1002: there are more than 1000 classes');
  });

  test('with damaged gzip', async () => {
    expect(await complaint(new Uint8Array(gzipSync(trace)).slice(0, 40))).toBe('it is damaged: the gzip data cannot be unpacked');
  });
});
