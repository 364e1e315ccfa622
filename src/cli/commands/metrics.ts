/** `metrics`: the glossary of what runs measure: the names that expect, gate and charts use. */
import { exitCodes, InputError, type ExitCode } from '../../core/errors.ts';
import { findMetric, metricNames, metrics, partsOf, type Metric } from '../../core/metrics.ts';
import { suggest } from '../../core/suggest.ts';
import { serializePlain } from '../../report/json.ts';
import { table } from '../table.ts';
import type { Terminal } from '../terminal.ts';

export function listMetrics(name: string | undefined, options: { readonly json?: boolean }, terminal: Terminal): ExitCode {
  const shown = name === undefined ? metrics : matching(name);
  if (options.json === true)
    terminal.print(serializePlain({ metrics: shown.map((each) => ({ ...each, parts: partsOf(each) })) }));
  else {
    const rows = shown.map((metric) => [metric.name, metric.unit, `${metric.about} ${notes(metric)}`]);
    terminal.print(table(rows, { width: terminal.results.width }));
  }
  return exitCodes.ok;
}

/** One by its name, or a family: `latency`. */
function matching(name: string): readonly Metric[] {
  const one = findMetric(name);
  if (one !== undefined) return [one];
  const family = metrics.filter((metric) => metric.name.startsWith(`${name}.`));
  if (family.length > 0) return family;
  const meant = suggest(name, metricNames);
  throw InputError.of(
    'unknown-metric',
    `there is no metric "${name}"`,
    meant === undefined ? 'clusterlab metrics lists them' : `did you mean "${meant}"?`,
  );
}

function notes(metric: Metric): string {
  const parts = partsOf(metric);
  const by = parts.length === 0 ? 'Of the whole only.' : `By ${parts.join(', ')}.`;
  return `${metric.better === 'lower' ? 'Lower' : 'Higher'} is better. ${by}`;
}
