/** Families about one module: samplers, estimators, rotation by weight, and the generator that seeds everything. */
import seedrandom from 'seedrandom';
import type { ParamAny } from '../../../src/core/params.ts';
import { Streams } from '../../../src/core/streams.ts';
import { EndpointSet } from '../../../src/policies/balancing/endpoint-set.ts';
import { balancers } from '../../../src/policies/balancing/index.ts';
import { estimate, holm, pairedDifference, pairedP } from '../../../src/stats/estimate.ts';
import { mser5 } from '../../../src/stats/mser.ts';
import { makeSampler } from '../../../src/stats/samplers.ts';
import { studentQuantile } from '../../../src/stats/special.ts';
import { ZipfSampler } from '../../../src/stats/zipf.ts';
import { type Case, numberOf, textOf } from '../cases.ts';
import type { Observation } from '../judgement.ts';
import { readScenario } from '../laboratory.ts';
import { meanOf, standardError } from '../readers.ts';
import { type Adapter, type Adapters, queueWorld, scenarioText } from '../trial.ts';
import { arrivalLaw, UNIT_MS, workLaw } from '../yaml.ts';

const BLOCKS = 50;
const PER_BLOCK = 20_000;

/** The law goes through the file format, as it would in a scenario. */
const sampler: Adapter = (each, { seed }) => {
  if ('s' in each.params) return [{ answers: zipf(each, seed) }];
  const work = workLaw(textOf(each.params, 'law'));
  return work === undefined ? [] : [{ answers: () => drawn(each, work, seed) }];
};

async function drawn({ id }: Case, work: string, seed: string): Promise<Record<string, Observation>> {
  const world = queueWorld({ arrivals: arrivalLaw('det', 1)!, work });
  const size = { warmup: 0, measured: 100, window: 10, seeds: 1 };
  const scenario = await readScenario(scenarioText({ world, perUnit: 1, relaxation: 0, observe: {} }, size));
  const law = makeSampler(scenario.services[0].work);
  const blocks = blocksOf(`${seed} ${id}`, (rng) => law.sample(rng) / UNIT_MS);
  const square = (values: readonly number[]): number => meanOf(values.map((value) => value * value));
  return {
    mean: over(blocks, meanOf),
    second_moment: over(blocks, square),
    scv: over(blocks, (values) => square(values) / (meanOf(values) * meanOf(values)) - 1),
    p50: over(blocks, (values) => quantileOf(values, 0.5)),
    p90: over(blocks, (values) => quantileOf(values, 0.9)),
    p99: over(blocks, (values) => quantileOf(values, 0.99)),
    p999: over(blocks, (values) => quantileOf(values, 0.999)),
  };
}

function zipf({ id, params }: Case, seed: string): Record<string, Observation> {
  const count = numberOf(params, 'n');
  const law = new ZipfSampler(count, numberOf(params, 's'));
  // Ranks from 1, as the case counts them.
  const blocks = blocksOf(`${seed} ${id}`, (rng) => law.sample(rng) + 1);
  const share = (most: number) => (values: readonly number[]) => values.filter((rank) => rank <= most).length / values.length;
  return {
    p_rank1: over(blocks, share(1)),
    p_top10: over(blocks, share(10)),
    p_top1pct: over(blocks, share(count / 100)),
    mean_rank: over(blocks, meanOf),
  };
}

function blocksOf(seed: string, draw: (rng: ReturnType<Streams['stream']>) => number): readonly (readonly number[])[] {
  const streams = new Streams(seed);
  return Array.from({ length: BLOCKS }, (_, block) => {
    const rng = streams.stream(`block ${block}`);
    return Array.from({ length: PER_BLOCK }, () => draw(rng));
  });
}

/** Of all draws together; blocks give the error. */
function over(blocks: readonly (readonly number[])[], statistic: (values: readonly number[]) => number): Observation {
  return { value: statistic(blocks.flat()), se: standardError(blocks.map(statistic)), replications: blocks.length };
}

function quantileOf(values: readonly number[], p: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.ceil(p * sorted.length) - 1];
}

const exact = (values: Readonly<Record<string, number>>): { readonly answers: Record<string, Observation> }[] => [
  { answers: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }])) },
];

const statistics: Adapter = ({ id, params }) => {
  if (id.startsWith('t-quantile/')) {
    const df = numberOf(params, 'df');
    return exact(Object.fromEntries([0.95, 0.975, 0.995].map((p) => [`t_${p}`, studentQuantile(p, df)])));
  }
  if (id === 'stats-golden/holm') {
    return exact(Object.fromEntries(holm(params.p as readonly number[]).map((p, index) => [`holm_${index}`, p])));
  }
  if (id === 'stats-golden/mser5') {
    const series = Array.from({ length: 400 }, (_, i) => 10 * Math.exp(-i / 20) + ((i * 7919) % 1009) / 1009 - 0.5);
    const { truncateBatches, truncateObservations } = mser5(series);
    return exact({ truncate_batches: truncateBatches, truncate_observations: truncateObservations });
  }
  if (id === 'stats-golden/A') return exact(goldenSample());
  return [];
};

function goldenSample(): Record<string, number> {
  const x = Array.from({ length: 40 }, (_, i) => (((i + 1) * 7919) % 1009) / 1009);
  const y = x.map((value, i) => value + 0.05 + 0.02 * Math.sin(3 * i));
  const alone = estimate(x);
  const paired = pairedDifference(y, x);
  return {
    mean_x: alone.mean,
    sd_x: alone.sd,
    var_x: alone.sd * alone.sd,
    ci_half_x: (alone.high - alone.low) / 2,
    paired_mean_diff: paired.mean,
    paired_half: (paired.high - paired.low) / 2,
    paired_p: pairedP(y.map((value, i) => value - x[i])),
  };
}

/** Our own generator's vectors are in its own test; what can be asked here is whether the package that reads seeds is what it was. */
const generator: Adapter = ({ params }) => {
  if (params.generator !== 'arc4') return [];
  const random = seedrandom(textOf(params, 'seed'));
  const [u0, u1, u2] = [random(), random(), random()];
  return exact({ u0, u1, u2, int32_3: random.int32(), double_4: random.double() });
};

const weightedRotation: Adapter = ({ params }) => {
  const endpoints = new EndpointSet(8);
  (params.weights as readonly number[]).forEach((weight, index) => endpoints.add(`s${index}`, { weight, locality: 0 }, 0));
  const definition = balancers['weighted-round-robin'];
  const balancer = definition.create(defaultsOf(definition), { rng: new Streams('theory').stream('rotation') });
  endpoints.bind(balancer, 0);
  const context = { nowMs: 0, attempt: 0, previous: -1, hasHash: false, hashHigh: 0, hashLow: 0 };
  const picks = (params.sequence as readonly number[]).map(() => balancer.pick(context));
  return exact(Object.fromEntries(picks.map((slot, index) => [`pick${index}`, slot])));
};

export const defaultsOf = ({ params }: (typeof balancers)[string]): Record<string, ParamAny> =>
  Object.fromEntries(Object.entries(params).map(([name, spec]) => [name, spec.default]));

export const pieces: Adapters = {
  sampler,
  statistics,
  rng: generator,
  'smooth weighted round robin': weightedRotation,
};
