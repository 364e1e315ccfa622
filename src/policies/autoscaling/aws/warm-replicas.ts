/** Which replicas have warmed up: those that were ready when this object saw the service first, and others some time after they became
 *  ready. Once warm, a replica stays so. One that never becomes ready never warms up, and who waits for it removes nothing.
 *
 *  AWS: Amazon EC2 Auto Scaling User Guide, "Set the default instance warmup" */
import type { Ms } from '../../../core/time.ts';
import type { ReplicaSample, ScaleObservation } from '../autoscaler.ts';

export class WarmReplicas {
  readonly #warmupMs: Ms;
  #warm: ReadonlySet<number> | undefined;

  constructor(warmupMs: Ms) {
    this.#warmupMs = warmupMs;
  }

  /** Those that are warm and in service, of those observed. */
  update({ replicas, nowMs }: ScaleObservation): readonly ReplicaSample[] {
    const known = this.#warm;
    const isWarm = (replica: ReplicaSample): boolean =>
      known === undefined ||
      known.has(replica.replica) ||
      (replica.readyChangedAtMs !== undefined && replica.readyChangedAtMs + this.#warmupMs <= nowMs);
    const inService = replicas.filter(
      (replica) => replica.phase === 'running' && replica.isReady === true && !replica.isDeleting,
    );
    const warm = inService.filter(isWarm);
    // One that is out of service for a moment does not warm up again.
    const resting = replicas.filter(({ replica, isReady }) => isReady !== true && known?.has(replica) === true);
    this.#warm = new Set([...warm, ...resting].map(({ replica }) => replica));
    return warm;
  }
}

/** The capacity that a measurement speaks of: instances that are warm; while all are warming up, those that are ready, if there are any. */
export const measuredCapacity = (warm: number, { readyReplicas, specReplicas }: ScaleObservation): number =>
  warm > 0 ? Math.min(warm, Math.max(1, specReplicas)) : Math.max(1, readyReplicas);
