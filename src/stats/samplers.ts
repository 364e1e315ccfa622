/** Random times by law: one small class per kind of `DistributionSpec`. Drawing allocates nothing and uses no built-in
 *  transcendental function, so that the numbers are the same on every machine.
 *
 *  How many words a draw takes from the generator varies by law and by draw. That is harmless because every user has a stream of its
 *  own; where draws must line up across policies they are keyed (`KeyedDraws.fork`). */
import type { DistributionSpec } from '../core/distribution-spec.ts';
import { exp, log, pow } from '../core/math.ts';
import type { Xoshiro128 } from '../core/xoshiro.ts';
import { AliasTable } from './alias.ts';
import { meanOf } from './moments.ts';
import { exponential, normal } from './ziggurat.ts';

export interface Sampler {
  /** Of the law, not of what was drawn; may be Infinity. */
  readonly mean: number;
  sample(rng: Xoshiro128): number;
}

export function makeSampler(spec: DistributionSpec): Sampler {
  const mean = meanOf(spec);
  switch (spec.type) {
    case 'constant':
      return new Constant(mean);
    case 'exponential':
      return new Exponential(mean);
    case 'uniform':
      return new Uniform(mean, spec.min, spec.max);
    case 'gamma':
      if (spec.shape === 1) return new Exponential(mean);
      return Number.isInteger(spec.shape) && spec.shape <= 4 ? new Erlang(mean, spec.shape) : new Gamma(mean, spec.shape);
    case 'hyperexponential':
      return new Hyperexponential(mean, spec.branches);
    case 'lognormal':
      return new Lognormal(mean, spec.mu, spec.sigma);
    case 'weibull':
      return spec.shape === 1 ? new Exponential(mean) : new Weibull(mean, spec.shape, spec.scale);
    case 'pareto':
      return new Pareto(mean, spec.shape, spec.min, spec.max);
    case 'quantiles':
      return new Quantiles(mean, spec.probabilities, spec.values);
    case 'samples':
      return new Samples(mean, spec.values);
    case 'discrete':
      return new Discrete(mean, spec.values, spec.shares);
  }
}

class Constant implements Sampler {
  declare readonly mean: number;

  constructor(mean: number) {
    this.mean = mean;
  }

  sample(): number {
    return this.mean;
  }
}

class Exponential implements Sampler {
  declare readonly mean: number;

  constructor(mean: number) {
    this.mean = mean;
  }

  sample(rng: Xoshiro128): number {
    return this.mean * exponential(rng);
  }
}

class Uniform implements Sampler {
  declare readonly mean: number;
  declare private readonly min: number;
  declare private readonly width: number;

  constructor(mean: number, min: number, max: number) {
    this.mean = mean;
    this.min = min;
    this.width = max - min;
  }

  sample(rng: Xoshiro128): number {
    return this.min + rng.next() * this.width;
  }
}

/** A sum of few exponentials, which is cheaper than the general gamma up to four. */
class Erlang implements Sampler {
  declare readonly mean: number;
  declare private readonly stages: number;
  declare private readonly stageMean: number;

  constructor(mean: number, stages: number) {
    this.mean = mean;
    this.stages = stages;
    this.stageMean = mean / stages;
  }

  sample(rng: Xoshiro128): number {
    let sum = 0;
    for (let stage = 0; stage < this.stages; stage++) sum += exponential(rng);
    return sum * this.stageMean;
  }
}

/** After G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables" (ACM TOMS 26(3), 2000): the cube of a shifted
 *  normal, with a cheap squeeze before the exact test. A shape below 1 is a gamma of shape + 1 times U^(1/shape). */
class Gamma implements Sampler {
  declare readonly mean: number;
  declare private readonly shape: number;
  declare private readonly scale: number;
  declare private readonly d: number;
  declare private readonly c: number;

  constructor(mean: number, shape: number) {
    this.mean = mean;
    this.shape = shape;
    this.scale = mean / shape;
    this.d = (shape < 1 ? shape + 1 : shape) - 1 / 3;
    this.c = 1 / Math.sqrt(9 * this.d);
  }

  sample(rng: Xoshiro128): number {
    // An exponential is −log U, so this is U^(1/shape).
    const boost = this.shape < 1 ? exp(-exponential(rng) / this.shape) : 1;
    for (;;) {
      const z = normal(rng);
      const root = 1 + this.c * z;
      if (root <= 0) continue;
      const v = root * root * root;
      const z2 = z * z;
      const u = rng.next();
      if (u < 1 - 0.0331 * z2 * z2 || log(u) < 0.5 * z2 + this.d * (1 - v + log(v))) return this.d * v * boost * this.scale;
    }
  }
}

/** A mixture of exponentials: one uniform chooses the branch. */
class Hyperexponential implements Sampler {
  declare readonly mean: number;
  declare private readonly upTo: Float64Array;
  declare private readonly means: Float64Array;

  constructor(mean: number, branches: readonly { readonly share: number; readonly mean: number }[]) {
    this.mean = mean;
    this.upTo = new Float64Array(branches.length);
    this.means = Float64Array.from(branches, (branch) => branch.mean);
    let total = 0;
    for (let branch = 0; branch < branches.length; branch++) {
      total += branches[branch].share;
      this.upTo[branch] = total;
    }
    // Shares sum to 1 only up to rounding; the last branch takes the rest.
    this.upTo[branches.length - 1] = 1;
  }

  sample(rng: Xoshiro128): number {
    const u = rng.next();
    let branch = 0;
    while (u >= this.upTo[branch]) branch++;
    return this.means[branch] * exponential(rng);
  }
}

class Lognormal implements Sampler {
  declare readonly mean: number;
  declare private readonly mu: number;
  declare private readonly sigma: number;

  constructor(mean: number, mu: number, sigma: number) {
    this.mean = mean;
    this.mu = mu;
    this.sigma = sigma;
  }

  sample(rng: Xoshiro128): number {
    return exp(this.mu + this.sigma * normal(rng));
  }
}

/** A power of an exponential. */
class Weibull implements Sampler {
  declare readonly mean: number;
  declare private readonly power: number;
  declare private readonly scale: number;

  constructor(mean: number, shape: number, scale: number) {
    this.mean = mean;
    this.power = 1 / shape;
    this.scale = scale;
  }

  sample(rng: Xoshiro128): number {
    return this.scale * pow(exponential(rng), this.power);
  }
}

/** Inverse distribution function: min · (1 − U · (1 − (min/max)^shape))^(−1/shape). */
class Pareto implements Sampler {
  declare readonly mean: number;
  declare private readonly power: number;
  declare private readonly min: number;
  declare private readonly max: number;
  /** 1 − (min/max)^shape: the share of the unbounded law that lies below max. */
  declare private readonly inside: number;

  constructor(mean: number, shape: number, min: number, max: number) {
    this.mean = mean;
    this.power = -1 / shape;
    this.min = min;
    this.max = max;
    this.inside = 1 - pow(min / max, shape);
  }

  sample(rng: Xoshiro128): number {
    return Math.min(this.min * pow(1 - rng.next() * this.inside, this.power), this.max);
  }
}

/** Inverse distribution function given at points, straight between them. */
class Quantiles implements Sampler {
  declare readonly mean: number;
  declare private readonly probabilities: Float64Array;
  declare private readonly values: Float64Array;

  constructor(mean: number, probabilities: readonly number[], values: readonly number[]) {
    this.mean = mean;
    this.probabilities = Float64Array.from(probabilities);
    this.values = Float64Array.from(values);
  }

  sample(rng: Xoshiro128): number {
    const u = rng.next();
    const p = this.probabilities;
    const values = this.values;
    // The last point at or below u: tables are short, and halving keeps the draw a monotone function of u.
    let low = 0;
    let high = p.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (p[middle] <= u) low = middle;
      else high = middle;
    }
    return values[low] + ((u - p[low]) / (p[high] - p[low])) * (values[high] - values[low]);
  }
}

class Samples implements Sampler {
  declare readonly mean: number;
  declare private readonly values: Float64Array;

  constructor(mean: number, values: Float64Array) {
    this.mean = mean;
    this.values = values;
  }

  sample(rng: Xoshiro128): number {
    return this.values[rng.below(this.values.length)];
  }
}

class Discrete implements Sampler {
  declare readonly mean: number;
  declare private readonly table: AliasTable;
  declare private readonly values: Float64Array;

  constructor(mean: number, values: readonly number[], shares: readonly number[]) {
    this.mean = mean;
    this.table = new AliasTable(shares);
    this.values = Float64Array.from(values);
  }

  sample(rng: Xoshiro128): number {
    return this.values[this.table.sample(rng)];
  }
}
