/** A retry storm, simulated in full: a server of 300 requests per second stands still for 4 s, while 240 per second are sent with a timeout
 *  of 400 ms.
 *
 *  Theory (one retry at once, R = 1): vulnerable where C / (1 + R) = 150 < 240 < 300 = C, so that the storm stays, and stable below 150 per
 *  second, which is 62.5 % of the load. Without retries the backlog of 4 s · 240 / s drains at 60 / s, and answers are in time again when
 *  0.4 s · 300 / s = 120 wait: after (960 − 120) / 60 = 14 s. */
import { expect, test } from 'vitest';
import { runExperiment } from '../../src/lab/experiment.ts';
import { dataFilesAt } from '../../src/scenario/load.ts';
import { parseScenario } from '../../src/scenario/parse.ts';
import { experimentOf } from './builder.ts';

const text = `scenario: 1
name: retry-storm
run: { duration: 60s, warmup: 2s, seeds: 3, window: 500ms }
services:
  db: { instances: 1, slots: 1, queue: unlimited, work: { type: exponential, mean: 3.333333ms } }
traffic:
  - { to: db, arrivals: { type: poisson, rate: 240/s }, attemptTimeout: 400ms }
faults:
  - { type: pause, target: db/0, at: 10s, for: 4s }
policies: { balancer: round-robin }
metastability: { recovered: 90%, escape: { resolution: 10%, low: 20% } }
compare:
  retry: [{ use: immediate, retries: 1, label: one retry }, { use: none, label: no retry }]
`;

// Three fixed seeds: nothing here can flake. Everything stated is further from its limit than seeds differ.
test('a retry storm is told from a backlog that drains, and left below the stable load only', async () => {
  const { scenario } = await parseScenario(text, 'retry-storm.yaml', { data: dataFilesAt('.', false) });
  const file = await runExperiment(experimentOf(scenario));
  const [storm, backlog] = file.variants.map(({ metastability }) => metastability!);
  expect(storm).toMatchObject({ metastableSeeds: 3, recoveredSeeds: 0 });
  expect(backlog).toMatchObject({ metastableSeeds: 0, recoveredSeeds: 3, escape: null });
  // The drain is a random walk with a standard deviation of about √(540 · 14) / 60 = 1.5 s.
  expect(Math.abs(backlog.medianRecoveryMs - 14_000)).toBeLessThan(4000);
  const { low = NaN, high = NaN, trials = [] } = storm.escape ?? {};
  expect(low).toBeGreaterThanOrEqual(0.2);
  expect(low).toBeLessThan(150 / 240);
  expect(high).toBeGreaterThan(low);
  // Nobody recovers above the stable load; near below it, some run out of time.
  for (const { load, recovered } of trials) if (load > 150 / 240) expect(recovered).toBe(0);
  expect(file.metastability).toEqual({ triggerBeginsMs: 10_000, triggerEndsMs: 14_000, recoveredShare: 0.9 });
  expect(file.verdict[0]).toMatch(
    /^one retry: metastable in 3 of 3 seeds, 46 s after .* is still \d+ % of the offered load; no retry: recovered in 3 of 3 seeds, after 1\d s \(median\)\.$/,
  );
  expect(file.verdict[1]).toMatch(/^one retry recovers by itself once load falls to \d\d % \(between /);
});
