/** Every roll-out strategy by name. */
import { allAtOnce } from './all-at-once.ts';
import { argoBlueGreen } from './argo-blue-green.ts';
import { argoCanary } from './argo-canary.ts';
import { flagger } from './flagger.ts';
import { percentageFlag } from './percentage-flag.ts';
import { recreate } from './recreate.ts';
import { rollingUpdate } from './rolling-update.ts';
import type { RolloutDefinition } from './rollout.ts';
import { stagedWaves } from './staged-waves.ts';

export { checkRollout } from './contract.ts';
export { canaryGroupOf, type FlaggerPhase, flaggerPhases } from './flagger.ts';
export { isAvailable } from './parts/deployment-progress.ts';
export * from './rollout.ts';
export { allAtOnce, argoBlueGreen, argoCanary, flagger, percentageFlag, recreate, rollingUpdate, stagedWaves };

export const rollouts: Readonly<Record<string, RolloutDefinition>> = {
  'all-at-once': allAtOnce,
  recreate,
  'rolling-update': rollingUpdate,
  'argo-canary': argoCanary,
  'argo-blue-green': argoBlueGreen,
  flagger,
  'staged-waves': stagedWaves,
  'percentage-flag': percentageFlag,
};
