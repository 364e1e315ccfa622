/** What faults do to requests, worked out by hand. Times in ms. */
import { describe, expect, test } from 'vitest';
import {
  constant,
  crash,
  endings,
  errors,
  latencies,
  pause,
  play,
  randomly,
  rounded,
  slow,
  zoneOutage,
} from './world-builder.ts';

describe('a crash', () => {
  test('loses what is in service and in the queue at that instant, and refuses what comes until it is over', () => {
    const played = play({ at: [0, 1, 2, 8, 12], work: 5, faults: [crash(0, 6, 4)] });
    // 0–5 ok; 5–10 lost at 6 with the one in the queue; 8 refused; back at 10: 12–17.
    expect(endings(played)).toEqual([
      [5, 'ok'],
      [6, 'lost'],
      [6, 'lost'],
      [8, 'refused'],
      [17, 'ok'],
    ]);
    expect(played.ledger.failed).toMatchObject({ connectionLost: 2, refused: 1 });
    // At work 0–6 and 12–17.
    expect(rounded(played.instances[0].utilization)).toBe(0.011);
    // Down 4 of 1000.
    expect(rounded(played.metrics['instances.up'])).toBe(0.996);
  });

  test('loses everybody who shares the processor', () => {
    const played = play({ at: [0, 1, 12], work: 5, discipline: 'processor-sharing', faults: [crash(0, 6, 4)] });
    expect(endings(played)).toEqual([
      [6, 'lost'],
      [6, 'lost'],
      [17, 'ok'],
    ]);
  });

  test('with a start-up delay refuses that much longer', () => {
    const played = play({ at: [9.5, 10.5, 12.5], work: 1, startupMs: 2, faults: [crash(0, 6, 4)] });
    // Over at 10, accepting from 12.
    expect(endings(played)).toEqual([
      [9.5, 'refused'],
      [10.5, 'refused'],
      [13.5, 'ok'],
    ]);
    expect(rounded(played.metrics['instances.up'])).toBe(0.994);
  });

  test('during start-up starts the waiting again', () => {
    // Over at 10, starting; down again 11–13; accepting from 15, not from 12.
    const played = play({ at: [12.5, 14.5, 15.5], work: 1, startupMs: 2, faults: [crash(0, 6, 4), crash(0, 11, 2)] });
    expect(played.attempts.map(({ outcome }) => outcome)).toEqual(['refused', 'refused', 'ok']);
    // Down 6–15.
    expect(rounded(played.metrics['instances.up'])).toBe(0.991);
  });

  test('of two overlapping ones the last to end counts', () => {
    const played = play({ at: [7, 9, 11, 13], work: 1, faults: [crash(0, 6, 4), crash(0, 8, 4)] });
    expect(played.attempts.map(({ outcome }) => outcome)).toEqual(['refused', 'refused', 'refused', 'ok']);
    expect(rounded(played.metrics['instances.up'])).toBe(0.994);
  });

  test('for ever is for ever', () => {
    const played = play({ at: [1, 900], work: 1, faults: [crash(0, 6, Infinity)] });
    expect(played.attempts.map(({ outcome }) => outcome)).toEqual(['ok', 'refused']);
  });

  test('and what it lost is not answered later', () => {
    // The completion of the lost work (at 10) must not end the request that runs at that time.
    const played = play({ at: [0, 7.5], work: 10, faults: [crash(0, 6, 1)] });
    expect(endings(played)).toEqual([
      [6, 'lost'],
      [17.5, 'ok'],
    ]);
  });

  test('is told to the client over the network', () => {
    // There at 2; lost at 6, known at 8. The second is refused there at 9, known at 11.
    const played = play({ at: [0, 7], work: 10, network: { sameZone: constant(2) }, faults: [crash(0, 6, 100)] });
    expect(endings(played)).toEqual([
      [8, 'lost'],
      [11, 'refused'],
    ]);
  });
});

describe('a zone outage', () => {
  test('takes all instances of the zone, and no other', () => {
    const instances = [{ zone: 'a' }, { zone: 'b' }, { zone: 'a' }];
    const played = play({ at: [5, 6, 7, 15, 16, 17], work: 1, instances, faults: [zoneOutage('a', [0, 2], 4, 10)] });
    expect(played.attempts.map(({ slot, outcome }) => `${slot} ${outcome}`)).toEqual([
      '0 refused',
      '1 ok',
      '2 refused',
      '0 ok',
      '1 ok',
      '2 ok',
    ]);
    // 990 with three up, 10 with one.
    expect(played.upShares.map(rounded)).toEqual([0, 0.01, 0, 0.99]);
    expect(rounded(played.metrics['instances.up'])).toBe(rounded(0.99 + 0.01 / 3));
  });

  test('and a crash of one of its instances overlap like two crashes', () => {
    const played = play({ at: [13, 15], work: 1, faults: [zoneOutage('a', [0], 4, 10), crash(0, 6, 2)] });
    expect(played.attempts.map(({ outcome }) => outcome)).toEqual(['refused', 'ok']);
  });
});

describe('a slow instance', () => {
  test('stretches exactly what is left of the work', () => {
    // 4 of 10 done at 4. The 6 left take 3 times as long until 10 (2 more done), then 4 at full speed: 14.
    expect(latencies(play({ at: [0], work: 10, faults: [slow(0, 3, 4, 6)] }))).toEqual([14]);
  });

  test('slows work that begins meanwhile', () => {
    // From 5 on at half speed: 10 take 20.
    expect(latencies(play({ at: [5], work: 10, faults: [slow(0, 2, 1, 100)] }))).toEqual([20]);
  });

  test('twice at once is slow by the product, and ends at full speed', () => {
    // 0–2: 2 done. 2–8 at 1/3: 2 more. 8–14 at 1/6: 1 more. 14–20 at 1/2: 3 more. 2 left at full speed: 22.
    const played = play({ at: [0, 30], work: 10, faults: [slow(0, 3, 2, 12), slow(0, 2, 8, 12)] });
    expect(latencies(played)).toEqual([22, 10]);
  });

  test('one inside the other', () => {
    // 0–2: 2. 2–4 at 1/2: 1. 4–8 at 1/8: 0.5. 8–10 at 1/2: 1. 5.5 left at full speed: 15.5.
    expect(latencies(play({ at: [0], work: 10, faults: [slow(0, 2, 2, 8), slow(0, 4, 4, 4)] }))).toEqual([15.5]);
  });

  test('after many that overlap in threes, the speed is exactly what it was', () => {
    const faults = Array.from({ length: 30 }, (_, i) => slow(0, 1.1 + i / 7, 100 + i, 2.5));
    const played = play({ at: [500], work: 10, faults, instances: [{ speed: 0.7 }] });
    // Not rounded: the very same division.
    expect(played.attempts[0].latencyMs).toBe(played.attempts[0].sentMs + 10 / 0.7 - played.attempts[0].sentMs);
  });

  test('slows everybody who shares the processor', () => {
    // 0–4: 4 done. B comes at 4, slow ×2 from 4 to 12: a quarter each: A 6, B 2. Then halves: A's 4 left → 20; B 6, 4 left → 24.
    const played = play({ at: [0, 4], work: 10, discipline: 'processor-sharing', faults: [slow(0, 2, 4, 8)] });
    expect(latencies(played)).toEqual([20, 20]);
  });

  test('is slow for the queue, too, and on one instance only', () => {
    // api/0 at half speed: 0–20, 20–40. api/1: 1–11, 11–21.
    const played = play({ at: [0, 1, 2, 3], work: 10, instances: 2, faults: [slow(0, 2, 0, 500)] });
    expect(latencies(played)).toEqual([20, 10, 38, 18]);
  });

  test('that crashes loses its slowness with it only if that is over', () => {
    // Slow ×2 from 5 to 50, crashed 10–12: back at 12, still slow.
    expect(latencies(play({ at: [20, 60], work: 10, faults: [slow(0, 2, 5, 45), crash(0, 10, 2)] }))).toEqual([20, 10]);
  });
});

describe('a pause', () => {
  test('freezes work and goes on where it was', () => {
    // 4 done at 4, frozen until 104, 6 left.
    expect(latencies(play({ at: [0], work: 10, faults: [pause(0, 4, 100)] }))).toEqual([110]);
  });

  test('accepts and queues meanwhile', () => {
    // 0–4 and 24–30 first; second 30–40; third 40–50.
    const played = play({ at: [0, 5, 10], work: 10, faults: [pause(0, 4, 20)] });
    expect(latencies(played)).toEqual([30, 35, 40]);
  });

  test('takes in what it would have begun at once, and begins it when it wakes', () => {
    const played = play({ at: [10], work: 10, faults: [pause(0, 4, 20)] });
    expect(latencies(played)).toEqual([24]);
  });

  test('twice at once lasts until the last is over', () => {
    // 4 done; frozen 4–14 and 10–20; 6 left from 20.
    expect(latencies(play({ at: [0], work: 10, faults: [pause(0, 4, 10), pause(0, 10, 10)] }))).toEqual([26]);
  });

  test('of a slow instance: it wakes up slow', () => {
    // Slow ×2 throughout: 2 done at 4; frozen 4–24; 8 left take 16: 40.
    expect(latencies(play({ at: [0], work: 10, faults: [slow(0, 2, 0, 500), pause(0, 4, 20)] }))).toEqual([40]);
    // The slowness begins and ends while frozen: full speed after it. 4 done, 6 left from 24.
    expect(latencies(play({ at: [0], work: 10, faults: [pause(0, 4, 20), slow(0, 2, 10, 5)] }))).toEqual([30]);
  });

  test('with processor sharing', () => {
    // 0–4 alone: 4; 4–6 halves: A 5, B 1; frozen 6–26; A's 5 left take 10 → 36; B 6, 4 left → 40.
    const played = play({ at: [0, 4], work: 10, discipline: 'processor-sharing', faults: [pause(0, 6, 20)] });
    expect(latencies(played)).toEqual([36, 36]);
  });

  test('then a crash: what was frozen is lost', () => {
    const played = play({ at: [0, 1, 40], work: 10, faults: [pause(0, 4, 30), crash(0, 20, 5)] });
    expect(endings(played)).toEqual([
      [20, 'lost'],
      [20, 'lost'],
      [50, 'ok'],
    ]);
  });
});

describe('a cold start', () => {
  const cold = { coldStart: { forMs: 100, factor: 3 } };

  test('begins at the factor and comes to full speed in ten steps', () => {
    // Down 0–10; from 10 on the factor falls by 0.2 every 10: 3 (10–20), 2.8 (20–30) … 1.2 (100–110), 1 from 110.
    // A request at 10 with work 10: 10/3 by 20, + 10/2.8 by 30 = 6.904…, 3.0952… left at 2.6: 8.0476.
    const played = play({ at: [10.0001], work: 10, ...cold, faults: [crash(0, 0, 10)] });
    const left = 10 - (10 - 0.0001) / 3 - 10 / 2.8;
    expect(rounded(played.attempts[0].endedMs)).toBe(rounded(30 + left * 2.6));
  });

  test('has its speed in every step', () => {
    // Tiny work in the middle of each step measures the factor.
    const at = Array.from({ length: 12 }, (_, i) => 15 + 10 * i);
    const played = play({ at, work: 0.1, ...cold, faults: [crash(0, 0, 10)] });
    const factors = [3, 2.8, 2.6, 2.4, 2.2, 2, 1.8, 1.6, 1.4, 1.2, 1, 1];
    expect(latencies(played)).toEqual(factors.map((factor) => rounded(0.1 * factor)));
  });

  test('does not happen at time 0: those instances run already', () => {
    expect(latencies(play({ at: [0], work: 10, ...cold }))).toEqual([10]);
  });

  test('multiplies with slowness, and a crash in the middle starts it again', () => {
    const faults = [crash(0, 0, 10), slow(0, 2, 0, 500), crash(0, 50, 10)];
    const played = play({ at: [15, 45, 65, 600], work: 0.1, ...cold, faults });
    // 3·2; 2.4·2 (40–50 is the fourth step); 3·2 again; 1.
    expect(latencies(played)).toEqual([0.6, 0.48, 0.6, 0.1]);
  });

  test('may also be a warm start: faster at first', () => {
    const played = play({ at: [15, 125], work: 1, coldStart: { forMs: 100, factor: 0.5 }, faults: [crash(0, 0, 10)] });
    expect(latencies(played)).toEqual([0.5, 1]);
  });
});

describe('errors', () => {
  const many = { arrivals: { type: 'constant', perSecond: 1000 } as const, work: 0.5, durationMs: 10_000 };

  test('come after the service time, as often as their share says', () => {
    // n = 5000 during the fault, share 0.3: sd of the share 0.0065; ±0.03 is 4.6 sd, and the seed is fixed.
    const played = play({ ...many, faults: [errors(0, 0.3, 5000, 5000)] });
    const during = played.attempts.filter(({ sentMs }) => sentMs > 5000);
    const bad = during.filter(({ outcome }) => outcome === 'error').length;
    expect(bad / during.length).toBeGreaterThan(0.27);
    expect(bad / during.length).toBeLessThan(0.33);
    expect(played.attempts.every(({ sentMs, outcome }) => sentMs > 4999 || outcome === 'ok')).toBe(true);
    expect(new Set(latencies(played))).toEqual(new Set([0.5]));
    expect(played.ledger.failed.error).toBe(bad);
  });

  test('of two causes are independent: fine only if fine by both', () => {
    // 1 − 0.7 · 0.5 = 0.65; n = 10,000: sd 0.0048.
    const played = play({ ...many, faults: [errors(0, 0.3, 0, 20_000), errors(0, 0.5, 0, 20_000)] });
    expect(played.metrics['failures.error']).toBeGreaterThan(0.63);
    expect(played.metrics['failures.error']).toBeLessThan(0.67);
  });

  test('hit the same requests under every policy', () => {
    const faults = [errors(0, 0.3, 0, 20_000), errors(1, 0.3, 0, 20_000)];
    const failedOf = (slot: number): number[] =>
      play({ ...many, instances: 2, faults, balancer: () => ({ update: () => {}, pick: () => slot }) }).attempts.flatMap(
        ({ outcome }, n) => (outcome === 'error' ? [n] : []),
      );
    expect(failedOf(0).length).toBeGreaterThan(2000);
    expect(failedOf(1)).toEqual(failedOf(0));
  });
});

describe('random faults', () => {
  test('come and go by their laws, for each target by itself', () => {
    // Constant laws: up 30, down 10, in turn: down in [30, 40), [70, 80) …
    const faults = [randomly({ type: 'crash' }, [0], constant(30), constant(10))];
    const played = play({ at: [29, 31, 39, 41, 69, 71, 79, 81], work: 0.5, faults, durationMs: 4000 });
    const expected = ['ok', 'refused', 'refused', 'ok', 'ok', 'refused', 'refused', 'ok'];
    expect(played.attempts.map(({ outcome }) => outcome)).toEqual(expected);
    expect(rounded(played.metrics['instances.up'])).toBe(0.75);
  });

  test('of several targets do not march in step', () => {
    const law = { type: 'exponential', mean: 50 } as const;
    const played = play({ instances: 4, faults: [randomly({ type: 'crash' }, [0, 1, 2, 3], law, law)], durationMs: 20_000 });
    // Each up half the time: 4 independent ones are all up 1/16 of it. In step it would be one half.
    // 20,000 ms are 200 cycles; sd of the share about 0.01 (measured over 40 seeds). The seed is fixed.
    expect(played.upShares[4]).toBeGreaterThan(0.02);
    expect(played.upShares[4]).toBeLessThan(0.11);
    expect(played.upShares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 9);
  });
});

test('a share of errors is a share of the requests, at every instance that the fault names', () => {
  // 4 × 250 requests: standard error of each share 0.03; the bound is five of them, and the seed is fixed.
  const all = [0, 1, 2, 3];
  const fault = { ...errors(0, 0.3, 0, 99_999), targets: all.map((instance) => ({ service: 0, instance })) };
  const { attempts } = play({
    instances: 4,
    work: 0,
    arrivals: { type: 'constant', perSecond: 100 },
    durationMs: 10_000,
    faults: [fault],
  });
  for (const instance of all) {
    const own = attempts.filter(({ slot }) => slot === instance);
    expect(Math.abs(own.filter(({ outcome }) => outcome === 'error').length / own.length - 0.3)).toBeLessThan(0.15);
  }
});
