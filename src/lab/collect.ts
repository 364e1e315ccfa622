/** From the cells of an experiment to one result per variant: per-seed values, pooled histograms, bands over seeds. Cells may arrive
 *  in any order; they are put in order of (variant, seed) first, so that sums of floats do not depend on it. */
import type { Scenario, VariantSpec } from '../scenario/spec.ts';
import { estimate } from '../stats/estimate.ts';
import { mergeHistograms } from '../stats/histogram.ts';
import {
  type CellResult,
  type ElasticService,
  failureBuckets,
  type InstanceData,
  type Ledger,
  type QueueResult,
  type SeriesColumn,
  seriesColumns,
  type SeriesData,
  type SizeRecommendation,
} from '../stats/result.ts';
import { judgeAvailability } from './availability.ts';
import { collectChange } from './collect-change.ts';
import { judgeRecovery } from './recovery.ts';
import type { SeriesBands, VariantResult, VariantView } from './types.ts';

export function collectVariants(scenario: Scenario, seeds: readonly string[], cells: readonly CellResult[]): VariantResult[] {
  const place = new Map(seeds.map((seed, i) => [seed, i]));
  return scenario.variants.map((variant, index) => {
    const own = cells
      .filter((cell) => cell.variant === index)
      .toSorted((x, y) => (place.get(x.seed) ?? 0) - (place.get(y.seed) ?? 0));
    return collectVariant(scenario, variant, own, place);
  });
}

function collectVariant(
  scenario: Scenario,
  variant: VariantSpec,
  cells: readonly CellResult[],
  place: ReadonlyMap<string, number>,
): VariantResult {
  const { label, differs, load = null, group = '' } = variant;
  const [first] = scenario.variants;
  const world = variant.scenario ?? scenario;
  const series = bands(cells.map((cell) => cell.series));
  return {
    label,
    differs,
    isBaseline: load === null ? variant === first : group === (first.group ?? ''),
    load,
    group,
    ...overSeeds(cells),
    ledger: sumLedgers(cells.map((cell) => cell.ledger)),
    latency: mergeHistograms(cells.map((cell) => cell.latency)),
    wait: mergeHistograms(cells.map((cell) => cell.wait)),
    views: collectViews(world, cells),
    series,
    instances: meanInstances(cells.map((cell) => cell.instances)),
    elastic: collectElastic(cells),
    change: collectChange(cells, place),
    alarms: cells[0]?.alarms ?? [],
    sizes: meanSizes(cells),
    queues: meanQueues(cells.map((cell) => cell.queues)),
    waterfalls: cells[0]?.waterfalls ?? [],
    metastability: judgeRecovery(label, world, cells),
    availability: judgeAvailability(label, { ...world, expect: scenario.expect }, series, cells),
    beliefs: cells[0]?.beliefs ?? [],
    truth: cells[0]?.truth ?? [],
    decisions: cells[0]?.decisions ?? [],
    digests: cells.map((cell) => cell.digest),
  };
}

/** Per-seed values by metric, and what they say about the mean. */
function overSeeds(results: readonly Pick<CellResult, 'metrics'>[]): Pick<VariantResult, 'metrics' | 'estimates'> {
  const names = Object.keys(results[0]?.metrics ?? {});
  const metrics = Object.fromEntries(names.map((name) => [name, results.map((result) => result.metrics[name])]));
  return { metrics, estimates: Object.fromEntries(names.map((name) => [name, estimate(metrics[name])])) };
}

function collectViews(world: Omit<Scenario, 'variants'>, cells: readonly CellResult[]): VariantView[] {
  return world.views.map(({ label, edges, service, class: kind, fromMs, toMs }, index) => {
    const own = cells.map((cell) => cell.views[index]);
    return {
      label,
      edges: edges.map((edge) => world.edges[edge].name),
      service: service < 0 ? '' : world.services[service].name,
      class: kind < 0 ? '' : world.classes[kind].name,
      fromMs,
      toMs,
      ledger: sumLedgers(own.map(({ ledger }) => ledger)),
      ...overSeeds(own),
      latency: mergeHistograms(own.map(({ latency }) => latency)),
    };
  });
}

function sumLedgers(ledgers: readonly Ledger[]): Ledger {
  const total = (pick: (ledger: Ledger) => number): number => ledgers.reduce((sum, ledger) => sum + pick(ledger), 0);
  return {
    offered: total((ledger) => ledger.offered),
    ok: total((ledger) => ledger.ok),
    degraded: total((ledger) => ledger.degraded),
    cancelled: total((ledger) => ledger.cancelled),
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

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

function meanSizes(cells: readonly CellResult[]): SizeRecommendation[] {
  return (cells[0]?.sizes ?? []).map((first) => {
    const own = cells.flatMap(({ sizes }) =>
      sizes.filter(({ service, resource }) => service === first.service && resource === first.resource),
    );
    const meanOf = (key: 'lower' | 'target' | 'upper'): number => mean(own.map((size) => size[key]));
    return { ...first, lower: meanOf('lower'), target: meanOf('target'), upper: meanOf('upper') };
  });
}

/** Means over seeds of what there is per window; events and nodes of the first seed. */
function collectElastic(cells: readonly CellResult[]): VariantResult['elastic'] {
  const first = cells[0]?.elastic ?? null;
  if (first === null) return null;
  const services = first.services.map(({ name }, i) => {
    const own = cells.flatMap(({ elastic }) => (elastic === null ? [] : [elastic.services[i]]));
    const meanOf = (pick: (service: ElasticService) => readonly number[]): number[] =>
      pick(own[0]).map((_, window) => mean(own.map((service) => pick(service)[window])));
    return {
      name,
      needed: meanOf(({ needed }) => needed),
      desired: meanOf(({ desired }) => desired),
      ready: meanOf(({ ready }) => ready),
      present: meanOf(({ present }) => present),
      ...overSeeds(own),
    };
  });
  return { services, changes: first.changes, nodes: first.nodes };
}

function meanInstances(all: readonly (readonly InstanceData[])[]): InstanceData[] {
  // Places that nobody ever took are not shown.
  const isTaken = (i: number): boolean => all.some((instances) => (instances[i].existedMs ?? Infinity) > 0);
  return (all[0] ?? []).flatMap((first, i) =>
    isTaken(i)
      ? [
          meanInstance(
            first,
            all.map((instances) => instances[i]),
          ),
        ]
      : [],
  );
}

function meanInstance(first: InstanceData, own: readonly InstanceData[]): InstanceData {
  return {
    ...first,
    ...(first.existedMs === undefined ? {} : { existedMs: mean(own.map(({ existedMs = 0 }) => existedMs)) }),
    served: mean(own.map(({ served }) => served)),
    utilization: mean(own.map(({ utilization }) => utilization)),
    busy: first.busy.map((_, window) => mean(own.map(({ busy }) => busy[window]))),
    queued: first.queued.map((_, window) => mean(own.map(({ queued }) => queued[window]))),
  };
}

function meanQueues(all: readonly (readonly QueueResult[])[]): QueueResult[] {
  return (all[0] ?? []).map((first, i) => {
    const own = all.map((queues) => queues[i]);
    const total = (pick: (queue: QueueResult) => number): number => own.reduce((sum, queue) => sum + pick(queue), 0);
    return {
      name: first.name,
      depth: first.depth.map((_, window) => mean(own.map(({ depth }) => depth[window]))),
      // An empty queue has no oldest message; such seeds say nothing about its age.
      oldestMs: first.oldestMs.map((_, window) =>
        mean(own.map(({ oldestMs }) => oldestMs[window]).filter((age) => !Number.isNaN(age))),
      ),
      published: total(({ published }) => published),
      done: total(({ done }) => done),
      redelivered: total(({ redelivered }) => redelivered),
      dead: total(({ dead }) => dead),
    };
  });
}
