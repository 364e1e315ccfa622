/** Times as logs write them, to milliseconds since 1970. NaN for what is none: a date that does not exist, a year of two digits. */
import type { Ms } from '../../core/time.ts';
import type { LocalZone } from './local-zone.ts';

export type StampReader = (text: string) => Ms;

/** Many lines share their second: the last answer is kept. */
function remembering(read: StampReader): StampReader {
  let lastText = '';
  let last = NaN;
  return (text) => {
    if (text === lastText) return last;
    lastText = text;
    last = read(text);
    return last;
  };
}

/** `17/May/2015:10:05:03 +0000`, as Apache and nginx write it; HAProxy adds milliseconds and leaves the zone out. */
export const commonLogTime = (zone: LocalZone): StampReader => remembering((text) => readCommonLogTime(text, zone));

/** Any of: ISO 8601 and RFC 3339 (`2016-04-15T20:17:00.310Z`, also with a space or an offset), the common log's, RFC 1123 (`Fri, 15 Apr
 *  2016 20:17:00 GMT`), and plain numbers. A number counts seconds, milliseconds, microseconds or nanoseconds: what `msPerUnit` says, or
 *  what its size says, taking it for an instant of this age. Small numbers are seconds from the log's own zero. */
export const anyTime = (zone: LocalZone, msPerUnit: number | undefined): StampReader =>
  remembering((text) => readAnyTime(text.trim(), zone, msPerUnit));

function readAnyTime(text: string, zone: LocalZone, msPerUnit: number | undefined): Ms {
  if (/^-?\d+(\.\d*)?([eE][+-]?\d{1,2})?$/.test(text)) return Number(text) * (msPerUnit ?? msPerUnitOf(Math.abs(Number(text))));
  const iso = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?\s*(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?$/i.exec(
    text,
  );
  if (iso !== null) {
    const [, year, month, date, hour, minute, second = '0', fraction = '0', offset] = iso;
    return instant([year, month, date, hour, minute, second].map(Number), Number(`0.${fraction}`), offset, zone);
  }
  const mail = /^(?:[A-Z][a-z]{2}, )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) (GMT|UTC|[+-]\d{4})$/.exec(text);
  if (mail !== null) {
    const [, date, month, year, hour, minute, second, offset] = mail;
    return instant([Number(year), monthOf(month), ...[date, hour, minute, second].map(Number)], 0, offset, zone);
  }
  return readCommonLogTime(text.replace(/^\[(.*)\]$/, '$1'), zone);
}

const msPerUnitOf = (size: number): number => (size < 1e11 ? 1000 : size < 1e14 ? 1 : size < 1e17 ? 1e-3 : 1e-6);

function readCommonLogTime(text: string, zone: LocalZone): Ms {
  const [, date, month, year, hour, minute, second, fraction = '0', offset] =
    /^(\d\d)\/([A-Za-z]{3})\/(\d{4}):(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?: ([+-]\d{4}))?$/.exec(text) ?? [];
  if (date === undefined) return NaN;
  return instant(
    [Number(year), monthOf(month), ...[date, hour, minute, second].map(Number)],
    Number(`0.${fraction}`),
    offset,
    zone,
  );
}

const monthOf = (name: string): number => months.indexOf(name.toLowerCase()) + 1;
const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

/** `fields` are year, month from 1, day, hour, minute, second. */
function instant(fields: readonly number[], fraction: number, offset: string | undefined, zone: LocalZone): Ms {
  const [year, month, date, hour, minute, second] = fields;
  const isDate = month >= 1 && month <= 12 && date >= 1 && date <= daysIn(year, month);
  // A leap second is the first of the next minute.
  if (!isDate || hour > 23 || minute > 59 || second > 60) return NaN;
  const wallMs = Date.UTC(year, month - 1, date, hour, minute, second) + Math.round(fraction * 1e6) / 1e3;
  if (offset === undefined) return zone(wallMs);
  const [, sign, hours, minutes = '0'] = /^([+-])(\d\d):?(\d\d)?$/.exec(offset) ?? [];
  if (sign === undefined) return wallMs;
  if (Number(hours) > 14 || Number(minutes) > 59) return NaN;
  return wallMs - (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

const daysIn = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate();
