/** A threshold that must be crossed for some time: the state machine of a Prometheus alerting rule.
 *
 *  A value that meets the condition makes the rule pending; once it has held for `for`, the rule fires. The first value that does not meet
 *  it takes a pending rule back to inactive. A firing rule goes on for `keepFiringFor` after the last value that met the condition; if
 *  the condition returns meanwhile, that time starts anew.
 *
 *  Use it where what is bad can be stated beforehand: an objective, a limit, a full disk. It fails where the normal value moves with the
 *  hour or the load: one number is too tight at noon and too loose at night. And it is slow: `for` plus a whole evaluation interval
 *  passes before anybody hears.
 *
 *  A value that is not a number meets no condition but `!=`. */
import { choice, duration, number, type ParamValues } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { type Alarm, defineAlarm } from './alarm.ts';

const params = {
  operator: choice({
    default: '>',
    choices: ['>', '>=', '<', '<=', '==', '!='],
    about: 'How the value is compared with the threshold.',
  }),
  threshold: number({ default: 0.05, about: 'What the value is compared with.' }),
  for: duration({
    default: 60_000,
    min: 0,
    about: 'How long the condition must hold before the alarm fires; 0 fires at once.',
    official: 'Prometheus for',
  }),
  keepFiringFor: duration({
    default: 0,
    min: 0,
    about: 'How long the alarm goes on once the condition no longer holds.',
    official: 'Prometheus keep_firing_for',
  }),
};
export type ThresholdParams = ParamValues<typeof params>;

export const threshold = defineAlarm({
  name: 'threshold',
  summary: 'Fires when a comparison with a number has held for some time (a Prometheus rule).',
  useWhen: 'What is bad can be stated beforehand: an objective or a limit.',
  failsWhen: 'The normal value moves with hour or load, or minutes matter.',
  cost: 'O(1)',
  sources: ['prometheus/prometheus: rules/alerting.go'],
  aliases: [{ system: 'Prometheus', name: 'alerting-rule' }],
  params,
  create: (values) => new ThresholdAlarm(values),
});

export type RuleState = 'inactive' | 'pending' | 'firing';

export class ThresholdAlarm implements Alarm {
  state: RuleState = 'inactive';
  readonly #params: ThresholdParams;
  /** Since when the condition holds, while pending or firing. */
  #activeAtMs = -0;
  /** Since when a firing rule goes on without its condition; NaN if it does not. */
  #keptSinceMs = -0;

  constructor(params: ThresholdParams) {
    this.#params = params;
    this.#keptSinceMs = NaN;
  }

  update(value: number, atMs: Ms): boolean {
    if (compare(value, this.#params.operator, this.#params.threshold)) this.#holds(atMs);
    else this.#holdsNot(atMs);
    return this.state === 'firing';
  }

  #holds(atMs: Ms): void {
    this.#keptSinceMs = NaN;
    if (this.state === 'inactive') {
      this.state = 'pending';
      this.#activeAtMs = atMs;
    }
    if (atMs - this.#activeAtMs >= this.#params.for) this.state = 'firing';
  }

  #holdsNot(atMs: Ms): void {
    if (this.state === 'firing' && Number.isNaN(this.#keptSinceMs)) this.#keptSinceMs = atMs;
    // NaN, for a rule that is not kept, is below nothing.
    if (!(atMs - this.#keptSinceMs < this.#params.keepFiringFor)) {
      this.state = 'inactive';
      this.#keptSinceMs = NaN;
    }
  }
}

function compare(value: number, operator: ThresholdParams['operator'], limit: number): boolean {
  switch (operator) {
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '==':
      return value === limit;
    case '!=':
      return value !== limit;
  }
}
