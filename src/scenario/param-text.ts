/** Parameters of policies as people write them: single values read and checked, and values of every kind as texts. */
import type { Param, ParamAny, RecordsParam, ScalarParam, SetParam } from '../core/params.ts';
import {
  formatDuration,
  formatFraction,
  parseCount,
  parseDuration,
  parseFraction,
  parseNumber,
  show,
  type Problem,
  type Reading,
} from '../core/quantity.ts';
import { keyHint } from './hints.ts';

export function readParam(
  param: ScalarParam | SetParam,
  found: unknown,
): Reading | { readonly value: string | boolean | readonly string[] } | Problem {
  switch (param.type) {
    case 'set':
      return readSet(param.choices, found);
    case 'int':
      return parseCount(found, param);
    case 'number':
      return parseNumber(found, param);
    case 'duration':
      return parseDuration(found, { min: 0, ...param });
    case 'fraction':
      return parseFraction(found, param);
    case 'boolean':
      return typeof found === 'boolean' ? { value: found } : { problem: `expected true or false, found ${show(found)}` };
    case 'string':
      if (param.mayBeNumber === true && typeof found === 'number' && Number.isFinite(found)) return { value: String(found) };
      return typeof found === 'string'
        ? { value: found }
        : { problem: `expected a text, found ${show(found)}`, hint: 'put it in quotes' };
    case 'choice': {
      if (typeof found === 'string' && param.choices.includes(found)) return { value: found };
      return { problem: `${show(found)} is not one of ${param.choices.join(', ')}`, hint: keyHint(String(found), param.choices) };
    }
  }
}

/** `[timeout, error]`, or a single one of them. */
function readSet(choices: readonly string[], found: unknown): { readonly value: readonly string[] } | Problem {
  const items: readonly unknown[] = Array.isArray(found) ? found : [found];
  const stranger = items.find((item) => typeof item !== 'string' || !choices.includes(item));
  if (stranger === undefined) return { value: [...new Set(items as string[])] };
  return { problem: `${show(stranger)} is not one of ${choices.join(', ')}`, hint: keyHint(String(stranger), choices) };
}

/** A parameter's default, as one would write it. */
export function formatDefault(param: Param): string {
  if (param.type === 'records') return `[${param.default.map((record) => formatRecord(param, record)).join(', ')}]`;
  return param.type === 'set' || param.type === 'policies' ? `[${param.default.join(', ')}]` : formatScalar(param, param.default);
}

/** `{ name: cpu, averageUtilization: 80% }`, without the fields that have their defaults. */
function formatRecord({ fields, required }: RecordsParam, record: Readonly<Record<string, ParamAny>>): string {
  const written = Object.entries(fields).filter(([name, spec]) => required.includes(name) || record[name] !== spec.default);
  const entries = written.map(([name, spec]) => `${name}: ${formatScalar(spec, record[name])}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

export function formatScalar(param: ScalarParam, value: ParamAny): string {
  if (typeof value === 'string') return /^[\w.-]+$/.test(value) ? value : JSON.stringify(value);
  if (typeof value !== 'number') return String(value);
  if (param.type === 'duration') return formatDuration(value);
  return param.type === 'fraction' ? formatFraction(value) : String(value);
}

/** What somebody wrote, short enough for a label: `hpa(min=2)+step`. */
export function settingText(written: unknown): string {
  if (Array.isArray(written)) return written.map(settingText).join('+');
  if (typeof written !== 'object' || written === null) return String(written);
  const { use = '', ...rest } = written as Readonly<Record<string, unknown>>;
  const settings = Object.entries(rest).map(([key, value]) => `${key}=${settingText(value)}`);
  return settings.length === 0 ? settingText(use) : `${settingText(use)}(${settings.join(' ')})`;
}
