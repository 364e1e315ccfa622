/** Vertical scaling: how much of each resource a replica should reserve.
 *
 *  One object per service, whose replicas are taken to be alike. It is told what they use and answers with a range; changing a
 *  reservation means to start the replica anew, so when to follow the answer is the host's decision. */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Ms } from '../../../core/time.ts';

/** What one replica used, on average over a window that began at `startMs`. */
export interface UsageSample {
  readonly replica: number;
  readonly startMs: Ms;
  /** Cores; undefined if not measured. */
  readonly cpu?: number;
  /** Cores reserved at that time. */
  readonly cpuRequest?: number;
  /** Bytes; undefined if not measured. */
  readonly memory?: number;
}

/** A reservation of `target` is right; one below `lower` or above `upper` is worth a restart. */
export interface ResourceRange {
  readonly lower: number;
  readonly target: number;
  /** Infinity while too little is known to call anything too much. */
  readonly upper: number;
}

export interface Recommendation {
  /** Cores. */
  readonly cpu: ResourceRange;
  /** Bytes. */
  readonly memory: ResourceRange;
}

export interface VerticalRecommender {
  /** A replica's samples come in the order of their time; a sample that does not is left out. */
  observe(sample: UsageSample): void;
  /** A replica was killed because it needed more memory than the `memoryRequest` bytes it had reserved. */
  onOutOfMemory(replica: number, memoryRequest: number, nowMs: Ms): void;
  /** A replica has left for good. What it used remains known. */
  onGone(replica: number): void;
  /** undefined before the first sample of processor time. */
  recommend(): Recommendation | undefined;
}

export type VerticalDeps = Readonly<Record<string, never>>;

export type VerticalDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, VerticalDeps, VerticalRecommender>;

type Describe<Specs extends ParamSpecs> = Omit<VerticalDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: VerticalDeps): VerticalRecommender;
};

/** Declares a vertical recommender for the family's table. */
export const defineVertical = <const Specs extends ParamSpecs>(description: Describe<Specs>): VerticalDefinition<Specs> =>
  definePolicy<Specs, VerticalDeps, VerticalRecommender>({ family: 'vertical', ...description });
