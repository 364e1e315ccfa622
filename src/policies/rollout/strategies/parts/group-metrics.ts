/** What an analysis reads of an observation: the new group's metrics, and for comparison those of the one that serves. */
import type { ReadMetric } from '../../analysis/analysis-run.ts';
import type { RolloutObservation } from '../rollout.ts';

export const readFrom =
  (observation: RolloutObservation, canary: string, control: string | null): ReadMetric =>
  (name, of, windowMs) => {
    const group = of === 'canary' ? canary : control;
    return group === null ? undefined : observation.metric({ name, group, windowMs });
  };
