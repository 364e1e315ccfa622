/** Invented results with exactly the numbers a test is about, and a scenario for them that nobody simulates. */
import { plainElastic, plainPipeline } from '../cluster/elastic-spec.ts';
import type { VariantResult } from '../../src/lab/types.ts';
import { constantCurve } from '../../src/scenario/rate-curve-spec.ts';
import type { EdgeSpec, MetastabilitySpec, Scenario, TrafficSpec, VariantSpec } from '../../src/scenario/spec.ts';
import { estimate } from '../../src/stats/estimate.ts';
import {
  type CellResult,
  failureBuckets,
  type Ledger,
  type SeriesColumn,
  seriesColumns,
  type ViewResult,
} from '../../src/stats/result.ts';

export interface OutlineSetup {
  /** Labels, or what else is to be known of a variant; the first is the baseline. */
  readonly variants?: readonly (string | Partial<VariantSpec>)[];
  readonly edges?: readonly Partial<EdgeSpec>[];
  readonly services?: readonly string[];
  readonly queues?: readonly string[];
  readonly classes?: readonly string[];
  readonly views?: Scenario['views'];
  readonly traffic?: readonly Partial<TrafficSpec>[];
  readonly metastability?: MetastabilitySpec;
  readonly faults?: Scenario['faults'];
  readonly instances?: Scenario['services'][number]['instances'];
  readonly expect?: Scenario['expect'];
  readonly durationMs?: number;
  readonly warmupMs?: number;
  readonly windowMs?: number;
  readonly seeds?: number;
}

const zero = { type: 'constant', value: 0 } as const;

/** A scenario as far as results need one: 100 s in windows of 1 s, one stream of Poisson traffic to one service. */
export function outline(setup: OutlineSetup = {}): Scenario {
  const policies = { balancer: { use: 'round-robin', params: {} } };
  const { services = ['api'], classes = ['default'], queues = [], edges = [{}], traffic = [{}] } = setup;
  return {
    name: 'outline',
    about: '',
    demonstrates: '',
    run: {
      durationMs: setup.durationMs ?? 100_000,
      epochMs: 0,
      warmupMs: setup.warmupMs ?? 0,
      seed: 'test',
      seeds: Array.from({ length: setup.seeds ?? 3 }, (_, k) => `test:${k + 1}`),
      windowMs: setup.windowMs ?? 1000,
    },
    services: services.map((name) => ({
      name,
      instances: setup.instances ?? [{ zone: 'a', speed: 1, weight: 1, priority: 0 }],
      slots: 1,
      queueLimit: Infinity,
      discipline: 'fifo',
      work: { type: 'constant', value: 10 },
      workByClass: [],
      steps: [],
      holdsSlot: true,
      dropsExpired: false,
      policies: {},
      elastic: plainElastic,
      startupMs: 0,
      coldStart: { forMs: 0, factor: 1 },
      cancelAbandoned: false,
    })),
    classes: classes.map((name, priority) => ({ name, priority, tenant: '' })),
    edges: edges.map((edge) => ({
      ...{ name: 'web', caller: -1, service: 0, queue: -1, balancers: 1, balancerZones: ['a'] },
      ...{ timeoutMs: Infinity, attemptTimeoutMs: Infinity, propagatesDeadline: false, proxyLatency: zero, policies: {} },
      ...edge,
    })),
    queues: queues.map((name, edge) => ({ name, service: 0, edge, visibilityMs: 1000, maxReceives: 3, capacity: Infinity })),
    nodes: [],
    pipeline: plainPipeline,
    network: { sameZone: zero, betweenZones: zero, pairs: [] },
    traffic: traffic.map((stream) => ({
      name: 'web',
      edge: 0,
      arrivals: { type: 'poisson', perSecond: 100 },
      profile: constantCurve,
      mix: [{ class: 0, share: 1 }],
      ...stream,
    })),
    faults: setup.faults ?? [],
    policies,
    variants: (setup.variants ?? ['round-robin']).map((variant) => ({
      ...{ label: 'round-robin', differs: '', policies },
      ...(typeof variant === 'string' ? { label: variant } : variant),
    })),
    expect: setup.expect ?? [],
    views: setup.views ?? [],
    ...(setup.metastability === undefined ? {} : { metastability: setup.metastability }),
  };
}

const emptyHistogram = { bits: 8, first: 0, counts: [], count: 0, sum: 0, min: 0, max: 0 };

export const ledgerOf = (
  numbers: Partial<Omit<Ledger, 'failed'>> & { readonly failed?: Partial<Ledger['failed']> } = {},
): Ledger => ({
  ...{ offered: 0, ok: 0, degraded: 0, cancelled: 0, inFlight: 0 },
  ...numbers,
  failed: { ...(Object.fromEntries(failureBuckets.map((bucket) => [bucket, 0])) as Ledger['failed']), ...numbers.failed },
});

/** A variant with these values per seed, in the metrics given; all else empty. */
export function variantResult(
  label: string,
  metrics: Readonly<Record<string, readonly number[]>>,
  inFlight: readonly number[] = [],
  windowMs = 1000,
): VariantResult {
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
    load: null,
    group: '',
    metrics,
    estimates: Object.fromEntries(Object.entries(metrics).map(([name, values]) => [name, estimate(values)])),
    ledger: ledgerOf(),
    latency: emptyHistogram,
    wait: emptyHistogram,
    views: [],
    series: { windowMs, columns: columns as VariantResult['series']['columns'] },
    instances: [],
    queues: [],
    waterfalls: [],
    metastability: null,
    availability: {
      ...{ objective: 0.999, minutes: 0, errorMinutes: NaN, budgetSpent: NaN },
      burn: { median: [], min: [], max: [] },
      faults: [],
    },
    elastic: null,
    change: null,
    alarms: [],
    sizes: [],
    beliefs: [],
    truth: [],
    decisions: [],
    digests: Array.from({ length: seeds }, (_, i) => `digest ${i}`),
  };
}

/** What a cell brought that never ran: empty but for what is given. Columns of the series not given are 0 in every window. */
export function cellResult(
  variant: number,
  seed: string,
  rest: Partial<Omit<CellResult, 'series'>> & {
    readonly windowMs?: number;
    readonly columns?: Partial<CellResult['series']['columns']>;
  } = {},
): CellResult {
  const { windowMs = 1000, columns = {}, ...numbers } = rest;
  const windows = Math.max(0, ...Object.values(columns).map((values) => values.length));
  const all = seriesColumns.map((column) => [column, columns[column] ?? Array.from({ length: windows }, () => 0)]);
  return {
    variant,
    seed,
    ledger: ledgerOf(),
    metrics: {},
    latency: emptyHistogram,
    wait: emptyHistogram,
    views: [],
    series: { windowMs, columns: Object.fromEntries(all) as CellResult['series']['columns'] },
    instances: [],
    beliefs: [],
    truth: [],
    decisions: [],
    waterfalls: [],
    queues: [],
    upShares: [],
    elastic: null,
    alarms: [],
    sizes: [],
    events: 0,
    littleResidual: 0,
    digest: `${variant} ${seed}`,
    ...numbers,
  };
}

export const viewResult = (
  metrics: ViewResult['metrics'],
  ledger: ViewResult['ledger'] = ledgerOf(),
  latency: ViewResult['latency'] = emptyHistogram,
): ViewResult => ({ ledger, metrics, latency });
