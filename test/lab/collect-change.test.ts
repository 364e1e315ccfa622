import { describe, expect, test } from 'vitest';
import { collectChange } from '../../src/lab/collect-change.ts';
import type { CellResult, ChangeResult, VersionTotals } from '../../src/stats/result.ts';

const place = new Map([
  ['a', 0],
  ['b', 1],
  ['c', 2],
]);
const cell = (seed: string, change?: ChangeResult): CellResult =>
  ({ seed, ...(change === undefined ? {} : { change }) }) as unknown as CellResult;

function change(counts: readonly number[], totals: readonly VersionTotals[], versions = ['v1', 'v2']): ChangeResult {
  return {
    rollouts: ['first', 'second'].map((to) => ({
      ...{ service: 'api', kind: 'release' as const, from: 'v1', to, isBad: false, outcome: 'succeeded' },
      ...{ startedMs: 0, exposedMs: NaN, decidedMs: NaN, endedMs: NaN },
      ...{ offered: counts[0]!, exposed: 0, failed: 0, slow: 0, userMinutes: 0, slowMs: 100 },
    })),
    phases: [{ atMs: counts[0]!, service: 'api', kind: 'release', phase: 'progressing', reason: '' }],
    traffic: [
      {
        ...{ service: 'api', kind: 'release' as const, versions, totals },
        requests: versions.map((_, at) => counts.map((count) => count * (at + 1))),
        failed: versions.map(() => counts.map(() => 1)),
        hosts: versions.map(() => counts.map(() => 4)),
      },
    ],
    hosts: [],
    leaders: [],
  };
}
const totals = (requests: number, failed: number, p50: number): VersionTotals => ({ requests, failed, p50, p99: p50 * 4 });
const none: VersionTotals = { requests: 0, failed: 0, p50: NaN, p99: NaN };

describe('changes over seeds', () => {
  const found = collectChange(
    [
      cell('a', change([10, 20], [totals(100, 0, 10), none])),
      cell('b', change([30, 40], [totals(300, 100, 40), totals(8, 8, NaN)])),
    ],
    place,
  )!;

  test('every roll-out of every seed is kept, with the place of its seed and its own', () => {
    expect(found.rollouts.map(({ seed, order, to, offered }) => [seed, order, to, offered])).toEqual([
      [0, 0, 'first', 10],
      [0, 1, 'second', 10],
      [1, 0, 'first', 30],
      [1, 1, 'second', 30],
    ]);
  });
  test('windows are means, counts are sums, and a quantile weighs as much as the requests that it is of', () => {
    const [traffic] = found.traffic;
    expect(traffic!.requests).toEqual([
      [20, 30],
      [40, 60],
    ]);
    expect(traffic!.hosts).toEqual([
      [4, 4],
      [4, 4],
    ]);
    // 100 requests of 10 ms and 200 of 40 ms.
    expect(traffic!.totals[0]).toEqual({ requests: 400, failed: 100, p50: 30, p99: 120 });
    expect(traffic!.totals[1]).toEqual({ requests: 8, failed: 8, p50: NaN, p99: NaN });
    expect(traffic!.perSeed[1]).toEqual([none, totals(8, 8, NaN)]);
  });
  test('a course of events is the first seed’s', () => {
    expect(found.phases.map(({ atMs }) => atMs)).toEqual([10]);
  });
  test('a seed that lacks a version counts as one without requests of it', () => {
    const both = collectChange([cell('a', change([10], [none], ['v1'])), cell('b', change([30], [none, none]))], place)!;
    expect(both.traffic[0]!.versions).toEqual(['v1', 'v2']);
    expect(both.traffic[0]!.requests).toEqual([[20], [30]]);
  });
  test('a seed keeps its place where others are missing', () => {
    expect(collectChange([cell('c', change([1], [none, none]))], place)!.rollouts[0]!.seed).toBe(2);
  });
  test('there is nothing where nothing is rolled out', () => {
    expect(collectChange([cell('a'), cell('b')], place)).toBeNull();
  });
});
