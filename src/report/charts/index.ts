/** Every chart of a report, in reading order: did it come back, is the difference real, who noticed the faults, who met a new version, when
 *  did it hurt, how bad is the tail, did capacity follow, who carried the load, what did the slow requests do. The key is the file name. */
import type { RunFile, VariantChange, VariantElastic } from '../../lab/types.ts';
import type { Waterfall } from '../../stats/result.ts';
import { formatPercent } from '../format.ts';
import { forTerminal } from '../plain-text.ts';
import { anyRetry, attemptsOverTime } from './attempts-over-time.ts';
import { anyFailure, availabilityOverTime } from './availability-over-time.ts';
import { alarmTimeline, anyAlarm } from './alarm-timeline.ts';
import { anyBelief, beliefTimeline } from './belief-timeline.ts';
import { budgetBurn, spendsBudget } from './budget-burn.ts';
import { detectionFrontier, severalDetectors } from './detection-frontier.ts';
import { anyCanary, canary } from './canary.ts';
import { anyComparison, forest } from './forest.ts';
import { hasBusyShares, instanceHeatmap } from './instance-heatmap.ts';
import { hasSeries, latencyOverTime } from './latency-over-time.ts';
import { anyLeader, leaders } from './leaders.ts';
import { loadOverTime } from './load-over-time.ts';
import { loadSpread, severalInstances } from './load-spread.ts';
import { loadSweep, severalLoads } from './load-sweep.ts';
import { anyNode, nodeMap } from './node-map.ts';
import { atOneLoad, shownLoad } from './one-load.ts';
import { pareto, severalCosts } from './pareto.ts';
import { perSeed, severalSeeds } from './per-seed.ts';
import { anyQueue, queuesOverTime } from './queues-over-time.ts';
import { anyRecovery, recovery } from './recovery.ts';
import { anyReplica, replicas } from './replicas.ts';
import type { ChartSpec } from './spec.ts';
import { anyVersion, trafficByVersion } from './traffic-by-version.ts';
import { anyHost, versionMap } from './version-map.ts';
import { hasLatencies, latencyPercentiles, latencySurvival } from './tail-curves.ts';
import { maxWaterfalls, pickedWaterfalls, waterfall } from './waterfall.ts';

export interface Chart {
  /** Heading in a report; the chart's own title is its finding. */
  readonly title: string;
  /** Whether the run has something to show in it. */
  when(run: RunFile): boolean;
  spec(run: RunFile): ChartSpec;
}

const waterfallChart = (at: number): [string, Chart] => [
  `waterfall-${at + 1}`,
  {
    title: 'A slow request',
    when: (run) => pickedWaterfalls(run).length > at,
    spec: (run) => waterfall(run, at),
  },
];

/** Of all loads of a sweep. */
const overLoads: Record<string, Chart> = {
  'load-sweep': { title: 'Over loads', when: severalLoads, spec: loadSweep },
  forest: { title: 'Differences to the baseline', when: anyComparison, spec: forest },
};

const chartTable: Record<string, Chart> = {
  recovery: { title: 'After the trigger', when: anyRecovery, spec: recovery },
  'per-seed': { title: 'Every seed', when: severalSeeds, spec: (run) => perSeed(run) },
  'belief-timeline': { title: 'Truth and belief', when: anyBelief, spec: beliefTimeline },
  'detection-frontier': { title: 'Time to notice and mistakes', when: severalDetectors, spec: detectionFrontier },
  alarms: { title: 'Faults and alarms', when: anyAlarm, spec: alarmTimeline },
  'traffic-by-version': { title: 'Requests by version', when: anyVersion, spec: trafficByVersion },
  canary: { title: 'Versions against each other', when: anyCanary, spec: canary },
  'version-map': { title: 'Versions of instances and hosts', when: anyHost, spec: versionMap },
  leaders: { title: 'Leading controllers', when: anyLeader, spec: leaders },
  'latency-over-time': { title: 'Latency over time', when: (run) => hasSeries(run, 'latencyP99'), spec: latencyOverTime },
  'availability-over-time': { title: 'Availability over time', when: anyFailure, spec: availabilityOverTime },
  'budget-burn': { title: 'Burn rate of the error budget', when: spendsBudget, spec: budgetBurn },
  'load-over-time': { title: 'Offered load and goodput', when: (run) => hasSeries(run, 'offered'), spec: loadOverTime },
  'attempts-over-time': { title: 'Attempts per request over time', when: anyRetry, spec: attemptsOverTime },
  replicas: { title: 'Needed, desired and ready instances', when: anyReplica, spec: replicas },
  pareto: { title: 'Cost and tail latency', when: severalCosts, spec: pareto },
  nodes: { title: 'Nodes over time', when: anyNode, spec: nodeMap },
  'queues-over-time': { title: 'Queues of messages over time', when: anyQueue, spec: queuesOverTime },
  'latency-survival': { title: 'Tail of the latency', when: hasLatencies, spec: (run) => latencySurvival(run) },
  'latency-percentiles': { title: 'Latency by percentile', when: hasLatencies, spec: latencyPercentiles },
  'instance-heatmap': { title: 'Busy instances', when: hasBusyShares, spec: instanceHeatmap },
  'load-spread': { title: 'Load per instance', when: severalInstances, spec: loadSpread },
  ...Object.fromEntries(Array.from({ length: maxWaterfalls }, (_, at) => waterfallChart(at))),
};

export const charts: Readonly<Record<string, Chart>> = {
  ...mapCharts(overLoads, ({ title, when, spec }) => ({ title, when, spec: (run) => spec(withPlainNames(run)) })),
  ...mapCharts(chartTable, ({ title, when, spec }) => ({
    title,
    when: (run) => when(atOneLoad(run)),
    spec: (run) => withLoad(spec(withPlainNames(atOneLoad(run))), shownLoad(run)),
  })),
};

function mapCharts(table: Record<string, Chart>, change: (chart: Chart) => Chart): Record<string, Chart> {
  return Object.fromEntries(Object.entries(table).map(([name, each]) => [name, change(each)]));
}

/** Says in which load of a sweep this is. */
function withLoad(spec: ChartSpec, load: number | null): ChartSpec {
  if (load === null) return spec;
  const title = spec.title as { readonly subtitle: readonly string[] };
  const note = `At load ${formatPercent(load)}, one of those of the sweep.`;
  return {
    ...spec,
    description: `${String(spec.description)} ${note}`,
    title: { ...title, subtitle: [...title.subtitle, note] },
  };
}

/** Names without control characters, which are not allowed in SVG. */
export function withPlainNames(run: RunFile): RunFile {
  return {
    ...run,
    variants: run.variants.map((variant) => ({
      ...variant,
      label: forTerminal(variant.label),
      group: forTerminal(variant.group),
      queues: variant.queues.map((queue) => ({ ...queue, name: forTerminal(queue.name) })),
      waterfalls: variant.waterfalls.map(plainWaterfall),
      availability: {
        ...variant.availability,
        faults: variant.availability.faults.map((fault) => ({ ...fault, label: forTerminal(fault.label) })),
      },
      beliefs: variant.beliefs.map((belief) => ({ ...belief, instance: forTerminal(belief.instance) })),
      elastic: plainElastic(variant.elastic),
      change: plainChange(variant.change),
      alarms: variant.alarms.map((change) => ({ ...change, service: forTerminal(change.service) })),
      truth: variant.truth.map((span) => ({ ...span, instance: forTerminal(span.instance), what: forTerminal(span.what) })),
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
    crossings: run.crossings.map((each) => ({ ...each, sentence: forTerminal(each.sentence) })),
    expectations: run.expectations.map((each) => ({ ...each, variant: forTerminal(each.variant), text: forTerminal(each.text) })),
    faults: run.faults.map((fault) => ({ ...fault, label: forTerminal(fault.label) })),
  };
}

const plainElastic = (found: VariantElastic | null): VariantElastic | null =>
  found && {
    services: found.services.map((service) => ({ ...service, name: forTerminal(service.name) })),
    changes: found.changes.map((change) => ({
      ...change,
      service: forTerminal(change.service),
      reason: forTerminal(change.reason),
    })),
    nodes: found.nodes.map((node) => ({
      ...node,
      id: forTerminal(node.id),
      zone: forTerminal(node.zone),
      spans: node.spans.map((span) => ({ ...span, end: forTerminal(span.end) })),
    })),
  };

const plainChange = (found: VariantChange | null): VariantChange | null =>
  found && {
    rollouts: found.rollouts.map((rollout) => ({
      ...rollout,
      service: forTerminal(rollout.service),
      from: forTerminal(rollout.from),
      to: forTerminal(rollout.to),
    })),
    traffic: found.traffic.map((each) => ({
      ...each,
      service: forTerminal(each.service),
      versions: each.versions.map((version) => forTerminal(version)),
    })),
    phases: found.phases.map((phase) => ({
      ...phase,
      service: forTerminal(phase.service),
      phase: forTerminal(phase.phase),
      reason: forTerminal(phase.reason),
    })),
    hosts: found.hosts.map((each) => ({ ...each, host: forTerminal(each.host), version: forTerminal(each.version) })),
    leaders: found.leaders.map((span) => ({ ...span, controller: forTerminal(span.controller) })),
  };

const plainWaterfall = (found: Waterfall): Waterfall => ({
  ...found,
  edge: forTerminal(found.edge),
  class: forTerminal(found.class),
  spans: found.spans.map((span) => ({ ...span, what: forTerminal(span.what) })),
});
