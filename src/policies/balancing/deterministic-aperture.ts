/** Deterministic aperture, Finagle's: clients and endpoints lie on a ring, each client uses the stretch of endpoints from its own place on,
 *  wide enough for minAperture of them; two choices within.
 *
 *  Bounds connections as a subset does and spreads clients evenly over endpoints, parts of endpoints included: one that is only partly
 *  inside the stretch counts by that part. It fails without a coordinator that numbers the clients, and when numbers change: everyone's
 *  stretch shifts. */
import { int, type ParamValues } from '../../core/params.ts';
import type { Rng } from '../../core/rng.ts';
import { type Balancer, defineBalancer, type EndpointView, NO_ENDPOINT, type Slot } from './balancer.ts';

const params = {
  instanceId: int({
    default: -1,
    min: -1,
    about: 'This client’s number, from 0; -1 asks the driver.',
    official: 'Finagle ProcessCoordinate instanceId',
  }),
  totalInstances: int({
    default: 0,
    min: 0,
    about: 'How many clients there are; 0 asks the driver.',
    official: 'Finagle ProcessCoordinate totalInstances',
  }),
  minAperture: int({ default: 12, min: 1, about: 'Endpoints to use at least.', official: 'Finagle minDeterministicAperture' }),
};

export const deterministicAperture = defineBalancer({
  name: 'deterministic-aperture',
  summary: 'Two choices within the stretch of a ring of endpoints that belongs to this client (Finagle).',
  useWhen: 'Clients can be numbered, are many, and shall each use few connections evenly.',
  failsWhen: 'Numbers of clients or endpoints change often: all stretches shift.',
  cost: 'O(log aperture)',
  sources: [
    'twitter/finagle: finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/aperture/DeterministicAperture.scala',
    'twitter/finagle: finagle-core/src/main/scala/com/twitter/finagle/loadbalancer/aperture/WeightedAperture.scala',
  ],
  aliases: [{ system: 'Finagle', name: 'aperture' }],
  params,
  create: (values, { rng, client }) => {
    const instanceId = values.instanceId >= 0 ? values.instanceId : (client?.number ?? 0);
    const totalInstances = values.totalInstances > 0 ? values.totalInstances : (client?.count ?? 1);
    return new DeterministicAperture({ ...values, instanceId, totalInstances }, rng);
  },
});

/** How much of the ring a client uses: as many of its own stretches as it takes to reach `aperture` endpoints, so that all clients together
 *  go around the ring a whole number of times. */
export function apertureWidth(clients: number, endpoints: number, aperture: number): number {
  const own = 1 / clients;
  return Math.min(1, Math.ceil((aperture * (1 / endpoints)) / own) * own);
}

/** The endpoints of a ring of equal parts that the stretch touches, in order. */
export function apertureIndices(endpoints: number, offset: number, width: number): number[] {
  const indexAt = (position: number): number => Math.floor(position * endpoints) % endpoints;
  const first = indexAt(offset);
  let count = endpoints;
  if (1 - width > EDGE) {
    // The end does not belong to the stretch.
    count = indexAt(((offset + width) * (1 - EDGE)) % 1) - first + 1;
    if (count < 0) count += endpoints;
  }
  return Array.from({ length: count }, (_, i) => (first + i) % endpoints);
}

/** What each endpoint weighs to the client whose stretch this is: as much of its own share as lies inside. */
export function apertureWeights(weights: readonly number[], offset: number, width: number): number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const shares = weights.map((weight) => weight / total);
  const inside = weights.map(() => 0);
  const end = offset + width;
  let position = 0;
  for (let i = 0; position < end; i = (i + 1) % shares.length) {
    const share = shares[i];
    if (position < offset) {
      if (position + share >= offset) inside[i] += Math.min(width, share + position - offset);
    } else if (position + share > end) {
      inside[i] += end - position;
    } else {
      inside[i] += share;
    }
    position += share;
  }
  return inside;
}

const EDGE = 1e-6;
/** 2^−32. */
const UNIT = 2.3283064365386963e-10;

class DeterministicAperture implements Balancer {
  readonly #values: ParamValues<typeof params>;
  readonly #rng: Rng;
  #active: Uint32Array = new Uint32Array(0);
  /** Those inside, where each begins on a line of weights, and what they weigh. */
  #slots: Int32Array = new Int32Array(0);
  #starts: Float64Array = new Float64Array(0);
  #weights: Float64Array = new Float64Array(0);
  #total = 0;

  constructor(values: ParamValues<typeof params>, rng: Rng) {
    this.#values = values;
    this.#rng = rng;
  }

  update({ table, members, count, everyone, everyoneCount }: EndpointView): void {
    this.#active = table.active;
    const isMember = new Uint8Array(table.weight.length);
    for (let i = 0; i < count; i++) isMember[members[i]] = 1;
    // The ring is of everyone, by name, so that all clients agree on it whoever they believe is up.
    const ring = Array.from(everyone.subarray(0, everyoneCount))
      .filter((slot) => table.weight[slot] > 0)
      .sort((a, b) => (table.ids[a] < table.ids[b] ? -1 : 1));
    const weights = this.#insideWeights(ring.map((slot) => table.weight[slot]));
    let inside = ring
      .map((slot, i) => ({ slot, weight: weights[i] }))
      .filter(({ slot, weight }) => weight > 0 && isMember[slot] === 1);
    if (inside.length === 0) {
      inside = Array.from(members.subarray(0, count), (slot) => ({ slot, weight: table.weight[slot] }));
    }
    this.#slots = Int32Array.from(inside, ({ slot }) => slot);
    this.#weights = Float64Array.from(inside, ({ weight }) => weight);
    this.#total = 0;
    this.#starts = Float64Array.from(inside, ({ weight }) => {
      this.#total += weight;
      return this.#total - weight;
    });
  }

  pick(): Slot {
    const count = this.#slots.length;
    if (count < 2) return count === 0 ? NO_ENDPOINT : this.#slots[0];
    const first = this.#indexAt(this.#rng.uint32() * UNIT * this.#total);
    // The second lies anywhere on the line but on the first.
    const rest = this.#rng.uint32() * UNIT * (this.#total - this.#weights[first]);
    const second = this.#indexAt(rest >= this.#starts[first] ? rest + this.#weights[first] : rest);
    const firstLoad = this.#active[this.#slots[first]] / this.#weights[first];
    return firstLoad <= this.#active[this.#slots[second]] / this.#weights[second] ? this.#slots[first] : this.#slots[second];
  }

  #insideWeights(weights: readonly number[]): number[] {
    const { instanceId, totalInstances, minAperture } = this.#values;
    if (weights.length === 0) return [];
    const width = apertureWidth(totalInstances, weights.length, Math.min(minAperture, weights.length));
    return apertureWeights(weights, (instanceId % totalInstances) / totalInstances, width);
  }

  #indexAt(position: number): number {
    let from = 0;
    let to = this.#starts.length - 1;
    while (from < to) {
      const middle = (from + to + 1) >> 1;
      if (this.#starts[middle] <= position) from = middle;
      else to = middle - 1;
    }
    return from;
  }
}
