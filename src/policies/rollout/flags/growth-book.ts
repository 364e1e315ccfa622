/** GrowthBook's division of users: FNV-1a, in its second version applied twice because once mixes the ends of similar names badly.
 *
 *  After growthbook/growthbook: packages/sdk-js/src/util.ts. */
import { fnv1a32 } from '../../shared/fnv1a.ts';
import type { FlagHash } from './flag-hash.ts';

/** The place of a user, from 0 to below 1, in steps of a thousandth (version 1) or a ten-thousandth. */
export const growthBookPlace = (seed: string, user: string, version: 1 | 2 = 2): number =>
  version === 2 ? (fnv1a32(String(fnv1a32(seed + user))) % 10_000) / 10_000 : (fnv1a32(user + seed) % 1000) / 1000;

export const growthBook: FlagHash = {
  isOn: (flag, salt, unit, percent) => percent > 0 && growthBookPlace(flag + salt, unit) <= percent / 100,
};
