/** Worlds small enough to work out by hand. Times in ms. */
import { describe, expect, test } from 'vitest';
import { endings, latencies, play, rounded } from './world-builder.ts';

describe('one server, first come first served', () => {
  test('who finds it busy waits for those before', () => {
    // Work 10. Begins: 0, 10, 20, 40; ends: 10, 20, 30, 50.
    const played = play({ at: [0, 4, 5, 40], work: 10 });
    expect(latencies(played)).toEqual([10, 16, 25, 10]);
    // Waits: 0, 6, 15, 0.
    expect(rounded(played.metrics['wait.mean'])).toBe(21 / 4);
    expect(rounded(played.metrics['wait.max'])).toBe(15);
    expect(played.metrics['wait.share']).toBe(2 / 4);
    // Two waited, two did not: the histogram of waits has all four.
    expect(played.wait.count).toBe(4);
  });

  test('two slots serve two at once, and the queue feeds whichever is free first', () => {
    // Slot 1: 0–10, 10–20 (third); slot 2: 3–13, 13–23 (fourth).
    const played = play({ at: [0, 3, 4, 5], work: 10, slots: 2 });
    expect(latencies(played)).toEqual([10, 10, 16, 18]);
  });

  test('a faster instance divides its service times', () => {
    // Work 10 at speed 4 takes 2.5: 0–2.5, 2.5–5.
    expect(latencies(play({ at: [0, 1], work: 10, instances: [{ speed: 4 }] }))).toEqual([2.5, 4]);
  });

  test('one who arrives at the very instant at which the server becomes free waits, for no time', () => {
    // An arrival is known one arrival ahead, and so before the completion of that instant: equal times, insertion order.
    const played = play({ arrivals: { type: 'constant', perSecond: 100 }, work: 10, durationMs: 200 });
    expect(new Set(latencies(played))).toEqual(new Set([10]));
    const started = played.wait.count;
    expect(played.metrics['wait.share']).toBe((started - 1) / started);
    expect(played.metrics['wait.max']).toBe(0);
  });
});

describe('one server, newest first', () => {
  test('the last to come is the first to be served; work that has begun goes on', () => {
    // 0–10 first; in the queue by then 2nd (1), 3rd (2), 4th (3): 4th 10–20, 3rd 20–30, 2nd 30–40.
    const played = play({ at: [0, 1, 2, 3], work: 10, discipline: 'lifo' });
    expect(latencies(played)).toEqual([10, 39, 28, 17]);
  });

  test('one who comes while others are served out of turn goes first again', () => {
    // 0–10; queue 1, 2 → 2 serves 10–20; at 15 a fourth comes and is next: 20–30; then 1: 30–40.
    const played = play({ at: [0, 1, 2, 15], work: 10, discipline: 'lifo' });
    expect(latencies(played)).toEqual([10, 39, 18, 15]);
  });
});

describe('processor sharing', () => {
  test('one core: two at once get half each', () => {
    // A alone 0–4 does 4. From 4 both at 1/2: A's 6 left take 12 → 16. B has done 6 by then, 4 left alone → 20.
    const played = play({ at: [0, 4], work: 10, discipline: 'processor-sharing' });
    expect(latencies(played)).toEqual([16, 16]);
  });

  test('one core: three at once', () => {
    // A 0–3 alone: 3 done. 3–5 A and B at 1/2: A 4, B 1. From 5 at 1/3: A's 6 left take 18 → 23; B 7, C 6 by then.
    // B and C at 1/2: B's 3 left take 6 → 29; C 9 by then, 1 left alone → 30.
    const played = play({ at: [0, 3, 5], work: 10, discipline: 'processor-sharing' });
    expect(latencies(played)).toEqual([23, 26, 25]);
  });

  test('two cores: nobody gets more than one core, three get two thirds each', () => {
    // A and B alone on a core each until 6: A 6, B 4 done. From 6 at 2/3: A's 4 left take 6 → 12; B 8, C 4 by then.
    // From 12 a core each: B's 2 left → 14; C's 6 left → 18.
    const played = play({ at: [0, 2, 6], work: 10, discipline: 'processor-sharing', slots: 2 });
    expect(latencies(played)).toEqual([12, 12, 12]);
    // Two cores at work 2–14, one 0–2 and 14–18: 30 core-ms in 2 · 1000.
    expect(rounded(played.metrics['utilization.mean'])).toBe(30 / 2000);
  });

  test('equal ones that start together end together', () => {
    // Four on one core: all done at 40.
    const played = play({ at: [0, 0, 0, 0], work: 10, discipline: 'processor-sharing' });
    expect(latencies(played)).toEqual([40, 40, 40, 40]);
  });

  test('nobody waits: everybody is worked on from the start', () => {
    const played = play({ at: [0, 0, 0], work: 10, discipline: 'processor-sharing' });
    expect(played.metrics['wait.max']).toBe(0);
    expect(played.wait.count).toBe(3);
  });

  test('the clock starts anew after idling, so that hours change nothing', () => {
    const played = play({ at: [0, 4, 3.6e6, 3.6e6 + 4], work: 10, discipline: 'processor-sharing', durationMs: 4e6 });
    expect(latencies(played)).toEqual([16, 16, 16, 16]);
  });
});

describe('a bounded queue', () => {
  test('who finds neither a slot nor a place is refused at once, and the work of others goes on', () => {
    // One slot, one place. 0–10, queued 10–20; 2 and 3 refused; at 12 there is a place again: 20–30.
    const played = play({ at: [0, 1, 2, 3, 12], work: 10, queueLimit: 1 });
    expect(endings(played)).toEqual([
      [10, 'ok'],
      [20, 'ok'],
      [2, 'refused'],
      [3, 'refused'],
      [30, 'ok'],
    ]);
    expect(played.ledger.failed.refused).toBe(2);
    expect(played.metrics['failures.refused']).toBe(2 / 5);
    expect(played.metrics['availability']).toBe(3 / 5);
  });

  test('that drops what it cannot hold lets the client wait for its timeout', () => {
    const played = play({ at: [0, 1, 2], work: 10, queueLimit: 1, dropsOverflow: true, timeoutMs: 25 });
    expect(endings(played)).toEqual([
      [10, 'ok'],
      [20, 'ok'],
      [27, 'timeout'],
    ]);
  });

  test('without a place to wait, a busy instance refuses', () => {
    const played = play({ at: [0, 9, 11], work: 10, queueLimit: 0 });
    expect(played.attempts.map(({ outcome }) => outcome)).toEqual(['ok', 'refused', 'ok']);
  });

  test('with processor sharing the limit counts those beyond the cores', () => {
    // Two cores and one more place: the fourth is refused.
    const played = play({ at: [0, 0, 0, 0], work: 10, slots: 2, queueLimit: 1, discipline: 'processor-sharing' });
    expect(played.attempts.map(({ outcome }) => outcome).toSorted()).toEqual(['ok', 'ok', 'ok', 'refused']);
    // Three at 2/3 each: 15.
    expect(latencies(played).toSorted((x, y) => x - y)).toEqual([0, 15, 15, 15]);
  });
});

describe('several instances', () => {
  test('each has its own queue', () => {
    // In turn: 0 → api/0, 1 → api/1, 2 → api/0 (waits 8), 3 → api/1 (waits 8).
    const played = play({ at: [0, 1, 2, 3], work: 10, instances: 2 });
    expect(played.attempts.map(({ slot }) => slot)).toEqual([0, 1, 0, 1]);
    expect(latencies(played)).toEqual([10, 10, 18, 18]);
    expect(played.instances.map(({ served }) => served)).toEqual([2, 2]);
  });

  test('uneven load shows in its metrics', () => {
    // 3 to api/0, 1 to api/1: max over mean 3/2; Jain (3+1)² / (2 · (9+1)) = 0.8. Busy 30 and 10 of 1000.
    const played = play({ at: [0, 100, 200, 300, 400].slice(0, 4), work: 10, instances: 2, balancer: pickThreeToOne });
    expect(played.metrics['load.maxOverMean']).toBe(1.5);
    expect(played.metrics['load.jain']).toBe(0.8);
    expect(rounded(played.metrics['utilization.max'])).toBe(0.03);
    expect(rounded(played.metrics['utilization.mean'])).toBe(0.02);
    expect(played.instances.map(({ utilization }) => rounded(utilization))).toEqual([0.03, 0.01]);
  });
});

function pickThreeToOne() {
  let picks = 0;
  return { update: () => {}, pick: () => (picks++ % 4 === 3 ? 1 : 0) };
}
