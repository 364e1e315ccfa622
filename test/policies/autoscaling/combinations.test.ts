/** Autoscalers with others inside: whom they ask when, what they make of the answers, schedules and forecasts. */
import { describe, expect, it } from 'vitest';
import type { Autoscaler, AutoscalerDefinition, AutoscalerDeps } from '../../../src/policies/autoscaling/autoscaler.ts';
import { defineAutoscaler, predictive, queueing, scheduled } from '../../../src/policies/autoscaling/index.ts';
import { maxOfTable } from '../../../src/policies/autoscaling/max-of.ts';
import { minOfTable } from '../../../src/policies/autoscaling/min-of.ts';
import { boundsParams } from '../../../src/policies/autoscaling/parts/bounds.ts';
import { predictiveTable } from '../../../src/policies/autoscaling/predictive.ts';
import { scheduledTable } from '../../../src/policies/autoscaling/scheduled.ts';
import { Bed, DAY, depsOf, HOUR, MINUTE, MONDAY, SECOND } from './bed.ts';

/** A table of policies that answer with what a test says, and note when they were asked. */
class Puppets {
  readonly answers: Record<string, number | undefined> = {};
  readonly asked: Record<string, number[]> = {};
  readonly sampled: Record<string, number[]> = {};
  readonly scaled: string[] = [];
  readonly #table: Record<string, AutoscalerDefinition> = {};

  add(name: string, decideEveryMs: number, extra: Partial<Autoscaler> = {}): this {
    this.asked[name] = [];
    this.sampled[name] = [];
    this.#table[name] = defineAutoscaler({
      name,
      summary: '',
      useWhen: '',
      failsWhen: '',
      cost: '',
      sources: [],
      aliases: [],
      params: boundsParams,
      create: () => ({
        decideEveryMs,
        decide: ({ nowMs }) => {
          this.asked[name].push(nowMs / SECOND);
          return { replicas: this.answers[name], reason: 'Said' };
        },
        sample: ({ nowMs }) => this.sampled[name].push(nowMs / SECOND),
        onScaled: (from, to) => this.scaled.push(`${name} ${from} ${to}`),
        ...extra,
      }),
    }) as AutoscalerDefinition;
    return this;
  }

  readonly table = (): Readonly<Record<string, AutoscalerDefinition>> => this.#table;

  of(...names: readonly string[]): { readonly use: string }[] {
    return names.map((use) => ({ use }));
  }
}
const made =
  (definition: AutoscalerDefinition, params: object) =>
  (deps: AutoscalerDeps): Autoscaler =>
    definition.make({ max: 100, ...params }, deps);

describe('the largest and the smallest of several', () => {
  const pair = (): Puppets => new Puppets().add('a', 10 * SECOND).add('b', 10 * SECOND);
  const answer = (kind: typeof maxOfTable, a: number | undefined, b: number | undefined, spec: number, params: object = {}) => {
    const puppets = pair();
    Object.assign(puppets.answers, { a, b });
    const autoscaler = made(kind(puppets.table), { of: puppets.of('a', 'b'), ...params })(depsOf(spec));
    return autoscaler.decide(new Bed(() => autoscaler, spec).observe());
  };

  it('is taken, with the reason of whose it is', () => {
    expect(answer(maxOfTable, 3, 7, 5)).toEqual({ replicas: 7, reason: 'b: Said' });
    expect(answer(minOfTable, 3, 7, 5)).toEqual({ replicas: 3, reason: 'a: Said' });
    expect(answer(maxOfTable, 3, 2, 5).replicas).toBe(3);
  });

  it('goes up by those that have an answer when one has none, and never down', () => {
    expect(answer(maxOfTable, 8, undefined, 5).replicas).toBe(8);
    expect(answer(maxOfTable, 2, undefined, 5)).toEqual({ replicas: 5, reason: 'b: Said' });
    expect(answer(minOfTable, undefined, 8, 5).replicas).toBe(8);
    expect(answer(minOfTable, undefined, 2, 5).replicas).toBe(5);
    expect(answer(maxOfTable, undefined, undefined, 5).replicas).toBeUndefined();
  });

  it('keeps its own bounds, also when nobody has an answer', () => {
    expect(answer(maxOfTable, 30, 2, 5, { max: 20 }).replicas).toBe(20);
    expect(answer(minOfTable, 30, 2, 5, { min: 4 }).replicas).toBe(4);
    expect(answer(maxOfTable, undefined, undefined, 25, { max: 20 }).replicas).toBe(20);
  });

  it('asks each at its own cadence and remembers the last answer', () => {
    const puppets = new Puppets().add('slow', 15 * SECOND).add('quick', 6 * SECOND);
    Object.assign(puppets.answers, { slow: 9, quick: 2 });
    const bed = new Bed(made(maxOfTable(puppets.table), { of: puppets.of('slow', 'quick') }), 1);
    expect(bed.autoscaler.decideEveryMs).toBe(3 * SECOND);
    bed.run(33 * SECOND);
    expect(puppets.asked).toEqual({ slow: [3, 18, 33], quick: [3, 9, 15, 21, 27, 33] });
    puppets.answers.slow = 1;
    // The nine of the slow one still hold, until it is asked again.
    expect(bed.run(15 * SECOND)).toEqual([9, 9, 9, 9, 2]);
  });

  it('samples for those who do, and tells all of every change', () => {
    const puppets = new Puppets()
      .add('a', 10 * SECOND, { sampleEveryMs: 4 * SECOND })
      .add('b', 10 * SECOND, { sampleEveryMs: 2 * SECOND, holdsRequests: true })
      .add('c', 10 * SECOND);
    Object.assign(puppets.answers, { a: 1, b: 1, c: 1 });
    const bed = new Bed(made(maxOfTable(puppets.table), { of: puppets.of('a', 'b', 'c') }), 1);
    expect(bed.autoscaler).toMatchObject({ sampleEveryMs: 2 * SECOND, holdsRequests: true });
    bed.run(9 * SECOND);
    expect(puppets.sampled).toEqual({ a: [2, 6], b: [2, 4, 6, 8], c: [] });
    bed.scaleTo(4);
    expect(puppets.scaled).toEqual(['a 1 4', 'b 1 4', 'c 1 4']);
    const none = new Bed(made(maxOfTable(puppets.table), { of: puppets.of('c') }), 1);
    expect(none.autoscaler).toMatchObject({ sampleEveryMs: Infinity, holdsRequests: false });
  });
});

describe('a schedule', () => {
  const office = [
    { cron: '0 8 * * 1-5', replicas: 10 },
    { cron: '0 18 * * 1-5', replicas: 2 },
  ];
  /** Hours at which the count changed, and to what. */
  const changes = (bed: Bed, forMs: number): readonly string[] => {
    const found: string[] = [];
    for (const untilMs = bed.nowMs + forMs; bed.nowMs < untilMs;) {
      const before = bed.count;
      bed.run(MINUTE);
      if (bed.count !== before) found.push(`${bed.nowMs / HOUR}h ${bed.count}`);
    }
    return found;
  };

  it('has the capacity of the entry that fired last, from the start', () => {
    const bed = new Bed(made(scheduled, { schedule: office }), 5);
    // Monday at 0:00: since Friday evening there are two.
    expect(changes(bed, 2 * DAY)).toEqual([`${1 / 60}h 2`, '8h 10', '18h 2', '32h 10', '42h 2']);
    expect(bed.last.reason).toBe('Scheduled');
    expect(changes(new Bed(made(scheduled, { schedule: office }), 5, MONDAY + 12 * HOUR), HOUR)).toEqual([`${1 / 60}h 10`]);
  });

  it('goes by the clock of its zone, and by the last in the list of what fires together', () => {
    const schedule = [
      { cron: '0 8 * * *', timeZone: 'Asia/Tokyo', replicas: 4 },
      { cron: '0 23 * * *', replicas: 7 },
    ];
    const bed = new Bed(made(scheduled, { schedule }), 7);
    expect(changes(bed, DAY)).toEqual([]);
    const reversed = new Bed(made(scheduled, { schedule: [...schedule].reverse() }), 4);
    expect(changes(reversed, DAY)).toEqual([]);
  });

  it('holds a floor, a ceiling, and nothing at all before anything is scheduled', () => {
    const count = (entry: object, spec: number): number | undefined => {
      const autoscaler = made(scheduled, { schedule: [{ cron: '0 0 * * *', ...entry }] })(depsOf(spec));
      return autoscaler.decide(new Bed(() => autoscaler, spec).observe()).replicas;
    };
    expect([count({ min: 6 }, 3), count({ min: 6 }, 9), count({ max: 6 }, 9), count({ max: 6 }, 3)]).toEqual([6, 6, 6, 3]);
    expect([count({ min: 2, max: 6, replicas: 8 }, 3), count({ replicas: 0, min: 2 }, 3)]).toEqual([6, 2]);
    expect(count({ cron: '0 0 30 2 *', replicas: 5 }, 3)).toBeUndefined();
    expect(() => count({ min: 6, max: 5 }, 3)).toThrow('scheduled: 0 0 * * *: min is 6 and max is 5');
    expect(() => count({ cron: 'never' }, 3)).toThrow('"never" is not a cron expression');
  });

  it('raises the floor of a policy that reacts, as one of the largest', () => {
    const puppets = new Puppets().add('reactive', MINUTE);
    puppets.answers.reactive = 3;
    const table = (): Readonly<Record<string, AutoscalerDefinition>> => ({ ...puppets.table(), scheduled });
    const of = [
      { use: 'reactive' },
      {
        use: 'scheduled',
        params: {
          max: 100,
          schedule: [
            { cron: '0 8 * * *', min: 6 },
            { cron: '0 9 * * *', min: 1 },
          ],
        },
      },
    ];
    const bed = new Bed(made(maxOfTable(table), { of }), 3);
    expect(changes(bed, 8.5 * HOUR)).toEqual(['8h 6']);
    puppets.answers.reactive = 8;
    expect(changes(bed, HOUR)).toEqual([`${8.5 + 1 / 60}h 8`]);
    puppets.answers.reactive = 2;
    expect(changes(bed, HOUR)).toEqual([`${9.5 + 1 / 60}h 2`]);
  });

  it('bounds a dynamic policy, and sets the count once when it fires', () => {
    const puppets = new Puppets().add('reactive', MINUTE);
    const schedule = [
      { cron: '0 8 * * *', replicas: 9, min: 5, max: 12 },
      { cron: '0 18 * * *', max: 4 },
    ];
    const bed = new Bed(made(scheduledTable(puppets.table), { schedule, dynamic: puppets.of('reactive') }), 3);
    puppets.answers.reactive = 3;
    // Nine at eight o'clock, for one decision; then the dynamic policy wants three, and five are the fewest.
    expect(changes(bed, 9 * HOUR)).toEqual(['8h 9', `${8 + 1 / 60}h 5`]);
    puppets.answers.reactive = 40;
    expect(changes(bed, HOUR)).toEqual([`${9 + 1 / 60}h 12`]);
    expect(changes(bed, 9 * HOUR)).toEqual(['18h 4']);
    puppets.answers.reactive = undefined;
    expect(changes(bed, HOUR)).toEqual([]);
    expect(bed.last).toEqual({ replicas: undefined, reason: 'reactive: Said' });
  });
});

describe('predictive scaling', () => {
  const reactive = (): Puppets => new Puppets().add('reactive', 15 * SECOND);
  const bedOf = (puppets: Puppets, params: object, count = 1): Bed => {
    const common = { capacity: 'throughput', throughputPerReplica: 10, reactive: puppets.of('reactive') };
    return new Bed(made(predictiveTable(puppets.table), { ...common, ...params }), count);
  };
  const ramp = (bed: Bed): void => {
    bed.service = (name, nowMs) => (name === 'requests-per-second' ? nowMs / MINUTE : undefined);
  };

  it('is there before the load, by its lead time', () => {
    const puppets = reactive();
    puppets.answers.reactive = 1;
    const bed = bedOf(puppets, { forecast: 'linear-regression', leadTime: 10 * MINUTE });
    ramp(bed);
    bed.run(60 * MINUTE);
    // Measurements are averages of a minute. The latest ended at 59:15 with 58.9; what comes until ten minutes after the next is 69.9.
    expect(bed.count).toBe(7);
    expect(bed.last.reason).toBe('Forecast');
  });

  it('never goes below the reactive policy, and leaves it alone before there is a forecast', () => {
    const puppets = reactive();
    puppets.answers.reactive = 3;
    const bed = bedOf(puppets, { forecast: 'linear-regression' });
    ramp(bed);
    bed.run(75 * SECOND);
    expect(bed.last).toEqual({ replicas: 3, reason: 'reactive: Said' });
    bed.run(10 * MINUTE);
    expect(bed.last).toEqual({ replicas: 3, reason: 'reactive: Said' });
    puppets.answers.reactive = 50;
    bed.run(MINUTE);
    expect(bed.count).toBe(50);
    // One that has no answer must not be gone below either.
    puppets.answers.reactive = undefined;
    bed.run(30 * MINUTE);
    expect(bed.count).toBe(50);
    puppets.answers.reactive = 1;
    bed.run(MINUTE);
    expect(bed.count).toBe(5);
  });

  it('takes a forecast below nothing for nothing', () => {
    const puppets = reactive();
    puppets.answers.reactive = 0;
    const bed = bedOf(puppets, { forecast: 'linear-regression', min: 0, leadTime: 30 * MINUTE }, 5);
    bed.service = (name, nowMs) => (name === 'requests-per-second' ? Math.max(0, 20 - nowMs / MINUTE) : undefined);
    bed.run(11 * MINUTE);
    // The nearest of the next intervals still has load: 10.1 in the latest, and one less in each.
    expect(bed.count).toBe(1);
    bed.run(15 * MINUTE);
    expect(bed.last.replicas).toBe(0);
  });

  it('brings replicas before the morning of the third day', () => {
    const puppets = reactive();
    puppets.answers.reactive = 1;
    const bed = bedOf(puppets, { interval: 10 * MINUTE, leadTime: 20 * MINUTE, alpha: 0.2, beta: 0 });
    bed.service = (name, nowMs) => {
      const hour = (nowMs / HOUR) % 24;
      return name === 'requests-per-second' ? (hour > 8 && hour <= 18 ? 100 : 5) : undefined;
    };
    bed.run(2 * DAY);
    bed.run(7.5 * HOUR);
    expect(bed.count).toBe(1);
    bed.run(0.25 * HOUR);
    expect(bed.count).toBe(10);
    // The peak of the next twenty minutes counts, so nothing goes before the load does.
    bed.run(10.2 * HOUR);
    expect(bed.count).toBe(10);
    bed.run(0.5 * HOUR);
    expect(bed.count).toBe(1);
  });

  it('knows capacity by a queueing model too', () => {
    const puppets = reactive();
    puppets.answers.reactive = 1;
    const bed = bedOf(puppets, { capacity: 'queueing', model: 'utilization', targetUtilization: 0.5, forecast: 'ewma' });
    const table = (): Readonly<Record<string, AutoscalerDefinition>> => ({ queueing });
    bed.service = (name) => (name === 'requests-per-second' ? 200 : name === 'service-time' ? 30 : undefined);
    bed.run(2 * MINUTE);
    // 6 Erlangs over a half.
    expect(bed.count).toBe(12);
    const silent = new Bed(made(predictiveTable(table), { forecast: 'ewma', reactive: [{ use: 'queueing' }] }), 3);
    silent.service = (name) => (name === 'requests-per-second' ? 200 : undefined);
    silent.run(2 * MINUTE);
    expect(silent.last).toEqual({ replicas: undefined, reason: 'queueing: NoServiceTime' });
  });

  it('refuses policies that are not there, and a history that is too short for its model', () => {
    expect(() => predictive.make({ reactive: [{ use: 'hap' }] }, depsOf(1))).toThrow('there is no autoscaler "hap"');
    const params = { forecast: 'autoregressive', order: 4, history: 10, differences: true };
    expect(() => predictive.make(params, depsOf(1))).toThrow('history is 10, and an order of 4 needs 11');
  });

  it('has the HPA to lean on if nothing else is said', () => {
    const bed = new Bed(made(predictive, {}), 4);
    bed.each = (name) => (name === 'cpu' ? 1.6 : undefined);
    bed.run(15 * SECOND);
    expect(bed.count).toBe(8);
    expect(bed.last.reason).toMatch(/^hpa: /);
  });
});
