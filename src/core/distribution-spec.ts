/** Laws of random times as checked plain data; `stats/samplers.ts` draws from them. */
import type { Ms } from './time.ts';

/** Service times and latencies; parameters in milliseconds. */
export type DistributionSpec =
  | { readonly type: 'constant'; readonly value: Ms }
  | { readonly type: 'exponential'; readonly mean: Ms }
  | { readonly type: 'uniform'; readonly min: Ms; readonly max: Ms }
  /** Erlang is gamma with a whole shape. Mean = shape · scale. */
  | { readonly type: 'gamma'; readonly shape: number; readonly mean: Ms }
  /** Mixture of exponentials; shares sum to 1. */
  | { readonly type: 'hyperexponential'; readonly branches: readonly { readonly share: number; readonly mean: Ms }[] }
  /** exp(mu + sigma·N), in milliseconds. */
  | { readonly type: 'lognormal'; readonly mu: number; readonly sigma: number }
  | { readonly type: 'weibull'; readonly shape: number; readonly scale: Ms }
  /** Pareto of index `shape` on [min, max]; max may be Infinity. */
  | { readonly type: 'pareto'; readonly shape: number; readonly min: Ms; readonly max: Ms }
  /** Inverse distribution function as a table, linear between points; probabilities rise from 0 to 1. */
  | { readonly type: 'quantiles'; readonly probabilities: readonly number[]; readonly values: readonly Ms[] }
  /** Drawn from measured samples, with equal probability. */
  | { readonly type: 'samples'; readonly values: Float64Array }
  /** Each value with its probability; shares sum to 1. */
  | { readonly type: 'discrete'; readonly values: readonly Ms[]; readonly shares: readonly number[] };
