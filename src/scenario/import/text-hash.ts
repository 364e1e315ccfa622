/** A text to a number of 53 bits, equal on every machine: stands for keys and clients, so that no table of texts is needed and none of
 *  them is written out. Two of a million texts are the same number with a probability of one in twenty thousand. Not for defence against
 *  somebody who chooses the texts.
 *
 *  Two lanes of FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo) over the UTF-16 units, with different factors, and MurmurHash3's final mix. */
import { fmix32 } from '../../core/hash.ts';

export function hashText(text: string, seed = 0): number {
  let high = 0x811c9dc5 ^ (seed | 0);
  let low = 0x9747b28c ^ ((seed * 2.3283064365386963e-10) | 0);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul(low ^ unit, 0x85ebca6b);
    low ^= low >>> 15;
  }
  high = fmix32(high ^ text.length);
  low = fmix32(low ^ high);
  return (high & 0x1fffff) * 4294967296 + (low >>> 0);
}
