/** Random times: the law that comes out has the mean, the percentile or the coefficient of variation that was asked for. */
import { describe, expect, test } from 'vitest';
import type { DistributionSpec } from '../../src/core/distribution-spec.ts';
import { boundedParetoMean } from '../../src/scenario/distributions.ts';
import { gamma } from '../../src/scenario/gamma-function.ts';
import { briefly, scenarioOf, workText, type Files } from './fixture.ts';

const lawOf = async (work: string, files?: Files): Promise<DistributionSpec> =>
  (await scenarioOf(workText(work), files === undefined ? {} : { files })).services[0].work;
const complaintsAbout = async (work: string, files?: Files): Promise<string[]> =>
  (await briefly(workText(work), files === undefined ? {} : { files })).map((line) => line.replace(/^\S+ /, ''));

test.each<[string, DistributionSpec]>([
  ['12ms', { type: 'constant', value: 12 }],
  ['{ type: constant, value: 12ms }', { type: 'constant', value: 12 }],
  ['{ type: exponential, mean: 12ms }', { type: 'exponential', mean: 12 }],
  ['{ type: uniform, min: 5ms, max: 15ms }', { type: 'uniform', min: 5, max: 15 }],
  ['{ type: erlang, k: 3, mean: 12ms }', { type: 'gamma', shape: 3, mean: 12 }],
  ['{ type: gamma, shape: 0.5, mean: 12ms }', { type: 'gamma', shape: 0.5, mean: 12 }],
  ['{ type: gamma, cv: 0.5, mean: 12ms }', { type: 'gamma', shape: 4, mean: 12 }],
  ['{ type: weibull, shape: 2, scale: 12ms }', { type: 'weibull', shape: 2, scale: 12 }],
  ['{ type: pareto, shape: 2.5, min: 3ms }', { type: 'pareto', shape: 2.5, min: 3, max: Infinity }],
  ['{ type: pareto, shape: 0.5, min: 3ms, max: 1s }', { type: 'pareto', shape: 0.5, min: 3, max: 1000 }],
  // Mean of a Pareto law: shape · min / (shape − 1).
  ['{ type: pareto, shape: 3, mean: 6ms }', { type: 'pareto', shape: 3, min: 4, max: Infinity }],
  [
    '{ type: hyperexponential, branches: [{ share: 90%, mean: 1ms }, { share: 0.1, mean: 50ms }] }',
    {
      type: 'hyperexponential',
      branches: [
        { share: 0.9, mean: 1 },
        { share: 0.1, mean: 50 },
      ],
    },
  ],
  [
    '{ type: empirical, quantiles: { p50: 10ms, p0: 1ms, p999: 60ms, p100: 80ms } }',
    { type: 'quantiles', probabilities: [0, 0.5, 0.999, 1], values: [1, 10, 60, 80] },
  ],
  [
    '{ type: discrete, values: [{ value: 1ms, share: 75% }, { value: 9ms, share: 25% }] }',
    { type: 'discrete', values: [1, 9], shares: [0.75, 0.25] },
  ],
])('%s', async (work, law) => {
  expect(await lawOf(work)).toEqual(law);
});

describe('a lognormal law', () => {
  // Φ(2.326347874) = 0.99, from tables of the normal law.
  const z99 = 2.326347874;
  const statistics = ({ mu, sigma }: { mu: number; sigma: number }): Record<string, number> => ({
    p50: Math.exp(mu),
    mean: Math.exp(mu + sigma ** 2 / 2),
    p99: Math.exp(mu + z99 * sigma),
    cv: Math.sqrt(Math.exp(sigma ** 2) - 1),
  });

  test.each([
    ['p50: 12ms, p99: 60ms', { p50: 12, p99: 60 }],
    ['p50: 12ms, mean: 20ms', { p50: 12, mean: 20 }],
    ['p50: 12ms, cv: 1.5', { p50: 12, cv: 1.5 }],
    ['mean: 12ms, cv: 0.5', { mean: 12, cv: 0.5 }],
    ['mean: 12ms, p99: 60ms', { mean: 12, p99: 60 }],
    ['p99: 60ms, cv: 2', { p99: 60, cv: 2 }],
  ])('of %s has these', async (written, wanted) => {
    const law = await lawOf(`{ type: lognormal, ${written} }`);
    const found = statistics(law as { type: 'lognormal'; mu: number; sigma: number });
    for (const [name, value] of Object.entries(wanted)) expect(found[name]).toBeCloseTo(value, 6);
  });

  test('of mean and p99 is the tamer of the two that fit', async () => {
    // σ² − 2·z·σ + 2·log 5 = 0 has the roots 2.3263 ± √(5.4119 − 3.2189): 0.8455 and 3.8072.
    expect(await lawOf('{ type: lognormal, mean: 12ms, p99: 60ms }')).toMatchObject({ sigma: expect.closeTo(0.8455, 3) });
  });

  test('of mean and p99 may not exist', async () => {
    expect(await complaintsAbout('{ type: lognormal, mean: 1ms, p99: 20ms }')).toEqual([
      'error: no lognormal law has a p99 of 20 times its mean; 14.97 is the most',
    ]);
    expect(await complaintsAbout('{ type: lognormal, mean: 10ms, p99: 5ms }')).toEqual([
      'error: p99 must be above mean, 10ms; found 5ms',
    ]);
  });

  test('needs two of its parameters', async () => {
    expect(await complaintsAbout('{ type: lognormal, p50: 1ms }')).toEqual([
      'error: give two of p50, mean, p99 and cv; found p50',
    ]);
    expect(await complaintsAbout('{ type: lognormal, p50: 1ms, mean: 2ms, cv: 1 }')).toEqual([
      'error: give two of p50, mean, p99 and cv; found p50, mean, cv',
    ]);
  });
});

test('a hyperexponential law has the mean and the squared coefficient of variation that were asked for', async () => {
  const law = (await lawOf('{ type: hyperexponential, mean: 12ms, cv2: 4 }')) as DistributionSpec & { type: 'hyperexponential' };
  const mean = law.branches.reduce((sum, branch) => sum + branch.share * branch.mean, 0);
  const square = law.branches.reduce((sum, branch) => sum + branch.share * 2 * branch.mean ** 2, 0);
  expect(mean).toBeCloseTo(12, 12);
  expect(square / mean ** 2 - 1).toBeCloseTo(4, 12);
  const [one, other] = law.branches.map((branch) => branch.share * branch.mean);
  expect(one).toBeCloseTo(other, 12);
});

test('the gamma function agrees with factorials, √π and tables', () => {
  expect(gamma(1)).toBeCloseTo(1, 13);
  expect(gamma(1.5) / (Math.sqrt(Math.PI) / 2)).toBeCloseTo(1, 13);
  expect(gamma(6) / 120).toBeCloseTo(1, 13);
  expect(gamma(21) / 2432902008176640000).toBeCloseTo(1, 13);
  expect(gamma(1.461632144968362) / 0.885603194410889).toBeCloseTo(1, 13); // its minimum
});

test('a Weibull law by its mean: Γ(1 + 1/2) = √π / 2', async () => {
  expect(await lawOf('{ type: weibull, shape: 2, mean: 10ms }')).toEqual({
    type: 'weibull',
    shape: 2,
    scale: expect.closeTo(20 / Math.sqrt(Math.PI), 10),
  });
});

describe('a bounded Pareto law', () => {
  // Midpoint rule in log x for the density a · L^a · x^(−a−1) / (1 − (L/H)^a); 100 000 steps leave an error below 1e-8.
  const integratedMean = (a: number, min: number, max: number): number => {
    const steps = 100_000;
    const width = Math.log(max / min) / steps;
    let sum = 0;
    for (let i = 0; i < steps; i++) {
      const x = min * Math.exp((i + 0.5) * width);
      sum += ((a * min ** a * x ** (-a - 1)) / (1 - (min / max) ** a)) * x * x * width;
    }
    return sum;
  };

  test.each([
    [0.5, 1, 100],
    [1, 2, 50],
    [1.5, 3, 1000],
    [3, 1, 2],
  ])('of index %d on [%d, %d] has the mean that integrating its density gives', (index, min, max) => {
    expect(boundedParetoMean(index, min, max)).toBeCloseTo(integratedMean(index, min, max), 5);
  });

  test('by its mean finds its lower end', async () => {
    const law = (await lawOf('{ type: pareto, shape: 1.2, mean: 10ms, max: 1s }')) as DistributionSpec & { type: 'pareto' };
    expect(integratedMean(1.2, law.min, 1000)).toBeCloseTo(10, 5);
  });
});

test('a Pareto law without a mean is refused, one without a variance is warned of', async () => {
  expect(await complaintsAbout('{ type: pareto, shape: 1, min: 1ms }')).toEqual([
    'error: a Pareto law of shape 1 has no finite mean; choose a shape above 1, or give max',
  ]);
  expect(await complaintsAbout('{ type: pareto, shape: 2, min: 1ms }')).toEqual([
    'warning: a Pareto law of shape 2 has infinite variance: intervals for means will be unreliable; choose a shape above 2, or give max',
  ]);
  expect(await complaintsAbout('{ type: pareto, shape: 2, min: 1ms, max: 1s }')).toEqual([]);
});

test.each([
  ['{ type: uniform, min: 5ms, max: 5ms }', 'max must be above min, 5ms'],
  ['{ type: gamma, mean: 1ms }', 'give one of shape and cv'],
  ['{ type: gamma, mean: 1ms, shape: 2, cv: 1 }', 'give only one of shape and cv'],
  ['{ type: hyperexponential, mean: 1ms }', 'give mean and cv2, or branches'],
  ['{ type: hyperexponential, mean: 1ms, cv2: 0.5 }', '0.5 is too small; it must be at least 1'],
  ['{ type: pareto, shape: 3, min: 5ms, max: 4ms }', 'max must be above min, 5ms'],
  ['{ type: discrete, values: [{ value: 1ms, share: 50% }, { value: 2ms, share: 40% }] }', 'shares sum to 0.9, not to 1'],
  ['{ type: empirical }', 'give one of quantiles and file'],
  ['{ type: empirical, quantiles: { p50: 1ms, p100: 2ms } }', 'missing key "p0"; the least value bounds the law'],
  ['{ type: empirical, quantiles: { p0: 3ms, p50: 1ms, p100: 4ms } }', 'p50 must be at least p0, 3ms; found 1ms'],
  ['{ type: empirical, quantiles: { p0: 1ms, 0.99: 2ms, p100: 3ms } }', '"0.99" is not a percentile; write p99'],
  ['{ type: empirical, quantiles: { p0: 1ms, 99: 2ms, p100: 3ms } }', '"99" is not a percentile; write p99'],
  [
    '{ type: empirical, quantiles: { p0: 1ms, p101: 2ms, p100: 3ms } }',
    '"p101" is not a percentile; percentiles look like p50 or p99.9, from p0 to p100',
  ],
  ['{ type: empirical, quantiles: { p0: 1ms, p99.9: 2ms, p999: 2ms, p100: 3ms } }', 'p999 is p99.9 once more'],
  ['[1ms]', 'expected a duration or a map with "type", found a list'],
])('%s is refused', async (work, complaint) => {
  expect(await complaintsAbout(work)).toEqual([`error: ${complaint}`]);
});

describe('samples from a file', () => {
  test('in milliseconds unless told otherwise, from the last column unless told otherwise', async () => {
    const files = { 'samples.csv': 'id,seconds\n1,0.25\n2,0.5\n' };
    expect(await lawOf('{ type: empirical, file: ./samples.csv, unit: s }', files)).toEqual({
      type: 'samples',
      values: Float64Array.of(250, 500),
    });
    expect(await lawOf('{ type: empirical, file: samples.csv, column: id }', files)).toEqual({
      type: 'samples',
      values: Float64Array.of(1, 2),
    });
  });

  test.each([
    ['samples.csv', 'a,b\n1,-2\n', '"samples.csv": line 2: -2 is negative'],
    ['samples.csv', 'a,b\n', '"samples.csv": it has no samples'],
    ['other.csv', '', 'cannot read "other.csv": no such file; paths are relative to the scenario file'],
    ['https://example.org/samples.csv', '', 'expected a file, found an address; download it first'],
  ])('%s with %j is refused', async (file, content, complaint) => {
    expect(await complaintsAbout(`{ type: empirical, file: "${file}" }`, { 'samples.csv': content })).toEqual([
      `error: ${complaint}`,
    ]);
  });
});
