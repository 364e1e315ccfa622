/** Expectations of the scenario as lines in a chart; those on a part of the requests belong to other pictures. */
import type { RunFile } from '../../lab/types.ts';
import type { Limit } from './band-lines.ts';

export function limitsOn(run: RunFile, metric: string): Limit[] {
  const limits = new Map<number, Limit>();
  for (const each of run.expectations) {
    if (each.metric === metric && each.view === '') limits.set(each.limit, { value: each.limit, text: each.text });
  }
  return [...limits.values()];
}
