import { errorFunction } from 'simple-statistics';
import { describe, expect, it } from 'vitest';
import type { DistributionSpec } from '../../src/core/distribution-spec.ts';
import { Xoshiro128 } from '../../src/core/xoshiro.ts';
import { meanOf, varianceOf } from '../../src/stats/moments.ts';
import { makeSampler } from '../../src/stats/samplers.ts';

/** Every draw below comes from this state, so a test that passes always passes. */
const fresh = (): Xoshiro128 => new Xoshiro128(0x2545f491, 0x4f6cdd1d, 0x9e3779b9, 0x7f4a7c15);
const n = 20_000;

function draw(spec: DistributionSpec, count = n): Float64Array {
  const sampler = makeSampler(spec);
  const rng = fresh();
  return Float64Array.from({ length: count }, () => sampler.sample(rng));
}

const normalCdf = (z: number): number => 0.5 * (1 + errorFunction(z / Math.SQRT2));
/** Gamma of shape 1/2 and scale 1 is half a squared normal; each whole step up subtracts one term. */
const gammaHalf = (x: number): number => errorFunction(Math.sqrt(x));
const gammaTwoAndHalf = (x: number): number =>
  gammaHalf(x) - (Math.exp(-x) / Math.sqrt(Math.PI)) * (2 * Math.sqrt(x) + (4 / 3) * x * Math.sqrt(x));
/** Erlang of scale 1: 1 − e^−x · (1 + x + x²/2 + …). */
function erlang(stages: number, x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; k < stages; k++) sum += term *= x / k;
  return 1 - Math.exp(-x) * sum;
}

const continuous: readonly { name: string; spec: DistributionSpec; cdf: (x: number) => number }[] = [
  { name: 'exponential', spec: { type: 'exponential', mean: 3 }, cdf: (x) => 1 - Math.exp(-x / 3) },
  { name: 'uniform', spec: { type: 'uniform', min: 2, max: 5 }, cdf: (x) => (x - 2) / 3 },
  { name: 'Erlang of 1 stage', spec: { type: 'gamma', shape: 1, mean: 3 }, cdf: (x) => 1 - Math.exp(-x / 3) },
  { name: 'Erlang of 3 stages', spec: { type: 'gamma', shape: 3, mean: 3 }, cdf: (x) => erlang(3, x) },
  { name: 'Erlang of 9 stages', spec: { type: 'gamma', shape: 9, mean: 9 }, cdf: (x) => erlang(9, x) },
  { name: 'gamma of shape 0.5', spec: { type: 'gamma', shape: 0.5, mean: 0.5 }, cdf: gammaHalf },
  { name: 'gamma of shape 2.5', spec: { type: 'gamma', shape: 2.5, mean: 2.5 }, cdf: gammaTwoAndHalf },
  {
    name: 'hyperexponential',
    spec: {
      type: 'hyperexponential',
      branches: [
        { share: 0.9, mean: 1 },
        { share: 0.1, mean: 10 },
      ],
    },
    cdf: (x) => 1 - 0.9 * Math.exp(-x) - 0.1 * Math.exp(-x / 10),
  },
  { name: 'lognormal', spec: { type: 'lognormal', mu: 1, sigma: 0.8 }, cdf: (x) => normalCdf((Math.log(x) - 1) / 0.8) },
  { name: 'Weibull of shape 0.5', spec: { type: 'weibull', shape: 0.5, scale: 2 }, cdf: (x) => 1 - Math.exp(-Math.sqrt(x / 2)) },
  { name: 'Weibull of shape 1', spec: { type: 'weibull', shape: 1, scale: 2 }, cdf: (x) => 1 - Math.exp(-x / 2) },
  { name: 'Weibull of shape 3', spec: { type: 'weibull', shape: 3, scale: 2 }, cdf: (x) => 1 - Math.exp(-((x / 2) ** 3)) },
  { name: 'Pareto', spec: { type: 'pareto', shape: 1.5, min: 2, max: Infinity }, cdf: (x) => 1 - (2 / x) ** 1.5 },
  {
    name: 'bounded Pareto',
    spec: { type: 'pareto', shape: 1.1, min: 2, max: 100 },
    cdf: (x) => (1 - (2 / x) ** 1.1) / (1 - 0.02 ** 1.1),
  },
  {
    name: 'quantile table',
    spec: { type: 'quantiles', probabilities: [0, 0.5, 0.9, 1], values: [1, 2, 6, 20] },
    cdf: (x) => (x < 2 ? (x - 1) / 2 : x < 6 ? 0.5 + (x - 2) / 10 : 0.9 + (x - 6) / 140),
  },
];

describe('draws follow the law: Kolmogorov-Smirnov distance of 200,000 below its 1e-4 critical value', () => {
  it.each(continuous)('$name', ({ spec, cdf }) => {
    const many = 200_000;
    const sorted = draw(spec, many).toSorted();
    let distance = 0;
    sorted.forEach((x, k) => {
      const p = cdf(x);
      distance = Math.max(distance, (k + 1) / many - p, p - k / many);
    });
    expect(distance).toBeLessThan(2.2252 / Math.sqrt(many));
  });
});

/** Laws with a finite fourth moment: the standard error of a sample variance needs it. */
const tame: readonly DistributionSpec[] = [
  ...continuous.map(({ spec }) => spec).filter((spec) => spec.type !== 'pareto' || spec.max < Infinity),
  { type: 'pareto', shape: 9, min: 2, max: Infinity },
  { type: 'pareto', shape: 1, min: 2, max: 50 },
  { type: 'pareto', shape: 2, min: 2, max: 50 },
  { type: 'samples', values: Float64Array.of(1, 2, 2, 9) },
  { type: 'discrete', values: [1, 5, 20], shares: [0.7, 0.2, 0.1] },
];

describe('mean and variance of 20,000 draws lie within 5 standard errors of the closed form', () => {
  it.each(tame.map((spec) => [`${spec.type}, mean ${meanOf(spec).toFixed(3)}`, spec] as const))('%s', (_, spec) => {
    const values = draw(spec);
    const mean = values.reduce((sum, x) => sum + x, 0) / n;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / n;
    const fourth = values.reduce((sum, x) => sum + (x - mean) ** 4, 0) / n;
    expect(Math.abs(mean - meanOf(spec))).toBeLessThan(5 * Math.sqrt(variance / n));
    expect(Math.abs(variance - varianceOf(spec))).toBeLessThan(5 * Math.sqrt((fourth - variance ** 2) / n));
    expect(makeSampler(spec).mean).toBe(meanOf(spec));
  });
});

describe('normal and exponential variates reach their tails', () => {
  it('a normal exceeds 3.6541528853610088, where the ziggurat ends, with the right frequency', () => {
    // P = 1.2904e-4 on each side: of 10^6 draws 258 ± 16 in all; bound 5 standard deviations.
    const values = draw({ type: 'lognormal', mu: 0, sigma: 1 }, 1_000_000);
    const edge = 3.6541528853610088;
    const upper = values.filter((x) => Math.log(x) > edge).length;
    const lower = values.filter((x) => Math.log(x) < -edge).length;
    expect(Math.abs(upper + lower - 258.1)).toBeLessThan(80);
    expect(Math.abs(upper - lower)).toBeLessThan(80);
    expect(values.some((x) => Math.log(x) > 4.2)).toBe(true);
  });

  it('an exponential exceeds 7.69711747013105, where the ziggurat ends, with the right frequency', () => {
    // P = e^−7.697 = 4.541e-4: of 10^6 draws 454 ± 21; bound 5 standard deviations. Of those, e^−2 exceed the edge by 2 or more.
    const beyond = draw({ type: 'exponential', mean: 1 }, 1_000_000).filter((x) => x > 7.69711747013105);
    expect(Math.abs(beyond.length - 454)).toBeLessThan(107);
    const far = beyond.filter((x) => x > 9.69711747013105).length;
    expect(Math.abs(far - 61.5)).toBeLessThan(40);
  });
});

describe('special cases', () => {
  it('a constant draws nothing from its stream', () => {
    const rng = fresh();
    expect(makeSampler({ type: 'constant', value: 7 }).sample(rng)).toBe(7);
    expect(rng.state()).toEqual(fresh().state());
  });

  it('a discrete law draws each value with its share: chi-square of 20,000 over 5 values', () => {
    // 4 degrees of freedom: p = 1e-4 at 23.51. A share of zero is never drawn.
    const shares = [0.5, 0.25, 0.15, 0.1, 0];
    const counts = new Map<number, number>();
    for (const x of draw({ type: 'discrete', values: [1, 2, 3, 4, 5], shares })) counts.set(x, (counts.get(x) ?? 0) + 1);
    const chi2 = shares.slice(0, 4).reduce((sum, p, k) => sum + ((counts.get(k + 1) ?? 0) - p * n) ** 2 / (p * n), 0);
    expect(chi2).toBeLessThan(23.51);
    expect(counts.has(5)).toBe(false);
  });

  it('measured samples are drawn with equal probability: chi-square of 20,000 over 10', () => {
    const counts = new Float64Array(10);
    for (const x of draw({ type: 'samples', values: Float64Array.from({ length: 10 }, (_, k) => k) })) counts[x]++;
    expect(counts.reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0)).toBeLessThan(33.72);
  });

  it('a quantile table with a jump and a flat part has a gap and an atom', () => {
    const values = draw({ type: 'quantiles', probabilities: [0, 0.4, 0.4, 0.7, 1], values: [1, 2, 5, 5, 6] });
    expect(values.some((x) => x > 2 && x < 5)).toBe(false);
    // 30 % atom: 6,000 ± 65; bound 5 standard deviations.
    expect(Math.abs(values.filter((x) => x === 5).length - 6000)).toBeLessThan(325);
  });

  it('a bounded Pareto stays within its bounds, a degenerate one on its point', () => {
    const values = draw({ type: 'pareto', shape: 0.1, min: 1, max: 1e6 });
    expect(Math.min(...values)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...values)).toBeLessThanOrEqual(1e6);
    expect(draw({ type: 'pareto', shape: 2, min: 3, max: 3 }, 5)).toEqual(Float64Array.of(3, 3, 3, 3, 3));
  });

  it('shares of a hyperexponential that sum to a little less than 1 leave no gap', () => {
    const branches = Array.from({ length: 10 }, () => ({ share: 0.1 - 1e-9, mean: 1 }));
    expect(draw({ type: 'hyperexponential', branches }).every((x) => x >= 0)).toBe(true);
  });
});
