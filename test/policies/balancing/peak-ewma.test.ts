import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { outcomes } from '../../../src/policies/balancing/balancer.ts';
import { PeakEwmaLoad, peakEwma, type PeakEwmaParams } from '../../../src/policies/balancing/peak-ewma.ts';
import { Script, Stage } from './stage.ts';

const variants = ['linkerd', 'tower', 'finagle', 'envoy'] as const;
const params = (variant: PeakEwmaParams['variant']): PeakEwmaParams => ({ decay: 10_000, defaultRtt: 30, variant, penalty: 0 });

function loadOf(variant: PeakEwmaParams['variant'], size = 1): PeakEwmaLoad {
  const load = new PeakEwmaLoad(params(variant));
  load.ensure(size);
  for (let slot = 0; slot < size; slot++) load.start(slot, 0);
  return load;
}

describe('peak EWMA', () => {
  it('jumps to a peak and comes down by 1/e per decay time', () => {
    const load = loadOf('linkerd');
    load.observe(0, 200, 1000);
    expect(load.cost(0, 0, 1000)).toBe(200);
    expect(load.cost(0, 0, 11_000)).toBeCloseTo(200 / Math.E, 9);
    load.observe(0, 10, 1000);
    expect(load.cost(0, 0, 1000)).toBe(200);
  });

  it('multiplies by the requests in flight and the one to come', () => {
    const load = loadOf('linkerd');
    expect([0, 1, 4].map((pending) => load.cost(0, pending, 0))).toEqual([30, 60, 150]);
  });

  it('treats a newcomer as each product does', () => {
    const newcomer = (variant: PeakEwmaParams['variant']): number[] =>
      [0, 2].map((pending) => loadOf(variant).cost(0, pending, 0));
    expect(newcomer('linkerd')).toEqual([30, 90]);
    expect(newcomer('tower')).toEqual([30, 90]);
    expect(newcomer('finagle')).toEqual([0, 140_737_488_355_329]);
    expect(newcomer('envoy')).toEqual([30, 1_000_002]);
  });

  it('ranks endpoints as it costs them, at any time, across epochs', () => {
    // 300 decay times make an epoch: one run of samples passes several.
    const sample = fc.tuple(fc.nat({ max: 4 }), fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 1_500_000 }));
    fc.assert(
      fc.property(fc.constantFrom(...variants), fc.array(sample, { maxLength: 30 }), (variant, samples) => {
        const ranked = loadOf(variant, 5);
        const costed = loadOf(variant, 5);
        let nowMs = 0;
        for (const [slot, latencyMs, gapMs] of samples) {
          nowMs += gapMs;
          ranked.observe(slot, latencyMs, nowMs);
          costed.observe(slot, latencyMs, nowMs);
          const costs = [0, 1, 2, 3, 4].map((each) => costed.cost(each, each % 3, nowMs + 50));
          const ranks = [0, 1, 2, 3, 4].map((each) => ranked.rank(each, each % 3, nowMs + 50));
          for (let a = 0; a < 5; a++) {
            for (let b = 0; b < 5; b++) if (costs[a] > costs[b] * 1.000001) expect(ranks[a]).toBeGreaterThanOrEqual(ranks[b]);
          }
        }
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  it('picks the cheaper of the two drawn', () => {
    const balancer = peakEwma.make({}, { rng: new Script(0, 0, 0, 0, 1, 0) });
    const stage = Stage.of(2).bind(balancer);
    balancer.onEnd!(0, 10, 90, outcomes.ok);
    stage.context.nowMs = 10;
    expect(stage.pick()).toBe(1);
    // Three requests in flight make 30 ms dearer than 90 ms.
    stage.setActive([0, 3]);
    expect(stage.pick()).toBe(0);
    expect(stage.pick()).toBe(0);
  });

  it('is drawn to fast failures unless they are penalised', () => {
    const pickAfterFailure = (penalty: number): number => {
      const balancer = peakEwma.make({ penalty }, { rng: new Script(0, 0) });
      const stage = Stage.of(2).bind(balancer);
      // Endpoint 0 begins to fail at once where endpoint 1 goes on to answer in 40 ms.
      for (let atMs = 100; atMs <= 10_000; atMs += 100) {
        balancer.onEnd!(0, atMs, 1, outcomes.error);
        balancer.onEnd!(1, atMs, 40, outcomes.ok);
        stage.context.nowMs = atMs;
      }
      return stage.pick();
    };
    expect(pickAfterFailure(0)).toBe(0);
    expect(pickAfterFailure(5000)).toBe(1);
  });

  it('assumes nothing of an endpoint from who lived in its slot before', () => {
    const balancer = peakEwma.make({}, { rng: new Script(0, 0) });
    const stage = Stage.of(2).bind(balancer);
    balancer.onEnd!(0, 1, 9000, outcomes.ok);
    stage.set.remove(0, 2);
    stage.set.add('new', {}, 3);
    balancer.onEnd!(1, 4, 31, outcomes.ok);
    stage.context.nowMs = 4;
    expect(stage.set.table.ids[stage.pick()]).toBe('new');
  });
});
