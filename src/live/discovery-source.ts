/** Where a live discovery client asks: a file, a name, a registry, or something of the program's own. */
import type { Ms } from '../core/time.ts';
import type { SourceFailure } from '../policies/discovery/discovery-client.ts';

export interface SourceQuestion {
  /** The version that the asker has; 0: answer at once. */
  readonly index: number;
  /** How long the source may hold its answer until there is a newer version. One that holds nothing may ignore it. */
  readonly waitMs: Ms;
}

export interface SourceAnswer {
  /** Endpoints, by their URLs. */
  readonly members: readonly string[];
  /** Version of the answer, from 1; without one, answers are told apart by their members. */
  readonly index?: number;
  /** How old the answer was when it was sent. */
  readonly ageMs?: Ms;
  /** How long it may be kept; without it the source does not say. */
  readonly ttlMs?: Ms;
}

export interface DiscoverySource {
  /** `signal` is aborted when nobody waits for the answer any more. Rejecting is the same as being unreachable. */
  ask(question: SourceQuestion, signal: AbortSignal): Promise<SourceAnswer | SourceFailure>;
  /** Calls back whenever the source may have changed; returns how to stop that. */
  watch?(onChange: () => void): () => void;
}
