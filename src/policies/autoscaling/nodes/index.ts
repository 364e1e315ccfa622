/** Every node autoscaler by name. */
import { clusterAutoscaler } from './cluster-autoscaler.ts';
import type { NodeAutoscalerDefinition } from './node-autoscaler.ts';

export { checkNodeAutoscaler } from './contract.ts';
export * from './node-autoscaler.ts';
export { clusterAutoscaler };

export const nodeAutoscalers: Readonly<Record<string, NodeAutoscalerDefinition>> = { 'cluster-autoscaler': clusterAutoscaler };
