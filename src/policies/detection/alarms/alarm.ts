/** Alarms on a metric: told one value after another, an alarm says whether it fires. Unlike detectors they hear of no heartbeats; they watch
 *  what a system measures of itself, such as error rates and latencies.
 *
 *  One object per metric. It is passive: whoever evaluates the metric calls it, at whatever interval. */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Ms } from '../../../core/time.ts';

export interface Alarm {
  /** The metric's value at an instant not before the last one; true while the alarm fires. No allocation. */
  update(value: number, atMs: Ms): boolean;
}

export type AlarmDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, object, Alarm>;

type Describe<Specs extends ParamSpecs> = Omit<AlarmDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>): Alarm;
};

/** Declares an alarm for the family's table. */
export const defineAlarm = <const Specs extends ParamSpecs>(description: Describe<Specs>): AlarmDefinition<Specs> =>
  definePolicy<Specs, object, Alarm>({ family: 'alarms', ...description });
