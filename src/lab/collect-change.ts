/** Roll-outs over seeds. Each seed has its own: they decide by what they see, so they start alike and may end differently. What is counted
 *  is summed, what is there per window is a mean, and a course of events is the first seed's, because there is no mean of events. */
import { type CellResult, type ChangeResult, type RolloutKind, type VersionTotals } from '../stats/result.ts';
import type { SeedRollout, VariantChange, VariantTraffic } from './types.ts';

/** Null where nothing is rolled out in any seed. */
export function collectChange(cells: readonly CellResult[], placeOf: ReadonlyMap<string, number>): VariantChange | null {
  const own = cells.flatMap(({ seed, change }) => (change === undefined ? [] : [{ seed: placeOf.get(seed) ?? 0, change }]));
  const [first] = own;
  if (first === undefined) return null;
  return {
    rollouts: own.flatMap(({ seed, change }) =>
      change.rollouts.map((rollout, order): SeedRollout => ({ ...rollout, seed, order })),
    ),
    traffic: meanTraffic(own.map(({ change }) => change)),
    phases: first.change.phases,
    hosts: first.change.hosts,
    leaders: first.change.leaders,
  };
}

/** A seed in which a service was never touched, or a version never seen, counts as one without requests there. */
function meanTraffic(changes: readonly ChangeResult[]): VariantTraffic[] {
  const all = changes.flatMap(({ traffic }) => traffic);
  const groups = new Map<string, { readonly service: string; readonly kind: RolloutKind }>();
  for (const { service, kind } of all) groups.set(JSON.stringify([service, kind]), { service, kind });
  return [...groups.values()].map(({ service, kind }) => {
    const own = all.filter((each) => each.service === service && each.kind === kind);
    const versions = [...new Set(own.flatMap((each) => each.versions))];
    const meanOf = (column: 'requests' | 'failed' | 'hosts'): number[][] =>
      versions.map((version) => {
        const rows = own.map((each) => each[column][each.versions.indexOf(version)] ?? []);
        const windows = Math.max(...rows.map((row) => row.length));
        return Array.from(
          { length: windows },
          (_, window) => rows.reduce((sum, row) => sum + (row[window] ?? 0), 0) / changes.length,
        );
      });
    const perSeed = versions.map((version) => own.map((each) => each.totals[each.versions.indexOf(version)] ?? noTotals));
    return {
      ...{ service, kind, versions },
      ...{ requests: meanOf('requests'), failed: meanOf('failed'), hosts: meanOf('hosts') },
      totals: perSeed.map(poolTotals),
      perSeed,
    };
  });
}

const noTotals: VersionTotals = { requests: 0, failed: 0, p50: NaN, p99: NaN };

/** A seed that gave up after three requests says little about a quantile; hence the weights. */
function poolTotals(all: readonly VersionTotals[]): VersionTotals {
  const sum = (pick: (totals: VersionTotals) => number): number => all.reduce((total, each) => total + pick(each), 0);
  const weigh = (quantile: 'p50' | 'p99'): number => {
    const known = all.filter((each) => !Number.isNaN(each[quantile]));
    const weight = (each: VersionTotals): number => each.requests - each.failed;
    const total = known.reduce((count, each) => count + weight(each), 0);
    return known.reduce((count, each) => count + each[quantile] * weight(each), 0) / total;
  };
  return {
    requests: sum(({ requests }) => requests),
    failed: sum(({ failed }) => failed),
    p50: weigh('p50'),
    p99: weigh('p99'),
  };
}
