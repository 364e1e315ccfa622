/** Consul: keys with locks held by sessions, and queries that wait for a change.
 *
 *  Use it where health of nodes and locks belong together and it is enough to learn the latest state. It fails to tell what happened in
 *  between: a watch answers once, with what is there then. After a holder is lost its lock stays free for the lock delay, so takeovers
 *  take at least that long; the delay is meant to let the lost holder's last writes land, and is too short when its pause is longer.
 *
 *  A session that is not renewed is invalidated when twice its time to live has passed, never before its time to live has. Its locks are
 *  then released, or deleted, and nobody can take them for the lock delay. Letting go of a lock knows no delay. Waiters get a lock in no order. */
import { choice, duration, number } from '../../../core/params.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { BlockingQueries } from '../../shared/blocking-queries.ts';
import { Deadlines } from '../../shared/deadlines.ts';
import {
  type Acquisition,
  type CasResult,
  type ConfigStore,
  defineStore,
  type StoreEntry,
  type KeepAlive,
  type StoreDeps,
  type StoreHost,
  type WatchStart,
} from './config-store.ts';
import { type LockEntry, LockTable } from './parts/lock-table.ts';

export const consulStore = defineStore({
  name: 'consul',
  summary: 'Keys with locks held by sessions, a delay before a lost holder’s lock is free, queries that wait for a change.',
  useWhen: 'Only the latest state matters, and holders of locks need a moment after they are lost.',
  failsWhen: 'Takeovers must be quick, every change must be seen, or holders pause for longer than the lock delay.',
  cost: 'O(keys) per change and waiting query',
  sources: [
    'hashicorp/consul: agent/consul/state/kvs.go, agent/consul/state/session.go, agent/consul/session_ttl.go',
    'HashiCorp: Consul documentation, sessions and distributed locks',
  ],
  aliases: [{ system: 'HashiCorp', name: 'Consul' }],
  params: {
    lockDelay: duration({
      default: 15_000,
      min: 0,
      max: 60_000,
      about: 'After a session was invalidated, nobody gets its locks for so long.',
      official: 'Consul LockDelay',
    }),
    behavior: choice({
      choices: ['release', 'delete'],
      default: 'release',
      about: 'What becomes of the locked keys of an invalidated session.',
      official: 'Consul Behavior',
    }),
    sessionTtlMultiplier: number({
      default: 2,
      min: 1,
      max: 2,
      about: 'A session is invalidated when so many times its time to live passed without renewal.',
      official: 'Consul SessionTTLMultiplier',
    }),
    sessionTtlMin: duration({ default: 10_000, min: 1, about: 'No session is shorter.', official: 'Consul session_ttl_min' }),
    waitTime: duration({
      default: 300_000,
      min: 1,
      max: 600_000,
      about: 'How long a query waits for a change.',
      official: 'Consul wait',
    }),
  },
  create: (params, deps) => new ConsulStore(params, deps),
});

interface ConsulParams {
  readonly lockDelay: Ms;
  readonly behavior: 'release' | 'delete';
  readonly sessionTtlMultiplier: number;
  readonly sessionTtlMin: Ms;
  readonly waitTime: Ms;
}

export class ConsulStore implements ConfigStore {
  readonly watches = 'once';
  readonly #params: ConsulParams;
  readonly #host: StoreHost;
  readonly #rng: Rng;
  readonly #table = new LockTable();
  readonly #ttlMs = new Map<number, Ms>();
  readonly #expiries = new Deadlines();
  /** Until when a key's lock cannot be had. */
  readonly #delayedUntilMs = new Map<string, Ms>();
  /** Waiting queries by prefix. */
  readonly #queries = new Map<string, BlockingQueries>();
  #index = 1;
  #sessions = 0;

  constructor(params: ConsulParams, deps: StoreDeps) {
    this.#params = params;
    this.#host = deps.host;
    this.#rng = deps.rng;
  }

  get revision(): number {
    return this.#index;
  }

  get(key: string): StoreEntry | undefined {
    const entry = this.#table.get(key);
    return entry === undefined ? undefined : shown(entry);
  }

  list(prefix: string): readonly StoreEntry[] {
    return this.#table.list(prefix).map(shown);
  }

  put(key: string, value: string, nowMs: Ms): number {
    this.#table.set(key, value, ++this.#index);
    this.#changed(nowMs);
    return this.#index;
  }

  /** A log entry is written whether it succeeds or not. */
  compareAndSwap(key: string, modRevision: number, value: string, nowMs: Ms): CasResult {
    const succeeded = this.#table.setIfAt(key, modRevision, value, ++this.#index);
    if (succeeded) this.#changed(nowMs);
    return { succeeded, revision: this.#index };
  }

  delete(key: string, nowMs: Ms, modRevision?: number): boolean {
    const isDone = this.#table.deleteIfAt(key, modRevision, ++this.#index);
    if (isDone) this.#changed(nowMs);
    return isDone;
  }

  watch(watcher: number, prefix: string, revision: number, nowMs: Ms): WatchStart {
    let queries = this.#queries.get(prefix);
    if (queries === undefined) {
      queries = new BlockingQueries(this.#rng, (query, atMs) => {
        const index = this.#table.indexOf(prefix);
        this.#host.deliver(query, { kind: 'snapshot', revision: index, entries: this.list(prefix) }, atMs);
      });
      this.#queries.set(prefix, queries);
    }
    queries.ask(watcher, revision, this.#params.waitTime, this.#table.indexOf(prefix), nowMs);
    return { kind: 'from', revision };
  }

  unwatch(watcher: number): void {
    for (const queries of this.#queries.values()) queries.forget(watcher);
  }

  grantLease(ttlMs: Ms, nowMs: Ms): { readonly lease: number; readonly ttlMs: Ms } | undefined {
    if (ttlMs > SESSION_TTL_MAX_MS) return undefined;
    const session = ++this.#sessions;
    const grantedMs = Math.max(ttlMs, this.#params.sessionTtlMin);
    this.#ttlMs.set(session, grantedMs);
    this.#expiries.set(session, nowMs + grantedMs * this.#params.sessionTtlMultiplier);
    return { lease: session, ttlMs: grantedMs };
  }

  keepAlive(session: number, nowMs: Ms): KeepAlive {
    const ttlMs = this.#ttlMs.get(session);
    if (ttlMs === undefined) return 'not-found';
    this.#expiries.set(session, nowMs + ttlMs * this.#params.sessionTtlMultiplier);
    return 'renewed';
  }

  /** Destroying a session is invalidating it: its locks are delayed. */
  revokeLease(session: number, nowMs: Ms): boolean {
    this.#expiries.delete(session);
    return this.#invalidate(session, nowMs);
  }

  acquire(key: string, session: number, nowMs: Ms, value?: string): Acquisition {
    if (!this.#ttlMs.has(session) || nowMs < (this.#delayedUntilMs.get(key) ?? -Infinity)) return { state: 'refused' };
    this.#delayedUntilMs.delete(key);
    const before = this.#table.get(key)?.modifyIndex;
    if (!this.#table.lock(key, String(session), value, ++this.#index)) return { state: 'refused' };
    const { lockIndex, modifyIndex } = this.#table.get(key)!;
    if (modifyIndex !== before) this.#changed(nowMs);
    return { state: 'held', token: lockIndex };
  }

  release(key: string, session: number, nowMs: Ms): boolean {
    const isDone = this.#table.unlock(key, String(session), ++this.#index);
    if (isDone) this.#changed(nowMs);
    return isDone;
  }

  holder(key: string): { readonly lease: number; readonly token: number } | undefined {
    const entry = this.#table.get(key);
    return entry?.session === undefined ? undefined : { lease: Number(entry.session), token: entry.lockIndex };
  }

  /** The new leader does not know when sessions were renewed last: each gets its full time. */
  onLeaderChanged(nowMs: Ms): void {
    for (const session of this.#ttlMs.keys()) this.keepAlive(session, nowMs);
  }

  nextTimerMs(): Ms {
    let nextMs = this.#expiries.nextMs();
    for (const queries of this.#queries.values()) nextMs = Math.min(nextMs, queries.nextTimerMs());
    return nextMs;
  }

  onTimer(nowMs: Ms): void {
    for (const session of this.#expiries.takeDue(nowMs)) this.#invalidate(session, nowMs);
    for (const queries of this.#queries.values()) queries.onTimer(nowMs);
  }

  #invalidate(session: number, nowMs: Ms): boolean {
    if (!this.#ttlMs.delete(session)) return false;
    const keys = this.#table.heldBy(String(session));
    const index = ++this.#index;
    for (const key of keys) {
      if (this.#params.behavior === 'delete') this.#table.deleteIfAt(key, undefined, index);
      else this.#table.unlock(key, String(session), index);
      if (this.#params.lockDelay > 0) this.#delayedUntilMs.set(key, nowMs + this.#params.lockDelay);
    }
    if (keys.length > 0) this.#changed(nowMs);
    return true;
  }

  #changed(nowMs: Ms): void {
    for (const [prefix, queries] of this.#queries) queries.changed(this.#table.indexOf(prefix), nowMs);
  }
}

const shown = ({ key, value, createIndex, modifyIndex, version, session }: LockEntry): StoreEntry => ({
  key,
  value,
  createRevision: createIndex,
  modRevision: modifyIndex,
  version,
  lease: session === undefined ? undefined : Number(session),
});

const SESSION_TTL_MAX_MS = 86_400_000;
