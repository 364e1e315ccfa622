/** PodTopologySpread, the soft half (`ScheduleAnyway`): the fewer pods like this one are in a node's domains, the better.
 *
 *  Use it to spread what can be spread and to place the rest all the same. It fails to hold against stronger wishes: it is one score among
 *  several, and the busier domain wins if the others say so.
 *
 *  A count weighs the logarithm of the number of domains plus 2, so that a skew over three zones and one over a hundred nodes are
 *  comparable. A pod without constraints of its own gets the cluster's defaults: 3 per node and 5 per zone, of pods with its own
 *  labels. Kubernetes takes the selectors of the services and controllers that the pod belongs to there, which comes to the same.
 *
 *  After kubernetes/kubernetes: pkg/scheduler/framework/plugins/podtopologyspread/scoring.go and plugin.go. */
import { log } from '../../../core/math.ts';
import { hasLabels } from '../parts/labels.ts';
import { HOSTNAME_LABEL, ZONE_LABEL } from '../well-known-labels.ts';
import type { NodeState } from '../parts/node-state.ts';
import { hasAllKeys, matchingPods } from '../parts/spread-counts.ts';
import type { PodView, SpreadConstraint } from '../scheduler.ts';
import { MAX_SCORE, type ScorePlugin } from './score.ts';

export const topologySpreadScore = (defaultingType: 'System' | 'List'): ScorePlugin => ({
  name: 'PodTopologySpread',
  score: (pod, nodes, all) => {
    const isDefault = pod.spread.length === 0;
    const constraints = isDefault ? defaultConstraints(pod, defaultingType) : pod.spread.filter(isSoft);
    if (constraints.length === 0) return nodes.map(() => 0);
    // Defaults must not shut out nodes without a zone.
    const isScored = (node: NodeState): boolean => isDefault || hasAllKeys(node, constraints);
    const scored = nodes.filter(isScored);
    const counters = constraints.map((constraint) =>
      counterOf(
        constraint,
        scored,
        all.filter((node) => isScored(node) && hasLabels(node.view.labels, pod.nodeSelector)),
      ),
    );
    const raw = nodes.map((node) =>
      isScored(node) ? Math.round(counters.reduce((sum, counter) => sum + counter(node), 0)) : undefined,
    );
    return normalized(raw);
  },
});

const isSoft = ({ whenUnsatisfiable }: SpreadConstraint): boolean => whenUnsatisfiable === 'ScheduleAnyway';

function defaultConstraints(pod: PodView, defaultingType: 'System' | 'List'): readonly SpreadConstraint[] {
  if (defaultingType === 'List' || Object.keys(pod.labels).length === 0) return [];
  return [
    { topologyKey: HOSTNAME_LABEL, maxSkew: 3, whenUnsatisfiable: 'ScheduleAnyway', selector: pod.labels },
    { topologyKey: ZONE_LABEL, maxSkew: 5, whenUnsatisfiable: 'ScheduleAnyway', selector: pod.labels },
  ];
}

/** What one constraint adds to a node's raw score: the fuller its domain, the more. */
function counterOf(
  { topologyKey, maxSkew, selector }: SpreadConstraint,
  scored: readonly NodeState[],
  counted: readonly NodeState[],
): (node: NodeState) => number {
  const scoreOf = (count: number, domains: number): number => count * log(domains + 2) + (maxSkew - 1);
  if (topologyKey === HOSTNAME_LABEL) {
    return (node) =>
      node.view.labels[topologyKey] === undefined ? 0 : scoreOf(matchingPods(node.pods, selector), scored.length);
  }
  // Nodes without the key, which only defaults let in, make up a domain together, and are not scored for it.
  const domainOf = (node: NodeState): string => node.view.labels[topologyKey] ?? '';
  const counts = new Map(scored.map((node) => [domainOf(node), 0]));
  for (const node of counted) {
    const count = counts.get(domainOf(node));
    if (count !== undefined) counts.set(domainOf(node), count + matchingPods(node.pods, selector));
  }
  return (node) => (node.view.labels[topologyKey] === undefined ? 0 : scoreOf(counts.get(domainOf(node)) ?? 0, counts.size));
}

/** The lowest raw score becomes the highest score; nodes that were left out get none. */
function normalized(raw: readonly (number | undefined)[]): readonly number[] {
  const known = raw.filter((score) => score !== undefined);
  const most = Math.max(0, ...known);
  const least = Math.min(Infinity, ...known);
  return raw.map((score) => {
    if (score === undefined) return 0;
    return most === 0 ? MAX_SCORE : Math.trunc((MAX_SCORE * (most + least - score)) / most);
  });
}
