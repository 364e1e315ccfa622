/** Semaphore, or bulkhead: at most so many requests in flight, the rest is refused at once.
 *
 *  Use it to keep one dependency from taking all of a client's threads, and as the plainest protection of a server whose capacity is
 *  known. It fails where the number is wrong, which it becomes by itself: by Little's law a limit of L caps throughput at L / S, so
 *  when the service time S changes, the same limit either starves the service or lets a queue in. The adaptive limits measure instead.
 *
 *  Without waiting: resilience4j's `maxWaitDuration` 0 and Hystrix's only mode. */
import { int } from '../../../core/params.ts';
import type { Ms } from '../../../core/time.ts';
import { defineAdmission } from './admission.ts';
import type { ConcurrencyLimit } from './parts/concurrency-limit.ts';
import { LimitedAdmission } from './parts/limited-admission.ts';

export const semaphore = defineAdmission({
  name: 'semaphore',
  summary: 'Admits requests while fewer than `maxConcurrentCalls` are in flight.',
  useWhen: 'One dependency must not take everything a client has, or a server’s capacity is known and steady.',
  failsWhen: 'Service times change: the right number moves, and this one does not.',
  cost: 'O(1)',
  sources: [
    'resilience4j/resilience4j: resilience4j-bulkhead/src/main/java/io/github/resilience4j/bulkhead/internal/SemaphoreBulkhead.java',
    'Netflix/Hystrix: hystrix-core/src/main/java/com/netflix/hystrix/HystrixCommandProperties.java',
  ],
  aliases: [
    { system: 'resilience4j', name: 'bulkhead' },
    { system: 'Hystrix', name: 'SEMAPHORE' },
    { system: 'Netflix', name: 'FixedLimit' },
    { system: 'Polly', name: 'AddConcurrencyLimiter' },
    { system: 'literature', name: 'fixed-limit' },
  ],
  params: {
    maxConcurrentCalls: int({
      default: 25,
      min: 1,
      about: 'Requests in flight, at most.',
      official: 'Hystrix execution.isolation.semaphore.maxConcurrentRequests (there 10)',
    }),
  },
  create: ({ maxConcurrentCalls }) => new LimitedAdmission(new FixedLimit(maxConcurrentCalls)),
});

/** Little's law: requests per second that can pass where `limit` are in flight and each stays for `meanServiceMs`. */
export const maxThroughput = (limit: number, meanServiceMs: Ms): number => (limit / meanServiceMs) * 1000;

export class FixedLimit implements ConcurrencyLimit {
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  limit(): number {
    return this.#limit;
  }

  onSample(): void {}
}
