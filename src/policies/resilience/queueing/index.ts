/** Every queue discipline by name. */
import { adaptiveLifo } from './adaptive-lifo.ts';
import { codel } from './codel.ts';
import { codelRfc8289 } from './codel-rfc8289.ts';
import { controlledDelay } from './controlled-delay.ts';
import { fifo } from './fifo.ts';
import { lifo } from './lifo.ts';
import { priorityQueue } from './priority.ts';
import type { QueuePolicyDefinition } from './queue-policy.ts';

export * from './queue-policy.ts';
export { checkQueuePolicy } from './contract.ts';
export { adaptiveLifo, codel, codelRfc8289, controlledDelay, fifo, lifo, priorityQueue };

export const queuePolicies: Readonly<Record<string, QueuePolicyDefinition>> = {
  fifo,
  lifo,
  priority: priorityQueue,
  'adaptive-lifo': adaptiveLifo,
  codel,
  'controlled-delay': controlledDelay,
  'codel-rfc8289': codelRfc8289,
};
