/** A scenario as tests write it: `await scenario('slow-node.yaml').seeds(10).run()`, then ask it about its variants. */
import { replayCommand } from '../cli/replay.ts';
import { suggest } from '../core/suggest.ts';
import { runExperiment } from '../lab/experiment.ts';
import type { RunFile, VariantResult } from '../lab/types.ts';
import { loadScenario } from '../scenario/load.ts';

/** One variant of a finished run. */
export interface Measurement {
  readonly variant: VariantResult;
  readonly run: RunFile;
}

export class ScenarioResult {
  readonly run: RunFile;

  constructor(run: RunFile) {
    this.run = run;
  }

  /** By its label. */
  of(label: string): Measurement {
    const { variants } = this.run;
    const variant = variants.find((each) => each.label === label);
    if (variant !== undefined) return { variant, run: this.run };
    const labels = variants.map((each) => each.label);
    const meant = suggest(label, labels);
    throw new Error(
      `no variant is labelled "${label}"${meant === undefined ? `; there are ${labels.join(', ')}` : `; did you mean "${meant}"?`}`,
    );
  }
}

export interface ScenarioBuilder {
  /** How many, or which. */
  seeds(seeds: number | readonly string[]): ScenarioBuilder;
  seed(base: string): ScenarioBuilder;
  /** `path=value`. */
  set(...assignments: readonly string[]): ScenarioBuilder;
  /** Worker threads; without, this thread. */
  jobs(count: number): ScenarioBuilder;
  run(): Promise<ScenarioResult>;
}

interface Settings {
  readonly seeds?: number | readonly string[];
  readonly seed?: string;
  readonly set: readonly string[];
  readonly jobs: number;
}

/** Each call gives a new one, so that a common beginning can be shared. */
export const scenario = (file: string): ScenarioBuilder => builder(file, { set: [], jobs: 0 });

function builder(file: string, settings: Settings): ScenarioBuilder {
  const change = (more: Partial<Settings>): ScenarioBuilder => builder(file, { ...settings, ...more });
  return {
    seeds: (seeds) => change({ seeds }),
    seed: (seed) => change({ seed }),
    set: (...assignments) => change({ set: [...settings.set, ...assignments] }),
    jobs: (jobs) => change({ jobs }),
    async run() {
      const { set, jobs, ...seeding } = settings;
      const loaded = await loadScenario(file, { overrides: set, ...seeding });
      const kind = loaded.scenario.variants.length > 1 ? 'compare' : 'run';
      const replay = replayCommand(kind, file, { ...seeding, set }).here;
      return new ScenarioResult(await runExperiment({ ...loaded, kind, file, overrides: set, jobs, replay, waterfalls: 0 }));
    },
  };
}
