/** What can be counted of each service at its callers: requests that begin, how they end, how much work they bring, how many are out.
 *  Counts only ever grow; whoever wants a rate compares two readings. */
import type { Ms } from '../../core/time.ts';
import { Histogram } from '../../stats/histogram.ts';

/** Coarser than those of reports: readings are taken often. 6 %. */
const HISTOGRAM_BITS = 4;

export class ServiceMeters {
  private readonly clock: { readonly time: Ms };
  // By service.
  readonly begun: Float64Array;
  readonly ok: Float64Array;
  readonly failed: Float64Array;
  /** Milliseconds of work, at speed 1, that the requests begun bring. */
  readonly workMs: Float64Array;
  /** Requests out, and the integral over time up to the last change. */
  readonly out: Float64Array;
  private readonly outArea: Float64Array;
  private readonly outSinceMs: Float64Array;
  /** Latencies of requests that ended well since the last reading. */
  private readonly latencies: Histogram[];

  constructor(clock: { readonly time: Ms }, services: number) {
    this.clock = clock;
    this.begun = new Float64Array(services);
    this.ok = new Float64Array(services);
    this.failed = new Float64Array(services);
    this.workMs = new Float64Array(services);
    this.out = new Float64Array(services);
    this.outArea = new Float64Array(services);
    this.outSinceMs = new Float64Array(services);
    this.latencies = Array.from({ length: services }, () => new Histogram(HISTOGRAM_BITS));
  }

  begin(service: number, workMs: Ms): void {
    this.begun[service]++;
    this.workMs[service] += workMs;
    this.count(service, 1);
  }

  /** `isCancelled`: nobody wanted it any more; that says nothing about the service. */
  end(service: number, latencyMs: Ms, isOk: boolean, isCancelled: boolean): void {
    this.count(service, -1);
    if (isOk) {
      this.ok[service]++;
      this.latencies[service].record(latencyMs);
    } else if (!isCancelled) this.failed[service]++;
  }

  /** Integral of the requests out, up to now. */
  area(service: number): number {
    this.count(service, 0);
    return this.outArea[service];
  }

  /** Latencies since the last call. */
  takeLatencies(service: number): Histogram {
    const taken = this.latencies[service];
    this.latencies[service] = new Histogram(HISTOGRAM_BITS);
    return taken;
  }

  private count(service: number, change: number): void {
    const nowMs = this.clock.time;
    this.outArea[service] += this.out[service] * (nowMs - this.outSinceMs[service]);
    this.outSinceMs[service] = nowMs;
    this.out[service] += change;
  }
}
