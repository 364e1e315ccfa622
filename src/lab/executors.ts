/** Where cells run. All executors keep the same promise, so that a result never tells where it was made: each cell once, the same bytes,
 *  handed over in the order of completion with its place. Here are the two that need nothing else: this thread, and worker threads. */
import { Worker } from 'node:worker_threads';
import { InputError, InvariantViolation, PolicyFault, ResourceLimit } from '../core/errors.ts';
import type { Scenario } from '../scenario/spec.ts';
import type { CellResult } from '../stats/result.ts';
import { type Cell, CellRunner, usersPolicies } from './cell.ts';

export interface ExecutorOptions {
  readonly signal?: AbortSignal;
  /** A cell has come this far. */
  onAdvance?(cell: Cell, simulatedMs: number): void;
}

export interface Executor {
  /** Calls `onResult` for every finished cell; resolves when all are done, or early and without error when aborted. */
  run(
    scenario: Scenario,
    cells: readonly Cell[],
    options: ExecutorOptions,
    onResult: (result: CellResult) => void,
  ): Promise<void>;
}

/** How long a cell may go on without getting any further, unless told otherwise. */
export const stallMsByDefault = 120_000;

/** This thread for 0 jobs, else so many worker threads. A cell that gets no further for `stallMs` is given up; in this thread nobody could
 *  notice. */
export function localExecutor(jobs: number, stallMs = stallMsByDefault): Executor {
  // Run from TypeScript sources (tests), there is no compiled worker to start.
  const isCompiled = import.meta.url.endsWith('.js');
  if (jobs === 0 || !isCompiled) return { run: inline };
  return { run: (scenario, cells, options, onResult) => threads(scenario, cells, { ...options, jobs, stallMs }, onResult) };
}

async function inline(
  scenario: Scenario,
  cells: readonly Cell[],
  { signal, onAdvance }: ExecutorOptions,
  onResult: (result: CellResult) => void,
): Promise<void> {
  const runner = new CellRunner(scenario);
  for (const cell of cells) {
    if (signal?.aborted === true) return;
    onResult(await runner.run(cell, (simulatedMs) => onAdvance?.(cell, simulatedMs)));
    // Lets signals and timers in between two cells.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What a worker sends. */
export type FromWorker =
  | { readonly type: 'advance'; readonly cell: Cell; readonly simulatedMs: number }
  | { readonly type: 'result'; readonly result: CellResult }
  | { readonly type: 'error'; readonly error: PlainError };

/** An error as it crosses threads: classes do not survive cloning. */
export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
  readonly policy?: string;
  readonly evidence?: readonly string[];
}

async function threads(
  scenario: Scenario,
  cells: readonly Cell[],
  { jobs, stallMs, signal, onAdvance }: ExecutorOptions & { readonly jobs: number; readonly stallMs: number },
  onResult: (result: CellResult) => void,
): Promise<void> {
  const queue = [...cells];
  const workers: Worker[] = [];
  let isStopped = false;
  const runOne = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: scenario, stdout: false, stderr: false });
      workers.push(worker);
      let running: Cell | undefined;
      let simulatedMs = 0;
      const stalled = setTimeout(() => {
        if (running !== undefined) reject(stall(running, simulatedMs, stallMs, scenario));
      }, stallMs);
      const next = (): void => {
        running = queue.shift();
        simulatedMs = 0;
        if (running === undefined) clearTimeout(stalled);
        worker.postMessage(running ?? null);
      };
      worker.on('message', (message: FromWorker) => {
        if (running !== undefined) stalled.refresh();
        switch (message.type) {
          case 'advance':
            ({ simulatedMs } = message);
            onAdvance?.(message.cell, simulatedMs);
            return;
          case 'result':
            onResult(message.result);
            next();
            return;
          case 'error':
            reject(revive(message.error));
        }
      });
      worker.on('error', (error: Error & { code?: string }) =>
        reject(
          error.code === 'ERR_WORKER_OUT_OF_MEMORY'
            ? new ResourceLimit(
                `a worker thread ran out of memory${running === undefined ? '' : ` while running ${nameOf(running, scenario)}`}`,
                { cause: error },
              )
            : error,
        ),
      );
      worker.on('exit', () => {
        clearTimeout(stalled);
        // A policy that calls process.exit() ends its thread.
        if (running === undefined || isStopped) resolve();
        else reject(new ResourceLimit(`a worker thread ended while running ${nameOf(running, scenario)}`));
      });
      next();
    });
  const stop = (): void => {
    isStopped = true;
    queue.length = 0;
    for (const worker of workers) void worker.terminate();
  };
  signal?.addEventListener('abort', stop, { once: true });
  try {
    if (signal?.aborted === true) return;
    await Promise.all(Array.from({ length: Math.min(jobs, cells.length) }, runOne));
  } finally {
    signal?.removeEventListener('abort', stop);
    stop();
  }
}

/** A policy of the user's own is to blame where there is one: ours return. */
function stall(cell: Cell, simulatedMs: number, stallMs: number, scenario: Scenario): Error {
  const variant = scenario.variants[cell.variant];
  const own = usersPolicies({ ...(variant.scenario ?? scenario), policies: variant.policies });
  const where = `${nameOf(cell, scenario)}, after ${Math.round(simulatedMs)} ms of simulated time`;
  const seconds = stallMs / 1000;
  if (own.length === 0)
    return new ResourceLimit(
      `nothing has happened for ${seconds} s in ${where}; shorten the run, or allow more with --cell-timeout`,
    );
  const names = own.map(({ use }) => use).join(' or ');
  return new PolicyFault(names, `${names} did not come back for ${seconds} s (${where})`);
}

const nameOf = ({ variant, seed }: Cell, { variants }: Scenario): string =>
  `variant ${variants[variant].label} under seed ${seed}`;

export function revive(plain: PlainError): Error {
  const error =
    plain.name === 'PolicyFault'
      ? new PolicyFault(plain.policy ?? '', plain.message)
      : plain.name === 'InvariantViolation'
        ? new InvariantViolation(plain.message)
        : plain.name === 'ResourceLimit'
          ? new ResourceLimit(plain.message)
          : plain.name === 'InputError'
            ? InputError.of('input', plain.message)
            : new Error(plain.message);
  error.stack = plain.stack;
  if (error instanceof InvariantViolation) error.evidence = plain.evidence ?? [];
  return error;
}
