/** Eureka: instances are evicted some time after they fell silent, unless so many are silent that the registry doubts itself.
 *
 *  Use it where a list that is too long does less harm than one that is too short. It fails by being late: a crashed instance is listed
 *  for minutes, and with few instances one of them falling silent is enough to stop all evictions.
 *
 *  Leases last twice their duration after a renewal. Every minute a run evicts what has run out, at most 15 % of all, at random;
 *  not if self-preservation holds, that is if the renewals of the last full minute are not above 85 % of those expected. An evicted
 *  instance is told at its next renewal that it is not known and registers again. Queries are answered at once from a cache that is
 *  renewed every 30 s. */
import { boolean, duration, fraction } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { Catalog } from '../parts/catalog.ts';
import { evictionCount, isEvictionAllowed, isLeaseExpired, renewsPerMinThreshold } from '../../shared/eureka-rules.ts';
import { defineRegistry, type HealthStatus, type Registry, type RegistryDeps, type RegistryHost } from './registry.ts';

export const eurekaRegistry = defineRegistry({
  name: 'eureka',
  summary: 'Evicts silent instances once a minute, but nobody when too many are silent at once.',
  useWhen: 'A list with dead entries is better than one without living ones, as behind clients that retry.',
  failsWhen: 'Crashes must be noticed within seconds, or instances are few: one silent instance stops all evictions.',
  cost: 'O(1) per renewal, O(instances) per eviction run',
  sources: [
    'Netflix/eureka: eureka-core/src/main/java/com/netflix/eureka/registry/AbstractInstanceRegistry.java, ResponseCacheImpl.java',
    'Netflix/eureka: eureka-core/src/main/java/com/netflix/eureka/util/MeasuredRate.java',
  ],
  aliases: [{ system: 'Netflix', name: 'Eureka' }],
  params: {
    leaseDuration: duration({
      default: 90_000,
      min: 1,
      about: 'Lease of an instance; it lasts twice as long after a renewal.',
      official: 'Eureka leaseExpirationDurationInSeconds',
    }),
    renewalInterval: duration({
      default: 30_000,
      min: 1,
      about: 'How often instances renew.',
      official: 'Eureka leaseRenewalIntervalInSeconds, expectedClientRenewalIntervalSeconds',
    }),
    evictionInterval: duration({
      default: 60_000,
      min: 1,
      about: 'Time between runs that evict.',
      official: 'Eureka evictionIntervalTimerInMs',
    }),
    enableSelfPreservation: boolean({
      default: true,
      about: 'Whether nobody is evicted while too few renewals arrive.',
      official: 'Eureka enableSelfPreservation',
    }),
    renewalPercentThreshold: fraction({
      default: 0.85,
      about: 'Share of expected renewals that must arrive, and of instances that one run leaves alone.',
      official: 'Eureka renewalPercentThreshold',
    }),
    responseCacheUpdateInterval: duration({
      default: 30_000,
      min: 0,
      about: 'Queries are answered as of the last multiple of this; 0: as of now.',
      official: 'Eureka responseCacheUpdateIntervalMs',
    }),
  },
  create: (params, deps) => new EurekaRegistry(params, deps),
});

interface EurekaParams {
  readonly leaseDuration: Ms;
  readonly renewalInterval: Ms;
  readonly evictionInterval: Ms;
  readonly enableSelfPreservation: boolean;
  readonly renewalPercentThreshold: number;
  readonly responseCacheUpdateInterval: Ms;
}

class EurekaRegistry implements Registry {
  readonly renewEveryMs: Ms;
  readonly #params: EurekaParams;
  readonly #rng: Rng;
  readonly #host: RegistryHost;
  readonly #catalog = new Catalog(
    (status) => status !== 'critical',
    () => {},
  );
  readonly #lastUpdateMs = new Map<number, Ms>();
  /** Registrations without a cancellation or eviction. */
  #expectedClients = 0;
  #nextEvictionMs: Ms = Infinity;
  #minute = 0;
  #renewsThisMin = 0;
  #renewsLastMin = 0;
  /** As of a tick of the response cache. */
  #cached: { readonly members: readonly number[]; readonly index: number; readonly asOfMs: Ms } | undefined;
  #changedAtMs: Ms = 0;

  constructor(params: EurekaParams, deps: RegistryDeps) {
    this.renewEveryMs = params.renewalInterval;
    this.#params = params;
    this.#rng = deps.rng;
    this.#host = deps.host;
  }

  get index(): number {
    return this.#catalog.index;
  }

  register(instance: number, nowMs: Ms): void {
    if (!this.#lastUpdateMs.has(instance)) this.#expectedClients++;
    this.#lastUpdateMs.set(instance, nowMs);
    if (this.#nextEvictionMs === Infinity) this.#nextEvictionMs = this.#nextRunMs(nowMs);
    this.#change(nowMs, () => this.#catalog.set(instance, 'passing', nowMs));
  }

  renew(instance: number, status: HealthStatus, nowMs: Ms): boolean {
    if (!this.#lastUpdateMs.has(instance)) return false;
    this.#lastUpdateMs.set(instance, nowMs + this.#params.leaseDuration);
    this.#turnMinute(nowMs);
    this.#renewsThisMin++;
    this.#change(nowMs, () => this.#catalog.set(instance, status, nowMs));
    return true;
  }

  deregister(instance: number, nowMs: Ms): void {
    if (!this.#lastUpdateMs.delete(instance)) return;
    this.#expectedClients--;
    this.#change(nowMs, () => this.#catalog.delete(instance, nowMs));
  }

  status(instance: number): HealthStatus | undefined {
    return this.#catalog.status(instance);
  }

  query(query: number, _index: number, _waitMs: Ms, nowMs: Ms): void {
    this.#fillCache(nowMs);
    const { members, index, asOfMs } = this.#cached ?? this.#present(nowMs);
    this.#host.answer(query, { members, index, ageMs: nowMs - asOfMs, ttlMs: Infinity }, nowMs);
  }

  forget(): void {}

  nextTimerMs(): Ms {
    return this.#nextEvictionMs;
  }

  onTimer(nowMs: Ms): void {
    if (nowMs < this.#nextEvictionMs) return;
    const lateByMs = nowMs - this.#nextEvictionMs;
    this.#nextEvictionMs = this.#nextRunMs(nowMs);
    this.#turnMinute(nowMs);
    this.#evict(lateByMs, nowMs);
    if (this.#catalog.size === 0) this.#nextEvictionMs = Infinity;
  }

  #evict(lateByMs: Ms, nowMs: Ms): void {
    const { enableSelfPreservation, renewalInterval, renewalPercentThreshold, leaseDuration } = this.#params;
    const threshold = renewsPerMinThreshold(this.#expectedClients, renewalInterval, renewalPercentThreshold);
    if (enableSelfPreservation && !isEvictionAllowed(threshold, this.#renewsLastMin)) return;
    const expired = [...this.#lastUpdateMs]
      .filter(([, lastUpdateMs]) => isLeaseExpired(lastUpdateMs, leaseDuration, lateByMs, nowMs))
      .map(([instance]) => instance);
    const count = evictionCount(this.#lastUpdateMs.size, expired.length, renewalPercentThreshold);
    for (let i = 0; i < count; i++) {
      const chosen = i + this.#rng.below(expired.length - i);
      [expired[i], expired[chosen]] = [expired[chosen], expired[i]];
      this.deregister(expired[i], nowMs);
    }
  }

  /** Renewals count for the minute of the clock in which they come. */
  #turnMinute(nowMs: Ms): void {
    const minute = Math.floor(nowMs / 60_000);
    if (minute === this.#minute) return;
    this.#renewsLastMin = minute === this.#minute + 1 ? this.#renewsThisMin : 0;
    this.#renewsThisMin = 0;
    this.#minute = minute;
  }

  #change(nowMs: Ms, act: () => void): void {
    // What the cache took at its last tick is what was there before this change.
    if (this.#cached !== undefined) this.#fillCache(nowMs);
    const before = this.#catalog.index;
    act();
    if (this.#catalog.index !== before) this.#changedAtMs = nowMs;
  }

  /** Renews the cache if a tick has passed since. Nothing is cached before somebody asks. */
  #fillCache(nowMs: Ms): void {
    const { responseCacheUpdateInterval } = this.#params;
    if (responseCacheUpdateInterval === 0) return;
    const tickMs = Math.floor(nowMs / responseCacheUpdateInterval) * responseCacheUpdateInterval;
    if (this.#cached !== undefined && this.#cached.asOfMs >= tickMs) return;
    if (this.#changedAtMs <= tickMs) this.#cached = this.#present(tickMs);
    else this.#cached ??= this.#present(nowMs);
  }

  #present(asOfMs: Ms): { readonly members: readonly number[]; readonly index: number; readonly asOfMs: Ms } {
    return { members: this.#catalog.members(), index: this.#catalog.index, asOfMs };
  }

  #nextRunMs(nowMs: Ms): Ms {
    const { evictionInterval } = this.#params;
    return (Math.floor(nowMs / evictionInterval) + 1) * evictionInterval;
  }
}
