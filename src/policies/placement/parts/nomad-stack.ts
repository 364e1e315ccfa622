/** How Nomad ranks: a score for the fit, a penalty for companions on the same node, their mean; and only a few nodes are looked at.
 *
 *  Nodes are shuffled. Of those that pass, a service sees the logarithm of their total number (at least 2), a batch job 2; up to three of
 *  no positive score are set aside first and come back only if there are not enough others. The first of the best wins.
 *
 *  Companions are the pods of the same group. Nomad divides by the group's count; here it is the companions in the cluster and this pod.
 *
 *  After hashicorp/nomad: nomad/structs/funcs.go (ScoreFitBinPack, ScoreFitSpread), scheduler/feasible/rank.go (JobAntiAffinityIterator,
 *  ScoreNormalizationIterator), select.go (LimitIterator, MaxScoreIterator) and stack.go. */
import { pow } from '../../../core/math.ts';
import { choice, string } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Labels, PodView } from '../scheduler.ts';
import type { Choose } from './filtering-scheduler.ts';
import { hasLabels } from './labels.ts';
import { type NodeState, requestOf } from './node-state.ts';

export const nomadParams = {
  jobType: choice({
    default: 'service',
    choices: ['service', 'batch'],
    about: 'How many nodes are looked at: log₂ of their number, or 2.',
    official: 'Nomad job.type',
  }),
  groupLabel: string({
    default: '',
    about: 'Pods with the same value of this label are companions; empty: those with all of the pod’s labels.',
  }),
};

/** What a fit is worth at most, and what scores are divided by. */
const MAX_FIT = 18;
const MAX_SKIP = 3;

/** 10 to the power of each free share, summed: 2 for a full node, 20 for an empty one. */
function freeness(pod: PodView, node: NodeState): number {
  const total = ['cpu', 'memory'].reduce((sum, resource) => sum + pow(10, freeShare(pod, node, resource)), 0);
  return Math.min(20, Math.max(2, total));
}

function freeShare(pod: PodView, node: NodeState, resource: string): number {
  const allocatable = node.allocatable(resource);
  return allocatable === 0 ? 0 : 1 - (node.requested(resource) + requestOf(pod, resource)) / allocatable;
}

/** From 0 for an empty node to 1 for a full one, steeper towards the end. */
export const binpackScore = (pod: PodView, node: NodeState): number => (20 - freeness(pod, node)) / MAX_FIT;

/** The reverse. */
export const spreadScore = (pod: PodView, node: NodeState): number => (freeness(pod, node) - 2) / MAX_FIT;

/** Subtracted, in effect, for companions on the node: none, or (companions + 1) over the group's size. */
export const antiAffinityScore = (companions: number, groupSize: number): number | undefined =>
  companions === 0 ? undefined : -(companions + 1) / groupSize;

interface Settings {
  readonly jobType: 'service' | 'batch';
  readonly groupLabel: string;
}

export function nomadChoice(
  fitScore: (pod: PodView, node: NodeState) => number,
  { jobType, groupLabel }: Settings,
  rng: Rng,
): Choose {
  return (pod, nodes, all) => {
    const group = groupOf(pod, groupLabel);
    const companionsOn = (node: NodeState): number =>
      group === undefined ? 0 : node.pods.filter((each) => hasLabels(each.labels, group)).length;
    const groupSize = 1 + all.reduce((sum, node) => sum + companionsOn(node), 0);
    const scoreOf = (node: NodeState): number => {
      const penalty = antiAffinityScore(companionsOn(node), groupSize);
      const fit = fitScore(pod, node);
      return penalty === undefined ? fit : (fit + penalty) / 2;
    };
    const limit = jobType === 'batch' ? 2 : Math.max(2, ceilLog2(all.length));
    return firstOfBest(limited(shuffled(nodes, rng), scoreOf, limit));
  };
}

function groupOf(pod: PodView, groupLabel: string): Labels | undefined {
  if (groupLabel === '') return Object.keys(pod.labels).length === 0 ? undefined : pod.labels;
  const value = pod.labels[groupLabel];
  return value === undefined ? undefined : { [groupLabel]: value };
}

interface Ranked {
  readonly node: NodeState;
  readonly score: number;
}

/** The first few nodes; those of no positive score are set aside at first. */
function limited(nodes: readonly NodeState[], scoreOf: (node: NodeState) => number, limit: number): readonly Ranked[] {
  const taken: Ranked[] = [];
  const aside: Ranked[] = [];
  for (const node of nodes) {
    if (taken.length === limit) break;
    const ranked = { node, score: scoreOf(node) };
    if (ranked.score <= 0 && aside.length < MAX_SKIP) aside.push(ranked);
    else taken.push(ranked);
  }
  return [...taken, ...aside.slice(0, limit - taken.length)];
}

const firstOfBest = (ranked: readonly Ranked[]): NodeState =>
  ranked.reduce((best, each) => (each.score > best.score ? each : best)).node;

function shuffled(nodes: readonly NodeState[], rng: Rng): readonly NodeState[] {
  const order = [...nodes].sort((a, b) => a.node - b.node);
  for (let i = order.length - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** The least k with 2^k not below n. */
function ceilLog2(n: number): number {
  let k = 0;
  for (let power = 1; power < n; power *= 2) k++;
  return k;
}
