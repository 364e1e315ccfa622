/** An autoscaler made of others: asks them all and takes the largest or the smallest answer. */
import type { InnerPolicy } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import type { Autoscaler, AutoscalerDeps, ScaleDecision, ScaleObservation } from '../autoscaler.ts';
import { backWithin, type Bounds, refuseEmptyBounds, within } from './bounds.ts';
import { type AutoscalerTable, combine, InnerPolicies } from './inner-policies.ts';

export interface CombinationParams extends Bounds {
  readonly of: readonly InnerPolicy[];
}

export class Combination implements Autoscaler {
  readonly decideEveryMs: Ms;
  readonly sampleEveryMs: Ms;
  readonly holdsRequests: boolean;
  readonly #bounds: Bounds;
  readonly #inner: InnerPolicies;
  readonly #choose: (...counts: readonly number[]) => number;

  constructor(
    who: string,
    params: CombinationParams,
    table: AutoscalerTable,
    deps: AutoscalerDeps,
    choose: (...counts: readonly number[]) => number,
  ) {
    refuseEmptyBounds(who, params);
    this.#bounds = params;
    this.#inner = new InnerPolicies(params.of, table, deps);
    this.#choose = choose;
    this.decideEveryMs = this.#inner.decideEveryMs;
    this.sampleEveryMs = this.#inner.sampleEveryMs;
    this.holdsRequests = this.#inner.holdsRequests;
  }

  decide(observation: ScaleObservation): ScaleDecision {
    const { replicas, reason } = combine(this.#inner.ask(observation), observation.specReplicas, this.#choose);
    if (replicas !== undefined) return { replicas: within(this.#bounds, replicas), reason };
    return backWithin(this.#bounds, observation.specReplicas) ?? { replicas, reason };
  }

  sample(observation: ScaleObservation): void {
    this.#inner.sample(observation);
  }

  onScaled(from: number, to: number, nowMs: Ms): void {
    this.#inner.onScaled(from, to, nowMs);
  }
}
