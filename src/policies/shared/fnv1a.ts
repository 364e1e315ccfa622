/** FNV-1a with 32 bits: short, quick, well enough mixed for dividing users. Not for defence against someone who chooses the input.
 *
 *  After G. Fowler, L. C. Noll, K.-P. Vo; draft-eastlake-fnv. */
import { utf8 } from '../../core/hash.ts';

/** Of a text's UTF-8 bytes, from 0 to 2^32 − 1. */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of utf8(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
