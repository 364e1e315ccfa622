/** The pictures of a sweep: the map of winners, grey where nobody can tell; the metric along the main factor; main effects with their
 *  intervals. Pure functions from a sweep to Vega-Lite specifications. */
import type { SweepFile } from '../../lab/sweep/types.ts';
import { forTerminal } from '../plain-text.ts';
import { colors, ink, plotWidth } from '../charts/palette.ts';
import { chart, rounded, roundedOrNull, type ChartSpec, type Part, type Row } from '../charts/spec.ts';
import { cellEstimate, mapAxes, mapPanels, metricText, nobody } from './rows.ts';

const grey = '#c9ced3';
/** More are in sweep.csv. */
const panelsMax = 12;

export const sweepCharts: Readonly<Record<string, { when(sweep: SweepFile): boolean; spec(sweep: SweepFile): ChartSpec }>> = {
  winners: { when: ({ variants, points }) => variants.length > 1 && points.length > 1, spec: winnerMap },
  lines: { when: (sweep) => sweep.factors[mapAxes(sweep).x].numbers !== null && sweep.design === 'factorial', spec: lines },
  effects: { when: ({ effects }) => effects.some(({ levels, share }) => levels.length > 0 && share > 0), spec: mainEffects },
};

function variantScale(sweep: SweepFile): Part {
  return {
    domain: [...sweep.variants.map(forTerminal), nobody],
    range: [...sweep.variants.map((_, i) => colors[i % colors.length]), grey],
  };
}

function winnerMap(sweep: SweepFile): ChartSpec {
  const axes = mapAxes(sweep);
  const { factors, points, winners, variants, metric } = sweep;
  const panels = mapPanels(sweep, axes).slice(0, panelsMax);
  const shown = new Set(panels.flatMap((panel) => panel.points));
  const value = (point: number, axis: number): string =>
    axis < 0 ? '' : forTerminal(factors[axis].values[points[point].levels[axis]]);
  const number = (point: number, axis: number): number | null =>
    axis < 0 ? 0 : (factors[axis].numbers?.[points[point].levels[axis]] ?? null);
  const isCloud =
    sweep.design === 'lhs' && axes.x >= 0 && factors[axes.x].numbers !== null && (axes.y < 0 || factors[axes.y].numbers !== null);
  const rows = points.flatMap((_, point): Row[] => {
    if (!shown.has(point) && !isCloud) return [];
    const { winner, best } = winners[point];
    const label = winner < 0 ? nobody : forTerminal(variants[winner]);
    return [
      {
        x: isCloud ? number(point, axes.x) : value(point, axes.x),
        y: isCloud ? number(point, axes.y) : value(point, axes.y),
        winner: label,
        mark: winner < 0 ? '?' : short(label),
        panel: forTerminal(panels.find((panel) => panel.points.includes(point))?.name ?? ''),
        best: best < 0 ? '' : forTerminal(metricText(metric, cellEstimate(sweep, point, best).mean)),
      },
    ];
  });
  const color = { field: 'winner', type: 'nominal', scale: variantScale(sweep), legend: { symbolType: 'square' } };
  const axis = (index: number, title: string): Part => ({
    title,
    sort: index < 0 ? null : factors[index].values.map(forTerminal),
  });
  const xTitle = forTerminal(factors[axes.x]?.path ?? '');
  const yTitle = axes.y < 0 ? null : forTerminal(factors[axes.y].path);
  const title = {
    title: sweep.verdict[0] ?? '',
    subtitle: `Who has the best ${metric} at each point; grey where ${sweep.seeds.length} seeds do not tell.`,
  };
  if (isCloud) {
    return chart(
      title,
      { winners: rows },
      {
        data: { name: 'winners' },
        width: plotWidth - 80,
        height: 360,
        mark: { type: 'point', filled: true, size: 140, opacity: 1 },
        encoding: {
          x: { field: 'x', type: 'quantitative', title: xTitle, scale: { zero: false } },
          y: { field: 'y', type: 'quantitative', title: yTitle, scale: { zero: false } },
          color,
        },
      },
    );
  }
  const columns = factors[axes.x].values.length;
  const rowsUp = axes.y < 0 ? 1 : factors[axes.y].values.length;
  const wide = panels.length > 1;
  const cell = Math.max(18, Math.min(110, Math.floor((wide ? plotWidth / 2 - 60 : plotWidth - 160) / columns)));
  const xy = {
    x: { field: 'x', type: 'ordinal', ...axis(axes.x, xTitle), axis: { labelAngle: columns > 12 ? -45 : 0, title: xTitle } },
    y: {
      field: 'y',
      type: 'ordinal',
      ...axis(axes.y, yTitle ?? ''),
      axis: { title: yTitle, labels: axes.y >= 0, ticks: axes.y >= 0 },
    },
  };
  const layer = [
    { mark: { type: 'rect', stroke: '#ffffff', strokeWidth: 1 }, encoding: { ...xy, color } },
    ...(cell >= 40
      ? [
          {
            mark: { type: 'text', color: ink.strong, fontSize: 11, limit: cell - 6 },
            encoding: { ...xy, text: { field: 'mark', type: 'nominal' } },
          },
        ]
      : []),
  ];
  const size = { width: cell * columns, height: Math.max(30, Math.min(360, 34 * rowsUp)) };
  const body = wide
    ? { facet: { field: 'panel', type: 'nominal', header: {} }, columns: 2, spec: { ...size, layer } }
    : { ...size, layer };
  return chart(title, { winners: rows }, { data: { name: 'winners' }, ...body });
}

const short = (label: string): string => (label.length > 14 ? `${label.slice(0, 13)}…` : label);

/** Along the main factor, mean over the others. */
function lines(sweep: SweepFile): ChartSpec {
  const { x } = mapAxes(sweep);
  const factor = sweep.factors[x];
  const rows = sweep.variants.flatMap((label, variant): Row[] =>
    factor.values.map((_, level) => {
      const own = sweep.points.flatMap(({ levels }, point) => (levels[x] === level ? [cellEstimate(sweep, point, variant)] : []));
      const mean = (pick: 'mean' | 'low' | 'high'): number | null =>
        roundedOrNull(own.reduce((sum, each) => sum + each[pick], 0) / own.length);
      return {
        variant: forTerminal(label),
        x: rounded(factor.numbers![level]),
        mean: mean('mean'),
        low: mean('low'),
        high: mean('high'),
      };
    }),
  );
  const scale = { domain: sweep.variants.map(forTerminal), range: sweep.variants.map((_, i) => colors[i % colors.length]) };
  const color = { field: 'variant', type: 'nominal', scale };
  const only = sweep.factors.length > 1 ? ', mean over the other factors' : '';
  return chart(
    {
      title: `${sweep.metric} against ${forTerminal(factor.path)}`,
      subtitle: `Mean of ${sweep.seeds.length} seeds with 95 % intervals${only}.`,
    },
    { lines: rows },
    {
      data: { name: 'lines' },
      width: plotWidth - 60,
      height: 300,
      layer: [
        {
          mark: { type: 'rule', strokeWidth: 1.5, opacity: 0.6 },
          encoding: {
            ...along(factor),
            y: { field: 'low', type: 'quantitative', title: sweep.metric },
            y2: { field: 'high' },
            color,
          },
        },
        {
          mark: { type: 'line', point: { size: 50 } },
          encoding: {
            ...along(factor),
            y: { field: 'mean', type: 'quantitative', title: null },
            color,
            strokeDash: { field: 'variant', type: 'nominal', scale: { domain: scale.domain }, legend: null },
          },
        },
      ],
    },
  );
}

const along = ({ path, unit }: SweepFile['factors'][number]): Part => ({
  x: {
    field: 'x',
    type: 'quantitative',
    title: forTerminal(`${path}${unit === '' ? '' : ` (${unit})`}`),
    scale: { zero: false, nice: false },
  },
});

function mainEffects(sweep: SweepFile): ChartSpec {
  const mains = sweep.effects.filter(({ levels, share }) => levels.length > 1 && share > 0);
  const sets = mains.map(({ factors, share, levels }, i) => ({
    name: `effect_${i + 1}`,
    title: forTerminal(`${factors[0]}: ${Math.floor(share * 100)} % of the variation`),
    rows: levels.map(({ value, effect }): Row => ({
      value: forTerminal(value),
      mean: roundedOrNull(effect.mean),
      low: roundedOrNull(effect.low),
      high: roundedOrNull(effect.high),
    })),
  }));
  const ends = sets.flatMap(({ rows }) => rows.flatMap(({ mean, low, high }) => [mean, low, high, 0] as (number | null)[]));
  const present = ends.filter((value): value is number => value !== null);
  const scale = { domain: [Math.min(...present), Math.max(...present)], nice: true };
  const panel = ({ name, title, rows }: (typeof sets)[number], index: number): Part => {
    const x = { type: 'quantitative', scale, title: index === sets.length - 1 ? `effect on ${sweep.metric}` : null };
    const y = { field: 'value', type: 'ordinal', sort: rows.map(({ value }) => value), title: null };
    return {
      data: { name },
      title: { text: title, fontSize: 12, offset: 4 },
      width: plotWidth - 200,
      height: { step: 20 },
      layer: [
        { mark: { type: 'rule', color: ink.line }, encoding: { x: { ...x, datum: 0 } } },
        {
          mark: { type: 'rule', strokeWidth: 1.5, color: ink.normal },
          encoding: { x: { ...x, field: 'low' }, x2: { field: 'high' }, y },
        },
        {
          mark: { type: 'point', filled: true, size: 60, color: colors[0], opacity: 1 },
          encoding: { x: { ...x, field: 'mean' }, y },
        },
      ],
    };
  };
  return chart(
    {
      title: `What matters for ${sweep.metric}`,
      subtitle: 'How far the mean at each value lies from the mean of all, with 95 % intervals over seeds.',
    },
    Object.fromEntries(sets.map(({ name, rows }) => [name, rows])),
    { vconcat: sets.map(panel), spacing: 18 },
  );
}
