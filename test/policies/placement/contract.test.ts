/** Every scheduler of the table against the contract, and the contract against ones that break it. */
import { describe, expect, it } from 'vitest';
import { schedulerRules } from '../../../src/policies/placement/contract.ts';
import {
  checkScheduler,
  firstFit,
  kubeScheduler,
  NO_PLACE,
  type Placement,
  type Scheduler,
  schedulers,
} from '../../../src/policies/placement/index.ts';
import type { Rng } from '../../../src/core/rng.ts';

const variants: Readonly<Record<string, readonly object[]>> = {
  'kube-scheduler': [
    { scoringStrategy: 'MostAllocated', balance: 'change' },
    { scoringStrategy: 'RequestedToCapacityRatio', shape: '0=0, 50=10, 100=2', resources: 'cpu=3, memory=1, example.com/gpu=5' },
    { percentageOfNodesToScore: 5, defaultingType: 'List', minCandidateNodesPercentage: 0, minCandidateNodesAbsolute: 1 },
    { preemption: false },
  ],
  'latency-aware': [{ latencyWeight: 100, halfLatency: 1 }],
  'performance-aware': [{ loadSensitivity: 0 }],
  'best-fit': [{ measure: 'mean' }],
  'worst-fit': [{ measure: 'mean', resources: 'memory' }],
  'nomad-binpack': [{ jobType: 'batch', groupLabel: 'app' }],
  'nomad-spread': [{ jobType: 'batch', groupLabel: 'app' }],
};

for (const definition of Object.values(schedulers)) {
  describe.each([{}, ...(variants[definition.name] ?? [])])(
    `${definition.name} %j keeps the contract of schedulers: it`,
    (params) => {
      it.each(schedulerRules)('$name', (rule) => expect(rule.check((rng) => definition.make(params, { rng }))).toEqual([]));
    },
  );
}

describe('the contract of schedulers', () => {
  /** What it finds in kube-scheduler with its answers changed. */
  const found = (
    change: (placement: Placement, ...question: Parameters<Scheduler['schedule']>) => Placement,
  ): readonly string[] =>
    checkScheduler((rng) => {
      const honest = kubeScheduler.make({}, { rng });
      return { schedule: (...question) => change(honest.schedule(...question), ...question) };
    });
  const complaint = (text: string): unknown => expect.stringContaining(text);

  it('finds nothing where nothing is wrong', () => {
    expect(found((placement) => placement)).toEqual([]);
  });

  it('notices one that places anywhere, and one that gives up', () => {
    const anywhere = found((placement, _, { nodes }) =>
      nodes.length === 0 ? placement : { node: nodes[0].node, refusals: placement.refusals },
    );
    expect(anywhere).toContainEqual(complaint('places only where the pod may run'));
    const lazy = found((placement, _, { nodes }) => ({
      node: NO_PLACE,
      refusals: { tired: nodes.length, ...placement.refusals },
    }));
    expect(lazy).toContainEqual(complaint('finds a place wherever there is one'));
  });

  it('notices refusals without a reason, and events that do not exist', () => {
    expect(found((placement) => ({ ...placement, refusals: {} }))).toContainEqual(complaint('says for every node'));
    const waiting = found((placement) => ({ ...placement, retryOn: ['full-moon' as never] }));
    expect(waiting).toContainEqual(complaint('waits for full-moon'));
    expect(waiting).toContainEqual(complaint('waits although there is a place'));
  });

  it('notices victims that are too important, in the wrong order, too many or elsewhere', () => {
    const withVictims = (change: (victims: readonly number[], node: number, rest: readonly number[]) => readonly number[]) =>
      found((placement, _, world) => {
        if (placement.preemption === undefined) return placement;
        const { node, victims } = placement.preemption;
        const rest = world.podsOn(node).map((each) => each.pod);
        return { ...placement, preemption: { node, victims: change(victims, node, rest) } };
      });
    expect(withVictims((_, __, rest) => rest)).toContainEqual(complaint('evicts only what is less important'));
    expect(withVictims((victims) => victims.toReversed())).toContainEqual(complaint('orders victims'));
    expect(withVictims((victims) => [...victims, 1_000_000])).toContainEqual(complaint('evicts ['));
    expect(withVictims((victims) => victims.slice(1))).toContainEqual(complaint('evicts only what is less important'));
    const all = found((placement, { priority }, world) => {
      if (placement.preemption === undefined) return placement;
      const { node } = placement.preemption;
      const lesser = world.podsOn(node).filter((each) => each.priority < priority);
      const victims = lesser.sort((a, b) => a.priority - b.priority).map((each) => each.pod);
      return { ...placement, preemption: { node, victims } };
    });
    expect(all).toContainEqual(complaint('without need'));
  });

  it('notices room that is made and then not taken', () => {
    const forgetful = found((placement, { nominatedNode }) =>
      nominatedNode === undefined ? placement : { node: NO_PLACE, refusals: placement.refusals },
    );
    expect(forgetful).toContainEqual(complaint('gives a pod the room that was made for it'));
  });

  it('notices randomness that was not injected, and state that instances share', () => {
    let asked = 0;
    const shared = checkScheduler((rng) => {
      const [one, other] = [schedulers['random-fit'].make({}, { rng }), firstFit.make({}, { rng })];
      return { schedule: (...question) => (asked++ % 7 === 3 ? one : other).schedule(...question) };
    });
    expect(shared).toContainEqual(complaint('gives the same answers'));
    const draws: Rng = { next: () => 0, uint32: () => asked++, below: (n) => asked++ % n };
    const ambient = checkScheduler(() => schedulers['random-fit'].make({}, { rng: draws }));
    expect(ambient).toContainEqual(complaint('gives the same answers'));
  });

  it('notices writing into what is shown', () => {
    const writing = (): unknown =>
      found((placement, question) => {
        (question as { priority: number }).priority = 7;
        return placement;
      });
    expect(writing).toThrow(TypeError);
  });
});
