/** Weighted round robin in sweeps, as the Linux virtual server has it: a bar falls from the largest weight by their common divisor, and
 *  each sweep takes every endpoint whose weight reaches the bar.
 *
 *  The classic, and a lesson: weights {4, 3, 2} give a a b a b c a b c, so the heaviest endpoint gets its extra turns in a row, at the
 *  start. Smooth rotation (`weighted-round-robin`) has the same shares without the bursts. */
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type Slot } from './balancer.ts';
import { greatestCommonDivisor, wholeWeights } from './parts/whole-weights.ts';

export const interleavedWeightedRoundRobin = defineBalancer({
  name: 'interleaved-weighted-round-robin',
  summary: 'Picks endpoints in sweeps by falling weight, heavy ones in bursts (IPVS).',
  useWhen: 'Reproducing the Linux virtual server, or showing what bursts cost.',
  failsWhen: 'Weights differ much: a round opens with a burst on the heaviest endpoint.',
  cost: 'O(n)',
  sources: ['torvalds/linux: net/netfilter/ipvs/ip_vs_wrr.c'],
  aliases: [{ system: 'IPVS', name: 'wrr' }],
  params: {},
  create: () => new InterleavedWeightedRoundRobin(),
});

class InterleavedWeightedRoundRobin implements Balancer {
  #members: Int32Array = new Int32Array(0);
  #weights: Float64Array = new Float64Array(0);
  #count = 0;
  #next = 0;
  #bar = 0;
  #highestBar = 0;
  #step = 1;

  update(view: EndpointView): void {
    this.#members = view.members;
    this.#count = view.count;
    if (view.count === 0) return;
    this.#weights = Float64Array.from(wholeWeights(view));
    this.#step = this.#weights.reduce(greatestCommonDivisor, 0);
    this.#highestBar = this.#weights.reduce((highest, weight) => Math.max(highest, weight), 0) - (this.#step - 1);
    // The sweep starts over, at the bar it had reached as nearly as the new steps allow.
    this.#next = 0;
    if (this.#bar <= 0 || this.#bar > this.#highestBar) this.#bar = this.#highestBar;
    else this.#bar = Math.floor((this.#bar - 1) / this.#step) * this.#step + 1;
  }

  pick(): Slot {
    if (this.#count === 0) return NO_ENDPOINT;
    for (;;) {
      for (; this.#next < this.#count; this.#next++) {
        if (this.#weights[this.#next] >= this.#bar) return this.#members[this.#next++];
      }
      this.#next = 0;
      this.#bar -= this.#step;
      if (this.#bar <= 0) this.#bar = this.#highestBar;
    }
  }
}
