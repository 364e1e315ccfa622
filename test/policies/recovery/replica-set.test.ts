import { describe, expect, it } from 'vitest';
import {
  NO_NODE,
  removedFirst,
  type Replica,
  type ReplicaController,
  replicaSet,
  slowStartBatches,
} from '../../../src/policies/recovery/index.ts';

const replica = (number: number, more: Partial<Replica> = {}): Replica => ({
  replica: number,
  node: number,
  createdAtMs: 0,
  readySinceMs: 100,
  restarts: 0,
  ...more,
});

describe('the order of removal', () => {
  it('is: without a node, not ready, crowded, ready for a short time, restarted often, young', () => {
    const replicas = [
      replica(1),
      replica(2, { createdAtMs: 50 }),
      replica(3, { restarts: 2 }),
      replica(4, { readySinceMs: 900 }),
      replica(5, { node: 77 }),
      replica(6, { node: 77 }),
      replica(7, { readySinceMs: Infinity }),
      replica(8, { node: NO_NODE, readySinceMs: Infinity }),
    ];
    expect(removedFirst(replicas)).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
    expect(removedFirst(replicas.toReversed())).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
  });
});

describe('batches', () => {
  it('double and end with what is left', () => {
    expect(slowStartBatches(10, 1)).toEqual([1, 2, 4, 3]);
    expect(slowStartBatches(500, 1)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 245]);
    expect(slowStartBatches(3, 8)).toEqual([3]);
    expect(slowStartBatches(0, 1)).toEqual([]);
  });
});

describe('replica-set', () => {
  /** The controller, what it asks for, and a host that answers when told. */
  function bed(params: Parameters<typeof replicaSet.make>[0] = {}): {
    controller: ReplicaController;
    log: string[];
    succeed(count: number, nowMs: number): void;
  } {
    const log: string[] = [];
    let created = 0;
    const controller = replicaSet.make(params, {
      host: {
        create: (nowMs) => log.push(`${nowMs}: create`),
        remove: (number, nowMs) => log.push(`${nowMs}: remove ${number}`),
      },
    });
    return {
      controller,
      log,
      succeed: (count, nowMs) => {
        for (let i = 0; i < count; i++) controller.onCreated(created, created++, nowMs);
      },
    };
  }

  it('creates as many at a time as the doubling batches say', () => {
    const { controller, log, succeed } = bed();
    controller.setDesired(10, 0);
    const sizes: number[] = [];
    for (let nowMs = 1; log.length > 0; nowMs++) {
      sizes.push(log.length);
      succeed(log.splice(0).length, nowMs);
    }
    expect(sizes).toEqual(slowStartBatches(10, 1));
    expect(controller.count).toBe(10);
  });

  it('leaves the rest for later after a refusal, and waits twice as long after each', () => {
    const { controller, log, succeed } = bed();
    controller.setDesired(100, 0);
    succeed(1, 0);
    expect(log.splice(0)).toHaveLength(3);
    controller.onCreateFailed(0);
    expect(controller.nextTimerMs()).toBe(300_000);
    controller.onCreateFailed(0);
    const waits: number[] = [];
    for (let nowMs = 0; waits.length < 5;) {
      waits.push(controller.nextTimerMs() - nowMs);
      nowMs = controller.nextTimerMs();
      controller.onTimer(nowMs);
      expect(log.splice(0)).toHaveLength(1);
      controller.onCreateFailed(nowMs);
    }
    expect(waits).toEqual([5, 10, 20, 40, 80]);
  });

  it('takes creations for lost after five minutes, and removes the surplus if they come after all', () => {
    const { controller, log, succeed } = bed();
    controller.setDesired(1, 0);
    controller.onTimer(299_999);
    expect(log).toEqual(['0: create']);
    controller.onTimer(300_000);
    expect(log).toEqual(['0: create', '300000: create']);
    succeed(2, 300_010);
    expect(log.slice(2)).toEqual(['300010: remove 1']);
    expect(controller.count).toBe(1);
  });

  it('answers within the call are as good as later ones', () => {
    let created = 0;
    const controller: ReplicaController = replicaSet.make(
      {},
      {
        host: {
          create: (nowMs) => controller.onCreated(created, created++, nowMs),
          remove: (number, nowMs) => controller.onGone(number, nowMs),
        },
      },
    );
    controller.setDesired(1300, 0);
    expect([controller.count, created]).toEqual([1300, 1300]);
    controller.setDesired(4, 1);
    expect([controller.count, created]).toEqual([4, 1300]);
  });

  it('does not replace what it told to go', () => {
    const { controller, log, succeed } = bed();
    controller.setDesired(3, 0);
    succeed(1, 0);
    succeed(2, 0);
    log.length = 0;
    controller.setDesired(2, 5);
    controller.onGone(2, 6);
    expect(log).toEqual(['5: remove 2']);
  });
});
