/** From the cells of an experiment to one result per variant: per-seed values, pooled histograms, bands over seeds. Cells may arrive
 *  in any order; they are put in order of (variant, seed) first, so that sums of floats do not depend on it. */
import type { Scenario } from '../scenario/spec.ts';
import { estimate } from '../stats/estimate.ts';
import { mergeHistograms } from '../stats/histogram.ts';
import {
  type CellResult,
  failureBuckets,
  type InstanceData,
  type Ledger,
  type SeriesColumn,
  seriesColumns,
  type SeriesData,
} from '../stats/result.ts';
import type { SeriesBands, VariantResult } from './types.ts';

export function collectVariants(scenario: Scenario, seeds: readonly string[], cells: readonly CellResult[]): VariantResult[] {
  const place = new Map(seeds.map((seed, i) => [seed, i]));
  return scenario.variants.map((variant, index) => {
    const own = cells
      .filter((cell) => cell.variant === index)
      .toSorted((x, y) => (place.get(x.seed) ?? 0) - (place.get(y.seed) ?? 0));
    return collectVariant(variant.label, variant.differs, index === 0, own);
  });
}

function collectVariant(label: string, differs: string, isBaseline: boolean, cells: readonly CellResult[]): VariantResult {
  const names = Object.keys(cells[0]?.metrics ?? {});
  const metrics = Object.fromEntries(names.map((name) => [name, cells.map((cell) => cell.metrics[name])]));
  return {
    label,
    differs,
    isBaseline,
    metrics,
    estimates: Object.fromEntries(names.map((name) => [name, estimate(metrics[name])])),
    ledger: sumLedgers(cells.map((cell) => cell.ledger)),
    latency: mergeHistograms(cells.map((cell) => cell.latency)),
    wait: mergeHistograms(cells.map((cell) => cell.wait)),
    series: bands(cells.map((cell) => cell.series)),
    instances: meanInstances(cells.map((cell) => cell.instances)),
    beliefs: cells[0]?.beliefs ?? [],
    decisions: cells[0]?.decisions ?? [],
    digests: cells.map((cell) => cell.digest),
  };
}

function sumLedgers(ledgers: readonly Ledger[]): Ledger {
  const total = (pick: (ledger: Ledger) => number): number => ledgers.reduce((sum, ledger) => sum + pick(ledger), 0);
  return {
    offered: total((ledger) => ledger.offered),
    ok: total((ledger) => ledger.ok),
    failed: Object.fromEntries(
      failureBuckets.map((bucket) => [bucket, total((ledger) => ledger.failed[bucket])]),
    ) as Ledger['failed'],
    inFlight: total((ledger) => ledger.inFlight),
  };
}

function bands(all: readonly SeriesData[]): SeriesBands {
  const columns = Object.fromEntries(
    seriesColumns.map((column) => [column, band(all.map((series) => series.columns[column]))]),
  ) as Record<SeriesColumn, { median: number[]; min: number[]; max: number[] }>;
  return { windowMs: all[0]?.windowMs ?? 0, columns };
}

function band(rows: readonly (readonly number[])[]): { median: number[]; min: number[]; max: number[] } {
  const result = { median: [] as number[], min: [] as number[], max: [] as number[] };
  for (let window = 0; window < (rows[0]?.length ?? 0); window++) {
    const values = rows.map((row) => row[window]).filter((value) => !Number.isNaN(value));
    values.sort((x, y) => x - y);
    result.median.push(middle(values));
    result.min.push(values[0] ?? NaN);
    result.max.push(values.at(-1) ?? NaN);
  }
  return result;
}

function middle(sorted: readonly number[]): number {
  const half = sorted.length >>> 1;
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

function meanInstances(all: readonly (readonly InstanceData[])[]): InstanceData[] {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  return (all[0] ?? []).map((first, i) => ({
    ...first,
    served: mean(all.map((instances) => instances[i].served)),
    utilization: mean(all.map((instances) => instances[i].utilization)),
    busy: first.busy.map((_, window) => mean(all.map((instances) => instances[i].busy[window]))),
    queued: first.queued.map((_, window) => mean(all.map((instances) => instances[i].queued[window]))),
  }));
}
