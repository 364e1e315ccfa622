/** `use:` to a policy with complete, checked parameters; or to the module and export of a user's own. */
import type { z } from 'zod';
import type { Path } from '../core/issue.ts';
import type { ParamAny } from '../core/params.ts';
import { isProblem, parseDuration, show } from '../core/quantity.ts';
import type { Ms } from '../core/time.ts';
import type { Env } from './distributions.ts';
import { readParam, settingText } from './param-text.ts';
import { isPasted, pastedUse } from './paste-in/paste-in.ts';
import { compileParams, isMakeable, isOwnPolicy, namedPolicy } from './policy-params.ts';
import { type Role, roles } from './roles.ts';
import type { policyUse } from './shape-parts.ts';
import type { PolicyUse } from './spec.ts';

export type UseShape = z.output<typeof policyUse>;

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
    if (isPasted(role, written)) {
      const pasted = await pastedUse(role, written, path, env, table, readParam);
      // What its parameters must fulfil together is for the file to put right.
      if (pasted === undefined || !isMakeable(table[pasted.use], pasted.params, {}, path, env)) return undefined;
      return { label: label ?? pasted.label, written: pasted.written, use: { use: pasted.use, params: pasted.params } };
    }
    env.complaints.add({ code: 'missing-key', path, key: 'use', message: 'missing key "use"', hint: 'expected a text' });
    return undefined;
  }
  if (isOwnPolicy(use)) return ownPolicy(use, usePath, label, written, path, env);
  const policy = namedPolicy(use, usePath, { noun, plural, table, mayBeNone }, env);
  if (policy === undefined) return undefined;
  const params = compileParams(policy, written, path, { durationMs, env });
  if (params === undefined) return undefined;
  const text = withSettings(use, written);
  return { label: label ?? text, written: text, use: { use: policy.name, params } };
}

/** Labels head the rows of tables. */
export const isLabel = (label: string): boolean => label.trim() !== '' && !/[\p{Cc}\u2028\u2029]/u.test(label);

/** `least-request choices=3`. */
const withSettings = (name: string, written: Readonly<Record<string, unknown>>): string =>
  [name, ...Object.entries(written).map(([key, value]) => `${key}=${settingText(value)}`)].join(' ');

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
