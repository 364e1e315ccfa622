/** The packers, each by what tells it from the others. */
import { describe, expect, it } from 'vitest';
import type { Rng } from '../../../src/core/rng.ts';
import { InputError } from '../../../src/core/errors.ts';
import {
  bestFit,
  dotProduct,
  firstFit,
  nextFit,
  nomadBinpack,
  nomadSpread,
  type NodeView,
  type PodView,
  randomFit,
  type Scheduler,
  worstFit,
} from '../../../src/policies/placement/index.ts';
import { NodeState } from '../../../src/policies/placement/parts/node-state.ts';
import { antiAffinityScore, binpackScore, spreadScore } from '../../../src/policies/placement/parts/nomad-stack.ts';
import { testRng, unusedRng } from '../fixtures.ts';
import { cluster, cpu, node, pod } from './bed.ts';

const cores = (milli: number) => ({ allocatable: { cpu: milli } });
const choose = (
  scheduler: Scheduler,
  asked: PodView,
  nodes: readonly NodeView[],
  pods: readonly (readonly PodView[])[] = [],
): number => scheduler.schedule(asked, cluster(nodes, pods), 0).node;

/** The nodes that pods of these sizes get, one after the other, on nodes of ten cores. */
function places(scheduler: Scheduler, sizes: readonly number[]): number[] {
  const nodes = [0, 1, 2, 3].map((number) => node(number, cores(10)));
  const pods = nodes.map(() => [] as PodView[]);
  return sizes.map((size, number) => {
    const chosen = choose(scheduler, cpu(number, size), nodes, pods);
    pods[chosen].push(cpu(number, size));
    return chosen;
  });
}

describe('one resource', () => {
  const sizes = [4, 7, 3, 3, 6, 3];
  const deps = { rng: unusedRng };
  it.each([
    ['first fit looks for the first gap', firstFit.make({}, deps), [0, 1, 0, 0, 2, 1]],
    ['best fit for the smallest', bestFit.make({}, deps), [0, 1, 1, 0, 2, 0]],
    ['worst fit for the largest', worstFit.make({}, deps), [0, 1, 2, 3, 2, 3]],
    ['next fit does not look back', nextFit.make({}, deps), [0, 1, 1, 2, 2, 3]],
  ])('%s', (_, scheduler, expected) => expect(places(scheduler, sizes)).toEqual(expected));

  it('tells best from first fit: a gap that is just large enough is taken first', () => {
    const nodes = [node(0, cores(10)), node(1, cores(10)), node(2, cores(10))];
    const pods = [[cpu(1, 4)], [cpu(2, 7)], []];
    expect(choose(firstFit.make({}, deps), cpu(9, 3), nodes, pods)).toBe(0);
    expect(choose(bestFit.make({}, deps), cpu(9, 3), nodes, pods)).toBe(1);
    expect(choose(worstFit.make({}, deps), cpu(9, 3), nodes, pods)).toBe(2);
  });

  it('next fit comes round, and starts over if its node is gone', () => {
    const scheduler = nextFit.make({}, deps);
    expect(places(scheduler, [6, 6, 6, 6, 4])).toEqual([0, 1, 2, 3, 3]);
    const nodes = [node(0, cores(10)), node(1, cores(10))];
    expect(choose(scheduler, cpu(9, 1), nodes)).toBe(0);
    expect(choose(scheduler, cpu(9, 8), nodes, [[cpu(1, 5)], []])).toBe(1);
    expect(choose(scheduler, cpu(9, 8), nodes, [[], [cpu(1, 5)]])).toBe(0);
  });

  it('random fit takes each node that has room with the same chance', () => {
    const scheduler = randomFit.make({}, { rng: testRng(4) });
    const nodes = [0, 1, 2, 3].map((number) => node(number, cores(number === 2 ? 1 : 10)));
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 3000; i++) counts[choose(scheduler, cpu(9, 5), nodes)]++;
    // 1000 each, standard deviation 26, in a fixed sequence of draws.
    for (const index of [0, 1, 3]) expect(Math.abs(counts[index] - 1000)).toBeLessThan(130);
    expect(counts[2]).toBe(0);
  });
});

describe('several resources', () => {
  const view = (number: number, cpuFree: number, memoryFree: number): [NodeView, PodView[]] => [
    node(number, { allocatable: { cpu: 100, memory: 100 } }),
    [pod(number, { requests: { cpu: 100 - cpuFree, memory: 100 - memoryFree } })],
  ];
  const world = (...views: [NodeView, PodView[]][]): [NodeView[], PodView[][]] => [
    views.map(([each]) => each),
    views.map(([, pods]) => pods),
  ];
  const asked = pod(9, { requests: { cpu: 10, memory: 20 } });
  const deps = { rng: unusedRng };

  it('are compared by the fullest, or by the mean', () => {
    // With the pod, node 0 is 30 and 90 percent full (mean 60), node 1 80 and 80.
    const [nodes, pods] = world(view(0, 80, 30), view(1, 30, 40));
    expect(choose(bestFit.make({}, deps), asked, nodes, pods)).toBe(0);
    expect(choose(bestFit.make({ measure: 'mean' }, deps), asked, nodes, pods)).toBe(1);
    expect(choose(worstFit.make({}, deps), asked, nodes, pods)).toBe(1);
    expect(choose(worstFit.make({ measure: 'mean' }, deps), asked, nodes, pods)).toBe(0);
    expect(choose(bestFit.make({ resources: 'cpu' }, deps), asked, nodes, pods)).toBe(1);
    expect(() => bestFit.make({ resources: 'cpu,' }, deps)).toThrow(InputError);
  });

  it('are matched by direction with the dot product', () => {
    // Memory counts double for this pod: 0.1 · 0.9 + 0.2 · 0.3 = 0.15 against 0.1 · 0.3 + 0.2 · 0.9 = 0.21.
    const [nodes, pods] = world(view(0, 90, 30), view(1, 30, 90));
    expect(choose(dotProduct.make({}, deps), asked, nodes, pods)).toBe(1);
    expect(choose(dotProduct.make({}, deps), pod(9, { requests: { cpu: 20, memory: 10 } }), nodes, pods)).toBe(0);
  });

  it('the dot product keeps resources from being stranded, worst fit by one of them does not', () => {
    const scheduler = dotProduct.make({}, deps);
    const nodes = [0, 1].map((number) => node(number, { allocatable: { cpu: 100, memory: 100 } }));
    const pods = nodes.map(() => [] as PodView[]);
    let placed = 0;
    for (let number = 0; number < 40; number++) {
      const each = pod(number, { requests: number % 2 === 0 ? { cpu: 9, memory: 1 } : { cpu: 1, memory: 9 } });
      const chosen = choose(scheduler, each, nodes, pods);
      if (chosen < 0) break;
      pods[chosen].push(each);
      placed++;
    }
    // Ten of each kind fill a node exactly.
    expect(placed).toBe(40);
  });
});

describe('Nomad', () => {
  const fitOf = (usedCpu: number, usedMemory: number): [number, number] => {
    const state = new NodeState(node(0, { allocatable: { cpu: 2048, memory: 4096 } }), []);
    const asked = pod(9, { requests: { cpu: usedCpu, memory: usedMemory } });
    return [18 * binpackScore(asked, state), 18 * spreadScore(asked, state)];
  };

  // The rows of nomad/structs/funcs_test.go, TestScoreFitBinPack.
  it.each([
    ['a full node', 2048, 4096, 18, 0],
    ['an empty one', 0, 0, 0, 18],
    ['one half full', 1024, 2048, 13.675, 4.325],
  ])('scores %s', (_, usedCpu, usedMemory, binpack, spread) => {
    const [packed, spreadOut] = fitOf(usedCpu, usedMemory);
    expect(packed).toBeCloseTo(binpack, 3);
    expect(spreadOut).toBeCloseTo(spread, 3);
  });

  it('takes points for companions', () => {
    expect([0, 1, 3].map((companions) => antiAffinityScore(companions, 4))).toEqual([undefined, -0.5, -1]);
  });

  const web = (number: number, milli: number, app = 'web'): PodView =>
    cpu(number, milli, { labels: { app, version: `${number}` } });

  it('fills nodes but keeps companions apart, or spreads', () => {
    const nodes = [0, 1].map((number) => node(number, { allocatable: { cpu: 1000, memory: 1000 } }));
    const rng = testRng(2);
    const pods = [[web(1, 500)], [web(2, 300, 'other')]];
    const packing = nomadBinpack.make({ groupLabel: 'app' }, { rng });
    // All labels together make every pod a group of its own here: the fuller node wins.
    expect(choose(nomadBinpack.make({}, { rng }), web(9, 100), nodes, pods)).toBe(0);
    // One companion of two: (fit − 2/2) / 2 is below any fit.
    expect(choose(packing, web(9, 100), nodes, pods)).toBe(1);
    expect(choose(packing, web(9, 100, 'third'), nodes, pods)).toBe(0);
    expect(choose(nomadSpread.make({ groupLabel: 'app' }, { rng }), web(9, 100, 'third'), nodes, pods)).toBe(1);
  });

  it('takes the mean of fit and penalty, and the larger the group the smaller the penalty', () => {
    const nodes = [0, 1, 2].map((number) => node(number, { allocatable: { cpu: 1000, memory: 1000 } }));
    const used = (number: number, share: number, app: string): PodView =>
      pod(number, { labels: { app }, requests: { cpu: share, memory: share } });
    const asked = used(99, 100, 'web');
    const chosen = (groupOnFullNode: number): number => {
      const elsewhere = Array.from({ length: groupOnFullNode }, (_, index) => used(10 + index, 1000 / groupOnFullNode, 'web'));
      const pods = [[used(1, 900, 'web')], [used(2, 300, 'other')], elsewhere];
      return choose(nomadBinpack.make({ groupLabel: 'app' }, { rng: testRng(2) }), asked, nodes, pods);
    };
    // Fits: 1 for node 0, (20 − 2 · 10^0.6) / 18 = 0.67 for node 1. A group of ten: (1 − 0.2) / 2 = 0.4 for node 0, though 1 − 0.2 is more.
    expect(chosen(8)).toBe(1);
    // Never more than half, however large the group.
    expect(chosen(200)).toBe(1);
  });

  it('looks at few nodes only: two for a batch job, the logarithm for a service', () => {
    // No shuffling: the last of each draw stays where it is.
    const asIs: Rng = { ...unusedRng, below: (n) => n - 1 };
    const nodes = Array.from({ length: 32 }, (_, number) => node(number, { allocatable: { cpu: 1000, memory: 1000 } }));
    const fullerBy = (best: number): PodView[][] =>
      nodes.map((_, number) => [pod(number, { requests: { cpu: number === best ? 800 : 300 } })]);
    const chosen = (jobType: 'service' | 'batch', best: number): number =>
      choose(nomadBinpack.make({ jobType }, { rng: asIs }), cpu(99, 100), nodes, fullerBy(best));
    expect([1, 2].map((best) => chosen('batch', best))).toEqual([1, 0]);
    expect([4, 5].map((best) => chosen('service', best))).toEqual([4, 0]);
  });

  it('sets up to three nodes without a positive score aside first', () => {
    const asIs: Rng = { ...unusedRng, below: (n) => n - 1 };
    const nodes = Array.from({ length: 8 }, (_, number) => node(number, { allocatable: { cpu: 1000, memory: 1000 } }));
    // Companions everywhere but on two nodes, of which the fourth comes within reach only because three are set aside.
    const pods = nodes.map((_, number) => [web(number, 100, number === 4 ? 'other' : 'web')]);
    const scheduler = nomadBinpack.make({ jobType: 'batch', groupLabel: 'app' }, { rng: asIs });
    expect(choose(scheduler, web(99, 100), nodes, pods)).toBe(4);
    const further = nodes.map((_, number) => [web(number, 100, number === 5 ? 'other' : 'web')]);
    expect(choose(scheduler, web(99, 100), nodes, further)).toBe(3);
  });
});
