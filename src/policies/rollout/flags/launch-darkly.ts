/** LaunchDarkly's division of users: 60 bits of SHA-1 over flag, salt and user, so that even thousandths of a percent are exact. Costs more
 *  than the others, and an experiment with a seed divides users alike in all flags that have the same seed.
 *
 *  After launchdarkly/go-server-sdk-evaluation: evaluator_bucketing.go. */
import { sha1 } from '../../shared/sha1.ts';
import type { FlagHash } from './flag-hash.ts';

export interface LaunchDarklyFlag {
  readonly key: string;
  readonly salt: string;
  /** Replaces key and salt. */
  readonly seed?: number;
}

/** The place of a user, from 0 to 1. A user without the attribute that is hashed is at 0. */
export function launchDarklyBucket({ key, salt, seed }: LaunchDarklyFlag, user: string | undefined): number {
  if (user === undefined) return 0;
  const prefix = seed === undefined ? `${key}.${salt}` : String(seed);
  return Number.parseInt(sha1(`${prefix}.${user}`).slice(0, HEX_DIGITS), 16) / LARGEST;
}

/** Which variation a place falls to, when variations have weights out of 100 000. What rounding leaves over belongs to the last. */
export function launchDarklyVariation(bucket: number, weights: readonly number[]): number {
  let sum = 0;
  const found = weights.findIndex((weight) => {
    sum += weight / WEIGHTS_TOTAL;
    return bucket < sum;
  });
  return found === -1 ? weights.length - 1 : found;
}

export const launchDarkly: FlagHash = {
  isOn: (flag, salt, unit, percent) => {
    const weight = Math.round((percent * WEIGHTS_TOTAL) / 100);
    const bucket = launchDarklyBucket({ key: flag, salt }, unit);
    return weight > 0 && launchDarklyVariation(bucket, [weight, WEIGHTS_TOTAL - weight]) === 0;
  },
};

const HEX_DIGITS = 15;
/** Fifteen digits of f; a double has no room for the last bit. */
const LARGEST = 0x1000_0000_0000_0000;
const WEIGHTS_TOTAL = 100_000;
