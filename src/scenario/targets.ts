/** Names of instances: `api/3`, `api/0..4`, `api/*`, `api@zone`. */
import type { Path } from '../core/issue.ts';
import { show } from '../core/quantity.ts';
import type { Complaints } from './complaints.ts';
import { knownHint } from './hints.ts';
import { type KnownService } from './services.ts';
import { zoneOfNode } from './nodes.ts';
import type { FaultSpec, NodeGroupSpec } from './spec.ts';

type Targets = FaultSpec['targets'];

/** In order, each instance once. Undefined after complaints, or when the instances cannot be told. */
export function findTargets(
  written: string | readonly string[],
  path: Path,
  services: readonly KnownService[],
  complaints: Complaints,
  words = ofServices,
): Targets | undefined {
  if (typeof written === 'string') return findTarget(written, path, services, complaints, words);
  const found = written.map((target, index) => findTarget(target, [...path, index], services, complaints, words));
  if (!found.every((targets) => targets !== undefined)) return undefined;
  const byName = new Map(found.flat().map((target) => [`${target.service}/${target.instance}`, target]));
  return [...byName.values()].toSorted((a, b) => a.service - b.service || a.instance - b.instance);
}

type NodeTargets = NonNullable<FaultSpec['nodes']>;

/** The same for nodes: `general/3`, `general/0..4`, `general/*`, `general@zone`. Places that are empty at first count, too. */
export function findNodes(
  written: string | readonly string[],
  path: Path,
  groups: readonly NodeGroupSpec[],
  complaints: Complaints,
): NodeTargets | undefined {
  const services = groups.map((group): KnownService => ({
    name: group.name,
    instances: Array.from({ length: group.max }, (_, node) => ({
      zone: zoneOfNode(group, node),
      speed: 1,
      weight: 1,
      priority: 0,
    })),
  }));
  if (groups.length === 0) {
    complaints.error('unknown-target', path, 'there are no nodes', 'write nodes: { general: { count: 3, cpu: 4 } }');
    return undefined;
  }
  const found = findTargets(written, path, services, complaints, { thing: 'node', things: 'group of nodes', example: 'general' });
  return found?.map(({ service, instance }) => ({ group: service, node: instance }));
}

interface Words {
  readonly thing: string;
  readonly things: string;
  readonly example: string;
}
const ofServices: Words = { thing: 'instance', things: 'service', example: 'api' };

function findTarget(
  written: string,
  path: Path,
  services: readonly KnownService[],
  complaints: Complaints,
  { thing, things, example }: Words,
): Targets | undefined {
  const complain = (message: string, hint: string): undefined => {
    complaints.error('unknown-target', path, message, hint);
  };
  const [, name, , range, zone] = /^([^/@]+)(\/(\*|\d{1,9}(?:\.\.\d{1,9})?)|@([^/@]+))?$/.exec(written) ?? [];
  if (name === undefined) {
    const hint = `write ${example}/3, ${example}/0..4, ${example}/* or ${example}@zone`;
    return complain(`${show(written)} does not name ${thing}s`, hint);
  }
  const service = services.findIndex((candidate) => candidate.name === name);
  if (service === -1)
    return complain(
      `there is no ${things} ${show(name)}`,
      knownHint(
        name,
        services.map((candidate) => candidate.name),
      ),
    );
  const { instances } = services[service];
  if (range === undefined && zone === undefined) {
    return complain(
      `${show(written)} is a ${things}, not ${thing === 'node' ? 'a' : 'an'} ${thing}`,
      `write ${name}/* for all of its ${thing}s, or ${name}/0 for the first`,
    );
  }
  if (instances === undefined) return undefined;
  const all = instances.map((_, instance) => ({ service, instance }));
  if (range === '*') return all;
  if (zone !== undefined) {
    const inZone = all.filter(({ instance }) => instances[instance].zone === zone);
    if (inZone.length > 0) return inZone;
    return complain(
      `no ${thing} of ${name} is in zone ${show(zone)}`,
      knownHint(zone, [...new Set(instances.map((instance) => instance.zone))]),
    );
  }
  const [first, last = first] = range!.split('..').map(Number);
  if (first > last) return complain(`${show(written)} goes backwards`, `write ${name}/${last}..${first}`);
  if (last < instances.length) return all.slice(first, last + 1);
  const known = instances.length === 1 ? `${name}/0` : `${name}/0 to ${name}/${instances.length - 1}`;
  return complain(`there is no ${thing} ${name}/${last}`, `numbers start at 0: ${known}`);
}
