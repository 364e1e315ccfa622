/** Node leases as Kubernetes judges them: nodes renew a lease, and a controller that looks every few seconds declares a node unknown when it
 *  has seen no renewal for a grace period.
 *
 *  The controller goes by its own clock: a renewal counts from the look that first saw it, whatever time the node wrote. A node is suspected
 *  at the first look strictly later than that plus the grace period, and trusted again at the first look that sees a renewal. Looks fall
 *  on multiples of the monitor period.
 *
 *  Use it to ask what Kubernetes' own settings mean for a service: with its defaults a dead node counts as alive for up to 55 s, and
 *  its pods are replaced minutes later. It fails as the only detector of anything that users wait for; and because all nodes are judged in
 *  the same instant, a controller cut off from them suspects them all at once.
 *
 *  A node that never renewed has a longer grace, from when it was first watched. */
import { duration, type ParamValues } from '../../core/params.ts';
import type { Ms } from '../../core/time.ts';
import { type BeliefSink, defineDetector, type Detector } from './detector.ts';
import { DeadlineHeap } from './parts/deadline-heap.ts';
import { Watchlist } from './parts/watchlist.ts';

const params = {
  leaseDuration: duration({
    default: 40_000,
    min: 1,
    about: 'Duration written into the lease; it is renewed every quarter of it.',
    official: 'kubelet nodeLeaseDurationSeconds',
  }),
  nodeMonitorPeriod: duration({
    default: 5000,
    min: 1,
    about: 'How often the controller looks.',
    official: 'kube-controller-manager --node-monitor-period',
  }),
  nodeMonitorGracePeriod: duration({
    default: 50_000,
    min: 0,
    about: 'Time without a seen renewal after which a node is unknown; 40 s before Kubernetes 1.32.',
    official: 'kube-controller-manager --node-monitor-grace-period',
  }),
  nodeStartupGracePeriod: duration({
    default: 60_000,
    min: 0,
    about: 'The same for a node that never renewed.',
    official: 'kube-controller-manager --node-startup-grace-period',
  }),
};
export type NodeLeaseParams = ParamValues<typeof params>;

export const nodeLease = defineDetector({
  name: 'node-lease',
  summary: 'Suspects a node at the first periodic look that has seen no lease renewal for a grace period (Kubernetes).',
  useWhen: 'The question is what Kubernetes’ own detection of dead nodes means for a service.',
  failsWhen: 'Requests depend on it: a dead node counts as alive for the best part of a minute.',
  cost: 'O(log n) per renewal',
  sources: [
    'kubernetes/kubernetes: pkg/controller/nodelifecycle/node_lifecycle_controller.go',
    'kubernetes/kubernetes: pkg/kubelet/kubelet.go, nodeLeaseRenewIntervalFraction',
  ],
  aliases: [{ system: 'Kubernetes', name: 'node-lifecycle-controller' }],
  params,
  create: (values, deps) => new NodeLeaseDetector(values, deps.sink),
});

/** How often a kubelet renews. */
export const leaseRenewIntervalMs = (leaseDurationMs: Ms): Ms => leaseDurationMs * 0.25;

/** The look that finds a node unknown whose last renewal was first seen at `seenMs`. */
export const unknownAtMs = (
  seenMs: Ms,
  { nodeMonitorGracePeriod, nodeMonitorPeriod }: Pick<NodeLeaseParams, 'nodeMonitorGracePeriod' | 'nodeMonitorPeriod'>,
): Ms => lookAfter(seenMs + nodeMonitorGracePeriod, nodeMonitorPeriod);

/** When the pods of an unknown node are evicted: every pod tolerates the taint for some time, 300 s unless it says otherwise. */
export const podsEvictedAtMs = (unknownMs: Ms, tolerationSeconds = 300): Ms => unknownMs + tolerationSeconds * 1000;

class NodeLeaseDetector implements Detector {
  readonly heartbeatEveryMs: Ms;
  readonly #params: NodeLeaseParams;
  readonly #list: Watchlist;
  /** Suspected nodes that renewed, by the look that will see it. */
  readonly #unseen = new DeadlineHeap();

  constructor(params: NodeLeaseParams, sink: BeliefSink) {
    this.heartbeatEveryMs = leaseRenewIntervalMs(params.leaseDuration);
    this.#params = params;
    this.#list = new Watchlist(sink);
  }

  watch(slot: number, nowMs: Ms): void {
    this.#unseen.remove(slot);
    this.#list.watch(slot, lookAfter(nowMs + this.#params.nodeStartupGracePeriod, this.#params.nodeMonitorPeriod));
  }

  unwatch(slot: number): void {
    this.#unseen.remove(slot);
    this.#list.unwatch(slot);
  }

  onHeartbeat(slot: number, nowMs: Ms): void {
    if (!this.#list.isWatched(slot)) return;
    const seenMs = lookFrom(nowMs, this.#params.nodeMonitorPeriod);
    if (this.#list.isSuspected(slot)) this.#unseen.set(slot, seenMs);
    // The look that sees it is not later than the one that would suspect the node, and sees before it judges.
    else this.#list.extend(slot, unknownAtMs(seenMs, this.#params), nowMs);
  }

  nextTimerMs(): Ms {
    return Math.min(this.#list.nextMs(), this.#unseen.firstMs());
  }

  onTimer(nowMs: Ms): void {
    // The sink may watch and unwatch, so the first is read anew each time.
    while (this.#unseen.firstMs() <= nowMs) {
      const slot = this.#unseen.first();
      this.#unseen.remove(slot);
      this.#list.extend(slot, unknownAtMs(nowMs, this.#params), nowMs);
    }
    this.#list.suspectDue(nowMs);
  }

  /** Milliseconds past the look that suspected the node. */
  suspicion(slot: number, nowMs: Ms): number {
    return this.#list.overdueMs(slot, nowMs);
  }
}

/** The first look strictly later than a time. */
function lookAfter(ms: Ms, periodMs: Ms): Ms {
  const look = (Math.floor(ms / periodMs) + 1) * periodMs;
  // The quotient may have been rounded down to the look before.
  return look > ms ? look : look + periodMs;
}

/** The first look at a time or later. */
function lookFrom(ms: Ms, periodMs: Ms): Ms {
  const look = Math.ceil(ms / periodMs) * periodMs;
  return look >= ms ? look : look + periodMs;
}
