/** The exponent of Zipf's law from the counts of the most frequent keys, by maximum likelihood: the exponent under which the mean
 *  logarithm of a request's rank is what was seen, given that the rank is among those counted. Only keys with ten requests or more take
 *  part: below, the order of the keys is chance, and sorting chance looks like skew. Above, a little of that remains: keys of equal
 *  popularity, seen ten times each, are given an exponent of about 0.2. */
import { log, pow } from '../../core/math.ts';

export interface FittedKeys {
  /** Requests that have a key. */
  readonly requests: number;
  readonly distinct: number;
  /** 0 is uniform. */
  readonly exponent: number;
  /** Keys that the fit used; 0 when there were too few, and then the exponent is 0 for lack of knowledge. */
  readonly fittedKeys: number;
  /** Share of the requests for the most frequent key: as measured, and under the law with as many keys. */
  readonly topShare: number;
  readonly topShareOfLaw: number;
}

const minCount = 10;
const minKeys = 5;
export const maxFittedKeys = 1000;
const maxExponent = 5;

/** `counts` falls. */
export function fitKeys(requests: number, distinct: number, counts: readonly number[]): FittedKeys {
  const used = counts.slice(0, maxFittedKeys).filter((count) => count >= minCount);
  const isEnough = used.length >= minKeys;
  const exponent = isEnough ? zipfExponent(used) : 0;
  return {
    ...{ requests, distinct, exponent, fittedKeys: isEnough ? used.length : 0 },
    topShare: counts.length === 0 ? 0 : counts[0] / requests,
    topShareOfLaw: 1 / harmonic(distinct, exponent),
  };
}

/** Between 0 and 5. */
export function zipfExponent(counts: readonly number[]): number {
  const logs = counts.map((_, rank) => log(rank + 1));
  const total = counts.reduce((sum, count) => sum + count, 0);
  const wanted = counts.reduce((sum, count, rank) => sum + count * logs[rank], 0) / total;
  // The mean logarithm falls as the exponent rises: halve.
  let low = 0;
  let high = maxExponent;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (meanLog(logs, middle) > wanted) low = middle;
    else high = middle;
  }
  return low;
}

function meanLog(logs: readonly number[], exponent: number): number {
  let weights = 0;
  let sum = 0;
  for (let rank = 0; rank < logs.length; rank++) {
    const weight = pow(rank + 1, -exponent);
    weights += weight;
    sum += weight * logs[rank];
  }
  return sum / weights;
}

/** 1 + 2^−s + … + n^−s: the first terms one by one, the rest by the integral between the middles. */
function harmonic(count: number, exponent: number): number {
  const exact = Math.min(count, 1000);
  let sum = 0;
  for (let rank = 1; rank <= exact; rank++) sum += pow(rank, -exponent);
  if (count <= exact) return sum;
  const from = exact + 0.5;
  const to = count + 0.5;
  const power = 1 - exponent;
  return sum + (Math.abs(power) < 1e-9 ? log(to / from) : (pow(to, power) - pow(from, power)) / power);
}
