/** What every outlier detector owes its driver, as checks that can be run on one. Each rule returns the violations it found,
 *  in words; none is good. The rules are about ten endpoints with plenty of requests each. */
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';
import { attemptOutcomes, type OutlierDetector, type OutlierDetectorDeps } from './outlier-detector.ts';

export type MakeOutlierDetector = (deps: OutlierDetectorDeps) => OutlierDetector;

export interface OutlierRule {
  /** A sentence that the detector should make true. */
  readonly name: string;
  check(make: MakeOutlierDetector): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkOutlierDetector = (make: MakeOutlierDetector): readonly string[] =>
  outlierRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const outlierRules: readonly OutlierRule[] = [
  {
    name: 'leaves nobody out while all do equally well',
    check: (make) => {
      const trial = new OutlierTrial(make);
      trial.watch(FLEET);
      trial.runFor(8 * MINUTE_MS);
      return trial.expectLog();
    },
  },
  {
    name: 'leaves out the one that fails, soon, and nobody else',
    check: (make) => {
      const trial = new OutlierTrial(make);
      trial.watch(FLEET);
      trial.failing.add(7);
      trial.runFor(MINUTE_MS / 2);
      return trial.expectLog('7 out');
    },
  },
  {
    name: 'lets it back, by its timers alone, and leaves it in once it is well',
    check: (make) => {
      const trial = new OutlierTrial(make);
      trial.watch(FLEET);
      trial.failing.add(7);
      trial.runFor(MINUTE_MS / 2);
      trial.failing.clear();
      trial.idle(60 * MINUTE_MS);
      trial.runFor(8 * MINUTE_MS);
      return trial.expectLog('7 out', '7 back');
    },
  },
  {
    name: 'leaves it out for longer each time that it fails again',
    check: (make) => {
      const trial = new OutlierTrial(make);
      trial.watch(FLEET);
      trial.failing.add(7);
      trial.runFor(15 * MINUTE_MS);
      const lengths = trial.ejectionLengths(7);
      const violations = trial.expectLog(...lengths.flatMap(() => ['7 out', '7 back']), ...trial.log.slice(2 * lengths.length));
      if (lengths.length < 4 || !(lengths[1] > LONGER * lengths[0] && lengths[2] > LONGER * lengths[1]))
        violations.push(`was out for ${lengths}`);
      return violations;
    },
  },
  {
    name: 'forgives: a short while after a long good time the first ejection is as short as ever',
    check: (make) => {
      const trial = new OutlierTrial(make);
      trial.watch(FLEET);
      trial.failing.add(7);
      trial.runFor(8 * MINUTE_MS);
      trial.failing.clear();
      trial.runFor(30 * MINUTE_MS);
      const before = trial.ejectionLengths(7);
      trial.failing.add(7);
      trial.runFor(MINUTE_MS / 2);
      trial.failing.clear();
      trial.idle(60 * MINUTE_MS);
      const last = trial.ejectionLengths(7).at(-1);
      return last !== undefined && last < LONGER * before[0]
        ? []
        : [`was out for ${before[0]} at first and for ${last} after half a good hour`];
    },
  },
  {
    name: 'never leaves out more than the greater part of it all',
    check: (make) => {
      const trial = new OutlierTrial(make);
      trial.watch(FLEET);
      for (const slot of FLEET) trial.failing.add(slot);
      trial.runFor(15 * MINUTE_MS);
      return trial.mostOut <= FLEET.length / 2 ? [] : [`left out ${trial.mostOut} of ${FLEET.length}`];
    },
  },
  {
    name: 'says nothing of endpoints that nobody watches any more, and counts them no longer',
    check: (make) => {
      const trial = new OutlierTrial(make);
      trial.watch(FLEET);
      trial.failing.add(7);
      trial.runFor(MINUTE_MS / 2);
      trial.unwatch(7);
      trial.runFor(8 * MINUTE_MS, 7);
      trial.detector.unwatch(10_000);
      const violations = trial.expectLog('7 out');
      const { ejected } = trial.detector.stats();
      if (ejected !== 0) violations.push(`counts ${ejected} as left out`);
      return violations;
    },
  },
  {
    name: 'takes an endpoint watched anew for a new one',
    check: (make) => {
      const trial = new OutlierTrial(make);
      trial.watch(FLEET);
      trial.failing.add(7);
      trial.runFor(MINUTE_MS / 2);
      trial.unwatch(7);
      trial.watch([7]);
      trial.failing.clear();
      trial.runFor(8 * MINUTE_MS);
      return trial.expectLog('7 out');
    },
  },
  {
    name: 'is not harmed by timers that fire early',
    check: (make) => {
      const calm = new OutlierTrial(make);
      const nervous = new OutlierTrial(make);
      nervous.isNervous = true;
      for (const trial of [calm, nervous]) {
        trial.watch(FLEET);
        trial.failing.add(7);
        trial.runFor(8 * MINUTE_MS);
      }
      return calm.times.join() === nervous.times.join() ? [] : [`early timers changed [${calm.times}] into [${nervous.times}]`];
    },
  },
  {
    name: 'wants no timer while nobody is watched',
    check: (make) => {
      const trial = new OutlierTrial(make);
      const before = trial.detector.nextTimerMs();
      trial.watch(FLEET);
      for (const slot of FLEET) trial.unwatch(slot);
      const after = trial.detector.nextTimerMs();
      return before === Infinity && after === Infinity ? [] : [`wants to be woken at ${before}, later at ${after}`];
    },
  },
  {
    name: 'lets the sink watch and unwatch while it is being told',
    check: (make) => {
      const trial = new OutlierTrial(make);
      trial.watch(FLEET);
      for (const slot of [7, 8]) trial.failing.add(slot);
      trial.inSink = () => {
        trial.unwatch(7);
        trial.unwatch(8);
        trial.watch([100]);
        trial.inSink = undefined;
      };
      trial.runFor(8 * MINUTE_MS);
      return trial.log.length === 1 && trial.violation === undefined ? [] : [`told [${trial.log}] ${trial.violation ?? ''}`];
    },
  },
];

const FLEET: readonly number[] = Array.from({ length: 10 }, (_, slot) => slot);
const MINUTE_MS = 60_000;
/** Ejections end at ticks: only a greater difference than this is one. */
const LONGER = 1.25;
/** Enough requests per interval for any rule. */
const EVERY_MS = 90;

class OutlierTrial {
  readonly detector: OutlierDetector;
  readonly log: string[] = [];
  /** The same with the time of each line. */
  readonly times: string[] = [];
  readonly failing = new Set<number>();
  mostOut = 0;
  /** Wakes the detector before its time. */
  isNervous = false;
  inSink: (() => void) | undefined;
  violation: string | undefined;
  nowMs: Ms = 0;
  readonly #watched = new Set<number>();
  readonly #out = new Map<number, Ms>();
  readonly #lengths = new Map<number, Ms[]>();

  constructor(make: MakeOutlierDetector) {
    this.detector = make({
      rng: evenRng,
      sink: { eject: (slot, isEjected, nowMs) => this.#hear(slot, isEjected, nowMs) },
    });
  }

  watch(slots: readonly number[]): void {
    for (const slot of slots) {
      this.#watched.add(slot);
      this.#out.delete(slot);
      this.detector.watch(slot, this.nowMs);
    }
  }

  unwatch(slot: number): void {
    this.#watched.delete(slot);
    this.#out.delete(slot);
    this.detector.unwatch(slot);
  }

  /** A request to everybody who is in, again and again; and to one that nobody watches. */
  runFor(durationMs: Ms, stranger = -1): void {
    const endMs = this.nowMs + durationMs;
    for (let atMs = this.nowMs + EVERY_MS; atMs <= endMs; atMs += EVERY_MS) {
      this.#advanceTo(atMs);
      if (this.isNervous) this.detector.onTimer(atMs);
      for (const slot of this.#watched) {
        if (this.#out.has(slot)) continue;
        this.detector.onEnd(slot, this.failing.has(slot) ? attemptOutcomes.error : attemptOutcomes.ok, atMs);
      }
      if (stranger !== -1) this.detector.onEnd(stranger, attemptOutcomes.error, atMs);
    }
  }

  /** Time without requests. */
  idle(durationMs: Ms): void {
    this.#advanceTo(this.nowMs + durationMs);
  }

  ejectionLengths(slot: number): readonly Ms[] {
    return this.#lengths.get(slot) ?? [];
  }

  expectLog(...expected: readonly string[]): string[] {
    const violations = this.violation === undefined ? [] : [this.violation];
    if (this.log.join() !== expected.join()) violations.push(`told [${this.log}], expected [${expected}]`);
    return violations;
  }

  #advanceTo(atMs: Ms): void {
    while (this.violation === undefined) {
      const nextMs = this.detector.nextTimerMs();
      if (!(nextMs <= atMs)) break;
      if (nextMs < this.nowMs) this.violation ??= `asks to be woken at ${nextMs}, at ${this.nowMs}`;
      this.nowMs = nextMs;
      this.detector.onTimer(nextMs);
      if (this.detector.nextTimerMs() <= nextMs) this.violation ??= `asks to be woken again at ${nextMs}`;
    }
    this.nowMs = atMs;
  }

  #hear(slot: number, isEjected: boolean, nowMs: Ms): void {
    const line = `${slot} ${isEjected ? 'out' : 'back'}`;
    this.log.push(line);
    this.times.push(`${nowMs}: ${line}`);
    if (nowMs !== this.nowMs) this.violation ??= `said ${nowMs} at ${this.nowMs}`;
    if (!this.#watched.has(slot)) this.violation ??= `spoke of ${slot}, which nobody watches`;
    const sinceMs = this.#out.get(slot);
    if ((sinceMs !== undefined) === isEjected) this.violation ??= `said "${line}" twice`;
    if (sinceMs === undefined) this.#out.set(slot, nowMs);
    else {
      this.#out.delete(slot);
      this.#lengths.set(slot, [...this.ejectionLengths(slot), nowMs - sinceMs]);
    }
    this.mostOut = Math.max(this.mostOut, this.#out.size);
    this.inSink?.();
  }
}

const evenRng: Rng = { next: () => 0.5, uint32: () => 0x8000_0000, below: (n) => Math.floor(n / 2) };
