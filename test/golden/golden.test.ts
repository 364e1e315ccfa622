/** The same bytes: from run to run, however many threads there are, and as they were when they were last written down. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const node = (script: string, ...args: string[]) => {
  expect(existsSync(join(import.meta.dirname, '../../dist/lab/cell.js')), 'run `npm run build` first').toBe(true);
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, script), ...args], {
    encoding: 'utf8',
  });
  return { status, output: stdout.trim(), stderr };
};

test('a run file has the same bytes again, with one thread, and with two', { timeout: 120_000 }, () => {
  const first = node('bytes.mjs', '0');
  expect(first.stderr).toBe('');
  expect(first.output).toMatch(/^[0-9a-f]{64}$/);
  expect(node('bytes.mjs', '0').output).toBe(first.output);
  expect(node('bytes.mjs', '1').output).toBe(first.output);
  expect(node('bytes.mjs', '2').output).toBe(first.output);
});

test('results are those written down in digests.json', { timeout: 120_000 }, () => {
  const { status, output } = node('digests.mjs', 'negative-control', 'bursty-traffic');
  expect(status, `${output}`).toBe(0);
});

test('a digest that differs is named, with what to do about it', { timeout: 120_000 }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'golden-'));
  const file = join(folder, 'digests.json');
  writeFileSync(file, JSON.stringify({ 'negative-control': { 'always-first': 'another' } }));
  const { status, output } = node('digests.mjs', 'negative-control', `--against=${file}`);
  rmSync(folder, { recursive: true });
  expect(status).toBe(1);
  expect(output).toMatch(/negative-control, always-first: was another, is [0-9a-f]+\n/);
  expect(output).toMatch(/negative-control, round-robin: was nothing, is [0-9a-f]+\n/);
  expect(output).toContain('"Numbers that changed" in CHANGELOG.md');
});
