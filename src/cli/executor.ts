/** `--executor`, `--redis`, `--shard`: where cells run. */
import { availableParallelism } from 'node:os';
import { Option, type Command } from 'commander';
import { InputError } from '../core/errors.ts';
import type { Executor } from '../lab/executors.ts';
import { nonEmpty, wholeNumber } from './options.ts';

export interface ExecutorChoice {
  readonly executor?: 'inline' | 'threads' | 'bullmq';
  readonly redis?: string;
  readonly queue?: string;
  readonly jobs?: number;
  /** Seconds. */
  readonly redisTimeout?: number;
  readonly workerTimeout?: number;
  readonly cellTimeout?: number;
}

export interface ShardChoice {
  readonly shard?: string;
  readonly of?: number;
}

export const addExecutorOptions = (command: Command): Command =>
  command
    .addOption(new Option('--executor <where>', 'where cells run').choices(['threads', 'inline', 'bullmq']).default('threads'))
    .addOption(redisOption())
    .addOption(queueOption())
    .addOption(redisTimeoutOption())
    .addOption(
      new Option('--worker-timeout <seconds>', 'for bullmq: give up when there is no worker for so long')
        .default(60)
        .argParser(wholeNumber(1, 86_400)),
    );

export const addShardOptions = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--shard <i/n|auto>',
        'run the i-th of n parts; clusterlab merge puts them together; auto asks the CI system',
      ).argParser(nonEmpty),
    )
    .addOption(
      new Option('--of <n>', 'with auto: number of parts, where the system tells the index alone').argParser(
        wholeNumber(1, 10_000),
      ),
    );

export const redisOption = (): Option =>
  new Option('--redis <url>', 'for bullmq: redis://host:6379').env('CLUSTERLAB_REDIS').argParser(nonEmpty);
export const redisTimeoutOption = (): Option =>
  new Option('--redis-timeout <seconds>', 'for bullmq: give up when Redis is away for so long')
    .default(10)
    .argParser(wholeNumber(1, 3600));
export const queueOption = (): Option =>
  new Option('--queue <name>', 'for bullmq: name of the queue').default('clusterlab').argParser(nonEmpty);

export async function openExecutor(
  { executor = 'threads', redis, queue, jobs, redisTimeout = 10, workerTimeout = 60, cellTimeout = 120 }: ExecutorChoice,
  note: (text: string) => void,
): Promise<Executor> {
  if (executor !== 'bullmq') {
    const { localExecutor } = await import('../lab/executors.ts');
    return localExecutor(executor === 'inline' ? 0 : (jobs ?? availableParallelism()), cellTimeout * 1000);
  }
  if (redis === undefined)
    throw InputError.of('no-redis', '--executor bullmq needs to know where Redis is', 'add --redis redis://localhost:6379');
  const { bullmqExecutor } = await import('../lab/bullmq-executor.ts');
  return bullmqExecutor({
    redis,
    queue: queue ?? 'clusterlab',
    redisTimeoutMs: redisTimeout * 1000,
    workerTimeoutMs: workerTimeout * 1000,
    onNote: note,
  });
}
