/** Redis as the executor and the worker reach it: through `bullmq` and `ioredis`, which are optional and loaded only here, and with a
 *  guard that turns a Redis which is away into an error instead of waiting for ever. */
import type { Redis } from 'ioredis';
import { InputError, ResourceLimit } from '../core/errors.ts';

export interface RedisTarget {
  readonly redis: string;
  readonly queue: string;
  /** How long it may be away. */
  readonly timeoutMs: number;
}

export interface Link {
  readonly bullmq: typeof import('bullmq');
  readonly connection: Redis;
  /** Never resolves; rejects with ResourceLimit when Redis is away for too long. */
  readonly lost: Promise<never>;
  /** Without waiting for anything that is under way. */
  close(): void;
}

export async function openRedis({ redis, timeoutMs }: RedisTarget): Promise<Link> {
  const url = checkedUrl(redis);
  const [bullmq, ioredis] = await Promise.all([
    optional(() => import('bullmq'), 'bullmq'),
    optional(() => import('ioredis'), 'ioredis'),
  ]);
  const where = `Redis at ${url.hostname}:${url.port || '6379'}`;
  // BullMQ's workers insist on commands that wait for the connection; the guard below bounds how long.
  const connection = new ioredis.Redis(redis, {
    maxRetriesPerRequest: null,
    connectTimeout: timeoutMs,
    retryStrategy: (times) => Math.min(50 * times, 1000),
  });
  let reason = 'no answer';
  let away: NodeJS.Timeout | undefined;
  let isClosed = false;
  let fail: (error: Error) => void = () => undefined;
  const lost = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Whoever has finished no longer listens.
  lost.catch(() => undefined);
  const watch = (): void => {
    if (isClosed) return;
    away ??= setTimeout(
      () => fail(new ResourceLimit(`${where} does not answer (${reason}); waited ${timeoutMs / 1000} s`)),
      timeoutMs,
    );
  };
  watch();
  connection.on('ready', () => {
    clearTimeout(away);
    away = undefined;
  });
  connection.on('close', watch);
  connection.on('error', (error: Error & { code?: string }) => {
    reason = error.code ?? error.message;
    // A wrong password stays wrong.
    if (/WRONGPASS|NOAUTH|ERR AUTH/.test(error.message)) fail(new ResourceLimit(`${where} refuses us: ${error.message}`));
  });
  const close = (): void => {
    isClosed = true;
    clearTimeout(away);
    connection.disconnect();
  };
  try {
    await Promise.race([connection.ping(), lost]);
  } catch (failure) {
    close();
    throw failure instanceof ResourceLimit
      ? failure
      : new ResourceLimit(`${where}: ${failure instanceof Error ? failure.message : String(failure)}`);
  }
  return { bullmq, connection, lost, close };
}

/** Throws InputError for what is no address of a Redis. */
export function checkedUrl(text: string): URL {
  let url: URL | undefined;
  try {
    url = new URL(text);
  } catch {
    // Said below.
  }
  if (url === undefined || !['redis:', 'rediss:'].includes(url.protocol) || url.hostname === '')
    throw InputError.of('bad-redis', '--redis is not the address of a Redis', 'write redis://localhost:6379');
  return url;
}

async function optional<Module>(load: () => Promise<Module>, name: string): Promise<Module> {
  try {
    return await load();
  } catch (failure) {
    if (!(failure instanceof Error) || !('code' in failure) || failure.code !== 'ERR_MODULE_NOT_FOUND') throw failure;
    throw InputError.of('missing-package', `the package ${name} is not installed`, 'npm install bullmq ioredis');
  }
}

/** A queue's name is part of the names of its keys, where a colon has a meaning. */
export function checkedQueue(name: string): string {
  if (/^[\w.-]{1,100}$/.test(name)) return name;
  throw InputError.of('bad-name', `${JSON.stringify(name)} cannot name a queue`, 'letters, digits, dot, dash and underscore');
}
