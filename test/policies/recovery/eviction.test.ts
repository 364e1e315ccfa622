import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors.ts';
import {
  budgetStatus,
  DisruptionBudget,
  type NodeEviction,
  nodeLifecycle,
  parseCountOrPercent,
  zoneState,
} from '../../../src/policies/recovery/index.ts';

describe('node-lifecycle', () => {
  interface Bed {
    readonly policy: NodeEviction;
    readonly log: string[];
    run(untilMs: number): void;
    lose(nodes: readonly number[], nowMs: number): void;
  }
  /** Zones of these sizes; node n carries instance n. */
  function bed(sizes: readonly number[], params: Parameters<typeof nodeLifecycle.make>[0] = {}): Bed {
    const log: string[] = [];
    let nowMs = 0;
    const policy = nodeLifecycle.make(params, {
      host: {
        taint: (node, isTainted, atMs) => log.push(`${atMs / 1000}: ${isTainted ? 'taint' : 'untaint'} ${node}`),
        evict: (instance, node, atMs) => log.push(`${atMs / 1000}: evict ${instance} of ${node}`),
        resetGrace: (atMs) => log.push(`${atMs / 1000}: reset grace`),
      },
    });
    let node = 0;
    sizes.forEach((size, zone) => {
      for (let i = 0; i < size; i++, node++) {
        policy.addNode(node, zone, 0);
        policy.place(node, node, 0);
      }
    });
    const run = (untilMs: number): void => {
      while (policy.nextTimerMs() <= untilMs) {
        nowMs = Math.max(nowMs, policy.nextTimerMs());
        policy.onTimer(nowMs);
      }
      nowMs = untilMs;
    };
    const lose = (nodes: readonly number[], atMs: number): void => {
      run(atMs);
      for (const lost of nodes) policy.setReady(lost, false, atMs);
    };
    return { policy, log, run, lose };
  }

  it('taints a lost node at the next tick and evicts after five minutes', () => {
    const { log, lose, run } = bed([10]);
    lose([3], 42_000);
    run(1_000_000);
    expect(log).toEqual(['45: taint 3', '345: evict 3 of 3']);
  });

  it('taints one node in ten seconds', () => {
    const { log, lose, run } = bed([10]);
    lose([1, 2, 3], 42_000);
    run(100_000);
    expect(log).toEqual(['45: taint 1', '55: taint 2', '65: taint 3']);
  });

  it('stops in a small zone of which more than half is lost', () => {
    const { log, policy, lose, run } = bed([10, 10]);
    lose([0, 1, 2, 3, 4, 5], 42_000);
    run(1_000_000);
    expect(policy.zoneState(0)).toBe('PartialDisruption');
    expect(policy.zoneState(1)).toBe('Normal');
    // Judged before the first taint: six of ten are not ready.
    expect(log).toEqual([]);
  });

  it('goes on at a tenth of the rate in a large one', () => {
    const { log, lose, run } = bed([60]);
    run(10_000);
    lose(
      Array.from({ length: 40 }, (_, node) => node),
      42_000,
    );
    run(250_000);
    // The token of the normal rate was there when the rate changed, and its successor comes after 100 s.
    expect(log).toEqual(['45: taint 0', '145: taint 1', '245: taint 2']);
  });

  it('empties a zone that is lost beside one that is not, at the normal rate', () => {
    const { log, policy, lose, run } = bed([3, 3]);
    lose([0, 1, 2], 42_000);
    run(70_000);
    expect(policy.zoneState(0)).toBe('FullDisruption');
    expect(log).toEqual(['45: taint 0', '55: taint 1', '65: taint 2']);
  });

  it('lifts all taints when every zone is lost, and begins anew when one node is back', () => {
    const { log, policy, lose, run } = bed([3, 3]);
    lose([0], 42_000);
    run(50_000);
    lose([1, 2, 3, 4, 5], 51_000);
    run(10_000_000);
    expect(log.splice(0)).toEqual(['45: taint 0', '55: untaint 0']);
    policy.setReady(5, true, 10_000_000);
    run(10_030_000);
    // Zones that were at a standstill begin with a whole interval.
    const turns = ['10015: taint 0', '10015: taint 3', '10025: taint 1', '10025: taint 4'];
    expect(log).toEqual(['10005: reset grace', ...turns]);
  });

  it('evicts at once from a tainted node what tolerates nothing', () => {
    const { log, policy, lose, run } = bed([10]);
    lose([3], 42_000);
    run(50_000);
    policy.place(90, 3, 50_000, 0);
    policy.place(91, 3, 50_000, 1000);
    run(60_000);
    expect(log.slice(1)).toEqual(['50: evict 90 of 3', '51: evict 91 of 3']);
  });
});

describe('the state of a zone', () => {
  it('is partial from 55 % on, in single precision, if more than two are lost', () => {
    expect(zoneState(9, 11, 0.55)).toBe('PartialDisruption');
    expect(zoneState(46, 54, 0.55)).toBe('Normal');
    expect(zoneState(1, 2, 0.55)).toBe('Normal');
    expect(zoneState(0, 0, 0.55)).toBe('Normal');
  });
});

describe('a disruption budget', () => {
  it('rounds shares up, of what is wanted', () => {
    expect(budgetStatus({ maxUnavailable: { percent: 30 } }, 7, 7, 7)).toEqual({
      expected: 7,
      desiredHealthy: 4,
      disruptionsAllowed: 3,
    });
    expect(budgetStatus({ minAvailable: { percent: 30 } }, 7, 7, 7)).toEqual({
      expected: 7,
      desiredHealthy: 3,
      disruptionsAllowed: 4,
    });
  });

  it('compares a whole minimum with what is there, and allows nothing of nothing', () => {
    expect(budgetStatus({ minAvailable: { count: 3 } }, 10, 4, 4).disruptionsAllowed).toBe(1);
    expect(budgetStatus({ minAvailable: { count: 0 } }, 10, 0, 0).disruptionsAllowed).toBe(0);
    expect(budgetStatus({ maxUnavailable: { count: 1 } }, undefined, 3, 3).disruptionsAllowed).toBe(0);
  });

  it('refuses what is neither a count nor a percentage', () => {
    expect(parseCountOrPercent(' 30% ', 'maxUnavailable')).toEqual({ percent: 30 });
    expect(parseCountOrPercent('2', 'maxUnavailable')).toEqual({ count: 2 });
    for (const text of ['', '-1', '1.5', 'all', '%'])
      expect(() => parseCountOrPercent(text, 'maxUnavailable')).toThrow(InputError);
  });

  const five = (unhealthy?: 'AlwaysAllow'): DisruptionBudget => {
    const budget = new DisruptionBudget({ maxUnavailable: { count: 2 } }, unhealthy);
    budget.setWanted(5);
    for (let instance = 0; instance < 5; instance++) budget.setHealth(instance, true);
    return budget;
  };

  it('lets go as many as it says, and more as replacements are healthy', () => {
    const budget = five();
    expect([0, 1, 2].map((instance) => budget.tryDisrupt(instance, 0))).toEqual([true, true, false]);
    budget.onGone(0);
    expect(budget.tryDisrupt(2, 10)).toBe(false);
    budget.setHealth(5, true);
    expect(budget.tryDisrupt(2, 20)).toBe(true);
    expect(budget.tryDisrupt(3, 20)).toBe(false);
  });

  it('believes after two minutes that an instance stays', () => {
    const budget = five();
    budget.tryDisrupt(0, 0);
    budget.tryDisrupt(1, 0);
    expect(budget.status(120_000).disruptionsAllowed).toBe(0);
    expect(budget.status(120_001).disruptionsAllowed).toBe(2);
  });

  it('lets an unhealthy instance go while the healthy ones make up the budget, or always if told so', () => {
    const budget = five();
    for (const instance of [3, 4]) budget.setHealth(instance, false);
    expect(budget.tryDisrupt(3, 0)).toBe(true);
    expect(budget.tryDisrupt(0, 0)).toBe(false);
    budget.setHealth(2, false);
    expect(budget.tryDisrupt(4, 0)).toBe(false);
    const lenient = five('AlwaysAllow');
    for (const instance of [0, 1, 2, 3, 4]) lenient.setHealth(instance, false);
    expect(lenient.tryDisrupt(4, 0)).toBe(true);
  });
});
