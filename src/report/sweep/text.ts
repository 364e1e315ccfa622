/** A sweep for terminals: the answer, a map of winners, what matters most, and how to get it again. */
import pc from 'picocolors';
import type { SweepFile } from '../../lab/sweep/types.ts';
import { formatPercent } from '../format.ts';
import { forTerminal } from '../plain-text.ts';
import { textTable, type TextColumn } from '../text-table.ts';
import { cellEstimate, effectText, mapAxes, mapPanels, metricText } from './rows.ts';

interface Look {
  readonly color: boolean;
  readonly unicode: boolean;
  readonly width: number;
}

/** A page of maps is a file's business. */
const panelsMax = 6;
const rowsMax = 40;

export function sweepText(sweep: SweepFile, { color, unicode, width }: Look): string {
  const paint = pc.createColors(color);
  const table = (columns: readonly TextColumn[]): string[] => textTable(columns, width, unicode ? '…' : '...', paint.dim);
  const { name } = sweep.scenario;
  const size = `${sweep.points.length} points, ${sweep.variants.length} ${sweep.variants.length === 1 ? 'variant' : 'variants'}, ${sweep.seeds.length} seeds`;
  const blocks = [
    [`${paint.bold(forTerminal(name))}   ${size}   ${sweep.metric}`],
    sweep.design === 'lhs' || sweep.variants.length === 1 ? pointTable(sweep, table) : maps(sweep, table, unicode),
    effectLines(sweep),
    sweep.verdict.map((sentence, i) => (i === 0 ? paint.bold(forTerminal(sentence)) : forTerminal(sentence))),
    sweep.complete ? [] : [paint.yellow('Incomplete: cells are missing; the numbers rest on the seeds that every point has.')],
    [`Again: ${forTerminal(sweep.replay)}`],
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}

function maps(sweep: SweepFile, table: (columns: readonly TextColumn[]) => string[], unicode: boolean): string[] {
  const axes = mapAxes(sweep);
  const { factors, winners, variants, points } = sweep;
  const across = factors[axes.x];
  const up = axes.y < 0 ? undefined : factors[axes.y];
  const panels = mapPanels(sweep, axes);
  const nobody = unicode ? '·' : '.';
  const lines = panels.slice(0, panelsMax).flatMap(({ name, points: own }) => {
    const at = (x: number, y: number): string => {
      const point = own.find((each) => points[each].levels[axes.x] === x && (axes.y < 0 || points[each].levels[axes.y] === y));
      const winner = point === undefined ? -1 : winners[point].winner;
      return winner < 0 ? nobody : variants[winner];
    };
    const rows = up === undefined ? [0] : up.values.map((_, y) => y);
    const head: TextColumn = {
      header: up === undefined ? '' : forTerminal(up.path),
      align: 'left',
      cells: rows.map((y) => (up === undefined ? 'winner' : forTerminal(up.values[y]))),
    };
    const columns = across.values.map((value, x): TextColumn => ({
      header: forTerminal(value),
      align: 'left',
      cells: rows.map((y) => forTerminal(at(x, y))),
    }));
    return [...(name === '' ? [] : [forTerminal(name)]), ...table([head, ...columns]), ''];
  });
  const more = panels.length - panelsMax;
  return [
    `Who wins in ${sweep.metric}, across: ${forTerminal(across.path)}; ${nobody} where nobody can tell`,
    ...lines,
    ...(more > 0 ? [`and ${more} more maps in the report`] : []),
  ].slice(0, -1);
}

function pointTable(sweep: SweepFile, table: (columns: readonly TextColumn[]) => string[]): string[] {
  const points = sweep.points.slice(0, rowsMax);
  const columns: TextColumn[] = [
    ...sweep.factors.map(({ path, values }, i): TextColumn => ({
      header: forTerminal(path),
      align: 'right',
      cells: points.map(({ levels }) => forTerminal(values[levels[i]])),
    })),
    ...sweep.variants.map((label, variant): TextColumn => ({
      header: forTerminal(label),
      align: 'right',
      cells: points.map((_, point) => metricText(sweep.metric, cellEstimate(sweep, point, variant).mean)),
    })),
    ...(sweep.variants.length === 1
      ? []
      : [
          {
            header: 'winner',
            align: 'left' as const,
            cells: points.map((_, point) => forTerminal(sweep.variants[sweep.winners[point].winner] ?? '·')),
          },
        ]),
  ];
  const more = sweep.points.length - points.length;
  return [...table(columns), ...(more > 0 ? [`and ${more} more in sweep.csv`] : [])];
}

function effectLines(sweep: SweepFile): string[] {
  const mains = sweep.effects.filter(({ factors, share }) => factors.length === 1 && share > 0);
  const pairs = sweep.effects.filter(({ factors, share }) => factors.length === 2 && share >= 0.01);
  if (mains.length === 0) return [];
  return [
    `What matters for ${sweep.metric} (share of the variation; effect of each value on the mean)`,
    ...mains.map(({ factors, share, levels }) => {
      const parts = levels.slice(0, 8).map(({ value, effect }) => `${value} ${effectText(sweep.metric, effect.mean)}`);
      return `  ${formatPercent(share)}  ${forTerminal(factors[0])}: ${forTerminal(parts.join(', '))}${levels.length > 8 ? ', …' : ''}`;
    }),
    ...pairs.map(({ factors, share }) => `  ${formatPercent(share)}  ${forTerminal(factors.join(' with '))} (interaction)`),
  ];
}
