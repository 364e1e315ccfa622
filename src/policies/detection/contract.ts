/** What every failure detector owes its driver, as checks that can be run on one. Each rule returns the violations it found, in words;
 *  none is good. Time is measured in the detector's own period of heartbeats, so the rules hold at any cadence; of a detector that needs no
 *  heartbeats (`heartbeatEveryMs` is Infinity) only the first can be asked. */
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';
import type { Detector, DetectorDeps } from './detector.ts';

export type MakeDetector = (deps: DetectorDeps) => Detector;

export interface DetectorRule {
  /** A sentence that the detector should make true. */
  readonly name: string;
  check(make: MakeDetector): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkDetector = (make: MakeDetector): readonly string[] =>
  detectorRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

const period: DetectorRule = {
  name: 'asks for heartbeats at a period above 0, or for none',
  check: (make) => {
    const { everyMs } = new DetectorTrial(make);
    return everyMs > 0 ? [] : [`heartbeatEveryMs is ${everyMs}`];
  },
};

const heartbeatRules: readonly DetectorRule[] = [
  {
    name: 'trusts an endpoint whose heartbeats come on time',
    check: (make) => {
      const trial = new DetectorTrial(make);
      trial.detector.watch(0, 0);
      for (let beat = 1; beat <= 500; beat++) trial.heartbeat(0, beat * trial.everyMs);
      return trial.expectBeliefs();
    },
  },
  {
    name: 'trusts it whenever it was first watched, and however long its heartbeats travel',
    check: (make) => {
      const trial = new DetectorTrial(make);
      const startMs = 12.345678 * trial.everyMs;
      trial.advanceTo(startMs);
      trial.detector.watch(0, startMs);
      for (let beat = 0; beat < 500; beat++) trial.heartbeat(0, startMs + (beat + 0.37 + 0.03) * trial.everyMs, beat + 12);
      return trial.expectBeliefs();
    },
  },
  {
    name: 'is not harmed by heartbeats that come twice, or after later ones',
    check: (make) => {
      const trial = new DetectorTrial(make);
      trial.detector.watch(0, 0);
      for (let beat = 1; beat <= 500; beat++) {
        for (const sequence of [beat, beat, Math.max(0, beat - 3)]) trial.heartbeat(0, beat * trial.everyMs, sequence);
      }
      return trial.expectBeliefs();
    },
  },
  {
    name: 'suspects an endpoint that falls silent, by its timers alone, once',
    check: (make) => {
      const trial = new DetectorTrial(make);
      trial.detector.watch(0, 0);
      for (let beat = 1; beat <= 20; beat++) trial.heartbeat(0, beat * trial.everyMs);
      trial.advanceTo(20 * trial.everyMs + LONG * trial.everyMs);
      return trial.expectBeliefs('0 suspected');
    },
  },
  {
    name: 'suspects an endpoint that never sent a heartbeat',
    check: (make) => {
      const trial = new DetectorTrial(make);
      trial.detector.watch(0, 0);
      trial.advanceTo(LONG * trial.everyMs);
      return trial.expectBeliefs('0 suspected');
    },
  },
  {
    name: 'trusts a suspected endpoint again once its heartbeats come back',
    check: (make) => {
      const trial = new DetectorTrial(make);
      trial.detector.watch(0, 0);
      trial.advanceTo(LONG * trial.everyMs);
      for (let beat = 1; beat <= 5; beat++) trial.heartbeat(0, (LONG + beat) * trial.everyMs);
      return trial.expectBeliefs('0 suspected', '0 alive');
    },
  },
  {
    name: 'suspects an endpoint though its timer was very late',
    check: (make) => {
      const trial = new DetectorTrial(make);
      trial.detector.watch(0, 0);
      for (let beat = 1; beat <= 20; beat++) trial.heartbeat(0, beat * trial.everyMs);
      trial.stallTo(LONG * trial.everyMs);
      trial.advanceTo(2 * LONG * trial.everyMs);
      return trial.expectBeliefs('0 suspected');
    },
  },
  {
    name: 'changes no belief before the time for which it asked to be woken',
    check: (make) => {
      const trial = new DetectorTrial(make);
      for (const slot of [0, 1, 2]) trial.detector.watch(slot, 0);
      const violations: string[] = [];
      for (let step = 1; step <= 8 * 60; step++) {
        const atMs = (step / 8) * trial.everyMs;
        trial.advanceTo(atMs, false);
        const nextMs = trial.detector.nextTimerMs();
        const told = trial.log.length;
        trial.detector.onTimer(atMs);
        if (nextMs > atMs && trial.log.length > told)
          violations.push(`told ${trial.log.slice(told).join()} at ${atMs}, before ${nextMs}`);
        // One sends all along, one stops, one was never heard.
        if (step % 8 === 0) for (const slot of [0, 1]) if (slot === 0 || step < 200) trial.heartbeat(slot, atMs);
      }
      return violations;
    },
  },
  {
    name: 'grows no less suspicious while a silence lasts, and is less so after it; where it says how suspicious it is',
    check: (make) => {
      const trial = new DetectorTrial(make);
      const { detector, everyMs } = trial;
      if (detector.suspicion === undefined) return [];
      detector.watch(0, 0);
      for (let beat = 1; beat <= 20; beat++) trial.heartbeat(0, beat * everyMs);
      let last = 0;
      for (let step = 0; step <= 4 * LONG; step++) {
        const atMs = (20 + step / 4) * everyMs;
        trial.advanceTo(atMs);
        const suspicion = detector.suspicion(0, atMs);
        if (!(suspicion >= last && suspicion < Infinity)) return [`suspicion is ${suspicion} at ${atMs}, after ${last}`];
        last = suspicion;
      }
      for (let beat = 21; beat <= 25; beat++) trial.heartbeat(0, (LONG + beat) * everyMs);
      const after = detector.suspicion(0, trial.nowMs);
      return after < last ? [] : [`suspicion was ${last} in a long silence, and is ${after} after it`];
    },
  },
  {
    name: 'says nothing of endpoints that nobody watches any more',
    check: (make) => {
      const trial = new DetectorTrial(make);
      trial.detector.watch(0, 0);
      trial.detector.watch(1, 0);
      trial.detector.unwatch(0);
      trial.advanceTo(LONG * trial.everyMs);
      trial.detector.unwatch(1);
      trial.heartbeat(0, trial.nowMs);
      trial.heartbeat(1, trial.nowMs);
      return trial.expectBeliefs('1 suspected');
    },
  },
  {
    name: 'takes an endpoint watched anew for a new one',
    check: (make) => {
      const trial = new DetectorTrial(make);
      trial.detector.watch(0, 0);
      trial.advanceTo(LONG * trial.everyMs);
      trial.detector.unwatch(0);
      trial.detector.watch(0, trial.nowMs);
      trial.heartbeat(0, trial.nowMs + trial.everyMs);
      trial.advanceTo(3 * LONG * trial.everyMs);
      return trial.expectBeliefs('0 suspected', '0 suspected');
    },
  },
  {
    name: 'is not harmed by timers that fire early, or by heartbeats at one instant',
    check: (make) => {
      const calm = new DetectorTrial(make);
      const nervous = new DetectorTrial(make);
      for (const trial of [calm, nervous]) for (const slot of [0, 1]) trial.detector.watch(slot, 0);
      for (let beat = 1; beat <= 50; beat++) {
        const atMs = beat * calm.everyMs;
        for (let early = 1; early < 8; early++) nervous.detector.onTimer(atMs - calm.everyMs + (early * calm.everyMs) / 8);
        for (const trial of [calm, nervous]) for (const slot of [0, 1]) if (slot === 0 || beat < 20) trial.heartbeat(slot, atMs);
      }
      return calm.log.join() === nervous.log.join() ? [] : [`early timers changed [${calm.log}] into [${nervous.log}]`];
    },
  },
  {
    name: 'judges each of a thousand endpoints by its own heartbeats',
    check: (make) => {
      const trial = new DetectorTrial(make);
      for (let slot = 0; slot < 1000; slot++) trial.detector.watch(slot, 0);
      for (let beat = 1; beat <= 10; beat++) {
        for (let slot = 0; slot < 1000; slot++) trial.heartbeat(slot, beat * trial.everyMs);
      }
      for (let beat = 11; beat <= 10 + LONG; beat++) {
        for (let slot = 0; slot < 1000; slot++) if (slot % 100 !== 7) trial.heartbeat(slot, beat * trial.everyMs);
      }
      return trial.expectBeliefs(...Array.from({ length: 10 }, (_, i) => `${100 * i + 7} suspected`));
    },
  },
  {
    name: 'lets the sink watch and unwatch while it is being told',
    check: (make) => {
      const trial = new DetectorTrial(make);
      for (const slot of [0, 1, 2]) trial.detector.watch(slot, 0);
      trial.inSink = (nowMs) => {
        trial.detector.unwatch(0);
        trial.detector.unwatch(1);
        trial.detector.unwatch(2);
        trial.detector.watch(40, nowMs);
        trial.inSink = undefined;
      };
      trial.advanceTo(3 * LONG * trial.everyMs);
      return trial.log.length === 2 && trial.log[1] === '40 suspected'
        ? []
        : [`told [${trial.log}] where one of 0, 1, 2 and then 40 fell silent`];
    },
  },
];

export const detectorRules: readonly DetectorRule[] = [
  period,
  ...heartbeatRules.map(({ name, check }): DetectorRule => ({
    name,
    check: (make) => (new DetectorTrial(make).everyMs === Infinity ? [] : check(make)),
  })),
];

/** Much longer than any detector should wait, in heartbeats. */
const LONG = 300;

class DetectorTrial {
  readonly detector: Detector;
  readonly everyMs: Ms;
  readonly log: string[] = [];
  nowMs: Ms = 0;
  inSink: ((nowMs: Ms) => void) | undefined;
  #violation: string | undefined;

  constructor(make: MakeDetector) {
    this.detector = make({
      rng: constantRng,
      sink: {
        believe: (slot, alive, nowMs) => {
          this.log.push(`${slot} ${alive ? 'alive' : 'suspected'}`);
          if (nowMs !== this.nowMs) this.#violation = `said ${nowMs} at ${this.nowMs}`;
          this.inSink?.(nowMs);
        },
      },
    });
    this.everyMs = this.detector.heartbeatEveryMs;
  }

  /** Numbered by the time it should have been sent, unless said otherwise. */
  heartbeat(slot: number, atMs: Ms, sequence = Math.round(atMs / this.everyMs)): void {
    // At one instant, messages come before timers.
    this.advanceTo(atMs, false);
    this.detector.onHeartbeat(slot, atMs, sequence);
  }

  /** Time passes without a call, though one was asked for. */
  stallTo(atMs: Ms): void {
    this.nowMs = atMs;
    this.detector.onTimer(atMs);
  }

  /** Fires the timers on the way. */
  advanceTo(atMs: Ms, isInclusive = true): void {
    for (let calls = 0; ; calls++) {
      const nextMs = this.detector.nextTimerMs();
      if (!(isInclusive ? nextMs <= atMs : nextMs < atMs)) break;
      if (calls === 100_000 || nextMs < this.nowMs) {
        this.#violation = `asks to be woken at ${nextMs}, at ${this.nowMs}`;
        break;
      }
      this.nowMs = nextMs;
      this.detector.onTimer(nextMs);
    }
    this.nowMs = atMs;
  }

  expectBeliefs(...expected: readonly string[]): readonly string[] {
    const violations = this.#violation === undefined ? [] : [this.#violation];
    if (this.log.join() !== expected.join()) violations.push(`told [${this.log}], expected [${expected}]`);
    return violations;
  }
}

const constantRng: Rng = { next: () => 0.5, uint32: () => 0x8000_0000, below: (n) => Math.floor(n / 2) };
