/** Five more invented experiments on top of the first: a shop with calls, classes and a queue; a retry storm after a trigger; two
 *  balancers over four loads; three ways to notice faults; two autoscalers over nodes, with alarms. */
import type {
  FaultImpact,
  RunFile,
  VariantElastic,
  VariantElasticService,
  VariantMetastability,
  VariantResult,
  VariantView,
} from '../../src/lab/types.ts';
import type { Ledger, QueueResult, SeriesColumn, Waterfall } from '../../src/stats/result.ts';
import { fixture } from './fixture.ts';

const noFailures = { timeout: 0, refused: 0, noEndpoint: 0, error: 0, connectionLost: 0, shed: 0, circuitOpen: 0 };
const same = (value: number) => ({ mean: value, low: value, high: value, sd: 0, n: 3 });

/** 1000 requests per second reach web, which calls db twice and leaves a message for the mailer. */
export function shop(): RunFile {
  const base = fixture({ variants: 2, seeds: 3, windows: 60, labels: ['no retries', 'retries'] });
  const [first, second] = base.variants as [VariantResult, VariantResult];
  return {
    ...base,
    services: [
      { name: 'web', instances: 3, slots: 8 },
      { name: 'db', instances: 2, slots: 16 },
      { name: 'mailer', instances: 1, slots: 4 },
    ],
    edges: [
      { name: 'shoppers', caller: '', service: 'web', queue: '' },
      { name: 'web->db', caller: 'web', service: 'db', queue: '' },
      { name: 'web->jobs', caller: 'web', service: 'mailer', queue: 'jobs' },
      { name: 'jobs->mailer', caller: 'jobs', service: 'mailer', queue: 'jobs' },
    ],
    classes: [
      { name: 'read', priority: 0, tenant: '' },
      { name: 'write', priority: 1, tenant: 'acme' },
    ],
    variants: [
      { ...thousand(first), ...shopPart(1) },
      { ...second, ...shopPart(1.25), ...retrying(thousand(second), 1.25), series: attemptsOf(second, () => 1.25) },
    ],
  };
}

const shopPart = (attempts: number): Pick<VariantResult, 'views' | 'queues' | 'waterfalls'> => ({
  views: [
    view('edge=shoppers', { edges: ['shoppers'], offered: 1000, attempts: 1, p99: 80 }),
    view('edge=web->db', { edges: ['web->db'], offered: 2000, attempts, p99: 40, timeouts: 3480, errors: 21 }),
    view('edge=web->jobs', { edges: ['web->jobs'], offered: 1000, attempts: 1, p99: 2000 }),
    view('edge=jobs->mailer', { edges: ['jobs->mailer'], offered: 1000, attempts: 1, p99: 60 }),
    view('class=read', { class: 'read', offered: 800, attempts: 1, p99: 75 }),
    view('class=write', { class: 'write', offered: 200, attempts: 1, p99: 90 }),
    view('service=web', { edges: ['shoppers'], service: 'web', offered: 1000, attempts: 1, p99: 80 }),
    view('service=db', { edges: ['web->db'], service: 'db', offered: 2000, attempts, p99: 40 }),
    view('service=mailer', { edges: ['jobs->mailer'], service: 'mailer', offered: 1000, attempts: 1, p99: 60 }),
    // Asked for by a check: the same edge, but not the whole run.
    {
      ...view('edge=web->db, window=30s..40s', { edges: ['web->db'], offered: 7, attempts: 9, p99: 7 }),
      fromMs: 30_000,
      toMs: 40_000,
    },
  ],
  queues: [jobs],
  waterfalls: [slow, slow, slow].map((each, index) => ({ ...each, request: index })),
});

interface ViewOptions {
  readonly edges?: readonly string[];
  readonly service?: string;
  readonly class?: string;
  readonly offered: number;
  readonly attempts: number;
  readonly p99: number;
  readonly timeouts?: number;
  readonly errors?: number;
}

/** Over 100 s in all; what did not fail went well. */
function view(label: string, options: ViewOptions): VariantView {
  const { edges = [], service = '', class: kind = '', offered, attempts, p99, timeouts = 0, errors = 0 } = options;
  const total = offered * 100;
  const ledger: Ledger = {
    offered: total,
    ok: total - timeouts - errors,
    degraded: 0,
    cancelled: 0,
    failed: { ...noFailures, timeout: timeouts, error: errors },
    inFlight: 0,
  };
  const values: Record<string, number> = {
    offered,
    attempts,
    retries: attempts - 1,
    hedges: 0,
    availability: ledger.ok / total,
    'latency.p50': p99 / 4,
    'latency.p99': p99,
    ...(service === '' ? {} : { 'utilization.mean': 0.62 }),
  };
  return {
    ...{ label, edges, service, class: kind, fromMs: 0, toMs: Infinity, ledger },
    metrics: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [value, value, value]])),
    estimates: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, same(value)])),
    latency: { bits: 7, first: 0, counts: [], count: 0, sum: 0, min: 0, max: 0 },
  };
}

/** Fills up while the consumer is slow, and is never empty but in its first second. */
const jobs: QueueResult = {
  name: 'jobs',
  depth: Array.from({ length: 60 }, (_, second) => (second < 30 ? second * 10 : 600 - second * 10)),
  oldestMs: Array.from({ length: 60 }, (_, second) => (second === 0 ? 0 : 40 * second)),
  published: 60_000,
  done: 59_400,
  redelivered: 12,
  dead: 0,
};

/** The first attempt is given up after 100 ms, but its call of db goes on; the second one answers. */
export const slow: Waterfall = {
  edge: 'shoppers',
  request: 17,
  class: 'read',
  arrivalMs: 30_000,
  latencyMs: 150,
  result: 'ok',
  spans: [
    { parent: -1, kind: 'request', what: 'shoppers', fromMs: 30_000, toMs: 30_150, outcome: 'ok' },
    { parent: 0, kind: 'attempt', what: 'web/0', fromMs: 30_000, toMs: 30_100, outcome: 'given up' },
    { parent: 1, kind: 'queue', what: 'web/0', fromMs: 30_000, toMs: 30_020, outcome: '' },
    { parent: 1, kind: 'work', what: 'web/0', fromMs: 30_020, toMs: 30_040, outcome: '' },
    { parent: 1, kind: 'downstream', what: 'web/0', fromMs: 30_040, toMs: 30_160, outcome: '' },
    { parent: 1, kind: 'request', what: 'web->db', fromMs: 30_040, toMs: 30_160, outcome: 'ok' },
    { parent: 5, kind: 'attempt', what: 'db/1', fromMs: 30_040, toMs: 30_160, outcome: 'ok' },
    { parent: 6, kind: 'work', what: 'db/1', fromMs: 30_040, toMs: 30_160, outcome: '' },
    { parent: 0, kind: 'backoff', what: '', fromMs: 30_100, toMs: 30_120, outcome: '' },
    { parent: 0, kind: 'attempt', what: 'web/1', fromMs: 30_120, toMs: 30_150, outcome: 'ok' },
    { parent: 9, kind: 'work', what: 'web/1', fromMs: 30_120, toMs: 30_150, outcome: '' },
  ],
};

/** Without retries it is back 12 s after the trigger; with them, it is not. */
export function storm(): RunFile {
  const base = fixture({ variants: 2, seeds: 3, windows: 120, labels: ['no retries', 'retries'] });
  const [first, second] = base.variants as [VariantResult, VariantResult];
  const down = (window: number): boolean => window >= 30 && window < 52;
  const stuck = (window: number): boolean => window >= 30;
  return {
    ...base,
    faults: [],
    metastability: { triggerBeginsMs: 30_000, triggerEndsMs: 40_000, recoveredShare: 0.9 },
    verdict: ['no retries: recovered in 3 of 3 seeds, after 12 s (median); retries: metastable in 3 of 3 seeds.'],
    variants: [
      { ...first, series: okShare(first, down), metastability: recovered },
      {
        ...second,
        ...retrying(second, 2.8),
        series: okShare({ ...second, series: attemptsOf(second, (window) => (stuck(window) ? 4 : 1)) }, stuck),
        metastability,
      },
    ],
  };
}

const recovered: VariantMetastability = {
  perSeed: [52_000, 51_000, 53_000].map((recoveredAtMs) => ({
    ...{ state: 'recovered' as const, recoveredAtMs, lastShare: 1, baseline: 0.998, reason: null },
  })),
  metastableSeeds: 0,
  recoveredSeeds: 3,
  medianRecoveryMs: 12_000,
  sentence: 'no retries: recovered in 3 of 3 seeds, after 12 s (median).',
  escape: null,
};

const metastability: VariantMetastability = {
  perSeed: Array.from({ length: 3 }, () => ({
    ...{ state: 'metastable' as const, recoveredAtMs: NaN, lastShare: 0.1, baseline: 0.998, reason: null },
  })),
  metastableSeeds: 3,
  recoveredSeeds: 0,
  medianRecoveryMs: NaN,
  sentence: 'retries: metastable in 3 of 3 seeds, 80 s after the trigger ended goodput is still 10 % of the offered load.',
  escape: {
    low: 0.55,
    high: 0.6,
    atMs: 44_000,
    trials: [{ load: 0.55, recovered: 3, stayed: 0, seeds: 3 }],
    unavailable: '',
    interrupted: false,
    sentence: 'retries recovers by itself once load falls to 57 % (between 55 % and 60 %).',
  },
};

/** Two balancers at half the load, four fifths, the whole, and more than that. */
export function sweep(): RunFile {
  const loads = [0.5, 0.8, 1.1, 1.4];
  const groups = ['round-robin', 'p2c'];
  const labels = groups.flatMap((group) => loads.map((load) => `${group}, load=${Math.round(load * 100)}%`));
  const base = fixture({ variants: 8, seeds: 3, windows: 40, labels });
  const variants = base.variants.map((variant, index) => {
    const load = loads[index % loads.length]!;
    const group = groups[Math.floor(index / loads.length)]!;
    const offered = { ...variant.estimates.offered!, mean: 4500 * load };
    return { ...variant, load, group, isBaseline: group === groups[0], estimates: { ...variant.estimates, offered } };
  });
  const comparisons = base.comparisons
    .filter(({ variant }) => variant.startsWith('p2c'))
    .map((each) => ({ ...each, baseline: each.variant.replace('p2c', 'round-robin') }));
  return {
    ...base,
    variants,
    comparisons,
    crossings: [
      {
        ...{ group: 'p2c', baseline: 'round-robin', metric: 'latency.p99', fromLoad: 0.5, toLoad: 0.8 },
        before: 'equivalent',
        after: 'better',
        sentence: 'p2c is better than round-robin in p99 from load 80 % on (−60 %); at 50 % they are equivalent.',
      },
    ],
  };
}

/** A hang from 20 s to 40 s, a crash from 60 s to 80 s, and an outage of discovery that hurts nobody. One variant is blind, one checks every
 *  second, one is hasty and makes mistakes. */
export function outage(): RunFile {
  const base = fixture({ variants: 4, seeds: 4, windows: 120, labels: ['blind', 'checks', 'hasty', 'slow checks'] });
  const [blind, checks, hasty, slowly] = base.variants as [VariantResult, VariantResult, VariantResult, VariantResult];
  return {
    ...base,
    faults: [
      { label: 'hang api/0', fromMs: 20_000, toMs: 40_000 },
      { label: 'crash api/3', fromMs: 60_000, toMs: 80_000 },
      { label: 'discovery-outage', fromMs: 90_000, toMs: 100_000 },
    ],
    variants: [
      suffering(blind, { noticedMs: Infinity, lost: 1700 }),
      judging(suffering(checks, { noticedMs: 1400, lost: 230 }), { noticedMs: 1400, mistakes: 0 }),
      judging(suffering(hasty, { noticedMs: 300, lost: 60 }), { noticedMs: 300, mistakes: 120 }),
      judging(suffering(slowly, { noticedMs: 4000, lost: 500 }), { noticedMs: 4000, mistakes: 0.5 }),
    ],
  };
}

/** Blind, the hang is noticed in one of four seeds only, by chance. */
function suffering(
  variant: VariantResult,
  { noticedMs, lost }: { readonly noticedMs: number; readonly lost: number },
): VariantResult {
  const isBlind = noticedMs === Infinity;
  const all = (medianMs: number) => ({ medianMs, reached: 4, seeds: 4 });
  const fault = (label: string, fromMs: number, lengthMs: number, failedInExcess: number): FaultImpact => ({
    ...{ label, fromMs, toMs: fromMs + lengthMs, failedInExcess, errorMinutes: failedInExcess > 0 ? 0.5 : 0 },
    detected: isBlind ? { medianMs: Infinity, reached: label.startsWith('hang') ? 1 : 0, seeds: 4 } : all(noticedMs),
    mitigated: all(isBlind ? lengthMs : 2000),
    recovered: isBlind ? all(lengthMs) : { medianMs: 1000, reached: 3, seeds: 4 },
  });
  const outageOfDiscovery: FaultImpact = {
    ...fault('discovery-outage', 90_000, 10_000, 0),
    detected: { medianMs: Infinity, reached: 0, seeds: 0 },
    mitigated: all(0),
    recovered: all(0),
  };
  const faults = [fault('hang api/0', 20_000, 20_000, lost), fault('crash api/3', 60_000, 20_000, lost + 10), outageOfDiscovery];
  const ledger = { ...variant.ledger, failed: { ...noFailures, timeout: 2 * lost + 10 } };
  return { ...variant, ledger, availability: { ...variant.availability, faults, errorMinutes: 1, budgetSpent: lost / 100 } };
}

/** Two clients; a mistake about api/5 by one of them if there are any. */
function judging(
  variant: VariantResult,
  { noticedMs, mistakes }: { readonly noticedMs: number; readonly mistakes: number },
): VariantResult {
  const change = (atMs: number, balancer: number, instance: string, alive: boolean) => ({ atMs, balancer, instance, alive });
  const values: Record<string, number> = {
    'detection.time': noticedMs,
    'detection.missed': 0,
    'detection.recovery': 1000,
    'detection.mistakes': mistakes,
    'detection.mistakeTime': mistakes > 0 ? 5000 : NaN,
    'detection.accuracy': mistakes > 0 ? 0.998 : 1,
    'detection.messages': 18,
  };
  const spread = (name: string, value: number) =>
    name === 'detection.time' || name === 'detection.mistakes'
      ? { ...same(value), low: value * 0.6 - 1, high: value * 1.4 + 1 }
      : same(value);
  return {
    ...variant,
    metrics: { ...variant.metrics, ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [value]])) },
    estimates: {
      ...variant.estimates,
      ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, spread(name, value)])),
    },
    truth: [
      { instance: 'api/0', fromMs: 20_000, toMs: 40_000, what: 'hang' },
      { instance: 'api/3', fromMs: 60_000, toMs: Infinity, what: 'crash' },
    ],
    beliefs: [
      ...(mistakes > 1 ? [change(10_000, 1, 'api/5', false), change(15_000, 1, 'api/5', true)] : []),
      ...[change(20_000 + noticedMs, 0, 'api/0', false), change(21_000 + noticedMs, 1, 'api/0', false)],
      ...[change(41_000, 0, 'api/0', true), change(41_000, 1, 'api/0', true)],
      ...[change(60_000 + noticedMs, 0, 'api/3', false)],
    ],
  };
}

/** Demand for api goes from 4 to 12 instances at 30 s and back at 80 s; worker needs 2 all the time. One variant does not scale and has no
 *  price, one follows 10 s late, one is always ahead at twice the price. A node is lost from 50 s on, and a spot node is interrupted. */
export function elastic(): RunFile {
  const base = fixture({ variants: 3, seeds: 3, windows: 120, labels: ['fixed', 'late', 'ahead'] });
  const [fixed, late, ahead] = base.variants as [VariantResult, VariantResult, VariantResult];
  return {
    ...base,
    services: [
      { name: 'api', instances: 4, slots: 8 },
      { name: 'worker', instances: 2, slots: 4 },
    ],
    faults: [
      { label: 'node-loss general/0', fromMs: 50_000, toMs: 70_000 },
      { label: 'metrics-outage', fromMs: 65_000, toMs: 75_000 },
      { label: 'slow api/0', fromMs: 100_000, toMs: Infinity },
    ],
    variants: [
      fixed,
      scaling(late, { lateBy: 10, cost: 0.8, p99: 600, underTime: 0.1 }),
      scaling(ahead, { lateBy: -10, cost: 1.6, p99: 90, underTime: 0 }),
    ],
  };
}

interface ScalingOptions {
  /** Windows after which demand is followed. */
  readonly lateBy: number;
  readonly cost: number;
  readonly p99: number;
  readonly underTime: number;
}

function scaling(variant: VariantResult, { lateBy, cost, p99, underTime }: ScalingOptions): VariantResult {
  const values: Record<string, number> = {
    ...{ 'replicas.mean': 9.5, 'replicas.max': 14, 'scaling.underTime': underTime, 'scaling.overTime': 0.3 },
    ...{ 'scaling.under': 0.8, 'scaling.over': 1.5, 'scaling.reaction': underTime > 0 ? 10_000 : NaN, 'scaling.flaps': 30 },
    ...{ 'scaling.changes': 60, 'scaling.lost': 0, 'scaling.pending': 1500, cost, 'latency.p99': p99 },
    ...{ 'alarm.time': 5000, 'alarm.missed': 0.5, 'alarm.false': 30 },
  };
  const spread = ['cost', 'latency.p99'];
  const estimates = Object.entries(values).map(([name, mean]) => [
    name,
    spread.includes(name) ? { ...same(mean), low: mean * 0.9, high: mean * 1.1 } : same(mean),
  ]);
  return {
    ...variant,
    metrics: { ...variant.metrics, ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [value]])) },
    estimates: { ...variant.estimates, ...(Object.fromEntries(estimates) as VariantResult['estimates']) },
    elastic: {
      services: [service('api', lateBy, values), service('worker', 0, { ...values, 'scaling.underTime': 0 })],
      ...comings,
    },
    alarms: [
      { atMs: 20_000, service: 'api', fires: true, value: 0.2 },
      { atMs: 25_000, service: 'api', fires: false, value: NaN },
      { atMs: 55_000, service: 'worker', fires: true, value: 0.4 },
      { atMs: 55_000, service: 'api', fires: true, value: 0.3 },
      { atMs: 90_000, service: 'worker', fires: false, value: 0 },
    ],
  };
}

/** The last window has no value yet. */
function service(name: string, lateBy: number, values: Readonly<Record<string, number>>): VariantElasticService {
  const needed = (window: number): number => (name === 'api' && window >= 30 && window < 80 ? 12 : name === 'api' ? 4 : 2);
  const windows = Array.from({ length: 120 }, (_, window) => window);
  const ready = windows.map((window) => needed(window - lateBy));
  return {
    ...{
      name,
      needed: windows.map(needed),
      desired: windows.map((window) => needed(window - lateBy / 2)),
      ready,
      present: ready,
    },
    metrics: Object.fromEntries(Object.entries(values).map(([metric, value]) => [metric, [value]])),
    estimates: Object.fromEntries(Object.entries(values).map(([metric, value]) => [metric, same(value)])),
  };
}

/** `spot/0` is interrupted at 40.5 s and there again from 60 s on. */
const comings: Pick<VariantElastic, 'changes' | 'nodes'> = {
  changes: [
    { atMs: 40_000, service: 'api', from: 4, to: 12, reason: 'DesiredWithinRange' },
    { atMs: 90_000, service: 'api', from: 12, to: 4, reason: '=ScaleDown' },
  ],
  nodes: [
    {
      ...{ id: 'general/0', zone: 'a', spans: [{ fromMs: 0, toMs: 90_000, end: 'removed' }] },
      reserved: Array.from({ length: 120 }, (_, window) => (window >= 90 ? NaN : window < 30 ? 0.25 : 0.75)),
    },
    {
      ...{ id: 'spot/0', zone: 'b' },
      spans: [
        { fromMs: 0, toMs: 40_500, end: 'interrupted' },
        { fromMs: 60_000, toMs: Infinity, end: '' },
      ],
      reserved: Array.from({ length: 120 }, (_, window) => (window >= 40 && window < 60 ? NaN : 0.5)),
    },
  ],
};

const thousand = (variant: VariantResult): VariantResult => ({
  ...variant,
  estimates: { ...variant.estimates, offered: same(1000) },
});

/** The variant's own metrics, as many attempts as told. */
function retrying({ metrics, estimates }: VariantResult, attempts: number): Pick<VariantResult, 'metrics' | 'estimates'> {
  const values = { attempts, retries: attempts - 1, amplification: attempts };
  return {
    metrics: { ...metrics, ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, [value, value, value]])) },
    estimates: { ...estimates, ...Object.fromEntries(Object.entries(values).map(([name, value]) => [name, same(value)])) },
  };
}

const attemptsOf = (variant: VariantResult, ratio: (window: number) => number): VariantResult['series'] =>
  scaled(variant, 'attempts', (window) => ratio(window));

/** A tenth goes well in bad windows. */
const okShare = (variant: VariantResult, isBad: (window: number) => boolean): VariantResult['series'] =>
  scaled(variant, 'ok', (window) => (isBad(window) ? 0.1 : 0.998));

/** A column that is so many times the offered requests of its window. */
function scaled({ series }: VariantResult, column: SeriesColumn, factor: (window: number) => number): VariantResult['series'] {
  const { offered } = series.columns;
  const times = (values: readonly number[]): number[] => values.map((value, window) => value * factor(window));
  const band = { median: times(offered.median), min: times(offered.min), max: times(offered.max) };
  return { ...series, columns: { ...series.columns, [column]: band } };
}
