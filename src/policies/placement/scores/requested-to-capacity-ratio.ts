/** RequestedToCapacityRatio: a score by utilisation, along a line that one draws oneself.
 *
 *  Use it to pack some resources and not others, or to fill nodes up to a point. It fails quietly with a line that is zero somewhere: a
 *  resource whose score is zero is left out of the mean instead of pulling it down.
 *
 *  After kubernetes/kubernetes: pkg/scheduler/framework/plugins/noderesources/requested_to_capacity_ratio.go and
 *  plugins/helper/shape_score.go. All arithmetic is in whole numbers, but for the rounded mean. */
import { InputError } from '../../../core/errors.ts';
import type { NodeState } from '../parts/node-state.ts';
import { allocationOf, percentOf } from '../parts/resource-shares.ts';
import type { ResourceWeight } from '../parts/resource-weights.ts';
import type { PodView } from '../scheduler.ts';
import { MAX_SCORE, type ScorePlugin } from './score.ts';

/** A corner of the line: at this utilisation in percent, this score from 0 to 10. */
export interface ShapePoint {
  readonly utilization: number;
  readonly score: number;
}

const MAX_SHAPE_SCORE = 10;

export function requestedToCapacityRatio(resources: readonly ResourceWeight[], shape: readonly ShapePoint[]): ScorePlugin {
  const line = shape.map(({ utilization, score }) => ({ utilization, score: score * (MAX_SCORE / MAX_SHAPE_SCORE) }));
  const scoreOf = (requested: number, capacity: number): number =>
    brokenLinear(line, requested > capacity ? 100 : percentOf(requested, capacity));
  return {
    name: 'NodeResourcesFit',
    score: (pod, nodes) => nodes.map((node) => meanOfPositive(pod, node, resources, scoreOf)),
  };
}

/** The line through the points, level before the first and after the last; fractions are cut off towards zero. */
export function brokenLinear(points: readonly ShapePoint[], utilization: number): number {
  const index = points.findIndex((point) => utilization <= point.utilization);
  if (index === 0) return points[0].score;
  if (index === -1) return points[points.length - 1].score;
  const [left, right] = [points[index - 1], points[index]];
  const rise = (right.score - left.score) * (utilization - left.utilization);
  return left.score + Math.trunc(rise / (right.utilization - left.utilization));
}

/** `0=0, 100=10`: utilisations in percent with their scores. */
export function parseShape(name: string, text: string): readonly ShapePoint[] {
  const points = text.split(',').map((entry): ShapePoint => {
    const match = /^\s*(\d+)\s*=\s*(\d+)\s*$/.exec(entry);
    const [utilization, score] = [Number(match?.[1]), Number(match?.[2])];
    if (match === null || utilization > 100 || score > MAX_SHAPE_SCORE) {
      throw InputError.of(
        'bad-value',
        `${name}: ${JSON.stringify(entry.trim())} is not a utilization in percent with a score from 0 to 10`,
        'write 0=0, 100=10',
      );
    }
    return { utilization, score };
  });
  if (points.some(({ utilization }, index) => index > 0 && utilization <= points[index - 1].utilization))
    throw InputError.of('bad-value', `${name}: utilizations must rise`);
  return points;
}

function meanOfPositive(
  pod: PodView,
  node: NodeState,
  resources: readonly ResourceWeight[],
  scoreOf: (requested: number, capacity: number) => number,
): number {
  let [sum, weights] = [0, 0];
  for (const { resource, weight } of resources) {
    const allocation = allocationOf(pod, node, resource, true);
    if (allocation === undefined) continue;
    const score = scoreOf(allocation.after, allocation.allocatable);
    if (score <= 0) continue;
    sum += weight * score;
    weights += weight;
  }
  return weights === 0 ? 0 : Math.round(sum / weights);
}
