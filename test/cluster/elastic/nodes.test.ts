/** Nodes: where instances find room, what happens when a node is lost, ordered, interrupted or emptied. Times in ms. */
import { describe, expect, test } from 'vitest';
import { clusterAutoscaler, type NodeAutoscalerDeps } from '../../../src/policies/autoscaling/nodes/index.ts';
import type { FaultEffect, FaultSpec } from '../../../src/scenario/spec.ts';
import { type SchedulerDeps, schedulers } from '../../../src/policies/placement/index.ts';
import { constant, play, type Played } from '../world-builder.ts';
import { once } from '../failures/setup.ts';
import { answers, existing, firstFitting, kept, nodeGroup, scripted, steadily } from './setup.ts';

const onNodes = (effect: FaultEffect, nodes: readonly number[], schedule: FaultSpec['schedule']): FaultSpec => ({
  ...effect,
  label: effect.type,
  targets: [],
  nodes: nodes.map((node) => ({ group: 0, node })),
  hit: 1,
  schedule,
});
const spansOf = (played: Played): unknown[] =>
  played.elastic!.nodes.map(({ id, spans }) => [
    id,
    ...spans.map(({ fromMs, toMs, end }) => [Math.round(fromMs) + 0, Math.round(toMs), end]),
  ]);
const cluster = firstFitting;

describe('room', () => {
  test('what does not fit waits, until somebody goes', () => {
    // Two nodes for two each; the fifth waits until one of the others goes at 100.
    const service = scripted({
      counts: [
        [10, 5],
        [100, 4],
        [200, 5],
      ],
      everyMs: 10,
    });
    const played = play({ at: [], durationMs: 300, instances: 4, nodes: [nodeGroup()], cluster, service });
    const [{ ready, desired }] = played.elastic!.services;
    expect([ready[0], desired[0]]).toEqual([4, (4 * 10 + 5 * 90 + 4 * 100 + 5 * 100) / 300]);
    expect(played.metrics['scaling.pending']).toBeNaN();
  });

  test('an instance is in the zone of its node', () => {
    const nodes = [nodeGroup({ zones: ['x', 'y'], cpu: 1000 })];
    const played = play({ at: [], instances: [{ zone: 'a' }, { zone: 'a' }], nodes, cluster, service: kept });
    expect(played.instances.slice(0, 2).map(({ zone }) => zone)).toEqual(['x', 'y']);
  });

  test('the image is pulled once per node, and whoever comes meanwhile waits for it, too', () => {
    const service = scripted({ counts: [[100, 4]], everyMs: 100 });
    const elastic = { imagePull: constant(50) };
    const setup = { at: [], durationMs: 200, windowMs: 50, nodes: [nodeGroup()], cluster, elastic, service };
    // The node of the first has it from before; the other pulls until 150.
    expect(play(setup).elastic!.services[0].ready.map((ready) => Math.round(ready))).toEqual([1, 1, 2, 4]);
  });

  test('a faster node makes a faster instance', () => {
    const nodes = [nodeGroup({ speed: 2 })];
    const played = play({ at: [10], work: 8, nodes, cluster, service: kept });
    expect(played.attempts[0].latencyMs).toBeCloseTo(4, 6);
  });

  test('equals do not drive each other out', () => {
    const kube = schedulers['kube-scheduler'];
    const scheduler = { scheduler: (deps: SchedulerDeps) => kube.make({}, deps) };
    const service = scripted({ counts: [[10, 2]], everyMs: 10 });
    const nodes = [nodeGroup({ count: 1, cpu: 1000 })];
    const played = play({ at: [], durationMs: 100, nodes, cluster: { ...cluster, ...scheduler }, service });
    expect(existing(played).map(([id]) => id)).toEqual(['api/0']);
  });
});

describe('a node that is lost', () => {
  const setup = {
    instances: 2,
    work: 1,
    nodes: [nodeGroup({ cpu: 1000, count: 3 })],
    cluster,
    service: kept,
    at: steadily(5, 300),
  };

  test('is believed lost after the detector’s time; its instance is given up after the tolerance, and replaced elsewhere', () => {
    const played = play({ ...setup, faults: [onNodes({ type: 'node-loss' }, [1], once(100))] });
    // Beats every 10 and is missed twice: unused from 100 + (20 to 30) on; 50 later given up, and at once on the third node.
    const found = answers(played);
    const refused = found.flatMap((answer, index) => (answer === 'refused' ? [index * 5] : []));
    expect(refused.length).toBeGreaterThanOrEqual(2);
    expect(refused.at(-1)).toBeLessThan(130);
    const replaced = found.indexOf(2) * 5;
    expect(replaced).toBeGreaterThanOrEqual(170);
    expect(replaced).toBeLessThanOrEqual(190);
    expect(existing(played).map(([id]) => id)).toEqual(['api/0', 'api/1', 'api/2']);
  });

  test('that is back before that goes on where it was', () => {
    const played = play({ ...setup, faults: [onNodes({ type: 'node-loss' }, [1], once(100, 45))] });
    const found = answers(played);
    expect(found.slice(30 + 2)).not.toContain('refused');
    expect(found.slice(32)).toContain(1);
    expect(existing(played)).toEqual([
      ['api/0', 1000],
      ['api/1', 1000],
    ]);
  });

  test('an outage of the zone is that of its nodes', () => {
    const nodes = [nodeGroup({ cpu: 1000, count: 2, zones: ['x', 'y'] })];
    const fault = onNodes({ type: 'zone-outage', zone: 'y' }, [1, 3, 5], once(100, 30));
    const played = play({ ...setup, nodes, faults: [fault] });
    expect(played.upShares.slice(0, 3).map((share) => Math.round(share * 1000))).toEqual([0, 30, 970]);
  });

  test('while the control plane is away nobody hears, and nothing is given up', () => {
    const faults = [
      onNodes({ type: 'node-loss' }, [1], once(100)),
      { ...onNodes({ type: 'control-plane-outage' }, [], once(90)), nodes: undefined } as unknown as FaultSpec,
    ];
    const { nodes: _, ...outage } = faults[1];
    const played = play({ ...setup, durationMs: 300, faults: [faults[0], outage] });
    expect(answers(played).filter((answer) => answer === 'refused').length).toBe(20);
    expect(existing(played).map(([id]) => id)).toEqual(['api/0', 'api/1']);
  });
});

describe('more and fewer nodes', () => {
  const times = { scanInterval: 1000, scaleDownUnneededTime: 5000, scaleDownDelayAfterAdd: 5000, scaleDownDelayAfterDelete: 0 };
  const scaling = { ...cluster, nodeAutoscaler: (deps: NodeAutoscalerDeps) => clusterAutoscaler.make(times, deps) };

  test('are ordered for those who wait, provisioned, and removed when they are not needed any more', () => {
    const service = scripted({
      counts: [
        [500, 6],
        [20_000, 2],
      ],
      everyMs: 500,
    });
    const nodes = [nodeGroup({ count: 1, min: 1, provisioning: constant(4000), prices: [36] })];
    const played = play({ at: [], durationMs: 50_000, windowMs: 5000, instances: 2, nodes, cluster: scaling, service });
    // Seen at 1 s and there at 5 s: two nodes for the four that wait. Half empty since 20 s, which is long enough at 25 s.
    expect(spansOf(played)).toEqual([
      ['pool/0', [0, Infinity, '']],
      ['pool/1', [5000, expect.any(Number), 'removed']],
      ['pool/2', [5000, expect.any(Number), 'removed']],
    ]);
    const ends = played.elastic!.nodes.slice(1).map(({ spans }) => spans[0].toMs);
    expect(Math.min(...ends)).toBeGreaterThanOrEqual(25_000);
    expect(Math.max(...ends)).toBeLessThanOrEqual(35_000);
    expect(played.elastic!.services[0].ready.map((ready) => Math.round(ready))).toEqual([2, 5, 6, 6, 2, 2, 2, 2, 2, 2]);
    // They waited from 0.5 s to 5 s, and those whose back-off was not over yet a little longer.
    expect(played.metrics['scaling.pending']).toBeGreaterThan(4500);
    expect(played.metrics['scaling.pending']).toBeLessThan(7500);
    const nodeMs = played.elastic!.nodes.flatMap(({ spans }) => spans.map(({ fromMs, toMs }) => Math.min(toMs, 50_000) - fromMs));
    expect(played.metrics['cost']).toBeCloseTo((36 * nodeMs.reduce((sum, ms) => sum + ms, 0)) / 50_000, 6);
  });

  test('no more than the quota', () => {
    const nodes = [nodeGroup({ count: 1, max: 2 })];
    const service = scripted({ counts: [[500, 9]], everyMs: 500 });
    const played = play({ at: [], durationMs: 30_000, windowMs: 15_000, nodes, cluster: scaling, service });
    expect(spansOf(played).length).toBe(2);
    expect(played.elastic!.services[0].ready[1]).toBe(4);
  });

  test('a node that is taken back is emptied in time, and another comes', () => {
    const spot = { interrupted: constant(200), noticeMs: 60 };
    const nodes = [nodeGroup({ count: 2, spot, provisioning: constant(10), cpu: 1000 })];
    const faultless = play({ at: steadily(7, 190), work: 3, instances: 1, durationMs: 390, nodes, cluster, service: kept });
    expect(faultless.metrics['scaling.lost']).toBe(0);
    expect(spansOf(faultless)).toEqual([
      ['pool/0', [0, 200, 'interrupted'], [210, Infinity, '']],
      ['pool/1', [0, 200, 'interrupted'], [210, Infinity, '']],
    ]);
  });
});

describe('disruption budgets', () => {
  test('a node is emptied one by one where no more may be missing', () => {
    const times = { scanInterval: 10, scaleDownUnneededTime: 20, scaleDownDelayAfterAdd: 0, scaleDownUtilizationThreshold: 1 };
    const scaling = {
      ...cluster,
      nodeAutoscaler: (deps: NodeAutoscalerDeps) => clusterAutoscaler.make(times, deps),
    };
    const nodes = [nodeGroup({ count: 1, cpu: 2000 }), nodeGroup({ name: 'more', count: 1, cpu: 4000 })];
    const budget = { kind: 'maxUnavailable', amount: 1, isShare: false } as const;
    const played = play({
      ...{ at: [], durationMs: 30_000, instances: 2, startupMs: 100, nodes, cluster: scaling, service: kept },
      elastic: { budget },
    });
    // Never both at once.
    expect(played.upShares[0]).toBe(0);
    expect(played.elastic!.nodes.filter(({ spans }) => spans[0].end === 'removed').length).toBe(1);
  });
});
