/** The queue of pods without a node: order, waiting, waking. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  backoffMs,
  type ClusterEvent,
  clusterEvents,
  schedulingQueue,
  type SchedulingQueue,
} from '../../../src/policies/placement/index.ts';

/** Takes out all that may be tried now, and keeps it out. */
function drain(queue: SchedulingQueue, nowMs: number): number[] {
  const popped: number[] = [];
  for (let pod = queue.pop(nowMs); pod !== undefined; pod = queue.pop(nowMs)) popped.push(pod);
  return popped;
}

/** Tries a pod in vain. */
function fail(queue: SchedulingQueue, nowMs: number, retryOn?: readonly ClusterEvent[]): void {
  queue.onUnschedulable(queue.pop(nowMs)!, retryOn, nowMs);
}

describe('back-off', () => {
  it('doubles from a second to ten', () => {
    expect([1, 2, 3, 4, 5, 6, 40].map((attempts) => backoffMs(attempts, 1000, 10_000))).toEqual([
      1000, 2000, 4000, 8000, 10_000, 10_000, 10_000,
    ]);
    expect(backoffMs(3, 500, 700)).toBe(700);
  });
});

describe('the scheduling queue', () => {
  it('tries the most important first, and of equals who came first', () => {
    const queue = schedulingQueue();
    queue.add(1, 0, 10);
    queue.add(2, 5, 20);
    queue.add(3, 5, 15);
    queue.add(4, -1, 0);
    queue.add(5, 5, 15);
    queue.add(2, 9, 30);
    expect(queue.size).toBe(5);
    expect(drain(queue, 30)).toEqual([3, 5, 2, 1, 4]);
    expect(queue.partOf(3)).toBe('trying');
    expect(queue.pop(40)).toBeUndefined();
  });

  it('lets a pod without a place wait for what may help it, and not before its back-off has ended', () => {
    const queue = schedulingQueue();
    queue.add(1, 0, 0);
    fail(queue, 0, ['node-add']);
    expect([queue.partOf(1), queue.nextTimerMs()]).toEqual(['unschedulable', 300_000]);
    queue.onClusterEvent('pod-delete', 100);
    expect(queue.partOf(1)).toBe('unschedulable');
    queue.onClusterEvent('node-add', 200);
    expect([queue.partOf(1), queue.nextTimerMs(), queue.pop(999)]).toEqual(['backoff', 1000, undefined]);
    expect(queue.pop(1000)).toBe(1);
    expect(queue.attempts(1)).toBe(2);
    queue.onUnschedulable(1, ['node-add'], 1000);
    queue.onClusterEvent('node-add', 5000);
    expect(queue.partOf(1)).toBe('active');
    expect(queue.nextTimerMs()).toBe(Infinity);
  });

  it('is woken by anything if nothing in particular is known to help', () => {
    for (const event of clusterEvents) {
      const queue = schedulingQueue();
      queue.add(1, 0, 0);
      fail(queue, 0);
      queue.onClusterEvent(event, 10_000);
      expect(queue.pop(10_000)).toBe(1);
    }
  });

  it('forgets nobody for more than five minutes', () => {
    const queue = schedulingQueue();
    queue.add(1, 0, 0);
    queue.add(2, 0, 5);
    fail(queue, 5, ['node-add']);
    fail(queue, 1000, ['node-add']);
    expect(queue.nextTimerMs()).toBe(300_005);
    queue.onTimer(300_004);
    expect(queue.partOf(1)).toBe('unschedulable');
    queue.onTimer(300_005);
    expect([queue.partOf(1), queue.partOf(2), queue.nextTimerMs()]).toEqual(['active', 'unschedulable', 301_000]);
  });

  it('does not miss what happens while a pod is being tried', () => {
    const queue = schedulingQueue();
    queue.add(1, 0, 0);
    queue.pop(0);
    queue.onClusterEvent('node-add', 1);
    queue.onUnschedulable(1, ['node-add'], 2);
    expect([queue.partOf(1), queue.nextTimerMs()]).toEqual(['backoff', 1002]);
    expect(queue.pop(1002)).toBe(1);
    queue.onClusterEvent('pod-add', 1003);
    queue.onUnschedulable(1, ['node-add'], 1004);
    // What happened during the try before does not count again.
    expect(queue.partOf(1)).toBe('unschedulable');
  });

  it('tries again by itself what failed for another reason', () => {
    const queue = schedulingQueue({ podInitialBackoff: 100, podMaxBackoff: 300 });
    queue.add(1, 0, 0);
    const waits: number[] = [];
    for (let nowMs = 0; waits.length < 4; nowMs = queue.nextTimerMs()) {
      expect(queue.pop(nowMs)).toBe(1);
      queue.onError(1, nowMs);
      waits.push(queue.nextTimerMs() - nowMs);
    }
    expect(waits).toEqual([100, 200, 300, 300]);
  });

  it('puts those that failed behind others of the same priority', () => {
    const queue = schedulingQueue();
    queue.add(1, 0, 0);
    queue.add(2, 0, 0);
    fail(queue, 0);
    queue.onClusterEvent('node-add', 1000);
    expect(drain(queue, 1000)).toEqual([2, 1]);
  });

  it('lets pods go from everywhere, and knows nothing of them afterwards', () => {
    const queue = schedulingQueue();
    for (const pod of [1, 2, 3, 4]) queue.add(pod, -pod, 0);
    queue.pop(0);
    fail(queue, 0, ['node-add']);
    queue.onError(queue.pop(0)!, 0);
    const parts = [1, 2, 3, 4].map((pod) => queue.partOf(pod));
    expect(parts).toEqual(['trying', 'unschedulable', 'backoff', 'active']);
    for (const pod of [1, 2, 3, 4]) queue.remove(pod);
    queue.onUnschedulable(1, undefined, 5);
    expect([queue.size, queue.pop(1e6), queue.nextTimerMs(), queue.partOf(1)]).toEqual([0, undefined, Infinity, undefined]);
    queue.remove(1);
  });

  it('loses nobody, tries the most important that may be tried, and never wants to be woken in the past', () => {
    const action = fc.oneof(
      fc.record({ does: fc.constant('add' as const), pod: fc.nat(9), priority: fc.integer({ min: 0, max: 3 }) }),
      fc.record({ does: fc.constant('try' as const), outcome: fc.constantFrom('placed', 'nowhere', 'error', 'later') }),
      fc.record({ does: fc.constant('event' as const), event: fc.constantFrom(...clusterEvents) }),
      fc.record({ does: fc.constant('remove' as const), pod: fc.nat(9) }),
      fc.record({ does: fc.constant('wait' as const), ms: fc.constantFrom(0, 500, 2500, 400_000) }),
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
        const queue = schedulingQueue();
        const priorities = new Map<number, number>();
        let nowMs = 0;
        for (const step of actions) {
          if (step.does === 'add') {
            if (!priorities.has(step.pod)) priorities.set(step.pod, step.priority);
            queue.add(step.pod, step.priority, nowMs);
          } else if (step.does === 'try') {
            queue.onTimer(nowMs);
            const waiting = [...priorities].filter(([pod]) => queue.partOf(pod) === 'active').map(([, priority]) => priority);
            const pod = queue.pop(nowMs);
            expect(pod === undefined ? undefined : priorities.get(pod)).toBe(
              waiting.length === 0 ? undefined : Math.max(...waiting),
            );
            if (pod === undefined) continue;
            if (step.outcome === 'nowhere') queue.onUnschedulable(pod, ['node-add', 'pod-delete'], nowMs);
            if (step.outcome === 'error') queue.onError(pod, nowMs);
            if (step.outcome === 'placed') {
              queue.remove(pod);
              priorities.delete(pod);
            }
          } else if (step.does === 'event') queue.onClusterEvent(step.event, nowMs);
          else if (step.does === 'remove') {
            queue.remove(step.pod);
            priorities.delete(step.pod);
          } else {
            nowMs += step.ms;
            queue.onTimer(nowMs);
            expect(queue.nextTimerMs()).toBeGreaterThan(nowMs);
          }
          expect(queue.size).toBe(priorities.size);
          for (const pod of priorities.keys()) expect(queue.partOf(pod)).toBeDefined();
        }
        // Who is not being tried can be tried within five minutes and the longest back-off.
        const untried = [...priorities.keys()].filter((pod) => queue.partOf(pod) !== 'trying');
        expect(new Set(drain(queue, nowMs + 310_000))).toEqual(new Set(untried));
      }),
      { seed: 13, numRuns: 300 },
    );
  });
});
