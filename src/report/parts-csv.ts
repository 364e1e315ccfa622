/** `edges.csv`, `services.csv` and `classes.csv`: one row per part and variant, counts over all seeds and means over seeds. */
import type { RunFile } from '../lab/types.ts';
import { failureBuckets } from '../stats/result.ts';
import { csv, type Cell } from './csv.ts';
import { type PartKind, partRows, type PartRow } from './tables/parts.ts';

/** Null where there is only one part of the kind. */
export function partsCsv(run: RunFile, kind: PartKind): string | null {
  const rows = partRows(run, kind);
  if (rows.length === 0) return null;
  const about = facts[kind];
  return csv(
    [
      'scenario',
      'variant',
      kind,
      ...about.header,
      ...counts,
      ...means.map(([column]) => column),
      ...(kind === 'edge' ? ['sent_per_request'] : []),
    ],
    rows.map((row): Cell[] => [
      run.scenario.name,
      row.variant.label,
      row.part,
      ...about.cells(run, row),
      ...countCells(row),
      ...means.map(([, metric]) => row.view.estimates[metric]?.mean ?? null),
      ...(kind === 'edge' ? [row.sentPerRequest] : []),
    ]),
  );
}

const facts: Readonly<
  Record<PartKind, { readonly header: readonly string[]; readonly cells: (run: RunFile, row: PartRow) => Cell[] }>
> = {
  edge: {
    header: ['caller', 'service', 'queue'],
    cells: ({ edges }, { part }) => {
      const edge = edges.find(({ name }) => name === part);
      return [edge?.caller ?? '', edge?.service ?? '', edge?.queue ?? ''];
    },
  },
  service: {
    header: ['utilization'],
    cells: (_, { view }) => [view.estimates['utilization.mean']?.mean ?? null],
  },
  class: {
    header: ['priority', 'tenant'],
    cells: ({ classes }, { part }) => {
      const found = classes.find(({ name }) => name === part);
      return [found?.priority ?? null, found?.tenant ?? ''];
    },
  },
};

const counts = ['offered', 'ok', 'degraded', ...failureBuckets.map(snake), 'cancelled', 'in_flight'];
const countCells = ({ view: { ledger } }: PartRow): Cell[] => [
  ledger.offered,
  ledger.ok,
  ledger.degraded,
  ...failureBuckets.map((bucket) => ledger.failed[bucket]),
  ledger.cancelled,
  ledger.inFlight,
];

const means: readonly (readonly [string, string])[] = [
  ['offered_per_s', 'offered'],
  ['goodput_per_s', 'goodput'],
  ['availability', 'availability'],
  ['latency_mean_ms', 'latency.mean'],
  ['latency_p50_ms', 'latency.p50'],
  ['latency_p99_ms', 'latency.p99'],
  ['latency_p999_ms', 'latency.p99.9'],
  ['attempts', 'attempts'],
  ['retries', 'retries'],
  ['hedges', 'hedges'],
  ['cache_hits', 'cacheHits'],
  ['connections_per_s', 'connections'],
];

/** `noEndpoint` → `no_endpoint`. */
function snake(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
