/** How full a node would be with a pod on it, as one number: what best fit and worst fit compare. */
import { InputError } from '../../../core/errors.ts';
import { choice, string } from '../../../core/params.ts';
import type { PodView } from '../scheduler.ts';
import type { NodeState } from './node-state.ts';
import { fullestShare, meanShare } from './shares.ts';

export const fullnessParams = {
  measure: choice({
    default: 'fullest',
    choices: ['fullest', 'mean'],
    about: 'Several resources as one number: the share of the fullest (the dominant one), or the mean of the shares.',
  }),
  resources: string({ default: 'cpu, memory', about: 'Resources that count.' }),
};

export function fullness(measure: 'fullest' | 'mean', resources: string): (pod: PodView, node: NodeState) => number {
  const names = resources.split(',').map((name) => name.trim());
  if (names.includes('')) throw InputError.of('bad-value', `resources: ${JSON.stringify(resources)} names none in one place`);
  const shareOf = measure === 'fullest' ? fullestShare : meanShare;
  return (pod, node) => shareOf(pod, node, names);
}
