/** Kubernetes' rule for one probe: what is published changes only after so many results of the same kind in a row. By index. */
import { grown } from '../../../../core/grow.ts';

export const probeStates = { unknown: 0, failure: 1, success: 2 } as const;
export type ProbeState = (typeof probeStates)[keyof typeof probeStates];

export class ProbeRuns {
  #last: Uint8Array = new Uint8Array(16);
  #run: Uint32Array = new Uint32Array(16);
  #published: Uint8Array = new Uint8Array(16);

  start(index: number, initial: ProbeState): void {
    if (index >= this.#last.length) this.#grow(index + 1);
    this.#last[index] = probeStates.unknown;
    this.#run[index] = 0;
    this.#published[index] = initial;
  }

  state(index: number): ProbeState {
    return this.#published[index] as ProbeState;
  }

  /** Whether the run was long enough for its result to be published, changed or not. */
  record(index: number, isGood: boolean, successThreshold: number, failureThreshold: number): boolean {
    const result = isGood ? probeStates.success : probeStates.failure;
    this.#run[index] = this.#last[index] === result ? this.#run[index] + 1 : 1;
    this.#last[index] = result;
    if (this.#run[index] < (isGood ? successThreshold : failureThreshold)) return false;
    this.#published[index] = result;
    return true;
  }

  #grow(needed: number): void {
    const size = Math.max(needed, 2 * this.#last.length);
    this.#last = grown(this.#last, new Uint8Array(size));
    this.#run = grown(this.#run, new Uint32Array(size));
    this.#published = grown(this.#published, new Uint8Array(size));
  }
}
