/** The smallest of several autoscalers' answers.
 *
 *  Use it to put a ceiling on a policy that is eager: a budget, a quota, a schedule for the night. It fails where both sides are
 *  needed: the most frugal of them decides alone, and if it sees nothing of the load that hurts, nobody helps.
 *
 *  Each is asked at its own cadence and its last answer counts until the next. While one of them has no answer nothing is removed, but
 *  those that have one may add: then the ceiling of the silent one does not hold. All hear of every change of the count, whoever asked
 *  for it. */
import { policies } from '../../core/params.ts';
import { type AutoscalerDefinition, defineAutoscaler } from './autoscaler.ts';
import { boundsParams } from './parts/bounds.ts';
import { Combination } from './parts/combination.ts';
import type { AutoscalerTable } from './parts/inner-policies.ts';

/** Made by the family's table, which it needs to make the others. */
export const minOfTable = (table: AutoscalerTable): AutoscalerDefinition =>
  defineAutoscaler({
    name: 'min-of',
    summary: 'The smallest of several answers: a ceiling for a policy that is eager.',
    useWhen: 'One policy knows the limit, of money, quota or the hour, and another the load.',
    failsWhen: 'The most frugal of the policies does not see the load.',
    cost: 'That of the others',
    sources: ['kubernetes/kubernetes: pkg/controller/podautoscaler/horizontal.go, computeReplicasForMetrics'],
    aliases: [],
    params: {
      ...boundsParams,
      of: policies({
        table,
        default: ['hpa', 'queueing'],
        atLeast: 1,
        about: 'The policies that are asked; each keeps its own min and max.',
      }),
    },
    create: (params, deps) => new Combination('min-of', params, table, deps, Math.min),
  });
