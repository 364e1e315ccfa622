/** Recorded traffic: from counts in a CSV file to a mean rate and a curve of factors on it. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { csvLimits, readCsv } from '../../src/scenario/csv.ts';
import { loadScenario } from '../../src/scenario/load.ts';
import type { TrafficSpec } from '../../src/scenario/spec.ts';
import { arrivalsText, briefly, gzip, scenarioOf } from './fixture.ts';

const text = (trace: string, duration = '40s', rest = ''): string =>
  arrivalsText(`{ type: trace, file: t.csv${trace} }`, rest).replace('duration: 1m', `duration: ${duration}`);
const streamOf = async (trace: string, content: string | Uint8Array, duration?: string): Promise<TrafficSpec> =>
  (await scenarioOf(text(trace, duration), { files: { 't.csv': content } })).traffic[0];
const complaintsAbout = async (trace: string, content: string | Uint8Array, duration?: string): Promise<string[]> =>
  (await briefly(text(trace, duration), { files: { 't.csv': content } })).map((line) => line.replace(/^\S+ /, ''));

/** Four intervals of ten seconds with 10, 30, 0 and 40 requests: a mean of 2 per second. */
const counts = 'second,requests\n0,10\n10,30\n20,0\n30,40\n';
/** Start and end in seconds and factor of each interval. */
const pieces = ({ profile: { timesMs, factors } }: TrafficSpec): number[][] =>
  Array.from({ length: timesMs.length / 2 }, (_, i) => [timesMs[2 * i] / 1000, timesMs[2 * i + 1] / 1000, factors[2 * i]]);

test('counts become a mean rate and factors that are constant within intervals', async () => {
  const stream = await streamOf('', counts);
  expect(stream.arrivals).toEqual({ type: 'poisson', perSecond: 2 });
  expect(pieces(stream)).toEqual([
    [0, 10, 0.5],
    [10, 20, 1.5],
    [20, 30, 0],
    [30, 40, 2],
  ]);
  expect([...stream.profile.factors]).toEqual([0.5, 0.5, 1.5, 1.5, 0, 0, 2, 2]);
  expect(stream.profile.periodMs).toBe(Infinity);
});

test('the interval may be given, and then the first column means nothing', async () => {
  const stream = await streamOf(', interval: 20s, process: constant', 'x,requests\nmon,10\ntue,30\n');
  expect(stream.arrivals).toEqual({ type: 'constant', perSecond: 1 });
  expect(pieces(stream)).toEqual([
    [0, 20, 0.5],
    [20, 40, 1.5],
  ]);
});

test('a slice starts and ends inside intervals, and the mean is that of the slice', async () => {
  // From 5 s for 20 s: half of 10, all of 30, half of 0, so 35 requests in 20 s.
  const stream = await streamOf(', from: 5s, length: 20s', counts, '20s');
  expect(stream.arrivals).toEqual({ type: 'poisson', perSecond: 1.75 });
  expect(pieces(stream).map(([from, to]) => [from, to])).toEqual([
    [0, 5],
    [5, 15],
    [15, 20],
  ]);
});

test('speedup shortens the intervals and leaves the rates', async () => {
  const stream = await streamOf(', speedup: 4', counts, '10s');
  expect(stream.arrivals).toMatchObject({ perSecond: 2 });
  expect(pieces(stream)[1]).toEqual([2.5, 5, 1.5]);
});

test('scale multiplies the rates, mean sets them', async () => {
  expect((await streamOf(', scale: 10', counts)).arrivals).toMatchObject({ perSecond: 20 });
  expect((await streamOf(', mean: 500/s', counts)).arrivals).toMatchObject({ perSecond: 500 });
});

test('an offset is silent', async () => {
  expect(pieces(await streamOf(', offset: 5s', counts, '45s')).slice(0, 2)).toEqual([
    [0, 5, 0],
    [5, 15, 0.5],
  ]);
});

test('a trace that repeats has its length for a period', async () => {
  const stream = await streamOf(', repeat: true, speedup: 2', counts, '5m');
  expect(stream.profile.periodMs).toBe(20_000);
  expect(pieces(stream)).toHaveLength(4);
});

test('what lies behind the end of the run is not kept, but counts for the mean', async () => {
  const stream = await streamOf('', counts, '5s');
  expect(stream.arrivals).toMatchObject({ perSecond: 2 });
  expect(pieces(stream).length).toBeLessThan(4);
});

test('a profile multiplies a trace', async () => {
  const stream = (
    await scenarioOf(text('', '40s', ', profile: { type: steps, steps: [{ at: 15s, factor: 2 }] }'), {
      files: { 't.csv': counts },
    })
  ).traffic[0];
  expect([...stream.profile.timesMs].map((at) => at / 1000)).toEqual([0, 10, 10, 15, 15, 20, 20, 30, 30, 40]);
  expect([...stream.profile.factors]).toEqual([0.5, 0.5, 1.5, 1.5, 3, 3, 0, 0, 4, 4]);
});

test('gzip is told by its first bytes, whatever the name', async () => {
  expect(pieces(await streamOf('', gzip(counts)))).toEqual(pieces(await streamOf('', counts)));
});

test('byte order mark, Windows line ends, comments, blank lines, quotes and a missing last line end do not matter', async () => {
  const content = '\uFEFF# from the gateway\r\n"second","requests, all"\r\n0,"10"\r\n\r\n10,30\r\n20,0\r\n30,40';
  expect(pieces(await streamOf(', column: "requests, all"', content))).toEqual(pieces(await streamOf('', counts)));
});

test('a column by its number, from 1', async () => {
  expect((await streamOf(', column: 2', 's,a,b\n0,10,99\n20,30,99\n')).arrivals).toMatchObject({ perSecond: 1 });
});

test.each<[string, string | Uint8Array, string]>([
  ['', '', '"t.csv": it is empty'],
  ['', '0,10\n', '"t.csv": one row does not tell the interval; set interval'],
  ['', 'second,requests\n', '"t.csv": it has no rows'],
  [', column: hits', counts, '"t.csv": there is no column "hits"; its columns are "second", "requests"'],
  [', column: 3', counts, '"t.csv": there is no column 3; it has 2'],
  ['', '0,10\n10,30\n5,0\n', '"t.csv": line 3: expected 20 s in column 1, found 5 s'],
  ['', '0,10\n10,30\n10,0\n', '"t.csv": line 3: expected 20 s in column 1, found 10 s'],
  ['', '0,10\n10,30\n30,0\n', '"t.csv": line 3: expected 20 s in column 1, found 30 s'],
  ['', '0,10\n10,-3\n', '"t.csv": line 2: a count of -3 is negative'],
  [', interval: 20s', 'a,0\nb,0\n', 'there are no requests in this part of the trace'],
  ['', '0,1\n10,1\n', 'the trace lasts 20s, the run 40s; shorten the run, or set repeat: true'],
  [', from: 1m', counts, 'the trace is only 40s long'],
  [', from: 30s, length: 20s', counts, 'the trace ends 10s after from'],
  [', scale: 2, mean: 3/s', counts, 'give only one of scale and mean'],
  [', repeat: true, offset: 1s', counts, 'a trace that repeats cannot have an offset; use from instead'],
  ['', gzip(counts).slice(0, 20), '"t.csv": it is damaged: the gzip data cannot be unpacked'],
])('%s of %j is refused', async (trace, content, complaint) => {
  expect(await complaintsAbout(trace, content)).toEqual([`error: ${complaint}`]);
});

test('of many bad lines the first five are shown', async () => {
  const content = `second,requests\n${Array.from({ length: 20 }, (_, i) => `${i},x${i}`).join('\n')}`;
  expect(await complaintsAbout('', content)).toEqual([
    `error: "t.csv": ${[2, 3, 4, 5, 6].map((line) => `line ${line}: expected a number in column 2, found "x${line - 2}"`).join('\n')}`,
  ]);
});

describe('the reader of CSV files', () => {
  const pieceBy = async function* (...texts: string[]): AsyncGenerator<Uint8Array> {
    for (const each of texts) yield await Promise.resolve(new TextEncoder().encode(each));
  };

  test('stops at a line that does not end', async () => {
    const endless = pieceBy('1\n', ...Array<string>(100).fill('x'.repeat(1000)));
    await expect(readCsv(endless, undefined, () => true)).rejects.toThrow('line 2 is longer than 65536 characters');
  });

  test('stops at a file that unpacks to too much', async () => {
    const limits = { ...csvLimits, bytes: 1000 };
    const bomb = (async function* () {
      yield await Promise.resolve(gzip('1\n'.repeat(100_000)));
    })();
    await expect(readCsv(bomb, undefined, () => true, limits)).rejects.toThrow('it is larger than 1000 bytes unpacked');
  });

  test('reads no further than it is asked to', async () => {
    const seen: number[] = [];
    const source = (async function* () {
      yield* pieceBy('1\n2\n3\n');
      throw new Error('read on');
    })();
    await readCsv(source, undefined, ({ value }) => {
      seen.push(value);
      return value < 2;
    });
    expect(seen).toEqual([1, 2]);
  });
});

const traces = join(import.meta.dirname, '../../../shared/data');
test.skipIf(!existsSync(join(traces, 'nasa-rate.csv.gz')))(
  'a real trace of two months by the minute: 3.46 million requests (skipped without the folder of traces)',
  async () => {
    const { mkdtemp, rm, writeFile } = await import('node:fs/promises');
    const { tmpdir } = await import('node:os');
    const folder = await mkdtemp(join(tmpdir(), 'clusterlab-'));
    try {
      const file = join(folder, 'nasa.yaml');
      const trace = `{ type: trace, file: ${JSON.stringify(join(traces, 'nasa-rate.csv.gz'))}, interval: 1m }`;
      await writeFile(file, arrivalsText(trace).replace('duration: 1m', 'duration: 58d'));
      const { scenario } = await loadScenario(file);
      const { arrivals, profile } = scenario.traffic[0];
      // 84 332 minutes, as the collection says, of which the run keeps what it can play.
      expect(profile.timesMs.at(-1)).toBeGreaterThanOrEqual(58 * 86_400_000);
      expect((arrivals as { perSecond: number }).perSecond * 84_332 * 60).toBeCloseTo(3_460_000, -4.5);
    } finally {
      await rm(folder, { recursive: true });
    }
  },
);
