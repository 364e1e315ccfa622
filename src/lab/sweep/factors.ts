/** `--set path=values` to factors: lists (`a,b,c`), ranges (`2..8`, `2..8:2`, `1..64:x2`, `10%..90%@9`), and files of values (`@file`). */
import { InputError } from '../../core/errors.ts';
import { show } from '../../core/quantity.ts';
import { splitList } from '../split-list.ts';
import type { Factor } from './types.ts';

/** What was written for one path. */
export interface Setting {
  readonly path: string;
  readonly values: readonly string[];
  /** Of a range without steps: from where to where, for designs that choose the values themselves. */
  readonly range?: Range;
}

export interface Range {
  readonly low: number;
  readonly high: number;
  readonly unit: string;
  /** Only whole numbers. */
  readonly isWhole: boolean;
}

const valuesMax = 1000;
/** So many whole numbers are taken one by one. */
const plainRangeMax = 50;

/** `readLines` gives the lines of a file of values. Throws InputError. */
export async function parseSetting(
  assignment: string,
  readLines: (file: string) => Promise<readonly string[]>,
): Promise<Setting> {
  const at = assignment.indexOf('=');
  const [path, text] = [assignment.slice(0, at).trim(), assignment.slice(at + 1).trim()];
  if (text.startsWith('@')) {
    const values = (await readLines(text.slice(1)))
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'));
    if (values.length === 0) throw complaint(path, `${show(text.slice(1))} holds no values`, 'one value per line');
    return { path, values: distinct(path, values) };
  }
  const parts = splitList(text);
  if (parts.some((part) => part === '')) throw complaint(path, `${show(text)} has an empty value`, 'write a,b,c');
  const only = parts.length === 1 ? parseRange(parts[0]) : undefined;
  if (only === undefined)
    return {
      path,
      values: distinct(
        path,
        parts.flatMap((part) => rangeValues(path, part) ?? [part]),
      ),
    };
  if (only.step === undefined) {
    const { range } = only;
    const count = range.high - range.low + 1;
    const values = range.isWhole && range.unit === '' && count <= plainRangeMax ? stepped(range, 1) : [];
    return { path, values, range };
  }
  return { path, values: rangeValues(path, parts[0])! };
}

const complaint = (path: string, problem: string, hint: string): InputError =>
  InputError.of('bad-values', `--set ${path}: ${problem}`, hint);

function distinct(path: string, values: readonly string[]): readonly string[] {
  const twice = values.find((value, i) => values.indexOf(value) !== i);
  if (twice !== undefined) throw complaint(path, `${show(twice)} stands twice`, 'every value once');
  if (values.length > valuesMax) throw complaint(path, `${values.length} values`, `${valuesMax} is the most`);
  return values;
}

const number = String.raw`(-?\d+(?:\.\d+)?)`;
const unitText = String.raw`(%|[kM]?/[smhd]|us|ms|s|m|h|d)?`;
const rangePattern = new RegExp(`^${number}${unitText}\\.\\.${number}${unitText}(?::(x)?${number}${unitText}|@(\\d{1,4}))?$`);

interface WrittenRange {
  readonly range: Range;
  readonly step?: { readonly by: number } | { readonly factor: number } | { readonly count: number };
}

function parseRange(text: string): WrittenRange | undefined {
  const [whole, low, lowUnit = '', high, highUnit = '', times, step, stepUnit = '', count] = rangePattern.exec(text) ?? [];
  if (whole === undefined) return undefined;
  const unit = highUnit;
  if (lowUnit !== '' && lowUnit !== unit) return undefined;
  if (step !== undefined && stepUnit !== '' && stepUnit !== unit) return undefined;
  const isWhole = !low!.includes('.') && !high!.includes('.') && !(step?.includes('.') ?? false) && unit !== '%';
  const range = { low: Number(low), high: Number(high), unit, isWhole };
  if (count !== undefined) return { range, step: { count: Number(count) } };
  if (step === undefined) return { range };
  return { range, step: times === undefined ? { by: Number(step) } : { factor: Number(step) } };
}

/** Undefined for what is no range with steps. */
function rangeValues(path: string, text: string): readonly string[] | undefined {
  const found = parseRange(text);
  if (found === undefined) return undefined;
  const { range, step } = found;
  if (!(range.low < range.high)) throw complaint(path, `the range ${show(text)} is empty`, 'the smaller number first');
  if (step === undefined)
    throw complaint(path, `the range ${show(text)} has no steps`, `write ${text}:2, ${text}:x2 or ${text}@5`);
  if ('count' in step) {
    if (step.count < 2) throw complaint(path, `${show(text)} asks for ${step.count} values`, 'at least 2');
    return distinct(
      path,
      Array.from({ length: Math.min(step.count, valuesMax + 1) }, (_, i) =>
        written(range, range.low + ((range.high - range.low) * i) / (step.count - 1)),
      ),
    );
  }
  if ('factor' in step) {
    if (!(step.factor > 1) || !(range.low > 0))
      throw complaint(path, `${show(text)} does not grow`, 'write 1..64:x2, from above 0');
    const values: string[] = [];
    for (let value = range.low; value <= range.high * (1 + 1e-9) && values.length <= valuesMax; value *= step.factor)
      values.push(written(range, value));
    return distinct(path, values);
  }
  if (!(step.by > 0)) throw complaint(path, `the steps of ${show(text)} lead nowhere`, 'write 2..8:2');
  return distinct(path, stepped(range, step.by));
}

function stepped(range: Range, by: number): string[] {
  const count = Math.floor((range.high - range.low) / by + 1e-9) + 1;
  return Array.from({ length: Math.min(count, valuesMax + 1) }, (_, i) => written(range, range.low + i * by));
}

/** A number of the range as one would write it. */
export function written({ unit, isWhole }: Range, value: number): string {
  const rounded =
    isWhole && unit !== 's' && unit !== 'm' && unit !== 'h' && unit !== 'd' ? Math.round(value) : Number(value.toPrecision(4));
  return `${rounded}${unit}`;
}

/** Values that are all numbers in one unit are put in order. */
export function factorOf(path: string, values: readonly string[]): Factor {
  const parsed = values.map((value) => new RegExp(`^${number}${unitText}$`).exec(value));
  const units = new Set(parsed.map((match) => match?.[2] ?? ''));
  if (parsed.some((match) => match === null) || units.size !== 1) return { path, values, numbers: null, unit: '' };
  const pairs = values.map((value, i): [string, number] => [value, Number(parsed[i]![1])]).toSorted((x, y) => x[1] - y[1]);
  return { path, values: pairs.map(([value]) => value), numbers: pairs.map(([, value]) => value), unit: [...units][0] };
}
