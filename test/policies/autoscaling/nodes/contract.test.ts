/** Every node autoscaler of the table against the contract, and the contract against ones that break it. */
import { describe, expect, it } from 'vitest';
import { nodesRules } from '../../../../src/policies/autoscaling/nodes/contract.ts';
import {
  checkNodeAutoscaler,
  clusterAutoscaler,
  type NodeAutoscaler,
  nodeAutoscalers,
} from '../../../../src/policies/autoscaling/nodes/index.ts';

const variants: readonly object[] = [
  {},
  { expander: 'random' },
  { expander: 'priority,least-nodes' },
  { expander: 'price', maxDrainParallelism: 3 },
  { expander: 'most-pods', newPodScaleUpDelay: 30_000, scaleDownDelayAfterAdd: 0 },
];
for (const definition of Object.values(nodeAutoscalers)) {
  describe.each(variants)(`${definition.name} %j keeps the contract of node autoscalers: it`, (params) => {
    it.each(nodesRules)('$name', (rule) => expect(rule.check((deps) => definition.make(params, deps))).toEqual([]));
  });
}

/** Violations of an autoscaler of which something is replaced. */
const found = (params: object, spoil: (honest: NodeAutoscaler) => Partial<NodeAutoscaler> = () => ({})): readonly string[] =>
  checkNodeAutoscaler((deps) => {
    const honest = clusterAutoscaler.make(params, deps);
    const spoilt: NodeAutoscaler = {
      decideEveryMs: honest.decideEveryMs,
      decide: (observation) => honest.decide(observation),
      onIncreaseFailed: (group, nowMs) => honest.onIncreaseFailed(group, nowMs),
      onRemovalFailed: (node, nowMs) => honest.onRemovalFailed(node, nowMs),
    };
    return { ...spoilt, ...spoil(honest) };
  });
const broken = (violations: readonly string[]): readonly string[] =>
  nodesRules.map(({ name }) => name).filter((name) => violations.some((violation) => violation.startsWith(`${name}:`)));

describe('the contract of node autoscalers', () => {
  it('notices one that does nothing', () => {
    const idle = found({}, () => ({
      decide: () => ({ increases: [], cancellations: [], removals: [], reason: 'NoChange' }),
    }));
    expect(broken(idle)).toEqual(
      expect.arrayContaining([
        'brings nodes until every pod runs, and not many more',
        'removes nodes that are empty for long, but not at once and not below the minimum',
        'empties nodes whose pods fit elsewhere, and none of the pods stays without a place',
      ]),
    );
  });

  it('notices one that removes nodes at once', () => {
    const hasty = found({ scaleDownUnneededTime: 0, scaleDownDelayAfterAdd: 0 });
    expect(broken(hasty)).toEqual(['removes nodes that are empty for long, but not at once and not below the minimum']);
  });

  it('notices one that forgets what it ordered', () => {
    const forgetful = found({}, (honest) => ({
      decide: (observation) => {
        const joined = (group: string): number => observation.nodes.filter((node) => node.group === group).length;
        return honest.decide({ ...observation, target: joined });
      },
    }));
    expect(broken(forgetful)).toContain('does not order again what is on its way');
  });

  it('notices one that waits for ever for nodes that do not come', () => {
    const patient = found({ maxNodeProvisionTime: 86_400_000 });
    expect(broken(patient)).toEqual(['turns to another group when nodes do not come, and gives the order up']);
  });

  it('notices one that does not hear that an order was refused', () => {
    const deaf = found({ expander: 'priority' }, () => ({ onIncreaseFailed: () => {} }));
    expect(broken(deaf)).toContain('turns to another group when an order is refused');
  });

  it('notices one that takes every node for healthy, and one that takes every pod for important', () => {
    expect(broken(found({ maxTotalUnreadyPercentage: 100 }))).toEqual([
      'does not order nodes in the place of many that fell silent',
    ]);
    expect(broken(found({ expendablePodsPriorityCutoff: -2_000_000 }))).toEqual([
      'orders nothing for pods that no node would hold, or that hardly matter',
    ]);
  });

  it('notices one that moves what may not be moved', () => {
    const ruthless = found({}, (honest) => ({
      decide: (observation) =>
        honest.decide({
          ...observation,
          podsOn: (node) => observation.podsOn(node).map((pod) => ({ ...pod, isMovable: true })),
        }),
    }));
    expect(broken(ruthless)).toEqual(['keeps nodes with pods that may not be moved or evicted']);
  });
});
