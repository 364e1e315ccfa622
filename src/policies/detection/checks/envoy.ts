/** Envoy's active health checks: an endpoint fails after so many failed checks in a row and is healthy again after so many good
 *  ones, with intervals of their own for each phase.
 *
 *  Use it in front of endpoints that can hang or vanish without traffic noticing at once. It fails when the check does not do
 *  what requests do: a process that answers the check and fails requests stays in, and one slow dependency in the check takes
 *  everybody out together. Every client checks every endpoint, so the load of checks grows with clients × endpoints.
 *
 *  Two rules surprise. An answer that says "unfit", such as 503, fails the endpoint at once and ignores the threshold, which
 *  counts only network failures, timeouts and retriable statuses. And an endpoint that was failed when it was added is healthy
 *  after its first good check. Until the first request the much longer no-traffic intervals apply. */
import { duration, fraction, int, type ParamValues } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { grown } from '../../../core/grow.ts';
import {
  defineHealthChecker,
  type HealthChecker,
  type HealthCheckerDeps,
  type HealthSink,
  isGood,
  type ProbeResult,
  probeResults,
} from './health-checker.ts';
import { ProbeLoop } from './parts/probe-loop.ts';

const params = {
  timeout: duration({ default: 1000, min: 1, about: 'How long to wait for an answer; Envoy has no default.' }),
  interval: duration({ default: 5000, min: 1, about: 'From the end of a check to the next; Envoy has no default.' }),
  unhealthyThreshold: int({
    default: 3,
    min: 1,
    about: 'Failed checks in a row until an endpoint fails; Envoy has no default.',
    official: 'Envoy unhealthy_threshold',
  }),
  healthyThreshold: int({
    default: 2,
    min: 1,
    about: 'Good checks in a row until a failed endpoint is healthy; Envoy has no default.',
    official: 'Envoy healthy_threshold',
  }),
  initialJitter: duration({
    default: 0,
    about: 'The first check comes after a random time below this.',
    official: 'Envoy initial_jitter',
  }),
  intervalJitter: duration({
    default: 0,
    about: 'A random time below this is added to every interval.',
    official: 'Envoy interval_jitter',
  }),
  intervalJitterPercent: fraction({
    default: 0,
    about: 'A random time below this share of the interval is added to it.',
    official: 'Envoy interval_jitter_percent',
  }),
  noTrafficInterval: duration({
    default: 60_000,
    min: 1,
    about: 'The interval while no request has been sent yet.',
    official: 'Envoy no_traffic_interval',
  }),
  noTrafficHealthyInterval: duration({
    default: 0,
    about: 'The same for healthy endpoints; 0 means as noTrafficInterval.',
    official: 'Envoy no_traffic_healthy_interval',
  }),
  unhealthyInterval: duration({
    default: 0,
    about: 'After a failed check of a failed endpoint; 0 means as interval.',
    official: 'Envoy unhealthy_interval',
  }),
  unhealthyEdgeInterval: duration({
    default: 0,
    about: 'After a failed check that does not fail the endpoint yet; 0 means as unhealthyInterval.',
    official: 'Envoy unhealthy_edge_interval',
  }),
  healthyEdgeInterval: duration({
    default: 0,
    about: 'After a good check that does not suffice yet; 0 means as interval.',
    official: 'Envoy healthy_edge_interval',
  }),
};
export type EnvoyCheckParams = ParamValues<typeof params>;

export const envoyHealthCheck = defineHealthChecker({
  name: 'envoy',
  summary: 'Fails an endpoint after several failed probes in a row, at once if it answers that it is unfit (Envoy).',
  useWhen: 'Endpoints can hang or vanish, and a check shows what requests would meet.',
  failsWhen: 'The check passes where requests fail; or a shared dependency in the check takes all endpoints out together.',
  cost: 'O(log n) per probe',
  sources: [
    'envoyproxy/envoy: source/extensions/health_checkers/common/health_checker_base_impl.cc',
    'envoyproxy/envoy: api/envoy/config/core/v3/health_check.proto',
  ],
  aliases: [{ system: 'Envoy', name: 'health_checks' }],
  params,
  create: (values, deps) => new EnvoyHealthChecker(values, deps),
});

/** What a check brought about: nothing, a step towards a change, or the change. */
const unchanged = 0;
const pending = 1;
const changed = 2;
export type Transition = typeof unchanged | typeof pending | typeof changed;

export class EnvoyHealthChecker implements HealthChecker {
  readonly reportEveryMs = Infinity;
  readonly startsAlive = false;
  readonly #params: EnvoyCheckParams;
  readonly #rng: Rng;
  readonly #sink: HealthSink;
  readonly #loop: ProbeLoop;
  #states: Uint8Array = new Uint8Array(16);
  #isDegraded: Uint8Array = new Uint8Array(16);
  #isFirst: Uint8Array = new Uint8Array(16);
  #healthyRun: Uint32Array = new Uint32Array(16);
  #unhealthyRun: Uint32Array = new Uint32Array(16);
  #hasTraffic = false;

  constructor(values: EnvoyCheckParams, { rng, prober, sink }: HealthCheckerDeps) {
    this.#params = values;
    this.#rng = rng;
    this.#sink = sink;
    this.#loop = new ProbeLoop(prober, values.timeout);
  }

  watch(slot: number, nowMs: Ms, isAlive: boolean = this.startsAlive): void {
    if (slot >= this.#states.length) this.#grow(slot + 1);
    this.#states[slot] = isAlive ? HEALTHY : FAILED;
    this.#isDegraded[slot] = 0;
    this.#isFirst[slot] = 1;
    this.#healthyRun[slot] = 0;
    this.#unhealthyRun[slot] = 0;
    const { initialJitter } = this.#params;
    const delayMs = initialJitter === 0 ? 0 : this.#jittered(0, initialJitter);
    this.#loop.schedule(slot, nowMs + delayMs);
  }

  unwatch(slot: number): void {
    if (slot < this.#states.length) this.#states[slot] = UNWATCHED;
    this.#loop.stop(slot);
  }

  onTraffic(): void {
    this.#hasTraffic = true;
  }

  onResult(slot: number, probe: number, result: ProbeResult, nowMs: Ms): void {
    if (!this.#loop.accepts(slot, probe)) return;
    const good = isGood(result);
    const wasHealthy = this.#states[slot] === HEALTHY;
    const wasDegraded = this.#isDegraded[slot] === 1;
    let transition = good ? this.#succeed(slot) : this.#fail(slot, result);
    this.#isFirst[slot] = 0;
    if (good && wasDegraded !== (result === probeResults.degraded)) {
      this.#isDegraded[slot] = wasDegraded ? 0 : 1;
      if (transition === unchanged) transition = changed;
    }
    // Scheduled before the sink is told, which may unwatch the endpoint.
    this.#loop.schedule(slot, nowMs + this.nextIntervalMs(good, transition));
    const isHealthy = this.#states[slot] === HEALTHY;
    const isDegraded = this.#isDegraded[slot] === 1;
    if (isHealthy !== wasHealthy) this.#sink.believe(slot, isHealthy, nowMs);
    if (isDegraded !== wasDegraded) this.#sink.degrade?.(slot, isDegraded, nowMs);
  }

  nextTimerMs(): Ms {
    return this.#loop.nextTimerMs();
  }

  onTimer(nowMs: Ms): void {
    this.#loop.onTimer(nowMs);
  }

  /** From the end of a check to the next, jitter included. */
  nextIntervalMs(isGoodCheck: boolean, transition: Transition): Ms {
    const { interval, intervalJitter, noTrafficInterval, noTrafficHealthyInterval } = this.#params;
    let baseMs: Ms;
    if (!this.#hasTraffic) {
      baseMs = isGoodCheck && transition !== pending ? noTrafficHealthyInterval || noTrafficInterval : noTrafficInterval;
    } else if (isGoodCheck) {
      baseMs = transition === pending ? this.#params.healthyEdgeInterval || interval : interval;
    } else {
      const steadyMs = this.#params.unhealthyInterval || interval;
      baseMs = transition === pending ? this.#params.unhealthyEdgeInterval || steadyMs : steadyMs;
    }
    return this.#jittered(baseMs, intervalJitter);
  }

  #succeed(slot: number): Transition {
    this.#unhealthyRun[slot] = 0;
    if (this.#states[slot] === HEALTHY) return unchanged;
    if (this.#isFirst[slot] === 0 && ++this.#healthyRun[slot] !== this.#params.healthyThreshold) return pending;
    this.#states[slot] = HEALTHY;
    return changed;
  }

  #fail(slot: number, result: ProbeResult): Transition {
    this.#healthyRun[slot] = 0;
    if (this.#states[slot] === FAILED) return unchanged;
    if (result !== probeResults.unhealthy && ++this.#unhealthyRun[slot] !== this.#params.unhealthyThreshold) return pending;
    this.#states[slot] = FAILED;
    return changed;
  }

  #jittered(baseMs: Ms, jitterMs: Ms): Ms {
    return jitteredIntervalMs(baseMs, jitterMs, this.#params.intervalJitterPercent, this.#rng);
  }

  #grow(needed: number): void {
    const size = Math.max(needed, 2 * this.#states.length);
    this.#states = grown(this.#states, new Uint8Array(size));
    this.#isDegraded = grown(this.#isDegraded, new Uint8Array(size));
    this.#isFirst = grown(this.#isFirst, new Uint8Array(size));
    this.#healthyRun = grown(this.#healthyRun, new Uint32Array(size));
    this.#unhealthyRun = grown(this.#unhealthyRun, new Uint32Array(size));
  }
}

/** Envoy's jitter: first a random whole number of milliseconds below a share of the interval, in whole percent, then one below
 *  a fixed time; never below one millisecond. */
export function jitteredIntervalMs(baseMs: Ms, jitterMs: Ms, jitterShare: number, rng: Rng): Ms {
  const range = Math.floor((Math.round(jitterShare * 100) * baseMs) / 100);
  let intervalMs = baseMs;
  if (range > 0) intervalMs += rng.below(range);
  if (jitterMs >= 1) intervalMs += rng.below(Math.floor(jitterMs));
  return Math.max(1, intervalMs);
}

/** What an HTTP answer means to Envoy: 200 is good unless marked as degraded; statuses declared retriable count towards the
 *  threshold; anything else fails the endpoint at once. */
export function envoyProbeResult(status: number, isDegraded = false, retriableStatuses: readonly number[] = []): ProbeResult {
  if (status === 200) return isDegraded ? probeResults.degraded : probeResults.ok;
  return retriableStatuses.includes(status) ? probeResults.failure : probeResults.unhealthy;
}

const UNWATCHED = 0;
const FAILED = 1;
const HEALTHY = 2;
