/** Every way of electing a leader by name. */
import type { ElectorDefinition } from './elector.ts';
import { leaseElection } from './lease-election.ts';
import { sessionLock } from './session-lock.ts';

export { checkElector } from './contract.ts';
export * from './elector.ts';
export { type LeaseRecord } from './lease-election.ts';
export { leaseElection, sessionLock };

export const electors: Readonly<Record<string, ElectorDefinition>> = {
  'lease-election': leaseElection,
  'session-lock': sessionLock,
};
