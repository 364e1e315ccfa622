/** Restarts: whether and when a process that ended is started again in its place.
 *
 *  One object per host or orchestrator; instances by number. It is asked when a process ends and answers with a time; the host starts
 *  the process then and says so. Where a restart is not enough because the machine is gone, see `../replicas` and `../eviction`. */
import type { ParamSpecs, ParamValues } from '../../../core/params.ts';
import { definePolicy, type Policy } from '../../../core/policy.ts';
import type { Rng } from '../../../core/rng.ts';
import type { Ms } from '../../../core/time.ts';

export interface RestartPolicy {
  /** The process of `instance`, started at `startedAtMs`, has ended: by failing, or because it was done. Returns when to start it again,
   *  not before `endedAtMs`; Infinity for never. Asked once per end. */
  restartAtMs(instance: number, startedAtMs: Ms, endedAtMs: Ms, isFailure: boolean): Ms;
  /** It has been started again. */
  onRestarted(instance: number, nowMs: Ms): void;
  /** The instance is gone for good; another that gets its number starts afresh. */
  forget(instance: number): void;
}

export interface RestartDeps {
  readonly rng: Rng;
}

export type RestartDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, RestartDeps, RestartPolicy>;

type Describe<Specs extends ParamSpecs> = Omit<RestartDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: RestartDeps): RestartPolicy;
};

/** Declares a restart policy for the family's table. */
export const defineRestartPolicy = <const Specs extends ParamSpecs>(description: Describe<Specs>): RestartDefinition<Specs> =>
  definePolicy<Specs, RestartDeps, RestartPolicy>({ family: 'restarts', ...description });

/** Which ends lead to a restart. */
export const restartWhen = ['always', 'on-failure', 'never'] as const;
export type RestartWhen = (typeof restartWhen)[number];

export const isRestarted = (when: RestartWhen, isFailure: boolean): boolean =>
  when === 'always' || (when === 'on-failure' && isFailure);
