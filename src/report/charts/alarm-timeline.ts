/** Faults against alarms: when a planned fault held, and below it when each service's alarm fired. A bar below nothing is a false alarm; what
 *  is missing at the left end of a bar is the time it took to fire. */
import { type FaultWindow, isMeasured, type RunFile } from '../../lab/types.ts';
import type { AlarmChange } from '../../stats/result.ts';
import { formatMs, formatSpan, isNumber, significant } from '../format.ts';
import { plural } from '../summary.ts';
import { laneBars, lanesOf } from './lanes.ts';
import { accents, variantColor } from './palette.ts';
import { chart, rounded, roundedOrNull, sentences, short, type ChartSpec, type Row } from './spec.ts';
import { contextDatasets, contextLayers, spanTooltip, timeUnit } from './time.ts';

const maxRows = 30;
const maxVariants = 10;

export const anyAlarm = ({ variants }: RunFile): boolean => variants.some(({ alarms }) => alarms.length > 0);

/** Also of variants whose alarms are silent: below a fault, silence tells something. */
export function alarmTimeline(run: RunFile): ChartSpec {
  const watching = run.variants.filter((each) => each.alarms.length > 0 || isMeasured([each], 'alarm.false'));
  const variants = watching.slice(0, maxVariants);
  const all = [...new Set(variants.flatMap(({ alarms }) => alarms.map(({ service }) => service)))];
  const services = all.slice(0, Math.max(1, Math.floor(maxRows / variants.length)));
  const frame = lanesOf(
    'service',
    services,
    variants.map(({ label }) => label),
  );
  const incidents = incidentsOf(run);
  const faultBars: Row[] = frame.lanes.flatMap((_, row) =>
    incidents.map(({ label, fromMs, toMs }) => ({ row, what: short(label), ...spanRow(run, fromMs, toMs) })),
  );
  const alarms: Row[] = frame.lanes.flatMap(({ thing, variant }, row) =>
    firings(run, variants[variant]!.alarms, thing).map(({ fromMs, toMs, value }) => ({
      ...{ row, service: thing, variant: variants[variant]!.label, value: roundedOrNull(value) },
      ...spanRow(run, fromMs, toMs),
    })),
  );
  return chart(
    {
      title: title(run),
      subtitle: sentences(
        incidents.length > 0 ? 'Orange: a planned fault held. Below: the alarm of the service fired.' : 'When alarms fired.',
        'First seed.',
        services.length < all.length ? `The first ${services.length} of ${all.length} services.` : '',
        variants.length < watching.length ? `The first ${variants.length} of ${watching.length} variants.` : '',
      ),
    },
    { incidents: faultBars, alarms, lanes: frame.rows, ...contextDatasets(run) },
    {
      width: frame.width,
      height: frame.height,
      layer: [
        ...contextLayers(run, 'none', frame.height),
        ...frame.gridLayers,
        laneBars(run, {
          ...{ data: 'incidents', top: 0.1, bottom: 0.34, rows: frame.lanes.length, look: accents.fault },
          tooltip: [{ field: 'what', type: 'nominal' }, ...spanTooltip(run)],
        }),
        laneBars(run, {
          ...{ data: 'alarms', top: 0.4, bottom: 0.9, rows: frame.lanes.length, look: { color: variantColor(run, null) } },
          tooltip: [
            { field: 'service', type: 'nominal' },
            { field: 'variant', type: 'nominal' },
            { field: 'value', type: 'quantitative', title: 'fired at', format: '.4~g' },
            ...spanTooltip(run),
          ],
        }),
        ...frame.nameLayers,
      ],
    },
  );
}

function spanRow(run: RunFile, fromMs: number, toMs: number): Row {
  const { perMs } = timeUnit(run);
  return { from: rounded(fromMs * perMs), to: rounded(toMs * perMs), lasted: formatSpan(toMs - fromMs) };
}

/** Faults that overlap are one incident. */
function incidentsOf({ faults, scenario: { durationMs } }: RunFile): FaultWindow[] {
  const incidents: FaultWindow[] = [];
  const inTime = faults.filter(({ fromMs }) => fromMs < durationMs).toSorted((a, b) => a.fromMs - b.fromMs);
  for (const fault of inTime) {
    const { label, fromMs } = fault;
    const toMs = Math.min(fault.toMs, durationMs);
    const last = incidents.at(-1);
    if (last === undefined || last.toMs < fromMs) incidents.push({ label, fromMs, toMs });
    else {
      const both = { label: `${last.label} + ${label}`, fromMs: last.fromMs, toMs: Math.max(last.toMs, toMs) };
      incidents[incidents.length - 1] = both;
    }
  }
  return incidents;
}

interface Firing {
  readonly fromMs: number;
  readonly toMs: number;
  /** What the alarm was shown when it began to fire. */
  readonly value: number;
}

function firings({ scenario: { durationMs } }: RunFile, alarms: readonly AlarmChange[], service: string): Firing[] {
  const found: Firing[] = [];
  let since: AlarmChange | undefined;
  for (const change of alarms) {
    if (change.service !== service) continue;
    if (since !== undefined) found.push({ fromMs: since.atMs, toMs: change.atMs, value: since.value });
    since = change.fires ? change : undefined;
  }
  if (since !== undefined) found.push({ fromMs: since.atMs, toMs: durationMs, value: since.value });
  return found;
}

function title(run: RunFile): string {
  const found = run.variants
    .flatMap(({ label, estimates }) => {
      const mean = estimates['alarm.time']?.mean;
      return isNumber(mean) ? [{ label: short(label), text: mean === 0 ? 'at once' : `after ${formatMs(mean)}`, mean }] : [];
    })
    .sort((a, b) => a.mean - b.mean);
  const [fastest] = found;
  const slowest = found.at(-1);
  if (fastest === undefined || slowest === undefined) {
    const fired = run.variants.reduce((sum, { alarms }) => sum + alarms.filter(({ fires }) => fires).length, 0);
    return `Alarms fire ${plural(fired, 'time')}`;
  }
  const rates = run.variants.flatMap(({ estimates }) => estimates['alarm.false']?.mean ?? []).filter(isNumber);
  const mistakes = rates.length === 0 ? '' : `; ${range(rates)} false alarms per hour`;
  if (fastest.text === slowest.text)
    return `Alarms fire ${fastest.text}${found.length > 1 ? ' with every variant' : ' on average'}${mistakes}`;
  return `Alarms fire ${fastest.text} with ${fastest.label}, ${slowest.text} with ${slowest.label}${mistakes}`;
}

function range(values: readonly number[]): string {
  const [low, high] = [significant(Math.min(...values)), significant(Math.max(...values))];
  return low === high ? low : `${low} to ${high}`;
}
