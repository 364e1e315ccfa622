/** What a policy says of itself: its name, parameters, sources and failure modes. One definition per algorithm, collected in its
 *  family's table; the command line, the schema and the docs are generated from it. */
import { complete, type ParamSettings, type ParamSpecs, type ParamValues, type PolicyAlias } from './params.ts';

export type { PolicyAlias } from './params.ts';

export interface PolicyDefinition<Specs extends ParamSpecs, Deps, Policy> {
  /** `balancing`, `detection`… */
  readonly family: string;
  /** Kebab-case, the field's name for it; the file has the same name. */
  readonly name: string;
  /** One line: what it does. */
  readonly summary: string;
  /** When to choose it. */
  readonly useWhen: string;
  /** When it fails; every policy does somewhere. */
  readonly failsWhen: string;
  /** Cost of one decision, as in `O(1)`. */
  readonly cost: string;
  /** Papers, source files, documentation. */
  readonly sources: readonly string[];
  readonly aliases: readonly PolicyAlias[];
  readonly params: Specs;
  /** `params` must be complete; see `make` on the result of `definePolicy`. */
  create(params: ParamValues<Specs>, deps: Deps): Policy;
}

/** A definition that can also be called with only the parameters that differ from their defaults. */
export type Policy<Specs extends ParamSpecs, Deps, Made> = PolicyDefinition<Specs, Deps, Made> & {
  make(params: ParamSettings<Specs>, deps: Deps): Made;
};

export function definePolicy<const Specs extends ParamSpecs, Deps, Made>(
  definition: PolicyDefinition<Specs, Deps, Made>,
): Policy<Specs, Deps, Made> {
  return {
    ...definition,
    make: (params, deps) => definition.create(complete(definition.params, params), deps),
  };
}
