/** What the simulated world makes policies with: one set of makers per edge and per service, overrides already resolved. */
import type { Autoscaler, AutoscalerDeps } from '../policies/autoscaling/autoscaler.ts';
import type { VerticalDeps, VerticalRecommender } from '../policies/autoscaling/vertical/vertical-recommender.ts';
import type { NodeAutoscaler, NodeAutoscalerDeps } from '../policies/autoscaling/nodes/node-autoscaler.ts';
import type { Balancer, BalancerDeps } from '../policies/balancing/balancer.ts';
import type { Alarm } from '../policies/detection/alarms/alarm.ts';
import type { HealthChecker, HealthCheckerDeps } from '../policies/detection/checks/health-checker.ts';
import type { Detector, DetectorDeps } from '../policies/detection/detector.ts';
import type { Membership, MembershipDeps } from '../policies/detection/swim/swim.ts';
import type { OutlierDetector, OutlierDetectorDeps } from '../policies/detection/outliers/outlier-detector.ts';
import type { DiscoveryClient, DiscoveryDeps } from '../policies/discovery/discovery-client.ts';
import type { Registry, RegistryDeps } from '../policies/discovery/registries/registry.ts';
import type { Scheduler, SchedulerDeps } from '../policies/placement/scheduler.ts';
import type { EvictionDeps, NodeEviction } from '../policies/recovery/eviction/node-eviction.ts';
import type { Failover, FailoverDeps } from '../policies/recovery/failover/failover.ts';
import type { ReplicaController, ReplicaDeps } from '../policies/recovery/replicas/replica-controller.ts';
import type { ElectorDeps, Elector } from '../policies/rollout/elections/elector.ts';
import type { AgentDeps, ConfigAgent } from '../policies/rollout/propagation/config-agent.ts';
import type { ConfigStore, StoreDeps } from '../policies/rollout/store/config-store.ts';
import type { Rollout, RolloutDeps } from '../policies/rollout/strategies/rollout.ts';
import type { RestartDeps, RestartPolicy } from '../policies/recovery/restarts/restart-policy.ts';
import type { Admission, AdmissionDeps } from '../policies/resilience/admission/admission.ts';
import type { Breaker, BreakerDeps } from '../policies/resilience/breakers/breaker.ts';
import type { RetryBudget } from '../policies/resilience/budgets/retry-budget.ts';
import type { Hedge, HedgeDeps } from '../policies/resilience/hedging/hedge.ts';
import type { QueuePolicy } from '../policies/resilience/queueing/queue-policy.ts';
import type { RetryDeps, RetryPolicy } from '../policies/resilience/retries/retry.ts';

/** For one variant. */
export interface PolicyMakers {
  /** Of the variant; edges may have another. */
  readonly balancerName: string;
  /** Whether any policy of any edge or service is the user's code. */
  readonly isUserPolicy: boolean;
  /** Files of the user's policies, to tell their errors from ours. */
  readonly userFiles: readonly string[];
  /** As the scenario's `edges`. */
  readonly edges: readonly EdgeMakers[];
  /** As the scenario's `services`. */
  readonly services: readonly ServiceMakers[];
  readonly cluster: ClusterMakers;
}

/** Called once. */
export interface ClusterMakers {
  readonly scheduler?: (deps: SchedulerDeps) => Scheduler;
  readonly nodeAutoscaler?: (deps: NodeAutoscalerDeps) => NodeAutoscaler;
  readonly nodeDetector?: (deps: DetectorDeps) => Detector;
  readonly eviction?: (deps: EvictionDeps) => NodeEviction;
  readonly store?: (deps: StoreDeps) => ConfigStore;
  /** Once per controller. */
  readonly election?: (deps: ElectorDeps) => Elector;
  /** Once per host. */
  readonly propagation?: (deps: AgentDeps) => ConfigAgent;
}

/** Called once per client of the edge. What is absent is not there: nothing is retried, every instance is believed alive. */
export interface EdgeMakers {
  readonly balancerName: string;
  /** Whether the balancer is the user's code. */
  readonly isUserPolicy: boolean;
  readonly balancer: (deps: BalancerDeps) => Balancer;
  readonly detector?: (deps: DetectorDeps) => Detector;
  readonly membership?: (deps: MembershipDeps) => Membership;
  readonly healthCheck?: (deps: HealthCheckerDeps) => HealthChecker;
  readonly outlier?: (deps: OutlierDetectorDeps) => OutlierDetector;
  readonly discovery?: (deps: DiscoveryDeps) => DiscoveryClient;
  readonly retry?: (deps: RetryDeps) => RetryPolicy;
  readonly budget?: (deps: object) => RetryBudget;
  readonly hedge?: (deps: HedgeDeps) => Hedge;
  readonly breaker?: (deps: BreakerDeps) => Breaker;
  readonly admission?: (deps: AdmissionDeps) => Admission;
  readonly failover?: (deps: FailoverDeps) => Failover;
  /** By name of a version of the called service that sets something for clients: the same for clients that have it. */
  readonly versions?: Readonly<Record<string, Omit<EdgeMakers, 'versions'>>>;
}

/** Called once per instance of the service. */
export interface ServiceMakers {
  readonly registry?: (deps: RegistryDeps) => Registry;
  readonly restart?: (deps: RestartDeps) => RestartPolicy;
  readonly shedding?: (deps: AdmissionDeps) => Admission;
  readonly queueing?: (deps: object) => QueuePolicy;
  /** Once per service. */
  readonly autoscaler?: (deps: AutoscalerDeps) => Autoscaler;
  /** Once per service. */
  readonly alarm?: (deps: object) => Alarm;
  readonly vertical?: (deps: VerticalDeps) => VerticalRecommender;
  /** Once per service. Where there is one, instances come and go. */
  readonly replicas?: (deps: ReplicaDeps) => ReplicaController;
  /** Once per controller and kind of change; present where something is rolled out to the service. */
  readonly rollout?: (deps: RolloutDeps) => Rollout;
  /** How many instances the autoscaler may ask for; absent without. */
  readonly mostReplicas?: number;
}
