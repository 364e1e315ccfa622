/** The tables of the HTML report: one row per variant, the expectations with what was measured, and every metric. */
import { atOneLoad } from '../charts/one-load.ts';
import { variantLooks } from '../charts/palette.ts';
import type { ExpectationResult, RunFile } from '../../lab/types.ts';
import { findMetric } from '../../core/metrics.ts';
import { formatEstimate, isNumber } from '../format.ts';
import { forHtml } from '../plain-text.ts';
import { describeChange, measuredText, metricTitle, summarize, type SummaryRow } from '../summary.ts';
import { type DataTable, rowCount } from '../tables/table.ts';
import { swatch } from './swatch.ts';

export function variantTable(run: RunFile): string {
  const { columns, rows, compared } = summarize(run);
  // In a sweep over loads a group has one look, whatever the load.
  const looks = new Map(variantLooks(atOneLoad(run)).map((look) => [look.label, look]));
  const header = [
    'variant',
    ...columns.map(({ title }) => title),
    ...(compared === null ? [] : [`${compared.title} against ${compared.baseline}`, 'verdict']),
    ...(run.expectations.length > 0 ? ['expected'] : []),
  ];
  const body = rows.map((row) => {
    const { variant } = row;
    const look = looks.get(variant.label) ?? looks.get(variant.group);
    const numbers = columns.map(({ metric }, column) => {
      const estimate = variant.estimates[metric];
      // Of the attempts the mean says enough, and the table is wide.
      const interval = estimate === undefined || metric === 'attempts' ? null : formatEstimate(metric, estimate).interval;
      return `<td class="number">${forHtml(row.cells[column]!)}${interval === null ? '' : `<small>${forHtml(interval)}</small>`}</td>`;
    });
    return [
      `<th scope="row" class="name">${looks.size > 1 && look !== undefined ? swatch(look) : ''}${forHtml(variant.label)}<small>${forHtml(variant.differs)}</small></th>`,
      ...numbers,
      ...(compared === null ? [] : changeCells(row)),
      ...(run.expectations.length > 0 ? [`<td>${expected(row)}</td>`] : []),
    ].join('');
  });
  const caption =
    run.seeds.length > 1
      ? `Mean of ${run.seeds.length} seeds; below it the 95 % interval.`
      : 'One seed: no intervals, no verdicts.';
  return table(caption, header, body, columns.length);
}

/** Failures and close calls in sight; where there are many, the rest is folded away. */
export function expectationTable(run: RunFile): string {
  const all = run.expectations;
  if (all.length === 0) return '';
  if (all.length <= 12) return expectationRows('Expectations of the scenario', all);
  const open = all.filter((each) => !each.passed || each.uncertain);
  const rest = all.filter((each) => each.passed && !each.uncertain);
  const shown = open.length === 0 ? '' : expectationRows('Expectations that fail or are close', open);
  const folded = `<details><summary>${rest.length} of ${all.length} expectations hold</summary>${expectationRows('Expectations that hold', rest)}</details>`;
  return shown + (rest.length === 0 ? '' : folded);
}

function expectationRows(caption: string, expectations: readonly ExpectationResult[]): string {
  const body = expectations.map((each) =>
    [
      `<td>${outcome(each)}</td>`,
      `<th scope="row"><code>${forHtml(each.text)}</code></th>`,
      `<td>${forHtml(each.variant)}</td>`,
      `<td>${forHtml(measuredText(each.metric, each.measured))}</td>`,
      `<td class="where">${forHtml(`${each.file}:${each.line}:${each.column}`)}</td>`,
    ].join(''),
  );
  return table(caption, ['', 'expected', 'variant', 'measured', 'where'], body, 0);
}

/** Folded away: the summary above answers most questions. */
export function metricTable(run: RunFile): string {
  const names = [...new Set(run.variants.flatMap((variant) => Object.keys(variant.estimates)))];
  const shown = names.filter((metric) => run.variants.some((variant) => isNumber(variant.estimates[metric]?.mean)));
  const body = shown.map((metric) => {
    const about = findMetric(metric)?.about ?? '';
    const cells = run.variants.map((variant) => {
      const estimate = variant.estimates[metric];
      if (estimate === undefined) return '<td></td>';
      const { value, interval } = formatEstimate(metric, estimate);
      const comparison = run.comparisons.find((each) => each.variant === variant.label && each.metric === metric);
      const change =
        comparison === undefined ? '' : `<small>${forHtml(describeChange(comparison).text)}, ${comparison.verdict}</small>`;
      return `<td class="number">${forHtml(value)}${interval === null ? '' : `<small>${forHtml(interval)}</small>`}${change}</td>`;
    });
    return `<th scope="row" title="${forHtml(about)}">${forHtml(metricTitle(metric))}<small>${forHtml(metric)}</small></th>${cells.join('')}`;
  });
  const header = ['metric', ...run.variants.map((variant) => variant.label)];
  return `<details><summary>Every metric</summary>${table('Mean over seeds, 95 % interval, and change against the baseline where it is compared', header, body, header.length)}</details>`;
}

/** More rows than this are folded away. */
const maxOpenRows = 40;

/** Any table of words and numbers; the first cell of a row is its heading, shown once for rows that share it. */
export function dataTable(data: DataTable | null): string {
  if (data === null) return '';
  const { title, about, columns } = data;
  const rows = rowCount(data);
  const body = Array.from({ length: rows }, (_, row) =>
    columns
      .map(({ align, cells }, index) => {
        const text = forHtml(cells[row]);
        if (index > 0)
          return align === 'right' ? `<td class="number">${text}</td>` : `<td class="words">${listed(cells[row])}</td>`;
        return `<th scope="row" class="name">${row > 0 && cells[row] === cells[row - 1] ? `<span class="again">${text}</span>` : text}</th>`;
      })
      .join(''),
  );
  const heads = columns.map(
    ({ header, align }) => `<th scope="col"${align === 'right' ? ' class="number"' : ''}>${forHtml(header)}</th>`,
  );
  const made = tableOf(about, heads, body, ' class="dense"');
  return rows > maxOpenRows
    ? `<details><summary>${title}: ${rows} rows</summary>${made}</details>`
    : `<h3>${title}</h3>\n${made}`;
}

/** Breaks after commas only. */
const listed = (text: string): string =>
  text
    .split(', ')
    .map((part) => `<span>${forHtml(part)}</span>`)
    .join(', ');

export function notes(run: RunFile): string {
  const warnings = run.warnings.map(
    ({ severity, message, hint }) => `${severity}: ${message}${hint === undefined ? '' : `; ${hint}`}`,
  );
  const lines = [...summarize(run).notes, ...warnings];
  return lines.length === 0
    ? ''
    : `<ul class="notes">${lines.map((line) => `<li>${forHtml(line.replace(/^~ /, ''))}</li>`).join('')}</ul>`;
}

function changeCells({ change, variant }: SummaryRow): string[] {
  if (change === undefined) return ['<td></td>', `<td>${variant.isBaseline ? '<span class="chip">baseline</span>' : ''}</td>`];
  return [
    `<td class="number">${forHtml(change.text)}${change.interval === '' ? '' : `<small>${forHtml(change.interval)}</small>`}</td>`,
    `<td><span class="chip ${change.verdict}">${change.verdict}</span></td>`,
  ];
}

/** Which ones fail stands in the table below. */
function expected({ failed, expectations }: SummaryRow): string {
  if (expectations === 0) return '';
  return failed.length === 0
    ? `<span class="pass">✓ ${expectations} of ${expectations}</span>`
    : `<span class="fail">✗ ${failed.length} of ${expectations}</span>`;
}

function outcome({ passed, uncertain, level }: ExpectationResult): string {
  const close = uncertain ? '<small>close: more seeds could turn it</small>' : '';
  return `<span class="${passed ? 'pass' : 'fail'}">${passed ? '✓ holds' : level === 'warn' ? '! fails, a warning' : '✗ fails'}</span>${close}`;
}

function table(caption: string, header: readonly string[], body: readonly string[], numbers: number): string {
  const heads = header.map(
    (text, index) => `<th scope="col"${index >= 1 && index <= numbers ? ' class="number"' : ''}>${forHtml(text)}</th>`,
  );
  return tableOf(caption, heads, body);
}

function tableOf(caption: string, heads: readonly string[], body: readonly string[], attributes = ''): string {
  return `<div class="scroll"><table${attributes}>
<caption>${forHtml(caption)}</caption>
<thead><tr>${heads.join('')}</tr></thead>
<tbody>
${body.map((row) => `<tr>${row}</tr>`).join('\n')}
</tbody>
</table></div>`;
}
