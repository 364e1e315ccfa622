/** Numbers out of a histogram, by their names in the glossary. */
import type { Histogram } from '../stats/histogram.ts';

const quantiles = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, 'p99.9': 0.999, 'p99.99': 0.9999 } as const;

export function histogramMetrics(family: string, histogram: Histogram): Record<string, number> {
  const isEmpty = histogram.count === 0;
  const metrics: Record<string, number> = { [`${family}.mean`]: isEmpty ? NaN : histogram.mean() };
  for (const [name, p] of Object.entries(quantiles)) metrics[`${family}.${name}`] = isEmpty ? NaN : histogram.quantile(p);
  metrics[`${family}.max`] = isEmpty ? NaN : histogram.max;
  return metrics;
}
