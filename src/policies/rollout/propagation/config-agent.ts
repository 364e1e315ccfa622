/** How configuration gets onto a host: one object per host, which keeps what it has until something newer and usable arrives.
 *
 *  It is passive: it asks its distributor through its host, is told what arrived, and says when it wants to be woken. Messages may be lost,
 *  late, doubled and out of order. An update has the whole state and a version that only grows, so one that is older than what the host
 *  has is dropped, and gaps do not matter. One that cannot be used is refused and said to be; the last good one stays in force, also
 *  while the distributor is gone, and across a restart if it was kept on disk. */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';

export interface ConfigUpdate {
  /** Grows with every change, also with one that goes back to an old content. */
  readonly version: number;
  /** Address of the content; see `rollout/versions`. */
  readonly digest: string;
  readonly content: string;
}

/** Versions are 0 for none yet. */
export type AgentMessage =
  /** Send me what is newer than this, now and from now on. */
  | { readonly kind: 'subscribe'; readonly have: number }
  /** Send me what is newer than this, once. */
  | { readonly kind: 'poll'; readonly have: number }
  | { readonly kind: 'ack'; readonly version: number }
  /** `version` was refused; `have` is in force. */
  | { readonly kind: 'nack'; readonly version: number; readonly have: number; readonly error: string };

export type DistributorMessage =
  | { readonly kind: 'update'; readonly update: ConfigUpdate }
  /** There is nothing newer than what was said to be there. */
  | { readonly kind: 'unchanged'; readonly version: number };

export interface AgentHost {
  send(message: AgentMessage, nowMs: Ms): void;
  /** Puts an update to use. What is wrong with it, if it cannot be used; then nothing has changed. */
  apply(update: ConfigUpdate, nowMs: Ms): string | undefined;
}

export interface ConfigAgent {
  start(nowMs: Ms): void;
  onMessage(message: DistributorMessage, nowMs: Ms): void;
  /** The connection is gone. */
  onDisconnected(nowMs: Ms): void;
  /** The process starts anew. */
  onRestarted(nowMs: Ms): void;
  /** What is in force: the last good update. */
  readonly active: ConfigUpdate | undefined;
  /** Time since this was last known to be the newest; Infinity before. */
  ageMs(nowMs: Ms): Ms;
  /** When `onTimer` must be called at the latest; Infinity for never. A call at an earlier time does no harm. */
  nextTimerMs(): Ms;
  onTimer(nowMs: Ms): void;
}

export interface AgentDeps {
  /** A stream of this agent's own. */
  readonly rng: Rng;
  readonly host: AgentHost;
}

export type AgentDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, AgentDeps, ConfigAgent>;

type Describe<Specs extends ParamSpecs> = Omit<AgentDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: AgentDeps): ConfigAgent;
};

/** Declares an agent for the family's table. */
export const defineAgent = <const Specs extends ParamSpecs>(description: Describe<Specs>): AgentDefinition<Specs> =>
  definePolicy<Specs, AgentDeps, ConfigAgent>({ family: 'propagation', ...description });
