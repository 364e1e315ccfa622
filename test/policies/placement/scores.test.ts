/** Which nodes are better, in points; expected values are worked out by hand from the formulas. Rows of upstream tests are in
 *  `test/vectors`. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InputError } from '../../../src/core/errors.ts';
import { kubeScheduler, type NodeView, type PodView } from '../../../src/policies/placement/index.ts';
import { HOSTNAME_LABEL, ZONE_LABEL } from '../../../src/policies/placement/well-known-labels.ts';
import { NodeState } from '../../../src/policies/placement/parts/node-state.ts';
import { balancedAllocation } from '../../../src/policies/placement/scores/balanced-allocation.ts';
import { leastAllocated } from '../../../src/policies/placement/scores/least-allocated.ts';
import { mostAllocated } from '../../../src/policies/placement/scores/most-allocated.ts';
import { nearness } from '../../../src/policies/placement/scores/latency.ts';
import { performance } from '../../../src/policies/placement/scores/performance.ts';
import { parseShape, requestedToCapacityRatio } from '../../../src/policies/placement/scores/requested-to-capacity-ratio.ts';
import type { ScorePlugin } from '../../../src/policies/placement/scores/score.ts';
import { preferredTaints } from '../../../src/policies/placement/scores/taint-toleration.ts';
import { topologySpreadScore } from '../../../src/policies/placement/scores/topology-spread.ts';
import { unusedRng } from '../fixtures.ts';
import { cpu, GIB, node, pod } from './bed.ts';

const both = [
  { resource: 'cpu', weight: 1 },
  { resource: 'memory', weight: 1 },
];
const MIB = 1024 * 1024;
const scores = (plugin: ScorePlugin, asked: PodView, nodes: readonly NodeView[], pods: readonly (readonly PodView[])[] = []) => {
  const states = nodes.map((view, index) => new NodeState(view, pods[index] ?? []));
  return plugin.score(asked, states, states);
};

describe('scores by resources', () => {
  const view = node(0, { allocatable: { cpu: 1000, memory: 1000 * MIB } });

  it('take pods that say nothing for 100 thousandths of a core and 200 MiB', () => {
    // cpu (1000 − 200) / 1000, memory (1000 − 400) / 1000.
    expect(scores(leastAllocated(both), pod(9), [view], [[pod(1)]])).toEqual([70]);
    expect(scores(mostAllocated(both), pod(9), [view], [[pod(1)]])).toEqual([30]);
    expect(scores(leastAllocated(both), pod(9, { requests: { cpu: 0, memory: 0 } }), [view])).toEqual([100]);
  });

  it('balance only what is asked for, and prefer the change for the better', () => {
    expect(scores(balancedAllocation(['cpu', 'memory'], 'balance'), pod(9), [view], [[pod(1)]])).toEqual([100]);
    expect(scores(balancedAllocation(['cpu', 'memory'], 'change'), pod(9), [view], [[cpu(1, 500)]])).toEqual([0]);
    // Before: cpu 0.5, memory 0, so 75 points. After: cpu 0.5, memory 0.5, so 100 points. (150 + 100 − 75) / 2 = 87.5.
    const memory = pod(9, { requests: { memory: 500 * MIB } });
    expect(scores(balancedAllocation(['cpu', 'memory'], 'change'), memory, [view], [[cpu(1, 500)]])).toEqual([87]);
  });

  it('along a line leave out what the line gives nothing', () => {
    // cpu at 50 percent gives 5 of 10; memory at 0 gives nothing, and does not count.
    const plugin = requestedToCapacityRatio(both, parseShape('shape', '0=0, 100=10'));
    expect(scores(plugin, pod(9, { requests: { cpu: 500, memory: 0 } }), [view])).toEqual([50]);
    expect(scores(plugin, pod(9, { requests: { cpu: 0, memory: 0 } }), [view])).toEqual([0]);
  });

  it('leave out special resources that the pod does not ask for', () => {
    const gpu = node(0, { allocatable: { cpu: 1000, 'example.com/gpu': 4 } });
    const resources = [...both, { resource: 'example.com/gpu', weight: 10 }];
    const asking = pod(9, { requests: { cpu: 500, 'example.com/gpu': 1 } });
    expect(scores(leastAllocated(resources), cpu(9, 500), [gpu])).toEqual([50]);
    // (1 · 50 + 10 · 75) / 11 = 72.7; the node has no memory, which is left out too.
    expect(scores(leastAllocated(resources), asking, [gpu])).toEqual([72]);
  });

  it('stay from 0 to 100 and whole, whatever the node holds', () => {
    const amount = fc.integer({ min: 0, max: 5000 });
    const plugins = [
      leastAllocated(both),
      mostAllocated(both),
      requestedToCapacityRatio(both, parseShape('shape', '0=10, 40=0, 100=7')),
      balancedAllocation(['cpu', 'memory', 'disk'], 'balance'),
      balancedAllocation(['cpu', 'memory', 'disk'], 'change'),
      performance(0.7),
      nearness(3),
      topologySpreadScore('System'),
      preferredTaints,
    ];
    const requests = fc.record({ cpu: amount, memory: amount, disk: amount }, { requiredKeys: [] });
    fc.assert(
      fc.property(fc.array(fc.tuple(requests, requests, amount), { minLength: 1, maxLength: 6 }), requests, (nodes, asked) => {
        const views = nodes.map(([allocatable, , far], index) =>
          node(index, {
            allocatable,
            speed: far / 1000,
            latencyMs: far,
            labels: { [HOSTNAME_LABEL]: `${index}`, ...(far % 3 === 0 ? {} : { [ZONE_LABEL]: `${far % 3}` }) },
          }),
        );
        const pods = nodes.map(([, present], index) => [pod(index, { requests: present, labels: { app: 'web' } })]);
        for (const plugin of plugins) {
          const points = scores(plugin, pod(99, { requests: asked, labels: { app: 'web' } }), views, pods);
          expect(points).toHaveLength(views.length);
          for (const point of points) expect(Number.isInteger(point) && point >= 0 && point <= 100).toBe(true);
        }
      }),
      { seed: 11, numRuns: 300 },
    );
  });
});

describe('soft spreading', () => {
  const views = [
    node(0, { labels: { [HOSTNAME_LABEL]: 'n0', [ZONE_LABEL]: 'a' } }),
    node(1, { labels: { [HOSTNAME_LABEL]: 'n1', [ZONE_LABEL]: 'a' } }),
    node(2, { labels: { [HOSTNAME_LABEL]: 'n2', [ZONE_LABEL]: 'b' } }),
    node(3, { labels: { [HOSTNAME_LABEL]: 'n3' } }),
  ];
  const web = (number: number): PodView => pod(number, { labels: { app: 'web' } });

  it('is by the defaults of the cluster where a pod has none, also over nodes without a zone', () => {
    // n0: 1 · ln 6 + 2 and 2 · ln 5 + 4, together 11.01; n1: the same; n2: 2 + 4; n3: hostname only, 2 · ln 6 + 2 = 5.58.
    // As whole numbers 11, 11, 6, 6, normalised 100 · (11 + 6 − raw) / 11.
    expect(scores(topologySpreadScore('System'), web(9), views, [[web(1)], [web(2)], [], [web(3), web(4)]])).toEqual([
      54, 54, 100, 100,
    ]);
  });

  it('says nothing without defaults, or for a pod without labels', () => {
    expect(scores(topologySpreadScore('List'), web(9), views, [[web(1)]])).toEqual([0, 0, 0, 0]);
    expect(scores(topologySpreadScore('System'), pod(9), views, [[web(1)]])).toEqual([0, 0, 0, 0]);
  });

  it('gives nodes without a key of the pod’s own constraints nothing', () => {
    const asked = pod(9, {
      labels: { app: 'web' },
      spread: [{ topologyKey: ZONE_LABEL, maxSkew: 1, whenUnsatisfiable: 'ScheduleAnyway', selector: { app: 'web' } }],
    });
    // Zones a and b hold 2 and 0: 2 · ln 4 rounds to 3, and 0.
    expect(scores(topologySpreadScore('System'), asked, views, [[web(1)], [web(2)], [], []])).toEqual([0, 0, 100, 0]);
  });
});

describe('taints that are only preferences', () => {
  it('cost points by their number, if nothing tolerates them', () => {
    const taint = (key: string, effect: 'PreferNoSchedule' | 'NoSchedule' = 'PreferNoSchedule') => ({ key, value: '', effect });
    const views = [[taint('a'), taint('b'), taint('c')], [taint('a'), taint('d', 'NoSchedule')], [taint('b')], []].map(
      (taints, index) => node(index, { taints }),
    );
    const asked = pod(9, {
      tolerations: [
        { key: 'b', operator: 'Exists' },
        { key: 'a', operator: 'Exists', effect: 'NoSchedule' },
      ],
    });
    // 2, 1, 0 and 0 are left.
    expect(scores(preferredTaints, asked, views)).toEqual([0, 50, 100, 100]);
    expect(scores(preferredTaints, asked, [node(0), node(1)])).toEqual([100, 100]);
  });
});

describe('nearness', () => {
  it('halves at its distance, and does not depend on what other nodes there are', () => {
    const at = (latencyMs: number): NodeView => node(0, { latencyMs });
    expect(scores(nearness(10), pod(9), [at(0), at(10), at(30), at(990)])).toEqual([100, 50, 25, 1]);
    expect(scores(nearness(10), pod(9), [at(10)])).toEqual([50]);
  });
});

describe('performance', () => {
  const fast = node(0, { speed: 2, allocatable: { cpu: 1000 } });
  const slow = node(1, { speed: 1, allocatable: { cpu: 1000 } });

  it('is the speed that is left, so that a full fast node loses to an empty slow one', () => {
    // 2 · 0.8 and 1 · 0.8.
    expect(scores(performance(1), cpu(9, 200), [fast, slow])).toEqual([100, 50]);
    // 2 · 0.2 and 1 · 0.8.
    expect(scores(performance(1), cpu(9, 200), [fast, slow], [[cpu(1, 600)]])).toEqual([50, 100]);
    expect(scores(performance(0), cpu(9, 200), [fast, slow], [[cpu(1, 600)]])).toEqual([100, 50]);
  });

  it('makes no difference between nodes that have nothing left', () => {
    expect(scores(performance(1), cpu(9, 1000), [fast, slow])).toEqual([100, 100]);
  });
});

describe('settings of the scores', () => {
  it.each([
    { resources: 'cpu' },
    { resources: 'cpu=0' },
    { resources: 'cpu=1, cpu=2' },
    { resources: '' },
    { scoringStrategy: 'RequestedToCapacityRatio', shape: '0=11' },
    { scoringStrategy: 'RequestedToCapacityRatio', shape: '50=1, 50=2' },
    { scoringStrategy: 'RequestedToCapacityRatio', shape: '101=1' },
  ] as const)('%j is refused', (params) => {
    expect(() => kubeScheduler.make(params, { rng: unusedRng })).toThrow(InputError);
  });

  it('weigh', () => {
    const asked = cpu(9, 1000);
    const nodes = [node(0, { allocatable: { cpu: 2000, memory: GIB } }), node(1, { allocatable: { cpu: 4000, memory: GIB } })];
    const weighed = [
      { resource: 'cpu', weight: 3 },
      { resource: 'memory', weight: 1 },
    ];
    // Memory: (1024 − 200) / 1024 of each, 80 points; (3 · 50 + 80) / 4 and (3 · 75 + 80) / 4.
    expect(scores(leastAllocated(weighed), asked, nodes)).toEqual([57, 76]);
  });
});
