/** How capacity followed demand, one row per variant that scales, and per service where several scale: how many instances there were, how long too few or
 *  too many, how soon it reacted, how often it changed its mind, what that cost. */
import { isMeasured, type RunFile } from '../../lab/types.ts';
import type { Estimate } from '../../stats/result.ts';
import { commonTimeUnit, formatMs, formatPercent, isNumber, significant } from '../format.ts';
import { labelColumn } from './faults.ts';
import { type DataColumn, type DataTable, unlessEmpty } from './table.ts';

type Estimates = Readonly<Record<string, Estimate>>;

interface ScalingRow {
  /** Empty for all services together. */
  readonly service: string;
  readonly variant: string;
  readonly estimates: Estimates;
}

const about =
  'Means over seeds, since warm-up. Too few, too many: share of the time in which fewer or more instances were ready than the offered ' +
  'work needs at the target utilization. Reaction: from too few being ready until there are enough. Flaps: changes that go the other ' +
  'way than the one before, per hour. Lost: requests lost with instances that were taken away. Pending: how long a new instance waits ' +
  'for a place to run. Cost: per hour.';

/** None where no instances come and go; at most so many rows for services, those that lacked instances longest. */
export function scalingTables(run: RunFile, maxRows = Infinity): DataTable[] {
  const { variants } = run;
  if (!isMeasured(variants, 'replicas.mean')) return [];
  const whole = variants
    .filter((variant) => isMeasured([variant], 'replicas.mean'))
    .map(({ label, estimates }) => ({ service: '', variant: label, estimates }));
  const all = tableOf('Scaling', whole, [
    labelColumn(
      'scaling',
      whole.map(({ variant }) => variant),
    ),
  ]);
  const services = serviceRows(run);
  if (new Set(services.map(({ service }) => service)).size < 2) return [all];
  const rows = worst(services, maxRows);
  const [parts, shown] = [services, rows].map((each) => new Set(each.map(({ service }) => service)).size);
  const names: DataColumn[] = [
    { header: 'service', align: 'left', cells: rows.map(({ service }) => service) },
    ...(variants.length > 1
      ? [
          labelColumn(
            'variant',
            rows.map(({ variant }) => variant),
          ),
        ]
      : []),
  ];
  const rest = shown! < parts! ? ` ${shown} of ${parts} services: those that lacked instances longest.` : '';
  return [all, { ...tableOf('Scaling by service', rows, names), about: `The same for each service that scales.${rest}` }];
}

/** By service, then by variant. */
function serviceRows({ variants }: RunFile): ScalingRow[] {
  const names = new Set(variants.flatMap(({ elastic }) => elastic?.services.map(({ name }) => name) ?? []));
  return [...names].flatMap((service) =>
    variants.flatMap(({ label, elastic }) =>
      (elastic?.services ?? [])
        .filter(({ name }) => name === service)
        .map(({ estimates }) => ({ service, variant: label, estimates })),
    ),
  );
}

/** Whole services, in their order. */
function worst(rows: readonly ScalingRow[], maxRows: number): readonly ScalingRow[] {
  if (rows.length <= maxRows) return rows;
  const longest = new Map<string, number>();
  for (const { service, estimates } of rows) {
    const share = mean(estimates, 'scaling.underTime');
    longest.set(service, Math.max(longest.get(service) ?? 0, isNumber(share) ? share : 0));
  }
  const count = Math.max(1, Math.floor((maxRows * longest.size) / rows.length));
  const kept = new Set(
    [...longest.entries()].toSorted(([, a], [, b]) => b - a).flatMap(([name], at) => (at < count ? name : [])),
  );
  return rows.filter(({ service }) => kept.has(service));
}

const mean = (estimates: Estimates, metric: string): number => estimates[metric]?.mean ?? NaN;

function tableOf(title: string, rows: readonly ScalingRow[], names: readonly DataColumn[]): DataTable {
  const column = (header: string, metric: string, show: (value: number) => string, dropOrder?: number): DataColumn => ({
    header,
    align: 'right',
    cells: rows.map(({ estimates }) => {
      const value = mean(estimates, metric);
      return isNumber(value) ? show(value) : '';
    }),
    ...(dropOrder === undefined ? {} : { dropOrder }),
  });
  const time = (header: string, metric: string, dropOrder: number): DataColumn => {
    const unit = commonTimeUnit(rows.map(({ estimates }) => mean(estimates, metric)));
    return column(header, metric, (value) => (value === 0 ? '0' : formatMs(value, unit)), dropOrder);
  };
  const isEmpty = (cell: string): boolean => cell === '';
  const isNothing = (cell: string): boolean => cell === '' || cell === '0';
  const share = (value: number): string => (value === 0 ? '0' : formatPercent(value));
  return {
    title,
    about,
    columns: [
      ...names,
      column('replicas', 'replicas.mean', significant, 9),
      column('most', 'replicas.max', significant, 6),
      column('too few', 'scaling.underTime', share),
      column('too many', 'scaling.overTime', share, 7),
      ...unlessEmpty(time('reaction', 'scaling.reaction', 5), isEmpty),
      column('flaps/h', 'scaling.flaps', significant, 4),
      ...unlessEmpty(column('lost', 'scaling.lost', significant, 8), isNothing),
      ...unlessEmpty(time('pending', 'scaling.pending', 3), isNothing),
      ...unlessEmpty(column('cost/h', 'cost', significant), isEmpty),
    ],
  };
}
