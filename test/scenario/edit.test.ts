/** Paths as the command line writes them, on values within lists. */
import { describe, expect, test } from 'vitest';
import { InputError } from '../../src/core/errors.ts';
import { scenarioOf, scenarioText } from './fixture.ts';

const autoscaled = scenarioText({
  rest: 'policies: { autoscaler: { use: hpa, min: 2, max: 9, metrics: [{ name: cpu, averageUtilization: 60% }, { name: memory, averageUtilization: 70% }] } }',
});
const metrics = async (...overrides: string[]): Promise<unknown> =>
  (await scenarioOf(autoscaled, { overrides })).policies.autoscaler?.params.metrics;

describe('an entry of a list', () => {
  test.each(['policies.autoscaler.metrics.1.averageUtilization=40%', 'policies.autoscaler.metrics[1].averageUtilization=40%'])(
    '%s',
    async (assignment) => {
      expect(await metrics(assignment)).toMatchObject([{ averageUtilization: 0.6 }, { averageUtilization: 0.4 }]);
    },
  );

  test('of traffic, too', async () => {
    expect((await scenarioOf(scenarioText(), { overrides: ['traffic.0.timeout=7s'] })).edges[0].timeoutMs).toBe(7000);
  });

  test.each([
    ['policies.autoscaler.metrics.2.averageUtilization=40%', 'there is no policies.autoscaler.metrics[2]'],
    ['policies.autoscaler.metrics.x=40%', 'there is no policies.autoscaler.metrics.x'],
    ['policies.autoscaler.metrix.0.name=cpu', 'policies.autoscaler.metrix is not written in the file, so it has no entry 0'],
    ['policies.retry.codes[0]=503', 'policies.retry.codes is not written in the file, so it has no entry 0'],
  ])('%s is refused', async (assignment, complaint) => {
    await expect(metrics(assignment)).rejects.toThrow(InputError);
    await expect(metrics(assignment)).rejects.toThrow(complaint);
  });
});

test('complaints name where a setting comes from', async () => {
  const overrides = [{ assignment: 'services.api.slots=many', from: '--param' }, 'services.api.queue=few'];
  await expect(scenarioOf(scenarioText(), { overrides })).rejects.toThrow('(from --param)');
  await expect(scenarioOf(scenarioText(), { overrides })).rejects.toThrow('(from --set)');
});
