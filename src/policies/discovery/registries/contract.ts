/** What every registry owes its host, as checks that can be run on one. Each rule returns the violations it found, in words; none is
 *  good. */
import type { Ms } from '../../../core/time.ts';
import type { SourceView } from '../discovery-client.ts';
import type { Registry, RegistryDeps } from './registry.ts';
import { EvenDraws } from '../../shared/fixed-draws.ts';

export type MakeRegistry = (deps: RegistryDeps) => Registry;

export interface RegistryRule {
  /** A sentence that the registry should make true. */
  readonly name: string;
  check(make: MakeRegistry): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkRegistry = (make: MakeRegistry): readonly string[] =>
  registryRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const registryRules: readonly RegistryRule[] = [
  {
    name: 'lists everybody who registered and renews, and only those',
    check: (make) => {
      const trial = new RegistryTrial(make);
      trial.join(TEN, 0);
      // Not at a multiple of any interval, where all have just renewed.
      trial.live(TEN, 607_000);
      return trial.expectListed(TEN);
    },
  },
  {
    name: 'takes out an instance that fell silent, and no other',
    check: (make) => {
      const trial = new RegistryTrial(make);
      trial.join(TEN, 0);
      trial.live(TEN, 180_000);
      trial.live(TEN.slice(1), 1_200_000);
      return trial.expectListed(TEN.slice(1));
    },
  },
  {
    name: 'takes out an instance that leaves',
    check: (make) => {
      const trial = new RegistryTrial(make);
      trial.join(TEN, 0);
      trial.live(TEN, 60_000);
      trial.registry.deregister(3, trial.nowMs);
      const rest = TEN.filter((instance) => instance !== 3);
      trial.live(rest, 180_000);
      return trial.expectListed(rest);
    },
  },
  {
    name: 'refuses the renewals of those it does not know',
    check: (make) => {
      const trial = new RegistryTrial(make);
      const violations = trial.registry.renew(4, 'passing', 0) ? ['renews an instance that never registered'] : [];
      trial.join([4], 10);
      if (!trial.registry.renew(4, 'passing', 20)) violations.push('does not know an instance that registered');
      trial.registry.deregister(4, 30);
      if (trial.registry.renew(4, 'passing', 40)) violations.push('renews an instance that left');
      if (trial.registry.status(4) !== undefined) violations.push('has a status of an instance that left');
      return violations;
    },
  },
  {
    name: 'takes an instance back that registers again',
    check: (make) => {
      const trial = new RegistryTrial(make);
      trial.join(TEN, 0);
      trial.live(TEN, 120_000);
      trial.live(TEN.slice(1), 1_200_000);
      trial.join([0], trial.nowMs);
      trial.live(TEN, 1_800_000);
      return trial.expectListed(TEN);
    },
  },
  {
    name: 'answers every query exactly once, and in time',
    check: (make) => {
      const trial = new RegistryTrial(make);
      trial.join(TEN, 0);
      for (let query = 100; query < 200; query++) {
        const index = query % 2 === 0 ? trial.registry.index : 0;
        trial.registry.query(query, index, 20_000, trial.nowMs);
        if (index === 0 && !trial.answers.has(query)) return ['does not answer a query with index 0 at once'];
        trial.live(TEN, trial.nowMs + 1000);
        if (query === 150) trial.registry.deregister(9, trial.nowMs);
      }
      trial.live(TEN.slice(0, 9), trial.nowMs + 60_000);
      const unanswered = Array.from({ length: 100 }, (_, i) => i + 100).filter((query) => !trial.answers.has(query));
      return [
        ...trial.violations,
        ...(unanswered.length === 0 ? [] : [`leaves queries [${unanswered.slice(0, 3)}] without an answer`]),
      ];
    },
  },
  {
    name: 'counts its index up with every change, and at no other time',
    check: (make) => {
      const trial = new RegistryTrial(make);
      const { registry } = trial;
      const violations: string[] = [];
      const expectIndex = (isChange: boolean, what: string, act: () => void): void => {
        const before = registry.index;
        act();
        const isRight = isChange ? registry.index > before : registry.index === before;
        if (!isRight) violations.push(`goes from ${before} to ${registry.index} when ${what}`);
      };
      expectIndex(true, 'an instance registers', () => trial.join([1], 0));
      expectIndex(true, 'another registers', () => trial.join([2], 1));
      expectIndex(false, 'one renews', () => registry.renew(1, 'passing', 2));
      expectIndex(false, 'one registers again', () => registry.register(1, 3));
      expectIndex(false, 'somebody asks', () => registry.query(1, 0, 0, 4));
      expectIndex(false, 'a stranger leaves', () => registry.deregister(77, 5));
      expectIndex(true, 'one leaves', () => registry.deregister(1, 6));
      return violations;
    },
  },
  {
    name: 'never changes an answer that it gave',
    check: (make) => {
      const trial = new RegistryTrial(make);
      trial.join(TEN, 0);
      trial.live(TEN, 61_000);
      trial.registry.query(1, 0, 0, trial.nowMs);
      const view = trial.answers.get(1);
      const before = view?.members.join();
      trial.registry.deregister(5, trial.nowMs);
      trial.live(TEN.slice(0, 5), trial.nowMs + 120_000);
      return before !== undefined && view?.members.join() === before ? [] : ['an answer changed after it was given'];
    },
  },
  {
    name: 'does the same with the same draws, beside another registry too',
    check: (make) => {
      const story = (isCrowded: boolean): string => {
        const trial = new RegistryTrial(make);
        if (isCrowded) new RegistryTrial(make).join([50, 51], 0);
        trial.join(TEN, 0);
        for (let query = 0; query < 20; query++) {
          trial.registry.query(query, trial.registry.index, 7000, trial.nowMs);
          trial.live(TEN.slice(query % 3), trial.nowMs + 10_000);
        }
        return [...trial.answers].map(([query, view]) => `${query}@${view.index}:${view.members.join()}`).join(' ');
      };
      const alone = story(false);
      return alone === story(false) && alone === story(true) ? [] : ['two registries with the same draws answer differently'];
    },
  },
  {
    name: 'asks to be woken for times that lie ahead',
    check: (make) => {
      const trial = new RegistryTrial(make);
      trial.join(TEN, 0);
      trial.live(TEN, 120_000);
      trial.live([], 1_200_000);
      return trial.violations;
    },
  },
];

const TEN: readonly number[] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];

/** A registry with instances that renew as often as it wants. */
class RegistryTrial {
  readonly registry: Registry;
  readonly answers = new Map<number, SourceView>();
  readonly violations: string[] = [];
  nowMs: Ms = 0;
  readonly #nextBeatMs = new Map<number, Ms>();

  constructor(make: MakeRegistry) {
    const answer = (query: number, view: SourceView): void => {
      if (this.answers.has(query)) this.violations.push(`answers query ${query} twice`);
      this.answers.set(query, view);
    };
    this.registry = make({ rng: new EvenDraws(), host: { answer } });
  }

  join(instances: readonly number[], nowMs: Ms): void {
    for (const instance of instances) {
      this.registry.register(instance, nowMs);
      this.registry.renew(instance, 'passing', nowMs);
      this.#nextBeatMs.set(instance, nowMs + this.registry.renewEveryMs);
    }
  }

  /** These renew until then; the others are silent. */
  live(instances: readonly number[], untilMs: Ms): void {
    for (;;) {
      let beating = -1;
      let beatMs = Infinity;
      for (const instance of instances) {
        const atMs = this.#nextBeatMs.get(instance) ?? Infinity;
        if (atMs < beatMs) {
          beating = instance;
          beatMs = atMs;
        }
      }
      const timerMs = this.registry.nextTimerMs();
      const nextMs = Math.min(beatMs, timerMs);
      if (!(nextMs <= untilMs)) break;
      this.nowMs = Math.max(this.nowMs, nextMs);
      if (timerMs <= beatMs) {
        this.registry.onTimer(this.nowMs);
        if (this.registry.nextTimerMs() <= this.nowMs) {
          this.violations.push(`wants to be woken at ${this.registry.nextTimerMs()} again, at ${this.nowMs}`);
          break;
        }
      } else {
        this.#nextBeatMs.set(beating, beatMs + this.registry.renewEveryMs);
        this.registry.renew(beating, 'passing', this.nowMs);
      }
    }
    this.nowMs = untilMs;
  }

  expectListed(expected: readonly number[]): readonly string[] {
    const query = -1;
    this.registry.query(query, 0, 0, this.nowMs);
    const listed = this.answers.get(query)?.members.join() ?? 'nothing';
    return listed === expected.join() ? [] : [`lists [${listed}], expected [${expected}]`];
  }
}
