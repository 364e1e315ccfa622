/** What instances tell balancers of their load: with every answer, and when probed. All times are arithmetic by hand. */
import { expect, test } from 'vitest';
import type { Balancer, EndpointView, LoadReport } from '../../src/policies/balancing/balancer.ts';
import { constant, play } from './world-builder.ts';

interface Heard extends LoadReport {
  readonly slot: number;
  readonly nowMs: number;
}

/** Picks the first endpoint always and probes those it is told to after each pick; writes down every report. */
function listener(heard: Heard[], targets: readonly number[] = []): () => Balancer {
  return () => {
    let first = -1;
    return {
      update: ({ members, count }: EndpointView) => {
        first = count === 0 ? -1 : members[0];
      },
      pick: () => first,
      onReport: (slot, nowMs, report) => heard.push({ slot, nowMs, ...report }),
      ...(targets.length === 0
        ? {}
        : {
            probes: (out: Int32Array) => {
              targets.forEach((slot, i) => (out[i] = slot));
              return targets.length;
            },
          }),
    };
  };
}

test('an answer carries what the instance has left and how long it worked on the request', () => {
  const heard: Heard[] = [];
  // Three at once on one slot of 10 ms: they end at 10, 20 and 30 ms, leaving 2, 1 and 0 behind, of which 1, 0 and 0 wait.
  play({ at: [0, 0, 0], work: 10, balancer: listener(heard) });
  expect(heard.map(({ nowMs, inFlight, queueLength }) => [Math.round(nowMs), inFlight, queueLength])).toEqual([
    [10, 2, 1],
    [20, 1, 0],
    [30, 0, 0],
  ]);
  // Without the time in the queue.
  for (const { latencyMs, isProbe } of heard) {
    expect(latencyMs).toBeCloseTo(10, 5);
    expect(isProbe).toBe(false);
  }
});

test('the report is as old as the network made it', () => {
  const heard: Heard[] = [];
  // 3 ms there, 10 ms of work, 3 ms back. The second request comes to the instance at 8 ms, after the first began, before it ended.
  play({ at: [0, 5], work: 10, network: { sameZone: constant(3) }, balancer: listener(heard) });
  expect(heard.map(({ nowMs, inFlight }) => [Math.round(nowMs), inFlight])).toEqual([
    [16, 1],
    [26, 0],
  ]);
});

test('no report comes from an instance that is down', () => {
  const heard: Heard[] = [];
  const crash = { hit: 1, label: 'crash', type: 'crash' as const, targets: [{ service: 0, instance: 0 }] };
  const faults = [{ ...crash, schedule: { type: 'once' as const, atMs: 5, forMs: 100 } }];
  const { ledger } = play({ at: [0, 20], work: 10, faults, balancer: listener(heard) });
  expect(ledger.failed).toMatchObject({ connectionLost: 1, refused: 1 });
  expect(heard).toEqual([]);
});

test('a probe asks beside the request, sees the requests of everybody, and travels both ways', () => {
  const heard: Heard[] = [];
  // Probes leave with the requests, at 0 and 1 ms, and reach instance 0 after 2 ms each, as the requests do, just before them: the probe
  // of the first sees nobody, the probe of the second sees the first request. Answers are back after another 2 ms.
  const { metrics } = play({
    instances: 2,
    at: [0, 1],
    work: 50,
    network: { sameZone: constant(2) },
    balancer: listener(heard, [0, 1]),
    durationMs: 100,
  });
  const probes = heard.filter(({ isProbe }) => isProbe);
  expect(probes.map(({ slot, nowMs, inFlight }) => [slot, Math.round(nowMs), inFlight])).toEqual([
    [0, 4, 0],
    [1, 4, 0],
    [0, 5, 1],
    [1, 5, 0],
  ]);
  // Four probes in a tenth of a second.
  expect(metrics['probes']).toBe(40);
});

test('a frozen instance does not answer probes', () => {
  const heard: Heard[] = [];
  const pause = { hit: 1, label: 'pause', type: 'pause' as const, targets: [{ service: 0, instance: 1 }] };
  const faults = [{ ...pause, schedule: { type: 'once' as const, atMs: 0, forMs: 100 } }];
  play({ instances: 2, at: [10], work: 1, faults, balancer: listener(heard, [1]), durationMs: 100 });
  expect(heard.filter(({ isProbe }) => isProbe)).toEqual([]);
});

test('a probe’s latency is the median of what requests took with about as many in flight', () => {
  const heard: Heard[] = [];
  // One at a time, three requests of 10 ms; the fourth probe comes when nobody is there, as they did.
  play({ at: [0, 20, 40, 60], work: 10, balancer: listener(heard, [0]), durationMs: 100 });
  const probes = heard.filter(({ isProbe }) => isProbe).map(({ latencyMs }) => Math.round(latencyMs));
  // Nothing is known at first.
  expect(probes).toEqual([0, 10, 10, 10]);
});

test('rates and utilisation approach the truth within a few seconds', () => {
  const heard: Heard[] = [];
  // 50 requests a second of 10 ms each on one slot: utilisation 0.5. A memory of 1 s has forgotten all but e^-8 of the start after 8 s.
  play({ arrivals: { type: 'constant', perSecond: 50 }, work: 10, durationMs: 8000, balancer: listener(heard) });
  const last = heard.at(-1);
  // Read just after an answer, when the latest request counts whole: up to one request in 50 above the mean.
  expect(last?.queriesPerSecond).toBeGreaterThan(49);
  expect(last?.queriesPerSecond).toBeLessThan(52);
  expect(last?.utilization).toBeCloseTo(0.5, 1);
  expect(last?.errorsPerSecond).toBe(0);
});
