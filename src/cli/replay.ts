/** The command that makes the same numbers again: every option that changes them, none that does not. */
import { basename } from 'node:path';
import type { ExperimentOptions } from './options.ts';
import { commandLine } from './shell.ts';

export type ReplayOptions = Pick<ExperimentOptions, 'seed' | 'seeds' | 'set' | 'untilCi'>;

export interface Replay {
  /** With the path as the user wrote it, to paste into the shell at hand. */
  readonly here: string;
  /** With the file's name alone, for result files: these must not depend on where the scenario lay. */
  readonly anywhere: string;
}

export function replayCommand(verb: string, file: string, options: ReplayOptions): Replay {
  const settings = [
    ...(options.seed === undefined ? [] : ['--seed', options.seed]),
    ...(options.seeds === undefined ? [] : ['--seeds', seedsText(options.seeds)]),
    ...(options.untilCi === undefined ? [] : ['--until-ci', String(options.untilCi)]),
    ...(options.set ?? []).flatMap((assignment) => ['--set', assignment]),
  ];
  const command = (path: string): string =>
    commandLine('clusterlab', verb, path.startsWith('-') ? `./${path}` : path, ...settings);
  return { here: command(file), anywhere: command(basename(file)) };
}

/** A list of one seed keeps its comma, or it would be read as a number. */
const seedsText = (seeds: number | readonly string[]): string =>
  typeof seeds === 'number' ? String(seeds) : seeds.length === 1 ? `${seeds[0]},` : seeds.join(',');
