/** What every elector owes its host, as checks that can be run on one. Each rule returns the violations it found, in words; none is good. */
import { defaults } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { EtcdStore, etcdStore } from '../store/etcd.ts';
import { FencedTarget } from '../store/fenced-target.ts';
import { performOn, type StoreRequest } from '../store/store-request.ts';
import type { Elector, ElectorDeps } from './elector.ts';
import { HashedDraws } from '../../shared/fixed-draws.ts';

export type MakeElector = (deps: ElectorDeps) => Elector;

export interface ElectorRule {
  /** A sentence that the elector should make true. */
  readonly name: string;
  check(make: MakeElector): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkElector = (make: MakeElector): readonly string[] =>
  electorRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

const MINUTE = 60_000;

export const electorRules: readonly ElectorRule[] = [
  {
    name: 'comes to have one leader, who stays it while nothing happens',
    check: (make) => {
      const trial = new ElectionTrial(make, 5);
      trial.run(2 * MINUTE);
      const first = trial.leaders();
      trial.run(10 * MINUTE);
      const last = trial.leaders();
      if (first.length !== 1) return [`has ${first.length} leaders after two minutes`];
      return first.join() === last.join() ? trial.violations : [`has leader ${last.join()} after ${first.join()}`];
    },
  },
  {
    name: 'follows a leader that is gone',
    check: (make) => {
      const trial = new ElectionTrial(make, 3);
      trial.run(2 * MINUTE);
      const [gone] = trial.leaders();
      trial.pause(gone, Infinity);
      trial.run(5 * MINUTE);
      const others = trial.leaders().filter((one) => one !== gone);
      return others.length === 1 ? trial.violations : [`has ${others.length} others five minutes after its leader is gone`];
    },
  },
  {
    name: 'hands over soon when its leader stops',
    check: (make) => {
      const trial = new ElectionTrial(make, 3);
      trial.run(2 * MINUTE);
      const [former] = trial.leaders();
      trial.electors[former].stop(trial.nowMs);
      if (trial.electors[former].isLeader) return ['still believes to lead after it stopped'];
      trial.run(MINUTE / 3);
      const now = trial.leaders();
      return now.length === 1 && now[0] !== former ? trial.violations : [`has leaders [${now}] 20 s after ${former} stopped`];
    },
  },
  {
    name: 'gives up by itself when the store does not answer, and comes back with it',
    check: (make) => {
      const trial = new ElectionTrial(make, 2);
      trial.run(2 * MINUTE);
      trial.isStoreDown = true;
      trial.run(5 * MINUTE);
      const during = trial.leaders();
      trial.isStoreDown = false;
      trial.run(5 * MINUTE);
      const after = trial.leaders();
      return [
        ...trial.violations,
        ...(during.length === 0 ? [] : [`${during.join()} believes to lead five minutes into an outage of the store`]),
        ...(after.length === 1 ? [] : [`has ${after.length} leaders after the outage`]),
      ];
    },
  },
  {
    name: 'never gives two controllers the same token, and later ones higher tokens',
    check: (make) => {
      const violations: string[] = [];
      for (let seed = 1; seed <= 6; seed++) {
        const trial = new ElectionTrial(make, 4, seed);
        for (let step = 0; step < 120; step++) {
          trial.disturb(step);
          trial.run(20_000);
        }
        violations.push(...trial.violations);
        if (trial.tokens.size < 3) violations.push(`has ${trial.tokens.size} leaders in forty minutes of trouble`);
      }
      return violations.slice(0, 3);
    },
  },
  {
    name: 'is safe with tokens checked: who was followed cannot write any more',
    check: (make) => {
      const trial = new ElectionTrial(make, 3);
      const target = new FencedTarget();
      trial.run(2 * MINUTE);
      const [paused] = trial.leaders();
      const token = trial.electors[paused].token!;
      const writes = (at: number): boolean => target.accept(trial.electors[at].token ?? token);
      const isFirst = writes(paused);
      trial.pause(paused, 5 * MINUTE);
      trial.run(4 * MINUTE);
      const [follower] = trial.leaders().filter((one) => one !== paused);
      if (follower === undefined) return ['has no other leader during a pause of five minutes'];
      const isSecond = writes(follower);
      // It still believes: it has not looked since.
      const isLate = trial.electors[paused].isLeader && writes(paused);
      const verdict = `${isFirst}, ${isSecond}, ${isLate}`;
      return verdict === 'true, true, false'
        ? trial.violations
        : [`lets writes of leader, follower and leader through: ${verdict}`];
    },
  },
  {
    name: 'asks to be woken for times that lie ahead',
    check: (make) => {
      const trial = new ElectionTrial(make, 2);
      trial.isStoreDown = true;
      trial.run(10 * MINUTE);
      trial.isStoreDown = false;
      trial.run(10 * MINUTE);
      return trial.violations;
    },
  },
];

interface Message {
  readonly atMs: Ms;
  readonly order: number;
  readonly elector: number;
  act(): void;
}

/** Controllers that compete in a store, over a network that delays and loses, and that can be paused. */
export class ElectionTrial {
  readonly electors: readonly Elector[];
  readonly violations: string[] = [];
  /** Who had which token. */
  readonly tokens = new Map<number, number>();
  nowMs: Ms = 0;
  isStoreDown = false;
  readonly store: EtcdStore;
  #highest = -Infinity;
  readonly #pausedUntilMs: Ms[];
  readonly #believed: (number | undefined)[];
  #messages: Message[] = [];
  #order = 0;
  readonly #rng: HashedDraws;
  #lossShare = 0;

  constructor(make: MakeElector, count: number, seed = 1) {
    this.#rng = new HashedDraws(seed);
    this.store = new EtcdStore(defaults(etcdStore.params), { rng: this.#rng, host: { deliver: () => {} } });
    this.#pausedUntilMs = Array.from({ length: count }, () => 0);
    this.#believed = Array.from({ length: count }, () => undefined);
    this.electors = Array.from({ length: count }, (_, elector) =>
      make({
        rng: new HashedDraws(seed * 100 + elector),
        key: 'leader',
        identity: `controller-${elector}`,
        host: { request: (id, request, nowMs) => this.#send(elector, id, request, nowMs) },
      }),
    );
    for (const elector of this.electors) elector.start(0);
  }

  /** Those who believe to lead. */
  leaders(): readonly number[] {
    return this.electors.flatMap((elector, at) => (elector.isLeader ? [at] : []));
  }

  /** Nothing reaches this controller, timers included, until the pause is over. */
  pause(elector: number, forMs: Ms): void {
    this.#pausedUntilMs[elector] = this.nowMs + forMs;
  }

  /** Some trouble, the same for the same number and seed. */
  disturb(step: number): void {
    const choice = this.#rng.below(10);
    const someone = this.#rng.below(this.electors.length);
    if (choice < 4) this.pause(this.leaders()[0] ?? someone, this.#rng.below(180_000));
    else if (choice < 6) this.pause(someone, this.#rng.below(120_000));
    else if (choice < 7) this.isStoreDown = !this.isStoreDown && step % 3 === 0;
    else if (choice < 8) this.#lossShare = this.#rng.below(2) * 0.3;
    else this.isStoreDown = false;
  }

  run(forMs: Ms): void {
    const untilMs = this.nowMs + forMs;
    for (;;) {
      const next = this.#next();
      if (!(next.atMs <= untilMs)) break;
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.act();
      this.#note();
    }
    this.nowMs = untilMs;
  }

  #next(): Omit<Message, 'order' | 'elector'> {
    let next: Omit<Message, 'order' | 'elector'> = { atMs: this.store.nextTimerMs(), act: () => this.store.onTimer(this.nowMs) };
    this.electors.forEach((elector, at) => {
      const atMs = Math.max(elector.nextTimerMs(), this.#pausedUntilMs[at]);
      if (atMs < next.atMs) next = { atMs, act: () => this.#wake(elector, at) };
    });
    for (const message of this.#messages) {
      const atMs = message.elector === -1 ? message.atMs : Math.max(message.atMs, this.#pausedUntilMs[message.elector]);
      if (atMs < next.atMs || (atMs === next.atMs && atMs <= this.nowMs)) {
        next = {
          atMs,
          act: () => {
            this.#messages = this.#messages.filter(({ order }) => order !== message.order);
            message.act();
          },
        };
      }
    }
    return next;
  }

  #wake(elector: Elector, at: number): void {
    elector.onTimer(this.nowMs);
    if (elector.nextTimerMs() > this.nowMs) return;
    // One wake-up may lead to another at once, but not for ever.
    elector.onTimer(this.nowMs);
    if (elector.nextTimerMs() > this.nowMs) return;
    this.violations.push(`wants to be woken at ${elector.nextTimerMs()} again, at ${this.nowMs}`);
    this.#pausedUntilMs[at] = Infinity;
  }

  #send(elector: number, id: number, request: StoreRequest, nowMs: Ms): void {
    const delay = (): Ms => 1 + this.#rng.next() * 200;
    if (this.#rng.next() < this.#lossShare) return;
    this.#post(nowMs + delay(), -1, () => {
      const answer = this.isStoreDown ? ({ kind: 'unreachable' } as const) : performOn(this.store, request, this.nowMs);
      if (this.#rng.next() < this.#lossShare) return;
      this.#post(this.nowMs + delay(), elector, () => this.electors[elector].onAnswer(id, answer, this.nowMs));
    });
  }

  #post(atMs: Ms, elector: number, act: () => void): void {
    this.#messages.push({ atMs, order: this.#order++, elector, act });
  }

  #note(): void {
    this.electors.forEach(({ isLeader, token }, at) => {
      if (isLeader !== (token !== undefined)) this.violations.push('leads without a token, or has one and does not lead');
      if (token === undefined || this.#believed[at] === token) {
        this.#believed[at] = token;
        return;
      }
      this.#believed[at] = token;
      const owner = this.tokens.get(token);
      if (owner !== undefined && owner !== at) this.violations.push(`token ${token} was ${owner}'s and is ${at}'s`);
      if (owner === undefined && token < this.#highest) this.violations.push(`token ${token} comes after ${this.#highest}`);
      this.tokens.set(token, at);
      this.#highest = Math.max(this.#highest, token);
    });
  }
}
