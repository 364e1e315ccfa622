/** Which requests of the traffic took longest, of those that arrived after warm-up. */
import type { Ms } from '../core/time.ts';
import type { RequestResult } from '../policies/pipeline/results.ts';

export interface SlowRequest {
  /** Index of the edge, and number of the request on it. */
  readonly edge: number;
  readonly index: number;
  readonly latencyMs: Ms;
  readonly result: RequestResult;
}

export class Slowest {
  private readonly wanted: number;
  private readonly found: SlowRequest[];
  private threshold: Ms;

  constructor(wanted: number) {
    this.wanted = wanted;
    this.found = [];
    this.threshold = -1;
  }

  /** Equal times: the first counts as slower. */
  ended(edge: number, index: number, latencyMs: Ms, result: RequestResult): void {
    if (latencyMs <= this.threshold) return;
    let place = this.found.length;
    while (place > 0 && this.found[place - 1].latencyMs < latencyMs) place--;
    this.found.splice(place, 0, { edge, index, latencyMs, result });
    if (this.found.length > this.wanted) this.found.pop();
    if (this.found.length === this.wanted) this.threshold = this.found[this.wanted - 1].latencyMs;
  }

  /** Slowest first. */
  get all(): readonly SlowRequest[] {
    return this.found;
  }
}
