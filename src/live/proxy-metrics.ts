/** What a proxy's decisions amount to, in numbers: counts since its start, and readings of the time between two looks.
 *
 *      const metrics = new ProxyMetrics();
 *      const proxy = createProxy({ …, onDecision: metrics.observe });
 *      const failed = metrics.failedShare();
 *
 *  Each reading has a memory of its own: it tells of what has happened since it was last called, and NaN if that is nothing. */
import type { Ms } from '../core/time.ts';
import type { Decision } from './decision.ts';

export interface ProxyCounts {
  /** Requests that are over. */
  readonly requests: number;
  /** Of those, the ones whose result is not `ok`, a caller that left aside. */
  readonly failed: number;
  /** Attempts sent: first ones, retries, hedges. */
  readonly attempts: number;
  readonly retries: number;
  readonly hedges: number;
  /** By name of the result. */
  readonly results: Readonly<Record<string, number>>;
}

export class ProxyMetrics {
  readonly #results: Record<string, number> = {};
  #requests = 0;
  #failed = 0;
  #attempts = 0;
  #retries = 0;
  #hedges = 0;
  /** When requests that are not over were sent first. */
  readonly #sentMs = new Map<number, Ms>();
  #latencyMs = 0;
  #timed = 0;

  /** For the proxy's `onDecision`. */
  readonly observe = (decision: Decision): void => {
    if (decision.kind === 'sent') {
      this.#attempts++;
      if (decision.why === 'retry') this.#retries++;
      else if (decision.why === 'hedge') this.#hedges++;
      else this.#sentMs.set(decision.request, decision.atMs);
    } else if (decision.kind === 'finished') {
      const { request, result, atMs } = decision;
      this.#requests++;
      this.#results[result] = (this.#results[result] ?? 0) + 1;
      if (result !== 'ok' && result !== 'cancelled') this.#failed++;
      const sentMs = this.#sentMs.get(request);
      if (sentMs === undefined) return;
      this.#sentMs.delete(request);
      this.#latencyMs += atMs - sentMs;
      this.#timed++;
    }
  };

  get counts(): ProxyCounts {
    return {
      requests: this.#requests,
      failed: this.#failed,
      attempts: this.#attempts,
      retries: this.#retries,
      hedges: this.#hedges,
      results: { ...this.#results },
    };
  }

  /** Share of requests that failed. */
  failedShare(): () => number {
    return ratioOf(
      () => this.#failed,
      () => this.#requests,
    );
  }

  /** Retries for each request that is over: what a retry storm shows in. */
  retriesPerRequest(): () => number {
    return ratioOf(
      () => this.#retries,
      () => this.#requests,
    );
  }

  /** From the first attempt to the end of the request. Requests that were never sent have none. */
  meanLatencyMs(): () => number {
    return ratioOf(
      () => this.#latencyMs,
      () => this.#timed,
    );
  }
}

/** Of what was added to both since the last call. */
function ratioOf(part: () => number, whole: () => number): () => number {
  let [partBefore, wholeBefore] = [part(), whole()];
  return () => {
    const ratio = (part() - partBefore) / (whole() - wholeBefore);
    [partBefore, wholeBefore] = [part(), whole()];
    return Number.isFinite(ratio) ? ratio : Number.NaN;
  };
}
