/** Replicas of one version, as those who scale them see them. */
export interface ReplicaGroup {
  /** Replicas asked for. */
  readonly spec: number;
  /** Ready for long enough to be counted on. */
  readonly available: number;
}

export const specOf = (groups: readonly ReplicaGroup[]): number => groups.reduce((sum, { spec }) => sum + spec, 0);
export const availableOf = (groups: readonly ReplicaGroup[]): number => groups.reduce((sum, { available }) => sum + available, 0);
