/** Tries a setting until it is decided whether it keeps its promises: first on a few seeds, then on twice as many, up to a limit. All
 *  settings see the same seeds in the same order. */
import { judgePromises, looksOf } from './promise.ts';
import { type Assignment, type Setting, type Trials, valuesOf } from './trials.ts';
import { type Dimension, numberOf } from './dimension.ts';
import type { Probe } from './types.ts';

export class Prober {
  readonly trials: Trials;
  readonly seeds: readonly string[];
  readonly probes: Map<string, Probe>;
  private readonly looks: readonly number[];
  private readonly miss: number;
  private readonly dimensions: readonly Dimension[];
  /** The first so many checks of a setting are promises; the others are only measured. */
  private readonly promises: number;

  constructor(trials: Trials, { seeds, first, confidence, dimensions, promises }: ProberOptions) {
    this.trials = trials;
    this.seeds = seeds;
    this.looks = looksOf(first, seeds.length);
    this.miss = 1 - confidence;
    this.dimensions = dimensions;
    this.promises = promises;
    this.probes = new Map();
  }

  /** All of them together, so that threads have work. Missing where the search was stopped. */
  async decide(assignments: readonly Assignment[]): Promise<(Probe | undefined)[]> {
    const settings: Setting[] = [];
    for (const values of assignments) settings.push(await this.trials.setting(values));
    let open = settings.filter(({ key }) => !this.probes.has(key));
    for (const size of this.looks) {
      if (open.length === 0 || this.trials.isStopped) break;
      const seeds = this.seeds.slice(0, size);
      await this.trials.run(open.map((setting) => ({ setting, seeds })));
      if (this.trials.isStopped) break;
      const found = open.map((setting) => this.probeOf(setting, seeds));
      const isLast = size === this.looks.at(-1);
      for (const [i, probe] of found.entries()) if (isLast || probe.decision !== 'undecided') this.probes.set(open[i].key, probe);
      open = open.filter(({ key }) => !this.probes.has(key));
    }
    return settings.map(({ key }) => this.probes.get(key));
  }

  /** Without running anything. */
  probeOf(setting: Setting, seeds: readonly string[]): Probe {
    const done = seeds.filter((seed) => setting.cells.has(seed));
    const promises = setting.checks.slice(0, this.promises);
    const values = promises.map((promise) => valuesOf(setting, promise, done));
    const { decision, checks } = judgePromises(promises, values, this.miss / this.looks.length);
    return {
      setting: setting.values,
      numbers: this.dimensions.map((dimension) => numberOf(dimension, setting.values[dimension.path] ?? '')),
      seeds: done.length,
      decision,
      checks,
      metrics: metricsOf(setting, done),
    };
  }
}

export interface ProberOptions {
  readonly seeds: readonly string[];
  /** Seeds at the first look. */
  readonly first: number;
  readonly confidence: number;
  readonly dimensions: readonly Dimension[];
  readonly promises: number;
}

/** Worth knowing of every setting, whatever is asked. */
const always = [
  'latency.mean',
  'latency.p50',
  'latency.p99',
  'availability',
  'goodput',
  'utilization.mean',
  'replicas.mean',
  'cost',
];

/** By seed; what nobody measured is left out. */
export function metricsOf(setting: Setting, seeds: readonly string[]): Record<string, number[]> {
  const found: Record<string, number[]> = {};
  for (const check of setting.checks) found[metricText(setting, check)] = valuesOf(setting, check, seeds);
  for (const metric of always) {
    const values = valuesOf(setting, { metric }, seeds);
    if (found[metric] === undefined && values.some((value) => !Number.isNaN(value))) found[metric] = values;
  }
  return found;
}

/** `latency.p99{class=read}`. */
export function metricText({ world }: Pick<Setting, 'world'>, { metric, view }: Setting['checks'][number]): string {
  return view === undefined ? metric : `${metric}{${world.views[view].label}}`;
}
