/** A number of instances, written `2`, or a percentage of those wanted, written `25%`: Kubernetes' IntOrString. What a percentage comes to
 *  is rounded up or down by whoever reads it. */
import { InputError } from '../../core/errors.ts';

export type CountOrPercent = { readonly count: number } | { readonly percent: number };

/** `2` or `30%`. */
export function parseCountOrPercent(text: string, name: string): CountOrPercent {
  const match = /^(\d+)(%?)$/.exec(text.trim());
  if (match === null) throw InputError.of('bad-value', `${name} is ${JSON.stringify(text)}, expected a count or a percentage`);
  return match[2] === '%' ? { percent: Number(match[1]) } : { count: Number(match[1]) };
}

export const roundedUp = (value: CountOrPercent, total: number): number =>
  'count' in value ? value.count : Math.ceil((value.percent * total) / 100);

export const roundedDown = (value: CountOrPercent, total: number): number =>
  'count' in value ? value.count : Math.floor((value.percent * total) / 100);
