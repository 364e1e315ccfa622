/** A service as an autoscaler is shown it, and a host that asks and obeys at once. */
import type {
  Autoscaler,
  AutoscalerDeps,
  MetricSample,
  ReplicaSample,
  ScaleDecision,
  ScaleObservation,
} from '../../../src/policies/autoscaling/autoscaler.ts';
import { unusedRng } from '../fixtures.ts';

export const SECOND = 1000;
export const MINUTE = 60_000;
export const HOUR = 3_600_000;
export const DAY = 86_400_000;

/** A Monday, 00:00 UTC. */
export const MONDAY = 1_767_571_200_000;

export const depsOf = (replicas: number, epochMs = MONDAY): AutoscalerDeps => ({
  rng: unusedRng,
  epochMs,
  specReplicas: replicas,
  readyReplicas: replicas,
});

/** What the service and each replica measure at a moment; undefined: nothing. */
export type Metrics = (name: string, nowMs: number) => number | undefined;

interface Instance {
  readonly replica: number;
  readonly readyAtMs: number;
}

/** Replicas are ready some time after they are asked for. `service` is measured of the whole, `each` of every ready replica. */
export class Bed {
  nowMs = 0;
  readyAfterMs = 0;
  service: Metrics = () => undefined;
  each: Metrics = () => undefined;
  last: ScaleDecision = { replicas: undefined, reason: '' };
  readonly autoscaler: Autoscaler;
  #instances: Instance[];
  #created: number;
  #nextDecisionMs: number;
  #nextSampleMs: number;

  constructor(make: (deps: AutoscalerDeps) => Autoscaler, count: number, epochMs = MONDAY) {
    this.autoscaler = make(depsOf(count, epochMs));
    this.#instances = Array.from({ length: count }, (_, replica) => ({ replica, readyAtMs: -HOUR }));
    this.#created = count;
    this.#nextDecisionMs = this.autoscaler.decideEveryMs;
    this.#nextSampleMs = this.autoscaler.sampleEveryMs ?? Infinity;
  }

  get count(): number {
    return this.#instances.length;
  }

  /** Lets time pass; the count after each decision. */
  run(forMs: number): readonly number[] {
    const counts: number[] = [];
    const untilMs = this.nowMs + forMs;
    for (;;) {
      const nextMs = Math.min(this.#nextDecisionMs, this.#nextSampleMs);
      if (nextMs > untilMs) break;
      this.nowMs = nextMs;
      if (this.#nextSampleMs === nextMs) {
        this.autoscaler.sample?.(this.observe());
        this.#nextSampleMs += this.autoscaler.sampleEveryMs!;
      }
      if (this.#nextDecisionMs === nextMs) {
        this.#obey(this.autoscaler.decide(this.observe()));
        counts.push(this.count);
        this.#nextDecisionMs += this.autoscaler.decideEveryMs;
      }
    }
    this.nowMs = untilMs;
    return counts;
  }

  scaleTo(count: number): void {
    const from = this.count;
    while (this.count < count) this.#instances.push({ replica: this.#created++, readyAtMs: this.nowMs + this.readyAfterMs });
    this.#instances = this.#instances.slice(0, count);
    this.autoscaler.onScaled?.(from, count, this.nowMs);
  }

  observe(): ScaleObservation {
    const { nowMs } = this;
    const sample = (value: number | undefined): MetricSample | undefined =>
      value === undefined ? undefined : { value, atMs: nowMs, windowMs: 15_000 };
    const replicas = this.#instances.map(({ replica, readyAtMs }): ReplicaSample => {
      const isReady = readyAtMs <= nowMs;
      return {
        replica,
        phase: 'running',
        isReady,
        startedAtMs: readyAtMs - this.readyAfterMs,
        readyChangedAtMs: isReady ? readyAtMs : undefined,
        isDeleting: false,
        request: () => 1,
        metric: (name) => (isReady ? sample(this.each(name, nowMs)) : undefined),
      };
    });
    return {
      nowMs,
      specReplicas: this.count,
      statusReplicas: this.count,
      readyReplicas: replicas.filter(({ isReady }) => isReady === true).length,
      replicas,
      metric: (name) => sample(this.service(name, nowMs)),
    };
  }

  #obey(decision: ScaleDecision): void {
    this.last = decision;
    if (decision.replicas !== undefined && decision.replicas !== this.count) this.scaleTo(decision.replicas);
  }
}
