/** Traffic that changes, instances that fail, detectors that notice, and the intervals around it all. */
import { estimate } from '../../../src/stats/estimate.ts';
import type { CellResult } from '../../../src/stats/result.ts';
import { numberOf } from '../cases.ts';
import type { Observation } from '../judgement.ts';
import { atLeast, meanOf, metric, perSeed, type Reader, type Readers, standardError } from '../readers.ts';
import { type Adapter, type Adapters, memory, queueWorld, type Trial } from '../trial.ts';
import { arrivalLaw, digits, duration, rate, UNIT_MS, workLaw } from '../yaml.ts';

/** Points of the wave per period. */
const POINTS = 20;

/** A sine that starts at its mean peaks a quarter of a period in; so many slots that nobody waits. */
const wave: Adapter = ({ params }, effort) => {
  const mean = numberOf(params, 'lam_mean');
  const period = numberOf(params, 'period');
  const profile = `{ type: diurnal, period: ${duration(period)}, amplitude: ${digits(numberOf(params, 'amp') / mean)}, peak: ${duration(period / 4)} }`;
  const arrivals = `{ type: poisson, rate: ${rate(mean)} }\n    profile: ${profile}`;
  const world = queueWorld({ arrivals, work: workLaw('exp')!, slots: 10 * mean, queue: 0 });
  const seeds = 20;
  const periods = Math.min(4000, Math.ceil(effort.requests[1] / seeds / (mean * period)));
  const skip = Math.ceil(20 / period);
  const measured = (from: readonly number[]): readonly number[] => from.slice(skip * POINTS);
  const harmonic = ({ series }: CellResult): { mean: number; amplitude: number; lag: number } => {
    const seen = measured(series.columns.inFlight);
    let sine = 0;
    let cosine = 0;
    // A window's number in the system is taken at its end.
    seen.forEach((value, k) => {
      const phase = (2 * Math.PI * (k + 1)) / POINTS;
      sine += (2 * value * Math.sin(phase)) / seen.length;
      cosine += (2 * value * Math.cos(phase)) / seen.length;
    });
    return { mean: meanOf(seen), amplitude: Math.hypot(sine, cosine), lag: (Math.atan2(-cosine, sine) / (2 * Math.PI)) * period };
  };
  return [
    {
      world,
      perUnit: mean,
      relaxation: 0,
      exactly: { warmup: skip * period, measured: periods * period, seeds, window: period / POINTS },
      observe: {
        mean_in_system_avg: metric('inSystem.mean'),
        amplitude_in_system: perSeed((cell) => harmonic(cell).amplitude),
        peak: perSeed((cell) => harmonic(cell).mean + harmonic(cell).amplitude),
        lag_of_peak: perSeed((cell) => harmonic(cell).lag),
        arrivals_in_first_half_period: perSeed(({ series }) => {
          const first = measured(series.columns.offered).filter((_, k) => k % POINTS < POINTS / 2);
          return first.reduce((sum, value) => sum + value, 0) / periods;
        }),
      },
    },
  ];
};

/** Frozen, not down: requests queue meanwhile, and work goes on where it was. */
const breakdown: Adapter = ({ params }) => {
  if ('c' in params && params.c !== 1) return [];
  const [perUnit, failure, repair] = ['lam', 'fail_rate', 'repair_rate'].map((key) => numberOf(params, key));
  const world = (type: string): string =>
    queueWorld({
      arrivals: arrivalLaw('exp', perUnit)!,
      work: workLaw('exp')!,
      more: `faults:
  - type: ${type}
    target: api/*
    random: { mttf: { type: exponential, mean: ${duration(1 / failure)} }, mttr: { type: exponential, mean: ${duration(1 / repair)} } }
`,
    });
  const up = repair / (failure + repair);
  const relaxation = memory(perUnit / up, { variability: 10 }) + 20 / repair;
  const common = { perUnit, relaxation };
  return [
    {
      ...common,
      world: world('pause'),
      observe: { mean_in_system: metric('inSystem.mean'), mean_sojourn: metric('latency.mean', 1 / UNIT_MS) },
    },
    // Only a crash counts as not being up, and the times are the same.
    { ...common, world: world('crash'), observe: { availability: metric('instances.up') } },
  ];
};

const SEEDS = 40;
const MINUTES_PER_YEAR = 365.25 * 24 * 60;

/** n instances that crash and restart by themselves; 1 unit of the case is 1 ms. */
const availability: Adapter = ({ params, expect }) => {
  if (!('mtbf' in params) || 'n' in params) return [];
  const [up, down] = ['mtbf', 'mttr'].map((key) => numberOf(params, key));
  const cycle = up + down;
  const cycles = (instances: number): number => (instances > 10 ? 200 : 2000);
  const fleet = (instances: number, observe: Readers): Trial => ({
    world: `services: { api: { instances: ${instances}, work: 1ms } }
traffic: [{ to: api, arrivals: { type: constant, rate: 1/s } }]
faults:
  - type: crash
    target: api/*
    random: { mttf: { type: exponential, mean: ${digits(up)}ms }, mttr: { type: exponential, mean: ${digits(down)}ms } }
`,
    perUnit: 1e-2,
    relaxation: 0,
    exactly: {
      warmup: (10 * cycle) / UNIT_MS,
      measured: (cycles(instances) * cycle) / UNIT_MS,
      seeds: SEEDS,
      window: (100 * cycle) / UNIT_MS,
    },
    observe,
  });
  // avail_2_of_3 and quorum_2_of_3: at least two of three are up.
  const sizes = new Map<number, Record<string, Reader>>();
  for (const name of Object.keys(expect)) {
    const [, least, of] = /^(?:avail|quorum)_(\d+)_of_(\d+)$/.exec(name) ?? [];
    if (least === undefined || of === undefined) continue;
    const observe = sizes.get(Number(of)) ?? {};
    const upShare = perSeed(({ upShares }) => upShares.slice(Number(least)).reduce((sum, share) => sum + share, 0));
    // Never or always: the truth may be one outage in all that were seen away from that.
    observe[name] = (cells, background) => atLeast(1 / (cycles(Number(of)) * Number(of) * SEEDS), upShare(cells, background));
    sizes.set(Number(of), observe);
  }
  const isUp = ({ upShares }: CellResult): number => upShares[1];
  return [
    fleet(1, { availability: perSeed(isUp), downtime_min_per_year: perSeed((cell) => (1 - isUp(cell)) * MINUTES_PER_YEAR) }),
    ...[...sizes].map(([instances, observe]) => fleet(instances, observe)),
  ];
};

/** All instances crash at one moment, each somewhere else between two of its heartbeats. One unit of the case is 1 s. */
const heartbeats: Adapter = ({ params }) => {
  if (!('timeout' in params) || numberOf(params, 'loss') !== 0) return [];
  const [every, timeout, delay] = ['interval', 'timeout', 'delay'].map((key) => numberOf(params, key));
  const misses = timeout / every;
  if (!Number.isInteger(misses)) return [];
  const crash = 4 * every;
  const delays = (cells: readonly CellResult[]): readonly (readonly number[])[] =>
    cells.map(({ beliefs }) => beliefs.map(({ atMs }) => atMs / 1000 - crash));
  const extreme =
    (pick: (...values: number[]) => number): Reader =>
    (cells): Observation => ({ value: pick(...delays(cells).flat()) });
  const inUnits = (seconds: number): number => (seconds * 1000) / UNIT_MS;
  return [
    {
      world: `services: { api: { instances: 500, work: 1ms } }
network: { latency: ${digits(delay * 1000)}ms }
traffic: [{ to: api, arrivals: { type: constant, rate: 1/s } }]
faults: [{ type: crash, target: api/*, at: ${crash}s }]
policies: { detector: { use: heartbeat, every: ${digits(every)}s, misses: ${misses} } }
`,
      perUnit: 1e-2,
      relaxation: 0,
      exactly: { warmup: inUnits(every), measured: inUnits(3 * every + 2 * timeout), seeds: SEEDS, window: inUnits(every) },
      observe: {
        mean_detection_time: (cells) => {
          const means = delays(cells).map(meanOf);
          return { value: meanOf(means), se: standardError(means), replications: means.length };
        },
        min_detection_time: extreme(Math.min),
        max_detection_time: extreme(Math.max),
      },
    },
  ];
};

/** Ten seeds make an interval; how often does it contain the truth? That truth, the mean wait of M/M/1, belongs to the question. */
const coverage: Adapter = ({ params }, effort) => {
  const load = numberOf(params, 'rho');
  const perInterval = 10;
  const requests = numberOf(params, 'n');
  const warmup = numberOf(params, 'warmup');
  const affordable = Math.floor((2 * effort.requests[1]) / (requests + perInterval * warmup));
  const intervals = Math.max(20, Math.min(numberOf(params, 'reps'), affordable));
  const truth = load / (1 - load);
  const groups = (cells: readonly CellResult[]): { covers: number; halfWidth: number }[] =>
    Array.from({ length: intervals }, (_, k) => {
      const own = cells.slice(k * perInterval, (k + 1) * perInterval).map(({ metrics }) => metrics['wait.mean'] / UNIT_MS);
      const { low, high } = estimate(own);
      return { covers: low <= truth && truth <= high ? 1 : 0, halfWidth: (high - low) / 2 / truth };
    });
  return [
    {
      world: queueWorld({ arrivals: arrivalLaw('exp', load)!, work: workLaw('exp')! }),
      perUnit: load,
      relaxation: 0,
      exactly: {
        warmup: warmup / load,
        measured: requests / perInterval / load,
        seeds: intervals * perInterval,
        window: requests / perInterval / load,
      },
      observe: {
        cover_rep: (cells) => {
          const share = meanOf(groups(cells).map(({ covers }) => covers));
          // At the edge of 0 or 1 the spread seen would be nothing.
          const safe = Math.min(Math.max(share, 1 / intervals), 1 - 1 / intervals);
          return { value: share, se: Math.sqrt((safe * (1 - safe)) / intervals), replications: intervals };
        },
        rel_halfwidth_rep: (cells) => {
          const halfWidths = groups(cells).map(({ halfWidth }) => halfWidth);
          return { value: meanOf(halfWidths), se: standardError(halfWidths), replications: intervals };
        },
      },
    },
  ];
};

export const world: Adapters = {
  'M_t/M/inf': wave,
  'M/M/1 breakdown anytime': breakdown,
  'M/M/c central queue with server breakdowns': breakdown,
  availability,
  'heartbeat detection time': heartbeats,
  'CI coverage': coverage,
};
