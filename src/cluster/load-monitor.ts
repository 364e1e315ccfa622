/** What an instance knows of its own load and tells others: with every answer (a load report as in ORCA), and when probed (as in
 *  Prequal). Made only when a balancer listens, so that nobody else pays for it.
 *
 *  Rates and utilisation are averages that forget with a time constant of one second. The latency of a probe's answer is the median of
 *  recent latencies at about the present number of requests in flight, as Prequal's servers estimate it. */
import { grownFloats } from '../core/grow.ts';
import { exp } from '../core/math.ts';
import type { Ms } from '../core/time.ts';
import type { Engine } from '../engine/index.ts';
import type { LoadReport } from '../policies/balancing/balancer.ts';
import type { Fleet } from './fleet.ts';
import { LatencyByLoad } from './latency-by-load.ts';

const MEMORY_MS = 1000;
const MS_PER_SECOND = 1000;
/** Numbers in a report kept for an answer on its way. */
const FIELDS = 6;

export class LoadMonitor {
  private readonly engine: Engine;
  private readonly fleet: Fleet;
  // By instance.
  private readonly updatedMs: Float64Array;
  private readonly queries: Float64Array;
  private readonly errors: Float64Array;
  private readonly utilization: Float64Array;
  private readonly busyArea: Float64Array;
  // By request: when it reached its instance and what was in flight there; then the report its answer carries.
  private reachedMs: Float64Array;
  private inFlightThen: Float64Array;
  private carried: Float64Array;
  private readonly past: LatencyByLoad;

  constructor(engine: Engine, fleet: Fleet) {
    this.engine = engine;
    this.fleet = fleet;
    this.updatedMs = new Float64Array(fleet.count);
    this.queries = new Float64Array(fleet.count);
    this.errors = new Float64Array(fleet.count);
    this.utilization = new Float64Array(fleet.count);
    this.busyArea = new Float64Array(fleet.count);
    this.reachedMs = new Float64Array(256);
    this.inFlightThen = new Float64Array(256);
    this.carried = new Float64Array(256 * FIELDS);
    this.past = new LatencyByLoad(fleet.count);
  }

  /** A request is about to enter the instance. */
  reached(request: number, instance: number): void {
    while (request >= this.reachedMs.length) this.grow();
    this.decay(instance);
    this.reachedMs[request] = this.engine.time;
    this.inFlightThen[request] = this.fleet.present[instance];
  }

  /** The instance answers a request on which it has worked since `workSinceMs` (NaN: since it came): its report leaves with the answer. */
  answered(request: number, instance: number, workSinceMs: Ms, isError: boolean): void {
    this.decay(instance);
    this.queries[instance]++;
    if (isError) this.errors[instance]++;
    const latencyMs = this.engine.time - this.reachedMs[request];
    this.past.add(instance, this.inFlightThen[request], latencyMs);
    const at = request * FIELDS;
    this.carried[at] = this.perSecond(this.queries[instance]);
    this.carried[at + 1] = this.perSecond(this.errors[instance]);
    this.carried[at + 2] = this.utilization[instance];
    this.carried[at + 3] = this.fleet.present[instance];
    this.carried[at + 4] = this.fleet.present[instance] - this.fleet.busy[instance];
    this.carried[at + 5] = Number.isNaN(workSinceMs) ? latencyMs : this.engine.time - workSinceMs;
  }

  /** The report that the request's answer carried. */
  readCarried(request: number, into: LoadReport): void {
    const at = request * FIELDS;
    into.queriesPerSecond = this.carried[at];
    into.errorsPerSecond = this.carried[at + 1];
    into.utilization = this.carried[at + 2];
    into.inFlight = this.carried[at + 3];
    into.queueLength = this.carried[at + 4];
    into.latencyMs = this.carried[at + 5];
    into.isProbe = false;
  }

  /** What the instance would answer to a probe now. */
  readProbe(instance: number, into: LoadReport): void {
    this.decay(instance);
    into.queriesPerSecond = this.perSecond(this.queries[instance]);
    into.errorsPerSecond = this.perSecond(this.errors[instance]);
    into.utilization = this.utilization[instance];
    into.inFlight = this.fleet.present[instance];
    into.queueLength = this.fleet.present[instance] - this.fleet.busy[instance];
    into.latencyMs = this.past.estimate(instance, this.fleet.present[instance]);
    into.isProbe = true;
  }

  /** Brings the averages up to now. */
  private decay(instance: number): void {
    const now = this.engine.time;
    const elapsedMs = now - this.updatedMs[instance];
    if (elapsedMs === 0) return;
    this.updatedMs[instance] = now;
    const kept = exp(-elapsedMs / MEMORY_MS);
    this.queries[instance] *= kept;
    this.errors[instance] *= kept;
    // From the integral, because what is at work may have changed since, and just now.
    this.fleet.settle(instance);
    const area = this.fleet.busyArea[instance];
    const load = (area - this.busyArea[instance]) / (elapsedMs * this.fleet.slots(instance));
    this.busyArea[instance] = area;
    this.utilization[instance] = this.utilization[instance] * kept + load * (1 - kept);
  }

  private perSecond(decayedCount: number): number {
    return (decayedCount * MS_PER_SECOND) / MEMORY_MS;
  }

  private grow(): void {
    const capacity = this.reachedMs.length * 2;
    this.reachedMs = grownFloats(this.reachedMs, capacity);
    this.inFlightThen = grownFloats(this.inFlightThen, capacity);
    this.carried = grownFloats(this.carried, capacity * FIELDS);
  }
}
