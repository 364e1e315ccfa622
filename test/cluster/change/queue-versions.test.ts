/** Versions of services that work through a queue: each delivery meets the version of its consumer, as a request would. */
import { expect, test } from 'vitest';
import { buildGraph, work } from '../graph-builder.ts';
import { each, playChanges, release, rolloutOf, strategy, trafficOf, version } from './setup.ts';

const MINUTE = 60_000;

/** Service 0 leaves a message for service 1 ten times per second. */
const graph = buildGraph({
  durationMs: 5 * MINUTE,
  at: each(100, 0, 5 * MINUTE),
  graph: [
    { slots: 9, steps: [{ type: 'publish', edge: 1 }, work(2)] },
    { work: 10, slots: 2 },
  ],
  calls: [
    { from: 0, to: 1, queue: 0, balancers: 1 },
    { from: -2, to: 1, queue: 0, balancers: 1 },
  ],
  queues: [{ name: 'jobs', service: 1, edge: 2, visibilityMs: 1000, maxReceives: 3, capacity: Infinity }],
});
const versions = [version('v1'), version('v2', [{ type: 'errors', share: 0.5 }], { isBad: true })];
const world = { ...graph, services: graph.services.map((service, index) => (index === 1 ? { ...service, versions } : service)) };

test('what workers do wrong with a new version is counted, and seen by whoever rolls it out', () => {
  const played = playChanges(world, {
    changes: [release('v2', MINUTE, { service: 1 })],
    rollout: strategy('staged-waves', {
      stages: [{ count: 1, soak: 2 * MINUTE }],
      metrics: [
        { metric: 'error-rate', failureCondition: 'result > 0.2', window: 30_000, interval: 15_000, initialDelay: 30_000 },
      ],
    }),
  });
  const { exposed, failed, outcome } = rolloutOf(played);
  expect(outcome).toBe('aborted');
  expect(failed / exposed).toBeGreaterThan(0.4);
  expect(failed / exposed).toBeLessThan(0.6);
  const [v1, v2] = trafficOf(played).totals;
  expect([v1.failed, v2.failed]).toEqual([0, failed]);
});
