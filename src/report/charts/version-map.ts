/** Who had what, and when: a row per instance or host, coloured by its version; blank while there is no process. Of a large fleet some are
 *  shown, picked evenly in the order in which they changed. One picture per service, kind of change and variant, of its first seed. */
import type { RunFile, VariantResult } from '../../lab/types.ts';
import { changesKept, type HostVersion } from '../../stats/result.ts';
import { formatSpan } from '../format.ts';
import { plural } from '../summary.ts';
import { textWidth } from '../text-width.ts';
import { ink } from './palette.ts';
import { marksHeight, phaseLayers, phaseRows } from './phase-marks.ts';
import { chart, rounded, sentences, short, type ChartSpec, type Part, type Row } from './spec.ts';
import { contextDatasets, contextLayers, spanTooltip, timeUnit } from './time.ts';
import { badVersions, pickPanels, versionColor, type Versioned, versionedOf } from './version-looks.ts';
import { panelFrame, type PanelLook, panelTime } from './version-panel.ts';

const maxPanels = 8;
const maxRows = 40;
/** Of all pictures together. */
const maxRowsOfAll = 120;
/** Likewise; beyond, a page gets slow and heavy. */
const maxSpans = 6000;

interface Span {
  readonly version: string;
  readonly fromMs: number;
  readonly toMs: number;
}

interface Host {
  readonly name: string;
  readonly spans: readonly Span[];
}

interface Panel {
  readonly key: string;
  readonly versioned: Versioned;
  readonly variant: VariantResult;
  readonly hosts: readonly Host[];
}

export const anyHost = (run: RunFile): boolean => allPanels(run).length > 0;

export function versionMap(run: RunFile): ChartSpec {
  const all = allPanels(run);
  const picked = pickPanels(all, maxPanels);
  const limit = Math.max(8, Math.min(maxRows, Math.floor(maxRowsOfAll / picked.length)));
  const panels = picked.map((panel) => ({ ...panel, hosts: pickHosts(panel.hosts, limit) }));
  const most = Math.max(...picked.map(({ hosts }) => hosts.length));
  const spans = panels.flatMap((panel) => spanRows(run, panel)).slice(0, maxSpans);
  const phases = panels.flatMap((panel) => phaseRows(run, panel));
  const names = spans.map((row) => textWidth(shownName(String(row.host)), 10));
  const namesWidth = Math.ceil(Math.max(...names)) + 4;
  const cutMs = Math.min(...picked.map(({ variant }) => knownUntil(variant)));
  return chart(
    {
      title: finding(run, picked),
      subtitle: sentences(
        'Version of each instance or host; blank: none. First seed.',
        run.faults.length > 0 ? 'Orange bars: faults.' : '',
        most > limit ? `${limit} of ${most} rows, picked evenly in the order in which they changed.` : '',
        cutMs < run.scenario.durationMs ? `More changes than are kept: what came after ${formatSpan(cutMs)} is not shown.` : '',
        panels.length < all.length ? `${panels.length} of ${all.length} pictures.` : '',
      ),
    },
    { hosts: spans, phases, ...contextDatasets(run) },
    {
      vconcat: panels.map((panel, index) =>
        panelOf(run, panel, {
          hasLegend: panels.findIndex(({ versioned }) => versioned === panel.versioned) === index,
          hasPhases: phases.some((row) => row.panel === panel.key),
          isLast: index === panels.length - 1,
          namesWidth,
        }),
      ),
      spacing: 14,
      resolve: { scale: { color: 'independent' } },
    },
  );
}

function allPanels(run: RunFile): Panel[] {
  return versionedOf(run).flatMap((versioned, thing) =>
    run.variants.flatMap((variant, index) => {
      const hosts = hostsOf(run, variant, versioned);
      return hosts.length === 0 ? [] : [{ key: `${thing}_${index}`, versioned, variant, hosts }];
    }),
  );
}

/** With the longest list that is kept, later changes may lack. */
function knownUntil({ change }: VariantResult): number {
  const hosts = change?.hosts ?? [];
  return hosts.length < changesKept ? Infinity : Math.max(...hosts.map(({ atMs }) => atMs));
}

function hostsOf(run: RunFile, variant: VariantResult, { service, kind }: Versioned): Host[] {
  const changes = new Map<string, HostVersion[]>();
  for (const each of variant.change?.hosts ?? []) {
    if (each.kind !== kind || serviceOf(run, each.host) !== service) continue;
    const own = changes.get(each.host);
    if (own === undefined) changes.set(each.host, [each]);
    else own.push(each);
  }
  const endMs = Math.min(run.scenario.durationMs, knownUntil(variant));
  return [...changes]
    .map(([name, own]) => ({ name, spans: spansOf(own, endMs) }))
    .filter(({ spans }) => spans.length > 0)
    .sort((a, b) => byNumber(a.name, b.name));
}

/** `api/3` is an instance of a service, `shoppers#0` a client of an edge to it. */
function serviceOf({ edges }: RunFile, host: string): string {
  const instance = host.lastIndexOf('/');
  const client = host.lastIndexOf('#');
  if (client < instance) return host.slice(0, instance);
  const edge = host.slice(0, client);
  return edges.find(({ name }) => name === edge)?.service ?? edge;
}

/** `api/2` before `api/10`. */
function byNumber(a: string, b: string): number {
  const [, head = a, number = '0'] = /^(.*?)(\d*)$/s.exec(a) ?? [];
  const [, otherHead = b, otherNumber = '0'] = /^(.*?)(\d*)$/s.exec(b) ?? [];
  return head === otherHead ? Number(number) - Number(otherNumber) : head < otherHead ? -1 : 1;
}

function spansOf(changes: readonly HostVersion[], endMs: number): Span[] {
  const found: Span[] = [];
  changes.forEach(({ atMs, version }, index) => {
    const toMs = Math.min(changes[index + 1]?.atMs ?? endMs, endMs);
    const last = found.at(-1);
    if (version === '' || toMs <= atMs) return;
    if (last !== undefined && last.version === version && last.toMs === atMs) found[found.length - 1] = { ...last, toMs };
    else found.push({ version, fromMs: atMs, toMs });
  });
  return found;
}

function pickHosts(hosts: readonly Host[], limit: number): readonly Host[] {
  if (hosts.length <= limit) return hosts;
  const firstChange = ({ spans }: Host): number => spans[1]?.fromMs ?? Infinity;
  const order = hosts.map((host, index) => ({ host, index, atMs: firstChange(host) }));
  order.sort((a, b) => (a.atMs === b.atMs ? a.index - b.index : a.atMs - b.atMs));
  return Array.from({ length: limit }, (_, row) => order[Math.round((row * (order.length - 1)) / (limit - 1))]!.host);
}

function spanRows(run: RunFile, { key, variant, hosts }: Panel): Row[] {
  const { perMs } = timeUnit(run);
  return hosts.flatMap(({ name, spans }) =>
    spans.map(({ version, fromMs, toMs }) => ({
      ...{ panel: key, variant: variant.label, host: name, version },
      ...{ from: rounded(fromMs * perMs), to: rounded(toMs * perMs), lasted: formatSpan(toMs - fromMs) },
    })),
  );
}

/** Of a long name the beginning, and the number at its end. */
const longestName = 24;
const shownName = (name: string): string =>
  name.length <= longestName ? name : `${name.slice(0, longestName - 9)}…${name.slice(-8)}`;
const nameExpression =
  `length(datum.value) <= ${longestName} ? datum.value : ` +
  `slice(datum.value, 0, ${longestName - 9}) + '…' + slice(datum.value, -8)`;

interface MapLook extends PanelLook {
  /** Of the longest name in any picture, so that all begin at the same place. */
  readonly namesWidth: number;
}

function panelOf(run: RunFile, panel: Panel, look: MapLook): Part {
  const { hasLegend, hasPhases, namesWidth } = look;
  const { key, versioned, hosts } = panel;
  const step = hosts.length > 24 ? 7 : hosts.length > 12 ? 10 : 13;
  const height = step * hosts.length;
  const x = panelTime(run, look);
  return {
    ...panelFrame(run, panel, look, height),
    layer: [
      ...contextLayers(run, 'none', height),
      {
        data: { name: 'hosts' },
        transform: [{ filter: { field: 'panel', equal: key } }],
        mark: { type: 'rect', clip: true, opacity: 0.9 },
        encoding: {
          x,
          x2: { field: 'to' },
          y: {
            field: 'host',
            type: 'nominal',
            sort: null,
            title: null,
            scale: { domain: hosts.map(({ name }) => name), paddingInner: 0.15, paddingOuter: 0.05 },
            axis: {
              ...{ ticks: false, domain: false, labelColor: ink.normal, labelFontSize: step < 10 ? 8 : 10 },
              ...{ minExtent: namesWidth, maxExtent: namesWidth },
              labelExpr: nameExpression,
              labelOverlap: step < 10 ? 'parity' : true,
            },
          },
          color: versionColor(run, versioned, hasLegend ? { offset: hasPhases ? marksHeight : 8 } : null),
          tooltip: [{ field: 'host', type: 'nominal' }, { field: 'version', type: 'nominal' }, ...spanTooltip(run)],
        },
      },
      ...phaseLayers(run, key),
    ],
  };
}

/** How far a bad version came, or else the last one. Instances that replace each other are not added up. */
function finding(run: RunFile, panels: readonly Panel[]): string {
  const versioneds = [...new Set(panels.map(({ versioned }) => versioned))];
  const isBad = (each: Versioned): boolean => badVersions(run, each).size > 0;
  const versioned = versioneds.find(isBad) ?? versioneds[0]!;
  const version = [...badVersions(run, versioned)][0] ?? versioned.versions.at(-1)!;
  const reached = panels
    .filter((panel) => panel.versioned === versioned)
    .map(({ variant, hosts }) => ({ label: short(variant.label), count: mostAtOnce(hosts, version) }))
    .sort((a, b) => a.count - b.count);
  const [least, most] = [reached[0]!, reached.at(-1)!];
  const name = `${short(version)}${isBad(versioned) ? ', which is bad,' : ''} is on up to`;
  const counted = (count: number): string => plural(count, versioned.kind === 'config' ? 'host' : 'instance');
  if (least.count === most.count)
    return `${name} ${counted(most.count)} at once${reached.length > 1 ? ' with every variant' : ''}`;
  return `${name} ${counted(least.count)} at once with ${least.label}, ${most.count} with ${most.label}`;
}

function mostAtOnce(hosts: readonly Host[], version: string): number {
  const changes = hosts.flatMap(({ spans }) =>
    spans
      .filter((span) => span.version === version)
      .flatMap(({ fromMs, toMs }) => [
        { atMs: fromMs, by: 1 },
        { atMs: toMs, by: -1 },
      ]),
  );
  // Who leaves as another comes was not there at the same time.
  changes.sort((a, b) => a.atMs - b.atMs || a.by - b.by);
  let now = 0;
  let most = 0;
  for (const { by } of changes) most = Math.max(most, (now += by));
  return most;
}
