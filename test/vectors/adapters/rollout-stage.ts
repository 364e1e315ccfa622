/** A roll-out with its replicas, as rows describe them: they come and go at once, and are ready when the row says so. */
import { canaryGroupOf, flagger } from '../../../src/policies/rollout/strategies/flagger.ts';
import type { GroupStatus, Rollout, RolloutObservation } from '../../../src/policies/rollout/strategies/rollout.ts';

export class RolloutStage {
  nowMs = 0;
  checksPass = true;
  weights: Readonly<Record<string, number>> = { old: 100 };
  readonly #rollout: Rollout;
  readonly #desired: number;
  readonly #groups = new Map<string, { readonly version: string; spec: number; available: number }>();

  /** Begins with so many replicas of `old`, all available, on the way to `new`. */
  constructor(rollout: Rollout, desired: number) {
    this.#rollout = rollout;
    this.#desired = desired;
    this.#groups.set('old', { version: 'old', spec: desired, available: desired });
    rollout.start('old', 'new', 0);
  }

  spec(group: string): number {
    return this.#groups.get(group)?.spec ?? 0;
  }

  /** True if something was asked for. */
  step(): boolean {
    const actions = this.#rollout.step(this.#observe()).filter(({ kind }) => kind !== 'phase');
    for (const action of actions) {
      if (action.kind === 'weight') this.weights = action.weights;
      if (action.kind !== 'scale') continue;
      const { available = 0 } = this.#groups.get(action.group) ?? {};
      const { version, replicas: spec } = action;
      this.#groups.set(action.group, { version, spec, available: Math.min(available, spec) });
    }
    return actions.length > 0;
  }

  makeReady(): void {
    for (const group of this.#groups.values()) group.available = group.spec;
  }

  /** Steps, with everything ready at once, until there is nothing more to do. */
  comeToRest(): void {
    do this.makeReady();
    while (this.step());
  }

  #observe(): RolloutObservation {
    const groups = [...this.#groups].map(([group, { version, spec, available }]): GroupStatus => ({
      group,
      version,
      spec,
      created: spec,
      ready: available,
      available,
    }));
    const { nowMs, weights } = this;
    const metric = (): number => (this.checksPass ? 1 : 0);
    return { nowMs, desired: this.#desired, groups, weights, mirror: undefined, hosts: [], metric };
  }
}

export interface FlaggerInput {
  readonly threshold: number;
  readonly stepWeight?: number;
  readonly stepWeights?: readonly number[];
  readonly maxWeight?: number;
  readonly stepWeightPromotion?: number;
}

/** Flagger with one metric that is good or bad, looked at once per interval. */
export class FlaggerStage {
  readonly #rollout: Rollout;
  readonly #stage: RolloutStage;

  constructor({ threshold, stepWeight = 0, stepWeights = [], maxWeight = 0, stepWeightPromotion = 0 }: FlaggerInput) {
    this.#rollout = flagger.make(
      {
        threshold,
        stepWeight,
        stepWeights: stepWeights.map((weight) => ({ weight })),
        maxWeight,
        stepWeightPromotion,
        interval: INTERVAL_MS,
        metrics: [{ metric: 'check', min: '1' }],
      },
      { unit: 'replicas' },
    );
    this.#stage = new RolloutStage(this.#rollout, 2);
  }

  /** One look, and everything that follows from it. */
  tick(checksPass = true): {
    readonly primary: number;
    readonly canary: number;
    readonly phase: string;
    readonly failedChecks: number;
  } {
    this.#stage.checksPass = checksPass;
    this.#stage.comeToRest();
    this.#stage.nowMs += INTERVAL_MS;
    const { state } = this.#rollout.snapshot() as { readonly state: { readonly failedChecks: number } };
    const canary = this.#stage.weights[canaryGroupOf('new')] ?? 0;
    const total = Object.values(this.#stage.weights).reduce((sum, weight) => sum + weight, 0);
    return { primary: total - canary, canary, phase: this.#rollout.reason, failedChecks: state.failedChecks };
  }
}

const INTERVAL_MS = 10_000;
