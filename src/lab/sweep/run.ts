/** Runs the cells of a sweep that are not there yet, and keeps each as soon as it is done, so that whatever ends the sweep costs no more
 *  than the cells under way. */
import { exactJson, parseExactJson } from '../../core/exact-json.ts';
import type { CellResult } from '../../stats/result.ts';
import type { Executor } from '../executors.ts';
import { sha256 } from '../fingerprint.ts';
import { type Progress, ProgressCount } from '../progress.ts';
import type { PlannedCell, SweepPlan } from './plan.ts';

/** What a sweep keeps of a cell. */
export interface SweptCell {
  /** Metric as in results, `latency.p99{class=read}` → value. */
  readonly metrics: Readonly<Record<string, number>>;
  readonly digest: string;
  readonly requests: number;
}

/** Finished cells by key. Saving must be atomic: a text appears whole or not at all. */
export interface CellStore {
  load(key: string): Promise<string | undefined>;
  save(key: string, text: string): Promise<void>;
}

export interface SweepRun {
  readonly executor: Executor;
  readonly store: CellStore;
  readonly signal?: AbortSignal;
  onProgress?(progress: Progress): void;
}

export interface SweptCells {
  /** By key. */
  readonly cells: ReadonlyMap<string, SweptCell>;
  /** Of these, found instead of run. */
  readonly reused: number;
}

export async function runSweep(plan: SweepPlan, todo: readonly PlannedCell[], run: SweepRun): Promise<SweptCells> {
  const cells = new Map<string, SweptCell>();
  for (const { key } of todo) {
    const text = cells.has(key) ? undefined : await run.store.load(key);
    const found = text === undefined ? undefined : parseCell(text, key);
    if (found !== undefined) cells.set(key, found);
  }
  const reused = cells.size;
  // Points may have a cell in common, as where a factor is of no consequence for a variant.
  const missing = [...new Map(todo.filter(({ key }) => !cells.has(key)).map((cell) => [cell.key, cell])).values()];
  const progress = new ProgressCount(plan.scenario, (now) => run.onProgress?.(now));
  progress.expect(missing.length);
  const keys = new Map(missing.map(({ variant, seed, key }) => [`${variant} ${seed}`, key]));
  const saving: Promise<void>[] = [];
  const stop = new AbortController();
  const signal = run.signal === undefined ? stop.signal : AbortSignal.any([run.signal, stop.signal]);
  let failure: unknown;
  const onResult = (result: CellResult): void => {
    const key = keys.get(`${result.variant} ${result.seed}`)!;
    const cell = sweptCell(result, plan);
    cells.set(key, cell);
    progress.finish(result);
    saving.push(
      run.store.save(key, serializeCell(key, cell)).catch((error: unknown) => {
        failure ??= error;
        stop.abort();
      }),
    );
  };
  const bare = missing.map(({ variant, seed }) => ({ variant, seed }));
  try {
    await run.executor.run(plan.scenario, bare, { signal, onAdvance: (cell, ms) => progress.advance(cell, ms) }, onResult);
  } finally {
    await Promise.all(saving);
  }
  if (failure !== undefined) throw failure;
  return { cells, reused };
}

function sweptCell(result: CellResult, { scenario }: SweepPlan): SweptCell {
  const { views } = scenario.variants[result.variant].scenario ?? scenario;
  const parts = result.views.flatMap(({ metrics }, i) =>
    Object.entries(metrics).map(([name, value]) => [`${name}{${views[i].label}}`, value] as const),
  );
  return {
    metrics: { ...result.metrics, ...Object.fromEntries(parts) },
    digest: result.digest,
    requests: result.ledger.offered,
  };
}

const schema = 'clusterlab-cell/1';

export function serializeCell(key: string, cell: SweptCell): string {
  const body = { schema, key, cell };
  return `${exactJson({ ...body, checksum: sha256(exactJson(body)) })}\n`;
}

/** Undefined for anything damaged or of something else: such a cell is run again. */
export function parseCell(text: string, key: string): SweptCell | undefined {
  try {
    const { checksum, ...body } = parseExactJson(text) as { checksum: string; schema: string; key: string; cell: SweptCell };
    return body.schema === schema && body.key === key && checksum === sha256(exactJson(body)) ? body.cell : undefined;
  } catch {
    return undefined;
  }
}
