/** Every autoscaler by name. */
import type { AutoscalerDefinition } from './autoscaler.ts';
import { hpa } from './hpa.ts';
import { keda } from './keda.ts';
import { kpa } from './kpa.ts';

export * from './autoscaler.ts';
export { checkAutoscaler } from './contract.ts';
export { hpa, keda, kpa };

export const autoscalers: Readonly<Record<string, AutoscalerDefinition>> = { hpa, kpa, keda };
