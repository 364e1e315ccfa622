/** Linkerd's failure accrual: shuts after failures in a row; after a back-off one request is on probation: if it ends well the breaker
 *  opens the way again, otherwise the back-off doubles.
 *
 *  Needs no traffic volume and reacts within a few requests. It fails where failures are mixed with successes: they are hardly ever in a
 *  row, however many they are. In Linkerd there is one per endpoint, and the balancer avoids those that are shut.
 *
 *  What ends while it is shut is ignored. On probation the first result decides, even of a request sent before. Back-offs are the
 *  proxy's: minimum · 2^n up to the maximum, plus up to a share of it at random. */
import { duration, int, number, type ParamValues } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { type Breaker, type BreakerState, breakerStates, defineBreaker, NO_PERMIT } from './breaker.ts';

const params = {
  maxFailures: int({
    default: 7,
    min: 1,
    about: 'Failures in a row that shut it.',
    official: 'Linkerd balancer.linkerd.io/failure-accrual-consecutive-max-failures',
  }),
  minPenalty: duration({
    default: 1000,
    min: 1,
    about: 'The first back-off; it doubles while probation fails.',
    official: 'Linkerd balancer.linkerd.io/failure-accrual-consecutive-min-penalty',
  }),
  maxPenalty: duration({
    default: 60_000,
    min: 1,
    about: 'The longest back-off.',
    official: 'Linkerd balancer.linkerd.io/failure-accrual-consecutive-max-penalty',
  }),
  jitterRatio: number({
    default: 0.5,
    min: 0,
    max: 100,
    about: 'Up to this many times the back-off is added at random, never beyond the maximum.',
    official: 'Linkerd balancer.linkerd.io/failure-accrual-consecutive-jitter-ratio',
  }),
};
export type LinkerdParams = ParamValues<typeof params>;

export const linkerd = defineBreaker({
  name: 'linkerd',
  summary: 'Shuts after failures in a row; one request on probation after a back-off that doubles.',
  useWhen: 'A callee fails as a whole, and traffic may be thin.',
  failsWhen: 'Failures are mixed with successes, and so hardly ever in a row.',
  cost: 'O(1)',
  sources: [
    'linkerd/linkerd2-proxy: linkerd/app/outbound/src/http/breaker/consecutive_failures.rs',
    'linkerd/linkerd2-proxy: linkerd/exp-backoff/src/lib.rs',
  ],
  aliases: [{ system: 'Linkerd', name: 'consecutive' }],
  params,
  create: (values, deps) => new LinkerdBreaker(values, deps.rng),
});

/** A back-off with its jitter, for a draw `u` from [0, 1). */
export function linkerdBackoffMs(baseMs: Ms, u: number, values: Pick<LinkerdParams, 'maxPenalty' | 'jitterRatio'>): Ms {
  return baseMs + Math.min(baseMs * values.jitterRatio * u, values.maxPenalty - baseMs);
}

export class LinkerdBreaker implements Breaker {
  readonly #values: LinkerdParams;
  readonly #rng: Rng;
  #state: BreakerState = breakerStates.closed;
  #generation = 0;
  #failures = 0;
  #baseMs = 0;
  #shutUntilMs = 0;
  #isProbeLeft = false;

  constructor(values: LinkerdParams, rng: Rng) {
    this.#values = values;
    this.#rng = rng;
  }

  acquire(nowMs: Ms): number {
    this.#update(nowMs);
    if (this.#state === breakerStates.closed) return this.#generation;
    if (!this.#isProbeLeft) return NO_PERMIT;
    this.#isProbeLeft = false;
    return this.#generation;
  }

  settle(_permit: number, isGood: boolean, _durationMs: Ms, nowMs: Ms): void {
    this.#update(nowMs);
    if (this.#state === breakerStates.open) return;
    if (isGood) {
      this.#failures = 0;
      if (this.#state === breakerStates.halfOpen) this.#change(breakerStates.closed);
    } else if (this.#state === breakerStates.halfOpen) {
      this.#shut(2 * this.#baseMs, nowMs);
    } else if (++this.#failures === this.#values.maxFailures) {
      this.#shut(this.#values.minPenalty, nowMs);
    }
  }

  release(permit: number, nowMs: Ms): void {
    this.#update(nowMs);
    if (this.#state === breakerStates.halfOpen && permit === this.#generation) this.#isProbeLeft = true;
  }

  state(nowMs: Ms): BreakerState {
    return this.#state === breakerStates.open && nowMs >= this.#shutUntilMs ? breakerStates.halfOpen : this.#state;
  }

  retryAtMs(nowMs: Ms): Ms {
    return this.state(nowMs) === breakerStates.open ? this.#shutUntilMs : Infinity;
  }

  /** Requests that would pass now. */
  permitsLeft(nowMs: Ms): number {
    const state = this.state(nowMs);
    if (state === breakerStates.closed) return Infinity;
    // Just past the back-off, probation has not been entered yet, but would be.
    return state === breakerStates.halfOpen && (this.#isProbeLeft || this.#state === breakerStates.open) ? 1 : 0;
  }

  #update(nowMs: Ms): void {
    if (this.#state !== breakerStates.open || nowMs < this.#shutUntilMs) return;
    this.#isProbeLeft = true;
    this.#change(breakerStates.halfOpen);
  }

  #shut(baseMs: Ms, nowMs: Ms): void {
    const values = this.#values;
    this.#baseMs = Math.min(baseMs, values.maxPenalty);
    const u = values.jitterRatio === 0 ? 0 : this.#rng.next();
    this.#shutUntilMs = nowMs + linkerdBackoffMs(this.#baseMs, u, values);
    this.#failures = 0;
    this.#isProbeLeft = false;
    this.#change(breakerStates.open);
  }

  #change(state: BreakerState): void {
    this.#state = state;
    this.#generation++;
  }
}
