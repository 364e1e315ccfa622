/** Leases as etcd keeps them. A lease is alive while now < expiry. One that ran out is revoked at the next scan and cannot be
 *  renewed any more, not even before the scan: its owner has to start anew. A new leader gives every lease its full time again, because
 *  it does not know what was left, and spreads those that would run out together.
 *
 *  After etcd-io/etcd: server/lease/lessor.go. */
import { duration, int } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import { Deadlines } from './deadlines.ts';

/** Parameters of the store behind the leases. */
export const memberParams = {
  heartbeatInterval: duration({
    default: 100,
    min: 1,
    about: 'Between members of the store.',
    official: 'etcd heartbeat-interval',
  }),
  electionTimeout: duration({
    default: 1000,
    min: 1,
    about: 'Between members of the store.',
    official: 'etcd election-timeout',
  }),
  leaseRevokeRate: int({
    default: 1000,
    min: 2,
    about: 'Leases revoked per second, at most.',
    official: 'etcd defaultLeaseRevokeRate',
  }),
} as const;

/** The shortest lease that is granted: one and a half elections, in whole seconds, so that a lease outlives a change of leader. */
export function minLeaseTtlMs(heartbeatMs: Ms, electionMs: Ms): Ms {
  const electionTicks = Math.floor(electionMs / heartbeatMs);
  return Math.ceil((Math.floor((3 * electionTicks) / 2) * heartbeatMs) / 1000) * 1000;
}

/** No lease is longer. */
export const MAX_LEASE_TTL_MS = 9_000_000_000_000;

/** What is granted when `requestedMs` is asked for; undefined if that is refused. */
export const grantedTtlMs = (requestedMs: Ms, minMs: Ms): Ms | undefined =>
  requestedMs > MAX_LEASE_TTL_MS ? undefined : Math.max(requestedMs, minMs);

export class Lessor {
  readonly #revokesPerSecond: number;
  readonly #ttlMs = new Map<number, Ms>();
  readonly #expiries = new Deadlines();

  constructor(revokesPerSecond = 1000) {
    this.#revokesPerSecond = revokesPerSecond;
  }

  get size(): number {
    return this.#ttlMs.size;
  }

  grant(lease: number, ttlMs: Ms, nowMs: Ms): void {
    this.#ttlMs.set(lease, ttlMs);
    this.#expiries.set(lease, nowMs + ttlMs);
  }

  isAlive(lease: number, nowMs: Ms): boolean {
    return nowMs < (this.#expiries.get(lease) ?? -Infinity);
  }

  /** False: there is no such lease, or it has run out. */
  renew(lease: number, nowMs: Ms): boolean {
    if (!this.isAlive(lease, nowMs)) return false;
    this.#expiries.set(lease, nowMs + this.#ttlMs.get(lease)!);
    return true;
  }

  revoke(lease: number): void {
    this.#ttlMs.delete(lease);
    this.#expiries.delete(lease);
  }

  expiryMs(lease: number): Ms {
    return this.#expiries.get(lease) ?? -Infinity;
  }

  /** No lease runs out before this. */
  nextExpiryMs(): Ms {
    return this.#expiries.nextMs();
  }

  /** Revokes what has run out, as many as one scan of `intervalMs` may, and returns them. */
  scan(nowMs: Ms, intervalMs: Ms = SCAN_INTERVAL_MS): readonly number[] {
    const revoked = this.#expiries.takeDue(nowMs, Math.floor((this.#revokesPerSecond * intervalMs) / 1000));
    for (const lease of revoked) this.#ttlMs.delete(lease);
    return revoked;
  }

  /** A new leader takes over: every lease gets its full time and `extendMs` on top. */
  promote(extendMs: Ms, nowMs: Ms): void {
    for (const [lease, ttlMs] of this.#ttlMs) this.#expiries.set(lease, nowMs + extendMs + ttlMs);
    if (this.#ttlMs.size >= this.#revokesPerSecond) this.#spread(extendMs, nowMs);
  }

  /** Leases beyond three quarters of the rate within one second are moved on, each by as much as keeps to that rate. */
  #spread(extendMs: Ms, nowMs: Ms): void {
    const perSecond = Math.max(1, Math.floor((3 * this.#revokesPerSecond) / 4));
    const leases = [...this.#ttlMs.keys()].sort((a, b) => this.expiryMs(a) - this.expiryMs(b) || a - b);
    let windowMs = this.expiryMs(leases[0]) - nowMs;
    let windowEndMs = windowMs + 1000;
    let expires = 0;
    for (const lease of leases) {
      const remainingMs = this.expiryMs(lease) - nowMs;
      if (remainingMs > windowEndMs) {
        windowMs = remainingMs;
        windowEndMs = windowMs + 1000;
        expires = 1;
        continue;
      }
      expires++;
      if (expires <= perSecond) continue;
      const delayMs = (1000 * expires) / perSecond - (remainingMs - windowMs);
      windowEndMs = windowMs + delayMs;
      this.#expiries.set(lease, nowMs + delayMs + extendMs + this.#ttlMs.get(lease)!);
    }
  }
}

/** etcd looks for leases that ran out twice a second. */
export const SCAN_INTERVAL_MS = 500;
