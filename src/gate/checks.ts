/** From a scenario and its baseline to the list of checks; refuses to compare what cannot be compared. */
import { NotComparable } from '../core/errors.ts';
import { comparedMetrics, findMetric, type Metric } from '../core/metrics.ts';
import type { VariantResult } from '../lab/types.ts';
import type { GateMargin, GateSpec, Scenario } from '../scenario/spec.ts';
import type { Baseline, BaselineScenario } from './baseline.ts';
import type { GateCheck } from './judge.ts';

/** Of the variants of the scenario now, by label: section of the world → hash. */
export type Worlds = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface CheckOptions {
  /** Metric as in results → margin, stronger than the scenario. */
  readonly margins: Readonly<Record<string, GateMargin>>;
  /** Compare what can be compared, and say what was passed over. */
  readonly lenient: boolean;
}

/** The part of the baseline that belongs to this scenario; undefined when there is none and that is accepted. */
export function baselineFor(
  baseline: Baseline,
  scenario: Pick<Scenario, 'name'>,
  worlds: Worlds,
  lenient: boolean,
): { readonly entry?: BaselineScenario; readonly notes: readonly string[] } {
  const known = Object.keys(baseline.scenarios);
  if (!Object.hasOwn(baseline.scenarios, scenario.name)) {
    const message = `baseline ${baseline.name} has no scenario "${scenario.name}"`;
    if (lenient) return { notes: [message] };
    throw new NotComparable(
      `${message}; it has ${known.join(', ') || 'none'}`,
      'save it again with this scenario, or add --lenient',
    );
  }
  const saved = baseline.scenarios[scenario.name];
  const entry = renamed(saved, Object.keys(worlds));
  const notes: string[] = [];
  if (entry !== saved) {
    const [[before], [now]] = [Object.keys(saved.variants), Object.keys(entry.variants)];
    notes.push(`"${now}" is compared with "${before}" of baseline ${baseline.name}: each is the only variant`);
  }
  const accept = (message: string, hint: string): void => {
    if (!lenient) throw new NotComparable(message, hint);
    notes.push(message);
  };
  for (const [label, { world }] of Object.entries(entry.variants)) {
    const now = Object.hasOwn(worlds, label) ? worlds[label] : undefined;
    if (now === undefined) {
      accept(
        `variant "${label}" of baseline ${baseline.name} is gone from ${scenario.name}`,
        'save the baseline again, or add --lenient',
      );
      continue;
    }
    const changed = Object.keys(now).filter((section) => now[section] !== world[section]);
    const shared = changed.filter((section) => section === 'run' || section === 'traffic');
    const where = `${changed.join(' and ')} of ${scenario.name} ${changed.length === 1 ? 'differs' : 'differ'} from baseline ${baseline.name} (variant "${label}")`;
    // Other arrivals are another world: no pairs, whatever one accepts.
    if (shared.length > 0) throw new NotComparable(where, 'the requests must be the same: save the baseline again');
    if (changed.length > 0) accept(where, 'only policies may differ: save the baseline again, or add --lenient');
  }
  for (const label of Object.keys(worlds))
    if (!Object.hasOwn(entry.variants, label))
      notes.push(`variant "${label}" is new: baseline ${baseline.name} does not know it`);
  return { entry, notes };
}

/** A scenario without `compare` has one variant, which is called after its balancer: with another balancer it is still the same one. */
function renamed(entry: BaselineScenario, labels: readonly string[]): BaselineScenario {
  const known = Object.keys(entry.variants);
  if (known.length !== 1 || labels.length !== 1 || known[0] === labels[0]) return entry;
  return { ...entry, variants: { [labels[0]]: entry.variants[known[0]] } };
}

/** Checks of the lines of `gate:`, or by default of every variant in every metric that comparisons use. */
export function checksOf(
  scenario: Scenario,
  entry: BaselineScenario,
  { margins, lenient }: CheckOptions,
): { readonly checks: readonly GateCheck[]; readonly notes: readonly string[] } {
  const notes: string[] = [];
  const checks = linesOf(scenario, margins).flatMap(({ line, isAsked }) => {
    const metric = findMetric(line.metric)!;
    const margin = Object.hasOwn(margins, line.text) ? margins[line.text] : (line.margin ?? metric.indifference);
    const labels = line.variants.length > 0 ? line.variants : scenario.variants.map(({ label }) => label);
    return labels.flatMap((label): GateCheck[] => {
      // New ones have been spoken of.
      if (!Object.hasOwn(entry.variants, label) || margin === undefined) return [];
      const values = entry.variants[label].metrics[line.text];
      if (values === undefined) {
        if (!isAsked) return [];
        const message = `the baseline of ${scenario.name} has no ${line.text} of "${label}"`;
        if (!lenient) throw new NotComparable(message, 'save it again, now that the scenario asks for it');
        notes.push(message);
        return [];
      }
      // What never had a value has nothing to lose.
      if (!isAsked && values.every(Number.isNaN)) return [];
      return [
        {
          variant: label,
          text: line.text,
          metric: metric.name,
          better: metric.better,
          margin,
          ...(line.level === undefined ? {} : { level: line.level }),
          ...(line.place === undefined ? {} : { place: line.place }),
          baseline: values,
        },
      ];
    });
  });
  return { checks, notes };
}

type Line = Omit<GateSpec, 'place'> & { readonly place?: GateSpec['place'] };

function linesOf(scenario: Scenario, margins: CheckOptions['margins']): { line: Line; isAsked: boolean }[] {
  const plain = (metric: Metric): Line => ({ text: metric.name, metric: metric.name, variants: [] });
  const lines: { line: Line; isAsked: boolean }[] =
    scenario.gate === undefined
      ? comparedMetrics.map((metric) => ({ line: plain(metric), isAsked: false }))
      : scenario.gate.map((line) => ({ line, isAsked: true }));
  for (const text of Object.keys(margins)) {
    const metric = findMetric(text);
    if (metric !== undefined && !lines.some(({ line }) => line.text === text)) lines.push({ line: plain(metric), isAsked: true });
  }
  return lines;
}

/** Everything a later gate may ask for. */
export function savedMetrics(scenario: Scenario): readonly string[] {
  const asked = [...(scenario.gate ?? []), ...scenario.expect].map(({ metric, view }) =>
    view === undefined ? metric : `${metric}{${scenario.views[view].label}}`,
  );
  return [...new Set([...comparedMetrics.map(({ name }) => name), ...asked])].sort();
}

/** One value per seed of a metric as in results, `latency.p99{class=read}`; none where it is not measured. */
export function valuesOf(variant: VariantResult, text: string): readonly number[] {
  const [, name, view] = /^([^{]+)(?:\{(.*)\})?$/s.exec(text) ?? [];
  const part = view === undefined ? variant : variant.views.find(({ label }) => label === view);
  return part?.metrics[name ?? ''] ?? variant.digests.map(() => NaN);
}
