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
}
/** Several of the choices, in any order; a list in scenario files. */
export interface SetParam<Choice extends string = string> extends Described {
  readonly type: 'set';
  readonly default: readonly Choice[];
  readonly choices: readonly Choice[];
}
export type Param = IntParam | NumberParam | DurationParam | FractionParam | ChoiceParam | BooleanParam | StringParam | SetParam;
export type ParamSpecs = Readonly<Record<string, Param>>;

/** The values a policy is created with: every parameter present, durations in milliseconds. */
export type ParamValues<Specs extends ParamSpecs> = { readonly [Name in keyof Specs]: ParamValue<Specs[Name]> };

/** What one parameter can be. */
export type ParamAny = number | string | boolean | readonly string[];

type ParamValue<Spec extends Param> =
  Spec extends SetParam<infer Choice>
    ? readonly Choice[]
    : Spec extends ChoiceParam<infer Choice>
      ? Choice
      : Spec extends BooleanParam
        ? boolean
        : Spec extends StringParam
          ? string
          : number;

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

/** Every parameter at its default. */
export function defaults<Specs extends ParamSpecs>(specs: Specs): ParamValues<Specs> {
  const values: Record<string, ParamAny> = {};
  for (const [name, spec] of Object.entries(specs)) values[name] = spec.default;
  return values as ParamValues<Specs>;
}
