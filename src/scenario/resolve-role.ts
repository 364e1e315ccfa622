/** Which policy fills a role on an edge or at a service, where several places may say so. */
import type { Role } from './roles.ts';
import type { EdgeSpec, PolicyChoice, PolicyOverrides, PolicyUse, Scenario, ServiceSpec } from './spec.ts';

/** The first layer that says something decides; null says that there is none. */
export function resolveRole(role: Role, layers: readonly PolicyOverrides[]): PolicyUse | undefined {
  for (const layer of layers) {
    const use = layer[role];
    if (use !== undefined) return use ?? undefined;
  }
  return undefined;
}

/** What the edge says, what the called service says, what the variant says. Publishing to a queue is no call of the service behind it. */
export const layersOfEdge = (
  edge: Pick<EdgeSpec, 'policies' | 'service' | 'queue' | 'caller'>,
  services: readonly Pick<ServiceSpec, 'policies'>[],
  choice: PolicyChoice,
): readonly PolicyOverrides[] =>
  isPublishing(edge) ? [edge.policies, choice] : [edge.policies, services[edge.service].policies, choice];

/** Whether the edge leaves messages in a queue, as opposed to calling a service or delivering to it. */
export const isPublishing = ({ queue, caller }: Pick<EdgeSpec, 'queue' | 'caller'>): boolean => queue !== -1 && caller !== -2;

/** Everything that is said besides the variant's choice: by services, by what their versions say of clients, by edges. */
export const ownChoices = ({ services, edges }: Pick<Scenario, 'services' | 'edges'>): readonly PolicyOverrides[] => [
  ...services.flatMap(({ policies, versions = [] }) => [policies, ...versions.flatMap(({ clients }) => clients?.policies ?? [])]),
  ...edges.map(({ policies }) => policies),
];
