/** Parameters of a policy, described as plain data. The description drives validation of scenario files, the JSON Schema,
 *  `clusterlab policies show` and the docs, and needs no validation library: a policy must be importable on its own. */
import type { Ms } from './time.ts';

interface Described {
  /** One sentence: meaning, and the equation it enters where there is one. */
  readonly about: string;
  /** What the followed system calls it, where that differs: `Envoy least_request.choice_count`. */
  readonly official?: string;
}
export interface IntParam extends Described {
  readonly type: 'int';
  readonly default: number;
  readonly min?: number;
  readonly max?: number;
}
export interface NumberParam extends Described {
  readonly type: 'number';
  readonly default: number;
  readonly min?: number;
  readonly max?: number;
  /** True when `min` itself is not allowed. */
  readonly exclusiveMin?: boolean;
}
/** A time in milliseconds; written with a unit (`10s`) in scenario files. */
export interface DurationParam extends Described {
  readonly type: 'duration';
  readonly default: Ms;
  readonly min?: Ms;
  readonly max?: Ms;
}
/** A share between 0 and 1; written `30%` or `0.3`. */
export interface FractionParam extends Described {
  readonly type: 'fraction';
  readonly default: number;
  readonly min?: number;
  readonly max?: number;
}
export interface ChoiceParam<Choice extends string = string> extends Described {
  readonly type: 'choice';
  readonly default: Choice;
  readonly choices: readonly Choice[];
}
export interface BooleanParam extends Described {
  readonly type: 'boolean';
  readonly default: boolean;
}
export interface StringParam extends Described {
  readonly type: 'string';
  readonly default: string;
  /** Whether a number may be written for it: `1` where `25%` is meant to be possible, too. */
  readonly mayBeNumber?: boolean;
}
/** Several of the choices, in any order; a list in scenario files. */
export interface SetParam<Choice extends string = string> extends Described {
  readonly type: 'set';
  readonly default: readonly Choice[];
  readonly choices: readonly Choice[];
}
/** A parameter that is one value; the fields of records are such. */
export type ScalarParam = IntParam | NumberParam | DurationParam | FractionParam | ChoiceParam | BooleanParam | StringParam;
export type FieldSpecs = Readonly<Record<string, ScalarParam>>;
/** Several things of one kind, each with fields of its own; a list of maps in scenario files. */
export interface RecordsParam<Fields extends FieldSpecs = FieldSpecs> extends Described {
  readonly type: 'records';
  readonly fields: Fields;
  /** Fields that must be written; the others have their defaults. */
  readonly required: readonly string[];
  readonly default: readonly ParamValues<Fields>[];
  /** How many there must be. */
  readonly atLeast: number;
}
/** Other policies of the same family with parameters of their own; each is written like the policy around them. */
export interface PoliciesParam extends Described {
  readonly type: 'policies';
  /** The family's table; a function, because the table has the policy that has this parameter. */
  readonly table: () => PolicyParamTable;
  /** By their names, with their own defaults. */
  readonly default: readonly string[];
  /** How many there must be. */
  readonly atLeast: number;
}
export type Param = ScalarParam | SetParam | RecordsParam | PoliciesParam;
export type ParamSpecs = Readonly<Record<string, Param>>;

/** What a parameter needs to know of the policies that it may name. */
export type PolicyParamTable = Readonly<
  Record<string, { readonly name: string; readonly aliases: readonly PolicyAlias[]; readonly params: ParamSpecs }>
>;
export interface PolicyAlias {
  /** Who offers it: `Envoy`, `nginx`, `Finagle`… */
  readonly system: string;
  /** Under which name there: `LEAST_REQUEST`, `least_conn`… Also accepted in scenario files when it is a single word. */
  readonly name: string;
}
/** A policy inside another one: its name in the family's table, and every parameter. Plain data, like all values. */
export interface InnerPolicy {
  readonly use: string;
  readonly params: ParamValues<ParamSpecs>;
}

/** The values a policy is created with: every parameter present, durations in milliseconds. */
export type ParamValues<Specs extends ParamSpecs> = { readonly [Name in keyof Specs]: ParamValue<Specs[Name]> };

/** The same as one may give them in code: whatever is absent has its default, inside of lists too. */
export type ParamSettings<Specs extends ParamSpecs> = { readonly [Name in keyof Specs]?: ParamSetting<Specs[Name]> };

export type ParamScalar = number | string | boolean;
export type ParamRecord = Readonly<Record<string, ParamScalar>>;
/** What one parameter can be. */
export type ParamAny = ParamScalar | readonly string[] | readonly ParamRecord[] | readonly InnerPolicy[];

type ParamValue<Spec extends Param> =
  Spec extends RecordsParam<infer Fields>
    ? readonly ParamValues<Fields>[]
    : Spec extends PoliciesParam
      ? readonly InnerPolicy[]
      : Spec extends SetParam<infer Choice>
        ? readonly Choice[]
        : Spec extends ChoiceParam<infer Choice>
          ? Choice
          : Spec extends BooleanParam
            ? boolean
            : Spec extends StringParam
              ? string
              : number;

type ParamSetting<Spec extends Param> =
  Spec extends RecordsParam<infer Fields>
    ? readonly ParamSettings<Fields>[]
    : Spec extends PoliciesParam
      ? readonly { readonly use: string; readonly params?: Readonly<Record<string, unknown>> }[]
      : ParamValue<Spec>;

export const int = (spec: Omit<IntParam, 'type'>): IntParam => ({ type: 'int', ...spec });
export const number = (spec: Omit<NumberParam, 'type'>): NumberParam => ({ type: 'number', ...spec });
export const duration = (spec: Omit<DurationParam, 'type'>): DurationParam => ({ type: 'duration', ...spec });
export const fraction = (spec: Omit<FractionParam, 'type'>): FractionParam => ({ type: 'fraction', ...spec });
export const boolean = (spec: Omit<BooleanParam, 'type'>): BooleanParam => ({ type: 'boolean', ...spec });
export const string = (spec: Omit<StringParam, 'type'>): StringParam => ({ type: 'string', ...spec });
export const choice = <const Choice extends string>(spec: Omit<ChoiceParam<Choice>, 'type'>): ChoiceParam<Choice> => ({
  type: 'choice',
  ...spec,
});
export const set = <const Choice extends string>(spec: Omit<SetParam<Choice>, 'type'>): SetParam<Choice> => ({
  type: 'set',
  ...spec,
});

export const records = <const Fields extends FieldSpecs>(
  spec: Described & {
    readonly fields: Fields;
    readonly required?: readonly (keyof Fields & string)[];
    readonly default?: readonly ParamSettings<Fields>[];
    readonly atLeast?: number;
  },
): RecordsParam<Fields> => ({
  type: 'records',
  required: [],
  atLeast: 0,
  ...spec,
  default: (spec.default ?? []).map((record) => complete(spec.fields, record)),
});
export const policies = (
  spec: Omit<PoliciesParam, 'type' | 'default' | 'atLeast'> & Partial<Pick<PoliciesParam, 'default' | 'atLeast'>>,
): PoliciesParam => ({ type: 'policies', default: [], atLeast: 0, ...spec });

/** Every parameter at its default. */
export const defaults = <Specs extends ParamSpecs>(specs: Specs): ParamValues<Specs> => complete(specs, {});

/** Every parameter, those that are not given at their defaults. */
export function complete<Specs extends ParamSpecs>(specs: Specs, settings: ParamSettings<Specs>): ParamValues<Specs> {
  const given = settings as Readonly<Record<string, unknown>>;
  const entries = Object.entries(specs).map(([name, spec]) => [name, completeValue(spec, given[name])]);
  return Object.fromEntries(entries) as ParamValues<Specs>;
}

function completeValue(spec: Param, given: unknown): unknown {
  if (spec.type === 'records' && given !== undefined)
    return (given as readonly ParamSettings<FieldSpecs>[]).map((record) => complete(spec.fields, record));
  if (spec.type !== 'policies') return given ?? spec.default;
  const inner = given === undefined ? spec.default.map((use) => ({ use })) : (given as readonly Partial<InnerPolicy>[]);
  const table = spec.table();
  return inner.map(({ use = '', params = {} }: Partial<InnerPolicy>) => ({
    use,
    params: Object.hasOwn(table, use) ? complete(table[use].params, params) : params,
  }));
}
