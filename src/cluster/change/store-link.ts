/** The store of versions, locks and leases, and the way to it. Whoever asks it does so over messages that take their time in each direction.
 *
 *  In an outage the store lives on, its clock too, so leases run out; but nothing gets to it or from it: what is sent or would arrive
 *  meanwhile is lost. Whoever asked hears nothing, and takes the store for unreachable after five seconds, which is about what clients of
 *  etcd and Consul are commonly given; whether the store did what was asked is not known then. So a latency above half of that, each way, is
 *  as good as an outage to electors. */
import type { DistributionSpec } from '../../core/distribution-spec.ts';
import type { Streams } from '../../core/streams.ts';
import type { Ms } from '../../core/time.ts';
import type { Xoshiro128 } from '../../core/xoshiro.ts';
import type { ConfigStore, StoreDeps } from '../../policies/rollout/store/config-store.ts';
import { performOn, type StoreAnswer, type StoreRequest } from '../../policies/rollout/store/store-request.ts';
import { makeSampler, type Sampler } from '../../stats/samplers.ts';
import type { Errands } from '../orchestration/errands.ts';

export interface StoreLinkParts {
  readonly errands: Errands;
  readonly streams: Streams;
  readonly makeStore: (deps: StoreDeps) => ConfigStore;
  /** One way. */
  readonly latency: DistributionSpec;
}

/** Without an answer for so long, whoever asked takes the store for unreachable. */
export const STORE_TIMEOUT_MS: Ms = 5000;
/** A lease that is just being taken down is looked at again after so long at the earliest. */
const EXPIRY_CHECK_MS: Ms = 1;

export class StoreLink {
  /** For whoever is beside it; `wake` is to be called after it was touched. */
  readonly store: ConfigStore;
  /** Wakes the store when it next wants to be. */
  readonly wake: () => void;
  private readonly errands: Errands;
  private readonly latency: Sampler;
  private readonly rng: Xoshiro128;
  /** Outages that hold. */
  private outages: number;

  constructor({ errands, streams, makeStore, latency }: StoreLinkParts) {
    this.errands = errands;
    this.latency = makeSampler(latency);
    this.rng = streams.stream('store/messages');
    this.store = makeStore({
      rng: streams.stream('store'),
      // Nobody watches: what is committed is handed to the distributor beside the store.
      host: { deliver: () => undefined },
    });
    this.wake = errands.waker('store', this.store);
    this.outages = 0;
    this.wake();
  }

  /** Outages may overlap: the store is reached again when each that began has ended. */
  setReachable(isReachable: boolean): void {
    this.outages += isReachable ? -1 : 1;
  }

  /** One operation on the store. The answer comes once, and not within this call. */
  ask(request: StoreRequest, onAnswer: (answer: StoreAnswer) => void): void {
    this.call<StoreAnswer>(
      (reply) => this.perform(request, reply),
      (answer) => onAnswer(answer ?? { kind: 'unreachable' }),
    );
  }

  /** Anything that is done where the store is, with an answer that travels back; undefined if none came in time. `earliestMs`: what it must not
   *  overtake. Returns when it arrives, if it does. */
  call<Answer>(
    act: (reply: (answer: Answer) => void) => void,
    onAnswer: (answer: Answer | undefined) => void,
    earliestMs: Ms = -Infinity,
  ): Ms {
    let isOver = false;
    const end = (answer: Answer | undefined): void => {
      if (isOver) return;
      isOver = true;
      this.errands.cancel(timeout);
      onAnswer(answer);
    };
    const timeout = this.errands.later(STORE_TIMEOUT_MS, () => {
      if (isOver) return;
      isOver = true;
      onAnswer(undefined);
    });
    return this.send(() => act((answer) => this.send(() => end(answer))), earliestMs);
  }

  private perform(request: StoreRequest, reply: (answer: StoreAnswer) => void): void {
    const answer = performOn(this.store, request, this.errands.nowMs);
    this.wake();
    if (answer.kind !== 'keep-alive' || answer.result !== 'expiring') return reply(answer);
    // The store says that a lease is over when it has been taken down, not before.
    const waitMs = Math.max(EXPIRY_CHECK_MS, this.store.nextTimerMs() - this.errands.nowMs);
    this.errands.later(waitMs, () => this.perform(request, reply));
  }

  private send(arrive: () => void, earliestMs: Ms = -Infinity): Ms {
    const { nowMs } = this.errands;
    const delayMs = Math.max(this.latency.sample(this.rng), earliestMs - nowMs);
    if (this.outages === 0)
      this.errands.later(delayMs, () => {
        if (this.outages === 0) arrive();
      });
    return nowMs + delayMs;
  }
}
