/** opossum: opens when a failure finds that more than a percentage of the calls in the rolling window failed; after the reset timeout one
 *  call decides.
 *
 *  Needs no tuning to react to an outage. It fails at low traffic, where by default one error among few calls is percentage enough: set a
 *  volume threshold.
 *
 *  The details are opossum's own. The percentage must be exceeded, where the other libraries open when it is reached. Calls count when
 *  they are made, failures when they end, and calls that are turned away count too: they dilute the percentage. Closing does not clear the
 *  window, so that the failures of before can open it again at the next failure. Results carry no generation: while half open, whichever
 *  call ends first decides. */
import { boolean, duration, int, number, type ParamValues } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { type Breaker, type BreakerState, breakerStates, defineBreaker, NO_PERMIT } from './breaker.ts';
import { BucketRing } from './parts/bucket-ring.ts';

const params = {
  errorThresholdPercentage: number({
    default: 50,
    min: 0,
    max: 100,
    about: 'Opens when more than this percentage of the calls failed.',
    official: 'opossum errorThresholdPercentage',
  }),
  volumeThreshold: int({
    default: 0,
    min: 0,
    about: 'Calls in the rolling window below which it does not open, unless half open.',
    official: 'opossum volumeThreshold',
  }),
  resetTimeout: duration({
    default: 30_000,
    min: 0,
    about: 'How long it stays open before one call may try.',
    official: 'opossum resetTimeout',
  }),
  rollingCountTimeout: duration({
    default: 10_000,
    min: 1,
    about: 'Length of the rolling window.',
    official: 'opossum rollingCountTimeout',
  }),
  rollingCountBuckets: int({
    default: 10,
    min: 1,
    about: 'Buckets of the rolling window.',
    official: 'opossum rollingCountBuckets',
  }),
  allowWarmUp: boolean({
    default: false,
    about: 'Do not open in the first rolling window after the start.',
    official: 'opossum allowWarmUp',
  }),
};
export type OpossumParams = ParamValues<typeof params>;

export const opossum = defineBreaker({
  name: 'opossum',
  summary:
    'Opens on a failure when more than a percentage of the calls in a rolling window failed; one call decides about closing.',
  useWhen: 'Comparing with services that use opossum; with a volume threshold also in general.',
  failsWhen: 'Calls are few and no volume threshold is set: one error opens it.',
  cost: 'O(1)',
  sources: ['nodeshift/opossum: lib/circuit.js', 'nodeshift/opossum: lib/status.js'],
  aliases: [{ system: 'Node.js', name: 'nodeshift/opossum' }],
  params,
  create: (values) => new OpossumBreaker(values),
});

/** Strict, unlike in the other libraries. */
export const opossumOpens = (fires: number, failures: number, values: FailureThresholds): boolean =>
  fires >= values.volumeThreshold && (failures / fires) * 100 > values.errorThresholdPercentage;

type FailureThresholds = Pick<OpossumParams, 'volumeThreshold' | 'errorThresholdPercentage'>;

class OpossumBreaker implements Breaker {
  readonly #values: OpossumParams;
  readonly #ring: BucketRing;
  readonly #warmUntilMs: Ms;
  #state: BreakerState = breakerStates.closed;
  #generation = 0;
  #halfOpenMs = Infinity;
  /** Half open, and nobody has tried yet. */
  #isProbeLeft = false;

  constructor(values: OpossumParams) {
    this.#values = values;
    const everyMs = Math.max(1, Math.floor(values.rollingCountTimeout / values.rollingCountBuckets));
    this.#ring = new BucketRing(values.rollingCountBuckets, everyMs);
    this.#warmUntilMs = values.allowWarmUp ? values.rollingCountTimeout : 0;
  }

  acquire(nowMs: Ms): number {
    this.#update(nowMs);
    this.#ring.addCall();
    if (this.#state === breakerStates.closed) return this.#generation;
    if (!this.#isProbeLeft) return NO_PERMIT;
    this.#isProbeLeft = false;
    return this.#generation;
  }

  settle(_permit: number, isGood: boolean, _durationMs: Ms, nowMs: Ms): void {
    this.#update(nowMs);
    if (isGood) {
      if (this.#state === breakerStates.halfOpen) this.#change(breakerStates.closed);
      return;
    }
    this.#ring.addBad();
    if (this.#state === breakerStates.open || nowMs < this.#warmUntilMs) return;
    if (this.#state === breakerStates.halfOpen || opossumOpens(this.#ring.total, this.#ring.bad, this.#values)) this.#open(nowMs);
  }

  /** opossum knows only calls that end. One that was not sent leaves the place of the probe to the next. */
  release(permit: number, nowMs: Ms): void {
    this.#update(nowMs);
    if (this.#state === breakerStates.halfOpen && permit === this.#generation) this.#isProbeLeft = true;
  }

  state(nowMs: Ms): BreakerState {
    return this.#state === breakerStates.open && nowMs >= this.#halfOpenMs ? breakerStates.halfOpen : this.#state;
  }

  retryAtMs(nowMs: Ms): Ms {
    return this.state(nowMs) === breakerStates.open ? this.#halfOpenMs : Infinity;
  }

  #update(nowMs: Ms): void {
    this.#ring.turnTo(nowMs);
    if (this.#state !== breakerStates.open || nowMs < this.#halfOpenMs) return;
    this.#isProbeLeft = true;
    this.#change(breakerStates.halfOpen);
  }

  #open(nowMs: Ms): void {
    this.#halfOpenMs = nowMs + this.#values.resetTimeout;
    this.#isProbeLeft = false;
    this.#change(breakerStates.open);
  }

  #change(state: BreakerState): void {
    this.#state = state;
    this.#generation++;
  }
}
