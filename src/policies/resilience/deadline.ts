/** Deadlines handed down a chain of calls: what a caller may still wait bounds what it asks of others, and a call that nobody
 *  waits for any more is not sent.
 *
 *  Without it a service works on answers whose callers have left, which is what keeps a retry storm alive. It bounds one try
 *  by what remains for all of them, so a retry must fit into the same deadline. It fails where clocks differ and deadlines
 *  travel as points in time; hand down the time that remains, as gRPC's `grpc-timeout` does. */
import type { Ms } from '../../core/time.ts';

/** The timeout of a call made on behalf of another: the smaller of its own and what remains to the parent (Infinity for no
 *  deadline). 0 means do not send. */
export const childTimeoutMs = (parentRemainingMs: Ms, ownMs: Ms): Ms => Math.max(0, Math.min(parentRemainingMs, ownMs));

/** What remains until a deadline, negative once it has passed; Infinity stays Infinity. */
export const remainingMs = (deadlineMs: Ms, nowMs: Ms): Ms => deadlineMs - nowMs;
