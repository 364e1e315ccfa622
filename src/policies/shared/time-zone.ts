/** Clocks on walls: what they show at a moment, and when they show a time. UTC is plain arithmetic; other zones are asked of the engine's
 *  own tables, which change with governments' decisions, so that runs that use them repeat on engines with the same tables only. */
import { InputError } from '../../core/errors.ts';
import type { Ms } from '../../core/time.ts';
import { DAY_MS, MINUTE_MS, MINUTES_PER_DAY, startOfMonth } from './calendar.ts';

/** A clock on the wall. */
export interface Zone {
  readonly name: string;
  /** What to add to a moment to have the wall's time, as if that were UTC. */
  offsetMs(epochMs: Ms): Ms;
  /** When the wall shows this time: once as a rule, twice or never where the clock is put back or forward. */
  momentsOf(wallMs: Ms): readonly Ms[];
}

const utc: Zone = { name: 'UTC', offsetMs: () => 0, momentsOf: (wallMs) => [wallMs] };

/** `Europe/Berlin`. Throws InputError for a zone that nobody knows. */
export function zoneNamed(name: string): Zone {
  if (/^(utc|etc\/utc|gmt|z)$/i.test(name)) return utc;
  const format = formatOf(name);
  const offsetMs = (epochMs: Ms): Ms => {
    const parts = format.formatToParts(epochMs);
    const value = (type: string): number => Number(parts.find((part) => part.type === type)!.value);
    const [year, month, day, hour] = [value('year'), value('month'), value('day'), value('hour')];
    const start = startOfMonth(year, month) + (day - 1) * MINUTES_PER_DAY + (hour % 24) * 60 + value('minute');
    const wallMs = start * MINUTE_MS + value('second') * 1000;
    // The parts are whole seconds.
    return wallMs - Math.floor(epochMs / 1000) * 1000;
  };
  return {
    name,
    offsetMs,
    momentsOf: (wallMs) => {
      // The offsets of a day before and after are those around any change in between.
      const offsets = new Set([offsetMs(wallMs - DAY_MS), offsetMs(wallMs + DAY_MS)]);
      const moments = [...offsets].map((offset) => wallMs - offset).filter((moment) => offsetMs(moment) === wallMs - moment);
      return moments.sort((a, b) => a - b);
    },
  };
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  try {
    const numeric = 'numeric';
    // oxlint-disable-next-line no-restricted-globals -- zones are asked for by name, and nowhere else are their rules to be had
    return new Intl.DateTimeFormat('en-US', {
      ...{ timeZone, calendar: 'gregory', numberingSystem: 'latn', hourCycle: 'h23', era: undefined },
      ...{ year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric, second: numeric },
    });
  } catch {
    throw InputError.of('unknown-zone', `there is no time zone ${JSON.stringify(timeZone)}`, 'names are like Europe/Berlin');
  }
}
