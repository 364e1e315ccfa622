/** Dates and times of day of minutes since the beginning of 1970, in the Gregorian calendar, without a zone. Plain arithmetic: the same on
 *  every machine. After Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms". */
import type { Ms } from '../../core/time.ts';

export const MINUTE_MS: Ms = 60_000;
export const DAY_MS: Ms = 86_400_000;
export const MINUTES_PER_DAY = 1440;

export interface WallTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

export function wallTime(minutes: number): WallTime {
  const days = Math.floor(minutes / MINUTES_PER_DAY);
  const inDay = minutes - days * MINUTES_PER_DAY;
  const date = dateOf(days);
  const weekday = (((days + 4) % 7) + 7) % 7;
  return { ...date, weekday, hour: Math.floor(inDay / 60), minute: inDay % 60 };
}

/** Years begin in March here, so that the leap day is their last; eras are 400 years. */
function dateOf(days: number): { readonly year: number; readonly month: number; readonly day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const leaps = Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / 146_096);
  const yearOfEra = Math.floor((dayOfEra - leaps) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const fromMarch = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * fromMarch + 2) / 5) + 1;
  const month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

/** In minutes, as above; month 13 is the January after. */
export function startOfMonth(year: number, month: number): number {
  const [y, m] = month > 12 ? [year + 1, month - 12] : [year, month];
  const marchYear = m <= 2 ? y - 1 : y;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * (m > 2 ? m - 3 : m + 9) + 2) / 5);
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return (era * 146_097 + dayOfEra - 719_468) * MINUTES_PER_DAY;
}
