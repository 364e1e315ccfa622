/** What pictures of versions over time have in common: one panel per variant, its title, room for words about phases, and time below the
 *  last one. */
import type { RunFile, VariantResult } from '../../lab/types.ts';
import { marksHeight } from './phase-marks.ts';
import { plotWidth, type Part } from './spec.ts';
import { timeAxis } from './time.ts';
import { panelTitle, type Versioned } from './version-looks.ts';

export interface VersionPanel {
  readonly versioned: Versioned;
  readonly variant: VariantResult;
}

export interface PanelLook {
  readonly hasLegend: boolean;
  readonly hasPhases: boolean;
  readonly isLast: boolean;
}

/** Time from left to right; only the last panel says which. */
export function panelTime(run: RunFile, { isLast }: PanelLook): Part {
  const axis = timeAxis(run);
  return {
    ...axis,
    field: 'from',
    axis: isLast ? axis.axis : { grid: false, labels: false, ticks: false, title: null },
  };
}

export const panelFrame = (
  run: RunFile,
  { versioned, variant }: VersionPanel,
  { hasPhases }: PanelLook,
  height: number,
): Part => ({
  width: plotWidth,
  height,
  title: {
    ...{ text: panelTitle(run, versioned, variant), fontSize: 12, fontWeight: 600, anchor: 'start', limit: plotWidth },
    offset: hasPhases || run.faults.length > 0 ? marksHeight : 6,
  },
});
