/** etcd: an instance is there as long as its lease is.
 *
 *  Use it where the truth must be one and the same for everybody, and an entry without a living owner is worse than none. It fails by
 *  deleting: a pause longer than the lease takes a healthy instance out until it registers again, an outage of the store followed by
 *  lost keep-alives takes everybody out. A dead instance can stay longer than its lease: a change of leader renews every lease.
 *
 *  A lease that has run out is revoked at the next scan, twice a second, at most a thousand per second; renewing it then fails. Watches
 *  are answered as soon as the revision passes what the client knows. */
import { duration } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { BlockingQueries } from '../../shared/blocking-queries.ts';
import { Catalog } from '../parts/catalog.ts';
import { grantedTtlMs, Lessor, MAX_LEASE_TTL_MS, memberParams, minLeaseTtlMs, SCAN_INTERVAL_MS } from '../../shared/lessor.ts';
import { defineRegistry, type HealthStatus, type Registry, type RegistryDeps } from './registry.ts';

export const etcdRegistry = defineRegistry({
  name: 'etcd',
  summary: 'Deletes an instance when its lease runs out; renewing does not bring it back.',
  useWhen: 'An entry without a living owner must not exist, and instances register again by themselves.',
  failsWhen: 'Pauses exceed the lease, or the store is unreachable for that long: healthy instances vanish.',
  cost: 'O(1) per keep-alive, O(open queries) per change',
  sources: ['etcd-io/etcd: server/lease/lessor.go', 'etcd-io/etcd: client/v3/concurrency/session.go, on the default lease'],
  aliases: [{ system: 'CNCF', name: 'etcd' }],
  params: {
    ttl: duration({
      default: 60_000,
      min: 1,
      max: MAX_LEASE_TTL_MS,
      about: 'Lease of an instance, raised to one and a half elections.',
      official: 'etcd TTL',
    }),
    ...memberParams,
  },
  create: (params, deps) => {
    const ttlMs = grantedTtlMs(params.ttl, minLeaseTtlMs(params.heartbeatInterval, params.electionTimeout));
    return new EtcdRegistry(ttlMs ?? MAX_LEASE_TTL_MS, params.leaseRevokeRate, deps);
  },
});

/** The store's own registry can also be told that its leader changed. */
export class EtcdRegistry implements Registry {
  readonly renewEveryMs: Ms;
  readonly #ttlMs: Ms;
  readonly #catalog: Catalog;
  readonly #queries: BlockingQueries;
  readonly #lessor: Lessor;
  /** The scan after the last one. */
  #nextScanMs: Ms = 0;

  constructor(ttlMs: Ms, revokesPerSecond: number, deps: RegistryDeps) {
    // Clients send keep-alives at a third of the lease.
    this.renewEveryMs = ttlMs / 3;
    this.#ttlMs = ttlMs;
    this.#lessor = new Lessor(revokesPerSecond);
    this.#queries = new BlockingQueries(deps.rng, (query, nowMs) =>
      deps.host.answer(query, { members: this.#catalog.members(), index: this.#catalog.index, ageMs: 0, ttlMs: Infinity }, nowMs),
    );
    this.#catalog = new Catalog(
      () => true,
      (nowMs) => this.#queries.changed(this.#catalog.index, nowMs),
    );
  }

  get index(): number {
    return this.#catalog.index;
  }

  register(instance: number, nowMs: Ms): void {
    this.#lessor.grant(instance, this.#ttlMs, nowMs);
    this.#catalog.set(instance, 'passing', nowMs);
  }

  /** Keys have no health: whatever the instance says of itself, it is there. */
  renew(instance: number, _status: HealthStatus, nowMs: Ms): boolean {
    return this.#lessor.renew(instance, nowMs);
  }

  deregister(instance: number, nowMs: Ms): void {
    this.#lessor.revoke(instance);
    this.#catalog.delete(instance, nowMs);
  }

  status(instance: number): HealthStatus | undefined {
    return this.#catalog.status(instance);
  }

  query(query: number, index: number, waitMs: Ms, nowMs: Ms): void {
    this.#queries.ask(query, index, waitMs, this.index, nowMs);
  }

  forget(query: number): void {
    this.#queries.forget(query);
  }

  /** Another member of the store leads now, `extendMs` after the last one was heard. */
  onLeaderChanged(extendMs: Ms, nowMs: Ms): void {
    this.#lessor.promote(extendMs, nowMs);
  }

  nextTimerMs(): Ms {
    return Math.min(this.#scanAtMs(), this.#queries.nextTimerMs());
  }

  onTimer(nowMs: Ms): void {
    if (nowMs >= this.#scanAtMs()) {
      this.#nextScanMs = (Math.floor(nowMs / SCAN_INTERVAL_MS) + 1) * SCAN_INTERVAL_MS;
      for (const instance of this.#lessor.scan(nowMs)) this.#catalog.delete(instance, nowMs);
    }
    this.#queries.onTimer(nowMs);
  }

  /** The first scan that may find something. */
  #scanAtMs(): Ms {
    return Math.max(this.#nextScanMs, Math.ceil(this.#lessor.nextExpiryMs() / SCAN_INTERVAL_MS) * SCAN_INTERVAL_MS);
  }
}
