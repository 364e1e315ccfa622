/** AWS's scaling policies: alarms, adjustments, warm-up and cooldowns, by the minute. */
import { describe, expect, it } from 'vitest';
import {
  adjustedCapacity,
  distanceFrom,
  percentChange,
  stepAbove,
  stepBelow,
} from '../../../src/policies/autoscaling/aws/adjustment.ts';
import { Cooldowns } from '../../../src/policies/autoscaling/aws/cooldowns.ts';
import { type AlarmParams, MetricAlarm } from '../../../src/policies/autoscaling/aws/metric-alarm.ts';
import { simpleScaling, stepScaling, targetTracking } from '../../../src/policies/autoscaling/index.ts';
import { Bed, depsOf, MINUTE } from './bed.ts';

describe('a CloudWatch alarm', () => {
  const states = (params: Partial<AlarmParams>, datapoints: readonly (number | undefined)[]): string => {
    const alarm = new MetricAlarm({
      comparison: 'GreaterThanThreshold',
      threshold: 5,
      evaluationPeriods: 3,
      datapointsToAlarm: 3,
      missingData: 'missing',
      ...params,
    });
    return datapoints.map((value) => ({ OK: '-', ALARM: 'A', INSUFFICIENT_DATA: '?' })[alarm.evaluate(value)]).join('');
  };
  const _ = undefined;

  it('goes off after so many datapoints of the latest so many', () => {
    expect(states({}, [9, 9, 9, 5, 9, 9, 9])).toBe('--A---A');
    expect(states({ datapointsToAlarm: 2 }, [9, 1, 9, 1, 1, 9])).toBe('--A---');
    expect(states({ comparison: 'LessThanOrEqualToThreshold' }, [5, 5, 5, 6])).toBe('--A-');
  });

  it('treats missing data in four ways', () => {
    const gaps = [_, 9, 9, 9, _, _, _, 9];
    expect(states({}, gaps)).toBe('?--A--?-');
    expect(states({ missingData: 'notBreaching' }, gaps)).toBe('---A----');
    expect(states({ missingData: 'breaching' }, gaps)).toBe('AAAAAAAA');
    expect(states({ missingData: 'ignore' }, gaps)).toBe('???AAAAA');
    expect(states({ missingData: 'ignore' }, [1, _, _, _, 9, 9, 9])).toBe('------A');
  });
});

describe('adjustments', () => {
  it('are a number, a percentage with a floor, or the count itself', () => {
    const rule = { minAdjustmentMagnitude: 0 };
    expect(adjustedCapacity(10, 3, { ...rule, adjustmentType: 'ChangeInCapacity' })).toBe(13);
    expect(adjustedCapacity(10, 3, { ...rule, adjustmentType: 'ExactCapacity' })).toBe(3);
    expect(adjustedCapacity(10, -25, { ...rule, adjustmentType: 'PercentChangeInCapacity' })).toBe(8);
    expect([percentChange(4, 25, 2), percentChange(4, -25, 2), percentChange(100, 25, 2), percentChange(4, 0, 2)]).toEqual([
      2, -2, 25, 0,
    ]);
  });

  it('are those of the step that begins last before the distance, in any order of the list', () => {
    const above = [
      { from: 20, adjustment: 30 },
      { from: 0, adjustment: 0 },
      { from: 10, adjustment: 10 },
    ];
    expect([0, 9.9, 10, 19.9, 20, 1000].map((distance) => stepAbove(above, distance)?.adjustment)).toEqual([
      0, 0, 10, 10, 30, 30,
    ]);
    const below = above.map(({ from, adjustment }) => ({ from: -from, adjustment: -adjustment }));
    expect([0, -9.9, -10, -20].map((distance) => stepBelow(below, distance)?.adjustment)).toEqual([-0, -0, -10, -30]);
    expect(stepAbove([{ from: 1, adjustment: 1 }], 0.5)).toBeUndefined();
    expect(distanceFrom(0.6, 0.7)).toBe(0.1);
  });
});

describe('cooldowns', () => {
  it('let a larger scale-out through, from the capacity before, and hold scale-ins apart', () => {
    const cooldowns = new Cooldowns(100, 50);
    expect(cooldowns.baseFor(10, 0)).toBe(10);
    cooldowns.onScaled(10, 13, 0);
    cooldowns.onScaled(13, 15, 60);
    expect([cooldowns.baseFor(15, 99), cooldowns.baseFor(15, 159), cooldowns.baseFor(15, 160)]).toEqual([10, 10, 15]);
    cooldowns.onScaled(15, 14, 200);
    expect([cooldowns.mayScaleIn(249), cooldowns.mayScaleIn(250)]).toEqual([false, true]);
    cooldowns.onScaled(14, 13, 250);
    cooldowns.onScaled(13, 14, 260);
    expect(cooldowns.mayScaleIn(261)).toBe(true);
  });
});

/** Utilisation of every replica, out of the work that all of them share. */
const sharing = (bed: Bed, work: () => number): void => {
  bed.each = () => work() / bed.observe().readyReplicas;
};

describe('target tracking', () => {
  const bedOf = (params: object, count: number): Bed =>
    new Bed((deps) => targetTracking.make({ max: 100, ...params }, deps), count);

  it('adds in proportion after three datapoints', () => {
    const bed = bedOf({}, 10);
    bed.each = () => 0.8;
    // ceil(10 · 0.8 / 0.5) = 16
    expect(bed.run(3 * MINUTE)).toEqual([10, 10, 16]);
    expect(bed.last).toEqual({ replicas: 16, reason: 'AlarmHigh' });
  });

  it('adds only what is still lacking while instances warm up', () => {
    const bed = bedOf({}, 10);
    bed.each = () => 0.8;
    bed.run(3 * MINUTE);
    // The ten that are measured are as busy as before: sixteen are enough, and there.
    expect(bed.run(2 * MINUTE)).toEqual([16, 16]);
    expect(bed.last.reason).toBe('AlreadyScalingOut');
    // Now the ten need 20 in all: four more.
    bed.each = () => 1;
    expect(bed.run(MINUTE)).toEqual([20]);
  });

  it('removes little by little after fifteen datapoints, with a cooldown in between, and stays within the target', () => {
    const bed = bedOf({}, 20);
    sharing(bed, () => 7.8);
    const counts = bed.run(60 * MINUTE);
    expect(counts.slice(0, 15)).toEqual([...Array.from({ length: 14 }, () => 20), 18]);
    // 10 % of 18 is one; ceil(7.8 / 0.5) = 16. At 17 the load is 0.459, above the lower threshold of 0.45: no further step.
    expect(counts.slice(15, 21)).toEqual([18, 18, 18, 18, 17, 17]);
    expect(counts.at(-1)).toBe(17);
  });

  it('never removes when it may not, while instances warm up, or without data', () => {
    const disabled = bedOf({ disableScaleIn: true }, 10);
    disabled.each = () => 0.1;
    expect(new Set(disabled.run(60 * MINUTE))).toEqual(new Set([10]));
    expect(disabled.last.reason).toBe('ScaleInDisabled');

    const warming = bedOf({}, 10);
    warming.each = () => 0.1;
    warming.run(14 * MINUTE);
    warming.readyAfterMs = 2 * MINUTE;
    warming.scaleTo(11);
    // Ready after two minutes, warm after five more.
    expect(warming.run(7 * MINUTE)).toEqual([11, 11, 11, 11, 11, 11, 10]);

    const blind = bedOf({}, 10);
    blind.each = (_, nowMs) => (nowMs < 14 * MINUTE ? 0.1 : undefined);
    expect(new Set(blind.run(60 * MINUTE))).toEqual(new Set([10]));
    expect(blind.last).toEqual({ replicas: undefined, reason: 'InsufficientData' });
  });

  it('starts a further step from the capacity before, during the cooldown of a scale-out', () => {
    const bed = bedOf({ estimatedInstanceWarmup: 0, scaleOutCooldown: 10 * MINUTE }, 10);
    bed.each = () => 0.8;
    expect(bed.run(6 * MINUTE)).toEqual([10, 10, 16, 16, 16, 16]);
    bed.each = () => 0.9;
    expect(bed.run(MINUTE)).toEqual([18]);
  });

  it('divides what waits by the instances: a backlog per instance', () => {
    const bed = bedOf({ metric: 'queue/jobs', grouping: 'per-replica', targetValue: 10 }, 4);
    bed.service = (name) => (name === 'queue/jobs' ? 120 : undefined);
    expect(bed.run(3 * MINUTE).at(-1)).toBe(12);
  });

  it('does not count a reading twice when no new one has come', () => {
    const autoscaler = targetTracking.make({ metric: 'x', grouping: 'service' }, depsOf(2));
    const bed = new Bed(() => autoscaler, 2);
    const stuck = { value: 0.9, atMs: 0, windowMs: 15_000 };
    const reasons = [1, 2, 3, 4].map((minute) => {
      bed.nowMs = minute * MINUTE;
      return autoscaler.decide({ ...bed.observe(), metric: () => stuck }).reason;
    });
    expect(reasons).toEqual(['AlarmsOK', 'InsufficientData', 'InsufficientData', 'InsufficientData']);
  });
});

describe('step scaling', () => {
  const bedOf = (params: object, count: number): Bed => new Bed((deps) => stepScaling.make({ max: 100, ...params }, deps), count);

  it('counts those that warm up as there: only a larger step adds, and only the difference', () => {
    const bed = bedOf({ evaluationPeriods: 1, datapointsToAlarm: 1, estimatedInstanceWarmup: 4 * MINUTE }, 10);
    bed.each = () => 0.62;
    expect(bed.run(2 * MINUTE)).toEqual([11, 11]);
    // 30 % of the ten that are measured is three, one of which is on its way.
    bed.each = () => 0.75;
    expect(bed.run(2 * MINUTE)).toEqual([13, 13]);
    // Four minutes after it became ready the first one is warm: 11 + 30 % of 11 = 14.
    expect(bed.run(MINUTE)).toEqual([14]);
  });

  it('steps again as long as the alarm lasts, and removes nothing while instances warm up', () => {
    const bed = bedOf({ estimatedInstanceWarmup: 0 }, 20);
    bed.each = () => 0.35;
    expect(bed.run(4 * MINUTE)).toEqual([20, 18, 17, 16]);
    bed.each = () => 0.2;
    // −30 %: 16 − 4 = 12, 12 − 3 = 9.
    expect(bed.run(2 * MINUTE)).toEqual([12, 9]);
    const warming = bedOf({}, 10);
    warming.each = () => 0.2;
    warming.run(MINUTE);
    warming.scaleTo(11);
    expect(new Set(warming.run(4 * MINUTE))).toEqual(new Set([11]));
    expect(warming.last.reason).toBe('WarmingUp');
  });

  it('does nothing where there is no step', () => {
    const bed = bedOf({ scaleInSteps: [] }, 10);
    bed.each = () => 0.1;
    expect(new Set(bed.run(10 * MINUTE))).toEqual(new Set([10]));
    expect(bed.last.reason).toBe('NoStep');
  });

  it('refuses alarms that make no sense', () => {
    expect(() => stepScaling.make({ datapointsToAlarm: 3 }, depsOf(1))).toThrow(
      'datapointsToAlarm is 3 and evaluationPeriods is 2',
    );
    expect(() => stepScaling.make({ lowThreshold: 0.9 }, depsOf(1))).toThrow('lowThreshold is 0.9 and highThreshold is 0.6');
    expect(() => stepScaling.make({ min: 11 }, depsOf(1))).toThrow('min is 11 and max is 10');
  });
});

describe('simple scaling', () => {
  it('takes one step, waits until it is complete, and then for the cooldown', () => {
    const bed = new Bed((deps) => simpleScaling.make({ max: 100 }, deps), 10);
    bed.each = () => 0.9;
    bed.readyAfterMs = 100_000;
    // Two datapoints, 20 %. Complete at the reading of 3:45, so that the cooldown ends at 8:45, before the decision at 9:00.
    expect(bed.run(2 * MINUTE)).toEqual([10, 12]);
    bed.run(MINUTE);
    expect(bed.last).toEqual({ replicas: 12, reason: 'ActivityInProgress' });
    expect(bed.run(5 * MINUTE)).toEqual([12, 12, 12, 12, 12]);
    expect(bed.last.reason).toBe('Cooldown');
    expect(bed.run(MINUTE)).toEqual([14]);
  });
});
