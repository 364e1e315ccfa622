/** The queue of pods that wait for a node: who is tried next, and when those are tried again that found no place.
 *
 *  Pods are in one of three parts. The active part is what is tried, the highest priority first, of these who came or failed earliest.
 *  Who found no place waits in the unschedulable part until something happens that could help it, or for five minutes; after that its
 *  back-off must have ended, which doubles with each try from 1 s to 10 s. What happens while a pod is being tried is not missed: if it could have
 *  helped, the pod goes into the back-off part at once.
 *
 *  It fails to be fair: as long as there are important pods, others are not tried. And one event in a large cluster wakes all that it
 *  could possibly help, although there is room for one.
 *
 *  Kubernetes looks for ended back-offs every second and for forgotten pods every 30 s; here both are exact.
 *
 *  After kubernetes/kubernetes: pkg/scheduler/backend/queue/scheduling_queue.go and
 *  pkg/scheduler/framework/plugins/queuesort/priority_sort.go. */
import type { Ms } from '../../core/time.ts';
import { SortedList } from './parts/sorted-list.ts';
import type { ClusterEvent } from './scheduler.ts';

export interface QueueOptions {
  /** Kubernetes podInitialBackoffSeconds. */
  readonly podInitialBackoff: Ms;
  /** Kubernetes podMaxBackoffSeconds. */
  readonly podMaxBackoff: Ms;
  /** Kubernetes podMaxInUnschedulablePodsDuration. */
  readonly podMaxInUnschedulablePodsDuration: Ms;
}

export const queueDefaults: QueueOptions = {
  podInitialBackoff: 1000,
  podMaxBackoff: 10_000,
  podMaxInUnschedulablePodsDuration: 300_000,
};

export type QueuePart = 'active' | 'backoff' | 'unschedulable' | 'trying';

/** What a host drives: pods are added, taken out one by one to be tried, and put back or forgotten. */
export interface SchedulingQueue {
  readonly size: number;
  /** undefined: not here. */
  partOf(pod: number): QueuePart | undefined;
  /** How often it was tried. */
  attempts(pod: number): number;
  /** A pod that was not here before; otherwise nothing happens. */
  add(pod: number, priority: number, nowMs: Ms): void;
  /** Whom to try next. It stays here, as being tried, until it is put back or removed. */
  pop(nowMs: Ms): number | undefined;
  /** It found no place. `retryOn` as the scheduler said; undefined: anything may help. */
  onUnschedulable(pod: number, retryOn: readonly ClusterEvent[] | undefined, nowMs: Ms): void;
  /** It had a place but something else went wrong: it is tried again after its back-off. */
  onError(pod: number, nowMs: Ms): void;
  /** It was placed, or is gone. */
  remove(pod: number): void;
  onClusterEvent(event: ClusterEvent, nowMs: Ms): void;
  /** When `onTimer` has something to do; Infinity if there is nothing to wait for. */
  nextTimerMs(): Ms;
  onTimer(nowMs: Ms): void;
}

/** Back-off after that many tries: `initial`, doubled each time, at most `max`. */
export function backoffMs(attempts: number, initial: Ms, max: Ms): Ms {
  let ms = initial;
  for (let attempt = 1; attempt < attempts && ms < max; attempt++) ms *= 2;
  return Math.min(ms, max);
}

export const schedulingQueue = (options: Partial<QueueOptions> = {}): SchedulingQueue =>
  new PrioritySchedulingQueue({ ...queueDefaults, ...options });

interface Entry {
  readonly pod: number;
  readonly priority: number;
  /** When it came or was last put back, and the order of those at one time. */
  sinceMs: Ms;
  order: number;
  attempts: number;
  part: QueuePart;
  backoffUntilMs: Ms;
  /** undefined: anything may help. */
  retryOn: ReadonlySet<ClusterEvent> | undefined;
  /** What happened while it was being tried. */
  readonly missed: Set<ClusterEvent>;
}

class PrioritySchedulingQueue implements SchedulingQueue {
  readonly #options: QueueOptions;
  readonly #entries = new Map<number, Entry>();
  readonly #active = new SortedList<Entry>((a, b) => b.priority - a.priority || a.sinceMs - b.sinceMs || a.order - b.order);
  readonly #backoff = new SortedList<Entry>((a, b) => a.backoffUntilMs - b.backoffUntilMs || a.order - b.order);
  readonly #unschedulable = new SortedList<Entry>((a, b) => a.sinceMs - b.sinceMs || a.order - b.order);
  readonly #trying = new Set<Entry>();
  #nextOrder = 0;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#entries.size;
  }

  partOf(pod: number): QueuePart | undefined {
    return this.#entries.get(pod)?.part;
  }

  attempts(pod: number): number {
    return this.#entries.get(pod)?.attempts ?? 0;
  }

  add(pod: number, priority: number, nowMs: Ms): void {
    if (this.#entries.has(pod)) return;
    const entry: Entry = {
      pod,
      priority,
      sinceMs: nowMs,
      order: this.#nextOrder++,
      attempts: 0,
      part: 'active',
      backoffUntilMs: nowMs,
      retryOn: undefined,
      missed: new Set(),
    };
    this.#entries.set(pod, entry);
    this.#active.add(entry);
  }

  pop(nowMs: Ms): number | undefined {
    this.onTimer(nowMs);
    const entry = this.#active.first;
    if (entry === undefined) return undefined;
    this.#move(entry, 'trying');
    entry.attempts++;
    return entry.pod;
  }

  onUnschedulable(pod: number, retryOn: readonly ClusterEvent[] | undefined, nowMs: Ms): void {
    const entry = this.#putBack(pod, retryOn, nowMs);
    if (entry === undefined) return;
    const couldHelp = [...entry.missed].some((event) => isRelevant(entry, event));
    this.#move(entry, couldHelp ? 'backoff' : 'unschedulable');
  }

  onError(pod: number, nowMs: Ms): void {
    const entry = this.#putBack(pod, undefined, nowMs);
    if (entry !== undefined) this.#move(entry, 'backoff');
  }

  remove(pod: number): void {
    const entry = this.#entries.get(pod);
    if (entry === undefined) return;
    this.#leave(entry);
    this.#entries.delete(pod);
  }

  onClusterEvent(event: ClusterEvent, nowMs: Ms): void {
    for (const entry of this.#trying) entry.missed.add(event);
    for (const entry of this.#entries.values()) {
      if (entry.part === 'unschedulable' && isRelevant(entry, event)) this.#wake(entry, nowMs);
    }
  }

  nextTimerMs(): Ms {
    const backoffMs = this.#backoff.first?.backoffUntilMs ?? Infinity;
    const since = this.#unschedulable.first?.sinceMs ?? Infinity;
    return Math.min(backoffMs, since + this.#options.podMaxInUnschedulablePodsDuration);
  }

  onTimer(nowMs: Ms): void {
    for (let entry = this.#unschedulable.first; entry !== undefined; entry = this.#unschedulable.first) {
      if (nowMs < entry.sinceMs + this.#options.podMaxInUnschedulablePodsDuration) break;
      this.#wake(entry, nowMs);
    }
    for (let entry = this.#backoff.first; entry !== undefined; entry = this.#backoff.first) {
      if (nowMs < entry.backoffUntilMs) break;
      this.#move(entry, 'active');
    }
  }

  /** What both ways back have in common; nothing for a pod that is not being tried. */
  #putBack(pod: number, retryOn: readonly ClusterEvent[] | undefined, nowMs: Ms): Entry | undefined {
    const entry = this.#entries.get(pod);
    if (entry === undefined || entry.part !== 'trying') return undefined;
    const { podInitialBackoff, podMaxBackoff } = this.#options;
    entry.sinceMs = nowMs;
    entry.order = this.#nextOrder++;
    entry.backoffUntilMs = nowMs + backoffMs(entry.attempts, podInitialBackoff, podMaxBackoff);
    entry.retryOn = retryOn === undefined ? undefined : new Set(retryOn);
    return entry;
  }

  #wake(entry: Entry, nowMs: Ms): void {
    this.#move(entry, nowMs < entry.backoffUntilMs ? 'backoff' : 'active');
  }

  #move(entry: Entry, part: QueuePart): void {
    this.#leave(entry);
    entry.part = part;
    if (part === 'trying') {
      entry.missed.clear();
      this.#trying.add(entry);
    } else this.#listOf(part).add(entry);
  }

  #leave(entry: Entry): void {
    if (entry.part === 'trying') this.#trying.delete(entry);
    else this.#listOf(entry.part).remove(entry);
  }

  #listOf(part: Exclude<QueuePart, 'trying'>): SortedList<Entry> {
    return part === 'active' ? this.#active : part === 'backoff' ? this.#backoff : this.#unschedulable;
  }
}

const isRelevant = ({ retryOn }: Entry, event: ClusterEvent): boolean => retryOn === undefined || retryOn.has(event);
