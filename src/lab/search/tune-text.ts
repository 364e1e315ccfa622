/** The answer of `tune` in sentences: the best found on seeds that did not choose it, what cannot be told from it, what binds, and how far
 *  the search went. */
import { list } from '../phrases.ts';
import { intervalText, plural, shareText, valueText } from './phrases.ts';
import { settingText } from './trials.ts';
import type { Confirmation, TuneFile } from './types.ts';

type Result = Omit<TuneFile, 'verdict'>;

export function tuneSentences(result: Result, spaceSize: number): string[] {
  const { outcome } = result;
  if (outcome === 'interrupted') return interrupted(result);
  const winner = result.confirmation.find(({ verdict }) => verdict === 'winner');
  if (winner === undefined) return failure(result);
  return [
    `Best found: ${settingText(winner.setting)}, with ${goalText(result, winner)} on ${plural(result.freshSeeds.length, 'fresh seed')}${promisesText(result, winner)}.`,
    ...flattery(result, winner),
    ...passedOver(result, winner),
    tellApart(result),
    bindingText(result, winner),
    ...edges(result),
    scope(result, spaceSize),
  ];
}

const goalText = ({ goal: { metric } }: Result, { goal }: Confirmation): string =>
  `${metric} ${valueText(metric, goal.mean)}${goal.low < goal.high ? intervalText(metric, goal.low, goal.high) : ''}`;

function promisesText({ goal, confidence }: Result, { checks }: Confirmation): string {
  if (checks.length === 0) return '';
  const parts = checks.map(({ text, bound }) => {
    const metric = metricOf(text);
    return `${text} (${/ <=? /.test(text) ? 'at most' : 'at least'} ${valueText(metric, bound)})`;
  });
  return `; there it keeps ${list(parts)} with ${shareText(confidence)} confidence${goal.constraints.length > 1 ? ' each' : ''}`;
}

const metricOf = (text: string): string => text.replace(/\s*[<>=]+\s*\S+$/, '');

/** Among many the winner was lucky as well. */
function flattery({ trials, goal: { metric, direction }, seeds }: Result, { setting, goal }: Confirmation): string[] {
  const trial = trials.find((each) => settingText(each.setting) === settingText(setting));
  if (trial === undefined || Number.isNaN(trial.goal.mean)) return [];
  const difference = direction === 'min' ? goal.mean - trial.goal.mean : trial.goal.mean - goal.mean;
  const share = difference / Math.abs(trial.goal.mean || 1);
  const size = Math.abs(share) < 0.0005 ? 'the same' : `${shareText(Math.abs(share))} ${share > 0 ? 'better' : 'worse'}`;
  return [
    `Chosen on ${trial.seeds} of the ${plural(seeds.length, 'seed')} of the search, where it looked ${size} (${valueText(metric, trial.goal.mean)}); these numbers are from seeds that had no part in the choice.`,
  ];
}

/** Finalists with a better goal that could not be shown to keep the promises. */
function passedOver({ confirmation, goal: { metric, direction } }: Result, winner: Confirmation): string[] {
  const sign = direction === 'min' ? 1 : -1;
  const others = confirmation.filter((each) => each.decision !== 'meets' && sign * (each.goal.mean - winner.goal.mean) < 0);
  return others.map(
    (each) => `${settingText(each.setting)} has ${metric} ${valueText(metric, each.goal.mean)}, and ${shortcoming(each)}.`,
  );
}

function shortcoming({ checks, decision }: Confirmation): string {
  const open = checks.filter((check) => check.decision !== 'meets');
  const parts = open.map(({ text, mean }) => `${text} (${valueText(metricOf(text), mean)})`);
  return `${decision === 'fails' ? 'breaks' : 'is not shown to keep'} ${list(parts)}`;
}

function tellApart({ confirmation, trials }: Result): string {
  const same = confirmation.filter(({ verdict }) => verdict === 'equivalent' || verdict === 'inconclusive');
  const better = confirmation.filter(({ verdict }) => verdict === 'better');
  const open = trials.filter(({ end }) => end === 'open' || end === 'dropped');
  const told = trials.filter(({ end }) => end === 'worse' || end === 'breaks');
  const parts = [
    ...(better.length === 0
      ? []
      : [
          `On the fresh seeds ${list(better.map(({ setting }) => settingText(setting)))} did better than it, too late to be chosen by.`,
        ]),
    same.length === 0
      ? 'No finalist is level with it.'
      : `Not told apart from it: ${list(same.map(({ setting, verdict }) => `${settingText(setting)}${verdict === 'equivalent' ? ' (equivalent)' : ''}`))}.`,
    `Of ${plural(trials.length, 'trial')} ${told.length} ${told.length === 1 ? 'is' : 'are'} shown to be worse or to break a promise; ${open.length} fell behind, which is not proof.`,
  ];
  return parts.join(' ');
}

function bindingText({ binding, goal }: Result, winner: Confirmation): string {
  if (goal.constraints.length === 0) return 'There are no promises to keep it from becoming better.';
  if (binding === null) return 'No promise binds: nothing with a better goal was turned away by one.';
  const check = winner.checks.find(({ text }) => text === binding);
  const has = check === undefined ? '' : `, where the winner has ${valueText(metricOf(binding), check.mean)}`;
  return `What binds is ${binding}${has}: settings with a better goal break it.`;
}

/** An answer at the end of a range asks for a longer range. */
function edges({ dimensions, winner }: Result): string[] {
  const ends = dimensions.filter(({ path, range }) => range.includes('..') && range.split('..').includes(winner?.[path] ?? ''));
  return ends.length === 0
    ? []
    : [
        `${list(ends.map(({ path }) => path))} ${ends.length === 1 ? 'lies' : 'lie'} at the end of the range given: what is beyond was not tried.`,
      ];
}

function scope({ trials, cells, budget, dimensions }: Result, spaceSize: number): string {
  const tried = trials.filter(({ end }) => end !== 'invalid').length;
  const invalid = trials.length - tried;
  const share =
    tried >= spaceSize
      ? `All ${tried} settings there are were tried`
      : `${tried} settings of ${plural(dimensions.length, 'parameter')} were tried`;
  return `${share}${invalid === 0 ? '' : `, ${invalid} more cannot be`}, with ${cells} of ${budget} cells: the best of these, not an optimum.`;
}

function failure({ confirmation, goal, confidence, outcome, trials, cells, budget }: Result): string[] {
  const first = confirmation.find(({ decision }) => decision === 'undecided') ?? confirmation[0];
  const what = list(goal.constraints);
  const lines = [
    outcome === 'undecided'
      ? `None of the finalists is shown to keep ${what} with ${shareText(confidence)} confidence.`
      : `None of ${plural(trials.length, 'trial')} keeps ${what} on fresh seeds.`,
  ];
  if (first !== undefined) {
    const value = valueText(goal.metric, first.goal.mean);
    lines.push(`${settingText(first.setting)} comes closest, with ${goal.metric} ${value}; it ${shortcoming(first)}.`);
  }
  lines.push(`${cells} of ${budget} cells were run; a wider range or a larger --budget may find more.`);
  return lines;
}

function interrupted({ trials, goal: { metric, direction } }: Result): string[] {
  const kept = trials.filter(
    ({ checks, goal }) => !Number.isNaN(goal.mean) && checks.every(({ decision }) => decision !== 'fails'),
  );
  const best = kept.toSorted((x, y) => (direction === 'min' ? x.goal.mean - y.goal.mean : y.goal.mean - x.goal.mean))[0];
  if (best === undefined) return ['Interrupted: no answer yet.'];
  return [
    `Interrupted: no answer yet. So far ${settingText(best.setting)} looks best, with ${metric} ${valueText(metric, best.goal.mean)}, unconfirmed.`,
  ];
}
