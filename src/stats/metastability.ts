/** Did a run come back after its trigger? A verdict from the time series of one run: what was offered and what went well, per
 *  window.
 *
 *  *Goodput share* is ok over offered, relative to the same ratio before the trigger, so that a service that always loses one
 *  percent is not blamed for it. The rules:
 *
 *  - A stretch of `holdWindows` windows *fails* if its goodput misses the share asked for by more than two standard deviations of
 *    a count that size (Poisson). Small counts thus need a large miss; a single lost window among good ones fails nothing if the
 *    stretch is longer than 1 / (1 − share) windows.
 *  - *never-failed*: no stretch from the start of the trigger to the horizon fails, and what came after the trigger is, taken
 *    together, at the share (less two standard deviations of a ratio of such counts). The trigger was too weak, or too short for
 *    the windows.
 *  - *recovered*: from some window on, at least `holdWindows` windows with traffic before the horizon, no stretch fails, and
 *    however far one looks on from there, the whole is at the share. `recoveredAtMs` is the start of that window: after the last
 *    failing stretch began, the place where the sum of (ok − share · baseline · offered) is lowest. A sum needs no smoothing and
 *    no threshold of its own; a dip afterwards is forgiven if it loses less than has been gained since. The last recovery counts,
 *    if there are several. So that chance does not pass for one, the final quarter must be at the share too, or goodput since
 *    then clearly (by three standard deviations) better than before.
 *  - *too-short*: the run cannot tell, for the reason named.
 *  - *metastable*: goodput is below the share at the horizon, and not on its way back. `lastShare` says how much is left: near 0
 *    after a collapse, between 0 and the share after a partial recovery that has come to a halt.
 *
 *  A dozen requests per window tell 50 % from 90 %, and the moment of a recovery to a few windows; to tell 88 % from 90 % takes
 *  thousands in all, also before the trigger if the service was losing some then.
 *
 *  It goes by goodput. A backlog that is being worked off in vain (every request in it has timed out) shows as a collapse
 *  until the moment it is gone: give `backlog` where it is known, and such a run is too short instead of metastable. Without
 *  it, choose the horizon such that a backlog can drain: trigger length · load / (capacity − load), several times. */
import type { Ms } from '../core/time.ts';

export interface MetastabilityInput {
  readonly windowMs: Ms;
  /** Requests that arrived, and requests that ended well, in window k: [k·windowMs, (k+1)·windowMs). */
  readonly offered: readonly number[];
  readonly ok: readonly number[];
  /** Work waiting at the end of each window, including what nobody waits for any more. */
  readonly backlog?: readonly number[];
  /** End of the warm-up; the ratio before the trigger is taken from here on. 0 unless told. */
  readonly measuredFromMs?: Ms;
  readonly triggerBeginsMs: Ms;
  readonly triggerEndsMs: Ms;
  readonly horizonMs: Ms;
  readonly rule: RecoveryRule;
}

export interface RecoveryRule {
  /** Goodput share from which a run counts as recovered. */
  readonly recoveredAtShare: number;
  /** Windows that must be looked at together, and that a recovery must last before the horizon. */
  readonly holdWindows: number;
}

export const recoveryRule: RecoveryRule = { recoveredAtShare: 0.9, holdWindows: 5 };

export interface MetastabilityVerdict {
  readonly state: 'metastable' | 'recovered' | 'never-failed' | 'too-short';
  /** Why the run cannot tell; null unless it is too short. */
  readonly reason: TooShort | null;
  /** Start of the first window of the recovery; NaN without one. */
  readonly recoveredAtMs: Ms;
  /** Goodput share over the final quarter of the time after the trigger; NaN without traffic there. */
  readonly lastShare: number;
  /** Ok over offered before the trigger: what a share of 1 means. */
  readonly baseline: number;
}

export type TooShort =
  /** Nothing was offered, or nothing went well, before the trigger. */
  | 'no-baseline'
  /** Less than `holdWindows` windows, or, when failing, less than four times that or than the trigger's own length. */
  | 'few-windows-after'
  /** Nothing was offered in the final quarter. */
  | 'no-traffic-after'
  /** Goodput is back, but not for `holdWindows` windows; or it dipped just before the horizon. */
  | 'held-too-briefly'
  /** Goodput rises: at this pace it would be back if the time after the trigger were doubled. */
  | 'still-improving'
  /** The backlog shrinks: at this pace it would be gone if the time after the trigger were doubled. */
  | 'backlog-shrinking';

export function judgeMetastability(input: MetastabilityInput): MetastabilityVerdict {
  const run = new Run(input);
  const verdict = (state: MetastabilityVerdict['state'], more: Partial<MetastabilityVerdict> = {}): MetastabilityVerdict => ({
    state,
    reason: null,
    recoveredAtMs: NaN,
    lastShare: run.lastShare,
    baseline: run.baseline,
    ...more,
  });
  const tooShort = (reason: TooShort): MetastabilityVerdict => verdict('too-short', { reason });

  if (!(run.baseline > 0)) return tooShort('no-baseline');
  if (run.end - run.after < run.hold) return tooShort('few-windows-after');
  if (Number.isNaN(run.lastShare)) return tooShort('no-traffic-after');
  if (run.lastFailing(run.trigger) < 0 && run.isAtShare(run.after)) return verdict('never-failed');
  const recovery = run.recovery();
  const isBack = recovery === run.after || run.isAtShare(run.end - run.quarter) || run.isStep(run.after, recovery);
  const held = run.windowsWithTraffic(recovery);
  if (isBack && held >= run.hold) return verdict('recovered', { recoveredAtMs: recovery * input.windowMs });
  // From here on the run fails at its horizon. What follows are the doubts.
  if (run.end - run.after < Math.max(4 * run.hold, run.after - run.trigger)) return tooShort('few-windows-after');
  if (run.lastShare >= run.wanted || (isBack && held > 0)) return tooShort('held-too-briefly');
  if (run.isImproving()) return tooShort('still-improving');
  if (run.isDraining()) return tooShort('backlog-shrinking');
  return verdict('metastable');
}

/** The whole windows of a run up to its horizon. */
class Run {
  readonly #offered: readonly number[];
  readonly #ok: readonly number[];
  readonly #backlog: readonly number[] | undefined;
  readonly wanted: number;
  readonly hold: number;
  /** First window that the trigger touches, first window after it, and one past the last. */
  readonly trigger: number;
  readonly after: number;
  readonly end: number;
  /** Windows in the final quarter of the time after the trigger. */
  readonly quarter: number;
  readonly baseline: number;
  readonly #baselineOffered: number;
  readonly lastShare: number;

  constructor(input: MetastabilityInput) {
    const { windowMs, offered, ok, rule } = input;
    this.#offered = offered;
    this.#ok = ok;
    this.#backlog = input.backlog;
    this.wanted = rule.recoveredAtShare;
    this.hold = Math.max(1, rule.holdWindows);
    this.end = Math.min(Math.floor(input.horizonMs / windowMs), offered.length, ok.length);
    this.trigger = Math.floor(input.triggerBeginsMs / windowMs);
    this.after = Math.max(this.trigger, Math.ceil(input.triggerEndsMs / windowMs));
    const measured = Math.ceil((input.measuredFromMs ?? 0) / windowMs);
    this.#baselineOffered = this.#sum(this.#offered, measured, this.trigger);
    this.baseline = this.#sum(this.#ok, measured, this.trigger) / this.#baselineOffered;
    this.quarter = Math.ceil(Math.max(0, this.end - this.after) / 4);
    this.lastShare = this.share(this.end - this.quarter, this.end);
  }

  /** Goodput share of the windows [from, to), taken together. */
  share(from: number, to: number): number {
    return this.#sum(this.#ok, from, to) / (this.baseline * this.#sum(this.#offered, from, to));
  }

  windowsWithTraffic(from: number): number {
    let windows = 0;
    for (let k = from; k < this.end; k++) if (this.#offered[k] > 0) windows++;
    return windows;
  }

  /** Start of the last failing stretch that begins at or after `from`; -1 if none fails. */
  lastFailing(from: number): number {
    for (let start = this.end - this.hold; start >= from; start--) {
      const needed = this.wanted * this.baseline * this.#sum(this.#offered, start, start + this.hold);
      if (this.#sum(this.#ok, start, start + this.hold) < needed - 2 * Math.sqrt(needed)) return start;
    }
    return -1;
  }

  /** The window from which goodput gains on what is asked for until the end; `end` if it never does. */
  recovery(): number {
    const first = Math.max(this.after, this.lastFailing(this.after));
    let best = first;
    let gained = 0;
    let least = 0;
    for (let k = first; k < this.end; k++) {
      gained += this.#ok[k] - this.wanted * this.baseline * this.#offered[k];
      if (gained < least) {
        least = gained;
        best = k + 1;
      }
    }
    return best;
  }

  /** Whether the windows from `from` on, taken together, are at the share, up to chance: two standard deviations of a ratio of
   *  counts. */
  isAtShare(from: number): boolean {
    const share = this.share(from, this.end);
    const lostBefore = Math.max(0, 1 / this.baseline - 1) / this.#baselineOffered;
    const lostSince = Math.max(0, 1 / (share * this.baseline) - 1) / this.#sum(this.#offered, from, this.end);
    return share > 0 && share >= this.wanted - 2 * share * Math.sqrt(lostBefore + lostSince);
  }

  /** Whether goodput from `middle` on is better than in [from, middle), by three standard deviations. */
  isStep(from: number, middle: number): boolean {
    const step = this.share(middle, this.end) - this.share(from, middle);
    return step > 3 * Math.sqrt(this.#shareVariance(from, middle) + this.#shareVariance(middle, this.end));
  }

  /** Whether the final quarter is better than the one before, and four more such steps would do. */
  isImproving(): boolean {
    const [from, middle] = [this.end - 2 * this.quarter, this.end - this.quarter];
    return this.isStep(from, middle) && this.wanted - this.lastShare <= 4 * (this.lastShare - this.share(from, middle));
  }

  /** The same for the mean backlog of the two quarters. */
  isDraining(): boolean {
    if (this.#backlog === undefined) return false;
    const middle = this.end - this.quarter;
    const before = this.#sum(this.#backlog, middle - this.quarter, middle) / this.quarter;
    const last = this.#sum(this.#backlog, middle, this.end) / this.quarter;
    const step = before - last;
    return step > 3 * Math.sqrt(before + last) && last <= 4 * step;
  }

  #shareVariance(from: number, to: number): number {
    const unit = this.baseline * this.#sum(this.#offered, from, to);
    return this.#sum(this.#ok, from, to) / (unit * unit);
  }

  #sum(values: readonly number[], from: number, to: number): number {
    let sum = 0;
    for (let k = Math.max(0, from); k < Math.min(to, this.end); k++) sum += values[k];
    return sum;
  }
}
