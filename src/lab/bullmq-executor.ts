/** Cells on any number of machines: jobs of a BullMQ queue on Redis, run by `clusterlab worker`. A job's id is the key of its cell, so the
 *  same cell is queued once, however often it is asked for, and a cell that is done is not run again while Redis remembers it. A worker
 *  that dies loses nothing: its jobs go to another one. Running a cell twice does no harm, since equal cells give equal bytes; only one
 *  answer per cell is handed over, and it must prove by its hash that it is whole. */
import type { Job as QueueJob, Queue } from 'bullmq';
import { InputError, PolicyFault, ResourceLimit } from '../core/errors.ts';
import type { CellResult } from '../stats/result.ts';
import type { Cell } from './cell.ts';
import type { Executor } from './executors.ts';
import { type Job, type JobAnswer, makeJobs, openAnswer, type PlainFailure } from './job.ts';
import { checkedQueue, checkedUrl, type Link, openRedis } from './redis.ts';

export interface BullmqOptions {
  /** `redis://host:6379`. */
  readonly redis: string;
  readonly queue: string;
  /** How long Redis may be away. */
  readonly redisTimeoutMs?: number;
  /** How long there may be no worker. */
  readonly workerTimeoutMs?: number;
  /** What the user should know while waiting. */
  onNote?(text: string): void;
}

/** How often finished jobs are asked for that no event told of. */
const pollMs = 250;
/** Every so many polls it is looked whether Redis still has the jobs. */
const lostEvery = 20;
/** Answers are of use to whoever asks for the same cells again. */
const rememberSeconds = 24 * 3600;

export function bullmqExecutor(options: BullmqOptions): Executor {
  const queueName = checkedQueue(options.queue);
  checkedUrl(options.redis);
  return {
    async run(scenario, cells, { signal }, onResult) {
      const made = await makeJobs(scenario, cells);
      const link = await openRedis({ ...options, timeoutMs: options.redisTimeoutMs ?? 10_000 });
      const queue = new link.bullmq.Queue<Job, JobAnswer>(queueName, { connection: link.connection });
      // Errors of the connection are the link's business.
      queue.on('error', () => undefined);
      const stopped = new Promise<'stopped'>((resolve) => {
        if (signal?.aborted === true) resolve('stopped');
        signal?.addEventListener('abort', () => resolve('stopped'), { once: true });
      });
      const round = new Round(queue, link.connection, made, onResult, options);
      try {
        const end = await Promise.race([round.finish(() => signal?.aborted === true), link.lost, stopped]);
        if (end === 'stopped') await Promise.race([round.withdraw(), link.lost, pause(2000)]);
      } finally {
        round.isOver = true;
        await closed(queue, link);
      }
    },
  };
}

async function closed(queue: Queue, link: Link): Promise<void> {
  await Promise.race([queue.close().catch(() => undefined), pause(500)]);
  link.close();
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, ms));

/** Cells of one call, until all have an answer. */
class Round {
  /** Nobody waits for it any more. */
  isOver = false;
  readonly #queue: Queue<Job, JobAnswer>;
  /** By key; equal cells are one job. */
  readonly #open = new Map<string, { readonly job: Job; readonly cells: Cell[] }>();
  readonly #onResult: (result: CellResult) => void;
  readonly #options: BullmqOptions;
  readonly #connection: Link['connection'];
  #polls = 0;
  #lastWorkerMs: number;
  #isNoted = false;

  constructor(
    queue: Queue<Job, JobAnswer>,
    connection: Link['connection'],
    made: readonly { readonly cell: Cell; readonly job: Job }[],
    onResult: (result: CellResult) => void,
    options: BullmqOptions,
  ) {
    this.#queue = queue;
    this.#connection = connection;
    this.#onResult = onResult;
    this.#options = options;
    this.#lastWorkerMs = performance.now();
    for (const { cell, job } of made) {
      const known = this.#open.get(job.key);
      if (known === undefined) this.#open.set(job.key, { job, cells: [cell] });
      else known.cells.push(cell);
    }
  }

  async finish(isAborted: () => boolean): Promise<'finished'> {
    await this.#forgetFailures();
    const jobs = [...this.#open.values()].map(({ job }) => ({
      name: 'cell',
      data: job,
      opts: { jobId: job.key, removeOnComplete: { age: rememberSeconds }, removeOnFail: { age: rememberSeconds }, attempts: 1 },
    }));
    // In portions, so that a large sweep is not one command.
    for (let from = 0; from < jobs.length; from += 500) await this.#queue.addBulk(jobs.slice(from, from + 500));
    while (this.#open.size > 0 && !isAborted() && !this.isOver) {
      const settled = await this.#collect();
      if (settled === 0) {
        await this.#lookForWorkers();
        await pause(pollMs);
      }
    }
    return 'finished';
  }

  /** What failed in an earlier call is tried again, now that somebody asks again. */
  async #forgetFailures(): Promise<void> {
    for (const key of this.#open.keys()) {
      const job = await this.#queue.getJob(key);
      if (job !== undefined && (await job.isFailed())) await job.remove();
    }
  }

  /** How many have got their answer. */
  async #collect(): Promise<number> {
    let settled = 0;
    const keys = [...this.#open.keys()];
    const seesLost = this.#polls++ % lostEvery === 0;
    for (let from = 0; from < keys.length; from += 500) {
      const part = keys.slice(from, from + 500);
      for (const key of await this.#ended(part)) {
        const job = await this.#queue.getJob(key);
        if (job !== undefined && this.#settle(key, job)) settled++;
      }
      if (seesLost) for (const key of await this.#lost(part)) if (this.#open.has(key)) await this.#again(key);
    }
    return settled;
  }

  /** Of these, those that are done or failed; a job's data is fetched only then. */
  async #ended(keys: readonly string[]): Promise<string[]> {
    const asked = this.#connection.pipeline();
    for (const key of keys) asked.zscore(this.#queue.toKey('completed'), key).zscore(this.#queue.toKey('failed'), key);
    const scores = (await asked.exec()) ?? [];
    const isIn = (at: number): boolean => typeof scores[at]?.[1] === 'string';
    return keys.filter((_, i) => isIn(2 * i) || isIn(2 * i + 1));
  }

  async #lost(keys: readonly string[]): Promise<string[]> {
    const asked = this.#connection.pipeline();
    for (const key of keys) asked.exists(this.#queue.toKey(key));
    const found = (await asked.exec()) ?? [];
    return keys.filter((_, i) => found[i]?.[1] === 0);
  }

  /** Redis has lost it, as after a restart without persistence: queued once more, for nothing may be lost. */
  async #again(key: string): Promise<void> {
    const { job } = this.#open.get(key)!;
    await this.#queue.add('cell', job, {
      jobId: key,
      removeOnComplete: { age: rememberSeconds },
      removeOnFail: { age: rememberSeconds },
    });
  }

  #settle(key: string, job: QueueJob<Job, JobAnswer>): boolean {
    if (job.finishedOn === undefined || job.finishedOn === null) return false;
    if (job.failedReason !== undefined && job.failedReason !== '')
      throw new ResourceLimit(`cell ${key.slice(0, 12)} could not be run: ${job.failedReason}`);
    const { cells } = this.#open.get(key)!;
    for (const cell of cells) {
      const opened = openAnswer(job.returnvalue, key, cell);
      if ('error' in opened) throw revived(opened.error);
      this.#onResult(opened.result);
    }
    this.#open.delete(key);
    return true;
  }

  async #lookForWorkers(): Promise<void> {
    const now = performance.now();
    if ((await this.#queue.getWorkersCount()) > 0) {
      this.#lastWorkerMs = now;
      return;
    }
    const limitMs = this.#options.workerTimeoutMs ?? 60_000;
    const waitedMs = now - this.#lastWorkerMs;
    if (waitedMs > limitMs)
      throw new ResourceLimit(
        `nobody works on the queue ${this.#queue.name}: no worker for ${Math.round(limitMs / 1000)} s, ${this.#open.size} cells are left; start clusterlab worker --redis`,
      );
    if (waitedMs > 2000 && !this.#isNoted) {
      this.#isNoted = true;
      this.#options.onNote?.(`waiting for a worker: clusterlab worker --queue ${this.#queue.name} --redis <url>\n`);
    }
  }

  /** Takes back what no worker has begun. */
  async withdraw(): Promise<void> {
    for (const key of this.#open.keys()) {
      const job = await this.#queue.getJob(key);
      // One that is being worked on is locked, and its answer may be of use later.
      if (job !== undefined && (await job.isWaiting())) await job.remove().catch(() => undefined);
    }
  }
}

function revived({ name, message, policy }: PlainFailure): Error {
  if (name === 'PolicyFault') return new PolicyFault(policy ?? '', message);
  if (name === 'InputError') return InputError.of('input', message);
  if (name === 'ResourceLimit') return new ResourceLimit(message);
  return new Error(`a worker reports: ${message}`);
}
