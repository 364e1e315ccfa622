/** Where retries make a service vulnerable: C / (1 + R) of Bronson et al. (HotOS 2021), worked out by hand. */
import { describe, expect, test } from 'vitest';
import { planExperiment } from '../../src/lab/plan.ts';
import { retryThresholds } from '../../src/lab/retry-thresholds.ts';
import { scenarioOf, scenarioText } from '../scenario/fixture.ts';

/** 10 slots of 10 ms: 1000/s. */
const services = 'services: { api: { instances: 10, work: 10ms } }';
const text = (rate: number, edge: string, rest = ''): string =>
  scenarioText({ services, traffic: `traffic: [{ to: api, arrivals: { type: poisson, rate: ${rate}/s }, ${edge} }]`, rest });
const thresholdsOf = async (...args: Parameters<typeof text>) => retryThresholds(await scenarioOf(text(...args)));
const retry = (retries: number, more = '') =>
  `attemptTimeout: 100ms, timeout: 1s, policies: { retry: { use: constant, retries: ${retries} }${more} }`;

describe('thresholds', () => {
  test.each([
    [200, 'stable'],
    [400, 'vulnerable'],
    [1000, 'overloaded'],
  ])('at %i/s with three retries: %s', async (rate, state) => {
    const [threshold] = await thresholdsOf(rate, retry(3));
    expect(threshold).toEqual({
      variant: 'round-robin',
      service: 'api',
      load: expect.closeTo(rate, 6),
      capacity: expect.closeTo(1000, 6),
      amplification: expect.closeTo(4, 9),
      stableBelow: expect.closeTo(250, 6),
      state,
    });
  });

  test('a budget of 10 % leaves C / 1.1', async () => {
    const [threshold] = await thresholdsOf(400, retry(3, ', budget: { use: request-ratio, ratio: 10% }'));
    expect(threshold).toMatchObject({ stableBelow: expect.closeTo(1000 / 1.1, 6), state: 'stable' });
  });

  test('a budget that lives on successes leaves everything', async () => {
    expect(await thresholdsOf(400, retry(3, ', budget: grpc-throttle'))).toEqual([]);
  });

  test('only as many attempts count as fit into the timeout', async () => {
    const [threshold] = await thresholdsOf(
      400,
      'attemptTimeout: 500ms, timeout: 1s, policies: { retry: { use: immediate, retries: 10, on: timeout } }',
    );
    expect(threshold.amplification).toBeCloseTo(2, 9);
  });

  test('users who ask again count, too', async () => {
    const [threshold] = await thresholdsOf(400, `${retry(1)}, userRetries: { max: 2, after: 1s }`);
    expect(threshold.amplification).toBeCloseTo(2 * 3, 9);
  });

  test.each([
    ['without a timeout of attempts', 'timeout: 1s, policies: { retry: { use: constant, retries: 3 } }'],
    ['of what was refused or failed only', 'attemptTimeout: 100ms, timeout: 1s, retries: 3'],
    ['none', 'attemptTimeout: 100ms, timeout: 1s'],
  ])('not for retries %s', async (_, edge) => {
    expect(await thresholdsOf(900, edge)).toEqual([]);
  });

  test('layers multiply: three of four attempts are 64', async () => {
    const layer = 'timeout: 1s, attemptTimeout: 100ms, policies: { retry: { use: constant, retries: 3 } }';
    const deep = scenarioText({
      services: `services:\n  a: { instances: 1, work: 1ms, calls: [{ to: b, ${layer} }] }\n  b: { instances: 1, work: 1ms, calls: [{ to: c, ${layer} }] }\n  c: { instances: 1, work: 1ms }`,
      traffic: `traffic: [{ to: a, arrivals: { type: poisson, rate: 10/s }, ${layer} }]`,
    });
    const thresholds = retryThresholds(await scenarioOf(deep));
    expect(thresholds.map(({ service, amplification }) => [service, Math.round(amplification)])).toEqual([
      ['a', 4],
      ['b', 16],
      ['c', 64],
    ]);
  });

  test('are those of each variant, and come with the plan as a warning', async () => {
    const scenario = await scenarioOf(
      text(400, 'attemptTimeout: 100ms, timeout: 1s', 'compare: { retry: [none, { use: constant, retries: 3, label: three }] }'),
    );
    expect(retryThresholds(scenario).map(({ variant, state }) => [variant, state])).toEqual([['three', 'vulnerable']]);
    const plan = planExperiment(scenario);
    expect(plan.thresholds).toHaveLength(1);
    expect(plan.warnings.map(({ message }) => message)).toContain(
      'api: retries after timeouts can keep it down once a trigger has overloaded it in three: stable below 250/s, load 400/s, capacity 1000/s',
    );
  });
});
