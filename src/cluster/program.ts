/** What a request does at an instance after its own work, as a flat list of operations made from the nested steps of the scenario:
 *  a branch jumps, everything else goes on with the next operation. */
import { makeSampler, type Sampler } from '../stats/samplers.ts';
import type { CallSpec, StepSpec } from '../scenario/spec.ts';

export type Operation =
  | { readonly kind: 'work'; readonly work: Sampler }
  /** `wait` is -1 for all of them. Calls are numbered through the whole program from `first`. */
  | { readonly kind: 'calls'; readonly calls: readonly CallSpec[]; readonly first: number; readonly wait: number }
  /** Goes to targets[i] when a random number is below bounds[i], to the next operation when it is below none. */
  | { readonly kind: 'branch'; readonly bounds: readonly number[]; readonly targets: readonly number[] }
  | { readonly kind: 'jump'; readonly target: number }
  | { readonly kind: 'publish'; readonly edge: number };

export interface Program {
  readonly operations: readonly Operation[];
  /** All calls, by number. */
  readonly calls: readonly CallSpec[];
}

export function compileProgram(steps: readonly StepSpec[]): Program {
  const operations: Operation[] = [];
  const calls: CallSpec[] = [];
  const append = (list: readonly StepSpec[]): void => list.forEach(appendOne);
  const appendOne = (step: StepSpec): void => {
    switch (step.type) {
      case 'work':
        operations.push({ kind: 'work', work: makeSampler(step.work) });
        return;
      case 'publish':
        operations.push({ kind: 'publish', edge: step.edge });
        return;
      case 'calls': {
        const wait = step.wait === Infinity ? -1 : step.wait;
        operations.push({ kind: 'calls', calls: step.calls, first: calls.length, wait });
        calls.push(...step.calls);
        return;
      }
      case 'branch':
        appendBranch(step.branches);
    }
  };
  const appendBranch = (branches: readonly { readonly share: number; readonly steps: readonly StepSpec[] }[]): void => {
    const bounds: number[] = [];
    const targets: number[] = [];
    let bound = 0;
    for (const { share } of branches) bounds.push((bound += share));
    const last = bounds.length - 1;
    // Shares that sum to 1 but for rounding leave no gap.
    if (Math.abs(bound - 1) < 1e-9) bounds[last] = 1;
    operations.push({ kind: 'branch', bounds, targets });
    const jumps: number[] = [];
    const jump = (): void => {
      jumps.push(operations.length);
      operations.push({ kind: 'jump', target: -1 });
    };
    jump();
    for (const { steps: own } of branches) {
      targets.push(operations.length);
      append(own);
      jump();
    }
    for (const at of jumps) operations[at] = { kind: 'jump', target: operations.length };
  };
  append(steps);
  return { operations, calls };
}
