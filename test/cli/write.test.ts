import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkFolder, readManifest, writeFolder, writeWhole } from '../../src/cli/write.ts';
import { InputError, ResourceLimit } from '../../src/core/errors.ts';
import type { OutputFile } from '../../src/report/index.ts';

let base: string;
let folder: string;
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'clusterlab-write-'));
  folder = join(base, 'out');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const tree = (): string[] => readdirSync(folder, { recursive: true }).map(String).sort();

describe('a result folder', () => {
  test('holds the files and a manifest with their hashes, and nothing else', async () => {
    await writeFolder(
      folder,
      [
        { name: 'run.json', content: '{}' },
        { name: 'charts/a.svg', content: '<svg/>' },
      ],
      { complete: true },
    );
    expect(tree()).toEqual(['charts', 'charts/a.svg', 'manifest.json', 'run.json']);
    expect(await readManifest(folder)).toEqual({
      schema: 'clusterlab-manifest/1',
      complete: true,
      files: { 'charts/a.svg': sha256('<svg/>'), 'run.json': sha256('{}') },
    });
  });

  test('says "incomplete" while it is written, and after an interruption', async () => {
    const seen: (boolean | undefined)[] = [];
    async function* files(): AsyncGenerator<OutputFile> {
      seen.push((await readManifest(folder))?.complete);
      yield { name: 'run.json', content: '{}' };
      seen.push((await readManifest(folder))?.complete);
    }
    await writeFolder(folder, files(), { complete: true });
    seen.push((await readManifest(folder))?.complete);
    await writeFolder(folder, [], { complete: false });
    seen.push((await readManifest(folder))?.complete);
    expect(seen).toEqual([false, false, true, false]);
  });

  test('of an earlier run loses what is not written again, but nothing that was not listed', async () => {
    await writeFolder(
      folder,
      [
        { name: 'run.json', content: '1' },
        { name: 'charts/old.svg', content: '<svg/>' },
      ],
      { complete: true },
    );
    writeFileSync(join(folder, 'notes.txt'), 'mine');
    await checkFolder(folder, { force: false });
    await writeFolder(folder, [{ name: 'run.json', content: '2' }], { complete: true });
    expect(tree()).toEqual(['charts', 'manifest.json', 'notes.txt', 'run.json']);
    expect(readFileSync(join(folder, 'run.json'), 'utf8')).toBe('2');
  });

  test('keeps the other files when only some are rendered again', async () => {
    await writeFolder(folder, [{ name: 'run.json', content: '1' }], { complete: true });
    await writeFolder(folder, [{ name: 'report.md', content: '#' }], { complete: true, keepOthers: true });
    expect(Object.keys((await readManifest(folder))!.files)).toEqual(['report.md', 'run.json']);
  });

  test('that failed half-way can be written again', async () => {
    const broken = (function* (): Generator<OutputFile> {
      yield { name: 'run.json', content: '{}' };
      throw new Error('renderer');
    })();
    await expect(writeFolder(folder, broken, { complete: true })).rejects.toThrow('renderer');
    expect((await readManifest(folder))?.complete).toBe(false);
    await checkFolder(folder, { force: false });
  });
});

describe('a folder that is somebody else’s', () => {
  test('is refused, unless forced', async () => {
    mkdirSync(folder);
    await checkFolder(folder, { force: false });
    writeFileSync(join(folder, 'thesis.txt'), 'years of work');
    await expect(checkFolder(folder, { force: false })).rejects.toThrow(InputError);
    await expect(checkFolder(folder, { force: false })).rejects.toThrow('was left alone');
    await checkFolder(folder, { force: true });
  });

  test.each([
    ['of another program', '{ "name": "my-extension", "manifest_version": 3 }'],
    ['that is not JSON', 'hello'],
    ['that is null', 'null'],
    [
      'whose files lead out of the folder',
      '{ "schema": "clusterlab-manifest/1", "complete": true, "files": { "../../etc/passwd": "" } }',
    ],
    ['whose files are absolute', '{ "schema": "clusterlab-manifest/1", "complete": true, "files": { "/etc/passwd": "" } }'],
  ])('is not made ours by a manifest %s', async (_, text) => {
    mkdirSync(folder);
    writeFileSync(join(folder, 'manifest.json'), text);
    await expect(checkFolder(folder, { force: false })).rejects.toThrow('was left alone');
  });
});

describe('what cannot be written', () => {
  test('is named with its path and the reason: a file where the folder should be', async () => {
    writeFileSync(folder, '');
    await expect(checkFolder(folder, { force: false })).rejects.toThrow(
      `cannot write ${folder}: a part of the path is a file, not a folder (ENOTDIR)`,
    );
    await expect(writeWhole(join(folder, 'run.json'), '')).rejects.toThrow(ResourceLimit);
  });

  test('is named with its path and the reason: a folder where the file should be', async () => {
    mkdirSync(join(folder, 'run.json'), { recursive: true });
    await expect(writeWhole(join(folder, 'run.json'), '')).rejects.toThrow('a folder of that name is in the way (EISDIR)');
  });

  // Nobody can write to /proc, root included, so this holds whoever runs the tests.
  test.skipIf(process.platform !== 'linux')('is named with its path and the reason: a place without room for files', async () => {
    await expect(writeWhole('/proc/clusterlab/run.json', '')).rejects.toThrow(
      /^cannot write \/proc\/clusterlab\/run\.json: .+ \(E[A-Z]+\)$/,
    );
  });

  test('leaves no temporary file behind', async () => {
    mkdirSync(join(folder, 'run.json'), { recursive: true });
    await expect(writeWhole(join(folder, 'run.json'), '')).rejects.toThrow();
    expect(tree()).toEqual(['run.json']);
  });
});
