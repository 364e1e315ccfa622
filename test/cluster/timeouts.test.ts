/** What a client's impatience does, worked out by hand. One instance, work of 10 ms unless said otherwise; times in ms. */
import { describe, expect, test } from 'vitest';
import { constant, endings, latencies, pause, play, rounded, slow } from './world-builder.ts';

describe('a timeout', () => {
  test('counts from arrival, wherever the request is', () => {
    // 0–10, 10–20 …: the third would end at 30 − 2 = 28 after it came.
    const played = play({ at: [0, 1, 2], work: 10, timeoutMs: 25 });
    expect(endings(played)).toEqual([
      [10, 'ok'],
      [20, 'ok'],
      [27, 'timeout'],
    ]);
    expect(played.ledger.failed.timeout).toBe(1);
  });

  test('that falls on the very instant of the answer comes first: it was set first', () => {
    expect(play({ at: [5], work: 10, timeoutMs: 10 }).attempts[0].outcome).toBe('timeout');
  });

  test('never comes for what has been answered or refused', () => {
    const played = play({ at: [0, 1, 2, 100], work: 10, timeoutMs: 30, queueLimit: 1 });
    expect(played.attempts.map(({ outcome }) => outcome)).toEqual(['ok', 'ok', 'refused', 'ok']);
    // arrival ×4, completion ×3, nothing else but the end of warm-up
    expect(played.events).toBe(8);
  });
});

describe('a service that does not notice', () => {
  test('works on in vain, and those behind wait for it', () => {
    // Timeout 5 < work 10: every request is given up, and still serves 10 each: 0–10, 10–20, 20–30.
    const played = play({ at: [0, 1, 25], work: 10, timeoutMs: 5 });
    expect(endings(played)).toEqual([
      [5, 'timeout'],
      [6, 'timeout'],
      [30, 'timeout'],
    ]);
    expect(played.instances[0].served).toBe(3);
    // 0–20 and 25–35 at work.
    expect(rounded(played.instances[0].utilization)).toBe(35 / 1000 - 5 / 1000);
  });

  test('takes in what arrives after its client has gone', () => {
    // One way 8, timeout 5: the request reaches the instance at 8, is worked on 8–18, and nobody hears.
    const played = play({ at: [0], work: 10, timeoutMs: 5, network: { sameZone: constant(8) } });
    expect(endings(played)).toEqual([[5, 'timeout']]);
    expect(played.instances[0].served).toBe(1);
  });
});

describe('a service that cancels abandoned work', () => {
  test('in service: the slot is free at once', () => {
    // First given up at 15 of 0–20 … the second begins then: 15–35, ends 34 after it came; but its own timeout is 15 after 1.
    const played = play({ at: [0, 1], work: 14, timeoutMs: 15, cancelAbandoned: true });
    // 0–14 ok; second 14–28 but given up at 16.
    expect(endings(played)).toEqual([
      [14, 'ok'],
      [16, 'timeout'],
    ]);
    expect(played.instances[0].served).toBe(1);
    // At work 0–14 and 14–16.
    expect(rounded(played.instances[0].utilization)).toBe(0.016);
  });

  test('in service, with others waiting: the next begins at that moment', () => {
    // Slow from 0 on: work 10 takes 40. First given up at 30, the second begins there: 30–70, given up at 31 …
    // with the slowness over at 30 the second takes 10: 30–40, 39 after it came, timeout 30 at 31. So: three requests.
    const played = play({ at: [0, 20, 21], work: 10, timeoutMs: 30, cancelAbandoned: true, faults: [slow(0, 4, 0, 30)] });
    // At 30 the first goes after having done 7.5; second 30–40 (20 after it came); third 40–50 (29 after it came).
    expect(endings(played)).toEqual([
      [30, 'timeout'],
      [40, 'ok'],
      [50, 'ok'],
    ]);
  });

  test('in the queue: first, middle and last of it', () => {
    // Work 100 in service until 100. In the queue from 1, 2, 3; timeouts at 51, 52, 53 take them out one by one.
    const setup = { work: 100, cancelAbandoned: true, timeoutMs: 150 };
    const played = play({ at: [0, 1, 2, 3, 60], ...setup });
    // 0–100 ok; 1 begins at 100, given up at 151; 2 begins at 151, given up at 152; 3: 152–153; 60 begins at 153, given up at 210.
    expect(endings(played)).toEqual([
      [100, 'ok'],
      [151, 'timeout'],
      [152, 'timeout'],
      [153, 'timeout'],
      [210, 'timeout'],
    ]);
    expect(rounded(played.instances[0].utilization)).toBe(0.21);
  });

  test('in the queue of one that serves the newest first: who gives up is at its end', () => {
    // 0–40 first; newest first: 3 at 40–80 … timeout 50: 1 → 51, 2 → 52 leave the queue's end; 3 is given up at 53.
    const played = play({ at: [0, 1, 2, 3, 45], work: 40, timeoutMs: 50, cancelAbandoned: true, discipline: 'lifo' });
    // 45 is first in the queue at 53: 53–93, 48 after it came.
    expect(endings(played)).toEqual([
      [40, 'ok'],
      [51, 'timeout'],
      [52, 'timeout'],
      [53, 'timeout'],
      [93, 'ok'],
    ]);
  });

  test('on its way: it is not taken in at all', () => {
    const played = play({ at: [0], work: 10, timeoutMs: 5, cancelAbandoned: true, network: { sameZone: constant(8) } });
    expect(endings(played)).toEqual([[5, 'timeout']]);
    expect(played.instances[0].served).toBe(0);
    expect(played.instances[0].utilization).toBe(0);
  });

  test('with the answer on its way back: it has been served', () => {
    // There at 8, served 8–18, back at 26; given up at 20.
    const played = play({ at: [0], work: 10, timeoutMs: 20, cancelAbandoned: true, network: { sameZone: constant(8) } });
    expect(endings(played)).toEqual([[20, 'timeout']]);
    expect(played.instances[0].served).toBe(1);
  });

  test('on a frozen instance: both the one at work and the one in the queue', () => {
    // Frozen 2–60: the first (0, 8 left) is given up at 20, the second (1) at 21, the third (50) is served 60–70.
    const played = play({ at: [0, 1, 50], work: 10, timeoutMs: 20.5, cancelAbandoned: true, faults: [pause(0, 2, 58)] });
    expect(endings(played)).toEqual([
      [20.5, 'timeout'],
      [21.5, 'timeout'],
      [70, 'ok'],
    ]);
    expect(played.instances[0].served).toBe(1);
  });

  test('with processor sharing: the others speed up', () => {
    // Slow ×4 until 20: two at 1/8 each. The first (0) is given up at 20 … both from 0: timeouts at 20.
    // A alone from 0 at 1/4: 2 by 8; B from 8: both at 1/8 until 20: A 3.5, B 1.5. A goes; B alone at speed 1: 8.5 → 28.5.
    const played = play({
      at: [0, 8],
      work: 10,
      timeoutMs: 20.0001,
      cancelAbandoned: true,
      discipline: 'processor-sharing',
      faults: [slow(0, 4, 0, 20.0001)],
    });
    expect(played.attempts.map(({ outcome }) => outcome)).toEqual(['timeout', 'timeout']);
    const patient = play({
      at: [0, 8],
      work: 10,
      timeoutMs: 20.5,
      cancelAbandoned: true,
      discipline: 'processor-sharing',
      faults: [slow(0, 4, 0, 20)],
    });
    // Until 20 as above. 20–20.5 at 1/2 each: B 1.75. A goes at 20.5; B's 8.25 left at speed 1 → 28.75 > its timeout at 28.5.
    expect(endings(patient)).toEqual([
      [20.5, 'timeout'],
      [28.5, 'timeout'],
    ]);
  });

  test('with processor sharing: what one gives up is work for the other', () => {
    // A and B at 1/2 from 0: at 15 each has done 7.5. The third … A, B given up at 15; C from 10 (1/3 each until 15: 5/3) alone then:
    // 10 − 5/3 = 25/3 → 23.33…; its timeout would be at 25.
    const played = play({ at: [0, 0, 10], work: 10, timeoutMs: 15, cancelAbandoned: true, discipline: 'processor-sharing' });
    // A and B: 5 each by 10, then 1/3: 6.67 at 15.
    expect(played.attempts.map(({ outcome }) => outcome)).toEqual(['timeout', 'timeout', 'ok']);
    expect(rounded(latencies(played)[2])).toBe(rounded(15 + 25 / 3 - 10));
  });
});
