/** Runs the built program as users start it. `npm test` builds it first. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
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

/** Nothing of the caller's own settings gets through. */
const environment = (env: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: tmpdir(),
  ...env,
});

export function clusterlab(args: readonly string[], { cwd, env }: Surroundings = {}): Ended {
  const options = { cwd: cwd ?? tmpdir(), env: environment(env), encoding: 'utf8', timeout: 30_000, maxBuffer: 2 ** 26 } as const;
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], options);
  return { code: status, stdout, stderr };
}

/** A shell line in which `clusterlab` is the built program; for pipes and redirections. */
export function shell(line: string, { cwd, env }: Surroundings = {}): Ended {
  const script = `clusterlab() { "${process.execPath}" "${main}" "$@"; }\n${line}`;
  const options = { cwd: cwd ?? tmpdir(), env: environment(env), encoding: 'utf8', timeout: 30_000, maxBuffer: 2 ** 26 } as const;
  const { status, stdout, stderr } = spawnSync('bash', ['-c', script], options);
  return { code: status, stdout, stderr };
}

/** Starts the program and sends it a signal once its standard error says `cue`. */
export function interruptedAt(
  cue: RegExp,
  signal: NodeJS.Signals,
  args: readonly string[],
  { cwd, env }: Surroundings = {},
): Promise<Ended> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [main, ...args], {
      cwd: cwd ?? tmpdir(),
      env: environment(env),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    let sent = false;
    child.stdout.on('data', (chunk: Buffer) => (stdout += String(chunk)));
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += String(chunk);
      if (sent || !cue.test(stderr)) return;
      sent = true;
      child.kill(signal);
    });
    child.on('close', (code) => done({ code, stdout, stderr }));
  });
}

/** A folder that is gone after the tests of this file, with the files given. */
export function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'clusterlab-test-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
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
