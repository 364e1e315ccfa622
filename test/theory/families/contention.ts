/** Clients that change one row under optimistic concurrency control, after the simulation behind AWS's article on back-off and jitter
 *  (aws-samples/aws-arch-backoff-simulator): each reads the row's version, writes with it, and if another write came between, waits as
 *  the back-off says and reads again. The scenario language has no rows and no versions, so this small world of its own drives the
 *  back-off modules directly. */
import type { Rng } from '../../../src/core/rng.ts';
import type { Backoff } from '../../../src/policies/resilience/retries/index.ts';
import type { Xoshiro128 } from '../../../src/core/xoshiro.ts';

export interface Contention {
  /** When the last client has its answer. */
  readonly completionMs: number;
  /** Writes that reached the row, in vain or not. */
  readonly writes: number;
}

type Message = 'read' | 'version' | 'write' | 'refusal';

interface Client {
  /** The version it knows. */
  version: number;
  refusals: number;
  previousMs: number;
}

/** Back-offs are counted from the second: that client has already added one to its attempts when it asks how long to wait. */
export function contend(count: number, backoff: Backoff, baseMs: number, network: Xoshiro128): Contention {
  const clients = Array.from({ length: count }, (): Client => ({ version: 0, refusals: 0, previousMs: baseMs }));
  const queue = new MessageQueue();
  const send = (nowMs: number, client: number, message: Message): void => queue.push(nowMs + oneWayMs(network), client, message);
  for (let client = 0; client < count; client++) send(0, client, 'read');
  let version = 0;
  let writes = 0;
  let completionMs = 0;
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    const { atMs, client, message } = next;
    const own = clients[client];
    if (message === 'read') {
      // The answer carries the version of now.
      own.version = version;
      send(atMs, client, 'version');
    } else if (message === 'version') {
      send(atMs, client, 'write');
    } else if (message === 'write') {
      writes++;
      if (own.version === version) {
        version++;
        completionMs = Math.max(completionMs, atMs + oneWayMs(network));
      } else send(atMs, client, 'refusal');
    } else {
      own.refusals++;
      own.previousMs = backoff.delayMs(own.refusals + 1, own.previousMs);
      send(atMs + own.previousMs, client, 'read');
    }
  }
  return { completionMs, writes };
}

/** |N(10, 2)| ms. */
const oneWayMs = (rng: Rng): number => Math.abs(10 + 2 * normal(rng));

/** Box and Muller. */
const normal = (rng: Rng): number => Math.sqrt(-2 * Math.log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next());

interface Delivery {
  readonly atMs: number;
  readonly client: number;
  readonly message: Message;
}

/** A binary heap by time. */
class MessageQueue {
  readonly #heap: Delivery[] = [];

  push(atMs: number, client: number, message: Message): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push({ atMs, client, message });
    for (let up = (at - 1) >> 1; at > 0 && heap[up].atMs > heap[at].atMs; at = up, up = (at - 1) >> 1) swap(heap, at, up);
  }

  pop(): Delivery | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return last;
    heap[0] = last;
    for (let at = 0; ;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) if (child < heap.length && heap[child].atMs < heap[least].atMs) least = child;
      if (least === at) return first;
      swap(heap, at, least);
      at = least;
    }
  }
}

function swap(heap: Delivery[], a: number, b: number): void {
  const kept = heap[a];
  heap[a] = heap[b];
  heap[b] = kept;
}
