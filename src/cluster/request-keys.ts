/** Keys of requests, as balancers see them: hashed. Keys hash the same in every run: which endpoint a key belongs to is a property of
 *  the key, not of the seed. */
import { hashPair } from '../core/hash.ts';
import type { Pipeline } from '../policies/pipeline/pipeline.ts';

const KEY_SPACE = new Int32Array([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344]);
const hash = new Int32Array(4);

/** Tells the pipeline the key of the request about to start; −1 for none. */
export function setKey(pipeline: Pick<Pipeline, 'setHash' | 'clearHash'>, key: number): void {
  if (key < 0) {
    pipeline.clearHash();
    return;
  }
  hashPair(key, 0, 0, KEY_SPACE, hash);
  pipeline.setHash(hash[0] >>> 0, hash[1] >>> 0);
}
