/** The cheapest of a list of settings that keeps the promises. Two seeds of each tell about what they cost; from the cheapest on each is
 *  tried until one is shown to keep its promises. Those whose price cannot be told from its own are tried too, and named where they
 *  cannot be told apart. Prices are means over seeds, compared in pairs. */
import { InputError } from '../../core/errors.ts';
import { findMetric } from '../../core/metrics.ts';
import { pairedDifference } from '../../stats/estimate.ts';
import type { Found } from './capacity.ts';
import { countOf, type Dimension, valueAt } from './dimension.ts';
import type { Prober } from './prober.ts';
import { excessOf } from './promise.ts';
import { type Assignment, type Setting, valuesOf } from './trials.ts';
import type { Probe } from './types.ts';

const settingsMax = 500;
/** So many that cost about the same are tried beside the answer. */
const rivalsMax = 5;

export async function findCheapest(prober: Prober, dimensions: readonly Dimension[], metric: string): Promise<Found> {
  const { trials, seeds } = prober;
  const none = (outcome: Found['outcome']): Found => ({ outcome, kind: 'cheapest', violations: [], ties: [] });
  const settings: Setting[] = [];
  for (const values of everyOne(dimensions)) settings.push(await trials.setting(values));
  await trials.run(settings.map((setting) => ({ setting, seeds: seeds.slice(0, 2) })));
  if (trials.isStopped) return none('interrupted');
  const costs = new Map(settings.map((setting) => [setting, costOf(setting, seeds)]));
  const missing = settings.find((setting) => Number.isNaN(costs.get(setting)));
  if (missing !== undefined) throw notMeasured(metric, missing);
  const order = settings.toSorted((x, y) => costs.get(x)! - costs.get(y)!);
  const decided = new Map<Setting, Probe>();
  let answer: Setting | undefined;
  for (const setting of order) {
    const [probe] = await prober.decide([setting.values]);
    if (probe === undefined) return none('interrupted');
    decided.set(setting, probe);
    if (probe.decision !== 'meets') continue;
    answer = setting;
    break;
  }
  if (answer === undefined)
    return none([...decided.values()].some(({ decision }) => decision === 'undecided') ? 'undecided' : 'none');
  const zone = (findMetric(metric.split('{', 1)[0])?.indifference as { relative?: number } | undefined)?.relative ?? 0.01;
  const near = order.filter(
    (setting) => !decided.has(setting) && costs.get(setting)! <= costs.get(answer!)! + 2 * zone * Math.abs(costs.get(answer!)!),
  );
  for (const setting of near.slice(0, rivalsMax)) {
    const [probe] = await prober.decide([setting.values]);
    if (probe === undefined) return none('interrupted');
    decided.set(setting, probe);
  }
  // Seeds were added where the promises needed them; prices are compared on those that both have.
  const meeting = [...decided].filter(([, { decision }]) => decision === 'meets');
  const [best, probe] = meeting.toSorted(([x], [y]) => costOf(x, seeds) - costOf(y, seeds))[0];
  const ties = meeting.filter(([setting]) => setting !== best && !costsMore(setting, best, seeds)).map(([, other]) => other);
  const cheaper = order.filter(
    (setting) => setting !== best && decided.get(setting)?.decision !== 'meets' && decided.has(setting),
  );
  const worst = (setting: Setting): number =>
    Math.max(...decided.get(setting)!.checks.map((check, k) => excessOf(setting.checks[k], check)));
  // The dearest of the cheaper ones; among those the one that comes closest.
  const neighbour = cheaper.toSorted((x, y) => costOf(y, seeds) - costOf(x, seeds) || worst(x) - worst(y))[0];
  return {
    ...{ outcome: 'found', kind: 'cheapest', answer: probe, violations: [], ties },
    ...(neighbour === undefined ? {} : { neighbour: decided.get(neighbour)! }),
  };
}

function everyOne(dimensions: readonly Dimension[]): Assignment[] {
  const count = dimensions.reduce((product, dimension) => product * countOf(dimension), 1);
  if (count > settingsMax)
    throw InputError.of(
      'too-many',
      `--vary names ${count} settings; ${settingsMax} is the most that can be compared by price`,
      'larger steps (1..100:5), a list (2,4,8), or no --min',
    );
  return dimensions.reduce<Assignment[]>(
    (all, dimension) =>
      all.flatMap((values) =>
        Array.from({ length: countOf(dimension) }, (_, index) => ({ ...values, [dimension.path]: valueAt(dimension, index) })),
      ),
    [{}],
  );
}

/** What is minimised is the last thing asked for. */
const pricesOf = (setting: Setting, seeds: readonly string[]): number[] => valuesOf(setting, setting.checks.at(-1)!, seeds);

function costOf(setting: Setting, seeds: readonly string[]): number {
  const values = pricesOf(setting, seeds);
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function costsMore(setting: Setting, than: Setting, seeds: readonly string[]): boolean {
  const both = seeds.filter((seed) => setting.cells.has(seed) && than.cells.has(seed));
  const { low } = pairedDifference(pricesOf(setting, both), pricesOf(than, both));
  return low > 0;
}

export function notMeasured(metric: string, { key }: Pick<Setting, 'key'>): InputError {
  const name = metric.split('{', 1)[0];
  const hint =
    name === 'cost'
      ? 'give services or nodes a price: services.api.price: 0.1'
      : 'it needs something that this scenario has not, or no request ended; choose another metric';
  return InputError.of('not-measured', `${metric} has no value (at ${key})`, hint);
}
