/** How versions look in all charts: the first one is grey, good ones are cool, bad ones are warm. Names of versions belong to their service
 *  and kind of change, and so do their colours. */
import type { RunFile, VariantResult, VariantTraffic } from '../../lab/types.ts';
import type { RolloutKind } from '../../stats/result.ts';
import { textWidth } from '../text-width.ts';
import { accents, ink, legendLabelLimit, plotWidth } from './palette.ts';
import { short, type Part } from './spec.ts';

const first = '#b9c2cb';
const good = ['#0072B2', '#009E73', '#56B4E9', '#CC79A7', '#A08A00'];
/** The colour of faults is not among them: these are drawn in the same pictures. */
const bad = [accents.limit, '#E69F00', '#8C510A'];

/** What has versions: a service, in its code or in its configuration. */
export interface Versioned {
  readonly service: string;
  readonly kind: RolloutKind;
  /** In the order in which they came, of all variants. */
  readonly versions: readonly string[];
}

export function versionedOf({ variants }: RunFile): Versioned[] {
  const found = new Map<string, Versioned>();
  for (const { change } of variants) {
    for (const { service, kind, versions } of change?.traffic ?? []) {
      const key = JSON.stringify([service, kind]);
      const before = found.get(key)?.versions ?? [];
      found.set(key, { service, kind, versions: [...new Set([...before, ...versions])] });
    }
  }
  return [...found.values()];
}

export const trafficOf = ({ change }: VariantResult, { service, kind }: Versioned): VariantTraffic | undefined =>
  change?.traffic.find((each) => each.service === service && each.kind === kind);

/** The name of a picture: `argo-canary`, and what it is about where that is not always the same. */
export function panelTitle(run: RunFile, { service, kind }: Versioned, { label }: VariantResult): string {
  const all = versionedOf(run);
  if (all.length < 2) return label;
  return `${short(service)}${kind === 'config' ? ', configuration' : ''}: ${label}`;
}

export function versionColor(run: RunFile, versioned: Versioned, legend: Part | null): Part {
  const { versions } = versioned;
  const isBad = badVersions(run, versioned);
  let [goods, bads] = [0, 0];
  const range = versions.map((version, index) => {
    if (isBad.has(version)) return bad[bads++ % bad.length]!;
    return index === 0 ? first : good[goods++ % good.length]!;
  });
  const described = versions.map((version) => (isBad.has(version) ? `${short(version)} (bad)` : short(version)));
  return {
    field: 'version',
    type: 'nominal',
    scale: { domain: versions, range },
    legend: legend && {
      orient: 'top',
      symbolType: 'square',
      symbolOpacity: 1,
      symbolStrokeWidth: 0,
      columns: Math.max(1, Math.floor(plotWidth / (34 + Math.max(...described.map(legendWidth))))),
      labelExpr: labelsOf(versions, described),
      labelColor: ink.normal,
      ...legend,
    },
  };
}

const legendWidth = (text: string): number => Math.min(legendLabelLimit, textWidth(text, 12));

export function badVersions({ variants }: RunFile, { service, kind }: Versioned): Set<string> {
  const rollouts = variants.flatMap(({ change }) => change?.rollouts ?? []);
  return new Set(rollouts.filter((each) => each.isBad && each.service === service && each.kind === kind).map(({ to }) => to));
}

/** An expression that says `v2 (bad)` for `v2`. */
const labelsOf = (versions: readonly string[], texts: readonly string[]): string =>
  versions.reduceRight(
    (rest, version, index) => `datum.value === ${JSON.stringify(version)} ? ${JSON.stringify(texts[index])} : ${rest}`,
    'datum.label',
  );

/** As many variants of everything that has versions as there is room for, each of which can have one; the first ones otherwise. */
export function pickPanels<Panel extends { readonly versioned: Versioned }>(all: readonly Panel[], most: number): Panel[] {
  const things = [...new Set(all.map(({ versioned }) => versioned))];
  const each = Math.max(1, Math.floor(most / Math.max(1, things.length)));
  return things.flatMap((thing) => all.filter(({ versioned }) => versioned === thing).slice(0, each)).slice(0, most);
}
