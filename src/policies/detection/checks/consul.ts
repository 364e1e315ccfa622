/** Consul's checks: passing, warning or critical, from probes by the local agent or from reports with a time to live (TTL).
 *
 *  Use it where health is part of the registry: a service that stays critical can be removed for good. With TTL the instance must
 *  report in time, which shows that it can still act, not only answer. It fails when the agent that probes is as ill as the
 *  instance, being on the same machine; and a warning still counts as fit unless `onlyPassing` says otherwise.
 *
 *  A new check is critical until its first result. The first probe comes at a random moment of an interval, the next an
 *  interval after the last one ended. A report counts at once, without thresholds; a service is removed at the first tick of
 *  30 s at which it has been critical for longer than asked, which is a minute at least. */
import { boolean, choice, duration, int, type ParamValues } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { grown } from '../../../core/grow.ts';
import {
  defineHealthChecker,
  type HealthChecker,
  type HealthCheckerDeps,
  type HealthSink,
  type ProbeResult,
  probeResults,
} from './health-checker.ts';
import { ProbeLoop } from './parts/probe-loop.ts';
import { SlotTimers } from './parts/slot-timers.ts';
import { type ConsulStatus, consulStatuses, StatusHandler } from './parts/status-handler.ts';

const params = {
  check: choice({ default: 'http', choices: ['http', 'ttl'], about: 'Whether the agent probes or the instance reports.' }),
  interval: duration({ default: 10_000, min: 1000, about: 'From the end of a probe to the next; Consul has no default.' }),
  timeout: duration({ default: 10_000, min: 1, about: 'How long to wait for an answer.' }),
  successBeforePassing: int({
    default: 0,
    min: 0,
    about: 'Good probes in a row until the status improves.',
    official: 'Consul success_before_passing',
  }),
  failuresBeforeWarning: int({
    default: 0,
    min: 0,
    about: 'Failed probes in a row until the status is warning; 0 means as failuresBeforeCritical.',
    official: 'Consul failures_before_warning',
  }),
  failuresBeforeCritical: int({
    default: 0,
    min: 0,
    about: 'Failed probes in a row until the status is critical.',
    official: 'Consul failures_before_critical',
  }),
  ttl: duration({ default: 30_000, min: 1, about: 'A report holds so long; then the status is critical.' }),
  deregisterCriticalServiceAfter: duration({
    default: 0,
    about: 'A service critical for longer is removed; at least 1 min, and 0 means never.',
    official: 'Consul deregister_critical_service_after',
  }),
  onlyPassing: boolean({
    default: false,
    about: 'Whether a warning keeps traffic away.',
    official: 'Consul dns_config.only_passing',
  }),
};
export type ConsulParams = ParamValues<typeof params>;

export const consul = defineHealthChecker({
  name: 'consul',
  summary: 'Passing, warning or critical after several results in a row, from probes or from timely reports (Consul).',
  useWhen: 'Health is kept in the registry, and instances that stay away should leave it.',
  failsWhen: 'The probing agent shares the fate of the instance: a dead machine reports nothing.',
  cost: 'O(log n) per probe',
  sources: [
    'hashicorp/consul: agent/checks/check.go, StatusHandler, CheckTTL, CheckHTTP',
    'hashicorp/consul: agent/agent.go, reapServicesInternal',
  ],
  aliases: [{ system: 'Consul', name: 'checks' }],
  params,
  create: (values, deps) => new ConsulChecker(values, deps),
});

export class ConsulChecker implements HealthChecker {
  readonly reportEveryMs: Ms;
  readonly startsAlive = false;
  readonly #params: ConsulParams;
  readonly #rng: Rng;
  readonly #sink: HealthSink;
  readonly #loop: ProbeLoop;
  readonly #handler: StatusHandler;
  readonly #expiries = new SlotTimers();
  readonly #reapings = new SlotTimers();
  #states: Uint8Array = new Uint8Array(16);

  constructor(values: ConsulParams, { rng, prober, sink }: HealthCheckerDeps) {
    // A report gets lost or late now and then: instances are advised to send two per time to live.
    this.reportEveryMs = values.check === 'ttl' ? values.ttl / 2 : Infinity;
    this.#params = values;
    this.#rng = rng;
    this.#sink = sink;
    this.#loop = new ProbeLoop(prober, values.timeout);
    this.#handler = new StatusHandler({
      ...values,
      failuresBeforeWarning: values.failuresBeforeWarning || values.failuresBeforeCritical,
    });
  }

  watch(slot: number, nowMs: Ms, isAlive: boolean = this.startsAlive): void {
    if (slot >= this.#states.length) {
      this.#states = grown(this.#states, new Uint8Array(Math.max(slot + 1, 2 * this.#states.length)));
    }
    this.#states[slot] = WATCHED + (isAlive ? consulStatuses.passing : consulStatuses.critical);
    this.#handler.start(slot);
    this.#reapings.clear(slot);
    if (!isAlive) this.#scheduleReaping(slot, nowMs);
    if (this.#params.check === 'ttl') this.#expiries.set(slot, nowMs + this.#params.ttl);
    else this.#loop.schedule(slot, nowMs + this.#rng.next() * this.#params.interval);
  }

  unwatch(slot: number): void {
    if (slot < this.#states.length) this.#states[slot] = UNWATCHED;
    this.#loop.stop(slot);
    this.#expiries.clear(slot);
    this.#reapings.clear(slot);
  }

  onResult(slot: number, probe: number, result: ProbeResult, nowMs: Ms): void {
    if (!this.#loop.accepts(slot, probe)) return;
    this.#loop.schedule(slot, nowMs + this.#params.interval);
    const status = this.#handler.record(slot, consulStatusOf(result));
    if (status !== -1) this.#publish(slot, status, nowMs);
  }

  onReport(slot: number, result: ProbeResult, nowMs: Ms): void {
    if (this.#params.check !== 'ttl' || !(slot < this.#states.length) || this.#states[slot] === UNWATCHED) return;
    this.#expiries.set(slot, nowMs + this.#params.ttl);
    this.#publish(slot, consulStatusOf(result), nowMs);
  }

  nextTimerMs(): Ms {
    return Math.min(this.#loop.nextTimerMs(), this.#expiries.nextMs(), this.#reapings.nextMs());
  }

  onTimer(nowMs: Ms): void {
    this.#loop.onTimer(nowMs);
    while (this.#expiries.nextMs() <= nowMs) {
      const slot = this.#expiries.first();
      this.#expiries.clear(slot);
      this.#publish(slot, consulStatuses.critical, nowMs);
    }
    while (this.#reapings.nextMs() <= nowMs) {
      const slot = this.#reapings.first();
      this.unwatch(slot);
      this.#sink.deregister?.(slot, nowMs);
    }
  }

  /** The published status, for reports; only of watched slots. */
  statusOf(slot: number): ConsulStatus {
    return (this.#states[slot] - WATCHED) as ConsulStatus;
  }

  #publish(slot: number, status: ConsulStatus, nowMs: Ms): void {
    const before = this.statusOf(slot);
    if (status === before) return;
    this.#states[slot] = WATCHED + status;
    if (status !== consulStatuses.critical) this.#reapings.clear(slot);
    else this.#scheduleReaping(slot, nowMs);
    const isAlive = this.#isFit(status);
    if (isAlive !== this.#isFit(before)) this.#sink.believe(slot, isAlive, nowMs);
    // Unless the sink has unwatched the slot, or the status has moved on, meanwhile.
    if (this.#states[slot] !== WATCHED + status) return;
    const isWarning = status === consulStatuses.warning;
    if (isWarning !== (before === consulStatuses.warning)) this.#sink.degrade?.(slot, isWarning, nowMs);
  }

  #isFit(status: ConsulStatus): boolean {
    return status <= (this.#params.onlyPassing ? consulStatuses.passing : consulStatuses.warning);
  }

  #scheduleReaping(slot: number, criticalSinceMs: Ms): void {
    const { deregisterCriticalServiceAfter: afterMs } = this.#params;
    if (afterMs > 0) this.#reapings.set(slot, reapedAtMs(criticalSinceMs, afterMs));
  }
}

/** Consul does not remove services sooner than after a minute. */
export const effectiveDeregisterMs = (deregisterAfterMs: Ms): Ms => Math.max(MIN_DEREGISTER_MS, deregisterAfterMs);

/** The first tick at which the service has been critical for longer than that. */
export const reapedAtMs = (criticalSinceMs: Ms, deregisterAfterMs: Ms, reapEveryMs: Ms = REAP_EVERY_MS): Ms =>
  (Math.floor((criticalSinceMs + effectiveDeregisterMs(deregisterAfterMs)) / reapEveryMs) + 1) * reapEveryMs;

/** What an HTTP answer means to Consul: 2xx passing, 429 Too Many Requests warning, anything else critical. */
export function consulProbeResult(httpStatus: number): ProbeResult {
  if (httpStatus >= 200 && httpStatus <= 299) return probeResults.ok;
  return httpStatus === 429 ? probeResults.degraded : probeResults.unhealthy;
}

export function consulStatusOf(result: ProbeResult): ConsulStatus {
  if (result === probeResults.ok) return consulStatuses.passing;
  return result === probeResults.degraded ? consulStatuses.warning : consulStatuses.critical;
}

const MIN_DEREGISTER_MS = 60_000;
const REAP_EVERY_MS = 30_000;

const UNWATCHED = 0;
/** A watched slot's state is this plus its status. */
const WATCHED = 1;
