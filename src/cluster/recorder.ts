/** From events to statistics: the ledger, the latency and wait histograms, the time series. Told of every request's arrival and
 *  end; allocates only at the end of a window. */
import type { Ms } from '../core/time.ts';
import type { Engine } from '../engine/index.ts';
import { NO_ENDPOINT_RESULT, type RequestResult } from '../policies/pipeline.ts';
import { outcomes } from '../policies/balancing/balancer.ts';
import { Histogram } from '../stats/histogram.ts';
import type { HistogramData } from '../stats/histogram-data.ts';
import type { Ledger, SeriesColumn, SeriesData } from '../stats/result.ts';
import type { RequestTable } from './request-table.ts';

const RESULTS = 7;
/** Windows need only a percentile each: 2^5 buckets per octave, so that the table stays in the fastest cache. */
const WINDOW_BITS = 5;

export class Recorder {
  /** Requests whose client waits. */
  inSystem: number;
  offeredAll: number;
  endedAll: number;
  /** Integral of `inSystem` over the whole run, up to the last change. */
  area: number;
  /** Time spent in the system by the requests that have ended. */
  durations: number;
  waited: number;
  private readonly clock: Engine;
  private readonly requests: RequestTable;
  private readonly warmupMs: Ms;
  private readonly windowMs: Ms;
  private lastChangeMs: Ms;
  private areaAtWarmup: number;
  private offeredMeasured: number;
  private readonly results: Float64Array;
  private readonly latency: Histogram;
  private readonly wait: Histogram;
  private readonly windowLatency: Histogram;
  private windowOffered: number;
  private windowOk: number;
  private windowFailed: number;
  private readonly columns: Record<SeriesColumn, number[]>;

  /** Times come from the engine and the request table, not as arguments: doubles passed to functions that are not inlined are boxed. */
  constructor(clock: Engine, requests: RequestTable, warmupMs: Ms, windowMs: Ms) {
    this.clock = clock;
    this.requests = requests;
    this.inSystem = 0;
    this.offeredAll = 0;
    this.endedAll = 0;
    this.area = 0;
    this.durations = 0;
    this.waited = 0;
    this.warmupMs = warmupMs;
    this.windowMs = windowMs;
    this.lastChangeMs = 0;
    this.areaAtWarmup = 0;
    this.offeredMeasured = 0;
    this.results = new Float64Array(RESULTS);
    this.latency = new Histogram();
    this.wait = new Histogram();
    this.windowLatency = new Histogram(WINDOW_BITS);
    this.windowOffered = 0;
    this.windowOk = 0;
    this.windowFailed = 0;
    this.columns = {
      offered: [],
      ok: [],
      failed: [],
      availability: [],
      latencyP50: [],
      latencyP99: [],
      latencyP999: [],
      inFlight: [],
    };
  }

  offered(): void {
    this.settle();
    this.inSystem++;
    this.offeredAll++;
    this.windowOffered++;
    if (this.clock.time >= this.warmupMs) this.offeredMeasured++;
  }

  startedAtOnce(request: number): void {
    if (this.requests.arrivalMs[request] >= this.warmupMs) this.wait.record(0);
  }

  /** After having waited since the request table's `sinceMs`. */
  startedAfterWait(request: number): void {
    if (this.requests.arrivalMs[request] < this.warmupMs) return;
    this.wait.record(this.clock.time - this.requests.sinceMs[request]);
    this.waited++;
  }

  ended(request: number, result: RequestResult): void {
    this.settle();
    this.inSystem--;
    this.endedAll++;
    const arrivalMs = this.requests.arrivalMs[request];
    const latencyMs = this.clock.time - arrivalMs;
    this.durations += latencyMs;
    const isMeasured = arrivalMs >= this.warmupMs;
    if (isMeasured) this.results[result]++;
    if (result !== outcomes.ok) {
      this.windowFailed++;
      return;
    }
    this.windowOk++;
    this.windowLatency.record(latencyMs);
    if (isMeasured) this.latency.record(latencyMs);
  }

  warmupOver(): void {
    this.settle();
    this.areaAtWarmup = this.area;
  }

  /** Brings the integral up to now. */
  settle(): void {
    const nowMs = this.clock.time;
    this.area += this.inSystem * (nowMs - this.lastChangeMs);
    this.lastChangeMs = nowMs;
  }

  closeWindow(): void {
    const { columns, windowLatency } = this;
    const ended = this.windowOk + this.windowFailed;
    columns.offered.push(this.windowOffered);
    columns.ok.push(this.windowOk);
    columns.failed.push(this.windowFailed);
    columns.availability.push(ended > 0 ? this.windowOk / ended : NaN);
    columns.latencyP50.push(windowLatency.quantile(0.5));
    columns.latencyP99.push(windowLatency.quantile(0.99));
    columns.latencyP999.push(windowLatency.quantile(0.999));
    columns.inFlight.push(this.inSystem);
    windowLatency.reset();
    this.windowOffered = 0;
    this.windowOk = 0;
    this.windowFailed = 0;
  }

  /** `inFlight` are the measured requests still alive at the end. */
  ledger(inFlight: number): Ledger {
    return {
      offered: this.offeredMeasured,
      ok: this.results[outcomes.ok],
      failed: {
        timeout: this.results[outcomes.timeout],
        refused: this.results[outcomes.refused],
        noEndpoint: this.results[NO_ENDPOINT_RESULT],
        error: this.results[outcomes.error],
        connectionLost: this.results[outcomes.lost],
      },
      inFlight,
    };
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
