/** Every chart of a report, in reading order: is the difference real, when did it hurt, how bad is the tail, who carried the load.
 *  The key is the file name. */
import type { RunFile } from '../../lab/types.ts';
import { forTerminal } from '../plain-text.ts';
import { anyFailure, availabilityOverTime } from './availability-over-time.ts';
import { anyComparison, forest } from './forest.ts';
import { hasBusyShares, instanceHeatmap } from './instance-heatmap.ts';
import { hasSeries, latencyOverTime } from './latency-over-time.ts';
import { loadOverTime } from './load-over-time.ts';
import { loadSpread, severalInstances } from './load-spread.ts';
import { perSeed, severalSeeds } from './per-seed.ts';
import type { ChartSpec } from './spec.ts';
import { hasLatencies, latencyPercentiles, latencySurvival } from './tail-curves.ts';

export interface Chart {
  /** Heading in a report; the chart's own title is its finding. */
  readonly title: string;
  /** Whether the run has something to show in it. */
  when(run: RunFile): boolean;
  spec(run: RunFile): ChartSpec;
}

const chartTable: Record<string, Chart> = {
  forest: { title: 'Differences to the baseline', when: anyComparison, spec: forest },
  'per-seed': { title: 'Every seed', when: severalSeeds, spec: (run) => perSeed(run) },
  'latency-over-time': { title: 'Latency over time', when: (run) => hasSeries(run, 'latencyP99'), spec: latencyOverTime },
  'availability-over-time': { title: 'Availability over time', when: anyFailure, spec: availabilityOverTime },
  'load-over-time': { title: 'Offered load and goodput', when: (run) => hasSeries(run, 'offered'), spec: loadOverTime },
  'latency-survival': { title: 'Tail of the latency', when: hasLatencies, spec: (run) => latencySurvival(run) },
  'latency-percentiles': { title: 'Latency by percentile', when: hasLatencies, spec: latencyPercentiles },
  'instance-heatmap': { title: 'Busy instances', when: hasBusyShares, spec: instanceHeatmap },
  'load-spread': { title: 'Load per instance', when: severalInstances, spec: loadSpread },
};

export const charts: Readonly<Record<string, Chart>> = Object.fromEntries(
  Object.entries(chartTable).map(([name, { title, when, spec }]) => [
    name,
    { title, when, spec: (run) => spec(withPlainNames(run)) },
  ]),
);

/** Names without control characters, which are not allowed in SVG. */
export function withPlainNames(run: RunFile): RunFile {
  return {
    ...run,
    variants: run.variants.map((variant) => ({
      ...variant,
      label: forTerminal(variant.label),
      instances: variant.instances.map((instance) => ({
        ...instance,
        id: forTerminal(instance.id),
        zone: forTerminal(instance.zone),
      })),
    })),
    comparisons: run.comparisons.map((each) => ({
      ...each,
      variant: forTerminal(each.variant),
      baseline: forTerminal(each.baseline),
    })),
    expectations: run.expectations.map((each) => ({ ...each, variant: forTerminal(each.variant), text: forTerminal(each.text) })),
    faults: run.faults.map((fault) => ({ ...fault, label: forTerminal(fault.label) })),
  };
}
