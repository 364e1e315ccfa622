/** An error as it crosses threads: classes do not survive cloning. */
import { InvariantViolation, PolicyFault } from '../core/errors.ts';
import type { PlainError } from './executors.ts';

export function plainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: '' };
  return {
    name: error.name,
    message: error.message,
    stack: error.stack ?? '',
    ...(error instanceof PolicyFault ? { policy: error.policy } : {}),
    ...(error instanceof InvariantViolation ? { evidence: error.evidence } : {}),
  };
}
