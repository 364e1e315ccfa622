/** What every alarm owes whoever evaluates it, as checks that can be run on one. Each rule returns the violations it found, in words; none is
 *  good. The metric of the rules is `CALM` in good times and `BAD` in bad ones, with some noise. */
import type { Ms } from '../../../core/time.ts';
import type { Alarm } from './alarm.ts';

/** Makes an alarm that should fire on values near `BAD` and not on those near `CALM`. */
export type MakeAlarm = () => Alarm;

export const CALM = 100;
export const BAD = 200;

export interface AlarmRule {
  /** A sentence that the alarm should make true. */
  readonly name: string;
  check(make: MakeAlarm): readonly string[];
}

/** Every violation found, each with the rule it breaks. */
export const checkAlarm = (make: MakeAlarm): readonly string[] =>
  alarmRules.flatMap((rule) => rule.check(make).map((violation) => `${rule.name}: ${violation}`));

export const alarmRules: readonly AlarmRule[] = [
  {
    name: 'keeps quiet while the metric is as it always was',
    check: (make) => {
      const trial = new AlarmTrial(make());
      return trial.run(CALM, 500) === 0 ? [] : [`fired on ${trial.firings} of 500 good values`];
    },
  },
  {
    name: 'fires when the metric turns bad and stays so',
    check: (make) => {
      const trial = new AlarmTrial(make());
      trial.run(CALM, 500);
      return trial.run(BAD, 30) > 0 ? [] : ['never fired on 30 bad values in a row'];
    },
  },
  {
    name: 'falls silent once the metric has been good again for long',
    check: (make) => {
      const trial = new AlarmTrial(make());
      trial.run(CALM, 500);
      trial.run(BAD, 5);
      trial.run(CALM, 5000);
      return trial.run(CALM, 100) === 0 ? [] : ['still fires on good values, 5000 of them after 5 bad ones'];
    },
  },
  {
    name: 'is not harmed by a value that is missing',
    check: (make) => {
      const complete = new AlarmTrial(make());
      const gappy = new AlarmTrial(make());
      complete.run(CALM, 500);
      gappy.run(CALM, 250);
      gappy.miss();
      gappy.run(CALM, 250);
      return gappy.firings === 0 && gappy.run(BAD, 30) === complete.run(BAD, 30)
        ? []
        : ['a value that is not a number changed its answers'];
    },
  },
  {
    name: 'shares nothing with other alarms of its kind',
    check: (make) => {
      const alone = new AlarmTrial(make());
      alone.run(CALM, 100);
      alone.run(BAD, 30);
      const first = new AlarmTrial(make());
      const second = new AlarmTrial(make());
      for (let i = 0; i < 100; i++) {
        first.run(CALM, 1);
        second.run(BAD, 1);
      }
      first.run(BAD, 30);
      return first.firings === alone.firings ? [] : ['another alarm’s values changed its answers'];
    },
  },
];

class AlarmTrial {
  firings = 0;
  readonly #alarm: Alarm;
  #count = 0;
  #nowMs: Ms = 0;

  constructor(alarm: Alarm) {
    this.#alarm = alarm;
  }

  /** Values around `level`, a quarter of a minute apart; how many of them it fired on. */
  run(level: number, count: number): number {
    const before = this.firings;
    for (let i = 0; i < count; i++) this.#update(level + NOISE[this.#count++ % NOISE.length]);
    return this.firings - before;
  }

  miss(): void {
    this.#update(NaN);
  }

  #update(value: number): void {
    if (this.#alarm.update(value, this.#nowMs)) this.firings++;
    this.#nowMs += 15_000;
  }
}

/** Mean 0 and deviation 2; seven of them, so that no window is in step. */
const NOISE = [1, -2, 2, -1, 3, -3, 0];
