/** One adapter per kind of `balancing.json`, grouped as the modules are. */
import type { Adapters } from '../vector-file.ts';
import { choiceAdapters } from './balancing-choice.ts';
import { hashAdapters } from './balancing-hash.ts';
import { latencyAdapters } from './balancing-latency.ts';
import { levelAdapters } from './balancing-levels.ts';
import { rotationAdapters } from './balancing-rotation.ts';

export const balancingAdapters: Adapters = {
  ...rotationAdapters,
  ...choiceAdapters,
  ...latencyAdapters,
  ...hashAdapters,
  ...levelAdapters,
};
