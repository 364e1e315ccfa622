import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { log } from '../../../src/core/math.ts';
import { defaults, type Param } from '../../../src/core/params.ts';
import { alarmRules, checkAlarm } from '../../../src/policies/detection/alarms/contract.ts';
import { alarms, cusum, ewma, robustZScore, threshold, zScore } from '../../../src/policies/detection/alarms/index.ts';
import { ThresholdAlarm } from '../../../src/policies/detection/alarms/threshold.ts';
import { testRng } from '../fixtures.ts';

/** What the contract's metric calls for, where defaults cannot know it. */
const params: Readonly<Record<string, Record<string, number>>> = { threshold: { threshold: 150 } };

describe.each(Object.values(alarms))('$name', (definition) => {
  it('stands in the table under its name, and in a file of that name', () => {
    expect(alarms[definition.name]).toBe(definition);
    expect(definition.family).toBe('alarms');
    expect(existsSync(resolve(import.meta.dirname, '../../../src/policies/detection/alarms', `${definition.name}.ts`))).toBe(
      true,
    );
  });

  it('says in sentences what it is, when to use it, and when it fails', () => {
    for (const text of [definition.summary, definition.useWhen, definition.failsWhen]) expect(text).toMatch(/^[A-Z].+\.$/s);
    for (const [name, spec] of Object.entries<Param>(definition.params)) {
      expect(name).toMatch(/^[a-z][A-Za-z]*$/);
      expect(spec.about).toMatch(/^\S.+\.$/s);
    }
  });

  it.each(alarmRules)('$name', (rule) => {
    expect(rule.check(() => definition.make(params[definition.name] ?? {}, {}))).toEqual([]);
  });
});

describe('the contract of alarms', () => {
  it('notices an alarm that always fires, and one that never does', () => {
    expect(checkAlarm(() => ({ update: () => true }))).toContainEqual(expect.stringContaining('fired on 500 of 500 good values'));
    expect(checkAlarm(() => ({ update: () => false }))).toEqual([expect.stringContaining('never fired on 30 bad values')]);
  });

  it('notices an alarm that never ends, and one that chokes on a missing value', () => {
    const latching = (): { update(value: number): boolean } => {
      let isOn = false;
      return { update: (value) => (isOn ||= value > 150) };
    };
    expect(checkAlarm(latching)).toEqual([expect.stringContaining('still fires on good values')]);
    const choking = (): { update(value: number): boolean } => {
      let sum = 0;
      return { update: (value) => ((sum += value), value > 150 && !Number.isNaN(sum)) };
    };
    expect(checkAlarm(choking)).toEqual([expect.stringContaining('a value that is not a number changed its answers')]);
  });

  it('notices alarms that share what they know', () => {
    let mean = 100;
    const sharing = (): { update(value: number): boolean } => ({
      update: (value) => {
        if (!Number.isNaN(value)) mean += (value - mean) / 50;
        return value > 1.5 * mean;
      },
    });
    expect(checkAlarm(sharing)).toContainEqual(expect.stringContaining('shares nothing with other alarms of its kind'));
  });
});

describe('threshold', () => {
  const rule = (values: Partial<Parameters<typeof threshold.create>[0]>): ThresholdAlarm =>
    new ThresholdAlarm({ ...defaults(threshold.params), threshold: 10, ...values });

  it('fires once the condition has held for the whole time, whatever the interval of evaluations', () => {
    const alarm = rule({ for: 60_000 });
    expect([0, 59_999, 60_000].map((atMs) => alarm.update(11, atMs))).toEqual([false, false, true]);
  });

  it('starts anew after a single value that does not meet the condition', () => {
    const alarm = rule({ for: 30_000 });
    alarm.update(11, 0);
    alarm.update(10, 15_000);
    expect(alarm.state).toBe('inactive');
    alarm.update(11, 30_000);
    expect(alarm.update(11, 45_000)).toBe(false);
    expect(alarm.update(11, 60_000)).toBe(true);
  });

  it('compares as it is told', () => {
    const meets = (operator: '>' | '>=' | '<' | '<=' | '==' | '!='): string =>
      [9, 10, 11].map((value) => (rule({ operator, for: 0 }).update(value, 0) ? 'y' : 'n')).join('');
    expect((['>', '>=', '<', '<=', '==', '!='] as const).map(meets)).toEqual(['nny', 'nyy', 'ynn', 'yyn', 'nyn', 'yny']);
  });

  it('ends at once without keepFiringFor, also for a value that is missing', () => {
    const alarm = rule({ for: 0 });
    expect(alarm.update(11, 0)).toBe(true);
    expect(alarm.update(NaN, 1000)).toBe(false);
  });
});

describe('scores', () => {
  it('judge a value by those before it only', () => {
    const alarm = zScore.make({ minSamples: 4 }, {});
    for (const value of [1, 3, 1, 3]) expect(alarm.update(value, 0)).toBe(false);
    // Mean 2, deviation 1: 5 is exactly three deviations away, which is not beyond.
    expect(alarm.update(5, 0)).toBe(false);
    const other = zScore.make({ minSamples: 4 }, {});
    for (const value of [1, 3, 1, 3]) other.update(value, 0);
    expect(other.update(5.001, 0)).toBe(true);
  });

  it('are hidden by outliers in the window if they are plain, and are not if they are robust', () => {
    const values = [10, 11, 9, 10, 12, 8, 10, 1000, 11, 9, 10, 900];
    const firings = (alarm: { update(value: number, atMs: number): boolean }): number[] =>
      values.flatMap((value, i) => (alarm.update(value, i) ? [value] : []));
    expect(firings(zScore.make({ minSamples: 5 }, {}))).toEqual([1000]);
    expect(firings(robustZScore.make({ minSamples: 5 }, {}))).toEqual([1000, 900]);
  });

  it('let a metric that never varied change by what is said not to matter', () => {
    for (const [definition, least] of [
      [zScore, { minStdDev: 1 }],
      [robustZScore, { minMad: 1 }],
    ] as const) {
      const strict = definition.make({}, {});
      const lenient = definition.make(least, {});
      for (let i = 0; i < 20; i++) for (const alarm of [strict, lenient]) alarm.update(5, i);
      expect(strict.update(5.1, 20)).toBe(true);
      expect(lenient.update(5.1, 20)).toBe(false);
    }
  });
});

describe('control charts', () => {
  it('learn mean and deviation from the first values', () => {
    const chart = cusum.make({ learnFrom: 4, h: 4, k: 0 }, {});
    for (const value of [8, 12, 8, 12]) expect(chart.update(value, 0)).toBe(false);
    // Mean 10, deviation 2: the sum is 8 after two values of 14, and fires above 8.
    expect([14, 14, 14].map((value) => chart.update(value, 0))).toEqual([false, false, true]);
  });

  it('notice a drop as well as a rise', () => {
    for (const definition of [cusum, ewma]) {
      const chart = definition.make({ learnFrom: 0, mean: 10, stdDev: 1 }, {});
      expect(Array.from({ length: 12 }, (_, i) => chart.update(8, i)).at(-1)).toBe(true);
    }
  });

  it('of cusum raise a false alarm every 465 normal values, and notice one deviation after 10.4', () => {
    // Published run lengths for k = 0.5, h = 5 (Montgomery, table 9.3: 465 and 10.4). 2000 runs each, seed 3. Run lengths are nearly
    // geometric, with a deviation of at most their mean: relative standard error 2.3 %, so 10 % is beyond four of them.
    const rng = testRng(3);
    const normal = (): number => Math.sqrt(-2 * log(1 - rng.next())) * Math.cos(2 * Math.PI * rng.next());
    const runLength = (shift: number): number => {
      const chart = cusum.make({ learnFrom: 0, mean: 0, stdDev: 1 }, {});
      for (let i = 1; ; i++) if (chart.update(normal() + shift, i)) return i;
    };
    const meanOver = (runs: number, shift: number): number =>
      Array.from({ length: runs }, () => runLength(shift)).reduce((sum, length) => sum + length, 0) / runs;
    expect(meanOver(2000, 0) / 465).toBeGreaterThan(0.9);
    expect(meanOver(2000, 0) / 465).toBeLessThan(1.1);
    expect(meanOver(2000, 1) / 10.4).toBeGreaterThan(0.95);
    expect(meanOver(2000, 1) / 10.4).toBeLessThan(1.05);
  });
});
