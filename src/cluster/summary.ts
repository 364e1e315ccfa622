/** From a finished world to its result: every metric of the glossary, the ledger, series, and the digest over all of it. */
import type { Engine } from '../engine/index.ts';
import type { RunSpec, Scenario } from '../scenario/spec.ts';
import {
  type CellResult,
  type Decision,
  failureBuckets,
  type InstanceData,
  type Ledger,
  seriesColumns,
} from '../stats/result.ts';
import { invariant } from '../core/errors.ts';
import type { Ms } from '../core/time.ts';
import { changeMetrics, scalingMetrics } from '../core/metrics.ts';
import type { ControlPlane } from './control-plane.ts';
import type { Calls } from './calls.ts';
import type { Changes } from './change/changes.ts';
import type { DetectionQuality } from './detection-quality.ts';
import { Digest } from './digest.ts';
import type { Fleet } from './fleet.ts';
import type { Gateway } from './gateway.ts';
import type { InstanceSeries } from './instance-series.ts';
import type { Messages } from './messages.ts';
import { histogramMetrics } from './metrics.ts';
import { type Recorder } from './recorder.ts';
import { ARRIVAL_MS, type RequestTable } from './request-table.ts';
import type { Orchestrator } from './orchestration/orchestrator.ts';
import type { Servers } from './servers.ts';
import type { Transport } from './transport.ts';
import { viewResults } from './view-results.ts';
import type { Views } from './views.ts';

export interface FinishedWorld {
  readonly variant: number;
  readonly seed: string;
  readonly run: RunSpec;
  readonly engine: Engine;
  readonly fleet: Fleet;
  readonly requests: RequestTable;
  readonly recorder: Recorder;
  readonly servers: Servers;
  readonly controlPlane: ControlPlane;
  readonly instanceSeries: InstanceSeries;
  /** Since warm-up. */
  readonly probesSent: number;
  readonly quality: DetectionQuality;
  /** Heartbeats and health checks since warm-up. */
  readonly controlMessages: number;
  readonly decisions: readonly Decision[];
  readonly littleResidual: number;
  readonly scenario: Omit<Scenario, 'variants'>;
  readonly gateway: Gateway;
  readonly views: Views | undefined;
  readonly calls: Calls | undefined;
  readonly messages: Messages | undefined;
  readonly transport: Transport;
  readonly orchestrator: Orchestrator | undefined;
  readonly changes: Changes | undefined;
}

const MS_PER_SECOND = 1000;
const isOfScaling = new Set(scalingMetrics);
const isOfChange = new Set(changeMetrics);
const noChange = Object.fromEntries(changeMetrics.map((name) => [name, NaN]));
const noScaling = Object.fromEntries(scalingMetrics.map((name) => [name, NaN]));

export function summarize(world: FinishedWorld): CellResult {
  const { engine, fleet, recorder, run, scenario, servers } = world;
  recorder.close();
  servers.settleUp();
  for (let instance = 0; instance < fleet.count; instance++) fleet.settle(instance);
  const ledger = closeLedger(world);
  const measuredMs = run.durationMs - run.warmupMs;
  const instances = instanceData(world, measuredMs);
  const metrics = { ...requestMetrics(world, ledger, measuredMs), ...fleetMetrics(world, instances, measuredMs) };
  const latency = recorder.latencyData();
  const wait = recorder.waitData();
  const series = recorder.series();
  const views = viewResults(world, instances);
  const digest = new Digest().number(engine.trace.digest()).number(engine.events);
  // Where nothing comes and goes, there are no numbers about that.
  const metricsKept = Object.entries(metrics).filter(
    ([name]) =>
      (world.orchestrator !== undefined || !isOfScaling.has(name)) && (scenario.changes !== undefined || !isOfChange.has(name)),
  );
  digest
    .numbers(metricsKept.map(([, value]) => value))
    .numbers(latency.counts)
    .numbers(wait.counts);
  for (const column of seriesColumns) digest.numbers(series.columns[column]);
  for (const view of views) digest.numbers(Object.values(view.metrics)).numbers(view.latency.counts);
  for (const instance of instances) digest.number(instance.served).numbers(instance.busy);
  return {
    variant: world.variant,
    seed: world.seed,
    ledger,
    metrics,
    latency,
    wait,
    views,
    series,
    instances,
    beliefs: world.controlPlane.beliefs,
    truth: world.quality.truth,
    decisions: world.decisions,
    waterfalls: [],
    queues: world.messages?.results() ?? [],
    elastic: world.orchestrator?.results(run.durationMs) ?? null,
    alarms: world.orchestrator?.alarmChanges ?? [],
    sizes: world.orchestrator?.sizes() ?? [],
    upShares: Array.from(servers.upTimeMs, (time) => time / measuredMs),
    events: engine.events,
    littleResidual: world.littleResidual,
    digest: digest.hex(),
    ...(world.changes === undefined ? {} : { change: world.changes.result() }),
  };
}

function closeLedger({ requests, recorder, run }: FinishedWorld): Ledger {
  let inFlight = 0;
  requests.forEachHeldByClient((request) => {
    if (requests.reals[(request << 3) + ARRIVAL_MS] >= run.warmupMs) inFlight++;
  });
  const ledger = recorder.ledger(inFlight);
  const failed = failureBuckets.reduce((sum, bucket) => sum + ledger.failed[bucket], 0);
  invariant(
    ledger.offered === ledger.ok + failed + inFlight,
    `the ledger does not balance: ${ledger.offered} offered, ${ledger.ok} ok, ${failed} failed, ${inFlight} in flight`,
  );
  return ledger;
}

function requestMetrics(world: FinishedWorld, ledger: Ledger, measuredMs: number): Record<string, number> {
  const { recorder, run, probesSent } = world;
  const failed = failureBuckets.reduce((sum, bucket) => sum + ledger.failed[bucket], 0);
  const ended = ledger.ok + failed;
  const seconds = measuredMs / MS_PER_SECOND;
  const wait = recorder.waitHistogram();
  return {
    ...histogramMetrics('latency', recorder.latencyHistogram()),
    ...histogramMetrics('wait', wait),
    'wait.share': wait.count > 0 ? recorder.waitShare() : NaN,
    availability: ended > 0 ? ledger.ok / ended : NaN,
    goodput: recorder.okSinceWarmup() / seconds,
    offered: ledger.offered / seconds,
    ...Object.fromEntries(
      failureBuckets.map((bucket) => [`failures.${bucket}`, ended > 0 ? ledger.failed[bucket] / ended : NaN]),
    ),
    'inSystem.mean': recorder.meanInSystem(run.durationMs),
    degraded: ledger.ok > 0 ? ledger.degraded / ledger.ok : NaN,
    ...recorder.perRequest(),
    ...partMetrics(world),
    amplification: recorder.amplification(),
    probes: (probesSent * MS_PER_SECOND) / measuredMs,
    ...world.quality.metrics(world.controlMessages),
    ...scalingNumbers(world),
    ...(world.changes?.metrics() ?? noChange),
  };
}

/** Also instances that are there for ever have a price. */
function scalingNumbers({ orchestrator, scenario, run }: FinishedWorld): Record<string, number> {
  const numbers = orchestrator?.metrics(run.durationMs) ?? noScaling;
  const priced = scenario.services.filter(
    ({ elastic, initial }) => elastic.price > 0 && (initial === undefined || orchestrator === undefined),
  );
  if (priced.length === 0) return numbers;
  const fixed = priced.reduce((sum, { elastic, instances }) => sum + elastic.price * instances.length, 0);
  return { ...numbers, cost: (numbers['cost'] || 0) + fixed };
}

/** Cached calls and connections of all edges. NaN where there is no such thing. */
function partMetrics({ scenario, calls, transport, run }: FinishedWorld): Record<string, number> {
  let hits = 0;
  let misses = 0;
  let opened = 0;
  let hasPool = false;
  scenario.edges.forEach(({ pool }, edge) => {
    const counts = calls?.cacheCounts(edge);
    hits += counts?.hits ?? 0;
    misses += counts?.misses ?? 0;
    if (pool === undefined) return;
    hasPool = true;
    opened += transport.openedBy(edge);
  });
  return {
    cacheHits: hits + misses > 0 ? hits / (hits + misses) : NaN,
    connections: hasPool ? (opened * MS_PER_SECOND) / (run.durationMs - run.warmupMs) : NaN,
  };
}

function instanceData({ fleet, instanceSeries }: FinishedWorld, measuredMs: number): InstanceData[] {
  return fleet.ids.map((id, instance) => ({
    ...(isElastic(fleet, instance) ? { existedMs: fleet.existedSinceWarmup(instance) } : {}),
    id,
    service: fleet.services[fleet.service[instance]].name,
    zone: fleet.zoneNames[fleet.zone[instance]],
    speed: fleet.baseSpeed[instance],
    served: fleet.servedSinceWarmup(instance),
    utilization: utilizationOf(fleet, instance, measuredMs),
    busy: instanceSeries.busyOf(instance),
    queued: instanceSeries.queuedOf(instance),
  }));
}

const isElastic = (fleet: Fleet, instance: number): boolean => fleet.services[fleet.service[instance]].initial !== undefined;

/** Of the time in which there was an instance. */
function utilizationOf(fleet: Fleet, instance: number, measuredMs: number): number {
  const existedMs = isElastic(fleet, instance) ? fleet.existedSinceWarmup(instance) : measuredMs;
  return existedMs > 0 ? fleet.busyAreaSinceWarmup(instance) / (existedMs * fleet.slots(instance)) : 0;
}

/** As if it had been there all the time. */
const servedPerTime = (served: number, existedMs: Ms, measuredMs: Ms): number =>
  existedMs > 0 ? (served * measuredMs) / existedMs : 0;

function fleetMetrics(
  { fleet, servers }: FinishedWorld,
  instances: readonly InstanceData[],
  measuredMs: number,
): Record<string, number> {
  let slotMs = 0;
  let existingMs = 0;
  let area = 0;
  let utilizationMax = 0;
  let served = 0;
  let servedSquares = 0;
  let servedMax = 0;
  let rates = 0;
  instances.forEach((data, instance) => {
    const existedMs = isElastic(fleet, instance) ? fleet.existedSinceWarmup(instance) : measuredMs;
    existingMs += existedMs;
    slotMs += existedMs * fleet.slots(instance);
    area += fleet.busyAreaSinceWarmup(instance);
    utilizationMax = Math.max(utilizationMax, data.utilization);
    served += data.served;
    // Of those that come and go, by the time in which they were there.
    const rate = data.existedMs === undefined ? data.served : servedPerTime(data.served, data.existedMs, measuredMs);
    rates += rate;
    servedSquares += rate * rate;
    servedMax = Math.max(servedMax, rate);
  });
  // Places that were always empty are no instances.
  const n = instances.filter(({ existedMs = Infinity }) => existedMs > 0).length;
  let up = 0;
  servers.upTimeMs.forEach((time, count) => (up += (time * count) / existingMs));
  return {
    'utilization.mean': area / slotMs,
    'utilization.max': utilizationMax,
    'load.maxOverMean': served > 0 ? (servedMax * n) / rates : NaN,
    'load.jain': served > 0 ? (rates * rates) / (n * servedSquares) : NaN,
    'instances.up': up,
  };
}
