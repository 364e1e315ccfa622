/** Unleash's division of users: MurmurHash3 over group and user, whole percents only. A group is by default the flag, so flags that share a
 *  group have the same users.
 *
 *  After Unleash/unleash-client-node: src/strategy/util.ts and flexible-rollout-strategy.ts, src/variant.ts. */
import { murmur3of32 } from '../../shared/murmur3-32.ts';
import type { FlagHash } from './flag-hash.ts';

/** Variants are divided by another seed than flags, or a flag at 50 % would show half of its variants only. */
export const UNLEASH_VARIANT_SEED = 86_028_157;

/** The place of a user in a group, from 1 to `places`. */
export const unleashPlace = (group: string, user: string, places = 100, seed = 0): number =>
  (murmur3of32(`${group}:${user}`, seed) % places) + 1;

export const unleash: FlagHash = {
  isOn: (flag, salt, unit, percent) =>
    percent > 0 && unleashPlace(salt === '' ? flag : `${flag}.${salt}`, unit) <= Math.trunc(percent),
};
