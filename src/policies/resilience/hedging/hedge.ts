/** Hedging: a second attempt while the first is still out, to cut the tail; the first good answer wins and the others are cancelled.
 *
 *  One object per client. Asked after each send when the next speculative attempt is due; told the latency of every attempt that
 *  ended well. Nothing here allocates per request. */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';

export interface Hedge {
  /** Whether an attempt that fails while others are out, or before the hedge is due, sends the next one at once (gRPC's non-fatal status
   *  codes). Otherwise a failure is left to the retry policy, once no attempt is out. */
  readonly onFailure: boolean;
  /** A request starts. */
  onRequest(nowMs: Ms): void;
  /** An attempt ended well after `latencyMs`, counted from its send, or was cancelled then because another won. Without the cancelled
   *  ones the slowest attempts would never be seen, and a delay learnt from latencies would shrink by its own success. */
  onLatency(latencyMs: Ms, nowMs: Ms): void;
  /** How long after the latest send the next speculative attempt is due; Infinity for never. `sent` counts the attempts of this request so
   *  far, 1 after the first. */
  delayMs(sent: number, nowMs: Ms): Ms;
  /** It is due: whether it may be sent; true takes it from the hedge's own budget. */
  tryHedge(nowMs: Ms): boolean;
}

export interface HedgeDeps {
  readonly rng: Rng;
}

export type HedgeDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, HedgeDeps, Hedge>;

type Describe<Specs extends ParamSpecs> = Omit<HedgeDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: HedgeDeps): Hedge;
};

/** Declares a hedging policy for the family's table. */
export const defineHedge = <const Specs extends ParamSpecs>(description: Describe<Specs>): HedgeDefinition<Specs> =>
  definePolicy<Specs, HedgeDeps, Hedge>({ family: 'hedging', ...description });
