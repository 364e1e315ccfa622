/** Names of instances: `api/3`, `api/0..4`, `api/*`, `api@zone`. */
import type { Path } from '../core/issue.ts';
import { show } from '../core/quantity.ts';
import type { Complaints } from './complaints.ts';
import { knownHint } from './hints.ts';
import { type KnownService } from './services.ts';
import type { FaultSpec } from './spec.ts';

type Targets = FaultSpec['targets'];

/** In order, each instance once. Undefined after complaints, or when the instances cannot be told. */
export function findTargets(
  written: string | readonly string[],
  path: Path,
  services: readonly KnownService[],
  complaints: Complaints,
): Targets | undefined {
  if (typeof written === 'string') return findTarget(written, path, services, complaints);
  const found = written.map((target, index) => findTarget(target, [...path, index], services, complaints));
  if (!found.every((targets) => targets !== undefined)) return undefined;
  const byName = new Map(found.flat().map((target) => [`${target.service}/${target.instance}`, target]));
  return [...byName.values()].toSorted((a, b) => a.service - b.service || a.instance - b.instance);
}

function findTarget(written: string, path: Path, services: readonly KnownService[], complaints: Complaints): Targets | undefined {
  const complain = (message: string, hint: string): undefined => {
    complaints.error('unknown-target', path, message, hint);
  };
  const [, name, , range, zone] = /^([^/@]+)(\/(\*|\d{1,9}(?:\.\.\d{1,9})?)|@([^/@]+))?$/.exec(written) ?? [];
  if (name === undefined) return complain(`${show(written)} does not name instances`, 'write api/3, api/0..4, api/* or api@zone');
  const service = services.findIndex((candidate) => candidate.name === name);
  if (service === -1)
    return complain(
      `there is no service ${show(name)}`,
      knownHint(
        name,
        services.map((candidate) => candidate.name),
      ),
    );
  const { instances } = services[service];
  if (range === undefined && zone === undefined) {
    return complain(
      `${show(written)} is a service, not an instance`,
      `write ${name}/* for all of its instances, or ${name}/0 for the first`,
    );
  }
  if (instances === undefined) return undefined;
  const all = instances.map((_, instance) => ({ service, instance }));
  if (range === '*') return all;
  if (zone !== undefined) {
    const inZone = all.filter(({ instance }) => instances[instance].zone === zone);
    if (inZone.length > 0) return inZone;
    return complain(
      `no instance of ${name} is in zone ${show(zone)}`,
      knownHint(zone, [...new Set(instances.map((instance) => instance.zone))]),
    );
  }
  const [first, last = first] = range!.split('..').map(Number);
  if (first > last) return complain(`${show(written)} goes backwards`, `write ${name}/${last}..${first}`);
  if (last < instances.length) return all.slice(first, last + 1);
  const known = instances.length === 1 ? `${name}/0` : `${name}/0 to ${name}/${instances.length - 1}`;
  return complain(`there is no instance ${name}/${last}`, `numbers start at 0: ${known}`);
}
