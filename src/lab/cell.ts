/** The unit of work: one variant under one seed. Everything it needs is plain data and it keeps nothing, so it runs anywhere. */
import { pathToFileURL } from 'node:url';
import { simulate } from '../cluster/index.ts';
import { InputError, InvariantViolation, PolicyFault, ResourceLimit } from '../core/errors.ts';
import { makePolicies, type Makers } from '../scenario/make-policies.ts';
import type { Scenario } from '../scenario/spec.ts';
import type { CellResult } from '../stats/result.ts';
import { guarded } from './guard.ts';

export interface Cell {
  readonly variant: number;
  readonly seed: string;
  /** Decisions to record; none by default. */
  readonly explain?: number;
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
    let loading = this.makers.get(cell.variant);
    if (loading === undefined) {
      loading = makePolicies(variant.policies);
      this.makers.set(cell.variant, loading);
    }
    const makers = await loading;
    const input = {
      scenario: variant.scenario ?? this.scenario,
      variant: cell.variant,
      seed: cell.seed,
      makers,
      ...(cell.explain === undefined ? {} : { explain: cell.explain }),
      ...(onWindow === undefined ? {} : { onWindow }),
    };
    if (!makers.isUserPolicy) return simulate(input);
    try {
      return guarded(makers.balancerName, (unguarded) =>
        simulate({ ...input, ...(onWindow === undefined ? {} : { onWindow: (ms) => unguarded(() => onWindow(ms)) }) }),
      );
    } catch (error) {
      throw blame(error, makers, variant.label, cell.seed);
    }
  }
}

/** An error out of the user's file is the policy's, and says where; any other stays ours. */
function blame(error: unknown, makers: Makers, label: string, seed: string): unknown {
  if (error instanceof InvariantViolation || error instanceof ResourceLimit || error instanceof InputError) return error;
  const where = `(variant ${label}, seed ${seed})`;
  // Nobody here throws anything but errors.
  if (!(error instanceof Error))
    return new PolicyFault(makers.balancerName, `${makers.balancerName} threw ${String(error)} ${where}`);
  const name = error instanceof PolicyFault ? error.policy : makers.balancerName;
  const files = makers.userFiles.flatMap((file) => [file, pathToFileURL(file).href]);
  const stack = (error.stack ?? '').split('\n').filter((line) => files.some((file) => line.includes(file)));
  if (!(error instanceof PolicyFault) && stack.length === 0) return error;
  const what = error instanceof PolicyFault ? error.message : `${name} threw ${error.name}: ${error.message}`;
  return new PolicyFault(name, [`${what} ${where}`, ...stack].join('\n'), { cause: error });
}
