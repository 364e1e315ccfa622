/** Static stride: weighted round robin without state but a counter, as gRPC schedules.
 *
 *  Cheap enough for every call of every channel and free of locks: the counter visits endpoints in order and passes over each as often
 *  as its weight says. It fails on extreme ratios: weights are clamped around their mean (not in Go), so a giant gets less than its
 *  share; and shares are bumpy over a few picks.
 *
 *  Falls back on plain round robin where fewer than two weights are known, in Go also where all are equal. */
import { choice } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type Slot } from './balancer.ts';
import { fallsBackToRotation, StaticStride, strides, type StrideVariant, strideVariants } from './parts/static-stride.ts';

export const staticStride = defineBalancer({
  name: 'static-stride',
  summary: 'Picks endpoints in turn by weight, by a counter with strides (gRPC).',
  useWhen: 'Weights differ moderately and picks must be cheap and free of shared state.',
  failsWhen: 'Weights are extreme: they are clamped to 10 times and 0.01 (Java 0.1) times the mean.',
  cost: 'O(1) on average',
  sources: [
    'grpc/grpc: src/core/load_balancing/weighted_round_robin/static_stride_scheduler.cc',
    'grpc/grpc-go: balancer/weightedroundrobin/scheduler.go',
    'grpc/proposal: A58-client-side-weighted-round-robin-lb-policy.md',
  ],
  aliases: [{ system: 'gRPC', name: 'static stride scheduler' }],
  params: {
    variant: choice({ default: 'cpp', choices: ['cpp', 'java', 'go'], about: 'Whose clamps and whose fallback.' }),
  },
  create: ({ variant }, deps) => new StaticStrideRotation(variant, deps.rng),
});

class StaticStrideRotation implements Balancer {
  readonly #variant: StrideVariant;
  readonly #stride: StaticStride;
  #rotates = true;
  #turn: number;
  #members: Int32Array = new Int32Array(0);
  #count = 0;

  constructor(variant: StrideVariant, rng: Rng) {
    this.#variant = variant;
    this.#stride = new StaticStride(rng.uint32());
    this.#turn = this.#stride.sequence;
  }

  update({ members, count, table }: EndpointView): void {
    this.#members = members;
    this.#count = count;
    const weights = Array.from({ length: count }, (_, i) => table.weight[members[i]]);
    this.#rotates = fallsBackToRotation(weights, this.#variant);
    if (!this.#rotates) this.#stride.setStrides(strides(weights, strideVariants[this.#variant]));
  }

  pick(): Slot {
    if (this.#count === 0) return NO_ENDPOINT;
    return this.#members[this.#rotates ? this.#turn++ % this.#count : this.#stride.pick()];
  }
}
