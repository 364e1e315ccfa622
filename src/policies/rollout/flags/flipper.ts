/** Flipper's division of users: CRC-32 over flag and user. A checksum is linear, so users whose names differ in the same way are divided
 *  alike; with short, numbered names shares can be well off.
 *
 *  After flippercloud/flipper: lib/flipper/gates/percentage_of_actors.rb. */
import { utf8 } from '../../../core/hash.ts';
import { crc32 } from '../../shared/crc32.ts';
import type { FlagHash } from './flag-hash.ts';

/** The place of a user, from 0 to 99 999. */
export const flipperPlace = (flag: string, user: string): number => crc32(utf8(flag + user)) % (100 * SCALE);

export const flipper: FlagHash = {
  isOn: (flag, salt, unit, percent) => flipperPlace(flag + salt, unit) < percent * SCALE,
};

const SCALE = 1000;
