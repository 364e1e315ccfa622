/** Mean and variance of a law, in closed form. For load calculations, messages to users and tests; Infinity where infinite. */
import type { DistributionSpec } from '../core/distribution-spec.ts';
import { exp, expm1, log, pow } from '../core/math.ts';
import { logGamma } from './special.ts';

export function meanOf(spec: DistributionSpec): number {
  switch (spec.type) {
    case 'constant':
      return spec.value;
    case 'exponential':
    case 'gamma':
      return spec.mean;
    case 'uniform':
      return (spec.min + spec.max) / 2;
    case 'hyperexponential':
      return spec.branches.reduce((sum, branch) => sum + branch.share * branch.mean, 0);
    case 'lognormal':
      return exp(spec.mu + (spec.sigma * spec.sigma) / 2);
    case 'weibull':
      return spec.scale * exp(logGamma(1 + 1 / spec.shape));
    case 'pareto':
      return paretoMoment(spec.shape, spec.min, spec.max, 1);
    case 'quantiles':
      return overSegments(spec.probabilities, spec.values, (a, b) => (a + b) / 2);
    case 'samples':
      return spec.values.reduce((sum, value) => sum + value, 0) / spec.values.length;
    case 'discrete':
      return spec.values.reduce((sum, value, index) => sum + value * spec.shares[index], 0);
  }
}

export function varianceOf(spec: DistributionSpec): number {
  const mean = meanOf(spec);
  switch (spec.type) {
    case 'constant':
      return 0;
    case 'exponential':
      return mean * mean;
    case 'uniform':
      return ((spec.max - spec.min) * (spec.max - spec.min)) / 12;
    case 'gamma':
      return (mean * mean) / spec.shape;
    case 'hyperexponential':
      return spec.branches.reduce((sum, branch) => sum + 2 * branch.share * branch.mean * branch.mean, 0) - mean * mean;
    case 'lognormal':
      return expm1(spec.sigma * spec.sigma) * mean * mean;
    case 'weibull':
      return spec.scale * spec.scale * exp(logGamma(1 + 2 / spec.shape)) - mean * mean;
    case 'pareto': {
      const square = paretoMoment(spec.shape, spec.min, spec.max, 2);
      return square === Infinity ? Infinity : square - mean * mean;
    }
    case 'quantiles':
      return overSegments(spec.probabilities, spec.values, (a, b) => (a * a + a * b + b * b) / 3 - mean * mean);
    case 'samples':
      return spec.values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / spec.values.length;
    case 'discrete':
      return spec.values.reduce((sum, value, index) => sum + spec.shares[index] * (value - mean) * (value - mean), 0);
  }
}

/** E[X^order] = shape · min^order / (1 − (min/max)^shape) · ∫ from 0 to ln(max/min) of e^((order − shape) t) dt. */
function paretoMoment(shape: number, min: number, max: number, order: number): number {
  if (min === max) return pow(min, order);
  if (max === Infinity) return shape > order ? (shape * pow(min, order)) / (shape - order) : Infinity;
  const span = log(max / min);
  const t = (order - shape) * span;
  const integral = t === 0 ? span : (expm1(t) / t) * span;
  return ((shape * pow(min, order)) / -expm1(-shape * span)) * integral;
}

function overSegments(
  probabilities: readonly number[],
  values: readonly number[],
  term: (a: number, b: number) => number,
): number {
  let sum = 0;
  for (let index = 1; index < values.length; index++) {
    sum += (probabilities[index] - probabilities[index - 1]) * term(values[index - 1], values[index]);
  }
  return sum;
}
