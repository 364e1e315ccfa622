/** Every policy that empties lost nodes by name, and disruption budgets. */
import type { NodeEvictionDefinition } from './node-eviction.ts';
import { nodeLifecycle } from './node-lifecycle.ts';

export { checkNodeEviction } from './contract.ts';
export * from './disruption-budget.ts';
export * from './node-eviction.ts';
export * from './zone-state.ts';
export { nodeLifecycle };

export const nodeEvictions: Readonly<Record<string, NodeEvictionDefinition>> = { 'node-lifecycle': nodeLifecycle };
export { type CountOrPercent, parseCountOrPercent } from '../../shared/count-or-percent.ts';
