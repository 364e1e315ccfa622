/** Searches for what is enough, on systems whose answer is known. Seeds are fixed, so that nothing here depends on luck. */
import { describe, expect, test } from 'vitest';
import { InputError } from '../../../src/core/errors.ts';
import { capacityOf, sharedQueue } from './files.ts';

const slots = 'services.api.slots';

describe('an M/M/c queue of 7.5 Erlangs', () => {
  // Erlang C, mean service time 50 ms: p99 is 525 ms with 8 slots, 264 ms with 9, 240 ms with 10.
  test('needs the slots that Erlang C says', async () => {
    const { outcome, kind, answer, neighbour, theory, monotone, probes, verdict } = await capacityOf(sharedQueue, {
      slo: 'latency.p99 < 300ms',
      vary: `${slots}=4..24`,
    });
    expect({ outcome, kind, answer, neighbour, monotone }).toEqual({
      ...{ outcome: 'found', kind: 'smallest', monotone: true },
      ...{ answer: { [slots]: '9' }, neighbour: { [slots]: '8' } },
    });
    expect(theory).toMatchObject({ applies: true, why: '', answer: { [slots]: '9' } });
    expect(theory.values['latency.p99']).toBeCloseTo(264, 0);
    const measured = probes.find(({ setting }) => setting[slots] === '9')!.checks[0];
    // Four seeds of 24,000 requests: within 4 % of theory, and below the limit with confidence.
    expect(Math.abs(measured.mean / 264 - 1)).toBeLessThan(0.04);
    expect(measured.bound).toBeLessThan(300);
    expect(verdict[0]).toMatch(
      /^services\.api\.slots=9 is the smallest of 4\.\.24 shown to meet latency\.p99 < 300ms with 95 % confidence/,
    );
    expect(verdict[1]).toMatch(/^services\.api\.slots=8 (fails|is undecided)/);
    expect(verdict[2]).toMatch(/^Erlang C \(M\/M\/c\) agrees/);
  });

  test('carries the rate that Erlang C says: of a rate, the largest', async () => {
    const rate = 'traffic[0].arrivals.rate';
    const found = await capacityOf(sharedQueue, { slo: 'wait.mean < 7.5ms', vary: `${rate}=100/s..220/s:10` });
    // Mean wait at 150/s is 5.2 ms, at 160/s 10.2 ms.
    expect([found.kind, found.answer, found.neighbour]).toEqual(['largest', { [rate]: '150/s' }, { [rate]: '160/s' }]);
    expect(found.theory.answer).toEqual({ [rate]: '150/s' });
  });

  test('must keep all promises at once', async () => {
    const both = { slo: ['latency.p99 < 300ms', 'utilization.mean < 65%'], vary: `${slots}=8..16` };
    // 7.5 / 12 = 62.5 %, 7.5 / 11 = 68.2 %.
    expect((await capacityOf(sharedQueue, both)).answer).toEqual({ [slots]: '12' });
  });

  test('is the cheapest of a list by price', async () => {
    const text = sharedQueue.replace('slots: 10', 'slots: 1').replace('duration: 3m', 'duration: 1m');
    const instances = 'services.api.instances';
    const found = await capacityOf(text, {
      slo: 'availability >= 99%',
      vary: [`${instances}=1,2,3`, `${slots}=3,5,9`],
      minimise: 'cost',
    });
    // Two of 5 slots cost what two of 9 do; one of 9 costs half of that.
    expect([found.kind, found.answer]).toEqual(['cheapest', { [instances]: '1', [slots]: '3' }]);
    const slow = await capacityOf(text, {
      slo: 'latency.p99 < 300ms',
      vary: [`${instances}=1,2,3`, `${slots}=3,5,9`],
      minimise: 'cost',
    });
    expect(slow.answer).toEqual({ [instances]: '1', [slots]: '9' });
    const two = await capacityOf(text, {
      slo: 'latency.p99 < 300ms',
      vary: [`${instances}=1,2,3`, `${slots}=4,6`],
      minimise: 'cost',
    });
    expect([two.answer, two.neighbour]).toEqual([
      { [instances]: '2', [slots]: '6' },
      { [instances]: '2', [slots]: '4' },
    ]);
    expect(two.theory).toMatchObject({ applies: false, why: 'each of 2 instances has a queue of its own' });
  });
});

test('a queue per instance lies between one shared queue and division at random', async () => {
  const text = sharedQueue.replace('slots: 10', 'slots: 1').replace('duration: 3m', 'duration: 1m');
  const found = await capacityOf(text, { slo: 'latency.p99 < 400ms', vary: 'services.api.instances=4..40' });
  const { theory, answer } = found;
  const count = (setting: Readonly<Record<string, string>> | null): number => Number(setting?.['services.api.instances']);
  expect(theory.applies).toBe(false);
  expect([count(theory.answer), count(theory.split)]).toEqual([9, 18]);
  expect(count(answer)).toBeGreaterThan(9);
  expect(count(answer)).toBeLessThan(18);
});

test('a promise that nothing in the range keeps has no answer, and the closest is named', async () => {
  const found = await capacityOf(sharedQueue, { slo: 'latency.p99 < 100ms', vary: `${slots}=6..40` });
  expect([found.outcome, found.answer]).toEqual(['none', null]);
  expect(found.verdict[0]).toBe('Nothing in services.api.slots=6..40 meets latency.p99 < 100ms with 95 % confidence.');
  // The work alone takes 230 ms at the 99th percentile.
  expect(found.verdict[1]).toMatch(/comes closest: latency\.p99 is 2[23]\d ms, 1[23]\d % beyond the limit/);
});

test('a range that suffices throughout says that it ends too soon', async () => {
  const { answer, neighbour, verdict } = await capacityOf(sharedQueue, { slo: 'latency.p99 < 300ms', vary: `${slots}=12..20` });
  expect([answer, neighbour]).toEqual([{ [slots]: '12' }, null]);
  expect(verdict[0]).toContain(`${slots}=12, the smallest of 12..20, meets`);
  expect(verdict[1]).toBe('The range ends too soon to tell whether less would do.');
});

test('what cannot be decided is said to be undecided', async () => {
  // Erlang C computes 264.1 ms; a limit right there is beyond what four seeds can tell.
  const found = await capacityOf(sharedQueue, { slo: 'latency.p99 < 264ms', vary: `${slots}=8..10`, maxSeeds: 4 });
  expect(found.probes.find(({ setting }) => setting[slots] === '9')?.decision).toBe('undecided');
  expect(found.answer).toEqual({ [slots]: '10' });
  expect(found.verdict[1]).toContain('services.api.slots=9 is undecided after 4 seeds (--max-seeds)');
});

test('where more is not better throughout, it says so', async () => {
  // 7.5 Erlangs: from 11 slots on they are busy for less than 70 % of the time, from 19 on for less than 40 %.
  const found = await capacityOf(sharedQueue, {
    slo: ['utilization.mean < 70%', 'utilization.mean > 40%'],
    vary: `${slots}=4..24`,
  });
  expect([found.outcome, found.answer, found.monotone]).toEqual(['found', { [slots]: '11' }, false]);
  expect(found.violations).toContain('services.api.slots=24 fails, although it is more');
  expect(found.verdict.join(' ')).toContain('Not monotone, so that a bisection may miss something');
});

test('the same answer comes again to the byte', async () => {
  const asked = { slo: 'latency.p99 < 300ms', vary: `${slots}=9..11` };
  expect(JSON.stringify(await capacityOf(sharedQueue, asked))).toBe(JSON.stringify(await capacityOf(sharedQueue, asked)));
});

test('interrupted, it has no answer and says so', async () => {
  const controller = new AbortController();
  const found = await capacityOf(sharedQueue, {
    ...{ slo: 'latency.p99 < 300ms', vary: `${slots}=4..24` },
    signal: controller.signal,
    onProgress: ({ done }) => {
      if (done >= 10) controller.abort();
    },
  });
  expect(found).toMatchObject({ complete: false, outcome: 'interrupted', answer: null });
  expect(found.probes.length).toBeGreaterThan(0);
});

test.each([
  [{ slo: 'latncy.p99 < 3ms', vary: `${slots}=1..4` }, 'unknown metric "latncy.p99" (from --slo)'],
  [{ slo: 'availability == 1', vary: `${slots}=1..4` }, 'asks for one exact value'],
  [{ slo: 'latency.p99 < 3ms', vary: 'services.api.slts=1..4' }, 'unknown key "slts" (from --vary) (at services.api.slts=1)'],
  [{ slo: 'latency.p99 < 3ms', vary: 'traffic.1.timeout=1s..4s' }, 'there is no traffic[1]'],
  [{ slo: 'latency.p99 < 3ms', vary: 'policies.balancer=p2c,random' }, 'the values are no numbers'],
  [{ slo: 'latency.p99 < 3ms', vary: [`${slots}=1..4`, 'services.api.instances=1..4'] }, 'several --vary have no order'],
  [{ slo: 'latency.p99 < 3ms', vary: 'services.api.instances=1..600', minimise: 'cost' }, '--vary names 600 settings'],
  [{ slo: 'latency.p99 < 3ms', vary: `${slots}=1..4`, minimise: 'detection.time' }, 'detection.time has no value'],
])('%j is refused', async (asked, complaint) => {
  await expect(capacityOf(sharedQueue.replace('duration: 3m', 'duration: 30s'), asked)).rejects.toThrow(InputError);
  await expect(capacityOf(sharedQueue.replace('duration: 3m', 'duration: 30s'), asked)).rejects.toThrow(complaint);
});
