/** Times of day without a zone, as HAProxy logs them, to instants. Use UTC where only differences matter and the log crosses no change
 *  of clocks; a named zone where it does. Fails, by nature, for an hour that the clocks repeat, unless the lines around it tell: of two
 *  readings the one nearer to the line before is taken. */
import type { Ms } from '../../core/time.ts';

/** `wallMs` is the time on the wall, read as if it were UTC. */
export type LocalZone = (wallMs: Ms) => Ms;

export const utc: LocalZone = (wallMs) => wallMs;

/** `UTC`, `+02:00`, or a name such as `Europe/Berlin`; undefined when there is no such zone. */
export function zoneNamed(name: string): LocalZone | undefined {
  if (/^(utc|gmt|z)$/i.test(name)) return utc;
  const [, sign, hours, minutes = '0'] = /^([+-])(\d{1,2}):?(\d{2})?$/.exec(name) ?? [];
  if (sign !== undefined) {
    if (Number(hours) > 14 || Number(minutes) > 59) return undefined;
    const offset = (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
    return (wallMs) => wallMs - offset;
  }
  try {
    return namedZone(
      new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
        timeZone: name,
        hourCycle: 'h23',
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: 'numeric',
        minute: 'numeric',
        second: 'numeric',
      }),
    );
  } catch {
    return undefined;
  }
}

const quarterHour = 900_000;
const day = 86_400_000;

function namedZone(format: Intl.DateTimeFormat): LocalZone {
  const offsets = new Map<number, Ms>();
  let last = NaN;
  // Clocks change on quarters of an hour.
  const offsetAt = (instant: Ms): Ms => {
    const quarter = Math.floor(instant / quarterHour);
    const known = offsets.get(quarter);
    if (known !== undefined) return known;
    if (offsets.size > 10_000) offsets.clear();
    const offset = wallAt(format, quarter * quarterHour) - quarter * quarterHour;
    offsets.set(quarter, offset);
    return offset;
  };
  return (wallMs) => {
    // Every zone is within a day of UTC, and the clocks change at most once in the days around.
    const before = offsetAt(wallMs - day);
    const after = offsetAt(wallMs + day);
    const early = wallMs - before;
    const late = wallMs - after;
    const isEarly = offsetAt(early) === before;
    const isLate = offsetAt(late) === after;
    const takesLate = isLate && (!isEarly || Math.abs(late - last) < Math.abs(early - last));
    last = takesLate ? late : early;
    return last;
  };
}

function wallAt(format: Intl.DateTimeFormat, instant: Ms): Ms {
  const parts: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(instant)) parts[type] = Number(value);
  return Date.UTC(parts.year, parts.month - 1, parts.day, parts.hour, parts.minute, parts.second);
}
