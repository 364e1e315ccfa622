/** `clusterlab import`, as users start it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test, vi } from 'vitest';
import { clusterlab, folderWith, shell } from './clusterlab.ts';

// Each test starts a program or two; on a busy machine that takes its time.
vi.setConfig({ testTimeout: 120_000 });

/** 200 requests in 20 seconds, with durations. */
const log = Array.from({ length: 200 }, (_, i) => {
  const ms = String((i % 10) * 100).padStart(3, '0');
  const second = String(Math.floor(i / 10)).padStart(2, '0');
  return `[2024-03-01T12:00:${second}.${ms}Z] "GET /item/${i % 7} HTTP/2" 200 - 0 10 20 ${5 + (i % 9)} "10.0.0.${i % 5}" "curl" "x" "y" "10.0.2.1:80"\n`;
}).join('');
const bad = `oops \u001b[31mred\n${log}`;
const labWith = (files: Readonly<Record<string, string>> = { 'access.log': log }): string => folderWith(files);
const filesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).sort() : []);

test('writes a trace and a scenario that runs as it stands', async () => {
  const cwd = labWith();
  const imported = await clusterlab(['import', 'access.log'], { cwd });
  expect(imported).toMatchObject({ code: 0, stderr: '' });
  expect(imported.stdout).toContain('Measured from access.log (envoy): 200 requests in 19.9s');
  expect(imported.stdout).toContain('Next: clusterlab run reports/access/scenario.yaml');
  expect(filesIn(join(cwd, 'reports/access'))).toEqual(['scenario.yaml', 'trace.csv']);
  const run = await clusterlab(['run', 'reports/access/scenario.yaml', '--seeds', '1'], { cwd });
  expect(run).toMatchObject({ code: 0 });
  expect(filesIn(join(cwd, 'reports'))).toEqual(['access', 'access-fitted']);
  expect(await clusterlab(['validate', 'reports/access/scenario.yaml'], { cwd })).toMatchObject({ code: 0, stderr: '' });
});

test.each([
  ['--replay', 'type: replay', 'closed: true'],
  ['--closed', 'closed: true', undefined],
] as const)('%s writes a scenario that plays the log itself', async (flag, there, absent) => {
  const cwd = labWith();
  expect(await clusterlab(['import', 'access.log', flag, '--out', 'there'], { cwd })).toMatchObject({ code: 0, stderr: '' });
  const scenario = readFileSync(join(cwd, 'there/scenario.yaml'), 'utf8');
  expect(scenario).toContain('file: trace.csv');
  expect(scenario).toContain(there);
  if (absent !== undefined) expect(scenario).not.toContain(absent);
  const run = await clusterlab(['run', 'there/scenario.yaml', '--seeds', '1', '--json'], { cwd });
  expect(run).toMatchObject({ code: 0 });
  expect(await clusterlab(['validate', 'there/scenario.yaml'], { cwd })).toMatchObject({ code: 0, stderr: '' });
});

test('says which lines it cannot read, harmlessly, and goes on', async () => {
  const cwd = labWith({ 'access.log': bad });
  const { code, stderr, stdout } = await clusterlab(['import', 'access.log', '--out', 'there', '--gzip'], { cwd });
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: 'access.log:1: expected a time in brackets and a request in quotes: oops \\u{1b}[31mred\n',
  });
  expect(stdout).toContain('1 of 201 lines could not be read and are left out.');
  expect(filesIn(join(cwd, 'there'))).toEqual(['scenario.yaml', 'trace.csv.gz']);
  const trace = gunzipSync(readFileSync(join(cwd, 'there/trace.csv.gz'))).toString();
  expect(trace.split('\r\n')).toHaveLength(202);
});

test.each([
  [
    'more unreadable lines than allowed',
    ['access.log', '--max-errors', '0'],
    { 'access.log': bad },
    'more than 0 lines cannot be read',
  ],
  [
    'no readable line',
    ['access.log'],
    { 'access.log': 'x\ny\n' },
    'access.log: none of 2 lines can be read; nothing was written',
  ],
  ['an empty log', ['access.log'], { 'access.log': '' }, 'access.log: there are no lines; nothing was written'],
  ['a wrong format', ['access.log', '--format', 'haproxy'], { 'access.log': log }, 'is --format right?'],
  ['an unknown format', ['access.log', '--format', 'combind'], {}, 'did you mean combined?'],
  ['an unknown role', ['access.log', '--column', 'tme=ts'], {}, 'did you mean time?'],
  ['an unknown column', ['t.csv', '--column', 'time=when'], { 't.csv': 'ts,path\n1,/\n' }, 't.csv: there is no column "when"'],
  ['an unknown zone', ['access.log', '--zone', 'Mars'], {}, '--zone: there is no time zone "Mars"'],
  ['a missing file', ['absent.log'], {}, 'cannot read absent.log: no such file'],
  ['a folder', ['.'], {}, 'cannot read .: is a folder'],
] as const)('%s is bad input, and nothing is written', async (_, args, files, message) => {
  const cwd = labWith(files);
  const { code, stderr, stdout } = await clusterlab(['import', ...args, '--out', 'there'], { cwd });
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(message);
  expect(existsSync(join(cwd, 'there'))).toBe(false);
});

test('leaves a folder alone that holds other files, unless told to', async () => {
  const cwd = labWith({ 'access.log': log, 'there/mine.txt': 'mine' });
  const refused = await clusterlab(['import', 'access.log', '--out', 'there'], { cwd });
  expect(refused.code).toBe(2);
  expect(filesIn(join(cwd, 'there'))).toEqual(['mine.txt']);
  expect(await clusterlab(['import', 'access.log', '--out', 'there', '--force'], { cwd })).toMatchObject({ code: 0 });
  expect(filesIn(join(cwd, 'there'))).toEqual(['mine.txt', 'scenario.yaml', 'trace.csv']);
});

test('reads standard input, and prints measurements as JSON', async () => {
  const cwd = labWith();
  const { code, stdout } = await shell('cat access.log | gzip | clusterlab import - --json', { cwd });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    name: 'stdin-fitted',
    format: 'envoy',
    requests: 200,
    classes: [{ name: 'GET /item/:id' }],
  });
  expect(filesIn(join(cwd, 'reports/stdin'))).toEqual(['scenario.yaml', 'trace.csv']);
});

test('takes several logs for one, and keeps to the number of classes', async () => {
  const cwd = labWith({ 'a.log': log, 'b.log': log.replaceAll('/item/', '/other/').replaceAll('12:00', '12:01') });
  const { code, stdout } = await clusterlab(['import', 'a.log', 'b.log', '--classes', '1', '--json'], { cwd });
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    requests: 400,
    sources: ['a.log', 'b.log'],
    classes: [{ name: 'other', requests: 400 }],
  });
});

test('an interrupt ends the wait for a silent pipe and leaves nothing behind', async () => {
  const cwd = labWith();
  const { stderr } = await shell(
    `mkfifo pipe; (cat access.log; exec sleep 30) > pipe & writer=$!
     "${process.execPath}" ${join(import.meta.dirname, '../../dist/cli/main.js')} import - --out there < pipe & reader=$!
     for i in $(seq 100); do [ -e there ] && break; sleep 0.1; done
     kill -INT $reader; wait $reader; echo "code $?" >&2; kill $writer`,
    { cwd },
  );
  expect(stderr).toContain('interrupted: nothing is written');
  expect(stderr).toContain('code 130');
  expect(existsSync(join(cwd, 'there'))).toBe(false);
});
