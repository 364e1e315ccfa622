/** How irregular arrivals are, measured so that a rate that rises and falls slowly does not count as bursts.
 *
 *  Counts: the index of dispersion is variance over mean of the counts in windows, 1 for a Poisson process; trends inflate it. The Allan
 *  factor compares neighbouring windows instead, E[(N' − N)²] / 2 E[N], 1 for Poisson as well, and trends cancel. For long windows both
 *  tend to the squared coefficient of variation of the gaps, if gaps are independent. (D. W. Allan, Proc. IEEE 54(2), 1966.)
 *
 *  Gaps: their coefficient of variation, and the local variation Lv = 3 · mean of ((g − g') / (g + g'))² over neighbours, 1 for Poisson
 *  and 3 / (2k + 1) for gamma gaps of shape k whatever the rate does meanwhile. (S. Shinomoto, K. Shima, J. Tanji, Neural Computation
 *  15(12), 2003.)
 *
 *  Gaps count where the log's clock resolves them, else the counts. */
import type { Ms } from '../../core/time.ts';

export interface CountMeasure {
  readonly windowMs: Ms;
  /** Whole windows. */
  readonly windows: number;
  readonly meanCount: number;
  readonly maxCount: number;
  readonly dispersion: number;
  readonly allanFactor: number;
}

export interface GapMeasure {
  readonly count: number;
  readonly meanMs: Ms;
  /** Standard deviation over mean. */
  readonly cv: number;
  readonly localVariation: number;
  /** Of gaps that are 0. */
  readonly tiedShare: number;
  /** Of gaps shorter than a tick of the log's clock. */
  readonly shortShare: number;
}

export type ArrivalLaw =
  | { readonly type: 'poisson' }
  | { readonly type: 'gamma'; readonly cv: number }
  | { readonly type: 'batch'; readonly size: number };

export interface FittedArrivals {
  readonly counts: readonly CountMeasure[];
  /** Absent with fewer than two gaps. */
  readonly gaps?: GapMeasure;
  readonly law: ArrivalLaw;
  /** Why this law, as a sentence without its full stop. */
  readonly because: string;
}

/** Counts arrivals in windows from time 0; times must not fall. */
class WindowCounter {
  declare readonly windowMs: Ms;
  declare private window: number;
  declare private count: number;
  declare private last: number;
  declare private windows: number;
  declare private sum: number;
  declare private squares: number;
  declare private steps: number;
  declare private max: number;

  constructor(windowMs: Ms) {
    this.windowMs = windowMs;
    this.window = 0;
    this.count = 0;
    this.last = -1;
    this.windows = 0;
    this.sum = 0;
    this.squares = 0;
    this.steps = 0;
    this.max = 0;
  }

  add(timeMs: Ms): void {
    const window = Math.floor(timeMs / this.windowMs);
    if (window > this.window) this.passTo(window);
    this.count++;
  }

  private passTo(window: number): void {
    this.end();
    // Of a silence of many windows only its first differs from the one before.
    const silent = window - this.window - 1;
    if (silent > 0) {
      this.count = 0;
      this.end();
      this.windows += silent - 1;
    }
    this.window = window;
    this.count = 0;
  }

  private end(): void {
    this.windows++;
    this.sum += this.count;
    this.squares += this.count * this.count;
    if (this.last >= 0) this.steps += (this.count - this.last) * (this.count - this.last);
    this.last = this.count;
    if (this.count > this.max) this.max = this.count;
  }

  /** The last window is cut off by the end of the log and does not count. */
  measure(): CountMeasure | undefined {
    const { windows, sum, squares, steps } = this;
    if (windows < 2 || sum === 0) return undefined;
    const mean = sum / windows;
    const variance = (squares - windows * mean * mean) / (windows - 1);
    return {
      ...{ windowMs: this.windowMs, windows, meanCount: mean, maxCount: this.max },
      dispersion: variance / mean,
      allanFactor: steps / (windows - 1) / (2 * mean),
    };
  }
}

class GapCounter {
  declare private readonly tickMs: Ms;
  declare private lastMs: Ms;
  declare private lastGap: Ms;
  declare private count: number;
  declare private mean: Ms;
  declare private squares: number;
  declare private contrast: number;
  declare private tied: number;
  declare private short: number;

  constructor(tickMs: Ms) {
    this.tickMs = tickMs;
    this.lastMs = NaN;
    this.lastGap = NaN;
    this.count = 0;
    this.mean = 0;
    this.squares = 0;
    this.contrast = 0;
    this.tied = 0;
    this.short = 0;
  }

  add(timeMs: Ms): void {
    const gap = timeMs - this.lastMs;
    this.lastMs = timeMs;
    if (!(gap >= 0)) return;
    this.count++;
    const difference = gap - this.mean;
    this.mean += difference / this.count;
    this.squares += difference * (gap - this.mean);
    if (gap === 0) this.tied++;
    if (gap < this.tickMs) this.short++;
    const both = gap + this.lastGap;
    if (both > 0) this.contrast += ((gap - this.lastGap) / both) * ((gap - this.lastGap) / both);
    this.lastGap = gap;
  }

  measure(): GapMeasure | undefined {
    if (this.count < 2 || this.mean === 0) return undefined;
    return {
      count: this.count,
      meanMs: this.mean,
      cv: Math.sqrt(this.squares / (this.count - 1)) / this.mean,
      localVariation: (3 * this.contrast) / (this.count - 1),
      tiedShare: this.tied / this.count,
      shortShare: this.short / this.count,
    };
  }
}

export class BurstinessMeter {
  declare private readonly windows: readonly WindowCounter[];
  declare private readonly gaps: GapCounter;
  declare private readonly tickMs: Ms;

  /** `tickMs`: what the log's clock resolves. */
  constructor(tickMs: Ms) {
    this.tickMs = tickMs;
    this.windows = [100, 1000, 10_000, 60_000]
      .filter((windowMs) => windowMs >= tickMs)
      .map((windowMs) => new WindowCounter(windowMs));
    this.gaps = new GapCounter(tickMs);
  }

  add(timeMs: Ms): void {
    for (const window of this.windows) window.add(timeMs);
    this.gaps.add(timeMs);
  }

  fit(): FittedArrivals {
    const counts = this.windows.flatMap((window) => window.measure() ?? []);
    const gaps = this.gaps.measure();
    return { counts, ...(gaps === undefined ? {} : { gaps }), ...chooseLaw(counts, gaps, this.tickMs) };
  }
}

/** Between these a coefficient of variation is called Poisson's. */
const poissonCv = [0.8, 1.25] as const;
const minGaps = 100;
/** With more gaps below what the clock resolves, their lengths say more about the clock than about the clients. */
const maxShortShare = 0.2;
const minWindows = 20;

export function chooseLaw(
  counts: readonly CountMeasure[],
  gaps: GapMeasure | undefined,
  tickMs: Ms,
): Pick<FittedArrivals, 'law' | 'because'> {
  if (gaps === undefined || gaps.count < minGaps)
    return { law: { type: 'poisson' }, because: 'there are too few requests to tell' };
  // By chance, so many gaps would be shorter than a tick.
  const byChance = Math.min(1, tickMs / gaps.meanMs);
  // Requests of the same second need not have come together, those of the same millisecond have.
  if (tickMs < 1000 && byChance <= 0.2 && gaps.tiedShare > 0.3 + byChance) {
    const size = Math.max(2, Math.round(1 / (1 - gaps.tiedShare)));
    return {
      law: { type: 'batch', size },
      because: `${percent(gaps.tiedShare)} of the requests come together with the one before`,
    };
  }
  if (gaps.shortShare <= maxShortShare) {
    const lv = Math.min(gaps.localVariation, 2.99);
    return lawOfCv(
      Math.sqrt((2 * lv) / (3 - lv)),
      `the local variation of the gaps is ${digits(gaps.localVariation)} (Poisson: 1)`,
    );
  }
  const measure =
    counts.find(({ windowMs, meanCount, windows }) => windowMs >= 10 * tickMs && meanCount >= 20 && windows >= minWindows) ??
    counts.findLast(({ windows }) => windows >= minWindows);
  if (measure === undefined) return { law: { type: 'poisson' }, because: 'the log is too short to tell' };
  return lawOfCv(
    Math.sqrt(measure.allanFactor),
    `the Allan factor of counts per ${digits(measure.windowMs / 1000)} s is ${digits(measure.allanFactor)} (Poisson: 1)`,
  );
}

function lawOfCv(cv: number, because: string): Pick<FittedArrivals, 'law' | 'because'> {
  if (cv >= poissonCv[0] && cv <= poissonCv[1]) return { law: { type: 'poisson' }, because };
  return { law: { type: 'gamma', cv: Number(Math.min(10, Math.max(0.1, cv)).toPrecision(3)) }, because };
}

const digits = (value: number): string => String(Number(value.toPrecision(3)));
const percent = (share: number): string => `${digits(share * 100)} %`;
