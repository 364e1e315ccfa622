/** From events to statistics: the ledger, the latency and wait histograms, the time series. Told of every request's arrival and
 *  end; allocates only at the end of a window. */
import type { Ms } from '../core/time.ts';
import type { Engine } from '../engine/index.ts';
import { type RequestResult, RESULTS, results } from '../policies/pipeline/results.ts';
import { Histogram } from '../stats/histogram.ts';
import type { HistogramData } from '../stats/histogram-data.ts';
import type { FailureBucket, Ledger, SeriesColumn, SeriesData } from '../stats/result.ts';
import type { Client } from './client.ts';
import { ARRIVAL_MS, CLIENT, type RequestTable, SINCE_MS } from './request-table.ts';
import type { Views } from './views.ts';
import { WindowLatency } from './window-latency.ts';

export class Recorder {
  offeredAll: number;
  endedAll: number;
  /** Requests that ended well, whenever they arrived. */
  okAll: number;
  /** Messages to instances for requests of the traffic, over the whole run: first tries, retries, hedges. */
  attempts: number;
  /** Of these, retries and hedges since warm-up, counted when the request ends. */
  retries: number;
  hedges: number;
  /** Messages for requests between services. */
  attemptsInside: number;
  /** Of all messages, those that are not the first of their request. */
  repeats: number;
  /** Present when parts of the requests are looked at separately. */
  views: Views | undefined;
  clients: readonly Client[];
  /** Integral of the requests in the system over the whole run, up to the last change. */
  area: number;
  /** Time spent in the system by the requests that have ended. */
  durations: number;
  private readonly clock: Engine;
  private readonly requests: RequestTable;
  private readonly warmupMs: Ms;
  private readonly windowMs: Ms;
  private lastChangeMs: Ms;
  private areaAtWarmup: number;
  private offeredAtWarmup: number;
  private okAtWarmup: number;
  private attemptsAtWarmup: number;
  private insideAtWarmup: number;
  private repeatsAtWarmup: number;
  private readonly results: Float64Array;
  private degraded: number;
  private readonly latency: Histogram;
  private readonly wait: Histogram;
  private noWaits: number;
  // Of the current window; the counts by difference to the last.
  private readonly windowLatency: WindowLatency;
  private offeredBefore: number;
  private endedBefore: number;
  private attemptsBefore: number;
  private readonly columns: Record<SeriesColumn, number[]>;

  /** Times come from the engine and the request table, not as arguments: doubles passed to functions that are not inlined are
   *  boxed. Fields that hold doubles start at −0, which the engine does not take for an integer. */
  constructor(clock: Engine, requests: RequestTable, warmupMs: Ms, windowMs: Ms) {
    this.offeredAll = 0;
    this.endedAll = 0;
    this.okAll = 0;
    this.attempts = 0;
    this.retries = 0;
    this.hedges = 0;
    this.attemptsInside = 0;
    this.repeats = 0;
    this.views = undefined;
    this.clients = [];
    this.area = -0;
    this.durations = -0;
    this.clock = clock;
    this.requests = requests;
    this.warmupMs = warmupMs;
    this.windowMs = windowMs;
    this.lastChangeMs = -0;
    this.areaAtWarmup = -0;
    this.offeredAtWarmup = 0;
    this.okAtWarmup = 0;
    this.attemptsAtWarmup = 0;
    this.insideAtWarmup = 0;
    this.repeatsAtWarmup = 0;
    this.results = new Float64Array(RESULTS);
    this.degraded = 0;
    this.latency = new Histogram();
    this.wait = new Histogram();
    this.noWaits = 0;
    this.windowLatency = new WindowLatency(this.latency);
    this.offeredBefore = 0;
    this.endedBefore = 0;
    this.attemptsBefore = 0;
    this.columns = {
      offered: [],
      ok: [],
      failed: [],
      availability: [],
      latencyP50: [],
      latencyP99: [],
      latencyP999: [],
      inFlight: [],
      attempts: [],
    };
  }

  /** Requests whose client waits. */
  get inSystem(): number {
    return this.offeredAll - this.endedAll;
  }

  offered(): void {
    this.settle();
    this.offeredAll++;
  }

  /** An attempt leaves its client; `ordinal` is 0 for the first of its request. */
  sent(isInternal: boolean, ordinal: number): void {
    if (isInternal) this.attemptsInside++;
    else this.attempts++;
    if (ordinal > 0) this.repeats++;
  }

  startedAtOnce(request: number): void {
    if (this.views !== undefined) this.views.startedAtOnce(request, this.edgeOf(request));
    if (this.requests.reals[(request << 3) + ARRIVAL_MS] >= this.warmupMs) this.noWaits++;
  }

  /** After having waited since the request table's `sinceMs`. */
  startedAfterWait(request: number): void {
    if (this.views !== undefined)
      this.views.startedAfterWait(
        request,
        this.edgeOf(request),
        this.clock.time - this.requests.reals[(request << 3) + SINCE_MS],
      );
    if (this.requests.reals[(request << 3) + ARRIVAL_MS] >= this.warmupMs)
      this.wait.record(this.clock.time - this.requests.reals[(request << 3) + SINCE_MS]);
  }

  ended(request: number, result: RequestResult, isDegraded: boolean): void {
    this.settle();
    this.endedAll++;
    const arrivalMs = this.requests.reals[(request << 3) + ARRIVAL_MS];
    const latencyMs = this.clock.time - arrivalMs;
    this.durations += latencyMs;
    const isMeasured = arrivalMs >= this.warmupMs;
    if (isMeasured) this.results[result]++;
    if (isMeasured && isDegraded) this.degraded++;
    if (result !== results.ok) return;
    this.okAll++;
    const bucket = this.latency.bucketOf(latencyMs);
    this.windowLatency.add(bucket);
    if (isMeasured) this.latency.recordIn(bucket, latencyMs);
  }

  warmupOver(): void {
    this.settle();
    this.areaAtWarmup = this.area;
    this.offeredAtWarmup = this.offeredAll;
    this.okAtWarmup = this.okAll;
    this.attemptsAtWarmup = this.attempts;
    this.insideAtWarmup = this.attemptsInside;
    this.repeatsAtWarmup = this.repeats;
    this.retries = 0;
    this.hedges = 0;
  }

  /** Brings the integral up to now. */
  settle(): void {
    const nowMs = this.clock.time;
    this.area += (this.offeredAll - this.endedAll) * (nowMs - this.lastChangeMs);
    this.lastChangeMs = nowMs;
  }

  closeWindow(): void {
    const { columns, windowLatency } = this;
    const ended = this.endedAll - this.endedBefore;
    const ok = windowLatency.count;
    columns.offered.push(this.offeredAll - this.offeredBefore);
    columns.ok.push(ok);
    columns.failed.push(ended - ok);
    columns.availability.push(ended > 0 ? ok / ended : NaN);
    columns.latencyP50.push(windowLatency.quantile(0.5));
    columns.latencyP99.push(windowLatency.quantile(0.99));
    columns.latencyP999.push(windowLatency.quantile(0.999));
    columns.inFlight.push(this.inSystem);
    columns.attempts.push(this.attempts - this.attemptsBefore);
    windowLatency.reset();
    this.offeredBefore = this.offeredAll;
    this.endedBefore = this.endedAll;
    this.attemptsBefore = this.attempts;
  }

  /** Requests that ended well since warm-up, whenever they arrived: what throughput counts. */
  okSinceWarmup(): number {
    return this.okAll - this.okAtWarmup;
  }

  /** Messages per request of the traffic since warm-up; NaN without requests. */
  perRequest(): { readonly attempts: number; readonly retries: number; readonly hedges: number } {
    const offered = this.offeredAll - this.offeredAtWarmup;
    const over = (count: number): number => (offered > 0 ? count / offered : NaN);
    return { attempts: over(this.attempts - this.attemptsAtWarmup), retries: over(this.retries), hedges: over(this.hedges) };
  }

  /** Messages on all edges over what they would be if each request had sent one, since warm-up. */
  amplification(): number {
    const all = this.attempts - this.attemptsAtWarmup + this.attemptsInside - this.insideAtWarmup;
    const repeats = this.repeats - this.repeatsAtWarmup;
    return all > repeats ? all / (all - repeats) : NaN;
  }

  /** Share of requests that waited at all before work on them began. */
  waitShare(): number {
    return (this.wait.count - this.noWaits) / this.wait.count;
  }

  /** To be called once, before the histograms are read. */
  close(): void {
    this.settle();
    this.wait.recordMany(0, this.noWaits);
  }

  /** `inFlight` are the measured requests still alive at the end. */
  ledger(inFlight: number): Ledger {
    return {
      offered: this.offeredAll - this.offeredAtWarmup,
      ok: this.results[results.ok],
      degraded: this.degraded,
      cancelled: 0,
      failed: failuresOf(this.results),
      inFlight,
    };
  }

  private edgeOf(request: number): number {
    return this.clients[this.requests.ints[(request << 4) + CLIENT]].edge;
  }

  /** Requests in the system, averaged over the time since warm-up. */
  meanInSystem(endMs: Ms): number {
    return (this.area - this.areaAtWarmup) / (endMs - this.warmupMs);
  }

  latencyHistogram(): Histogram {
    return this.latency;
  }
  waitHistogram(): Histogram {
    return this.wait;
  }
  latencyData(): HistogramData {
    return this.latency.toData();
  }
  waitData(): HistogramData {
    return this.wait.toData();
  }
  series(): SeriesData {
    return { windowMs: this.windowMs, columns: this.columns };
  }
}

/** Counts by result, as the ledger's buckets. */
export const failuresOf = (counts: Float64Array): Readonly<Record<FailureBucket, number>> => ({
  timeout: counts[results.timeout],
  refused: counts[results.refused],
  noEndpoint: counts[results.noEndpoint],
  error: counts[results.error],
  connectionLost: counts[results.lost],
  shed: counts[results.shed],
  circuitOpen: counts[results.circuitOpen],
});
