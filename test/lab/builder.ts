/** Experiments and results for tests: small real ones, and invented ones with exactly the numbers a test is about. */
import type { ExperimentInput } from '../../src/lab/experiment.ts';
import type { VariantResult } from '../../src/lab/types.ts';
import type { ParamSpecs, ParamValues } from '../../src/core/params.ts';
import type { PolicyUse, Scenario, VariantSpec } from '../../src/scenario/spec.ts';
import { estimate } from '../../src/stats/estimate.ts';
import { failureBuckets, type Ledger, type SeriesColumn, seriesColumns } from '../../src/stats/result.ts';
import { buildWorld, type WorldSetup } from '../cluster/world-builder.ts';

export interface ScenarioSetup extends WorldSetup {
  readonly seeds?: number | readonly string[];
  /** Built-in balancers, or full variants; the first is the baseline. */
  readonly variants?: readonly (string | VariantSpec)[];
  readonly detector?: PolicyUse;
  readonly expect?: Scenario['expect'];
}

/** By default two seconds of two proxies before three instances at a load of one half: about 300 requests. */
export function scenarioOf(setup: ScenarioSetup = {}): Scenario {
  const world = buildWorld({
    instances: 3,
    work: { type: 'exponential', mean: 10 },
    arrivals: { type: 'poisson', perSecond: 150 },
    balancers: 2,
    durationMs: 2000,
    windowMs: 200,
    ...setup,
  });
  const seeds =
    typeof setup.seeds === 'object'
      ? setup.seeds
      : Array.from({ length: setup.seeds ?? 3 }, (_, k) => `${world.run.seed}:${k + 1}`);
  const variants = (setup.variants ?? ['round-robin']).map((variant) =>
    typeof variant === 'string' ? variantOf(variant, { use: variant, params: {} }, setup.detector) : variant,
  );
  return {
    ...world,
    run: { ...world.run, seeds },
    policies: variants[0].policies,
    variants,
    expect: setup.expect ?? [],
  };
}

export const variantOf = (label: string, balancer: PolicyUse, detector?: PolicyUse): VariantSpec => ({
  label,
  differs: `balancer=${balancer.use}`,
  policies: { balancer, ...(detector === undefined ? {} : { detector }) },
});

/** A policy of the user's own from this folder's fixtures. */
export const own = (file: string, exportName: string, params: ParamValues<ParamSpecs> = {}): PolicyUse => ({
  use: `./${file}#${exportName}`,
  module: { path: new URL(`./fixtures/${file}`, import.meta.url).pathname, exportName },
  params,
});

export const experimentOf = (scenario: Scenario, rest: Partial<ExperimentInput> = {}): ExperimentInput => ({
  kind: scenario.variants.length > 1 ? 'compare' : 'run',
  scenario,
  text: 'scenario: 1',
  sha256: 'abc',
  file: 'some/folder/small.yaml',
  overrides: [],
  warnings: [],
  jobs: 0,
  replay: 'clusterlab run small.yaml',
  ...rest,
});

/** A variant with these values per seed, in the metrics given; all else empty. */
export function variantResult(
  label: string,
  metrics: Readonly<Record<string, readonly number[]>>,
  inFlight: readonly number[] = [],
  windowMs = 1000,
): VariantResult {
  const ledger: Ledger = {
    offered: 0,
    ok: 0,
    failed: Object.fromEntries(failureBuckets.map((bucket) => [bucket, 0])) as Ledger['failed'],
    inFlight: 0,
  };
  const histogram = { bits: 8, first: 0, counts: [], count: 0, sum: 0, min: 0, max: 0 };
  const bandOf = (column: SeriesColumn) => {
    const median = column === 'inFlight' ? inFlight : [];
    return { median, min: median, max: median };
  };
  const columns = Object.fromEntries(seriesColumns.map((column) => [column, bandOf(column)]));
  const seeds = Math.max(0, ...Object.values(metrics).map((values) => values.length));
  return {
    label,
    differs: '',
    isBaseline: false,
    metrics,
    estimates: Object.fromEntries(Object.entries(metrics).map(([name, values]) => [name, estimate(values)])),
    ledger,
    latency: histogram,
    wait: histogram,
    series: { windowMs, columns: columns as VariantResult['series']['columns'] },
    instances: [],
    beliefs: [],
    decisions: [],
    digests: Array.from({ length: seeds }, (_, i) => `digest ${i}`),
  };
}
