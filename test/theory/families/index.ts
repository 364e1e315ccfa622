/** Every family we can express, by name. The rest counts as not covered. */
import type { Adapter, Adapters } from '../trial.ts';
import { balancing, rotationOfGeneralWork } from './balancing.ts';
import { calls } from './calls.ts';
import { copies } from './copies.ts';
import { customers } from './customers.ts';
import { detectors } from './detectors.ts';
import { group } from './group.ts';
import { hashing } from './hashing.ts';
import { pieces } from './pieces.ts';
import { protection } from './protection.ts';
import { generalQueue, singleQueue } from './single-queue.ts';
import { stale } from './stale.ts';
import { storms } from './storms.ts';
import { waits } from './waits.ts';
import { world } from './world.ts';

/** Two shapes under one name: a queue with general laws, and general work behind a rotation. */
const general: Adapter = (each, effort) => ('policy' in each.params ? rotationOfGeneralWork : generalQueue)(each, effort);

export const families: Adapters = {
  ...singleQueue,
  ...customers,
  ...balancing,
  ...stale,
  ...calls,
  ...copies,
  ...storms,
  ...protection,
  ...waits,
  ...detectors,
  ...group,
  ...world,
  ...pieces,
  ...hashing,
  'GI/G/1 FIFO': general,
};
