/** Deterministic subset around another balancer, after Google's SRE book: clients are numbered; in each round of as many clients as there
 *  are subsets the endpoints are shuffled and dealt out.
 *
 *  Every endpoint gets the same number of clients, but for one, where `random-subset` leaves it to chance. It fails when the number of
 *  endpoints changes: all subsets are dealt anew and nearly all connections move. Endpoints left over in a round get nobody in it. */
import { int } from '../../core/params.ts';
import { Xoshiro128 } from '../../core/xoshiro.ts';
import { defineBalancer, type EndpointView, type Slot } from './balancer.ts';
import { childMaker, innerParam } from './parts/composite.ts';
import { SubsetBalancer } from './parts/subset.ts';

export const deterministicSubset = defineBalancer({
  name: 'deterministic-subset',
  summary: 'Uses the endpoints dealt to this client’s number, by another balancer (Google SRE).',
  useWhen: 'Clients can be numbered, membership is steady, and endpoints shall have equally many clients.',
  failsWhen: 'The number of endpoints changes: all subsets change.',
  cost: 'as the balancer within; O(n log n) per change',
  sources: ['Beyer et al.: Site Reliability Engineering (2016), chapter 20, Deterministic Subsetting'],
  aliases: [{ system: 'Google', name: 'sre' }],
  params: {
    subsetSize: int({ default: 20, min: 1, about: 'Endpoints to use.' }),
    clientId: int({ default: -1, min: -1, about: 'This client’s number, from 0 and without gaps; -1 asks the driver.' }),
    inner: innerParam('round-robin', 'The balancer over the subset.'),
  },
  create: ({ subsetSize, clientId, inner }, { rng, client }) =>
    new SubsetBalancer(
      (view) => dealtTo(view, clientId >= 0 ? clientId : (client?.number ?? 0), subsetSize),
      childMaker(inner, rng),
    ),
});

/** The round a client is in, and where its part of the shuffled endpoints begins. */
export function subsetPlace(
  endpoints: number,
  subsetSize: number,
  clientId: number,
): { readonly round: number; readonly from: number } {
  const subsets = Math.max(1, Math.floor(endpoints / subsetSize));
  return { round: Math.floor(clientId / subsets), from: (clientId % subsets) * subsetSize };
}

function dealtTo({ table, everyone, everyoneCount }: EndpointView, clientId: number, size: number): ReadonlySet<Slot> {
  // All clients start from the same order, whatever order they learnt the names in.
  const slots = Array.from(everyone.subarray(0, everyoneCount)).sort((a, b) => (table.ids[a] < table.ids[b] ? -1 : 1));
  const { round, from } = subsetPlace(slots.length, size, clientId);
  const rng = new Xoshiro128(round, 0x9e3779b9, 0x243f6a88, 0xb7e15162);
  for (let i = 0; i < 16; i++) rng.uint32();
  for (let i = slots.length - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    [slots[i], slots[j]] = [slots[j], slots[i]];
  }
  return new Set(slots.slice(from, from + size));
}
