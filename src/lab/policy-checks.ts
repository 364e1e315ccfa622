/** What `policies check` looks at, one check after another: the contract of the policy's family, and what only a look from outside can
 *  tell: a simulated run repeated, the ambient sources of time and randomness fenced off, the heap before and after many picks. */
import { simulate } from '../cluster/index.ts';
import { PolicyFault } from '../core/errors.ts';
import type { Rng } from '../core/rng.ts';
import { Streams } from '../core/streams.ts';
import { balancerRules, BalancerTrial } from '../policies/balancing/contract.ts';
import { healthCheckerRules } from '../policies/detection/checks/contract.ts';
import { detectorRules } from '../policies/detection/contract.ts';
import { membershipRules } from '../policies/detection/swim/contract.ts';
import { electorRules } from '../policies/rollout/elections/contract.ts';
import { agentRules } from '../policies/rollout/propagation/contract.ts';
import { storeRules } from '../policies/rollout/store/contract.ts';
import { rolloutRules } from '../policies/rollout/strategies/contract.ts';
import { rolloutUnits } from '../policies/rollout/strategies/rollout.ts';
import { outlierRules } from '../policies/detection/outliers/contract.ts';
import { discoveryRules } from '../policies/discovery/contract.ts';
import { registryRules } from '../policies/discovery/registries/contract.ts';
import { restartRules } from '../policies/recovery/restarts/contract.ts';
import { admissionRules } from '../policies/resilience/admission/contract.ts';
import { breakerRules } from '../policies/resilience/breakers/contract.ts';
import { budgetRules } from '../policies/resilience/budgets/contract.ts';
import { hedgeRules } from '../policies/resilience/hedging/contract.ts';
import { queueRules } from '../policies/resilience/queueing/contract.ts';
import { alarmRules } from '../policies/detection/alarms/contract.ts';
import { autoscalerRules, type AutoscalerSubject } from '../policies/autoscaling/contract.ts';
import { nodesRules } from '../policies/autoscaling/nodes/contract.ts';
import { verticalRules } from '../policies/autoscaling/vertical/contract.ts';
import { schedulerRules } from '../policies/placement/contract.ts';
import { evictionRules } from '../policies/recovery/eviction/contract.ts';
import { failoverRules } from '../policies/recovery/failover/contract.ts';
import { replicaRules } from '../policies/recovery/replicas/contract.ts';
import { retryRules } from '../policies/resilience/retries/contract.ts';
import { makePolicies, type Makers } from '../scenario/make-policies.ts';
import type { ClusterMakers, EdgeMakers, ServiceMakers } from '../scenario/makers.ts';
import { roles } from '../scenario/roles.ts';
import type { PolicyRole, Scenario } from '../scenario/spec.ts';
import { guarded } from './guard.ts';
import { heapGrowth } from './heap-growth.ts';

export interface PolicyCheck {
  /** A sentence that the policy should make true. */
  readonly name: string;
  /** What was found against it; none is good. */
  readonly violations: readonly string[];
}

export type CheckedRole = PolicyRole;

/** Plain data, so that it can be sent to another thread. */
export interface CheckRequest {
  readonly role: CheckedRole;
  /** Its name as given, for complaints. */
  readonly name: string;
  /** A small world in which the policy has its role; with two seeds. */
  readonly scenario: Scenario;
}

/** Runs all checks; only the first if the policy cannot even be loaded and made. `onBegin` hears the name of each before it starts. */
export async function* policyChecks(
  { role, name, scenario }: CheckRequest,
  onBegin: (name: string) => void = () => undefined,
): AsyncGenerator<PolicyCheck> {
  const { methods } = roles[role];
  const named = methods.map((method) => `${method}()`);
  const first = `can be loaded and made, with ${[...named.slice(0, -2), named.slice(-2).join(' and ')].join(', ')}`;
  onBegin(first);
  let subject: Subject;
  try {
    const makers = await makePolicies(scenario.policies, scenario);
    subject = { name, role, scenario, makers };
  } catch (error) {
    if (!(error instanceof PolicyFault)) throw error;
    yield { name: first, violations: [error.message] };
    return;
  }
  const violations = foundBy(() => (makeOnce(subject), []), subject);
  yield { name: first, violations };
  if (violations.length > 0) return;
  for (const check of [...contracts[role](subject), ...worldChecks(subject), ...lastChecks(subject)]) {
    onBegin(check.name);
    yield { name: check.name, violations: foundBy(check.find, subject) };
  }
}

interface Subject {
  readonly name: string;
  readonly role: CheckedRole;
  readonly scenario: Scenario;
  readonly makers: Makers;
}

interface Check {
  readonly name: string;
  readonly find: () => readonly string[];
}

type Made = Required<EdgeMakers & ServiceMakers & ClusterMakers>;

/** The maker of the policy in its role. The world has one edge and one service, and the policy holds for both. */
function makerOf<Role extends CheckedRole>({ makers, role }: Subject, as: Role): Made[Role] {
  const maker = { ...makers.edges[0], ...makers.services[0], ...makers.cluster }[as] as Made[Role] | undefined;
  if (maker === undefined) throw new Error(`the world of the check has no ${role}`);
  return maker;
}

function makeOnce(subject: Subject): void {
  const make = makerOf(subject, subject.role) as (deps: object) => unknown;
  make({
    rng: anyRng(),
    sink: { believe: () => undefined, eject: () => undefined, update: () => undefined },
    self: 0,
    transport: { send: () => undefined },
    prober: { probe: () => undefined },
    host: { fetch: () => undefined, answer: () => undefined },
    configured: [],
    ...{ groups: [], sites: 1, epochMs: 0, specReplicas: 1, readyReplicas: 1 },
  });
}

/** A family's rules as checks on what `make` makes. */
function checksOf<Make>(rules: readonly { readonly name: string; check(make: Make): readonly string[] }[], make: Make): Check[] {
  return rules.map((rule) => ({ name: rule.name, find: () => rule.check(make) }));
}

/** With the bounds it is given, or would have. */
function scalerOf(subject: Subject): AutoscalerSubject {
  const { min, max } = subject.scenario.policies.autoscaler?.params ?? {};
  const own = (value: unknown, usual: number): number => (typeof value === 'number' ? value : usual);
  return { min: own(min, 1), max: own(max, 10), make: makerOf(subject, 'autoscaler') };
}

/** What the policy owes in its role. */
const contracts: Readonly<Record<CheckedRole, (subject: Subject) => Check[]>> = {
  balancer: (subject) => checksOf(balancerRules, (rng) => makerOf(subject, 'balancer')({ rng })),
  detector: (subject) => checksOf(detectorRules, makerOf(subject, 'detector')),
  membership: (subject) => checksOf(membershipRules, makerOf(subject, 'membership')),
  healthCheck: (subject) => checksOf(healthCheckerRules, makerOf(subject, 'healthCheck')),
  outlier: (subject) => checksOf(outlierRules, makerOf(subject, 'outlier')),
  discovery: (subject) => checksOf(discoveryRules, makerOf(subject, 'discovery')),
  registry: (subject) => checksOf(registryRules, makerOf(subject, 'registry')),
  restart: (subject) => checksOf(restartRules, makerOf(subject, 'restart')),
  retry: (subject) => checksOf(retryRules, makerOf(subject, 'retry')),
  budget: (subject) => checksOf(budgetRules, () => makerOf(subject, 'budget')({})),
  hedge: (subject) => checksOf(hedgeRules, makerOf(subject, 'hedge')),
  breaker: (subject) => checksOf(breakerRules, makerOf(subject, 'breaker')),
  admission: (subject) => checksOf(admissionRules, makerOf(subject, 'admission')),
  shedding: (subject) => checksOf(admissionRules, makerOf(subject, 'shedding')),
  queueing: (subject) => checksOf(queueRules, () => makerOf(subject, 'queueing')({})),
  alarm: (subject) => checksOf(alarmRules, () => makerOf(subject, 'alarm')({})),
  autoscaler: (subject) => checksOf(autoscalerRules, scalerOf(subject)),
  vertical: (subject) => checksOf(verticalRules, makerOf(subject, 'vertical')),
  replicas: (subject) => checksOf(replicaRules, makerOf(subject, 'replicas')),
  scheduler: (subject) => checksOf(schedulerRules, (rng) => makerOf(subject, 'scheduler')({ rng })),
  nodeAutoscaler: (subject) => checksOf(nodesRules, makerOf(subject, 'nodeAutoscaler')),
  nodeDetector: (subject) => checksOf(detectorRules, makerOf(subject, 'nodeDetector')),
  eviction: (subject) => checksOf(evictionRules, makerOf(subject, 'eviction')),
  failover: (subject) => checksOf(failoverRules, makerOf(subject, 'failover')),
  rollout: (subject) => checksOf(rolloutRules, { units: rolloutUnits, make: makerOf(subject, 'rollout') }),
  store: (subject) => checksOf(storeRules, makerOf(subject, 'store')),
  election: (subject) => checksOf(electorRules, makerOf(subject, 'election')),
  propagation: (subject) => checksOf(agentRules, makerOf(subject, 'propagation')),
};

function worldChecks({ name, makers, scenario }: Subject): readonly Check[] {
  const [seed, otherSeed] = scenario.run.seeds;
  // As a user's, whoever's it is: then what it does wrong is a fault of the policy and not of the simulator.
  const edges = makers.edges.map((edge) => ({ ...edge, isUserPolicy: true }));
  const run = (from: string) => simulate({ scenario, variant: 0, seed: from, makers: { ...makers, edges, isUserPolicy: true } });
  return [
    {
      name: 'asks for no time, timer or random number but what it is given',
      find: () => (guarded(name, () => run(seed)), []),
    },
    {
      name: 'repeats a simulated run to the bit',
      find: () => {
        const first = run(seed).digest;
        // Something else in between, for state that outlives an instance.
        run(otherSeed);
        const again = run(seed).digest;
        return first === again
          ? []
          : [`the same seed gave ${first} and then ${again}: something outlives the instance, or chance gets in`];
      },
    },
  ];
}

function lastChecks(subject: Subject): readonly Check[] {
  if (subject.role !== 'balancer') return [];
  const make = (rng: Rng) => makerOf(subject, 'balancer')({ rng });
  return [{ name: 'allocates nothing in picks', find: () => allocations(new BalancerTrial(make, 30)) }];
}

const picks = 100_000;
/** A hundred thousand of the smallest object are 1.6 MB; a tenth of that leaves room for the engine's own bookkeeping. */
const allowedBytes = 160_000;

function allocations({ balancer }: BalancerTrial): readonly string[] {
  const context = { nowMs: 1000, attempt: 0, previous: -1, hasHash: true, hashHigh: 0, hashLow: 0 };
  const bytes = heapGrowth(() => {
    for (let i = 0; i < picks; i++) {
      context.hashHigh = Math.imul(i, 0x9e3779b1) >>> 0;
      context.hashLow = i;
      balancer.pick(context);
    }
  }, allowedBytes);
  if (bytes < allowedBytes) return [];
  return [
    `${picks} picks left ${bytes} bytes on the heap, ${Math.round(bytes / picks)} each; ${allowedBytes} are allowed for all`,
  ];
}

const anyRng = (): Rng => new Streams('check').stream('policy');

/** An exception is a violation too. */
function foundBy(find: () => readonly string[], { name, makers }: Subject): readonly string[] {
  try {
    return find();
  } catch (error) {
    if (error instanceof PolicyFault) return [error.message];
    if (!(error instanceof Error)) return [`${name} threw ${String(error)}`];
    const place = (error.stack ?? '').split('\n').find((line) => makers.userFiles.some((file) => line.includes(file)));
    return [`${name} threw ${error.name}: ${error.message}${place === undefined ? '' : ` ${place.trim()}`}`];
  }
}
