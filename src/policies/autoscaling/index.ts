/** Every autoscaler by name. */
import type { AutoscalerDefinition } from './autoscaler.ts';
import { hpa } from './hpa.ts';
import { keda } from './keda.ts';
import { kpa } from './kpa.ts';
import { maxOfTable } from './max-of.ts';
import { minOfTable } from './min-of.ts';
import { predictiveTable } from './predictive.ts';
import { queueing } from './queueing.ts';
import { scheduledTable } from './scheduled.ts';
import { simpleScaling } from './simple-scaling.ts';
import { stepScaling } from './step-scaling.ts';
import { targetTracking } from './target-tracking.ts';

// Those that have others inside find them in the table.
const maxOf = maxOfTable(() => autoscalers);
const minOf = minOfTable(() => autoscalers);
const predictive = predictiveTable(() => autoscalers);
const scheduled = scheduledTable(() => autoscalers);

export * from './autoscaler.ts';
export { checkAutoscaler } from './contract.ts';
export { hpa, keda, kpa, maxOf, minOf, predictive, queueing, scheduled, simpleScaling, stepScaling, targetTracking };

export const autoscalers: Readonly<Record<string, AutoscalerDefinition>> = {
  hpa,
  kpa,
  keda,
  'target-tracking': targetTracking,
  'step-scaling': stepScaling,
  'simple-scaling': simpleScaling,
  scheduled,
  queueing,
  predictive,
  'max-of': maxOf,
  'min-of': minOf,
};
