/** `policies check`: tries a policy, built in or of one's own, against everything it owes its driver, before any scenario depends on
 *  it. The checks run on a thread of their own, so that a pick that never returns, a leak or a call of process.exit() ends the thread
 *  and is reported like any other violation. */
import { Worker } from 'node:worker_threads';
import { InputError } from '../core/errors.ts';
import { resolvePolicy } from '../core/policy-table.ts';
import { dataFilesAt } from '../scenario/load.ts';
import { parseScenario } from '../scenario/parse.ts';
import { roleNames, roles } from '../scenario/roles.ts';
import type { Scenario } from '../scenario/spec.ts';
import type { FromCheckWorker } from './check-policy-worker.ts';
import { type CheckedRole, type CheckRequest, type PolicyCheck, policyChecks } from './policy-checks.ts';

export interface CheckPolicyOptions {
  /** Parameters that differ from their defaults, as `name=value`. */
  readonly params?: readonly string[];
  /** What a policy of one's own is (a balancer by default), or which of several built-in ones of that name is meant. An admission policy is
   *  tried at the caller; as `shedding`, at the instances. */
  readonly role?: CheckedRole;
  /** Lets the policy be loaded from outside the current folder. */
  readonly allowOutside?: boolean;
  /** How long one check may take; 30 seconds by default. */
  readonly timeLimitMs?: number;
  /** What the policy itself prints. */
  onOutput?(text: string): void;
}

export interface PolicyReport {
  readonly policy: string;
  readonly role: CheckedRole;
  /** In the order they ran. Ends early after a check that did not come back. */
  readonly checks: readonly PolicyCheck[];
}

/** `use` as in a scenario: a name of the tables, `./mine.ts#Mine` relative to the current folder, or `package#Export`. Throws InputError
 *  when there is no such policy, or it does not know the parameters. */
export async function checkPolicy(use: string, options: CheckPolicyOptions = {}): Promise<PolicyReport> {
  const request = await checkRequest(use, options);
  // Run from TypeScript sources (tests), there is no compiled worker to start.
  const isCompiled = import.meta.url.endsWith('.js');
  return { policy: use, role: request.role, checks: isCompiled ? await onThread(request, options) : await inline(request) };
}

/** What is to be checked, resolved: what the checks themselves take. */
export async function checkRequest(use: string, options: CheckPolicyOptions = {}): Promise<CheckRequest> {
  const role = options.role ?? roleOf(use);
  return { role, name: use, scenario: await scenarioWith(use, role, options) };
}

/** Throws InputError when the name is known in several roles. What nobody knows is tried as a balancer, which then says so. */
function roleOf(use: string): CheckedRole {
  // Admission policies and detectors are listed twice; at the caller comes first.
  const candidates = roleNames.filter((role) => role !== 'shedding' && role !== 'nodeDetector');
  const byName = candidates.filter((role) => Object.hasOwn(roles[role].table, use));
  const found = byName.length > 0 ? byName : candidates.filter((role) => resolvePolicy(roles[role].table, use).kind === 'found');
  if (found.length > 1) {
    const meanings = found.map((role) => `${roles[role].noun} (${role})`);
    throw InputError.of(
      'ambiguous-policy',
      `"${use}" is several things: ${meanings.join(', ')}`,
      `say which role: ${found.join(', ')}`,
    );
  }
  return found[0] ?? 'balancer';
}

/** Small, but with all that can happen: instances that differ, are slow, crash and fail; a detector that notices; keys, timeouts, two
 *  classes and two clients at once. */
const world = `scenario: 1
name: policy-check
run: { duration: 20s, warmup: 0s, seeds: [first, other] }
classes: { gold: { priority: 0, tenant: acme }, bronze: { priority: 1 } }
services:
  api:
    instances: [{ count: 4 }, { count: 2, weight: 2, speed: 2 }]
    zones: [a, b]
    slots: 2
    queue: 20
    work: { type: exponential, mean: 20ms }
traffic:
  - to: api
    arrivals: { type: poisson, rate: 400/s }
    balancers: 2
    timeout: 300ms
    keys: { count: 100 }
    classes: { gold: 60%, bronze: 40% }
faults:
  - { type: slow, target: api/0, at: 3s, for: 5s, factor: 5 }
  - { type: crash, target: api/1, at: 6s, for: 4s }
  - { type: errors, target: api/2, at: 10s, for: 4s, share: 30% }
  - { type: zone-outage, zone: b, at: 15s, for: 2s }
policies:
  balancer: p2c
  detector: { use: heartbeat, every: 200ms, misses: 3 }
`;

const onNodes = ['nodes={"pool":{"count":4,"max":6,"cpu":4,"zones":["a","b"]}}'];
/** Something is rolled out, and not all of it is good; those who decide it and bring it there meet trouble. */
const changing = (kind: 'release' | 'config', faults: readonly object[], controllers: number): readonly string[] => [
  'services.api.versions={"v2":{},"v3":{"effects":[{"type":"errors","share":"20%","zones":["b"]}]}}',
  `changes=${JSON.stringify([
    { type: kind, at: '1s', service: 'api', version: 'v2' },
    { type: kind, at: '10s', service: 'api', version: 'v3' },
  ])}`,
  `delivery={"controllers":${controllers}}`,
  ...(faults.length === 0 ? [] : [`faults=${JSON.stringify(faults)}`]),
];
const storeOutage = { type: 'store-outage', at: '4s', for: '3s' };
const controllerPause = { type: 'controller-pause', at: '9s', for: '8s' };
const distributorOutage = { type: 'distributor-outage', at: '9s', for: '3s' };

/** What a role does nothing without: somebody must want to retry before a budget is asked, and there must be nodes to place on. */
const companions: Readonly<Partial<Record<CheckedRole, readonly string[]>>> = {
  rollout: changing('release', [], 1),
  store: changing('release', [storeOutage, controllerPause], 2),
  election: changing('release', [storeOutage, controllerPause], 2),
  propagation: changing('config', [storeOutage, distributorOutage], 1),
  budget: ['policies.retry="immediate"'],
  ...{ scheduler: onNodes, nodeAutoscaler: onNodes, nodeDetector: onNodes, eviction: onNodes },
};

async function scenarioWith(
  use: string,
  role: CheckedRole,
  { params = [], allowOutside = false }: CheckPolicyOptions,
): Promise<Scenario> {
  const overrides = [
    ...(companions[role] ?? []),
    `policies.${role}=${JSON.stringify(use)}`,
    ...params.map((assignment) => `policies.${role}.${assignment}`),
  ];
  try {
    return (await parseScenario(world, 'policy-check', { overrides, data: dataFilesAt('.', allowOutside) })).scenario;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(
      error.issues.map(({ severity, code, path, message, hint }) => ({
        ...{ severity, code, path: path.slice(2) },
        ...inOurWords(message, hint),
      })),
    );
  }
}

/** There is no scenario file here that anything could be relative to, or come from. */
const inOurWords = (message: string, hint?: string) => ({
  message: message.replace(/ \(from --set\)$/, ''),
  ...(hint === undefined ? {} : { hint: hint.replace('relative to the scenario file', 'relative to the current folder') }),
});

async function inline(request: CheckRequest): Promise<readonly PolicyCheck[]> {
  const checks: PolicyCheck[] = [];
  for await (const check of policyChecks(request)) checks.push(check);
  return checks;
}

const memoryMiB = 1024;
const lingerMs = 1000;

async function onThread(
  request: CheckRequest,
  { timeLimitMs = 30_000, onOutput }: CheckPolicyOptions,
): Promise<readonly PolicyCheck[]> {
  const checks: PolicyCheck[] = [];
  let running = '';
  let limit: NodeJS.Timeout | undefined;
  const worker = new Worker(new URL('./check-policy-worker.js', import.meta.url), {
    workerData: request,
    resourceLimits: { maxOldGenerationSizeMb: memoryMiB },
    stdout: true,
    stderr: true,
  });
  for (const stream of [worker.stdout, worker.stderr]) stream.on('data', (chunk: Buffer) => onOutput?.(String(chunk)));
  const userFile = request.scenario.policies[request.role]?.module?.path;
  let isDone = false;
  // Undefined when all checks have run, else why they have not.
  const end = new Promise<string | undefined>((resolve, reject) => {
    worker.on('message', (message: FromCheckWorker) => {
      if (message.type === 'end') {
        checks.push(message.check);
        return;
      }
      clearTimeout(limit);
      if (message.type === 'begin') {
        running = message.name;
        limit = setTimeout(() => resolve(`did not come back within ${timeLimitMs / 1000} s`), timeLimitMs);
      } else {
        isDone = true;
        // The thread ends by itself once its output is out, unless the policy left a timer running.
        limit = setTimeout(() => resolve(undefined), lingerMs);
      }
    });
    worker.on('error', (error: Error & { code?: string }) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY') resolve(`needed more than ${memoryMiB} MiB of memory`);
      else if (userFile !== undefined && error.stack?.includes(userFile) === true)
        resolve(`threw ${error.name} when nobody had called it: ${error.message}`);
      else reject(error);
    });
    worker.on('exit', () => resolve(isDone ? undefined : 'ended the process'));
  });
  try {
    const violation = await end;
    return violation === undefined
      ? checks
      : [...checks, { name: running, violations: [`${violation}; nothing more was tried`] }];
  } finally {
    clearTimeout(limit);
    await worker.terminate();
  }
}
