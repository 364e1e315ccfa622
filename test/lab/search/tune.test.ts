/** Searches for parameters, where the best ones are known. Seeds are fixed, so that nothing here depends on luck. */
import { describe, expect, test } from 'vitest';
import { InputError } from '../../../src/core/errors.ts';
import { goalChart } from '../../../src/report/search/tune.ts';
import { renderSvg } from '../../../src/report/svg.ts';
import { sharedQueue, tuneOf } from './files.ts';

/** A fast and a slow server, arrivals divided at random by weight: two M/M/1 queues. */
const twoServers = `scenario: 1
name: two-servers
run: { duration: 2m, warmup: 10s, seeds: 2, seed: split }
services:
  api:
    instances: [{ speed: 3, weight: 1 }, { speed: 1, weight: 1 }]
    slots: 1
    queue: unlimited
    work: { type: exponential, mean: 100ms }
traffic:
  - { to: api, arrivals: { type: poisson, rate: 20/s }, balancers: 1 }
policies: { balancer: weighted-random }
`;
const weight = 'services.api.instances.0.weight';

/** Mean time in the system in ms where the fast one, of 30/s, gets `weight` times what the slow one, of 10/s, gets. */
function meanTime(times: number): number {
  const [fast, slow] = [(20 * times) / (1 + times), 20 / (1 + times)];
  return fast >= 30 || slow >= 10 ? Infinity : (1000 / 20) * (fast / (30 - fast) + slow / (10 - slow));
}

describe('a goal with a known optimum', () => {
  test('is found as closely as it can be told', async () => {
    // Best by calculus: 17.32/s and 2.68/s, a weight of 6.46, for 87.3 ms.
    expect(meanTime(6)).toBeLessThan(meanTime(7) + 0.1);
    expect(Math.min(meanTime(6), meanTime(7))).toBeLessThan(Math.min(meanTime(4), meanTime(9)));
    const found = await tuneOf(twoServers, { goal: 'min latency.mean', param: `${weight}=1..60:log`, budget: 100 });
    expect(found.outcome).toBe('found');
    const best = Number(found.winner?.[weight]);
    // The curve is flat there: within 5 % of the best lie 4 to 11.
    expect(best).toBeGreaterThanOrEqual(4);
    expect(best).toBeLessThanOrEqual(11);
    expect(found.cells).toBeLessThanOrEqual(100);
    expect(found.verdict.at(-1)).toContain('the best of these, not an optimum');
  });

  test('is confirmed on seeds that the search has not seen', async () => {
    const found = await tuneOf(twoServers, { goal: 'min latency.mean', param: `${weight}=1..60:log`, budget: 60 });
    expect(found.freshSeeds.length).toBeGreaterThanOrEqual(3);
    expect(found.freshSeeds.filter((seed) => found.seeds.includes(seed))).toEqual([]);
    const winner = found.confirmation.find(({ verdict }) => verdict === 'winner')!;
    expect(winner.goal.n).toBe(found.freshSeeds.length);
    expect(found.verdict[0]).toContain(`on ${found.freshSeeds.length} fresh seeds`);
    expect(found.verdict[1]).toContain('these numbers are from seeds that had no part in the choice');
  });
});

describe('a goal with promises', () => {
  test('takes the cheapest that keeps them, and names what binds', async () => {
    // 7.5 Erlangs on instances of 3 slots each: Erlang C wants 9 shared slots, and fewer than three instances are overloaded.
    const text = sharedQueue.replace('slots: 10', 'slots: 3').replace('duration: 3m', 'duration: 1m');
    const found = await tuneOf(text, {
      goal: 'min cost subject to latency.p99 < 400ms and availability >= 99%',
      param: ['services.api.instances=1..12', 'policies.balancer=random,least-request'],
      budget: 90,
    });
    expect(found.outcome).toBe('found');
    expect(Number(found.winner?.['services.api.instances'])).toBeGreaterThanOrEqual(3);
    expect(Number(found.winner?.['services.api.instances'])).toBeLessThanOrEqual(6);
    expect(found.binding).toBe('latency.p99 < 400ms');
    expect(found.confirmation.find(({ verdict }) => verdict === 'winner')).toMatchObject({ decision: 'meets' });
    for (const { checks } of found.confirmation.filter(({ verdict }) => verdict === 'winner'))
      expect(checks.map(({ decision }) => decision)).toEqual(['meets', 'meets']);
  });

  test('that nothing keeps has no winner', async () => {
    const found = await tuneOf(sharedQueue, {
      goal: 'min cost subject to latency.p99 < 100ms',
      param: 'services.api.slots=9..30',
      budget: 20,
    });
    expect([found.outcome, found.winner]).toEqual(['none', null]);
    expect(found.verdict[0]).toMatch(/^None of \d+ trials keeps latency\.p99 < 100ms on fresh seeds\.$/);
  });
});

test('what makes no difference is not said to be better', async () => {
  // With one proxy and one instance every balancer picks the same.
  const found = await tuneOf(sharedQueue.replace('duration: 3m', 'duration: 1m'), {
    goal: 'min latency.mean',
    param: 'policies.balancer=random,round-robin,p2c',
    budget: 60,
  });
  const others = found.confirmation.filter(({ verdict }) => verdict !== 'winner');
  expect(others.map(({ verdict }) => verdict)).toEqual(['equivalent', 'equivalent']);
  expect(found.verdict.join(' ')).toContain('Not told apart from it: ');
  expect(found.verdict.at(-1)).toContain('All 3 settings there are were tried');
});

test('combinations that cannot be are trials of their own, with the reason', async () => {
  const text = sharedQueue
    .replace('duration: 3m', 'duration: 1m')
    .replace('slots: 10', 'slots: 4')
    .replace('price: 0.1', 'price: 0.1, startup: 5s, shutdown: { grace: 5s }, resources: { cpu: 1 }');
  const found = await tuneOf(
    `${text}policies: { balancer: random, autoscaler: { use: hpa, min: 2, max: 8, metrics: [{ name: cpu, averageUtilization: 60% }] } }\n`,
    {
      goal: 'min cost',
      param: [
        'policies.autoscaler.min=1..8',
        'policies.autoscaler.max=2..6',
        'policies.autoscaler.metrics.0.averageUtilization=40%..80%',
      ],
      budget: 40,
    },
  );
  const invalid = found.trials.filter(({ end }) => end === 'invalid');
  expect(invalid.length).toBeGreaterThan(0);
  for (const { setting, problem } of invalid) {
    expect(Number(setting['policies.autoscaler.min'])).toBeGreaterThan(Number(setting['policies.autoscaler.max']));
    expect(problem).toContain('(at policies.autoscaler.min=');
  }
  expect(found.outcome).toBe('found');
});

test('the same search comes again to the byte, and another seed searches elsewhere', async () => {
  const asked = { goal: 'min latency.mean', param: `${weight}=1..60:log`, budget: 24 };
  const [once, again] = [await tuneOf(twoServers, asked), await tuneOf(twoServers, asked)];
  expect(JSON.stringify(again)).toBe(JSON.stringify(once));
  const other = await tuneOf(twoServers, { ...asked, load: { seed: 'other' } });
  expect(other.trials.map(({ setting }) => setting)).not.toEqual(once.trials.map(({ setting }) => setting));
});

test('a chart can be drawn after the first cells, when nothing has an interval', async () => {
  const controller = new AbortController();
  const found = await tuneOf(twoServers, {
    ...{ goal: 'min latency.mean', param: `${weight}=1..60:log`, budget: 60 },
    signal: controller.signal,
    onProgress: ({ done }) => {
      if (done >= 2) controller.abort();
    },
  });
  expect(found.trials.map(({ seeds }) => seeds)).toEqual([1, 1]);
  expect(await renderSvg(goalChart(found))).toContain('<svg');
});

test('interrupted, it confirms nothing and says so', async () => {
  const controller = new AbortController();
  const found = await tuneOf(twoServers, {
    ...{ goal: 'min latency.mean', param: `${weight}=1..60:log`, budget: 60 },
    signal: controller.signal,
    onProgress: ({ done }) => {
      if (done >= 20) controller.abort();
    },
  });
  expect(found).toMatchObject({ complete: false, outcome: 'interrupted', winner: null, confirmation: [] });
  expect(found.trials.length).toBeGreaterThan(0);
  expect(found.verdict[0]).toContain('unconfirmed');
});

test.each([
  [{ goal: 'min cost', param: 'services.api.slts=1..4' }, 'unknown key "slts"'],
  [{ goal: 'min cst', param: 'services.api.slots=1..4' }, 'unknown metric "cst" (from --goal)'],
  [{ goal: 'min cost subject to latency.p99 == 5ms', param: 'services.api.slots=1..4' }, 'asks for one exact value'],
  [{ goal: 'min detection.time', param: 'services.api.slots=1..4' }, 'detection.time has no value'],
  [{ goal: 'min cost', param: 'policies.retry.rules.0.x=1..4' }, 'policies.retry.rules is not written in the file'],
])('%j is refused', async (asked, complaint) => {
  await expect(tuneOf(sharedQueue.replace('duration: 3m', 'duration: 30s'), asked)).rejects.toThrow(InputError);
  await expect(tuneOf(sharedQueue.replace('duration: 3m', 'duration: 30s'), asked)).rejects.toThrow(complaint);
});
