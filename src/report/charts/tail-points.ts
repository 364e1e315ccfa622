/** The survival curve of a histogram with as many points as a picture can show. */
import { survival } from '../../stats/survival.ts';
import type { HistogramData } from '../../stats/histogram-data.ts';

export interface TailPoint {
  readonly latencyMs: number;
  /** Share of requests that took longer; never 0, because a logarithm is taken of it. */
  readonly above: number;
}

/** At most about `maxPoints`, spaced evenly to the eye on logarithmic axes; the first and the last are always there. */
export function tailPoints(histogram: HistogramData, maxPoints = 200): TailPoint[] {
  const all = survival(histogram).flatMap(({ value, share }) =>
    value > 0 && share > 0 ? [{ latencyMs: value, above: share }] : [],
  );
  let step = 1.01;
  let points = thin(all, step);
  while (points.length > maxPoints) {
    step = 1 + (step - 1) * 1.5;
    points = thin(all, step);
  }
  return points;
}

/** Keeps a point when it is a step away from the last one kept, in either direction. */
function thin(points: readonly TailPoint[], step: number): TailPoint[] {
  const kept: TailPoint[] = [];
  points.forEach((point, index) => {
    const last = kept.at(-1);
    const isEnd = index === points.length - 1;
    if (last === undefined || isEnd || point.latencyMs >= last.latencyMs * step || point.above <= last.above / step)
      kept.push(point);
  });
  return kept;
}
