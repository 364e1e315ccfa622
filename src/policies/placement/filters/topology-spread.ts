/** PodTopologySpread, the hard half (`DoNotSchedule`): in no domain may there be more than `maxSkew` pods more than in the emptiest one.
 *
 *  Use it to survive the loss of a zone. It fails when a zone has no room left: pods then wait although other zones have, since placing
 *  them there would widen the gap. What leaves afterwards is not made good; only new pods are spread.
 *
 *  Domains are those of nodes that the pod could be on by its selector and that have the keys of all hard constraints. With fewer domains
 *  than `minDomains` the emptiest counts as zero. Taints play no part: the default of `nodeTaintsPolicy` is to ignore them.
 *
 *  After kubernetes/kubernetes: pkg/scheduler/framework/plugins/podtopologyspread/filtering.go. */
import { hasLabels } from '../parts/labels.ts';
import type { NodeState } from '../parts/node-state.ts';
import { hasAllKeys, matchingPods } from '../parts/spread-counts.ts';
import type { PodView, SpreadConstraint } from '../scheduler.ts';
import type { FilterPlugin, Refusal } from './filter.ts';

export const topologySpread: FilterPlugin = {
  name: 'PodTopologySpread',
  events: ['pod-add', 'pod-delete', 'node-add', 'node-delete', 'node-labels'],
  prepare: (pod, nodes) => {
    const constraints = pod.spread.filter(({ whenUnsatisfiable }) => whenUnsatisfiable === 'DoNotSchedule');
    if (constraints.length === 0) return () => undefined;
    const eligible = nodes.filter((node) => isEligible(node, pod, constraints));
    const filters = constraints.map((constraint) => constraintFilter(constraint, pod, eligible));
    return (node) => {
      if (!hasAllKeys(node, constraints)) return missingLabel;
      return filters.every((isKept) => isKept(node)) ? undefined : skewed;
    };
  },
};

const reason = "node(s) didn't match pod topology spread constraints";
const missingLabel: Refusal = { reasons: [`${reason} (missing required label)`], isFinal: true };
const skewed: Refusal = { reasons: [reason], isFinal: false };

const isEligible = (node: NodeState, pod: PodView, constraints: readonly SpreadConstraint[]): boolean =>
  hasLabels(node.view.labels, pod.nodeSelector) && hasAllKeys(node, constraints);

function constraintFilter(
  { topologyKey, maxSkew, minDomains = 1, selector }: SpreadConstraint,
  pod: PodView,
  eligible: readonly NodeState[],
): (node: NodeState) => boolean {
  const counts = new Map<string, number>();
  const ownCounts = new Map<number, number>();
  for (const node of eligible) {
    const domain = node.view.labels[topologyKey];
    const count = matchingPods(node.pods, selector);
    ownCounts.set(node.node, count);
    counts.set(domain, (counts.get(domain) ?? 0) + count);
  }
  const self = hasLabels(pod.labels, selector) ? 1 : 0;
  const hasFewDomains = counts.size < minDomains;
  const leastOf = leastWithout(counts);
  return (node) => {
    const domain = node.view.labels[topologyKey];
    // The node may be one that pods were taken from or added to since the counting.
    const known = ownCounts.get(node.node);
    const change = known === undefined ? 0 : matchingPods(node.pods, selector) - known;
    const count = (counts.get(domain) ?? 0) + change;
    const least = counts.has(domain) ? Math.min(count, leastOf(domain)) : leastOf(domain);
    return count + self - (hasFewDomains ? 0 : least) <= maxSkew;
  };
}

/** The least count of all domains but one. */
function leastWithout(counts: ReadonlyMap<string, number>): (domain: string) => number {
  let [emptiest, least, second] = ['', Infinity, Infinity];
  for (const [domain, count] of counts) {
    if (count < least) [emptiest, least, second] = [domain, count, least];
    else if (count < second) second = count;
  }
  return (domain) => (domain === emptiest ? second : least);
}
