/** What is measured of a service's versions, for one kind of change: how attempts ended that met each of them, over all time, by window of the
 *  results, and as roll-outs get to see it: scraped at intervals and seen with delay.
 *
 *  Counted at the callers, by the group of instances that an attempt went to, or by the configuration of the host that it met; so what never
 *  reached an instance counts, too. Cancelled attempts say nothing about anybody. */
import type { Ms } from '../../core/time.ts';
import { type Outcome, outcomes } from '../../policies/balancing/balancer.ts';
import type { MetricQuery } from '../../policies/rollout/strategies/rollout.ts';
import { Histogram } from '../../stats/histogram.ts';
import type { RolloutKind, VersionTraffic } from '../../stats/result.ts';

/** Coarser than those of reports: readings are taken often. 6 %. */
const READING_BITS = 4;
/** Readings are kept so long, or for the longest window that was ever asked for. */
const KEPT_MS: Ms = 600_000;
const NOBODY = -1;

/** Counters at one moment. */
interface Reading {
  readonly atMs: Ms;
  readonly requests: number;
  readonly failed: number;
  /** Of those that ended well since the reading before. */
  readonly latencies: Histogram;
}

/** Instances, or hosts, that are measured together. */
interface Group {
  readonly name: string;
  /** Index into the versions. */
  readonly version: number;
  requests: number;
  failed: number;
  /** Since the last reading. */
  latencies: Histogram;
  readings: Reading[];
}

interface Total {
  requests: number;
  failed: number;
  readonly latencies: Histogram;
}

export interface TrackOptions {
  readonly service: string;
  readonly kind: RolloutKind;
  readonly versions: readonly string[];
  /** Places of the service's instances, and clients of the world. */
  readonly instances: number;
  readonly clients: number;
  /** A scrape is seen so long after it was taken. */
  readonly delayMs: Ms;
}

export class VersionTrack {
  private readonly options: TrackOptions;
  private readonly groups: Group[];
  /** Group of the instance in each place, and of each client; NOBODY where there is none, or where it does not matter. */
  private readonly byInstance: Int32Array;
  private readonly byClient: Int32Array;
  // By version; in the windows so far, and in the one under way.
  private readonly requests: number[][];
  private readonly failed: number[][];
  private readonly hosts: number[][];
  private readonly nowRequests: Float64Array;
  private readonly nowFailed: Float64Array;
  private readonly totals: readonly Total[];
  private longestMs: Ms;
  /** Whether more than one version is exposed: then totals count. */
  isExposed: boolean;

  constructor(options: TrackOptions) {
    const { versions, instances, clients } = options;
    this.options = options;
    this.groups = [];
    this.byInstance = new Int32Array(instances).fill(NOBODY);
    this.byClient = new Int32Array(clients).fill(NOBODY);
    this.requests = versions.map(() => []);
    this.failed = versions.map(() => []);
    this.hosts = versions.map(() => []);
    this.nowRequests = new Float64Array(versions.length);
    this.nowFailed = new Float64Array(versions.length);
    this.totals = versions.map(() => ({ requests: 0, failed: 0, latencies: new Histogram() }));
    this.longestMs = KEPT_MS;
    this.isExposed = false;
  }

  /** The instance in this place belongs to a group from now on. */
  setInstance(slot: number, name: string, version: string, nowMs: Ms): void {
    this.byInstance[slot] = this.groupNumber(name, version, nowMs);
  }

  setClient(client: number, version: string, nowMs: Ms): void {
    this.byClient[client] = this.groupNumber(version, version, nowMs);
  }

  /** Index of the version that an attempt of this client at this instance meets; -1 for none. Where both have one it is the client's. */
  met(client: number, slot: number): number {
    const group = this.groupOf(client, slot);
    return group === NOBODY ? NOBODY : this.groups[group].version;
  }

  attemptEnded(client: number, slot: number, outcome: Outcome, latencyMs: Ms): void {
    const number = this.groupOf(client, slot);
    if (number === NOBODY || outcome === outcomes.cancelled) return;
    const group = this.groups[number];
    const { version } = group;
    const total = this.totals[version];
    group.requests++;
    this.nowRequests[version]++;
    if (this.isExposed) total.requests++;
    if (outcome === outcomes.ok) {
      group.latencies.record(latencyMs);
      if (this.isExposed) total.latencies.record(latencyMs);
      return;
    }
    group.failed++;
    this.nowFailed[version]++;
    if (this.isExposed) total.failed++;
  }

  /** Of a request that was copied to the instance: roll-outs see it, users do not. */
  copyEnded(slot: number, outcome: Outcome, latencyMs: Ms): void {
    const number = this.byInstance[slot];
    if (number === NOBODY) return;
    const group = this.groups[number];
    group.requests++;
    if (outcome === outcomes.ok) group.latencies.record(latencyMs);
    else group.failed++;
  }

  scrape(nowMs: Ms): void {
    for (const group of this.groups) {
      const { requests, failed, latencies, readings } = group;
      readings.push({ atMs: nowMs, requests, failed, latencies });
      group.latencies = new Histogram(READING_BITS);
      // One that is older than any window has to stay, to be compared with.
      while (readings.length > 2 && readings[1].atMs < nowMs - this.options.delayMs - this.longestMs) readings.shift();
    }
  }

  /** Undefined while there is no scrape to see, and where nothing ended there is no rate and no latency. */
  metric({ name, group: groupName, windowMs }: MetricQuery, nowMs: Ms): number | undefined {
    this.longestMs = Math.max(this.longestMs, windowMs);
    const group = this.groups.find((each) => each.name === groupName);
    const seen = group?.readings.findLastIndex(({ atMs }) => atMs + this.options.delayMs <= nowMs) ?? -1;
    // The first is from before there was anything.
    if (group === undefined || seen < 1) return undefined;
    const { readings } = group;
    const now = readings[seen];
    const first = Math.max(
      0,
      readings.findLastIndex(({ atMs }, index) => index < seen && atMs <= now.atMs - windowMs),
    );
    const then = readings[first];
    const requests = now.requests - then.requests;
    const failed = now.failed - then.failed;
    if (name === 'requests') return requests;
    if (name === 'errors') return failed;
    if (name === 'error-rate') return requests > 0 ? failed / requests : undefined;
    const quantile = /^latency\.p(\d{1,2})$/.exec(name)?.[1];
    if (quantile === undefined) return undefined;
    const latencies = new Histogram(READING_BITS);
    for (const reading of readings.slice(first + 1, seen + 1)) latencies.merge(reading.latencies);
    return latencies.count === 0 ? undefined : latencies.quantile(Number(quantile) / 100);
  }

  /** How many hosts have each version at the end of the window. */
  closeWindow(hosts: readonly number[]): void {
    this.options.versions.forEach((_, version) => {
      this.requests[version].push(this.nowRequests[version]);
      this.failed[version].push(this.nowFailed[version]);
      this.hosts[version].push(hosts[version]);
    });
    this.nowRequests.fill(0);
    this.nowFailed.fill(0);
  }

  result(): VersionTraffic {
    const { service, kind, versions } = this.options;
    const { requests, failed, hosts } = this;
    const totals = this.totals.map(({ latencies, ...counts }) => {
      return { ...counts, p50: latencies.quantile(0.5), p99: latencies.quantile(0.99) };
    });
    return { service, kind, versions, requests, failed, hosts, totals };
  }

  private groupOf(client: number, slot: number): number {
    const own = this.byClient[client];
    return own === NOBODY ? this.byInstance[slot] : own;
  }

  private groupNumber(name: string, version: string, nowMs: Ms): number {
    const known = this.groups.findIndex((group) => group.name === name);
    if (known >= 0) return known;
    const latencies = new Histogram(READING_BITS);
    const readings = [{ atMs: nowMs, requests: 0, failed: 0, latencies: new Histogram(READING_BITS) }];
    return (
      this.groups.push({ name, version: this.options.versions.indexOf(version), requests: 0, failed: 0, latencies, readings }) - 1
    );
  }
}
