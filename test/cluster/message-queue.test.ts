import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MessageQueue, type MessageQueueHost, type MessageQueueSpec } from '../../src/cluster/message-queue.ts';
import { Engine } from '../../src/engine/index.ts';
import { heapGrowth } from '../contracts/heap.ts';

const ACT = 1;
const EXPIRY = 2;

describe('a queue', () => {
  test('gives a message to a consumer that waits, and keeps it until one does', () => {
    const { queue, deliveries } = stage({});
    queue.publish(7);
    expect([queue.depth, queue.visible, deliveries]).toEqual([1, 1, []]);
    queue.slotFree(1);
    expect([queue.depth, queue.visible, deliveries]).toEqual([1, 0, ['7 to 1']]);
  });

  test('gives the oldest first, one for each free slot', () => {
    const { queue, deliveries } = stage({});
    for (const message of [5, 3, 9]) queue.publish(message);
    queue.slotFree(0);
    queue.slotFree(0);
    expect(deliveries).toEqual(['5 to 0', '3 to 0']);
  });

  test('gives to the consumer that has been waiting longest, which then goes to the back of the line', () => {
    const { queue, deliveries } = stage({ consumers: 3 });
    for (const consumer of [2, 0, 2, 1, 2]) queue.slotFree(consumer);
    for (const message of [1, 2, 3, 4, 5, 6]) queue.publish(message);
    expect(deliveries).toEqual(['1 to 2', '2 to 0', '3 to 1', '4 to 2', '5 to 2']);
  });

  test('gives nothing to a slot that was taken, or to a consumer that is gone', () => {
    const { queue, deliveries } = stage({ consumers: 3 });
    for (const consumer of [0, 0, 1, 1, 2]) queue.slotFree(consumer);
    queue.consumerGone(0);
    queue.consumerGone(0);
    queue.slotTaken(1);
    for (const message of [1, 2, 3]) queue.publish(message);
    expect(deliveries).toEqual(['1 to 1', '2 to 2']);
    queue.slotFree(0);
    expect(deliveries.at(-1)).toBe('3 to 0');
    expect(() => queue.slotTaken(2)).toThrow('without a free slot');
  });

  test('refuses what goes beyond its capacity, in which messages at work count', () => {
    const { queue, ends } = stage({ capacity: 2 });
    queue.slotFree(0);
    expect([1, 2, 3].map((message) => queue.publish(message))).toEqual([true, true, false]);
    queue.answered(0, true);
    expect([queue.publish(3), queue.published.total, queue.refused.total, ends]).toEqual([true, 3, 1, ['1 done']]);
  });

  test('knows the age of its oldest message, be it at work or not', () => {
    const { queue, run } = stage({});
    expect(queue.oldestMs(0)).toBe(0);
    run([
      [10, () => queue.slotFree(0)],
      [10, () => queue.publish(1)],
      [15, () => queue.publish(2)],
      [20, () => expect(queue.oldestMs(20)).toBe(10)],
      [21, () => queue.answered(0, true)],
      [25, () => expect(queue.oldestMs(25)).toBe(10)],
    ]);
  });

  test('refuses a message that it holds, and an answer to a delivery that was answered', () => {
    const { queue } = stage({});
    queue.publish(1);
    expect(() => queue.publish(1)).toThrow('while it is in the queue');
    queue.slotFree(0);
    queue.answered(0, true);
    expect(() => queue.answered(0, true)).toThrow('or twice');
    expect(() => queue.answered(1000, true)).toThrow('was not made');
  });
});

describe('a message that is not finished in its visibility timeout', () => {
  test('is given to somebody else when its time is up', () => {
    const { queue, deliveries, run } = stage({ visibilityMs: 30 });
    run([
      [0, () => queue.slotFree(0)],
      [5, () => queue.publish(1)],
      [6, () => queue.consumerGone(0)],
      [7, () => queue.slotFree(1)],
      [34.9, () => expect(deliveries).toEqual(['1 to 0'])],
      [35.1, () => expect(deliveries).toEqual(['1 to 0', '1 to 1'])],
      [36, () => expect([queue.redelivered.total, queue.depth, queue.visible]).toEqual([1, 1, 0])],
    ]);
  });

  test('is not given again any sooner because somebody failed at it', () => {
    const { queue, deliveries, run } = stage({ visibilityMs: 30 });
    run([
      [0, () => queue.slotFree(0)],
      [0, () => queue.publish(1)],
      [10, () => queue.answered(0, false)],
      [10, () => queue.slotFree(0)],
      [29.9, () => expect([deliveries.length, queue.depth]).toEqual([1, 1])],
      [30.1, () => expect(deliveries).toEqual(['1 to 0', '1 to 0'])],
    ]);
  });

  test('goes before younger ones', () => {
    const { queue, deliveries, run } = stage({ visibilityMs: 30 });
    run([
      [0, () => queue.slotFree(0)],
      [0, () => queue.slotFree(0)],
      [0, () => [1, 2, 3].map((message) => queue.publish(message))],
      [40, () => queue.slotFree(0)],
      [41, () => queue.slotFree(0)],
      [42, () => queue.slotFree(0)],
    ]);
    expect(deliveries).toEqual(['1 to 0', '2 to 0', '1 to 0', '2 to 0', '3 to 0']);
  });

  test('is done when anybody finishes it: the first delivery after its time was up, and the second is a duplicate', () => {
    const { queue, ends, run } = stage({ visibilityMs: 30 });
    run([
      [0, () => [queue.slotFree(0), queue.slotFree(1)]],
      [0, () => queue.publish(1)],
      [40, () => queue.answered(0, true)],
      [41, () => expect([ends, queue.depth, queue.done.total]).toEqual([['1 done'], 0, 1])],
      [50, () => queue.answered(1, true)],
      // Nothing comes back at 60.
      [70, () => expect([ends, queue.done.total, queue.duplicates.total]).toEqual([['1 done'], 1, 1])],
    ]);
  });

  test('is done also when it is answered while it waits for its next delivery', () => {
    const { queue, deliveries, ends, run } = stage({ visibilityMs: 30 });
    run([
      [0, () => queue.slotFree(0)],
      [0, () => [queue.publish(1), queue.publish(2)]],
      [31, () => expect([queue.visible, queue.depth]).toEqual([2, 2])],
      [32, () => queue.answered(0, true)],
      [33, () => expect([queue.visible, queue.depth, ends]).toEqual([1, 1, ['1 done']])],
      [34, () => queue.slotFree(0)],
    ]);
    expect(deliveries).toEqual(['1 to 0', '2 to 0']);
  });

  test('is dead after so many deliveries, when the time of the last is up', () => {
    const { queue, deliveries, ends, run } = stage({ visibilityMs: 30, maxReceives: 2 });
    run([
      [0, () => [queue.slotFree(0), queue.slotFree(0), queue.slotFree(0)]],
      [0, () => queue.publish(1)],
      [59.9, () => expect([deliveries.length, ends]).toEqual([2, []])],
      [60.1, () => expect([ends, queue.depth, queue.dead.total]).toEqual([['1 dead'], 0, 1])],
      [80, () => queue.answered(0, true)],
    ]);
    expect([deliveries.length, queue.done.total, queue.duplicates.total]).toEqual([2, 0, 1]);
  });

  test('is told from the next one in the same row', () => {
    const { queue, ends, run } = stage({ visibilityMs: 30, maxReceives: 1 });
    run([
      [0, () => [queue.slotFree(0), queue.slotFree(0)]],
      [0, () => queue.publish(1)],
      [40, () => queue.publish(1)],
      [50, () => queue.answered(0, true)],
      [55, () => expect([ends, queue.duplicates.total, queue.depth]).toEqual([['1 dead'], 1, 1])],
      [60, () => queue.answered(1, true)],
    ]);
    expect(ends).toEqual(['1 dead', '1 done']);
  });

  test('stays where it is when there is no timeout', () => {
    const { queue, deliveries, run } = stage({ visibilityMs: Infinity });
    run([
      [0, () => [queue.slotFree(0), queue.slotFree(0)]],
      [0, () => [queue.publish(1), queue.publish(2)]],
      [900, () => queue.answered(1, true)],
    ]);
    expect([deliveries.length, queue.depth]).toEqual([2, 1]);
  });
});

test('two queues in one engine hear of their own messages only', () => {
  const engine = new Engine();
  const dead: string[] = [];
  const queues = [0, 1].map((number) => {
    const host: MessageQueueHost = { deliver: () => 0, done() {}, dead: (message) => void dead.push(`${message} of ${number}`) };
    return new MessageQueue(engine, EXPIRY, number, { ...usual, visibilityMs: 20 - 10 * number, maxReceives: 1 }, host);
  });
  for (const queue of queues) {
    queue.slotFree(0);
    queue.publish(4);
  }
  engine.run(100, { handle: (_, number) => queues[number]!.expire() });
  expect(dead).toEqual(['4 of 1', '4 of 0']);
});

test('a long queue whose consumer is free again at once is emptied in order, without a deep recursion', () => {
  const given: number[] = [];
  const host: MessageQueueHost = {
    deliver(message, consumer) {
      queue.slotFree(consumer);
      return given.push(message) - 1;
    },
    done() {},
    dead() {},
  };
  const queue = new MessageQueue(new Engine(), EXPIRY, 0, usual, host);
  const messages = Array.from({ length: 50_000 }, (_, message) => message);
  for (const message of messages) queue.publish(message);
  queue.slotFree(0);
  expect(given).toEqual(messages);
});

test('counts are told apart by the end of the warm-up', () => {
  const { queue } = stage({ capacity: 2 });
  queue.slotFree(0);
  queue.publish(1);
  queue.answered(0, true);
  queue.markWarmup();
  for (const message of [1, 2, 3]) queue.publish(message);
  const counts = [queue.published, queue.refused, queue.done, queue.redelivered, queue.duplicates, queue.dead];
  expect(counts.map(({ total }) => total)).toEqual([3, 1, 1, 0, 0, 0]);
  expect(counts.map(({ measured }) => measured)).toEqual([2, 1, 0, 0, 0, 0]);
});

test('nothing is allocated by messages once the tables have grown', () => {
  const engine = new Engine();
  const given = new Int32Array(1024);
  let deliveries = 0;
  const host: MessageQueueHost = {
    deliver(message) {
      given[deliveries & 1023] = message;
      return deliveries++ & 1023;
    },
    done() {},
    dead() {},
  };
  const queue = new MessageQueue(engine, EXPIRY, 0, { ...usual, visibilityMs: 1e6 }, host);
  const operations = 100_000;
  const run = (): void => {
    for (let i = 0; i < operations; i++) {
      queue.publish(i & 511);
      queue.slotFree(i & 1);
      queue.answered((deliveries - 1) & 1023, true);
    }
  };
  expect(heapGrowth(run, operations)).toBeLessThan(operations);
  expect(queue.depth).toBe(0);
});

// The oracle keeps messages and deliveries as objects in arrays and searches them for everything.
describe('any sequence of messages, answers, crashes and expiries', () => {
  const action = fc.record({
    what: fc.constantFrom('publish', 'publish', 'publish', 'free', 'free', 'free', 'good', 'good', 'bad', 'taken', 'gone'),
    waitMs: fc.nat({ max: 6 }),
    consumer: fc.nat({ max: 2 }),
    which: fc.nat({ max: 50 }),
  });
  const spec = fc.record({
    visibilityMs: fc.constantFrom(4, 10.5, 25),
    maxReceives: fc.constantFrom(1, 2, 3, Infinity),
    capacity: fc.constantFrom(2, 6, Infinity),
  });

  test('does what a plain model does, and no message is lost or done twice', () => {
    const property = fc.property(spec, fc.array(action, { maxLength: 120 }), (some, actions) => {
      const { queue, deliveries, ends, run } = stage({ ...some, consumers: 3 }, (now) => model.expire(now));
      const model = new Model({ ...usual, ...some });
      /** Deliveries whose consumer lives and has not answered. */
      let open: { delivery: number; consumer: number }[] = [];
      let known = 0;
      const learn = (): void => {
        for (; known < deliveries.length; known++) {
          open.push({ delivery: known, consumer: Number(deliveries[known]!.split(' to ')[1]) });
        }
      };
      const agree = (now: number): void => {
        expect(deliveries).toEqual(model.log);
        expect(ends).toEqual(model.ends);
        expect([queue.depth, queue.visible]).toEqual([model.held.length, model.visible().length]);
        expect(queue.oldestMs(now)).toBe(now - (model.held[0]?.publishedMs ?? now));
        const counts = [queue.done, queue.dead, queue.redelivered, queue.duplicates].map(({ total }) => total);
        expect(counts).toEqual([model.done, model.dead, model.redelivered, model.duplicates]);
        // What came in is done, dead or here, once.
        expect(queue.published.total).toBe(queue.done.total + queue.dead.total + queue.depth);
      };
      let atMs = 0;
      const steps = actions.map(({ what, waitMs, consumer, which }): Step => {
        atMs += waitMs;
        const now = atMs;
        const act = (): void => {
          learn();
          if (what === 'publish') {
            // The lowest row that is not in use.
            let row = 0;
            while (model.held.some((message) => message.row === row)) row++;
            expect(queue.publish(row)).toBe(model.publish(row, now));
          } else if (what === 'free') {
            queue.slotFree(consumer);
            model.free(consumer, now);
          } else if (what === 'taken') {
            if ((model.slots[consumer] ?? 0) === 0) return;
            queue.slotTaken(consumer);
            model.take(consumer);
          } else if (what === 'gone') {
            queue.consumerGone(consumer);
            model.gone(consumer);
            open = open.filter((each) => each.consumer !== consumer);
          } else {
            const [answer] = open.splice(which % Math.max(1, open.length), 1);
            if (answer === undefined) return;
            queue.answered(answer.delivery, what === 'good');
            model.answer(answer.delivery, what === 'good');
          }
          agree(now);
        };
        return [now, act];
      });
      // In the end a consumer that never fails: whatever is held is finished or dead within one more timeout each.
      const rescue: Step[] = Array.from({ length: 100 }, (_, step) => {
        const now = atMs + 1 + step;
        const act = (): void => {
          learn();
          for (const { delivery } of open.splice(0)) {
            queue.answered(delivery, true);
            model.answer(delivery, true);
          }
          queue.slotFree(0);
          model.free(0, now);
          agree(now);
        };
        return [now, act];
      });
      run([...steps, ...rescue]);
      expect(queue.depth).toBe(0);
      expect(queue.published.total).toBe(ends.length);
    });
    fc.assert(property, { numRuns: 150, seed: 11 });
  });
});

interface ModelMessage {
  readonly row: number;
  readonly publishedMs: number;
  receives: number;
  /** 0 while it waits for a consumer. */
  dueMs: number;
  outSince: number;
}

class Model {
  /** In the order published. */
  held: ModelMessage[] = [];
  slots = [0, 0, 0];
  readonly log: string[] = [];
  readonly ends: string[] = [];
  done = 0;
  dead = 0;
  redelivered = 0;
  duplicates = 0;
  private line: number[] = [];
  private readonly deliveredTo: ModelMessage[] = [];
  private readonly spec: MessageQueueSpec;

  constructor(spec: MessageQueueSpec) {
    this.spec = spec;
  }

  visible(): ModelMessage[] {
    return this.held.filter((message) => message.dueMs === 0);
  }

  publish(row: number, now: number): boolean {
    if (this.held.length >= this.spec.capacity) return false;
    this.held.push({ row, publishedMs: now, receives: 0, dueMs: 0, outSince: 0 });
    this.dispatch(now);
    return true;
  }

  free(consumer: number, now: number): void {
    this.slots[consumer]!++;
    if (!this.line.includes(consumer)) this.line.push(consumer);
    this.dispatch(now);
  }

  take(consumer: number): void {
    this.slots[consumer]!--;
    this.line = this.line.filter((each) => this.slots[each]! > 0);
  }

  gone(consumer: number): void {
    this.slots[consumer] = 0;
    this.line = this.line.filter((each) => each !== consumer);
  }

  answer(delivery: number, isGood: boolean): void {
    if (!isGood) return;
    const message = this.deliveredTo[delivery]!;
    if (this.held.includes(message)) {
      this.end(message, 'done');
      this.done++;
    } else this.duplicates++;
  }

  expire(now: number): void {
    const [message] = this.held.filter(({ dueMs }) => dueMs > 0).toSorted((x, y) => x.dueMs - y.dueMs || x.outSince - y.outSince);
    expect(message?.dueMs).toBe(now);
    if (message!.receives >= this.spec.maxReceives) {
      this.end(message!, 'dead');
      this.dead++;
      return;
    }
    message!.dueMs = 0;
    this.dispatch(now);
  }

  private end(message: ModelMessage, how: string): void {
    this.held = this.held.filter((each) => each !== message);
    this.ends.push(`${message.row} ${how}`);
  }

  private dispatch(now: number): void {
    for (let [message] = this.visible(); message !== undefined && this.line.length > 0; [message] = this.visible()) {
      const consumer = this.line.shift()!;
      if (--this.slots[consumer]! > 0) this.line.push(consumer);
      if (message.receives++ > 0) this.redelivered++;
      message.dueMs = now + this.spec.visibilityMs;
      message.outSince = this.log.length;
      this.deliveredTo.push(message);
      this.log.push(`${message.row} to ${consumer}`);
    }
  }
}

type Step = readonly [timeMs: number, act: () => unknown];

const usual: MessageQueueSpec = { visibilityMs: 30, maxReceives: Infinity, capacity: Infinity, consumers: 2 };

interface Stage {
  readonly queue: MessageQueue;
  /** `message to consumer`; the place in the list is the delivery's row. */
  readonly deliveries: string[];
  /** `message done` or `message dead`. */
  readonly ends: string[];
  /** Does each at its time. At equal times in the order given, and before expiries. */
  run(steps: readonly Step[]): void;
}

function stage(some: Partial<MessageQueueSpec>, onExpiry: (nowMs: number) => void = () => {}): Stage {
  const engine = new Engine();
  const deliveries: string[] = [];
  const ends: string[] = [];
  const host: MessageQueueHost = {
    deliver: (message, consumer) => deliveries.push(`${message} to ${consumer}`) - 1,
    done: (message) => void ends.push(`${message} done`),
    dead: (message) => void ends.push(`${message} dead`),
  };
  const queue = new MessageQueue(engine, EXPIRY, 0, { ...usual, ...some }, host);
  const run = (steps: readonly Step[]): void => {
    steps.forEach(([timeMs], step) => engine.at(timeMs, ACT, step, 0));
    engine.run(2000, {
      handle(kind, a) {
        if (kind === ACT) steps[a]![1]();
        else {
          queue.expire();
          onExpiry(engine.time);
        }
      },
    });
  };
  return { queue, deliveries, ends, run };
}
