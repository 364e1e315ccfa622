/** The vertical recommenders against their contract, the contract against ones that break it, and the VPA against numbers by hand. */
import { describe, expect, it } from 'vitest';
import { verticalRules } from '../../../../src/policies/autoscaling/vertical/contract.ts';
import { DecayingHistogram } from '../../../../src/policies/autoscaling/vertical/decaying-histogram.ts';
import {
  checkVertical,
  type VerticalRecommender,
  verticalRecommenders,
  vpa,
} from '../../../../src/policies/autoscaling/vertical/index.ts';

const DAY = 86_400_000;
const MINUTE = 60_000;
const MIB = 1024 * 1024;

for (const definition of Object.values(verticalRecommenders)) {
  describe.each([{}, { safetyMargin: 0, cpuHalfLife: 12 * 3_600_000, memoryHalfLife: 2 * DAY }])(
    `${definition.name} %j keeps the contract of vertical recommenders: it`,
    (params) => {
      it.each(verticalRules)('$name', (rule) => expect(rule.check(() => definition.make(params, {}))).toEqual([]));
    },
  );
}

describe('the contract of vertical recommenders', () => {
  const found = (
    params: object,
    spoil: (honest: VerticalRecommender) => Partial<VerticalRecommender> = () => ({}),
  ): readonly string[] =>
    checkVertical(() => {
      const honest = vpa.make(params, {});
      const whole: VerticalRecommender = {
        observe: (sample) => honest.observe(sample),
        onOutOfMemory: (replica, request, nowMs) => honest.onOutOfMemory(replica, request, nowMs),
        onGone: (replica) => honest.onGone(replica),
        recommend: () => honest.recommend(),
      };
      return { ...whole, ...spoil(honest) };
    });

  it('notices one that never forgets, one that reserves far too much, and bounds in the wrong order', () => {
    expect(found({ cpuHalfLife: 1e12, memoryHalfLife: 1e12 })).toContainEqual(expect.stringContaining('still wants'));
    expect(found({ safetyMargin: 2 })).toContainEqual(expect.stringContaining('covers steady usage'));
    expect(found({ minCpu: 5 })).toContainEqual(expect.stringContaining('wants 5 of cpu'));
    const reversed = found({}, (honest) => ({
      recommend: () => {
        const honestly = honest.recommend();
        return honestly && { ...honestly, cpu: { ...honestly.cpu, lower: 9, upper: 1 } };
      },
    }));
    expect(reversed).toContainEqual(expect.stringContaining('puts the target between the bounds'));
  });

  it('notices one that is deaf to a lack of memory, forgets those who left, or speaks too early', () => {
    expect(found({}, () => ({ onOutOfMemory: () => {} }))).toEqual([expect.stringContaining('wants more memory after')]);
    let made = vpa.make({}, {});
    const forgetful = checkVertical(() => {
      made = vpa.make({}, {});
      return {
        observe: (sample) => made.observe(sample),
        onOutOfMemory: (replica, request, nowMs) => made.onOutOfMemory(replica, request, nowMs),
        onGone: () => (made = vpa.make({}, {})),
        recommend: () => made.recommend(),
      };
    });
    expect(forgetful).toEqual([expect.stringContaining('remembers replicas that have left')]);
    const range = { lower: 1, target: 1, upper: 1 };
    const early = found({}, (honest) => ({ recommend: () => honest.recommend() ?? { cpu: range, memory: range } }));
    expect(early).toEqual([expect.stringContaining('recommends nothing before')]);
  });
});

describe('the decaying histogram', () => {
  const options = { maxValue: 10, firstBucketSize: 1, ratio: 2, epsilon: 0.001, halfLifeMs: 1000 };

  it('has buckets that start at 0, 1, 3, 7, 15', () => {
    const histogram = new DecayingHistogram(options);
    expect([0, 1, 2, 3, 4].map((bucket) => histogram.bucketStart(bucket))).toEqual([0, 1, 3, 7, 15]);
    expect([0, 0.9, 1, 2.9, 3, 6.9, 7, 10, 1e9].map((value) => histogram.bucketOf(value))).toEqual([0, 0, 1, 1, 2, 2, 3, 3, 4]);
  });

  it('answers with the end of the bucket where the share is reached, and with the start of the last', () => {
    const histogram = new DecayingHistogram(options);
    expect(histogram.percentile(0.5)).toBe(0);
    histogram.add(0.5, 1, 0);
    histogram.add(2, 2, 0);
    histogram.add(5, 1, 0);
    expect([0, 0.25, 0.26, 0.75, 0.76, 1].map((share) => histogram.percentile(share))).toEqual([1, 1, 3, 3, 7, 7]);
    histogram.add(1e9, 10, 0);
    expect(histogram.percentile(1)).toBe(15);
  });

  it('halves the weight of what is a half-life older', () => {
    const histogram = new DecayingHistogram(options);
    histogram.add(0.5, 3, 0);
    histogram.add(5, 1, 1000);
    // 3 against 2: the median is with the old ones still.
    expect(histogram.percentile(0.5)).toBe(1);
    histogram.add(5, 1, 1000);
    expect(histogram.percentile(0.5)).toBe(7);
  });

  it('takes a sample back, and forgets after many half-lives without losing what is new', () => {
    const histogram = new DecayingHistogram(options);
    histogram.add(5, 1, 0);
    histogram.add(2, 1, 0);
    histogram.subtract(5, 1, 0);
    expect(histogram.percentile(1)).toBe(3);
    histogram.add(0.5, 1, 250_000);
    expect(histogram.percentile(1)).toBe(1);
    histogram.subtract(0.5, 1, 250_000);
    expect(histogram.isEmpty).toBe(true);
  });
});

describe('the VPA', () => {
  it('adds a margin to the end of a bucket, and widens the bounds while little is known', () => {
    const recommender = vpa.make({}, {});
    // A day of samples, one a minute: 1 core always. The bucket of 1 core ends at 0.01 · (1.05^37 − 1) / 0.05 = 1.016281…
    for (let minute = 0; minute <= 1440; minute++)
      recommender.observe({ replica: 0, startMs: minute * MINUTE, cpu: 1, cpuRequest: 2, memory: 500 * MIB });
    const { cpu } = recommender.recommend()!;
    expect(cpu.target).toBeCloseTo(1.0162813 * 1.15, 6);
    expect(cpu.upper).toBeCloseTo(cpu.target * 2, 9);
    expect(cpu.lower).toBeCloseTo(cpu.target / (1.001 * 1.001), 9);
  });

  it('knows no upper bound from one sample, and keeps the floors', () => {
    const recommender = vpa.make({}, {});
    recommender.observe({ replica: 0, startMs: 0, cpu: 0.001, memory: MIB });
    expect(recommender.recommend()).toEqual({
      cpu: { lower: 0.025, target: 0.025, upper: Infinity },
      memory: { lower: 250 * MIB, target: 250 * MIB, upper: Infinity },
    });
  });

  it('counts one peak of memory per replica and day', () => {
    const bare = { safetyMargin: 0, minMemory: 0 };
    const recommender = vpa.make(bare, {});
    const high = vpa.make(bare, {});
    for (let minute = 0; minute < 1440; minute++) {
      const memory = minute === 700 ? 4000 * MIB : 1000 * MIB;
      recommender.observe({ replica: 0, startMs: minute * MINUTE, cpu: 1, memory });
    }
    high.observe({ replica: 0, startMs: 0, cpu: 1, memory: 4000 * MIB });
    // 1,439 of 1,440 samples were low, and yet the day counts with its peak alone.
    expect(recommender.recommend()!.memory.lower).toBeGreaterThan(4000 * MIB);
    expect(recommender.recommend()!.memory.target).toBe(high.recommend()!.memory.target);
  });

  it('takes a replica that ran out of memory to need a fifth more, and 100 MiB at least', () => {
    const needed = (request: number): number => {
      const recommender = vpa.make({ safetyMargin: 0, minMemory: 0 }, {});
      recommender.observe({ replica: 0, startMs: 0, cpu: 1, memory: MIB });
      recommender.onOutOfMemory(0, request, MINUTE);
      return recommender.recommend()!.memory.target;
    };
    const after = (memory: number): number => {
      const recommender = vpa.make({ safetyMargin: 0, minMemory: 0 }, {});
      recommender.observe({ replica: 0, startMs: 0, cpu: 1, memory });
      return recommender.recommend()!.memory.target;
    };
    expect(needed(200 * MIB)).toBe(after(300 * MIB));
    expect(needed(2000 * MIB)).toBe(after(2400 * MIB));
  });

  it('weighs processor time by what was reserved, and samples in the wrong order not at all', () => {
    const recommender = vpa.make({ safetyMargin: 0, targetPercentile: 0.5 }, {});
    recommender.observe({ replica: 0, startMs: 2, cpu: 1, cpuRequest: 0 });
    recommender.observe({ replica: 0, startMs: 1, cpu: 8, cpuRequest: 100 });
    expect(recommender.recommend()!.cpu.target).toBeLessThan(1.1);
    recommender.observe({ replica: 1, startMs: 2, cpu: 4, cpuRequest: 0.2 });
    expect(recommender.recommend()!.cpu.target).toBeGreaterThan(4);
  });
});
