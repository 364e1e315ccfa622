/** etcd: one revision for everything, watches without gaps, leases that take their keys along, locks as a queue of keys.
 *
 *  Use it where everybody must see the same changes in the same order, and waiting for a lock should be fair. It fails where holders pause
 *  for longer than their lease: their keys go, the next in line gets the lock, and whoever comes back writes on unless its token is
 *  checked. A lease can also outlive its owner by far: a new leader gives every lease its full time again.
 *
 *  A watch replays history from its revision on; if that was compacted away it ends, and its owner has to read everything. A lock is a
 *  key per lease below the lock's name: the lowest creation revision owns it, which is its token, and a waiter owns it when all before are
 *  gone. Leases last one and a half elections at least and are taken down at scans twice a second. */
import { int } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { grantedTtlMs, Lessor, memberParams, minLeaseTtlMs, SCAN_INTERVAL_MS } from '../../shared/lessor.ts';
import {
  type Acquisition,
  type CasResult,
  type ConfigStore,
  defineStore,
  type StoreEntry,
  type KeepAlive,
  type StoreDeps,
  type StoreHost,
  type WatchEvent,
  type WatchStart,
} from './config-store.ts';
import { RevisionLog } from './parts/revision-log.ts';

export const etcdStore = defineStore({
  name: 'etcd',
  summary: 'One revision for all keys, gap-free watches, leases that take their keys along, fair locks with tokens.',
  useWhen: 'Everybody must see the same changes in the same order, or waiters for a lock should get it in turn.',
  failsWhen: 'Holders of leases pause for longer than them, or watchers fall behind what history is kept.',
  cost: 'O(watches) per change, O(keys) per range',
  sources: [
    'etcd-io/etcd: server/storage/mvcc/watchable_store.go, server/lease/lessor.go',
    'etcd-io/etcd: client/v3/concurrency/mutex.go',
  ],
  aliases: [{ system: 'CNCF', name: 'etcd' }],
  params: {
    ...memberParams,
    compactionRetention: int({
      default: 0,
      min: 0,
      about: 'Revisions of history that are kept, checked every five minutes; 0: all.',
      official: 'etcd auto-compaction-retention, in revision mode',
    }),
  },
  create: (params, deps) => new EtcdStore(params, deps),
});

interface EtcdParams {
  readonly heartbeatInterval: Ms;
  readonly electionTimeout: Ms;
  readonly leaseRevokeRate: number;
  readonly compactionRetention: number;
}

interface Watch {
  readonly prefix: string;
  readonly from: number;
}

export class EtcdStore implements ConfigStore {
  readonly watches = 'stream';
  readonly #log = new RevisionLog();
  readonly #lessor: Lessor;
  readonly #host: StoreHost;
  readonly #electionMs: Ms;
  readonly #minTtlMs: Ms;
  readonly #retention: number;
  readonly #keysOf = new Map<number, Set<string>>();
  readonly #watches = new Map<number, Watch>();
  #leases = 0;
  #nextScanMs: Ms = 0;
  #nextCompactionMs: Ms;

  constructor(params: EtcdParams, deps: StoreDeps) {
    this.#host = deps.host;
    this.#electionMs = params.electionTimeout;
    this.#minTtlMs = minLeaseTtlMs(params.heartbeatInterval, params.electionTimeout);
    this.#lessor = new Lessor(params.leaseRevokeRate);
    this.#retention = params.compactionRetention;
    this.#nextCompactionMs = params.compactionRetention > 0 ? COMPACTION_INTERVAL_MS : Infinity;
  }

  get revision(): number {
    return this.#log.revision;
  }

  get(key: string): StoreEntry | undefined {
    return this.#log.get(key);
  }

  list(prefix: string): readonly StoreEntry[] {
    return this.#log.list(prefix);
  }

  put(key: string, value: string, nowMs: Ms): number {
    this.#write(key, value, undefined, nowMs);
    return this.revision;
  }

  compareAndSwap(key: string, modRevision: number, value: string, nowMs: Ms): CasResult {
    const succeeded = (this.get(key)?.modRevision ?? 0) === modRevision;
    if (succeeded) this.#write(key, value, undefined, nowMs);
    return { succeeded, revision: this.revision };
  }

  delete(key: string, nowMs: Ms, modRevision?: number): boolean {
    const entry = this.get(key);
    if (entry !== undefined && modRevision !== undefined && entry.modRevision !== modRevision) return false;
    this.#delete([key], nowMs);
    return true;
  }

  watch(watcher: number, prefix: string, revision: number, nowMs: Ms): WatchStart {
    if (revision > 0 && revision < this.#log.compactedRevision)
      return { kind: 'compacted', revision: this.#log.compactedRevision };
    const from = revision === 0 ? this.revision + 1 : revision;
    this.#watches.set(watcher, { prefix, from });
    const events = this.#log.since(from, prefix);
    if (events.length > 0) this.#host.deliver(watcher, { kind: 'events', revision: this.revision, events }, nowMs);
    return { kind: 'from', revision: from };
  }

  unwatch(watcher: number): void {
    this.#watches.delete(watcher);
  }

  /** Forgets history before `revision`. */
  compact(revision: number): void {
    this.#log.compact(revision);
  }

  grantLease(ttlMs: Ms, nowMs: Ms): { readonly lease: number; readonly ttlMs: Ms } | undefined {
    const grantedMs = grantedTtlMs(ttlMs, this.#minTtlMs);
    if (grantedMs === undefined) return undefined;
    const lease = ++this.#leases;
    this.#lessor.grant(lease, grantedMs, nowMs);
    this.#keysOf.set(lease, new Set());
    return { lease, ttlMs: grantedMs };
  }

  keepAlive(lease: number, nowMs: Ms): KeepAlive {
    if (this.#lessor.renew(lease, nowMs)) return 'renewed';
    return this.#keysOf.has(lease) ? 'expiring' : 'not-found';
  }

  revokeLease(lease: number, nowMs: Ms): boolean {
    this.#lessor.revoke(lease);
    return this.#drop(lease, nowMs);
  }

  /** An entry that goes with a lease; false if the lease is over. */
  putWithLease(key: string, value: string, lease: number, nowMs: Ms): boolean {
    if (!this.#keysOf.has(lease)) return false;
    this.#write(key, value, lease, nowMs);
    return true;
  }

  acquire(key: string, lease: number, nowMs: Ms, value = ''): Acquisition {
    const own = placeInLine(key, lease);
    if (this.get(own) === undefined && !this.putWithLease(own, value, lease, nowMs)) return { state: 'refused' };
    const holder = this.holder(key);
    return holder?.lease === lease ? { state: 'held', token: holder.token } : { state: 'waiting' };
  }

  release(key: string, lease: number, nowMs: Ms): boolean {
    return this.#delete([placeInLine(key, lease)], nowMs);
  }

  holder(key: string): { readonly lease: number; readonly token: number } | undefined {
    let first: StoreEntry | undefined;
    for (const entry of this.list(`${key}/`))
      if (entry.lease !== undefined && (first === undefined || entry.createRevision < first.createRevision)) first = entry;
    return first === undefined ? undefined : { lease: first.lease!, token: first.createRevision };
  }

  /** The new leader begins an election after the last one was heard, at the earliest. */
  onLeaderChanged(nowMs: Ms): void {
    this.#lessor.promote(this.#electionMs, nowMs);
  }

  nextTimerMs(): Ms {
    return Math.min(this.#scanAtMs(), this.#nextCompactionMs);
  }

  onTimer(nowMs: Ms): void {
    if (nowMs >= this.#scanAtMs()) {
      this.#nextScanMs = (Math.floor(nowMs / SCAN_INTERVAL_MS) + 1) * SCAN_INTERVAL_MS;
      for (const lease of this.#lessor.scan(nowMs)) this.#drop(lease, nowMs);
    }
    if (nowMs < this.#nextCompactionMs) return;
    this.#nextCompactionMs = (Math.floor(nowMs / COMPACTION_INTERVAL_MS) + 1) * COMPACTION_INTERVAL_MS;
    this.compact(this.revision - this.#retention);
  }

  #scanAtMs(): Ms {
    return Math.max(this.#nextScanMs, Math.ceil(this.#lessor.nextExpiryMs() / SCAN_INTERVAL_MS) * SCAN_INTERVAL_MS);
  }

  #write(key: string, value: string, lease: number | undefined, nowMs: Ms): void {
    const former = this.get(key)?.lease;
    if (former !== undefined) this.#keysOf.get(former)?.delete(key);
    if (lease !== undefined) this.#keysOf.get(lease)?.add(key);
    this.#tell([this.#log.put(key, value, lease)], nowMs);
  }

  #delete(keys: Iterable<string>, nowMs: Ms): boolean {
    const events = this.#log.delete(keys);
    for (const { key } of events) for (const owned of this.#keysOf.values()) owned.delete(key);
    this.#tell(events, nowMs);
    return events.length > 0;
  }

  #drop(lease: number, nowMs: Ms): boolean {
    const keys = this.#keysOf.get(lease);
    this.#keysOf.delete(lease);
    if (keys !== undefined) this.#tell(this.#log.delete(keys), nowMs);
    return keys !== undefined;
  }

  #tell(events: readonly WatchEvent[], nowMs: Ms): void {
    const revision = this.revision;
    for (const [watcher, { prefix, from }] of [...this.#watches]) {
      const own = events.filter((event) => event.revision >= from && event.key.startsWith(prefix));
      if (own.length > 0) this.#host.deliver(watcher, { kind: 'events', revision, events: own }, nowMs);
    }
  }
}

/** Leases are written in hexadecimal, as clients of etcd do. */
const placeInLine = (key: string, lease: number): string => `${key}/${lease.toString(16)}`;

const COMPACTION_INTERVAL_MS = 300_000;
