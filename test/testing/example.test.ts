/** The example project as a user has it: the package packed and unpacked into its node_modules, its own tests run with its own vitest.
 *  Dependencies are linked from this repository instead of fetched, so that no network is needed; `.ci/run` installs them for real. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
let folder: string;

beforeAll(() => {
  if (!existsSync(join(root, 'dist/testing/vitest.js'))) throw new Error('run `npm run build` first');
  folder = mkdtempSync(join(tmpdir(), 'clusterlab-example-'));
  cpSync(join(root, 'test/example'), folder, { recursive: true });
  execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: root });
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, 'clusterlab'), { recursive: true });
  const [archive] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  execFileSync('tar', ['-xzf', join(folder, archive), '-C', join(modules, 'clusterlab'), '--strip-components=1']);
  for (const name of readdirSync(join(root, 'node_modules')))
    if (!name.startsWith('.') && name !== 'clusterlab') symlinkSync(join(root, 'node_modules', name), join(modules, name));
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const quiet = { PATH: process.env.PATH, HOME: tmpdir(), CI: 'true', NO_COLOR: '1' };

test('its tests pass', { timeout: 120_000 }, () => {
  const run = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', 'run'], {
    cwd: folder,
    encoding: 'utf8',
    env: quiet,
  });
  expect(run.status, `${run.stdout}\n${run.stderr}`).toBe(0);
  const passed = Number(/Tests +(\d+) passed/.exec(run.stdout)?.[1]);
  // Three of its own and the rules of the contract.
  expect(passed).toBeGreaterThan(8);
});

test('its matchers and contracts have types', { timeout: 120_000 }, () => {
  const flags = [
    '--noEmit',
    '--strict',
    '--ignoreConfig',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--skipLibCheck',
    '--allowImportingTsExtensions',
  ];
  const tsc = (): { status: number | null; stdout: string } =>
    spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), ...flags, 'fewest.test.ts'], {
      cwd: folder,
      encoding: 'utf8',
    });
  expect(tsc()).toMatchObject({ status: 0, stdout: '' });
  const tests = join(folder, 'fewest.test.ts');
  writeFileSync(tests, readFileSync(tests, 'utf8').replace('toMeetSlo', 'toMeatSlo'));
  expect(tsc().stdout).toContain('toMeatSlo');
});
