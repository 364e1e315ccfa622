/** Queue disciplines: the contract, policies that break it, and each rule by its own. */
import { describe, expect, it } from 'vitest';
import { checkQueuePolicy, queueRules, QueueTrial } from '../../../src/policies/resilience/queueing/contract.ts';
import { Codel } from '../../../src/policies/resilience/queueing/codel.ts';
import { controlLaw } from '../../../src/policies/resilience/queueing/codel-rfc8289.ts';
import { queueTimeoutMs } from '../../../src/policies/resilience/queueing/controlled-delay.ts';
import {
  adaptiveLifo,
  codel,
  codelRfc8289,
  controlledDelay,
  fifo,
  lifo,
  priorityQueue,
  type QueuePolicy,
  queuePolicies,
} from '../../../src/policies/resilience/queueing/index.ts';
import { heapGrowth } from '../../contracts/heap.ts';

describe.each(Object.values(queuePolicies))('$name keeps the contract of queue disciplines: it', (definition) => {
  it.each(queueRules)('$name', (rule) => {
    expect(rule.check(() => definition.make({}, {}))).toEqual([]);
  });

  it('allocates nothing per request', () => {
    const policy = definition.make({}, {});
    let nowMs = 0;
    const run = (): number => {
      let ran = 0;
      for (let i = 0; i < REQUESTS; i++) {
        nowMs++;
        policy.onEnqueue(1 + (i & 31), nowMs);
        if (policy.takesNewest(1 + (i & 31), nowMs)) ran++;
        if (policy.onDequeue(i & 63, i & 31, nowMs)) ran++;
      }
      return ran;
    };
    // One allocation of the smallest object per request would be 16 bytes each; half of that leaves room for the engine's own.
    const allowed = 8 * REQUESTS;
    expect(heapGrowth(run, allowed)).toBeLessThan(allowed);
  });
});

const REQUESTS = 30_000;

describe('the contract', () => {
  const violations = (spoilt: () => Partial<QueuePolicy>): readonly string[] =>
    checkQueuePolicy(() => ({ ...fifo.make({}, {}), ...spoilt() }));

  it('finds nothing wrong with an honest discipline', () => {
    expect(violations(() => ({}))).toEqual([]);
  });

  it('notices one that drops what did not wait', () => {
    let taken = 0;
    const found = violations(() => ({ onDequeue: () => taken++ % 3 !== 0 }));
    expect(found).toContainEqual(expect.stringContaining('runs every request of a queue that empties at once'));
    expect(found).toContainEqual(expect.stringContaining('two instances with the same history'));
  });

  it('notices one that drops everything once it has been overloaded', () => {
    const grudge = (): Partial<QueuePolicy> => {
      let isAngry = false;
      return { onDequeue: (waitMs) => !(isAngry ||= waitMs > 500) };
    };
    const found = violations(grudge);
    expect(found).toContainEqual(expect.stringContaining('runs something in a long overload'));
    expect(found).toContainEqual(expect.stringContaining('goes back to running everything'));
  });

  it('notices one that does not go back to its order', () => {
    const turned = (): Partial<QueuePolicy> => {
      let most = 0;
      return { onEnqueue: (queued) => (most = Math.max(most, queued)), takesNewest: () => most > 100 };
    };
    expect(violations(turned)).toContainEqual(expect.stringContaining('did not change back its order'));
  });

  it('notices one that takes a short queue for a burst it must punish', () => {
    expect(violations(() => ({ onDequeue: (waitMs) => waitMs < 3 }))).toContainEqual(expect.stringContaining('short burst'));
  });

  it('notices one that changes its mind', () => {
    const fickle = (): Partial<QueuePolicy> => {
      let asked = 0;
      return { takesNewest: () => asked++ % 2 === 0 };
    };
    expect(violations(fickle)).toContainEqual(expect.stringContaining('when asked twice'));
  });

  it('notices one that is confused by requests that left by themselves', () => {
    const counting = (): Partial<QueuePolicy> => {
      let balance = 0;
      return { onEnqueue: () => void balance++, onDequeue: () => --balance < 20 };
    };
    expect(violations(counting)).toContainEqual(expect.stringContaining('leave the queue by themselves'));
  });
});

describe('the plain orders', () => {
  it('are oldest first, newest first, and by priority', () => {
    expect([fifo, lifo, priorityQueue].map(({ make }) => make({}, {}).takesNewest(5, 0))).toEqual([false, true, false]);
    expect([fifo, lifo, priorityQueue].map(({ make }) => make({}, {}).byPriority)).toEqual([false, false, true]);
  });
});

describe('adaptive-lifo', () => {
  it('turns around once the queue has not been empty for longer than the interval, and back when it empties', () => {
    const policy = adaptiveLifo.make({}, {});
    policy.onEnqueue(1, 1000);
    policy.onEnqueue(2, 1050);
    expect([policy.takesNewest(2, 1100), policy.takesNewest(2, 1101)]).toEqual([false, true]);
    policy.onDequeue(51, 1, 1101);
    expect(policy.takesNewest(1, 1102)).toBe(true);
    policy.onDequeue(102, 0, 1102);
    policy.onEnqueue(1, 2000);
    expect(policy.takesNewest(1, 2001)).toBe(false);
  });

  it('keeps its order while the queue is short, if it is told a threshold', () => {
    const policy = adaptiveLifo.make({ threshold: 10 }, {});
    policy.onEnqueue(1, 0);
    expect([policy.takesNewest(10, 500), policy.takesNewest(11, 500)]).toEqual([false, true]);
  });

  it('in overload serves requests that have hardly waited, where first in, first out serves none such', () => {
    const waits = (policy: QueuePolicy): readonly number[] => {
      const trial = new QueueTrial(policy, 1);
      trial.overload(2000);
      return Array.from({ length: 20 }, () => {
        trial.nowMs += 2;
        trial.join();
        trial.join();
        return trial.serve();
      });
    };
    expect(Math.max(...waits(adaptiveLifo.make({}, {})))).toBe(0);
    expect(Math.min(...waits(fifo.make({}, {})))).toBeGreaterThan(900);
  });
});

describe('controlled-delay', () => {
  it('allows 100 ms in a queue that was empty within the last 100 ms, else 5 ms', () => {
    expect([0, 100, 100.1, 5000].map((agoMs) => queueTimeoutMs(agoMs, 100, 5))).toEqual([100, 100, 5, 5]);
  });

  it('judges by the moment a request joined, not by the moment it is taken', () => {
    const policy = controlledDelay.make({}, {});
    policy.onEnqueue(1, 0);
    policy.onEnqueue(2, 100);
    policy.onEnqueue(3, 101);
    policy.onEnqueue(4, 102);
    // Last empty at 0: who joined until 100 may wait 100 ms, who joined later 5 ms.
    expect(policy.onDequeue(180, 3, 180)).toBe(false);
    expect(policy.onDequeue(90, 2, 190)).toBe(true);
    expect(policy.onDequeue(89, 1, 190)).toBe(false);
    expect(policy.onDequeue(5, 0, 107)).toBe(true);
  });

  it('in lasting overload serves only what waited up to 5 ms', () => {
    const trial = new QueueTrial(controlledDelay.make({}, {}), 1);
    trial.overload(2000);
    for (let i = 0; i < 50; i++) {
      trial.nowMs += 2;
      trial.join();
      trial.join();
      expect(trial.serve()).toBeLessThanOrEqual(5);
    }
  });

  it('can keep its order', () => {
    const policy = controlledDelay.make({ lifo: false }, {});
    policy.onEnqueue(1, 0);
    expect(policy.takesNewest(1, 5000)).toBe(false);
  });

  it('refuses an allowance that grows in overload', () => {
    expect(() => controlledDelay.make({ n: 1, m: 2 }, {})).toThrow(/^m: /);
  });
});

describe('codel', () => {
  it('drops what waited over twice the target after an interval in which everything waited over the target', () => {
    const detector = new Codel(100, 5);
    const taken = (nowMs: number, waitMs: number): boolean => detector.overloaded(waitMs, nowMs);
    // The first request starts an interval that ends with the second; from then on they are 100 ms long.
    expect([taken(1, 20), taken(2, 20), taken(3, 10.1), taken(4, 10), taken(5, 20)]).toEqual([false, false, true, false, true]);
  });

  it('drops nothing in the interval after one with a single fast request', () => {
    const detector = new Codel(100, 5);
    detector.overloaded(50, 1);
    detector.overloaded(50, 2);
    detector.overloaded(5, 50);
    expect([103, 110, 150, 200].map((nowMs) => detector.overloaded(50, nowMs))).toEqual([false, false, false, false]);
    expect([204, 205].map((nowMs) => detector.overloaded(50, nowMs))).toEqual([false, true]);
  });

  it('states its load as the least wait over twice the target', () => {
    const detector = new Codel(100, 5);
    const loads = [20, 7, 0].map((waitMs) => {
      detector.overloaded(waitMs, 0);
      return detector.load();
    });
    expect(loads).toEqual([100, 70, 0]);
  });

  it('in lasting overload keeps the waits of what is run at about 10 ms', () => {
    const trial = new QueueTrial(codel.make({}, {}), 1);
    trial.overload(2000);
    const waits = Array.from({ length: 200 }, () => {
      trial.nowMs += 2;
      trial.join();
      trial.join();
      return trial.serve();
    });
    // All but the first of each interval of 50.
    expect(waits.filter((waitMs) => waitMs > 10).length).toBeLessThanOrEqual(5);
  });

  it('refuses a target that is not shorter than the interval', () => {
    expect(() => codel.make({ interval: 5 }, {})).toThrow(/^targetDelay: /);
  });
});

describe('codel-rfc8289', () => {
  /** Requests that are taken every millisecond from a long queue, all of them having waited so long; the times of the drops. */
  const drops = (policy: QueuePolicy, fromMs: number, untilMs: number, waitMs: number): readonly number[] => {
    const times: number[] = [];
    for (let nowMs = fromMs; nowMs < untilMs; nowMs++) while (!policy.onDequeue(waitMs, 50, nowMs)) times.push(nowMs);
    return times;
  };

  it('drops first after an interval above the target, and then after interval / √n', () => {
    const policy = codelRfc8289.make({}, {});
    // 100 later, then 100 / √1, / √2, / √3, / √4 after one another, seen at the next whole millisecond.
    expect(drops(policy, 1, 460, 20)).toEqual([101, 201, 272, 330, 380, 425]);
    expect(controlLaw(272, 100, 4)).toBe(322);
  });

  it('stops as soon as a wait is below the target, and starts over with an interval', () => {
    const policy = codelRfc8289.make({}, {});
    drops(policy, 1, 150, 20);
    expect(policy.onDequeue(4.9, 50, 150)).toBe(true);
    expect(drops(policy, 151, 260, 20)).toEqual([251]);
  });

  it('resumes at the frequency it had reached if it stopped a short while ago', () => {
    const policy = codelRfc8289.make({}, {});
    expect(drops(policy, 1, 340, 20)).toEqual([101, 201, 272, 330]);
    policy.onDequeue(1, 50, 340);
    // Four drops, the first of which counted before: it resumes with three, so after 100 / √3.
    expect(drops(policy, 341, 510, 20)).toEqual([441, 499]);
  });

  it('drops nothing while at most one request is left', () => {
    const policy = codelRfc8289.make({}, {});
    for (let nowMs = 1; nowMs < 1000; nowMs++) expect(policy.onDequeue(20, 1, nowMs)).toBe(true);
  });
});
