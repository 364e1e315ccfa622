/** Every failover policy by name. */
import type { FailoverDefinition } from './failover.ts';
import { priorityFailover } from './priority-failover.ts';

export { checkFailover } from './contract.ts';
export * from './failover.ts';
export { priorityFailover };

export const failovers: Readonly<Record<string, FailoverDefinition>> = { 'priority-failover': priorityFailover };
