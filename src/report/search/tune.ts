/** Every output of `tune`: files, and the page for terminals. All of it from `tune.json`, the same bytes each time. */
import pc from 'picocolors';
import type { Trial, TuneFile } from '../../lab/search/types.ts';
import { plotWidth } from '../charts/palette.ts';
import { chart, type ChartSpec, type Part, type Row, roundedOrNull, serializeSpec } from '../charts/spec.ts';
import { csv, type Cell } from '../csv.ts';
import type { OutputFile } from '../index.ts';
import { serializePlain } from '../json.ts';
import { forTerminal } from '../plain-text.ts';
import { textTable, type TextColumn } from '../text-table.ts';
import { colorOf } from './looks.ts';
import { axisTitle, estimateCells, estimateOf, isSame, promiseParts } from './rows.ts';

export async function* tuneFiles(result: TuneFile): AsyncGenerator<OutputFile> {
  yield { name: 'tune.json', content: serializePlain(result) };
  yield { name: 'trials.csv', content: trialsCsv(result) };
  if (result.trials.every(({ goal }) => !Number.isFinite(goal.mean))) return;
  const { renderSvg } = await import('../svg.ts');
  const spec = goalChart(result);
  yield { name: 'charts/goal.vl.json', content: serializeSpec(spec) };
  yield { name: 'charts/goal.svg', content: await renderSvg(spec) };
}

/** One row per setting that was tried; fresh seeds are not in it, but for the two columns of those that were confirmed. */
export function trialsCsv({ dimensions, trials, goal, confirmation }: TuneFile): string {
  const metrics = [...new Set(trials.flatMap((trial) => Object.keys(trial.metrics)))];
  const header = [
    ...['trial', 'round'],
    ...dimensions.map(({ path }) => path),
    ...[
      'end',
      'seeds',
      'goal',
      'goal low',
      'goal high',
      'to winner',
      'to winner low',
      'to winner high',
      'goal on fresh seeds',
      'promises on fresh seeds',
    ],
    ...goal.constraints,
    ...metrics,
    'problem',
  ];
  const rows = trials.map((trial): Cell[] => {
    const confirmed = confirmation.find(({ setting }) => isSame(trial.setting, setting));
    return [
      ...[trial.number, trial.round],
      ...dimensions.map(({ path }) => trial.setting[path] ?? ''),
      ...[trial.end, trial.seeds, trial.goal.mean, trial.goal.low, trial.goal.high],
      ...(trial.toWinner === null ? [null, null, null] : [trial.toWinner.mean, trial.toWinner.low, trial.toWinner.high]),
      ...[confirmed?.goal.mean ?? null, confirmed?.decision ?? ''],
      ...goal.constraints.map((_, k) => trial.checks[k]?.decision ?? ''),
      ...metrics.map((metric) => estimateOf(trial, metric).mean),
      trial.problem,
    ];
  });
  return csv(header, rows);
}

/** Trials that overload a system would flatten all others. */
const outlying = 5;

/** One panel per parameter: goal against its value; colours say what became of each trial. */
export function goalChart({ trials, dimensions, goal, verdict }: TuneFile): ChartSpec {
  const shown = trials.filter((trial) => trial.end !== 'invalid' && Number.isFinite(trial.goal.mean));
  const sizes = shown.map((trial) => trial.goal.mean).toSorted((x, y) => x - y);
  const middle = sizes[Math.floor(sizes.length / 2)] ?? 0;
  const isWide = (sizes[0] ?? 0) > 0 && (sizes.at(-1) ?? 0) > outlying * middle;
  const rows = shown.map((trial): Row => ({
    ...Object.fromEntries(
      dimensions.map(({ path }, d) => [
        `x${d}`,
        isNumeric(shown, d) ? roundedOrNull(trial.numbers[d]) : forTerminal(trial.setting[path] ?? ''),
      ]),
    ),
    goal: roundedOrNull(trial.goal.mean),
    low: roundedOrNull(clamped(trial.goal.low, sizes)),
    high: roundedOrNull(clamped(trial.goal.high, sizes)),
    end: ends[trial.end] ?? trial.end,
    order: order.indexOf(ends[trial.end] ?? trial.end),
  }));
  const present = order.filter((end) => rows.some((row) => row.end === end));
  const y = { type: 'quantitative', title: axisTitle(goal.metric), scale: isWide ? { type: 'log' } : { zero: false } };
  const scale = colorOf('end', present);
  const panel = ({ path, unit, isLog }: TuneFile['dimensions'][number], d: number): Part => {
    const numeric = isNumeric(shown, d);
    const x = numeric
      ? {
          field: `x${d}`,
          type: 'quantitative',
          title: forTerminal(unit === '' ? path : `${path} (${unit})`),
          scale: isLog ? { type: 'log' } : { zero: false },
        }
      : { field: `x${d}`, type: 'nominal', title: forTerminal(path), axis: { labelAngle: 0 } };
    return {
      data: { name: 'trials' },
      width: plotWidth - 140,
      height: 240,
      layer: [
        ...(rows.some(({ low }) => low !== null)
          ? [
              {
                mark: { type: 'rule', strokeWidth: 1, opacity: 0.5 },
                encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color: scale },
              },
            ]
          : []),
        {
          mark: { type: 'point', filled: true, size: 60, opacity: 0.9 },
          encoding: {
            x,
            y: { ...y, field: 'goal' },
            color: scale,
            order: { field: 'order', type: 'quantitative', sort: 'descending' },
          },
        },
      ],
    };
  };
  return chart(
    {
      title: verdict[0] ?? '',
      subtitle: `${goal.metric} of every trial on the seeds of the search, with 95 % intervals where there is more than one seed; the title speaks of fresh ones.`,
    },
    { trials: rows },
    { vconcat: dimensions.map(panel), spacing: 24 },
  );
}

const isNumeric = (trials: readonly Trial[], d: number): boolean => trials.every(({ numbers }) => Number.isFinite(numbers[d]));

/** An interval from two seeds may be a hundred times as wide as everything there is to see. */
function clamped(value: number, sizes: readonly number[]): number {
  const [low = NaN, high = NaN] = [sizes[0], sizes.at(-1)];
  const room = (high - low) * 0.1;
  return Math.max(low > 0 ? Math.max(low - room, low / 2) : low - room, Math.min(high + room, value));
}

const ends: Readonly<Record<string, string>> = {
  winner: 'winner',
  finalist: 'finalist',
  open: 'not shown worse',
  dropped: 'fell behind',
  worse: 'shown worse',
  breaks: 'breaks a promise',
};
const order = ['winner', 'finalist', 'not shown worse', 'fell behind', 'shown worse', 'breaks a promise'];
interface Look {
  readonly color: boolean;
  readonly unicode: boolean;
  readonly width: number;
}

/** Of trials that did not come into question a few are enough on a screen. */
const rowsMax = 12;

export function tuneText(result: TuneFile, { color, unicode, width }: Look): string {
  const paint = pc.createColors(color);
  const { dimensions, goal, confirmation, trials, verdict, scenario, cells, budget, replay, complete } = result;
  const table = (columns: readonly TextColumn[]): string[] => textTable(columns, width, unicode ? '…' : '...', paint.dim);
  const metrics = goal.constraints.map((text) => promiseParts(text).metric);
  const sign = goal.direction === 'min' ? 1 : -1;
  const rank = (trial: Trial): number => order.indexOf(ends[trial.end] ?? '');
  const best = trials
    .filter(({ end }) => end !== 'invalid')
    .toSorted((x, y) => rank(x) - rank(y) || sign * (x.goal.mean - y.goal.mean) || x.number - y.number)
    .slice(0, rowsMax);
  const goals = best.map((trial) => estimateCells(goal.metric, trial.goal));
  const fresh = best.map(({ setting }) => {
    const found = confirmation.find((each) => isSame(each.setting, setting));
    return found === undefined ? '' : estimateCells(goal.metric, found.goal)[0];
  });
  const columns: TextColumn[] = [
    ...dimensions.map(({ path }): TextColumn => ({
      header: forTerminal(path),
      align: 'right',
      cells: best.map(({ setting }) => forTerminal(setting[path] ?? '')),
      shrinkTo: 12,
    })),
    { header: forTerminal(goal.metric), align: 'right', cells: goals.map(([value]) => value) },
    { header: '95 % interval', align: 'left', cells: goals.map(([, interval]) => interval), giveWay: [{ order: 1 }] },
    ...metrics.map((metric): TextColumn => ({
      header: forTerminal(metric),
      align: 'right',
      cells: best.map((trial) => estimateCells(metric, estimateOf(trial, metric))[0]),
      giveWay: [{ order: 3 }],
    })),
    { header: 'seeds', align: 'right', cells: best.map(({ seeds }) => String(seeds)), giveWay: [{ order: 2 }] },
    { header: 'fresh', align: 'right', cells: fresh },
    { header: '', align: 'left', cells: best.map(({ end }) => ends[end] ?? end) },
  ];
  const more = trials.length - best.length;
  const blocks = [
    [`${paint.bold(forTerminal(scenario.name))}   ${forTerminal(goal.text)}   ${cells} of ${budget} cells`],
    best.length === 0 ? [] : [...table(columns), ...(more > 0 ? [`and ${more} more in trials.csv`] : [])],
    verdict.map((sentence, i) => (i === 0 ? paint.bold(forTerminal(sentence)) : forTerminal(sentence))),
    complete ? [] : [paint.yellow('Incomplete: interrupted; nothing is confirmed.')],
    [`Again: ${forTerminal(replay)}`],
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}
