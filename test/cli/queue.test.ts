/** Cells through BullMQ on a real Redis, with workers that are killed and a Redis that is killed: nothing is lost, nothing is counted
 *  twice, and whoever waits is told. Skipped where there is no redis-server (Debian: apt-get install redis-server). */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { clusterlab, type Ended, folderWith, tinyScenario } from './clusterlab.ts';
import { hasRedis, type RedisServer, startRedis } from './redis-server.ts';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

const main = resolve(import.meta.dirname, '../../dist/cli/main.js');
const cwd = folderWith({
  // Two variants are the same, so their cells are; a cell takes some 300 ms.
  'lab.yaml': tinyScenario({
    run: '{ duration: 200s, warmup: 1s, seeds: 3 }',
    traffic: '[{ to: api, arrivals: { type: poisson, rate: 600/s } }]',
    compare: '{ balancer: [p2c, { use: p2c, label: twin }, random] }',
  }),
  'own.yaml': tinyScenario({ compare: '{ balancer: [p2c, ./mine.mjs#Throwing] }' }),
  'mine.mjs': 'export class Throwing { update() {} pick() { throw new TypeError("no idea"); } }\n',
});
const sweep = ['sweep', 'lab.yaml', '--set', 'services.api.slots=2,3', '-q'];
/** 2 points × 2 different variants × 3 seeds. */
const cells = 12;

describe.skipIf(!hasRedis)('a queue', () => {
  let redis: RedisServer;
  let whole: string;
  const workers: ChildProcess[] = [];
  /** Short locks, so that a dead worker is noticed in a second instead of a minute. */
  const env = { ...process.env, NO_COLOR: '1', CLUSTERLAB_LOCK_MS: '1000' };

  function start(...more: string[]): { child: ChildProcess; ended: Promise<Ended> } {
    const args = [main, 'worker', '--redis', redis.url, '-j', '1', '--redis-timeout', '2', ...more];
    const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
    workers.push(child);
    let stderr = '';
    child.stderr!.on('data', (chunk: Buffer) => (stderr += String(chunk)));
    return { child, ended: new Promise((done) => child.on('close', (code) => done({ code, stdout: '', stderr }))) };
  }
  const queued = (out: string, ...more: string[]): Promise<Ended> =>
    clusterlab([...sweep, '-o', out, '--executor', 'bullmq', '--redis', redis.url, '--redis-timeout', '2', ...more], { cwd });
  const resultIn = (folder: string): string => readFileSync(join(cwd, folder, 'sweep.json'), 'utf8');
  const completed = (): Promise<number> => redis.client.zcard('bull:clusterlab:completed');
  /** Asks again and again; the test's own timeout ends it. */
  async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
    while (!(await isSo())) await new Promise((next) => void setTimeout(next, 10));
  }

  beforeAll(async () => {
    redis = await startRedis();
    expect((await clusterlab([...sweep, '-o', 'whole'], { cwd })).code).toBe(0);
    whole = resultIn('whole');
  });
  afterEach(() => {
    for (const worker of workers.splice(0)) worker.kill('SIGKILL');
  });
  afterAll(() => redis?.remove());

  test('gives the same bytes although a worker is killed in the middle of a cell, and runs equal cells once', async () => {
    const [victim, survivor] = [start(), start()];
    const result = queued('killed');
    // Each worker has a cell under way, so whoever is killed is killed in the middle of one.
    await until(async () => (await redis.client.llen('bull:clusterlab:active')) === 2);
    victim.child.kill('SIGKILL');
    expect(await result).toMatchObject({ code: 0 });
    expect(resultIn('killed')).toBe(whole);
    expect(await completed()).toBe(cells);
    survivor.child.kill('SIGTERM');
    expect(await survivor.ended).toMatchObject({ code: 143, stderr: expect.stringMatching(/worker: \d+ cells done/) });
  });

  test('what is done is remembered: nobody has to work for the same cells again', async () => {
    expect(await queued('remembered', '--worker-timeout', '1')).toMatchObject({ code: 0 });
    expect(resultIn('remembered')).toBe(whole);
    expect(await completed()).toBe(cells);
  });

  test('a policy that throws ends the experiment with its own words', async () => {
    start();
    const args = ['compare', 'own.yaml', '--no-out', '-q', '--executor', 'bullmq', '--redis', redis.url];
    const { code, stderr } = await clusterlab(args, { cwd });
    expect(stderr).toMatch(/mine\.mjs#Throwing threw TypeError: no idea/);
    expect(code).toBe(2);
  });

  test('a worker with other policies refuses', async () => {
    const elsewhere = folderWith({ 'mine.mjs': 'export class Throwing { update() {} pick() { return 0; } }\n' });
    const args = [main, 'worker', '--redis', redis.url, '-j', '1', '--queue', 'other'];
    workers.push(spawn(process.execPath, args, { cwd: elsewhere, env, stdio: 'ignore' }));
    const { code, stderr } = await clusterlab(
      ['compare', 'own.yaml', '--no-out', '-q', '--executor', 'bullmq', '--redis', redis.url, '--queue', 'other'],
      { cwd },
    );
    expect(stderr).toMatch(/the policies of this worker are not those of the job/);
    expect(code).toBe(4);
  });

  test('nobody working is said, and ends it', async () => {
    await redis.client.flushall();
    const { code, stderr } = await queued('idle', '--worker-timeout', '3');
    expect(stderr).toMatch(
      /waiting for a worker[\s\S]*nobody works on the queue clusterlab: no worker for 3 s, 12 cells are left/,
    );
    expect(code).toBe(4);
    expect(existsSync(join(cwd, 'idle/sweep.json'))).toBe(false);
  });

  test('a Redis that dies ends both sides with exit code 4, keeps what is finished, and the same command goes on', async () => {
    const worker = start();
    const result = queued('broken');
    await until(() => existsSync(join(cwd, 'broken/cells')) && readdirSync(join(cwd, 'broken/cells')).length > 1);
    redis.kill('SIGKILL');
    const { code, stderr } = await result;
    expect(stderr).toMatch(/Redis at 127\.0\.0\.1:\d+ does not answer \(\w+\); waited 2 s/);
    expect(code).toBe(4);
    expect(await worker.ended).toMatchObject({ code: 4, stderr: expect.stringContaining('does not answer') });
    expect(existsSync(join(cwd, 'broken/sweep.json'))).toBe(false);
    const kept = readdirSync(join(cwd, 'broken/cells')).length;
    const again = await clusterlab([...sweep.slice(0, -1), '-o', 'broken'], { cwd });
    expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining(`${kept} cells of 12 were there already`) });
    expect(resultIn('broken')).toBe(whole);
  });
});

test('a Redis that is not there is an error, not a run in silence', async () => {
  const args = [...sweep, '--no-out', '--executor', 'bullmq', '--redis', 'redis://127.0.0.1:1', '--redis-timeout', '1'];
  expect(await clusterlab(args, { cwd })).toMatchObject({
    code: 4,
    stderr: expect.stringContaining('Redis at 127.0.0.1:1 does not answer (ECONNREFUSED)'),
  });
});
