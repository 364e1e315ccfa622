/** `compare:` to variants: every combination of the values listed for roles (balancer, retry), loads and paths (services.api.slots). */
import type { Path } from '../core/issue.ts';
import { formatFraction, isProblem, parseFraction, show } from '../core/quantity.ts';
import { nearest } from './hints.ts';
import { compileWorld, type World } from './compile.ts';
import type { Env } from './distributions.ts';
import { setAt, settingPath } from './edit.ts';
import { childOf, locateKey, nodeAt, toPlain, type Node, type Plain, type Span } from './node.ts';
import { atLoad, endsEarly } from './load-factor.ts';
import { withRole } from './overrides.ts';
import { compileUse, isLabel } from './policy-use.ts';
import { isRole, type Role, roleNames } from './roles.ts';
import type { SeedOptions } from './run.ts';
import { policyUse } from './shape-parts.ts';
import type { PolicyChoice, PolicyUse, VariantSpec } from './spec.ts';

/** A variant before `expect` is known. */
export type Variant = Omit<VariantSpec, 'scenario'> & { readonly world?: World };

interface Alternative {
  readonly label: string;
  readonly differs: string;
  readonly change:
    | { readonly role: Role; readonly use: PolicyUse | undefined }
    | { readonly path: Path; readonly value: Node; readonly keySpan: Span }
    | { readonly load: number };
}

const maxVariants = 1000;

/** One variant when there is nothing to compare; undefined after complaints. */
export async function compileVariants(
  policies: PolicyChoice | undefined,
  world: World | undefined,
  durationMs: number,
  env: Env,
  options: SeedOptions,
): Promise<Variant[] | undefined> {
  const { complaints } = env;
  if (!complaints.has(['compare'])) return policies && [{ label: policies.balancer.use, differs: '', policies }];
  const dimensions = await compileDimensions(durationMs, env);
  if (dimensions === undefined) return undefined;
  const count = dimensions.reduce((product, { length }) => product * length, 1);
  if (count > maxVariants) {
    complaints.error('too-many', ['compare'], `${count} variants; ${maxVariants} is the most`);
    return undefined;
  }
  const variants: Variant[] = [];
  for (const combination of combinations(dimensions)) {
    const variant = await compileVariant(combination, policies, world, env, options);
    if (variant !== undefined) variants.push(variant);
  }
  if (variants.length < count) return undefined;
  return areDistinct(variants, dimensions, env) ? variants : undefined;
}

async function compileDimensions(durationMs: number, env: Env): Promise<Alternative[][] | undefined> {
  const { complaints } = env;
  const node = nodeAt(complaints.root, ['compare'])!;
  if (node.kind !== 'map' || node.entries.size === 0) {
    complaints.error(
      'wrong-type',
      ['compare'],
      `expected a map, found ${node.kind === 'map' ? 'an empty one' : show(toPlain(node))}`,
      'write compare: { balancer: [round-robin, p2c] }',
    );
    return undefined;
  }
  const keys = [...node.entries.keys()];
  const dimensions: (Alternative[] | undefined)[] = [];
  for (const key of keys) {
    const count = complaints.listLength(['compare', key], 'values', { hint: 'the first is the baseline' });
    if (count === 0) dimensions.push(undefined);
    else if (isRole(key)) dimensions.push(await compileRole(key, count, durationMs, env));
    else dimensions.push(key === 'load' ? compileLoads(count, env) : compilePath(key, keys, count, env));
  }
  return dimensions.every((dimension) => dimension !== undefined) ? dimensions : undefined;
}

async function compileRole(role: Role, count: number, durationMs: number, env: Env): Promise<Alternative[] | undefined> {
  const alternatives: Alternative[] = [];
  for (let index = 0; index < count; index++) {
    const path = ['compare', role, index];
    const shape = env.complaints.check(policyUse, path);
    const labelled = shape === undefined ? undefined : await compileUse(role, shape, path, durationMs, env);
    if (labelled !== undefined)
      alternatives.push({ label: labelled.label, differs: `${role}=${labelled.written}`, change: { role, use: labelled.use } });
  }
  return alternatives.length === count ? alternatives : undefined;
}

/** `load: [50%, 80%, 110%]`, of what the streams say. */
function compileLoads(count: number, { complaints }: Env): Alternative[] | undefined {
  const alternatives: Alternative[] = [];
  for (let index = 0; index < count; index++) {
    const path = ['compare', 'load', index];
    const { value, label } = labelledValue(nodeAt(complaints.root, path)!);
    const reading = parseFraction(toPlain(value), { min: 0, exclusiveMin: true, max: 100 });
    if (isProblem(reading)) {
      complaints.error('bad-load', path, reading.problem, reading.hint);
      continue;
    }
    if (label !== undefined && !isLabel(label)) {
      complaints.error('bad-label', [...path, 'label'], `${show(label)} is not a label: one line of text, not empty`);
      continue;
    }
    const text = `load=${formatFraction(reading.value)}`;
    alternatives.push({ label: label ?? text, differs: text, change: { load: reading.value } });
  }
  return alternatives.length === count ? alternatives : undefined;
}

function compilePath(key: string, keys: readonly string[], count: number, { complaints }: Env): Alternative[] | undefined {
  const path = settingPath(key);
  const complain = (message: string, hint?: string): undefined => {
    complaints.add({ code: 'unknown-path', path: ['compare'], key, message, ...(hint === undefined ? {} : { hint }) });
  };
  if (path === undefined || (path.length === 1 && !complaints.has(path))) {
    const near = nearest(key, [...roleNames, 'load']);
    const known = `compare ${roleNames.join(', ')}, load, or a path such as services.api.slots`;
    return complain(
      `${show(key)} is neither a role nor a path`,
      near === undefined ? known : `did you mean ${JSON.stringify(near)}?`,
    );
  }
  const first = String(path[0]);
  if (['scenario', 'name', 'compare', 'expect', 'gate'].includes(first))
    return complain(`${first} cannot differ between variants`);
  if (first === 'run' && path[1] !== 'duration' && path[1] !== 'warmup' && path[1] !== 'window') {
    return complain('variants share their seeds', 'so that they see the same world');
  }
  const keySpan = locateKey(complaints.root, ['compare'], key).span;
  const last = lastWord(path);
  const isShared = keys.some((other) => other !== key && lastWord(settingPath(other) ?? [other]) === last);
  const alternatives: Alternative[] = [];
  for (let index = 0; index < count; index++) {
    const { value, label } = labelledValue(nodeAt(complaints.root, ['compare', key, index])!);
    if (label !== undefined && !isLabel(label)) {
      complaints.error(
        'bad-label',
        ['compare', key, index, 'label'],
        `${show(label)} is not a label: one line of text, not empty`,
      );
      return undefined;
    }
    const edit = setAt(complaints.root, path, value, keySpan);
    if ('problem' in edit) return complain(edit.problem, edit.hint);
    const text = describe(toPlain(value));
    alternatives.push({
      label: label ?? `${isShared ? key : last}=${text}`,
      differs: `${key}=${text}`,
      change: { path, value, keySpan },
    });
  }
  return alternatives;
}

const lastWord = (path: Path): string => String(path.findLast((step) => typeof step === 'string') ?? path[0]);

/** `{ value: 8, label: small }` gives a value a name. */
function labelledValue(node: Node): { readonly value: Node; readonly label?: string } {
  const value = childOf(node, 'value');
  const label = childOf(node, 'label');
  if (node.kind !== 'map' || node.entries.size !== 2 || value === undefined || label?.kind !== 'scalar') return { value: node };
  return { value, label: String(label.value) };
}

function describe(value: Plain): string {
  const whole = write(value).replace(/[\s\p{Cc}]+/gu, ' ');
  return whole.length > 48 ? `${whole.slice(0, 45)}...` : whole;
}

function write(value: Plain): string {
  if (value === null || typeof value !== 'object') return String(value);
  if (Array.isArray(value)) return `[${value.map(write).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, each]) => `${key}: ${write(each)}`)
    .join(', ')}}`;
}

/** The last dimension changes fastest. */
function* combinations(dimensions: readonly (readonly Alternative[])[], index = 0): Generator<Alternative[]> {
  if (index === dimensions.length) yield [];
  else for (const first of dimensions[index]) for (const rest of combinations(dimensions, index + 1)) yield [first, ...rest];
}

async function compileVariant(
  combination: readonly Alternative[],
  base: PolicyChoice | undefined,
  baseWorld: World | undefined,
  env: Env,
  options: SeedOptions,
): Promise<Variant | undefined> {
  const label = labelsOf(combination);
  const differs = combination.map((alternative) => alternative.differs).join(', ');
  let policies = base;
  let world: World | undefined;
  const edits = combination.flatMap(({ change }) => ('path' in change ? [change] : []));
  if (edits.length > 0) {
    let { root } = env.complaints;
    for (const { path, value, keySpan } of edits) {
      const edit = setAt(root, path, value, keySpan);
      if ('root' in edit) ({ root } = edit);
    }
    const compiled = await compileWorld(
      { ...env, complaints: env.complaints.within(root, ` (in variant ${show(label)})`) },
      options,
    );
    ({ world, policies } = compiled);
    if (world === undefined) return undefined;
  }
  if (policies === undefined) return undefined;
  for (const { change } of combination) if ('role' in change) policies = withRole(policies, change.role, change.use);
  const sweep = combination.find(({ change }) => 'load' in change);
  const load = sweep !== undefined && 'load' in sweep.change ? sweep.change.load : undefined;
  if (load !== undefined && load !== 1) {
    world = (world ?? baseWorld) && atLoad((world ?? baseWorld)!, load);
    // Its errors have been complained of.
    if (world === undefined) return undefined;
    const early = load > 1 ? endsEarly(world) : undefined;
    if (early !== undefined) {
      const message = `at ${formatFraction(load)} of the load the recording of ${show(early.name)} is over well before the run`;
      env.complaints.warn(
        'recording-ends',
        ['compare', 'load'],
        message,
        'shorten the run, so that the fastest variant has enough of it',
      );
    }
  }
  return {
    ...{ label, differs, policies },
    ...(load === undefined ? {} : { load, group: labelsOf(combination.filter((alternative) => alternative !== sweep)) }),
    ...(world === undefined ? {} : { world: { ...world, policies } }),
  };
}

const labelsOf = (combination: readonly Alternative[]): string => combination.map(({ label }) => label).join(', ');

/** Results go by their labels. */
function areDistinct(
  variants: readonly Variant[],
  dimensions: readonly (readonly Alternative[])[],
  { complaints }: Env,
): boolean {
  const twice = variants.find(({ label }, index) => variants.findIndex((other) => other.label === label) !== index);
  if (twice === undefined) return true;
  const keys = [...(nodeAt(complaints.root, ['compare']) as Node & { kind: 'map' }).entries.keys()];
  for (const [index, alternatives] of dimensions.entries()) {
    const labels = alternatives.map(({ label }) => label);
    const again = labels.findIndex((label, position) => labels.indexOf(label) !== position);
    if (again === -1) continue;
    complaints.error(
      'duplicate-label',
      ['compare', keys[index], again],
      `two variants are labelled ${show(labels[again])}`,
      'give one of them a label of its own',
    );
    return false;
  }
  complaints.error(
    'duplicate-label',
    ['compare'],
    `two variants are labelled ${show(twice.label)}`,
    'give their values labels of their own',
  );
  return false;
}
