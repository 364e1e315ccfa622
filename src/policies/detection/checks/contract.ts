/** What every health checker owes its driver, as checks that can be run on one. Each rule returns the violations it found, in
 *  words; none is good. Endpoints answer probes and report of themselves, as the checker wants it. */
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { type HealthChecker, type HealthCheckerDeps, type ProbeResult, probeKind, probeResults } from './health-checker.ts';

export type MakeHealthChecker = (deps: HealthCheckerDeps) => HealthChecker;

export interface HealthCheckerRule {
  /** A sentence that the checker should make true. */
  readonly name: string;
  check(make: MakeHealthChecker): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkHealthChecker = (make: MakeHealthChecker): readonly string[] =>
  healthCheckerRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const healthCheckerRules: readonly HealthCheckerRule[] = [
  {
    name: 'believes in endpoints that are well, and goes on doing so',
    check: (make) => {
      const trial = new HealthTrial(make);
      trial.watch(FLEET);
      trial.advanceTo(4 * LONG_MS);
      return trial.expectBeliefs(...(trial.checker.startsAlive ? [] : all('alive')));
    },
  },
  {
    name: 'notices an endpoint that dies, once, and that it is back, once',
    check: (make) => {
      const trial = new HealthTrial(make);
      trial.watch(FLEET, true);
      trial.advanceTo(LONG_MS);
      trial.setDead(3, true);
      trial.advanceTo(2 * LONG_MS);
      trial.setDead(3, false);
      trial.restartThoseAsked();
      trial.advanceTo(3 * LONG_MS);
      return trial.expectBeliefs('3 dead', '3 alive');
    },
  },
  {
    name: 'starts from what it is told of an endpoint',
    check: (make) => {
      const trial = new HealthTrial(make);
      trial.watch(FLEET, false);
      trial.advanceTo(LONG_MS);
      const violations = trial.expectBeliefs(...all('alive'));
      const other = new HealthTrial(make);
      other.watch(FLEET, true);
      other.advanceTo(LONG_MS);
      return [...violations, ...other.expectBeliefs()];
    },
  },
  {
    name: 'neither probes nor judges endpoints that nobody watches any more',
    check: (make) => {
      const trial = new HealthTrial(make);
      trial.watch(FLEET, true);
      trial.advanceTo(LONG_MS / 2);
      trial.unwatch(3);
      trial.unwatch(4);
      trial.setDead(3, true);
      trial.advanceTo(2 * LONG_MS);
      trial.checker.unwatch(10_000);
      return trial.expectBeliefs();
    },
  },
  {
    name: 'takes an endpoint watched anew for a new one, whatever becomes of old probes',
    check: (make) => {
      const trial = new HealthTrial(make, 700);
      trial.watch(FLEET, true);
      // Many rounds, so that the restart meets probes under way.
      for (let round = 1; round <= 40; round++) {
        trial.advanceTo(round * 3333);
        trial.setDead(3, round % 2 === 1);
        trial.unwatch(3);
        trial.watch([3], round % 2 === 0);
      }
      trial.setDead(3, false);
      trial.advanceTo(40 * 3333 + LONG_MS);
      const wrong = trial.log.filter((line) => !line.startsWith('3 '));
      return wrong.length === 0 && trial.violation === undefined ? [] : [`told [${wrong}] of others`, trial.violation ?? ''];
    },
  },
  {
    name: 'ignores results that it does not await',
    check: (make) => {
      const calm = new HealthTrial(make);
      const noisy = new HealthTrial(make);
      noisy.echoes = true;
      for (const trial of [calm, noisy]) {
        trial.watch(FLEET, true);
        trial.setDead(3, true);
        trial.advanceTo(2 * LONG_MS);
      }
      noisy.checker.onResult(9999, 4, probeResults.timeout, noisy.nowMs);
      return noisy.times.join() === calm.times.join() ? [] : [`further results changed [${calm.times}] into [${noisy.times}]`];
    },
  },
  {
    name: 'is not harmed by timers that fire early',
    check: (make) => {
      const calm = new HealthTrial(make);
      const nervous = new HealthTrial(make);
      for (const trial of [calm, nervous]) {
        trial.watch(FLEET, true);
        trial.setDead(5, true);
      }
      for (let step = 1; step <= 500; step++) {
        calm.advanceTo(step * 977);
        nervous.advanceTo(step * 977);
        nervous.checker.onTimer(nervous.nowMs);
      }
      return calm.times.join() === nervous.times.join() ? [] : [`early timers changed [${calm.times}] into [${nervous.times}]`];
    },
  },
  {
    name: 'has one probe of a kind under way per endpoint, and gives each a number of its own',
    check: (make) => {
      const trial = new HealthTrial(make, 900);
      trial.watch(FLEET, true);
      trial.setDead(2, true);
      trial.advanceTo(LONG_MS);
      return trial.violation === undefined ? [] : [trial.violation];
    },
  },
  {
    name: 'lets the sink watch and unwatch while it is being told',
    check: (make) => {
      const trial = new HealthTrial(make);
      trial.watch(FLEET, true);
      for (const slot of [1, 2]) trial.setDead(slot, true);
      trial.inSink = () => {
        trial.unwatch(1);
        trial.unwatch(2);
        trial.watch([100], true);
        trial.inSink = undefined;
      };
      trial.advanceTo(2 * LONG_MS);
      return trial.log.length === 1 && /^[12] dead$/.test(trial.log[0]) && trial.violation === undefined
        ? []
        : [`told [${trial.log}] where one of 1 and 2 died ${trial.violation ?? ''}`];
    },
  },
];

/** Enough that the loss of one does not look like the loss of the network. */
const FLEET: readonly number[] = Array.from({ length: 40 }, (_, slot) => slot);
const all = (belief: string): readonly string[] => FLEET.map((slot) => `${slot} ${belief}`);
/** Longer than any checker should take to make up its mind. */
const LONG_MS = 600_000;

class HealthTrial {
  readonly checker: HealthChecker;
  readonly log: string[] = [];
  /** The same with the time of each line. */
  readonly times: string[] = [];
  /** Every result is given again, several times, as a bad one. */
  echoes = false;
  inSink: (() => void) | undefined;
  violation: string | undefined;
  nowMs: Ms = 0;
  readonly #latencyMs: Ms;
  readonly #watched = new Set<number>();
  readonly #dead = new Set<number>();
  readonly #underWay: { readonly slot: number; readonly probe: number; readonly atMs: Ms; readonly result: ProbeResult }[] = [];
  readonly #numbers = new Set<number>();
  readonly #everWatched = new Set<number>();
  readonly #restarted = new Set<number>();
  readonly #toRestart = new Set<number>();
  #nextReportMs: Ms;
  #wakes = 0;

  constructor(make: MakeHealthChecker, latencyMs: Ms = 3) {
    this.#latencyMs = latencyMs;
    const note = (line: string, nowMs: Ms): void => {
      this.log.push(line);
      this.times.push(`${nowMs}: ${line}`);
      if (nowMs !== this.nowMs) this.violation ??= `said ${nowMs} at ${this.nowMs}`;
      this.inSink?.();
    };
    this.checker = make({
      rng: mixedRng(),
      prober: { probe: (slot, probe, timeoutMs) => this.#send(slot, probe, timeoutMs) },
      sink: {
        believe: (slot, alive, nowMs) => note(`${slot} ${alive ? 'alive' : 'dead'}`, nowMs),
        restart: (slot) => this.#toRestart.add(slot),
      },
    });
    this.#nextReportMs = this.checker.reportEveryMs;
    this.checker.onTraffic?.(0);
  }

  watch(slots: readonly number[], isAlive?: boolean): void {
    for (const slot of slots) {
      if (this.#everWatched.has(slot)) this.#restarted.add(slot);
      this.#everWatched.add(slot);
      this.#watched.add(slot);
      this.checker.watch(slot, this.nowMs, isAlive);
    }
  }

  unwatch(slot: number): void {
    this.#watched.delete(slot);
    this.checker.unwatch(slot);
  }

  setDead(slot: number, isDead: boolean): void {
    if (isDead) this.#dead.add(slot);
    else this.#dead.delete(slot);
  }

  /** What a driver does about instances that it was asked to restart. */
  restartThoseAsked(): void {
    this.watch([...this.#toRestart], false);
    this.#toRestart.clear();
  }

  advanceTo(atMs: Ms): void {
    while (this.violation === undefined) {
      const answerMs = this.#underWay[0]?.atMs ?? Infinity;
      const timerMs = this.checker.nextTimerMs();
      const nextMs = Math.min(answerMs, timerMs, this.#nextReportMs);
      if (!(nextMs <= atMs)) break;
      if (nextMs < this.nowMs || ++this.#wakes > 1_000_000) {
        this.violation ??= `asks to be woken at ${nextMs}, at ${this.nowMs}`;
        return;
      }
      this.nowMs = nextMs;
      if (answerMs === nextMs) this.#answer();
      else if (this.#nextReportMs === nextMs) this.#report();
      else this.checker.onTimer(nextMs);
    }
    this.nowMs = atMs;
  }

  expectBeliefs(...expected: readonly string[]): readonly string[] {
    const violations = this.violation === undefined ? [] : [this.violation];
    // In what order endpoints are checked is the checker's business.
    if (sorted(this.log) !== sorted(expected)) violations.push(`told [${this.log}], expected [${expected}]`);
    return violations;
  }

  #send(slot: number, probe: number, timeoutMs: Ms): void {
    if (!this.#watched.has(slot)) this.violation ??= `probed ${slot}, which nobody watches`;
    if (this.#numbers.has(probe)) this.violation ??= `sent two probes with the number ${probe}`;
    this.#numbers.add(probe);
    const isDead = this.#dead.has(slot);
    const takesMs = isDead ? timeoutMs : Math.min(this.#latencyMs, timeoutMs);
    const result = isDead ? probeResults.timeout : probeResults.ok;
    const sent = { slot, probe, atMs: this.nowMs + takesMs, result };
    const at = this.#underWay.findIndex((other) => other.atMs > sent.atMs);
    this.#underWay.splice(at === -1 ? this.#underWay.length : at, 0, sent);
  }

  #answer(): void {
    const { slot, probe, result } = this.#underWay.shift()!;
    const rivals = this.#underWay.filter((other) => other.slot === slot && probeKind(other.probe) === probeKind(probe));
    // A probe of a former life may still be under way when its successor is sent.
    if (rivals.length > 0 && !this.#restarted.has(slot))
      this.violation ??= `has ${rivals.length + 1} probes of ${slot} under way`;
    this.checker.onResult(slot, probe, result, this.nowMs);
    for (let echo = 0; this.echoes && echo < 5; echo++) this.checker.onResult(slot, probe, probeResults.timeout, this.nowMs);
  }

  #report(): void {
    this.#nextReportMs += this.checker.reportEveryMs;
    for (const slot of this.#watched) {
      if (!this.#dead.has(slot)) this.checker.onReport?.(slot, probeResults.ok, this.nowMs);
    }
  }
}

const sorted = (lines: readonly string[]): string => lines.toSorted().join();

/** Spread over [0, 1), the same every time. */
function mixedRng(): Rng {
  let state = 1;
  const uint32 = (): number => {
    state = (Math.imul(state, 0x9e37_79b1) + 0x7f4a_7c15) >>> 0;
    return (state ^ (state >>> 15)) >>> 0;
  };
  return { uint32, next: () => uint32() / 0x1_0000_0000, below: (n) => Math.floor((uint32() / 0x1_0000_0000) * n) };
}
