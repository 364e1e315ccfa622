/** When a crashed instance is started again: after the cause is gone, when its restart policy says so. Times in ms. */
import { expect, test } from 'vitest';
import type { RestartDeps, RestartPolicy } from '../../../src/policies/recovery/restarts/restart-policy.ts';
import { restartPolicies } from '../../../src/policies/recovery/restarts/index.ts';
import { crash, play, type Played } from '../world-builder.ts';
import { badTimes, fault, flapping } from './setup.ts';

const using = (name: string, params: object = {}) => ({
  restart: (deps: RestartDeps) => restartPolicies[name].make(params, deps),
});
const outages = (played: Played): number[] => badTimes(played).map(([, from, to]) => Number(to) - Number(from));
/** Crashes for 10 at 1000, and 2000 after each repair. */
const loop = fault({ type: 'crash' }, [0], flapping(1000, 1e6, 10, 2000));

test('without a policy at once', () => {
  expect(outages(play({ at: [], faults: [loop], durationMs: 9000 }))).toEqual([10, 10, 10, 10]);
});

test('a crash loop under the kubelet: the first restart at once, then after waits that double, each on top of the cause', () => {
  const service = using('kubelet', { initialBackoff: 100, maxContainerRestartPeriod: 300 });
  expect(outages(play({ at: [], service, faults: [loop], startupMs: 5, durationMs: 12_000 }))).toEqual([
    15, 115, 215, 315, 315, 315,
  ]);
});

test('never under `never`', () => {
  const played = play({ at: [], instances: 2, service: using('never'), faults: [crash(0, 250, 100)] });
  expect(badTimes(played)).toEqual([['api/0', 250, Infinity]]);
  expect(played.metrics['instances.up']).toBe(0.625);
});

test('a policy hears of every end once, by the time at which the cause was gone, and of every start', () => {
  const heard: [string, number, number][] = [];
  const listening: RestartPolicy = {
    restartAtMs: (_, startedMs, endedMs, isFailure) => {
      heard.push([isFailure ? 'failed' : 'ended', startedMs, endedMs]);
      return endedMs + 7;
    },
    onRestarted: (_, nowMs) => heard.push(['started', nowMs, nowMs]),
    forget: () => {},
  };
  // Two causes that overlap: one end. A crash while it waits to be started: another.
  const faults = [crash(0, 100, 50), crash(0, 120, 60), crash(0, 182, 10)];
  const played = play({ at: [], service: { restart: () => listening }, startupMs: 3, faults });
  expect(heard).toEqual([
    ['failed', 0, 180],
    ['failed', 0, 192],
    ['started', 202, 202],
  ]);
  expect(badTimes(played)).toEqual([['api/0', 100, 202]]);
});
