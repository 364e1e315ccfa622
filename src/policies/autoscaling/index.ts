/** Every autoscaler by name. */
import type { AutoscalerDefinition } from './autoscaler.ts';
import { hpa } from './hpa.ts';

export * from './autoscaler.ts';
export { hpa };

export const autoscalers: Readonly<Record<string, AutoscalerDefinition>> = { hpa };
