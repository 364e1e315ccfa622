/** What each planned fault did to users, and how long it took to notice it, to stop the harm, and to be back. Faults that come at random have
 *  no place here: no two seeds see the same ones.
 *
 *  The rules, on the time series of one seed. *Before* a fault are the windows since warm-up in which no other planned fault held and every
 *  earlier one had been recovered from; where fewer than three are left, what was before the fault before it counts, and for the first, that
 *  nothing fails. The *scope* of a fault lasts from its beginning until another one begins; faults that begin together share theirs.
 *
 *  - *Failed in excess*: requests that failed in the scope, less what would have failed at the rate before.
 *  - *Detected*: the first time a client ceased to use an instance that the fault hits, while the fault held or the instance was still not
 *    back. At once if nobody had to, because some client did not use it from the start. A seed whose list of beliefs ends earlier does not
 *    tell. A fault of the network between zones hits the instances of those zones.
 *  - *Mitigated*: three windows from here on, each by itself and all together, fail less than twice as often as before, or not faster than
 *    the objective allows.
 *  - *Recovered*: five windows from here on, or all up to the end if fewer are left, have 99 % of the goodput over offered requests that
 *    there was before.
 *
 *  Both look from the first window of the scope that breaks the rule, alone and together with those after it, so that a harm that comes
 *  late is seen, and a harm that never comes takes no time. Chance breaks no rule: a count may miss by three standard deviations, those
 *  of a Poisson count for failures, those seen before the fault for goodput. So a harm smaller than that is not seen either; in windows of
 *  a thousand requests that is about half a percent of them. A relapse after the windows looked at is not held against it. */
import type { Ms } from '../core/time.ts';
import type { FaultSpec, Scenario } from '../scenario/spec.ts';
import { type BeliefChange, beliefsKept, type CellResult, type TruthSpan } from '../stats/result.ts';
import type { FaultImpact, Milestone } from './types.ts';
import { median, minutesOf, sum, type WindowCounts } from './window-sums.ts';

type World = Pick<Scenario, 'run' | 'faults' | 'services'>;

const DEVIATIONS = 3;
const WINDOWS_MITIGATED = 3;
const WINDOWS_RECOVERED = 5;
const RECOVERED_SHARE = 0.99;
const TIMES_BEFORE = 2;
/** Fewer windows do not tell how it was before, nor how much goodput scatters. */
const WINDOWS_BEFORE = 3;
const WINDOWS_SCATTER = 5;

export function judgeFaults(world: World, objective: number, cells: readonly CellResult[]): FaultImpact[] {
  const planned = plannedFaults(world);
  const seeds = cells.map((cell) => {
    const { windowMs, columns } = cell.series;
    const { warmupMs, durationMs } = world.run;
    return impactsOf({ windowMs, ...columns, measuredFromMs: warmupMs, horizonMs: durationMs, objective, faults: planned });
  });
  return planned.map((fault, index) => {
    const own = seeds.map((impacts) => impacts[index]);
    const detections = fault.targets.size === 0 ? [] : cells.map((cell) => detectionMs(fault, cell.beliefs, cell.truth));
    return {
      label: fault.label,
      fromMs: fault.fromMs,
      toMs: fault.toMs,
      failedInExcess: median(own.map(({ failedInExcess }) => failedInExcess)),
      errorMinutes: median(own.map(({ errorMinutes }) => errorMinutes)),
      detected: milestone(detections),
      mitigated: milestone(own.map(({ mitigatedMs }) => mitigatedMs)),
      recovered: milestone(own.map(({ recoveredMs }) => recoveredMs)),
    };
  });
}

function milestone(values: readonly Ms[]): Milestone {
  const known = values.filter((value) => !Number.isNaN(value));
  return {
    medianMs: known.length === 0 ? Infinity : median(known),
    reached: known.filter((value) => value < Infinity).length,
    seeds: known.length,
  };
}

export interface PlannedFault {
  readonly label: string;
  readonly fromMs: Ms;
  readonly toMs: Ms;
  /** Instances in whom trust can be lost; none where a fault does nothing that a detector could see. */
  readonly targets: ReadonlySet<string>;
}

/** In the order in which they begin. */
export function plannedFaults({ faults, services, run }: World): PlannedFault[] {
  return faults
    .flatMap((fault) => {
      const { label, schedule } = fault;
      if (schedule.type === 'random' || schedule.atMs >= run.durationMs) return [];
      const targets = new Set(targetsOf(fault, services));
      return [{ label, fromMs: schedule.atMs, toMs: schedule.atMs + schedule.forMs, targets }];
    })
    .toSorted((x, y) => x.fromMs - y.fromMs);
}

function targetsOf(fault: FaultSpec, services: Scenario['services']): string[] {
  if (fault.type === 'cache-flush' || fault.type === 'discovery-outage') return [];
  if ('link' in fault && fault.link.type === 'zones') {
    // A message lost on its way there and an answer lost on its way back look the same to whoever waits.
    const zones = [...fault.link.from, ...fault.link.to];
    return services.flatMap(({ name, instances }) =>
      instances.flatMap(({ zone }, instance) => (zones.includes(zone) ? [`${name}/${instance}`] : [])),
    );
  }
  return fault.targets.map(({ service, instance }) => `${services[service].name}/${instance}`);
}

/** NaN if the list of beliefs ends too early to tell. */
export function detectionMs(
  { fromMs, toMs, targets }: Omit<PlannedFault, 'label'>,
  beliefs: readonly BeliefChange[],
  truth: readonly TruthSpan[],
): Ms {
  const spans = truth.filter((span) => targets.has(span.instance) && span.fromMs <= toMs && span.toMs > fromMs);
  const endMs = Math.max(toMs, ...spans.map((span) => span.toMs));
  const doubted = new Set<string>();
  for (const { atMs, balancer, instance, alive } of beliefs) {
    if (!targets.has(instance) || atMs > endMs) continue;
    if (atMs >= fromMs && !alive) return atMs - fromMs;
    if (atMs < fromMs && !alive) doubted.add(`${balancer} ${instance}`);
    if (atMs < fromMs && alive) doubted.delete(`${balancer} ${instance}`);
  }
  if (doubted.size > 0) return 0;
  const isCut = beliefs.length >= beliefsKept && (beliefs.at(-1)?.atMs ?? 0) < endMs;
  return isCut ? NaN : Infinity;
}

export interface ImpactInput extends WindowCounts {
  /** End of the warm-up. */
  readonly measuredFromMs: Ms;
  readonly horizonMs: Ms;
  readonly objective: number;
  /** In the order in which they begin. */
  readonly faults: readonly { readonly fromMs: Ms; readonly toMs: Ms }[];
}

/** Times from the fault's beginning, Infinity if never. */
export interface Impact {
  readonly failedInExcess: number;
  readonly errorMinutes: number;
  readonly mitigatedMs: Ms;
  readonly recoveredMs: Ms;
}

export function impactsOf(input: ImpactInput): Impact[] {
  const { windowMs, offered, ok, failed, faults, objective, horizonMs } = input;
  const disturbed: { readonly from: number; readonly to: number }[] = [];
  let before: Before = { failing: 0, share: 1, scatter: NaN };
  return faults.map(({ fromMs, toMs }) => {
    const from = Math.floor(fromMs / windowMs);
    const nextMs = faults.find((other) => other.fromMs > fromMs)?.fromMs ?? Infinity;
    const to = Math.min(offered.length, Math.max(from + 1, Math.floor(nextMs / windowMs)));
    before = quietBefore(input, from, disturbed) ?? before;
    const { failing } = before;
    const missesGoodput = goodputRule(input, before);
    const failsOften = failureRule(input, before);
    const search = { from, to, end: offered.length };
    const calm = firstGood({ ...search, hold: WINDOWS_MITIGATED, isBad: failsOften, mayEndEarly: false });
    const back = firstGood({ ...search, hold: WINDOWS_RECOVERED, isBad: missesGoodput, mayEndEarly: true });
    disturbed.push({ from, to: Math.max(Math.ceil(toMs / windowMs), calm, back) });
    const timeOf = (window: number): Ms => (window === Infinity ? Infinity : Math.max(0, window * windowMs - fromMs));
    const ended = sum(ok, from, to) + sum(failed, from, to);
    return {
      failedInExcess: Math.max(0, sum(failed, from, to) - failing * ended),
      errorMinutes: minutesOf(input, from, to, objective, horizonMs).errorMinutes,
      mitigatedMs: timeOf(calm),
      recoveredMs: timeOf(back),
    };
  });
}

interface Before {
  /** Share of ended requests that fail. */
  readonly failing: number;
  /** Ok over offered. */
  readonly share: number;
  /** Standard deviation of ok around its share of offered, per window; NaN if too few windows tell. */
  readonly scatter: number;
}

function quietBefore(
  { windowMs, offered, ok, failed, measuredFromMs }: ImpactInput,
  until: number,
  disturbed: readonly { readonly from: number; readonly to: number }[],
): Before | undefined {
  const quiet: number[] = [];
  for (let window = Math.ceil(measuredFromMs / windowMs); window < until; window++) {
    if (!disturbed.some(({ from, to }) => from <= window && window < to)) quiet.push(window);
  }
  const total = (values: readonly number[]): number => quiet.reduce((all, window) => all + values[window], 0);
  const [arrived, well, badly] = [total(offered), total(ok), total(failed)];
  if (quiet.length < WINDOWS_BEFORE || arrived === 0 || well === 0) return undefined;
  const share = well / arrived;
  const squares = quiet.reduce((all, window) => all + square(ok[window] - share * offered[window]), 0);
  return {
    failing: badly / (well + badly),
    share,
    scatter: quiet.length < WINDOWS_SCATTER ? NaN : Math.sqrt(squares / (quiet.length - 1)),
  };
}

const square = (value: number): number => value * value;

/** Whether the windows from `from` up to `to` break a rule together. */
type Rule = (from: number, to: number) => boolean;

function failureRule({ ok, failed, objective }: ImpactInput, { failing }: Before): Rule {
  const limit = Math.max(TIMES_BEFORE * failing, 1 - objective);
  return (from, to) => {
    const badly = sum(failed, from, to);
    const allowed = limit * (badly + sum(ok, from, to));
    // Of a single failure nobody can tell whether it will happen again.
    return badly > Math.max(1, allowed + DEVIATIONS * Math.sqrt(allowed));
  };
}

function goodputRule({ offered, ok }: ImpactInput, { share, scatter }: Before): Rule {
  return (from, to) => {
    const expected = share * sum(offered, from, to);
    const deviation = Number.isNaN(scatter) ? Math.sqrt(expected) : scatter * Math.sqrt(to - from);
    return sum(ok, from, to) < RECOVERED_SHARE * expected - Math.max(1, DEVIATIONS * deviation);
  };
}

interface Search {
  /** The scope. */
  readonly from: number;
  readonly to: number;
  readonly end: number;
  readonly hold: number;
  readonly isBad: Rule;
  /** Whether fewer windows than `hold` do, if they are the last. */
  readonly mayEndEarly: boolean;
}

/** The window from which on the rule is kept; the first of the scope if it is never broken there, Infinity if it stays broken. */
function firstGood({ from, to, end, hold, isBad, mayEndEarly }: Search): number {
  const until = (window: number): number => Math.min(window + hold, end);
  let window = from;
  while (window < to && !(isBad(window, window + 1) && isBad(window, until(window)))) window++;
  if (window >= to) return from;
  for (; window < end; window++) {
    if (!mayEndEarly && window + hold > end) return Infinity;
    if (isGood(window, until(window), isBad)) return window;
  }
  return Infinity;
}

function isGood(from: number, to: number, isBad: Rule): boolean {
  for (let window = from; window < to; window++) if (isBad(window, window + 1)) return false;
  return !isBad(from, to);
}
