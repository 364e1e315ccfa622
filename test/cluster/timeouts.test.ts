/** What a client's impatience does, worked out by hand. One instance, work of 10 ms unless said otherwise; times in ms. */
import { describe, expect, test } from 'vitest';
import { buildWorld, constant, endings, latencies, pause, play, playWorld, rounded, slow } from './world-builder.ts';

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
    // Four arrivals, three completions, the end of warm-up, and no timer.
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
    // At work 0–20 and 25–35.
    expect(rounded(played.instances[0].utilization)).toBe(0.03);
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
    // 0–14 ok; the second begins at 14 and is given up at 16.
    const played = play({ at: [0, 1], work: 14, timeoutMs: 15, cancelAbandoned: true });
    expect(endings(played)).toEqual([
      [14, 'ok'],
      [16, 'timeout'],
    ]);
    expect(played.instances[0].served).toBe(1);
    // At work 0–14 and 14–16.
    expect(rounded(played.instances[0].utilization)).toBe(0.016);
  });

  test('in service, with others waiting: the next begins at that moment', () => {
    // Four times slower until 30: the first has done 7.5 of 10 when it is given up there. The second runs 30–40, the third 40–50.
    const played = play({ at: [0, 20, 21], work: 10, timeoutMs: 30, cancelAbandoned: true, faults: [slow(0, 4, 0, 30)] });
    expect(endings(played)).toEqual([
      [30, 'timeout'],
      [40, 'ok'],
      [50, 'ok'],
    ]);
  });

  test('in the queue: its first, again and again', () => {
    // 0–100 ok. 1 begins at 100, given up at 151; 2: 151–152; 3: 152–153; the one of 60 begins at 153, given up at 210.
    const played = play({ at: [0, 1, 2, 3, 60], work: 100, cancelAbandoned: true, timeoutMs: 150 });
    expect(endings(played)).toEqual([
      [100, 'ok'],
      [151, 'timeout'],
      [152, 'timeout'],
      [153, 'timeout'],
      [210, 'timeout'],
    ]);
    expect(rounded(played.instances[0].utilization)).toBe(0.21);
  });

  test('in the queue: in its middle and at its end', () => {
    // Two sources with their own patience for one server. Patient: 0–100, then 2 and 4 in the queue; hasty (timeout 20): 1, 3, 5.
    const base = buildWorld({ at: [0, 2, 4], work: 100, cancelAbandoned: true });
    const hasty = buildWorld({ at: [1, 3, 5], timeoutMs: 20 });
    const played = playWorld({
      ...base,
      edges: [base.edges[0], { ...hasty.edges[0], name: 'hasty' }],
      traffic: [base.traffic[0], { ...hasty.traffic[0], name: 'hasty', edge: 1 }],
    });
    // 1 leaves the queue's front at 21, 3 its middle at 23, 5 its end at 25. 2 runs 100–200, 4 runs 200–300.
    expect(endings(played)).toEqual([
      [100, 'ok'],
      [21, 'timeout'],
      [200, 'ok'],
      [23, 'timeout'],
      [300, 'ok'],
      [25, 'timeout'],
    ]);
    expect(played.instances[0].served).toBe(3);
  });

  test('in the queue of one that serves the newest first: who gives up is at its end', () => {
    // 0–40 the first; 3 begins at 40 and is given up at 53. By then 1 and 2 have left the queue, at 51 and 52.
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
    // A and B at 1/2 each from 0, with C from 10 at 1/3 each: A and B have done 6 2/3 when they are given up at 15, C 1 2/3.
    // C's 8 1/3 left, alone: 23 1/3; its timeout would be at 25.
    const played = play({ at: [0, 0, 10], work: 10, timeoutMs: 15, cancelAbandoned: true, discipline: 'processor-sharing' });
    expect(played.attempts.map(({ outcome }) => outcome)).toEqual(['timeout', 'timeout', 'ok']);
    expect(rounded(latencies(played)[2])).toBe(rounded(15 + 25 / 3 - 10));
  });
});
