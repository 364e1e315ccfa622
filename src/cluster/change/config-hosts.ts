/** Who is a host of a service's configuration: its instances where a version that comes or goes does something to them, and the clients of its
 *  callers where one sets something for those. Clients, too, if all that is rolled out does nothing. */
import type { PolicyMakers } from '../../scenario/makers.ts';
import type { Scenario } from '../../scenario/spec.ts';
import type { Client } from '../client.ts';
import type { Fleet } from '../fleet.ts';
import type { ConfigHostOf } from './config-change.ts';

/** By name, with whether it is there from the beginning: `api/3`, and `web->api#0` for the first client of that edge. */
export type ConfigHosts = Map<string, { readonly of: ConfigHostOf; readonly isThere: boolean }>;

export interface HostsOf {
  readonly scenario: Omit<Scenario, 'variants'>;
  readonly makers: PolicyMakers;
  readonly fleet: Fleet;
  readonly clients: readonly Client[];
  isUp(instance: number): boolean;
}

export function configHosts(service: number, { scenario, makers, fleet, clients, isUp }: HostsOf): ConfigHosts {
  const { changes = [], services } = scenario;
  const { versions = [] } = services[service];
  const own = changes.filter((change) => change.service === service);
  const names = new Set(own.flatMap(({ kind, version }) => (kind === 'config' ? [version] : [])));
  const told = versions.filter(({ name }) => names.has(name));
  // What the first version does ends with the next one, where that takes its place.
  const ending = own.some(({ kind }) => kind === 'release') ? [] : versions.slice(0, 1);
  const isOfInstances = [...told, ...ending].some(({ effects }) => effects.length > 0);
  const hosts: ConfigHosts = new Map();
  if (isOfInstances) {
    for (let instance = fleet.base[service]; instance < fleet.base[service + 1]; instance++) {
      const of = { instance, slot: instance - fleet.base[service] };
      hosts.set(fleet.ids[instance], { of, isThere: isUp(instance) });
    }
  }
  if (isOfInstances && told.every((version) => version.clients === undefined)) return hosts;
  const numbers = new Map<string, number>();
  for (const client of clients) {
    const { name, queue } = client.spec;
    if (client.spec.service !== service || queue >= 0) continue;
    const number = numbers.get(name) ?? 0;
    numbers.set(name, number + 1);
    const isConfigurable = makers.edges[client.edge].versions !== undefined || !isOfInstances;
    if (isConfigurable) hosts.set(`${name}#${number}`, { of: { client }, isThere: true });
  }
  return hosts;
}
