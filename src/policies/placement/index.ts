/** Every scheduler by name, and what stands beside them: the queue of pods that wait for a node, and packing on paper. */
import { bestFit } from './best-fit.ts';
import { dotProduct } from './dot-product.ts';
import { firstFit } from './first-fit.ts';
import { kubeScheduler } from './kube-scheduler.ts';
import { latencyAware } from './latency-aware.ts';
import { nextFit } from './next-fit.ts';
import { nomadBinpack } from './nomad-binpack.ts';
import { nomadSpread } from './nomad-spread.ts';
import { performanceAware } from './performance-aware.ts';
import { randomFit } from './random-fit.ts';
import type { SchedulerDefinition } from './scheduler.ts';
import { worstFit } from './worst-fit.ts';

export { checkScheduler } from './contract.ts';
export { fitsBeside } from './fits-beside.ts';
export * from './pack-decreasing.ts';
export * from './scheduler.ts';
export * from './well-known-labels.ts';
export * from './scheduling-queue.ts';
export {
  bestFit,
  dotProduct,
  firstFit,
  kubeScheduler,
  latencyAware,
  nextFit,
  nomadBinpack,
  nomadSpread,
  performanceAware,
  randomFit,
  worstFit,
};

export const schedulers: Readonly<Record<string, SchedulerDefinition>> = {
  'kube-scheduler': kubeScheduler,
  'latency-aware': latencyAware,
  'performance-aware': performanceAware,
  'first-fit': firstFit,
  'best-fit': bestFit,
  'worst-fit': worstFit,
  'next-fit': nextFit,
  'random-fit': randomFit,
  'dot-product': dotProduct,
  'nomad-binpack': nomadBinpack,
  'nomad-spread': nomadSpread,
};
