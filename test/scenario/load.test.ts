/** Reading scenario files from disk. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InputError } from '../../src/core/errors.ts';
import { loadScenario, type LoadOptions } from '../../src/scenario/load.ts';
import { minimalExample } from '../../src/scenario/parse.ts';
import { scenarioText } from './fixture.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'clusterlab-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function fileOf(content: string | Uint8Array, name = 'scenario.yaml'): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, content);
  return file;
}

async function complaintsOf(file: string, options?: LoadOptions): Promise<string[]> {
  try {
    return (await loadScenario(file, options)).warnings.map(({ message }) => message);
  } catch (error) {
    if (error instanceof InputError)
      return error.issues.map(({ message, place }) =>
        place === undefined ? message : `${place.line}:${place.column} ${message}`,
      );
    throw error;
  }
}

test('a scenario comes with its text and the hash of its bytes', async () => {
  const bytes = Buffer.from(`\uFEFF${minimalExample.replaceAll('\n', '\r\n')}`);
  const loaded = await loadScenario(await fileOf(bytes));
  expect(loaded.scenario.name).toBe('first');
  expect(loaded.text.startsWith('scenario: 1\r\n')).toBe(true);
  expect(loaded.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
  expect(loaded.warnings).toEqual([]);
});

test('complaints carry the name of the file as it was given', async () => {
  const file = await fileOf('scenario: 2\n');
  await expect(loadScenario(file)).rejects.toMatchObject({ issues: [{ place: { file, line: 1 } }, {}, {}, {}, {}] });
});

test('data files are found next to the scenario', async () => {
  await fileOf('ms\n5\n7\n', 'samples.csv');
  const file = await fileOf(
    scenarioText({ services: 'services: { api: { instances: 1, work: { type: empirical, file: samples.csv } } }' }),
  );
  const { scenario } = await loadScenario(file);
  expect(scenario.services[0].work).toEqual({ type: 'samples', values: Float64Array.of(5, 7) });
});

describe('is refused', () => {
  test('what is not there', async () => {
    const file = join(folder, 'nowhere.yaml');
    expect(await complaintsOf(file)).toEqual([`cannot read ${file}: no such file`]);
    expect(await complaintsOf('a\0b')).toEqual(['cannot read a\0b: not a file name']);
  });

  test('a folder', async () => {
    expect(await complaintsOf(folder)).toEqual([`${folder}: is a folder`]);
  });

  test.skipIf(process.platform === 'win32')(
    'a FIFO, without waiting for a writer (skipped on Windows, which has none)',
    async () => {
      const fifo = join(folder, 'fifo');
      execFileSync('mkfifo', [fifo]);
      expect(await complaintsOf(fifo)).toEqual([`${fifo}: is not a regular file`]);
    },
  );

  test.skipIf(process.platform === 'win32')('a device (skipped on Windows, which has none)', async () => {
    expect(await complaintsOf('/dev/zero')).toEqual(['/dev/zero: is not a regular file']);
  });

  test('a file larger than a mebibyte', async () => {
    const file = await fileOf(new Uint8Array(1024 * 1024 + 1).fill(0x20));
    expect(await complaintsOf(file)).toEqual([`${file}: larger than 1048576 bytes, which no scenario is`]);
  });

  test('what is not UTF-8, naming the byte', async () => {
    const bytes = Buffer.concat([Buffer.from('scenario: 1\nname: é'), Buffer.of(0xe9), Buffer.from('\n')]);
    expect(await complaintsOf(await fileOf(bytes))).toEqual(['2:8 byte 20 (0xE9) is not UTF-8']);
    expect(await complaintsOf(await fileOf(Buffer.concat([Buffer.from('\uFEFFa: '), Buffer.of(0xc0, 0x80)])))).toEqual([
      '1:4 byte 6 (0xC0) is not UTF-8',
    ]);
  });

  test('UTF-16', async () => {
    const file = await fileOf(Buffer.from('\uFEFFscenario: 1', 'utf16le'));
    expect(await complaintsOf(file)).toEqual([`${file}: is UTF-16`]);
  });
});

describe('policies of one’s own', () => {
  const withBalancer = (use: string): string => scenarioText({ rest: `policies: { balancer: "${use}" }` });

  test('are loaded from inside the current folder', async () => {
    const here = relative(folder, join(process.cwd(), 'src/policies/balancing/random.ts'));
    const { scenario } = await loadScenario(await fileOf(withBalancer(`${here}#random`)));
    expect(scenario.policies.balancer.module).toEqual({
      path: join(process.cwd(), 'src/policies/balancing/random.ts'),
      exportName: 'random',
    });
  });

  test('from outside only when that is asked for, links followed', async () => {
    await fileOf('', 'mine.ts');
    const file = await fileOf(withBalancer('./mine.ts#My'));
    expect(await complaintsOf(file)).toEqual(['8:23 "./mine.ts" lies outside the project folder']);
    expect(await complaintsOf(file, { allowOutside: true })).toEqual([]);
  });

  test.skipIf(process.platform === 'win32')(
    'not through a link that leads outside (skipped on Windows, where links need rights)',
    async () => {
      const inside = await mkdtemp(join(process.cwd(), 'node_modules/.clusterlab-'));
      try {
        await mkdir(join(inside, 'policies'));
        await symlink(await fileOf('', 'mine.ts'), join(inside, 'policies/mine.ts'));
        const file = await fileOf(withBalancer(`${join(inside, 'policies/mine.ts')}#My`));
        expect(await complaintsOf(file)).toEqual([expect.stringContaining('lies outside the project folder')]);
      } finally {
        await rm(inside, { recursive: true });
      }
    },
  );

  test('from a package, looked for from the scenario’s folder', async () => {
    const module = join(folder, 'node_modules/my-balancers');
    await mkdir(module, { recursive: true });
    await writeFile(
      join(module, 'package.json'),
      '{ "name": "my-balancers", "type": "module", "exports": { "./best": { "import": "./best.js" } } }',
    );
    await writeFile(join(module, 'best.js'), '');
    const { scenario } = await loadScenario(await fileOf(withBalancer('my-balancers/best#Best')));
    expect(scenario.policies.balancer.module).toEqual({ path: join(module, 'best.js'), exportName: 'Best' });
    expect(await complaintsOf(await fileOf(withBalancer('no-such-package#Best')))).toEqual([
      '8:23 cannot find the package "no-such-package"',
    ]);
  });
});
