/** Mistakes and warnings about instances that come and go: keys that change nothing where they do not, instances that no node can take,
 *  policies with nothing to decide. In any variant. */
import type { Path } from '../core/issue.ts';
import { formatCpu, formatMemory } from '../core/quantity.ts';
import { fitsBeside } from '../policies/placement/fits-beside.ts';
import { type NodeView, type PodView, tolerating } from '../policies/placement/scheduler.ts';
import { nodeLabels } from '../policies/placement/well-known-labels.ts';
import type { Variant } from './compare.ts';
import type { World } from './compile.ts';
import type { Complaints } from './complaints.ts';
import { layersOfEdge, resolveRole } from './resolve-role.ts';
import type { Role } from './roles.ts';
import type { NodeGroupSpec, PolicyChoice, ServiceSpec } from './spec.ts';

interface Case {
  readonly world: World;
  readonly choice: PolicyChoice;
}

export function judgeOrchestration(variants: readonly Variant[], base: World, complaints: Complaints): void {
  const cases = variants.map((variant): Case => ({ choice: variant.policies, world: variant.world ?? base }));
  base.services.forEach((service, index) => {
    complainOfNoRoom(service, base.nodes, complaints);
    if (!cases.some((each) => isElastic(each, index))) warnOfFixedInstances(service.name, complaints);
  });
  if (cases.every(({ world }) => world.nodes.length === 0)) warnOfNoNodes(base, complaints);
  else warnOfZones(base, complaints);
  const measures = (role: Role): boolean => cases.some((each) => each.world.services.some((_, index) => uses(role, each, index)));
  // Roll-outs decide by what is scraped.
  const isChanging = cases.some(({ world }) => (world.changes ?? []).length > 0);
  if (complaints.has(['metrics']) && !measures('autoscaler') && !measures('alarm') && !isChanging) {
    const hint = 'add policies.autoscaler, policies.alarm or changes';
    complaints.warn('idle', ['metrics'], 'nobody looks at what is measured', hint);
  } else if (complaints.has(['metrics', 'watch']) && !measures('alarm')) {
    complaints.warn('idle', ['metrics', 'watch'], 'there is no alarm to watch it', 'add policies.alarm');
  }
  warnOfOneSite(cases, complaints);
}

const uses = (role: Role, { world, choice }: Case, service: number): boolean =>
  resolveRole(role, [world.services[service].policies, choice]) !== undefined;

const isElastic = (each: Case, service: number): boolean =>
  each.world.nodes.length > 0 ||
  uses('autoscaler', each, service) ||
  uses('replicas', each, service) ||
  (each.world.changes ?? []).some((change) => change.kind === 'release' && change.service === service);

/** Keys that matter only where instances come and go. */
const elasticOnly = [
  ...['maxInstances', 'imagePull', 'readiness', 'endpointDelay', 'shutdown', 'placement', 'disruptionBudget'],
  'targetUtilization',
] as const;

function warnOfFixedInstances(name: string, complaints: Complaints): void {
  for (const key of elasticOnly) {
    if (!complaints.has(['services', name, key])) continue;
    complaints.warn(
      'idle',
      ['services', name, key],
      `the instances of ${name} are there for ever: ${key} changes nothing`,
      'add policies.autoscaler, policies.replicas, nodes or a release',
    );
  }
}

function warnOfNoNodes({ services }: World, complaints: Complaints): void {
  for (const role of ['scheduler', 'nodeAutoscaler', 'nodeDetector', 'eviction'] as const) {
    const path: Path | undefined = [
      ['policies', role],
      ['compare', role],
    ].find((each) => complaints.has(each));
    if (path !== undefined) complaints.warn('idle', path, 'there are no nodes', 'write nodes: { general: { count: 3, cpu: 4 } }');
  }
  for (const { name } of services) {
    if (!complaints.has(['services', name, 'placement'])) continue;
    complaints.warn('idle', ['services', name, 'placement'], 'there are no nodes to choose from', 'write nodes: { ... }');
  }
}

/** Instances are where their nodes are. */
function warnOfZones({ services }: World, complaints: Complaints): void {
  for (const { name } of services) {
    if (!complaints.has(['services', name, 'zones'])) continue;
    const hint = 'leave it out; placement.spread spreads instances over zones';
    complaints.warn('idle', ['services', name, 'zones'], 'instances are in the zones of their nodes', hint);
  }
}

function complainOfNoRoom(service: ServiceSpec, groups: readonly NodeGroupSpec[], complaints: Complaints): void {
  if (
    groups.length === 0 ||
    groups.some((group) => group.zones.some((zone) => fitsBeside(podOf(service), nodeOf(group, zone), [])))
  )
    return;
  const { cpu, memory } = service.elastic;
  const largest = groups.reduce((most, group) => (group.cpu > most.cpu ? group : most));
  const isTooLarge = groups.every((group) => cpu > group.cpu || memory > group.memory);
  const needs = `${formatCpu(cpu)} cores${memory > 0 ? ` and ${formatMemory(memory)}` : ''}`;
  const message = isTooLarge
    ? `an instance of ${service.name} needs ${needs}, more than any node has`
    : `no node may take an instance of ${service.name}: labels, taints or resources forbid it`;
  const hint = isTooLarge
    ? `${largest.name} has ${formatCpu(largest.cpu)} cores`
    : 'see placement.nodeLabels and placement.tolerates';
  complaints.error('never-placed', ['services', service.name], message, hint);
}

const podOf = ({ elastic }: ServiceSpec): PodView => ({
  ...{ pod: 0, labels: {}, priority: elastic.priority, spread: [], nodeSelector: elastic.nodeLabels },
  requests: { cpu: elastic.cpu, ...(elastic.memory > 0 ? { memory: elastic.memory } : {}) },
  tolerations: elastic.tolerates.map(tolerating),
  startedAtMs: Infinity,
  isTerminating: false,
});

const nodeOf = ({ name, labels, taints, cpu, memory, pods }: NodeGroupSpec, zone: string): NodeView => ({
  ...{ node: 0, name, taints, speed: 1, latencyMs: 0 },
  labels: { ...labels, ...nodeLabels(name, zone, `${name}/0`) },
  allocatable: { cpu, pods, memory: Math.min(memory, Number.MAX_SAFE_INTEGER) },
});

function warnOfOneSite(cases: readonly Case[], complaints: Complaints): void {
  const path: Path | undefined = [
    ['policies', 'failover'],
    ['compare', 'failover'],
  ].find((each) => complaints.has(each));
  if (path === undefined) return;
  const hasChoice = cases.some(({ world, choice }) =>
    world.edges.some((edge) => {
      const { instances } = world.services[edge.service];
      const isUsed = resolveRole('failover', layersOfEdge(edge, world.services, choice)) !== undefined;
      return isUsed && (world.nodes.length > 0 || new Set(instances.map(({ zone }) => zone)).size > 1);
    }),
  );
  if (!hasChoice)
    complaints.warn('idle', path, 'every service is in one zone: there is nowhere else to go', 'write zones: [a, b]');
}
