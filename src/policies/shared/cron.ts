/** When a cron expression fires: `0 8 * * 1-5`, five fields for minute, hour, day of month, month and day of week, in the time of a
 *  zone.
 *
 *  Fields are `*`, numbers, ranges as in `1-5`, steps as in `1-23/2`, and lists of these; months and days of the week also by their first
 *  three letters, Sunday as 0 or 7; `?` is `*`. `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly` and `@annually` stand for
 *  what they say. Where both days are restricted, either suffices, as in every cron since Vixie's.
 *
 *  It fires whenever the clock on the wall shows the time: not at all where the clock skips it in spring, twice where it comes twice in
 *  autumn.
 *
 *  After crontab(5), and robfig/cron, which Kubernetes and KEDA use. */
import { InputError } from '../../core/errors.ts';
import type { Ms } from '../../core/time.ts';
import { DAY_MS, MINUTE_MS, MINUTES_PER_DAY, startOfMonth, wallTime, type WallTime } from './calendar.ts';
import type { Zone } from './time-zone.ts';

export interface CronSchedule {
  readonly expression: string;
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>;
  /** Whether one suffices of `days` and `weekdays`; both are needed where one of them is any. */
  readonly isEitherDay: boolean;
}

/** Throws InputError for what is not a cron expression. */
export function parseCron(expression: string): CronSchedule {
  const text = expression.trim();
  const fields = (Object.hasOwn(shorthands, text) ? shorthands[text] : text).split(/\s+/);
  if (fields.length !== 5) {
    throw InputError.of('bad-cron', `${JSON.stringify(expression)} is not a cron expression`, 'five fields, as in 0 8 * * 1-5');
  }
  const [minutes, hours, days, months, weekdays] = ranges.map((range, i) => parseField(fields[i], range, expression));
  if (weekdays.has(7)) weekdays.add(0);
  weekdays.delete(7);
  const isAny = (field: string): boolean => field.startsWith('*') || field.startsWith('?');
  const isEitherDay = !isAny(fields[2]) && !isAny(fields[4]);
  return { expression, minutes, hours, days, months, weekdays, isEitherDay };
}

const shorthands: Readonly<Record<string, string>> = {
  '@hourly': '0 * * * *',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@weekly': '0 0 * * 0',
  '@monthly': '0 0 1 * *',
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
};

interface Range {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** The first stands for `min`. */
  readonly words?: readonly string[];
}
const ranges: readonly Range[] = [
  { name: 'minute', min: 0, max: 59 },
  { name: 'hour', min: 0, max: 23 },
  { name: 'day', min: 1, max: 31 },
  {
    name: 'month',
    min: 1,
    max: 12,
    words: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
  },
  { name: 'day of the week', min: 0, max: 7, words: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
];

function parseField(field: string, range: Range, expression: string): Set<number> {
  const values = new Set<number>();
  const complain = (): never => {
    throw InputError.of('bad-cron', `${JSON.stringify(field)} is not a ${range.name} of a cron expression (${expression})`);
  };
  for (const item of field.split(',')) {
    const [, span, step] = /^([^/]+)(?:\/(\d{1,2}))?$/.exec(item) ?? complain();
    const isAny = span === '*' || span === '?';
    const [first, last, surplus] = isAny ? [String(range.min), String(lastOf(range))] : span.split('-');
    const low = numberOf(first, range) ?? complain();
    // `5/15` goes on to the end, `5` does not.
    const high = last === undefined ? (step === undefined ? low : lastOf(range)) : (numberOf(last, range) ?? complain());
    const every = step === undefined ? 1 : Number(step);
    if (surplus !== undefined || high < low || every === 0) complain();
    for (let value = low; value <= high; value += every) values.add(value);
  }
  return values;
}

/** Sunday twice would be one too many in `*`. */
const lastOf = ({ max }: Range): number => (max === 7 ? 6 : max);

function numberOf(text: string, { min, max, words = [] }: Range): number | undefined {
  const word = words.indexOf(text.toLowerCase());
  if (word !== -1) return min + word;
  const value = /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  return value >= min && value <= max ? value : undefined;
}

/** The first moment after `afterEpochMs` at which it fires; Infinity if that is never, as for the 30th of February. */
export function nextFiring(schedule: CronSchedule, zone: Zone, afterEpochMs: Ms): Ms {
  const [slower] = offsetsAround(zone, afterEpochMs);
  // Minutes of the zone's own clock, at its slowest these days.
  let minute = Math.floor((afterEpochMs + slower) / MINUTE_MS);
  const end = minute + YEARS * 366 * MINUTES_PER_DAY;
  let best = Infinity;
  // Where an hour comes twice, a later time of it may come before an earlier one comes again.
  let fastest = 0;
  while (minute < end && minute * MINUTE_MS - fastest < best) {
    const wall = wallTime(minute);
    if (!schedule.months.has(wall.month)) minute = startOfMonth(wall.year, wall.month + 1);
    else if (!isDay(schedule, wall)) minute = (Math.floor(minute / MINUTES_PER_DAY) + 1) * MINUTES_PER_DAY;
    else if (!schedule.hours.has(wall.hour)) minute = (Math.floor(minute / 60) + 1) * 60;
    else {
      const moment = schedule.minutes.has(wall.minute)
        ? zone.momentsOf(minute * MINUTE_MS).find((each) => each > afterEpochMs)
        : undefined;
      if (moment !== undefined && moment < best) {
        best = moment;
        [, fastest] = offsetsAround(zone, best);
      }
      minute++;
    }
  }
  return best;
}

/** Of the days before and after: the slower clock and the faster. */
function offsetsAround(zone: Zone, epochMs: Ms): readonly [Ms, Ms] {
  const [before, after] = [zone.offsetMs(epochMs - DAY_MS), zone.offsetMs(epochMs + DAY_MS)];
  return [Math.min(before, after), Math.max(before, after)];
}

/** Leap days on a given weekday can be forty years apart, around a year such as 2100. */
const YEARS = 41;

function isDay({ days, weekdays, isEitherDay }: CronSchedule, { day, weekday }: WallTime): boolean {
  return isEitherDay ? days.has(day) || weekdays.has(weekday) : days.has(day) && weekdays.has(weekday);
}
