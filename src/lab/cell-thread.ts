/** A thread that runs any cell of any scenario, one after the other. A cell that takes too long ends the thread, and the next one gets a
 *  new thread. */
import { Worker } from 'node:worker_threads';
import { ResourceLimit } from '../core/errors.ts';
import type { Scenario } from '../scenario/spec.ts';
import type { CellResult } from '../stats/result.ts';
import type { Cell } from './cell.ts';
import { type FromWorker, revive } from './executors.ts';

export class CellThread {
  readonly #timeoutMs: number;
  #worker: Worker | undefined;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  run(scenario: Scenario, cell: Cell): Promise<CellResult> {
    const worker = (this.#worker ??= new Worker(new URL('./cell-thread-worker.js', import.meta.url)));
    return new Promise((resolve, reject) => {
      const end = (settle: () => void, isDead = false): void => {
        clearTimeout(limit);
        worker.off('message', onMessage).off('error', onError).off('exit', onExit);
        if (isDead) this.close();
        settle();
      };
      const fail = (message: string): void => end(() => reject(new ResourceLimit(message)), true);
      const onMessage = (message: FromWorker): void => {
        if (message.type === 'result') end(() => resolve(message.result));
        else if (message.type === 'error') end(() => reject(revive(message.error)));
      };
      const onError = (error: Error): void => fail(`a worker thread failed: ${error.message}`);
      const onExit = (): void => fail('a worker thread ended while running a cell');
      const limit = setTimeout(() => fail(`a cell did not end within ${this.#timeoutMs / 1000} s`), this.#timeoutMs);
      worker.on('message', onMessage).on('error', onError).on('exit', onExit);
      worker.postMessage({ scenario, cell });
    });
  }

  close(): void {
    void this.#worker?.terminate();
    this.#worker = undefined;
  }
}
