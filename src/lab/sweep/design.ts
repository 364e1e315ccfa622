/** Which combinations of values are run. Factorial: all of them, so that effects and interactions can be told apart exactly. Latin
 *  hypercube: a given number of points, each factor's range cut into as many slices, each slice used once; for many factors, where all
 *  combinations are too many. (M. D. McKay, R. J. Beckman, W. J. Conover, Technometrics 21, 1979.) */
import { InputError } from '../../core/errors.ts';
import { Streams } from '../../core/streams.ts';
import { factorOf, type Setting, written } from './factors.ts';
import type { Factor } from './types.ts';

export interface Design {
  readonly factors: readonly Factor[];
  /** Per point: index into the values of each factor. */
  readonly points: readonly (readonly number[])[];
}

const pointsMax = 5000;

export function factorial(settings: readonly Setting[]): Design {
  const open = settings.find(({ values }) => values.length === 0);
  if (open !== undefined) {
    const { low, high, unit } = open.range!;
    const text = `${low}${unit}..${high}${unit}`;
    throw InputError.of(
      'bad-values',
      `--set ${open.path}: the range ${text} has no steps`,
      `write ${text}:2 (steps of 2), ${text}:x2 (doubling), ${text}@5 (five values), or --design lhs`,
    );
  }
  const factors = settings.map(({ path, values }) => factorOf(path, values));
  const count = factors.reduce((product, { values }) => product * values.length, 1);
  if (count > pointsMax) throw tooMany(count);
  return { factors, points: [...combinations(factors.map(({ values }) => values.length))] };
}

const tooMany = (count: number): InputError =>
  InputError.of('too-many', `${count} points; ${pointsMax} is the most`, 'fewer values, or --design lhs --points 50');

/** The last one changes fastest. */
function* combinations(counts: readonly number[], at = 0): Generator<number[]> {
  if (at === counts.length) yield [];
  else for (let first = 0; first < counts[at]; first++) for (const rest of combinations(counts, at + 1)) yield [first, ...rest];
}

export function latinHypercube(settings: readonly Setting[], count: number, seed: string): Design {
  if (count > pointsMax) throw tooMany(count);
  const columns = settings.map((setting): { factor: Factor; levels: number[] } => {
    // A stream per factor: one more factor leaves the others as they are.
    const rng = new Streams(seed).stream(`latin hypercube ${setting.path}`);
    const slices = Array.from({ length: count }, (_, i) => i);
    for (let i = count - 1; i > 0; i--) {
      const j = rng.below(i + 1);
      [slices[i], slices[j]] = [slices[j], slices[i]];
    }
    const { range } = setting;
    if (range === undefined) {
      // A list: each value as often as the others, as far as that is possible.
      const factor = factorOf(setting.path, setting.values);
      return { factor, levels: slices.map((slice) => slice % factor.values.length) };
    }
    const drawn = slices.map((slice) => written(range, range.low + ((range.high - range.low) * (slice + rng.next())) / count));
    const factor = factorOf(setting.path, [...new Set(drawn)]);
    return { factor, levels: drawn.map((value) => factor.values.indexOf(value)) };
  });
  return {
    factors: columns.map(({ factor }) => factor),
    points: Array.from({ length: count }, (_, i) => columns.map(({ levels }) => levels[i])),
  };
}
