/** Options that several commands share, and the strict parsers of their values: `10abc` is a mistake, not a 10. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { LoadOptions } from '../scenario/load.ts';

export interface ExperimentOptions {
  readonly seed?: string;
  readonly seeds?: number | readonly string[];
  /** Half-width aimed for, as a fraction of the mean. */
  readonly untilCi?: number;
  /** Decisions to record per variant. */
  readonly explain?: number;
  readonly jobs?: number;
  /** False for `--no-out`. */
  readonly out?: string | false;
  /** `path=value`, in the order given. */
  readonly set?: readonly string[];
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly strict?: boolean;
  readonly force?: boolean;
  readonly allowOutside?: boolean;
  readonly reporter?: string;
  /** Seconds. */
  readonly cellTimeout?: number;
}
/** The options that decide what is simulated; the rest only changes how, and how it is shown. */
export type WorldOptions = Pick<ExperimentOptions, 'seed' | 'seeds' | 'set' | 'allowOutside'>;

/** The same in the loader's words. */
export const loadOptions = ({ seed, seeds, set = [], allowOutside = false }: WorldOptions): LoadOptions => ({
  overrides: set,
  allowOutside,
  ...(seed === undefined ? {} : { seed }),
  ...(seeds === undefined ? {} : { seeds }),
});

/** As in scenario files; importing that limit would import the whole schema. */
const largestSeedCount = 1000;
const largestJobCount = 1024;

/** What is simulated: `--seed`, `--seeds`, `--set`. */
export const addWorldOptions = (command: Command): Command =>
  command
    .addOption(new Option('-s, --seed <text>', 'base seed, any text').env('CLUSTERLAB_SEED').argParser(parseSeed))
    .addOption(new Option('--seeds <n|list>', 'repetitions, or the exact seeds: 20, or a,b,c or a,').argParser(parseSeeds))
    .addOption(new Option('--set <path=value>', 'change one setting of the file; repeatable').argParser(parseAssignment))
    .option('--allow-outside', 'load policies from outside the current folder, too');

export const reporterOption = (): Option =>
  new Option(
    '--reporter <list>',
    'default, json, junit, github, markdown, ghbench, each perhaps with a file: default,junit=results.xml (github is added on GitHub Actions)',
  ).argParser(nonEmpty);

/** How the work is done and shown: `--jobs`, `--quiet`, `--no-color`. */
export const addWorkOptions = (command: Command): Command =>
  addLookOptions(
    command
      .addOption(
        new Option('-j, --jobs <n>', 'worker threads (default: one per core)')
          .env('CLUSTERLAB_JOBS')
          .argParser(wholeNumber(1, largestJobCount)),
      )
      .addOption(
        new Option('--cell-timeout <seconds>', 'give up when a cell gets no further for so long')
          .default(120)
          .argParser(wholeNumber(1, 604_800)),
      )
      .option('-q, --quiet', 'no progress and no table; the verdict and failures stay'),
  );

export const addOutputOptions = (command: Command): Command =>
  command
    .addOption(
      new Option('-o, --out <dir>', 'folder for the results (default: reports/<scenario name>)')
        .env('CLUSTERLAB_OUT')
        .argParser(nonEmpty),
    )
    .option('--no-out', 'write no files')
    .option('--force', 'write into a folder that holds other files')
    .option('--json', 'print run.json instead of the report')
    .option('--strict', 'exit 3 when a verdict or an expectation is inconclusive')
    .addOption(reporterOption());

export const untilCiOption = (): Option =>
  new Option('--until-ci <percent>', 'add seeds, up to 80, until p99 or its difference is known to within ± this: 2%').argParser(
    parseShare,
  );

export const explainOption = (): Option =>
  new Option(
    '--explain <n>',
    'record the first n decisions after warm-up: what was visible, what was picked, what would have been best',
  ).argParser(wholeNumber(1, 100_000));

/** Read by the terminal itself, before commander sees it; declared so that it is accepted and documented. */
export const addLookOptions = (command: Command): Command => command.option('--no-color', 'plain text (also: NO_COLOR=1)');

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
    if (!(value >= min && value <= max)) throw new InvalidArgumentError(`Expected a whole number from ${min} to ${max}.`);
    return value;
  };
}

/** `a=1` given twice is two settings; later ones win where they meet. */
export function parseAssignment(text: string, previous: readonly string[] = []): readonly string[] {
  if (!/^[^=\s][^=]*=/.test(text)) throw new InvalidArgumentError('Expected path=value, as in run.duration=2m.');
  return [...previous, text];
}

export function parseSeeds(text: string): number | readonly string[] {
  if (!text.includes(',')) return wholeNumber(1, largestSeedCount)(text);
  // A trailing comma makes a list of one seed: `42,` is the seed 42, `42` is 42 seeds.
  const seeds = text
    .replace(/,\s*$/, '')
    .split(',')
    .map((seed) => seed.trim());
  if (seeds.length > largestSeedCount) throw new InvalidArgumentError(`At most ${largestSeedCount} seeds.`);
  if (seeds.includes('')) throw new InvalidArgumentError('A seed of the list is empty.');
  const twice = seeds.find((seed, index) => seeds.indexOf(seed) !== index);
  if (twice !== undefined) throw new InvalidArgumentError(`Seed "${twice}" stands twice; equal seeds repeat the same run.`);
  return seeds;
}

/** `2%` or `0.02`, above 0 and below 1. */
export function parseShare(text: string): number {
  const match = /^(\d{1,4}(?:\.\d+)?|\.\d+)(%?)$/.exec(text);
  const value = match === null ? NaN : Number(match[1]) / (match[2] === '%' ? 100 : 1);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError('Expected a share such as 2% or 0.02.');
  return value;
}

function parseSeed(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('A seed may be any text, but not empty.');
  return text;
}

export function nonEmpty(text: string): string {
  if (text === '') throw new InvalidArgumentError('Expected a path.');
  return text;
}

/** The same option several times, in order. */
export const collectText = (text: string, previous: readonly string[] = []): readonly string[] => {
  if (text.trim() === '') throw new InvalidArgumentError('Expected a text that is not empty.');
  return [...previous, text];
};

/** `95%` or `0.95`; less than a half is no confidence. */
export function parseConfidence(text: string): number {
  const value = parseShare(text);
  if (!(value >= 0.5 && value <= 0.9999)) throw new InvalidArgumentError('Expected a confidence from 50% to 99.99%.');
  return value;
}
