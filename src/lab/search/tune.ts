/** Looks for parameters that serve a goal and keep promises, with a given number of cells. A part is laid aside for the end: the finalists
 *  run again on seeds that the search has never seen, because who wins among many was also lucky, and what it was chosen by flatters it.
 *  The rest goes to rounds: settings spread over the space race (`race.ts`), then new ones around those that won, nearer each time (after
 *  irace: M. López-Ibáñez and others, Operations Research Perspectives 3, 2016).
 *
 *  Good for a handful of parameters and a goal that changes gradually. It cannot show an optimum: it names the best it has found, and what
 *  it cannot tell from that. */
import { version } from '../../core/version.ts';
import { InputError } from '../../core/errors.ts';
import { findMetric } from '../../core/metrics.ts';
import { estimate, holm, pairedDifference, pairedP } from '../../stats/estimate.ts';
import { judge } from '../../stats/verdict.ts';
import { notMeasured } from './cheapest.ts';
import type { Dimension } from './dimension.ts';
import type { Goal } from './goal.ts';
import { Prober } from './prober.ts';
import { type Decision, excessOf, judgePromises, measureOnly, refuseEqualities } from './promise.ts';
import { goalOf, Race, type Runner } from './race.ts';
import { searchedDimensions, searchedScenario } from './search-file.ts';
import { Space } from './space.ts';
import { type Assignment, seedsFrom, type Setting, settingText, Trials, type TrialsRequest, valuesOf } from './trials.ts';
import { tuneSentences } from './tune-text.ts';
import { type Confirmation, type Outcome, type Trial, type TrialEnd, type TuneFile, tuneSchema } from './types.ts';

export interface TuneInput extends Omit<TrialsRequest, 'checks' | 'checksFrom' | 'settingsFrom'> {
  readonly goal: Goal;
  readonly dimensions: readonly Dimension[];
  /** Cells, all in all. */
  readonly budget: number;
  readonly confidence: number;
  readonly replay: string;
}

/** Seeds at the first rung. */
const firstSeeds = 2;
const finalistsMax = 4;
/** Settings of earlier rounds that run beside the new ones of a round. */
const elites = 4;
/** Beyond, another seed tells little that another setting would not tell better. */
const searchSeedsMax = 16;
const freshSeedsMax = 30;

interface Invalid {
  readonly values: Assignment;
  readonly number: number;
  readonly round: number;
  readonly problem: string;
}

/** How the budget is spent. */
function planOf(budget: number, space: Space, dimensions: number) {
  const finalists = Math.min(finalistsMax, Math.max(1, Math.floor(budget / 20)), space.size);
  // A third for the confirmation.
  const fresh = Math.max(3, Math.min(freshSeedsMax, Math.floor(budget / 3 / finalists)));
  const search = budget - finalists * fresh;
  const rounds = search < 24 ? 1 : 3 + Math.min(3, Math.ceil(dimensions / 2));
  // Half of a round's cells go to its first rung.
  const start = Math.max(2, Math.floor((search * (rounds === 1 ? 0.6 : 0.4)) / firstSeeds / (rounds === 1 ? 1 : 1.5)));
  return { finalists, fresh, search, rounds, start };
}

/** Throws InputError. */
export async function tune(input: TuneInput): Promise<TuneFile> {
  const { goal, dimensions, budget, confidence } = input;
  const checks = [...goal.constraints, measureOnly(goal.metric)];
  const trials = new Trials({ ...input, checks, checksFrom: '--goal', settingsFrom: '--param' });
  const base = await trials.base();
  const promises = goal.constraints.length;
  refuseEqualities(base.scenario.expect.slice(0, promises), '--goal');
  const { run } = base.scenario;
  const space = new Space(dimensions, run.seed);
  const plan = planOf(budget, space, dimensions.length);
  trials.expected = budget;
  const seeds = seedsFrom(run, Math.max(searchSeedsMax, run.seeds.length));
  const race = new Race({ trials, seeds, miss: 1 - confidence, direction: goal.direction, promises });
  const runners: Runner[] = [];
  const invalid: Invalid[] = [];
  const enter = async (all: readonly Assignment[], round: number): Promise<Runner[]> => {
    const entered: Runner[] = [];
    for (const values of all) {
      const number = runners.length + invalid.length + 1;
      try {
        const runner: Runner = { setting: await trials.setting(values), number, round };
        runners.push(runner);
        entered.push(runner);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        invalid.push({ values, number, round, problem: error.issues.map(({ message }) => message).join('; ') });
        // A wrong path is wrong everywhere; a combination that cannot be is no reason to give up.
        if (runners.length === 0 && number === all.length) throw error;
      }
    }
    return entered;
  };

  for (let round = 0; round < plan.rounds && !trials.isStopped; round++) {
    const left = plan.search - trials.cells;
    const share = Math.floor(left / (plan.rounds - round));
    const best = race.comeback(runners, elites);
    const isLast = round > 0 && round === plan.rounds - 1;
    // The last round thinks of nothing new: it makes surer of what there is.
    const count = round === 0 ? plan.start : isLast ? 0 : Math.floor(share / firstSeeds / 1.5);
    const isKnown = (values: Assignment): boolean =>
      runners.some(({ setting }) => setting.key === settingText(values)) ||
      invalid.some((each) => settingText(each.values) === settingText(values));
    const width = 0.5 ** (round + 1);
    const fresher =
      round === 0
        ? space.start(count)
        : space.around(
            best.map(({ setting }) => setting.values),
            width,
            count,
            round,
            isKnown,
          );
    const entered = await enter(fresher, round);
    if (round === 0) await firstLook(trials, entered, seeds, goal);
    const cells = round === 0 ? Math.floor(plan.search * (plan.rounds === 1 ? 1 : 0.5)) - trials.cells : share;
    await race.run([...best, ...entered], { from: firstSeeds, to: searchSeedsMax, keep: 3, cells: Math.max(0, cells) });
  }

  const ranking = race.standings(runners.filter(({ setting }) => setting.cells.size > 0));
  const finalists = trials.isStopped ? [] : chooseFinalists(ranking, race, plan.finalists);
  // A name of their own: whatever seeds the search takes, these are others. What the search has left over makes more of them.
  const count = Math.min(freshSeedsMax, Math.floor((budget - trials.cells) / Math.max(1, finalists.length)));
  const fresh = Array.from({ length: count }, (_, k) => `${run.seed}:fresh:${k + 1}`);
  await trials.run(finalists.map(({ setting }) => ({ setting, seeds: fresh })));
  const isWhole = !trials.isStopped;
  const { winner, confirmation } = isWhole
    ? confirm(
        finalists.map(({ setting }) => setting),
        { fresh, confidence, goal, promises },
      )
    : { winner: undefined, confirmation: [] };
  const outcome: Outcome = !isWhole
    ? 'interrupted'
    : winner !== undefined
      ? 'found'
      : confirmation.some(({ decision }) => decision === 'undecided')
        ? 'undecided'
        : 'none';
  const prober = new Prober(trials, { seeds, first: seeds.length, confidence, dimensions, promises });
  const trialOf = trialMaker({ race, prober, seeds, winner, finalists, among: ranking.length });
  const list: Trial[] = [
    ...runners.filter(({ setting }) => setting.cells.size > 0).map(trialOf),
    ...invalid.map(invalidTrial),
  ].toSorted((x, y) => x.number - y.number);
  const used = Math.max(0, ...runners.map(({ setting }) => seeds.filter((seed) => setting.cells.has(seed)).length));
  const result: Omit<TuneFile, 'verdict'> = {
    schema: tuneSchema,
    version,
    complete: isWhole,
    scenario: searchedScenario(base, input.file, runners[0]?.setting.world.policies.balancer.use ?? ''),
    overrides: input.overrides,
    dimensions: searchedDimensions(dimensions),
    confidence,
    cells: trials.cells,
    warnings: base.warnings,
    replay: input.replay,
    goal: { ...goal, constraints: base.scenario.expect.slice(0, promises).map(({ text }) => text) },
    budget,
    seeds: seeds.slice(0, used),
    freshSeeds: isWhole ? fresh : [],
    trials: list,
    outcome,
    winner: winner?.values ?? null,
    confirmation,
    binding: winner === undefined ? null : bindingOf(winner, runners, race, { goal, promises }),
  };
  return { ...result, verdict: tuneSentences(result, space.size) };
}

/** A goal that nobody measures is the user's mistake, and told before the budget is spent. */
async function firstLook(trials: Trials, runners: readonly Runner[], seeds: readonly string[], { metric }: Goal): Promise<void> {
  const [first] = runners;
  if (first === undefined) return;
  const some = runners.slice(0, 4);
  await trials.run(some.map(({ setting }) => ({ setting, seeds: seeds.slice(0, 1) })));
  if (trials.isStopped) return;
  const isNowhere = some.every(({ setting }) => valuesOf(setting, goalOf(setting), seeds).every(Number.isNaN));
  if (isNowhere) throw notMeasured(metric, first.setting);
}

/** The best of those that came far and seem sure of their promises; before it some that would be better and are not sure of them; after it
 *  others that are not shown to be worse. */
function chooseFinalists(ranking: readonly Runner[], race: Race, most: number): Runner[] {
  const among = ranking.length;
  const isLikely = ({ setting }: Runner): boolean => race.decisionOf(setting) === 'meets';
  const likely = ranking.filter(isLikely);
  const reference = likely[0] ?? ranking[0];
  if (reference === undefined) return [];
  const open = ranking.filter(
    (runner) =>
      runner !== reference &&
      race.decisionOf(runner.setting, among) !== 'fails' &&
      !race.isWorse(runner.setting, reference.setting, among),
  );
  const byLag = race.byLag(open, reference);
  const risky = byLag.filter(
    (runner) => !isLikely(runner) && (likely.length === 0 || race.lag(runner.setting, reference.setting) < 0),
  );
  const before = risky.slice(0, likely.length === 0 ? most - 1 : Math.floor((most - 1) / 2));
  const after = byLag.filter((runner) => isLikely(runner));
  // Should those fail that are about as good, one that is worse and surer may stand in.
  const standIns = race.byLag(
    likely.filter((runner) => runner !== reference && !after.includes(runner)),
    reference,
  );
  return [...before, reference, ...after, ...standIns].slice(0, most);
}

interface Rules {
  readonly fresh: readonly string[];
  readonly confidence: number;
  readonly goal: Goal;
  readonly promises: number;
}

/** On fresh seeds, in the order of the search: the first that is shown to keep its promises wins. Finalists share the chance of a wrong
 *  claim, so that having several does not make one likelier. */
function confirm(finalists: readonly Setting[], { fresh, confidence, goal, promises }: Rules) {
  const miss = (1 - confidence) / Math.max(1, finalists.length);
  const judged = finalists.map((setting) => {
    const own = setting.checks.slice(0, promises);
    return {
      setting,
      ...judgePromises(
        own,
        own.map((promise) => valuesOf(setting, promise, fresh)),
        miss,
      ),
    };
  });
  const winner = judged.find(({ decision }) => decision === 'meets')?.setting;
  const goals = (setting: Setting): number[] => valuesOf(setting, goalOf(setting), fresh);
  const others = judged.filter(({ setting, decision }) => setting !== winner && decision === 'meets');
  const adjusted = holm(
    others.map(({ setting }) =>
      winner === undefined ? NaN : pairedP(goals(setting).map((value, k) => value - goals(winner)[k])),
    ),
  );
  const about = findMetric(goal.metric.split('{', 1)[0]);
  const confirmation = judged.map(({ setting, decision, checks }): Confirmation => {
    const base = { setting: setting.values, goal: estimate(goals(setting)), decision, checks };
    if (setting === winner) return { ...base, toWinner: null, verdict: 'winner' };
    if (winner === undefined) return { ...base, toWinner: null, verdict: 'not shown to meet' };
    const toWinner = pairedDifference(goals(setting), goals(winner));
    if (decision !== 'meets') return { ...base, toWinner, verdict: 'not shown to meet' };
    const zone = about?.indifference;
    const size =
      zone === undefined ? 0 : 'relative' in zone ? Math.abs(zone.relative * estimate(goals(winner)).mean) : zone.absolute;
    const adjustedP = adjusted[others.findIndex((other) => other.setting === setting)];
    const better = goal.direction === 'min' ? 'lower' : 'higher';
    return { ...base, toWinner, verdict: judge({ difference: toWinner, adjustedP, indifference: size, better }) };
  });
  return { winner, confirmation };
}

interface Maker {
  readonly race: Race;
  readonly prober: Prober;
  readonly seeds: readonly string[];
  readonly winner: Setting | undefined;
  readonly finalists: readonly Runner[];
  /** Trials that claims are made about. */
  readonly among: number;
}

/** What the search knows of each; fresh seeds are not in it. All trials share the chance of a wrong claim. */
function trialMaker({ race, prober, seeds, winner, finalists, among }: Maker): (runner: Runner) => Trial {
  const endOf = (runner: Runner, decision: Decision): TrialEnd => {
    if (runner.setting === winner) return 'winner';
    if (finalists.includes(runner)) return 'finalist';
    if (decision === 'fails') return 'breaks';
    if (winner !== undefined && race.isWorse(runner.setting, winner, among)) return 'worse';
    return runner.left === undefined ? 'open' : 'dropped';
  };
  return (runner) => {
    const { setting, number, round } = runner;
    const own = seeds.filter((seed) => setting.cells.has(seed));
    const decision = race.decisionOf(setting, among);
    return {
      ...prober.probeOf(setting, own),
      decision,
      ...{ number, round, end: endOf(runner, decision), problem: '' },
      goal: estimate(valuesOf(setting, goalOf(setting), own)),
      toWinner: winner === undefined || setting === winner ? null : race.difference(setting, winner),
    };
  };
}

const nothing = estimate([]);

const invalidTrial = ({ values, number, round, problem }: Invalid): Trial => ({
  ...{ setting: values, numbers: [], seeds: 0, decision: 'undecided', checks: [], metrics: {} },
  ...{ number, round, end: 'invalid', problem, goal: nothing, toWinner: null },
});

/** What keeps the goal from becoming better: the promise that most settings with a better goal break. */
function bindingOf(
  winner: Setting,
  runners: readonly Runner[],
  race: Race,
  { promises }: Pick<Rules, 'goal' | 'promises'>,
): string | null {
  const mine = race.standing(winner).goal;
  const counts = new Map<string, number>();
  for (const { setting } of runners) {
    if (setting === winner || setting.cells.size === 0 || !(race.standing(setting).goal < mine)) continue;
    for (const promise of setting.checks.slice(0, promises)) {
      const values = valuesOf(setting, promise, race.seeds);
      const mean = values.some(Number.isNaN) ? NaN : estimate(values).mean;
      if (excessOf(promise, { mean, limit: promise.limit }) > 0) counts.set(promise.text, (counts.get(promise.text) ?? 0) + 1);
    }
  }
  return [...counts].toSorted(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))[0]?.[0] ?? null;
}
