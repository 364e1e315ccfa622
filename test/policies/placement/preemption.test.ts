/** Who has to go, and where: the order of what is spared, and the order of nodes. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ClusterView, kubeScheduler, NO_PLACE, type PodView } from '../../../src/policies/placement/index.ts';
import { NodeState } from '../../../src/policies/placement/parts/node-state.ts';
import { preempt, victimsOn } from '../../../src/policies/placement/parts/preemption.ts';
import { testRng, unusedRng } from '../fixtures.ts';
import { cluster, cpu, hard, node } from './bed.ts';

const cores = (milli: number) => ({ allocatable: { cpu: milli } });
const low = (number: number, milli: number, more: Partial<PodView> = {}): PodView => cpu(number, milli, { priority: 1, ...more });
const urgent = (milli: number): PodView => cpu(99, milli, { priority: 100 });

/** What kube-scheduler says, for nodes of one core with these pods. */
const preemption = (asked: PodView, pods: readonly (readonly PodView[])[], more: Partial<ClusterView> = {}) => {
  const nodes = pods.map((_, index) => node(index, cores(1000)));
  return kubeScheduler.make({}, { rng: unusedRng }).schedule(asked, cluster(nodes, pods, more), 0).preemption;
};

/** Budgets of so many evictions by the label `app`, used up in the order of the list. */
const budgets =
  (allowed: Readonly<Record<string, number>>): ClusterView['budgetViolations'] =>
  (pods) => {
    const left: Record<string, number> = { ...allowed };
    return pods.filter(({ labels }) => labels.app in left && --left[labels.app] < 0).length;
  };

describe('on one node', () => {
  it('the more important are spared, and of equals those that have run longer', () => {
    const pods = [low(1, 400, { startedAtMs: 50 }), low(2, 300, { priority: 5 }), low(3, 300, { startedAtMs: 10 })];
    expect(preemption(urgent(300), [pods])).toEqual({ node: 0, victims: [1] });
    expect(preemption(urgent(500), [pods])).toEqual({ node: 0, victims: [1, 3] });
    expect(preemption(urgent(800), [pods])).toEqual({ node: 0, victims: [1, 3, 2] });
  });

  it('a large pod that is less important goes before small ones that are more', () => {
    expect(preemption(urgent(600), [[low(1, 200, { priority: 9 }), low(2, 200, { priority: 8 }), low(3, 600)]])).toEqual({
      node: 0,
      victims: [3],
    });
  });

  it('those under a budget are spared before all others, even more important ones', () => {
    const pods = [low(1, 500, { labels: { app: 'db' } }), low(2, 500, { priority: 9 })];
    expect(preemption(urgent(500), [pods])).toEqual({ node: 0, victims: [1] });
    expect(preemption(urgent(500), [pods], { budgetViolations: budgets({ db: 0 }) })).toEqual({ node: 0, victims: [2] });
    // If there is no other way, budgets are broken.
    expect(preemption(urgent(900), [pods], { budgetViolations: budgets({ db: 0 }) })).toEqual({ node: 0, victims: [1, 2] });
  });

  it('a budget that allows one is broken by the second', () => {
    const db = { labels: { app: 'db' } };
    const pods = [low(1, 300, { ...db, startedAtMs: 1 }), low(2, 300, { ...db, startedAtMs: 2 }), low(3, 400, { priority: 9 })];
    const world = cluster([node(0, cores(1000))], [pods], { budgetViolations: budgets({ db: 1 }) });
    const state = new NodeState(world.nodes[0], pods);
    const fits = (asked: number) => (candidate: NodeState) => candidate.requested('cpu') + asked <= 1000;
    // Pod 2 is the one that would break the budget and is put back first; then the more important ones in turn.
    expect(victimsOn(state, urgent(300), fits(300), world)).toMatchObject({ victims: [{ pod: 1 }], budgetViolations: 0 });
    expect(victimsOn(state, urgent(900), fits(900), world)).toMatchObject({
      victims: [{ pod: 3 }, { pod: 1 }, { pod: 2 }],
      budgetViolations: 1,
    });
  });

  it('nobody of the same priority goes, and nobody goes in vain', () => {
    expect(preemption(urgent(500), [[cpu(1, 800, { priority: 100 })]])).toBeUndefined();
    expect(preemption(urgent(500), [[cpu(1, 800, { priority: 100 }), low(2, 100)]])).toBeUndefined();
    expect(preemption(urgent(1500), [[low(1, 800)]])).toBeUndefined();
    const tainted = node(0, { ...cores(1000), taints: [{ key: 'gone', value: '', effect: 'NoExecute' }] });
    const answer = kubeScheduler.make({}, { rng: unusedRng }).schedule(urgent(500), cluster([tainted], [[low(1, 800)]]), 0);
    expect(answer.preemption).toBeUndefined();
  });

  it('a spread constraint may be what makes pods go', () => {
    const labels = { app: 'web' };
    const asked = cpu(99, 10, { priority: 100, labels, spread: [hard('zone', 1, labels)] });
    const nodes = [node(0, { ...cores(1000), labels: { zone: 'a' } }), node(1, { ...cores(1000), labels: { zone: 'b' } })];
    const full = [low(1, 10, { labels }), low(2, 10, { labels, startedAtMs: 7 }), low(3, 10)];
    const world = cluster(nodes, [full, [cpu(4, 1000, { priority: 100 })]]);
    // Zone b is full of what cannot be evicted. In zone a, two of the application are two more than in zone b; none may be there.
    const answer = kubeScheduler.make({}, { rng: unusedRng }).schedule(asked, world, 0);
    expect(answer.preemption).toEqual({ node: 0, victims: [2, 1] });
  });

  it('can be left alone', () => {
    const scheduler = kubeScheduler.make({ preemption: false }, { rng: unusedRng });
    const answer = scheduler.schedule(urgent(500), cluster([node(0, cores(1000))], [[low(1, 900)]]), 0);
    expect([answer.node, answer.preemption]).toEqual([NO_PLACE, undefined]);
  });
});

describe('among nodes', () => {
  const db = { labels: { app: 'db' } };
  it.each<[string, PodView[][], number]>([
    ['fewest broken budgets', [[low(1, 900, db)], [low(2, 900, { priority: 50 })]], 1],
    [
      'least important of the most important victims',
      [[low(1, 900, { priority: 7 })], [low(2, 450, { priority: 6 }), low(3, 450, { priority: 6 })]],
      1,
    ],
    [
      'smallest sum of priorities',
      [
        [low(1, 450, { priority: 7 }), low(2, 450, { priority: 6 })],
        [low(3, 450, { priority: 7 }), low(4, 450)],
      ],
      1,
    ],
    [
      'fewest victims, also if priorities are negative',
      [[cpu(1, 450, { priority: -5 }), cpu(2, 450, { priority: -5 })], [cpu(3, 900, { priority: -5 })]],
      1,
    ],
    ['latest start of the most important victims', [[low(1, 900, { startedAtMs: 10 })], [low(2, 900, { startedAtMs: 20 })]], 1],
    [
      'not the start of the less important ones',
      [
        [low(1, 450, { priority: 7, startedAtMs: 10 }), low(2, 450, { startedAtMs: 90 })],
        [low(3, 450, { priority: 7, startedAtMs: 20 }), low(4, 450, { startedAtMs: 5 })],
      ],
      1,
    ],
    ['the first, if they are alike', [[low(1, 900)], [low(2, 900)]], 0],
  ])('the choice is by %s', (_, pods, expected) => {
    const more = { budgetViolations: budgets({ db: 0 }) };
    expect(preemption(urgent(900), pods, more)?.node).toBe(expected);
  });

  it('of many only some are tried, from a random one on, and more if all of those break budgets', () => {
    const count = 50;
    const options = { minCandidateNodesPercentage: 10, minCandidateNodesAbsolute: 3 };
    const tried = (allowedOn: number): Set<number> => {
      const pods = Array.from({ length: count }, (_, index) => [low(index, 900, index === allowedOn ? {} : db)]);
      const world = cluster(
        pods.map((_, index) => node(index, cores(1000))),
        pods,
        { budgetViolations: budgets({ db: 0 }) },
      );
      const states = world.nodes.map((view, index) => new NodeState(view, pods[index]));
      const seen = new Set<number>();
      const passes = (state: NodeState): boolean => {
        seen.add(state.node);
        return state.requested('cpu') + 900 <= 1000;
      };
      const chosen = preempt(urgent(900), states, passes, world, options, { ...testRng(1), below: () => 10 });
      expect(chosen?.node).toBe(allowedOn);
      return seen;
    };
    expect([...tried(12)]).toEqual([10, 11, 12, 13, 14]);
    expect(tried(30).size).toBe(21);
    expect(tried(9).size).toBe(50);
  });
});

describe('victims', () => {
  const amount = fc.integer({ min: 1, max: 600 });
  const pods = fc.array(
    fc.tuple(amount, fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 50 })),
    {
      maxLength: 10,
    },
  );

  it('are less important, make room, and none could stay; budgets are broken only where nothing else makes room', () => {
    fc.assert(
      fc.property(pods, amount, (drawn, asked) => {
        const present = drawn.map(([milli, priority, app, startedAtMs], index) =>
          cpu(index, milli, { priority, startedAtMs, labels: { app: `app-${app}` } }),
        );
        const world = cluster([node(0, cores(1000))], [present], { budgetViolations: budgets({ 'app-0': 0, 'app-1': 1 }) });
        const newcomer = cpu(99, asked, { priority: 4 });
        const { preemption: found } = kubeScheduler.make({}, { rng: testRng(1) }).schedule(newcomer, world, 0);
        const total = (list: readonly PodView[]): number => list.reduce((sum, each) => sum + each.requests.cpu, 0);
        const free = 1000 - total(present);
        const lesser = present.filter(({ priority }) => priority < 4);
        if (free >= asked || free + total(lesser) < asked) {
          expect(found).toBeUndefined();
          return;
        }
        const victims = found!.victims.map((victim) => present[victim]);
        expect(victims.every((victim) => lesser.includes(victim))).toBe(true);
        expect(free + total(victims)).toBeGreaterThanOrEqual(asked);
        for (const victim of victims) expect(free + total(victims) - victim.requests.cpu).toBeLessThan(asked);
        // Of app-0 none may go: if one does, all that have no budget together would not have been enough.
        const unprotected = lesser.filter(({ labels }) => labels.app !== 'app-0' && labels.app !== 'app-1');
        if (victims.some(({ labels }) => labels.app === 'app-0')) expect(free + total(unprotected)).toBeLessThan(asked);
      }),
      { seed: 5, numRuns: 500 },
    );
  });
});
