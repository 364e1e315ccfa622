/** The stages of kube-scheduler together: search, weights, ties, nominations. */
import { describe, expect, it } from 'vitest';
import { kubeScheduler, latencyAware, NO_PLACE, performanceAware } from '../../../src/policies/placement/index.ts';
import { enoughNodes, interleavedByZone, NodeSearch } from '../../../src/policies/placement/parts/node-search.ts';
import { ZONE_LABEL } from '../../../src/policies/placement/well-known-labels.ts';
import { NodeState } from '../../../src/policies/placement/parts/node-state.ts';
import { testRng, unusedRng } from '../fixtures.ts';
import { cluster, cpu, hard, node, pod } from './bed.ts';

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const cores = (milli: number) => ({ allocatable: { cpu: milli } });

describe('how many nodes are enough', () => {
  // (nodes, percentage) as in the documentation: 50 − nodes/125, at least 5 percent and at least 100 nodes.
  it.each([
    [99, 0, 99],
    [100, 0, 100],
    [250, 0, 120],
    [1000, 0, 420],
    [5000, 0, 500],
    [10_000, 0, 500],
    [1000, 5, 100],
    [1000, 30, 300],
    [1000, 100, 1000],
  ])('%i nodes at %i %%: %i', (nodes, percentage, expected) => expect(enoughNodes(percentage, nodes)).toBe(expected));
});

describe('the search', () => {
  it('visits zones in turn', () => {
    const zones = ['a', 'a', 'a', 'b', 'c', 'c'];
    const states = zones.map((zone, index) => new NodeState(node(index, { labels: { [ZONE_LABEL]: zone } }), []));
    expect(interleavedByZone(states).map((state) => state.node)).toEqual([0, 3, 4, 1, 5, 2]);
  });

  it('stops when it has found enough, and goes on from there', () => {
    const search = new NodeSearch(5);
    const states = range(300).map((index) => new NodeState(node(index), []));
    const isEven = (state: NodeState): boolean => state.node % 2 === 0;
    const visited: number[] = [];
    const found = [1, 2, 3].map(() =>
      search.find(states, (state) => {
        visited.push(state.node);
        return isEven(state);
      }),
    );
    expect(found.map((each) => each.length)).toEqual([100, 100, 100]);
    expect(found.map((each) => each[0].node)).toEqual([0, 200, 100]);
    expect(visited.slice(0, 199)).toEqual(range(199));
    expect(visited[199]).toBe(199);
  });

  it('of many nodes looks at some', () => {
    const scheduler = kubeScheduler.make({ percentageOfNodesToScore: 5 }, { rng: testRng(1) });
    // The best node is the last, beyond the first hundred.
    const nodes = range(200).map((index) => node(index, cores(index === 199 ? 8000 : 1000)));
    expect(scheduler.schedule(cpu(9, 100), cluster(nodes), 0).node).toBeLessThan(100);
    expect(scheduler.schedule(cpu(9, 100), cluster(nodes), 0).node).toBe(199);
  });
});

describe('kube-scheduler', () => {
  it('spreads by default, and packs if told to', () => {
    const nodes = range(3).map((index) => node(index, cores(1000)));
    const pods = [[cpu(1, 100)], [cpu(2, 500)], [cpu(3, 300)]];
    const choose = (params: Parameters<typeof kubeScheduler.make>[0]): number =>
      kubeScheduler.make(params, { rng: unusedRng }).schedule(cpu(9, 200), cluster(nodes, pods), 0).node;
    expect(choose({})).toBe(0);
    expect(choose({ scoringStrategy: 'MostAllocated' })).toBe(1);
    // Best at 60 percent, which is node 2 with the pod at 50.
    expect(choose({ scoringStrategy: 'RequestedToCapacityRatio', shape: '0=0, 50=10, 100=0' })).toBe(2);
  });

  it('lets weights decide between scores that disagree', () => {
    const tainted = node(0, { ...cores(4000), taints: [{ key: 'old', value: '', effect: 'PreferNoSchedule' }] });
    const world = cluster([tainted, node(1, cores(1000))], [[], [cpu(1, 800)]]);
    const choose = (taintTolerationWeight: number): number =>
      kubeScheduler.make({ taintTolerationWeight }, { rng: unusedRng }).schedule(cpu(9, 200), world, 0).node;
    expect([choose(3), choose(0)]).toEqual([1, 0]);
  });

  it('takes one of the best at random', () => {
    const scheduler = kubeScheduler.make({}, { rng: testRng(7) });
    const world = cluster(range(4).map((index) => node(index, cores(index === 3 ? 1000 : 4000))));
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 3000; i++) counts[scheduler.schedule(cpu(9, 500), world, 0).node]++;
    // 1000 each, standard deviation 26, in a fixed sequence of draws.
    for (const count of counts.slice(0, 3)) expect(Math.abs(count - 1000)).toBeLessThan(130);
    expect(counts[3]).toBe(0);
  });

  it('draws among the best in the order of their numbers, however they are listed', () => {
    const nodes = range(5).map((index) => node(index, cores(1000)));
    const chosen = (listed: typeof nodes): number[] => {
      const scheduler = kubeScheduler.make({}, { rng: testRng(6) });
      return range(20).map(() => scheduler.schedule(cpu(9, 100), cluster(listed), 0).node);
    };
    expect(chosen(nodes.toReversed())).toEqual(chosen(nodes));
    expect(new Set(chosen(nodes)).size).toBe(5);
  });

  it('says why each node was refused, and what may change it', () => {
    const nodes = [
      node(0, cores(100)),
      node(1, { ...cores(4000), taints: [{ key: 'gpu', value: 'yes', effect: 'NoSchedule' }] }),
      node(2, cores(100)),
    ];
    const answer = kubeScheduler.make({}, { rng: unusedRng }).schedule(cpu(9, 500), cluster(nodes), 0);
    expect(answer).toEqual({
      node: NO_PLACE,
      refusals: { 'Insufficient cpu': 2, 'node(s) had untolerated taint {gpu: yes}': 1 },
      retryOn: ['pod-delete', 'node-add', 'node-allocatable', 'node-taints'],
    });
  });

  it('spreads over zones where it must', () => {
    const scheduler = kubeScheduler.make({}, { rng: testRng(3) });
    const zones = ['a', 'a', 'a', 'b', 'c'];
    const nodes = zones.map((zone, index) => node(index, { ...cores(4000), labels: { zone } }));
    const pods = nodes.map(() => [] as ReturnType<typeof pod>[]);
    for (let number = 0; number < 12; number++) {
      const web = cpu(number, 100, { labels: { app: 'web' }, spread: [hard('zone', 1, { app: 'web' })] });
      pods[scheduler.schedule(web, cluster(nodes, pods), 0).node].push(web);
    }
    const perZone = ['a', 'b', 'c'].map((zone) =>
      nodes.reduce((sum, { labels }, index) => sum + (labels.zone === zone ? pods[index].length : 0), 0),
    );
    expect(perZone).toEqual([4, 4, 4]);
  });
});

describe('nominations', () => {
  const nodes = [node(0, cores(1000)), node(1, cores(1000))];

  it('give a pod the node where room was made, though another would be better', () => {
    const scheduler = kubeScheduler.make({}, { rng: unusedRng });
    const world = cluster(nodes, [[cpu(1, 400)], []]);
    expect(scheduler.schedule(cpu(9, 500, { nominatedNode: 0 }), world, 0).node).toBe(0);
    expect(scheduler.schedule(cpu(9, 500), world, 0).node).toBe(1);
  });

  it('keep those that are not more important from taking the room', () => {
    const scheduler = kubeScheduler.make({}, { rng: unusedRng });
    const coming = cpu(5, 800, { priority: 10 });
    const world = cluster(nodes.slice(0, 1), [[]], { nominatedTo: () => [coming] });
    expect(scheduler.schedule(cpu(9, 500, { priority: 10 }), world, 0).node).toBe(NO_PLACE);
    expect(scheduler.schedule(cpu(9, 500, { priority: 11 }), world, 0).node).toBe(0);
    expect(scheduler.schedule(coming, world, 0).node).toBe(0);
  });

  it('change nothing on nodes that nobody is promised', () => {
    const scheduler = kubeScheduler.make({}, { rng: unusedRng });
    const world = cluster(nodes, [[cpu(1, 900)], [cpu(2, 400)]], { nominatedTo: () => [] });
    expect(scheduler.schedule(cpu(9, 500), world, 0)).toMatchObject({ node: 1, refusals: { 'Insufficient cpu': 1 } });
  });

  it('evict nobody else while the first victims are still going', () => {
    const scheduler = kubeScheduler.make({}, { rng: unusedRng });
    const asked = cpu(9, 900, { priority: 10, nominatedNode: 0 });
    const going = cluster(nodes, [[cpu(1, 900, { isTerminating: true })], [cpu(2, 900)]]);
    expect(scheduler.schedule(asked, going, 0).preemption).toBeUndefined();
    const staying = cluster(nodes, [[cpu(1, 900)], [cpu(2, 900)]]);
    expect(scheduler.schedule(asked, staying, 0).preemption).toEqual({ node: 0, victims: [1] });
  });
});

describe('latency-aware', () => {
  it('fills near nodes first, then goes further rather than crowd them', () => {
    const scheduler = latencyAware.make({}, { rng: testRng(5) });
    const nodes = [
      node(0, { ...cores(1000), latencyMs: 1 }),
      node(1, { ...cores(1000), latencyMs: 12 }),
      node(2, { ...cores(1000), latencyMs: 80 }),
    ];
    const pods = nodes.map(() => [] as ReturnType<typeof pod>[]);
    const order: number[] = [];
    for (let number = 0; number < 12; number++) {
      const asked = cpu(number, 250);
      const { node: chosen } = scheduler.schedule(asked, cluster(nodes, pods), 0);
      pods[chosen].push(asked);
      order.push(chosen);
    }
    expect(order).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
  });

  it('weighs nearness against room', () => {
    const nodes = [node(0, { ...cores(1000), latencyMs: 1 }), node(1, { ...cores(1000), latencyMs: 2 })];
    const world = cluster(nodes, [[cpu(1, 700)], []]);
    const choose = (latencyWeight: number): number =>
      latencyAware.make({ latencyWeight }, { rng: unusedRng }).schedule(cpu(9, 100), world, 0).node;
    // 90 and 83 points for nearness, 20 and 90 for room.
    expect([choose(1), choose(50)]).toEqual([1, 0]);
  });
});

describe('performance-aware', () => {
  it('fills fast nodes first, until slow ones are the quicker for being empty', () => {
    const scheduler = performanceAware.make({}, { rng: testRng(5) });
    const nodes = [node(0, { ...cores(1000), speed: 2 }), node(1, { ...cores(1000), speed: 1 })];
    const pods = nodes.map(() => [] as ReturnType<typeof pod>[]);
    const order = range(8).map((number) => {
      const asked = cpu(number, 200);
      const { node: chosen } = scheduler.schedule(asked, cluster(nodes, pods), 0);
      pods[chosen].push(asked);
      return chosen;
    });
    // Speed left with the next pod: 1.6, 1.2, then 0.8 against 0.8 of the empty slow one, where there is more room.
    expect(order.slice(0, 3)).toEqual([0, 0, 1]);
  });
});
