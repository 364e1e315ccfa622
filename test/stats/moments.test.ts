import { describe, expect, it } from 'vitest';
import type { DistributionSpec } from '../../src/core/distribution-spec.ts';
import { meanOf, varianceOf } from '../../src/stats/moments.ts';

/** Laws of mean 1 with their squared coefficient of variation, as queueing theory quotes them. */
const known: readonly { name: string; spec: DistributionSpec; mean: number; variance: number }[] = [
  { name: 'constant', spec: { type: 'constant', value: 4 }, mean: 4, variance: 0 },
  { name: 'exponential', spec: { type: 'exponential', mean: 2 }, mean: 2, variance: 4 },
  { name: 'uniform (0, 2)', spec: { type: 'uniform', min: 0, max: 2 }, mean: 1, variance: 1 / 3 },
  { name: 'Erlang-4', spec: { type: 'gamma', shape: 4, mean: 1 }, mean: 1, variance: 0.25 },
  {
    name: 'lognormal of SCV 4',
    spec: { type: 'lognormal', mu: -Math.log(5) / 2, sigma: Math.sqrt(Math.log(5)) },
    mean: 1,
    variance: 4,
  },
  { name: 'Weibull of shape 0.5', spec: { type: 'weibull', shape: 0.5, scale: 0.5 }, mean: 1, variance: 5 },
  { name: 'Pareto of index 2.5', spec: { type: 'pareto', shape: 2.5, min: 0.6, max: Infinity }, mean: 1, variance: 0.8 },
  {
    name: 'Pareto of infinite variance',
    spec: { type: 'pareto', shape: 1.5, min: 1, max: Infinity },
    mean: 3,
    variance: Infinity,
  },
  {
    name: 'Pareto of infinite mean',
    spec: { type: 'pareto', shape: 1, min: 1, max: Infinity },
    mean: Infinity,
    variance: Infinity,
  },
  // Density c/x² on [1, e] with c = 1/(1 − 1/e): mean c, second moment c · (e − 1).
  {
    name: 'bounded Pareto of index 1',
    spec: { type: 'pareto', shape: 1, min: 1, max: Math.E },
    mean: Math.E / (Math.E - 1),
    variance: Math.E - (Math.E / (Math.E - 1)) ** 2,
  },
  { name: 'Pareto on one point', spec: { type: 'pareto', shape: 1, min: 3, max: 3 }, mean: 3, variance: 0 },
  {
    name: 'hyperexponential',
    spec: {
      type: 'hyperexponential',
      branches: [
        { share: 0.5, mean: 1 },
        { share: 0.5, mean: 3 },
      ],
    },
    mean: 2,
    variance: 6,
  },
  {
    name: 'quantile table of a uniform law',
    spec: { type: 'quantiles', probabilities: [0, 0.25, 1], values: [0, 0.5, 2] },
    mean: 1,
    variance: 1 / 3,
  },
  { name: 'samples', spec: { type: 'samples', values: Float64Array.of(1, 2, 3, 6) }, mean: 3, variance: 3.5 },
  { name: 'discrete', spec: { type: 'discrete', values: [0.5, 5.5], shares: [0.9, 0.1] }, mean: 1, variance: 2.25 },
];

describe('mean and variance are the textbook’s', () => {
  it.each(known)('$name', ({ spec, mean, variance }) => {
    // Equal infinities have a difference that is not a number; everything else is close.
    expect(meanOf(spec) === mean || Math.abs(meanOf(spec) - mean) < 1e-12).toBe(true);
    expect(varianceOf(spec) === variance || Math.abs(varianceOf(spec) - variance) < 1e-11).toBe(true);
  });

  it('bounded Pareto is smooth where its index passes 1, the order of the moment', () => {
    const at = (shape: number): number => meanOf({ type: 'pareto', shape, min: 1, max: 100 });
    expect(at(1 - 1e-9)).toBeCloseTo(at(1), 6);
    expect(at(1 + 1e-9)).toBeCloseTo(at(1), 6);
  });
});
