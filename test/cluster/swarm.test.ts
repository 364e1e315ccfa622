/** A hundred and fifty random worlds with everything switched on at random. Nothing is predicted here: the checkers inside every run
 *  (conservation on every edge, Little's identity, places, causality, rows) must stay silent, and the numbers must make sense together. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { failureBuckets, type Ledger, seriesColumns, type Span, type Waterfall } from '../../src/stats/result.ts';
import { elasticWorld, randomWorld } from './random-world.ts';
import { type Played, playWorld, type World } from './world-builder.ts';

test('every invariant holds in 150 random worlds', { timeout: 60_000 }, () => {
  let requests = 0;
  let calls = 0;
  const property = fc.property(randomWorld, ({ world, setup }) => {
    const played = playWorld(world, setup);
    requests += played.ledger.offered;
    world.edges.forEach(({ caller }, edge) => {
      if (caller !== -1) calls += played.views[edge].ledger.offered;
    });
    makesSense(world, played);
    viewsAddUp(world, played);
  });
  fc.assert(property, { numRuns: 150, seed: 7, endOnFailure: true });
  // The worlds must not be empty.
  expect(requests).toBeGreaterThan(5000);
  expect(calls).toBeGreaterThan(5000);
});

test('every invariant holds where instances and nodes come and go', { timeout: 120_000 }, () => {
  let requests = 0;
  let changes = 0;
  let lost = 0;
  const property = fc.property(elasticWorld, ({ world, setup }) => {
    const played = playWorld(world, setup);
    expect(playWorld(world, setup).digest).toBe(played.digest);
    requests += played.ledger.offered;
    changes += played.elastic?.changes.length ?? 0;
    lost += played.metrics['scaling.lost'] || 0;
    makesSense(world, played);
    viewsAddUp(world, played);
  });
  fc.assert(property, { numRuns: 200, seed: 5, endOnFailure: true });
  // The worlds must not be empty.
  expect(requests).toBeGreaterThan(5000);
  expect(changes).toBeGreaterThan(1000);
  expect(lost).toBeGreaterThan(100);
});

test('the same seed makes the same run, also when the spans of its slowest requests are recorded', { timeout: 60_000 }, () => {
  const property = fc.property(randomWorld, ({ world, setup }) => {
    const played = playWorld(world, setup);
    const traced = playWorld(world, { ...setup, waterfall: 3 });
    expect(traced.digest).toBe(played.digest);
    traced.waterfalls.forEach(nests);
  });
  fc.assert(property, { numRuns: 25, seed: 11, endOnFailure: true });
});

/** A span lies within the one it belongs to, except for work that nobody waits for any more. */
function nests({ spans, latencyMs, arrivalMs }: Waterfall): void {
  const [root] = spans;
  expect(root).toMatchObject({ parent: -1, kind: 'request' });
  expect(root.toMs - root.fromMs).toBeCloseTo(latencyMs, 9);
  expect(root.fromMs).toBe(arrivalMs);
  const isGivenUp = (span: Span): boolean => span.outcome === 'given up' || (span.parent >= 0 && isGivenUp(spans[span.parent]));
  spans.forEach((span, place) => {
    expect(span.toMs).toBeGreaterThanOrEqual(span.fromMs);
    if (place === 0) return;
    expect(span.parent).toBeLessThan(place);
    const above = spans[span.parent];
    expect(span.fromMs).toBeGreaterThanOrEqual(above.fromMs);
    if (!isGivenUp(span)) expect(span.toMs, `${span.kind} in ${above.kind}`).toBeLessThanOrEqual(above.toMs);
  });
}

/** The traffic's edges, and its classes, are parts of one whole: the ledger over the run. */
function viewsAddUp({ run, edges, classes }: World, played: Played): void {
  played.views.forEach(({ ledger, metrics, latency }) => {
    expect(ledger.offered).toBe(ended(ledger) + ledger.inFlight);
    expect(ledger.inFlight).toBeGreaterThanOrEqual(0);
    expect(latency.count).toBe(ledger.ok);
    if (ledger.offered > ledger.inFlight) expect(metrics['retries'] + metrics['hedges']).toBeGreaterThanOrEqual(0);
  });
  if (run.warmupMs > 0) return;
  const sum = (views: Played['views'], of: (ledger: Ledger) => number): number =>
    views.reduce((total, { ledger }) => total + of(ledger), 0);
  const byEdge = played.views.slice(0, edges.length).filter((_, edge) => edges[edge].caller === -1);
  const byClass = played.views.slice(edges.length, edges.length + classes.length);
  for (const parts of [byEdge, byClass]) {
    expect(sum(parts, ({ offered }) => offered)).toBe(played.ledger.offered);
    expect(sum(parts, ({ ok }) => ok)).toBe(played.ledger.ok);
    expect(sum(parts, ({ degraded }) => degraded)).toBe(played.ledger.degraded);
    for (const bucket of failureBuckets) {
      expect(
        sum(parts, ({ failed }) => failed[bucket]),
        bucket,
      ).toBe(played.ledger.failed[bucket]);
    }
  }
}

const ended = (ledger: Ledger): number =>
  ledger.ok + ledger.cancelled + failureBuckets.reduce((sum, bucket) => sum + ledger.failed[bucket], 0);

/** Shares, where anybody judges. */
const detected = ['detection.missed', 'detection.accuracy'];

function makesSense({ run, services }: World, played: Played): void {
  const { ledger, metrics, series, instances, upShares } = played;
  const counts = [ledger.offered, ledger.ok, ledger.inFlight, ...failureBuckets.map((bucket) => ledger.failed[bucket])];
  expect(counts.every((count) => Number.isInteger(count) && count >= 0)).toBe(true);
  expect(ledger.offered).toBe(counts.slice(1).reduce((sum, count) => sum + count, 0));
  expect(played.latency.count).toBe(ledger.ok);
  // What exists is finite; what does not is NaN only where nothing was there to be measured.
  const isMissing = (name: string): boolean =>
    (name.startsWith('latency.') && ledger.ok === 0) ||
    (name.startsWith('wait.') && played.wait.count === 0) ||
    (/^(availability|failures\.)/.test(name) && ledger.offered === ledger.inFlight) ||
    (name.startsWith('load.') && instances.every(({ served }) => served === 0)) ||
    (name === 'degraded' && ledger.ok === 0) ||
    (/^(attempts|retries|hedges|amplification)$/.test(name) && ledger.offered === 0 && Number.isNaN(metrics[name])) ||
    (name === 'amplification' && metrics['attempts'] === 0) ||
    (/^(cacheHits|connections|(detection|replicas|scaling|alarm|rollout|config)\..*|cost)$/.test(name) &&
      Number.isNaN(metrics[name])) ||
    (/^(utilization|instances)\./.test(name) && instances.every(({ existedMs = Infinity }) => existedMs === 0));
  for (const [name, value] of Object.entries(metrics)) {
    expect(isMissing(name) ? Number.isNaN(value) : Number.isFinite(value) && value >= 0, `${name} is ${value}`).toBe(true);
  }
  for (const name of [
    'availability',
    'utilization.mean',
    'utilization.max',
    'instances.up',
    'load.jain',
    'wait.share',
    ...detected,
  ]) {
    if (!isMissing(name)) expect(metrics[name], name).toBeLessThanOrEqual(1 + 1e-9);
  }
  const windows = Math.ceil(run.durationMs / run.windowMs);
  for (const column of seriesColumns) expect(series.columns[column].length, column).toBe(windows);
  const total = (column: 'offered' | 'ok' | 'failed'): number => series.columns[column].reduce((sum, value) => sum + value, 0);
  expect(total('offered')).toBe(total('ok') + total('failed') + (series.columns.inFlight.at(-1) ?? 0));
  expect(total('offered')).toBeGreaterThanOrEqual(ledger.offered);
  expect(upShares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
  if (played.elastic === null) expect(instances.length).toBe(services.reduce((sum, { instances: own }) => sum + own.length, 0));
  expect(instances.every(({ busy }) => busy.every((share) => share >= -1e-9 && share <= 1 + 1e-9))).toBe(true);
  // Mean latency times rate of those that ended well cannot exceed the time in the system of all.
  const timeInSystem = metrics['inSystem.mean'] * (run.durationMs - run.warmupMs);
  if (run.warmupMs === 0) expect(played.latency.sum).toBeLessThanOrEqual(timeInSystem * (1 + 1e-9) + 1e-6);
  played.truth.forEach(({ fromMs, toMs }) => expect(fromMs <= toMs && fromMs <= run.durationMs).toBe(true));
  expect(played.littleResidual).toBeLessThan(1e-6);
}
