/** The roles a policy can have in a scenario, each with the family that fills it. Another role is one more entry here and one more field
 *  of `PolicyChoice`. */
import type { ParamSpecs, ParamValues } from '../core/params.ts';
import type { PolicyAlias } from '../core/policy.ts';
import { autoscalers } from '../policies/autoscaling/index.ts';
import { nodeAutoscalers } from '../policies/autoscaling/nodes/index.ts';
import { verticalRecommenders } from '../policies/autoscaling/vertical/index.ts';
import { balancers } from '../policies/balancing/index.ts';
import { alarms } from '../policies/detection/alarms/index.ts';
import { healthCheckers } from '../policies/detection/checks/index.ts';
import { detectors } from '../policies/detection/index.ts';
import { outlierDetectors } from '../policies/detection/outliers/index.ts';
import { memberships } from '../policies/detection/swim/index.ts';
import { discoveryClients } from '../policies/discovery/index.ts';
import { registries } from '../policies/discovery/registries/index.ts';
import { schedulers } from '../policies/placement/index.ts';
import { nodeEvictions } from '../policies/recovery/eviction/index.ts';
import { failovers } from '../policies/recovery/failover/index.ts';
import { replicaControllers } from '../policies/recovery/replicas/index.ts';
import { restartPolicies } from '../policies/recovery/restarts/index.ts';
import { electors } from '../policies/rollout/elections/index.ts';
import { agents } from '../policies/rollout/propagation/index.ts';
import { stores } from '../policies/rollout/store/index.ts';
import { rollouts } from '../policies/rollout/strategies/index.ts';
import { admissions } from '../policies/resilience/admission/index.ts';
import { breakers } from '../policies/resilience/breakers/index.ts';
import { retryBudgets } from '../policies/resilience/budgets/index.ts';
import { hedges } from '../policies/resilience/hedging/index.ts';
import { queuePolicies } from '../policies/resilience/queueing/index.ts';
import { retryPolicies } from '../policies/resilience/retries/index.ts';
import type { PolicyRole } from './spec.ts';

/** A policy as far as scenarios are concerned: its deps are the business of those who make it. */
export interface Definition {
  readonly name: string;
  readonly summary: string;
  readonly useWhen: string;
  readonly failsWhen: string;
  readonly aliases: readonly PolicyAlias[];
  readonly params: ParamSpecs;
  create(params: ParamValues<ParamSpecs>, deps: unknown): unknown;
}

interface RoleInfo {
  /** As in `a balancer`. */
  readonly noun: string;
  readonly plural: string;
  readonly table: Readonly<Record<string, Definition>>;
  /** Whether `none` is a choice. */
  readonly mayBeNone: boolean;
  /** Where it stands: with the caller, one per client of an edge, or with the called service, or once for the cluster. */
  readonly at: 'edge' | 'service' | 'cluster';
  /** What an object in this role must be able to do. */
  readonly methods: readonly string[];
}

const role = (
  at: RoleInfo['at'],
  noun: string,
  plural: string,
  table: Readonly<Record<string, unknown>>,
  methods: readonly string[],
  mayBeNone = true,
): RoleInfo => ({ at, noun, plural, table: table as Readonly<Record<string, Definition>>, methods, mayBeNone });

export const roles: Readonly<Record<PolicyRole, RoleInfo>> = {
  balancer: role('edge', 'balancer', 'balancers', balancers, ['pick', 'update'], false),
  detector: role('edge', 'detector', 'detectors', detectors, ['onHeartbeat', 'watch', 'nextTimerMs', 'onTimer']),
  membership: role('edge', 'membership protocol', 'membership protocols', memberships, [
    'start',
    'join',
    'receive',
    'nextTimerMs',
    'onTimer',
  ]),
  healthCheck: role('edge', 'health checker', 'health checkers', healthCheckers, ['watch', 'onResult', 'nextTimerMs', 'onTimer']),
  outlier: role('edge', 'outlier detector', 'outlier detectors', outlierDetectors, ['watch', 'onEnd', 'nextTimerMs', 'onTimer']),
  discovery: role('edge', 'discovery client', 'discovery clients', discoveryClients, [
    'start',
    'onFetched',
    'nextTimerMs',
    'onTimer',
  ]),
  registry: role('service', 'registry', 'registries', registries, ['register', 'renew', 'query', 'nextTimerMs', 'onTimer']),
  restart: role('service', 'restart policy', 'restart policies', restartPolicies, ['restartAtMs', 'onRestarted']),
  retry: role('edge', 'retry policy', 'retry policies', retryPolicies, ['delayMs']),
  budget: role('edge', 'retry budget', 'retry budgets', retryBudgets, [
    'onRequest',
    'onSuccess',
    'onFailure',
    'tryWithdraw',
    'onRetryEnd',
    'balance',
  ]),
  hedge: role('edge', 'hedging policy', 'hedging policies', hedges, ['onRequest', 'onLatency', 'delayMs', 'tryHedge']),
  breaker: role('edge', 'circuit breaker', 'circuit breakers', breakers, ['acquire', 'settle', 'release', 'state', 'retryAtMs']),
  admission: role('edge', 'admission policy', 'admission policies', admissions, ['admit', 'onEnd', 'limit']),
  shedding: role('service', 'admission policy', 'admission policies', admissions, ['admit', 'onEnd', 'limit']),
  queueing: role('service', 'queue policy', 'queue policies', queuePolicies, ['onEnqueue', 'takesNewest', 'onDequeue']),
  alarm: role('service', 'alarm', 'alarms', alarms, ['update']),
  autoscaler: role('service', 'autoscaler', 'autoscalers', autoscalers, ['decide']),
  vertical: role('service', 'vertical recommender', 'vertical recommenders', verticalRecommenders, ['observe', 'recommend']),
  replicas: role('service', 'replica controller', 'replica controllers', replicaControllers, [
    'setDesired',
    'onCreated',
    'onPlaced',
    'onCreateFailed',
    'onReady',
    'onRestarted',
    'onGone',
    'nextTimerMs',
    'onTimer',
  ]),
  scheduler: role('cluster', 'scheduler', 'schedulers', schedulers, ['schedule']),
  nodeAutoscaler: role('cluster', 'node autoscaler', 'node autoscalers', nodeAutoscalers, ['decide']),
  nodeDetector: role('cluster', 'detector', 'detectors', detectors, ['onHeartbeat', 'watch', 'nextTimerMs', 'onTimer']),
  eviction: role('cluster', 'eviction policy', 'eviction policies', nodeEvictions, [
    'addNode',
    'removeNode',
    'setReady',
    'place',
    'unplace',
    'isTainted',
    'nextTimerMs',
    'onTimer',
  ]),
  failover: role('edge', 'failover policy', 'failover policies', failovers, ['report', 'nextTimerMs', 'onTimer']),
  // What is rolled out must be decided, kept and brought there somehow, so none of these may be none.
  rollout: role(
    'service',
    'roll-out strategy',
    'roll-out strategies',
    rollouts,
    ['start', 'command', 'step', 'nextTimerMs', 'snapshot', 'restore'],
    false,
  ),
  store: role(
    'cluster',
    'store',
    'stores',
    stores,
    [
      ...['get', 'list', 'put', 'compareAndSwap', 'delete', 'watch', 'unwatch', 'grantLease', 'keepAlive', 'revokeLease'],
      ...['acquire', 'release', 'holder', 'nextTimerMs', 'onTimer'],
    ],
    false,
  ),
  election: role(
    'cluster',
    'leader election',
    'leader elections',
    electors,
    ['start', 'stop', 'onAnswer', 'nextTimerMs', 'onTimer'],
    false,
  ),
  propagation: role(
    'cluster',
    'propagation agent',
    'propagation agents',
    agents,
    ['start', 'onMessage', 'onDisconnected', 'onRestarted', 'nextTimerMs', 'onTimer'],
    false,
  ),
};
export type Role = PolicyRole;
export const roleNames = Object.keys(roles) as readonly Role[];
export const isRole = (text: string): text is Role => Object.hasOwn(roles, text);

/** The role whose family has all of these policies. */
export const roleOf = (policies: Readonly<Record<string, { readonly name: string }>>): Role | undefined =>
  roleNames.find((each) => Object.values(policies).every((policy) => (roles[each].table[policy.name] as unknown) === policy));
