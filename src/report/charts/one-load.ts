/** A sweep over loads has a picture of its own. In all others a line per group and load would be too many, so they show the groups at one
 *  load: the one nearest to the load as written. */
import type { RunFile } from '../../lab/types.ts';
import { partOf } from './palette.ts';

/** Two groups or more, each at several loads. */
export const isSweepOfGroups = ({ variants }: RunFile): boolean =>
  variants.every(({ load }) => load !== null) && new Set(variants.map(({ group }) => group)).size > 1;

/** The load that is shown elsewhere; null when everything is. */
export function shownLoad(run: RunFile): number | null {
  if (!isSweepOfGroups(run)) return null;
  const loads = run.variants.map(({ load }) => load ?? 1).toSorted((a, b) => a - b);
  return loads.reduce((nearest, load) => (Math.abs(load - 1) < Math.abs(nearest - 1) ? load : nearest));
}

/** The run with the variants of that load alone, each labelled as its group; any other run as it is. */
export function atOneLoad(run: RunFile): RunFile {
  const load = shownLoad(run);
  if (load === null) return run;
  const made = parts.get(run) ?? groupsAt(run, load);
  parts.set(run, made);
  return made;
}
const parts = new WeakMap<RunFile, RunFile>();

function groupsAt(run: RunFile, load: number): RunFile {
  const groups = new Map(run.variants.filter((variant) => variant.load === load).map(({ label, group }) => [label, group]));
  const named = (label: string): string => groups.get(label) ?? label;
  const part: RunFile = {
    ...run,
    variants: run.variants.filter(({ label }) => groups.has(label)).map((variant) => ({ ...variant, label: variant.group })),
    comparisons: run.comparisons
      .filter(({ variant, baseline }) => groups.has(variant) && groups.has(baseline))
      .map((each) => ({ ...each, variant: named(each.variant), baseline: named(each.baseline) })),
    expectations: run.expectations
      .filter(({ variant }) => groups.has(variant))
      .map((each) => ({ ...each, variant: named(each.variant) })),
  };
  return partOf(part, part);
}
