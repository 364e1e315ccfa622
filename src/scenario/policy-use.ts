/** `use:` to a policy with complete, checked parameters; or to the module and export of a user's own. */
import type { z } from 'zod';
import { InputError } from '../core/errors.ts';
import type { Path } from '../core/issue.ts';
import { defaults, type Param, type ParamAny, type ParamSpecs, type ParamValues } from '../core/params.ts';
import { resolvePolicy } from '../core/policy-table.ts';
import {
  formatDuration,
  formatFraction,
  isProblem,
  parseCount,
  parseDuration,
  parseFraction,
  parseNumber,
  show,
  type Problem,
  type Reading,
} from '../core/quantity.ts';
import { keyHint, knownHint, nearest } from './hints.ts';
import type { Ms } from '../core/time.ts';
import type { Env } from './distributions.ts';
import { isPasted, pastedUse } from './paste-in/paste-in.ts';
import { type Definition, type Role, roles } from './roles.ts';
import type { policyUse } from './shape-parts.ts';
import type { PolicyUse } from './spec.ts';

export type UseShape = z.output<typeof policyUse>;
type Values = ParamValues<ParamSpecs>;

/** A choice for a role with the label it goes by; `use` is absent for `none`. */
export interface LabelledUse {
  readonly label: string;
  /** Name and parameters as written. */
  readonly written: string;
  readonly use?: PolicyUse;
}

/** Undefined after complaints. */
export async function compileUse(
  role: Role,
  shape: UseShape,
  path: Path,
  durationMs: Ms,
  env: Env,
): Promise<LabelledUse | undefined> {
  const { use, label, ...written } = typeof shape === 'string' ? { use: shape, label: undefined } : shape;
  const usePath = typeof shape === 'string' ? path : [...path, 'use'];
  const { noun, plural, table, mayBeNone } = roles[role];
  if (mayBeNone && use === 'none') {
    for (const key of Object.keys(written))
      env.complaints.add({ code: 'unknown-key', path, key, message: `none takes no ${key}` });
    return { label: label ?? 'none', written: 'none' };
  }
  if (label !== undefined && !isLabel(label)) {
    env.complaints.error('bad-label', [...path, 'label'], `${show(label)} is not a label: one line of text, not empty`);
    return undefined;
  }
  if (use === undefined) {
    if (role === 'balancer' && isPasted(written)) {
      const pasted = await pastedUse(written, path, env, roles.balancer.table, readParam);
      return pasted && { label: label ?? pasted.label, written: pasted.written, use: { use: pasted.use, params: pasted.params } };
    }
    env.complaints.add({ code: 'missing-key', path, key: 'use', message: 'missing key "use"', hint: 'expected a text' });
    return undefined;
  }
  if (use.includes('#') || /^\.{0,2}\//.test(use)) return ownPolicy(use, usePath, label, written, path, env);
  const resolution = resolvePolicy(table, use);
  if (resolution.kind === 'ambiguous') {
    env.complaints.error(
      'ambiguous-policy',
      usePath,
      `${show(use)} may mean several ${plural}`,
      `write one of ${resolution.names.join(', ')}`,
    );
    return undefined;
  }
  if (resolution.kind === 'unknown') {
    const known = [...Object.keys(table), ...(mayBeNone ? ['none'] : [])];
    env.complaints.error(
      'unknown-policy',
      usePath,
      `unknown ${noun} ${show(use)}`,
      knownHint(resolution.suggestion ?? use, known),
    );
    return undefined;
  }
  const { policy } = resolution;
  const params = compileParams(policy, written, path, durationMs, env);
  if (params === undefined) return undefined;
  const text = withSettings(use, written);
  return { label: label ?? text, written: text, use: { use: policy.name, params } };
}

/** Labels head the rows of tables. */
export const isLabel = (label: string): boolean => label.trim() !== '' && !/[\p{Cc}\u2028\u2029]/u.test(label);

/** `least-request choices=3`. */
const withSettings = (name: string, written: Readonly<Record<string, unknown>>): string =>
  [
    name,
    ...Object.entries(written).map(([key, value]) => `${key}=${Array.isArray(value) ? value.join('+') : String(value)}`),
  ].join(' ');

function compileParams(
  policy: Definition,
  written: Readonly<Record<string, unknown>>,
  path: Path,
  durationMs: Ms,
  env: Env,
): Values | undefined {
  const { complaints } = env;
  const values: Record<string, ParamAny> = { ...defaults(policy.params) };
  let isGood = true;
  for (const [key, found] of Object.entries(written)) {
    const param = Object.hasOwn(policy.params, key) ? policy.params[key] : undefined;
    if (param === undefined) {
      complaints.add({ code: 'unknown-key', path, key, ...unknownParam(policy, key) });
      isGood = false;
      continue;
    }
    const reading = readParam(param, found);
    if ('problem' in reading) {
      complaints.error('bad-parameter', [...path, key], reading.problem, reading.hint);
      isGood = false;
      continue;
    }
    values[key] = reading.value;
    if (param.type === 'duration' && (reading.value as Ms) > durationMs) {
      const message = `${policy.name}’s ${key} of ${formatDuration(reading.value as Ms)} is longer than the run, ${formatDuration(durationMs)}`;
      complaints.warn('longer-than-run', [...path, key], message);
    }
  }
  return isGood && isMakeable(policy, values as Values, written, path, env) ? (values as Values) : undefined;
}

/** What parameters must fulfil together, or beyond a range (a prime, a list), only the policy knows: it says so when it is made. */
function isMakeable(
  policy: Definition,
  values: Values,
  written: Readonly<Record<string, unknown>>,
  path: Path,
  { complaints }: Env,
): boolean {
  try {
    policy.create(values, { rng: { next: () => 0, uint32: () => 0, below: () => 0 }, sink: { believe: () => undefined } });
    return true;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    for (const { code, message, hint } of error.issues) {
      const named = Object.keys(written).find((key) => message.includes(key));
      complaints.error(code, named === undefined ? path : [...path, named], message, hint);
    }
    return false;
  }
}

function unknownParam(policy: Definition, key: string): { message: string; hint: string } {
  const near = nearest(key, Object.keys(policy.params));
  const known = Object.entries(policy.params).map(([name, param]) => `${name} (${formatDefault(param)})`);
  const listed = known.length === 0 ? `${policy.name} has no parameters` : `${policy.name} knows ${known.join(', ')}`;
  const hint = near === undefined ? listed : `did you mean ${JSON.stringify(near)}? ${listed}`;
  return { message: `unknown parameter ${show(key)} of ${policy.name}`, hint };
}

/** A parameter's default, as one would write it. */
export function formatDefault(param: Param): string {
  if (param.type === 'set') return `[${param.default.join(', ')}]`;
  if (param.type === 'duration') return formatDuration(param.default);
  return param.type === 'fraction' ? formatFraction(param.default) : String(param.default);
}

export function readParam(
  param: Param,
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

/** `./file.ts#Export` relative to the scenario, or `package/sub#Export`. */
async function ownPolicy(
  use: string,
  usePath: Path,
  label: string | undefined,
  written: Readonly<Record<string, unknown>>,
  path: Path,
  env: Env,
): Promise<LabelledUse | undefined> {
  const { complaints, data } = env;
  const complain = (code: string, message: string, hint?: string): undefined => {
    complaints.error(code, usePath, message, hint);
  };
  const [file, exportName, surplus] = use.split('#');
  if (
    file === undefined ||
    file === '' ||
    exportName === undefined ||
    surplus !== undefined ||
    !/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(exportName)
  ) {
    return complain('bad-policy', `${show(use)} does not name a module and its export`, 'write ./my-balancer.ts#MyBalancer');
  }
  if (/^[a-z][a-z0-9+.-]+:/i.test(file) && !/^[a-z]:[\\/]/i.test(file))
    return complain('bad-policy', 'expected a file or a package, found an address');
  const isFile = /^(\.{1,2}[\\/]|[\\/]|[a-z]:[\\/])/i.test(file);
  const module = isFile ? data.resolve(file) : await data.resolvePackage(file);
  if (module === null) return complain('missing-module', `cannot find the package ${show(file)}`, 'a file starts with ./');
  if (isFile) {
    const problem = await data.whyUnreadable(module);
    if (problem !== null)
      return complain('missing-module', `cannot read ${show(file)}: ${problem}`, 'paths are relative to the scenario file');
    if (!(await data.isInsideProject(module))) {
      return complain(
        'outside-project',
        `${show(file)} lies outside the project folder`,
        'a policy is code that will run; --allow-outside permits it',
      );
    }
  }
  const params: Record<string, ParamAny> = {};
  for (const [key, found] of Object.entries(written)) {
    const reading = typeof found === 'string' ? parseDuration(found) : undefined;
    if (reading !== undefined && !isProblem(reading)) params[key] = reading.value;
    else if (typeof found === 'string' || typeof found === 'boolean' || (typeof found === 'number' && Number.isFinite(found)))
      params[key] = found;
    else if (Array.isArray(found) && found.every((item) => typeof item === 'string')) params[key] = found;
    else {
      complaints.error(
        'bad-parameter',
        [...path, key],
        `expected a number, a text, true or false or a list of texts, found ${show(found)}`,
      );
      return undefined;
    }
  }
  const policy: PolicyUse = { use, module: { path: module, exportName }, params };
  return { label: label ?? withSettings(exportName, written), written: withSettings(use, written), use: policy };
}
