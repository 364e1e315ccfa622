/** Instances that come and go: how they start, who hears of them, how they end. Times in ms; everything is constant, so that each number
 *  follows from the setup by arithmetic. */
import { describe, expect, test } from 'vitest';
import { constant, crash, play } from '../world-builder.ts';
import { answers, existing, kept, scripted, steadily } from './setup.ts';

describe('growing', () => {
  test('takes the pull of the image and the start-up, then requests come at once', () => {
    const service = scripted({ counts: [[10, 2]] });
    const elastic = { imagePull: constant(20) };
    const played = play({ at: steadily(10, 100), work: 1, startupMs: 15, elastic, service });
    // Decided at 10, ready at 45.
    expect(answers(played)).toEqual([0, 0, 0, 0, 0, 1, 0, 1, 0, 1]);
    expect(played.elastic!.changes).toEqual([{ atMs: 10, service: 'api', from: 1, to: 2, reason: 'Script' }]);
  });

  test('is seen at the next check of readiness, and heard of after the endpoint delay', () => {
    const service = scripted({ counts: [[10, 2]] });
    const elastic = { readinessMs: 8, endpointDelay: constant(5) };
    const played = play({ at: steadily(1, 50), work: 0.1, startupMs: 15, elastic, service });
    // Started at 10; up at 25; checks at 18, 26: ready at 26; heard of at 31.
    expect(answers(played).indexOf(1)).toBe(31);
  });

  test('goes no further than there are places', () => {
    const played = play({ at: [], durationMs: 100, elastic: { places: 3 }, service: scripted({ counts: [[10, 8]] }) });
    expect(played.elastic!.services[0].present[0]).toBeCloseTo(1 * 0.1 + 3 * 0.9, 9);
    expect(played.metrics['replicas.max']).toBe(3);
  });

  test('a cold start begins with the newcomer', () => {
    const coldStart = { forMs: 1000, factor: 5 };
    const played = play({ at: [5, 15, 25, 35], work: 2, coldStart, service: scripted({ counts: [[10, 2]] }) });
    expect(played.attempts.map(({ slot }) => slot)).toEqual([0, 1, 0, 1]);
    // Five times slower at first, and hardly faster 25 later.
    expect(played.attempts[1].latencyMs).toBeCloseTo(10, 6);
    expect(played.attempts[2].latencyMs).toBeCloseTo(2, 6);
    expect(played.attempts[3].latencyMs).toBeCloseTo(10, 6);
  });
});

describe('shrinking', () => {
  const shrink = scripted({ counts: [[20.25, 1]], everyMs: 20.25 });
  // Both have two requests from 19.5 on, each 10 long on one slot.
  const busy = { at: [19.5, 19.5, 19.5, 19.5, 40], work: 10, instances: 2, service: shrink };

  test('the instance that goes works off what it has, and gets nothing new', () => {
    const played = play({ ...busy, at: [...busy.at.slice(0, 4), 25, 26, 60] });
    expect(played.metrics['scaling.lost']).toBe(0);
    expect(played.ledger).toMatchObject({ ok: 7, inFlight: 0 });
    // The younger of two equals goes; what comes after has one to go to.
    expect(answers(played)).toEqual([0, 1, 0, 1, 0, 0, 0]);
    // It had work until 39.5.
    expect(played.instances[1].existedMs).toBeCloseTo(39.5, 6);
  });

  test('without drain it ends at once, and its requests with it', () => {
    const elastic = { shutdown: { drains: false, preStopMs: 0, graceMs: 100 } };
    const played = play({ ...busy, elastic });
    expect(answers(played)).toEqual([0, 'lost', 0, 'lost', 0]);
    expect(played.metrics['scaling.lost']).toBe(2);
    expect(played.ledger.failed.connectionLost).toBe(2);
  });

  test('what is left at the end of the grace is lost', () => {
    const elastic = { shutdown: { drains: true, preStopMs: 0, graceMs: 12 } };
    const played = play({ ...busy, elastic });
    // The first of its two is done at 29.5, the second would be at 39.5; the grace ends at 32.25.
    expect(answers(played)).toEqual([0, 1, 0, 'lost', 0]);
    expect(played.instances[1].existedMs).toBeCloseTo(32.25, 6);
  });

  test('clients that have not heard yet are refused by an instance that drains, and served by one that waits first', () => {
    const setup = { at: [19, 19, 22, 23, 24, 25], work: 0.5, instances: 2, service: shrink };
    const endpointDelay = constant(3);
    const drains = { drains: true, preStopMs: 0, graceMs: 50 };
    expect(answers(play({ ...setup, elastic: { endpointDelay, shutdown: drains } }))).toEqual([0, 1, 0, 'refused', 0, 0]);
    const waits = { drains: true, preStopMs: 4, graceMs: 50 };
    expect(answers(play({ ...setup, elastic: { endpointDelay, shutdown: waits } }))).toEqual([0, 1, 0, 1, 0, 0]);
  });

  test('those not ready go before those that are', () => {
    // The third is still starting.
    const service = scripted({
      counts: [
        [10, 3],
        [30, 2],
      ],
    });
    const played = play({ at: steadily(10, 100), work: 1, instances: 2, startupMs: 1000, service });
    expect(existing(played)).toEqual([
      ['api/0', 1000],
      ['api/1', 1000],
      ['api/2', 20],
    ]);
  });
});

describe('a place that is taken again', () => {
  test('is a new endpoint: nothing is held against it, and its name is the same', () => {
    const service = scripted({
      counts: [
        [10, 1],
        [50, 2],
      ],
    });
    const played = play({ at: steadily(10, 100), work: 1, instances: 2, elastic: { places: 2 }, service });
    expect(answers(played)).toEqual([0, 0, 0, 0, 0, 1, 0, 1, 0, 1]);
    expect(played.instances[1]).toMatchObject({ id: 'api/1' });
    expect(played.instances[1].existedMs).toBeCloseTo(1000 - 40, 6);
  });

  test('the one that has been empty longest is taken first, and none that something holds down', () => {
    const counts = [
      [10, 2],
      [20, 1],
      [30, 2],
    ] as const;
    const service = scripted({ counts, everyMs: 10 });
    const ids = (faults: readonly ReturnType<typeof crash>[]) =>
      existing(play({ at: [], durationMs: 60, elastic: { places: 4 }, faults, service })).map(([id]) => id);
    expect(ids([])).toEqual(['api/0', 'api/1', 'api/2']);
    expect(ids([crash(2, 5, 100)])).toEqual(['api/0', 'api/1', 'api/3']);
  });
});

describe('crashes', () => {
  test('an instance that crashes leaves the endpoints, and comes back when it is up again', () => {
    const played = play({
      at: steadily(10, 100),
      work: 1,
      instances: 2,
      startupMs: 20,
      service: kept,
      faults: [crash(1, 25, 10)],
    });
    // Down from 25 to 55.
    expect(answers(played)).toEqual([0, 1, 0, 0, 0, 0, 0, 1, 0, 1]);
    expect(played.elastic!.services[0].ready[0]).toBeCloseTo((2 * 1000 - 30) / 1000, 6);
  });

  test('one that crashes while it drains is gone', () => {
    const service = scripted({ counts: [[20.25, 1]], everyMs: 20.25 });
    const played = play({ at: [19.5, 19.5], work: 100, instances: 2, service, faults: [crash(1, 30, 10)] });
    expect(played.metrics['scaling.lost']).toBe(1);
    expect(played.instances[1].existedMs).toBeCloseTo(30, 6);
  });
});

describe('measures', () => {
  test('needed is what the offered work takes at the target utilization; under and over follow', () => {
    // 30 of work every 10 on one slot: 3 busy, 3 / 0.5 = 6 needed. Windows of 100.
    const service = scripted({ counts: [[200, 8]], everyMs: 200, most: 8 });
    const elastic = { targetUtilization: 0.5, price: 36 };
    const setup = { at: steadily(10, 400), work: 30, instances: 4, durationMs: 400, windowMs: 100, elastic, service };
    const { elastic: found, metrics } = play(setup);
    const [{ needed, desired, ready }] = found!.services;
    expect(needed).toEqual([6, 6, 6, 6]);
    expect(desired).toEqual([4, 4, 8, 8]);
    expect(ready).toEqual([4, 4, 8, 8]);
    expect(metrics).toMatchObject({
      'scaling.underTime': 0.5,
      'scaling.overTime': 0.5,
      'scaling.under': 1,
      'scaling.over': 1,
      'scaling.reaction': 200,
      'replicas.mean': 6,
      'replicas.max': 8,
    });
    // 6 instances at 36 an hour.
    expect(metrics['cost']).toBeCloseTo(216, 9);
  });

  test('a change of direction is a flap', () => {
    const counts = [3, 5, 4, 6, 6, 7].map((count, index) => [(index + 1) * 10, count] as const);
    const { metrics } = play({ at: [], durationMs: 3600, service: scripted({ counts, everyMs: 10 }) });
    // Of 3.6 s an hour has 1000. 1 to 3 to 5 to 4 to 6 to 7.
    expect(metrics['scaling.changes']).toBeCloseTo(5 * 1000, 6);
    expect(metrics['scaling.flaps']).toBeCloseTo(2 * 1000, 6);
  });
});

describe('from zero', () => {
  test('requests wait for the first instance, in order, if the autoscaler holds them', () => {
    const seen: number[] = [];
    const service = scripted({
      counts: [
        [0, 0],
        [30, 1],
      ],
      everyMs: 5,
      holdsRequests: true,
      sampleEveryMs: 5,
      onSample: (observation) => seen.push(observation.metric('concurrency')?.value ?? NaN),
    });
    const played = play({ at: [20, 21, 22], work: 4, startupMs: 10, service });
    // Ready at 40; one slot.
    expect(played.attempts.map(({ sentMs, endedMs }) => [Math.round(sentMs), Math.round(endedMs)])).toEqual([
      [40, 44],
      [40, 48],
      [40, 52],
    ]);
    expect(played.ledger).toMatchObject({ offered: 3, ok: 3 });
    // Those that wait are seen: one for 5, one for 4, one for 3 of the 5 before 25; three after that.
    expect(seen[4]).toBeCloseTo((5 + 4 + 3) / 5, 5);
    expect(seen[5]).toBeCloseTo(3, 5);
  });

  test('no longer than their timeout', () => {
    const service = scripted({ counts: [[0, 0]], everyMs: 5, holdsRequests: true });
    const played = play({ at: [20, 30], timeoutMs: 15, work: 4, durationMs: 40, service });
    expect(played.ledger).toMatchObject({ offered: 2, ok: 0, inFlight: 1 });
    expect(played.ledger.failed.timeout).toBe(1);
  });

  test('without that they find no endpoint', () => {
    const played = play({ at: [20], work: 4, service: scripted({ counts: [[0, 0]], everyMs: 5 }) });
    expect(played.ledger.failed.noEndpoint).toBe(1);
  });
});
