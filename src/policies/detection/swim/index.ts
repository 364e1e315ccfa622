/** Group membership by name. */
import { type MembershipDefinition, swim } from './swim.ts';

export { checkMembership } from './contract.ts';
export * from './formulas.ts';
export * from './swim.ts';
export type * from './messages.ts';
export { Suspicion } from './suspicion.ts';

export const memberships: Readonly<Record<string, MembershipDefinition>> = { swim };
