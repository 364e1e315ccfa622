/** Selecting by labels: what has all of the wanted labels is selected, so that nothing wanted selects everything. */
import type { Labels } from '../scheduler.ts';

export function hasLabels(labels: Labels, wanted: Labels): boolean {
  for (const key in wanted) {
    if (labels[key] !== wanted[key]) return false;
  }
  return true;
}
