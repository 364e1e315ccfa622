/** Orders of new nodes, and what became of them.
 *
 *  An order is filled when every node that the group should have is there and was ready once. One that is not filled in time has failed:
 *  the group is left alone for a while and the order is given up.
 *
 *  kubernetes/autoscaler: cluster-autoscaler/clusterstate/clusterstate.go */
import type { Ms } from '../../../core/time.ts';
import type { GroupBackoff } from './group-backoff.ts';
import type { GroupChange, NodesObservation, NodeState } from './node-autoscaler.ts';

export class Provisioning {
  readonly #maxProvisionMs: Ms;
  readonly #backoff: GroupBackoff;
  /** When the order of a group has failed if it is not filled before. */
  readonly #deadlines = new Map<string, Ms>();

  constructor(maxProvisionMs: Ms, backoff: GroupBackoff) {
    this.#maxProvisionMs = maxProvisionMs;
    this.#backoff = backoff;
  }

  onOrdered(group: string, nowMs: Ms): void {
    this.#deadlines.set(group, nowMs + this.#maxProvisionMs);
  }

  onRefused(group: string, nowMs: Ms): void {
    this.#deadlines.delete(group);
    this.#backoff.onFailed(group, nowMs);
  }

  /** A node that joined and is not ready yet, for the first time and not for too long. */
  isStarting({ isReady, wasReady, joinedAtMs }: NodeState, nowMs: Ms): boolean {
    return !isReady && !wasReady && nowMs - joinedAtMs < this.#maxProvisionMs;
  }

  /** Ordered nodes of a group that have not joined. */
  missing(group: string, { nodes, target }: Pick<NodesObservation, 'nodes' | 'target'>): number {
    const joined = nodes.filter((node) => node.group === group && !node.isLeaving).length;
    return Math.max(0, target(group) - joined);
  }

  /** Looks after the order of a group; answers with how many nodes are to be given up. */
  review(group: string, observation: NodesObservation): readonly GroupChange[] {
    const { nodes, nowMs } = observation;
    const missing = this.missing(group, observation);
    const starting = nodes.some((node) => node.group === group && !node.isLeaving && this.isStarting(node, nowMs));
    const deadlineMs = this.#deadlines.get(group);
    if (missing === 0 && !starting) {
      if (deadlineMs !== undefined) this.#backoff.onGrown(group);
      this.#deadlines.delete(group);
      return [];
    }
    if (deadlineMs === undefined) {
      // Somebody else's order, or one from before this object was made.
      if (missing > 0) this.onOrdered(group, nowMs);
      return [];
    }
    if (nowMs <= deadlineMs) return [];
    this.onRefused(group, nowMs);
    return missing > 0 ? [{ group, by: missing }] : [];
  }
}
