/** What `policies check` looks at, one check after another: the contract of the policy's family, and what only a look from outside can
 *  tell: a simulated run repeated, the ambient sources of time and randomness fenced off, the heap before and after many picks. */
import { simulate } from '../cluster/index.ts';
import { PolicyFault } from '../core/errors.ts';
import type { Rng } from '../core/rng.ts';
import { Streams } from '../core/streams.ts';
import { balancerRules, BalancerTrial, type MakeBalancer } from '../policies/balancing/contract.ts';
import { detectorRules, type MakeDetector } from '../policies/detection/contract.ts';
import type { DetectorDeps } from '../policies/detection/detector.ts';
import { makePolicies, type Makers } from '../scenario/make-policies.ts';
import type { Scenario } from '../scenario/spec.ts';
import { guarded } from './guard.ts';
import { heapGrowth } from './heap-growth.ts';

export interface PolicyCheck {
  /** A sentence that the policy should make true. */
  readonly name: string;
  /** What was found against it; none is good. */
  readonly violations: readonly string[];
}

export type CheckedRole = 'balancer' | 'detector';

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
  const methods = role === 'balancer' ? 'pick() and update()' : 'onHeartbeat(), watch(), nextTimerMs() and onTimer()';
  const first = `can be loaded and made, with ${methods}`;
  onBegin(first);
  let subject: Subject;
  try {
    const makers = await makePolicies(scenario.policies);
    subject = { name, scenario, makers };
  } catch (error) {
    if (!(error instanceof PolicyFault)) throw error;
    yield { name: first, violations: [error.message] };
    return;
  }
  const { makeBalancer, makeDetector } = subject.makers;
  const violations = foundBy(
    () => (role === 'balancer' ? makeBalancer({ rng: anyRng() }) : makeDetector!(anyDeps()), []),
    subject,
  );
  yield { name: first, violations };
  if (violations.length > 0) return;
  for (const check of role === 'balancer' ? balancerChecks(subject) : detectorChecks(subject)) {
    onBegin(check.name);
    yield { name: check.name, violations: foundBy(check.find, subject) };
  }
}

interface Subject {
  readonly name: string;
  readonly scenario: Scenario;
  readonly makers: Makers;
}

interface Check {
  readonly name: string;
  readonly find: () => readonly string[];
}

function balancerChecks(subject: Subject): readonly Check[] {
  const make: MakeBalancer = (rng) => subject.makers.makeBalancer({ rng });
  return [
    ...balancerRules.map((rule) => ({ name: rule.name, find: () => rule.check(make) })),
    ...worldChecks(subject),
    { name: 'allocates nothing in picks', find: () => allocations(new BalancerTrial(make, 30)) },
  ];
}

function detectorChecks(subject: Subject): readonly Check[] {
  const make: MakeDetector = (deps) => subject.makers.makeDetector!(deps);
  return [...detectorRules.map((rule) => ({ name: rule.name, find: () => rule.check(make) })), ...worldChecks(subject)];
}

function worldChecks({ name, makers, scenario }: Subject): readonly Check[] {
  const [seed, otherSeed] = scenario.run.seeds;
  // As a user's, whoever's it is: then what it does wrong is a fault of the policy and not of the simulator.
  const run = (from: string) => simulate({ scenario, variant: 0, seed: from, makers: { ...makers, isUserPolicy: true } });
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

const picks = 100_000;
/** A hundred thousand of the smallest object are 1.6 MB; a tenth of that leaves room for the engine's own bookkeeping. */
const allowedBytes = 160_000;

function allocations({ balancer }: BalancerTrial): readonly string[] {
  const context = { nowMs: 1000, attempt: 0, hasHash: true, hashHigh: 0, hashLow: 0 };
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
const anyDeps = (): DetectorDeps => ({ rng: anyRng(), sink: { believe: () => undefined } });

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
