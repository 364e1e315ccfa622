/** Random times as written to `DistributionSpec`: several ways to give the parameters of one law become the one the samplers know. */
import type { z } from 'zod';
import type { DistributionSpec } from '../core/distribution-spec.ts';
import type { Path } from '../core/issue.ts';
import { exp, log, pow } from '../core/math.ts';
import { parsePercentile } from './percentile.ts';
import { formatDuration, show } from '../core/quantity.ts';
import type { Ms } from '../core/time.ts';
import type { Complaints } from './complaints.ts';
import type { DataFiles } from './data-files.ts';
import { gamma } from './gamma-function.ts';
import type { ReplayData } from './replay-data.ts';
import { readSamples } from './samples.ts';
import type { distribution } from './shape-parts.ts';
import type { Slice } from './trace.ts';

export type DistributionShape = z.output<typeof distribution>;
type Shape<Type> = Extract<DistributionShape, { type: Type }>;

export interface Env {
  readonly complaints: Complaints;
  readonly data: DataFiles;
  /** Traces read before: variants of one scenario share them. */
  readonly traces: Map<string, Promise<Slice>>;
  /** Recordings of requests, likewise. */
  readonly recordings: Map<string, Promise<ReplayData>>;
}

/** Undefined after complaints. `above0`: a constant 0 makes no sense here, as for service times. */
export async function compileDistribution(
  shape: DistributionShape,
  path: Path,
  env: Env,
  { above0 = false }: { readonly above0?: boolean } = {},
): Promise<DistributionSpec | undefined> {
  const complain = (key: string, message: string, hint?: string): undefined => {
    env.complaints.error('bad-distribution', [...path, key], message, hint);
  };
  if (typeof shape === 'number' || shape.type === 'constant') {
    const value = typeof shape === 'number' ? shape : shape.value;
    if (above0 && value === 0) {
      env.complaints.error('bad-distribution', typeof shape === 'number' ? path : [...path, 'value'], 'must be above 0');
      return undefined;
    }
    return { type: 'constant', value };
  }
  switch (shape.type) {
    case 'exponential':
      return { type: 'exponential', mean: shape.mean };
    case 'uniform':
      if (shape.min >= shape.max) return complain('max', `max must be above min, ${formatDuration(shape.min)}`);
      return { type: 'uniform', min: shape.min, max: shape.max };
    case 'erlang':
      return { type: 'gamma', shape: shape.k, mean: shape.mean };
    case 'gamma': {
      if (!oneOf(shape, ['shape', 'cv'], path, env)) return undefined;
      return { type: 'gamma', shape: shape.shape ?? 1 / (shape.cv! * shape.cv!), mean: shape.mean };
    }
    case 'hyperexponential':
      return hyperexponential(shape, path, env);
    case 'lognormal':
      return lognormal(shape, path, env);
    case 'weibull': {
      if (!oneOf(shape, ['mean', 'scale'], path, env)) return undefined;
      return { type: 'weibull', shape: shape.shape, scale: shape.scale ?? shape.mean! / gamma(1 + 1 / shape.shape) };
    }
    case 'pareto':
      return pareto(shape, path, env);
    case 'empirical':
      if (!oneOf(shape, ['quantiles', 'file'], path, env)) return undefined;
      if (shape.quantiles !== undefined) {
        for (const key of ['column', 'unit'] as const) {
          if (shape[key] !== undefined) complain(key, `${key} belongs to file, not to quantiles`);
        }
        return quantiles(shape.quantiles, [...path, 'quantiles'], env);
      }
      return readSamples({ ...shape, file: shape.file! }, path, env);
    case 'discrete': {
      const shares = normalised(shape.values, [...path, 'values'], env);
      if (shares === undefined) return undefined;
      const values = shape.values.map(({ value }) => value);
      if (above0 && values.every((value) => value === 0)) return complain('values', 'must not all be 0');
      return { type: 'discrete', values, shares };
    }
  }
}

/** Exactly one of the keys must be there. */
export function oneOf<Shape extends object>(
  shape: Shape,
  keys: readonly (keyof Shape & string)[],
  path: Path,
  { complaints }: Env,
): boolean {
  const given = keys.filter((key) => shape[key] !== undefined);
  if (given.length === 1) return true;
  if (given.length === 0) complaints.error('missing-key', path, `give one of ${keys.join(' and ')}`);
  else complaints.error('contradiction', [...path, given[1]], `give only one of ${given.join(' and ')}`);
  return false;
}

/** Shares that sum to 1, to the last bit as nearly as doubles allow. */
export function normalised(
  entries: readonly { readonly share: number }[],
  path: Path,
  { complaints }: Env,
): number[] | undefined {
  const sum = entries.reduce((total, { share }) => total + share, 0);
  if (Math.abs(sum - 1) > 1e-6) {
    complaints.error('bad-shares', path, `shares sum to ${Number(sum.toPrecision(6))}, not to 1`);
    return undefined;
  }
  return entries.map(({ share }) => share / sum);
}

/** Two branches that give the wanted mean and squared coefficient of variation and contribute equally to the mean. */
export function balancedMeans(mean: number, cv2: number): { share: number; mean: number }[] {
  const share = (1 + Math.sqrt((cv2 - 1) / (cv2 + 1))) / 2;
  return [share, 1 - share].map((each) => ({ share: each, mean: mean / (2 * each) }));
}

function hyperexponential(shape: Shape<'hyperexponential'>, path: Path, env: Env): DistributionSpec | undefined {
  const { mean, cv2, branches } = shape;
  if (branches !== undefined) {
    const surplus = mean !== undefined ? 'mean' : cv2 !== undefined ? 'cv2' : undefined;
    if (surplus !== undefined) {
      env.complaints.error('contradiction', [...path, surplus], 'give either branches, or mean and cv2');
      return undefined;
    }
    const shares = normalised(branches, [...path, 'branches'], env);
    return (
      shares && {
        type: 'hyperexponential',
        branches: branches.map((branch, index) => ({ share: shares[index], mean: branch.mean })),
      }
    );
  }
  if (mean === undefined || cv2 === undefined) {
    env.complaints.error('missing-key', path, 'give mean and cv2, or branches');
    return undefined;
  }
  return { type: 'hyperexponential', branches: balancedMeans(mean, cv2) };
}

/** The 99 % point of the standard normal law. */
const z99 = 2.3263478740408408;

function lognormal(shape: Shape<'lognormal'>, path: Path, { complaints }: Env): DistributionSpec | undefined {
  const { p50, mean, p99, cv } = shape;
  const given = (['p50', 'mean', 'p99', 'cv'] as const).filter((key) => shape[key] !== undefined);
  if (given.length !== 2) {
    complaints.error(
      'bad-distribution',
      path,
      `give two of p50, mean, p99 and cv; found ${given.length === 0 ? 'none' : given.join(', ')}`,
    );
    return undefined;
  }
  const mustExceed = (larger: 'mean' | 'p99', largerValue: Ms, smaller: 'p50' | 'mean', smallerValue: Ms): boolean => {
    if (largerValue > smallerValue) return true;
    const message = `${larger} must be above ${smaller}, ${formatDuration(smallerValue)}; found ${formatDuration(largerValue)}`;
    complaints.error('bad-distribution', [...path, larger], message);
    return false;
  };
  if (cv !== undefined) {
    const sigma = Math.sqrt(log(1 + cv * cv));
    if (p50 !== undefined) return { type: 'lognormal', mu: log(p50), sigma };
    if (mean !== undefined) return { type: 'lognormal', mu: log(mean) - (sigma * sigma) / 2, sigma };
    return { type: 'lognormal', mu: log(p99!) - z99 * sigma, sigma };
  }
  if (p50 !== undefined && p99 !== undefined) {
    return mustExceed('p99', p99, 'p50', p50) ? { type: 'lognormal', mu: log(p50), sigma: log(p99 / p50) / z99 } : undefined;
  }
  if (p50 !== undefined) {
    return mustExceed('mean', mean!, 'p50', p50)
      ? { type: 'lognormal', mu: log(p50), sigma: Math.sqrt(2 * log(mean! / p50)) }
      : undefined;
  }
  if (!mustExceed('p99', p99!, 'mean', mean!)) return undefined;
  // log(p99/mean) = z·σ − σ²/2 is a parabola in σ: no solution beyond its top at σ = z, two below it. The smaller σ is the tame law;
  // the larger one has its mean far out in the tail.
  const ratio = p99! / mean!;
  const discriminant = z99 * z99 - 2 * log(ratio);
  if (discriminant < 0) {
    const largest = Number(exp((z99 * z99) / 2).toPrecision(4));
    complaints.error(
      'bad-distribution',
      [...path, 'p99'],
      `no lognormal law has a p99 of ${Number(ratio.toPrecision(4))} times its mean; ${largest} is the most`,
    );
    return undefined;
  }
  const sigma = z99 - Math.sqrt(discriminant);
  return { type: 'lognormal', mu: log(mean!) - (sigma * sigma) / 2, sigma };
}

function pareto(shape: Shape<'pareto'>, path: Path, env: Env): DistributionSpec | undefined {
  const { shape: index, max = Infinity } = shape;
  const { complaints } = env;
  if (!oneOf(shape, ['min', 'mean'], path, env)) return undefined;
  if (max === Infinity && index <= 1) {
    complaints.error(
      'infinite-mean',
      [...path, 'shape'],
      `a Pareto law of shape ${index} has no finite mean`,
      'choose a shape above 1, or give max',
    );
    return undefined;
  }
  const lower = shape.min ?? shape.mean!;
  if (lower >= max) {
    complaints.error(
      'bad-distribution',
      [...path, 'max'],
      `max must be above ${shape.min === undefined ? 'mean' : 'min'}, ${formatDuration(lower)}`,
    );
    return undefined;
  }
  if (max === Infinity && index <= 2) {
    complaints.warn(
      'infinite-variance',
      [...path, 'shape'],
      `a Pareto law of shape ${index} has infinite variance: intervals for means will be unreliable`,
      'choose a shape above 2, or give max',
    );
  }
  if (shape.min !== undefined) return { type: 'pareto', shape: index, min: shape.min, max };
  const min = max === Infinity ? (shape.mean! * (index - 1)) / index : paretoMin(index, shape.mean!, max);
  return { type: 'pareto', shape: index, min, max };
}

/** The lower end that gives the wanted mean. The mean grows with it from 0 to max, so halving the interval finds it. */
function paretoMin(index: number, mean: Ms, max: Ms): Ms {
  let low = 0;
  let high = mean;
  for (let step = 0; step < 200; step++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (boundedParetoMean(index, middle, max) < mean) low = middle;
    else high = middle;
  }
  return high;
}

export function boundedParetoMean(index: number, min: Ms, max: Ms): Ms {
  const ratio = min / max;
  // In terms of the ratio, so that large indices do not overflow.
  if (Math.abs(index - 1) < 1e-9) return (-min * log(ratio)) / (1 - ratio);
  return ((index / (index - 1)) * min * (1 - pow(ratio, index - 1))) / (1 - pow(ratio, index));
}

function quantiles(written: Readonly<Record<string, Ms>>, path: Path, { complaints }: Env): DistributionSpec | undefined {
  const points: { key: string; probability: number; value: Ms }[] = [];
  for (const [key, value] of Object.entries(written)) {
    const reading = parsePercentile(key);
    if ('problem' in reading)
      complaints.add({
        code: 'bad-percentile',
        path,
        key,
        message: reading.problem,
        ...(reading.hint === undefined ? {} : { hint: reading.hint }),
      });
    else points.push({ key, probability: reading.value, value });
  }
  if (points.length < Object.keys(written).length) return undefined;
  points.sort((a, b) => a.probability - b.probability);
  for (const end of ['p0', 'p100']) {
    if (points.some(({ key }) => key === end)) continue;
    complaints.error(
      'missing-key',
      path,
      `missing key "${end}"`,
      `the ${end === 'p0' ? 'least' : 'greatest'} value bounds the law`,
    );
    return undefined;
  }
  for (const [index, point] of points.entries()) {
    const before = points[index - 1];
    if (before === undefined) continue;
    if (before.probability === point.probability) {
      complaints.add({ code: 'duplicate-key', path, key: point.key, message: `${point.key} is ${before.key} once more` });
      return undefined;
    }
    if (before.value > point.value) {
      const message = `${point.key} must be at least ${before.key}, ${formatDuration(before.value)}; found ${formatDuration(point.value)}`;
      complaints.error('bad-distribution', [...path, point.key], message);
      return undefined;
    }
  }
  if (points.at(-1)!.value === 0) {
    complaints.error('bad-distribution', [...path, 'p100'], `must be above 0, found ${show(0)}`);
    return undefined;
  }
  return {
    type: 'quantiles',
    probabilities: points.map(({ probability }) => probability),
    values: points.map(({ value }) => value),
  };
}
