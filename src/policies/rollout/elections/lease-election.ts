/** Leader election by a lease that all read and the leader rewrites: Kubernetes' client-go, on any store with compare-and-swap.
 *
 *  Use it where the store has no leases of its own, or clocks must not be compared: everybody measures with his own clock how long the
 *  record has not changed. It fails by waiting: a leader that dies is followed after the lease at the earliest, and one that is paused
 *  for longer than the lease acts beside its follower until it notices.
 *
 *  The leader renews every `retryPeriod` and gives up when it could not for `renewDeadline`; the others look every `retryPeriod`,
 *  up to 1.2 times longer at random, and take over when the record has not changed for `leaseDuration`. The record counts transitions from
 *  one leader to another; that count is the token here. Kubernetes itself does not use it as one. */
import { InputError } from '../../../core/errors.ts';
import { duration, number } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import type { StoreEntry } from '../store/config-store.ts';
import type { StoreAnswer } from '../store/store-request.ts';
import { defineElector, type Elector, type ElectorDeps } from './elector.ts';

export const leaseElection = defineElector({
  name: 'lease-election',
  summary: 'The leader rewrites a record; who sees it unchanged for the length of a lease takes over (Kubernetes).',
  useWhen: 'The store offers nothing but compare-and-swap, and clocks are not to be trusted against each other.',
  failsWhen: 'Takeovers must take less than the lease, or a leader is paused between looking and writing.',
  cost: 'one write per retry period of the leader, one read of each other',
  sources: ['kubernetes/kubernetes: staging/src/k8s.io/client-go/tools/leaderelection/leaderelection.go'],
  aliases: [{ system: 'Kubernetes', name: 'Lease' }],
  params: {
    leaseDuration: duration({
      default: 15_000,
      min: 1,
      about: 'A record that has not changed for so long is free.',
      official: 'Kubernetes LeaseDuration',
    }),
    renewDeadline: duration({
      default: 10_000,
      min: 1,
      about: 'A leader that could not renew for so long gives up.',
      official: 'Kubernetes RenewDeadline',
    }),
    retryPeriod: duration({ default: 2000, min: 1, about: 'Between attempts.', official: 'Kubernetes RetryPeriod' }),
    jitterFactor: number({
      default: 1.2,
      min: 0,
      about: 'Attempts of those who do not lead come up to so many retry periods later.',
      official: 'Kubernetes JitterFactor',
    }),
  },
  create: (params, deps) => {
    const { leaseDuration, renewDeadline, retryPeriod, jitterFactor } = params;
    if (leaseDuration <= renewDeadline || renewDeadline <= jitterFactor * retryPeriod)
      throw InputError.of(
        'bad-value',
        'lease-election: leaseDuration must be above renewDeadline, and that above jitterFactor times retryPeriod',
      );
    return new LeaseElection(params, deps);
  },
});

/** What is written in the store. */
export interface LeaseRecord {
  /** Empty when the last leader gave it up. */
  readonly holder: string;
  readonly transitions: number;
}

interface Params {
  readonly leaseDuration: Ms;
  readonly renewDeadline: Ms;
  readonly retryPeriod: Ms;
  readonly jitterFactor: number;
}

interface Pending {
  readonly id: number;
  readonly purpose: 'look' | 'write' | 'give-up';
  readonly sentMs: Ms;
  readonly record?: LeaseRecord;
}

class LeaseElection implements Elector {
  readonly #params: Params;
  readonly #deps: ElectorDeps;
  #isRunning = false;
  #observed: { readonly record: LeaseRecord; readonly modRevision: number; readonly sinceMs: Ms } | undefined;
  #pending: Pending | undefined;
  #token: number | undefined;
  #renewedMs: Ms = -Infinity;
  #attemptAtMs: Ms = Infinity;
  #ids = 0;

  constructor(params: Params, deps: ElectorDeps) {
    this.#params = params;
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
    this.#look(nowMs);
  }

  stop(nowMs: Ms): void {
    this.#isRunning = false;
    this.#attemptAtMs = Infinity;
    this.#pending = undefined;
    if (this.#token === undefined) return;
    const transitions = this.#token;
    this.#token = undefined;
    this.#write({ holder: '', transitions }, 'give-up', nowMs);
  }

  onAnswer(id: number, answer: StoreAnswer, nowMs: Ms): void {
    if (this.#pending?.id !== id) return;
    const { purpose, record, sentMs } = this.#pending;
    this.#pending = undefined;
    if (purpose === 'give-up') return;
    if (answer.kind === 'entry') this.#onSeen(answer.entry, nowMs);
    else if (answer.kind === 'written' && answer.succeeded) this.#onWritten(record!, answer.revision, sentMs, nowMs);
    // Somebody was quicker: see who.
    else if (answer.kind === 'written') this.#look(nowMs);
    else this.#retryLater(nowMs);
  }

  nextTimerMs(): Ms {
    return Math.min(this.#attemptAtMs, this.#token === undefined ? Infinity : this.#renewedMs + this.#params.renewDeadline);
  }

  onTimer(nowMs: Ms): void {
    if (this.#token !== undefined && nowMs >= this.#renewedMs + this.#params.renewDeadline) {
      // Nobody else can have it before the lease is over; by then this one has let go.
      this.#token = undefined;
      this.#pending = undefined;
      this.#retryLater(nowMs);
    }
    if (nowMs < this.#attemptAtMs) return;
    this.#attemptAtMs = Infinity;
    const { transitions } = this.#observed?.record ?? { transitions: 0 };
    // A leader knows what is written and need not look.
    if (this.#token !== undefined) this.#write({ holder: this.#deps.identity, transitions }, 'write', nowMs);
    else this.#look(nowMs);
  }

  #look(nowMs: Ms): void {
    this.#send('look', nowMs);
    this.#deps.host.request(this.#ids, { op: 'get', key: this.#deps.key }, nowMs);
  }

  #write(record: LeaseRecord, purpose: 'write' | 'give-up', nowMs: Ms): void {
    this.#send(purpose, nowMs, record);
    const modRevision = this.#observed?.modRevision ?? 0;
    // The time makes every renewal a change that others can see.
    const value = JSON.stringify({ ...record, renewed: nowMs });
    this.#deps.host.request(this.#ids, { op: 'compare-and-swap', key: this.#deps.key, modRevision, value }, nowMs);
  }

  /** An answer that does not come within a deadline is not waited for. */
  #send(purpose: Pending['purpose'], nowMs: Ms, record?: LeaseRecord): void {
    this.#pending = { id: ++this.#ids, purpose, sentMs: nowMs, ...(record === undefined ? {} : { record }) };
    if (this.#isRunning) this.#attemptAtMs = nowMs + Math.max(this.#params.retryPeriod, this.#params.renewDeadline / 2);
  }

  #onSeen(entry: StoreEntry | undefined, nowMs: Ms): void {
    if (entry === undefined) {
      this.#observed = undefined;
      this.#write({ holder: this.#deps.identity, transitions: 1 }, 'write', nowMs);
      return;
    }
    const record = JSON.parse(entry.value) as LeaseRecord;
    if (this.#observed?.modRevision !== entry.modRevision)
      this.#observed = { record, modRevision: entry.modRevision, sinceMs: nowMs };
    const { identity } = this.#deps;
    const isFree = record.holder === '' || this.#observed.sinceMs + this.#params.leaseDuration <= nowMs;
    if (record.holder === identity || isFree) {
      // Also to follow oneself is a transition: what the former self has still under way must not count.
      this.#write({ holder: identity, transitions: record.transitions + 1 }, 'write', nowMs);
      return;
    }
    this.#token = undefined;
    this.#retryLater(nowMs);
  }

  /** The lease counts from the moment the write was sent: the store may have had it since. */
  #onWritten(record: LeaseRecord, modRevision: number, sentMs: Ms, nowMs: Ms): void {
    this.#observed = { record, modRevision, sinceMs: nowMs };
    if (nowMs >= sentMs + this.#params.renewDeadline) {
      this.#retryLater(nowMs);
      return;
    }
    this.#token = record.transitions;
    this.#renewedMs = sentMs;
    this.#attemptAtMs = nowMs + this.#params.retryPeriod;
  }

  #retryLater(nowMs: Ms): void {
    const { retryPeriod, jitterFactor } = this.#params;
    const jitter = this.#token === undefined ? this.#deps.rng.next() * jitterFactor : 0;
    this.#attemptAtMs = this.#isRunning ? nowMs + retryPeriod * (1 + jitter) : Infinity;
  }
}
