/** A gate's estimates for github-action-benchmark, which draws them over commits: the form of `customSmallerIsBetter`, so numbers of which
 *  more is better are turned around (failures instead of availability) or left out. */
import { findMetric } from '../../core/metrics.ts';
import type { GateReport } from '../../gate/report.ts';
import { forTerminal } from '../plain-text.ts';

const headlines = ['latency.mean', 'latency.p50', 'latency.p99', 'latency.p99.9', 'availability'] as const;

export function gateBenchmark(report: GateReport): string {
  const points = report.scenarios.flatMap(({ name, variants, seeds, replay }) =>
    variants.flatMap(({ label, metrics }) =>
      headlines.flatMap((metric) => {
        const found = metrics[metric];
        if (found === undefined || !Number.isFinite(found.mean)) return [];
        const isShare = metric === 'availability';
        const value = isShare ? (1 - found.mean) * 100 : found.mean;
        const half = ((found.high - found.low) / 2) * (isShare ? 100 : 1);
        return [
          {
            name: forTerminal(`${name} / ${label} / ${isShare ? 'failed requests' : metric}`),
            unit: isShare ? '%' : (findMetric(metric)?.unit ?? ''),
            value: Number(value.toPrecision(9)),
            ...(Number.isFinite(half) ? { range: `± ${Number(half.toPrecision(3))}` } : {}),
            extra: `${seeds} seeds\n${forTerminal(replay)}`,
          },
        ];
      }),
    ),
  );
  return `${JSON.stringify(points, null, 2)}\n`;
}
