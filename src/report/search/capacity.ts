/** Every output of `capacity`: files, and the page for terminals. All of it from `capacity.json`, the same bytes each time. */
import pc from 'picocolors';
import type { CapacityFile } from '../../lab/search/types.ts';
import { accents, plotWidth } from '../charts/palette.ts';
import { chart, roundedOrNull, serializeSpec, type ChartSpec, type Row } from '../charts/spec.ts';
import { csv, type Cell } from '../csv.ts';
import type { OutputFile } from '../index.ts';
import { serializePlain } from '../json.ts';
import { forTerminal } from '../plain-text.ts';
import { textTable, type TextColumn } from '../text-table.ts';
import { axisTitle, estimateCells, estimateOf, isSame, promiseParts } from './rows.ts';
import { colorOf } from './looks.ts';

export async function* capacityFiles(result: CapacityFile): AsyncGenerator<OutputFile> {
  yield { name: 'capacity.json', content: serializePlain(result) };
  yield { name: 'probes.csv', content: probesCsv(result) };
  if (!hasChart(result)) return;
  const { renderSvg } = await import('../svg.ts');
  const spec = capacityChart(result);
  yield { name: 'charts/capacity.vl.json', content: serializeSpec(spec) };
  yield { name: 'charts/capacity.svg', content: await renderSvg(spec) };
}

/** One row per setting that was tried. */
export function probesCsv({ dimensions, probes, answer, slo }: CapacityFile): string {
  const metrics = [...new Set(probes.flatMap((probe) => Object.keys(probe.metrics)))];
  const header = [
    ...dimensions.map(({ path }) => path),
    ...['decision', 'answer', 'seeds'],
    ...metrics.flatMap((metric) => [metric, `${metric} low`, `${metric} high`]),
    ...slo.map((text) => `bound of ${text}`),
  ];
  const rows = probes.map((probe): Cell[] => [
    ...dimensions.map(({ path }) => probe.setting[path] ?? ''),
    ...[probe.decision, isSame(answer, probe.setting) ? 'yes' : '', probe.seeds],
    ...metrics.flatMap((metric) => {
      const { mean, low, high } = estimateOf(probe, metric);
      return [mean, low, high];
    }),
    ...slo.map((_, k) => probe.checks[k]?.bound ?? null),
  ]);
  return csv(header, rows);
}

const hasChart = ({ probes, dimensions, slo }: CapacityFile): boolean =>
  probes.length > 1 &&
  dimensions.length === 1 &&
  probes.every(({ numbers }) => Number.isFinite(numbers[0])) &&
  probes.some((probe) => Number.isFinite(estimateOf(probe, promiseParts(slo[0]!).metric).low));

/** What was promised first, against what was varied. */
export function capacityChart({ probes, dimensions, slo, verdict, answer, confidence }: CapacityFile): ChartSpec {
  const { path, unit, isLog } = dimensions[0]!;
  const { metric } = promiseParts(slo[0]!);
  const limit = probes[0]!.checks[0]!.limit;
  const sizes = probes.map((probe) => estimateOf(probe, metric).mean).filter((mean) => mean > 0 && Number.isFinite(mean));
  // Overload is orders of magnitude slower than what one looks for.
  const isWide = sizes.length === probes.length && Math.max(...sizes) > 20 * Math.min(...sizes) && limit > 0;
  const rows = probes.map((probe): Row => {
    const { mean, low, high } = estimateOf(probe, metric);
    return {
      x: roundedOrNull(probe.numbers[0]),
      mean: roundedOrNull(mean),
      low: roundedOrNull(isWide ? Math.max(low, mean / 3) : low),
      high: roundedOrNull(high),
      decision: probe.decision,
      answer: isSame(answer, probe.setting) ? 'answer' : '',
    };
  });
  const x = {
    field: 'x',
    type: 'quantitative',
    title: forTerminal(unit === '' ? path : `${path} (${unit})`),
    scale: isLog ? { type: 'log' } : { zero: false },
  };
  const y = { type: 'quantitative', title: axisTitle(metric), scale: isWide ? { type: 'log' } : { zero: true } };
  const color = colorOf('decision', ['meets', 'fails', 'undecided']);
  return chart(
    {
      title: verdict[0] ?? '',
      subtitle: `${metric} with 95 % intervals over seeds; colours say what is shown with ${confidence * 100} % confidence; the line is the limit.`,
    },
    { probes: rows, limit: [{ limit }] },
    {
      width: plotWidth - 60,
      height: 320,
      layer: [
        {
          data: { name: 'limit' },
          mark: { type: 'rule', color: accents.limit, strokeDash: [6, 4] },
          encoding: { y: { ...y, field: 'limit' } },
        },
        {
          data: { name: 'probes' },
          mark: { type: 'rule', strokeWidth: 1.5 },
          encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
        },
        {
          data: { name: 'probes' },
          mark: { type: 'point', filled: true, size: 70, opacity: 1 },
          encoding: { x, y: { ...y, field: 'mean' }, color },
        },
        {
          data: { name: 'probes' },
          mark: { type: 'text', dy: -14, fontSize: 11 },
          encoding: { x, y: { ...y, field: 'mean' }, text: { field: 'answer', type: 'nominal' } },
        },
      ],
    },
  );
}

interface Look {
  readonly color: boolean;
  readonly unicode: boolean;
  readonly width: number;
}

export function capacityText(result: CapacityFile, { color, unicode, width }: Look): string {
  const paint = pc.createColors(color);
  const { probes, slo, minimise, answer, dimensions, verdict, scenario, cells, replay, complete } = result;
  const metrics = [...new Set([...slo.map((text) => promiseParts(text).metric), ...(minimise === null ? [] : [minimise])])];
  const columns: TextColumn[] = [
    ...dimensions.map(({ path }): TextColumn => ({
      header: forTerminal(path),
      align: 'right',
      cells: probes.map(({ setting }) => forTerminal(setting[path] ?? '')),
    })),
    ...metrics.flatMap((metric): TextColumn[] => {
      const texts = probes.map((probe) => estimateCells(metric, estimateOf(probe, metric)));
      return [
        { header: forTerminal(metric), align: 'right', cells: texts.map(([value]) => value) },
        { header: '95 % interval', align: 'left', cells: texts.map(([, interval]) => interval), giveWay: [{ order: 1 }] },
      ];
    }),
    { header: 'seeds', align: 'right', cells: probes.map(({ seeds }) => String(seeds)), giveWay: [{ order: 2 }] },
    {
      header: '',
      align: 'left',
      cells: probes.map((probe) => `${probe.decision}${isSame(answer, probe.setting) ? (unicode ? ' ←' : ' <-') : ''}`),
    },
  ];
  const blocks = [
    [`${paint.bold(forTerminal(scenario.name))}   ${forTerminal(slo.join(', '))}   ${cells} cells`],
    probes.length === 0 ? [] : textTable(columns, width, unicode ? '…' : '...', paint.dim),
    verdict.map((sentence, i) => (i === 0 ? paint.bold(forTerminal(sentence)) : forTerminal(sentence))),
    complete ? [] : [paint.yellow('Incomplete: interrupted; the table shows what had been decided.')],
    [`Again: ${forTerminal(replay)}`],
  ];
  return `${blocks
    .filter((block) => block.length > 0)
    .map((block) => block.join('\n'))
    .join('\n\n')}\n`;
}
