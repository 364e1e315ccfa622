/** What a result says about the scenario's checks, one line each, for people and for logs; and the exit code that follows from it. */
import { exitCodes, type ExitCode } from '../core/errors.ts';
import type { RunFile } from '../lab/types.ts';
import { forTerminal } from '../report/plain-text.ts';
import { measuredText } from '../report/summary.ts';
import type { Appearance } from './terminal.ts';

/** `scenarios/slow-node.yaml:38:5 ✗ availability >= 99.9%  random: 99.40 % (99.31 .. 99.49 %)`; the place can be clicked on. */
export function failureLines(run: RunFile, file: string, { unicode }: Pick<Appearance, 'unicode'>): string[] {
  return run.expectations
    .filter(({ passed }) => !passed)
    .map(({ line, column, text, variant, metric, measured, uncertain, level }) => {
      const mark = level === 'warn' ? (unicode ? '⚠' : 'WARN') : unicode ? '✗' : 'FAIL';
      const close = uncertain ? '; more seeds could turn this' : '';
      return forTerminal(`${file}:${line}:${column} ${mark} ${text}  ${variant}: ${measuredText(metric, measured)}${close}`);
    });
}

/** What stands in the way of a clear answer, each with about how many seeds would remove it. */
export function inconclusiveLines(run: RunFile): string[] {
  const comparisons = run.comparisons
    .filter(({ verdict }) => verdict === 'inconclusive')
    .map(({ variant, baseline, metric, seeds, seedsNeeded }) => {
      const remedy = seedsNeeded === null ? '' : `; about ${seedsNeeded} seeds would decide`;
      return `inconclusive: ${variant} against ${baseline} on ${metric} with ${seeds} seeds${remedy}`;
    });
  const expectations = run.expectations
    .filter(({ uncertain }) => uncertain)
    .map(({ text, variant }) => `inconclusive: ${text} for ${variant}: the interval reaches over the limit`);
  return [...comparisons, ...expectations].map(forTerminal);
}

export function exitCodeOf(run: RunFile, options: { readonly strict: boolean }): ExitCode {
  if (run.expectations.some(({ passed, level }) => !passed && level !== 'warn')) return exitCodes.checkFailed;
  return options.strict && inconclusiveLines(run).length > 0 ? exitCodes.inconclusive : exitCodes.ok;
}
