/** `baseline save|list|show|diff|rm`: what later gates compare with. */
import { exitCodes, InputError, NotComparable, type ExitCode } from '../../core/errors.ts';
import { findMetric } from '../../core/metrics.ts';
import { type Baseline, type BaselineScenario, makeBaseline } from '../../gate/baseline.ts';
import { type GateComparison, judgeOnce } from '../../gate/judge.ts';
import { runExperiment } from '../../lab/experiment.ts';
import { baselineEntry } from '../../lab/run-gate.ts';
import { formatMetric } from '../../report/format.ts';
import { changeText } from '../../report/gate/findings.ts';
import { serializePlain } from '../../report/json.ts';
import { forTerminal } from '../../report/plain-text.ts';
import { plural } from '../../report/summary.ts';
import { loadScenario } from '../../scenario/load.ts';
import { estimate } from '../../stats/estimate.ts';
import { baselineFolder, checkedName, listBaselines, readBaseline, removeBaseline, writeBaseline } from '../baselines.ts';
import { openExecutor } from '../executor.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { noteIssues } from '../notes.ts';
import { type ExperimentOptions, loadOptions } from '../options.ts';
import { progressLine, silentProgress } from '../progress.ts';
import { replayCommand } from '../replay.ts';
import { table } from '../table.ts';
import type { Terminal } from '../terminal.ts';

interface Options extends Pick<
  ExperimentOptions,
  'seed' | 'seeds' | 'set' | 'allowOutside' | 'jobs' | 'cellTimeout' | 'json' | 'quiet'
> {
  readonly baselines?: string;
}

const folderOf = ({ baselines = baselineFolder }: Options): string => baselines;

/** Scenarios that are not named stay as they were saved. */
export async function saveBaseline(
  name: string,
  files: readonly string[],
  options: Options,
  terminal: Terminal,
): Promise<ExitCode> {
  checkedName(name);
  const folder = folderOf(options);
  const known = (await listBaselines(folder)).includes(name) ? (await readBaseline(folder, name)).scenarios : {};
  const loaded = [];
  for (const file of files) {
    const scenario = await loadScenario(file, loadOptions(options));
    const twin = loaded.find((other) => other.scenario.name === scenario.scenario.name);
    if (twin !== undefined)
      throw InputError.of('duplicate', `${twin.file} and ${file} are both named ${twin.scenario.name}`, 'rename one of them');
    if (scenario.scenario.run.seeds.length < 2)
      throw InputError.of('too-few-seeds', `${file} has one seed; nothing can be compared with one`, 'add --seeds 10');
    if (options.quiet !== true) await noteIssues(scenario.warnings, terminal);
    loaded.push({ file, ...scenario });
  }
  const executor = await openExecutor(options, terminal.note);
  const entries: Record<string, BaselineScenario> = {};
  const interrupt = listenForInterrupt(() => terminal.note('interrupted: the baseline stays as it was\n'));
  try {
    for (const { file, scenario, ...rest } of loaded) {
      const progress = options.quiet === true ? silentProgress : progressLine(terminal, `cells of ${scenario.name}`);
      const kind = scenario.variants.length > 1 ? 'compare' : 'run';
      try {
        const run = await runExperiment({
          ...{ ...rest, scenario, kind, file, waterfalls: 0, overrides: options.set ?? [] },
          jobs: 0,
          executor,
          replay: replayCommand(kind, file, options).anywhere,
          onProgress: progress.update,
          signal: interrupt.signal,
        });
        if (!run.complete) return interrupt.code() ?? exitCodes.couldNotFinish;
        entries[scenario.name] = baselineEntry(run, scenario);
      } finally {
        progress.end();
      }
    }
  } finally {
    interrupt.stop();
  }
  const file = await writeBaseline(folder, makeBaseline(name, { ...known, ...entries }));
  terminal.print(
    `Saved ${name}: ${Object.entries(entries)
      .map(([scenario, entry]) => `${scenario} (${sizeOf(entry)})`)
      .join(', ')} in ${file}\n`,
  );
  return exitCodes.ok;
}

const sizeOf = ({ variants, seeds }: BaselineScenario): string =>
  `${plural(Object.keys(variants).length, 'variant')}, ${plural(seeds.length, 'seed')}`;

export async function listAll(options: Options, terminal: Terminal): Promise<ExitCode> {
  const folder = folderOf(options);
  const names = await listBaselines(folder);
  const all: Baseline[] = [];
  const broken: string[] = [];
  for (const name of names) {
    try {
      all.push(await readBaseline(folder, name));
    } catch (failure) {
      if (!(failure instanceof NotComparable)) throw failure;
      broken.push(failure.message);
    }
  }
  if (options.json === true)
    terminal.print(
      serializePlain({
        baselines: all.map(({ name, version, scenarios }) => ({ name, version, scenarios: Object.keys(scenarios) })),
        broken,
      }),
    );
  else if (all.length === 0 && broken.length === 0)
    terminal.print(`No baselines in ${folder}. Make one: clusterlab baseline save main scenario.yaml\n`);
  else {
    const rows = all.map(({ name, scenarios }) => [
      name,
      Object.entries(scenarios)
        .map(([scenario, entry]) => `${forTerminal(scenario)} (${sizeOf(entry)})`)
        .join(', '),
    ]);
    terminal.print(table(rows, { width: terminal.results.width }));
  }
  for (const message of broken) terminal.note(`not comparable: ${message}\n`);
  return broken.length > 0 ? exitCodes.notComparable : exitCodes.ok;
}

export async function showBaseline(name: string, options: Options, terminal: Terminal): Promise<ExitCode> {
  const baseline = await readBaseline(folderOf(options), name);
  if (options.json === true) {
    terminal.print(serializePlain(baseline));
    return exitCodes.ok;
  }
  terminal.print(`${name}, saved by clusterlab ${forTerminal(baseline.version)}\n`);
  for (const [scenario, { file, seeds, variants }] of Object.entries(baseline.scenarios)) {
    terminal.print(`\n${forTerminal(scenario)} (${forTerminal(file)}), ${plural(seeds.length, 'seed')}\n`);
    const metrics = [...new Set(Object.values(variants).flatMap((variant) => Object.keys(variant.metrics)))];
    const rows = Object.entries(variants).map(([label, variant]) => [
      forTerminal(label),
      ...metrics.map((metric) => formatMetric(nameOf(metric), estimate(variant.metrics[metric] ?? []).mean)),
    ]);
    terminal.print(table([['', ...metrics.map(forTerminal)], ...rows], { indent: ' ' }));
  }
  return exitCodes.ok;
}

/** Two baselines, paired seed by seed where they have the same. */
export async function diffBaselines(before: string, after: string, options: Options, terminal: Terminal): Promise<ExitCode> {
  const [old, now] = [await readBaseline(folderOf(options), before), await readBaseline(folderOf(options), after)];
  const changes = Object.keys({ ...old.scenarios, ...now.scenarios })
    .sort()
    .map((scenario) => ({ scenario, ...compared(old.scenarios[scenario], now.scenarios[scenario]) }));
  if (options.json === true) {
    terminal.print(serializePlain({ before, after, scenarios: changes }));
    return exitCodes.ok;
  }
  for (const { scenario, notes, comparisons, same } of changes) {
    terminal.print(`${forTerminal(scenario)}\n`);
    for (const note of notes) terminal.print(`  ${forTerminal(note)}\n`);
    if (same > 0) terminal.print(`  ${plural(same, 'variant')} with the same bytes\n`);
    const rows = comparisons.map((each) => [
      forTerminal(each.variant),
      forTerminal(each.text),
      `${formatMetric(each.metric, each.baselineMean)} -> ${formatMetric(each.metric, each.currentMean)}`,
      each.reason === '' ? changeText(each) : each.reason,
      each.verdict,
    ]);
    if (rows.length > 0) terminal.print(table(rows, { indent: '  ' }));
  }
  return exitCodes.ok;
}

interface Difference {
  readonly notes: readonly string[];
  readonly comparisons: readonly GateComparison[];
  readonly same: number;
}

function compared(old: BaselineScenario | undefined, now: BaselineScenario | undefined): Difference {
  if (old === undefined || now === undefined)
    return { notes: [old === undefined ? 'only in the second' : 'only in the first'], comparisons: [], same: 0 };
  const shared = old.seeds.filter((seed) => now.seeds.includes(seed));
  if (shared.length < 2) return { notes: ['no seeds in common, so nothing can be paired'], comparisons: [], same: 0 };
  const at = (entry: BaselineScenario, values: readonly number[]): number[] =>
    shared.map((seed) => values[entry.seeds.indexOf(seed)]);
  const labels = Object.keys(old.variants).filter((label) => Object.hasOwn(now.variants, label));
  const lone = Object.keys({ ...old.variants, ...now.variants }).filter((label) => !labels.includes(label));
  const moved = labels.filter((label) => {
    const [a, b] = [old.variants[label].world, now.variants[label].world];
    return Object.keys(a).some((section) => a[section] !== b[section]);
  });
  const isSame = (label: string): boolean =>
    shared.every(
      (seed) => old.variants[label].digests[old.seeds.indexOf(seed)] === now.variants[label].digests[now.seeds.indexOf(seed)],
    );
  const comparisons = labels
    .filter((label) => !isSame(label))
    .flatMap((label) =>
      Object.keys(old.variants[label].metrics).flatMap((text): GateComparison[] => {
        const metric = findMetric(nameOf(text));
        const values = now.variants[label].metrics[text];
        if (metric === undefined || values === undefined) return [];
        const margin = metric.indifference ?? { relative: 0 };
        const check = {
          variant: label,
          text,
          metric: metric.name,
          better: metric.better,
          margin,
          baseline: at(old, old.variants[label].metrics[text]),
        };
        return check.baseline.every(Number.isNaN) ? [] : [judgeOnce(check, at(now, values))];
      }),
    );
  return {
    notes: [
      ...lone.map((label) => `variant "${label}" is only in ${Object.hasOwn(old.variants, label) ? 'the first' : 'the second'}`),
      ...moved.map((label) => `variant "${label}" ran in another world: differences are not the policy's alone`),
    ],
    comparisons,
    same: labels.filter(isSame).length,
  };
}

const nameOf = (text: string): string => text.split('{', 1)[0];

export async function dropBaseline(name: string, options: Options, terminal: Terminal): Promise<ExitCode> {
  await removeBaseline(folderOf(options), name);
  terminal.print(`Removed ${name}\n`);
  return exitCodes.ok;
}
