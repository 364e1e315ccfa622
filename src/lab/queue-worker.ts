/** A worker of the queue that `--executor bullmq` fills. Cells run on threads of their own: in BullMQ's own thread a long computation keeps
 *  the lock of its job from being renewed, the job is then taken for lost and run again elsewhere, and never ends. */
import { InputError, PolicyFault, ResourceLimit } from '../core/errors.ts';
import { CellThread } from './cell-thread.ts';
import { answer, type Job, type JobAnswer, openJob, type PlainFailure } from './job.ts';
import { checkedQueue, openRedis } from './redis.ts';

export interface QueueWorkerOptions {
  readonly redis: string;
  readonly queue: string;
  readonly jobs: number;
  readonly allowOutside: boolean;
  /** One cell may take so long. */
  readonly cellTimeoutMs: number;
  readonly redisTimeoutMs: number;
  /** Ends when there has been nothing to do for so long; never by default. */
  readonly idleMs?: number;
  /** Finishes what is under way, then ends. */
  readonly signal: AbortSignal;
  onReady(): void;
  onCell(text: string): void;
}

/** Resolves with the number of cells done. Throws ResourceLimit when Redis goes away. */
export async function runQueueWorker(options: QueueWorkerOptions): Promise<number> {
  const link = await openRedis({ ...options, timeoutMs: options.redisTimeoutMs });
  const threads = Array.from({ length: options.jobs }, () => new CellThread(options.cellTimeoutMs));
  const free = [...threads];
  let done = 0;
  let busy = 0;
  let lastMs = performance.now();
  const { Worker, UnrecoverableError } = link.bullmq;
  const worker = new Worker<Job, JobAnswer>(
    checkedQueue(options.queue),
    async ({ data }) => {
      const thread = free.pop()!;
      busy++;
      try {
        const work = await openJob(data, options);
        const result = await thread.run(work.scenario, work.cell);
        options.onCell(`${data.key.slice(0, 12)} done\n`);
        return answer(data.key, { result });
      } catch (failure) {
        // A worker with other files or another version is no verdict on the cell.
        if (
          failure instanceof InputError &&
          failure.issues.some(({ code }) => ['version', 'outside', 'other-files'].includes(code))
        )
          throw new UnrecoverableError(failure.message);
        options.onCell(
          `${data.key.slice(0, 12)} failed: ${failure instanceof Error ? failure.message.split('\n', 1)[0] : String(failure)}\n`,
        );
        return answer(data.key, { error: plain(failure) });
      } finally {
        free.push(thread);
        busy--;
        done++;
        lastMs = performance.now();
      }
    },
    {
      connection: link.connection,
      concurrency: options.jobs,
      lockDuration: 60_000,
      stalledInterval: 15_000,
      maxStalledCount: 3,
      ...stalledForTests(),
    },
  );
  worker.on('error', () => undefined);
  const stopped = new Promise<void>((resolve) => {
    if (options.signal.aborted) resolve();
    options.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const { idleMs } = options;
  let idleTimer: NodeJS.Timeout | undefined;
  const idle = new Promise<void>((resolve) => {
    if (idleMs === undefined) return;
    idleTimer = setInterval(() => {
      if (busy === 0 && performance.now() - lastMs > idleMs) resolve();
    }, 100);
  });
  options.onReady();
  try {
    await Promise.race([stopped, idle, link.lost]);
    await Promise.race([worker.close(), link.lost]);
  } finally {
    clearInterval(idleTimer);
    for (const thread of threads) thread.close();
    // Forced, and not waited for: with Redis away it would never come back.
    worker.close(true).catch(() => undefined);
    link.close();
  }
  return done;
}

/** A test cannot wait a quarter of a minute for a dead worker to be noticed. */
function stalledForTests(): { lockDuration?: number; stalledInterval?: number } {
  const ms = Number(process.env.CLUSTERLAB_LOCK_MS ?? '');
  return ms > 0 ? { lockDuration: ms, stalledInterval: ms / 2 } : {};
}

function plain(failure: unknown): PlainFailure {
  if (!(failure instanceof Error)) return { name: 'Error', message: String(failure) };
  const known = failure instanceof PolicyFault || failure instanceof InputError || failure instanceof ResourceLimit;
  return {
    name: known ? failure.name : 'Error',
    message: known ? failure.message : (failure.stack ?? failure.message),
    ...(failure instanceof PolicyFault ? { policy: failure.policy } : {}),
  };
}
