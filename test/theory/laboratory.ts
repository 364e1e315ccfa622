/** Where the scenarios of the theory cases are simulated: on threads that run the built code, or in this thread from the sources. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { InputError } from '../../src/core/errors.ts';
import { type Cell, CellRunner } from '../../src/lab/cell.ts';
import type { DataFiles } from '../../src/scenario/data-files.ts';
import { parseScenario } from '../../src/scenario/parse.ts';
import type { Scenario } from '../../src/scenario/spec.ts';
import type { CellResult } from '../../src/stats/result.ts';

export interface Laboratory {
  /** Simulates every variant of the scenario under every seed: by variant, then by seed. */
  simulate(text: string, seeds: readonly string[]): Promise<readonly (readonly CellResult[])[]>;
  close(): void;
}

export async function readScenario(text: string, seeds: readonly string[] = ['1']): Promise<Scenario> {
  try {
    return (await parseScenario(text, 'theory.yaml', { seeds, data: ownModules })).scenario;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new Error(`${error.issues.map(({ message, place }) => `line ${place?.line}: ${message}`).join('\n')}\n${text}`, {
      cause: error,
    });
  }
}

export class InlineLaboratory implements Laboratory {
  async simulate(text: string, seeds: readonly string[]): Promise<readonly (readonly CellResult[])[]> {
    const scenario = await readScenario(text, seeds);
    const runner = new CellRunner(scenario);
    const results: CellResult[][] = [];
    for (const variant of scenario.variants.keys()) {
      const own: CellResult[] = [];
      for (const seed of seeds) own.push(await runner.run({ variant, seed }));
      results.push(own);
    }
    return results;
  }

  close(): void {}
}

/** Threads live as long as the laboratory: starting one costs as much as a small case. */
export class ThreadedLaboratory implements Laboratory {
  readonly #workers: readonly Worker[];
  readonly #idle: Worker[];
  readonly #waiting: Job[] = [];
  readonly #running = new Map<number, Job>();
  #jobs = 0;
  #scenarios = 0;

  constructor(threads: number) {
    const cellModule = resolve(import.meta.dirname, '../../dist/lab/cell.js');
    if (!existsSync(cellModule)) throw new Error('there is no dist: run `npm run build` first');
    const workerData = { cellModule: pathToFileURL(cellModule).href };
    // Without this process's loaders: the built code needs none, and they would only be in the way.
    this.#workers = Array.from(
      { length: threads },
      () => new Worker(resolve(import.meta.dirname, 'worker.mjs'), { workerData, execArgv: [] }),
    );
    this.#idle = [...this.#workers];
    for (const worker of this.#workers) {
      worker.on('message', (message: Answer) => this.#answered(worker, message));
      worker.on('error', (error) => this.#fail(error));
    }
  }

  async simulate(text: string, seeds: readonly string[]): Promise<readonly (readonly CellResult[])[]> {
    const scenario = await readScenario(text, seeds);
    const id = this.#scenarios++;
    return Promise.all(
      scenario.variants.map((_, variant) => Promise.all(seeds.map((seed) => this.#run(id, scenario, { variant, seed })))),
    );
  }

  close(): void {
    for (const worker of this.#workers) void worker.terminate();
  }

  #run(id: number, scenario: Scenario, cell: Cell): Promise<CellResult> {
    return new Promise((done, failed) => {
      this.#waiting.push({ job: this.#jobs++, id, scenario, cell, done, failed });
      this.#dispatch();
    });
  }

  #dispatch(): void {
    while (this.#idle.length > 0 && this.#waiting.length > 0) {
      const worker = this.#idle.pop()!;
      const next = this.#waiting.shift()!;
      this.#running.set(next.job, next);
      worker.postMessage({ job: next.job, id: next.id, scenario: next.scenario, cell: next.cell });
    }
  }

  #answered(worker: Worker, answer: Answer): void {
    const job = this.#running.get(answer.job)!;
    this.#running.delete(answer.job);
    if (answer.result === undefined) job.failed(new Error(answer.error));
    else job.done(answer.result);
    this.#idle.push(worker);
    this.#dispatch();
  }

  #fail(error: Error): void {
    for (const job of [...this.#running.values(), ...this.#waiting]) job.failed(error);
    this.#running.clear();
    this.#waiting.length = 0;
  }
}

interface Job {
  readonly job: number;
  readonly id: number;
  readonly scenario: Scenario;
  readonly cell: Cell;
  done(result: CellResult): void;
  failed(error: Error): void;
}

interface Answer {
  readonly job: number;
  readonly result?: CellResult;
  readonly error?: string;
}

const noFile = (): never => {
  throw new Error('theory scenarios name no data files');
};
/** Policies that a case describes and nobody ships are modules beside this one. */
const ownModules: DataFiles = {
  resolve: (path) => resolve(import.meta.dirname, path),
  whyUnreadable: async (path) => (existsSync(path) ? null : 'no such file'),
  open: noFile,
  isInsideProject: async (path) => path.startsWith(import.meta.dirname),
  resolvePackage: async () => null,
};
