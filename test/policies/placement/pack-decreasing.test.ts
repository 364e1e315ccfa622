/** First fit decreasing: known packings, and its bounds against the best packing there is. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packDecreasing, type Resources } from '../../../src/policies/placement/index.ts';

const cpus = (...sizes: number[]): Resources[] => sizes.map((cpu) => ({ cpu }));

describe('packing on paper', () => {
  it('puts large ones first', () => {
    expect(packDecreasing(cpus(3, 3, 3, 3, 7, 7, 7, 7), { cpu: 10 })).toEqual({
      nodes: 4,
      lowerBound: 4,
      assignment: [0, 1, 2, 3, 0, 1, 2, 3],
    });
  });

  it('is not perfect, and says how far off it can be', () => {
    // The known bad case: 44, 24, 24, 22, 21, 17, 8, 8, 6, 6 on nodes of 61 fit on three; first fit decreasing takes four.
    const packing = packDecreasing(cpus(44, 24, 24, 22, 21, 17, 8, 8, 6, 6), { cpu: 61 });
    expect([packing.lowerBound, packing.nodes]).toEqual([3, 4]);
  });

  it('counts pods that take more than half of a node one by one', () => {
    // Together they are 3.06 nodes, but no two share one.
    expect(packDecreasing(cpus(51, 51, 51, 51, 51, 51), { cpu: 100 }).lowerBound).toBe(6);
    // 70s leave 30 each, too little for the 40s, of which two share a node.
    expect(packDecreasing(cpus(70, 70, 40, 40), { cpu: 100 })).toMatchObject({ nodes: 3, lowerBound: 3 });
  });

  it('looks at every resource, and at the number of pods', () => {
    const pods = [
      { cpu: 9, memory: 1 },
      { cpu: 1, memory: 9 },
      { cpu: 9, memory: 1 },
      { cpu: 1, memory: 9 },
    ];
    expect(packDecreasing(pods, { cpu: 10, memory: 10 })).toMatchObject({ nodes: 2, lowerBound: 2 });
    expect(packDecreasing(pods, { cpu: 10, memory: 10, pods: 1 })).toMatchObject({ nodes: 4, lowerBound: 4 });
  });

  it('leaves out what no node is large enough for', () => {
    const pods = [{ cpu: 11 }, { cpu: 1 }, { gpu: 1 }, {}];
    expect(packDecreasing(pods, { cpu: 10 })).toEqual({ nodes: 1, lowerBound: 1, assignment: [-1, 0, -1, 0] });
    expect(packDecreasing([], { cpu: 10 })).toEqual({ nodes: 0, lowerBound: 0, assignment: [] });
  });

  it('stays within 11/9 of the best packing and 6/9, and the lower bound below it', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 9 }), (sizes) => {
        const { nodes, lowerBound, assignment } = packDecreasing(cpus(...sizes), { cpu: 20 });
        const best = fewest(sizes, 20);
        expect(lowerBound).toBeLessThanOrEqual(best);
        expect(best).toBeLessThanOrEqual(nodes);
        expect(9 * nodes).toBeLessThanOrEqual(11 * best + 6);
        const used = Array.from({ length: nodes }, () => 0);
        assignment.forEach((place, index) => (used[place] += sizes[index]));
        expect(used.every((sum) => sum > 0 && sum <= 20)).toBe(true);
      }),
      { seed: 3, numRuns: 300 },
    );
  });

  it('overloads no node in any resource, and no packing beats the lower bound by the most wanted one', () => {
    const amount = fc.integer({ min: 0, max: 40 });
    const pods = fc.array(fc.record({ cpu: amount, memory: amount, disk: amount }), { minLength: 1, maxLength: 30 });
    const node = { cpu: 50, memory: 60, disk: 70, pods: 6 };
    fc.assert(
      fc.property(pods, (drawn) => {
        const { nodes, lowerBound, assignment } = packDecreasing(drawn, node);
        for (let place = 0; place < nodes; place++) {
          const there = drawn.filter((_, index) => assignment[index] === place);
          expect(there.length).toBeGreaterThan(0);
          expect(there.length).toBeLessThanOrEqual(node.pods);
          for (const resource of ['cpu', 'memory', 'disk'] as const)
            expect(there.reduce((sum, each) => sum + each[resource], 0)).toBeLessThanOrEqual(node[resource]);
        }
        const sums = [...(['cpu', 'memory', 'disk'] as const)].map(
          (resource) => drawn.reduce((sum, each) => sum + each[resource], 0) / node[resource],
        );
        expect(lowerBound).toBeGreaterThanOrEqual(Math.max(...sums));
        expect(lowerBound).toBeLessThanOrEqual(nodes);
      }),
      { seed: 8, numRuns: 200 },
    );
  });
});

/** The fewest bins, by trying everything: each item in turn into every open bin or a new one. */
function fewest(sizes: readonly number[], capacity: number): number {
  let best = sizes.length;
  const bins: number[] = [];
  const place = (index: number): void => {
    if (bins.length >= best) return;
    if (index === sizes.length) {
      best = bins.length;
      return;
    }
    for (let bin = 0; bin < bins.length; bin++) {
      if (bins[bin] + sizes[index] > capacity) continue;
      bins[bin] += sizes[index];
      place(index + 1);
      bins[bin] -= sizes[index];
    }
    bins.push(sizes[index]);
    place(index + 1);
    bins.pop();
  };
  place(0);
  return best;
}
