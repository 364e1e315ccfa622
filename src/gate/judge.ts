/** The gate's decision: every check against its non-inferiority margin, look by look, corrected for the number of checks.
 *
 *  `worse`: worse by more than the margin. Tested at every look under Holm's correction, so that the chance of any false alarm in a gate
 *  whose policies are all no worse than their margins is at most `alpha`, however many checks and looks there are.
 *  `equivalent` or `better`: worse by more than the margin is ruled out. Passing needs this from every check, so each may be tested at the
 *  full level: a gate lets a policy pass that is worse by the margin with a chance of at most `alpha`. `better` when it is also shown to
 *  be better at all, and by more than nobody would notice.
 *  `inconclusive`: neither, with all the seeds there are. */
import { findMetric } from '../core/metrics.ts';
import type { GateMargin } from '../scenario/spec.ts';
import { estimate, holm, seedsNeeded } from '../stats/estimate.ts';
import { pAbove, pAtMost } from '../stats/non-inferiority.ts';
import type { Estimate, Verdict } from '../stats/result.ts';
import type { Look } from './looks.ts';

export interface GateCheck {
  readonly variant: string;
  /** As in results: `latency.p99{class=read}`. */
  readonly text: string;
  readonly metric: string;
  readonly better: 'lower' | 'higher';
  readonly margin: GateMargin;
  readonly level?: 'warn';
  /** Of the line that asks for it; absent for the checks that are made by default. */
  readonly place?: { readonly file: string; readonly line: number; readonly column: number; readonly length: number };
  /** One value per seed of the baseline. */
  readonly baseline: readonly number[];
}

export interface GateComparison extends Omit<GateCheck, 'baseline' | 'margin'> {
  readonly verdict: Verdict;
  /** Mean paired difference now − baseline, with its 95 % interval, in the metric's unit. */
  readonly difference: Estimate;
  /** The same over the baseline's mean; null where that is 0, and for metrics that are shares themselves. */
  readonly relative: { readonly mean: number; readonly low: number; readonly high: number } | null;
  readonly baselineMean: number;
  readonly currentMean: number;
  /** In the metric's unit. */
  readonly margin: number;
  /** As a share of the baseline, where it was given as one. */
  readonly relativeMargin: number | null;
  /** Seeds compared when it was decided, or in all. */
  readonly seeds: number;
  /** For `inconclusive`: about how many would decide; null when that cannot be told. */
  readonly seedsNeeded: number | null;
  /** Why nothing can be said, where it is not for lack of seeds. */
  readonly reason: string;
}

/** `current` has one value per seed, in the order of the baseline's; it may be shorter. */
export type Measure = (check: GateCheck) => readonly number[];

interface State {
  readonly check: GateCheck;
  readonly margin: number;
  decided: GateComparison | undefined;
}

export class GateJudge {
  readonly #states: readonly State[];
  readonly #alpha: number;

  /** `alpha` of the whole gate; where this is a part of it, the part's share. */
  constructor(checks: readonly GateCheck[], alpha = 0.05) {
    this.#alpha = alpha;
    this.#states = checks.map((check) => ({ check, margin: marginOf(check), decided: undefined }));
  }

  /** Looks at the seeds there are; true when every check is decided. */
  look(measure: Measure, { seeds, share }: Look): boolean {
    const level = this.#alpha * share;
    const paired = this.#states.map((state) => pairUp(state, measure, seeds));
    const worse = holm(paired.map(({ isWhole, harm, state }) => (isWhole ? pAbove(harm, state.margin) : 1)));
    const better = holm(paired.map(({ isWhole, harm }) => (isWhole ? pAtMost(harm, 0) : 1)));
    paired.forEach((pair, i) => {
      const { state, isWhole, harm } = pair;
      if (state.decided !== undefined || !isWhole) return;
      if (worse[i] <= level) state.decided = conclude(pair, 'worse');
      else if (pAtMost(harm, state.margin) <= level) {
        const { low, high } = estimate(harm);
        const isSmall = low >= -state.margin && high <= state.margin;
        state.decided = conclude(pair, !isSmall && better[i] <= level ? 'better' : 'equivalent');
      }
    });
    return this.#states.every(({ decided }) => decided !== undefined);
  }

  /** After the last look. */
  results(measure: Measure, seeds: number): GateComparison[] {
    return this.#states.map((state) => state.decided ?? conclude(pairUp(state, measure, seeds), 'inconclusive'));
  }
}

/** One comparison by itself, with all the seeds at once. */
export function judgeOnce(check: GateCheck, current: readonly number[], alpha = 0.05): GateComparison {
  const judge = new GateJudge([check], alpha);
  const seeds = Math.min(current.length, check.baseline.length);
  judge.look(() => current, { seeds, share: 1 });
  return judge.results(() => current, seeds)[0];
}

interface Pair {
  readonly state: State;
  readonly current: readonly number[];
  readonly baseline: readonly number[];
  /** Now − baseline where both exist, positive when worse. */
  readonly harm: readonly number[];
  /** Seeds in which only one side has a value. */
  readonly oneSided: number;
  readonly isWhole: boolean;
}

function pairUp(state: State, measure: Measure, seeds: number): Pair {
  const { check } = state;
  const all = measure(check).slice(0, seeds);
  const both = all.flatMap((value, i) => (Number.isNaN(value) && Number.isNaN(check.baseline[i]) ? [] : [i]));
  const oneSided = both.filter((i) => Number.isNaN(all[i]) || Number.isNaN(check.baseline[i] ?? NaN)).length;
  const current = both.map((i) => all[i]);
  const baseline = both.map((i) => check.baseline[i] ?? NaN);
  const sign = check.better === 'lower' ? 1 : -1;
  const harm = current.map((value, i) => sign * (value - baseline[i]));
  return { state, current, baseline, harm, oneSided, isWhole: oneSided === 0 && harm.length >= 2 };
}

function conclude(pair: Pair, verdict: Verdict): GateComparison {
  const { state, current, baseline, oneSided, isWhole, harm } = pair;
  const { baseline: _, margin: written, ...check } = state.check;
  const difference = estimate(isWhole ? current.map((value, i) => value - baseline[i]) : []);
  const baselineMean = estimate(baseline).mean;
  const isShare = findMetric(check.metric)?.unit === 'fraction';
  const { mean, sd, n } = estimate(harm);
  return {
    ...check,
    verdict,
    difference,
    relative:
      isShare || !(Math.abs(baselineMean) > 0) || !isWhole
        ? null
        : {
            mean: difference.mean / Math.abs(baselineMean),
            low: difference.low / Math.abs(baselineMean),
            high: difference.high / Math.abs(baselineMean),
          },
    baselineMean,
    currentMean: estimate(current).mean,
    margin: state.margin,
    relativeMargin: 'relative' in written ? written.relative : null,
    seeds: harm.length,
    seedsNeeded: verdict === 'inconclusive' && isWhole ? seedsNeeded(sd, n, Math.abs(mean - state.margin)) : null,
    reason: isWhole ? '' : whyNot(harm.length, oneSided),
  };
}

function whyNot(seeds: number, oneSided: number): string {
  if (oneSided > 0) return `without a value on one side in ${oneSided} of ${seeds} seeds`;
  return seeds === 0 ? 'it has no value in any seed' : 'one seed is no sample';
}

/** Fixed before anything is looked at. */
function marginOf({ margin, baseline }: GateCheck): number {
  return 'absolute' in margin ? margin.absolute : Math.abs(margin.relative * estimate(baseline).mean) || 0;
}
