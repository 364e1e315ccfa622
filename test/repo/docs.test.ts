/** Documents do what they say: the marked blocks of the README are written and run in order, tables agree with the code, and indexes
 *  are complete. Refresh what is generated with `npx vitest run test/repo/docs.test.ts -u`. */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { createProgram } from '../../src/cli/program.ts';
import { policyTemplate } from '../../src/cli/templates.ts';
import { openTerminal } from '../../src/cli/terminal.ts';
import { exitCodes } from '../../src/core/errors.ts';
import { version } from '../../src/core/version.ts';
import { filesUnder, read, root } from './sources.ts';

const readme = read('README.md');

describe('the README', () => {
  test('opens with the two lines that start and test the project', () => {
    expect(readme.split('\n').slice(0, 4)).toEqual(['```', 'npm ci && npm start', 'npm ci && npm test', '```']);
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(['start', 'test']));
  });

  test('names every command, and no other', () => {
    const program = createProgram(openTerminal(process));
    const known = program.commands.map((command) => command.name()).sort();
    const listed = [...readme.matchAll(/^\| `clusterlab ([a-z]+)/gm)].map((match) => match[1]).sort();
    expect(listed).toEqual(known);
  });

  test('lists every exit code', () => {
    const listed = [...readme.matchAll(/^\| ([\d, ]+) \|/gm)]
      .flatMap((match) => match[1]!.split(',').map(Number))
      .sort((a, b) => a - b);
    expect(listed).toEqual(Object.values(exitCodes).sort((a, b) => a - b));
  });
});

describe('the marked blocks of the README', () => {
  // Inside the repository, so that `import 'clusterlab'` finds this package by its own name; git ignores it.
  let folder: string;
  beforeAll(() => {
    mkdirSync(join(root, 'reports'), { recursive: true });
    folder = mkdtempSync(join(root, 'reports', 'readme-'));
    for (const { kind, name, code } of blocks) {
      if (kind !== 'file') continue;
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), code);
    }
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const blocks = markedBlocks(readme);
  const runs = blocks.filter(({ kind }) => kind === 'runs');

  test('are there', () => {
    expect(blocks.filter(({ kind }) => kind === 'file').length).toBeGreaterThanOrEqual(2);
    expect(runs.length).toBeGreaterThanOrEqual(3);
  });

  test.each(runs)('line $line runs ($language)', { timeout: 240_000 }, ({ language, code, line }) => {
    expect(existsSync(join(root, 'dist/cli/main.js')), 'run `npm run build` first').toBe(true);
    const { status, stdout, stderr } = language === 'sh' ? shell(code) : script(code, line);
    expect(status, `${stdout}\n${stderr}`).toBe(0);
  });

  const options = () => ({ cwd: folder, encoding: 'utf8', env: { ...process.env, CI: 'true', NO_COLOR: '1' } }) as const;
  const shell = (code: string) => {
    const prelude = `set -euo pipefail\nclusterlab() { "${process.execPath}" "${join(root, 'dist/cli/main.js')}" "$@"; }\n`;
    return spawnSync('bash', ['-c', prelude + code], options());
  };
  const script = (code: string, line: number) => {
    writeFileSync(join(folder, `line-${line}.mjs`), code);
    return spawnSync(process.execPath, [`line-${line}.mjs`], options());
  };
});

describe('a policy that users start from', () => {
  test.each([
    ['in the README', markedBlocks(readme).find(({ name }) => name.endsWith('.ts'))!.code],
    ['of clusterlab init', policyTemplate],
  ])('%s type-checks against the package as it is built', { timeout: 120_000 }, (_, code) => {
    expect(typeErrors(code)).toBe('');
    expect(typeErrors(code.replace('implements Balancer', 'implements Balanser'))).toContain('Balanser');
  });
});

test('the version in the code is the version of the package', () => {
  expect(version).toBe((JSON.parse(read('package.json')) as { version: string }).version);
});

test('every folder of src has its row in the architecture', () => {
  const folders = new Set(filesUnder('src', '.ts').flatMap((file) => (file.split('/').length > 2 ? [file.split('/')[1]!] : [])));
  const rows = [...read('src/README.md').matchAll(/^\| `([a-z]+)\/`/gm)].map((match) => match[1]);
  expect([...folders].filter((folder) => !rows.includes(folder))).toEqual([]);
});

test('the index of scenarios is complete and current', async () => {
  const rows = filesUnder('scenarios', '.yaml').map((file) => {
    const { about, demonstrates } = parse(read(file)) as { about: string; demonstrates: string };
    return `| [${basename(file, '.yaml')}](${basename(file)}) | ${about.trim()} | ${demonstrates.trim()} |`;
  });
  const index = [
    '<!-- index -->',
    '',
    '| scenario | question | shows |',
    '| --- | --- | --- |',
    ...rows,
    '',
    '<!-- /index -->',
  ].join('\n');
  const expected = read('scenarios/README.md').replace(/<!-- index -->[\s\S]*<!-- \/index -->/, () => index);
  await expect(expected).toMatchFileSnapshot(join(root, 'scenarios/README.md'));
});

interface Block {
  readonly kind: 'file' | 'runs';
  readonly name: string;
  readonly language: string;
  readonly code: string;
  readonly line: number;
}

/** Fenced blocks after `<!-- file: NAME -->` or `<!-- runs -->`. */
function markedBlocks(markdown: string): Block[] {
  return [...markdown.matchAll(/<!-- (?:file: (\S+)|runs) -->\n```(\w+)\n([\s\S]*?)^```$/gm)].map((match) => ({
    kind: match[1] === undefined ? 'runs' : 'file',
    name: match[1] ?? '',
    language: match[2]!,
    code: match[3]!,
    line: markdown.slice(0, match.index).split('\n').length + 2,
  }));
}

/** What the compiler says of a user's file that imports the package by its name. */
function typeErrors(code: string): string {
  mkdirSync(join(root, 'reports'), { recursive: true });
  const folder = mkdtempSync(join(root, 'reports', 'types-'));
  try {
    writeFileSync(join(folder, 'policy.ts'), code);
    const flags = [
      '--ignoreConfig',
      '--noEmit',
      '--strict',
      '--module',
      'nodenext',
      '--target',
      'es2023',
      '--skipLibCheck',
      '--erasableSyntaxOnly',
      '--types',
      '',
    ];
    execFileSync(join(root, 'node_modules/.bin/tsc'), [...flags, join(folder, 'policy.ts')], { encoding: 'utf8', stdio: 'pipe' });
    return '';
  } catch (failure) {
    return String((failure as { stdout?: string }).stdout ?? failure);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
