/** A cell as it travels through a queue: everything another process needs to run it, and the means to tell whether it ran the same thing.
 *  Policies of one's own are named relative to the working folder: a worker must have the same files at the same place, which the key
 *  proves. */
import { isAbsolute, relative, resolve } from 'node:path';
import { InputError, ResourceLimit } from '../core/errors.ts';
import { exactJson, parseExactJson } from '../core/exact-json.ts';
import { version } from '../core/version.ts';
import type { Scenario } from '../scenario/spec.ts';
import type { CellResult } from '../stats/result.ts';
import type { Cell } from './cell.ts';
import { CellKeys } from './cell-key.ts';
import { sha256 } from './fingerprint.ts';

export interface Job {
  readonly version: string;
  /** Key of the cell. */
  readonly key: string;
  /** `{ scenario, cell }` as exact JSON; the scenario has this one variant. */
  readonly work: string;
}

export interface JobAnswer {
  readonly key: string;
  /** The result, or the error that the cell ends with each time. */
  readonly result?: string;
  readonly error?: PlainFailure;
  readonly sha256: string;
}

export interface PlainFailure {
  readonly name: string;
  readonly message: string;
  readonly policy?: string;
}

/** Redis takes more, but then files are the better way. */
const workMax = 16 * 1024 * 1024;

export async function makeJobs(scenario: Scenario, cells: readonly Cell[]): Promise<{ cell: Cell; job: Job }[]> {
  const keys = new CellKeys(scenario);
  const worlds = new Map<number, Scenario>();
  const jobs: { cell: Cell; job: Job }[] = [];
  for (const cell of cells) {
    let alone = worlds.get(cell.variant);
    if (alone === undefined) {
      const variant = scenario.variants[cell.variant];
      const { scenario: world = scenario, ...rest } = variant;
      const { variants: _, ...bare } = world as Scenario;
      alone = relocated({ ...bare, expect: [], policies: variant.policies, variants: [rest] }, (path) =>
        relative('.', path),
      ) as Scenario;
      worlds.set(cell.variant, alone);
    }
    const work = exactJson({ scenario: alone, cell: { ...cell, variant: 0 } });
    if (work.length > workMax)
      throw InputError.of(
        'too-large',
        `a cell of this scenario takes ${Math.round(work.length / 1e6)} MB, too much for a queue`,
        'use --shard, which needs no queue',
      );
    jobs.push({ cell, job: { version, key: await keys.key(cell), work } });
  }
  return jobs;
}

export interface Work {
  readonly scenario: Scenario;
  readonly cell: Cell;
}

/** Throws InputError when this process would not run the same. */
export async function openJob(job: Job, { allowOutside }: { readonly allowOutside: boolean }): Promise<Work> {
  if (job.version !== version)
    throw InputError.of('version', `this worker is clusterlab ${version}, the job is of ${job.version}`);
  const { scenario: written, cell } = parseExactJson(job.work) as Work;
  const outside: string[] = [];
  const scenario = relocated(written, (path) => {
    if (path.startsWith('..') || isAbsolute(path)) outside.push(path);
    return resolve(path);
  }) as Scenario;
  if (outside.length > 0 && !allowOutside)
    throw InputError.of(
      'outside',
      `policy ${outside[0]} lies outside the folder of this worker`,
      'start it in the folder of the project, or with --allow-outside',
    );
  const key = await new CellKeys(scenario).key({ ...cell, variant: 0 });
  if (key !== job.key)
    throw InputError.of('other-files', 'the policies of this worker are not those of the job', 'bring its checkout up to date');
  return { scenario, cell };
}

export function answer(key: string, outcome: { readonly result: CellResult } | { readonly error: PlainFailure }): JobAnswer {
  if ('error' in outcome) return { key, error: outcome.error, sha256: '' };
  const result = exactJson(outcome.result);
  return { key, result, sha256: sha256(result) };
}

/** Throws ResourceLimit for an answer that is not whole. */
export function openAnswer(found: unknown, key: string, cell: Cell): { result: CellResult } | { error: PlainFailure } {
  const { error, result, ...rest } = (found ?? {}) as Partial<JobAnswer>;
  if (rest.key !== key) throw new ResourceLimit(`a worker answered for another cell than ${key.slice(0, 12)}`);
  if (error !== undefined) return { error };
  if (result === undefined || sha256(result) !== rest.sha256)
    throw new ResourceLimit(`the result of cell ${key.slice(0, 12)} was damaged on its way`);
  return { result: { ...(parseExactJson(result) as CellResult), variant: cell.variant } };
}

/** A copy with other paths of modules. */
function relocated(value: unknown, change: (path: string) => string): unknown {
  if (Array.isArray(value)) return value.map((each) => relocated(each, change));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]): [string, unknown] => {
      if (key !== 'module' || typeof each !== 'object' || each === null || !('path' in each))
        return [key, relocated(each, change)];
      return [key, { ...(each as object), path: change(String(each.path)) }];
    }),
  );
}
