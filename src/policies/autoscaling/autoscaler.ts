/** Autoscaling: how many replicas a service should have.
 *
 *  One object per service. It is asked at a fixed cadence, is shown what its metrics pipeline knows (old, averaged, with gaps; never the
 *  truth) and answers with a count. Creating and removing replicas is the replica controller's business, where they run is the
 *  placement's. */
import type { ParamSpecs, ParamValues } from '../../core/params.ts';
import { definePolicy, type Policy } from '../../core/policy.ts';
import type { Rng } from '../../core/rng.ts';
import type { Ms } from '../../core/time.ts';

/** What a metric was, on average over `windowMs` up to `atMs`. */
export interface MetricSample {
  readonly value: number;
  readonly atMs: Ms;
  readonly windowMs: Ms;
}

export const replicaPhases = ['pending', 'running', 'failed', 'succeeded'] as const;
export type ReplicaPhase = (typeof replicaPhases)[number];

/** One replica as the metrics pipeline and the API server show it. */
export interface ReplicaSample {
  readonly replica: number;
  readonly phase: ReplicaPhase;
  /** undefined: nothing has been said about it yet. */
  readonly isReady: boolean | undefined;
  readonly startedAtMs: Ms | undefined;
  /** When `isReady` last changed. */
  readonly readyChangedAtMs: Ms | undefined;
  readonly isDeleting: boolean;
  /** What it reserves of `cpu` (cores) or `memory` (bytes); undefined for nothing. */
  request(resource: string): number | undefined;
  /** The latest sample: `cpu` (cores in use), `memory` (bytes), `concurrency` (requests present), `requests-per-second`. undefined: missing. */
  metric(name: string): MetricSample | undefined;
}

export interface ScaleObservation {
  readonly nowMs: Ms;
  /** Replicas asked for. */
  readonly specReplicas: number;
  /** Replicas that exist, not counting those told to go. */
  readonly statusReplicas: number;
  readonly readyReplicas: number;
  readonly replicas: readonly ReplicaSample[];
  /** A metric of the service as a whole, or of something else; undefined when it cannot be read. Every host has `concurrency` (requests in
   *  the service and waiting for it, all replicas together), `requests-per-second` (arriving), `service-time` (mean, ms),
   *  `utilization` (cpu in use over cpu reserved, as a fraction), `latency.p50`, `latency.p99` (ms), `error-rate` (fraction) and
   *  `queue/NAME` (messages waiting). */
  metric(name: string): MetricSample | undefined;
}

export interface ScaleDecision {
  /** undefined: leave everything as it is, for there is nothing to decide on. */
  readonly replicas: number | undefined;
  /** The official word for why, where there is one: `ScaleDownStabilized`. */
  readonly reason: string;
}

export interface Autoscaler {
  readonly decideEveryMs: Ms;
  decide(observation: ScaleObservation): ScaleDecision;
  /** Between decisions, for those who keep averages of their own. Absent or Infinity: never. */
  readonly sampleEveryMs?: Ms;
  sample?(observation: ScaleObservation): void;
  /** The count was really changed, by this object's decision or by somebody else. */
  onScaled?(from: number, to: number, nowMs: Ms): void;
  /** Whether requests that find no replica wait for one (Knative's activator) instead of failing. */
  readonly holdsRequests?: boolean;
}

export interface AutoscalerDeps {
  readonly rng: Rng;
  /** Unix time of moment 0, for those who look at the calendar. */
  readonly epochMs: Ms;
  /** Replicas that are asked for, and replicas that are ready, when this object is made. */
  readonly specReplicas: number;
  readonly readyReplicas: number;
}

/** Every autoscaler has the parameters `min` and `max`, and never answers with a count outside of them. */
export type AutoscalerDefinition<Specs extends ParamSpecs = ParamSpecs> = Policy<Specs, AutoscalerDeps, Autoscaler>;

type Describe<Specs extends ParamSpecs> = Omit<AutoscalerDefinition<Specs>, 'family' | 'make' | 'create'> & {
  create(params: ParamValues<Specs>, deps: AutoscalerDeps): Autoscaler;
};

/** Declares an autoscaler for the family's table. */
export const defineAutoscaler = <const Specs extends ParamSpecs>(description: Describe<Specs>): AutoscalerDefinition<Specs> =>
  definePolicy<Specs, AutoscalerDeps, Autoscaler>({ family: 'autoscaling', ...description });
