/** How far must load fall for a failing system to come back by itself? Bisection over the load, with several runs per question
 *  because close to the edge the same load recovers under one seed and not under another.
 *
 *  A generator that only asks: it yields a load and is told, for each run at that load, whether it recovered. Who simulates, how
 *  many seeds and on how many threads is the caller's business:
 *
 *      const search = searchEscape({ low: 0.3, high: 0.95, resolution: 0.05 });
 *      let step = search.next();
 *      while (!step.done) step = search.next(await runsAt(step.value));
 *      step.value.recoversUpTo;
 *
 *  Assumes that less load never hurts. The answer is a bracket, not a number: the majority recovered at `recoversUpTo`, the
 *  majority stayed down at `staysFrom`, and chance, or a horizon too short to tell, rules in between. */
import type { MetastabilityVerdict } from '../metastability.ts';

export interface EscapeRange {
  /** Expected to recover, and expected to stay down; both are tried first. */
  readonly low: number;
  readonly high: number;
  /** The search ends when the bracket, apart from what is undecided inside it, is at most this wide. */
  readonly resolution: number;
}

/** Of one run: back by itself, down until the horizon, or neither to be told. */
export type EscapeAnswer = 'recovers' | 'stays' | 'undecided';

export interface EscapeTrial {
  readonly load: number;
  readonly answers: readonly EscapeAnswer[];
  /** What more than half of the runs say; undecided without such a majority. */
  readonly majority: EscapeAnswer;
}

export interface EscapeBracket {
  /** The highest load at which the majority recovered; NaN if it did not even at `low`. */
  readonly recoversUpTo: number;
  /** The lowest load at which the majority stayed down; NaN if it did not even at `high`. */
  readonly staysFrom: number;
  /** In the order asked. */
  readonly trials: readonly EscapeTrial[];
}

export function* searchEscape({ low, high, resolution }: EscapeRange): Generator<number, EscapeBracket, readonly EscapeAnswer[]> {
  if (!(low < high && resolution > 0)) throw new RangeError('an escape search needs low < high and a resolution above 0');
  const trials: EscapeTrial[] = [];
  // On whole steps, so that the end is certain and the loads are those a person would write.
  const steps = Math.ceil((high - low) / resolution - 1e-9);
  function* ask(step: number): Generator<number, EscapeAnswer, readonly EscapeAnswer[]> {
    const load = step === steps ? high : Math.round((low + ((high - low) * step) / steps) * 1e12) / 1e12;
    const answers = yield load;
    const trial = { load, answers, majority: majorityOf(answers) };
    trials.push(trial);
    return trial.majority;
  }
  const bracket = (): EscapeBracket => {
    const loads = (majority: EscapeAnswer): number[] =>
      trials.filter((trial) => trial.majority === majority).map(({ load }) => load);
    const recovering = loads('recovers');
    const staying = loads('stays');
    return {
      recoversUpTo: recovering.length === 0 ? NaN : Math.max(...recovering),
      staysFrom: staying.length === 0 ? NaN : Math.min(...staying),
      trials,
    };
  };

  if ((yield* ask(0)) !== 'recovers') return bracket();
  if ((yield* ask(steps)) !== 'stays') return bracket();
  // Between the two may lie undecided loads. Both flanks of their stretch are narrowed, the wider one first. An answer on the far
  // side of it (chance again) closes one flank.
  let recovers = 0;
  let stays = steps;
  let undecided: readonly number[] = [];
  for (;;) {
    const below = Math.min(stays, ...undecided) - recovers;
    const above = stays - Math.max(recovers, ...undecided);
    if (below <= 1 && above <= 1) return bracket();
    const step = below >= above ? recovers + Math.floor(below / 2) : stays - Math.floor(above / 2);
    const majority = yield* ask(step);
    if (majority === 'recovers') recovers = step;
    else if (majority === 'stays') stays = step;
    else undecided = [...undecided, step];
  }
}

/** A run that never failed has nothing to escape from: at that load the trigger does no harm. */
export function escapeAnswer({ state }: MetastabilityVerdict): EscapeAnswer {
  if (state === 'too-short') return 'undecided';
  return state === 'metastable' ? 'stays' : 'recovers';
}

function majorityOf(answers: readonly EscapeAnswer[]): EscapeAnswer {
  const count = (wanted: EscapeAnswer): number => answers.filter((answer) => answer === wanted).length;
  if (2 * count('recovers') > answers.length) return 'recovers';
  return 2 * count('stays') > answers.length ? 'stays' : 'undecided';
}
