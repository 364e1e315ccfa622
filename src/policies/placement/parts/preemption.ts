/** Preemption: who would have to go so that a more important pod has a place, and where.
 *
 *  On each node that evictions could help, all less important pods are taken away in thought; then they are put back, most important
 *  first and those under a disruption budget before all others, as long as the newcomer still fits. Who cannot be put back is a victim.
 *  Among nodes, the one is chosen that breaks fewest budgets, then whose most important victim is least important, then with the smallest
 *  sum of priorities, then with fewest victims, then whose most important victims have run for the shortest time.
 *
 *  It fails to be fair in the long run: whoever has the lowest priority is evicted again wherever it goes. Budgets are a wish here, not a
 *  limit: if there is no other way, they are broken. And victims are only looked for on the node itself, so that a spread constraint
 *  over zones may find no way where an eviction elsewhere would be one.
 *
 *  In large clusters not all nodes are tried: a tenth of them, at least 100, from a random one on, unless none of these is without a
 *  broken budget.
 *
 *  After kubernetes/kubernetes: pkg/scheduler/framework/preemption/preemption.go and
 *  pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go. Nodes that are alike in everything are there taken at
 *  random, here in order. */
import type { Rng } from '../../../core/rng.ts';
import type { ClusterView, PodView } from '../scheduler.ts';
import type { NodeState } from './node-state.ts';

export interface PreemptionCandidate {
  readonly node: number;
  /** Most important first. */
  readonly victims: readonly PodView[];
  readonly budgetViolations: number;
}

export interface PreemptionOptions {
  readonly minCandidateNodesPercentage: number;
  readonly minCandidateNodesAbsolute: number;
}

/** The best way to make room, among `nodes`, which are those where evictions may help. */
export function preempt(
  pod: PodView,
  nodes: readonly NodeState[],
  passes: (node: NodeState) => boolean,
  cluster: ClusterView,
  options: PreemptionOptions,
  rng: Rng,
): PreemptionCandidate | undefined {
  const enough = candidatesWanted(nodes.length, options);
  // Where all are tried anyway it does not matter where one begins.
  const offset = enough < nodes.length ? rng.below(nodes.length) : 0;
  const candidates: PreemptionCandidate[] = [];
  for (let i = 0; i < nodes.length; i++) {
    if (candidates.length >= enough && candidates.some(({ budgetViolations }) => budgetViolations === 0)) break;
    const candidate = victimsOn(nodes[(offset + i) % nodes.length], pod, passes, cluster);
    if (candidate !== undefined) candidates.push(candidate);
  }
  return best(candidates);
}

const candidatesWanted = (nodes: number, options: PreemptionOptions): number => {
  const share = Math.trunc((nodes * options.minCandidateNodesPercentage) / 100);
  return Math.min(nodes, Math.max(share, options.minCandidateNodesAbsolute));
};

/** Who has to go from this node. undefined: nobody's going would help, or there is nobody less important. */
export function victimsOn(
  node: NodeState,
  pod: PodView,
  passes: (node: NodeState) => boolean,
  cluster: ClusterView,
): PreemptionCandidate | undefined {
  const lesser = node.pods.filter(({ priority }) => priority < pod.priority).sort(byImportance);
  if (lesser.length === 0) return undefined;
  let kept = node.having(node.pods.filter(({ priority }) => priority >= pod.priority));
  if (!passes(kept)) return undefined;
  const isViolating = violations(lesser, cluster);
  const victims: PodView[] = [];
  for (const candidate of [
    ...lesser.filter((each) => isViolating.has(each)),
    ...lesser.filter((each) => !isViolating.has(each)),
  ]) {
    const withIt = kept.having([...kept.pods, candidate]);
    if (passes(withIt)) kept = withIt;
    else victims.push(candidate);
  }
  if (victims.length === 0) return undefined;
  const budgetViolations = victims.filter((victim) => isViolating.has(victim)).length;
  return { node: node.node, victims: victims.sort(byImportance), budgetViolations };
}

/** Those that would break a budget if all went, the most important first. */
function violations(pods: readonly PodView[], cluster: ClusterView): ReadonlySet<PodView> {
  const violating = new Set<PodView>();
  if (cluster.budgetViolations(pods) === 0) return violating;
  let before = 0;
  for (let count = 1; count <= pods.length; count++) {
    const now = cluster.budgetViolations(pods.slice(0, count));
    if (now > before) violating.add(pods[count - 1]);
    before = now;
  }
  return violating;
}

/** The higher priority first, then who has run longer. */
const byImportance = (a: PodView, b: PodView): number =>
  b.priority - a.priority || compare(a.startedAtMs, b.startedAtMs) || a.pod - b.pod;

// A difference of two infinities is not a number.
const compare = (a: number, b: number): number => (a === b ? 0 : a < b ? -1 : 1);

function best(candidates: readonly PreemptionCandidate[]): PreemptionCandidate | undefined {
  const ranked = candidates.map((candidate) => ({ candidate, rank: rankOf(candidate) }));
  return ranked.sort((a, b) => compareRanks(a.rank, b.rank) || a.candidate.node - b.candidate.node)[0]?.candidate;
}

/** Added to each priority, so that many victims of negative priority are not less than few. */
const PRIORITY_OFFSET = 2_147_483_648;

/** The smaller the better, compared one after the other. */
function rankOf({ victims, budgetViolations }: PreemptionCandidate): readonly number[] {
  const highest = victims[0].priority;
  const sum = victims.reduce((total, { priority }) => total + priority + PRIORITY_OFFSET, 0);
  const highestStarts = victims.filter(({ priority }) => priority === highest).map(({ startedAtMs }) => startedAtMs);
  return [budgetViolations, highest, sum, victims.length, -Math.min(...highestStarts)];
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const index = a.findIndex((value, i) => value !== b[i]);
  return index === -1 ? 0 : compare(a[index], b[index]);
}
