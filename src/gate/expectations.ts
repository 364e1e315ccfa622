/** Checks the `expect:` lines of a scenario against what was measured: per line and per variant it speaks of. The value that decides is
 *  the mean over seeds of the per-seed statistic; its interval tells whether more seeds could turn the answer. */
import type { ExpectationResult, VariantResult } from '../lab/types.ts';
import type { ExpectSpec, ViewSpec } from '../scenario/spec.ts';
import { estimate } from '../stats/estimate.ts';
import type { Estimate } from '../stats/result.ts';

/** `views` are the scenario's: lines name theirs by its place there. */
export function checkExpectations(
  lines: readonly ExpectSpec[],
  variants: readonly VariantResult[],
  views: readonly Pick<ViewSpec, 'label'>[],
): ExpectationResult[] {
  return lines.flatMap((line) =>
    variants
      .filter((variant) => line.variants.length === 0 || line.variants.includes(variant.label))
      .map((variant) => checkLine(line, variant, line.view === undefined ? '' : views[line.view].label)),
  );
}

function checkLine(line: ExpectSpec, variant: VariantResult, view: string): ExpectationResult {
  // By label: a variant with a world of its own may have other views beside this one. Without it nothing was measured.
  const part = view === '' ? variant : variant.views.find(({ label }) => label === view);
  const measured: Estimate = part?.estimates[line.metric] ?? estimate([]);
  const { place, comparator, limit, level } = line;
  // A seed without a value (a percentile of nothing) promises nothing about that seed, however good the others are.
  const isWhole = !(part?.metrics[line.metric] ?? []).some(Number.isNaN);
  const passed = isWhole && holds(measured.mean, comparator, limit);
  return {
    text: line.text,
    file: place.file,
    line: place.line,
    column: place.column,
    length: place.length,
    variant: variant.label,
    metric: line.metric,
    view,
    measured,
    limit,
    comparator,
    passed,
    ...(level === undefined ? {} : { level }),
    uncertain: measured.n < 2 || reaches(measured, comparator, limit),
  };
}

/** Whether the interval has values on both sides of the answer. */
function reaches({ low, high }: Estimate, comparator: ExpectSpec['comparator'], limit: number): boolean {
  if (comparator === '==') return low < high && low <= limit && limit <= high;
  return holds(low, comparator, limit) !== holds(high, comparator, limit);
}

/** A value that does not exist holds nothing. */
function holds(value: number, comparator: ExpectSpec['comparator'], limit: number): boolean {
  switch (comparator) {
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '==':
      return value === limit;
  }
}
