/** Least connections: of all endpoints, the one with the fewest requests in flight for its weight.
 *
 *  Knows every queue of this client, so for a single client it is the best that counting can do. It fails with several clients: each
 *  sees its own requests only, and all run to whoever looks idle. A newcomer draws everything until it has caught up.
 *
 *  The products differ in the formula and in who wins a tie:
 *  nginx takes requests/weight and lets the tied take turns by smooth weighted round robin;
 *  HAProxy takes (requests + 1)/weight, 0 when idle, and among equals whoever's count changed longest ago;
 *  IPVS (wlc) takes requests/weight and the first. */
import { choice, type ParamValues } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type Slot } from './balancer.ts';
import { grownFloats } from '../../core/grow.ts';
import { leastOverhead } from './parts/ipvs-overhead.ts';
import { SmoothWeights } from './parts/smooth-weights.ts';

const params = {
  variant: choice({
    default: 'nginx',
    choices: ['nginx', 'haproxy', 'ipvs'],
    about: 'Whose formula and whose rule among equals.',
    official: 'nginx least_conn, HAProxy leastconn, IPVS wlc',
  }),
  tie: choice({
    default: 'official',
    choices: ['official', 'random'],
    about: 'Among equally loaded endpoints: the variant’s own rule, or one at random.',
  }),
};

export const leastConnections = defineBalancer({
  name: 'least-connections',
  summary: 'Picks the endpoint with the fewest requests in flight for its weight, of all.',
  useWhen: 'One client, or a few, see all of the load; requests are long or differ widely.',
  failsWhen: 'Many clients act at once on what they see of a newcomer or of a fast-failing endpoint: all run to it.',
  cost: 'O(n)',
  sources: [
    'nginx/nginx: src/http/modules/ngx_http_upstream_least_conn_module.c',
    'haproxy/haproxy: src/lb_fwlc.c',
    'torvalds/linux: net/netfilter/ipvs/ip_vs_wlc.c',
  ],
  aliases: [
    { system: 'nginx', name: 'least_conn' },
    { system: 'HAProxy', name: 'leastconn' },
    { system: 'IPVS', name: 'wlc' },
  ],
  params,
  create: (values, deps) => create(values, deps.rng),
});

function create({ variant, tie }: ParamValues<typeof params>, rng: Rng): Balancer {
  if (tie === 'random') return new RandomAmongLeast(variant === 'haproxy' ? haproxyLeastconnKey : ratio, rng);
  if (variant === 'haproxy') return new HaproxyLeastConnections();
  return variant === 'ipvs' ? new IpvsLeastConnections() : new NginxLeastConnections();
}

/** Where HAProxy sorts an endpoint in its tree; its weights are kept 16-fold, to leave room for slow start. */
export const haproxyLeastconnKey = (inFlight: number, weight: number): number =>
  inFlight === 0 ? 0 : Math.floor(((inFlight + 1) * 4096) / (16 * weight));

const ratio = (inFlight: number, weight: number): number => inFlight / weight;

class NginxLeastConnections implements Balancer {
  readonly #smooth = new SmoothWeights();
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #active: Uint32Array = new Uint32Array(0);
  #weights: Float64Array = new Float64Array(0);

  update(view: EndpointView): void {
    this.#smooth.update(view);
    this.#members = view.members;
    this.#count = view.count;
    this.#active = view.table.active;
    this.#weights = view.table.weight;
  }

  pick(): Slot {
    if (this.#count === 0) return NO_ENDPOINT;
    let least = 0;
    let isTied = false;
    for (let i = 1; i < this.#count; i++) {
      const order = this.#compare(this.#members[i], this.#members[least]);
      if (order < 0) {
        least = i;
        isTied = false;
      } else if (order === 0) {
        isTied = true;
      }
    }
    return isTied ? this.#takeTurns(least) : this.#members[least];
  }

  /** One step of smooth weighted round robin among those as loaded as the first of them. */
  #takeTurns(first: number): Slot {
    const smooth = this.#smooth;
    let best = this.#members[first];
    let total = smooth.advance(best);
    for (let i = first + 1; i < this.#count; i++) {
      const slot = this.#members[i];
      if (this.#compare(slot, best) !== 0) continue;
      total += smooth.advance(slot);
      if (smooth.current(slot) > smooth.current(best)) best = slot;
    }
    smooth.take(best, total);
    return best;
  }

  /** Compares requests/weight without dividing. */
  #compare(a: Slot, b: Slot): number {
    return this.#active[a] * this.#weights[b] - this.#active[b] * this.#weights[a];
  }
}

class HaproxyLeastConnections implements Balancer {
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #active: Uint32Array = new Uint32Array(0);
  #weights: Float64Array = new Float64Array(0);
  /** When, in counted changes, the slot last took its place among its equals. */
  #places: Float64Array = new Float64Array(0);
  #changes = 0;

  update(view: EndpointView): void {
    this.#members = view.members;
    this.#count = view.count;
    this.#active = view.table.active;
    this.#weights = view.table.weight;
    if (this.#active.length > this.#places.length) this.#places = grownFloats(this.#places, this.#active.length);
  }

  pick(): Slot {
    let best = NO_ENDPOINT;
    let bestKey = Infinity;
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#members[i];
      const key = haproxyLeastconnKey(this.#active[slot], this.#weights[slot]);
      if (key < bestKey || (key === bestKey && this.#places[slot] < this.#places[best])) {
        best = slot;
        bestKey = key;
      }
    }
    if (best !== NO_ENDPOINT) this.#places[best] = ++this.#changes;
    return best;
  }

  onEnd(slot: Slot): void {
    this.#places[slot] = ++this.#changes;
  }
}

class IpvsLeastConnections implements Balancer {
  #view: EndpointView | undefined;
  #inactive: Uint32Array = new Uint32Array(0);

  update(view: EndpointView): void {
    this.#view = view;
    if (this.#inactive.length < view.table.active.length) this.#inactive = new Uint32Array(view.table.active.length);
  }

  pick(): Slot {
    const view = this.#view;
    if (view === undefined) return NO_ENDPOINT;
    return leastOverhead(view.members, view.count, view.table.active, this.#inactive, view.table.weight);
  }
}

class RandomAmongLeast implements Balancer {
  readonly #load: (inFlight: number, weight: number) => number;
  readonly #rng: Rng;
  #members: Int32Array = new Int32Array(0);
  #count = 0;
  #active: Uint32Array = new Uint32Array(0);
  #weights: Float64Array = new Float64Array(0);

  constructor(load: (inFlight: number, weight: number) => number, rng: Rng) {
    this.#load = load;
    this.#rng = rng;
  }

  update(view: EndpointView): void {
    this.#members = view.members;
    this.#count = view.count;
    this.#active = view.table.active;
    this.#weights = view.table.weight;
  }

  pick(): Slot {
    let best = NO_ENDPOINT;
    let bestLoad = Infinity;
    let ties = 0;
    for (let i = 0; i < this.#count; i++) {
      const slot = this.#members[i];
      const load = this.#load(this.#active[slot], this.#weights[slot]);
      if (load > bestLoad) continue;
      ties = load < bestLoad ? 1 : ties + 1;
      bestLoad = load;
      if (ties === 1 || this.#rng.below(ties) === 0) best = slot;
    }
    return best;
  }
}
