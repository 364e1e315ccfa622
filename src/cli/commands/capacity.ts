/** `capacity`: how much is enough? The smallest (or cheapest) setting that keeps the promises, shown with a stated confidence. */
import { exitCodes, InputError, type ExitCode } from '../../core/errors.ts';
import { findMetric, metricNames } from '../../core/metrics.ts';
import { suggest } from '../../core/suggest.ts';
import { findCapacity } from '../../lab/search/capacity.ts';
import { parseDimension } from '../../lab/search/dimension.ts';
import type { CapacityFile } from '../../lab/search/types.ts';
import { capacityFiles, capacityText } from '../../report/search/capacity.ts';
import { formatPath } from '../../core/issue.ts';
import type { LoadedScenario } from '../../scenario/load.ts';
import { loadOptions } from '../options.ts';
import { replayCommand } from '../replay.ts';
import { chooser, loadBase, runSearch, type SearchOptions, withMore } from '../search.ts';
import type { Terminal } from '../terminal.ts';

export interface CapacityOptions extends SearchOptions {
  readonly slo: readonly string[];
  readonly vary?: readonly string[];
  readonly min?: string;
  readonly confidence: number;
  readonly maxSeeds?: number;
}

/** Where nobody says otherwise. */
const defaultMaxSeeds = 40;

export async function capacity(file: string, options: CapacityOptions, terminal: Terminal): Promise<ExitCode> {
  const base = await loadBase(file, options, terminal);
  const dimensions = (options.vary ?? [defaultVary(base)]).map((text) => parseDimension(text, '--vary'));
  const paths = dimensions.map(({ path }) => path);
  const twice = paths.find((path, i) => paths.indexOf(path) !== i);
  if (twice !== undefined) throw InputError.of('duplicate', `--vary ${twice} stands twice`, 'give all its values at once: a,b,c');
  if (options.min !== undefined) checkMinimised(options.min);
  const { seeds } = base.scenario.run;
  const maxSeeds = options.maxSeeds ?? Math.max(defaultMaxSeeds, seeds.length);
  if (maxSeeds < seeds.length)
    throw InputError.of(
      'bad-seeds',
      `--max-seeds ${maxSeeds} is less than the ${seeds.length} seeds to begin with`,
      'give fewer with --seeds, too',
    );
  const choose = chooser(base, options, 'capacity', paths, terminal.note);
  const replay = withMore(replayCommand('capacity', file, options), [
    ...options.slo.flatMap((line) => ['--slo', line]),
    ...(options.vary ?? []).flatMap((text) => ['--vary', text]),
    ...(options.min === undefined ? [] : ['--min', options.min]),
    ...(options.confidence === 0.95 ? [] : ['--confidence', String(options.confidence)]),
    ...(options.maxSeeds === undefined ? [] : ['--max-seeds', String(options.maxSeeds)]),
    ...(options.variant === undefined ? [] : ['--variant', options.variant]),
  ]);
  return runSearch(
    {
      folder: options.out === false ? undefined : (options.out ?? `reports/${base.scenario.name}-capacity`),
      replay,
      options,
      search: (live) =>
        findCapacity({
          ...live,
          file,
          load: { ...loadOptions(options), overrides: [] },
          overrides: options.set ?? [],
          slo: options.slo,
          dimensions,
          confidence: options.confidence,
          maxSeeds,
          ...(options.min === undefined ? {} : { minimise: options.min }),
          choose,
          replay: replay.anywhere,
        }),
      files: capacityFiles,
      text: (result) => capacityText({ ...result, replay: replay.here }, terminal.results),
      code: (result) => codeOf(result, options.strict === true),
    },
    terminal,
  );
}

function codeOf({ outcome, probes, neighbour }: CapacityFile, strict: boolean): ExitCode {
  const isOpen =
    outcome === 'undecided' || probes.some(({ setting, decision }) => decision === 'undecided' && isSame(setting, neighbour));
  if (strict && isOpen) return exitCodes.inconclusive;
  return outcome === 'found' ? exitCodes.ok : exitCodes.checkFailed;
}

const isSame = (x: object, y: object | null): boolean => JSON.stringify(x) === JSON.stringify(y);

function defaultVary({ scenario: { services } }: LoadedScenario): string {
  const [service, ...others] = services;
  if (service !== undefined && others.length === 0) return `${formatPath(['services', service.name, 'instances'])}=1..100`;
  const names = services.map(({ name }) => name);
  throw InputError.of(
    'bad-vary',
    `which of the services ${names.join(', ')} is to vary?`,
    `add --vary ${formatPath(['services', names[0] ?? 'api', 'instances'])}=1..100`,
  );
}

function checkMinimised(text: string): void {
  const name = text.split('{', 1)[0]!;
  const metric = findMetric(name);
  if (metric === undefined) {
    const meant = suggest(name, metricNames);
    throw InputError.of(
      'unknown-metric',
      `--min: there is no metric "${name}"`,
      meant === undefined ? 'as in --min cost' : `did you mean "${meant}"?`,
    );
  }
  if (metric.better === 'higher')
    throw InputError.of('bad-metric', `--min: of ${name} one wants more, not less`, 'as in --min cost');
}
