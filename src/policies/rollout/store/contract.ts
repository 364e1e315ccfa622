/** What every store owes its host, as checks that can be run on one. Each rule returns the violations it found, in words; none is good. */
import { fmix32 } from '../../../core/hash.ts';
import type { Ms } from '../../../core/time.ts';
import type { ConfigStore, WatchDelivery, StoreDeps } from './config-store.ts';
import { HashedDraws } from '../../shared/fixed-draws.ts';

export type MakeStore = (deps: StoreDeps) => ConfigStore;

export interface StoreRule {
  /** A sentence that the store should make true. */
  readonly name: string;
  check(make: MakeStore): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkStore = (make: MakeStore): readonly string[] =>
  storeRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const storeRules: readonly StoreRule[] = [
  {
    name: 'lets one of those win who change the same revision, and advances with every change',
    check: (make) => {
      const { store } = new StoreTrial(make);
      const violations: string[] = [];
      if (!store.compareAndSwap('a', 0, 'one', 0).succeeded) violations.push('does not create what is not there');
      if (store.compareAndSwap('a', 0, 'two', 0).succeeded) violations.push('creates what is there');
      for (let round = 0; round < 20; round++) {
        const { modRevision } = store.get('a')!;
        const before = store.revision;
        const wins = ['x', 'y', 'z'].map((who) => store.compareAndSwap('a', modRevision, `${who}${round}`, round).succeeded);
        if (wins.join() !== 'true,false,false') violations.push(`lets ${wins.join(', ')} win`);
        if (store.revision <= before) violations.push(`stays at revision ${before} over a change`);
        if (store.get('a')?.value !== `x${round}`) violations.push(`has ${store.get('a')?.value} instead of what won`);
      }
      return violations;
    },
  },
  {
    name: 'starts an entry anew after it was deleted, under a later revision',
    check: (make) => {
      const { store } = new StoreTrial(make);
      store.put('a', '1', 0);
      store.put('a', '2', 0);
      const last = store.get('a')!;
      store.delete('a', 0);
      store.put('a', '3', 0);
      const now = store.get('a')!;
      const isAnew = now.version === 1 && now.createRevision > last.modRevision && last.version === 2;
      return isAnew ? [] : [`has version ${now.version}, created at ${now.createRevision} after ${last.modRevision}`];
    },
  },
  {
    name: 'lists what is below a prefix, in order, and nothing else',
    check: (make) => {
      const { store } = new StoreTrial(make);
      for (const key of ['b/2', 'a', 'b/10', 'b', 'c/1', 'b/1']) store.put(key, key, 0);
      const listed = store.list('b/').map(({ key }) => key);
      return listed.join() === 'b/1,b/10,b/2' ? [] : [`lists ${listed.join()}`];
    },
  },
  {
    name: 'tells a watcher of every last state, whatever happens',
    check: (make) => {
      const trial = new StoreTrial(make);
      trial.watch('k/', 0);
      for (let step = 0; step < 300; step++) trial.disturb(step);
      trial.run(700_000);
      const seen = JSON.stringify([...trial.seen].sort());
      const there = JSON.stringify(trial.store.list('k/').map(({ key, value }) => [key, value]));
      return seen === there ? trial.violations : [...trial.violations, `a watcher believes ${seen}, there is ${there}`];
    },
  },
  {
    name: 'takes a lease down when it was not renewed, not while it is, and for good',
    check: (make) => {
      const trial = new StoreTrial(make);
      const { store } = trial;
      const granted = store.grantLease(20_000, 0);
      if (granted === undefined) return ['grants no lease of 20 s'];
      const violations: string[] = [];
      for (let second = 1; second <= 120; second++) {
        trial.run(1000);
        if (second % 5 === 0 && store.keepAlive(granted.lease, trial.nowMs) !== 'renewed')
          violations.push(`does not renew after ${second} s`);
      }
      trial.run(3 * granted.ttlMs);
      if (store.keepAlive(granted.lease, trial.nowMs) !== 'not-found') violations.push('renews a lease that was long over');
      if (store.acquire('lock', granted.lease, trial.nowMs).state !== 'refused') violations.push('gives a lock to a dead lease');
      return violations;
    },
  },
  {
    name: 'gives a lock to one at a time, with tokens that only grow',
    check: (make) => {
      const trial = new StoreTrial(make);
      const { store } = trial;
      const leases = Array.from({ length: 4 }, () => store.grantLease(15_000, 0)!.lease);
      let last = -Infinity;
      let holder: number | undefined;
      const violations: string[] = [];
      for (let step = 0; step < 2000; step++) {
        trial.run(500);
        const choice = fmix32(step) >>> 0;
        const index = choice % leases.length;
        // Half of them forget to renew, now and then.
        if (choice % 3 !== 0 && store.keepAlive(leases[index], trial.nowMs) !== 'renewed')
          leases[index] = store.grantLease(15_000, trial.nowMs)!.lease;
        const held = store.acquire('lock', leases[index], trial.nowMs);
        const now = store.holder('lock');
        if (held.state === 'held' && now?.lease !== leases[index]) violations.push('says held to one who does not hold it');
        if (now !== undefined && now.lease !== holder) {
          if (now.token <= last) violations.push(`gives token ${now.token} after ${last}`);
          last = now.token;
        }
        holder = now?.lease;
        if (choice % 7 === 0) store.release('lock', leases[index], trial.nowMs);
        if (violations.length > 3) break;
      }
      return last === -Infinity ? ['gives the lock to nobody'] : violations;
    },
  },
  {
    name: 'hands the lock of a lost holder on',
    check: (make) => {
      const trial = new StoreTrial(make);
      const { store } = trial;
      const lost = store.grantLease(10_000, 0)!.lease;
      const waiting = store.grantLease(10_000, 0)!.lease;
      store.acquire('lock', lost, 0);
      for (let second = 0; second < 180; second++) {
        trial.run(1000);
        store.keepAlive(waiting, trial.nowMs);
        if (store.acquire('lock', waiting, trial.nowMs).state === 'held') return [];
      }
      return ['keeps it for three minutes'];
    },
  },
  {
    name: 'keeps every lease over a change of its leader',
    check: (make) => {
      const trial = new StoreTrial(make);
      const { store } = trial;
      const { lease, ttlMs } = store.grantLease(10_000, 0)!;
      store.acquire('lock', lease, 0);
      trial.run(ttlMs - 1000);
      store.onLeaderChanged(trial.nowMs);
      trial.run(ttlMs - 1000);
      return store.holder('lock')?.lease === lease ? [] : ['takes the lock from a holder who was in time'];
    },
  },
  {
    name: 'gives the same answers to the same history, and shares nothing with another store',
    check: (make) => {
      const run = (isDisturbed: boolean): string => {
        const trial = new StoreTrial(make);
        const other = new StoreTrial(make);
        trial.watch('k/', 0);
        for (let step = 0; step < 200; step++) {
          trial.disturb(step);
          if (isDisturbed) other.disturb(step * 3);
        }
        return JSON.stringify([trial.store.list(''), trial.store.revision, trial.log]);
      };
      return run(false) === run(true) ? [] : ['answers differently'];
    },
  },
];

/** A store, somebody who watches it, and time. */
class StoreTrial {
  readonly store: ConfigStore;
  readonly violations: string[] = [];
  readonly log: string[] = [];
  /** What the watcher believes. */
  readonly seen = new Map<string, string>();
  nowMs: Ms = 0;
  #watched: string | undefined;
  #lease: number | undefined;

  constructor(make: MakeStore) {
    this.store = make({ rng: new HashedDraws(), host: { deliver: (_, delivery) => this.#onDelivery(delivery) } });
  }

  watch(prefix: string, revision: number): void {
    this.#watched = prefix;
    this.store.watch(1, prefix, revision, this.nowMs);
  }

  /** Some operation, the same for the same number. */
  disturb(step: number): void {
    const choice = fmix32((step + 1) * 7919) >>> 0;
    const key = `k/${choice % 5}`;
    const { store, nowMs } = this;
    this.#lease ??= store.grantLease(20_000, nowMs)?.lease;
    if (choice % 11 < 5) store.put(key, `v${step}`, nowMs);
    else if (choice % 11 < 7) store.delete(key, nowMs);
    else if (choice % 11 < 9) store.compareAndSwap(key, store.get(key)?.modRevision ?? 0, `s${step}`, nowMs);
    else if (choice % 11 === 9) store.compareAndSwap(key, 1, 'never', nowMs);
    else if (this.#lease !== undefined) store.acquire(`k/lock${choice % 2}`, this.#lease, nowMs, `l${step}`);
    this.run(choice % 3000);
  }

  run(forMs: Ms): void {
    const untilMs = this.nowMs + forMs;
    for (let guard = 0; this.store.nextTimerMs() <= untilMs && guard < 100_000; guard++) {
      this.nowMs = Math.max(this.nowMs, this.store.nextTimerMs());
      this.store.onTimer(this.nowMs);
      if (this.store.nextTimerMs() <= this.nowMs && guard === 99_999) this.violations.push('wants to be woken without end');
    }
    this.nowMs = untilMs;
  }

  #onDelivery(delivery: WatchDelivery): void {
    this.log.push(JSON.stringify([this.nowMs, delivery]));
    if (delivery.kind === 'events') {
      for (const { kind, key, value } of delivery.events) {
        if (kind === 'put') this.seen.set(key, value!);
        else this.seen.delete(key);
      }
      return;
    }
    this.seen.clear();
    for (const { key, value } of delivery.entries) this.seen.set(key, value);
    if (this.store.watches === 'once') this.store.watch(1, this.#watched!, Math.max(1, delivery.revision), this.nowMs);
  }
}
