/** The unit of work: one variant under one seed. Everything it needs is plain data and it keeps nothing, so it runs anywhere. */
import { pathToFileURL } from 'node:url';
import { simulate } from '../cluster/index.ts';
import { InputError, InvariantViolation, PolicyFault, ResourceLimit } from '../core/errors.ts';
import { makePolicies, type Makers } from '../scenario/make-policies.ts';
import { ownChoices } from '../scenario/resolve-role.ts';
import type { PolicyUse, Scenario } from '../scenario/spec.ts';
import type { CellResult } from '../stats/result.ts';
import { guarded } from './guard.ts';
import { type LoadStep, withLoadStep } from './load-step.ts';

export interface Cell {
  readonly variant: number;
  readonly seed: string;
  /** Decisions to record; none by default. */
  readonly explain?: number;
  /** Slowest requests to follow in full; none by default. */
  readonly waterfall?: number;
  /** A change of load while it runs; none by default. */
  readonly loadStep?: LoadStep;
}

/** Runs cells of one scenario; makes each variant's policies once. */
export class CellRunner {
  private readonly scenario: Scenario;
  private readonly makers = new Map<number, Promise<Makers>>();

  constructor(scenario: Scenario) {
    this.scenario = scenario;
  }

  async run(cell: Cell, onWindow?: (simulatedMs: number) => void): Promise<CellResult> {
    const variant = this.scenario.variants[cell.variant];
    const world = variant.scenario ?? this.scenario;
    let loading = this.makers.get(cell.variant);
    if (loading === undefined) {
      loading = makePolicies(variant.policies, world);
      this.makers.set(cell.variant, loading);
    }
    const makers = await loading;
    const input = {
      scenario: cell.loadStep === undefined ? world : withLoadStep(world, cell.loadStep),
      variant: cell.variant,
      seed: cell.seed,
      makers,
      ...(cell.explain === undefined ? {} : { explain: cell.explain }),
      ...(cell.waterfall === undefined ? {} : { waterfall: cell.waterfall }),
      ...(onWindow === undefined ? {} : { onWindow }),
    };
    if (!makers.isUserPolicy) return simulate(input);
    const own = usersPolicies({ ...world, policies: variant.policies });
    try {
      return guarded(own.map(({ use }) => use).join(' or '), (unguarded) =>
        simulate({ ...input, ...(onWindow === undefined ? {} : { onWindow: (ms) => unguarded(() => onWindow(ms)) }) }),
      );
    } catch (error) {
      throw blame(error, own, `(variant ${variant.label}, seed ${cell.seed})`);
    }
  }
}

/** Those that are not ours, of any role. */
export function usersPolicies({ policies, services, edges }: Pick<Scenario, 'policies' | 'services' | 'edges'>): PolicyUse[] {
  const choices = [policies, ...ownChoices({ services, edges })];
  const own = choices.flatMap((choice) => Object.values(choice)).flatMap((use) => (use?.module === undefined ? [] : [use]));
  return [...new Map(own.map((use) => [use.use, use])).values()];
}

/** An error out of the user's file is the policy's, and says where; any other stays ours. */
function blame(error: unknown, own: readonly PolicyUse[], where: string): unknown {
  if (error instanceof InvariantViolation || error instanceof ResourceLimit || error instanceof InputError) return error;
  const anyone = own.map(({ use }) => use).join(' or ');
  // Nobody here throws anything but errors.
  if (!(error instanceof Error)) return new PolicyFault(anyone, `${anyone} threw ${String(error)} ${where}`);
  const files = own.flatMap(({ module }) => (module === undefined ? [] : [module.path, pathToFileURL(module.path).href]));
  const stack = (error.stack ?? '').split('\n').filter((line) => files.some((file) => line.includes(file)));
  if (error instanceof PolicyFault)
    return new PolicyFault(error.policy, [`${error.message} ${where}`, ...stack].join('\n'), { cause: error });
  if (stack.length === 0) return error;
  // One file may hold several policies; whichever of them it was, the stack says where.
  const culprits = own.filter(({ module }) => module !== undefined && stack[0].includes(module.path));
  const name = culprits.map(({ use }) => use).join(' or ') || anyone;
  return new PolicyFault(name, [`${name} threw ${error.name}: ${error.message} ${where}`, ...stack].join('\n'), { cause: error });
}
