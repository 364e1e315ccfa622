/** An invented but believable experiment: five balancers, ten seeds, five minutes, one instance that turns slow for a minute. The numbers
 *  hang together (a histogram that fits its percentiles, failures that add up), and every call gives the same ones. */
import { comparedMetrics, findMetric } from '../../src/core/metrics.ts';
import {
  runSchema,
  type Comparison,
  type Estimate,
  type ExpectationResult,
  type RunFile,
  type SeriesBands,
  type VariantResult,
  type Verdict,
} from '../../src/lab/types.ts';
import type { HistogramData } from '../../src/stats/histogram-data.ts';
import { seriesColumns, type InstanceData, type Ledger, type SeriesColumn } from '../../src/stats/result.ts';

export interface FixtureOptions {
  readonly variants?: number;
  readonly seeds?: number;
  readonly instances?: number;
  readonly windows?: number;
  readonly labels?: readonly string[];
  readonly name?: string;
}

/** How a balancer behaves in the invented world. */
interface Behaviour {
  readonly label: string;
  readonly use: string;
  /** p99 in quiet times, ms. */
  readonly calmP99: number;
  /** Factor on p99 while the instance is slow. */
  readonly faultFactor: number;
  /** Share of requests that fail while the instance is slow. */
  readonly faultFailures: number;
  /** How much of its usual load the slow instance keeps. */
  readonly slowShare: number;
}

const behaviours: readonly Behaviour[] = [
  { label: 'round-robin', use: 'round-robin', calmP99: 62, faultFactor: 16, faultFailures: 0.031, slowShare: 1 },
  { label: 'random', use: 'random', calmP99: 66, faultFactor: 15.5, faultFailures: 0.03, slowShare: 1 },
  { label: 'two choices', use: 'p2c', calmP99: 60, faultFactor: 1.7, faultFailures: 0, slowShare: 0.28 },
  { label: 'peak-ewma', use: 'peak-ewma', calmP99: 61, faultFactor: 1.62, faultFailures: 0, slowShare: 0.21 },
  { label: 'mine', use: './my-balancer.ts#MyBalancer', calmP99: 64, faultFactor: 4.2, faultFailures: 0.002, slowShare: 0.5 },
];

export function fixture(options: FixtureOptions = {}): RunFile {
  const { variants = 5, seeds = 10, instances = 12, windows = 300 } = options;
  const random = lcg(20261121);
  const results = Array.from({ length: variants }, (_, index) => {
    const base = behaviours[index % behaviours.length]!;
    const suffix = index < behaviours.length ? '' : ` ${Math.floor(index / behaviours.length) + 1}`;
    const behaviour = { ...base, label: options.labels?.[index] ?? base.label + suffix };
    return variant(behaviour, index === 0, { seeds, instances, windows }, random);
  });
  const comparisons = seeds > 1 ? results.slice(1).flatMap((each) => compare(each, results[0]!)) : [];
  return {
    schema: runSchema,
    kind: variants > 1 ? 'compare' : 'run',
    version: '0.1.0',
    complete: true,
    scenario: {
      name: options.name ?? 'slow-node',
      about: `One of ${instances} instances becomes 5x slower for a minute. Which balancer copes?`,
      demonstrates: 'outstanding-aware balancing hides a gray failure that rotation cannot see',
      file: 'scenarios/slow-node.yaml',
      text: scenarioText,
      sha256: '7b1f0c5d2a9e4f63b8c1d0e5f6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f',
      durationMs: windows * 1000,
      warmupMs: windows * 100,
    },
    overrides: ['run.seeds=10'],
    seeds: Array.from({ length: seeds }, (_, index) => `slow-node:${index + 1}`),
    openLoop: true,
    loops: 'Open loop: requests arrive no matter how long answers take.',
    services: [{ name: 'api', instances, slots: 8 }],
    edges: [{ name: 'api', caller: '', service: 'api', queue: '' }],
    classes: [{ name: 'default', priority: 0, tenant: '' }],
    metastability: null,
    faults: [{ label: 'slow api/3 x5', fromMs: windows * 400, toMs: windows * 600 }],
    variants: results,
    comparisons,
    crossings: [],
    expectations: results.flatMap(expectations),
    warnings: [],
    verdict:
      variants > 1
        ? [
            'Use two choices or peak-ewma: both cut p99 latency by about nine tenths against round-robin, and no request failed.',
            'mine is better than round-robin, but clearly behind two choices while an instance is slow.',
            'random cannot be told apart from round-robin.',
          ]
        : ['round-robin misses its p99 limit while an instance is slow.'],
    checks: {
      requests: 4500 * windows * seeds * variants,
      events: 4500 * windows * seeds * variants * 5,
      littleResidual: 0.0007,
    },
    replay: "clusterlab compare scenarios/slow-node.yaml --seed 'slow-node' --seeds 10",
  };
}

/** Bucket of a value under the scheme of `HistogramData`: exponent and leading mantissa bits of the double. */
export function bucketOf(value: number, bits: number): number {
  scratch.setFloat64(0, value);
  return scratch.getUint32(0) >>> (20 - bits);
}
const scratch = new DataView(new ArrayBuffer(8));

/** A small generator, so that the fixture needs no ambient randomness. */
function lcg(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Size {
  readonly seeds: number;
  readonly instances: number;
  readonly windows: number;
}

function variant(behaviour: Behaviour, isBaseline: boolean, size: Size, random: () => number): VariantResult {
  const { seeds, windows } = size;
  const measured = Math.round(4500 * windows * 0.9) * seeds;
  const failedShare = behaviour.faultFailures / 4.5;
  const timeouts = Math.round(measured * failedShare * 0.7);
  const refused = Math.round(measured * failedShare * 0.3);
  const inFlight = 60 * seeds;
  const ledger: Ledger = {
    offered: measured,
    ok: measured - timeouts - refused - inFlight,
    degraded: 0,
    cancelled: 0,
    failed: { timeout: timeouts, refused, noEndpoint: 0, error: 0, connectionLost: 0, shed: 0, circuitOpen: 0 },
    inFlight,
  };
  const metrics = perSeed(behaviour, seeds, random);
  return {
    label: behaviour.label,
    differs: `balancer=${behaviour.use}`,
    isBaseline,
    load: null,
    group: '',
    metrics,
    estimates: Object.fromEntries(Object.entries(metrics).map(([name, values]) => [name, estimate(values)])),
    ledger,
    latency: histogram(behaviour, ledger.ok, random),
    wait: histogram({ ...behaviour, calmP99: 20 }, ledger.ok, random),
    ...overTime(behaviour, windows, random),
    instances: instanceData(behaviour, size, random),
    views: [],
    queues: [],
    waterfalls: [],
    metastability: null,
    elastic: null,
    change: null,
    alarms: [],
    sizes: [],
    beliefs: [],
    truth: [],
    decisions: [],
    digests: Array.from({ length: seeds }, () =>
      Math.floor(random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    ),
  };
}

/** The p99 over the whole run mixes quiet times with a fifth of trouble. */
function perSeed(behaviour: Behaviour, seeds: number, random: () => number): Record<string, number[]> {
  const rows: Record<string, number[]> = {};
  const put = (name: string, value: number): void => void (rows[name] ??= []).push(value);
  for (let seed = 0; seed < seeds; seed++) {
    const shared = lcg(seed + 7);
    const world = 1 + 0.04 * (shared() - 0.5);
    const own = (): number => 1 + 0.03 * (random() - 0.5);
    const p50 = 12.4 * world * own();
    const p99 = behaviour.calmP99 * (1 + (behaviour.faultFactor - 1) * 0.6) * world * own();
    const availability = 1 - (behaviour.faultFailures / 4.5) * world * own();
    put('latency.mean', p50 * 1.25 + p99 * 0.03);
    put('latency.p50', p50);
    put('latency.p90', p50 * 2.6);
    put('latency.p95', p50 * 3.4);
    put('latency.p99', p99);
    put('latency.p99.9', Math.min(1000, p99 * 1.8) * own());
    put('latency.p99.99', Math.min(1000, p99 * 2.4));
    put('latency.max', Math.min(1000, p99 * 3.1));
    put('wait.mean', p50 * 0.3);
    put('wait.p99', p99 * 0.7);
    put('wait.share', 0.21 * world);
    put('availability', availability);
    put('goodput', 4500 * world * availability);
    put('offered', 4500 * world);
    put('failures.timeout', (1 - availability) * 0.7);
    put('failures.refused', (1 - availability) * 0.3);
    put('failures.noEndpoint', 0);
    put('failures.error', 0);
    put('failures.connectionLost', 0);
    put('failures.shed', 0);
    put('failures.circuitOpen', 0);
    put('degraded', 0);
    put('attempts', 1);
    put('retries', 0);
    put('hedges', 0);
    put('amplification', 1);
    put('cacheHits', NaN);
    put('utilization.mean', 0.715 * world);
    put('utilization.max', 0.78 + 0.2 * behaviour.slowShare * world);
    put('load.maxOverMean', 1.01 + 0.05 * (1 - behaviour.slowShare));
    put('load.jain', 0.999 - 0.02 * (1 - behaviour.slowShare));
    put('inSystem.mean', 4.5 * p50 * 1.3);
    put('instances.up', 1);
  }
  return rows;
}

/** 97.5 % quantiles of Student's t for 1 to 9 degrees of freedom (any table); 1.96 beyond. */
const tQuantiles = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262];

function estimate(values: readonly number[]): Estimate {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { mean, low: NaN, high: NaN, sd: NaN, n };
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / (n - 1));
  const half = ((tQuantiles[n - 2] ?? 1.96) * sd) / Math.sqrt(n);
  return { mean, low: mean - half, high: mean + half, sd, n };
}

function compare(variant: VariantResult, baseline: VariantResult): Comparison[] {
  return comparedMetrics
    .filter(({ name }) => name in variant.metrics)
    .map((metric) => {
      const own = variant.metrics[metric.name]!;
      const other = baseline.metrics[metric.name]!;
      const difference = estimate(own.map((value, index) => value - other[index]!));
      const mean = baseline.estimates[metric.name]!.mean;
      const rule = findMetric(metric.name)!.indifference!;
      const zone = 'relative' in rule ? rule.relative * mean : rule.absolute;
      const sign = metric.better === 'lower' ? 1 : -1;
      const relative = 'relative' in rule;
      return {
        variant: variant.label,
        baseline: baseline.label,
        metric: metric.name,
        difference,
        relative: relative ? { mean: difference.mean / mean, low: difference.low / mean, high: difference.high / mean } : null,
        indifference: zone,
        adjustedP: 0.001,
        verdict: judge(sign * difference.low, sign * difference.high, zone),
        seedsWon: own.filter((value, index) => sign * (value - other[index]!) < 0).length,
        seedsTied: 0,
        seeds: own.length,
        seedsNeeded: judge(sign * difference.low, sign * difference.high, zone) === 'inconclusive' ? 34 : null,
      };
    });
}

function judge(one: number, two: number, zone: number): Verdict {
  const low = Math.min(one, two);
  const high = Math.max(one, two);
  if (low > -zone && high < zone) return 'equivalent';
  if (high < 0) return 'better';
  return low > 0 ? 'worse' : 'inconclusive';
}

function expectations(variant: VariantResult): ExpectationResult[] {
  const p99 = variant.estimates['latency.p99']!;
  const availability = variant.estimates['availability']!;
  const place = { file: 'scenarios/slow-node.yaml', column: 5, length: 19, variant: variant.label, view: '' };
  return [
    {
      ...place,
      text: 'latency.p99 < 250ms',
      line: 32,
      metric: 'latency.p99',
      measured: p99,
      limit: 250,
      comparator: '<',
      passed: p99.mean < 250,
      uncertain: p99.low < 250 && p99.high >= 250,
    },
    {
      ...place,
      text: 'availability >= 99.9%',
      line: 33,
      metric: 'availability',
      measured: availability,
      limit: 0.999,
      comparator: '>=',
      passed: availability.mean >= 0.999,
      uncertain: availability.low < 0.999 && availability.high >= 0.999,
    },
  ];
}

const histogramBits = 7;

/** Two lognormals: quiet times, and what the slow instance adds. Every bucket holds whole requests, and the tail is sampled finely. */
function histogram(behaviour: Behaviour, total: number, random: () => number): HistogramData {
  const counts = new Map<number, number>();
  let count = 0;
  let sum = 0;
  let min = Infinity;
  let max = 0;
  const add = (value: number, times: number): void => {
    const bounded = Math.min(1000, value);
    const bucket = bucketOf(bounded, histogramBits);
    counts.set(bucket, (counts.get(bucket) ?? 0) + times);
    count += times;
    sum += bounded * times;
    min = Math.min(min, bounded);
    max = Math.max(max, bounded);
  };
  const trouble = behaviour.slowShare / 60;
  const samples = 20_000;
  for (let k = 0; k < samples; k++) {
    const weight = Math.floor(total / samples);
    const slow = k / samples < trouble;
    const normal = normalQuantile(random());
    add((slow ? 12.4 * 5 * Math.sqrt(behaviour.faultFactor) : 12.4) * Math.exp((slow ? 0.6 : 0.69) * normal), weight);
  }
  const first = Math.min(...counts.keys());
  const last = Math.max(...counts.keys());
  const dense = Array.from({ length: last - first + 1 }, (_, index) => counts.get(first + index) ?? 0);
  return { bits: histogramBits, first, counts: dense, count, sum, min, max };
}

/** Sum of twelve uniforms would cut the tail; this logistic approximation does not. */
const normalQuantile = (u: number): number => Math.log(Math.max(u, 1e-9) / Math.max(1 - u, 1e-9)) / 1.702;

function series(behaviour: Behaviour, windows: number, random: () => number): SeriesBands {
  const columns = Object.fromEntries(
    seriesColumns.map((column) => [column, { median: [] as number[], min: [] as number[], max: [] as number[] }]),
  ) as Record<SeriesColumn, { median: number[]; min: number[]; max: number[] }>;
  const put = (column: SeriesColumn, value: number, spread: number, limit = Infinity): void => {
    columns[column].median.push(value);
    columns[column].min.push(value * (1 - spread * random()));
    columns[column].max.push(Math.min(limit, value * (1 + spread * random())));
  };
  const world = lcg(4);
  for (let window = 0; window < windows; window++) {
    const trouble = troubleAt(window / windows);
    // Every variant sees the same arrivals.
    const wobble = 1 + 0.06 * (world() - 0.5);
    const factor = 1 + (behaviour.faultFactor - 1) * trouble;
    const offered = Math.round(4500 * wobble);
    const failures = behaviour.faultFailures * trouble;
    put('offered', offered, 0.03);
    put('ok', Math.round(offered * (1 - failures)), 0.03);
    put('failed', Math.round(offered * failures), 0.2);
    put('availability', 1 - failures, failures * 0.4, 1);
    put('latencyP50', 12.4 * wobble * (1 + 0.05 * trouble), 0.05);
    put('latencyP99', Math.min(1000, behaviour.calmP99 * wobble * factor), 0.18, 1000);
    put('latencyP999', Math.min(1000, behaviour.calmP99 * 1.7 * wobble * factor), 0.3, 1000);
    put('inFlight', Math.round(70 * wobble * (1 + trouble)), 0.2);
  }
  // Nothing has ended in the first window yet.
  for (const column of ['availability', 'latencyP50', 'latencyP99', 'latencyP999'] as const) {
    columns[column].median[0] = columns[column].min[0] = columns[column].max[0] = NaN;
  }
  // Nothing is tried twice.
  return { windowMs: 1000, columns: { ...columns, attempts: columns.offered } };
}

/** The objective of 99.9 % lets one in a thousand fail. */
function overTime(behaviour: Behaviour, windows: number, random: () => number): Pick<VariantResult, 'series' | 'availability'> {
  const bands = series(behaviour, windows, random);
  const { availability, failed } = bands.columns;
  const burn = (values: readonly number[]): number[] => values.map((share) => (1 - share) / 0.001);
  const hurts = behaviour.faultFailures > 0;
  const after = (medianMs: number) => ({ medianMs, reached: 10, seeds: 10 });
  return {
    series: bands,
    availability: {
      objective: 0.999,
      minutes: (windows * 0.9) / 60,
      errorMinutes: hurts ? (windows * 0.23) / 60 : 0,
      budgetSpent: (behaviour.faultFailures * 0.205) / 0.9 / 0.001,
      burn: { median: burn(availability.median), min: burn(availability.max), max: burn(availability.min) },
      faults: [
        {
          ...{ label: 'slow api/3 x5', fromMs: windows * 400, toMs: windows * 600 },
          failedInExcess: failed.median.reduce((sum, value) => sum + value, 0),
          errorMinutes: hurts ? (windows * 0.23) / 60 : 0,
          detected: { medianMs: Infinity, reached: 0, seeds: 10 },
          mitigated: after(hurts ? windows * 230 : 0),
          recovered: after(hurts ? windows * 225 : 0),
        },
      ],
    },
  };
}

/** 0 in quiet times, rising over a few seconds to 1 while the instance is slow. */
function troubleAt(share: number): number {
  if (share < 0.4 || share > 0.63) return 0;
  if (share < 0.42) return (share - 0.4) / 0.02;
  return share <= 0.6 ? 1 : (0.63 - share) / 0.03;
}

function instanceData(behaviour: Behaviour, { instances, windows }: Size, random: () => number): InstanceData[] {
  return Array.from({ length: instances }, (_, index) => {
    const isSlow = index === 3;
    const busy: number[] = [];
    const queued: number[] = [];
    for (let window = 0; window < windows; window++) {
      const trouble = isSlow ? troubleAt(window / windows) : 0;
      const share = Math.min(1, 0.7 + 0.06 * (random() - 0.5) + trouble * 0.3 * Math.min(1, behaviour.slowShare * 4));
      busy.push(share);
      queued.push(Math.round(share * 8 + trouble * 100 * behaviour.slowShare));
    }
    const served = Math.round(101_000 * (1 + 0.01 * (random() - 0.5)) * (isSlow ? 1 - 0.2 * (1 - behaviour.slowShare) : 1));
    const utilization = busy.reduce((sum, value) => sum + value, 0) / windows;
    return { id: `api/${index}`, service: 'api', zone: ['a', 'b', 'c'][index % 3]!, speed: 1, served, utilization, busy, queued };
  });
}

const scenarioText = `# yaml-language-server: $schema=./scenario.schema.json
scenario: 1
name: slow-node
about: One of 12 instances becomes 5x slower for a minute. Which balancer copes?
demonstrates: outstanding-aware balancing hides a gray failure that rotation cannot see

run: { duration: 5m, warmup: 30s, seeds: 10 }

services:
  api:
    instances: 12
    zones: [a, b, c]
    slots: 8
    queue: 100
    work: { type: lognormal, p50: 12ms, p99: 60ms }

traffic:
  - to: api
    arrivals: { type: poisson, rate: 4500/s }
    balancers: 4
    timeout: 1s

faults:
  - { type: slow, at: 2m, for: 60s, target: api/3, factor: 5 }

compare:
  balancer: [round-robin, random, { use: p2c, label: two choices }, peak-ewma, { use: ./my-balancer.ts#MyBalancer, label: mine }]

expect:
  - latency.p99 < 250ms
  - availability >= 99.9%
`;
