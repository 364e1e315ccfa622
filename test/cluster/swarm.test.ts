/** A hundred and fifty random worlds with everything switched on at random. Nothing is predicted here: the checkers inside every run
 *  (conservation, Little's identity, places, causality) must stay silent, and the numbers must make sense together. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { DistributionSpec } from '../../src/core/distribution-spec.ts';
import { balancers } from '../../src/policies/balancing/index.ts';
import { heartbeat } from '../../src/policies/detection/heartbeat.ts';
import type {
  ArrivalSpec,
  FaultEffect,
  FaultSchedule,
  FaultSpec,
  NetworkSpec,
  RateCurveSpec,
  ServiceSpec,
  TrafficSpec,
} from '../../src/scenario/spec.ts';
import { failureBuckets, seriesColumns } from '../../src/stats/result.ts';
import { buildWorld, type Played, playWorld, steady, type World } from './world-builder.ts';

const zones = ['a', 'b', 'c'] as const;
const between = (min: number, max: number): fc.Arbitrary<number> => fc.double({ min, max, noNaN: true });

const law = (meanMs: fc.Arbitrary<number>): fc.Arbitrary<DistributionSpec> =>
  meanMs.chain((mean) =>
    fc.constantFrom<DistributionSpec>(
      { type: 'constant', value: mean },
      { type: 'exponential', mean },
      { type: 'uniform', min: 0, max: 2 * mean },
      { type: 'gamma', shape: 0.5, mean },
      { type: 'weibull', shape: 0.5, scale: mean / 2 },
      { type: 'lognormal', mu: Math.log(mean + 1e-3) - 0.5, sigma: 1 },
      { type: 'pareto', shape: 1.5, min: mean / 3 + 1e-6, max: Infinity },
      { type: 'discrete', values: [0, 2 * mean], shares: [0.5, 0.5] },
    ),
  );

const service = (name: string): fc.Arbitrary<ServiceSpec> =>
  fc.record({
    name: fc.constant(name),
    instances: fc.array(
      fc.record({
        zone: fc.constantFrom(...zones),
        speed: fc.constantFrom(1, 1, 0.5, 2),
        weight: fc.constantFrom(1, 1, 3, 0),
        priority: fc.constantFrom(0, 0, 1),
      }),
      { minLength: 1, maxLength: 6 },
    ),
    slots: fc.constantFrom(1, 2, 8),
    queueLimit: fc.constantFrom(0, 3, 50, Infinity),
    discipline: fc.constantFrom('fifo' as const, 'lifo' as const, 'processor-sharing' as const),
    work: law(fc.constantFrom(1, 8, 30)),
    startupMs: fc.constantFrom(0, 0, 130),
    coldStart: fc.record({ forMs: fc.constantFrom(0, 200), factor: fc.constantFrom(1, 3, 0.5) }),
    cancelAbandoned: fc.boolean(),
  });

const arrivals: fc.Arbitrary<ArrivalSpec> = fc.constantFrom(20, 150, 500).chain((perSecond) =>
  fc.constantFrom<ArrivalSpec>(
    { type: 'constant', perSecond },
    { type: 'poisson', perSecond },
    { type: 'gamma', perSecond, shape: 0.3 },
    { type: 'batch', perSecond, size: 7 },
    {
      type: 'mmpp',
      states: [
        { perSecond: 0, meanMs: 100 },
        { perSecond: 2 * perSecond, meanMs: 100 },
      ],
    },
  ),
);

const profile = fc.constantFrom<RateCurveSpec>(
  steady,
  { timesMs: Float64Array.of(0, 500, 500, 1200), factors: Float64Array.of(1, 1, 4, 0), periodMs: Infinity },
  { timesMs: Float64Array.of(0, 100, 150), factors: Float64Array.of(0, 3, 0), periodMs: 200 },
);

const traffic = (name: string, services: number): fc.Arbitrary<TrafficSpec> =>
  fc
    .record({
      service: fc.nat({ max: services - 1 }),
      arrivals,
      profile,
      balancers: fc.constantFrom(1, 1, 2, 5),
      balancerZones: fc.subarray([...zones], { minLength: 1 }),
      timeoutMs: fc.constantFrom(Infinity, 0.5, 30, 200),
      retry: fc.record({ retries: fc.constantFrom(0, 0, 2, 8), hostSelectionRetries: fc.constantFrom(0, 5) }),
      keys: fc.constantFrom(undefined, { count: 50, exponent: 1.1 }),
    })
    .map(({ keys, ...rest }) => ({ name, ...rest, ...(keys === undefined ? {} : { keys }) }));

const schedule: fc.Arbitrary<FaultSchedule> = fc.oneof(
  fc.record({
    type: fc.constant('once' as const),
    atMs: fc.constantFrom(0, 300, 700),
    forMs: fc.constantFrom(0, 50, 500, Infinity),
  }),
  fc.record({ type: fc.constant('random' as const), timeToFailure: law(between(100, 600)), timeToRepair: law(between(20, 300)) }),
);
const effect = fc.constantFrom<FaultEffect>(
  { type: 'crash' },
  { type: 'slow', factor: 5 },
  { type: 'slow', factor: 0.5 },
  { type: 'errors', share: 0.3 },
  { type: 'pause' },
);

const faultOn = (services: readonly ServiceSpec[]): fc.Arbitrary<FaultSpec> => {
  const all = services.flatMap(({ instances }, s) =>
    instances.map((instance, i) => ({ service: s, instance: i, zone: instance.zone })),
  );
  return fc
    .record({ effect, schedule, targets: fc.subarray(all, { minLength: 1 }), isOutage: fc.boolean() })
    .map((draft): FaultSpec => {
      const zone = draft.targets[0].zone;
      const isOutage = draft.isOutage && draft.effect.type === 'crash';
      const targets = (isOutage ? all.filter((target) => target.zone === zone) : draft.targets).map(
        ({ service: s, instance }) => ({
          service: s,
          instance,
        }),
      );
      return { ...(isOutage ? { type: 'zone-outage', zone } : draft.effect), label: 'fault', targets, schedule: draft.schedule };
    });
};

const network: fc.Arbitrary<NetworkSpec> = fc.constantFrom<NetworkSpec>(
  buildWorld({}).network,
  { sameZone: { type: 'constant', value: 0.5 }, betweenZones: { type: 'constant', value: 3 }, pairs: [] },
  {
    sameZone: { type: 'constant', value: 0 },
    betweenZones: { type: 'exponential', mean: 2 },
    pairs: [{ zones: ['a', 'c'], latency: { type: 'constant', value: 12 } }],
  },
);

const world: fc.Arbitrary<World> = fc.integer({ min: 1, max: 2 }).chain((count) =>
  fc.tuple(...Array.from({ length: count }, (_, i) => service(`s${i}`))).chain((services) =>
    fc
      .record({
        run: fc.record({ warmupMs: fc.constantFrom(0, 0, 250), windowMs: fc.constantFrom(100, 170, 5000) }),
        traffic: fc
          .integer({ min: 1, max: 3 })
          .chain((n) => fc.tuple(...Array.from({ length: n }, (_, i) => traffic(`t${i}`, count)))),
        faults: fc.array(faultOn(services), { maxLength: 5 }),
        network,
      })
      .map(({ run, ...rest }) => {
        const base = buildWorld({ durationMs: 1500 });
        return { ...base, ...rest, services, run: { ...base.run, ...run } };
      }),
  ),
);

const policies = fc.record({
  balancer: fc.constantFrom(...Object.keys(balancers)),
  detects: fc.boolean(),
  explain: fc.constantFrom(0, 0, 20),
});

test('every invariant holds in 150 random worlds', () => {
  let requests = 0;
  const property = fc.property(world, policies, fc.nat({ max: 1e6 }), (scenario, { balancer, detects, explain }, seed) => {
    const played = playWorld(scenario, {
      seed: `swarm:${seed}`,
      explain,
      balancer: (deps) => balancers[balancer].make({}, deps),
      ...(detects ? { detector: (deps) => heartbeat.make({ every: 40, misses: 2 }, deps) } : {}),
    });
    requests += played.ledger.offered;
    makesSense(scenario, played);
  });
  fc.assert(property, { numRuns: 150, seed: 7 });
  // The worlds must not be empty.
  expect(requests).toBeGreaterThan(50_000);
});

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
    (name.startsWith('load.') && instances.every(({ served }) => served === 0));
  for (const [name, value] of Object.entries(metrics)) {
    expect(isMissing(name) ? Number.isNaN(value) : Number.isFinite(value) && value >= 0, `${name} is ${value}`).toBe(true);
  }
  for (const name of ['availability', 'utilization.mean', 'utilization.max', 'instances.up', 'load.jain', 'wait.share']) {
    if (!isMissing(name)) expect(metrics[name], name).toBeLessThanOrEqual(1 + 1e-9);
  }
  const windows = Math.ceil(run.durationMs / run.windowMs);
  for (const column of seriesColumns) expect(series.columns[column].length, column).toBe(windows);
  const total = (column: 'offered' | 'ok' | 'failed'): number => series.columns[column].reduce((sum, value) => sum + value, 0);
  expect(total('offered')).toBe(total('ok') + total('failed') + (series.columns.inFlight.at(-1) ?? 0));
  expect(total('offered')).toBeGreaterThanOrEqual(ledger.offered);
  expect(upShares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
  expect(instances.length).toBe(services.reduce((sum, { instances: own }) => sum + own.length, 0));
  expect(instances.every(({ busy }) => busy.every((share) => share >= -1e-9 && share <= 1 + 1e-9))).toBe(true);
  // Mean latency times rate of those that ended well cannot exceed the time in the system of all.
  const timeInSystem = metrics['inSystem.mean'] * (run.durationMs - run.warmupMs);
  if (run.warmupMs === 0) expect(played.latency.sum).toBeLessThanOrEqual(timeInSystem * (1 + 1e-9) + 1e-6);
  expect(played.littleResidual).toBeLessThan(1e-6);
}
