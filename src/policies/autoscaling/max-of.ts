/** The largest of several autoscalers' answers.
 *
 *  Use it to guard several resources at once, or to give a schedule's floor to a policy that reacts: it adds replicas as soon as one of
 *  them wants more, and removes some only when all agree, which is how AWS joins several policies and the HPA several metrics. It fails
 *  when one of them is wrong upwards: nobody overrules it.
 *
 *  Each is asked at its own cadence and its last answer counts until the next. While one of them has no answer nothing is removed, but
 *  those that have one may add. All hear of every change of the count, whoever asked for it. */
import { policies } from '../../core/params.ts';
import { type AutoscalerDefinition, defineAutoscaler } from './autoscaler.ts';
import { boundsParams } from './parts/bounds.ts';
import { Combination } from './parts/combination.ts';
import type { AutoscalerTable } from './parts/inner-policies.ts';

/** Made by the family's table, which it needs to make the others. */
export const maxOfTable = (table: AutoscalerTable): AutoscalerDefinition =>
  defineAutoscaler({
    name: 'max-of',
    summary: 'The largest of several answers: any may add, all must agree to remove.',
    useWhen: 'Several things can run short, or a schedule is to raise the floor of a policy that reacts.',
    failsWhen: 'One of the policies wants too much.',
    cost: 'That of the others',
    sources: [
      'AWS: Amazon EC2 Auto Scaling User Guide, multiple dynamic scaling policies',
      'kubernetes/kubernetes: pkg/controller/podautoscaler/horizontal.go, computeReplicasForMetrics',
    ],
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
    create: (params, deps) => new Combination('max-of', params, table, deps, Math.max),
  });
