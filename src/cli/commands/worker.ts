/** `worker`: runs cells that others put into the queue with `--executor bullmq`. */
import { availableParallelism } from 'node:os';
import { exitCodes, type ExitCode } from '../../core/errors.ts';
import { runQueueWorker } from '../../lab/queue-worker.ts';
import { plural } from '../../report/summary.ts';
import { listenForInterrupt } from '../interrupt.ts';
import type { Terminal } from '../terminal.ts';

export interface WorkerOptions {
  readonly redis: string;
  readonly queue: string;
  readonly jobs?: number;
  readonly allowOutside?: boolean;
  readonly cellTimeout: number;
  readonly redisTimeout: number;
  /** Seconds. */
  readonly idle?: number;
  readonly quiet?: boolean;
}

export async function worker(options: WorkerOptions, terminal: Terminal): Promise<ExitCode> {
  const { redis, queue, jobs = availableParallelism(), allowOutside = false, idle } = options;
  const interrupt = listenForInterrupt(() => terminal.note('stopping after the cells under way; once more to stop at once\n'));
  try {
    const done = await runQueueWorker({
      redis,
      queue,
      jobs,
      allowOutside,
      cellTimeoutMs: options.cellTimeout * 1000,
      redisTimeoutMs: options.redisTimeout * 1000,
      ...(idle === undefined ? {} : { idleMs: idle * 1000 }),
      signal: interrupt.signal,
      onReady: () => terminal.note(`worker: ${plural(jobs, 'thread')} on queue ${queue}\n`),
      onCell: (text) => {
        if (options.quiet !== true) terminal.note(text);
      },
    });
    terminal.note(`worker: ${plural(done, 'cell')} done\n`);
    return interrupt.code() ?? exitCodes.ok;
  } finally {
    interrupt.stop();
  }
}
