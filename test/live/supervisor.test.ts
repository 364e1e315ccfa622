/** Real processes that end, started again as a restart policy says; time is moved on by hand between an end and the next start. */
import { describe, expect, test } from 'vitest';
import { type SupervisorEvent, superviseProcess, type SupervisorOptions } from '../../src/live/index.ts';
import { restartPolicies } from '../../src/policies/recovery/restarts/index.ts';
import { testRng } from '../policies/fixtures.ts';
import { ManualTime, until } from './manual-time.ts';

function supervise(script: string, options: Pick<SupervisorOptions, 'restart'> & Partial<SupervisorOptions>) {
  const time = new ManualTime();
  const events: SupervisorEvent[] = [];
  const supervised = superviseProcess({
    command: process.execPath,
    args: ['-e', script],
    spawn: { stdio: 'ignore' },
    clock: time,
    timers: time,
    rng: testRng(1),
    onEvent: (event) => events.push(event),
    ...options,
  });
  return { time, events, supervised, words: () => events.map(({ kind, atMs }) => `${atMs} ${kind}`) };
}

describe('a program that fails', () => {
  test.each([
    ['kubelet', {}],
    ['systemd', { restart: 'on-failure', restartSec: 500, startLimitBurst: 3 }],
    ['nomad', {}],
  ])('is started again when %s says so', { timeout: 60_000 }, async (use, params) => {
    const policy = restartPolicies[use].make(params, { rng: testRng(1) });
    const { time, events, supervised, words } = supervise('process.exit(3)', { restart: { use, ...params } });
    const expected: string[] = [];
    let startedAtMs = 0;
    for (let round = 0; round < 4; round++) {
      // It ends in the moment it starts: time stands still while it runs.
      expected.push(`${startedAtMs} started`, `${startedAtMs} ended`);
      await until(() => events.filter(({ kind }) => kind === 'ended').length === round + 1);
      const againMs = policy.restartAtMs(0, startedAtMs, startedAtMs, true);
      if (againMs === Infinity) {
        expected.push(`${startedAtMs} over`);
        break;
      }
      await time.passTo(againMs);
      policy.onRestarted(0, againMs);
      startedAtMs = againMs;
    }
    const isOver = expected.at(-1)!.endsWith('over');
    if (isOver) await supervised.over;
    else await supervised.stop();
    expect(words().slice(0, expected.length)).toEqual(expected);
    expect(events.filter((event) => event.kind === 'ended').every(({ isFailure }) => isFailure)).toBe(true);
    expect(time.pending).toBe(0);
  });

  test('because it is not there, has failed as well', async () => {
    const { supervised, events } = supervise('', { command: '/nowhere/program', restart: 'never' });
    await supervised.over;
    expect(events).toEqual([
      { kind: 'started', pid: undefined, atMs: 0 },
      { kind: 'ended', code: null, signal: null, isFailure: true, atMs: 0 },
      { kind: 'over', atMs: 0 },
    ]);
  });
});

test('a program that is done is not started again where only failures are', async () => {
  const { supervised, words } = supervise('', { restart: { use: 'systemd', restart: 'on-failure' } });
  await supervised.over;
  expect(words()).toEqual(['0 started', '0 ended', '0 over']);
});

test('a program that is stopped is gone, whether it ran or was about to', async () => {
  const running = supervise('setInterval(() => {}, 1000)', { restart: 'kubelet' });
  await running.supervised.stop('SIGKILL');
  expect(running.events.at(-2)).toMatchObject({ kind: 'ended', signal: 'SIGKILL', isFailure: true });
  const waiting = supervise('process.exit(1)', { restart: { use: 'systemd', restart: 'always', restartSec: 60_000 } });
  await until(() => waiting.events.some(({ kind }) => kind === 'ended'));
  await waiting.supervised.stop();
  expect(waiting.words()).toEqual(['0 started', '0 ended', '0 over']);
  expect(waiting.time.pending).toBe(0);
});
