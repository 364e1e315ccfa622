/** Leader election by the store's own lock, held under a lease that is kept alive: etcd's election, Consul's leader recipe.
 *
 *  Use it where the store has leases and locks: followers learn at once that the lock is free, and the lock's token is the store's. It fails
 *  like every lease: after a pause longer than it, a controller that has lost the lock believes in it until the answer to its next
 *  keep-alive. With Consul a takeover waits for the lock delay besides.
 *
 *  The lease is kept alive three times per its length, and given up when it could not be for that long. Who does not hold the lock asks
 *  again every `retryPeriod`; hosts that watch the key may call `onTimer` as soon as it changes. */
import { duration } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import type { StoreAnswer, StoreRequest } from '../store/store-request.ts';
import { defineElector, type Elector, type ElectorDeps } from './elector.ts';

export const sessionLock = defineElector({
  name: 'session-lock',
  summary: 'Holds the store’s lock under a lease that is kept alive, with the lock’s token (etcd, Consul).',
  useWhen: 'The store has leases and locks, and what the leader writes to can check tokens.',
  failsWhen: 'Controllers pause for longer than the lease and nobody checks their tokens.',
  cost: 'one keep-alive per third of the lease and controller',
  sources: [
    'etcd-io/etcd: client/v3/concurrency/session.go, client/v3/concurrency/election.go',
    'HashiCorp: Consul documentation, application leader election with sessions',
  ],
  aliases: [
    { system: 'etcd', name: 'election' },
    { system: 'Consul', name: 'session' },
  ],
  params: {
    ttl: duration({
      default: 60_000,
      min: 1,
      about: 'Length of the lease; the store may grant a longer one.',
      official: 'etcd defaultSessionTTL; Consul TTL',
    }),
    retryPeriod: duration({
      default: 5000,
      min: 1,
      about: 'Between attempts to get the lock, a lease, or an answer.',
      official: 'Consul lock-wait retry',
    }),
  },
  create: ({ ttl, retryPeriod }, deps) => new SessionLock(ttl, retryPeriod, deps),
});

type Purpose = 'grant' | 'acquire' | 'keep-alive';

class SessionLock implements Elector {
  readonly #ttlMs: Ms;
  readonly #retryMs: Ms;
  readonly #deps: ElectorDeps;
  #isRunning = false;
  #lease: { readonly id: number; readonly ttlMs: Ms; readonly aliveMs: Ms } | undefined;
  #token: number | undefined;
  readonly #pending = new Map<number, { readonly purpose: Purpose; readonly sentMs: Ms }>();
  #keepAliveAtMs: Ms = Infinity;
  #attemptAtMs: Ms = Infinity;
  #ids = 0;

  constructor(ttlMs: Ms, retryMs: Ms, deps: ElectorDeps) {
    this.#ttlMs = ttlMs;
    this.#retryMs = retryMs;
    this.#deps = deps;
  }

  get isLeader(): boolean {
    return this.#token !== undefined;
  }

  get token(): number | undefined {
    return this.#token;
  }

  start(nowMs: Ms): void {
    this.#isRunning = true;
    this.#attempt(nowMs);
  }

  stop(nowMs: Ms): void {
    this.#isRunning = false;
    const lease = this.#lease;
    this.#forgetLease();
    this.#attemptAtMs = Infinity;
    if (lease === undefined) return;
    // First let go of the lock, which knows no delay; then of the lease.
    this.#deps.host.request(++this.#ids, { op: 'release', key: this.#deps.key, lease: lease.id }, nowMs);
    this.#deps.host.request(++this.#ids, { op: 'revoke-lease', lease: lease.id }, nowMs);
  }

  onAnswer(id: number, answer: StoreAnswer, nowMs: Ms): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    if (answer.kind === 'unreachable') return;
    if (answer.kind === 'lease') this.#onGranted(answer.lease, answer.ttlMs, pending.sentMs, nowMs);
    else if (answer.kind === 'keep-alive') this.#onKeptAlive(answer.result === 'renewed', pending.sentMs, nowMs);
    else if (answer.kind === 'acquisition' && answer.result.state === 'held') {
      this.#token = answer.result.token;
      this.#attemptAtMs = Infinity;
    }
  }

  nextTimerMs(): Ms {
    const overMs = this.#lease === undefined ? Infinity : this.#lease.aliveMs + this.#lease.ttlMs;
    return Math.min(this.#attemptAtMs, this.#keepAliveAtMs, overMs);
  }

  onTimer(nowMs: Ms): void {
    if (this.#lease !== undefined && nowMs >= this.#lease.aliveMs + this.#lease.ttlMs) {
      this.#forgetLease();
      this.#attempt(nowMs);
      return;
    }
    if (this.#lease !== undefined && nowMs >= this.#keepAliveAtMs) {
      this.#keepAliveAtMs = nowMs + Math.min(this.#lease.ttlMs / 3, this.#retryMs);
      this.#ask('keep-alive', { op: 'keep-alive', lease: this.#lease.id }, nowMs);
    }
    if (this.#isRunning && this.#token === undefined && nowMs >= this.#attemptAtMs) this.#attempt(nowMs);
  }

  #attempt(nowMs: Ms): void {
    this.#attemptAtMs = this.#isRunning ? nowMs + this.#retryMs : Infinity;
    if (!this.#isRunning) return;
    const { key, identity } = this.#deps;
    if (this.#lease === undefined) this.#ask('grant', { op: 'grant-lease', ttlMs: this.#ttlMs }, nowMs);
    else this.#ask('acquire', { op: 'acquire', key, lease: this.#lease.id, value: identity }, nowMs);
  }

  #ask(purpose: Purpose, request: StoreRequest, nowMs: Ms): void {
    const id = ++this.#ids;
    // Of several questions of one kind only the last is waited for.
    for (const [other, pending] of this.#pending)
      if (pending.purpose === purpose && purpose !== 'keep-alive') this.#pending.delete(other);
    this.#pending.set(id, { purpose, sentMs: nowMs });
    this.#deps.host.request(id, request, nowMs);
  }

  #onGranted(lease: number | undefined, ttlMs: Ms, sentMs: Ms, nowMs: Ms): void {
    if (lease === undefined || this.#lease !== undefined || !this.#isRunning) return;
    this.#lease = { id: lease, ttlMs, aliveMs: sentMs };
    this.#keepAliveAtMs = nowMs + ttlMs / 3;
    this.#attempt(nowMs);
  }

  #onKeptAlive(isRenewed: boolean, sentMs: Ms, nowMs: Ms): void {
    if (this.#lease === undefined) return;
    if (!isRenewed) {
      this.#forgetLease();
      this.#attempt(nowMs);
      return;
    }
    this.#lease = { ...this.#lease, aliveMs: Math.max(this.#lease.aliveMs, sentMs) };
    this.#keepAliveAtMs = nowMs + this.#lease.ttlMs / 3;
  }

  #forgetLease(): void {
    this.#lease = undefined;
    this.#token = undefined;
    this.#pending.clear();
    this.#keepAliveAtMs = Infinity;
  }
}
