/** How many replicas a load needs, by one of several models of how requests wait. */
import { choice, duration, fraction, int, number } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { replicasForWait, serversForWait, squareRootStaffing } from './erlang.ts';

export const staffingModels = ['erlang-c', 'square-root', 'per-instance', 'utilization'] as const;
export type StaffingModel = (typeof staffingModels)[number];

export const staffingParams = {
  model: choice({
    default: 'erlang-c',
    choices: staffingModels,
    about:
      'One queue for all (erlang-c), its approximation for large services (square-root), a queue per replica and random balancing (per-instance, M/M/1 with one slot), or a limit on how busy slots are (utilization).',
  }),
  slots: int({ default: 1, min: 1, about: 'Requests that a replica serves at once.' }),
  maxWait: duration({ default: 50, min: 0, about: 'How long a request may wait, for erlang-c and per-instance.' }),
  fraction: fraction({
    default: 0.95,
    max: 0.999999,
    about: 'Share of requests that must not wait longer, for erlang-c and per-instance.',
  }),
  safety: number({
    default: 1,
    min: 0,
    exclusiveMin: true,
    about: 'For square-root: a + safety · sqrt(a) slots for a load of a; the beta of Halfin and Whitt.',
  }),
  targetUtilization: fraction({
    default: 0.7,
    min: 0.01,
    about: 'Share of slots that may be busy, for utilization.',
  }),
} as const;

export interface Staffing {
  readonly model: StaffingModel;
  readonly slots: number;
  readonly maxWait: Ms;
  readonly fraction: number;
  readonly safety: number;
  readonly targetUtilization: number;
}

/** Replicas for so many requests a second that take so long on average, `atMost` if that is not enough. */
export function replicasFor(requestsPerSecond: number, serviceTimeMs: Ms, staffing: Staffing, atMost: number): number {
  const offeredLoad = (requestsPerSecond * serviceTimeMs) / 1000;
  return offeredLoad > 0 ? Math.min(atMost, needed(offeredLoad, serviceTimeMs, staffing, atMost)) : 0;
}

function needed(offeredLoad: number, serviceTimeMs: Ms, staffing: Staffing, atMost: number): number {
  const { model, slots, safety, targetUtilization } = staffing;
  switch (model) {
    case 'erlang-c':
      return Math.ceil(serversForWait(offeredLoad, serviceTimeMs, staffing, atMost * slots) / slots);
    case 'square-root':
      return Math.ceil(squareRootStaffing(offeredLoad, safety) / slots);
    case 'per-instance':
      return replicasForWait(offeredLoad, serviceTimeMs, slots, staffing);
    case 'utilization':
      return Math.ceil(offeredLoad / (targetUtilization * slots));
  }
}
