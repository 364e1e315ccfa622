/** What every failover policy owes its host, as checks that can be run on one. Each rule returns the violations it found, in words; none
 *  is good. */
import type { Ms } from '../../../core/time.ts';
import type { Failover, FailoverDeps } from './failover.ts';

export type MakeFailover = (deps: FailoverDeps) => Failover;

export interface FailoverRule {
  /** A sentence that the policy should make true. */
  readonly name: string;
  check(make: MakeFailover): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkFailover = (make: MakeFailover): readonly string[] =>
  failoverRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const failoverRules: readonly FailoverRule[] = [
  {
    name: 'stays with the first site while it is well, whatever happens to the others',
    check: (make) => {
      const trial = new FailoverTrial(make);
      for (const share of [0, 1, 0, 1]) trial.hold([1, share, share], 600_000);
      return trial.expectActive(0, 0);
    },
  },
  {
    name: 'leaves a site that is down for the first one that is well',
    check: (make) => {
      const trial = new FailoverTrial(make);
      trial.hold([1, 0, 1], 600_000);
      trial.hold([0, 0, 1], 600_000);
      return trial.expectActive(2, 1);
    },
  },
  {
    name: 'stays where it is when no site is well',
    check: (make) => {
      const trial = new FailoverTrial(make);
      trial.hold([0, 1, 0], 600_000);
      trial.hold([0, 0, 0], 600_000);
      return trial.expectActive(1, 1);
    },
  },
  {
    name: 'does not follow a site that comes and goes',
    check: (make) => {
      const trial = new FailoverTrial(make);
      for (let i = 0; i < 360; i++) trial.hold([i % 2, 1, 1], 10_000);
      return trial.switches <= 2 ? [] : [`switches ${trial.switches} times in an hour of a site that changes every 10 s`];
    },
  },
  {
    name: 'tells its sink of every switch and of nothing else',
    check: (make) => {
      const trial = new FailoverTrial(make);
      for (let i = 0; i < 12; i++) trial.hold([i % 3 === 0 ? 0 : 1, i % 4 === 0 ? 0 : 1, 1], 600_000);
      return trial.violations;
    },
  },
];

/** Three sites that report every second. */
class FailoverTrial {
  readonly violations: string[] = [];
  switches = 0;
  readonly #failover: Failover;
  #told = 0;
  #nowMs: Ms = 0;

  constructor(make: MakeFailover) {
    const switchTo = (site: number): void => {
      if (site === this.#told) this.violations.push(`switches to ${site}, where the traffic is`);
      this.#told = site;
      this.switches++;
    };
    this.#failover = make({ sites: 3, sink: { switchTo } });
  }

  hold(shares: readonly number[], forMs: Ms): void {
    for (const untilMs = this.#nowMs + forMs; this.#nowMs < untilMs; this.#nowMs += 1000) {
      if (this.#failover.nextTimerMs() <= this.#nowMs) this.#failover.onTimer(this.#nowMs);
      if (this.#failover.nextTimerMs() <= this.#nowMs) this.violations.push(`wants to be woken again at ${this.#nowMs}`);
      shares.forEach((share, site) => this.#failover.report(site, share, this.#nowMs));
      if (this.#failover.active !== this.#told) this.violations.push(`is at ${this.#failover.active}, told ${this.#told}`);
    }
  }

  expectActive(site: number, mostSwitches: number): readonly string[] {
    const isWrong = this.#failover.active !== site;
    return [
      ...this.violations,
      ...(isWrong ? [`is at site ${this.#failover.active}, expected ${site}`] : []),
      ...(this.switches > mostSwitches ? [`switches ${this.switches} times, expected at most ${mostSwitches}`] : []),
    ];
  }
}
