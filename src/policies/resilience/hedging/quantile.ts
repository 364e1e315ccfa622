/** A second attempt once a request has taken longer than most: after the (1 − maxExtraLoad) quantile of the latencies of the last
 *  half minute, and no more often than a budget of `maxExtraLoad` per request allows.
 *
 *  Sets its own delay and follows latency as it drifts; what it may cost is the one thing to choose. When everything gets slow
 *  the budget holds the extra load until the quantile has caught up. It fails on requests that are slow by themselves, whose
 *  second attempt is as slow, and has nothing to go by in the first slice of time or after a silence, when it does not hedge.
 *
 *  Finagle's BackupRequestFilter. It reads the quantile up to 3 s later, and while there is none it hedges after the minimum. */
import { duration, fraction, type ParamValues } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { finagleBudget } from '../budgets/finagle.ts';
import type { RetryBudget } from '../budgets/retry-budget.ts';
import { defineHedge, type Hedge } from './hedge.ts';
import { LatencyWindow } from './parts/latency-window.ts';

const params = {
  maxExtraLoad: fraction({
    default: 0.05,
    max: 0.99,
    about: 'Hedges per request, at most; they are sent after the quantile 1 − maxExtraLoad of latency.',
    official: 'Finagle maxExtraLoad',
  }),
  minSendBackupAfter: duration({
    default: 1,
    min: 0,
    about: 'No delay is shorter.',
    official: 'Finagle minSendBackupAfterMs',
  }),
  highestTrackable: duration({
    default: 2000,
    min: 1,
    about: 'From a quantile of this on nothing is hedged.',
    official: 'Finagle highestTrackableMsValue',
  }),
};

export const quantileHedge = defineHedge({
  name: 'quantile',
  summary: 'Sends a second attempt when a request takes longer than a quantile of recent latencies.',
  useWhen: 'Single instances are slow now and then, and a bounded extra load is worth a short tail: a good default.',
  failsWhen: 'Requests are slow by themselves, or traffic is so thin that its quantile means little.',
  cost: 'O(1); O(buckets) every 10 s',
  sources: [
    'twitter/finagle: finagle-core/src/main/scala/com/twitter/finagle/client/BackupRequestFilter.scala',
    'twitter/finagle: finagle-core/src/main/scala/com/twitter/finagle/util/WindowedPercentileHistogram.scala',
    'Dean, Barroso: The Tail at Scale (2013)',
  ],
  aliases: [
    { system: 'Finagle', name: 'BackupRequestFilter' },
    { system: 'literature', name: 'backup-request' },
  ],
  params,
  create: (values) => new QuantileHedge(values),
});

class QuantileHedge implements Hedge {
  readonly onFailure = false;
  readonly #latencies: LatencyWindow;
  readonly #budget: RetryBudget;
  readonly #minMs: Ms;
  readonly #highestMs: Ms;

  constructor({ maxExtraLoad, minSendBackupAfter, highestTrackable }: ParamValues<typeof params>) {
    this.#latencies = new LatencyWindow(1 - maxExtraLoad, SLICE_MS, SLICES);
    this.#budget = finagleBudget.make({ ttl: BUDGET_TTL_MS, minRetriesPerSec: 0, percentCanRetry: maxExtraLoad }, {});
    this.#minMs = minSendBackupAfter;
    this.#highestMs = highestTrackable;
  }

  onRequest(nowMs: Ms): void {
    this.#budget.onRequest(nowMs, 1);
  }

  onLatency(latencyMs: Ms, nowMs: Ms): void {
    this.#latencies.record(latencyMs, nowMs);
  }

  delayMs(sent: number, nowMs: Ms): Ms {
    const quantileMs = this.#latencies.quantileMs(nowMs);
    return sent > 1 || quantileMs >= this.#highestMs ? Infinity : Math.max(quantileMs, this.#minMs);
  }

  tryHedge(nowMs: Ms): boolean {
    return this.#budget.tryWithdraw(nowMs, 1);
  }
}

const SLICE_MS: Ms = 10_000;
const SLICES = 3;
const BUDGET_TTL_MS: Ms = 10_000;
