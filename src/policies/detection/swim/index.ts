/** Group membership by name. */
import { type MembershipDefinition, swim } from './membership.ts';

export { checkMembership } from './contract.ts';
export * from './formulas.ts';
export * from './membership.ts';
export type * from './messages.ts';
export { Suspicion } from './suspicion.ts';

export const memberships: Readonly<Record<string, MembershipDefinition>> = { swim };
