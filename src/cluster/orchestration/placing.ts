/** Finds nodes for pods: the scheduler decides, the queue says who is next and when to try again. Whoever has to go for somebody more
 *  important is told so, and the other waits until they are gone. */
import type { Ms } from '../../core/time.ts';
import {
  type ClusterEvent,
  type ClusterView,
  NO_PLACE,
  type PodView,
  type Scheduler,
  type SpreadConstraint,
  tolerating,
} from '../../policies/placement/scheduler.ts';
import { schedulingQueue, type SchedulingQueue } from '../../policies/placement/scheduling-queue.ts';
import { HOSTNAME_LABEL, ZONE_LABEL } from '../../policies/placement/well-known-labels.ts';
import type { ServiceSpec } from '../../scenario/spec.ts';
import type { Fleet } from '../fleet.ts';
import type { Errands } from './errands.ts';
import type { Nodes } from './nodes.ts';
import { podStates, type Pods } from './pods.ts';

/** What tells the pods of one service from others. */
const SERVICE_LABEL = 'app';

export interface PlacingHost {
  isRunning(): boolean;
  bind(instance: number, node: number): void;
  preempt(instance: number): void;
  /** Of these, how many disruption budgets protect. */
  budgetViolations(instances: readonly number[]): number;
}

export class Placing {
  private readonly errands: Errands;
  private readonly fleet: Fleet;
  private readonly nodes: Nodes;
  private readonly pods: Pods;
  private readonly scheduler: Scheduler;
  private readonly host: PlacingHost;
  private readonly queue: SchedulingQueue;
  private readonly wake: () => void;
  private readonly since = new Map<number, Ms>();
  private readonly nominations = new Map<number, number>();
  private isBusy: boolean;

  constructor(errands: Errands, fleet: Fleet, nodes: Nodes, pods: Pods, scheduler: Scheduler, host: PlacingHost) {
    this.errands = errands;
    this.fleet = fleet;
    this.nodes = nodes;
    this.pods = pods;
    this.scheduler = scheduler;
    this.host = host;
    this.queue = schedulingQueue();
    this.isBusy = false;
    this.wake = errands.waker('scheduling queue', this.queue, () => this.run());
  }

  add(instance: number): void {
    this.since.set(instance, this.errands.nowMs);
    this.queue.add(instance, this.specOf(instance).elastic.priority, this.errands.nowMs);
    this.run();
  }

  /** A node for one that has been there from before the beginning; NO_PLACE if there is no room. */
  first(instance: number): number {
    const { node } = this.scheduler.schedule(this.podView(instance), this.clusterView(), this.errands.nowMs);
    if (node !== NO_PLACE) this.nodes.put(instance, node, this.specOf(instance));
    return node;
  }

  /** It is not to be placed any more. */
  drop(instance: number): void {
    this.queue.remove(instance);
    this.since.delete(instance);
    this.nominations.delete(instance);
  }

  happened(event: ClusterEvent): void {
    this.queue.onClusterEvent(event, this.errands.nowMs);
    this.run();
  }

  /** Pods for which no place was found, with the times since which they wait. */
  pending(): { readonly instance: number; readonly sinceMs: Ms }[] {
    return [...this.since]
      .filter(([instance]) => this.queue.attempts(instance) > 0)
      .map(([instance, sinceMs]) => ({ instance, sinceMs }));
  }

  podView(instance: number): PodView {
    const { name, elastic } = this.specOf(instance);
    const nominated = this.nominations.get(instance);
    return {
      pod: instance,
      labels: { [SERVICE_LABEL]: name },
      requests: { cpu: elastic.cpu, ...(elastic.memory > 0 ? { memory: elastic.memory } : {}) },
      priority: elastic.priority,
      tolerations: elastic.tolerates.map(tolerating),
      spread: elastic.spread.map((each): SpreadConstraint => ({
        topologyKey: each.over === 'zone' ? ZONE_LABEL : each.over === 'node' ? HOSTNAME_LABEL : each.over,
        maxSkew: each.maxSkew,
        whenUnsatisfiable: each.when,
        selector: { [SERVICE_LABEL]: name },
        ...(each.minDomains === undefined ? {} : { minDomains: each.minDomains }),
      })),
      nodeSelector: elastic.nodeLabels,
      startedAtMs: Number.isNaN(this.pods.startedMs[instance]) ? Infinity : this.pods.startedMs[instance],
      isTerminating: this.pods.state[instance] === podStates.leaving,
      ...(nominated === undefined ? {} : { nominatedNode: nominated }),
    };
  }

  clusterView(): ClusterView {
    return {
      nodes: this.nodes.members(),
      podsOn: (node) => Array.from(this.nodes.pods[node], (instance) => this.podView(instance)),
      budgetViolations: (pods) => this.host.budgetViolations(pods.map(({ pod }) => pod)),
      nominatedTo: (node) =>
        [...this.nominations].filter(([, nominated]) => nominated === node).map(([instance]) => this.podView(instance)),
    };
  }

  /** Tries whoever may be tried now. */
  run(): void {
    // Binding, and driving somebody out, lead back here.
    if (this.isBusy || !this.host.isRunning()) return;
    this.isBusy = true;
    for (;;) {
      const instance = this.queue.pop(this.errands.nowMs);
      if (instance === undefined) break;
      this.tryToPlace(instance);
    }
    this.isBusy = false;
    this.wake();
  }

  private tryToPlace(instance: number): void {
    const { node, retryOn, preemption } = this.scheduler.schedule(this.podView(instance), this.clusterView(), this.errands.nowMs);
    if (node !== NO_PLACE) {
      this.drop(instance);
      this.nodes.put(instance, node, this.specOf(instance));
      this.host.bind(instance, node);
      return;
    }
    if (preemption === undefined) this.nominations.delete(instance);
    else this.nominations.set(instance, preemption.node);
    this.queue.onUnschedulable(instance, retryOn, this.errands.nowMs);
    for (const victim of preemption?.victims ?? []) this.host.preempt(victim);
  }

  private specOf(instance: number): ServiceSpec {
    return this.fleet.services[this.fleet.service[instance]];
  }
}
