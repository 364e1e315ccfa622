/** Scheduled scaling: capacity by the clock.
 *
 *  Use it for load that everybody knows in advance: office hours, a sale at noon. It fails when the load does not read calendars, which is
 *  why it should be joined with a policy that reacts: as one of `max-of`, where it raises the floor, or with the other one as
 *  `dynamic`, whose answers it then bounds.
 *
 *  Of all entries the one that fired last holds until another fires; of several at the same moment the last in the list. What fired
 *  before the start holds from the start. Alone, the count is the entry's `replicas`, else its `min`, else what it was, and at most its
 *  `max`. With `dynamic`, as in AWS, an entry sets `replicas` once, when it fires, and from then on `min` and `max` bound what the dynamic
 *  policy (of several, the largest) asks for. */
import { InputError } from '../../core/errors.ts';
import { duration, int, type ParamValues, policies, records, string } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import { type CronSchedule, nextFiring, parseCron } from '../shared/cron.ts';
import { type Zone, zoneNamed } from '../shared/time-zone.ts';
import {
  type Autoscaler,
  type AutoscalerDefinition,
  type AutoscalerDeps,
  defineAutoscaler,
  type ScaleDecision,
  type ScaleObservation,
} from './autoscaler.ts';
import { backWithin, boundsParams, refuseEmptyBounds, within } from './parts/bounds.ts';
import { type AutoscalerTable, combine, InnerPolicies } from './parts/inner-policies.ts';

const entryFields = {
  cron: string({
    default: '0 8 * * 1-5',
    about: 'When the entry begins to hold: minute, hour, day of month, month, day of week.',
    official: 'AWS Recurrence',
  }),
  timeZone: string({ default: 'UTC', about: 'Whose clock, as in Europe/Berlin.', official: 'AWS TimeZone' }),
  replicas: int({ default: -1, min: -1, about: 'Replicas to have; −1 for none in particular.', official: 'AWS DesiredCapacity' }),
  min: int({ default: -1, min: -1, about: 'Fewest replicas; −1 for no such bound.', official: 'AWS MinSize' }),
  max: int({ default: -1, min: -1, about: 'Most replicas; −1 for no such bound.', official: 'AWS MaxSize' }),
} as const;

const paramsWith = (table: AutoscalerTable) =>
  ({
    ...boundsParams,
    schedule: records({
      fields: entryFields,
      required: ['cron'],
      about: 'Entries, of which the one that fired last holds.',
      official: 'AWS scheduled actions',
    }),
    decideEvery: duration({ default: 15_000, min: 1, about: 'How often the clock is looked at, without dynamic policies.' }),
    dynamic: policies({
      table,
      about: 'Policies that decide within the bounds of the entry that holds; none: the schedule decides alone.',
    }),
  }) as const;

/** Made by the family's table, which it needs to make the dynamic policies. */
export const scheduledTable = (table: AutoscalerTable): AutoscalerDefinition =>
  defineAutoscaler({
    name: 'scheduled',
    summary: 'Capacity by the clock: of a list of cron entries the one that fired last holds.',
    useWhen: 'Load follows the calendar, and replicas take longer to start than load takes to come.',
    failsWhen: 'Load does not keep to the calendar, and nothing that reacts is joined with it.',
    cost: 'O(entries) per decision',
    sources: ['AWS: Amazon EC2 Auto Scaling User Guide, scheduled scaling', 'kedacore/keda: pkg/scalers/cron_scaler.go'],
    aliases: [
      { system: 'AWS', name: 'ScheduledAction' },
      { system: 'Google Cloud', name: 'scalingSchedules' },
      { system: 'Kubernetes', name: 'CronHPA' },
    ],
    params: paramsWith(table),
    create: (params, deps) => new Scheduled(params, table, deps),
  });

class Scheduled implements Autoscaler {
  readonly decideEveryMs: Ms;
  readonly sampleEveryMs: Ms;
  readonly holdsRequests: boolean;
  readonly #params: Values;
  readonly #epochMs: Ms;
  readonly #entries: readonly Entry[];
  readonly #dynamic: InnerPolicies | undefined;
  #holding: Entry | undefined;

  constructor(params: Values, table: AutoscalerTable, deps: AutoscalerDeps) {
    refuseEmptyBounds('scheduled', params);
    this.#params = params;
    this.#epochMs = deps.epochMs;
    this.#dynamic = params.dynamic.length === 0 ? undefined : new InnerPolicies(params.dynamic, table, deps);
    this.decideEveryMs = this.#dynamic?.decideEveryMs ?? params.decideEvery;
    this.sampleEveryMs = this.#dynamic?.sampleEveryMs ?? Infinity;
    this.holdsRequests = this.#dynamic?.holdsRequests ?? false;
    this.#entries = params.schedule.map((entry, index) => {
      try {
        return entryOf(entry);
      } catch (error) {
        throw error instanceof InputError ? error.at('schedule', index) : error;
      }
    });
  }

  decide(observation: ScaleObservation): ScaleDecision {
    const hasFired = this.#wind(this.#epochMs + observation.nowMs);
    return this.#dynamic === undefined ? this.#alone(observation) : this.#bounding(this.#dynamic, hasFired, observation);
  }

  sample(observation: ScaleObservation): void {
    this.#dynamic?.sample(observation);
  }

  onScaled(from: number, to: number, nowMs: Ms): void {
    this.#dynamic?.onScaled(from, to, nowMs);
  }

  #alone({ specReplicas }: ScaleObservation): ScaleDecision {
    const holding = this.#holding;
    if (holding === undefined)
      return backWithin(this.#params, specReplicas) ?? { replicas: undefined, reason: 'NothingScheduled' };
    const count = holding.replicas >= 0 ? holding.replicas : holding.min >= 0 ? holding.min : specReplicas;
    return { replicas: within(this.#params, bounded(holding, count)), reason: 'Scheduled' };
  }

  #bounding(dynamic: InnerPolicies, hasFired: boolean, observation: ScaleObservation): ScaleDecision {
    const { specReplicas } = observation;
    // Asked in any case, so that none of them misses its time.
    const { replicas, reason } = combine(dynamic.ask(observation), specReplicas, Math.max);
    const holding = this.#holding;
    const sets = hasFired && holding !== undefined && holding.replicas >= 0;
    const wanted = sets ? holding.replicas : (replicas ?? specReplicas);
    const count = within(this.#params, holding === undefined ? wanted : bounded(holding, wanted));
    if (sets || count !== wanted) return { replicas: count, reason: 'Scheduled' };
    return { replicas: replicas === undefined ? undefined : count, reason };
  }

  /** Lets fire what has come due; whether something has, other than before the first look at the clock. */
  #wind(nowEpochMs: Ms): boolean {
    let latestMs = -Infinity;
    let hasFired = false;
    for (const entry of this.#entries) {
      const isFirst = entry.firesAtMs === undefined;
      const dueMs = entry.firesAtMs ?? somePastFiring(entry, nowEpochMs);
      if (dueMs > nowEpochMs) {
        entry.firesAtMs = dueMs;
        continue;
      }
      const firedAtMs = latestFiring(entry, dueMs, nowEpochMs);
      entry.firesAtMs = nextFiring(entry.schedule, entry.zone, nowEpochMs);
      if (firedAtMs < latestMs) continue;
      latestMs = firedAtMs;
      this.#holding = entry;
      hasFired = !isFirst;
    }
    return hasFired;
  }
}

type Values = ParamValues<ReturnType<typeof paramsWith>>;

interface Entry extends Timetable {
  /** −1 where nothing is said. */
  readonly replicas: number;
  readonly min: number;
  readonly max: number;
}

/** Refuses what cannot be meant. */
function entryOf({ cron, timeZone, ...capacity }: Values['schedule'][number]): Entry {
  if (capacity.max >= 0) refuseEmptyBounds(`scheduled: ${cron}`, capacity);
  return { ...capacity, schedule: parseCron(cron), zone: zoneNamed(timeZone), firesAtMs: undefined };
}

interface Timetable {
  readonly schedule: CronSchedule;
  readonly zone: Zone;
  /** The first firing that was not taken note of, Infinity for never; undefined before the first look at the clock. */
  firesAtMs: Ms | undefined;
}

const bounded = ({ min, max }: Entry, count: number): number => {
  const raised = min >= 0 ? Math.max(count, min) : count;
  return max >= 0 ? Math.min(raised, max) : raised;
};

/** Of the firings from `firesAtMs` on that are not after now, the latest. */
function latestFiring({ schedule, zone }: Timetable, firesAtMs: Ms, nowEpochMs: Ms): Ms {
  let latestMs = firesAtMs;
  for (;;) {
    const nextMs = nextFiring(schedule, zone, latestMs);
    if (nextMs > nowEpochMs) return latestMs;
    latestMs = nextMs;
  }
}

/** A firing up to a moment, or the next one if there was none for years. Cron looks only ahead, so this goes back in steps that double,
 *  until something fires in between. */
function somePastFiring({ schedule, zone }: Timetable, nowEpochMs: Ms): Ms {
  for (let backMs = HOUR; backMs < 16 * YEAR; backMs *= 2) {
    const firesAtMs = nextFiring(schedule, zone, nowEpochMs - backMs);
    if (firesAtMs <= nowEpochMs) return firesAtMs;
  }
  return nextFiring(schedule, zone, nowEpochMs);
}

const HOUR: Ms = 3_600_000;
const YEAR: Ms = 365 * 24 * HOUR;
