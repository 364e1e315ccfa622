/** Erlang C beside published values, and where it does not apply. */
import { describe, expect, test } from 'vitest';
import { modelOf, sojournQuantile, staysLonger, theoryOf } from '../../../src/lab/search/mmc.ts';
import { scenarioOf, type ScenarioSetup } from '../builder.ts';

describe('the time in an M/M/c system, in service times', () => {
  test.each([
    // Servers, utilization, p50, p99, p99.9.
    [1, 0.5, 1.386, 9.21, 13.82],
    [1, 0.8, 3.466, 23.03, 34.54],
    [1, 0.95, 13.86, 92.1, 138.2],
    [2, 0.8, 2.04, 11.94, 17.69],
    [10, 0.9, 1.329, 6.25, 8.841],
    [100, 0.95, 0.8079, 4.724, 7.027],
  ])('c = %d at load %d', (servers, load, p50, p99, p999) => {
    const at = (share: number): number => Number(sojournQuantile(share, servers, servers * load).toPrecision(4));
    expect([at(0.5), at(0.99), at(0.999)]).toEqual([p50, p99, p999]);
  });

  test('is continuous where c − 1 equals the load, and falls everywhere', () => {
    const around = [2 - 1e-7, 2, 2 + 1e-7].map((load) => staysLonger(3, 3, load));
    expect(around[1]).toBeCloseTo(around[0], 6);
    expect(around[1]).toBeCloseTo(around[2], 6);
    let before = 1;
    for (let t = 0.1; t < 5000; t *= 1.3) {
      const now = staysLonger(t, 1, 0.999);
      expect(now).toBeLessThan(before);
      before = now;
    }
  });

  test('grows without bound in overload', () => {
    const model = { servers: 2, load: 2, serviceMs: 10 };
    expect([theoryOf('latency.p99', model), theoryOf('latency.mean', model)]).toEqual([Infinity, Infinity]);
    expect(theoryOf('utilization.mean', model)).toBe(1);
  });

  test('has the mean that Little’s law asks for', () => {
    expect(theoryOf('latency.mean', { servers: 10, load: 9, serviceMs: 100 })).toBeCloseTo(166.873, 3);
    expect(theoryOf('goodput', { servers: 10, load: 9, serviceMs: 100 })).toBeNaN();
  });
});

describe('it applies', () => {
  const world: ScenarioSetup = { instances: 1, slots: 4, arrivals: { type: 'poisson', perSecond: 200 } };
  const whyOf = (change: ScenarioSetup): string => modelOf(scenarioOf({ ...world, ...change })).why;

  test('to one exponential queue', () => {
    const { model, why } = modelOf(scenarioOf(world));
    expect(why).toBe('');
    expect(model).toEqual({ servers: 4, load: 2, serviceMs: 10 });
  });

  test.each([
    [{ work: { type: 'constant', value: 10 } }, 'work is constant, not exponential'],
    [{ arrivals: { type: 'constant', perSecond: 200 } }, 'arrivals are constant, not Poisson'],
    [{ discipline: 'lifo' }, 'requests are served lifo, not first come first served'],
    [{ queueLimit: 3 }, 'the queue is limited, and requests are turned away'],
    [{ timeoutMs: 30 }, 'requests time out'],
    [{ instances: 4, slots: 1 }, 'each of 4 instances has a queue of its own'],
    [{ detector: { use: 'heartbeat', params: {} } }, 'there is a policy that the model knows nothing of (detector)'],
  ] as readonly (readonly [ScenarioSetup, string])[])('and not with %j', (change, why) => {
    expect(whyOf(change)).toBe(why);
  });

  test('as a bound where instances have queues of their own', () => {
    const { model, isBound } = modelOf(scenarioOf({ ...world, instances: 4, slots: 1 }));
    expect([model?.servers, isBound]).toEqual([4, true]);
  });

  test('with limits that nobody meets', () => {
    expect(whyOf({ queueLimit: 100, timeoutMs: 2000 })).toBe('');
  });
});
