/** The answer as Markdown, for a pull request or a README: verdict, table, expectations, how to get it again. */
import type { RunFile, Verdict } from '../lab/types.ts';
import { formatEstimate, formatMs, formatPercent } from './format.ts';
import { forMarkdown, forTerminal } from './plain-text.ts';
import { regrets } from './regret.ts';
import { measuredText, metricTitle, summarize, type SummaryRow } from './summary.ts';
import { alarmTable } from './tables/alarms.ts';
import { detectionTable } from './tables/detection.ts';
import { faultTable } from './tables/faults.ts';
import { ledgerTable } from './tables/ledger.ts';
import { partTables } from './tables/parts.ts';
import { queueTable } from './tables/queues.ts';
import { recoveryTable } from './tables/recovery.ts';
import { rolloutTables } from './tables/rollouts.ts';
import { scalingTables } from './tables/scaling.ts';
import { sizeTables } from './tables/sizes.ts';
import { type DataTable, rowCount } from './tables/table.ts';

export function renderMarkdown(run: RunFile): string {
  const summary = summarize(run);
  const [verdict, ...sentences] = run.verdict;
  const blocks = [
    `### ${forMarkdown(summary.name)}`,
    `${[...summary.scale, summary.requests].join(' · ')}  \n${forMarkdown(summary.loops)}`,
    verdict === undefined
      ? ''
      : `**${forMarkdown(verdict)}**${sentences.map((sentence) => ` ${forMarkdown(sentence)}`).join('')}`,
    run.variants.length === 1 ? singleTable(run) : variantTable(run),
    titled(recoveryTable(run)),
    expectationTable(run),
    titled(ledgerTable(run)),
    titled(faultTable(run, markdownRows)),
    titled(detectionTable(run)),
    ...rolloutTables(run, markdownRows).map(titled),
    titled(alarmTable(run)),
    ...scalingTables(run, markdownRows).map(titled),
    ...sizeTables(run).map(titled),
    ...partTables(run, markdownRows).map(titled),
    titled(queueTable(run)),
    regretTable(run),
    summary.notes.map((note) => `- ${forMarkdown(note.replace(/^~ /, ''))}`).join('\n'),
    run.replay === '' ? '' : fenced(forTerminal(run.replay)),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function variantTable(run: RunFile): string {
  const { columns, rows, compared } = summarize(run);
  const header = [
    'variant',
    ...columns.map(({ title }) => title),
    ...(compared === null ? [] : [`${compared.title} vs ${forMarkdown(compared.baseline)}`, 'verdict']),
  ];
  const align = header.map((_, index) => (index >= 1 && index <= columns.length ? '---:' : ':---'));
  const body = rows.map((row) => [
    forMarkdown(row.variant.label),
    ...row.cells,
    ...(compared === null ? [] : [`${row.change?.text ?? ''} ${row.change?.interval ?? ''}`.trim(), verdictCell(row)]),
  ]);
  return table(header, align, body);
}

function singleTable(run: RunFile): string {
  const estimates = Object.entries(run.variants[0]!.estimates).filter(([, { mean }]) => Number.isFinite(mean));
  const body = estimates.map(([metric, estimate]) => {
    const { value, interval } = formatEstimate(metric, estimate);
    return [metricTitle(metric), value, interval ?? ''];
  });
  return table(['metric', 'mean', '95 % interval'], [':---', '---:', ':---'], body);
}

/** A comment in a pull request is no place for hundreds of rows; the CSV files have all of them. */
const markdownRows = 60;

/** Our own digits and units need no backslashes. */
const number = (cell: string): string => cell.replace(/</g, '&#60;');

function titled(data: DataTable | null): string {
  if (data === null) return '';
  const { title, about, columns } = data;
  const body = Array.from({ length: rowCount(data) }, (_, row) =>
    columns.map(({ align, cells }) => (align === 'right' ? number(cells[row]) : forMarkdown(cells[row]))),
  );
  const align = columns.map((column) => (column.align === 'right' ? '---:' : ':---'));
  const header = columns.map((column) => forMarkdown(column.header));
  return `**${title}.** ${forMarkdown(about)}\n\n${table(header, align, body)}`;
}

function expectationTable(run: RunFile): string {
  if (run.expectations.length === 0) return '';
  const body = run.expectations.map((each) => [
    each.passed
      ? each.uncertain
        ? 'holds, but close'
        : 'holds'
      : `**${each.uncertain ? 'fails, but close' : 'fails'}**${each.level === 'warn' ? ' (a warning)' : ''}`,
    forMarkdown(each.text),
    forMarkdown(each.variant),
    measuredText(each.metric, each.measured),
    forMarkdown(`${each.file}:${each.line}:${each.column}`),
  ]);
  return table(['', 'expected', 'variant', 'measured', 'where'], [':---', ':---', ':---', ':---', ':---'], body);
}

function regretTable(run: RunFile): string {
  const rows = regrets(run.variants);
  if (rows.length === 0) return '';
  const body = rows.map((row) => [
    forMarkdown(row.label),
    String(row.decisions),
    formatPercent(row.best / row.decisions),
    formatMs(row.meanMs),
    formatMs(row.maxMs),
    String(row.lost),
  ]);
  return table(
    ['variant', 'decisions', 'to the best place', 'mean regret', 'largest', 'lost'],
    [':---', ...Array(5).fill('---:')],
    body,
  );
}

const marks: Readonly<Record<Verdict, string>> = {
  better: '**better**',
  worse: '**worse**',
  equivalent: 'equivalent',
  inconclusive: '~ inconclusive',
};
const verdictCell = ({ change, variant }: SummaryRow): string =>
  change === undefined ? (variant.isBaseline ? 'baseline' : '') : marks[change.verdict];

const table = (header: readonly string[], align: readonly string[], body: readonly (readonly string[])[]): string =>
  [header, align, ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

/** A fence longer than any run of backticks inside. */
function fenced(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(Math.max(3, longest + 1));
  return `${fence}sh\n${text}\n${fence}`;
}
