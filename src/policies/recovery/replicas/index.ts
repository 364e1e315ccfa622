/** Every replica controller by name. */
import type { ReplicaControllerDefinition } from './replica-controller.ts';
import { replicaSet } from './replica-set.ts';

export { checkReplicaController } from './contract.ts';
export * from './replica-controller.ts';
export { type Replica, removedFirst, slowStartBatches } from './replica-set.ts';
export { replicaSet };

export const replicaControllers: Readonly<Record<string, ReplicaControllerDefinition>> = { 'replica-set': replicaSet };
