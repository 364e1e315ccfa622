/** Whether a variant came back after the trigger: the verdict on each seed's time series, their count, and one sentence. */
import type { Scenario } from '../scenario/spec.ts';
import { judgeMetastability, type MetastabilityVerdict, recoveryRule, type TooShort } from '../stats/metastability.ts';
import type { CellResult, InstanceData } from '../stats/result.ts';
import { list, roughly, span } from './phrases.ts';
import type { VariantMetastability, VariantResult } from './types.ts';

type World = Omit<Scenario, 'variants'>;

/** Null when the scenario does not ask. */
export function judgeRecovery(label: string, world: World, cells: readonly CellResult[]): VariantMetastability | null {
  if (world.metastability === undefined) return null;
  const { triggerEndsMs } = world.metastability;
  const perSeed = cells.map((cell) => judgeCell(world, cell, triggerEndsMs));
  const recoveries = perSeed
    .filter(({ state }) => state === 'recovered')
    .map(({ recoveredAtMs }) => recoveredAtMs - triggerEndsMs);
  const counted = {
    perSeed,
    metastableSeeds: perSeed.filter(({ state }) => state === 'metastable').length,
    recoveredSeeds: recoveries.length,
    medianRecoveryMs: median(recoveries),
  };
  const sentence = `${label}: ${describe(counted, world.run.durationMs - triggerEndsMs)}.`;
  return { ...counted, sentence, escape: null };
}

/** The verdict on one run. `fromMs` is when it could begin to recover: the trigger's end, or later when help came later. */
export function judgeCell(world: World, { series, instances }: CellResult, fromMs: number): MetastabilityVerdict {
  const { run, metastability } = world;
  const backlog = backlogOf(instances);
  return judgeMetastability({
    windowMs: series.windowMs,
    offered: series.columns.offered,
    ok: series.columns.ok,
    ...(backlog === undefined ? {} : { backlog }),
    measuredFromMs: run.warmupMs,
    triggerBeginsMs: metastability?.triggerBeginsMs ?? fromMs,
    triggerEndsMs: fromMs,
    horizonMs: run.durationMs,
    rule: { ...recoveryRule, ...(metastability === undefined ? {} : { recoveredAtShare: metastability.recoveredShare }) },
  });
}

export const isMetastable = ({ metastability }: Pick<VariantResult, 'metastability'>): boolean =>
  metastability !== null && 2 * metastability.metastableSeeds > metastability.perSeed.length;

/** What all variants did, in one sentence where that is short enough, otherwise by outcome. Nothing when nobody was asked. */
export function recoverySentences(variants: readonly VariantResult[]): string[] {
  const judged = variants.filter(({ metastability }) => (metastability?.perSeed.length ?? 0) > 0);
  if (judged.length === 0) return [];
  const escapes = judged.flatMap(({ metastability }) => metastability?.escape?.sentence ?? []);
  if (judged.length > IN_ONE_SENTENCE) return [...byOutcome(judged), ...escapes];
  const parts = judged.map(({ metastability }) => metastability?.sentence.replace(/\.$/, '') ?? '');
  return [`${parts.join('; ')}.`, ...escapes];
}

const IN_ONE_SENTENCE = 3;

function byOutcome(variants: readonly VariantResult[]): string[] {
  const outcomes: Record<'stuck' | 'back' | 'untouched' | 'open', string[]> = { stuck: [], back: [], untouched: [], open: [] };
  for (const { label, metastability } of variants) {
    if (metastability === null) continue;
    const { perSeed, metastableSeeds, recoveredSeeds, medianRecoveryMs } = metastability;
    const count = `${label} (${metastableSeeds} of ${perSeed.length} seeds)`;
    const isMost = (seeds: number): boolean => 2 * seeds > perSeed.length;
    if (isMost(metastableSeeds)) outcomes.stuck.push(count);
    else if (isMost(recoveredSeeds)) outcomes.back.push(`${label} (${span(medianRecoveryMs)})`);
    else if (isMost(perSeed.filter(({ state }) => state === 'never-failed').length)) outcomes.untouched.push(label);
    else outcomes.open.push(label);
  }
  const say = (what: string, labels: readonly string[]): string[] => (labels.length === 0 ? [] : [`${what}: ${list(labels)}.`]);
  return [
    ...say('Metastable after the trigger', outcomes.stuck),
    ...say('Recovered, in the median after', outcomes.back),
    ...say('Never failed', outcomes.untouched),
    ...say('No clear outcome in most seeds', outcomes.open),
  ];
}

function describe(
  { perSeed, metastableSeeds, recoveredSeeds, medianRecoveryMs }: Omit<VariantMetastability, 'sentence' | 'escape'>,
  afterMs: number,
): string {
  const share = (seeds: number): string => `${seeds} of ${perSeed.length} ${perSeed.length === 1 ? 'seed' : 'seeds'}`;
  const parts: string[] = [];
  if (metastableSeeds > 0) {
    const stuck = perSeed.filter(({ state }) => state === 'metastable');
    const left = stuck.reduce((sum, { lastShare, baseline }) => sum + lastShare * baseline, 0) / stuck.length;
    parts.push(
      `metastable in ${share(metastableSeeds)}, ${span(afterMs)} after the trigger ended goodput is still ${roughly(left)} of the offered load`,
    );
  }
  if (recoveredSeeds > 0) {
    const when = medianRecoveryMs > 0 ? `after ${span(medianRecoveryMs)} (median)` : 'at once';
    parts.push(`recovered in ${share(recoveredSeeds)}, ${when}`);
  }
  const untouched = perSeed.filter(({ state }) => state === 'never-failed').length;
  if (untouched > 0) parts.push(`never failed in ${share(untouched)}`);
  const open = perSeed.filter(({ state }) => state === 'too-short');
  if (open.length > 0) {
    const reasons = new Set(open.flatMap(({ reason }) => (reason === null ? [] : [reasonText[reason]])));
    parts.push(`cannot be told in ${share(open.length)} (${[...reasons].join('; ')})`);
  }
  return parts.length === 0 ? 'nothing finished' : parts.join(', ');
}

const reasonText: Readonly<Record<TooShort, string>> = {
  'no-baseline': 'nothing went well before the trigger',
  'few-windows-after': 'the run ends too soon after the trigger',
  'no-traffic-after': 'nothing is offered at the end',
  'held-too-briefly': 'goodput is back only just before the end',
  'still-improving': 'goodput still rises at the end',
  'backlog-shrinking': 'the backlog still shrinks at the end',
};

/** Work at all instances at the end of each window, for callers that have given up too; not known where instances are too many to have
 *  series of their own. */
function backlogOf(instances: readonly InstanceData[]): number[] | undefined {
  const windows = instances[0]?.queued.length ?? 0;
  if (windows === 0 || instances.some(({ queued }) => queued.length !== windows)) return undefined;
  return instances[0].queued.map((_, window) => instances.reduce((sum, { queued }) => sum + queued[window], 0));
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((x, y) => x - y);
  const half = sorted.length >>> 1;
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}
