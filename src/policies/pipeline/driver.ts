/** What a pipeline asks of the world that drives it: the simulator's gateway, or a live proxy. Requests and attempts are small integers
 *  that the driver chooses, and may reuse once the request has finished and the attempt is over. Cancelling a timer that has fired or
 *  was never set does nothing. */
import type { Slot } from '../balancing/balancer.ts';
import type { Ms } from '../../core/time.ts';
import type { RequestResult } from './results.ts';

export interface PipelineDriver {
  /** A number for a further attempt of the request. The first attempt has the request's own number. */
  newAttempt(request: number): number;
  /** Put the attempt on the wire to this endpoint. The answer comes back through `onResponse`, at most once. `ordinal` is 0 for the
   *  first attempt of the request. May answer at once, before it returns. */
  send(request: number, attempt: number, endpoint: Slot, ordinal: number): void;
  /** Nobody waits for this attempt any more: the request timed out or was answered by another attempt. `onResponse` must not be called
   *  for it; the work may be cancelled. */
  dropAttempt(attempt: number): void;
  /** Call `onTimeout(request)` after this long, unless `cancelTimeout` comes first. `isUsual`: the client's own timeout, the same until
   *  the pipeline is reconfigured; otherwise what is left of the caller's. */
  armTimeout(request: number, delayMs: Ms, isUsual: boolean): void;
  cancelTimeout(request: number): void;
  /** The same for one attempt, with `onAttemptTimeout(attempt)`. The delay is the attempt timeout that its request began with, so there
   *  are as many as configurations in use: one, unless the pipeline is reconfigured. */
  armAttemptTimeout(attempt: number, delayMs: Ms): void;
  cancelAttemptTimeout(attempt: number): void;
  /** Call `onNext(request)` after this long, unless `cancelNext` comes first: a back-off or a hedge. */
  armNext(request: number, delayMs: Ms): void;
  cancelNext(request: number): void;
  /** The request is over for its caller. `isDegraded`: answered by the fallback. */
  finish(request: number, result: RequestResult, isDegraded: boolean): void;
  /** Ask this endpoint for its load, beside the request; the answer comes back through `onReport`, if at all. Only called when the
   *  balancer has `probes`. */
  probe(request: number, endpoint: Slot): void;
  /** The balancer chose an endpoint outside its view, to serve the request or to be probed: a bug in the policy. In the first case the
   *  attempt fails as if there were no endpoint; a probe is left out. */
  invalidPick(request: number, endpoint: Slot): void;
}
