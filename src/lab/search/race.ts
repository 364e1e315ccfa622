/** A race between settings on common seeds: all run on a few, the bad ones leave, the others run on more. A setting leaves when it is shown
 *  to break a promise, or shown to be worse than the best that seems to keep them, in paired differences (F-race: M. Birattari and others,
 *  GECCO 2002, with t tests in place of Friedman's); and, so that the budget suffices, the worse half of those left goes after each rung
 *  (successive halving: K. Jamieson and A. Talwalkar, AISTATS 2016). Each test errs by itself, and there are many of them, so that to leave
 *  a race proves nothing: what is shown about a setting is judged in the end, for all of them together. */
import type { ExpectSpec } from '../../scenario/spec.ts';
import { estimate, pairedDifference } from '../../stats/estimate.ts';
import type { Estimate } from '../../stats/result.ts';
import { type Decision, excessOf, judgePromises } from './promise.ts';
import { type Setting, type Trials, valuesOf } from './trials.ts';

export interface Runner {
  readonly setting: Setting;
  /** In the order in which they were thought of, from 1. */
  readonly number: number;
  readonly round: number;
  /** How it left; undefined while it runs. */
  left?: 'broke' | 'fell behind';
}

export interface RaceRules {
  readonly trials: Trials;
  readonly seeds: readonly string[];
  /** Chance of a wrong elimination, for each test. */
  readonly miss: number;
  readonly direction: 'min' | 'max';
  /** Promises come first among a setting's checks, the goal last. */
  readonly promises: number;
}

export const goalOf = ({ checks }: Setting): ExpectSpec => checks.at(-1)!;

export class Race {
  private readonly rules: RaceRules;

  constructor(rules: RaceRules) {
    this.rules = rules;
  }

  get seeds(): readonly string[] {
    return this.rules.seeds;
  }

  /** Runs until about `keep` are left, or cells run out. `spend` says how many more may be run. */
  async run(
    runners: readonly Runner[],
    { from, to, keep, cells }: { readonly from: number; readonly to: number; readonly keep: number; readonly cells: number },
  ): Promise<void> {
    const { trials, seeds } = this.rules;
    const end = trials.cells + cells;
    for (let size = Math.min(from, to); ; size = Math.min(to, size * 2)) {
      const wanted = seeds.slice(0, size);
      let alive = this.ranked(
        runners.filter(({ left }) => left === undefined),
        wanted,
      );
      const missing = ({ setting }: Runner): number => wanted.filter((seed) => !setting.cells.has(seed)).length;
      // The worst go without, where there is not enough for all.
      let room = end - trials.cells;
      const running = alive.filter((runner) => {
        const need = missing(runner);
        if (need > room) return false;
        room -= need;
        return true;
      });
      if (running.length === 0 || (running.length < alive.length && running.length < 2 && alive.length > 1)) return;
      for (const runner of alive) if (!running.includes(runner)) runner.left = 'fell behind';
      await trials.run(running.map(({ setting }) => ({ setting, seeds: wanted })));
      if (trials.isStopped) return;
      this.eliminate(running, wanted);
      alive = this.ranked(
        running.filter(({ left }) => left === undefined),
        wanted,
      );
      if (size >= to) return;
      const half = Math.max(keep, Math.ceil(alive.length / 2));
      for (const runner of alive.slice(half)) runner.left = 'fell behind';
      if (alive.length <= keep && size * 2 > to) return;
    }
  }

  /** Best first, after the race. Few seeds make for lucky means, so that who has come further goes first; those that have come about as
   *  far are compared on the seeds that all of them have. */
  standings(runners: readonly Runner[]): Runner[] {
    const seedsOf = ({ setting }: Runner): number => this.seeds.filter((seed) => setting.cells.has(seed)).length;
    const most = Math.max(0, ...runners.map(seedsOf));
    const tier = (runner: Runner): number =>
      runner.left === undefined ? (seedsOf(runner) * 2 >= most ? 0 : 1) : runner.left === 'fell behind' ? 2 : 3;
    return [0, 1, 2, 3].flatMap((each) => {
      const own = runners.filter((runner) => tier(runner) === each);
      return this.ranked(own, this.seeds.slice(0, Math.min(...own.map(seedsOf))));
    });
  }

  /** The best so far, back in the race: who fell behind may do better than those that went on and turned out to break a promise. */
  comeback(runners: readonly Runner[], count: number): Runner[] {
    const pool = this.standings(runners.filter(({ setting, left }) => left !== 'broke' && setting.cells.size > 0));
    const [first] = pool;
    if (first === undefined) return [];
    const excess = new Map(pool.map((runner) => [runner, this.standing(runner.setting).excess]));
    const best = this.byLag(pool, first)
      .toSorted((x, y) => compare(excess.get(x)!, excess.get(y)!))
      .slice(0, count);
    for (const runner of best) delete runner.left;
    return best;
  }

  /** By how they did beside another, on the seeds that both have. */
  byLag(runners: readonly Runner[], beside: Runner): Runner[] {
    const lags = new Map(runners.map((runner) => [runner, this.lag(runner.setting, beside.setting)]));
    return runners.toSorted((x, y) => compare(lags.get(x)!, lags.get(y)!) || x.number - y.number);
  }

  /** Best first: who seems to keep the promises, by the goal; then the others, by how far they break them. All on the same seeds. */
  private ranked(runners: readonly Runner[], seeds: readonly string[]): Runner[] {
    const rank = new Map(runners.map((runner) => [runner, this.standing(runner.setting, seeds)]));
    return runners.toSorted((x, y) => {
      const [a, b] = [rank.get(x)!, rank.get(y)!];
      return compare(a.excess, b.excess) || compare(a.goal, b.goal) || x.number - y.number;
    });
  }

  /** Lower is better in both. */
  standing(setting: Setting, seeds: readonly string[] = this.rules.seeds): { readonly excess: number; readonly goal: number } {
    const { promises, direction } = this.rules;
    const excess = setting.checks.slice(0, promises).map((promise) => {
      const values = valuesOf(setting, promise, seeds);
      const mean = values.some(Number.isNaN) || values.length === 0 ? NaN : estimate(values).mean;
      return Math.max(0, excessOf(promise, { mean, limit: promise.limit }));
    });
    const values = valuesOf(setting, goalOf(setting), seeds);
    const { mean } = estimate(values);
    const goal = values.length === 0 || values.some(Number.isNaN) ? Infinity : direction === 'min' ? mean : -mean;
    return { excess: Math.max(0, ...excess), goal };
  }

  private eliminate(runners: readonly Runner[], seeds: readonly string[]): void {
    const [best] = this.ranked(runners, seeds);
    const { excess } = this.standing(best.setting, seeds);
    for (const runner of runners) {
      if (runner === best) continue;
      // Where all break them, who breaks them least is what one looks for.
      if (excess === 0 && this.decisionOf(runner.setting) === 'fails') runner.left = 'broke';
      else if (excess === 0 && this.isWorse(runner.setting, best.setting)) runner.left = 'fell behind';
    }
  }

  /** `among`: of so many that share the chance of a wrong claim. */
  decisionOf(setting: Setting, among = 1): Decision {
    const { promises, seeds } = this.rules;
    const miss = this.rules.miss / among;
    const own = setting.checks.slice(0, promises);
    return judgePromises(
      own,
      own.map((promise) => valuesOf(setting, promise, seeds)),
      miss,
    ).decision;
  }

  /** Shown, in paired differences of the goal. */
  isWorse(setting: Setting, best: Setting, among = 1): boolean {
    const { direction, miss } = this.rules;
    const { low, high } = this.difference(setting, best, 1 - (2 * miss) / among);
    return direction === 'min' ? low > 0 : high < 0;
  }

  /** How much worse it did than another, on the seeds that both have. */
  lag(setting: Setting, other: Setting): number {
    const { mean } = this.difference(setting, other);
    return Number.isNaN(mean) ? Infinity : this.rules.direction === 'min' ? mean : -mean;
  }

  /** Goal of one less that of the other, on the seeds that both have. */
  difference(setting: Setting, other: Setting, level = 0.95): Estimate {
    const { seeds } = this.rules;
    const both = seeds.filter((seed) => setting.cells.has(seed) && other.cells.has(seed));
    return pairedDifference(valuesOf(setting, goalOf(setting), both), valuesOf(other, goalOf(other), both), level);
  }
}

/** Two infinities are equal. */
export const compare = (x: number, y: number): number => (x === y ? 0 : x - y);
