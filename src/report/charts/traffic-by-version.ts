/** Who met what, and when: the share of requests that each version served over time, with the changes of the roll-out's phase. A dashed line
 *  shows the share of instances, or hosts, where that is another one: what was told is not yet in force, or traffic is split by itself.
 *  One picture per service, kind of change and variant. */
import type { RunFile, VariantResult, VariantTraffic } from '../../lab/types.ts';
import { formatPercent, isNumber } from '../format.ts';
import { percentLabel } from './axes.ts';
import { ink } from './palette.ts';
import { marksHeight, phaseLayers, phaseRows } from './phase-marks.ts';
import { chart, rounded, sentences, short, type ChartSpec, type Part, type Row } from './spec.ts';
import { contextDatasets, contextLayers, groupSize, timeUnit } from './time.ts';
import { pickPanels, trafficOf, versionColor, type Versioned, versionedOf } from './version-looks.ts';
import { panelFrame, type PanelLook, panelTime } from './version-panel.ts';

/** More than these make a picture nobody scrolls through; `traffic-by-version.csv` has all of them. */
const maxPanels = 8;
const height = 100;

interface Panel {
  readonly key: string;
  readonly versioned: Versioned;
  readonly variant: VariantResult;
  readonly traffic: VariantTraffic;
}

export const anyVersion = (run: RunFile): boolean => allPanels(run).length > 0;

export function trafficByVersion(run: RunFile): ChartSpec {
  const all = allPanels(run);
  const panels = pickPanels(all, maxPanels);
  const shares = panels.flatMap((panel) => shareRows(run, panel));
  const phases = panels.flatMap((panel) => phaseRows(run, panel));
  const lines = panels.flatMap((panel) => hostRows(run, panel));
  const { windowMs } = panels[0]!.variant.series;
  const size = groupSize(windowsOf(panels[0]!.traffic));
  return chart(
    {
      title: finding(run),
      subtitle: sentences(
        'Share of requests by the version that served them; blank: none were served. In the title: while one is rolled out.',
        lines.length > 0 ? 'Dashed: share of instances or hosts that had it.' : '',
        run.faults.length > 0 ? 'Orange bars: faults.' : '',
        run.seeds.length > 1 ? `Mean of ${run.seeds.length} seeds${phases.length > 0 ? ', phases of the first' : ''}.` : '',
        size === 1 ? '' : `Each step is ${size} windows of ${windowMs / 1000} s.`,
        panels.length < all.length ? `${panels.length} of ${all.length} pictures; traffic-by-version.csv has all.` : '',
      ),
    },
    { shares, hosts: lines, phases, ...contextDatasets(run) },
    {
      vconcat: panels.map((panel, index) =>
        panelOf(run, panel, {
          hasLegend: panels.findIndex(({ versioned }) => versioned === panel.versioned) === index,
          hasPhases: phases.some((row) => row.panel === panel.key),
          isLast: index === panels.length - 1,
        }),
      ),
      spacing: 14,
      resolve: { scale: { color: 'independent' } },
    },
  );
}

/** By what has versions, then by variant, so that what is to be compared stands below each other. */
function allPanels(run: RunFile): Panel[] {
  return versionedOf(run).flatMap((versioned, thing) =>
    run.variants.flatMap((variant, index) => {
      const traffic = trafficOf(variant, versioned);
      return traffic === undefined || !traffic.requests.some((row) => row.some((count) => count > 0))
        ? []
        : [{ key: `${thing}_${index}`, versioned, variant, traffic }];
    }),
  );
}

const windowsOf = ({ requests }: VariantTraffic): number => Math.max(0, ...requests.map((row) => row.length));

interface Step {
  readonly from: number;
  readonly to: number;
  /** By version; null where there is nothing to share. */
  readonly shares: readonly number[] | null;
}

/** Of counts that are added up over the windows of a step, or of those at its end. */
function steps(run: RunFile, { variant, traffic }: Panel, column: 'requests' | 'hosts'): Step[] {
  const { perMs } = timeUnit(run);
  const { windowMs } = variant.series;
  const windows = windowsOf(traffic);
  const size = groupSize(windows);
  const found: Step[] = [];
  for (let window = 0; window < windows; window += size) {
    const counts = traffic[column].map((row) => {
      const part = row.slice(window, window + size).filter(isNumber);
      return column === 'hosts' ? (part.at(-1) ?? 0) : part.reduce((sum, count) => sum + count, 0);
    });
    const total = counts.reduce((sum, count) => sum + count, 0);
    found.push({
      from: rounded(window * windowMs * perMs),
      to: rounded(Math.min((window + size) * windowMs, run.scenario.durationMs) * perMs),
      shares: total > 0 ? counts.map((count) => count / total) : null,
    });
  }
  return found;
}

/** One row per step and version, and one more where what is there ends; the newest version is at the bottom, where its share is read off. */
function shareRows(run: RunFile, panel: Panel): Row[] {
  const { traffic, variant, versioned, key } = panel;
  const all = steps(run, panel, 'requests');
  return traffic.versions.flatMap((version, at) => {
    const base = { panel: key, service: versioned.service, variant: variant.label, version };
    const rowOf = ({ from, to, shares }: Step, isEnd = false): Row => {
      const below = (shares ?? []).reduce((sum, share, index) => (index > at ? sum + share : sum), 0);
      const bounds = shares && { low: rounded(below), high: rounded(below + shares[at]!), share: rounded(shares[at]!) };
      return { ...base, from: isEnd ? to : from, to, ...(bounds ?? { low: null, high: null, share: null }) };
    };
    return all.flatMap((step, index) => {
      const isEnd = step.shares !== null && (all[index + 1]?.shares ?? null) === null;
      return isEnd ? [rowOf(step), rowOf(step, true)] : [rowOf(step)];
    });
  });
}

/** The borders between versions as instances or hosts would have them; none where they say what the areas say. */
function hostRows(run: RunFile, panel: Panel): Row[] {
  const { traffic, key } = panel;
  const [served, had] = [steps(run, panel, 'requests'), steps(run, panel, 'hosts')];
  const border = ({ shares }: Step, at: number): number | null =>
    shares && rounded(shares.reduce((sum, share, index) => (index >= at ? sum + share : sum), 0));
  const differs = traffic.versions.some((_, at) =>
    had.some((step, index) => {
      const [a, b] = [border(step, at), border(served[index]!, at)];
      return a !== null && b !== null && Math.abs(a - b) > sameShare;
    }),
  );
  if (!differs) return [];
  return traffic.versions.slice(1).flatMap((version, index) => {
    const shares = had.map((step) => border(step, index + 1));
    const rows = had.map((step, at) => ({
      ...{ panel: key, version, from: step.from },
      share: isAtEdge(shares, at) || isShared(step, index + 1) ? null : shares[at]!,
    }));
    const last = rows.at(-1);
    return last === undefined ? [] : [...rows, { ...last, from: had.at(-1)!.to }];
  });
}

/** Lines along the edges of the plot would only look like a frame. */
const isAtEdge = (shares: readonly (number | null)[], at: number): boolean =>
  (shares[at] === 0 || shares[at] === 1) && [at - 1, at + 1].every((next) => (shares[next] ?? shares[at]) === shares[at]);

/** Dashes of two lines in one place look like no dashes: the line of the next version stands for both. */
const isShared = ({ shares }: Step, at: number): boolean =>
  shares !== null && shares[at] === 0 && shares.slice(at + 1).some((share) => share > 0);

const sameShare = 0.02;

function panelOf(run: RunFile, panel: Panel, look: PanelLook): Part {
  const { hasLegend, hasPhases } = look;
  const { key, versioned } = panel;
  const own = (name: string): Part => ({ data: { name }, transform: [{ filter: { field: 'panel', equal: key } }] });
  const x = panelTime(run, look);
  const y: Part = {
    type: 'quantitative',
    title: 'requests',
    scale: { domain: [0, 1], nice: false },
    axis: { values: [0, 0.5, 1], labelExpr: percentLabel, minExtent: 36 },
  };
  return {
    ...panelFrame(run, panel, look, height),
    layer: [
      ...contextLayers(run, 'none', height),
      {
        ...own('shares'),
        mark: { type: 'area', interpolate: 'step-after', opacity: 0.9, line: false, clip: true, tooltip: null },
        encoding: {
          x,
          y: { ...y, field: 'low' },
          y2: { field: 'high' },
          color: versionColor(run, versioned, hasLegend ? { offset: hasPhases ? marksHeight : 8 } : null),
        },
      },
      {
        ...own('hosts'),
        mark: {
          ...{ type: 'line', interpolate: 'step-after', strokeWidth: 1.4, strokeDash: [5, 3], color: ink.strong },
          ...{ clip: true, tooltip: null },
        },
        encoding: { x, y: { ...y, field: 'share' }, detail: { field: 'version', type: 'nominal' } },
      },
      ...phaseLayers(run, key),
      {
        name: `hover_${key}`,
        ...own('shares'),
        mark: { type: 'rect', opacity: 0, clip: true },
        encoding: {
          x: { field: 'from', type: 'quantitative' },
          x2: { field: 'to' },
          y: { ...y, field: 'low' },
          y2: { field: 'high' },
          tooltip: [
            { field: 'from', type: 'quantitative', title: timeUnit(run).title, format: '.4~g' },
            { field: 'version', type: 'nominal' },
            { field: 'share', type: 'quantitative', title: 'share of requests', format: '.3~%' },
          ],
        },
      },
    ],
  };
}

function finding(run: RunFile): string {
  const found = run.variants
    .flatMap(({ label, estimates }) => {
      const mean = estimates['rollout.exposure']?.mean;
      return isNumber(mean) ? [{ label: short(label), text: formatPercent(mean), mean }] : [];
    })
    .sort((a, b) => a.mean - b.mean);
  const [least] = found;
  const most = found.at(-1);
  if (least === undefined || most === undefined) return 'Requests by the version that served them';
  const head = `${least.text} of the requests meet a new version`;
  if (least.text === most.text) return found.length > 1 ? `${head} with every variant` : head;
  return `${head} with ${least.label}, ${most.text} with ${most.label}`;
}
