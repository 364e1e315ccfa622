/** A case as one or more ordinary scenarios, and how long each runs: the adapter says what is simulated and how fast it forgets, this
 *  file how many requests, seeds and how much warm-up that takes. */
import type { Case } from './cases.ts';
import type { Observation } from './judgement.ts';
import type { Laboratory } from './laboratory.ts';
import type { Readers } from './readers.ts';
import { duration, UNIT_MS } from './yaml.ts';

export interface Trial {
  /** The scenario without `scenario`, `name` and `run`. */
  readonly world: string;
  /** Requests per unit of time. */
  readonly perUnit: number;
  /** About how many units it takes to forget its past: correlations fall by e. */
  readonly relaxation: number;
  /** Cost of a request relative to that of a single queue. */
  readonly cost?: number;
  /** Looks at the state of the system in every seed; 120 by default. */
  readonly looks?: number;
  /** Where the case prescribes them; time in units. */
  readonly exactly?: { readonly warmup: number; readonly measured: number; readonly seeds: number; readonly window?: number };
  /** By metric of the case. */
  readonly observe: Readers;
}

/** Empty where the file format cannot say what the case asks for. Answers without a simulation come as observations. */
export type Adapter = (each: Case, effort: Effort) => readonly (Trial | Answers)[];
/** Adapters by family. */
export type Adapters = Readonly<Record<string, Adapter>>;

/** What a module says at once. */
export interface Answers {
  readonly answers: Readonly<Record<string, Observation>> | (() => Promise<Readonly<Record<string, Observation>>>);
}

export interface Effort {
  /** Most requests per trial, and most seeds. */
  readonly requests: number;
  readonly seeds: number;
}

interface Size {
  readonly warmup: number;
  readonly measured: number;
  readonly window: number;
  readonly seeds: number;
}

/** Relaxation times until what the empty start has left is far below the noise. */
const FORGOTTEN = 8;
const SEEDS_LEAST = 12;

export async function observe(
  each: Case,
  trial: Trial | Answers,
  laboratory: Laboratory,
  seed: string,
  effort: Effort,
): Promise<Readonly<Record<string, Observation>>> {
  const isWanted = (metric: string): boolean => typeof each.expect[metric]?.value === 'number';
  if ('answers' in trial) return typeof trial.answers === 'function' ? await trial.answers() : trial.answers;
  const wanted = Object.entries(trial.observe).filter(([metric]) => isWanted(metric));
  if (wanted.length === 0) return {};
  const size = sizeOf(each, trial, effort);
  const seeds = Array.from({ length: size.seeds }, (_, index) => `${seed} ${each.id} ${index + 1}`);
  const variants = await laboratory.simulate(scenarioText(trial, size), seeds);
  const background = { variants, warmupWindows: Math.ceil(size.warmup / size.window) };
  return Object.fromEntries(wanted.map(([metric, read]) => [metric, read(variants[0], background)]));
}

export function scenarioText({ world }: Trial, { warmup, measured, window }: Size): string {
  return `scenario: 1
name: theory
run: { duration: ${duration(warmup + measured)}, warmup: ${duration(warmup)}, window: ${duration(window)} }
${world.trim()}
`;
}

function sizeOf(each: Case, trial: Trial, effort: Effort): Size {
  if (trial.exactly !== undefined) return { window: trial.exactly.measured / (trial.looks ?? 120), ...trial.exactly };
  const warmup = whole(FORGOTTEN * trial.relaxation + 20);
  const affordable = effort.requests / (trial.cost ?? 1);
  const planned = Math.max(0, ...Object.values(each.plan?.requests_for_1pct_95ci ?? {}));
  const wanted = Math.min(affordable, Math.max(affordable / 3, planned));
  const total = wanted / trial.perUnit;
  // Many short seeds give the better error bars, few long ones waste less on warm-up: at most a third of the time.
  const seeds = Math.round(Math.max(SEEDS_LEAST, Math.min(effort.seeds, total / (2 * warmup))));
  const measured = whole(Math.max(total / seeds, 2 * warmup));
  return { warmup, measured, window: measured / (trial.looks ?? 120), seeds };
}

/** To a whole millisecond. */
const whole = (units: number): number => Math.ceil(units * UNIT_MS) / UNIT_MS;

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
  const { arrivals, work, instances = 1, slots = 1, queue: places = 'unlimited', discipline = 'fifo', timeout, balancer, more = '' } = queue;
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
