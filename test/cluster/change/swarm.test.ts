/** Random worlds in which versions are rolled out. Nothing is predicted: the checkers inside every run must stay silent, and what is told
 *  must make sense together. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type CellResult,
  type ChangeResult,
  failureBuckets,
  type RolloutResult,
  type VersionTraffic,
} from '../../../src/stats/result.ts';
import { type Attempt, type Played, playWorld, type World } from '../world-builder.ts';
import { changingWorld } from './random-change.ts';

/** For more of them, by hand. */
const RUNS = Number(process.env['SWARM_RUNS'] ?? 110);
const SEED = Number(process.env['SWARM_SEED'] ?? 3);

test('every invariant holds where versions are rolled out', { timeout: 120_000 * Math.ceil(RUNS / 100) }, () => {
  const outcomes = new Map<string, number>();
  const strategies = new Set<string>();
  let exposed = 0;
  const property = fc.property(changingWorld, ({ world, setup, strategies: own, isCalm }) => {
    const played = playWorld(world, setup);
    const change = played.change!;
    expect(playWorld(world, setup).digest).toBe(played.digest);
    balances(played);
    addsUp(world, played, change);
    for (const rollout of change.rollouts) {
      makesSense(rollout);
      exposed += rollout.exposed;
      outcomes.set(rollout.outcome, (outcomes.get(rollout.outcome) ?? 0) + 1);
    }
    inOrder(change);
    endsWithOne(world, change, isCalm);
    for (const name of own) strategies.add(name);
  });
  fc.assert(property, { numRuns: RUNS, seed: SEED, endOnFailure: true });
  // The worlds must not be empty.
  expect(strategies.size).toBe(8);
  for (const outcome of ['succeeded', 'aborted', 'superseded']) expect(outcomes.get(outcome), outcome).toBeGreaterThan(10);
  expect(exposed).toBeGreaterThan(10_000);
});

function balances({ ledger, littleResidual, metrics }: CellResult): void {
  const failed = failureBuckets.reduce((sum, bucket) => sum + ledger.failed[bucket], 0);
  expect(ledger.offered).toBe(ledger.ok + failed + ledger.cancelled + ledger.inFlight);
  expect(littleResidual).toBeLessThan(1e-6);
  for (const [name, value] of Object.entries(metrics)) {
    if (/^(rollout|config)\./.test(name))
      expect(Number.isNaN(value) || (Number.isFinite(value) && value >= 0), `${name} is ${value}`).toBe(true);
  }
  for (const name of ['exposure', 'aborted', 'wrong', 'missed'])
    expect(metrics[`rollout.${name}`] || 0, name).toBeLessThanOrEqual(1);
  expect(metrics['config.skew'] || 0).toBeLessThanOrEqual(1);
}

/** Where everybody has a version, every attempt that ended met one. */
function addsUp({ run, services, edges }: World, { attempts }: Played, { traffic, hosts }: ChangeResult): void {
  const windows = Math.ceil(run.durationMs / run.windowMs);
  for (const { service, kind, versions, requests, failed, hosts: counts, totals } of traffic) {
    for (const columns of [requests, failed, counts]) {
      expect(columns.length).toBe(versions.length);
      for (const column of columns) expect(column.length).toBe(windows);
    }
    requests.forEach((column, version) => {
      column.forEach((all, window) => expect(failed[version][window]).toBeLessThanOrEqual(all));
      expect(totals[version].failed).toBeLessThanOrEqual(totals[version].requests);
      expect(totals[version].requests).toBeLessThanOrEqual(column.reduce((sum, all) => sum + all, 0));
    });
    const areInstances =
      kind === 'release' || hosts.some((host) => host.kind === 'config' && host.host.startsWith(`${service}/`));
    if (!areInstances) continue;
    const own = attempts.filter(({ edge, outcome }) => services[edges[edge].service].name === service && outcome !== 'cancelled');
    expect(byWindow(requests), `${kind} of ${service}`).toEqual(endedIn(own, run.windowMs, windows));
    const bad = own.filter(({ outcome }) => outcome !== 'ok');
    expect(byWindow(failed), `failed ones, ${kind} of ${service}`).toEqual(endedIn(bad, run.windowMs, windows));
  }
}

const byWindow = (columns: VersionTraffic['requests']): number[] =>
  columns[0].map((_, window) => columns.reduce((sum, column) => sum + column[window], 0));

function endedIn(attempts: readonly Attempt[], windowMs: number, windows: number): number[] {
  const counts = Array<number>(windows).fill(0);
  for (const { endedMs } of attempts) counts[Math.min(windows - 1, Math.floor(endedMs / windowMs))]++;
  return counts;
}

function makesSense({ offered, exposed, failed, slow, userMinutes, slowMs, ...times }: RolloutResult): void {
  for (const number of [offered, exposed, failed, slow, userMinutes]) expect(Number.isInteger(number) && number >= 0).toBe(true);
  expect(exposed).toBeLessThanOrEqual(offered);
  expect(failed + slow).toBeLessThanOrEqual(exposed);
  expect(userMinutes).toBeLessThanOrEqual(failed + slow);
  expect(userMinutes > 0).toBe(failed + slow > 0);
  expect(slowMs).toBeGreaterThan(0);
  const { startedMs, exposedMs, decidedMs, endedMs, outcome, isBad, from, to } = times;
  expect(comesAfter(exposedMs, startedMs) && comesAfter(decidedMs, startedMs) && comesAfter(endedMs, startedMs)).toBe(true);
  expect(comesAfter(endedMs, decidedMs), JSON.stringify(times)).toBe(true);
  if (exposed > 0) expect(exposedMs).not.toBeNaN();
  // Nobody meets a good version for the first time when it is all there is.
  if (!isBad) expect(comesAfter(endedMs, exposedMs), JSON.stringify(times)).toBe(true);
  if (['succeeded', 'aborted', 'halted', 'promoting', 'rolling-back'].includes(outcome)) expect(decidedMs, outcome).not.toBeNaN();
  if (outcome === 'superseded') expect(decidedMs).toBeNaN();
  if (from === to) expect([decidedMs, endedMs, offered]).toEqual([startedMs, startedMs, 0]);
}

const comesAfter = (laterMs: number, earlierMs: number): boolean => !(laterMs < earlierMs);

function inOrder({ phases, hosts, leaders, rollouts }: ChangeResult): void {
  for (const list of [phases, hosts])
    list.forEach(({ atMs }, index) => expect(atMs).toBeGreaterThanOrEqual(list[index - 1]?.atMs ?? 0));
  rollouts.forEach(({ startedMs }, index) => expect(startedMs).toBeGreaterThanOrEqual(rollouts[index - 1]?.startedMs ?? 0));
  for (const { fromMs, toMs } of leaders) expect(toMs).toBeGreaterThanOrEqual(fromMs);
}

/** After the last roll-out has ended, only one version is there: for ever where nobody comes, goes or forgets. */
function endsWithOne({ delivery }: World, { traffic, rollouts, hosts }: ChangeResult, isCalm: boolean): void {
  for (const { service, kind, versions, hosts: counts } of traffic) {
    const last = rollouts.findLast((rollout) => rollout.service === service && rollout.kind === kind)!;
    const isDone = !Number.isNaN(last.endedMs) && ['succeeded', 'aborted'].includes(last.outcome);
    // A leader who does not know that it has been followed brings back what it likes.
    const isSound = delivery!.controllers === 1 || delivery!.isFenced;
    const areOthersGone = rollouts.every(
      (rollout) => rollout.service !== service || rollout.kind !== kind || !Number.isNaN(rollout.endedMs),
    );
    if (!isDone || !isSound || !areOthersGone || (kind === 'config' && !isCalm)) continue;
    const before = rollouts.filter((rollout) => rollout.service === service && rollout.kind === kind).at(-2);
    // Nobody gives up going back.
    const isReturn = before?.outcome === 'superseded' && before.to === last.from;
    const kept = last.outcome === 'succeeded' || isReturn ? last.to : last.from;
    const left = versions.filter((name, version) => name !== kept && counts[version].at(-1)! > 0);
    expect(left, `${kind} of ${service}: ${JSON.stringify(last)} ${JSON.stringify(hosts.slice(-8))}`).toEqual([]);
  }
}
