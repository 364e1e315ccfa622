/** Places for instances that are yet to come: a world has a fixed number of them, and whoever comes takes one that is empty. */
import type { PolicyMakers } from '../../scenario/makers.ts';
import type { FaultSpec, InstanceSpec, Scenario, ServiceSpec } from '../../scenario/spec.ts';
import { isChanged } from '../change/is-changed.ts';

/** Beside those that are wanted, for some that are still leaving while others come. */
const SPARE_SHARE = 0.5;
const SPARE_LEAST = 2;
/** Where two versions may be there side by side: so many of each, or four times as many as at first. Who has no limit does not get twice that. */
const DOUBLED_AT_MOST = 50;

type World = Omit<Scenario, 'variants'>;

/** The scenario with all places. Faults that mean every instance of a service also hit those that come later. */
export function withPlaces(scenario: World, makers: PolicyMakers): World {
  if (makers.services.every(({ replicas }) => replicas === undefined)) return scenario;
  const services = scenario.services.map((service, index) =>
    makers.services[index].replicas === undefined
      ? service
      : roomy(service, makers.services[index].mostReplicas ?? 0, isChanged(scenario, index, 'release')),
  );
  return { ...scenario, services, faults: scenario.faults.map((fault) => extended(fault, scenario.services, services)) };
}

/** `isDouble`: two versions of it may be there in full for a while. */
function roomy(service: ServiceSpec, mostReplicas: number, isDouble: boolean): ServiceSpec {
  const { instances, elastic } = service;
  const most = Math.max(instances.length, mostReplicas);
  const wanted = most + (isDouble ? Math.min(most, Math.max(DOUBLED_AT_MOST, 4 * instances.length)) : 0);
  const places = elastic.places ?? wanted + Math.max(SPARE_LEAST, Math.ceil(wanted * SPARE_SHARE));
  const zones = [...new Set(instances.map(({ zone }) => zone))];
  // Zones go on in turn; otherwise newcomers are as the last of those there.
  const more = Array.from({ length: Math.max(0, places - instances.length) }, (_, index): InstanceSpec => {
    return { ...instances.at(-1)!, zone: zones[(instances.length + index) % zones.length] };
  });
  return { ...service, instances: [...instances, ...more], initial: instances.length };
}

function extended(fault: FaultSpec, before: readonly ServiceSpec[], after: readonly ServiceSpec[]): FaultSpec {
  // Where there are nodes, they are what a zone loses.
  if (fault.everyOf === undefined || fault.nodes !== undefined) return fault;
  const more = fault.everyOf.flatMap(({ service, zone }) =>
    after[service].instances.flatMap((instance, index) => {
      const isNew = index >= before[service].instances.length;
      return isNew && (zone === undefined || instance.zone === zone) ? [{ service, instance: index }] : [];
    }),
  );
  const targets = [...fault.targets, ...more].toSorted((x, y) => x.service - y.service || x.instance - y.instance);
  return { ...fault, targets };
}
