/** Roll-outs: what each strategy made of all of them, and each one by itself. They are alike in all seeds when they are asked for, but each
 *  seed decides by what it sees; where seeds decide otherwise, the outcome says how many. */
import { isMeasured, type RunFile, type SeedRollout, type VariantResult } from '../../lab/types.ts';
import { formatCount, formatPercent, formatSpan, isNumber, significant } from '../format.ts';
import { labelColumn } from './faults.ts';
import { type DataColumn, type DataTable, unlessEmpty } from './table.ts';

/** The same roll-out under one variant, in all seeds. */
interface RolloutGroup {
  readonly variant: VariantResult;
  readonly first: SeedRollout;
  readonly seeds: readonly SeedRollout[];
}

/** None where nothing is rolled out; at most so many rows for single roll-outs, those that failed most requests. */
export function rolloutTables(run: RunFile, maxRows = Infinity): DataTable[] {
  return [summaryTable(run), singleTable(run, maxRows), deliveryTable(run)].filter((table) => table !== null);
}

function summaryTable(run: RunFile): DataTable | null {
  const variants = run.variants.filter(({ change }) => (change?.rollouts.length ?? 0) > 0);
  if (variants.length === 0) return null;
  const { count, share, time } = meansOf(variants);
  const columns = [
    ...share('exposed', 'rollout.exposure'),
    ...count('failed', 'rollout.failed'),
    ...count('slow', 'rollout.slow', 6),
    ...count('user minutes', 'rollout.userMinutes', 4),
    ...time('detected', 'rollout.detect', 8),
    ...time('rolled back', 'rollout.rollback', 5),
    ...time('finished', 'rollout.finish', 7),
    ...share('missed', 'rollout.missed', 9),
    ...share('wrong', 'rollout.wrong', 3),
  ];
  if (columns.length === 0) return null;
  return {
    title: 'Roll-outs',
    about:
      'Means over seeds. Exposed: share of the requests, from asking for a version to the end of it, that met it. Failed, slow: requests ' +
      'that met it last and failed, or were slow; user minutes: minutes of users with one such request or more. Detected: from the first ' +
      'request that met a bad version until it was given up; rolled back: until nothing was left of it. Finished: from asking for a ' +
      'version until it was everywhere. Missed: bad versions that were accepted; wrong: good ones that were given up.',
    columns: [
      labelColumn(
        'roll-outs',
        variants.map(({ label }) => label),
      ),
      ...columns,
    ],
  };
}

/** One column per number that any of the variants has. */
function meansOf(variants: readonly VariantResult[]) {
  const means = (metric: string): number[] => variants.map(({ estimates }) => estimates[metric]?.mean ?? NaN);
  const column = (header: string, metric: string, show: (value: number) => string, dropOrder?: number): DataColumn[] =>
    unlessEmpty(
      {
        header,
        align: 'right',
        cells: means(metric).map((value) => (isNumber(value) ? (value === 0 ? '0' : show(value)) : '')),
        ...(dropOrder === undefined ? {} : { dropOrder }),
      },
      (cell) => cell === '',
    );
  return {
    share: (header: string, metric: string, dropOrder?: number) => column(header, metric, formatPercent, dropOrder),
    count: (header: string, metric: string, dropOrder?: number) => column(header, metric, countText, dropOrder),
    time: (header: string, metric: string, dropOrder?: number) => {
      // From milliseconds to hours: no unit fits all.
      return column(header, metric, formatSpan, dropOrder);
    },
  };
}

/** A mean of counts: with decimals only where they say something. */
const countText = (value: number): string => (value < 10 ? String(Number(significant(value))) : formatCount(value));

const singleAbout =
  'Outcome: what most seeds decided, counted from when the version was asked for; medians over these seeds. Failed, slow: of those that ' +
  'met the version last, per seed. Bad: the version fails or delays requests by itself.';

function singleTable(run: RunFile, maxRows: number): DataTable | null {
  const all = rolloutGroups(run.variants);
  if (all.length === 0) return null;
  const kept = costliest(all, maxRows);
  const rows = kept.flat();
  const shown = kept.length;
  const names = kept.flatMap((group) => group.map(() => rolloutName(group)));
  const isOne = new Set(rows.map(({ first }) => first.service)).size === 1;
  const number = (header: string, cell: (row: RolloutGroup) => string, dropOrder?: number): DataColumn => ({
    header,
    align: 'right',
    cells: rows.map(cell),
    ...(dropOrder === undefined ? {} : { dropOrder }),
  });
  const mean = ({ seeds }: RolloutGroup, pick: (seed: SeedRollout) => number): number =>
    seeds.reduce((sum, seed) => sum + pick(seed), 0) / seeds.length;
  return {
    title: 'Each roll-out',
    about: singleAbout + (shown < all.length ? ` ${shown} of ${all.length} roll-outs: those that failed most requests.` : ''),
    columns: [
      {
        header: shown < all.length ? `roll-out (${shown} of ${all.length})` : 'roll-out',
        align: 'left',
        cells: names,
        short: { order: 1, cells: rows.map(({ first }) => shortName(first, isOne)) },
      },
      ...(run.variants.length > 1
        ? [
            labelColumn(
              'variant',
              rows.map(({ variant }) => variant.label),
            ),
          ]
        : []),
      {
        ...{ header: 'outcome', align: 'left', cells: rows.map((row) => outcomeText(row.seeds)) },
        short: { order: 3, cells: rows.map((row) => outcomeText(row.seeds, true)) },
      },
      number(
        'exposed',
        (row) => {
          const share = mean(row, ({ exposed }) => exposed) / mean(row, ({ offered }) => offered);
          return isNumber(share) ? (share === 0 ? '0' : formatPercent(share)) : '';
        },
        4,
      ),
      number('failed', (row) => countText(mean(row, ({ failed }) => failed))),
      number('slow', (row) => countText(mean(row, ({ slow }) => slow)), 2),
    ],
  };
}

/** `api: v1 to v2 (bad) at 26s`. What was there before is left out where strategies had brought different versions by then. */
function rolloutName(group: readonly RolloutGroup[]): string {
  const { service, kind, from, to, isBad, startedMs } = group[0]!.first;
  const what = kind === 'config' ? `${service} config` : service;
  const isSame = group.every(({ seeds }) => seeds.every((seed) => seed.from === from));
  return `${what}: ${isSame ? `${from} to ${to}` : to}${isBad ? ' (bad)' : ''} at ${formatSpan(startedMs)}`;
}

const shortName = ({ service, to, isBad }: SeedRollout, isOne: boolean): string =>
  `${isOne ? '' : `${service}: `}${to}${isBad ? ' (bad)' : ''}`;

/** One list per roll-out, in the order in which they were asked for: its rows, in the order of the variants. */
function rolloutGroups(variants: readonly VariantResult[]): RolloutGroup[][] {
  const found = new Map<string, { readonly startedMs: number; readonly rows: Map<VariantResult, SeedRollout[]> }>();
  for (const variant of variants) {
    for (const rollout of variant.change?.rollouts ?? []) {
      const { service, kind, to, startedMs, order } = rollout;
      // What is there before may differ between variants; what is asked for does not.
      const key = JSON.stringify([service, kind, to, startedMs, order]);
      const group = found.get(key) ?? { startedMs, rows: new Map<VariantResult, SeedRollout[]>() };
      group.rows.set(variant, [...(group.rows.get(variant) ?? []), rollout]);
      found.set(key, group);
    }
  }
  return [...found.values()]
    .toSorted((a, b) => a.startedMs - b.startedMs)
    .map(({ rows }) => [...rows].map(([variant, seeds]) => ({ variant, first: seeds[0]!, seeds })));
}

/** Whole roll-outs, in their order. */
function costliest(all: readonly RolloutGroup[][], maxRows: number): readonly RolloutGroup[][] {
  if (all.flat().length <= maxRows) return all;
  const cost = (rows: readonly RolloutGroup[]): number =>
    rows.reduce((sum, { seeds }) => sum + seeds.reduce((total, { failed }) => total + failed, 0), 0);
  const kept = new Set<readonly RolloutGroup[]>();
  let left = maxRows;
  for (const rows of all.toSorted((a, b) => cost(b) - cost(a))) {
    if (kept.size > 0 && rows.length > left) break;
    kept.add(rows);
    left -= rows.length;
  }
  return all.filter((rows) => kept.has(rows));
}

/** `given up after 20s, gone 4s later, in 2 of 3 seeds; accepted after 1m in 1`. */
export function outcomeText(seeds: readonly SeedRollout[], isShort = false): string {
  const groups = new Map<string, SeedRollout[]>();
  for (const seed of seeds) groups.set(seed.outcome, [...(groups.get(seed.outcome) ?? []), seed]);
  const sorted = [...groups].toSorted(([, a], [, b]) => b.length - a.length);
  const [most] = sorted;
  if (most === undefined) return '';
  const word = ([outcome]: (typeof sorted)[number]): string => outcomeWords[outcome] ?? `still ${outcome}`;
  const text = (group: (typeof sorted)[number], isFull: boolean): string => `${word(group)}${durations(group[1], isFull)}`;
  if (sorted.length === 1) return isShort ? word(most) : text(most, true);
  if (isShort) return sorted.map((group) => `${word(group)} in ${group[1].length}`).join('; ');
  const rest = sorted.slice(1).map((group) => `${text(group, false)} in ${group[1].length}`);
  return `${text(most, true)}, in ${most[1].length} of ${seeds.length} seeds; ${rest.join('; ')}`;
}

const outcomeWords: Readonly<Record<string, string>> = {
  succeeded: 'accepted',
  aborted: 'given up',
  halted: 'halted',
  superseded: 'superseded',
  idle: 'not begun',
  promoting: 'still taking over',
  'rolling-back': 'still going back',
  stalled: 'stalled',
};

/** ` after 20s, gone 4s later`: the second part for what was given up. */
function durations(seeds: readonly SeedRollout[], isFull: boolean): string {
  const decided = median(seeds.map(({ decidedMs, startedMs }) => decidedMs - startedMs));
  if (!isNumber(decided)) return '';
  const head = ` after ${formatSpan(decided)}`;
  if (!isFull || !seeds.every(({ outcome }) => outcome === 'aborted')) return head;
  const gone = median(seeds.map(({ endedMs, decidedMs }) => endedMs - decidedMs));
  return head + (!isNumber(gone) ? ', not gone at the end' : gone === 0 ? ', gone at once' : `, gone ${formatSpan(gone)} later`);
}

function median(values: readonly number[]): number {
  const sorted = values.filter(isNumber).toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length === 0 ? NaN : sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

const deliveryMetrics = ['config.lag', 'rollout.split'];

/** How decisions reached hosts, and who took them: where configuration is spread, or controllers are several. */
function deliveryTable({ variants }: RunFile): DataTable | null {
  const rows = variants.filter(
    (variant) => (variant.change?.leaders.length ?? 0) > 0 || deliveryMetrics.some((metric) => isMeasured([variant], metric)),
  );
  const { count, share, time } = meansOf(rows);
  const columns = [
    ...time('lag', 'config.lag'),
    ...time('longest lag', 'config.lagMax', 3),
    ...share('skew', 'config.skew'),
    ...count('refused', 'config.refused', 2),
    ...count('took over', 'rollout.leaders', 5),
    ...time('two leaders', 'rollout.split', 6),
    ...count('fenced', 'rollout.fenced', 4),
    ...count('stale', 'rollout.stale', 7),
  ];
  if (rows.length === 0 || columns.length === 0) return null;
  const nothing = columns.every(({ cells }) => cells.every((cell) => cell === '0' || cell === ''));
  if (nothing && rows.every(({ change }) => (change?.leaders.length ?? 0) === 0)) return null;
  return {
    title: 'Delivery of changes',
    about:
      'Means over seeds. Lag: from the decision to give a host a configuration until it is in force there. Skew: share of the time in ' +
      'which hosts of one configuration had different versions. Refused: configurations that a host could not use. Took over: times that ' +
      'another controller became the leader. Two leaders: time in which more than one believed to lead. Fenced: writes refused because ' +
      'another had led since; stale: such writes that took effect.',
    columns: [
      labelColumn(
        'delivery',
        rows.map(({ label }) => label),
      ),
      ...columns,
    ],
  };
}
