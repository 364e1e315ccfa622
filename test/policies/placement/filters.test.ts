/** Where a pod may run at all. */
import { describe, expect, it } from 'vitest';
import { chained, type FilterPlugin } from '../../../src/policies/placement/filters/filter.ts';
import { nodeResourcesFit } from '../../../src/policies/placement/filters/node-resources-fit.ts';
import { nodeSelector } from '../../../src/policies/placement/filters/node-selector.ts';
import { taintToleration, tolerates } from '../../../src/policies/placement/filters/taint-toleration.ts';
import { topologySpread } from '../../../src/policies/placement/filters/topology-spread.ts';
import type { NodeView, PodView, Taint, Toleration } from '../../../src/policies/placement/index.ts';
import { defaultFilters } from '../../../src/policies/placement/parts/filtering-scheduler.ts';
import { NodeState } from '../../../src/policies/placement/parts/node-state.ts';
import { cpu, GIB, hard, node, pod } from './bed.ts';

/** The refusal of one node by one filter. */
const refusal = (filter: FilterPlugin, asked: PodView, view: NodeView, pods: readonly PodView[] = []) =>
  filter.prepare(asked, [new NodeState(view, pods)])(new NodeState(view, pods));

describe('the resources filter', () => {
  const view = node(0, { allocatable: { cpu: 1000, memory: GIB, pods: 3 } });

  it('lets in what fits to the last unit, and nothing above', () => {
    expect(refusal(nodeResourcesFit, cpu(9, 400), view, [cpu(1, 600)])).toBeUndefined();
    expect(refusal(nodeResourcesFit, cpu(9, 401), view, [cpu(1, 600)])).toEqual({
      reasons: ['Insufficient cpu'],
      isFinal: false,
    });
  });

  it('names everything that is lacking, and knows when no eviction would help', () => {
    const large = pod(9, { requests: { cpu: 500, memory: 2 * GIB, 'example.com/gpu': 1 } });
    const present = [cpu(1, 300), cpu(2, 300), cpu(3, 300)];
    expect(refusal(nodeResourcesFit, large, view, present)).toEqual({
      reasons: ['Too many pods', 'Insufficient cpu', 'Insufficient memory', 'Insufficient example.com/gpu'],
      isFinal: true,
    });
  });

  it('lets a pod that asks for nothing onto a node that was given away twice', () => {
    expect(refusal(nodeResourcesFit, pod(9), view, [cpu(1, 3000)])).toBeUndefined();
    expect(refusal(nodeResourcesFit, cpu(9, 0), view, [cpu(1, 3000)])).toBeUndefined();
  });

  it('counts pods only where the node says how many it takes', () => {
    const crowd = Array.from({ length: 500 }, (_, index) => pod(index));
    expect(refusal(nodeResourcesFit, pod(999), node(0, { allocatable: {} }), crowd)).toBeUndefined();
    expect(refusal(nodeResourcesFit, pod(999), node(0, { allocatable: { pods: 0 } }))).toEqual({
      reasons: ['Too many pods'],
      isFinal: true,
    });
  });
});

describe('taints', () => {
  const taint: Taint = { key: 'gpu', value: 'a100', effect: 'NoSchedule' };

  it.each<[string, Toleration, boolean]>([
    ['equal key and value', { key: 'gpu', operator: 'Equal', value: 'a100' }, true],
    ['another value', { key: 'gpu', operator: 'Equal', value: 'h100' }, false],
    ['no value', { key: 'gpu', operator: 'Equal' }, false],
    ['whatever the value', { key: 'gpu', operator: 'Exists' }, true],
    ['another key', { key: 'disk', operator: 'Exists' }, false],
    ['every key', { operator: 'Exists' }, true],
    ['every key needs Exists', { operator: 'Equal', value: 'a100' }, false],
    ['the effect', { key: 'gpu', operator: 'Exists', effect: 'NoSchedule' }, true],
    ['another effect', { key: 'gpu', operator: 'Exists', effect: 'NoExecute' }, false],
  ])('are tolerated or not: %s', (_, toleration, expected) => expect(tolerates(toleration, taint)).toBe(expected));

  it('keep pods away, but for those that are only preferences', () => {
    const tainted = (effect: Taint['effect']): NodeView => node(0, { taints: [{ key: 'old', value: '', effect }] });
    expect(refusal(taintToleration, pod(9), tainted('PreferNoSchedule'))).toBeUndefined();
    for (const effect of ['NoSchedule', 'NoExecute'] as const) {
      expect(refusal(taintToleration, pod(9), tainted(effect))).toEqual({
        reasons: ['node(s) had untolerated taint {old: }'],
        isFinal: true,
      });
    }
  });
});

describe('the node selector', () => {
  it('wants all of its labels', () => {
    const asked = pod(9, { nodeSelector: { disk: 'ssd', arch: 'arm64' } });
    expect(refusal(nodeSelector, asked, node(0, { labels: { disk: 'ssd', arch: 'arm64', more: '' } }))).toBeUndefined();
    expect(refusal(nodeSelector, asked, node(0, { labels: { disk: 'ssd' } }))?.isFinal).toBe(true);
  });
});

describe('hard topology spread', () => {
  const inZones = (zones: readonly string[]): NodeView[] =>
    zones.map((zone, index) => node(index, { labels: zone === '' ? {} : { zone } }));
  const web = (number: number, more: Partial<PodView> = {}): PodView => pod(number, { labels: { app: 'web' }, ...more });
  /** Which of the nodes let the pod in; `pods` are those on each node. */
  const open = (asked: PodView, nodes: readonly NodeView[], pods: readonly (readonly PodView[])[]): number[] => {
    const states = nodes.map((view, index) => new NodeState(view, pods[index] ?? []));
    const passes = topologySpread.prepare(asked, states);
    return states.filter((state) => passes(state) === undefined).map((state) => state.node);
  };
  const crowd = (count: number, more: Partial<PodView> = {}): PodView[] =>
    Array.from({ length: count }, (_, index) => web(100 + index, more));
  const spread = web(9, { spread: [hard('zone', 1, { app: 'web' })] });

  it('lets no domain run ahead of the emptiest by more than maxSkew', () => {
    const nodes = inZones(['a', 'a', 'b', 'c']);
    expect(open(spread, nodes, [crowd(1), [], [], []])).toEqual([2, 3]);
    expect(open(spread, nodes, [crowd(1), [], crowd(1), crowd(1)])).toEqual([0, 1, 2, 3]);
    expect(open({ ...spread, spread: [hard('zone', 2, { app: 'web' })] }, nodes, [crowd(1), crowd(1), [], []])).toEqual([2, 3]);
    expect(open({ ...spread, spread: [hard('zone', 3, { app: 'web' })] }, nodes, [crowd(1), crowd(1), [], []])).toEqual([
      0, 1, 2, 3,
    ]);
  });

  it('counts neither other pods nor those that are leaving, and not the pod itself unless it matches', () => {
    const nodes = inZones(['a', 'b']);
    expect(open(spread, nodes, [[pod(1), pod(2)], []])).toEqual([0, 1]);
    expect(open(spread, nodes, [crowd(2, { isTerminating: true }), []])).toEqual([0, 1]);
    const watcher = pod(9, { spread: [hard('zone', 1, { app: 'web' })] });
    expect(open(watcher, nodes, [crowd(1), []])).toEqual([0, 1]);
    expect(open(watcher, nodes, [crowd(2), []])).toEqual([1]);
  });

  it('refuses nodes outside of every domain for good', () => {
    const states = inZones(['a', '']).map((view) => new NodeState(view, []));
    const passes = topologySpread.prepare(spread, states);
    expect(passes(states[0])).toBeUndefined();
    expect(passes(states[1])).toEqual({
      reasons: ["node(s) didn't match pod topology spread constraints (missing required label)"],
      isFinal: true,
    });
  });

  it('holds every constraint, and counts only nodes that belong to domains of all', () => {
    const both = web(9, { spread: [hard('zone', 1, { app: 'web' }), hard('rack', 1, { app: 'web' })] });
    const labels = [{ zone: 'a', rack: '1' }, { zone: 'a', rack: '2' }, { zone: 'b', rack: '2' }, { zone: 'c' }];
    const nodes = labels.map((each, index) => node(index, { labels: each as Record<string, string> }));
    // Zone c, which has no rack, is empty and does not count: zones have 1 and 1, racks 0 and 2.
    expect(open(both, nodes, [[], crowd(1), crowd(1), []])).toEqual([0]);
    // Nor do pods on a node without a rack: zones have 0 and 0 then, racks 0 and 0.
    const inB = nodes.map((each) => (each.node === 3 ? { ...each, labels: { zone: 'b' } } : each));
    expect(open(both, inB, [[], [], [], crowd(5)])).toEqual([0, 1, 2]);
  });

  it('takes the emptiest domain for zero as long as there are fewer than minDomains', () => {
    const constraint = { ...hard('zone', 1, { app: 'web' }), minDomains: 3 };
    const asked = web(9, { spread: [constraint] });
    expect(open(asked, inZones(['a', 'b']), [crowd(1), crowd(1)])).toEqual([]);
    expect(open(asked, inZones(['a', 'b', 'c']), [crowd(1), crowd(1), crowd(1)])).toEqual([0, 1, 2]);
  });

  it('leaves out domains that the selector rules out', () => {
    const nodes = inZones(['a', 'b', 'c']).map((view) => ({
      ...view,
      labels: { ...view.labels, disk: view.node === 2 ? 'hdd' : 'ssd' },
    }));
    const asked = { ...spread, nodeSelector: { disk: 'ssd' } };
    // Zone c is empty, but the pod cannot go there, so that it does not hold the others down.
    expect(open(asked, nodes, [crowd(1), crowd(1), []])).toEqual([0, 1, 2]);
    expect(open(spread, nodes, [crowd(1), crowd(1), []])).toEqual([2]);
  });

  it('judges a node by what is on it in thought', () => {
    const states = inZones(['a', 'b']).map((view, index) => new NodeState(view, index === 0 ? crowd(3) : crowd(1)));
    const passes = topologySpread.prepare(spread, states);
    expect(passes(states[0])).toEqual({ reasons: ["node(s) didn't match pod topology spread constraints"], isFinal: false });
    expect(passes(states[0].having(crowd(2)))).toBeDefined();
    expect(passes(states[0].having(crowd(1)))).toBeUndefined();
    expect(passes(states[1].having(crowd(3)))).toBeUndefined();
    expect(passes(states[1].having(crowd(4)))).toBeDefined();
  });
});

describe('filters together', () => {
  it('stop at the first refusal, in the order of the default profile', () => {
    const view = node(0, { taints: [{ key: 'old', value: '', effect: 'NoSchedule' }], allocatable: { cpu: 1 } });
    const states = [new NodeState(view, [])];
    const asked = cpu(9, 100, { nodeSelector: { disk: 'ssd' } });
    const names: string[] = [];
    let filters = defaultFilters;
    for (;;) {
      const refused = chained(filters, asked, states)(states[0]);
      if (refused === undefined) break;
      names.push(refused.by.name);
      filters = filters.filter((filter) => filter !== refused.by);
    }
    expect(names).toEqual(['TaintToleration', 'NodeAffinity', 'NodeResourcesFit']);
  });
});
