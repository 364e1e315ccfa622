/** The ways a command can end, and the errors that lead there. Exit codes are part of the public interface. */
import type { Issue, Path } from './issue.ts';

export const exitCodes = {
  ok: 0,
  checkFailed: 1,
  badInput: 2,
  inconclusive: 3,
  couldNotFinish: 4,
  notComparable: 5,
  ourBug: 70,
  interrupted: 130,
  terminated: 143,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** The user's input is wrong; carries every complaint found (exit 2). */
export class InputError extends Error {
  readonly issues: readonly Issue[];
  constructor(issues: readonly Issue[]) {
    super(issues.map((issue) => issue.message).join('\n'));
    this.name = 'InputError';
    this.issues = issues;
  }
  static of(code: string, message: string, hint?: string): InputError {
    return new InputError([{ severity: 'error', code, path: [], message, ...(hint === undefined ? {} : { hint }) }]);
  }

  /** The same mistake seen from further out, where the value has this path. */
  at(...path: Path): InputError {
    return new InputError(this.issues.map((issue) => ({ ...issue, path: [...path, ...issue.path] })));
  }
}

/** A user's policy threw, or broke its contract (exit 2). */
export class PolicyFault extends Error {
  readonly policy: string;
  constructor(policy: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PolicyFault';
    this.policy = policy;
  }
}

/** What there is to compare with is missing, damaged, or of something else (exit 5). */
export class NotComparable extends Error {
  /** What to do about it. */
  readonly hint: string;
  constructor(message: string, hint = '') {
    super(message);
    this.name = 'NotComparable';
    this.hint = hint;
  }
}

/** The run cannot go on for lack of a resource: event cap, memory, disk (exit 4). */
export class ResourceLimit extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ResourceLimit';
  }
}

/** Something that cannot happen has happened: our bug (exit 70). Carries the last events and a replay command once known. */
export class InvariantViolation extends Error {
  evidence: readonly string[] = [];
  constructor(message: string) {
    super(message);
    this.name = 'InvariantViolation';
  }
}

export function invariant(condition: boolean, message: string): asserts condition {
  if (!condition) throw new InvariantViolation(message);
}
