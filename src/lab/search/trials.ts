/** Settings of one scenario under common seeds: loads a setting once, runs each of its cells once, remembers what was measured. Whatever
 *  searches asks for cells in batches, which the executor spreads over threads; numbers do not depend on how. */
import { InputError } from '../../core/errors.ts';
import { type LoadedScenario, loadScenario, type LoadOptions } from '../../scenario/load.ts';
import type { Override } from '../../scenario/parse.ts';
import type { ExpectSpec, Scenario, VariantSpec } from '../../scenario/spec.ts';
import type { CellResult } from '../../stats/result.ts';
import type { Cell } from '../cell.ts';
import { localExecutor } from '../executors.ts';
import { type Progress, ProgressCount } from '../progress.ts';

export interface TrialsRequest {
  readonly file: string;
  /** Without overrides. */
  readonly load: LoadOptions;
  /** The same for all settings. */
  readonly overrides: readonly string[];
  /** What must be measured, as lines of `expect`; in complaints they come from `checksFrom`. */
  readonly checks: readonly string[];
  readonly checksFrom: string;
  /** In complaints settings come from here: `--vary`. */
  readonly settingsFrom: string;
  /** Which of the scenario's variants is meant. */
  choose(loaded: LoadedScenario): VariantSpec;
  readonly jobs: number;
  readonly signal?: AbortSignal;
  onProgress?(progress: Progress): void;
}

/** Path to value. */
export type Assignment = Readonly<Record<string, string>>;

export interface Setting {
  /** Equal for equal settings. */
  readonly key: string;
  readonly values: Assignment;
  /** The world with its policies. */
  readonly world: Omit<Scenario, 'variants'>;
  readonly variant: VariantSpec;
  /** In the order of the request. */
  readonly checks: readonly ExpectSpec[];
  /** By seed. */
  readonly cells: Map<string, Measured>;
}

/** What is kept of a cell. */
export interface Measured {
  readonly metrics: Readonly<Record<string, number>>;
  readonly views: readonly Readonly<Record<string, number>>[];
  readonly requests: number;
}

export class Trials {
  readonly request: TrialsRequest;
  /** Cells that were run. */
  cells: number;
  /** Cells that will be needed, where that is known; for progress. */
  expected: number;
  private readonly settings: Map<string, Setting>;

  constructor(request: TrialsRequest) {
    this.request = request;
    this.cells = 0;
    this.expected = 0;
    this.settings = new Map();
  }

  get isStopped(): boolean {
    return this.request.signal?.aborted === true;
  }

  /** The file as it is, with what is the same for all settings. */
  base(): Promise<LoadedScenario> {
    return this.loaded([]);
  }

  /** Throws InputError. */
  async setting(values: Assignment): Promise<Setting> {
    const key = settingText(values);
    const known = this.settings.get(key);
    if (known !== undefined) return known;
    const from = this.request.settingsFrom;
    let loaded: LoadedScenario;
    try {
      loaded = await this.loaded(Object.entries(values).map(([path, value]) => ({ assignment: overrideOf(path, value), from })));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      // Which of the settings it was is not said by the text of the file.
      throw new InputError(error.issues.map((issue) => ({ ...issue, message: `${issue.message} (at ${key})` })));
    }
    const { scenario } = loaded;
    const variant = this.request.choose(loaded);
    const { variants: _, ...common } = scenario;
    const world = { ...(variant.scenario ?? common), policies: variant.policies };
    const { scenario: __, load: ___, group: ____, ...bare } = variant;
    const setting = {
      key,
      values,
      world,
      variant: { ...bare, label: key, scenario: world },
      checks: world.expect,
      cells: new Map(),
    };
    this.settings.set(key, setting);
    return setting;
  }

  /** Runs what has not been run yet, by seed first, so that an interrupted search has whole pairs. */
  async run(wanted: readonly { readonly setting: Setting; readonly seeds: readonly string[] }[]): Promise<void> {
    const settings = [...new Set(wanted.map(({ setting }) => setting))];
    const longest = Math.max(0, ...wanted.map(({ seeds }) => seeds.length));
    const cells: Cell[] = [];
    const planned = new Set<string>();
    for (let k = 0; k < longest; k++) {
      for (const { setting, seeds } of wanted) {
        const variant = settings.indexOf(setting);
        const seed = seeds[k];
        if (seed === undefined || setting.cells.has(seed) || planned.has(`${variant} ${seed}`)) continue;
        planned.add(`${variant} ${seed}`);
        cells.push({ variant, seed });
      }
    }
    if (cells.length === 0 || this.isStopped) return;
    const scenario: Scenario = { ...settings[0].world, variants: settings.map(({ variant }) => variant) };
    const { jobs, signal, onProgress } = this.request;
    const before = this.cells;
    const known = Math.max(before + cells.length, this.expected);
    const { durationMs } = scenario.run;
    const progress = new ProgressCount(scenario, ({ done, simulatedMs }) => {
      const all = before * durationMs + simulatedMs;
      onProgress?.({ done: before + done, total: known, simulatedMs: all, share: all / (known * durationMs) });
    });
    progress.expect(cells.length);
    const onAdvance = (cell: Cell, simulatedMs: number): void => progress.advance(cell, simulatedMs);
    const options = { onAdvance, ...(signal === undefined ? {} : { signal }) };
    await localExecutor(jobs).run(scenario, cells, options, (result) => {
      const setting = settings[result.variant];
      setting.cells.set(result.seed, measuredOf(result, setting.world));
      this.cells++;
      progress.finish(result);
    });
  }

  private loaded(settings: readonly Override[]): Promise<LoadedScenario> {
    const { file, load, overrides, checks, checksFrom } = this.request;
    const expect = { assignment: `expect=[${checks.map((check) => JSON.stringify(check)).join(', ')}]`, from: checksFrom };
    return loadScenario(file, { ...load, overrides: [...overrides, ...settings, expect] });
  }
}

/** `load` stands for the load of all streams. */
const overrideOf = (path: string, value: string): string =>
  path === 'load' ? `compare={ load: [${value}] }` : `${path}=${value}`;

export const settingText = (values: Assignment): string =>
  Object.entries(values)
    .map(([path, value]) => `${path}=${value}`)
    .join(', ');

/** One value per seed for the promise; NaN where a seed has none. Seeds that were not run are left out. */
export function valuesOf(
  setting: Setting,
  { metric, view }: Pick<ExpectSpec, 'metric' | 'view'>,
  seeds: readonly string[],
): number[] {
  return seeds.flatMap((seed) => {
    const cell = setting.cells.get(seed);
    if (cell === undefined) return [];
    return [(view === undefined ? cell.metrics : cell.views[view])?.[metric] ?? NaN];
  });
}

function measuredOf(result: CellResult, world: Setting['world']): Measured {
  const cost = result.elastic === null ? fixedCost(world) : undefined;
  return {
    metrics: cost === undefined ? result.metrics : { ...result.metrics, cost },
    views: result.views.map(({ metrics }) => metrics),
    requests: result.ledger.offered,
  };
}

/** Where instances are there for ever, what they cost needs no measuring. Undefined where nothing has a price. */
function fixedCost({ services }: Setting['world']): number | undefined {
  if (services.every(({ elastic }) => elastic.price === 0)) return undefined;
  return services.reduce((sum, { elastic, instances, initial = instances.length }) => sum + elastic.price * initial, 0);
}

/** The scenario's own seeds, then more of the same kind. */
export function seedsFrom({ seed, seeds }: Scenario['run'], count: number): string[] {
  const all = seeds.slice(0, count);
  const known = new Set(all);
  for (let k = 1; all.length < count; k++) {
    const next = `${seed}:${k}`;
    if (known.has(next)) continue;
    known.add(next);
    all.push(next);
  }
  return all;
}
