/** Random through a chain of rules, as kube-proxy writes it for iptables: rule i of n takes the request with probability 1/(n − i), printed
 *  to ten decimals, and the last rule takes the rest.
 *
 *  Uniform but for the rounding, and O(n), since rules are tried in turn. In a real cluster it balances connections, not requests. */
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type Slot } from './balancer.ts';

export const iptablesRandom = defineBalancer({
  name: 'iptables-random',
  summary: 'Picks uniformly by a chain of rules with rounded probabilities (kube-proxy).',
  useWhen: 'Reproducing kube-proxy’s iptables mode.',
  failsWhen: 'Endpoints are many: rules are tried in turn; load plays no part.',
  cost: 'O(n)',
  sources: ['kubernetes/kubernetes: pkg/proxy/iptables/proxier.go'],
  aliases: [{ system: 'kube-proxy', name: 'iptables' }],
  params: {},
  create: (_params, deps) => new IptablesRandom(deps.rng),
});

/** The probability of each rule as it is printed; the last rule has none. */
export const ruleProbabilities = (endpoints: number): (string | null)[] =>
  Array.from({ length: endpoints }, (_, rule) => (rule === endpoints - 1 ? null : (1 / (endpoints - rule)).toFixed(10)));

class IptablesRandom implements Balancer {
  readonly #rng: Rng;
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  /** Of 2^31 draws, as the kernel compares. */
  #shares: Float64Array = new Float64Array(0);

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  update(view: EndpointView): void {
    this.#members = view.members;
    this.#count = view.count;
    this.#shares = Float64Array.from(ruleProbabilities(view.count), (printed) =>
      Math.round((printed === null ? 1 : Number(printed)) * 0x80000000),
    );
  }

  pick(): Slot {
    for (let rule = 0; rule < this.#count; rule++) {
      const isLast = rule === this.#count - 1;
      if (isLast || this.#rng.uint32() >>> 1 < this.#shares[rule]) return this.#members[rule];
    }
    return NO_ENDPOINT;
  }
}
