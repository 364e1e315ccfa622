/** `merge`: the shards of one experiment to the result that it would have had in one piece. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { availableParallelism } from 'node:os';
import { exitCodes, NotComparable, type ExitCode } from '../../core/errors.ts';
import { type Merged, mergeShards } from '../../lab/shards.ts';
import { collectSweep } from '../../lab/sweep/collect.ts';
import type { SweepOutline } from '../../lab/sweep/plan.ts';
import type { SweptCell } from '../../lab/sweep/run.ts';
import type { ExperimentOptions } from '../options.ts';
import type { Terminal } from '../terminal.ts';
import { beginFolder, checkFolder } from '../write.ts';
import { mergeExperiment } from './experiment.ts';
import { showSweep } from './sweep.ts';

export interface MergeOptions extends Pick<ExperimentOptions, 'out' | 'force' | 'json' | 'quiet' | 'strict' | 'jobs'> {
  readonly allowPartial?: boolean;
}

export async function merge(paths: readonly string[], options: MergeOptions, terminal: Terminal): Promise<ExitCode> {
  const files = await shardFiles(paths);
  const merged = mergeShards(files, { allowPartial: options.allowPartial === true });
  if (merged.missing.length > 0)
    terminal.note(`incomplete: without ${merged.missing.length} of the shards (${merged.missing.join(', ')})\n`);
  if (merged.kind === 'sweep') return mergeSweep(merged, options, terminal);
  return mergeExperiment(merged, { ...options, jobs: options.jobs ?? availableParallelism() }, terminal);
}

async function mergeSweep({ request, keys, cells }: Merged, options: MergeOptions, terminal: Terminal): Promise<ExitCode> {
  const outline = request as SweepOutline;
  const folder = options.out === false ? undefined : (options.out ?? `reports/${outline.scenario.name}-sweep`);
  if (folder !== undefined) {
    await checkFolder(folder, { force: options.force === true });
    await beginFolder(folder);
  }
  const result = collectSweep(outline, keys, cells as ReadonlyMap<string, SweptCell>);
  await showSweep(result, { folder, replay: result.replay, options }, terminal);
  return result.complete ? exitCodes.ok : exitCodes.notComparable;
}

/** Files as they are, and of folders all shards in them. */
async function shardFiles(paths: readonly string[]): Promise<{ file: string; text: string }[]> {
  const files: string[] = [];
  for (const path of paths) {
    try {
      if (!(await stat(path)).isDirectory()) {
        files.push(path);
        continue;
      }
      const names = (await readdir(path)).filter((name) => /^shard-\d+-of-\d+\.json$/.test(name)).sort();
      if (names.length === 0) throw new NotComparable(`there are no shards in ${path}`, 'name the folders that --shard wrote to');
      files.push(...names.map((name) => join(path, name)));
    } catch (failure) {
      if (failure instanceof NotComparable) throw failure;
      throw new NotComparable(`cannot read ${path} (${codeOf(failure)})`, 'name the files that --shard wrote, or their folders');
    }
  }
  return Promise.all(
    [...new Set(files)].map(async (file) => {
      try {
        return { file, text: await readFile(file, 'utf8') };
      } catch (failure) {
        throw new NotComparable(`cannot read ${file} (${codeOf(failure)})`);
      }
    }),
  );
}

const codeOf = (failure: unknown): string =>
  failure instanceof Error ? ('code' in failure ? String(failure.code) : failure.message) : String(failure);
