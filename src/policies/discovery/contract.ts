/** What every discovery client owes its host, as checks that can be run on one. Each rule returns the violations it found, in words;
 *  none is good. A client that never asks anybody keeps what it was configured with, and the rules about sources do not apply. */
import type { Ms } from '../../core/time.ts';
import type { DiscoveryClient, DiscoveryDeps, FetchRequest, SourceFailure, SourceView } from './discovery-client.ts';
import { EvenDraws } from '../shared/fixed-draws.ts';

export type MakeDiscoveryClient = (deps: DiscoveryDeps) => DiscoveryClient;

export interface DiscoveryRule {
  /** A sentence that the client should make true. */
  readonly name: string;
  check(make: MakeDiscoveryClient): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkDiscoveryClient = (make: MakeDiscoveryClient): readonly string[] =>
  discoveryRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const discoveryRules: readonly DiscoveryRule[] = [
  {
    name: 'begins with the configured list and goes by the source as soon as it answers',
    check: (make) => {
      const trial = new DiscoveryTrial(make, [1, 2], [7, 8, 9]);
      if (trial.list !== '7,8,9') return [`begins with [${trial.list}], expected the configured [7,8,9]`];
      trial.run(1000);
      return trial.expectList(trial.asks ? '1,2' : '7,8,9');
    },
  },
  {
    name: 'learns of every change that lasts, in the end',
    check: (make) => {
      const trial = new DiscoveryTrial(make, [1, 2, 3]);
      trial.run(10_000);
      const violations: string[] = [];
      for (const members of [[1, 3], [1, 3, 4, 5], [2]]) {
        trial.change(members);
        trial.run(AN_HOUR);
        if (trial.asks) violations.push(...trial.expectList(members.join()));
      }
      return violations;
    },
  },
  {
    name: 'keeps its list while the source is gone, and says that it is stale',
    check: (make) => {
      const trial = new DiscoveryTrial(make, [1, 2, 3]);
      trial.run(10_000);
      if (!trial.asks) return [];
      const violations: string[] = [];
      if (trial.client.isStale(trial.nowMs)) violations.push('is stale although the source answered');
      for (const failure of ['unreachable', undefined] as const) {
        trial.breakSource(failure);
        trial.run(AN_HOUR);
        violations.push(...trial.expectList('1,2,3'));
        if (!trial.client.isStale(trial.nowMs)) violations.push(`is not stale after an hour of ${failure ?? 'silence'}`);
        trial.repair();
        trial.run(AN_HOUR);
        if (trial.client.isStale(trial.nowMs)) violations.push(`is still stale an hour after ${failure ?? 'silence'}`);
      }
      return violations;
    },
  },
  {
    name: 'does not let an answer without members take its list away',
    check: (make) => {
      const trial = new DiscoveryTrial(make, [1, 2, 3]);
      trial.run(10_000);
      trial.change([]);
      trial.run(AN_HOUR);
      const violations = [...trial.expectList(trial.asks ? '1,2,3' : '')];
      if (trial.asks && !trial.client.isStale(trial.nowMs)) violations.push('is not stale although it refused an answer');
      trial.change([4]);
      trial.run(AN_HOUR);
      return [...violations, ...trial.expectList(trial.asks ? '4' : '')];
    },
  },
  {
    name: 'knows the age of what it knows',
    check: (make) => {
      const trial = new DiscoveryTrial(make, [1, 2]);
      const violations: string[] = [];
      if (trial.asks && trial.client.ageMs(0) !== Infinity) violations.push('has a view of some age before any answer');
      trial.run(10_000);
      trial.breakSource('unreachable');
      trial.run(AN_HOUR);
      const ageMs = trial.client.ageMs(trial.nowMs);
      // The first answer comes after one round trip, and none after the first ten seconds.
      if (!(ageMs >= AN_HOUR && ageMs <= AN_HOUR + 10_000)) violations.push(`is ${ageMs} ms old, expected about an hour`);
      const laterMs = trial.client.ageMs(trial.nowMs + 5);
      if (laterMs !== ageMs + 5) violations.push(`is ${laterMs} ms old 5 ms after ${ageMs} ms`);
      return violations;
    },
  },
  {
    name: 'ignores answers to questions that it did not ask or has given up',
    check: (make) => {
      const trial = new DiscoveryTrial(make, [1, 2]);
      trial.run(10_000);
      if (!trial.asks) return [];
      trial.client.onFetched(1_000_000, trial.answer([66]), trial.nowMs);
      const strange = trial.expectList('1,2');
      trial.breakSource(undefined);
      trial.run(AN_HOUR);
      trial.repair();
      trial.run(AN_HOUR);
      // By now every request of the hour of silence has been replaced by another.
      for (const id of trial.unanswered) trial.client.onFetched(id, trial.answer([67]), trial.nowMs);
      return [...strange, ...trial.expectList('1,2')];
    },
  },
  {
    name: 'has one question open at a time, and gives each its own number',
    check: (make) => {
      const trial = new DiscoveryTrial(make, [1, 2]);
      trial.run(AN_HOUR);
      trial.breakSource('timeout');
      trial.run(AN_HOUR);
      trial.repair();
      trial.run(AN_HOUR);
      return trial.violations;
    },
  },
  {
    name: 'does not press a source that fails',
    check: (make) => {
      const trial = new DiscoveryTrial(make, [1, 2]);
      trial.run(10_000);
      const before = trial.asked;
      trial.breakSource('unreachable');
      trial.run(AN_HOUR);
      const perMinute = (trial.asked - before) / 60;
      return perMinute <= 30 ? [] : [`asks ${perMinute} times a minute while the source fails`];
    },
  },
  {
    name: 'tells its sink of changes only, in ascending order',
    check: (make) => {
      const trial = new DiscoveryTrial(make, [5, 3, 3, 1]);
      trial.run(AN_HOUR);
      trial.change([3, 1, 5]);
      trial.run(AN_HOUR);
      const told = trial.updates.join(' ');
      return told === (trial.asks ? '1,3,5' : '') ? [] : [`tells the sink [${told}], expected [1,3,5] once`];
    },
  },
  {
    name: 'does the same with the same draws, beside another client too',
    check: (make) => {
      const story = (isCrowded: boolean): string => {
        const trial = new DiscoveryTrial(make, [1, 2]);
        const other = isCrowded ? new DiscoveryTrial(make, [8]) : undefined;
        for (let step = 0; step < 20; step++) {
          trial.change([step, step + 1]);
          if (step === 5) trial.breakSource('unreachable');
          if (step === 8) trial.repair();
          other?.run(50_000);
          trial.run(70_000);
        }
        return `${trial.updates.join(' ')} / ${trial.log.join()}`;
      };
      const alone = story(false);
      return alone === story(false) && alone === story(true) ? [] : ['two clients with the same draws do different things'];
    },
  },
];

const AN_HOUR: Ms = 3_600_000;
/** From question to answer. */
const ROUND_TRIP_MS: Ms = 20;
/** How often a connection is made. */
const DEMAND_MS: Ms = 1000;

interface OpenRequest {
  readonly request: FetchRequest;
  /** When the answer arrives unless something changes before: at once, or when the wait is over if there is nothing newer. */
  answerAtMs: Ms;
}

/** A client with a source that changes, fails and comes back. */
class DiscoveryTrial {
  readonly client: DiscoveryClient;
  readonly updates: string[] = [];
  readonly log: string[] = [];
  readonly violations: string[] = [];
  readonly unanswered: number[] = [];
  nowMs: Ms = 0;
  asked = 0;
  #members: readonly number[];
  #index = 1;
  #failure: SourceFailure | 'none' | undefined = 'none';
  #open: OpenRequest[] = [];
  #lastId = 0;
  #nextDemandMs: Ms = DEMAND_MS;

  constructor(make: MakeDiscoveryClient, members: readonly number[], configured: readonly number[] = []) {
    this.#members = members;
    this.client = make({
      rng: new EvenDraws(),
      configured,
      sink: { update: (list) => this.updates.push(list.join()) },
      host: { fetch: (request, nowMs) => this.#fetch(request, nowMs) },
    });
    this.client.start(0);
  }

  get asks(): boolean {
    return this.asked > 0;
  }

  get list(): string {
    return this.updates.at(-1) ?? '';
  }

  answer(members: readonly number[]): SourceView {
    return { members, index: this.#index, ageMs: 0, ttlMs: Infinity };
  }

  change(members: readonly number[]): void {
    this.#members = members;
    this.#index++;
    this.client.onSourceChanged?.(this.nowMs);
    for (const open of this.#open) open.answerAtMs = Math.min(open.answerAtMs, this.nowMs + ROUND_TRIP_MS);
  }

  /** Undefined: the source does not answer at all. */
  breakSource(failure: SourceFailure | undefined): void {
    this.#failure = failure;
    // Whoever was waiting hears of a source that fails, as connections break.
    for (const open of this.#open) {
      if (failure === undefined && open.request.waitMs !== Infinity) {
        this.unanswered.push(open.request.id);
        open.answerAtMs = Infinity;
      } else open.answerAtMs = this.nowMs + ROUND_TRIP_MS;
    }
    if (failure === undefined) this.#open = this.#open.filter(({ answerAtMs }) => answerAtMs < Infinity);
  }

  repair(): void {
    this.#failure = 'none';
    // A stream that got no answer while the source was silent breaks in the end.
    const streams = this.#open.filter(({ request }) => request.waitMs === Infinity);
    for (const open of streams) open.answerAtMs = this.nowMs + ROUND_TRIP_MS;
  }

  run(forMs: Ms): void {
    const untilMs = this.nowMs + forMs;
    for (let steps = 0; ; steps++) {
      const answerMs = Math.min(Infinity, ...this.#open.map(({ answerAtMs }) => answerAtMs));
      const timerMs = this.client.nextTimerMs();
      const nextMs = Math.min(answerMs, timerMs, this.#nextDemandMs);
      if (!(nextMs <= untilMs)) break;
      if (steps === 100_000) {
        this.violations.push(`is never done with ${this.nowMs} ms`);
        break;
      }
      this.nowMs = Math.max(this.nowMs, nextMs);
      if (answerMs === nextMs) this.#answerNext(answerMs);
      else if (timerMs === nextMs) this.client.onTimer(this.nowMs);
      else {
        this.#nextDemandMs += DEMAND_MS;
        this.client.resolveNow?.(this.nowMs);
      }
    }
    this.nowMs = untilMs;
  }

  expectList(expected: string): readonly string[] {
    return [...this.violations, ...(this.list === expected ? [] : [`goes by [${this.list}], expected [${expected}]`])];
  }

  #fetch(request: FetchRequest, nowMs: Ms): void {
    this.asked++;
    this.log.push(`${request.id}@${nowMs}`);
    if (request.id <= this.#lastId) this.violations.push(`uses the number ${request.id} twice`);
    this.#lastId = request.id;
    if (this.#failure === undefined && request.waitMs !== Infinity) {
      this.unanswered.push(request.id);
      return;
    }
    if (this.#open.length > 0) this.violations.push(`asks at ${nowMs} while a question is open`);
    const isHeld = this.#failure === 'none' && request.index === this.#index && request.waitMs < Infinity;
    this.#open.push({ request, answerAtMs: nowMs + ROUND_TRIP_MS + (isHeld ? request.waitMs : 0) });
  }

  #answerNext(atMs: Ms): void {
    const open = this.#open.find(({ answerAtMs }) => answerAtMs === atMs)!;
    const isStream = open.request.waitMs === Infinity;
    const answer = this.#failure === 'none' ? this.answer(this.#members) : (this.#failure ?? 'unreachable');
    if (isStream && typeof answer !== 'string') open.answerAtMs = Infinity;
    else this.#open = this.#open.filter((other) => other !== open);
    this.client.onFetched(open.request.id, answer, this.nowMs);
  }
}
