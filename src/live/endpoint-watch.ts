/** Judges a proxy's endpoints beside its requests: a failure detector by their heartbeats, a health checker by probes or by their reports,
 *  an outlier detector by how attempts end. Each can speak against an endpoint, and it is used when nobody does: the simulator's clients
 *  join the same objects by the same rules. */
import type { Rng } from '../core/rng.ts';
import type { Clock, Ms } from '../core/time.ts';
import { type Health, type Outcome, type Slot } from '../policies/balancing/balancer.ts';
import { type Doubt, doubts, EndpointHealth } from '../policies/balancing/endpoint-health.ts';
import type { EndpointSet } from '../policies/balancing/endpoint-set.ts';
import {
  type HealthChecker,
  type HealthCheckerDeps,
  isGood,
  type ProbeResult,
} from '../policies/detection/checks/health-checker.ts';
import { healthCheckers } from '../policies/detection/checks/index.ts';
import type { Detector, DetectorDeps } from '../policies/detection/detector.ts';
import { detectors } from '../policies/detection/index.ts';
import { outlierDetectors } from '../policies/detection/outliers/index.ts';
import type {
  AttemptOutcome,
  EjectionReason,
  OutlierDetector,
  OutlierDetectorDeps,
  OutlierStats,
} from '../policies/detection/outliers/outlier-detector.ts';
import type { HealthProbe, ProbeAgents } from './health-probe.ts';
import { HealthProber } from './health-prober.ts';
import { PolicyTimer } from './policy-timer.ts';
import type { Timers } from './system.ts';
import { makePolicy, type Use } from './use.ts';

/** Something came to speak against an endpoint, or no longer does. */
export interface HealthChange {
  readonly endpoint: string;
  readonly doubt: keyof typeof doubts;
  readonly holds: boolean;
  /** Why it was ejected or let back. */
  readonly reason?: EjectionReason;
  /** Whether nothing speaks against it now. */
  readonly isUsed: boolean;
  readonly atMs: Ms;
}

export interface WatchOptions {
  /** Judges by heartbeats; see `listenForHeartbeats`. */
  readonly detector?: Use<DetectorDeps, Detector>;
  /** Judges by probes, or by reports that instances send as heartbeats are sent. */
  readonly healthCheck?: Use<HealthCheckerDeps, HealthChecker>;
  /** What a probe asks; `{ type: 'http' }` by default. */
  readonly healthProbe?: HealthProbe;
  /** Endpoints the proxy starts with are used until a check fails. Without it, checkers that trust nobody before the first good check
   *  (Envoy's, Consul's) leave the proxy without endpoints until then. */
  readonly startsFit?: boolean;
  /** Judges by how attempts end. */
  readonly outlier?: Use<OutlierDetectorDeps, OutlierDetector>;
  /** Told of everything that comes to speak against an endpoint, or ceases to. Must not throw. */
  onHealth?(change: HealthChange): void;
  /** The health checker wants the endpoint's process killed and started anew (the kubelet's liveness probe). Say `restarted` then. */
  onRestartWanted?(endpoint: string): void;
}

export interface WatchParts extends WatchOptions {
  readonly endpoints: EndpointSet;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly agents: ProbeAgents;
  rng(policy: string): Rng;
  /** The balancer has been told of a change. */
  onChange(): void;
}

export class EndpointWatch {
  readonly health: EndpointHealth;
  /** For the pipeline, which tells it how attempts end. */
  readonly outlier: { onEnd(slot: Slot, outcome: Outcome, nowMs: Ms): void } | undefined;
  readonly #parts: WatchParts;
  readonly #detector: Detector | undefined;
  readonly #checker: HealthChecker | undefined;
  readonly #outlier: OutlierDetector | undefined;
  readonly #prober: HealthProber;
  readonly #detectorTimer: PolicyTimer;
  readonly #checkerTimer: PolicyTimer;
  readonly #outlierTimer: PolicyTimer;
  /** Endpoints that the checker no longer watches, until they are started anew or report. */
  readonly #forgotten = new Set<Slot>();

  constructor(parts: WatchParts) {
    this.#parts = parts;
    const { endpoints, clock, timers, agents, detector, healthCheck, outlier } = parts;
    this.health = new EndpointHealth(endpoints, 16, () => undefined);
    this.#prober = new HealthProber({
      probe: parts.healthProbe ?? { type: 'http' },
      agents,
      timers,
      endpointOf: (slot) => endpoints.table.ids[slot],
      onResult: (slot, probe, result) => this.#checked(slot, probe, result),
    });
    if (detector !== undefined) {
      const sink = { believe: (slot: Slot, alive: boolean) => this.suspect(slot, !alive) };
      this.#detector = makePolicy(detectors, detector, { rng: parts.rng('detector'), sink });
    }
    if (healthCheck !== undefined) {
      this.#checker = makePolicy(healthCheckers, healthCheck, {
        rng: parts.rng('healthCheck'),
        prober: this.#prober,
        sink: {
          believe: (slot, alive) => this.#set(slot, 'unfit', !alive),
          degrade: (slot, isDegraded) => this.#set(slot, 'degraded', isDegraded),
          deregister: (slot) => this.#forgotten.add(slot),
          restart: (slot) => {
            this.#forgotten.add(slot);
            parts.onRestartWanted?.(endpoints.table.ids[slot]);
          },
        },
      });
    }
    if (outlier !== undefined) {
      this.#outlier = makePolicy(outlierDetectors, outlier, {
        rng: parts.rng('outlier'),
        sink: { eject: (slot, isEjected, _nowMs, reason) => this.#set(slot, 'ejected', isEjected, reason) },
      });
    }
    this.#detectorTimer = new PolicyTimer(this.#detector ?? {}, clock, timers);
    this.#checkerTimer = new PolicyTimer(this.#checker ?? {}, clock, timers);
    this.#outlierTimer = new PolicyTimer(this.#outlier ?? {}, clock, timers);
    this.outlier = this.#outlier && {
      onEnd: (slot, outcome, nowMs) => {
        this.#outlier!.onEnd(slot, outcome as AttemptOutcome, nowMs);
        this.#outlierTimer.rearm();
      },
    };
  }

  /** How often instances should send heartbeats to the detector; Infinity if it needs none. */
  get heartbeatEveryMs(): Ms {
    return this.#detector?.heartbeatEveryMs ?? Infinity;
  }

  /** How often instances should report to the health checker; Infinity if it needs no reports. */
  get reportEveryMs(): Ms {
    return this.#checker?.reportEveryMs ?? Infinity;
  }

  /** Health checks without a result. */
  get probesUnderWay(): number {
    return this.#prober.underWay;
  }

  get outlierStats(): OutlierStats | undefined {
    return this.#outlier?.stats();
  }

  /** A newcomer, added to the endpoints in this health. */
  begin(slot: Slot, health: Health | undefined, isKnown: boolean): void {
    const nowMs = this.#parts.clock.now();
    this.health.begin(slot, health);
    const isFit = isKnown && this.#parts.startsFit === true;
    if (this.#checker !== undefined && !isFit && !this.#checker.startsAlive) this.health.set(slot, doubts.unfit, true, nowMs);
    this.#detector?.watch(slot, nowMs);
    if (isFit) this.#checker?.watch(slot, nowMs, true);
    else this.#checker?.watch(slot, nowMs);
    this.#outlier?.watch(slot, nowMs);
    this.#rearm();
  }

  /** It is no member any more. */
  end(slot: Slot): void {
    this.#forgotten.delete(slot);
    this.#detector?.unwatch(slot);
    this.#checker?.unwatch(slot);
    this.#prober.forget(slot);
    this.#outlier?.unwatch(slot);
  }

  /** A heartbeat of the endpoint arrived. */
  heard(slot: Slot, sequence: number): void {
    this.#detector?.onHeartbeat(slot, this.#parts.clock.now(), sequence);
    this.#detectorTimer.rearm();
  }

  /** The endpoint reports of itself; one that was forgotten is registered again by that. */
  reported(slot: Slot, result: ProbeResult): void {
    this.restarted(slot);
    this.#checker?.onReport?.(slot, result, this.#parts.clock.now());
    this.#checkerTimer.rearm();
  }

  /** It has been started anew, or reports: whoever was forgotten is checked again. */
  restarted(slot: Slot): void {
    if (this.#checker === undefined || !this.#forgotten.delete(slot)) return;
    // It is somebody new to the checker: a process that no probe has to find ready is ready.
    const { startsAlive } = this.#checker;
    this.#set(slot, 'unfit', !startsAlive);
    this.#checker.watch(slot, this.#parts.clock.now(), startsAlive);
    this.#checkerTimer.rearm();
  }

  /** What a detector says, or a member of a group that watches itself. */
  suspect(slot: Slot, isSuspected: boolean): void {
    this.#set(slot, 'suspected', isSuspected);
  }

  /** A request was sent to any of the endpoints. */
  sent(): void {
    this.#checker?.onTraffic?.(this.#parts.clock.now());
  }

  close(): void {
    for (const timer of [this.#detectorTimer, this.#checkerTimer, this.#outlierTimer]) timer.stop();
    this.#prober.close();
  }

  #checked(slot: Slot, probe: number, result: ProbeResult): void {
    const nowMs = this.#parts.clock.now();
    this.#checker?.onResult(slot, probe, result, nowMs);
    // Envoy lets an ejected endpoint back when an active check finds it well and no such check speaks against it.
    if (isGood(result) && !this.health.holds(slot, doubts.unfit)) this.#outlier?.onHealthCheckOk?.(slot, nowMs);
    this.#rearm();
  }

  #set(slot: Slot, doubt: keyof typeof doubts, holds: boolean, reason?: EjectionReason): void {
    const { clock, endpoints, onHealth, onChange } = this.#parts;
    const bit: Doubt = doubts[doubt];
    if (this.health.holds(slot, bit) === holds) return;
    const atMs = clock.now();
    this.health.set(slot, bit, holds, atMs);
    onChange();
    const endpoint = endpoints.table.ids[slot];
    onHealth?.({ endpoint, doubt, holds, ...(reason === undefined ? {} : { reason }), isUsed: this.health.isUsed(slot), atMs });
  }

  #rearm(): void {
    this.#detectorTimer.rearm();
    this.#checkerTimer.rearm();
    this.#outlierTimer.rearm();
  }
}
