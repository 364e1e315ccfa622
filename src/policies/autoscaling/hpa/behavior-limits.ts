/** How far one step may go: the rules of `behavior`, or the fixed ones that hold without it.
 *
 *  After kubernetes/kubernetes: pkg/controller/podautoscaler/horizontal.go, convertDesiredReplicasWithBehaviorRate and
 *  convertDesiredReplicasWithRules. */
import type { Ms } from '../../../core/time.ts';
import { toReplicas } from './milli.ts';
import type { ScaleEventLog } from './scale-events.ts';

export interface ScalingPolicy {
  readonly type: 'Pods' | 'Percent';
  readonly value: number;
  readonly periodMs: Ms;
}

export interface ScalingRules {
  readonly stabilizationWindowMs: Ms;
  readonly selectPolicy: 'Max' | 'Min' | 'Disabled';
  readonly policies: readonly ScalingPolicy[];
}

export interface Behavior {
  readonly scaleUp: ScalingRules;
  readonly scaleDown: ScalingRules;
}

export interface ScaleHistory {
  readonly up: ScaleEventLog;
  readonly down: ScaleEventLog;
}

export interface Limits {
  readonly min: number;
  readonly max: number;
}

export interface Limited {
  readonly replicas: number;
  /** The official word: what limited it, or `DesiredWithinRange`. */
  readonly reason: string;
}

const withinRange = (replicas: number): Limited => ({ replicas, reason: 'DesiredWithinRange' });

/** Without `behavior`: up to twice the present count, or four; down without a limit. */
export function limitWithoutBehavior(current: number, desired: number, { min, max }: Limits): Limited {
  if (desired < min) return { replicas: min, reason: 'TooFewReplicas' };
  const limit = toReplicas(Math.trunc(Math.max(2 * current, 4)));
  const [most, reason] = max > limit ? [limit, 'ScaleUpLimit'] : [max, 'TooManyReplicas'];
  return desired > most ? { replicas: most, reason } : withinRange(desired);
}

export function limitByBehavior(
  current: number,
  desired: number,
  { min, max }: Limits,
  { scaleUp, scaleDown }: Behavior,
  history: ScaleHistory,
  nowMs: Ms,
): Limited {
  if (desired > current) {
    // What was added a moment ago may have used up more than there is.
    const limit = Math.max(current, scaleUpLimit(current, scaleUp, history, nowMs));
    const [most, reason] = max > limit ? [limit, 'ScaleUpLimit'] : [max, 'TooManyReplicas'];
    if (desired > most) return { replicas: most, reason };
  } else if (desired < current) {
    const limit = Math.min(current, scaleDownLimit(current, scaleDown, history, nowMs));
    const [fewest, reason] = min < limit ? [limit, 'ScaleDownLimit'] : [min, 'TooFewReplicas'];
    if (desired < fewest) return { replicas: fewest, reason };
  }
  return withinRange(desired);
}

export function scaleUpLimit(current: number, rules: ScalingRules, history: ScaleHistory, nowMs: Ms): number {
  if (rules.selectPolicy === 'Disabled') return current;
  const limits = rules.policies.map((policy) => {
    const start = atPeriodStart(current, policy, history, nowMs);
    return policy.type === 'Pods' ? start + policy.value : Math.ceil(start * (1 + policy.value / 100));
  });
  return toReplicas(rules.selectPolicy === 'Min' ? Math.min(...limits) : Math.max(...limits));
}

export function scaleDownLimit(current: number, rules: ScalingRules, history: ScaleHistory, nowMs: Ms): number {
  if (rules.selectPolicy === 'Disabled') return current;
  const limits = rules.policies.map((policy) => {
    const start = atPeriodStart(current, policy, history, nowMs);
    return policy.type === 'Pods' ? start - policy.value : Math.trunc(start * (1 - policy.value / 100));
  });
  // The largest change is the lowest count.
  return rules.selectPolicy === 'Min' ? Math.max(...limits) : Math.min(...limits);
}

/** How many there were when the policy's present period began. */
const atPeriodStart = (current: number, { periodMs }: ScalingPolicy, { up, down }: ScaleHistory, nowMs: Ms): number =>
  current - up.changeWithin(periodMs, nowMs) + down.changeWithin(periodMs, nowMs);

export const longestPeriodMs = ({ policies }: ScalingRules): Ms =>
  policies.reduce((longest, { periodMs }) => Math.max(longest, periodMs), 0);
