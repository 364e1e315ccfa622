/** Packing on paper: how many nodes of one kind a set of pods needs, by first fit decreasing, and how many no packing could do without.
 *
 *  Use it for questions of capacity: how large the cluster must be, how much a placement wastes. For one resource it needs at most 11/9 of
 *  the fewest possible nodes plus 6/9 (Dósa 2007), for several there is no such bound; `lowerBound` says how far off it can be. It knows
 *  all pods beforehand, which a scheduler never does.
 *
 *  Large is by the fullest share of a node that a pod would take. The lower bound is the best of two for each resource: what all ask for
 *  together, and how many take more than half of a node, with what the others need beyond the room left beside these (Martello and
 *  Toth's L2, 1990). */
import type { Resources } from './scheduler.ts';

export interface Packing {
  /** How many nodes it took, for all pods that fit on an empty one. */
  readonly nodes: number;
  /** No packing of these pods needs fewer. */
  readonly lowerBound: number;
  /** For each pod, in the order given, the number of its node from 0; -1 for one that no node is large enough for. */
  readonly assignment: readonly number[];
}

/** `node` is what one node has. A resource that it does not name it has none of, but for `pods`: each pod takes one of these. */
export function packDecreasing(pods: readonly Resources[], node: Resources): Packing {
  const resources = [...new Set([...Object.keys(node), ...pods.flatMap((pod) => Object.keys(pod))])].sort();
  const demands = pods.map((pod) => resources.map((resource) => shareOf(pod, node, resource)));
  const fitting = demands.map((_, index) => index).filter((index) => largest(demands[index]) <= 1);
  const order = [...fitting].sort((a, b) => largest(demands[b]) - largest(demands[a]) || a - b);
  const taken: Record<string, number>[] = [];
  const assignment = pods.map(() => -1);
  for (const index of order) {
    const found = taken.findIndex((used) => hasRoom(used, pods[index], node, resources));
    const place = found === -1 ? taken.length : found;
    const used = (taken[place] ??= {});
    for (const resource of resources) used[resource] = (used[resource] ?? 0) + amountOf(pods[index], resource);
    assignment[index] = place;
  }
  const bounds = resources.map((resource) =>
    boundFor(
      fitting.map((index) => amountOf(pods[index], resource)),
      capacityOf(node, resource),
    ),
  );
  return { nodes: taken.length, lowerBound: Math.max(fitting.length === 0 ? 0 : 1, ...bounds), assignment };
}

const amountOf = (pod: Resources, resource: string): number => (resource === 'pods' ? 1 : (pod[resource] ?? 0));
const capacityOf = (node: Resources, resource: string): number => node[resource] ?? (resource === 'pods' ? Infinity : 0);

function shareOf(pod: Resources, node: Resources, resource: string): number {
  const amount = amountOf(pod, resource);
  return amount === 0 ? 0 : amount / capacityOf(node, resource);
}

const largest = (shares: readonly number[]): number => Math.max(0, ...shares);

const hasRoom = (
  used: Readonly<Record<string, number>>,
  pod: Resources,
  node: Resources,
  resources: readonly string[],
): boolean => resources.every((resource) => (used[resource] ?? 0) + amountOf(pod, resource) <= capacityOf(node, resource));

/** Martello and Toth's L2 for amounts of one resource: for each k up to half a node, those larger than the node less k share with none that
 *  is at least k, those larger than half share with no other such, and what is between k and half fills up what room these leave. */
function boundFor(amounts: readonly number[], capacity: number): number {
  if (capacity === Infinity || capacity === 0) return 0;
  const thresholds = [0, ...new Set(amounts.filter((amount) => amount <= capacity / 2))];
  return Math.max(...thresholds.map((k) => boundAt(k, amounts, capacity)));
}

function boundAt(k: number, amounts: readonly number[], capacity: number): number {
  const alone = amounts.filter((amount) => amount > capacity - k).length;
  const large = amounts.filter((amount) => amount > capacity / 2 && amount <= capacity - k);
  const small = sum(amounts.filter((amount) => amount >= k && amount <= capacity / 2));
  const roomBeside = large.length * capacity - sum(large);
  return alone + large.length + Math.max(0, Math.ceil((small - roomBeside) / capacity));
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
