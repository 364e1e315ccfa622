/** The numbers of every edge, class and service by themselves: one table each where there are several, one row per part and variant. An
 *  edge is who calls whom, so the first table reads like the call graph from the top. */
import type { EdgeInfo, RunFile, VariantResult, VariantView } from '../../lab/types.ts';
import { failureBuckets, type Ledger } from '../../stats/result.ts';
import { commonTimeUnit, formatAvailability, formatMs, formatPercent, formatShare, isNumber, significant } from '../format.ts';
import { metricTitle } from '../summary.ts';
import { shortLabels } from './short-labels.ts';
import { type DataColumn, type DataTable, unlessEmpty } from './table.ts';

export type PartKind = 'edge' | 'class' | 'service';

export interface PartRow {
  readonly part: string;
  readonly variant: VariantResult;
  readonly view: VariantView;
  /** Messages sent on this edge per request of the traffic: what fan-out and retries make of one request. NaN where there is no such
   *  number. */
  readonly sentPerRequest: number;
}

/** Tables of at most so many rows: then the parts that fail most are kept, and what would stand in two tables stands in one. */
export const partTables = (run: RunFile, maxRows = Infinity): DataTable[] =>
  (['edge', 'service', 'class'] as const).flatMap((kind) => {
    if (kind === 'service' && Number.isFinite(maxRows) && servicesRepeatEdges(run)) return [];
    const rows = partRows(run, kind);
    return rows.length === 0 ? [] : [tableOf(run, kind, rows, maxRows)];
  });

/** By part, then by variant; none where there is only one part. */
export function partRows(run: RunFile, kind: PartKind): PartRow[] {
  const names = namesOf(run, kind);
  if (names.length < 2) return [];
  return names.flatMap((part) =>
    run.variants.flatMap((variant) => {
      const view = viewOf(run, variant, kind, part);
      return view === undefined
        ? []
        : [{ part, variant, view, sentPerRequest: kind === 'edge' ? sentPerRequest(variant, view) : NaN }];
    }),
  );
}

const namesOf = ({ edges, classes, services }: RunFile, kind: PartKind): string[] =>
  ({ edge: edges, class: classes, service: services })[kind].map(({ name }) => name);

/** Of the whole run: checks on a stretch of time have views of their own. */
function viewOf({ scenario }: RunFile, { views }: VariantResult, kind: PartKind, part: string): VariantView | undefined {
  return views.find((view) => {
    const { service, edges, class: kindOfRequest } = view;
    if (view.fromMs > scenario.warmupMs || view.toMs < scenario.durationMs) return false;
    if (kind === 'edge') return service === '' && kindOfRequest === '' && edges.length === 1 && edges[0] === part;
    if (kind === 'service') return service === part && kindOfRequest === '';
    return kindOfRequest === part && service === '' && edges.length === 0;
  });
}

function sentPerRequest(variant: VariantResult, view: VariantView): number {
  const mean = (name: string): number => view.estimates[name]?.mean ?? NaN;
  return (mean('offered') * mean('attempts')) / (variant.estimates['offered']?.mean ?? NaN);
}

const titles: Readonly<Record<PartKind, { readonly title: string; readonly about: string }>> = {
  edge: {
    title: 'Calls',
    about:
      'Per edge, that is who calls whom. Attempts, retries and hedges are per call; sent is messages per request of the traffic, which is what fan-out and retries make of one request.',
  },
  service: { title: 'Services', about: 'All calls into each service, whoever makes them.' },
  class: { title: 'Classes', about: 'Requests of the traffic by class.' },
};

function tableOf(run: RunFile, kind: PartKind, all: readonly PartRow[], maxRows: number): DataTable {
  const rows = worst(all, maxRows);
  const parts = new Set(all.map(({ part }) => part)).size;
  const shown = new Set(rows.map(({ part }) => part)).size;
  const rest = shown < parts ? ` ${shown} of ${parts}: those that fail most.` : '';
  return { title: titles[kind].title, about: titles[kind].about + rest, columns: columnsOf(run, kind, rows) };
}

/** Whole parts, in their order. */
function worst(rows: readonly PartRow[], maxRows: number): readonly PartRow[] {
  if (rows.length <= maxRows) return rows;
  const least = new Map<string, number>();
  for (const { part, view } of rows) {
    const ok = view.estimates['availability']?.mean ?? NaN;
    least.set(part, Math.min(least.get(part) ?? 1, isNumber(ok) ? ok : 1));
  }
  const perPart = rows.length / least.size;
  const kept = [...least].sort(([, a], [, b]) => a - b).slice(0, Math.max(1, Math.floor(maxRows / perPart)));
  const names = new Set(kept.map(([part]) => part));
  return rows.filter(({ part }) => names.has(part));
}

function columnsOf(run: RunFile, kind: PartKind, rows: readonly PartRow[]): DataColumn[] {
  const number = (header: string, metric: string, show: (value: number) => string, dropOrder?: number): DataColumn => ({
    header,
    align: 'right',
    cells: rows.map(({ view }) => show(view.estimates[metric]?.mean ?? NaN)),
    ...(dropOrder === undefined ? {} : { dropOrder }),
  });
  const latency = (metric: string, header: string, dropOrder?: number): DataColumn => {
    const unit = commonTimeUnit(rows.map(({ view }) => view.estimates[metric]?.mean ?? NaN));
    return number(header, metric, (value) => formatMs(value, unit), dropOrder);
  };
  const ratio = (value: number): string => (isNumber(value) ? (value === 0 ? '0' : value.toFixed(value < 10 ? 2 : 1)) : '');
  const nothing = (cell: string): boolean => cell === '' || /^[-–]?0?(\.0+)?( %)?$/.test(cell);
  const failures = rows.map(({ view }) => failureTexts(view.ledger));
  return [
    { header: { edge: 'edge', class: 'class', service: 'service' }[kind], align: 'left', cells: rows.map(({ part }) => part) },
    ...(run.variants.length > 1 ? [variantColumn(rows.map(({ variant }) => variant.label))] : []),
    number('offered/s', 'offered', significant, 7),
    number('ok', 'availability', (value) => formatAvailability(value)),
    latency('latency.p50', 'p50', 3),
    latency('latency.p99', 'p99'),
    ...unlessEmpty(number('attempts', 'attempts', ratio, 9), (cell) => nothing(cell) || cell === '1.00'),
    ...unlessEmpty(number('retries', 'retries', ratio, 1), nothing),
    ...unlessEmpty(number('hedges', 'hedges', ratio, 2), nothing),
    ...(kind === 'edge'
      ? [{ header: 'sent', align: 'right', cells: rows.map((row) => ratio(row.sentPerRequest)), dropOrder: 4 } as const]
      : []),
    ...(kind === 'service'
      ? [number('utilization', 'utilization.mean', (value) => (value > 0 && value < 1e-4 ? '<0.01 %' : formatPercent(value)), 8)]
      : []),
    ...unlessEmpty(
      number('cache hits', 'cacheHits', (value) => (isNumber(value) ? formatPercent(value) : ''), 0),
      nothing,
    ),
    ...unlessEmpty(
      {
        header: 'degraded',
        align: 'right',
        cells: rows.map(({ view: { ledger } }) => (ledger.degraded === 0 ? '' : formatShare(ledger.degraded, ledger.ok))),
        dropOrder: 5,
      },
      nothing,
    ),
    ...unlessEmpty(
      {
        header: 'failures',
        align: 'left',
        cells: failures.map((texts) => texts.join(', ')),
        short: { order: 6, cells: failures.map(([first = '', ...more]) => (more.length === 0 ? first : `${first} +`)) },
        dropOrder: 10,
      },
      nothing,
    ),
  ];
}

/** Long labels get shorter before numbers go. */
function variantColumn(labels: readonly string[]): DataColumn {
  const cells = shortLabels(labels);
  return { header: 'variant', align: 'left', cells: labels, ...(cells === undefined ? {} : { short: { order: 2.5, cells } }) };
}

/** Whether every service has one edge into it, so that the table of services repeats the one of edges. */
const servicesRepeatEdges = ({ edges, services }: RunFile): boolean =>
  services.every(({ name }) => edges.filter((edge) => edge.service === name && !isPublishing(edge)).length === 1);

const isPublishing = ({ queue, caller }: EdgeInfo): boolean => queue !== '' && caller !== queue;

/** `timeout 1.74 %`, most frequent first. */
function failureTexts(ledger: Ledger): string[] {
  const ended = failureBuckets.reduce((sum, bucket) => sum + ledger.failed[bucket], ledger.ok);
  return failureBuckets
    .filter((bucket) => ledger.failed[bucket] > 0)
    .toSorted((a, b) => ledger.failed[b] - ledger.failed[a])
    .map((bucket) => `${metricTitle(`failures.${bucket}`).replace('failed: ', '')} ${formatShare(ledger.failed[bucket], ended)}`);
}
