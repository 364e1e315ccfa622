/** What autoscalers and alarms get to see: measurements taken at intervals, averaged over a window, seen with delay, lost now and then.
 *  An instance has none until it has been up for a whole window, and none while it is down. */
import type { KeyedDraws, Streams } from '../../core/streams.ts';
import type { Ms } from '../../core/time.ts';
import { priorities } from '../../engine/index.ts';
import type { MetricSample, ReplicaPhase, ReplicaSample, ScaleObservation } from '../../policies/autoscaling/autoscaler.ts';
import type { PipelineSpec } from '../../scenario/spec.ts';
import type { Histogram } from '../../stats/histogram.ts';
import type { Fleet } from '../fleet.ts';
import type { Servers } from '../servers.ts';
import type { Errands } from './errands.ts';
import { podStates, type Pods } from './pods.ts';
import type { ServiceMeters } from './service-meters.ts';

const MS_PER_SECOND = 1000;
const MILLI = 1000;

/** Counters at one moment. */
interface Reading {
  readonly atMs: Ms;
  readonly begun: number;
  readonly ok: number;
  readonly failed: number;
  readonly area: number;
  /** By index within the service. */
  readonly busyArea: Float64Array;
  readonly served: Float64Array;
  readonly isUp: Uint8Array;
  /** Latencies since the reading before. */
  readonly latencies: Histogram;
}

type Values = Readonly<Record<string, number>>;

/** What a scrape found. */
interface Scrape {
  readonly atMs: Ms;
  readonly windowMs: Ms;
  /** By index within the service; undefined where nothing was found. */
  readonly replicas: readonly (Values | undefined)[];
  readonly service: Values;
}

export interface PipelineParts {
  readonly errands: Errands;
  readonly fleet: Fleet;
  readonly servers: Servers;
  readonly meters: ServiceMeters;
  readonly pods: Pods;
  readonly spec: PipelineSpec;
  readonly streams: Streams;
  /** Messages waiting in each queue, by name. */
  queueDepths(): Values;
}

export class MetricsPipeline {
  private readonly parts: PipelineParts;
  private readonly draws: KeyedDraws;
  /** By service: readings of a window back, oldest first; and scrapes not yet too old to be seen. */
  private readonly readings: Reading[][];
  private readonly scrapes: Scrape[][];
  private readonly depths: { readonly atMs: Ms; readonly values: Values }[];
  private count: number;
  private outages: number;
  /** Told after each scrape. */
  readonly listeners: (() => void)[];

  constructor(parts: PipelineParts) {
    this.parts = parts;
    this.draws = parts.streams.keyed('metrics/missing');
    this.readings = parts.fleet.services.map((_, service) => [this.read(service)]);
    this.scrapes = parts.fleet.services.map(() => []);
    this.depths = [];
    this.count = 0;
    this.outages = 0;
    this.listeners = [];
    const { scrapeMs } = parts.spec;
    // Before anybody decides at the same instant.
    parts.errands.every(scrapeMs, scrapeMs, () => this.scrape(), priorities.fault);
  }

  /** Nothing is measured or seen until as many outages are over. */
  setOutage(begins: boolean): void {
    this.outages += begins ? 1 : -1;
  }

  /** A metric of a service as it is seen now; undefined when there is none. */
  metric(service: number, name: string): MetricSample | undefined {
    if (this.outages > 0) return undefined;
    if (name.startsWith('queue/')) {
      const depths = this.depths.findLast(({ atMs }) => this.isSeen(atMs));
      const value = depths?.values[name.slice('queue/'.length)];
      return depths === undefined || value === undefined ? undefined : { value, atMs: depths.atMs, windowMs: 0 };
    }
    const scrape = this.seen(service);
    return scrape && sampleOf(scrape, scrape.service, name);
  }

  /** What the latest scrape found of each replica. */
  latest(service: number): { index: number; atMs: Ms; windowMs: Ms; values: Values }[] {
    const scrape = this.scrapes[service].at(-1);
    if (scrape === undefined || scrape.atMs !== this.parts.errands.nowMs) return [];
    const { atMs, windowMs, replicas } = scrape;
    return replicas.flatMap((values, index) => (values === undefined ? [] : [{ index, atMs, windowMs, values }]));
  }

  /** What an autoscaler is shown. `directly`: those that measure by themselves, since their last look, pass by the pipeline. */
  observe(
    service: number,
    counts: { readonly specReplicas: number; readonly statusReplicas: number; readonly readyReplicas: number },
    directly?: DirectMeter,
  ): ScaleObservation {
    const { nowMs } = this.parts.errands;
    const direct = this.outages === 0 ? directly?.read() : undefined;
    return {
      nowMs,
      ...counts,
      replicas: this.replicas(service),
      metric: (name) => {
        if (direct !== undefined && name in direct.values && this.outages === 0) {
          return { value: direct.values[name], atMs: nowMs, windowMs: direct.windowMs };
        }
        return this.metric(service, name);
      },
    };
  }

  private replicas(service: number): ReplicaSample[] {
    const { fleet, pods } = this.parts;
    const scrape = this.outages > 0 ? undefined : this.seen(service);
    const { cpu, memory } = fleet.services[service].elastic;
    const samples: ReplicaSample[] = [];
    for (let instance = fleet.base[service]; instance < fleet.base[service + 1]; instance++) {
      const state = pods.state[instance];
      if (state === podStates.empty) continue;
      const values = scrape?.replicas[instance - fleet.base[service]];
      const hasReported = pods.hasReported[instance] === 1;
      const startedAtMs = Number.isNaN(pods.startedMs[instance]) ? undefined : pods.startedMs[instance];
      samples.push({
        replica: instance - fleet.base[service],
        phase: phaseOf(state),
        isReady: state === podStates.starting || hasReported ? state === podStates.ready : undefined,
        startedAtMs,
        readyChangedAtMs: hasReported ? pods.readyChangedMs[instance] : startedAtMs,
        isDeleting: state === podStates.leaving,
        request: (resource) => (resource === 'cpu' ? cpu / MILLI : resource === 'memory' && memory > 0 ? memory : undefined),
        metric: (name) => scrape && values && sampleOf(scrape, values, name),
      });
    }
    return samples;
  }

  private scrape(): void {
    const { errands, fleet, spec } = this.parts;
    if (this.outages === 0) {
      const number = this.count++;
      for (let service = 0; service < fleet.services.length; service++) this.scrapeService(service, number);
      this.depths.push({ atMs: errands.nowMs, values: this.parts.queueDepths() });
      const isOld = ({ atMs }: { readonly atMs: Ms }): boolean => atMs < errands.nowMs - spec.delayMs - 2 * spec.scrapeMs;
      while (this.depths.length > 1 && isOld(this.depths[0])) this.depths.shift();
      for (const scrapes of this.scrapes) while (scrapes.length > 1 && isOld(scrapes[0])) scrapes.shift();
    }
    for (const listener of this.listeners) listener();
  }

  private scrapeService(service: number, number: number): void {
    const { fleet, spec } = this.parts;
    const readings = this.readings[service];
    const now = this.read(service);
    readings.push(now);
    // The latest reading that is a window old, or the first there is.
    while (readings.length > 2 && readings[1].atMs <= now.atMs - spec.windowMs) readings.shift();
    const [then] = readings;
    const windowMs = now.atMs - then.atMs;
    const { cpuLimit, cpu, memoryBase, memoryPerRequest } = fleet.services[service].elastic;
    let used = 0;
    let reserved = 0;
    let busyMs = 0;
    let served = 0;
    const replicas = Array.from(now.isUp, (isUp, index): Values | undefined => {
      const instance = fleet.base[service] + index;
      // Up all the while, as far as one can tell from the readings.
      const wasUp = readings.every((reading) => reading.isUp[index] === 1);
      const busy = now.busyArea[index] - then.busyArea[index];
      busyMs += busy;
      served += now.served[index] - then.served[index];
      if (isUp === 0 || !wasUp || this.draws.unit(instance, number) < spec.missing) return undefined;
      const cores = (busy / (windowMs * fleet.slots(instance))) * (cpuLimit / MILLI);
      used += cores;
      reserved += cpu / MILLI;
      const memory = memoryBase + memoryPerRequest * fleet.present[instance];
      return {
        cpu: cores,
        concurrency: fleet.present[instance],
        'requests-per-second': ((now.served[index] - then.served[index]) * MS_PER_SECOND) / windowMs,
        ...(Number.isNaN(memory) ? {} : { memory }),
      };
    });
    const ended = now.ok - then.ok + now.failed - then.failed;
    const latencies = readings.slice(1).map((reading) => reading.latencies);
    this.scrapes[service].push({
      atMs: now.atMs,
      windowMs,
      replicas,
      service: {
        concurrency: (now.area - then.area) / windowMs,
        'requests-per-second': ((now.begun - then.begun) * MS_PER_SECOND) / windowMs,
        ...(reserved > 0 ? { utilization: used / reserved } : {}),
        ...(served > 0 ? { 'service-time': busyMs / served } : {}),
        ...(ended > 0 ? { 'error-rate': (now.failed - then.failed) / ended } : {}),
        ...quantilesOf(latencies),
      },
    });
  }

  private read(service: number): Reading {
    const { errands, fleet, servers, meters } = this.parts;
    const first = fleet.base[service];
    const end = fleet.base[service + 1];
    for (let instance = first; instance < end; instance++) fleet.settle(instance);
    return {
      atMs: errands.nowMs,
      begun: meters.begun[service],
      ok: meters.ok[service],
      failed: meters.failed[service],
      area: meters.area(service),
      busyArea: fleet.busyArea.slice(first, end),
      served: fleet.served.slice(first, end),
      isUp: Uint8Array.from({ length: end - first }, (_, index) => (servers.isUp(first + index) ? 1 : 0)),
      latencies: meters.takeLatencies(service),
    };
  }

  private seen(service: number): Scrape | undefined {
    return this.scrapes[service].findLast(({ atMs }) => this.isSeen(atMs));
  }

  private isSeen(atMs: Ms): boolean {
    return atMs + this.parts.spec.delayMs <= this.parts.errands.nowMs;
  }
}

/** For those who ask every instance by themselves: averages since the last look. */
export class DirectMeter {
  private readonly errands: Errands;
  private readonly meters: ServiceMeters;
  private readonly service: number;
  private lastMs: Ms;
  private area: number;
  private begun: number;
  private latest: { readonly windowMs: Ms; readonly values: Values } | undefined;

  constructor(errands: Errands, meters: ServiceMeters, service: number) {
    this.errands = errands;
    this.meters = meters;
    this.service = service;
    this.lastMs = errands.nowMs;
    this.area = meters.area(service);
    this.begun = meters.begun[service];
    this.latest = undefined;
  }

  /** Takes a reading; `read` shows it until the next. */
  take(): void {
    const { nowMs } = this.errands;
    const windowMs = nowMs - this.lastMs;
    if (windowMs <= 0) return;
    const area = this.meters.area(this.service);
    const begun = this.meters.begun[this.service];
    this.latest = {
      windowMs,
      values: {
        concurrency: (area - this.area) / windowMs,
        'requests-per-second': ((begun - this.begun) * MS_PER_SECOND) / windowMs,
      },
    };
    this.lastMs = nowMs;
    this.area = area;
    this.begun = begun;
  }

  read(): { readonly windowMs: Ms; readonly values: Values } | undefined {
    return this.latest;
  }
}

function sampleOf({ atMs, windowMs }: Scrape, values: Values, name: string): MetricSample | undefined {
  return Object.hasOwn(values, name) ? { value: values[name], atMs, windowMs } : undefined;
}

/** Of several histograms together. */
function quantilesOf(histograms: readonly Histogram[]): Values {
  const [first, ...others] = histograms;
  if (first === undefined) return {};
  // The readings keep theirs: they belong to later windows, too.
  const all = first.copy();
  for (const other of others) all.merge(other);
  return all.count === 0 ? {} : { 'latency.p50': all.quantile(0.5), 'latency.p99': all.quantile(0.99) };
}

function phaseOf(state: number): ReplicaPhase {
  return state === podStates.pending ? 'pending' : 'running';
}
