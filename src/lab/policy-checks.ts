/** What `policies check` looks at, one check after another: the contract of the policy's family, and what only a look from outside can
 *  tell: a simulated run repeated, the ambient sources of time and randomness fenced off, the heap before and after many picks. */
import { simulate } from '../cluster/index.ts';
import { PolicyFault } from '../core/errors.ts';
import { Streams } from '../core/streams.ts';
import { balancerRules, BalancerTrial } from '../policies/balancing/contract.ts';
import { detectorRules } from '../policies/detection/contract.ts';
import type { Makers } from '../scenario/make-policies.ts';
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

export interface CheckSubject {
  readonly role: CheckedRole;
  /** Its name as given, for complaints. */
  readonly name: string;
  readonly makers: Makers;
  /** A small world in which the policy has its role; with two seeds. */
  readonly scenario: Scenario;
}

/** Runs all checks; only the first if the policy cannot even be made. `onBegin` hears the name of each before it starts. */
export function* policyChecks(subject: CheckSubject, onBegin: (name: string) => void = () => undefined): Generator<PolicyCheck> {
  for (const { name, find, isVital } of checksOf(subject)) {
    onBegin(name);
    const violations = foundBy(find, subject);
    yield { name, violations };
    if (isVital === true && violations.length > 0) return;
  }
}

interface Check {
  readonly name: string;
  find(): readonly string[];
  /** Without it the others say nothing. */
  readonly isVital?: boolean;
}

function checksOf(subject: CheckSubject): readonly Check[] {
  return subject.role === 'balancer' ? balancerChecks(subject) : detectorChecks(subject);
}

function balancerChecks({ makers, ...subject }: CheckSubject): readonly Check[] {
  const make = (rng: Parameters<Makers['makeBalancer']>[0]['rng']) => makers.makeBalancer({ rng });
  return [
    { name: 'can be made, with pick() and update()', isVital: true, find: () => (make(anyRng()), []) },
    ...balancerRules.map((rule) => ({ name: rule.name, find: () => rule.check(make) })),
    ...worldChecks({ makers, ...subject }),
    { name: 'allocates nothing in picks', find: () => allocations(new BalancerTrial(make, 30)) },
  ];
}

function detectorChecks({ makers, ...subject }: CheckSubject): readonly Check[] {
  const make: NonNullable<Makers['makeDetector']> = (deps) => {
    if (makers.makeDetector === undefined) throw new PolicyFault(subject.name, `${subject.name} makes no detector`);
    return makers.makeDetector(deps);
  };
  const deps = () => ({ rng: anyRng(), sink: { believe: () => undefined } });
  return [
    {
      name: 'can be made, with onHeartbeat(), watch(), nextTimerMs() and onTimer()',
      isVital: true,
      find: () => (make(deps()), []),
    },
    ...detectorRules.map((rule) => ({ name: rule.name, find: () => rule.check(make) })),
    ...worldChecks({ makers, ...subject }),
  ];
}

function worldChecks({ name, makers, scenario }: CheckSubject): readonly Check[] {
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
        return first === again ? [] : [`the same seed gave ${first} and then ${again}: something outlives the instance, or chance gets in`];
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
  return [`${picks} picks left ${bytes} bytes on the heap, ${Math.round(bytes / picks)} each; ${allowedBytes} are allowed for all`];
}

const anyRng = () => new Streams('check').stream('policy');

/** An exception is a violation too. */
function foundBy(find: () => readonly string[], { name, makers }: CheckSubject): readonly string[] {
  try {
    return find();
  } catch (error) {
    if (error instanceof PolicyFault) return [error.message];
    if (!(error instanceof Error)) return [`${name} threw ${String(error)}`];
    const place = (error.stack ?? '').split('\n').find((line) => makers.userFiles.some((file) => line.includes(file)));
    return [`${name} threw ${error.name}: ${error.message}${place === undefined ? '' : ` ${place.trim()}`}`];
  }
}
