/** The answer on a terminal: verdict first, then the table it rests on, then what to know about it, then how to get it again. */
import picocolors from 'picocolors';
import type { Issue } from '../core/issue.ts';
import { verdicts, type ExpectationResult, type RunFile, type VariantResult, type Verdict } from '../lab/types.ts';
import { formatEstimate, formatMs, formatPercent } from './format.ts';
import { forTerminal } from './plain-text.ts';
import { regrets, type Regret } from './regret.ts';
import { measuredText, metricTitle, plural, summarize, type Summary, type SummaryRow } from './summary.ts';
import { alarmTable } from './tables/alarms.ts';
import { detectionTable, judgesInstances } from './tables/detection.ts';
import { faultTable } from './tables/faults.ts';
import { failedLedger } from './tables/ledger.ts';
import { partTables } from './tables/parts.ts';
import { queueTable } from './tables/queues.ts';
import { recoveryTable } from './tables/recovery.ts';
import { rolloutTables } from './tables/rollouts.ts';
import { scalingTables } from './tables/scaling.ts';
import { sizeTables } from './tables/sizes.ts';
import type { DataTable } from './tables/table.ts';
import { cut, naturalWidth, textTable, wrap, type TextColumn } from './text-table.ts';

export interface TerminalOptions {
  readonly color: boolean;
  /** Cells per line. */
  readonly width: number;
  /** False: nothing beyond ASCII of our own. */
  readonly unicode: boolean;
}

export function renderTerminal(run: RunFile, options: TerminalOptions): string {
  const look = makeLook(options);
  const summary = summarize(run);
  const blocks = [
    headline(summary, look),
    run.verdict.flatMap((sentence, index) =>
      wrap(look.clean(sentence), look.width).map((line) => (index === 0 ? look.paint.bold(line) : line)),
    ),
    run.variants.length === 1 ? singleTable(run, run.variants[0]!, look) : variantTable(summary, look),
    ...dataTables(run, terminalRows).map((table) => dataLines(table, look)),
    regretTable(run, look),
    wrap(look.clean(summary.loops), look.width, '  ').map(look.paint.dim),
    summary.notes.flatMap((note) => wrap(look.clean(note), look.width, '  ')).map(look.paint.dim),
    expectationLines(run.expectations, look),
    run.warnings.flatMap((warning) => warningLines(warning, look)),
    run.replay === '' ? [] : [`${look.paint.dim('Again:')} ${look.clean(run.replay)}`],
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}

interface Look {
  readonly paint: ReturnType<typeof picocolors.createColors>;
  readonly width: number;
  readonly pass: string;
  readonly fail: string;
  readonly times: string;
  readonly ellipsis: string;
  /** Foreign text made harmless, and our own signs reduced to ASCII where the terminal wants that. */
  readonly clean: (text: string) => string;
}

function makeLook({ color, width, unicode }: TerminalOptions): Look {
  const plain = (text: string): string =>
    text.replaceAll('×', 'x').replaceAll('–', '-').replaceAll('µ', 'u').replaceAll('…', '...');
  return {
    paint: picocolors.createColors(color),
    width: Math.max(40, width),
    pass: unicode ? '✓' : 'ok',
    fail: unicode ? '✗' : 'FAIL',
    times: unicode ? '×' : 'x',
    ellipsis: unicode ? '…' : '...',
    clean: (text) => (unicode ? forTerminal(text) : plain(forTerminal(text))),
  };
}

function headline(summary: Summary, look: Look): string[] {
  const facts = `${summary.scale.join(` ${look.times} `)}   ${summary.requests}`;
  const name = look.clean(summary.name);
  const line = `${look.paint.bold(name)}   ${look.paint.dim(facts)}`;
  return name.length + 3 + facts.length <= look.width
    ? [line]
    : [look.paint.bold(cut(name, look.width, look.ellipsis)), ...wrap(facts, look.width).map(look.paint.dim)];
}

/** One table where it fits; else the numbers first and the differences to the baseline below them, so that a narrow terminal loses
 *  neither a percentile nor an interval. */
function variantTable(summary: Summary, look: Look): string[] {
  const names = nameColumn(summary, look);
  const numbers = numberColumns(summary, look);
  const changes = changeColumns(summary, look);
  const expected = expectedColumn(summary, look);
  const table = (columns: readonly TextColumn[]): string[] => textTable(columns, look.width, look.ellipsis, look.paint.dim);
  const all = [names, ...numbers, ...changes, ...expected];
  if (changes.length === 0 || naturalWidth(all) <= look.width) return table(all);
  return [...table([names, ...numbers, ...expected]), '', ...table([names, ...changes])];
}

function nameColumn({ rows }: Summary, look: Look): TextColumn {
  return { header: '', align: 'left', cells: rows.map((row) => look.clean(row.variant.label)), shrinkTo: 10 };
}

function numberColumns({ rows, columns }: Summary, look: Look): TextColumn[] {
  return columns.map(({ metric, title }, index) => ({
    header: title,
    align: 'right',
    cells: rows.map((row) => look.clean(row.cells[index]!)),
    ...(dropOrder[metric] === undefined ? {} : { giveWay: [{ order: dropOrder[metric] }] }),
  }));
}

function changeColumns({ rows, compared }: Summary, look: Look): TextColumn[] {
  if (compared === null) return [];
  const paint = (text: string, row: number): string => verdictPaint(rows[row]!.change?.verdict, look)(text);
  return [
    {
      header: cut(`${compared.title} vs ${look.clean(compared.baseline)}`, 28, look.ellipsis),
      align: 'left',
      cells: alignChanges(rows.map((row) => row.change)),
      giveWay: [{ order: 4, cells: rows.map(({ change }) => changeAlone(change)) }],
      paint,
      shrinkTo: 8,
    },
    {
      header: 'verdict',
      align: 'left',
      cells: rows.map((row) => verdictWord(row.change?.verdict, row.variant.isBaseline)),
      giveWay: [{ order: 5 }],
      paint,
    },
  ];
}

function expectedColumn({ rows }: Summary, look: Look): TextColumn[] {
  if (rows.every((row) => row.expectations === 0)) return [];
  return [
    {
      header: 'expected',
      align: 'left',
      cells: rows.map((row) => expectedCell(row, look)),
      giveWay: [{ order: 0, cells: rows.map((row) => expectedCell(row, look, true)) }],
      paint: (text, row) => (rows[row]!.failed.length > 0 ? look.paint.red(text) : look.paint.green(text)),
      shrinkTo: look.fail.length,
    },
  ];
}

/** More rows than this push the verdict off the screen; the files have all of them. */
const terminalRows = 24;

/** What applies to this run, in the order of the questions: did it come back, what failed, what the faults did and who
 *  noticed, how changes went, did capacity follow, where, and did consumers keep up. */
function dataTables(run: RunFile, maxRows: number): DataTable[] {
  const recovery = run.variants.length > 1 ? recoveryTable(run) : null;
  const faults = faultTable(run, maxRows);
  const users = faults !== null || judgesInstances(run) ? detectionTable(run) : null;
  const capacity = [alarmTable(run), ...scalingTables(run, maxRows), ...sizeTables(run)];
  const changes = rolloutTables(run, maxRows);
  const parts = partTables(run, maxRows);
  return [recovery, failedLedger(run), faults, users, ...changes, ...capacity, ...parts, queueTable(run)].filter(
    (table) => table !== null,
  );
}

/** The name of a part stands on the first of its rows only. */
function dataLines({ columns }: DataTable, look: Look): string[] {
  const [names] = columns;
  const once = (cell: string, row: number): string =>
    row > 0 && names?.cells[row] === names?.cells[row - 1] ? '' : look.clean(cell);
  const shown = columns.map(({ header, align, cells, dropOrder, short }, index): TextColumn => ({
    header: look.clean(header),
    align,
    cells: cells.map(index === 0 ? once : look.clean),
    giveWay: [
      ...(short === undefined ? [] : [{ order: short.order, cells: short.cells.map(index === 0 ? once : look.clean) }]),
      ...(dropOrder === undefined ? [] : [{ order: dropOrder }]),
    ],
    ...(align === 'left' ? { shrinkTo: 8 } : {}),
  }));
  return textTable(shown, look.width, look.ellipsis, look.paint.dim);
}

/** What `--explain` recorded: the cost of not knowing everything. */
function regretTable(run: RunFile, look: Look): string[] {
  const rows = regrets(run.variants);
  if (rows.length === 0) return [];
  const numbers: [string, (row: Regret) => string][] = [
    ['decisions', (row) => String(row.decisions)],
    ['went to the best place', (row) => formatPercent(row.best / row.decisions)],
    ['mean regret', (row) => formatMs(row.meanMs)],
    ['largest', (row) => formatMs(row.maxMs)],
    ['lost', (row) => String(row.lost)],
  ];
  const columns: TextColumn[] = [
    { header: 'decisions explained', align: 'left', cells: rows.map((row) => look.clean(row.label)), shrinkTo: 10 },
    ...numbers.map(([header, cell]): TextColumn => ({ header, align: 'right', cells: rows.map((row) => look.clean(cell(row))) })),
  ];
  return textTable(columns, look.width, look.ellipsis, look.paint.dim);
}

/** Which columns go first on a narrow terminal, after the failed expectations are counted instead of spelt out. */
const dropOrder: Readonly<Record<string, number>> = { attempts: 0.5, 'latency.p99.9': 1, 'latency.p50': 2, availability: 3 };

function expectedCell({ failed, expectations }: SummaryRow, look: Look, short = false): string {
  if (expectations === 0) return '';
  if (failed.length === 0) return look.pass;
  if (short) return `${look.fail} ${failed.length} of ${expectations}`;
  return `${look.fail} ${look.clean(failed[0]!.text)}${failed.length > 1 ? ` and ${failed.length - 1} more` : ''}`;
}

/** Change and interval in one cell, with the intervals below each other. */
function alignChanges(changes: readonly (Summary['rows'][number]['change'] | undefined)[]): string[] {
  const widest = Math.max(0, ...changes.map((change) => change?.text.length ?? 0));
  return changes.map((change) => (change === undefined ? '' : `${change.text.padStart(widest)}  ${change.interval}`.trimEnd()));
}

/** Without its interval; the tilde keeps a difference that may be none from being read as one. */
const changeAlone = (change: SummaryRow['change']): string =>
  change === undefined ? '' : change.verdict === 'inconclusive' ? `~ ${change.text}` : change.text;

function verdictWord(verdict: Verdict | undefined, isBaseline: boolean): string {
  if (verdict === undefined) return isBaseline ? 'baseline' : '';
  return verdict === 'inconclusive' ? '~ inconclusive' : verdict;
}

function verdictPaint(verdict: Verdict | undefined, { paint }: Look): (text: string) => string {
  const plain = (text: string): string => text;
  if (verdict === undefined || !verdicts.includes(verdict)) return paint.dim;
  return { better: paint.green, worse: paint.red, equivalent: plain, inconclusive: paint.yellow }[verdict];
}

const singleMetrics = (variant: VariantResult): string[] => [
  ...['latency.mean', 'latency.p50', 'latency.p90', 'latency.p99', 'latency.p99.9', 'latency.max', 'availability'],
  ...Object.keys(variant.estimates).filter((metric) => metric.startsWith('failures.') && variant.estimates[metric]!.mean > 0),
  ...['offered', 'goodput', 'wait.share', 'utilization.mean', 'utilization.max', 'load.maxOverMean'],
  ...telling.filter(([metric, normal]) => (variant.estimates[metric]?.mean ?? normal) > normal).map(([metric]) => metric),
];
/** Metrics that say something only above their usual value. */
const telling: readonly (readonly [string, number])[] = [
  ['degraded', 0],
  ['attempts', 1],
  ['retries', 0],
  ['hedges', 0],
  ['amplification', 1],
  ['cacheHits', 0],
  ['connections', 0],
  ['probes', 0],
];

function singleTable(run: RunFile, variant: VariantResult, look: Look): string[] {
  const metrics = singleMetrics(variant).filter((metric) => variant.estimates[metric] !== undefined);
  const texts = metrics.map((metric) => formatEstimate(metric, variant.estimates[metric]!));
  const columns: TextColumn[] = [
    { header: look.clean(variant.label), align: 'left', cells: metrics.map(metricTitle) },
    {
      header: run.seeds.length > 1 ? `mean of ${plural(run.seeds.length, 'seed')}` : 'value',
      align: 'right',
      cells: texts.map(({ value }) => look.clean(value)),
    },
  ];
  if (texts.some(({ interval }) => interval !== null)) {
    columns.push({ header: '95 % interval', align: 'left', cells: texts.map(({ interval }) => look.clean(interval ?? '')) });
  }
  return textTable(columns, look.width, look.ellipsis, look.paint.dim);
}

/** Failures and close calls one per line, each with its place; what holds everywhere in one line with the variant nearest to the limit. */
function expectationLines(expectations: readonly ExpectationResult[], look: Look): string[] {
  const groups = new Map<string, ExpectationResult[]>();
  for (const each of expectations) {
    const key = `${each.file}:${each.line}:${each.column} ${each.text}`;
    groups.set(key, [...(groups.get(key) ?? []), each]);
  }
  return [...groups.values()].flatMap((group) => {
    const shown = group.filter((each) => !each.passed || each.uncertain);
    const line = (each: ExpectationResult, text: string): string[] => {
      const place = look.clean(`${each.file}:${each.line}:${each.column}`);
      const mark = each.passed ? look.pass : each.level === 'warn' ? '!' : look.fail;
      const paint = each.passed ? look.paint.green : each.level === 'warn' ? look.paint.yellow : look.paint.red;
      const lines = wrap(`${place} ${mark} ${look.clean(`${each.text}   ${text}`)}`, look.width, '    ');
      return lines.map((part, index) => (index === 0 ? part.replace(` ${mark} `, ` ${paint(mark)} `) : part));
    };
    if (shown.length === 0) {
      const nearest = nearestToLimit(group);
      const who =
        group.length === 1 ? nearest.variant : `${group.length} of ${group.length} variants; nearest: ${nearest.variant}`;
      return line(nearest, `${who}: ${measuredText(nearest.metric, nearest.measured)}`);
    }
    return shown.flatMap((each) => {
      if (each.measured.n === 0) return line(each, `${each.variant}: nothing was measured that it could hold for`);
      const close = each.uncertain ? '; too close to the limit to be sure, more seeds could turn it' : '';
      return line(each, `${each.variant}: ${measuredText(each.metric, each.measured)}${close}`);
    });
  });
}

function nearestToLimit(group: readonly ExpectationResult[]): ExpectationResult {
  const distance = (each: ExpectationResult): number => Math.abs(each.measured.mean - each.limit);
  return group.reduce((nearest, each) => (distance(each) < distance(nearest) ? each : nearest));
}

function warningLines(warning: Issue, look: Look): string[] {
  const where = warning.place === undefined ? '' : `${warning.place.file}:${warning.place.line}:${warning.place.column} `;
  const hint = warning.hint === undefined ? '' : `; ${warning.hint}`;
  const text = `${where}${warning.severity}: ${warning.message}${hint}`;
  return wrap(look.clean(text), look.width, '  ').map(look.paint.yellow);
}
