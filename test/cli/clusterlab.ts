/** Runs the built program as users start it. `npm test` builds it first. */
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll } from 'vitest';

const main = resolve(import.meta.dirname, '../../dist/cli/main.js');
if (!existsSync(main)) throw new Error('dist/cli/main.js is missing: run `npm run build` first');

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Surroundings {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Nothing of the caller's own settings gets through. One worker starts faster than several, and these runs are tiny. */
const surroundings = ({ cwd, env }: Surroundings) => ({
  cwd: cwd ?? tmpdir(),
  env: { PATH: process.env.PATH, HOME: tmpdir(), CLUSTERLAB_JOBS: '1', ...env },
});

export const clusterlab = (args: readonly string[], where: Surroundings = {}): Promise<Ended> =>
  ended(spawn(process.execPath, [main, ...args], { ...surroundings(where), stdio: ['ignore', 'pipe', 'pipe'] }));

/** A shell line in which `clusterlab` is the built program; for pipes and redirections. */
export const shell = (line: string, where: Surroundings = {}): Promise<Ended> => {
  const script = `clusterlab() { "${process.execPath}" "${main}" "$@"; }\n${line}`;
  return ended(spawn('bash', ['-c', script], { ...surroundings(where), stdio: ['ignore', 'pipe', 'pipe'] }));
};

/** Starts the program and sends it a signal once its standard error says `cue`. */
export function interruptedAt(
  cue: RegExp,
  signal: NodeJS.Signals,
  args: readonly string[],
  where: Surroundings = {},
): Promise<Ended> {
  const child = spawn(process.execPath, [main, ...args], { ...surroundings(where), stdio: ['ignore', 'pipe', 'pipe'] });
  let seen = '';
  const listen = (chunk: Buffer): void => {
    seen += String(chunk);
    if (!cue.test(seen)) return;
    child.stderr.off('data', listen);
    child.kill(signal);
  };
  child.stderr.on('data', listen);
  return ended(child);
}

function ended(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Ended> {
  return new Promise((done, fail) => {
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += String(chunk)));
    child.stderr.on('data', (chunk: Buffer) => (stderr += String(chunk)));
    child.on('error', fail);
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
}

const base = mkdtempSync(join(tmpdir(), 'clusterlab-test-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));

/** A new folder with these files; it is gone after the tests of the file. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(base, 'lab-'));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** A few thousand requests: runs in milliseconds. Sections can be replaced or added by their top-level key. */
export function tinyScenario(sections: Readonly<Record<string, string>> = {}): string {
  const all: Record<string, string> = {
    scenario: '1',
    name: 'tiny',
    about: 'Four instances, little load.',
    demonstrates: 'nothing in particular',
    run: '{ duration: 10s, warmup: 1s, seeds: 3 }',
    services: '{ api: { instances: 4, slots: 2, work: { type: exponential, mean: 10ms } } }',
    traffic: '[{ to: api, arrivals: { type: poisson, rate: 200/s }, timeout: 1s }]',
    compare: '{ balancer: [round-robin, p2c] }',
    ...sections,
  };
  return Object.entries(all)
    .map(([key, value]) => `${key}: ${value}\n`)
    .join('');
}
