/** What went wrong, in words and as an exit code. The user's mistakes are shown with the lines they are on; bugs of ours with all
 *  that is needed to find them. */
import {
  InputError,
  InvariantViolation,
  NotComparable,
  PolicyFault,
  ResourceLimit,
  exitCodes,
  type ExitCode,
} from '../core/errors.ts';
import type { Terminal } from './terminal.ts';

export async function explain(failure: unknown, terminal: Pick<Terminal, 'note' | 'notes'>): Promise<ExitCode> {
  const { note } = terminal;
  if (isUsageError(failure)) return failure.exitCode === 0 ? exitCodes.ok : exitCodes.badInput;
  if (failure instanceof InputError) {
    const { noteIssues } = await import('./notes.ts');
    await noteIssues(failure.issues, terminal);
    return exitCodes.badInput;
  }
  if (failure instanceof PolicyFault) {
    const who = failure.message.includes(failure.policy) ? '' : `policy ${failure.policy}: `;
    note(`error: ${who}${failure.message}\nThis is a fault of the policy, not of the scenario or of clusterlab.\n`);
    return exitCodes.badInput;
  }
  if (failure instanceof NotComparable) {
    note(`not comparable: ${failure.message}\n`);
    if (failure.hint !== '') note(`  hint: ${failure.hint}\n`);
    return exitCodes.notComparable;
  }
  if (failure instanceof ResourceLimit) {
    note(`error: ${failure.message}\n`);
    return exitCodes.couldNotFinish;
  }
  if (isOutOfMemory(failure)) {
    note(`error: not enough memory (${failure.message}); use fewer seeds, fewer --jobs, a shorter run or a lower rate\n`);
    return exitCodes.couldNotFinish;
  }
  if (failure instanceof InvariantViolation) {
    note(`bug in clusterlab: ${failure.message}\n`);
    for (const line of failure.evidence) note(`  ${line}\n`);
  } else note(`bug in clusterlab: ${failure instanceof Error ? (failure.stack ?? failure.message) : String(failure)}\n`);
  note('Please report it with the lines above and the scenario file; no number of this run can be trusted.\n');
  return exitCodes.ourBug;
}

/** Thrown by commander, after it has printed its message; help and version come as errors with exit code 0. */
const isUsageError = (failure: unknown): failure is Error & { exitCode: number } =>
  failure instanceof Error && 'code' in failure && String(failure.code).startsWith('commander.') && 'exitCode' in failure;

const isOutOfMemory = (failure: unknown): failure is Error =>
  failure instanceof Error &&
  ((failure instanceof RangeError && /allocation failed|invalid (typed )?array length/i.test(failure.message)) ||
    ('code' in failure && failure.code === 'ERR_WORKER_OUT_OF_MEMORY'));
