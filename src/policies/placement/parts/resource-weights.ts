/** Which resources a score looks at, and how much each of them weighs: `cpu=1, memory=1`. */
import { InputError } from '../../../core/errors.ts';

export interface ResourceWeight {
  readonly resource: string;
  readonly weight: number;
}

export function parseResourceWeights(name: string, text: string): readonly ResourceWeight[] {
  const entries = text.split(',').map((entry) => entry.trim());
  const weights = entries.map((entry): ResourceWeight => {
    const match = /^([^\s=]+)\s*=\s*(\d+)$/.exec(entry);
    if (match === null || Number(match[2]) < 1 || Number(match[2]) > 100) {
      throw InputError.of(
        'bad-value',
        `${name}: ${JSON.stringify(entry)} is not a resource with its weight`,
        'write cpu=1, memory=1',
      );
    }
    return { resource: match[1], weight: Number(match[2]) };
  });
  const names = weights.map(({ resource }) => resource);
  const twice = names.find((resource, index) => names.indexOf(resource) !== index);
  if (twice !== undefined) throw InputError.of('bad-value', `${name}: ${twice} stands there twice`);
  return weights;
}
