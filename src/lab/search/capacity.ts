/** The smallest setting of a range that keeps the promises (or the largest, where more is worse, as of a rate), by bisection. Good where
 *  more helps steadily; what was tried besides the answer tells whether it does. With `minimise`, the cheapest of a list: see
 *  `cheapest.ts`. */
import { version } from '../../core/version.ts';
import { InputError } from '../../core/errors.ts';
import type { ExpectSpec } from '../../scenario/spec.ts';
import { pairedDifference } from '../../stats/estimate.ts';
import type { Estimate } from '../../stats/result.ts';
import { capacitySentences } from './capacity-text.ts';
import { findCheapest } from './cheapest.ts';
import { countOf, type Dimension, numbersOf, valueAt } from './dimension.ts';
import { modelOf, type QueueModel, theoryKeeps, theoryOf } from './mmc.ts';
import { metricText, Prober } from './prober.ts';
import { measureOnly, refuseEqualities } from './promise.ts';
import { searchedDimensions, searchedScenario } from './search-file.ts';
import { type Assignment, seedsFrom, settingText, Trials, type TrialsRequest } from './trials.ts';
import { type CapacityFile, capacitySchema, type Outcome, type Probe, type Theory } from './types.ts';

export interface CapacityInput extends Omit<TrialsRequest, 'checks' | 'checksFrom' | 'settingsFrom'> {
  readonly slo: readonly string[];
  readonly dimensions: readonly Dimension[];
  /** 0 to 1. */
  readonly confidence: number;
  readonly maxSeeds: number;
  /** A metric of which less is better. */
  readonly minimise?: string;
  readonly replay: string;
}

/** What a search found. */
export interface Found {
  readonly outcome: Outcome;
  readonly kind: CapacityFile['kind'];
  readonly answer?: Probe;
  readonly neighbour?: Probe;
  readonly violations: readonly string[];
  readonly ties: readonly Probe[];
}

/** Throws InputError. */
export async function findCapacity(input: CapacityInput): Promise<CapacityFile> {
  const { slo, dimensions, minimise } = input;
  const minimised = minimise === undefined ? [] : [measureOnly(minimise)];
  const trials = new Trials({ ...input, checks: [...slo, ...minimised], checksFrom: '--slo', settingsFrom: '--vary' });
  const base = await trials.base();
  refuseEqualities(base.scenario.expect, '--slo');
  const { run } = base.scenario;
  const seeds = seedsFrom(run, Math.max(2, input.maxSeeds));
  const options = { seeds, first: run.seeds.length, confidence: input.confidence, dimensions, promises: slo.length };
  const prober = new Prober(trials, options);
  const found =
    minimise === undefined ? await bisect(prober, oneDimension(dimensions)) : await findCheapest(prober, dimensions, minimise);
  const answered = found.answer && (await trials.setting(found.answer.setting));
  const theory = await theoryFor(trials, found, dimensions, slo.length);
  const probes = [...prober.probes.values()].toSorted(byPlace);
  const used = Math.max(0, ...probes.map((probe) => probe.seeds));
  const first = answered ?? (await trials.setting(firstOf(dimensions)));
  const result: Omit<CapacityFile, 'verdict'> = {
    schema: capacitySchema,
    version,
    complete: found.outcome !== 'interrupted',
    scenario: searchedScenario(base, input.file, first.world.policies.balancer.use),
    overrides: input.overrides,
    dimensions: searchedDimensions(dimensions),
    confidence: input.confidence,
    cells: trials.cells,
    warnings: base.warnings,
    replay: input.replay,
    slo: base.scenario.expect.slice(0, slo.length).map(({ text }) => text),
    minimise: minimise ?? null,
    seeds: seeds.slice(0, used),
    probes,
    outcome: found.outcome,
    kind: found.kind,
    answer: found.answer?.setting ?? null,
    neighbour: found.neighbour?.setting ?? null,
    neighbourDifference: differences(found.answer, found.neighbour),
    monotone: found.violations.length === 0,
    violations: found.violations,
    ties: found.ties.map(({ setting }) => setting),
    theory,
  };
  return { ...result, verdict: capacitySentences(result, base.scenario.expect.slice(0, slo.length), seeds.length) };
}

const firstOf = (dimensions: readonly Dimension[]): Assignment =>
  Object.fromEntries(dimensions.map((dimension) => [dimension.path, valueAt(dimension, 0)]));

function byPlace(x: Probe, y: Probe): number {
  const k = x.numbers.findIndex((number, i) => number !== y.numbers[i]);
  const [a, b] = [settingText(x.setting), settingText(y.setting)];
  return (k === -1 ? 0 : x.numbers[k] - y.numbers[k]) || (a < b ? -1 : a > b ? 1 : 0);
}

function oneDimension(dimensions: readonly Dimension[]): Dimension {
  const [first, ...others] = dimensions;
  if (others.length > 0)
    throw InputError.of(
      'bad-vary',
      `several --vary have no order: which of their settings is the smallest?`,
      'add --min cost, to find the cheapest',
    );
  if (first.kind === 'list' && numbersOf(first.values) === undefined)
    throw InputError.of(
      'bad-vary',
      `--vary ${first.path}: the values are no numbers, so none is the smallest`,
      'add --min cost, to find the cheapest',
    );
  return first;
}

function differences(answer: Probe | undefined, neighbour: Probe | undefined): Record<string, Estimate> {
  if (answer === undefined || neighbour === undefined) return {};
  // By position: both have the same seeds from the first on, perhaps not as many.
  return Object.fromEntries(
    Object.entries(answer.metrics).flatMap(([metric, values]) => {
      const other = neighbour.metrics[metric];
      return other === undefined ? [] : [[metric, pairedDifference(other, values)] as const];
    }),
  );
}

async function bisect(prober: Prober, dimension: Dimension): Promise<Found> {
  const last = countOf(dimension) - 1;
  const at = (index: number): Assignment => ({ [dimension.path]: valueAt(dimension, index) });
  const tried = new Map<number, Probe>();
  const decide = async (...indices: readonly number[]): Promise<boolean> => {
    const wanted = [...new Set(indices)].filter((index) => index >= 0 && index <= last && !tried.has(index));
    const probes = await prober.decide(wanted.map(at));
    wanted.forEach((index, i) => {
      const probe = probes[i];
      if (probe !== undefined) tried.set(index, probe);
    });
    return !prober.trials.isStopped;
  };
  const meets = (index: number): boolean => tried.get(index)?.decision === 'meets';
  const none = (outcome: Outcome, kind: Found['kind'] = 'smallest'): Found => ({ outcome, kind, violations: [], ties: [] });

  if (!(await decide(0, last))) return none('interrupted');
  let enough = meets(last) ? last : meets(0) ? 0 : undefined;
  if (enough === undefined) {
    // Where both ends fail, what is between them may still do: a check against the idea that more helps steadily.
    const inner = [1, 2, 3].map((quarter) => Math.round((last * quarter) / 4));
    if (!(await decide(...inner))) return none('interrupted');
    enough = inner.find(meets);
    if (enough === undefined)
      return none([...tried.values()].some(({ decision }) => decision === 'undecided') ? 'undecided' : 'none');
  }
  // More is worse where only the low end does.
  const kind = enough === 0 && last > 0 && !meets(last) ? 'largest' : 'smallest';
  let short = kind === 'largest' ? last : meets(0) ? -1 : 0;
  if (short === -1) enough = 0;
  while (Math.abs(enough - short) > 1 && short !== -1) {
    const middle = Math.floor((enough + short) / 2);
    if (!(await decide(middle))) return none('interrupted', kind);
    if (meets(middle)) enough = middle;
    else short = middle;
  }
  const [beyond, far] = kind === 'largest' ? [enough - 1, 0] : [enough + 1, last];
  const other = kind === 'largest' ? last : 0;
  if (!(await decide(beyond, Math.round((enough + far) / 2), Math.round((short + other) / 2)))) return none('interrupted', kind);
  const answer = tried.get(enough)!;
  const neighbour = tried.get(short);
  return {
    ...{ outcome: 'found', kind, answer, ties: [] },
    ...(neighbour === undefined ? {} : { neighbour }),
    violations: violationsOf(
      [...tried].toSorted(([x], [y]) => x - y),
      enough,
      kind,
    ),
  };
}

/** What does not fit "beyond the answer all meet, before it none does, and each step helps". */
function violationsOf(tried: readonly (readonly [number, Probe])[], answer: number, kind: 'smallest' | 'largest'): string[] {
  const isBeyond = (index: number): boolean => (kind === 'smallest' ? index > answer : index < answer);
  const found: string[] = [];
  for (const [index, { setting, decision }] of tried) {
    if (isBeyond(index) && decision === 'fails')
      found.push(`${settingText(setting)} fails, although it is ${kind === 'smallest' ? 'more' : 'less'}`);
    if (!isBeyond(index) && index !== answer && decision === 'meets')
      found.push(`${settingText(setting)} meets them, although it is ${kind === 'smallest' ? 'less' : 'more'}`);
  }
  for (let i = 1; i < tried.length; i++) {
    const [[, less], [, more]] = [tried[i - 1], tried[i]];
    for (const check of more.checks) {
      const metric = check.text.replace(/\s*[<>=]+\s*\S+$/, '');
      const wantsLess = / <=? /.test(check.text);
      const { mean, low, high } = pairedDifference(more.metrics[metric] ?? [], less.metrics[metric] ?? [], 0.99);
      // Of steps in the right direction chance turns some around; these are beyond chance and beyond what anybody would notice.
      const isWorse = (kind === 'smallest') === wantsLess ? low > 0 : high < 0;
      if (isWorse && Math.abs(mean) > 0.02 * Math.abs(check.mean))
        found.push(`${metric} gets worse from ${settingText(less.setting)} to ${settingText(more.setting)}`);
    }
  }
  return found;
}

/** What Erlang C makes of the same question. */
async function theoryFor(
  trials: Trials,
  { answer, kind }: Found,
  dimensions: readonly Dimension[],
  promises: number,
): Promise<Theory> {
  const nothing = (why: string): Theory => ({ applies: false, why, answer: null, split: null, values: {} });
  if (trials.isStopped) return nothing('the search was interrupted');
  const [dimension] = dimensions;
  const [low, high] = [0, countOf(dimension) - 1];
  const settingAt = (index: number) => trials.setting({ [dimension.path]: valueAt(dimension, index) });
  const subject = answer === undefined ? await settingAt(high) : await trials.setting(answer.setting);
  const { model, why, isBound } = modelOf(subject.world);
  if (model === undefined) return nothing(why);
  const checks: readonly ExpectSpec[] = subject.checks.slice(0, promises);
  const values = Object.fromEntries(
    checks.flatMap((check) => {
      const value = check.view === undefined ? theoryOf(check.metric, model) : NaN;
      return Number.isNaN(value) ? [] : [[metricText(subject, check), value] as const];
    }),
  );
  const missing = checks.find((check) => !(metricText(subject, check) in values));
  if (missing !== undefined && model.load < model.servers)
    return { ...nothing(`it says nothing about ${metricText(subject, missing)}`), values };
  const boundary = async (shape: (model: QueueModel, instances: number) => QueueModel): Promise<Assignment | null> => {
    const keeps = async (index: number): Promise<boolean> => {
      const { world } = await settingAt(index);
      const own = modelOf(world).model;
      return own !== undefined && theoryKeeps(checks, shape(own, world.services[0].instances.length)) === true;
    };
    let [enough, short] = kind === 'largest' ? [low, high] : [high, low];
    if (!(await keeps(enough))) return null;
    if (await keeps(short)) return (await settingAt(short)).values;
    while (Math.abs(enough - short) > 1) {
      const middle = Math.floor((enough + short) / 2);
      if (await keeps(middle)) enough = middle;
      else short = middle;
    }
    return (await settingAt(enough)).values;
  };
  const isOrdered = dimensions.length === 1 && kind !== 'cheapest';
  const shared = isOrdered ? await boundary((own) => own) : null;
  const split =
    isOrdered && isBound
      ? await boundary((own, instances) => ({ ...own, servers: own.servers / instances, load: own.load / instances }))
      : null;
  return { applies: why === '', why, answer: shared, split, values };
}
