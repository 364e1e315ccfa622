/** Eureka's leases: instances renew theirs every 30 s; the registry evicts those that stopped, unless too many stopped at once.
 *
 *  Use it where the registry and the network to it are less reliable than the instances: when renewals fall to 85 % of what is
 *  expected, self-preservation keeps everybody, on the assumption that the network is at fault. It fails in a real mass failure,
 *  where dead instances stay listed; in small fleets, where one missing instance of two already stops evictions; and it is slow
 *  at the best of times: a lease ends twice its length after the last renewal, because the renewal stores the end and the check
 *  adds the length again.
 *
 *  Each evicted instance lowers the number of expected renewals, and each run evicts at most 15 % of the registry, at random.
 *  An instance that reports after its eviction registers anew. */
import { boolean, duration, fraction, type ParamValues } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { grown, grownFloats } from '../../../core/grow.ts';
import { evictionCount, isEvictionAllowed, isLeaseExpired, renewsPerMinThreshold } from '../../shared/eureka-rules.ts';
import {
  defineHealthChecker,
  type HealthChecker,
  type HealthCheckerDeps,
  type HealthSink,
  isGood,
  type ProbeResult,
} from './health-checker.ts';

const params = {
  leaseRenewalInterval: duration({
    default: 30_000,
    min: 1,
    about: 'How often an instance renews its lease, and how often the registry expects it to.',
    official: 'Eureka lease.renewalInterval, expectedClientRenewalIntervalSeconds',
  }),
  leaseDuration: duration({ default: 90_000, min: 1, about: 'The length of a lease.', official: 'Eureka lease.duration' }),
  evictionInterval: duration({
    default: 60_000,
    min: 1,
    about: 'How often expired leases are evicted.',
    official: 'Eureka evictionIntervalTimerInMs',
  }),
  renewalPercentThreshold: fraction({
    default: 0.85,
    about: 'Below this share of the expected renewals nobody is evicted, and each run leaves this share of the registry.',
    official: 'Eureka renewalPercentThreshold',
  }),
  enableSelfPreservation: boolean({
    default: true,
    about: 'Whether missing renewals stop evictions.',
    official: 'Eureka enableSelfPreservation',
  }),
};
export type EurekaParams = ParamValues<typeof params>;

export const eureka = defineHealthChecker({
  name: 'eureka',
  summary: 'Evicts instances that stopped renewing their lease, unless too many stop at once (Eureka).',
  useWhen: 'Losing the network to the registry is likelier than losing many instances at once.',
  failsWhen: 'Many instances really are gone; the fleet is small; or minutes are too long to notice a crash.',
  cost: 'O(1) per renewal, O(n) per eviction run',
  sources: [
    'Netflix/eureka: eureka-core/src/main/java/com/netflix/eureka/registry/AbstractInstanceRegistry.java',
    'Netflix/eureka: eureka-core/src/main/java/com/netflix/eureka/lease/Lease.java',
  ],
  aliases: [{ system: 'Netflix', name: 'eureka-server' }],
  params,
  create: (values, deps) => new EurekaRegistry(values, deps),
});

export class EurekaRegistry implements HealthChecker {
  readonly reportEveryMs: Ms;
  readonly startsAlive = true;
  readonly #params: EurekaParams;
  readonly #rng: Rng;
  readonly #sink: HealthSink;
  readonly #leases: Leases;
  #states: Uint8Array = new Uint8Array(16);
  #registered = 0;
  #renewsThisMinute = 0;
  #renewsLastMinute = 0;
  #minuteEndsMs: Ms = Infinity;
  #evictionDueMs: Ms = Infinity;
  #lastRunMs: Ms | undefined;

  constructor(values: EurekaParams, { rng, sink }: HealthCheckerDeps) {
    this.reportEveryMs = values.leaseRenewalInterval;
    this.#params = values;
    this.#rng = rng;
    this.#sink = sink;
    this.#leases = new Leases(values.leaseDuration);
  }

  /** Registers the instance. The first one starts the registry's clocks. */
  watch(slot: number, nowMs: Ms, isAlive: boolean = this.startsAlive): void {
    if (this.#minuteEndsMs === Infinity) {
      this.#minuteEndsMs = nowMs + MINUTE_MS;
      this.#evictionDueMs = nowMs + this.#params.evictionInterval;
    }
    if (slot >= this.#states.length) {
      this.#states = grown(this.#states, new Uint8Array(Math.max(slot + 1, 2 * this.#states.length)));
    }
    if (this.#states[slot] < DOWN) this.#registered++;
    this.#states[slot] = isAlive ? UP : DOWN;
    this.#leases.register(slot, nowMs);
  }

  unwatch(slot: number): void {
    if (!(slot < this.#states.length)) return;
    if (this.#states[slot] >= DOWN) this.#registered--;
    this.#states[slot] = UNWATCHED;
  }

  /** Nobody is probed. */
  onResult(): void {}

  /** A renewal, with the instance's own word on whether it is up. */
  onReport(slot: number, result: ProbeResult, nowMs: Ms): void {
    if (!(slot < this.#states.length)) return;
    const before = this.#states[slot];
    if (before === UNWATCHED) return;
    if (before === EVICTED) {
      this.#registered++;
      this.#leases.register(slot, nowMs);
    } else {
      this.#renewsThisMinute++;
      this.#leases.renew(slot, nowMs);
    }
    const after = isGood(result) ? UP : DOWN;
    this.#states[slot] = after;
    if ((after === UP) !== (before === UP)) this.#sink.believe(slot, after === UP, nowMs);
  }

  nextTimerMs(): Ms {
    return Math.min(this.#minuteEndsMs, this.#evictionDueMs);
  }

  onTimer(nowMs: Ms): void {
    while (this.#minuteEndsMs <= nowMs) {
      this.#renewsLastMinute = this.#renewsThisMinute;
      this.#renewsThisMinute = 0;
      this.#minuteEndsMs += MINUTE_MS;
    }
    if (this.#evictionDueMs > nowMs) return;
    while (this.#evictionDueMs <= nowMs) this.#evictionDueMs += this.#params.evictionInterval;
    const lateMs = compensation(this.#lastRunMs, nowMs, this.#params.evictionInterval);
    this.#lastRunMs = nowMs;
    this.#evict(nowMs, lateMs);
  }

  #evict(nowMs: Ms, lateMs: Ms): void {
    const { enableSelfPreservation, renewalPercentThreshold: share, leaseRenewalInterval } = this.#params;
    const threshold = renewsPerMinThreshold(this.#registered, leaseRenewalInterval, share);
    if (enableSelfPreservation && !isEvictionAllowed(threshold, this.#renewsLastMinute)) return;
    const expired: number[] = [];
    for (let slot = 0; slot < this.#states.length; slot++) {
      if (this.#states[slot] >= DOWN && this.#leases.isExpired(slot, nowMs, lateMs)) expired.push(slot);
    }
    const victims = evictionCount(this.#registered, expired.length, share);
    for (let i = 0; i < victims; i++) {
      const chosen = i + this.#rng.below(expired.length - i);
      const slot = expired[chosen];
      expired[chosen] = expired[i];
      // The sink may have unregistered it while it was told of another.
      if (this.#states[slot] < DOWN) continue;
      const wasUp = this.#states[slot] === UP;
      this.#states[slot] = EVICTED;
      this.#registered--;
      if (wasUp) this.#sink.believe(slot, false, nowMs);
    }
  }
}

/** Leases by slot. */
export class Leases {
  readonly #durationMs: Ms;
  #updatedAtMs: Float64Array = new Float64Array(16);

  constructor(durationMs: Ms) {
    this.#durationMs = durationMs;
  }

  register(slot: number, nowMs: Ms): void {
    if (slot >= this.#updatedAtMs.length) {
      this.#updatedAtMs = grownFloats(this.#updatedAtMs, Math.max(slot + 1, 2 * this.#updatedAtMs.length));
    }
    this.#updatedAtMs[slot] = nowMs;
  }

  /** Stores the end of the lease where the check expects its beginning: a known mistake, kept because clients rely on it. */
  renew(slot: number, nowMs: Ms): void {
    this.#updatedAtMs[slot] = nowMs + this.#durationMs;
  }

  isExpired(slot: number, nowMs: Ms, additionalMs: Ms = 0): boolean {
    return isLeaseExpired(this.#updatedAtMs[slot], this.#durationMs, additionalMs, nowMs);
  }
}

/** By how much a run came later than it should have, so that a pause of the registry is not held against the instances. Any
 *  unit. */
export const compensation = (lastRun: number | undefined, now: number, interval: number): number =>
  lastRun === undefined ? 0 : Math.max(0, now - lastRun - interval);

export interface EurekaDelays {
  /** From the last renewal to the end of the lease: twice its length. */
  readonly effectiveExpiryMs: Ms;
  readonly evictionIntervalMs: Ms;
  readonly responseCacheUpdateMs: Ms;
  readonly registryFetchIntervalMs: Ms;
  readonly loadBalancerRefreshMs: Ms;
}

/** Every cache on the way at its worst: how long until all clients see a new instance, and until none sees a crashed one. */
export function eurekaStaleness(delays: EurekaDelays): { readonly visibleAfterMs: Ms; readonly routedForMs: Ms } {
  const visibleAfterMs = delays.responseCacheUpdateMs + delays.registryFetchIntervalMs + delays.loadBalancerRefreshMs;
  return { visibleAfterMs, routedForMs: delays.effectiveExpiryMs + delays.evictionIntervalMs + visibleAfterMs };
}

const MINUTE_MS = 60_000;

const UNWATCHED = 0;
const EVICTED = 1;
/** Registered from here on. */
const DOWN = 2;
const UP = 3;
