/** Quantities as people write them: `12ms`, `4500/s`, `30%`, `12`. Reading is strict: a unit is required where there is one, nothing
 *  may follow it, and the value is exact to the last bit (`1.1s` is 1100 ms). What cannot be read comes back as a sentence that says
 *  what was found and, where we can tell, what to write instead. Writing is the inverse of reading. */
import type { Ms } from './time.ts';

export type Reading = { readonly value: number } | Problem;
export interface Problem {
  /** One sentence: what was found and what is wrong with it. */
  readonly problem: string;
  readonly hint?: string;
}

export interface Bounds {
  readonly min?: number;
  readonly max?: number;
  /** True when `min` itself is not allowed. */
  readonly exclusiveMin?: boolean;
}

export const isProblem = (reading: Reading): reading is Problem => 'problem' in reading;

/** `250us 12ms 1.5s 2m 3h 7d`, in milliseconds. */
export function parseDuration(found: unknown, bounds: Bounds = {}): Reading {
  if (typeof found === 'number' && found >= 0 && found < Infinity) {
    return { problem: `${found} has no unit`, hint: found === 0 ? 'write 0s' : `write ${found}ms or ${found}s` };
  }
  if (typeof found !== 'string') return { problem: `expected a duration, found ${show(found)}`, hint: durationHint };
  const text = found.trim();
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(us|µs|μs|ms|s|m|h|d)$/.exec(text) ?? [];
  if (digits === undefined || unit === undefined)
    return { problem: `${show(found)} is not a duration`, hint: durationAdvice(text) };
  const [exponent, factor] = durationUnits[unit]!;
  // The decimal point is moved in the text, which rounds once; 1.1 · 1000 would not be 1100.
  const value = Number(`${digits}e${exponent}`) * factor;
  if (value > longest) return { problem: `${show(found)} is longer than ${formatDuration(longest)}` };
  return within(value, bounds, formatDuration, show(found));
}

/** `4500/s 10/m 3/h 2k/s`, per second. */
export function parseRate(found: unknown, bounds: Bounds = {}): Reading {
  if (typeof found === 'number' && found >= 0 && found < Infinity)
    return { problem: `${found} has no unit`, hint: `write ${found}/s or ${found}/m` };
  if (typeof found !== 'string') return { problem: `expected a rate, found ${show(found)}`, hint: rateHint };
  const [, digits, letter, unit] = /^(\d+(?:\.\d+)?)([kM]?)\/(s|m|h|d)$/.exec(found.trim()) ?? [];
  if (digits === undefined) return { problem: `${show(found)} is not a rate`, hint: rateAdvice(found.trim()) };
  const value =
    Number(`${digits}${letter === 'k' ? 'e3' : letter === 'M' ? 'e6' : ''}`) / secondsPer[unit as keyof typeof secondsPer];
  if (value > 1e12) return { problem: `${show(found)} is above ${formatRate(1e12)}` };
  return within(value, bounds, formatRate, show(found));
}

/** `30%` or `0.3`; between 0 and 1 unless the bounds say otherwise. */
export function parseFraction(found: unknown, bounds: Bounds = {}): Reading {
  const limits = { min: 0, max: 1, ...bounds };
  if (typeof found === 'number' && Number.isFinite(found)) {
    if (found > limits.max && found <= 100 && limits.max === 1) {
      return { problem: `${found} is above 1`, hint: `write ${found}% or ${Number(`${found}e-2`)}` };
    }
    return within(found, limits, formatFraction, String(found));
  }
  if (typeof found !== 'string') return { problem: `expected a share, found ${show(found)}`, hint: fractionHint };
  const text = found.trim();
  const [, digits, percent] = /^(-?\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  if (digits === undefined) return { problem: `${show(found)} is not a share`, hint: fractionHint };
  if (percent === '') return parseFraction(Number(digits), bounds);
  return within(Number(`${digits}e-2`), limits, formatFraction, show(found));
}

/** `500m`, `2`, `1.5`: processor cores, in thousandths of one. */
export function parseCpu(found: unknown, bounds: Bounds = {}): Reading {
  const [, digits, milli] = /^(\d+(?:\.\d+)?)(m?)$/.exec(String(found).trim()) ?? [];
  if (digits === undefined || (typeof found !== 'string' && typeof found !== 'number')) {
    return { problem: `${show(found)} is not a number of cores`, hint: 'write 500m or 1.5' };
  }
  const value = milli === '' ? Number(`${digits}e3`) : Number(digits);
  if (!Number.isInteger(value))
    return { problem: `${show(found)} is finer than a thousandth of a core`, hint: 'write 500m or 1.5' };
  return within(value, bounds, formatCpu, show(found));
}

export const formatCpu = (milli: number): string => (milli % 1000 === 0 ? String(milli / 1000) : `${milli}m`);

const bytesPer = { K: 1e3, M: 1e6, G: 1e9, T: 1e12, Ki: 1024, Mi: 1_048_576, Gi: 1_073_741_824, Ti: 1_099_511_627_776 } as const;

/** `512MiB`, `512Mi`, `1.5GB`, `16Gi`, in bytes. */
export function parseMemory(found: unknown, bounds: Bounds = {}): Reading {
  const [, digits, unit] = typeof found === 'string' ? (/^(\d+(?:\.\d+)?)([KMGT]i?|k)B?$/.exec(found.trim()) ?? []) : [];
  if (digits === undefined) return { problem: `${show(found)} is not an amount of memory`, hint: 'write 512MiB or 16GiB' };
  const factor = unit === 'k' ? bytesPer.K : bytesPer[unit as keyof typeof bytesPer];
  return within(Math.round(Number(digits) * factor), bounds, formatMemory, show(found));
}

export function formatMemory(bytes: number): string {
  const unit = (['Ti', 'Gi', 'Mi', 'Ki'] as const).find((each) => bytes >= bytesPer[each] && bytes % bytesPer[each] === 0);
  return unit === undefined ? `${bytes / bytesPer.K}KB` : `${bytes / bytesPer[unit]}${unit}B`;
}

/** `2026-01-05` or `2026-01-05T08:00:00Z`: Unix time in ms. Always UTC. */
export function parseDate(found: unknown): Reading {
  const hint = 'write 2026-01-05 or 2026-01-05T08:00:00Z';
  if (typeof found !== 'string' || !/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z)?$/.test(found.trim())) {
    return { problem: `${show(found)} is not a date`, hint };
  }
  const [year, month, day, hour = 0, minute = 0, second = 0] = found
    .trim()
    .split(/[-T:Z]/)
    .filter((part) => part !== '')
    .map(Number);
  const isDay = month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month);
  if (!isDay || hour > 23 || minute > 59 || second >= 60) return { problem: `there is no ${show(found)} in the calendar`, hint };
  return { value: (daysSinceEpoch(year, month, day) * 24 + hour) * 3_600_000 + minute * 60_000 + Math.round(second * 1000) };
}

const isLeap = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
const daysOf = (year: number, month: number): number =>
  month === 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;

function daysSinceEpoch(year: number, month: number, day: number): number {
  let days = day - 1;
  for (let each = 1; each < month; each++) days += daysOf(year, each);
  const before = year - 1;
  const leaps = Math.floor(before / 4) - Math.floor(before / 100) + Math.floor(before / 400);
  return days + 365 * (year - 1970) + leaps - 477;
}

/** A whole number. */
export function parseCount(found: unknown, bounds: Bounds = {}): Reading {
  const number = asNumber(found, 'a whole number');
  if (isProblem(number)) return number;
  if (!Number.isInteger(number.value)) return { problem: `expected a whole number, found ${number.value}` };
  if (!Number.isSafeInteger(number.value)) {
    return {
      problem: `${show(found)} is too large to be counted exactly`,
      hint: `the largest count is ${Number.MAX_SAFE_INTEGER}`,
    };
  }
  return within(number.value, bounds, String);
}

/** A plain number without a unit. */
export function parseNumber(found: unknown, bounds: Bounds = {}): Reading {
  const number = asNumber(found, 'a number');
  return isProblem(number) ? number : within(number.value, bounds, String);
}

/** The shortest way to write a time that reads back as the same number: `250us`, `12ms`, `1.5s`, `5m`. */
export function formatDuration(ms: Ms): string {
  if (ms === Infinity) return 'unlimited';
  if (!Number.isFinite(ms)) return '–';
  if (ms === 0) return '0s';
  if (ms < 0) return `-${formatDuration(-ms)}`;
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    const size = msPer[unit];
    // Days, hours and minutes only when they come out even; 1.5s and 90s are easier to read than 0.025m.
    if (ms >= size && (unit === 's' ? Number.isInteger(ms / 10) : ms % size === 0))
      return unit === 's' ? `${decimal(ms, -3)}s` : `${decimal(ms / size)}${unit}`;
  }
  if (ms >= 1) return `${decimal(ms)}ms`;
  return `${decimal(ms, 3)}us`;
}

/** `4500/s`; per minute or hour where that is a whole number and per second is not. */
export function formatRate(perSecond: number): string {
  if (!Number.isFinite(perSecond)) return '–';
  // Thirds and sixths have no end in decimals; 10/m has.
  if (decimal(perSecond).length > 8) {
    for (const [unit, seconds] of [
      ['m', 60],
      ['h', 3600],
    ] as const) {
      const count = Number((perSecond * seconds).toPrecision(14));
      if (Number.isInteger(count) && count / seconds === perSecond) return `${decimal(count)}/${unit}`;
    }
  }
  return `${decimal(perSecond)}/s`;
}

/** `30%`, `99.99%`: exact. */
export const formatFraction = (fraction: number): string => (Number.isFinite(fraction) ? `${decimal(fraction, 2)}%` : '–');

/** A share of success for people: cut off after `decimals`, never rounded up, so that 99.996 % does not become 100 %. */
export function formatAvailability(fraction: number, decimals = 2): string {
  if (!Number.isFinite(fraction)) return '–';
  const [whole, rest = ''] = decimal(fraction, 2).split('.');
  return `${decimals === 0 ? whole : `${whole}.${rest.slice(0, decimals).padEnd(decimals, '0')}`} %`;
}

/** A found value in a sentence: texts in quotes and shortened, everything else by what it is. */
export function show(found: unknown): string {
  if (typeof found === 'string') {
    const characters = Array.from(found);
    return JSON.stringify(characters.length > 60 ? `${characters.slice(0, 57).join('')}...` : found);
  }
  if (found === null || found === undefined) return 'nothing';
  if (Array.isArray(found)) return 'a list';
  if (typeof found === 'object') return 'a map';
  return String(found);
}

const durationUnits: Readonly<Record<string, readonly [exponent: number, factor: number]>> = {
  us: [-3, 1],
  µs: [-3, 1], // the micro sign and the Greek letter look alike
  μs: [-3, 1],
  ms: [0, 1],
  s: [3, 1],
  m: [4, 6],
  h: [5, 36],
  d: [5, 864],
};
const msPer = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const secondsPer = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
/** A hundred years: far beyond any run, and still exact to the microsecond. */
const longest: Ms = 36_500 * msPer.d;

const durationHint = 'durations look like 250us, 12ms, 1.5s, 2m, 3h or 7d';
const rateHint = 'rates look like 4500/s, 2k/s, 10/m or 3/h';
const fractionHint = 'shares look like 30% or 0.3';

/** Longer texts are no slips of the pen, and the patterns below need not be fast on them. */
const longestSlip = 40;

function durationAdvice(text: string): string {
  if (text.length > longestSlip) return durationHint;
  if (/^-\s*\d/.test(text)) return 'durations are not negative';
  const [, digits, word] = /^(\d+(?:\.\d+)?)\s*([a-zµμ]*)\.?$/i.exec(text) ?? [];
  if (digits === undefined || word === undefined) return durationHint;
  if (word === '') return `write ${digits}ms or ${digits}s`;
  const unit = unitWords.find(([pattern]) => pattern.test(word))?.[1];
  return unit === undefined ? durationHint : `write ${digits}${unit}`;
}

const unitWords: readonly (readonly [RegExp, string])[] = [
  [/^(us|µs|μs|usecs?|micros?|microseconds?)$/i, 'us'],
  [/^(ms|msecs?|millis?|milliseconds?)$/i, 'ms'],
  [/^(s|secs?|seconds?)$/i, 's'],
  [/^(m|mins?|minutes?)$/i, 'm'],
  [/^(h|hrs?|hours?)$/i, 'h'],
  [/^(d|days?)$/i, 'd'],
];

function rateAdvice(text: string): string {
  if (text.length > longestSlip) return rateHint;
  if (/^-\s*\d/.test(text)) return 'rates are not negative';
  // Without the slash: `10 per minute`, `5k req/s`, `300rps`. An m before anything else is no million.
  const [, digits, letter = '', word] =
    /^(\d+(?:\.\d+)?)\s*([kKM]?)\s*(?:r|req|requests)?\s*(?:\/|per)?\s*([A-Za-z]+)$/.exec(text) ?? [];
  const unit = word === undefined ? undefined : rateWords.find(([pattern]) => pattern.test(word))?.[1];
  return unit === undefined ? rateHint : `write ${digits}${letter.replace('K', 'k')}/${unit}`;
}

const rateWords: readonly (readonly [RegExp, string])[] = [
  [/^(s|secs?|seconds?|rps|qps|ps)$/i, 's'],
  [/^(mins?|minutes?|rpm)$/i, 'm'],
  [/^(h|hrs?|hours?)$/i, 'h'],
  [/^(d|days?)$/i, 'd'],
];

function asNumber(found: unknown, what: string): Reading {
  if (typeof found === 'number') {
    return Number.isFinite(found)
      ? { value: found === 0 ? 0 : found }
      : { problem: `expected ${what}, found ${found}, which is not finite` };
  }
  if (typeof found === 'string' && /^[-+]?\d+(\.\d+)?$/.test(found)) {
    // Integers that a double cannot hold arrive as text, so that nothing is lost on the way here.
    if (/^[-+]?\d+$/.test(found) && !Number.isSafeInteger(Number(found))) return { problem: `${found} is too large to be exact` };
    return { problem: `expected ${what}, found the text ${show(found)}`, hint: `write ${found} without quotes` };
  }
  return { problem: `expected ${what}, found ${show(found)}` };
}

function within(
  value: number,
  { min, max, exclusiveMin }: Bounds,
  write: (value: number) => string,
  shown = write(value),
): Reading {
  if (!Number.isFinite(value)) return { problem: `${shown} is not finite` };
  if (min !== undefined && (exclusiveMin === true ? value <= min : value < min)) {
    return { problem: `${shown} is too small`, hint: `it must be ${exclusiveMin === true ? 'above' : 'at least'} ${write(min)}` };
  }
  if (max !== undefined && value > max) return { problem: `${shown} is too large`, hint: `it must be at most ${write(max)}` };
  return { value: value === 0 ? 0 : value };
}

/** A number's decimal text without an exponent and with the point moved to the right, so that no rounding is added. */
function decimal(value: number, places = 0): string {
  if (value < 0) return `-${decimal(-value, places)}`;
  const [mantissa, exponent = '0'] = String(value).split('e');
  const [whole, rest = ''] = mantissa.split('.');
  const point = whole.length + Number(exponent) + places;
  const digits = '0'.repeat(Math.max(0, 1 - point)) + whole + rest + '0'.repeat(Math.max(0, point - whole.length - rest.length));
  const at = Math.max(1, point);
  const fraction = digits.slice(at).replace(/0+$/, '');
  const integer = digits.slice(0, at).replace(/^0+(?=\d)/, '');
  return fraction === '' ? integer : `${integer}.${fraction}`;
}
