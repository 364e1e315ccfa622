/** Where a search looks. First a Latin hypercube: each range cut into as many slices as there are points, each slice used once, so that
 *  few points cover every parameter by itself (M. D. McKay, R. J. Beckman, W. J. Conover, Technometrics 21, 1979); a small space is taken
 *  whole. Later points lie around the best so far, in a box that gets smaller. */
import { Streams } from '../../core/streams.ts';
import type { Rng } from '../../core/rng.ts';
import { countOf, type Dimension, placeOf, valueAt, valueNear } from './dimension.ts';
import type { Assignment } from './trials.ts';

export class Space {
  private readonly dimensions: readonly Dimension[];
  private readonly streams: Streams;

  constructor(dimensions: readonly Dimension[], seed: string) {
    this.dimensions = dimensions;
    this.streams = new Streams(seed);
  }

  /** Settings there are; Infinity is a large number. */
  get size(): number {
    return this.dimensions.reduce((product, dimension) => product * countOf(dimension), 1);
  }

  /** All of them, or `count` that are spread over the space. */
  start(count: number): Assignment[] {
    if (this.size <= count) return this.everyOne();
    const columns = this.dimensions.map((dimension) => {
      // A stream per parameter: one more of them leaves the others as they are.
      const rng = this.streams.stream(`tune/start/${dimension.path}`);
      const slices = shuffled(count, rng);
      return slices.map((slice) => valueNear(dimension, (slice + rng.next()) / count));
    });
    return distinct(Array.from({ length: count }, (_, i) => this.assignment((d) => columns[d][i])));
  }

  /** Up to `count` new ones around these, `width` (a share of each range) to either side. */
  around(
    best: readonly Assignment[],
    width: number,
    count: number,
    round: number,
    isKnown: (values: Assignment) => boolean,
  ): Assignment[] {
    const rng = this.streams.stream(`tune/round/${round}`);
    const found: Assignment[] = [];
    const texts = new Set<string>();
    // In a small space most neighbours are known already.
    for (let tries = 0; best.length > 0 && found.length < count && tries < count * 30; tries++) {
      const centre = best[tries % best.length];
      const values = this.assignment((d) => this.near(this.dimensions[d], centre, width, rng));
      const text = JSON.stringify(values);
      if (texts.has(text) || isKnown(values)) continue;
      texts.add(text);
      found.push(values);
    }
    return found;
  }

  /** In a list there is no near and far: mostly the same, sometimes any other. */
  private near(dimension: Dimension, centre: Assignment, width: number, rng: Rng): string {
    const value = centre[dimension.path];
    if (dimension.kind === 'list') return rng.next() < width ? valueAt(dimension, rng.below(countOf(dimension))) : value;
    const here = placeOf(dimension, value);
    const [from, to] = [Math.max(0, here - width), Math.min(1, here + width)];
    const drawn = valueNear(dimension, from + (to - from) * rng.next());
    if (drawn !== value || !dimension.isStepped) return drawn;
    // A box smaller than a step holds nothing but its centre.
    const index = Math.round(here * (countOf(dimension) - 1)) + (rng.next() < 0.5 ? -1 : 1);
    return dimension.isLog ? drawn : valueAt(dimension, Math.min(countOf(dimension) - 1, Math.max(0, index)));
  }

  private everyOne(): Assignment[] {
    let all: string[][] = [[]];
    for (const dimension of this.dimensions)
      all = all.flatMap((values) =>
        Array.from({ length: countOf(dimension) }, (_, index) => [...values, valueAt(dimension, index)]),
      );
    return all.map((values) => this.assignment((d) => values[d]));
  }

  private assignment(value: (dimension: number) => string): Assignment {
    return Object.fromEntries(this.dimensions.map(({ path }, d) => [path, value(d)]));
  }
}

function shuffled(count: number, rng: Rng): number[] {
  const slices = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const j = rng.below(i + 1);
    [slices[i], slices[j]] = [slices[j], slices[i]];
  }
  return slices;
}

const distinct = (all: readonly Assignment[]): Assignment[] => [
  ...new Map(all.map((values) => [JSON.stringify(values), values])).values(),
];
