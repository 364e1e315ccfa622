/** What a search varies: a path and its range (`1..100`, `10ms..2s`, `40%..80%`, with `:5` in steps of 5, with `:log` by ratios) or a
 *  list (`a,b,c`; commas within brackets and quotes do not separate). A place in a range is a number from 0 to 1, so that a search need
 *  not know units. */
import { InputError } from '../../core/errors.ts';
import { exp, log } from '../../core/math.ts';
import { formatDuration, isProblem, parseDuration, show } from '../../core/quantity.ts';
import { splitList } from '../split-list.ts';

export type Dimension = RangeDimension | ListDimension;

export interface RangeDimension {
  readonly kind: 'range';
  readonly path: string;
  readonly low: number;
  readonly high: number;
  /** What stands behind the numbers: `%`, `/s`, `ms`; empty for none. */
  readonly unit: string;
  readonly isLog: boolean;
  /** Distance of neighbours, in the unit. */
  readonly step: number;
  /** Whether the steps were asked for or are whole numbers; else they are only as fine as anybody would write. */
  readonly isStepped: boolean;
}

export interface ListDimension {
  readonly kind: 'list';
  readonly path: string;
  readonly values: readonly string[];
}

const listMax = 200;
const durationUnits = ['us', 'ms', 's', 'm', 'h', 'd'];

/** `option` is named in complaints: `--vary`. Throws InputError. */
export function parseDimension(assignment: string, option: string): Dimension {
  const at = assignment.indexOf('=');
  const path = at < 1 ? '' : assignment.slice(0, at).trim();
  const text = assignment.slice(at + 1).trim();
  const complain = (problem: string, hint: string): InputError =>
    InputError.of('bad-values', `${option} ${path === '' ? show(assignment) : `${path}: ${problem}`}`, hint);
  if (path === '') throw complain('', `write path=low..high or path=a,b,c, as in ${option} services.api.instances=1..100`);
  refusePath(path, option);
  if (text === '') throw complain('has no values', 'write low..high or a,b,c');
  const parts = splitList(text);
  if (parts.length === 1 && parts[0].includes('..') && !/^[["'{./]/.test(parts[0])) return parseRange(path, parts[0], complain);
  if (parts.includes('')) throw complain(`${show(text)} has an empty value`, 'write a,b,c');
  const twice = parts.find((part, i) => parts.indexOf(part) !== i);
  if (twice !== undefined) throw complain(`${show(twice)} stands twice`, 'every value once');
  if (parts.length > listMax) throw complain(`${parts.length} values; ${listMax} is the most`, 'a range: low..high');
  if (parts.length < 2)
    throw complain(`${show(text)} is one value: nothing varies`, `write low..high or a,b,c; one value goes to --set`);
  return { kind: 'list', path, values: inOrder(parts) };
}

/** Numbers in one unit, or durations, go from the smallest to the largest; other values stay in their order. */
function inOrder(values: readonly string[]): readonly string[] {
  const sizes = numbersOf(values);
  if (sizes === undefined) return values;
  return values
    .map((value, i) => ({ value, size: sizes[i] }))
    .toSorted((x, y) => x.size - y.size)
    .map(({ value }) => value);
}

/** Undefined where the values are not all numbers in one unit. */
export function numbersOf(values: readonly string[]): readonly number[] | undefined {
  const found = values.map((value) => /^(-?\d+(?:\.\d+)?)([%a-zA-Z/µμ]*)$/.exec(value));
  if (found.some((match) => match === null)) return undefined;
  const units = new Set(found.map((match) => match![2]));
  if (units.size === 1) return found.map((match) => Number(match![1]));
  const durations = values.map((value) => parseDuration(value));
  const sizes = durations.flatMap((reading) => (isProblem(reading) ? [] : [reading.value]));
  return sizes.length === values.length ? sizes : undefined;
}

/** What all settings of a search share, or what changes nothing that is simulated. */
function refusePath(path: string, option: string): void {
  const [first, second = ''] = path.split(/[.[]/);
  const refuse = (reason: string, hint: string): InputError => InputError.of('bad-path', `${option} ${path}: ${reason}`, hint);
  if (first === 'run' && (second === 'seeds' || second === 'seed'))
    throw refuse('all settings share their seeds', 'so that they see the same world; use --seeds and --seed');
  if (first === 'run' && (second === 'duration' || second === 'warmup'))
    throw refuse('settings with other stretches of time cannot be compared', 'fix it for all with --set');
  if (['scenario', 'name', 'about', 'demonstrates', 'expect', 'gate'].includes(first))
    throw refuse(`${first} changes nothing that is simulated`, 'name another path, such as services.api.instances');
}

const rangePattern = /^(-?\d+(?:\.\d+)?)([%a-zA-Z/µμ]*)\.\.(-?\d+(?:\.\d+)?)([%a-zA-Z/µμ]*)((?::[^:]+)*)$/;

type Complain = (problem: string, hint: string) => InputError;

function parseRange(path: string, text: string, complain: Complain): RangeDimension {
  const [whole, lowText = '', lowUnit = '', highText = '', highUnit = '', suffix = ''] = rangePattern.exec(text) ?? [];
  if (whole === undefined)
    throw complain(`${show(text)} is not a range`, 'write 1..100, 10ms..2s, 40%..80%, perhaps with :5 or :log');
  const { low, high, unit } = sameUnit([lowText, lowUnit || highUnit], [highText, highUnit], text, complain);
  if (!(low < high)) throw complain(`the range ${show(text)} is empty`, 'the smaller number first');
  let isLog = false;
  let step: number | undefined;
  for (const option of suffix.split(':').slice(1)) {
    if (option === 'log') isLog = true;
    else step = stepOf(option, unit, text, complain);
  }
  if (isLog && !(low > 0)) throw complain(`${show(text)} cannot grow by ratios from ${low}`, 'begin above 0, or leave :log away');
  if (step !== undefined && step > high - low)
    throw complain(`a step of ${step}${unit} leaves the range ${show(text)} at once`, 'a smaller step');
  const isWhole = Number.isInteger(low) && Number.isInteger(high);
  return {
    ...{ kind: 'range', path, low, high, unit, isLog },
    step: step ?? (isWhole ? 1 : fineStep(high - low)),
    // Counts have nothing between them; of times and rates one unit is fine enough.
    isStepped: step !== undefined || (isWhole && unit === ''),
  };
}

/** Durations may be written in two units; then the smaller one counts. */
function sameUnit(
  [lowText, lowUnit]: readonly [string, string],
  [highText, highUnit]: readonly [string, string],
  text: string,
  complain: Complain,
): { readonly low: number; readonly high: number; readonly unit: string } {
  if (lowUnit === highUnit) {
    if (!isKnownUnit(highUnit))
      throw complain(`${show(text)}: unknown unit ${show(highUnit)}`, 'as in 10ms..2s, 40%..80%, 100/s..500/s');
    return { low: Number(lowText), high: Number(highText), unit: highUnit };
  }
  const [low, high] = [parseDuration(lowText + lowUnit), parseDuration(highText + highUnit)];
  if (isProblem(low) || isProblem(high))
    throw complain(`${show(text)} begins in another unit than it ends in`, 'write both ends in one unit');
  const unit = durationUnits[Math.min(durationUnits.indexOf(lowUnit), durationUnits.indexOf(highUnit))] ?? 'ms';
  const size = parseDuration(`1${unit}`);
  if (isProblem(size)) throw complain(size.problem, 'ms');
  return { low: low.value / size.value, high: high.value / size.value, unit };
}

const isKnownUnit = (unit: string): boolean => /^(|%|[kM]?\/[smhd]|us|µs|μs|ms|s|m|h|d|[kKMGT]i?B?)$/.test(unit);

function stepOf(option: string, unit: string, text: string, complain: Complain): number {
  const [whole, digits, stepUnit = ''] = /^(\d+(?:\.\d+)?)([%a-zA-Z/µμ]*)$/.exec(option) ?? [];
  const step = Number(digits);
  if (whole === undefined || !(step > 0))
    throw complain(`${show(text)}: ${show(option)} is no step`, 'write 1..100:5 or 1..100:log');
  if (stepUnit === '' || stepUnit === unit) return step;
  const [written, size] = [parseDuration(option), parseDuration(`1${unit}`)];
  if (isProblem(written) || isProblem(size))
    throw complain(`${show(text)}: the step is in another unit`, `write it in ${unit || 'plain numbers'}`);
  return written.value / size.value;
}

/** A power of ten, so that values look like ones that somebody would write: at least a hundred steps. */
function fineStep(width: number): number {
  let step = 1;
  while (step * 100 > width) step /= 10;
  while (step * 1000 <= width) step *= 10;
  return step;
}

/** How many values there are to tell apart. */
export function countOf(dimension: Dimension): number {
  if (dimension.kind === 'list') return dimension.values.length;
  return Math.floor((dimension.high - dimension.low) / dimension.step + 1e-9) + 1;
}

/** The value with this number, from 0, as one would write it. */
export function valueAt(dimension: Dimension, index: number): string {
  if (dimension.kind === 'list') return dimension.values[index];
  return written(dimension, dimension.low + index * dimension.step);
}

/** The value nearest to a place from 0 to 1. */
export function valueNear(dimension: Dimension, place: number): string {
  if (dimension.kind === 'list') {
    const { values } = dimension;
    return values[Math.min(values.length - 1, Math.max(0, Math.floor(place * values.length)))];
  }
  const { low, high, step, isLog } = dimension;
  const at = Math.min(1, Math.max(0, place));
  const exact = isLog ? exp(log(low) + at * (log(high) - log(low))) : low + at * (high - low);
  const index = Math.min(countOf(dimension) - 1, Math.max(0, Math.round((exact - low) / step)));
  return valueAt(dimension, index);
}

/** Where a value lies, from 0 to 1; the middle of its share for one of a list. */
export function placeOf(dimension: Dimension, value: string): number {
  if (dimension.kind === 'list') return (dimension.values.indexOf(value) + 0.5) / dimension.values.length;
  const { low, high, isLog } = dimension;
  const number = numberOf(dimension, value);
  return isLog ? (log(number) - log(low)) / (log(high) - log(low)) : (number - low) / (high - low);
}

/** In the unit of the dimension; NaN where a list holds no numbers. */
export function numberOf(dimension: Dimension, value: string): number {
  if (dimension.kind === 'list') return numbersOf(dimension.values)?.[dimension.values.indexOf(value)] ?? NaN;
  if (dimension.unit === '' || value.endsWith(dimension.unit)) {
    const number = Number(value.slice(0, value.length - dimension.unit.length));
    if (!Number.isNaN(number)) return number;
  }
  const [found, size] = [parseDuration(value), parseDuration(`1${dimension.unit}`)];
  return isProblem(found) || isProblem(size) ? NaN : found.value / size.value;
}

function written({ unit }: RangeDimension, value: number): string {
  const clean = Number(value.toPrecision(10));
  if (!durationUnits.includes(unit)) return `${clean}${unit}`;
  const size = parseDuration(`1${unit}`);
  return isProblem(size) ? `${clean}${unit}` : formatDuration(Number((clean * size.value).toPrecision(12)));
}

/** What was written, in one form. */
export function rangeText(dimension: Dimension): string {
  if (dimension.kind === 'list') return dimension.values.join(', ');
  return `${valueAt(dimension, 0)}..${valueAt(dimension, countOf(dimension) - 1)}`;
}
