/** Join the shortest of d queues: of d distinct random endpoints, the one with the fewest requests in flight, ties at random.
 *
 *  The family that theory speaks of: d = 1 is random, d = 2 is the great leap, and d as large as the number of endpoints is join the
 *  shortest queue. A larger d buys little when information is fresh and harms when it is stale: the more clients look at the same
 *  minimum, the more of them run to it. */
import { int } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type Slot } from './balancer.ts';

export const jsqD = defineBalancer({
  name: 'jsq-d',
  summary: 'Of d distinct random endpoints, picks the one with the fewest requests in flight.',
  useWhen: 'Studying what each further choice is worth; d = 2 is what production uses.',
  failsWhen: 'Many are looked at while information is stale, or clients are many: all run to the same minimum.',
  cost: 'O(d)',
  sources: [
    'Vvedenskaya, Dobrushin, Karpelevich: Queueing system with selection of the shortest of two queues (1996)',
    'Mitzenmacher: The Power of Two Choices in Randomized Load Balancing (2001)',
  ],
  aliases: [
    { system: 'literature', name: 'power-of-d-choices' },
    { system: 'literature', name: 'JSQ(d)' },
  ],
  params: {
    d: int({ default: 2, min: 1, about: 'How many distinct endpoints are looked at; all, if there are fewer.' }),
  },
  create: ({ d }, deps) => new JoinShortestOfD(d, deps.rng),
});

class JoinShortestOfD implements Balancer {
  readonly #d: number;
  readonly #rng: Rng;
  /** The members in an order that the draws shuffle on. */
  #shuffled: Int32Array = new Int32Array(0);
  #count = 0;
  #active: Uint32Array = new Uint32Array(0);

  constructor(d: number, rng: Rng) {
    this.#d = d;
    this.#rng = rng;
  }

  update(view: EndpointView): void {
    this.#count = view.count;
    this.#shuffled = view.members.slice(0, view.count);
    this.#active = view.table.active;
  }

  pick(): Slot {
    if (this.#count === 0) return NO_ENDPOINT;
    const shuffled = this.#shuffled;
    const active = this.#active;
    const looks = Math.min(this.#d, this.#count);
    let best = NO_ENDPOINT;
    for (let i = 0; i < looks; i++) {
      // A step of Fisher and Yates: every order of draws is equally likely from any order before, so nothing is put back. Drawn in
      // random order, the first of equals is a random one.
      const at = i + this.#rng.below(this.#count - i);
      const slot = shuffled[at];
      shuffled[at] = shuffled[i];
      shuffled[i] = slot;
      if (best === NO_ENDPOINT || active[slot] < active[best]) best = slot;
    }
    return best;
  }
}
