/** Warnings about policies that have nothing to do, in any variant. */
import type { Variant } from './compare.ts';
import type { World } from './compile.ts';
import type { Complaints } from './complaints.ts';
import { isPublishing, layersOfEdge, resolveRole } from './resolve-role.ts';
import { roleNames, roles, type Role } from './roles.ts';
import type { EdgeSpec } from './spec.ts';

export function warnOfIdlePolicies(variants: readonly Variant[], base: World, complaints: Complaints): void {
  const worlds = variants.map((variant) => ({ choice: variant.policies, world: variant.world ?? base }));
  const calls = worlds.flatMap(({ choice, world }) =>
    world.edges
      .filter((edge) => !isPublishing(edge))
      .map((edge) => (role: Role) => resolveRole(role, layersOfEdge(edge, world.services, choice)) !== undefined),
  );
  const budgeted = calls.filter((has) => has('budget'));
  if (budgeted.length > 0 && !budgeted.some((has) => has('retry') || has('hedge'))) {
    const path = [
      ['policies', 'budget'],
      ['compare', 'budget'],
    ].find((each) => complaints.has(each)) ?? ['policies'];
    complaints.warn(
      'idle',
      path,
      'a retry budget without retries or hedging limits nothing',
      'add policies.retry or policies.hedge',
    );
  }
  for (const { name, discipline, policies } of base.services) {
    if (discipline === 'fifo' || policies.queueing !== undefined || !worlds.some(({ choice }) => choice.queueing !== undefined))
      continue;
    const message = `its discipline is ${discipline}, so no queue policy applies to ${name}`;
    const hint = 'write policies: { queueing: none } there, or leave out discipline';
    complaints.warn('idle', ['services', name, 'discipline'], message, hint);
  }
  for (const role of roleNames) {
    if (!complaints.has(['compare', role]) || worlds.some(({ world }) => isOpen(role, world))) continue;
    const owner = roles[role].at === 'edge' ? 'edge' : 'service';
    complaints.add(
      {
        code: 'idle',
        path: ['compare'],
        key: role,
        message: `every ${owner} has a ${role} of its own, so the variants do not differ`,
      },
      'warning',
    );
  }
}

/** Whether the variant's policy matters anywhere. */
function isOpen(role: Role, { edges, services, changes = [] }: World): boolean {
  // That nothing at all is rolled out is said elsewhere.
  if (role === 'rollout')
    return changes.length === 0 || changes.some(({ service }) => services[service].policies.rollout === undefined);
  if (roles[role].at === 'service') return services.some(({ policies }) => policies[role] === undefined);
  const leavesOpen = (edge: EdgeSpec): boolean =>
    edge.policies[role] === undefined && (isPublishing(edge) || services[edge.service].policies[role] === undefined);
  return edges.some(leavesOpen);
}
