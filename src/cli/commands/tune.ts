/** `tune`: parameters that serve a goal and keep promises, found within a budget and confirmed on seeds of their own. */
import { exitCodes, InputError, type ExitCode } from '../../core/errors.ts';
import { parseDimension } from '../../lab/search/dimension.ts';
import { parseGoal } from '../../lab/search/goal.ts';
import { tune as search } from '../../lab/search/tune.ts';
import type { TuneFile } from '../../lab/search/types.ts';
import { tuneFiles, tuneText } from '../../report/search/tune.ts';
import { loadOptions } from '../options.ts';
import { replayCommand } from '../replay.ts';
import { chooser, loadBase, runSearch, type SearchOptions, withMore } from '../search.ts';
import type { Terminal } from '../terminal.ts';

export interface TuneOptions extends SearchOptions {
  readonly param: readonly string[];
  readonly goal: string;
  readonly budget: number;
  readonly confidence: number;
}

export async function tune(file: string, options: TuneOptions, terminal: Terminal): Promise<ExitCode> {
  const goal = parseGoal(options.goal);
  const dimensions = options.param.map((text) => parseDimension(text, '--param'));
  const paths = dimensions.map(({ path }) => path);
  const twice = paths.find((path, i) => paths.indexOf(path) !== i);
  if (twice !== undefined)
    throw InputError.of('duplicate', `--param ${twice} stands twice`, 'give all its values at once: a,b,c');
  const base = await loadBase(file, options, terminal);
  const choose = chooser(base, options, 'tune', paths, terminal.note);
  const replay = withMore(replayCommand('tune', file, options), [
    ...options.param.flatMap((text) => ['--param', text]),
    ...['--goal', options.goal],
    ...['--budget', String(options.budget)],
    ...(options.confidence === 0.95 ? [] : ['--confidence', String(options.confidence)]),
    ...(options.variant === undefined ? [] : ['--variant', options.variant]),
  ]);
  return runSearch(
    {
      folder: options.out === false ? undefined : (options.out ?? `reports/${base.scenario.name}-tune`),
      replay,
      options,
      search: (live) =>
        search({
          ...live,
          file,
          load: { ...loadOptions(options), overrides: [] },
          overrides: options.set ?? [],
          goal,
          dimensions,
          budget: options.budget,
          confidence: options.confidence,
          choose,
          replay: replay.anywhere,
        }),
      files: tuneFiles,
      text: (result) => tuneText({ ...result, replay: replay.here }, terminal.results),
      code: (result) => codeOf(result, options.strict === true),
    },
    terminal,
  );
}

function codeOf({ outcome }: TuneFile, strict: boolean): ExitCode {
  if (outcome === 'found') return exitCodes.ok;
  return strict && outcome === 'undecided' ? exitCodes.inconclusive : exitCodes.checkFailed;
}
