/** Ranks with Zipf's law: rank k (from 0) has probability proportional to 1 / (k + 1)^exponent. Keys of caches and stores, users of a
 *  service. Exponent 0 is uniform. Exact for every exponent ≥ 0, also below 1.
 *
 *  Up to a million ranks an alias table (12 bytes each); beyond, rejection-inversion, which needs no table: W. Hörmann and
 *  G. Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions" (ACM TOMACS 6(3), 1996). */
import { exp, expm1, log, log1p, pow } from '../core/math.ts';
import type { Xoshiro128 } from '../core/xoshiro.ts';
import { AliasTable } from './alias.ts';

export class ZipfSampler {
  declare private readonly law: AliasTable | RejectionInversion;

  constructor(count: number, exponent: number, tableUpTo = 1_000_000) {
    this.law = count <= tableUpTo ? zipfTable(count, exponent) : new RejectionInversion(count, exponent);
  }

  sample(rng: Xoshiro128): number {
    return this.law.sample(rng);
  }
}

function zipfTable(count: number, exponent: number): AliasTable {
  const weights = new Float64Array(count);
  for (let rank = 0; rank < count; rank++) weights[rank] = pow(rank + 1, -exponent);
  return new AliasTable(weights);
}

/** With h(x) = x^−exponent and H its integral, a uniform point between H(1.5) − 1 and H(count + 0.5) is inverted to x and rounded to
 *  the rank k; it is kept if it lies in the last h(k) of k's piece, which nearly all do. */
class RejectionInversion {
  declare private readonly count: number;
  declare private readonly exponent: number;
  declare private readonly low: number;
  declare private readonly high: number;
  /** x at most this far below its rank is always accepted. */
  declare private readonly sure: number;

  constructor(count: number, exponent: number) {
    this.count = count;
    this.exponent = exponent;
    this.low = this.integral(1.5) - 1;
    this.high = this.integral(count + 0.5);
    this.sure = 2 - this.inverse(this.integral(2.5) - pow(2, -exponent));
  }

  sample(rng: Xoshiro128): number {
    for (;;) {
      const u = this.high + rng.next() * (this.low - this.high);
      const x = this.inverse(u);
      const k = Math.min(Math.max(Math.floor(x + 0.5), 1), this.count);
      if (k - x <= this.sure || u >= this.integral(k + 0.5) - pow(k, -this.exponent)) return k - 1;
    }
  }

  /** H(x) = (x^(1 − exponent) − 1) / (1 − exponent), and log x at exponent 1; smooth there. */
  private integral(x: number): number {
    const logarithm = log(x);
    const t = (1 - this.exponent) * logarithm;
    return (Math.abs(t) > 1e-8 ? expm1(t) / t : 1 + t / 2) * logarithm;
  }

  private inverse(y: number): number {
    // Rounding may carry the argument below −1, the value at infinity.
    const t = Math.max(-1, (1 - this.exponent) * y);
    return exp((Math.abs(t) > 1e-8 ? log1p(t) / t : 1 - t / 2) * y);
  }
}
