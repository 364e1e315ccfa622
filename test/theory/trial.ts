/** A case as one or more ordinary scenarios, and how long each runs: the adapter says what is simulated and how fast it forgets, this
 *  file how many requests, seeds and how much warm-up that takes. */
import type { Case, Row } from './cases.ts';
import { judge, type Observation } from './judgement.ts';
import type { Laboratory } from './laboratory.ts';
import { EPISODES_BEYOND, type Readers } from './readers.ts';
import { duration, UNIT_MS } from './yaml.ts';

export interface Trial {
  /** The scenario without `scenario`, `name` and `run`. */
  readonly world: string;
  /** Requests per unit of time. */
  readonly perUnit: number;
  /** About how many units it takes to forget its past: correlations fall by e. */
  readonly relaxation: number;
  /** How many of its parts go their own ways; 1 by default. */
  readonly parts?: number;
  /** Cost of a request relative to that of a single queue. */
  readonly cost?: number;
  /** Looks at the state of the system in every seed; 100 by default. */
  readonly looks?: number;
  /** Where the case prescribes them; time in units. */
  readonly exactly?: Size;
  /** By metric of the case. */
  readonly observe: Readers;
}

/** Empty where the file format cannot say what the case asks for. Answers without a simulation come as observations. */
export type Adapter = (each: Case, effort: Effort) => readonly (Trial | Answers)[];
/** Adapters by family. */
export type Adapters = Readonly<Record<string, Adapter>>;

/** What a module says at once. */
export interface Answers {
  readonly answers:
    | Readonly<Record<string, Observation | undefined>>
    | (() => Promise<Readonly<Record<string, Observation | undefined>>>);
}

export interface Effort {
  /** Requests per trial: at least, and at most. */
  readonly requests: readonly [number, number];
  readonly seeds: number;
  readonly seed: string;
}

export interface Size {
  readonly warmup: number;
  readonly measured: number;
  readonly window: number;
  readonly seeds: number;
}

/** Relaxation times until what the empty start has left is far below the noise. */
const FORGOTTEN = 8;
const SEEDS_LEAST = 12;
/** Where a few percent are allowed anyway. */
const SEEDS_ROUGHLY = 4;

/** A row for each metric of the case. */
export async function observeCase(each: Case, adapters: Adapters, laboratory: Laboratory, effort: Effort): Promise<Row[]> {
  const observations: Record<string, Observation | undefined> = {};
  for (const trial of adapters[each.family]?.(each, effort) ?? []) {
    Object.assign(observations, await observe(each, trial, laboratory, effort));
  }
  return Object.entries(each.expect).map(([metric, expected]) => judge(each, metric, expected, observations[metric]));
}

async function observe(
  each: Case,
  trial: Trial | Answers,
  laboratory: Laboratory,
  effort: Effort,
): Promise<Readonly<Record<string, Observation | undefined>>> {
  const isWanted = (metric: string): boolean => typeof each.expect[metric]?.value === 'number';
  if ('answers' in trial) return typeof trial.answers === 'function' ? await trial.answers() : trial.answers;
  const wanted = Object.entries(trial.observe).filter(([metric]) => isWanted(metric));
  if (wanted.length === 0) return {};
  const size = sizeOf(each, trial, effort);
  // Seeds of their own for each case: otherwise all cases would see the same lucky and unlucky worlds.
  const seeds = Array.from({ length: size.seeds }, (_, index) => `${effort.seed} ${each.id} ${index + 1}`);
  const variants = await laboratory.simulate(scenarioText(trial, size), seeds);
  const background = {
    variants,
    warmupWindows: Math.round(size.warmup / size.window),
    windowUnits: size.window,
    episodes: episodes(trial, size),
  };
  return Object.fromEntries(wanted.map(([metric, read]) => [metric, read(variants[0], background)]));
}

/** Stretches of time that know nothing of each other. */
const episodes = ({ relaxation, parts = 1 }: Trial, { measured, seeds }: Size): number =>
  relaxation === 0 ? Infinity : (measured * seeds * parts) / relaxation;

export function scenarioText({ world }: Trial, { warmup, measured, window }: Size): string {
  return `scenario: 1
name: theory
run: { duration: ${duration(warmup + measured)}, warmup: ${duration(warmup)}, window: ${duration(window)} }
${world.trim()}
`;
}

function sizeOf(each: Case, trial: Trial, effort: Effort): Size {
  if (trial.exactly !== undefined) return trial.exactly;
  const warmup = FORGOTTEN * trial.relaxation + 20;
  const [least, most] = effort.requests.map((requests) => requests / (trial.cost ?? 1));
  const planned = Math.max(...Object.values(each.plan?.requests_for_1pct_95ci ?? {}), forRarest(each, trial));
  const total = Math.min(most, Math.max(least, planned)) / trial.perUnit;
  // Many short seeds give the better error bars, few long ones waste less on warm-up: at most a third of the time.
  const fewest = each.tol.rule === 'approximate' ? SEEDS_ROUGHLY : SEEDS_LEAST;
  const seeds = Math.round(Math.max(fewest, Math.min(effort.seeds, total / (2 * warmup))));
  const window = Math.ceil((Math.max(total / seeds, 2 * warmup) * UNIT_MS) / (trial.looks ?? 100)) / UNIT_MS;
  // Whole windows, so that counts by window can be had from the end of warm-up on.
  return { seeds, window, warmup: Math.ceil(warmup / window) * window, measured: (trial.looks ?? 100) * window };
}

/** Requests for the rarest percentile asked for to be seen in as many independent episodes as its reader wants. */
function forRarest({ expect }: Case, { perUnit, relaxation, parts = 1 }: Trial): number {
  const rarity = Math.max(
    0,
    ...Object.keys(expect).map((metric) => ({ p90: 10, p99: 100, p999: 1000 })[metric.split('_')[0]] ?? 0),
  );
  return (1.1 * EPISODES_BEYOND * rarity * relaxation * perUnit) / parts;
}

/** One service and one stream of requests. */
export interface Queue {
  readonly arrivals: string;
  readonly work: string;
  readonly instances?: number | string;
  readonly slots?: number;
  readonly queue?: number | 'unlimited';
  readonly discipline?: string;
  /** In units. */
  readonly timeout?: number;
  readonly balancer?: string;
  /** Further lines of the file. */
  readonly more?: string;
}

export function queueWorld(queue: Queue): string {
  const {
    arrivals,
    work,
    instances = 1,
    slots = 1,
    queue: places = 'unlimited',
    discipline = 'fifo',
    timeout,
    balancer,
    more = '',
  } = queue;
  return `services:
  api:
    instances: ${instances}
    slots: ${slots}
    queue: ${places}
    discipline: ${discipline}
    work: ${work}
traffic:
  - to: api
    arrivals: ${arrivals}
${timeout === undefined ? '' : `    timeout: ${duration(timeout)}\n`}${balancer === undefined ? '' : `policies: { balancer: ${balancer} }\n`}${more}`;
}

/** How long a queue remembers, in units: about (ca² + cs²)/2 / (servers · (1 − √ρ)²), never less than a few services. */
export function memory(load: number, { servers = 1, variability = 1 }: { servers?: number; variability?: number } = {}): number {
  const gap = 1 - Math.sqrt(Math.min(load, 0.9999));
  return 3 + Math.max(1, variability) / (servers * gap * gap);
}
