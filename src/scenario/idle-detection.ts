/** Warnings about failures and their detection: requests that would wait for ever, registries that nobody asks, detectors that can never
 *  act. In any variant. */
import type { Path } from '../core/issue.ts';
import { formatDuration, formatFraction } from '../core/quantity.ts';
import type { Ms } from '../core/time.ts';
import { mayEject } from '../policies/detection/outliers/envoy.ts';
import type { Variant } from './compare.ts';
import type { World } from './compile.ts';
import type { Complaints } from './complaints.ts';
import { isPublishing, layersOfEdge, resolveRole } from './resolve-role.ts';
import type { Role } from './roles.ts';
import { limits } from './shape-parts.ts';
import type { EdgeSpec, FaultSpec, PolicyChoice, PolicyUse } from './spec.ts';

interface Case {
  readonly world: World;
  readonly choice: PolicyChoice;
}

export function warnOfIdleDetection(variants: readonly Variant[], base: World, complaints: Complaints): void {
  const cases = variants.map((variant): Case => ({ choice: variant.policies, world: variant.world ?? base }));
  for (const { world } of cases) world.faults.forEach((fault, index) => warnOfWaits(fault, index, world, complaints));
  const isAsked = cases.some((each) => usesOf('discovery', each).some(({ use }) => use.use !== 'static'));
  if (!isAsked) warnOfNoQuestions(base, cases, complaints);
  for (const each of cases) {
    for (const { use, instances } of usesOf('outlier', each)) warnOfNoEjections(use, instances, complaints);
    for (const { use } of usesOf('healthCheck', each)) warnOfSlowChecks(use, each.world.run.durationMs, complaints);
  }
}

/** What fills the role on each edge where something does, with the number of instances there. */
const usesOf = (role: Role, { world, choice }: Case): { readonly use: PolicyUse; readonly instances: number }[] =>
  world.edges
    .filter((edge) => edge.queue === -1)
    .flatMap((edge) => {
      const use = resolveRole(role, layersOfEdge(edge, world.services, choice));
      return use === undefined ? [] : [{ use, instances: world.services[edge.service].instances.length }];
    });

function warnOfWaits(fault: FaultSpec, index: number, world: World, complaints: Complaints): void {
  const until = waitsUntil(fault);
  if (until === undefined) return;
  const isMet = (edge: EdgeSpec): boolean =>
    ('link' in fault && fault.link.type === 'zones') || fault.targets.some(({ service }) => service === edge.service);
  const patient = world.edges.filter(
    (edge) =>
      !isPublishing(edge) &&
      edge.queue === -1 &&
      edge.timeoutMs === Infinity &&
      edge.attemptTimeoutMs === Infinity &&
      isMet(edge),
  );
  if (patient.length === 0) return;
  const names = patient.map(({ name }) => name).join(', ');
  const verb = patient.length === 1 ? 'has' : 'have';
  complaints.warn(
    'no-timeout',
    ['faults', index],
    `requests would wait ${until}: ${names} ${verb} neither timeout nor attemptTimeout`,
    'write timeout: 1s there',
  );
}

/** How long a request waits for an answer that the fault keeps back; undefined where it does not. */
function waitsUntil({ type, schedule }: FaultSpec): string | undefined {
  if (type === 'partition' || type === 'drop-responses') return 'for ever';
  if (type !== 'hang') return undefined;
  return schedule.type === 'once' && schedule.forMs === Infinity ? 'for ever' : 'until it is over';
}

function warnOfNoQuestions(base: World, cases: readonly Case[], complaints: Complaints): void {
  base.faults.forEach(({ type }, index) => {
    if (type !== 'discovery-outage') return;
    complaints.warn(
      'idle',
      ['faults', index],
      'nobody asks who there is, so nobody notices the outage',
      'add policies.discovery, as in discovery: registry-watch',
    );
  });
  const places: Path[] = [
    ['policies', 'registry'],
    ['compare', 'registry'],
    ...base.services.map(({ name }) => ['services', name, 'policies', 'registry']),
  ];
  for (const path of places) {
    if (!complaints.has(path) || !cases.some(hasRegistry)) continue;
    complaints.warn('idle', path, 'a registry that nobody asks changes nothing', 'add policies.discovery');
  }
}

const hasRegistry = ({ world, choice }: Case): boolean =>
  world.services.some(({ policies }) => resolveRole('registry', [policies, choice]) !== undefined);

/** The share that may be left out can be less than one instance. */
function warnOfNoEjections({ use, params }: PolicyUse, instances: number, complaints: Complaints): void {
  const limit = params as unknown as Parameters<typeof mayEject>[2];
  const { maxEjectionPercent: share } = limit;
  if (use === 'envoy' ? mayEject(0, instances, limit) : use !== 'grpc' || share > 0) return;
  let enough = instances;
  while (use === 'envoy' && share > 0 && enough < limits.instances && !mayEject(0, enough, limit)) enough++;
  const [key, value] = ['maxEjectionPercent', formatFraction(share)];
  if (use === 'grpc' || share === 0) {
    complaints.warn('idle', placeOf('outlier', complaints), `with ${key} ${value} ${use} leaves nobody out`, `raise ${key}`);
    return;
  }
  complaints.warn(
    'idle',
    placeOf('outlier', complaints),
    `with ${key} ${value} ${use} leaves nobody out of ${instances}: that takes ${enough} instances`,
    `raise ${key} to ${formatFraction(Math.ceil(100 / instances) / 100)}, or write alwaysEjectOneHost: true`,
  );
}

/** Failed checks in a row, and the time between them, by checker. */
const slowest: Readonly<Record<string, readonly [threshold: string, interval: string]>> = {
  envoy: ['unhealthyThreshold', 'interval'],
  haproxy: ['fall', 'inter'],
};

function warnOfSlowChecks({ use, params }: PolicyUse, durationMs: Ms, complaints: Complaints): void {
  if (!Object.hasOwn(slowest, use)) return;
  const [threshold, interval] = slowest[use];
  const checks = Number(params[threshold]);
  const needsMs = (checks - 1) * Number(params[interval]);
  if (needsMs < durationMs) return;
  complaints.warn(
    'idle',
    placeOf('healthCheck', complaints),
    `${use} needs ${formatDuration(needsMs)} for ${checks} failed checks in a row, the run lasts ${formatDuration(durationMs)}`,
    `lower ${threshold} or ${interval}`,
  );
}

/** Where the role is written, as far as one place can be named. */
const placeOf = (role: Role, complaints: Complaints): Path =>
  [
    ['policies', role],
    ['compare', role],
  ].find((each) => complaints.has(each)) ?? ['policies'];
